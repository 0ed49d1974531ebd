/* Attempts of a task along time, from the entries of its history. Not here: what is read and how
 * it is drawn (drawing.c). */
#include "engine/drawing.h"

#define ATTEMPT_NONE ((size_t)-1)

/* What is known of each step on the way, by index. */
typedef struct attempt_view {
    const sw_workflow *workflow;
    const sw__step_hot *steps;
    int64_t *ready_us; /* since when it is ready, 0 when it is not */
    size_t *open;      /* its row that has not ended, or ATTEMPT_NONE */
    bool *seen;        /* whether it has a row */
    sw_gantt_row *rows;
    size_t row_count;
} attempt_view;

static sw_gantt_row *attempt_add(attempt_view *view, size_t step)
{
    sw_gantt_row *row = &view->rows[view->row_count];
    *row = (sw_gantt_row){.name = view->workflow->steps[step].name,
                          .lane = (int32_t)step,
                          .state = view->steps[step].state,
                          .ready_us = view->ready_us[step]};
    view->open[step] = view->row_count++;
    view->seen[step] = true;
    return row;
}

/* What an attempt ended as: one that is tried again has failed, unless it was given back. */
static int32_t attempt_outcome(const sw_audit_entry *entry)
{
    static const sw_str losses[] = {SW__LIT("worker died"), SW__LIT("lease expired"),
                                    SW__LIT("timeout"), SW__LIT("heartbeat missed")};
    bool lost = entry->subject.len > 0; /* the class of an error that was reported */
    for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
        lost = lost || sw__str_equal(entry->reason, losses[i]);
    if (entry->to != SW_STEP_READY)
        return entry->to;
    return lost ? SW_STEP_FAILED : SW_STEP_READY;
}

static void attempt_take(attempt_view *view, const sw_audit_entry *entry, size_t step)
{
    if (entry->from == SW_STEP_RUNNING && view->open[step] != ATTEMPT_NONE) {
        sw_gantt_row *row = &view->rows[view->open[step]];
        row->end_us = entry->time_us > row->begin_us ? entry->time_us : row->begin_us;
        row->state = attempt_outcome(entry);
        view->open[step] = ATTEMPT_NONE;
    }
    if (entry->to == SW_STEP_RUNNING) {
        sw_gantt_row *row = attempt_add(view, step);
        row->attempt = entry->attempt;
        row->begin_us = entry->time_us > row->ready_us ? entry->time_us : row->ready_us;
        row->state = SW_STEP_RUNNING;
    }
    view->ready_us[step] = entry->to == SW_STEP_READY ? entry->time_us : 0;
}

/* Steps that wait to begin, again or for the first time, and those that never did. */
static void attempts_rest(attempt_view *view)
{
    for (size_t i = 0; i < view->workflow->step_count; i++) {
        bool waits = view->steps[i].state == SW_STEP_READY;
        if (view->open[i] != ATTEMPT_NONE || (view->seen[i] && !waits))
            continue;
        sw_gantt_row *row = attempt_add(view, i);
        row->ready_us = waits ? row->ready_us : 0;
    }
}

int sw__attempt_rows(const sw__drawing *drawing, sw_gantt_row **rows, size_t *count)
{
    size_t steps = drawing->workflow->step_count;
    attempt_view view = {
        .workflow = drawing->workflow,
        .steps = drawing->steps,
        .ready_us = sw__arena_array(drawing->arena, steps, sizeof *view.ready_us),
        .open = sw__arena_array(drawing->arena, steps, sizeof *view.open),
        .seen = sw__arena_array(drawing->arena, steps, sizeof *view.seen),
        .rows = sw__arena_array(drawing->arena, drawing->entry_count + steps, sizeof *view.rows),
    };
    if (!view.ready_us || !view.open || !view.seen || !view.rows)
        return SW_ENOMEM;
    for (size_t i = 0; i < steps; i++) {
        view.open[i] = ATTEMPT_NONE;
        if (drawing->workflow->steps[i].after_count == 0)
            view.ready_us[i] = drawing->task.created_us;
    }
    for (size_t i = 0; i < drawing->entry_count; i++) {
        const sw_audit_entry *entry = &drawing->entries[i];
        int64_t step = SW__STEP_INDEX(entry->step_id);
        if (entry->kind == SW_AUDIT_STEP_CHANGED && step < (int64_t)steps)
            attempt_take(&view, entry, (size_t)step);
    }
    attempts_rest(&view);
    *rows = view.rows;
    *count = view.row_count;
    return SW_OK;
}
