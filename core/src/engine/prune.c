/* Pruning: taking out tasks that ended long ago, in transactions that nobody notices.
 *
 * Candidates are looked for in a read transaction, which keeps nobody waiting, and looked at again
 * in the one that takes them out: an operator may have taken a failed task up in between. A task
 * goes in one transaction with its audit entry; its steps, of which it may have a million, follow
 * in as many as they need (store.h: rests). Not here: what the log makes of it (audit/moves.c).
 */
#include "engine/query.h"
#include "engine/work.h"

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"
#include "engine/sound.h"
#include "stepwell/ops.h"

#define PRUNE_TASKS 100          /* looked at, and taken out, in one transaction */
#define PRUNE_STEPS 1000         /* taken out in one transaction */
#define PRUNE_PAUSE_MAX_US 20000 /* between two transactions */

typedef struct prune {
    sw_engine *engine;
    const sw_prune_options *options;
    sw_prune_report *report;
    int state;
    int64_t above; /* tasks up to this number were looked at */
    int64_t below; /* no task from here on was created early enough to have ended */
    int64_t task_nos[PRUNE_TASKS];
    sw__task_hot tasks[PRUNE_TASKS];
    size_t count;
} prune;

static const int32_t prune_ends[] = {SW_TASK_SUCCEEDED, SW_TASK_FAILED, SW_TASK_CANCELLED,
                                     SW_TASK_RESOLVED};

/* Checks before the first transaction. */

static int prune_check(const sw_prune_options *options, const sw_prune_report *report,
                       sw_error *err)
{
    sw__error_clear(err);
    if (!options || options->size < sizeof *options)
        return sw__fail(err, SW_EINVAL, "options must start with SW_PRUNE_OPTIONS_INIT");
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_PRUNE_REPORT_INIT");
    if (options->finished_before_us <= 0)
        return sw__fail(err, SW_EINVAL, "finished_before_us must be a time");
    if (options->limit < 0)
        return sw__fail(err, SW_EINVAL, "limit %lld is negative", (long long)options->limit);
    if (!options->states && options->state_count > 0)
        return sw__fail(err, SW_EINVAL, "states is NULL");
    for (size_t i = 0; i < options->state_count; i++) {
        if (!sw_task_state_terminal(options->states[i]))
            return sw__fail(err, SW_EINVAL, "no task ends as %s",
                            sw_task_state_name(options->states[i]));
    }
    int rc = sw__check_text(options->actor, SW__TEXT_MAX, "actor", 0, err);
    if (rc == SW_OK)
        rc = sw__check_text(options->reason, SW__TEXT_MAX, "reason", 0, err);
    if (rc == SW_OK && options->workflow.ptr)
        rc = sw__check_name(options->workflow, "workflow", 0, err);
    return rc;
}

/* Between transactions others get as much time as the last one took. */
static int prune_pause(const prune *p, int64_t started_us, sw_error *err)
{
    sw__rings rings;
    sw_engine *engine = p->engine;
    int64_t now_us = engine->env->clock_mono_us(engine->env->context);
    int64_t pause_us = now_us - started_us;
    if (pause_us > PRUNE_PAUSE_MAX_US)
        pause_us = PRUNE_PAUSE_MAX_US;
    sw__bell_count(engine, &rings);
    sw__bell_wait(engine, 0, &rings, now_us + pause_us);
    return atomic_load(&engine->closing) ? sw__fail(err, SW_ECLOSED, NULL) : SW_OK;
}

/* Candidates. */

static bool prune_may(const prune *p, const sw__task_hot *task)
{
    const int32_t *counts = task->counts;
    bool in_time = task->changed_us < p->options->finished_before_us || SW__PLANT(PRUNE_EARLY);
    return task->state == p->state && in_time &&
           counts[SW_STEP_READY] + counts[SW_STEP_RUNNING] + counts[SW_STEP_WAITING] == 0;
}

static int64_t prune_room(const prune *p)
{
    int64_t limit = p->options->limit;
    return limit == 0 ? INT64_MAX : limit - p->report->task_count;
}

static int prune_read(prune *p, sw__arena *arena, size_t *seen, sw_error *err)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_hot *rows = NULL;
    sw__store *store = p->engine->store;
    int rc = SW_OK;
    if (p->below == 0) {
        rc = sw__query_bound(p->engine, p->options->finished_before_us, &p->below, err);
        p->below++;
    }
    sw__task_range range = {.above = p->above, .below = p->below, .rising = true};
    filter.state = p->state;
    filter.workflow = p->options->workflow;
    filter.limit = PRUNE_TASKS;
    if (rc == SW_OK)
        rc = store->ops->tasks_list(store, &filter, range, arena, &rows, seen, err);
    p->count = 0;
    for (size_t i = 0; rc == SW_OK && i < *seen && (int64_t)p->count < prune_room(p); i++) {
        p->above = rows[i].task_no;
        if (prune_may(p, &rows[i]))
            p->task_nos[p->count++] = rows[i].task_no;
    }
    return rc;
}

static int prune_find(prune *p, size_t *seen, sw_error *err)
{
    sw__store *store = p->engine->store;
    sw__arena *arena = sw__arena_new(p->engine->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = prune_read(p, arena, seen, err);
        if (rc == SW_OK)
            rc = store->ops->tasks_get(store, p->task_nos, p->count, p->tasks, err);
        store->ops->rollback(store);
    }
    sw__arena_free(arena);
    return rc;
}

/* Taking out. */

static int prune_note(const prune *p, sw__task_hot *task, sw_error *err)
{
    sw_str actor = p->options->actor;
    sw_audit_entry entry = {
        .kind = SW_AUDIT_TASK_PRUNED,
        .from = task->state,
        .to = task->state,
        .task_id = task->task_id,
        .actor = actor.len ? actor : sw__str("operator"),
        .reason = p->options->reason,
    };
    int rc = sw__sound_task(task, err);
    return rc == SW_OK ? sw__audit_add(&p->engine->audit, &entry, task, err) : rc;
}

/* Those of the candidates that are still what they were. */
static int prune_flow(prune *p, sw__work *work, sw_error *err)
{
    size_t kept = 0;
    sw__store *store = p->engine->store;
    int rc = store->ops->tasks_get(store, p->task_nos, p->count, p->tasks, err);
    for (size_t i = 0; rc == SW_OK && i < p->count; i++) {
        if (p->tasks[i].task_no == 0 || !prune_may(p, &p->tasks[i]))
            continue;
        if (!SW__PLANT(PRUNE_UNLOGGED))
            rc = prune_note(p, &p->tasks[i], err);
        p->task_nos[kept] = p->task_nos[i];
        p->tasks[kept++] = p->tasks[i];
    }
    p->count = kept;
    work->changed = kept > 0;
    if (SW__PLANT(PRUNE_HALF))
        return rc;
    return rc == SW_OK ? store->ops->tasks_delete(store, p->task_nos, kept, err) : rc;
}

static int prune_take(prune *p, sw_error *err)
{
    sw__work work;
    int rc = sw__work_begin(&work, p->engine, err);
    return rc == SW_OK ? sw__work_end(&work, prune_flow(p, &work, err), err) : rc;
}

static void prune_report_add(prune *p)
{
    p->report->task_count += (int64_t)p->count;
    for (size_t i = 0; i < p->count; i++) {
        for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
            p->report->step_count += p->tasks[i].counts[state];
    }
}

static int64_t prune_now(const prune *p)
{
    return p->engine->env->clock_mono_us(p->engine->env->context);
}

/* The tasks of one state. */
static int prune_tasks(prune *p, sw_error *err)
{
    size_t seen = PRUNE_TASKS;
    int rc = SW_OK;
    p->above = 0;
    while (rc == SW_OK && seen == PRUNE_TASKS && prune_room(p) > 0) {
        int64_t started_us = prune_now(p);
        rc = prune_find(p, &seen, err);
        if (rc == SW_OK && p->count > 0 && !p->options->dry_run)
            rc = prune_take(p, err);
        if (rc == SW_OK)
            prune_report_add(p);
        if (rc == SW_OK && seen == PRUNE_TASKS)
            rc = prune_pause(p, started_us, err);
    }
    return rc;
}

/* One short transaction after the other until *left is false. */
typedef int (*prune_part)(prune *p, bool *left, sw_error *err);

static int prune_rests(prune *p, bool *left, sw_error *err)
{
    return p->engine->store->ops->rests_delete(p->engine->store, PRUNE_STEPS, left, err);
}

static int prune_shrink(prune *p, bool *left, sw_error *err)
{
    int64_t bytes = 0;
    int rc = p->engine->store->ops->shrink(p->engine->store, &bytes, err);
    *left = bytes > 0;
    return rc == SW_OK ? (p->report->freed_bytes += bytes, SW_OK) : rc;
}

static int prune_parts(prune *p, prune_part part, sw_error *err)
{
    sw__store *store = p->engine->store;
    bool left = true;
    int rc = SW_OK;
    while (rc == SW_OK && left) {
        int64_t started_us = prune_now(p);
        rc = store->ops->begin(store, true, err);
        if (rc < 0)
            return rc;
        rc = part(p, &left, err);
        if (rc == SW_OK)
            rc = store->ops->commit(store, err);
        else
            store->ops->rollback(store);
        if (rc == SW_OK && left)
            rc = prune_pause(p, started_us, err);
    }
    return rc;
}

static int prune_all(prune *p, sw_error *err)
{
    const sw_prune_options *options = p->options;
    const int32_t *states = options->state_count ? options->states : prune_ends;
    size_t count =
        options->state_count ? options->state_count : sizeof prune_ends / sizeof prune_ends[0];
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        p->state = states[i];
        rc = prune_tasks(p, err);
    }
    if (rc == SW_OK && !options->dry_run)
        rc = prune_parts(p, prune_rests, err);
    if (rc == SW_OK && !options->dry_run)
        rc = prune_parts(p, prune_shrink, err);
    return rc;
}

int sw_task_prune(sw_engine *engine, const sw_prune_options *options, sw_prune_report *report,
                  sw_error *err)
{
    int rc = prune_check(options, report, err);
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    prune p = {.engine = engine, .options = options, .report = report};
    report->task_count = 0;
    report->step_count = 0;
    report->freed_bytes = 0;
    rc = prune_all(&p, err);
    sw__engine_leave(engine);
    return rc;
}

#undef PRUNE_TASKS
#undef PRUNE_STEPS
#undef PRUNE_PAUSE_MAX_US
