/* Group commit: a commit waits for the disk, and the calls that come meanwhile share the next one.
 *
 * There is no thread for it: a caller that finds nobody leading leads. So it costs a lone caller
 * nothing, needs no delay to gather calls, and does not survive a fork. Not here: what the parts
 * change (exchange.c, submit.c).
 */
#include "engine/group.h"

#include "base/plant.h"
#include "base/probe.h"

/* *changer becomes the part when it changes something. */
static int group_flow(sw__work *work, sw__part *part, const sw__part **changer, sw_error *err)
{
    bool changed = work->changed;
    work->changed = false;
    int rc = part->flow(work, part->context, err);
    if (work->changed)
        *changer = part;
    work->changed = work->changed || changed;
    return rc;
}

/* To the parts that looked before the last change was made, their own commit is news. */
static void group_tell(sw_engine *engine, sw__part *first, const sw__part *end,
                       const sw__part *changer, int rc)
{
    bool news = rc == SW_OK && changer && !SW__PLANT(GROUP_NEWS);
    for (sw__part *part = first; part != end; part = part->next) {
        news = news && part != changer;
        SW__PROBE_IF(GROUP_NEWS, news);
        part->rc = rc;
        part->commits = engine->commit_count - news;
        if (rc < 0 && part->undone)
            part->undone(engine, part->context);
    }
}

static int group_transact(sw_engine *engine, sw__part *first, const sw__part *end, sw_error *err)
{
    sw__work work;
    const sw__part *changer = NULL;
    int rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK) {
        for (sw__part *part = first; rc == SW_OK && part != end; part = part->next)
            rc = group_flow(&work, part, &changer, err);
        rc = sw__work_end(&work, rc, err);
    }
    group_tell(engine, first, end, changer, rc);
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
