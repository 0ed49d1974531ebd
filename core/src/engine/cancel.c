/* Cancelling tasks: the operator's verb of this version. */
#include "engine/flow.h"

#include "base/limits.h"
#include "base/plant.h"
#include "engine/check.h"

static int cancel_check(const sw_cancel_row *rows, size_t count, sw_error *err)
{
    sw__error_clear(err);
    int rc = sw__check_rows(rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rc = sw__check_text(rows[i].actor, SW__TEXT_MAX, "actor", i, err);
        if (rc == SW_OK)
            rc = sw__check_text(rows[i].reason, SW__TEXT_MAX, "reason", i, err);
    }
    return rc;
}

static int cancel_find(sw__work *work, const sw_cancel_row *rows, size_t count, int64_t *task_nos,
                       sw_error *err)
{
    char text[37];
    sw__store *store = work->engine->store;
    sw_uuid *ids = sw__arena_array(work->arena, count, sizeof *ids);
    if (!ids)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].task_id;
    int rc = store->ops->tasks_find(store, ids, count, task_nos, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw_uuid_format(&rows[i].task_id, text);
        if (task_nos[i] == 0)
            rc = sw__fail_row(err, SW_ENOTFOUND, i, "there is no task %s", text);
    }
    return rc;
}

static int cancel_task(sw__work *work, const sw_cancel_row *row, size_t index, int64_t task_no,
                       sw_error *err)
{
    int rc = sw__work_load_all(work, task_no, err);
    if (rc < 0)
        return rc;
    int state = sw__work_task_find(work, task_no)->row.state;
    if (sw_task_state_terminal(state))
        return sw__fail_row(err, SW_ESTATE, index, "the task has ended already: it is %s",
                            sw_task_state_name(state));
    sw__cause cause = {.by = SW_BY_OPERATOR, .actor = row->actor, .reason = row->reason};
    if (!cause.actor.len)
        cause.actor = sw__str("operator");
    rc = sw__settle_cancel(work, task_no, &cause, !SW__PLANT(CANCEL_HALF), err);
    if (rc < 0)
        return rc;
    return sw__work_move_task(work, sw__work_task_find(work, task_no), SW_TASK_CANCELLED, &cause,
                              err);
}

static int cancel_flow(sw__work *work, const sw_cancel_row *rows, size_t count, sw_error *err)
{
    int64_t *task_nos = sw__arena_array(work->arena, count, sizeof *task_nos);
    if (!task_nos)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = cancel_find(work, rows, count, task_nos, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = cancel_task(work, &rows[i], i, task_nos[i], err);
    return rc;
}

int sw_task_cancel(sw_engine *engine, const sw_cancel_row *rows, size_t row_count, sw_error *err)
{
    sw__work work;
    int rc = cancel_check(rows, row_count, err);
    if (rc == SW_OK)
        rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = sw__work_begin(&work, engine, err);
    if (rc == SW_OK)
        rc = sw__work_end(&work, cancel_flow(&work, rows, row_count, err), err);
    sw__engine_leave(engine);
    return rc;
}
