/* A task as it was at a position of the log.
 *
 * Every entry about a step says where it is then, so that the history is read backwards from the
 * position, and the first entry that is met of each step decides. No snapshot has to be kept for
 * it: the walk ends where nothing is undecided. Not here: whether the log is right
 * (audit/replay.c).
 */
#include "audit/event.h"
#include "engine/query.h"

typedef struct rewind_task {
    const sw__plan *plan;
    int64_t task_no;
    sw_task_past *task;
    sw_step_past *steps;
    size_t open;  /* steps that no entry has decided yet */
    bool decided; /* the state of the task */
} rewind_task;

typedef struct rewind_ask {
    const sw_uuid *task_id;
    int64_t until;
} rewind_ask;

static int rewind_step(rewind_task *past, const sw_audit_entry *entry, sw_error *err)
{
    size_t index = (size_t)SW__STEP_INDEX(entry->step_id);
    if (SW__STEP_TASK(entry->step_id) != past->task_no || index >= past->plan->workflow->step_count)
        return sw__fail(err, SW_EAUDIT, "entry %lld names a step that its task does not have",
                        (long long)entry->entry_no);
    sw_step_past *step = &past->steps[index];
    if (step->position > 0)
        return SW_OK;
    step->state = entry->to;
    step->attempt = entry->attempt;
    step->epoch = entry->epoch;
    step->position = entry->entry_no;
    step->changed_us = entry->time_us;
    past->open--;
    return SW_OK;
}

/* What no entry has moved is as the submission left it. */
static void rewind_submitted(rewind_task *past, const sw_audit_entry *entry)
{
    for (size_t i = 0; i < past->plan->workflow->step_count; i++) {
        if (past->steps[i].position == 0)
            past->steps[i].changed_us = entry->time_us;
    }
}

static int rewind_visit(void *context, int64_t task_no, const sw_audit_entry *entry, sw_error *err)
{
    rewind_task *past = context;
    int rc = SW_OK;
    (void)task_no;
    if (past->task->position == 0) {
        past->task->position = entry->entry_no;
        past->task->time_us = entry->time_us;
    }
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        rc = rewind_step(past, entry, err);
    if (entry->kind == SW_AUDIT_TASK_CHANGED && !past->decided) {
        past->task->state = entry->to;
        past->decided = true;
    }
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        rewind_submitted(past, entry);
    return rc < 0 ? rc : past->open == 0 && past->decided;
}

static int rewind_begin(rewind_task *past, sw_result *result, const sw__task_hot *hot,
                        sw_error *err)
{
    const sw_workflow *workflow = past->plan->workflow;
    past->task = sw__arena_alloc(result->arena, sizeof *past->task);
    past->steps = sw__arena_array(result->arena, workflow->step_count, sizeof *past->steps);
    if (!past->task || !past->steps)
        return sw__fail(err, SW_ENOMEM, NULL);
    *past->task = (sw_task_past){
        .task_id = hot->task_id,
        .workflow = sw__arena_str(result->arena, workflow->name),
        .version = sw__arena_str(result->arena, workflow->version),
        .state = SW_TASK_PENDING,
    };
    for (size_t i = 0; i < workflow->step_count; i++) {
        bool waits = workflow->steps[i].after_count > 0;
        past->steps[i] = (sw_step_past){
            .step_id = SW__STEP_ID(hot->task_no, i),
            .name = sw__arena_str(result->arena, workflow->steps[i].name),
            .state = waits ? SW_STEP_PENDING : SW_STEP_READY,
        };
    }
    past->open = workflow->step_count;
    past->task_no = hot->task_no;
    sw__result_set(result, SW__TASKS_PAST, past->task, 1);
    sw__result_set(result, SW__STEPS_PAST, past->steps, workflow->step_count);
    return SW_OK;
}

static int rewind_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const rewind_ask *ask = context;
    sw__task_hot hot = {0};
    rewind_task past = {0};
    int rc = sw__query_task(engine, ask->task_id, &hot, &past.plan, err);
    if (rc == SW_OK)
        rc = rewind_begin(&past, result, &hot, err);
    if (rc < 0)
        return rc;
    const sw__stream stream = {
        .store = engine->store,
        .task_no = hot.task_no,
        .segment_no = hot.audit_segment,
        .before = ask->until > 0 && ask->until < INT64_MAX ? ask->until + 1 : INT64_MAX,
    };
    rc = sw__stream_back(&stream, rewind_visit, &past, err);
    if (rc == SW_OK && past.task->position == 0)
        rc = sw__fail(err, SW_ENOTFOUND, "the task was submitted behind position %lld",
                      (long long)ask->until);
    for (size_t i = 0; rc == SW_OK && i < past.plan->workflow->step_count; i++)
        past.task->step_counts[past.steps[i].state]++;
    return rc;
}

int sw_event_replay(sw_engine *engine, const sw_uuid *task_id, int64_t until, sw_result **out,
                    sw_error *err)
{
    const rewind_ask ask = {.task_id = task_id, .until = until};
    sw__error_clear(err);
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    if (until < 0)
        return sw__fail(err, SW_EINVAL, "position %lld is negative", (long long)until);
    return sw__query(engine, rewind_fill, &ask, out, err);
}
