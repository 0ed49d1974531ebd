/* The ledger and the workloads; see ledger.h. */
#include "sim/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ledger_init(ledger *l, world *w)
{
    memset(l, 0, sizeof *l);
    l->world = w;
    l->harness.world = w;
    l->harness.role = "harness";
    l->harness.env = w->actors[0].env;
    l->harness.env.context = &l->harness;
    heap_init(&l->harness.heap);
    disk_init(&l->disk, w);
}

void ledger_free(ledger *l)
{
    heap_drop(&l->harness.heap);
    disk_free(&l->disk);
    free(l->claims);
}

/* Workloads. */

static int shape_step(ledger_shape *shape, int at, int index, choice *c)
{
    static const char *const policies[] = {"block", "continue", "fail_task"};
    static const int codes[] = {SW_ON_FAILURE_BLOCK, SW_ON_FAILURE_CONTINUE,
                                SW_ON_FAILURE_FAIL_TASK};
    uint32_t policy = choice_draw(c, 6) % 3;
    uint32_t attempts = 1 + choice_draw(c, 4);
    uint32_t base_ms = choice_draw(c, 3) * 80;
    uint32_t timeout_ms = choice_once_in(c, 4) ? 900 : 0;
    char *text = shape->text;
    size_t room = sizeof shape->text;
    shape->on_failure[index] = codes[policy];
    shape->max_attempts[index] = (int)attempts;
    at += snprintf(text + at, room - (size_t)at,
                   "%s{\"name\":\"%c\",\"on_failure\":\"%s\",\"timeout_ms\":%u,\"retry\":"
                   "{\"max_attempts\":%u,\"backoff\":\"linear\",\"base_ms\":%u},\"after\":[",
                   index ? "," : "", 'a' + index, policies[policy], timeout_ms, attempts, base_ms);
    for (int from = 0, first = 1; from < index; from++) {
        if (choice_draw(c, 2) == 0)
            continue;
        shape->after[index] |= 1u << from;
        at += snprintf(text + at, room - (size_t)at, "%s\"%c\"", first ? "" : ",", 'a' + from);
        first = 0;
    }
    return at + snprintf(text + at, room - (size_t)at, "]}");
}

static void shape_draw(ledger_shape *shape, int number, choice *c)
{
    snprintf(shape->name, sizeof shape->name, "w%d", number);
    shape->step_count = 1 + (int)choice_draw(c, LEDGER_STEPS);
    int at = snprintf(shape->text, sizeof shape->text,
                      "{\"stepwell\":1,\"name\":\"%s\",\"steps\":[", shape->name);
    for (int i = 0; i < shape->step_count; i++)
        at = shape_step(shape, at, i, c);
    snprintf(shape->text + at, sizeof shape->text - (size_t)at, "]}");
}

void ledger_draw(ledger *l)
{
    choice *c = &l->world->choice;
    for (int i = 0; i < LEDGER_SHAPES; i++)
        shape_draw(&l->shapes[i], i, c);
    l->task_count = 1 + (int)choice_draw(c, LEDGER_TASKS);
    for (int i = 0; i < l->task_count; i++) {
        snprintf(l->tasks[i].key, sizeof l->tasks[i].key, "key-%d", i);
        l->tasks[i].shape = (int)choice_draw(c, LEDGER_SHAPES);
    }
    l->lease_ms = 300 + (int64_t)choice_draw(c, 4) * 700;
    l->rare_settings = choice_once_in(c, 4);
}

/* Names and results. */

int ledger_step(sw_str name)
{
    return name.len == 1 && name.ptr[0] >= 'a' && name.ptr[0] < 'a' + LEDGER_STEPS
               ? name.ptr[0] - 'a'
               : -1;
}

sw_str ledger_result(char text[64], int64_t step_id, int64_t epoch)
{
    int size =
        snprintf(text, 64, "{\"step\":%lld,\"epoch\":%lld}", (long long)step_id, (long long)epoch);
    return (sw_str){text, (size_t)size};
}

/* Claims. */

ledger_claim *ledger_find(const ledger *l, int64_t step_id, int64_t epoch)
{
    for (size_t i = l->claim_count; i > 0; i--) {
        if (l->claims[i - 1].step_id == step_id && l->claims[i - 1].epoch == epoch)
            return &l->claims[i - 1];
    }
    return NULL;
}

/* Deliveries may come late, after somebody else took over; but one epoch has one holder. */
static void ledger_check_claim(ledger *l, const sw_step_claim *claim)
{
    if (ledger_find(l, claim->step_id, claim->epoch))
        world_violate(l->world, "O3", "epoch %lld of step %lld was handed out twice",
                      (long long)claim->epoch, (long long)claim->step_id);
}

void ledger_claimed(ledger *l, const actor *worker, const sw_step_claim *claim)
{
    ledger_check_claim(l, claim);
    if (l->claim_count == l->claim_capacity) {
        l->claim_capacity = l->claim_capacity ? l->claim_capacity * 2 : 64;
        l->claims = realloc(l->claims, l->claim_capacity * sizeof *l->claims);
        if (!l->claims)
            abort();
    }
    l->claims[l->claim_count++] = (ledger_claim){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .worker = worker->index,
        .life = worker->life,
    };
}

void ledger_answered(ledger *l, const sw_step_outcome *row, const sw_step_applied *applied)
{
    ledger_claim *claim = ledger_find(l, row->step_id, row->epoch);
    if (applied->step_id != row->step_id)
        world_violate(l->world, "O8", "the answer to a report of step %lld is about step %lld",
                      (long long)row->step_id, (long long)applied->step_id);
    if (applied->status == SW_ROW_FENCED) {
        l->fenced++;
        return;
    }
    if (row->outcome == SW_OUTCOME_SUCCEEDED && claim) {
        if (applied->state != SW_STEP_SUCCEEDED || applied->epoch != row->epoch)
            world_violate(l->world, "O1", "step %lld succeeded, but the answer says %s",
                          (long long)row->step_id, sw_step_state_name(applied->state));
        claim->succeeded = ++l->acknowledged;
    }
}
