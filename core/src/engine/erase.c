/* Erasing the payloads of a subject, and noting it in the log.
 *
 * First all tasks of the subject are looked at: one that has not ended refuses the whole. Then they
 * are erased in short transactions, each of which looks again, because a task may have been taken
 * up in between. Not here: what the log makes of it (audit/moves.c).
 */
#include "engine/query.h"
#include "engine/work.h"

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"
#include "engine/sound.h"
#include "stepwell/erase.h"

#define ERASE_TASKS 100 /* looked at, and erased, in one transaction */

typedef struct erase {
    sw_engine *engine;
    const sw_erase_options *options;
    sw_erase_report *report;
    sw_str tag;
    int64_t above; /* tasks up to this number were looked at */
    int64_t task_nos[ERASE_TASKS];
    sw__task_hot tasks[ERASE_TASKS];
    size_t count;
} erase;

/* Checks before the first transaction. */

static int erase_check_text(sw_str text, const char *field, const char *why, sw_error *err)
{
    int rc = sw__check_text(text, SW__TEXT_MAX - sizeof(SW_SUBJECT_TAG), field, 0, err);
    if (rc == SW_OK && text.len == 0)
        rc = sw__fail(err, SW_EINVAL, "%s is missing: %s", field, why);
    return rc;
}

static int erase_check(const sw_erase_options *options, const sw_erase_report *report,
                       sw_error *err)
{
    sw__error_clear(err);
    if (!options || options->size < sizeof *options)
        return sw__fail(err, SW_EINVAL, "options must start with SW_ERASE_OPTIONS_INIT");
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_ERASE_REPORT_INIT");
    int rc = erase_check_text(options->subject, "subject", "whose payloads to erase", err);
    if (rc == SW_OK && !options->dry_run)
        rc = erase_check_text(options->actor, "actor", "the audit log keeps who did it", err);
    if (rc == SW_OK && !options->dry_run)
        rc = erase_check_text(options->reason, "reason", "the audit log keeps why", err);
    return rc;
}

/* Looking. */

static int erase_check_ended(const sw__task_hot *task, sw_error *err)
{
    char text[37];
    const int32_t *counts = task->counts;
    bool active = counts[SW_STEP_READY] + counts[SW_STEP_RUNNING] + counts[SW_STEP_WAITING] > 0;
    if ((sw_task_state_terminal(task->state) && !active) || SW__PLANT(ERASE_RUNNING))
        return SW_OK;
    sw_uuid_format(&task->task_id, text);
    return sw__fail(err, SW_ESTATE,
                    "task %s of the subject is %s and needs its payloads: cancel it, or wait until "
                    "it has ended",
                    text, sw_task_state_name(task->state));
}

/* The next tasks of the subject that are to be erased; *seen counts those that were looked at. */
static int erase_look(erase *e, sw__arena *arena, size_t *seen, sw_error *err)
{
    sw__task_hot *rows = NULL;
    sw__store *store = e->engine->store;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_range range = {.above = e->above, .rising = true};
    filter.tag = e->tag;
    filter.limit = ERASE_TASKS;
    e->count = 0;
    int rc = store->ops->tasks_list(store, &filter, range, arena, &rows, seen, err);
    for (size_t i = 0; rc == SW_OK && i < *seen; i++) {
        sw__task_info info;
        e->above = rows[i].task_no;
        rc = store->ops->tasks_info(store, &rows[i].task_no, 1, arena, &info, err);
        if (rc == SW_OK && sw__task_erased(&info)) {
            e->report->erased_count++;
            continue;
        }
        if (rc == SW_OK)
            rc = sw__sound_task(&rows[i], err);
        if (rc == SW_OK)
            rc = erase_check_ended(&rows[i], err);
        e->task_nos[e->count] = rows[i].task_no;
        e->tasks[e->count++] = rows[i];
    }
    return rc;
}

/* Erasing. */

static int erase_tasks(erase *e, sw_error *err)
{
    sw__store *store = e->engine->store;
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < e->count; i++) {
        sw__task_hot *task = &e->tasks[i];
        sw_audit_entry entry = {
            .kind = SW_AUDIT_TASK_ERASED,
            .from = task->state,
            .to = task->state,
            .task_id = task->task_id,
            .actor = e->options->actor,
            .reason = e->options->reason,
        };
        if (!SW__PLANT(ERASE_UNNOTED))
            rc = sw__audit_add(&e->engine->audit, &entry, task, err);
    }
    if (rc == SW_OK)
        rc = store->ops->tasks_update(store, e->tasks, e->count, err);
    return rc == SW_OK ? store->ops->tasks_erase(store, e->task_nos, e->count, err) : rc;
}

static int erase_flow(erase *e, sw__work *work, size_t *seen, sw_error *err)
{
    int rc = erase_look(e, work->arena, seen, err);
    work->changed = e->count > 0;
    return rc == SW_OK && e->count > 0 ? erase_tasks(e, err) : rc;
}

static int erase_take(erase *e, size_t *seen, sw_error *err)
{
    sw__work work;
    int64_t erased = e->report->erased_count;
    int rc = sw__work_begin(&work, e->engine, err);
    if (rc == SW_OK)
        rc = sw__work_end(&work, erase_flow(e, &work, seen, err), err);
    if (rc < 0)
        e->report->erased_count = erased;
    else
        e->report->task_count += (int64_t)e->count;
    return rc;
}

static int erase_peek(erase *e, size_t *seen, sw_error *err)
{
    sw__store *store = e->engine->store;
    sw__arena *arena = sw__arena_new(e->engine->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->begin(store, false, err);
    if (rc == SW_OK) {
        rc = erase_look(e, arena, seen, err);
        store->ops->rollback(store);
    }
    sw__arena_free(arena);
    if (rc == SW_OK)
        e->report->task_count += (int64_t)e->count;
    return rc;
}

/* From the first task to the last, by either. */
static int erase_each(erase *e, int (*part)(erase *e, size_t *seen, sw_error *err), sw_error *err)
{
    size_t seen = ERASE_TASKS;
    int rc = SW_OK;
    e->above = 0;
    e->report->task_count = 0;
    e->report->erased_count = 0;
    while (rc == SW_OK && seen == ERASE_TASKS)
        rc = part(e, &seen, err);
    return rc;
}

static int erase_all(erase *e, sw_error *err)
{
    bool clean = false;
    sw__store *store = e->engine->store;
    int rc = erase_each(e, erase_peek, err);
    if (rc < 0 || e->options->dry_run)
        return rc;
    rc = erase_each(e, erase_take, err);
    if (rc == SW_OK && !e->options->quick)
        rc = store->ops->scrub(store, &clean, err);
    e->report->clean = clean;
    return rc;
}

int sw_task_erase(sw_engine *engine, const sw_erase_options *options, sw_erase_report *report,
                  sw_error *err)
{
    char tag[SW__TEXT_MAX + sizeof(SW_SUBJECT_TAG)];
    int rc = erase_check(options, report, err);
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    erase e = {.engine = engine, .options = options, .report = report};
    memcpy(tag, SW_SUBJECT_TAG, sizeof(SW_SUBJECT_TAG) - 1);
    memcpy(tag + sizeof(SW_SUBJECT_TAG) - 1, options->subject.ptr, options->subject.len);
    e.tag = (sw_str){tag, sizeof(SW_SUBJECT_TAG) - 1 + options->subject.len};
    report->clean = 0;
    rc = erase_all(&e, err);
    sw__engine_leave(engine);
    return rc;
}

#undef ERASE_TASKS
