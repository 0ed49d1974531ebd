/* The same random transactions on both stores must give the same answers and leave the same rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_rig.h"

#define PAIR_BATCH 12

typedef struct pair {
    store_rig rigs[STORE_RIG_COUNT];
    uint64_t random; /* state of the generator */
    int64_t tasks;   /* numbers to choose from; a few above are not stored */
    int64_t segments;
} pair;

/* The generator of Vigna's SplitMix64. */
static uint64_t pair_draw(pair *p, uint64_t below)
{
    uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % below;
}

static int64_t draw_number(pair *p, int64_t first, int64_t last)
{
    return first + (int64_t)pair_draw(p, (uint64_t)(last - first + 1));
}

static sw_str draw_text(pair *p)
{
    static const sw_str texts[] = {{NULL, 0},          SW__LIT(""),       SW__LIT("a"),
                                   SW__LIT("b\0c"),    SW__LIT("[\"\"]"), SW__LIT("[\"t\",\"u\"]"),
                                   SW__LIT("\xff\"%"), SW__LIT("_")};
    return texts[pair_draw(p, sizeof(texts) / sizeof(texts[0]))];
}

/* A text that is long enough for a blob, one of three. */
static sw_str draw_long(pair *p)
{
    static char text[4200];
    size_t kind = pair_draw(p, 3);
    memset(text, 'a' + (int)kind, sizeof(text));
    return (sw_str){text, kind == 0 ? sizeof(text) : 4095 + kind};
}

static sw_str draw_payload(pair *p)
{
    return pair_draw(p, 12) == 0 ? draw_long(p) : draw_text(p);
}

static int64_t draw_step(pair *p)
{
    return SW__STEP_ID(draw_number(p, 1, p->tasks + 1), draw_number(p, 0, 6));
}

/* Make one call on both stores, with `ops` and `store` in scope; the answers must agree. */
#define PAIR_CALL(p, call)                                                                         \
    pair_agree((p), __extension__({                                                                \
                   int codes[STORE_RIG_COUNT];                                                     \
                   for (int at = 0; at < STORE_RIG_COUNT; at++) {                                  \
                       store_rig *rig = &(p)->rigs[at];                                            \
                       sw__store *store = rig->store;                                              \
                       const sw__store_ops *ops = store->ops;                                      \
                       rig->err.row = -1;                                                          \
                       codes[at] = (call);                                                         \
                   }                                                                               \
                   codes[0] == codes[1] ? codes[0] : 1;                                            \
               }))

static int pair_agree(pair *p, int code)
{
    if (code == 1)
        fail_msg("stores disagree: memory '%s', sqlite '%s'", p->rigs[0].err.message,
                 p->rigs[1].err.message);
    if (code < 0)
        assert_int_equal(p->rigs[0].err.row, p->rigs[1].err.row);
    return code;
}

static int act_number(pair *p)
{
    sw__anchor anchor = {.boot_us = draw_number(p, 0, 99)};
    sw__sequence sequence = (sw__sequence)pair_draw(p, SW__SEQUENCE_COUNT);
    int64_t count = draw_number(p, 0, 5);
    int64_t first[STORE_RIG_COUNT] = {0};
    if (pair_draw(p, 4) == 0)
        return PAIR_CALL(p, ops->anchor_put(store, &anchor, &rig->err));
    int rc = PAIR_CALL(p, ops->sequence_take(store, sequence, count, &first[at], &rig->err));
    assert_int_equal(first[0], first[1]);
    return rc;
}

static int act_definition(pair *p)
{
    sw__workflow_rec row = {
        .workflow_no = draw_number(p, 1, 12),
        .name = draw_text(p),
        .version = draw_text(p),
        .digest = {(uint8_t)pair_draw(p, 12)},
        .json = draw_text(p),
        .registered_us = draw_number(p, 0, 20),
    };
    sw__lane_row lane = {.lane = draw_number(p, 2, 16),
                         .queue = draw_text(p),
                         .handler = draw_text(p),
                         .breaker = draw_text(p)};
    sw__breaker_rec breaker = {.breaker_no = draw_number(p, 1, 6)};
    breaker.row.settings.name = (sw_str){&"0123456"[breaker.breaker_no], 1};
    breaker.row.state = (int32_t)draw_number(p, 0, 3);
    breaker.row.error_class = draw_text(p);
    if (pair_draw(p, 3) == 0)
        return PAIR_CALL(p, ops->breakers_put(store, &breaker, 1, &rig->err));
    if (pair_draw(p, 2) == 0)
        return PAIR_CALL(p, ops->workflows_put(store, &row, 1, &rig->err));
    return PAIR_CALL(p, ops->lanes_put(store, &lane, 1, &rig->err));
}

static int act_submit(pair *p)
{
    sw__task_hot hot = {.task_no = draw_number(p, p->tasks, p->tasks + 1),
                        .workflow_no = draw_number(p, 1, 12),
                        .state = (int32_t)pair_draw(p, SW_TASK_STATE_COUNT),
                        .created_us = draw_number(p, 0, 99)};
    sw__task_info info = {.task_no = hot.task_no,
                          .input = draw_payload(p),
                          .key = draw_text(p),
                          .initiator = draw_text(p),
                          .reason = draw_text(p),
                          .correlation_id = draw_text(p),
                          .tags = draw_text(p)};
    sw__step_hot steps[6] = {{0}};
    size_t first = pair_draw(p, 2);
    size_t count = pair_draw(p, 6);
    hot.task_id = store_uuid(hot.task_no);
    for (size_t i = 0; i < count; i++) {
        steps[i].step_id = SW__STEP_ID(hot.task_no, first + i * (1 + pair_draw(p, 10) / 9));
        steps[i].lane = draw_number(p, -2, 6);
        steps[i].rank = draw_number(p, -3, 3);
        if (i > 0 && steps[i].step_id <= steps[i - 1].step_id)
            steps[i].step_id = steps[i - 1].step_id + 1;
    }
    int rc = PAIR_CALL(p, ops->tasks_insert(store, &hot, &info, 1, &rig->err));
    if (rc == SW_OK)
        rc = PAIR_CALL(p, ops->steps_insert(store, steps, count, &rig->err));
    if (rc == SW_OK && hot.task_no > p->tasks)
        p->tasks = hot.task_no;
    return rc;
}

static int act_task(pair *p)
{
    char scope[] = {'k', 'e', 'y', (char)('0' + pair_draw(p, 10)), '\0'};
    sw__task_key key = {.scope = sw__str(scope),
                        .task_no = draw_number(p, 1, 99),
                        .input_digest = {(uint8_t)pair_draw(p, 256)}};
    sw__task_hot row = {.task_no = draw_number(p, 1, p->tasks),
                        .workflow_no = draw_number(p, 1, 12),
                        .state = (int32_t)pair_draw(p, SW_TASK_STATE_COUNT),
                        .fatal = (int32_t)pair_draw(p, 9),
                        .changed_us = draw_number(p, 0, 99)};
    row.counts[pair_draw(p, SW_STEP_STATE_COUNT)] = (int32_t)pair_draw(p, 1000);
    if (pair_draw(p, 3) == 0)
        return PAIR_CALL(p, ops->task_keys_put(store, &key, 1, &rig->err));
    return PAIR_CALL(p, ops->tasks_update(store, &row, 1, &rig->err));
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Update those of some random steps that are there. */
static int act_steps(pair *p)
{
    int64_t ids[PAIR_BATCH];
    sw__step_hot rows[STORE_RIG_COUNT][PAIR_BATCH];
    size_t count = pair_draw(p, PAIR_BATCH + 1);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        ids[i] = draw_step(p);
    qsort(ids, count, sizeof(ids[0]), compare_ids);
    int rc = PAIR_CALL(p, ops->steps_get(store, ids, count, rows[at], &rig->err));
    assert_memory_equal(rows[0], rows[1], count * sizeof(rows[0][0]));
    for (size_t i = 0; i < count; i++) {
        sw__step_hot *row = &rows[0][kept];
        *row = rows[0][i];
        if (row->step_id < 0 || (kept > 0 && rows[0][kept - 1].step_id == row->step_id))
            continue;
        row->state = (int32_t)pair_draw(p, SW_STEP_STATE_COUNT);
        row->epoch++;
        if (pair_draw(p, 3) > 0)
            row->lane = draw_number(p, -3, 6);
        if (pair_draw(p, 3) > 0)
            row->rank = draw_number(p, -5, 5);
        kept++;
    }
    if (rc == SW_OK)
        rc = PAIR_CALL(p, ops->steps_update(store, rows[0], kept, &rig->err));
    return rc;
}

static int act_payload(pair *p)
{
    sw__step_hot found;
    int64_t id = draw_step(p);
    sw__payload result = {
        .step_id = id, .body = draw_payload(p), .salt = {(uint8_t)pair_draw(p, 9)}};
    sw__failure failure = {.step_id = id,
                           .epoch = draw_number(p, 1, 5),
                           .error_class = draw_text(p),
                           .message = draw_text(p),
                           .detail = draw_text(p)};
    int rc = PAIR_CALL(p, ops->steps_get(store, &id, 1, &found, &rig->err));
    if (rc < 0 || found.step_id < 0)
        return rc;
    if (pair_draw(p, 2) == 0)
        return PAIR_CALL(p, ops->results_put(store, &result, 1, &rig->err));
    return PAIR_CALL(p, ops->failures_put(store, &failure, 1, &rig->err));
}

/* Take one or two tasks out, whatever lines their steps stand in. */
static int act_delete(pair *p)
{
    bool left[STORE_RIG_COUNT] = {true, true};
    int64_t task_nos[2] = {draw_number(p, 1, p->tasks), p->tasks + 1};
    int64_t step_max = draw_number(p, 1, 4);
    if (pair_draw(p, 4) > 0)
        return SW_OK;
    task_nos[1] = draw_number(p, task_nos[0] + 1, p->tasks + 1);
    size_t count = 1 + pair_draw(p, 2);
    int rc = PAIR_CALL(p, ops->tasks_delete(store, task_nos, count, &rig->err));
    if (rc < 0)
        return rc == SW_ENOTFOUND ? SW_ECONFLICT : rc; /* some were taken out: only undone */
    while (left[0] || left[1])
        PAIR_CALL(p, ops->rests_delete(store, step_max, &left[at], &rig->err));
    return rc;
}

static int act_worker(pair *p)
{
    sw__worker_rec row = {.worker_no = draw_number(p, 1, 8),
                          .name = draw_text(p),
                          .host = draw_text(p),
                          .handlers = draw_text(p),
                          .queues = draw_text(p),
                          .watched = (int32_t)pair_draw(p, 2),
                          .lease_until_us = draw_number(p, 0, 99)};
    switch (pair_draw(p, 3)) {
    case 0:
        return PAIR_CALL(p, ops->worker_put(store, &row, &rig->err));
    case 1:
        return PAIR_CALL(p, ops->worker_delete(store, row.worker_no, &rig->err));
    default:
        return PAIR_CALL(p, ops->worker_renew(store, row.worker_no, row.lease_until_us, &rig->err));
    }
}

static int act_segment(pair *p)
{
    sw__segment row = {.segment_no = p->segments + draw_number(p, 0, 3) / 3 + 1,
                       .entry_first = p->segments * 4 + 1,
                       .entry_count = 4,
                       .body = draw_text(p)};
    int rc = PAIR_CALL(p, ops->segment_put(store, &row, &rig->err));
    if (rc == SW_OK)
        p->segments = row.segment_no;
    return rc;
}

static int act_read(pair *p)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_hot *rows[STORE_RIG_COUNT] = {NULL};
    size_t count[STORE_RIG_COUNT] = {0};
    int64_t counts[STORE_RIG_COUNT][SW_TASK_STATE_COUNT];
    sw__task_range range = {.above = draw_number(p, -1, p->tasks),
                            .below = draw_number(p, 0, p->tasks),
                            .rising = pair_draw(p, 2)};
    filter.state = (int32_t)draw_number(p, -1, SW_TASK_STATE_COUNT - 1);
    filter.limit = draw_number(p, 0, 5);
    if (pair_draw(p, 2))
        filter.workflow = draw_text(p);
    if (pair_draw(p, 2))
        filter.correlation_id = draw_text(p);
    if (pair_draw(p, 2))
        filter.tag = draw_text(p);
    int rc = PAIR_CALL(
        p, ops->tasks_list(store, &filter, range, rig->arena, &rows[at], &count[at], &rig->err));
    assert_int_equal(count[0], count[1]);
    for (size_t i = 0; i < count[0]; i++)
        assert_int_equal(rows[0][i].task_no, rows[1][i].task_no);
    if (rc == SW_OK)
        rc = PAIR_CALL(p, ops->tasks_count(store, &filter, range, counts[at], &rig->err));
    assert_memory_equal(counts[0], counts[1], sizeof(counts[0]));
    return rc;
}

static int act_scan(pair *p)
{
    sw__queued rows[STORE_RIG_COUNT][8];
    size_t count[STORE_RIG_COUNT] = {0};
    int64_t lane = draw_number(p, -3, 6);
    int64_t rank_max = draw_number(p, -6, 6);
    size_t limit = pair_draw(p, 9);
    int rc = PAIR_CALL(
        p, ops->queue_scan(store, lane, rank_max, rows[at], limit, &count[at], &rig->err));
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(rows[0], rows[1], count[0] * sizeof(rows[0][0]));
    return rc;
}

static int act_scan_after(pair *p)
{
    sw__queued rows[STORE_RIG_COUNT][8];
    size_t count[STORE_RIG_COUNT] = {0};
    memset(rows, 0, sizeof(rows));
    int64_t lane = draw_number(p, -1, 4);
    sw__queued after = {.step_id = draw_number(p, 0, 3) << SW__STEP_BITS,
                        .rank = draw_number(p, -6, 6)};
    int64_t rank_max = draw_number(p, -6, 6);
    size_t limit = pair_draw(p, 9);
    int rc = PAIR_CALL(
        p, ops->queue_after(store, lane, after, rank_max, rows[at], limit, &count[at], &rig->err));
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(rows[0], rows[1], count[0] * sizeof(rows[0][0]));
    return rc;
}

static int (*const acts[])(pair *p) = {
    act_number,  act_definition, act_submit, act_task,    act_steps, act_steps, act_steps,
    act_payload, act_delete,     act_worker, act_segment, act_read,  act_scan,  act_scan_after};

/* A transaction of up to 20 acts; on an error, and now and then without one, it is undone. */
static void pair_transact(pair *p)
{
    int64_t tasks = p->tasks;
    int64_t segments = p->segments;
    int rc = SW_OK;
    for (int at = 0; at < STORE_RIG_COUNT; at++)
        store_begin(&p->rigs[at], true);
    for (size_t left = 1 + pair_draw(p, 20); left > 0 && (rc == SW_OK || rc == SW_ENOTFOUND);
         left--)
        rc = acts[pair_draw(p, sizeof(acts) / sizeof(acts[0]))](p);
    bool keep = (rc == SW_OK || rc == SW_ENOTFOUND) && pair_draw(p, 4) > 0;
    for (int at = 0; at < STORE_RIG_COUNT; at++) {
        if (keep)
            store_commit(&p->rigs[at]);
        else
            store_rollback(&p->rigs[at]);
    }
    if (!keep) {
        p->tasks = tasks;
        p->segments = segments;
    }
}

static void pair_compare(pair *p, uint64_t seed)
{
    sw__buf memory = store_dump(&p->rigs[STORE_RIG_MEMORY]);
    sw__buf sqlite = store_dump(&p->rigs[STORE_RIG_SQLITE]);
    if (strcmp((char *)memory.ptr, (char *)sqlite.ptr) != 0) {
        printf("--- memory\n%s--- sqlite\n%s", (char *)memory.ptr, (char *)sqlite.ptr);
        fail_msg("seed %llu: the stores differ", (unsigned long long)seed);
    }
    sw__buf_free(&memory);
    sw__buf_free(&sqlite);
}

static void pair_play(uint64_t seed, int transactions)
{
    pair p = {.random = seed, .tasks = 1};
    for (int at = 0; at < STORE_RIG_COUNT; at++)
        store_rig_open(&p.rigs[at], (store_rig_kind)at);
    for (int i = 0; i < transactions; i++) {
        pair_transact(&p);
        if (pair_draw(&p, 10) == 0)
            pair_compare(&p, seed);
        if (pair_draw(&p, 40) == 0)
            store_rig_reopen(&p.rigs[STORE_RIG_SQLITE]);
    }
    pair_compare(&p, seed);
    for (int at = 0; at < STORE_RIG_COUNT; at++)
        store_rig_close(&p.rigs[at]);
}

static void test_both_stores_do_the_same(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        pair_play(seed, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_both_stores_do_the_same)};
    return cmocka_run_group_tests_name("store_random", tests, NULL, NULL);
}
