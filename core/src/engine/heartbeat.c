/* Heartbeats: what a handler that goes on says, and until when that is believed.
 *
 * A heartbeat moves the step back in its worker's line and writes nothing else: it is no
 * transition, and the log would tell of nothing but noise. Not here: the end of an attempt that
 * says nothing (sweep.c), and the lease, which tells of the worker and not of its handlers.
 */
#include "engine/heartbeat.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "engine/flow.h"
#include "engine/group.h"

typedef struct heartbeat_call {
    const sw_step_hold *rows;
    size_t row_count;
} heartbeat_call;

/* When. */

static int64_t heartbeat_timeout(const sw_workflow_step *step, const sw__step_hot *row)
{
    int64_t timeout_us = step->timeout_ms * (SW__PLANT(TIMEOUT_EARLY) ? 500 : 1000);
    return step->timeout_ms > 0 ? row->changed_us + timeout_us : INT64_MAX;
}

int64_t sw__heartbeat_due(const sw_workflow_step *step, const sw__step_hot *row, int64_t said_us)
{
    int64_t timeout_us = heartbeat_timeout(step, row);
    int64_t silent_us = said_us + step->heartbeat_ms * 1000;
    if (step->heartbeat_ms == 0 || SW__PLANT(HEARTBEAT_NOT_ASKED))
        return timeout_us;
    if (SW__PLANT(HEARTBEAT_BEYOND))
        return silent_us;
    return silent_us < timeout_us ? silent_us : timeout_us;
}

bool sw__heartbeat_missed(const sw_workflow_step *step, const sw__step_hot *row)
{
    return step->heartbeat_ms > 0 && row->rank < heartbeat_timeout(step, row);
}

/* What is said. */

static bool heartbeat_is_current(const sw__step_hot *step, const sw_step_hold *row)
{
    return step->state == SW_STEP_RUNNING &&
           (step->epoch == row->epoch || SW__PLANT(HEARTBEAT_OF_OLD));
}

static void heartbeat_row(const sw__work *work, sw__work_step *step, const sw_step_hold *row,
                          sw_step_applied *applied)
{
    const sw_workflow_step *definition = sw__work_definition(work, row->step_id);
    bool current = heartbeat_is_current(&step->row, row);
    applied->status = current ? SW_ROW_APPLIED : SW_ROW_FENCED;
    SW__PROBE_IF(HEARTBEAT_FENCED, !current);
    if (!current || definition->heartbeat_ms == 0 || SW__PLANT(HEARTBEAT_IGNORED))
        return;
    int64_t due_us = sw__heartbeat_due(definition, &step->row, work->now_us);
    SW__PROBE_IF(HEARTBEAT_KEPT, due_us > step->row.rank);
    step->dirty = step->dirty || due_us != step->row.rank;
    step->row.rank = due_us;
}

static int heartbeat_fill(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    const heartbeat_call *call = context;
    size_t count = call->row_count;
    int64_t *ids = sw__arena_array(work->arena, count, sizeof *ids);
    sw_step_applied *applied = sw__arena_array(result->arena, count, sizeof *applied);
    if (!ids || !applied)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = call->rows[i].step_id;
    int rc = sw__work_load(work, ids, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw__work_step *step = sw__work_step_find(work, ids[i]);
        applied[i].step_id = ids[i];
        if (step)
            heartbeat_row(work, step, &call->rows[i], &applied[i]);
        else
            rc = sw__report_pruned(work, &call->rows[i], i, &applied[i], err);
    }
    if (rc == SW_OK) {
        sw__report_finish(work, applied, count);
        sw__result_set(result, SW__APPLICATIONS, applied, count);
    }
    return rc;
}

static int heartbeat_check(const sw_engine *engine, const sw_step_hold *rows, size_t row_count,
                           sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!engine || !out)
        return sw__fail(err, SW_EINVAL, "engine or out is NULL");
    *out = NULL;
    int rc = sw__check_rows(rows, row_count, err);
    for (size_t i = 0; rc == SW_OK && i < row_count; i++) {
        if (rows[i].epoch < 0)
            return sw__fail_row(err, SW_EINVAL, i, "epoch %lld is negative; give the claim's epoch",
                                (long long)rows[i].epoch);
    }
    return rc;
}

int sw_step_heartbeat(sw_engine *engine, const sw_step_hold *rows, size_t row_count,
                      sw_result **out, sw_error *err)
{
    const heartbeat_call call = {.rows = rows, .row_count = row_count};
    int rc = heartbeat_check(engine, rows, row_count, out, err);
    return rc == SW_OK ? sw__group_answer(engine, heartbeat_fill, &call, out, err) : rc;
}
