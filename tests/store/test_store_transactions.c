/* Tests of transactions: what a rollback restores, what may be called when, and memory that runs
 * out at each point, on every store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "helper/store_script.h"

static void assert_dump(store_rig *rig, const sw__buf *expected)
{
    sw__buf dump = store_dump(rig);
    assert_string_equal((char *)dump.ptr, (char *)expected->ptr);
    sw__buf_free(&dump);
}

static void test_rollback_restores_everything(void **state)
{
    store_rig *rig = *state;
    store_fill(rig);
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(store_write_all(rig), SW_OK);
    sw__buf within = store_dump(rig);
    assert_string_not_equal((char *)within.ptr, (char *)before.ptr);
    store_rollback(rig);
    assert_dump(rig, &before);
    assert_int_equal(store_write_through(rig), SW_OK);
    assert_dump(rig, &within);
    sw__buf_free(&before);
    sw__buf_free(&within);
}

/* Payloads and salts are gone for good once that is committed, and not before. */
static void test_erasing_is_taken_back_or_done(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    const int64_t task_nos[] = {1, 2};
    const int64_t nobody = 99;
    bool clean = false;
    store_fill(rig);
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    assert_int_equal(ops->tasks_erase(rig->store, task_nos, 2, &rig->err), SW_OK);
    store_rollback(rig);
    assert_dump(rig, &before);
    store_begin(rig, true);
    assert_int_equal(ops->tasks_erase(rig->store, &nobody, 1, &rig->err), SW_ENOTFOUND);
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(ops->tasks_erase(rig->store, task_nos, 2, &rig->err), SW_OK);
    store_commit(rig);
    assert_int_equal(ops->scrub(rig->store, &clean, &rig->err), SW_OK);
    assert_true(clean);
    store_begin(rig, false);
    for (int64_t task_no = 1; task_no <= 2; task_no++) {
        sw__task_info info;
        assert_int_equal(ops->tasks_info(rig->store, &task_no, 1, rig->arena, &info, &rig->err),
                         SW_OK);
        assert_true(info.task_no == task_no && !info.input.ptr && sw__task_erased(&info));
        for (int64_t i = 0; i < 3; i++) {
            int64_t step_id = SW__STEP_ID(task_no, i);
            sw__payload result;
            sw__failure failure;
            assert_int_equal(
                ops->results_get(rig->store, &step_id, 1, rig->arena, &result, &rig->err), SW_OK);
            assert_int_equal(
                ops->failures_get(rig->store, &step_id, 1, rig->arena, &failure, &rig->err), SW_OK);
            assert_true(!result.body.ptr && failure.epoch == 0);
        }
    }
    store_rollback(rig);
    sw__buf_free(&before);
}

static void test_rollback_of_an_empty_store_leaves_it_empty(void **state)
{
    store_rig *rig = *state;
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    store_add_workflow(rig, "order", "1", 1);
    store_add_task(rig, "{}", 3);
    store_rollback(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

static void test_rollback_takes_repeated_changes_back(void **state)
{
    store_rig *rig = *state;
    store_fill(rig);
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < 4; i++)
            store_queue(rig, SW__STEP_ID(1 + round % 3, i), (round + i) % 5 - 2, round * i % 7);
        sw__worker_rec worker = {.worker_no = 1 + round % 3, .pid = round};
        assert_int_equal(rig->store->ops->worker_put(rig->store, &worker, &rig->err), SW_OK);
        assert_int_equal(rig->store->ops->worker_delete(rig->store, round % 4, &rig->err), SW_OK);
    }
    store_rollback(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

static void test_begin_ends_a_transaction_left_open(void **state)
{
    store_rig *rig = *state;
    sw__buf before = store_dump(rig);
    store_begin(rig, true);
    store_add_workflow(rig, "order", "1", 1);
    store_begin(rig, true);
    store_commit(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

static void test_rolled_back_numbers_are_given_out_again_and_no_others(void **state)
{
    store_rig *rig = *state;
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 1);
    store_commit(rig);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 2);
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 2);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 3);
    store_commit(rig);
}

static void test_rollback_without_a_transaction_does_nothing(void **state)
{
    store_rig *rig = *state;
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 1);
    store_commit(rig);
    store_rollback(rig);
    store_begin(rig, true);
    assert_int_equal(store_take(rig, SW__SEQUENCE_TASK), 2);
    store_commit(rig);
}

static void test_calls_outside_of_a_transaction_are_refused(void **state)
{
    store_rig *rig = *state;
    store_fill(rig);
    assert_int_equal(store_read_all(rig), SW_EPOISONED);
    assert_non_null(strstr(rig->err.message, "outside of its transaction"));
    assert_int_equal(store_write_all(rig), SW_EPOISONED);
    assert_int_equal(rig->store->ops->commit(rig->store, &rig->err), SW_EPOISONED);
}

/* Each writing verb by itself, with a row it would take. */
static void test_reading_transactions_do_not_write(void **state)
{
    store_rig *rig = *state;
    const sw__store_ops *ops = rig->store->ops;
    sw__store *store = rig->store;
    store_fill(rig);
    sw__buf before = store_dump(rig);
    sw__anchor anchor = {0};
    sw__workflow_rec workflow = {.workflow_no = 9, .digest = {9}};
    sw__lane_row lane = {.lane = 9, .queue = SW__LIT("q"), .handler = SW__LIT("h")};
    sw__task_hot task = {.task_no = 1};
    sw__task_info info = {.task_no = 1};
    sw__task_key key = {.scope = SW__LIT("key9"), .task_no = 1};
    sw__step_hot step = {.step_id = SW__STEP_ID(1, 0)};
    sw__payload result = {.step_id = SW__STEP_ID(1, 0)};
    sw__failure failure = {.step_id = SW__STEP_ID(1, 0), .epoch = 9};
    sw__worker_rec worker = {.worker_no = 9};
    sw__segment segment = {.segment_no = 9};
    int64_t first;
    store_begin(rig, false);
    assert_int_equal(store_read_all(rig), SW_OK);
    assert_int_equal(ops->anchor_put(store, &anchor, NULL), SW_EPOISONED);
    assert_int_equal(ops->sequence_take(store, SW__SEQUENCE_TASK, 1, &first, NULL), SW_EPOISONED);
    assert_int_equal(ops->workflows_put(store, &workflow, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->lanes_put(store, &lane, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->tasks_insert(store, &task, &info, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->tasks_update(store, &task, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->task_keys_put(store, &key, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->steps_insert(store, &step, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->steps_update(store, &step, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->results_put(store, &result, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->failures_put(store, &failure, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->worker_put(store, &worker, NULL), SW_EPOISONED);
    assert_int_equal(ops->worker_renew(store, 1, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->worker_delete(store, 1, NULL), SW_EPOISONED);
    assert_int_equal(ops->segment_put(store, &segment, NULL), SW_EPOISONED);
    store_commit(rig);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

/* Fail the writes' first allocation, their second, and so on, until none fails. */
static void assert_writes_survive_missing_memory(store_rig *rig, bool for_ever)
{
    sw__buf before = store_dump(rig);
    size_t nth = 0;
    int rc;
    do {
        sw__arena *kept = rig->arena;
        rig->arena = sw__arena_new(&rig->fault.env);
        store_begin(rig, true);
        fault_env_arm(&rig->fault, ++nth, for_ever);
        rc = store_write_all(rig);
        assert_int_equal(rc, rig->fault.failed ? SW_ENOMEM : SW_OK);
        store_rollback(rig);
        fault_env_arm(&rig->fault, 0, false);
        sw__arena_free(rig->arena);
        rig->arena = kept;
        assert_dump(rig, &before);
    } while (rc != SW_OK);
    assert_true(rig->kind == STORE_RIG_SQLITE || nth > 10);
    sw__buf_free(&before);
}

static void test_writes_survive_missing_memory(void **state)
{
    store_rig *rig = *state;
    store_fill(rig);
    assert_writes_survive_missing_memory(rig, false);
    assert_writes_survive_missing_memory(rig, true);
}

static void test_reads_survive_missing_memory(void **state)
{
    store_rig *rig = *state;
    size_t nth = 0;
    int rc;
    store_fill(rig);
    sw__buf before = store_dump(rig);
    do {
        sw__arena *kept = rig->arena;
        rig->arena = sw__arena_new(&rig->fault.env);
        store_begin(rig, false);
        fault_env_arm(&rig->fault, ++nth, true);
        rc = store_read_all(rig);
        assert_int_equal(rc, rig->fault.failed ? SW_ENOMEM : SW_OK);
        fault_env_arm(&rig->fault, 0, false);
        store_commit(rig);
        sw__arena_free(rig->arena);
        rig->arena = kept;
    } while (rc != SW_OK);
    assert_true(nth > 3);
    assert_dump(rig, &before);
    sw__buf_free(&before);
}

static int open_and_close(const sw_env *env, void *context)
{
    store_rig *rig = context;
    sw__store_options options = store_rig_options(rig);
    options.env = env;
    sw__store *store = NULL;
    int rc = rig->kind == STORE_RIG_SQLITE ? sw__store_sqlite_open(&options, &store, NULL)
                                           : sw__store_memory_open(&options, &store, NULL);
    if (rc == SW_OK)
        store->ops->close(store);
    else
        assert_null(store);
    return rc;
}

static void test_opening_survives_missing_memory(void **state)
{
    store_rig *rig = *state;
    fault_env fault;
    fault_env_init(&fault);
    fault_env_each(&fault, open_and_close, rig);
    assert_int_equal(fault.live, 0);
}

static int yield_count;

static void count_yield(void *context, const char *place)
{
    (void)context;
    assert_memory_equal(place, "store.", 6);
    yield_count++;
}

static void test_every_call_yields(void **state)
{
    store_rig *rig = *state;
    int64_t version;
    store_fill(rig);
    yield_count = 0;
    rig->fault.env.yield = count_yield;
    store_begin(rig, true);
    assert_int_equal(store_write_all(rig), SW_OK);
    assert_int_equal(store_read_all(rig), SW_OK);
    store_rollback(rig);
    assert_int_equal(rig->store->ops->version(rig->store, &version, &rig->err), SW_OK);
    rig->fault.env.yield = NULL;
    assert_true(yield_count >= 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_rollback_restores_everything),
        STORE_TEST(test_erasing_is_taken_back_or_done),
        STORE_TEST(test_rollback_of_an_empty_store_leaves_it_empty),
        STORE_TEST(test_rollback_takes_repeated_changes_back),
        STORE_TEST(test_begin_ends_a_transaction_left_open),
        STORE_TEST(test_rolled_back_numbers_are_given_out_again_and_no_others),
        STORE_TEST(test_rollback_without_a_transaction_does_nothing),
        STORE_TEST(test_calls_outside_of_a_transaction_are_refused),
        STORE_TEST(test_reading_transactions_do_not_write),
        STORE_TEST(test_writes_survive_missing_memory),
        STORE_TEST(test_reads_survive_missing_memory),
        STORE_TEST(test_opening_survives_missing_memory),
        STORE_TEST(test_every_call_yields),
    };
    return cmocka_run_group_tests_name("store_transactions", tests, NULL, NULL);
}
