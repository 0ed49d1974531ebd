/* Group commit: a commit waits for the disk, and the calls that come meanwhile share the next one.
 *
 * There is no thread for it: a caller that finds nobody leading leads. So it costs a lone caller
 * nothing, needs no delay to gather calls, and does not survive a fork. Not here: what the parts
 * change (exchange.c, submit.c).
 */
#include "engine/group.h"

static int group_transact(sw_engine *engine, sw__part *first, const sw__part *end, sw_error *err)
{
    sw__work work;
    int rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK) {
        for (sw__part *part = first; rc == SW_OK && part != end; part = part->next)
            rc = part->flow(&work, part->context, err);
        rc = sw__work_end(&work, rc, err);
    }
    for (sw__part *part = first; part != end; part = part->next) {
        part->rc = rc;
        if (rc < 0 && part->undone)
            part->undone(engine, part->context);
    }
    return rc;
}

static void group_run(sw_engine *engine, sw__part *parts)
{
    sw_error shared;
    if (parts->next && group_transact(engine, parts, NULL, &shared) == SW_OK)
        return;
    for (sw__part *part = parts; part; part = part->next)
        group_transact(engine, part, part->next, part->err);
}

/* The gate is held on entry and exit, and given up meanwhile. */
static sw__notices *group_lead(sw_engine *engine)
{
    sw__group *group = &engine->group;
    group->led = true;
    pthread_mutex_unlock(&engine->gate);
    pthread_mutex_lock(&engine->lock);
    pthread_mutex_lock(&engine->gate);
    sw__part *parts = group->first;
    group->first = NULL;
    group->last = &group->first;
    pthread_mutex_unlock(&engine->gate);
    group_run(engine, parts);
    sw__notices *notices = sw__engine_unlock(engine);
    pthread_mutex_lock(&engine->gate);
    for (sw__part *part = parts; part; part = part->next)
        part->done = true;
    group->led = false;
    pthread_cond_broadcast(&group->over);
    return notices;
}

int sw__group_write(sw_engine *engine, sw__part *part)
{
    sw__notices *notices = NULL;
    int rc = sw__engine_come(engine, part->err);
    if (rc < 0)
        return rc;
    const sw_log *log = engine->log;
    pthread_mutex_lock(&engine->gate);
    *engine->group.last = part;
    engine->group.last = &part->next;
    while (!part->done && engine->group.led)
        pthread_cond_wait(&engine->group.over, &engine->gate);
    if (!part->done)
        notices = group_lead(engine);
    pthread_mutex_unlock(&engine->gate);
    sw__engine_go(engine);
    sw__notices_write(log, notices);
    return part->rc;
}

/* Calls that answer. */

typedef struct group_answer {
    sw__work_fill fill;
    const void *context;
    sw_result *result;
} group_answer;

static int group_fill(sw__work *work, void *context, sw_error *err)
{
    group_answer *answer = context;
    answer->result = sw__result_new(work->engine->env);
    return answer->result ? answer->fill(work, answer->result, answer->context, err)
                          : sw__fail(err, SW_ENOMEM, NULL);
}

static void group_forget(sw_engine *engine, void *context)
{
    group_answer *answer = context;
    (void)engine;
    sw_result_free(answer->result);
    answer->result = NULL;
}

int sw__group_answer(sw_engine *engine, sw__work_fill fill, const void *context, sw_result **out,
                     sw_error *err)
{
    group_answer answer = {.fill = fill, .context = context};
    sw__part part = {.flow = group_fill, .undone = group_forget, .context = &answer, .err = err};
    int rc = sw__group_write(engine, &part);
    if (rc == SW_OK)
        *out = answer.result;
    return rc;
}
