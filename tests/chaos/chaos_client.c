/* Clients in C: one that submits tasks and keeps a ledger, one that asks how many have not ended.
 *
 * Task number n has the key "k<n>", except each fourth, which has none, and an input whose length
 * depends on n. Several clients may be
 * given the same numbers, and one that was killed begins again a little earlier, so that keys are
 * submitted twice.
 */
#include "chaos.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MAX 5
#define PADDING_MAX 65536
#define BACKLOG_NAP_MS 5
#define PAUSE_MS 10

typedef struct order {
    sw_engine *engine;
    sw_workflow **workflows;
    size_t workflow_count;
    int padding_max;
    char keys[BATCH_MAX][32];
    char inputs[BATCH_MAX][PADDING_MAX + 64];
} order;

/* Tasks that have not ended, or -1. */
static int64_t tasks_open(sw_engine *engine, sw_error *error)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t sum = 0;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int rc = sw_task_count(engine, &filter, counts, error);
    if (rc < 0)
        return rc;
    for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
        sum += sw_task_state_terminal(state) ? 0 : counts[state];
    return sum;
}

static void row_fill(order *o, sw_task_submit_row *row, size_t slot, int64_t number)
{
    char *input = o->inputs[slot];
    int length = sprintf(input, "{\"n\":%lld,\"padding\":\"", (long long)number);
    int padding = (int)(number * 7919 % (o->padding_max + 1));
    memset(input + length, 'x', (size_t)padding);
    strcpy(input + length + padding, "\"}");
    *row = (sw_task_submit_row){
        .workflow = sw_workflow_name(o->workflows[(size_t)number % o->workflow_count]),
        .input = chaos_str(input),
    };
    strcpy(o->keys[slot], "-");
    if (number % 4 != 3) {
        snprintf(o->keys[slot], sizeof(o->keys[slot]), "k%lld", (long long)number);
        row->key = chaos_str(o->keys[slot]);
    }
}

/* Tasks first to first + count - 1, in one call. false: stop. */
static bool batch_submit(order *o, int64_t first, size_t count)
{
    char task[37];
    sw_error error;
    sw_result *answer = NULL;
    sw_task_submit_row rows[BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        row_fill(o, &rows[i], i, first + (int64_t)i);
    chaos_ledger_put("ask %lld %zu", (long long)first, count);
    int rc;
    do {
        rc = sw_task_submit(o->engine, rows, count, &answer, &error);
    } while (chaos_again("submitting", rc, &error));
    const sw_task_submitted *submitted = sw_task_submissions(answer, &count);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        sw_uuid_format(&submitted[i].task_id, task);
        chaos_ledger_put("got %s %s %s", o->keys[i], task, submitted[i].created ? "new" : "known");
    }
    sw_result_free(answer);
    return rc == SW_OK;
}

static bool backlog_wait(sw_engine *engine, int64_t backlog)
{
    sw_error error;
    int64_t open = 0;
    do {
        open = tasks_open(engine, &error);
        if (open < 0 && !chaos_again("counting", (int)open, &error))
            return false;
        if (open >= backlog)
            chaos_nap_ms(BACKLOG_NAP_MS);
    } while ((open < 0 || open >= backlog) && !chaos_stopping());
    return !chaos_stopping();
}

static bool workflows_register(order *o)
{
    sw_error error;
    int rc;
    do {
        rc = sw_workflow_register(o->engine, (const sw_workflow *const *)o->workflows,
                                  o->workflow_count, &error);
    } while (chaos_again("registering", rc, &error));
    return rc == SW_OK;
}

int chaos_submit(int argc, char **argv)
{
    static order o;
    chaos_ledger_open(argv[1]);
    int64_t next = strtoll(argv[2], NULL, 10);
    int64_t last = strtoll(argv[3], NULL, 10);
    int64_t backlog = strtoll(argv[4], NULL, 10);
    o.padding_max = atoi(argv[5]);
    o.workflow_count = (size_t)argc - 6;
    o.workflows = calloc(o.workflow_count, sizeof(*o.workflows));
    if (o.padding_max < 0 || o.padding_max > PADDING_MAX || !o.workflows)
        return 2;
    for (size_t i = 0; i < o.workflow_count; i++)
        o.workflows[i] = chaos_workflow_load(argv[6 + i]);
    o.engine = chaos_engine_open(argv[0]);
    if (o.engine && workflows_register(&o)) {
        while (next <= last && backlog_wait(o.engine, backlog)) {
            size_t count = (size_t)(next % BATCH_MAX) + 1;
            if (!batch_submit(&o, next, count))
                break;
            next += (int64_t)count;
            chaos_nap_ms(PAUSE_MS);
        }
    }
    sw_engine_close(o.engine);
    return 0;
}

int chaos_left(int argc, char **argv)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    (void)argc;
    options.store = chaos_str(argv[0]);
    options.must_exist = 1;
    chaos_must("opening the store", sw_engine_open(&options, &engine, &error), &error);
    int64_t open = tasks_open(engine, &error);
    chaos_must("counting", open < 0 ? (int)open : 0, &error);
    printf("%lld\n", (long long)open);
    sw_engine_close(engine);
    return 0;
}
