/* What is made of events: tasks as they were, and the projection, against the history. */
#include <string.h>

#include "sim/oracle.h"

/* Tasks. */

/* The newest entry of a task up to a position, NULL: none. */
static const sw_audit_entry *past_newest(const oracle *o, int index, int64_t until)
{
    const sw_audit_entry *newest = NULL;
    for (size_t i = 0; i < o->entry_count && o->entries[i].entry_no <= until; i++) {
        if (memcmp(&o->entries[i].task_id, &o->ids[index], sizeof(sw_uuid)) == 0)
            newest = &o->entries[i];
    }
    return newest;
}

static void past_check_steps(const oracle *o, int index, const replay_task *task,
                             const sw_result *result)
{
    size_t count = 0;
    int64_t by_state[SW_STEP_STATE_COUNT] = {0};
    const sw_task_past *row = sw_tasks_past(result, &count);
    const sw_step_past *steps = sw_steps_past(result, &count);
    if ((int)count != task->shape->step_count)
        oracle_violate(o, "O8", index, "its past has another number of steps");
    for (size_t i = 0; i < count; i++) {
        int number = ledger_step_index(steps[i].name);
        const replay_step *step = &task->steps[number < 0 ? 0 : number];
        by_state[steps[i].state]++;
        if (number < 0 || steps[i].state != step->state || steps[i].epoch != step->epoch ||
            steps[i].attempt != step->attempt)
            oracle_violate(o, "O8", index, "a step was not as its past is told");
    }
    if (memcmp(by_state, row->step_counts, sizeof by_state) != 0)
        oracle_violate(o, "O8", index, "its past counts other steps than it has");
}

static void past_check_task(const oracle *o, int index, const replay_task *task, int64_t until,
                            const sw_result *result)
{
    size_t count = 0;
    const sw_task_past *row = sw_tasks_past(result, &count);
    const sw_audit_entry *newest = past_newest(o, index, until);
    if (count != 1 || !newest) {
        oracle_violate(o, "O8", index, "its past is told before it began");
        return;
    }
    if (row->state != task->state)
        oracle_violate(o, "O8", index, "it was not as its past is told");
    if (row->position != newest->entry_no || row->time_us != newest->time_us)
        oracle_violate(o, "O8", index, "its version then was another one");
    past_check_steps(o, index, task, result);
}

/* until 0: as it is. */
static void past_check(oracle *o, int index, const replay_task *task, int64_t until)
{
    sw_result *result = NULL;
    bool begun = task->submissions > 0;
    int rc = sw_event_replay(o->engine, &o->ids[index], until, &result, &o->error);
    if (rc == 0)
        past_check_task(o, index, task, until ? until : INT64_MAX, result);
    else if (rc == SW_EAUDIT || (rc == SW_ENOTFOUND && begun))
        oracle_violate(o, "O8", index, "its past is not known");
    sw_result_free(result);
}

void oracle_check_past(oracle *o)
{
    for (int i = 0; i < o->l->task_count; i++) {
        if (!o->replay.tasks[i].task)
            continue;
        past_check(o, i, &o->replay.tasks[i], 0);
        if (o->past_no <= (int64_t)o->entry_count)
            past_check(o, i, &o->past[i], o->past_no);
    }
}

/* The projection. */

static void fold_violate(const oracle *o, const char *rule, const sw_projection *row,
                         const char *text)
{
    world_violate(o->l->world, rule, "the projection at %lld: %s", (long long)row->position, text);
}

static void fold_check_state(const oracle *o, const sw_projection *row)
{
    stream_fold told;
    stream_fold fold = {0};
    for (size_t i = 0; i < o->entry_count && o->entries[i].entry_no <= row->position; i++) {
        if (stream_folds(&o->l->stream, &o->entries[i]))
            stream_fold_add(&fold, &o->entries[i]);
    }
    if (!stream_fold_read(row->state, &told) || told.events != fold.events ||
        told.digest != fold.digest)
        fold_violate(o, "O16", row, "its state is not the fold of the events up to there");
    if (row->position > (int64_t)o->entry_count)
        fold_violate(o, "O16", row, "it is ahead of the log");
}

/* What was saved is there, or was forgotten. */
static void fold_check_saved(const oracle *o, const sw_projection *row)
{
    const stream *s = &o->l->stream;
    if (row->position < stream_saved_to(s, s->save_count, row->epoch))
        fold_violate(o, "O1", row, "an acknowledged save is lost");
    if (row->epoch == s->gone)
        fold_violate(o, "O13", row, "it is still there after it was forgotten");
    if (s->save_count > 0 && !s->forgettable && s->saves[0].epoch != row->epoch)
        fold_violate(o, "O1", row, "it was begun anew, which nobody asked for");
}

void oracle_check_fold(oracle *o)
{
    size_t count = 0;
    sw_result *result = NULL;
    const stream *s = &o->l->stream;
    static const sw_projection none;
    int rc = sw_projection_list(o->engine, &result, &o->error);
    const sw_projection *rows = sw_projections(result, &count);
    for (size_t i = 0; i < count; i++) {
        fold_check_state(o, &rows[i]);
        fold_check_saved(o, &rows[i]);
    }
    if (rc == 0 && count > 1)
        fold_violate(o, "O16", &rows[1], "there is more than one");
    if (rc == 0 && count == 0 && s->save_count > 0 && !s->forgettable)
        fold_violate(o, "O1", &none, "it is lost");
    sw_result_free(result);
}
