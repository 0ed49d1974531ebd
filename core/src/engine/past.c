/* Learning from ended tasks; see past.h. */
#include "engine/past.h"

#include <stdlib.h>
#include <string.h>

#include "engine/sound.h"
#include "stepwell/forecast.h"

/* Times of one task. */

/* A step that is left counts as run if its end could be one in a task that succeeds. */
static bool past_counts(const sw_workflow_step *step, int32_t state)
{
    return state == SW_STEP_SUCCEEDED ||
           (state == SW_STEP_FAILED && step->on_failure == SW_ON_FAILURE_CONTINUE);
}

int sw__past_begin(sw__past_reading *reading, sw__arena *arena, const sw_workflow *workflow,
                   sw__past_times *times)
{
    size_t steps = workflow->step_count;
    *reading = (sw__past_reading){.workflow = workflow, .times = times};
    *times = (sw__past_times){
        .began_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
        .took_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
    };
    if (!times->began_us || !times->took_us)
        return SW_ENOMEM;
    for (size_t i = 0; i < steps; i++)
        times->began_us[i] = times->took_us[i] = -1;
    return SW_OK;
}

void sw__past_note(void *context, const sw_audit_entry *entry)
{
    sw__past_reading *reading = context;
    sw__past_times *times = reading->times;
    int64_t index = SW__STEP_INDEX(entry->step_id);
    if (entry->kind != SW_AUDIT_STEP_CHANGED || index >= (int64_t)reading->workflow->step_count)
        return;
    int64_t *began = &times->began_us[index];
    if (entry->to == SW_STEP_RUNNING) {
        reading->running++;
        times->peak = reading->running > times->peak ? reading->running : times->peak;
        if (*began < 0)
            *began = entry->time_us;
        return;
    }
    reading->running -= entry->from == SW_STEP_RUNNING;
    if (past_counts(&reading->workflow->steps[index], entry->to) && *began >= 0)
        times->took_us[index] = entry->time_us > *began ? entry->time_us - *began : 0;
    /* Given back, or taken up again by an operator: what was before is no part of it. */
    bool given_back = entry->to == SW_STEP_READY && entry->attempt == 0;
    if (given_back || sw_step_state_terminal(entry->from))
        *began = -1;
}

int sw__past_times_read(sw_engine *engine, sw__arena *arena, const sw__task_hot *task,
                        const sw_workflow *workflow, sw__past_times *out, sw_error *err)
{
    sw__past_reading reading;
    if (sw__past_begin(&reading, arena, workflow, out) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__audit_each_task(engine->store, task, engine->env, sw__past_note, &reading, err);
}

/* The tasks. */

/* The times of an ended task, remembered or read; not when its steps began. */
static int past_learn(sw_engine *engine, sw__arena *arena, const sw__task_hot *row,
                      const sw_workflow *workflow, sw__past_times *times, sw_error *err)
{
    size_t steps = workflow->step_count;
    const sw__lesson *lesson = sw__lessons_find(&engine->lessons, row, steps);
    if (!lesson) {
        int rc = sw__past_times_read(engine, arena, row, workflow, times, err);
        if (rc == SW_OK && sw__lessons_keep(&engine->lessons, engine->env, row, times->took_us,
                                            steps, times->peak) < 0)
            rc = sw__fail(err, SW_ENOMEM, NULL);
        return rc;
    }
    /* A copy, because the plays run without the lock. */
    *times = (sw__past_times){.took_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
                              .peak = lesson->peak};
    if (!times->took_us)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(times->took_us, lesson->took_us, steps * sizeof(int64_t));
    return SW_OK;
}

/* steps goes down by the steps of a task; one that has more does not count, and no other after it.
 */
static int past_add(sw_engine *engine, sw__arena *arena, const sw__task_hot *row, sw__past *past,
                    size_t *steps, sw_error *err)
{
    const sw__plan *plan = NULL;
    sw__past_times times;
    int rc = sw__sound_task(row, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, engine->store, row->workflow_no, &plan, err);
    if (rc < 0)
        return rc;
    bool fits = plan->workflow->step_count <= *steps;
    *steps = fits ? *steps - plan->workflow->step_count : 0;
    if (!fits)
        return SW_OK;
    rc = past_learn(engine, arena, row, plan->workflow, &times, err);
    if (rc < 0)
        return rc;
    past->tasks[past->count++] = (sw__past_task){
        .workflow = sw__workflow_keep(plan->workflow),
        .took_us = times.took_us,
        .whole_us = row->changed_us > row->started_us ? row->changed_us - row->started_us : 0,
        .state = row->state,
        .peak = times.peak,
    };
    return SW_OK;
}

void sw__recording_free(sw_engine *engine)
{
    if (engine->recording)
        sw_workflow_free(engine->recording->task.workflow);
    sw__free(engine->env, engine->recording);
}

/* The engine and its recording end after the plays that look at it. */
static void past_recorded(const sw_engine *engine, sw_str workflow, size_t limit, sw__past *past)
{
    const sw__recording *recording = engine->recording;
    if (!recording || limit == 0 || !sw__str_equal(recording->task.workflow->name, workflow))
        return;
    past->tasks[past->count] = recording->task;
    sw__workflow_keep(past->tasks[past->count++].workflow);
}

int sw__past_read(sw_engine *engine, sw__arena *arena, sw_str workflow, int64_t except,
                  size_t limit, size_t steps_max, sw__past *past, sw_error *err)
{
    const sw__task_range all = {0};
    static const int states[] = {SW_TASK_SUCCEEDED, SW_TASK_FAILED};
    sw__store *store = engine->store;
    size_t steps = steps_max;
    int rc = SW_OK;
    *past = (sw__past){.tasks = sw__arena_array(arena, limit, sizeof *past->tasks)};
    if (!past->tasks)
        return sw__fail(err, SW_ENOMEM, NULL);
    past_recorded(engine, workflow, limit, past);
    for (int i = 0; rc == SW_OK && i < 2; i++) {
        sw_task_filter filter = SW_TASK_FILTER_INIT;
        sw__task_hot *rows = NULL;
        size_t count = 0;
        filter.state = states[i];
        filter.workflow = workflow;
        filter.limit = (int64_t)limit + 1; /* one may be the task that is left out */
        rc = store->ops->tasks_list(store, &filter, all, arena, &rows, &count, err);
        for (size_t j = 0; rc == SW_OK && j < count && past->count < limit; j++) {
            if (rows[j].task_no != except && steps > 0)
                rc = past_add(engine, arena, &rows[j], past, &steps, err);
        }
    }
    return rc;
}

void sw__past_free(sw__past *past)
{
    for (size_t i = 0; i < past->count; i++)
        sw_workflow_free(past->tasks[i].workflow);
    past->count = 0;
}

int32_t sw__past_peak(const sw__past *past, const sw__past_task *except)
{
    int32_t peak = 0;
    for (size_t i = 0; i < past->count; i++) {
        if (&past->tasks[i] != except && past->tasks[i].peak > peak)
            peak = past->tasks[i].peak;
    }
    return peak;
}

/* Samples. */

static int past_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How long the step with this name and handler took in a past task, -1 if that is not known. */
static int64_t past_took(const sw__past_task *task, const sw_workflow *workflow, size_t index)
{
    const sw_workflow_step *step = &workflow->steps[index];
    int64_t there = (int64_t)index;
    if (task->workflow != workflow)
        there = sw__workflow_find(task->workflow, step->name);
    if (there < 0 || !sw__str_equal(task->workflow->steps[there].handler, step->handler))
        return -1;
    return task->took_us[there];
}

/* The step's own durations, ascending, at us, which has room for one of each task. */
static sw__samples past_own(const sw__past *past, const sw__past_task *except,
                            const sw_workflow *workflow, size_t index, int64_t *us)
{
    int32_t count = 0;
    for (size_t i = 0; i < past->count; i++) {
        int64_t took = -1;
        if (&past->tasks[i] != except)
            took = past_took(&past->tasks[i], workflow, index);
        if (took >= 0)
            us[count++] = took;
    }
    qsort(us, (size_t)count, sizeof *us, past_compare);
    return (sw__samples){us, count};
}

/* Durations of all steps of one handler, ascending. */
static int past_of_handler(sw__arena *arena, const sw__past *past, const sw__past_task *except,
                           sw_str handler, sw__samples *out)
{
    int64_t *us = NULL;
    int32_t count = 0;
    for (int pass = 0; pass < 2; pass++) {
        count = 0;
        for (size_t i = 0; i < past->count; i++) {
            const sw__past_task *task = &past->tasks[i];
            for (size_t j = 0; task != except && j < task->workflow->step_count; j++) {
                if (task->took_us[j] < 0 ||
                    !sw__str_equal(task->workflow->steps[j].handler, handler))
                    continue;
                if (us)
                    us[count] = task->took_us[j];
                count++;
            }
        }
        if (!us && !(us = sw__arena_array(arena, (size_t)count, sizeof *us)))
            return SW_ENOMEM;
    }
    qsort(us, (size_t)count, sizeof *us, past_compare);
    *out = (sw__samples){us, count};
    return SW_OK;
}

/* What stands in for the durations of a step that has none of its own. known remembers handlers:
 * the first step that asked for each. */
static int past_substitute(sw__arena *arena, const sw__past *past, const sw__past_task *except,
                           const sw_workflow *workflow, size_t index, int64_t *default_us,
                           sw__strmap *known, sw__samples *samples, uint8_t *source)
{
    const sw_workflow_step *step = &workflow->steps[index];
    const int64_t *first = sw__strmap_find(known, step->handler);
    sw__samples *handlers = samples + workflow->step_count; /* the second half of the array */
    if (!first) {
        if (past_of_handler(arena, past, except, step->handler, &handlers[index]) < 0 ||
            sw__strmap_put(known, step->handler, (int64_t)index) < 0)
            return SW_ENOMEM;
    }
    samples[index] = handlers[first ? (size_t)*first : index];
    *source = SW_DURATION_FROM_HANDLER;
    if (samples[index].count > 0)
        return SW_OK;
    *source = step->timeout_ms > 0 ? SW_DURATION_FROM_TIMEOUT : SW_DURATION_FROM_DEFAULT;
    int64_t *us = default_us;
    if (step->timeout_ms > 0 && (us = sw__arena_alloc(arena, sizeof *us)))
        *us = step->timeout_ms * 1000;
    samples[index] = (sw__samples){us, 1};
    return us ? SW_OK : SW_ENOMEM;
}

/* Of all tasks: as many durations as there can be, since no name stands twice in one of them. */
static size_t past_step_count(const sw__past *past)
{
    size_t steps = 0;
    for (size_t i = 0; i < past->count; i++)
        steps += past->tasks[i].workflow->step_count;
    return steps;
}

int sw__past_samples(sw__arena *arena, const sw__past *past, const sw__past_task *except,
                     const sw_workflow *workflow, int64_t default_us, sw__samples *samples,
                     uint8_t *sources)
{
    sw__strmap known;
    size_t steps = workflow->step_count, taken = 0;
    int64_t *fixed = sw__arena_alloc(arena, sizeof *fixed);
    int64_t *us = sw__arena_array_raw(arena, past_step_count(past), sizeof *us);
    sw__samples *found = sw__arena_array_raw(arena, steps * 2, sizeof *found);
    if (!fixed || !us || !found)
        return SW_ENOMEM;
    *fixed = default_us;
    sw__strmap_init(&known, sw__arena_env(arena));
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < steps; i++) {
        found[i] = past_own(past, except, workflow, i, us + taken);
        taken += (size_t)found[i].count;
        sources[i] = SW_DURATION_FROM_STEP;
        if (found[i].count == 0)
            rc = past_substitute(arena, past, except, workflow, i, fixed, &known, found,
                                 &sources[i]);
    }
    sw__strmap_free(&known);
    for (size_t i = 0; i < steps; i++)
        samples[i] = found[i];
    return rc;
}
