/* A worker in C that does the steps of tests/chaos/workflows and keeps a ledger.
 *
 * What a step does stands in its parameters: "ms" to take, "fails" so many first attempts, "hold"
 * the first attempt until it is killed. Not here: renewing the lease while handlers run; they take
 * milliseconds.
 */
#include "chaos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HANDLERS_MAX 64
#define SLOTS_MAX 16
#define WAIT_MS 200
#define HOLD_NAP_MS 20

typedef struct work {
    sw_engine *engine;
    sw_worker_options options;
    sw_worker_ref worker;
    size_t slots;
    sw_str handlers[HANDLERS_MAX];
    size_t row_count; /* outcomes that are not reported yet */
    sw_step_outcome rows[SLOTS_MAX];
    char results[SLOTS_MAX][160];
} work;

static bool handler_known(const work *w, sw_str name)
{
    for (size_t i = 0; i < w->options.handler_count; i++) {
        if (w->handlers[i].len == name.len && memcmp(w->handlers[i].ptr, name.ptr, name.len) == 0)
            return true;
    }
    return false;
}

/* Handlers without a dot are of built-in kinds, which other workers do. The definitions live as
 * long as the program, since the names point into them. */
static void handlers_add(work *w, const char *path)
{
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(chaos_workflow_load(path), &count);
    for (size_t i = 0; i < count; i++) {
        sw_str name = steps[i].handler;
        if (memchr(name.ptr, '.', name.len) && !handler_known(w, name) &&
            w->options.handler_count < HANDLERS_MAX)
            w->handlers[w->options.handler_count++] = name;
    }
}

static bool worker_enter(work *w)
{
    sw_error error;
    int rc;
    do {
        rc = sw_worker_open(w->engine, &w->options, &w->worker, &error);
    } while (chaos_again("opening a worker", rc, &error));
    return rc == SW_OK;
}

/* A number of the step's parameters, which are canonical JSON; 0 when it is not there. */
static int64_t parameter(const sw_step_claim *claim, const char *name)
{
    char mark[32];
    int length = snprintf(mark, sizeof(mark), "\"%s\":", name);
    const char *found = claim->parameters.len ? memmem(claim->parameters.ptr, claim->parameters.len,
                                                       mark, (size_t)length)
                                              : NULL;
    return found ? strtoll(found + length, NULL, 10) : 0;
}

static int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Inputs that are there: of a dependency that failed there is none. */
static size_t inputs_present(const sw_step_claim *claim)
{
    size_t present = 0;
    for (size_t i = 0; i < claim->input_count; i++)
        present += claim->inputs[i].state == SW_STEP_FAILED || claim->inputs[i].result.len > 0;
    return present;
}

static void handler_run(const sw_step_claim *claim, sw_step_outcome *row, char result[160])
{
    char task[37];
    sw_uuid_format(&claim->task_id, task);
    chaos_ledger_put("start %s/%.*s %lld %d %lld", task, (int)claim->name.len, claim->name.ptr,
                     (long long)claim->epoch, claim->attempt, (long long)now_us());
    while (parameter(claim, "hold") && claim->attempt == 1 && !chaos_stopping())
        chaos_nap_ms(HOLD_NAP_MS);
    chaos_nap_ms(parameter(claim, "ms"));
    if (claim->attempt <= parameter(claim, "fails")) {
        row->outcome = SW_OUTCOME_FAILED;
        row->error_class = chaos_str("Unwilling");
        return;
    }
    int length = snprintf(result, 160, "{\"by\":\"%s\",\"epoch\":%lld,\"inputs\":%zu}",
                          chaos_ledger_name(), (long long)claim->epoch, inputs_present(claim));
    row->result = (sw_str){result, (size_t)length};
}

static void claims_run(work *w, const sw_result *answer)
{
    size_t count = 0;
    const sw_step_claim *claims = sw_step_claims(answer, &count);
    for (size_t i = 0; i < count && i < SLOTS_MAX; i++) {
        w->rows[i] = (sw_step_outcome){.step_id = claims[i].step_id, .epoch = claims[i].epoch};
        if (chaos_stopping())
            w->rows[i].outcome = SW_OUTCOME_RELEASED;
        else
            handler_run(&claims[i], &w->rows[i], w->results[i]);
    }
    w->row_count = count;
}

/* Only now, when the call has said so, an outcome counts as acknowledged. */
static void acknowledge(work *w, const sw_result *answer)
{
    size_t count = 0;
    const sw_step_applied *applied = sw_step_applications(answer, &count);
    for (size_t i = 0; i < count; i++)
        chaos_ledger_put("%s %lld %lld %s", applied[i].status == SW_ROW_APPLIED ? "ack" : "fenced",
                         (long long)w->rows[i].step_id, (long long)w->rows[i].epoch,
                         sw_outcome_name(w->rows[i].outcome));
    w->row_count = 0;
}

/* Report what was done, and take new work while it is not time to stop. false: leave. */
static bool exchange(work *w)
{
    sw_error error;
    sw_result *answer = NULL;
    bool last = chaos_stopping();
    int rc = sw_step_exchange(w->engine, &w->worker, w->rows, w->row_count, last ? 0 : w->slots,
                              last ? 0 : WAIT_MS, &answer, &error);
    if (rc == SW_ENOTFOUND && error.row < 0)
        return worker_enter(w); /* it was silent for longer than its lease */
    if (rc < 0)
        return chaos_again("an exchange", rc, &error);
    acknowledge(w, answer);
    claims_run(w, answer);
    sw_result_free(answer);
    return !last || w->row_count > 0;
}

int chaos_work(int argc, char **argv)
{
    sw_error error;
    static work w = {.options = SW_WORKER_OPTIONS_INIT};
    chaos_ledger_open(argv[1]);
    w.options.name = chaos_str(chaos_ledger_name());
    w.options.lease_ms = strtoll(argv[2], NULL, 10);
    w.options.handlers = w.handlers;
    w.slots = strtoul(argv[3], NULL, 10);
    if (w.slots < 1 || w.slots > SLOTS_MAX)
        return 2;
    for (int i = 4; i < argc; i++)
        handlers_add(&w, argv[i]);
    w.engine = chaos_engine_open(argv[0]);
    if (w.engine && worker_enter(&w)) {
        while (exchange(&w))
            continue;
        if (sw_worker_close(w.engine, &w.worker, &error) < 0)
            fprintf(stderr, "chaos: leaving: %s\n", error.message);
    }
    sw_engine_close(w.engine);
    return 0;
}
