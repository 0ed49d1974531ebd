/* Holding the replayed states against the rows of the store: every task and step has a row that
 * says the same, and there is no row beyond them. */
#include "audit/replay.h"

#include "base/error.h"
#include "base/str.h"
#include "model/trigger.h"

#define COMPARE_PAGE 256 /* tasks read at once */

typedef struct compare_walk {
    sw__replay *replay;
    sw__replay_task *task; /* of the step before; steps of a task follow each other */
    int64_t segment_last;
    int64_t entry_last;
    sw__map workflows; /* workflow_no to sw_workflow*, 0 when no task of the log runs it */
} compare_walk;

static int compare_doubt_task(sw__replay *replay, const sw__replay_task *task, const char *fault)
{
    char task_id[37];
    sw_uuid_format(&task->task_id, task_id);
    return sw__doubt_raise(&replay->doubt, task->entry_no, task->entry_no,
                           "the row of task %s %s (newest entry about it: %lld)", task_id, fault,
                           (long long)task->entry_no);
}

/* Tasks. */

static int compare_chain(const compare_walk *walk, const sw__task_hot *row)
{
    char task_id[37];
    if (row->audit_segment <= walk->segment_last)
        return SW_OK;
    sw_uuid_format(&row->task_id, task_id);
    return sw__doubt_raise(&walk->replay->doubt, walk->entry_last + 1, walk->entry_last + 1,
                           "the log ends with segment %lld, but the newest entries of task %s are "
                           "in segment %lld: its end was cut off",
                           (long long)walk->segment_last, task_id, (long long)row->audit_segment);
}

static bool compare_counts(const sw__replay_task *task, const sw__task_hot *row)
{
    int32_t counts[SW_STEP_STATE_COUNT] = {0};
    int32_t fatal = 0;
    for (size_t i = 0; i < task->workflow->step_count; i++) {
        counts[task->steps[i].state]++;
        fatal += task->steps[i].state == SW_STEP_FAILED &&
                 task->workflow->steps[i].on_failure != SW_ON_FAILURE_CONTINUE;
    }
    return memcmp(counts, row->counts, sizeof(counts)) == 0 && fatal == row->fatal;
}

/* The replayed definition behind a number, read from the store once. */
static int compare_find_workflow(compare_walk *walk, int64_t workflow_no, const sw_workflow **out,
                                 sw_error *err)
{
    sw__workflow_rec rec;
    char digest_hex[65];
    sw__replay *replay = walk->replay;
    const sw_str any = {NULL, 0};
    const int64_t *found = sw__map_find(&walk->workflows, workflow_no);
    if (found) {
        *out = (const sw_workflow *)(intptr_t)*found;
        return SW_OK;
    }
    sw__arena *scratch = sw__arena_new(replay->env);
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    *out = NULL;
    int rc =
        replay->store->ops->workflow_find(replay->store, workflow_no, any, any, scratch, &rec, err);
    if (rc == SW_OK) {
        sw__hash_hex(rec.digest, digest_hex);
        found = sw__strmap_find(&replay->workflows, sw__str(digest_hex));
        *out = found ? (const sw_workflow *)(intptr_t)*found : NULL;
    }
    if (rc == SW_ENOTFOUND)
        rc = SW_OK;
    if (rc == SW_OK && sw__map_put(&walk->workflows, workflow_no, (intptr_t)*out) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__arena_free(scratch);
    return rc;
}

static int compare_task(compare_walk *walk, const sw__task_hot *row, sw_error *err)
{
    char task_id[37];
    const sw_workflow *workflow = NULL;
    sw__replay *replay = walk->replay;
    int rc = compare_chain(walk, row);
    if (rc < 0)
        return rc;
    sw__replay_task *task = sw__replay_task_find(replay, row->task_no);
    sw_uuid_format(&row->task_id, task_id);
    if (!task || !task->workflow)
        return sw__doubt_raise(&replay->doubt, walk->entry_last, walk->entry_last,
                               "task %s has a row, but no entry says that it was submitted",
                               task_id);
    task->met = true;
    if (task->pruned)
        return compare_doubt_task(replay, task, "is there again, after it was pruned");
    if (memcmp(&task->task_id, &row->task_id, sizeof(task->task_id)) != 0)
        return compare_doubt_task(replay, task, "has another identifier");
    if (task->state != row->state)
        return sw__doubt_raise(
            &replay->doubt, task->entry_no, task->entry_no,
            "task %s is %s in its row, but %s since entry %lld of the log: the row was changed "
            "without an entry",
            task_id, sw_task_state_name(row->state), sw_task_state_name(task->state),
            (long long)task->entry_no);
    if (task->segment_no != row->audit_segment)
        return compare_doubt_task(replay, task, "does not lead to its newest entries");
    if (!compare_counts(task, row))
        return compare_doubt_task(replay, task, "counts its steps by state differently");
    rc = compare_find_workflow(walk, row->workflow_no, &workflow, err);
    if (rc == SW_OK && workflow != task->workflow)
        rc = compare_doubt_task(replay, task, "names another definition than its submission");
    return rc;
}

/* One page of tasks, newest first; *below becomes the last number of the page, 0 at the end. */
static int compare_page(compare_walk *walk, int64_t *below, sw_error *err)
{
    sw__store *store = walk->replay->store;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_hot *rows = NULL;
    size_t count = 0;
    filter.limit = COMPARE_PAGE;
    sw__arena_clear(walk->replay->scratch);
    int rc = store->ops->tasks_list(store, &filter, (sw__task_range){.below = *below},
                                    walk->replay->scratch, &rows, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = compare_task(walk, &rows[i], err);
    *below = rc == SW_OK && count == COMPARE_PAGE ? rows[count - 1].task_no : 0;
    return rc;
}

/* Steps. */

static int compare_step_doubt(const compare_walk *walk, const sw__step_hot *row,
                              const sw__replay_step *step, sw_str name)
{
    char task_id[37];
    sw_uuid_format(&walk->task->task_id, task_id);
    int64_t entry_no = step->entry_no > 0 ? step->entry_no : walk->task->entry_no;
    return sw__doubt_raise(
        &walk->replay->doubt, entry_no, entry_no,
        "step \"%.*s\" of task %s is %s in its row (attempt %d, epoch %lld), but %s (attempt %d, "
        "epoch %lld) since entry %lld of the log: the row was changed without an entry",
        SW__FMT(name), task_id, sw_step_state_name(row->state), row->attempt, (long long)row->epoch,
        sw_step_state_name((int)step->state), step->attempt, (long long)step->epoch,
        (long long)entry_no);
}

/* What a pending step counts is what the states of its dependencies say, and neither lets it start
 * nor skips it. */
static bool compare_pending(const sw__replay_task *task, const sw__step_hot *row, size_t index)
{
    const sw_workflow_step *step = &task->workflow->steps[index];
    sw__tally tally = sw__replay_count(task, index);
    return !sw__tally_is_met(tally, step) && !sw__tally_is_void(tally, step) &&
           row->open_deps == sw__trigger_needed(step) - tally.counted && row->rank == tally.lost;
}

static int compare_added(const compare_walk *walk, const sw__step_hot *row, const char *what,
                         sw_str name)
{
    char task_id[37];
    int64_t entry_no = walk->task->steps[SW__STEP_INDEX(row->step_id)].entry_no;
    sw_uuid_format(&walk->task->task_id, task_id);
    return sw__doubt_raise(&walk->replay->doubt, entry_no, entry_no,
                           "the %s of step \"%.*s\" of task %s was added without an entry "
                           "(entry %lld)",
                           what, SW__FMT(name), task_id, (long long)entry_no);
}

/* A step that has ended without success, and was not resolved, has no result that its dependents
 * could be given. Only at the end of the log is it known to have none: it may have been tried
 * again. */
static int compare_result(const compare_walk *walk, const sw__step_hot *row, sw_str name,
                          sw_error *err)
{
    sw__payload result;
    sw__replay *replay = walk->replay;
    sw__arena_clear(replay->scratch);
    int rc = replay->store->ops->results_get(replay->store, &row->step_id, 1, replay->scratch,
                                             &result, err);
    bool added = rc == SW_OK && result.body.ptr != NULL;
    return added ? compare_added(walk, row, "result", name) : rc;
}

/* A step of a pruned task is there only while the store has not yet taken out the rest of it. */
static int compare_rest(const compare_walk *walk, const sw__step_hot *row, sw_error *err)
{
    bool found = false;
    sw__store *store = walk->replay->store;
    int64_t entry_no = walk->task->entry_no;
    int rc = store->ops->rest_find(store, walk->task->task_no, &found, err);
    if (rc < 0 || found)
        return rc;
    return sw__doubt_raise(&walk->replay->doubt, entry_no, entry_no,
                           "there is a row for step %lld, whose task was pruned (entry %lld)",
                           (long long)row->step_id, (long long)entry_no);
}

static int compare_step(void *context, const sw__step_hot *row, sw_error *err)
{
    compare_walk *walk = context;
    int64_t task_no = SW__STEP_TASK(row->step_id);
    size_t index = (size_t)SW__STEP_INDEX(row->step_id);
    if (!walk->task || walk->task->task_no != task_no)
        walk->task = sw__replay_task_find(walk->replay, task_no);
    if (!walk->task || !walk->task->workflow || index >= walk->task->workflow->step_count)
        return sw__doubt_raise(&walk->replay->doubt, walk->entry_last, walk->entry_last,
                               "there is a row for step %lld, which no task of the log has",
                               (long long)row->step_id);
    if (walk->task->pruned)
        return compare_rest(walk, row, err);
    sw__replay_step *step = &walk->task->steps[index];
    const sw_workflow_step *definition = &walk->task->workflow->steps[index];
    step->met = 1;
    bool equal = row->state == (int32_t)step->state && row->epoch == step->epoch &&
                 row->attempt == step->attempt && row->crashes == (int32_t)step->crashes;
    if (equal && row->state == SW_STEP_PENDING)
        equal = compare_pending(walk->task, row, index);
    if (!equal)
        return compare_step_doubt(walk, row, step, definition->name);
    if (step->error_epoch > 0)
        return compare_added(walk, row, "error", definition->name);
    bool without = sw_step_state_terminal(row->state) && row->state != SW_STEP_SUCCEEDED &&
                   row->state != SW_STEP_RESOLVED;
    return without ? compare_result(walk, row, definition->name, err) : SW_OK;
}

/* Workers. */

static int compare_workers(sw__replay *replay, int64_t entry_last, sw_error *err)
{
    sw__worker_rec *rows = NULL;
    size_t count = 0;
    sw__arena *arena = sw__arena_new(replay->env);
    if (!arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->workers_list(replay->store, arena, &rows, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const int64_t *open = sw__map_find(&replay->workers, rows[i].worker_no);
        if (!open || !*open)
            rc = sw__doubt_raise(&replay->doubt, entry_last, entry_last,
                                 "worker %lld has a row, but the log does not say that it is open",
                                 (long long)rows[i].worker_no);
    }
    if (rc == SW_OK && (int64_t)count != replay->worker_count)
        rc = sw__doubt_raise(&replay->doubt, entry_last, entry_last,
                             "%lld workers are open in the log, %lld have a row: rows were "
                             "removed, or the end of the log was cut off",
                             (long long)replay->worker_count, (long long)count);
    sw__arena_free(arena);
    return rc;
}

/* Everything the log speaks of must have been met. */
static int compare_missing(sw__replay *replay, const sw__replay_task *task)
{
    char task_id[37];
    sw_uuid_format(&task->task_id, task_id);
    if (!task->workflow)
        return sw__doubt_raise(&replay->doubt, 1, 1,
                               "segment %lld lists task number %lld, which was never submitted",
                               (long long)task->segment_no, (long long)task->task_no);
    if (task->pruned)
        return SW_OK;
    if (!task->met)
        return sw__doubt_raise(&replay->doubt, task->entry_no, task->entry_no,
                               "the row of task %s is missing (submitted before entry %lld)",
                               task_id, (long long)task->entry_no + 1);
    for (size_t i = 0; i < task->workflow->step_count; i++) {
        if (!task->steps[i].met)
            return sw__doubt_raise(&replay->doubt, task->entry_no, task->entry_no,
                                   "the row of step \"%.*s\" of task %s is missing",
                                   SW__FMT(task->workflow->steps[i].name), task_id);
    }
    return SW_OK;
}

int sw__replay_compare(sw__replay *replay, const sw__segment *last, sw_error *err)
{
    compare_walk walk = {
        .replay = replay,
        .segment_last = last->segment_no,
        .entry_last = last->entry_first + last->entry_count - 1,
    };
    int64_t below = 0;
    int rc = SW_OK;
    for (const sw__replay_task *task = replay->first; rc == SW_OK && task; task = task->next) {
        if (task->lost && !task->pruned && task->erased_entry_no == 0)
            rc = sw__replay_lost(replay, task);
        if (rc == SW_OK && task->erased_entry_no > 0 && task->kept_entry_no > 0)
            rc = sw__replay_kept(replay, task);
    }
    if (rc < 0)
        return rc;
    sw__map_init(&walk.workflows, replay->env);
    do {
        rc = compare_page(&walk, &below, err);
    } while (rc == SW_OK && below > 0);
    if (rc == SW_OK)
        rc = replay->store->ops->steps_each(replay->store, 0, compare_step, &walk, err);
    for (const sw__replay_task *task = replay->first; rc == SW_OK && task; task = task->next)
        rc = compare_missing(replay, task);
    if (rc == SW_OK)
        rc = compare_workers(replay, walk.entry_last, err);
    if (rc == SW_OK)
        rc = sw__replay_breakers(replay, walk.entry_last, err);
    if (rc == SW_OK)
        rc = sw__replay_events(replay, walk.entry_last, err);
    sw__map_free(&walk.workflows);
    return rc;
}

#undef COMPARE_PAGE
