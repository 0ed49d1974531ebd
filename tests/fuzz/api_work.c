/* Calls of workers: opening, closing, exchanges, reports and what keeps a claim; see api_run.h. */
#include "fuzz/api_run.h"

#include "base/str.h"

static const char *const handlers[] = {"w.top", "w.left", "w.right", "w.bottom",
                                       "w.a",   "w.b",    "w.c",     "noop"};

#define HANDLERS (sizeof(handlers) / sizeof(handlers[0]))

/* What an exchange answers. */

call_claim *claim_find(call_run *run, int64_t step_id)
{
    for (size_t i = 0; i < run->claim_count; i++) {
        if (run->claims[i].step_id == step_id)
            return &run->claims[i];
    }
    return NULL;
}

/* A claimed step is claimed again only with a higher epoch, and never after its success. */
static void claims_note(call_run *run, const sw_result *result, size_t claim_max)
{
    size_t count = 0;
    const sw_step_claim *rows = sw_step_claims(result, &count);
    fuzz_require(count <= claim_max, "%zu claims instead of %zu", count, claim_max);
    for (size_t i = 0; i < count; i++) {
        call_claim *claim = claim_find(run, rows[i].step_id);
        fuzz_require(!claim || !claim->committed, "a committed step is claimed again");
        fuzz_require(!claim || claim->epoch < rows[i].epoch, "an epoch does not grow");
        fuzz_require(rows[i].attempt > 0 &&
                         (rows[i].attempt <= rows[i].max_attempts || run->overridden),
                     "attempt %d of %d", rows[i].attempt, rows[i].max_attempts);
        fuzz_check_text(rows[i].idempotency_key);
        fuzz_check_text(rows[i].input);
        for (size_t k = 0; k < rows[i].input_count; k++) {
            fuzz_check_text(rows[i].inputs[k].result);
            fuzz_require(rows[i].inputs[k].state == SW_STEP_SUCCEEDED ||
                             rows[i].inputs[k].state == SW_STEP_FAILED ||
                             (run->overridden && (rows[i].inputs[k].state == SW_STEP_SKIPPED ||
                                                  rows[i].inputs[k].state == SW_STEP_RESOLVED)),
                         "a step starts before what it waits for");
        }
        if (!claim && run->claim_count < CLAIMS_MAX)
            claim = &run->claims[run->claim_count++];
        if (claim)
            *claim = (call_claim){rows[i].step_id, rows[i].epoch, false};
    }
}

/* A report is applied only with the newest epoch, and no second one after a success. */
static void applied_note(call_run *run, const sw_result *result, const sw_step_outcome *rows,
                         size_t row_count)
{
    size_t count = 0;
    const sw_step_applied *applied = sw_step_applications(result, &count);
    fuzz_require(count == row_count, "%zu answers to %zu rows", count, row_count);
    for (size_t i = 0; i < count; i++) {
        call_claim *claim = claim_find(run, rows[i].step_id);
        fuzz_require(applied[i].step_id == rows[i].step_id, "answers in another order");
        if (applied[i].status != SW_ROW_APPLIED || !claim)
            continue;
        fuzz_require(rows[i].epoch == claim->epoch, "a superseded report is applied");
        fuzz_require(!claim->committed, "a second report is applied");
        claim->committed = rows[i].outcome == SW_OUTCOME_SUCCEEDED;
    }
}

/* Calls. */

void call_open_worker(call_run *run)
{
    sw_str names[HANDLERS];
    sw_str queues[2] = {sw__str("default"), sw__str("q")};
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    fuzz_bytes *bytes = &run->bytes;
    uint64_t wanted = fuzz_take(bytes, 1);
    sw_uuid task = pick_task(run);
    for (size_t i = 0; i < HANDLERS; i++) {
        if (wanted >> i & 1)
            names[options.handler_count++] = sw__str(handlers[i]);
    }
    if (options.handler_count > 0 && fuzz_pick(bytes, 16) == 15)
        names[0] = pick_name(bytes);
    options.handlers = names;
    options.queues = queues;
    options.queue_count = fuzz_pick(bytes, 3);
    options.lease_ms = pick_number(bytes);
    options.name = fuzz_pick(bytes, 8) ? sw__str("ann") : pick_text(bytes);
    options.task = fuzz_pick(bytes, 4) ? NULL : &task;
    int rc = sw_worker_open(run->engine, &options, &worker, &run->err);
    call_check(run, rc, NULL);
    if (rc == SW_OK && run->worker_count < WORKERS_MAX)
        run->workers[run->worker_count++] = worker;
}

void call_exchange(call_run *run)
{
    sw_result *result = NULL;
    sw_step_outcome rows[ROWS_MAX];
    sw_worker_ref worker = pick_worker(run);
    size_t claim_max = fuzz_pick(&run->bytes, 8);
    size_t count = pick_outcomes(run, rows);
    int rc = sw_step_exchange(run->engine, &worker, rows, count, claim_max, 0, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK) {
        applied_note(run, result, rows, count);
        claims_note(run, result, claim_max);
    }
    sw_result_free(result);
}

void call_update_batch(call_run *run)
{
    sw_result *result = NULL;
    sw_step_outcome rows[ROWS_MAX];
    size_t count = pick_outcomes(run, rows);
    int rc = sw_step_update_batch(run->engine, rows, count, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        applied_note(run, result, rows, count);
    sw_result_free(result);
}

void call_renew(call_run *run)
{
    sw_result *result = NULL;
    sw_step_hold holds[ROWS_MAX];
    sw_worker_ref worker = pick_worker(run);
    size_t lost = 0;
    size_t count = fuzz_pick(&run->bytes, ROWS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        call_claim claim = pick_claim(run);
        holds[i] = (sw_step_hold){claim.step_id, claim.epoch};
    }
    int rc = sw_worker_renew(run->engine, &worker, holds, count, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        sw_step_holds(result, &lost);
    fuzz_require(lost <= count, "%zu of %zu are lost", lost, count);
    sw_result_free(result);
}

void call_heartbeat(call_run *run)
{
    sw_result *result = NULL;
    sw_step_hold holds[ROWS_MAX];
    size_t answers = 0;
    size_t count = fuzz_pick(&run->bytes, ROWS_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        call_claim claim = pick_claim(run);
        holds[i] = (sw_step_hold){claim.step_id, claim.epoch + (int64_t)fuzz_pick(&run->bytes, 2)};
    }
    int rc = sw_step_heartbeat(run->engine, holds, count, &result, &run->err);
    call_check(run, rc, result);
    const sw_step_applied *rows = sw_step_applications(result, &answers);
    fuzz_require(answers == (rc == SW_OK ? count : 0), "%zu answers to %zu heartbeats", answers,
                 count);
    for (size_t i = 0; i < answers; i++)
        fuzz_require(rows[i].status == SW_ROW_FENCED ||
                         (rows[i].state == SW_STEP_RUNNING && rows[i].epoch == holds[i].epoch),
                     "a heartbeat of epoch %lld counts for epoch %lld", (long long)holds[i].epoch,
                     (long long)rows[i].epoch);
    sw_result_free(result);
}

void call_close_worker(call_run *run)
{
    sw_worker_ref worker = pick_worker(run);
    int rc = sw_worker_close(run->engine, &worker, &run->err);
    call_check(run, rc, NULL);
    for (size_t i = 0; rc == SW_OK && i < run->worker_count; i++) {
        if (run->workers[i].worker_id == worker.worker_id)
            run->workers[i] = run->workers[--run->worker_count];
    }
}

void call_list_workers(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    int rc = sw_worker_list(run->engine, &result, &run->err);
    call_check(run, rc, result);
    const sw_worker_row *rows = sw_workers(result, &count);
    for (size_t i = 0; i < count; i++) {
        fuzz_check_text(rows[i].name);
        fuzz_require(rows[i].handler_count > 0, "a worker without handlers");
    }
    sw_result_free(result);
}
