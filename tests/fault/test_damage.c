/* Databases whose rows were edited: each damage that makes a number useless ends in an error that
 * says so, from every call that would reckon with the number, and in no other way.
 *
 * Not here: damaged pages (tests/store), random damage (tests/fuzz), and edits that leave every
 * number possible, which the audit log shows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "helper/live.h"
#include "helper/rig.h"

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":2}},"
    "{\"name\":\"b\",\"after\":[\"a\"],\"on_failure\":\"fail_task\"}]}";

typedef struct damage {
    rig r;
    char folder[64];
    char path[96];
    sw_uuid task; /* its step a runs */
    sw_worker_ref worker;
} damage;

/* A task whose first step runs, and some that are untouched; then the engine ends without a word.
 */
static int damage_make(void **state, int untouched)
{
    static damage d;
    sw_result *result = NULL;
    size_t count = 0;
    sw_str tags[] = {SW__LIT("red")};
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .key = SW__LIT("key"), .tags = tags};
    row.tag_count = 1;
    live_directory_make_fast(d.folder);
    snprintf(d.path, sizeof d.path, "%s/damage.db", d.folder);
    rig_open(&d.r, d.path, definition);
    d.worker = rig_worker(&d.r, 60000);
    assert_int_equal(sw_task_submit(d.r.engine, &row, 1, &result, &d.r.error), SW_OK);
    d.task = sw_task_submissions(result, &count)[0].task_id;
    sw_result_free(result);
    rig_claims(&d.r, &d.worker, "a");
    for (int i = 0; i < untouched; i++)
        rig_submit(&d.r);
    rig_close(&d.r);
    *state = &d;
    return 0;
}

static int damage_open(void **state)
{
    return damage_make(state, 1);
}

static int damage_open_many(void **state)
{
    return damage_make(state, 5);
}

static int damage_close(void **state)
{
    live_directory_remove(((damage *)*state)->folder);
    return 0;
}

static void damage_edit(const damage *d, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(d->path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Calls. Each answers its code; a result would be an answer made of damaged rows. */

static int use_get(damage *d)
{
    sw_result *result = NULL;
    int rc = sw_task_get(d->r.engine, &d->task, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_list(damage *d)
{
    sw_result *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int rc = sw_task_list(d->r.engine, &filter, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_explain(damage *d)
{
    sw_result *result = NULL;
    int rc = sw_step_explain(d->r.engine, &d->task, (sw_str){0}, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_context(damage *d)
{
    sw_result *result = NULL;
    int rc = sw_task_context(d->r.engine, &d->task, 1, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_readiness(damage *d)
{
    sw_result *result = NULL;
    int rc = sw_step_readiness(d->r.engine, &d->task, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

/* Of the step that runs. */
static int use_override(damage *d)
{
    sw_result *result = NULL;
    sw_step_override_row row = {.step_id = INT64_C(1) << 20,
                                .state = SW_STEP_CANCELLED,
                                .actor = SW__LIT("ann"),
                                .reason = SW__LIT("damaged")};
    int rc = sw_step_override(d->r.engine, &row, 1, SW_BATCH_PARTIAL, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_picture(damage *d)
{
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.marks = SW_PICTURE_CRITICAL;
    int rc = sw_task_picture(d->r.engine, &options, NULL, &d->task, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_gantt(damage *d)
{
    sw_result *result = NULL;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    int rc = sw_task_gantt(d->r.engine, &options, &d->task, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_forecast(damage *d)
{
    sw_result *result = NULL;
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    int rc = sw_task_forecast(d->r.engine, &options, &d->task, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_workers(damage *d)
{
    sw_result *result = NULL;
    int rc = sw_worker_list(d->r.engine, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

/* The same key again: the answer is the task that is there. */
static int use_submit(damage *d)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .key = SW__LIT("key")};
    int rc = sw_task_submit(d->r.engine, &row, 1, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_submit_new(damage *d)
{
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w")};
    int rc = sw_task_submit(d->r.engine, &row, 1, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_cancel(damage *d)
{
    sw_cancel_row row = {.task_id = d->task};
    return sw_task_cancel(d->r.engine, &row, 1, &d->r.error);
}

/* A worker that claims what there is; the first worker's lease may be over. */
static int use_exchange(damage *d)
{
    sw_result *result = NULL;
    sw_worker_ref worker;
    sw_str handlers[] = {SW__LIT("w.a"), SW__LIT("w.b")};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    int rc = sw_worker_open(d->r.engine, &options, &worker, &d->r.error);
    if (rc == SW_OK)
        rc = sw_step_exchange(d->r.engine, &worker, NULL, 0, 9, 0, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

static int use_exchange_later(damage *d)
{
    fault_env_advance(&d->r.fault, 61 * 1000000);
    return use_exchange(d);
}

/* The outcome of the attempt that was running. */
static int use_report(damage *d)
{
    sw_result *result = NULL;
    sw_step_outcome row = {.step_id = INT64_C(1) << 20, .epoch = 1};
    int rc = sw_step_update_batch(d->r.engine, &row, 1, &result, &d->r.error);
    sw_result_free(result);
    return rc;
}

typedef struct damage_case {
    const char *sql;
    int (*use)(damage *d);
    int code;
} damage_case;

static void assert_damage(damage *d, const damage_case *one)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    damage_edit(d, one->sql);
    fault_env_init(&d->r.fault);
    options.store = sw__str(d->path);
    options.env = &d->r.fault.env;
    assert_int_equal(sw_engine_open(&options, &d->r.engine, &d->r.error), SW_OK);
    int rc = one->use(d);
    if (rc != one->code)
        fail_msg("%s: %s instead of %s", one->sql, sw_code_name(rc), sw_code_name(one->code));
    if (rc < 0)
        assert_int_not_equal(d->r.error.message[0], '\0');
    sw_engine_close(d->r.engine);
    assert_int_equal(d->r.fault.live, 0);
}

static void assert_damages(damage *d, const damage_case *cases, size_t count)
{
    void *state = d;
    for (size_t i = 0; i < count; i++) {
        assert_damage(d, &cases[i]);
        damage_close(&state);
        damage_open(&state);
    }
}

#define ASSERT_DAMAGES(state, cases)                                                               \
    assert_damages(*(state), cases, sizeof(cases) / sizeof((cases)[0]))

/* That the calls succeed when nothing is damaged, so that they can fail. */
static void test_untouched_rows_serve_every_call(void **state)
{
    static const damage_case cases[] = {
        {"SELECT 1", use_get, SW_OK},        {"SELECT 1", use_list, SW_OK},
        {"SELECT 1", use_explain, SW_OK},    {"SELECT 1", use_context, SW_OK},
        {"SELECT 1", use_readiness, SW_OK},  {"SELECT 1", use_override, SW_OK},
        {"SELECT 1", use_explain, SW_OK},    {"SELECT 1", use_forecast, SW_OK},
        {"SELECT 1", use_workers, SW_OK},    {"SELECT 1", use_submit, SW_OK},
        {"SELECT 1", use_submit_new, SW_OK}, {"SELECT 1", use_cancel, SW_OK},
        {"SELECT 1", use_exchange, SW_OK},   {"SELECT 1", use_exchange_later, SW_OK},
        {"SELECT 1", use_report, SW_OK},
    };
    ASSERT_DAMAGES(state, cases);
}

static void test_steps(void **state)
{
    static const damage_case cases[] = {
        {"UPDATE step SET state = 9", use_get, SW_ECORRUPT},
        {"UPDATE step SET state = -1", use_cancel, SW_ECORRUPT},
        {"UPDATE step SET state = 2147483647", use_explain, SW_ECORRUPT},
        {"UPDATE step SET attempt = 0 WHERE state = 2", use_report, SW_ECORRUPT},
        {"UPDATE step SET attempt = 2147483647 WHERE state = 1", use_exchange, SW_ECORRUPT},
        {"UPDATE step SET crashes = -2147483648", use_exchange_later, SW_ECORRUPT},
        {"UPDATE step SET crashes = 2147483647", use_get, SW_ECORRUPT},
        {"UPDATE step SET epoch = 9223372036854775807 WHERE state = 1", use_exchange, SW_ECORRUPT},
        {"UPDATE step SET epoch = -1", use_get, SW_ECORRUPT},
        {"UPDATE step SET open_deps = -2147483648 WHERE state = 0", use_report, SW_ECORRUPT},
        {"UPDATE step SET open_deps = 2 WHERE state = 0", use_get, SW_ECORRUPT},
        {"UPDATE step SET rank = 1 WHERE state = 0", use_report, SW_ECORRUPT},
        {"UPDATE step SET rank = -1 WHERE state = 0", use_get, SW_ECORRUPT},
        {"UPDATE step SET lane = -9223372036854775807 - 1 WHERE state = 2", use_get, SW_ECORRUPT},
        {"UPDATE step SET lane = 1, rank = 9223372036854775807 WHERE state = 1", use_get, SW_OK},
        {"UPDATE step SET lane = 1, rank = 9223372036854775807", use_explain, SW_ECORRUPT},
        {"UPDATE step SET changed_us = -9223372036854775807", use_explain, SW_ECORRUPT},
        {"UPDATE step SET state = 9", use_context, SW_ECORRUPT},
        {"UPDATE step SET crashes = 2147483647", use_readiness, SW_ECORRUPT},
        {"UPDATE step SET open_deps = 2 WHERE state = 0", use_readiness, SW_ECORRUPT},
        {"UPDATE step SET lane = 1, rank = 9223372036854775807", use_context, SW_ECORRUPT},
        {"UPDATE step SET state = -1", use_override, SW_ECORRUPT},
        {"UPDATE step SET epoch = 9223372036854775807", use_override, SW_ECORRUPT},
        {"UPDATE step SET state = 9", use_forecast, SW_ECORRUPT},
        {"UPDATE step SET state = 9", use_picture, SW_ECORRUPT},
        {"UPDATE step SET lane = 1, rank = 9223372036854775807", use_forecast, SW_ECORRUPT},
    };
    ASSERT_DAMAGES(state, cases);
}

static void test_steps_that_are_part_of_nothing(void **state)
{
    static const damage_case cases[] = {
        {"UPDATE step SET step_id = step_id + 500 WHERE state = 0", use_get, SW_ECORRUPT},
        {"UPDATE step SET step_id = step_id + 500 WHERE state = 1", use_exchange, SW_ECORRUPT},
        {"UPDATE step SET step_id = 77 << 20 WHERE state = 2", use_exchange_later, SW_ECORRUPT},
        {"UPDATE step SET step_id = -5 WHERE state = 2", use_get, SW_ECORRUPT},
        {"DELETE FROM step", use_get, SW_ECORRUPT},
        {"DELETE FROM step", use_context, SW_ECORRUPT},
        {"DELETE FROM step", use_readiness, SW_ECORRUPT},
        {"DELETE FROM step", use_override, SW_OK}, /* refused: there is no such step */
        {"DELETE FROM task", use_override, SW_ECORRUPT},
        {"DELETE FROM task", use_context, SW_ENOTFOUND},
        {"DELETE FROM step WHERE state = 0", use_report, SW_ECORRUPT},
        {"DELETE FROM task", use_report, SW_ECORRUPT},
        {"DELETE FROM task", use_exchange, SW_ECORRUPT},
        {"DELETE FROM task", use_submit, SW_ECORRUPT},
        {"DELETE FROM task", use_cancel, SW_ENOTFOUND},
        {"DELETE FROM workflow", use_get, SW_ECORRUPT},
        {"DELETE FROM lane", use_get, SW_ECORRUPT},
        {"UPDATE workflow SET json = '{}'", use_get, SW_ECORRUPT},
    };
    ASSERT_DAMAGES(state, cases);
}

static void test_tasks(void **state)
{
    static const damage_case cases[] = {
        {"UPDATE task SET state = 7", use_list, SW_ECORRUPT},
        {"UPDATE task SET state = -1", use_get, SW_ECORRUPT},
        {"UPDATE task SET state = 99", use_cancel, SW_ECORRUPT},
        {"UPDATE task SET state = 99", use_submit, SW_ECORRUPT},
        {"UPDATE task SET priority = 40000", use_exchange, SW_ECORRUPT},
        {"UPDATE task SET pending = 2147483647", use_list, SW_ECORRUPT},
        {"UPDATE task SET pending = -1, ready = 2", use_exchange, SW_ECORRUPT},
        {"UPDATE task SET fatal = 3", use_report, SW_ECORRUPT},
        {"UPDATE task SET fatal = 3", use_override, SW_ECORRUPT},
        {"UPDATE task SET pending = 2147483647", use_context, SW_ECORRUPT},
        {"UPDATE task SET audit_segment = -1", use_explain, SW_ECORRUPT},
        {"UPDATE task SET audit_segment = 999", use_forecast, SW_EAUDIT},
        {"UPDATE segment SET entry_count = -5", use_forecast, SW_EAUDIT},
        {"UPDATE segment SET entry_count = -5", use_gantt, SW_EAUDIT},
        {"UPDATE task SET audit_segment = 999", use_picture, SW_EAUDIT},
        {"UPDATE task SET audit_segment = 999", use_gantt, SW_EAUDIT},
        {"UPDATE task SET created_us = -1", use_get, SW_ECORRUPT},
        {"UPDATE task SET started_us = -9223372036854775807", use_forecast, SW_ECORRUPT},
        {"UPDATE task SET task_no = -task_no", use_list, SW_ECORRUPT},
        {"UPDATE task SET task_no = task_no + 70000000000000", use_get, SW_ECORRUPT},
        {"UPDATE task SET workflow_no = 0", use_get, SW_ECORRUPT},
        {"UPDATE task_info SET tags = '{\"a\":1}'", use_get, SW_ECORRUPT},
        {"UPDATE task_info SET tags = '[1'", use_list, SW_ECORRUPT},
        {"DELETE FROM task_info", use_list, SW_ECORRUPT},
    };
    ASSERT_DAMAGES(state, cases);
}

static void test_workers_and_numbers(void **state)
{
    static const damage_case cases[] = {
        {"UPDATE worker SET lease_ms = 9223372036854775807", use_exchange, SW_ECORRUPT},
        {"UPDATE worker SET lease_ms = 0", use_workers, SW_ECORRUPT},
        {"UPDATE worker SET handlers = '{\"a\":1}'", use_workers, SW_ECORRUPT},
        {"UPDATE worker SET handlers = '['", use_workers, SW_ECORRUPT},
        {"UPDATE worker_lease SET lease_until_us = 9223372036854775807", use_explain, SW_ECORRUPT},
        {"UPDATE worker SET worker_no = -9223372036854775807;"
         "UPDATE worker_lease SET worker_no = -9223372036854775807",
         use_exchange, SW_ECORRUPT},
        {"UPDATE anchor SET base_us = 9223372036854775807", use_list, SW_OK},
        {"UPDATE anchor SET base_us = 9223372036854775807", use_explain, SW_ECORRUPT},
        {"UPDATE anchor SET boot_us = -9223372036854775807", use_submit_new, SW_ECORRUPT},
        {"UPDATE sequence SET next_no = -5", use_submit_new, SW_ECORRUPT},
        {"UPDATE sequence SET next_no = 9223372036854775807", use_submit_new, SW_ELIMIT},
        {"UPDATE sequence SET next_no = 9223372036854775806", use_exchange, SW_ELIMIT},
        {"UPDATE segment SET entry_first = 9223372036854775807", use_submit_new, SW_ECORRUPT},
        {"UPDATE segment SET entry_count = 0", use_report, SW_ECORRUPT},
        {"UPDATE segment SET time_us = 9223372036854775807", use_cancel, SW_ECORRUPT},
        {"UPDATE segment SET time_us = 9223372036854775807; DELETE FROM anchor", use_report,
         SW_ECORRUPT},
        {"UPDATE segment SET segment_no = 9223372036854775807 WHERE segment_no = 1", use_submit_new,
         SW_ECORRUPT},
    };
    ASSERT_DAMAGES(state, cases);
}

/* The rows of one index in the order that its first text asks for, under its second text. */
#define RESORTED(index, column)                                                                    \
    "PRAGMA writable_schema = ON;"                                                                 \
    "UPDATE sqlite_schema SET sql = replace(sql, '" column "', '" column " DESC')"                 \
    " WHERE name = '" index "';"                                                                   \
    "PRAGMA writable_schema = RESET; REINDEX; PRAGMA writable_schema = ON;"                        \
    "UPDATE sqlite_schema SET sql = replace(sql, '" column " DESC', '" column "')"                 \
    " WHERE name = '" index "'; PRAGMA writable_schema = RESET"

/* Who reads page after page must not be led back: it is the store that says so, before anybody uses
 * the rows. */
static void test_an_index_out_of_order(void **state)
{
    damage *d = *state;
    static const damage_case one = {
        "UPDATE step SET rank = step_id WHERE lane > 0;" RESORTED("step_queue", "rank"),
        use_exchange, SW_ECORRUPT};
    assert_damage(d, &one);
    assert_non_null(strstr(d->r.error.message, "an index is out of order"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_untouched_rows_serve_every_call, damage_open,
                                        damage_close),
        cmocka_unit_test_setup_teardown(test_steps, damage_open, damage_close),
        cmocka_unit_test_setup_teardown(test_steps_that_are_part_of_nothing, damage_open,
                                        damage_close),
        cmocka_unit_test_setup_teardown(test_tasks, damage_open, damage_close),
        cmocka_unit_test_setup_teardown(test_workers_and_numbers, damage_open, damage_close),
        cmocka_unit_test_setup_teardown(test_an_index_out_of_order, damage_open_many, damage_close),
    };
    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
