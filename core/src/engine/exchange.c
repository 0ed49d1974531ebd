/* The exchange: report, readiness, claim in one transaction; and waiting for work.
 *
 * Not here: the parts themselves (flow.h).
 */
#include "engine/flow.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/breaker.h"
#include "engine/check.h"
#include "engine/deadline.h"
#include "engine/group.h"
#include "engine/member.h"

/* How often a call looks at the version of a store whose changes nobody rings for. */
#define EXCHANGE_POLL_MIN_US 1000
#define EXCHANGE_POLL_MAX_US 25000
/* Every so often a call that waits looks at the clocks: they do not all go on in a suspend. */
#define EXCHANGE_NAP_US 1000000
/* A ring may be lost, when the process that rings dies: look so often without one. */
#define EXCHANGE_LOOK_US 5000000

/* What a call waits with. */
typedef struct exchange_wait {
    int64_t deadline_us; /* monotonic, INT64_MAX: none */
    uint64_t wakes;
    sw__vain vain; /* its last look, or that of another call of its worker */
} exchange_wait;

/* A call on its way through transactions. worker may be NULL. */
typedef struct exchange_call {
    const sw_worker_ref *worker;
    const sw_step_outcome *rows;
    size_t row_count;
    size_t claim_max;
    bool waits; /* for work, when there is none */
    sw_result *result;
    exchange_wait wait;
} exchange_call;

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
    int rc = SW__PLANT(DEADLINE_AFTER) ? SW_OK : sw__deadline_sweep(work, err);
    if (rc == SW_OK)
        rc = sw__report_apply(work, rows, row_count, worker_id, applied, err);
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
    if (rc == SW_OK && sw__breaker_due_us(work) < *timer_us)
        *timer_us = sw__breaker_due_us(work);
    if (rc == SW_OK) {
        sw__report_finish(work, applied, row_count);
        sw__result_set(result, SW__APPLICATIONS, applied, row_count);
    }
    return rc;
}

static int64_t exchange_mono(const sw_engine *engine)
{
    return engine->env->clock_mono_us(engine->env->context);
}

/* What is counted before the look is not missed after it. */
static int exchange_listen(sw_engine *engine, sw__vain *vain, sw_error *err)
{
    *vain = (sw__vain){.look_us = exchange_mono(engine) + EXCHANGE_LOOK_US};
    sw__bell_count(engine, &vain->rings);
    if (sw__bell_reaches(engine))
        return SW_OK;
    return engine->store->ops->version(engine->store, &vain->version, err);
}

static bool exchange_has_news(const sw_result *result)
{
    return result->sections[SW__CLAIMS].count > 0 || result->sections[SW__FINISHED].count > 0;
}

static void exchange_remember(sw__member *member, const exchange_call *call)
{
    uint32_t tones = SW__TONE_PLANS;
    for (size_t i = 0; i < member->lane_count; i++)
        tones |= SW__TONE_LANE(member->lanes[i]);
    member->vain = call->wait.vain;
    member->vain.tones = SW__PLANT(WAIT_FOR_SELF) ? 0 : tones;
    member->vain.known = call->claim_max > 0 && !exchange_has_news(call->result);
}

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
    if (member)
        member->vain.known = false;
    if (call->waits)
        rc = exchange_listen(engine, &call->wait.vain, err);
    if (rc == SW_OK)
        rc = exchange_flow(work, member, call->rows, call->row_count, call->claim_max, call->result,
                           &call->wait.vain.timer_us, err);
    if (rc == SW_OK && call->waits) {
        exchange_remember(member, call);
        call->wait.vain = member->vain;
    }
    return rc;
}

static void exchange_undone(sw_engine *engine, void *context)
{
    exchange_call *call = context;
    sw__member *member = NULL;
    if (call->worker)
        member = sw__engine_member(engine, call->worker->worker_id);
    if (member)
        member->vain.known = false;
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
    return sw__group_write(engine, &part);
}

/* Whether the store has changed since the last look: a query, for stores without a shared bell. */
static int exchange_changed(sw_engine *engine, const exchange_wait *wait, bool *due, sw_error *err)
{
    int64_t version = 0;
    if (*due || sw__bell_reaches(engine))
        return SW_OK;
    int rc = engine->store->ops->version(engine->store, &version, err);
    *due = rc == SW_OK && version != wait->vain.version && !SW__PLANT(WAIT_FOR_SELF);
    return rc;
}

/* Store time when the lease of a worker is to be renewed. */
static int64_t exchange_renewal(const sw__member *member)
{
    return member->record.lease_until_us - member->record.lease_ms * 1000 * 2 / 3;
}

/* Whether a transaction could find something now: a ring, a retry, a sweep or a renewal due. */
static int exchange_due(sw_engine *engine, const sw_worker_ref *worker, const exchange_wait *wait,
                        bool *due, sw_error *err)
{
    int64_t now_us = 0;
    const sw__member *member = sw__engine_member(engine, worker->worker_id);
    /* Without an anchor another thread's transaction was undone: only one can read it again. */
    *due = !member || !engine->anchored;
    if (*due)
        return SW_OK;
    int rc = sw__engine_now(engine, false, &now_us, err);
    if (rc < 0)
        return rc;
    *due = sw__bell_rang(engine, wait->vain.tones, &wait->vain.rings) ||
           exchange_mono(engine) >= wait->vain.look_us ||
           (now_us >= wait->vain.timer_us && !SW__PLANT(TIMER_LATE)) ||
           now_us >= exchange_renewal(member) || sw__sweep_due(engine, now_us);
    return exchange_changed(engine, wait, due, err);
}

/* How long nothing comes due by itself. */
static int64_t exchange_pause(sw_engine *engine, const sw_worker_ref *worker,
                              const exchange_wait *wait)
{
    int64_t now_us = 0;
    const sw__member *member = sw__engine_member(engine, worker->worker_id);
    if (!member || !engine->anchored || sw__engine_now(engine, false, &now_us, NULL) < 0)
        return 0;
    const int64_t events_us[] = {
        wait->vain.look_us - exchange_mono(engine),
        SW__PLANT(TIMER_LATE) ? INT64_MAX : wait->vain.timer_us - now_us,
        exchange_renewal(member) - now_us,
        sw__sweep_pause(engine, now_us),
    };
    int64_t pause_us = EXCHANGE_NAP_US;
    for (size_t i = 0; i < sizeof events_us / sizeof *events_us; i++)
        pause_us = events_us[i] < pause_us ? events_us[i] : pause_us;
    return pause_us > 0 ? pause_us : 0;
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
        int64_t pause_us = exchange_pause(engine, worker, wait);
        if (!sw__bell_reaches(engine) && poll_us < pause_us)
            pause_us = poll_us;
        int64_t until_us = now_us + pause_us;
        sw__bell_wait(engine, wait->vain.tones, &wait->vain.rings,
                      until_us < wait->deadline_us ? until_us : wait->deadline_us);
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

/* A worker whose last look was in vain, and for whom nothing has changed since, waits at once. */
static int exchange_begin(sw_engine *engine, exchange_call *call, bool *look, sw_error *err)
{
    *look = true;
    if (!call->waits || call->claim_max == 0)
        return SW_OK;
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    const sw__member *member = sw__engine_member(engine, call->worker->worker_id);
    if (member && member->vain.known) {
        call->wait.vain = member->vain;
        rc = exchange_due(engine, call->worker, &call->wait, look, err);
    }
    if (rc == SW_OK && !*look)
        rc = exchange_doze(engine, call->worker, &call->wait, look, err);
    sw__engine_leave(engine);
    return rc;
}

/* The answer of a call that has not looked. */
static int exchange_answer_nothing(const sw_engine *engine, exchange_call *call, sw_error *err)
{
    call->result = sw__result_new(engine->env);
    return call->result ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int exchange_run(sw_engine *engine, exchange_call *call, sw_error *err)
{
    bool look = true;
    int rc = exchange_begin(engine, call, &look, err);
    while (rc == SW_OK && look) {
        sw_result_free(call->result);
        call->result = NULL;
        rc = exchange_once(engine, call, err);
        if (rc < 0 || !call->waits || exchange_has_news(call->result))
            break;
        rc = exchange_sleep(engine, call, &look, err);
    }
    if (rc == SW_OK && !call->result)
        rc = exchange_answer_nothing(engine, call, err);
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
    call.waits = row_count == 0 && wait_ms != 0;
    call.wait.wakes = atomic_load(&engine->wake_count);
    if (wait_ms >= 0 && wait_ms < SW__DELAY_MAX_MS)
        call.wait.deadline_us = exchange_mono(engine) + wait_ms * 1000;
    rc = exchange_run(engine, &call, err);
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
