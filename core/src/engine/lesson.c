/* Remembering what ended tasks teach; see lesson.h. */
#include "engine/lesson.h"

#include <string.h>

static size_t lesson_place(const sw__task_hot *task)
{
    return (size_t)((uint64_t)task->task_no % SW__LESSONS);
}

const sw__lesson *sw__lessons_find(const sw__lessons *lessons, const sw__task_hot *task,
                                   size_t step_count)
{
    if (!lessons->places)
        return NULL;
    const sw__lesson *lesson = &lessons->places[lesson_place(task)];
    bool holds = lesson->took_us && lesson->audit_segment == task->audit_segment &&
                 lesson->step_count == step_count &&
                 memcmp(&lesson->task_id, &task->task_id, sizeof lesson->task_id) == 0;
    return holds ? lesson : NULL;
}

static void lesson_forget(sw__lessons *lessons, const sw_env *env, sw__lesson *lesson)
{
    lessons->steps -= lesson->step_count;
    sw__free(env, lesson->took_us);
    *lesson = (sw__lesson){0};
}

void sw__lessons_free(sw__lessons *lessons, const sw_env *env)
{
    for (size_t i = 0; lessons->places && i < SW__LESSONS; i++)
        lesson_forget(lessons, env, &lessons->places[i]);
    sw__free(env, lessons->places);
    *lessons = (sw__lessons){0};
}

int sw__lessons_keep(sw__lessons *lessons, const sw_env *env, const sw__task_hot *task,
                     const int64_t *took_us, size_t step_count, int32_t peak)
{
    if (step_count == 0 || step_count > SW__LESSONS_STEPS)
        return SW_OK;
    if (lessons->places)
        lesson_forget(lessons, env, &lessons->places[lesson_place(task)]);
    if (lessons->steps + step_count > SW__LESSONS_STEPS)
        sw__lessons_free(lessons, env);
    if (!lessons->places)
        lessons->places = sw__calloc(env, SW__LESSONS, sizeof *lessons->places);
    int64_t *copy = sw__resize(env, NULL, step_count * sizeof *copy);
    if (!lessons->places || !copy) {
        sw__free(env, copy);
        return SW_ENOMEM;
    }
    memcpy(copy, took_us, step_count * sizeof *copy);
    lessons->places[lesson_place(task)] = (sw__lesson){.task_id = task->task_id,
                                                       .audit_segment = task->audit_segment,
                                                       .took_us = copy,
                                                       .step_count = step_count,
                                                       .peak = peak};
    lessons->steps += step_count;
    return SW_OK;
}
