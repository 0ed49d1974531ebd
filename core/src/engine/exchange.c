/* The exchange: report, readiness, claim in one transaction; and waiting for work.
 *
 * Not here: the parts themselves (flow.h).
 */
#include "engine/flow.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "engine/group.h"
#include "engine/member.h"

#define EXCHANGE_POLL_MIN_US 1000
#define EXCHANGE_POLL_MAX_US 25000

/* What a call waits with. */
typedef struct exchange_wait {
    int64_t deadline_us; /* monotonic, INT64_MAX: none */
    int64_t timer_us;    /* store time of the next retry that comes due */
    int64_t version;     /* of the store after the last look */
    uint64_t commits;
    uint64_t wakes;
} exchange_wait;

static int exchange_check_row(const sw_engine *engine, const sw_step_outcome *row, size_t index,
                              sw_error *err)
{
    if (row->outcome < 0 || row->outcome >= SW_OUTCOME_COUNT)
        return sw__fail_row(err, SW_EINVAL, index, "outcome %d is unknown", row->outcome);
    if (row->epoch < 0)
        return sw__fail_row(err, SW_EINVAL, index, "epoch %lld is negative; give the claim's epoch",
                            (long long)row->epoch);
    if (row->retry_after_ms < 0 || row->retry_after_ms > SW__DELAY_MAX_MS)
        return sw__fail_row(err, SW_EINVAL, index, "retry_after_ms %lld is out of range",
                            (long long)row->retry_after_ms);
    int rc = sw__check_payload(row->result, engine->payload_max, "result", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->error_class, SW__TEXT_MAX, "error_class", index, err);
    if (rc == SW_OK)
        rc = sw__check_long_text(row->error_message, "error_message", index, err);
    if (rc == SW_OK)
        rc = sw__check_long_text(row->error_detail, "error_detail", index, err);
    return rc;
}

static int exchange_check(const sw_engine *engine, const sw_step_outcome *rows, size_t row_count,
                          size_t claim_max, sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!engine || !out || (!rows && row_count > 0))
        return sw__fail(err, SW_EINVAL, "engine, rows or out is NULL");
    *out = NULL;
    if (row_count > SW__BATCH_MAX || claim_max > SW__BATCH_MAX)
        return sw__fail(err, SW_ELIMIT, "at most %d rows and %d claims in one call", SW__BATCH_MAX,
                        SW__BATCH_MAX);
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < row_count; i++)
        rc = exchange_check_row(engine, &rows[i], i, err);
    return rc;
}

/* The lease is written again when a third of it is over, not with every exchange. */
static int exchange_renew(sw__work *work, sw__member *member, sw_error *err)
{
    int64_t lease_us = member->record.lease_ms * 1000;
    bool fresh = member->record.lease_until_us - work->now_us > lease_us * 2 / 3;
    if (fresh || SW__PLANT(LEASE_NOT_RENEWED))
        return SW_OK;
    return sw__member_renew(work, member, err);
}

static int exchange_flow(sw__work *work, sw__member *member, const sw_step_outcome *rows,
                         size_t row_count, size_t claim_max, sw_result *result, int64_t *timer_us,
                         sw_error *err)
{
    int64_t worker_id = member ? member->record.worker_no : 0;
    sw_step_applied *applied = sw__arena_array(result->arena, row_count, sizeof *applied);
    if (!applied)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__report_apply(work, rows, row_count, worker_id, applied, err);
    if (rc == SW_OK)
        rc = sw__settle_steps(work, err);
    if (rc == SW_OK && member)
        rc = exchange_renew(work, member, err);
    if (rc == SW_OK && member)
        rc = sw__sweep(work, worker_id, err);
    if (rc == SW_OK && member)
        rc = sw__sweep_timers(work, timer_us, err);
    if (rc == SW_OK)
        rc = sw__settle_steps(work, err);
    if (rc == SW_OK)
        rc = sw__settle_tasks(work, result, err);
    if (rc == SW_OK && member && claim_max > 0)
        rc = sw__claim(work, member, claim_max, result, err);
    if (rc == SW_OK) {
        sw__report_finish(work, applied, row_count);
        sw__result_set(result, SW__APPLICATIONS, applied, row_count);
    }
    return rc;
}

/* A call on its way through transactions. worker may be NULL. */
typedef struct exchange_call {
    const sw_worker_ref *worker;
    const sw_step_outcome *rows;
    size_t row_count;
    size_t claim_max;
    sw_result *result;
    exchange_wait wait;
} exchange_call;

static int exchange_part(sw__work *work, void *context, sw_error *err)
{
    exchange_call *call = context;
    sw_engine *engine = work->engine;
    sw__member *member = NULL;
    if (call->worker)
        member = sw__engine_member(engine, call->worker->worker_id);
    if (call->worker && !member)
        return sw__fail(err, SW_ENOTFOUND, "worker %lld is not open in this engine",
                        (long long)call->worker->worker_id);
    call->result = sw__result_new(engine->env);
    if (!call->result)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = SW_OK;
    if (call->worker) /* who may wait afterwards */
        rc = engine->store->ops->version(engine->store, &call->wait.version, err);
    if (rc == SW_OK)
        rc = exchange_flow(work, member, call->rows, call->row_count, call->claim_max, call->result,
                           &call->wait.timer_us, err);
    return rc;
}

static void exchange_undone(sw_engine *engine, void *context)
{
    exchange_call *call = context;
    sw__member *member = NULL;
    if (call->worker)
        member = sw__engine_member(engine, call->worker->worker_id);
    if (member && !SW__PLANT(LEASE_DOUBT))
        sw__member_doubt(member);
    if (!SW__PLANT(MEMORY_LEAKED))
        sw_result_free(call->result);
    call->result = NULL;
}

/* One transaction, maybe shared with calls of other threads. */
static int exchange_once(sw_engine *engine, exchange_call *call, sw_error *err)
{
    sw__part part = {.flow = exchange_part, .undone = exchange_undone, .context = call, .err = err};
    int rc = sw__group_write(engine, &part);
    call->wait.commits = part.commits;
    return rc;
}

static int64_t exchange_mono(const sw_engine *engine)
{
    return engine->env->clock_mono_us(engine->env->context);
}

/* Whether a transaction could find something now: a commit, a retry, a sweep or a renewal due. */
static int exchange_due(sw_engine *engine, const sw_worker_ref *worker, const exchange_wait *wait,
                        bool *due, sw_error *err)
{
    int64_t now_us = 0;
    int64_t version = 0;
    const sw__member *member = sw__engine_member(engine, worker->worker_id);
    int rc = engine->store->ops->version(engine->store, &version, err);
    /* Another thread's transaction was undone: only a transaction can read the anchor again. */
    if (rc == SW_OK && !engine->anchored) {
        *due = true;
        return SW_OK;
    }
    if (rc == SW_OK)
        rc = sw__engine_now(engine, false, &now_us, err);
    if (rc < 0)
        return rc;
    *due = !member || engine->commit_count != wait->commits ||
           (version != wait->version && !SW__PLANT(WAIT_FOR_SELF)) ||
           (now_us >= wait->timer_us && !SW__PLANT(TIMER_LATE)) || now_us >= engine->sweep_due_us ||
           member->record.lease_until_us - now_us <= member->record.lease_ms * 1000 * 2 / 3;
    return SW_OK;
}

/* Wait for a reason to look again; entered. *again is false when the time is over or the engine is
 * woken. */
static int exchange_doze(sw_engine *engine, const sw_worker_ref *worker, exchange_wait *wait,
                         bool *again, sw_error *err)
{
    int64_t poll_us = EXCHANGE_POLL_MIN_US;
    bool due = false;
    int rc = SW_OK;
    *again = false;
    while (rc == SW_OK && !due) {
        int64_t now_us = exchange_mono(engine);
        bool woken = atomic_load(&engine->wake_count) != wait->wakes && !SW__PLANT(WAIT_NOT_WOKEN);
        SW__PROBE_IF(WAIT_ENDED, woken);
        if (now_us >= wait->deadline_us || woken)
            return SW_OK;
        int64_t until_us = now_us + poll_us;
        sw__engine_wait(engine, until_us < wait->deadline_us ? until_us : wait->deadline_us);
        if (atomic_load(&engine->closing))
            return sw__fail(err, SW_ECLOSED, NULL);
        poll_us = poll_us * 2 < EXCHANGE_POLL_MAX_US ? poll_us * 2 : EXCHANGE_POLL_MAX_US;
        rc = exchange_due(engine, worker, wait, &due, err);
    }
    SW__PROBE(WAIT_AGAIN);
    *again = rc == SW_OK;
    return rc;
}

static int exchange_sleep(sw_engine *engine, exchange_call *call, bool *again, sw_error *err)
{
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    rc = exchange_doze(engine, call->worker, &call->wait, again, err);
    sw__engine_leave(engine);
    return rc;
}

static bool exchange_has_news(const sw_result *result)
{
    return result->sections[SW__CLAIMS].count > 0 || result->sections[SW__FINISHED].count > 0;
}

static int exchange_run(sw_engine *engine, exchange_call *call, int64_t wait_ms, sw_error *err)
{
    bool again = true;
    int rc = SW_OK;
    while (rc == SW_OK && again) {
        sw_result_free(call->result);
        call->result = NULL;
        rc = exchange_once(engine, call, err);
        if (rc < 0 || call->row_count > 0 || wait_ms == 0 || exchange_has_news(call->result))
            break;
        rc = exchange_sleep(engine, call, &again, err);
    }
    return rc;
}

int sw_step_exchange(sw_engine *engine, const sw_worker_ref *worker, const sw_step_outcome *rows,
                     size_t row_count, size_t claim_max, int64_t wait_ms, sw_result **out,
                     sw_error *err)
{
    exchange_call call = {
        .worker = worker, .rows = rows, .row_count = row_count, .claim_max = claim_max};
    int rc = exchange_check(engine, rows, row_count, claim_max, out, err);
    if (rc == SW_OK && !worker)
        rc = sw__fail(err, SW_EINVAL, "worker is NULL");
    if (rc < 0)
        return rc;
    call.wait.deadline_us = INT64_MAX;
    call.wait.wakes = atomic_load(&engine->wake_count);
    if (wait_ms >= 0 && wait_ms < SW__DELAY_MAX_MS)
        call.wait.deadline_us = exchange_mono(engine) + wait_ms * 1000;
    rc = exchange_run(engine, &call, wait_ms, err);
    if (rc == SW_OK)
        *out = call.result;
    else
        sw_result_free(call.result);
    return rc;
}

int sw_step_update_batch(sw_engine *engine, const sw_step_outcome *rows, size_t row_count,
                         sw_result **out, sw_error *err)
{
    exchange_call call = {.rows = rows, .row_count = row_count};
    int rc = exchange_check(engine, rows, row_count, 0, out, err);
    if (rc == SW_OK)
        rc = exchange_once(engine, &call, err);
    if (rc == SW_OK)
        *out = call.result;
    return rc;
}
