/* Collecting log records and writing them later; see notice.h. */
#include "engine/notice.h"

static sw__notices *notices_new(const sw_env *env)
{
    sw__arena *arena = sw__arena_new(env);
    sw__notices *notices = arena ? sw__arena_alloc(arena, sizeof *notices) : NULL;
    if (!notices) {
        sw__arena_free(arena);
        return NULL;
    }
    notices->arena = arena;
    notices->last = &notices->first;
    return notices;
}

void sw__notices_add(sw__notices **notices, const sw_env *env, int level, const char *event,
                     const sw_log_field *fields, size_t field_count)
{
    if (!*notices)
        *notices = notices_new(env);
    sw__notice *notice = *notices ? sw__arena_alloc((*notices)->arena, sizeof *notice) : NULL;
    if (!notice)
        return;
    notice->event = event;
    notice->level = level;
    notice->field_count = field_count;
    for (size_t i = 0; i < field_count; i++) {
        notice->fields[i] = fields[i];
        notice->fields[i].text = sw__arena_str((*notices)->arena, fields[i].text);
    }
    if (sw__arena_failed((*notices)->arena))
        return;
    *(*notices)->last = notice;
    (*notices)->last = &notice->next;
}

sw__notices *sw__notices_join(sw__notices *older, sw__notices *newer)
{
    sw__notices **end = &older;
    while (*end)
        end = &(*end)->next;
    *end = newer;
    return older;
}

void sw__notices_free(sw__notices *notices)
{
    while (notices) {
        sw__notices *next = notices->next;
        sw__arena_free(notices->arena);
        notices = next;
    }
}

void sw__notices_write(const sw_log *log, sw__notices *notices)
{
    for (const sw__notices *batch = notices; batch; batch = batch->next) {
        for (const sw__notice *notice = batch->first; notice && log->write; notice = notice->next)
            log->write(log->context, notice->level, notice->event, notice->fields,
                       notice->field_count);
    }
    sw__notices_free(notices);
}
