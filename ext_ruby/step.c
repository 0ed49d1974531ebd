/* Steps: the exchange of outcomes for claims, batches of outcomes and heartbeats, and why
 * a step does not run.
 *
 * A reported row is an Array, because that is the cheapest thing to build and to read:
 * [step_id, epoch, outcome, result_json, error_class, error_message, error_detail,
 * retry_after_ms]; everything after outcome may be left out.
 */
#include "rsw.h"

#include <stdlib.h>

typedef struct exchange_call {
    rsw_call call;
    sw_worker_ref worker;
    sw_step_outcome *rows;
    size_t row_count;
    size_t claim_max;
    int64_t wait_ms; /* negative: without end */
} exchange_call;

/* ---- reported rows ---- */

enum { OUTCOME_ROW_MIN = 3, OUTCOME_ROW_MAX = 8 };

static VALUE outcome_row_at(VALUE row, long index)
{
    return index < RARRAY_LEN(row) ? RARRAY_AREF(row, index) : Qnil;
}

static void outcome_row_read(sw_step_outcome *outcome, rsw_arena *arena, VALUE row, int64_t index)
{
    VALUE retry;

    if (!RB_TYPE_P(row, T_ARRAY))
        rsw_error_type(row, index, "a row", "an Array");
    if (RARRAY_LEN(row) < OUTCOME_ROW_MIN || RARRAY_LEN(row) > OUTCOME_ROW_MAX)
        rsw_error_fail(SW_EINVAL, index, "a row has %ld elements, expected %d to %d",
                       RARRAY_LEN(row), OUTCOME_ROW_MIN, OUTCOME_ROW_MAX);
    outcome->step_id = rsw_int64(RARRAY_AREF(row, 0), index, "step_id");
    outcome->epoch = rsw_int64(RARRAY_AREF(row, 1), index, "epoch");
    outcome->outcome = rsw_outcome(RARRAY_AREF(row, 2), index);
    outcome->result = rsw_arena_text(arena, outcome_row_at(row, 3), index, "result_json");
    if (RARRAY_LEN(row) <= 4)
        return;
    outcome->error_class = rsw_arena_text(arena, outcome_row_at(row, 4), index, "error_class");
    outcome->error_message = rsw_arena_text(arena, outcome_row_at(row, 5), index, "error_message");
    outcome->error_detail = rsw_arena_text(arena, outcome_row_at(row, 6), index, "error_detail");
    retry = outcome_row_at(row, 7);
    if (!NIL_P(retry))
        outcome->retry_after_ms = rsw_int64(retry, index, "retry_after_ms");
}

static void outcome_rows_read(exchange_call *exchange, rsw_arena *arena, VALUE rows)
{
    if (!RB_TYPE_P(rows, T_ARRAY))
        rsw_error_type(rows, -1, "rows", "an Array of Arrays");
    exchange->row_count = (size_t)RARRAY_LEN(rows);
    exchange->rows = rsw_arena_rows(arena, exchange->row_count, sizeof(*exchange->rows));
    for (size_t i = 0; i < exchange->row_count; i++)
        outcome_row_read(&exchange->rows[i], arena, rb_ary_entry(rows, (long)i), (int64_t)i);
}

/* ---- answers ---- */

static VALUE applied_element(const void *rows, size_t index)
{
    const sw_step_applied *row = (const sw_step_applied *)rows + index;

    return rsw_row_new(RSW_APPLIED, 5,
                       (VALUE[]){LL2NUM(row->step_id), LL2NUM(row->epoch),
                                 rsw_row_status(row->status), rsw_step_state(row->state),
                                 rsw_number(row->not_before_us)});
}

static VALUE input_element(const void *rows, size_t index)
{
    const sw_step_input *row = (const sw_step_input *)rows + index;

    return rsw_row_new(
        RSW_STEP_INPUT, 3,
        (VALUE[]){rsw_name(row->name), rsw_str(row->result), rsw_step_state(row->state)});
}

static VALUE claim_element(const void *rows, size_t index)
{
    const sw_step_claim *row = (const sw_step_claim *)rows + index;

    return rsw_row_new(
        RSW_CLAIM, 17,
        (VALUE[]){LL2NUM(row->step_id), LL2NUM(row->epoch), rsw_id(&row->task_id),
                  rsw_name(row->workflow), rsw_name(row->version), rsw_name(row->name),
                  rsw_name(row->handler), rsw_name(row->queue), rsw_str(row->parameters),
                  rsw_str(row->input), rsw_str(row->idempotency_key), rsw_str(row->correlation_id),
                  rsw_array(row->input_count, row->inputs, input_element), INT2NUM(row->attempt),
                  INT2NUM(row->max_attempts), row->timeout_ms == 0 ? Qnil : LL2NUM(row->timeout_ms),
                  row->heartbeat_ms == 0 ? Qnil : LL2NUM(row->heartbeat_ms)});
}

static VALUE finished_element(const void *rows, size_t index)
{
    const sw_task_finished *row = (const sw_task_finished *)rows + index;

    return rsw_row_new(RSW_TASK_FINISHED, 2,
                       (VALUE[]){rsw_id(&row->task_id), rsw_task_state(row->state)});
}

static VALUE applied_convert(VALUE data)
{
    size_t count;
    const sw_step_applied *rows = sw_step_applications(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, applied_element);
}

static VALUE exchange_convert(VALUE data)
{
    const sw_result *result = ((rsw_call *)data)->result;
    size_t claim_count, finished_count;
    const sw_step_claim *claims = sw_step_claims(result, &claim_count);
    const sw_task_finished *finished = sw_tasks_finished(result, &finished_count);
    VALUE values[3];

    /* Deliver pending interrupts while the claims can still be given back. */
    rb_thread_check_ints();
    values[0] = applied_convert(data);
    values[1] = rsw_array(claim_count, claims, claim_element);
    values[2] = rsw_array(finished_count, finished, finished_element);
    return rsw_row_new(RSW_EXCHANGE, 3, values);
}

/* ---- exchange ---- */

/* Whether the core brought news. */
static bool exchange_answered(const exchange_call *exchange)
{
    size_t claims, finished;

    sw_step_claims(exchange->call.result, &claims);
    sw_tasks_finished(exchange->call.result, &finished);
    return exchange->row_count > 0 || claims > 0 || finished > 0;
}

/* Wait in slices until there is news, the time is over, or somebody woke the engine, which shows
 * in a slice that ended early. */
static int exchange_run(rsw_call *call)
{
    exchange_call *exchange = (exchange_call *)call;
    int64_t left_ms = exchange->wait_ms;

    for (;;) {
        int64_t slice_ms = left_ms < 0 || left_ms > RSW_SLICE_MS ? RSW_SLICE_MS : left_ms;
        int64_t start_us = rsw_clock_us();
        int code = sw_step_exchange(call->handle->engine, &exchange->worker, exchange->rows,
                                    exchange->row_count, exchange->claim_max, slice_ms,
                                    &call->result, &call->error);

        if (left_ms > 0)
            left_ms -= slice_ms;
        if (code < 0 || left_ms == 0 || exchange_answered(exchange) ||
            rsw_clock_us() - start_us < (slice_ms - 1) * 1000 || rsw_engine_closed(call->handle) ||
            __atomic_load_n(&call->interrupted, __ATOMIC_SEQ_CST))
            return code;
        sw_result_free(call->result);
        call->result = NULL;
    }
}

/* Give claims back that nobody will ever see: an exception is on its way through this thread. The
 * GVL stays, because waiting for it again could be interrupted again. When this fails the lease
 * brings the steps back. */
static void claims_release(const rsw_call *call)
{
    size_t count;
    const sw_step_claim *claims = sw_step_claims(call->result, &count);
    sw_step_outcome *rows = count ? calloc(count, sizeof(*rows)) : NULL;
    sw_result *ignored = NULL;

    if (!rows)
        return;
    for (size_t i = 0; i < count; i++) {
        rows[i].step_id = claims[i].step_id;
        rows[i].epoch = claims[i].epoch;
        rows[i].outcome = SW_OUTCOME_RELEASED;
    }
    sw_step_update_batch(call->handle->engine, rows, count, &ignored, NULL);
    sw_result_free(ignored);
    free(rows);
}

static VALUE engine_exchange(VALUE self, VALUE worker_id, VALUE rows, VALUE claim_max,
                             VALUE wait_ms)
{
    exchange_call exchange = {
        .call = {.handle = rsw_engine_get(self), .run = exchange_run, .waits = true}};
    rsw_call *call = &exchange.call;
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer = Qnil;
    int state = 0;

    exchange.worker.worker_id = rsw_int64(worker_id, -1, "worker_id");
    exchange.claim_max = rsw_size(claim_max, "claim_max");
    exchange.wait_ms = NIL_P(wait_ms) ? -1 : (int64_t)rsw_size(wait_ms, "wait_ms");
    outcome_rows_read(&exchange, arena, rows);
    /* Without a wait nothing needs an interrupt, and Ruby prepares for one at a price. */
    call->waits = exchange.wait_ms != 0 && exchange.row_count == 0;

    rsw_call_run(call);
    call->handle->users++; /* keeps the engine open until the claims have an owner */
    rsw_arena_free(memory);
    if (call->code == SW_OK)
        answer = rb_protect(exchange_convert, (VALUE)call, &state);
    if (state != 0 || rsw_engine_closed(call->handle))
        claims_release(call);
    call->handle->users--;
    rsw_call_free((VALUE)call);
    if (state != 0)
        rb_jump_tag(state);
    if (call->code < 0)
        rsw_error_raise(&call->error);
    rsw_engine_get(self);
    return answer;
}

/* ---- update_batch ---- */

static int update_run(rsw_call *call)
{
    const exchange_call *update = (const exchange_call *)call;

    return sw_step_update_batch(call->handle->engine, update->rows, update->row_count,
                                &call->result, &call->error);
}

static VALUE engine_update_batch(VALUE self, VALUE rows)
{
    exchange_call update = {.call = {.handle = rsw_engine_get(self), .run = update_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    outcome_rows_read(&update, arena, rows);
    answer = rsw_call_finish(&update.call, applied_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- heartbeat ---- */

typedef struct heartbeat_call {
    rsw_call call;
    sw_step_hold *rows;
    size_t row_count;
} heartbeat_call;

static int heartbeat_run(rsw_call *call)
{
    const heartbeat_call *heartbeat = (const heartbeat_call *)call;

    return sw_step_heartbeat(call->handle->engine, heartbeat->rows, heartbeat->row_count,
                             &call->result, &call->error);
}

static VALUE engine_heartbeat(VALUE self, VALUE rows)
{
    heartbeat_call heartbeat = {.call = {.handle = rsw_engine_get(self), .run = heartbeat_run}};
    rsw_arena *arena;
    VALUE memory = rsw_arena_new(&arena);
    VALUE answer;

    heartbeat.rows = rsw_holds_read(arena, rows, "rows", &heartbeat.row_count);
    answer = rsw_call_finish(&heartbeat.call, applied_convert);
    rsw_arena_free(memory);
    RB_GC_GUARD(self);
    return answer;
}

/* ---- explain ---- */

typedef struct explain_call {
    rsw_call call;
    sw_uuid task_id;
    sw_str step;
} explain_call;

static int explain_run(rsw_call *call)
{
    const explain_call *explain = (const explain_call *)call;

    return sw_step_explain(call->handle->engine, &explain->task_id, explain->step, &call->result,
                           &call->error);
}

static VALUE reason_element(const void *rows, size_t index)
{
    const sw_step_reason *row = (const sw_step_reason *)rows + index;

    return rsw_row_new(RSW_REASON, 6,
                       (VALUE[]){rsw_name(row->step), rsw_step_state(row->state),
                                 rsw_reason(row->reason), rsw_str(row->subject),
                                 rsw_str(row->message), rsw_number(row->until_us)});
}

static VALUE explain_convert(VALUE data)
{
    size_t count;
    const sw_step_reason *rows = sw_step_reasons(((rsw_call *)data)->result, &count);

    return rsw_array(count, rows, reason_element);
}

static VALUE engine_explain(int argc, VALUE *argv, VALUE self)
{
    explain_call explain = {.call = {.handle = rsw_engine_get(self), .run = explain_run}};
    VALUE task_id, step, answer;

    rb_scan_args(argc, argv, "11", &task_id, &step);
    explain.task_id = rsw_uuid(task_id, -1, "task_id");
    if (SYMBOL_P(step))
        step = rb_sym2str(step);
    explain.step = rsw_text(&step, "step");
    answer = rsw_call_finish(&explain.call, explain_convert);
    RB_GC_GUARD(step);
    RB_GC_GUARD(self);
    return answer;
}

void rsw_step_init(void)
{
    rb_define_method(rsw_cEngine, "exchange", engine_exchange, 4);
    rb_define_method(rsw_cEngine, "update_batch", engine_update_batch, 1);
    rb_define_method(rsw_cEngine, "heartbeat", engine_heartbeat, 1);
    rb_define_method(rsw_cEngine, "explain", engine_explain, -1);
}
