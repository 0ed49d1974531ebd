/* Steps: the exchange between a worker and the engine, the batch of outcomes, and why a step does
 * not run.
 *
 * An exchange enters the core once for its rows. Only while there is nothing to do it comes back
 * now and then, for wakes and on the main thread for signals; it does so with empty hands, so no
 * claim can be lost to an exception. Claims that cannot be handed over for want of memory are
 * given back.
 */
#include "module.h"

#define EXCHANGE_FIRST_MS 2

const char swpy_exchange_doc[] =
    "exchange($self, worker_id, outcomes, claim_max, wait_ms, wake_count=None, /)\n--\n\n"
    "Report outcomes and claim new steps in one transaction, as an Exchange. Outcomes are tuples\n"
    "(step_id, epoch, outcome, result=None, error_class=None, error_message=None,\n"
    "error_detail=None, retry_after_ms=0); result is JSON text. With nothing to report and\n"
    "nothing ready it waits up to wait_ms (negative: without end), unless wake() was called since\n"
    "wake_count() gave the number passed here.";

const char swpy_update_batch_doc[] = "update_batch($self, outcomes, /)\n--\n\n"
                                     "Report outcomes without claiming; one Applied per row.";

const char swpy_heartbeat_doc[] =
    "heartbeat($self, held, /)\n--\n\n"
    "Say that attempts go on; held are tuples (step_id, epoch). One Applied per row: fenced, when\n"
    "the attempt counts no longer.";

const char swpy_explain_doc[] =
    "explain($self, task_id, step=None, /)\n--\n\n"
    "Why a step, or each step that has not ended, is not running; a list of Reason.";

/* Outcomes as read from Python; keep holds what the strings are borrowed from. */
typedef struct outcome_batch {
    PyObject *keep;
    sw_step_outcome *rows;
    size_t count;
} outcome_batch;

/* By identity first: the names are interned, and so are literals in the caller's code. */
static bool outcome_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    for (int i = 0; i < SW_OUTCOME_COUNT; i++) {
        if (value == state->outcomes[i]) {
            *out = i;
            return true;
        }
    }
    if (!swpy_str_read(state, value, "outcome", &name))
        return false;
    *out = sw_outcome_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1,
                    "outcome is '%.*s', expected succeeded, failed, failed_for_good or released",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

/* The fields beyond the three that every row has. */
static bool outcome_read_rest(swpy_state *state, PyObject *tuple, Py_ssize_t size,
                              sw_step_outcome *row)
{
    PyObject *retry_after_ms = NULL;

    if (!swpy_str_read_maybe(state, PyTuple_GetItem(tuple, 3), "result", &row->result))
        return false;
    if (size == 4)
        return true;
    retry_after_ms = swpy_row_item(tuple, 7);
    return swpy_str_read_maybe(state, swpy_row_item(tuple, 4), "error_class", &row->error_class) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 5), "error_message",
                               &row->error_message) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 6), "error_detail",
                               &row->error_detail) &&
           (retry_after_ms == Py_None ||
            swpy_int64_read(state, retry_after_ms, "retry_after_ms", &row->retry_after_ms));
}

static bool outcome_row_read(swpy_state *state, PyObject *tuple, sw_step_outcome *row)
{
    if (!swpy_row_check(tuple, "an outcome", 3, 8))
        return false;
    Py_ssize_t size = PyTuple_Size(tuple);
    return swpy_int64_read(state, PyTuple_GetItem(tuple, 0), "step_id", &row->step_id) &&
           swpy_int64_read(state, PyTuple_GetItem(tuple, 1), "epoch", &row->epoch) &&
           outcome_read(state, PyTuple_GetItem(tuple, 2), &row->outcome) &&
           (size == 3 || outcome_read_rest(state, tuple, size, row));
}

static void outcome_batch_free(outcome_batch *batch)
{
    PyMem_Free(batch->rows);
    Py_XDECREF(batch->keep);
}

static bool outcome_batch_read(swpy_state *state, PyObject *value, outcome_batch *batch)
{
    *batch = (outcome_batch){.keep = swpy_rows_read(value, "outcomes")};
    if (batch->keep == NULL)
        return false;
    batch->count = (size_t)PyTuple_Size(batch->keep);
    batch->rows = PyMem_Calloc(batch->count + 1, sizeof(*batch->rows));
    if (batch->rows == NULL) {
        PyErr_NoMemory();
        outcome_batch_free(batch);
        return false;
    }
    for (size_t i = 0; i < batch->count; i++) {
        PyObject *tuple = PyTuple_GetItem(batch->keep, (Py_ssize_t)i);
        if (!outcome_row_read(state, tuple, &batch->rows[i])) {
            swpy_row_fail(i);
            outcome_batch_free(batch);
            return false;
        }
    }
    return true;
}

static PyObject *applied_new(swpy_state *state, const void *item)
{
    const sw_step_applied *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        PyLong_FromLongLong(row->epoch),
        swpy_name_new(state->row_statuses, SW_ROW_STATUS_COUNT, row->status),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        PyLong_FromLongLong(row->not_before_us),
    };
    return swpy_record_new(state, SWPY_APPLIED, values, 5);
}

static PyObject *applied_list_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_step_applied *rows = sw_step_applications(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, applied_new);
}

static PyObject *input_new(swpy_state *state, const void *item)
{
    const sw_step_input *row = item;
    PyObject *values[] = {
        swpy_str_new(row->name),
        swpy_str_new(row->result),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
    };
    return swpy_record_new(state, SWPY_INPUT, values, 3);
}

static PyObject *claim_new(swpy_state *state, const void *item)
{
    const sw_step_claim *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        PyLong_FromLongLong(row->epoch),
        swpy_uuid_new(&row->task_id),
        swpy_str_new(row->workflow),
        swpy_str_new(row->version),
        swpy_str_new(row->name),
        swpy_str_new(row->handler),
        swpy_str_new(row->queue),
        swpy_str_new(row->parameters),
        swpy_str_new(row->input),
        swpy_str_new(row->idempotency_key),
        swpy_str_new(row->correlation_id),
        swpy_list_new(state, row->inputs, sizeof(*row->inputs), row->input_count, input_new),
        PyLong_FromLong(row->attempt),
        PyLong_FromLong(row->max_attempts),
        PyLong_FromLongLong(row->timeout_ms),
        PyLong_FromLongLong(row->heartbeat_ms),
    };
    return swpy_record_new(state, SWPY_CLAIM, values, 17);
}

static PyObject *claims_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_step_claim *rows = sw_step_claims(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, claim_new);
}

static PyObject *finished_new(swpy_state *state, const void *item)
{
    const sw_task_finished *row = item;
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
    };
    return swpy_record_new(state, SWPY_FINISHED, values, 2);
}

static PyObject *finished_list_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_task_finished *rows = sw_tasks_finished(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, finished_new);
}

static PyObject *exchange_new(swpy_state *state, const sw_result *result)
{
    PyObject *values[] = {
        applied_list_new(state, result),
        claims_new(state, result),
        finished_list_new(state, result),
    };
    return swpy_record_new(state, SWPY_EXCHANGE, values, 3);
}

static void claim_release(sw_engine *engine, const sw_step_claim *claim)
{
    sw_result *result = NULL;
    sw_step_outcome row = {
        .step_id = claim->step_id, .epoch = claim->epoch, .outcome = SW_OUTCOME_RELEASED};

    if (sw_step_update_batch(engine, &row, 1, &result, NULL) == SW_OK)
        sw_result_free(result);
}

/* Give back claims that Python never got; without it they would stay held while the worker's
 * lease is renewed. The pending exception stays. */
static void claims_release(swpy_engine *self, const sw_result *result)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    PyObject *type = NULL;
    PyObject *value = NULL;
    PyObject *trace = NULL;
    swpy_call call;

    PyErr_Fetch(&type, &value, &trace);
    if (swpy_call_begin(&call, self, count, true)) {
        for (size_t i = 0; i < count; i++)
            claim_release(call.engine, &claims[i]);
        swpy_call_end(&call);
    }
    PyErr_Restore(type, value, trace);
}

static bool exchange_is_empty(const sw_result *result)
{
    size_t applied = 0;
    size_t claims = 0;
    size_t finished = 0;

    sw_step_applications(result, &applied);
    sw_step_claims(result, &claims);
    sw_tasks_finished(result, &finished);
    return applied + claims + finished == 0;
}

/* An exchange under way, which may wait in several turns. */
typedef struct exchange_job {
    swpy_engine *owner;
    sw_worker_ref worker;
    outcome_batch batch;
    size_t claim_max;
    int64_t wait_ms;
    int64_t start_ms;
    long long wakes; /* a wake counted since ends the wait */
    int turns;
    bool over;
    int code;
    sw_result *result;
    sw_error error;
} exchange_job;

/* On a memory store the first turn does not wait, because it can keep the GIL. The first turn
 * that waits is short: a wake that came before the core looked at its own count is noticed then. */
static int64_t exchange_slice_ms(const exchange_job *job, int64_t left_ms)
{
    if (job->turns == 0 && job->owner->memory)
        return 0;
    if (job->turns <= 1 && (left_ms < 0 || left_ms > EXCHANGE_FIRST_MS))
        return EXCHANGE_FIRST_MS;
    return swpy_slice_ms(left_ms);
}

/* One call into the core; needs no GIL. What was reported is not reported again. */
static void exchange_turn(exchange_job *job, sw_engine *engine)
{
    int64_t left_ms = swpy_left_ms(job->start_ms, job->wait_ms);
    int64_t slice_ms = exchange_slice_ms(job, left_ms);
    int64_t start_ms = swpy_now_ms();

    job->code = sw_step_exchange(engine, &job->worker, job->batch.rows, job->batch.count,
                                 job->claim_max, slice_ms, &job->result, &job->error);
    job->turns++;
    job->over = job->code < 0 || slice_ms == left_ms || !exchange_is_empty(job->result) ||
                swpy_woken(start_ms, slice_ms) || atomic_load(&job->owner->wakes) != job->wakes ||
                atomic_load(&job->owner->handle) == NULL;
    if (!job->over) {
        sw_result_free(job->result);
        job->result = NULL;
        job->batch.count = 0;
    }
}

/* Turns until there is something, or the time or a wake ends the wait. The GIL is released once,
 * except on the main thread, which comes back for signals. False with an exception. */
static bool exchange_run(exchange_job *job)
{
    bool main = swpy_thread_is_main();

    job->start_ms = swpy_now_ms();
    while (!job->over) {
        swpy_call call;
        bool look = job->turns == 0 && job->owner->memory;
        if (!swpy_call_begin(&call, job->owner, job->batch.count + job->claim_max, !look))
            return false;
        do {
            exchange_turn(job, call.engine);
        } while (!job->over && !look && !main);
        swpy_call_end(&call);
        if (!job->over && PyErr_CheckSignals() < 0)
            return false;
    }
    if (job->code < 0)
        swpy_raise(job->owner->state, &job->error);
    return job->code == SW_OK;
}

static bool exchange_read(exchange_job *job, PyObject *args)
{
    swpy_state *state = job->owner->state;
    PyObject *values[5] = {NULL, NULL, NULL, NULL, Py_None};
    int64_t wakes = atomic_load(&job->owner->wakes);

    if (!PyArg_ParseTuple(args, "OOOO|O:exchange", &values[0], &values[1], &values[2], &values[3],
                          &values[4]) ||
        !swpy_int64_read(state, values[0], "worker_id", &job->worker.worker_id) ||
        !swpy_size_read(state, values[2], "claim_max", &job->claim_max) ||
        !swpy_int64_read(state, values[3], "wait_ms", &job->wait_ms) ||
        (values[4] != Py_None && !swpy_int64_read(state, values[4], "wake_count", &wakes)))
        return false;
    job->wakes = wakes;
    return outcome_batch_read(state, values[1], &job->batch);
}

PyObject *swpy_exchange(PyObject *object, PyObject *args)
{
    exchange_job job = {.owner = (swpy_engine *)object};
    PyObject *answer = NULL;

    if (!exchange_read(&job, args))
        return NULL;
    if (exchange_run(&job)) {
        answer = exchange_new(job.owner->state, job.result);
        if (answer == NULL)
            claims_release(job.owner, job.result);
    }
    sw_result_free(job.result);
    outcome_batch_free(&job.batch);
    return answer;
}

PyObject *swpy_update_batch(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *answer = NULL;
    sw_result *result = NULL;
    outcome_batch batch;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "O:update_batch", &value) ||
        !outcome_batch_read(self->state, value, &batch))
        return NULL;
    if (!swpy_call_begin(&call, self, batch.count, false))
        goto done;
    int code = sw_step_update_batch(call.engine, batch.rows, batch.count, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        swpy_raise(self->state, &error);
    else
        answer = applied_list_new(self->state, result);
    sw_result_free(result);
done:
    outcome_batch_free(&batch);
    return answer;
}

/* With rows that are read; a list of Applied or NULL with an exception. */
static PyObject *heartbeat_rows(swpy_engine *self, const sw_step_hold *rows, size_t count)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, count, false))
        return NULL;
    int code = sw_step_heartbeat(call.engine, rows, count, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *answer = applied_list_new(self->state, result);
    sw_result_free(result);
    return answer;
}

PyObject *swpy_heartbeat(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *answer = NULL;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, "O:heartbeat", &value))
        return NULL;
    sw_step_hold *rows = swpy_holds_read(self->state, value, &count);
    if (rows != NULL)
        answer = heartbeat_rows(self, rows, count);
    PyMem_Free(rows);
    return answer;
}

static PyObject *reason_new(swpy_state *state, const void *item)
{
    const sw_step_reason *row = item;
    PyObject *values[] = {
        swpy_str_new(row->step),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        swpy_name_new(state->reasons, SW_REASON_COUNT, row->reason),
        swpy_str_new(row->subject),
        swpy_str_new(row->message),
        PyLong_FromLongLong(row->until_us),
    };
    return swpy_record_new(state, SWPY_REASON, values, 6);
}

PyObject *swpy_explain(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *id_value = NULL;
    PyObject *step_value = NULL;
    sw_result *result = NULL;
    sw_uuid task_id;
    sw_str step;
    sw_error error;
    swpy_call call;
    size_t count = 0;

    if (!PyArg_ParseTuple(args, "O|O:explain", &id_value, &step_value) ||
        !swpy_uuid_read(self->state, id_value, "task_id", &task_id) ||
        !swpy_str_read_maybe(self->state, step_value, "step", &step) ||
        !swpy_call_begin(&call, self, 1, false))
        return NULL;
    int code = sw_step_explain(call.engine, &task_id, step, &result, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    const sw_step_reason *rows = sw_step_reasons(result, &count);
    PyObject *answer = swpy_list_new(self->state, rows, sizeof(*rows), count, reason_new);
    sw_result_free(result);
    return answer;
}
