/* Tests of how SQLite answers the statements of the store: by which index, and that none of them
 * walks a table that grows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "helper/store_script.h"
#include "store/sqlite.h"

static const char *const plan_names[] = {
#define PLAN_NAME(name, text) #name,
    SW__SQL_MAP(PLAN_NAME)
#undef PLAN_NAME
};

static int setup(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    store_rig_open(rig, STORE_RIG_SQLITE);
    store_fill(rig);
    *state = rig;
    return 0;
}

static sqlite3 *plan_open(const store_rig *rig)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
    assert_int_equal(sw__sqlite_row_register(db, NULL), SQLITE_OK);
    return db;
}

/* The lines of the plan, one after the other. */
static void plan_read(sqlite3 *db, sw__sql which, char *plan, size_t size)
{
    sqlite3_stmt *statement = NULL;
    size_t len = 0;
    sw__buf sql;
    sw__buf_init(&sql, sw_env_system());
    sw__buf_printf(&sql, "EXPLAIN QUERY PLAN %s", sw__sql_text(which));
    assert_int_equal(sqlite3_prepare_v2(db, (const char *)sql.ptr, (int)sql.len, &statement, NULL),
                     SQLITE_OK);
    sw__buf_free(&sql);
    plan[0] = '\0';
    while (sqlite3_step(statement) == SQLITE_ROW && len < size)
        len += (size_t)snprintf(plan + len, size - len, "%s\n",
                                (const char *)sqlite3_column_text(statement, 3));
    sqlite3_finalize(statement);
}

static void test_queue_is_scanned_by_its_index_alone(void **state)
{
    char plan[2000];
    sqlite3 *db = plan_open(*state);
    plan_read(db, SW__SQL_QUEUE_SCAN, plan, sizeof(plan));
    assert_string_equal(plan, "SEARCH step USING COVERING INDEX step_queue (lane=? AND rank<?)\n");
    sqlite3_close(db);
}

/* The line of dead letters needs no index of its own: a page of it is a range of the queue's. */
static void test_dead_letters_are_paged_by_the_index_of_the_queue(void **state)
{
    char plan[2000];
    sqlite3 *db = plan_open(*state);
    plan_read(db, SW__SQL_QUEUE_AFTER, plan, sizeof(plan));
    assert_string_equal(
        plan, "SEARCH step USING COVERING INDEX step_queue (lane=? AND rank>? AND rank<?)\n");
    sqlite3_close(db);
}

/* Walks that are meant: tables that stay small, and one end of a long one. */
static bool plan_may_scan(sw__sql which)
{
    switch (which) {
    case SW__SQL_WORKER_LIST:
    case SW__SQL_BREAKER_LIST:
    case SW__SQL_SEGMENT_LAST:
    case SW__SQL_REST_FIRST:
    case SW__SQL_PROJECTION_LIST:
    case SW__SQL_PROJECTION_FORGET:
    case SW__SQL_RESULT_PAGE: /* of what it is given */
        return true;
    default:
        return false;
    }
}

static void test_no_statement_walks_a_growing_table(void **state)
{
    char plan[2000];
    sqlite3 *db = plan_open(*state);
    for (int i = 0; i < SW__SQL_COUNT; i++) {
        plan_read(db, (sw__sql)i, plan, sizeof(plan));
        if (!plan_may_scan((sw__sql)i) && strstr(plan, "SCAN"))
            fail_msg("%s:\n%s", plan_names[i], plan);
        if (strstr(plan, "TEMP B-TREE"))
            fail_msg("%s sorts:\n%s", plan_names[i], plan);
    }
    sqlite3_close(db);
}

/* The ranges that are given lead, each to its rows. */
static void test_results_are_found_by_their_keys(void **state)
{
    char plan[4000];
    sqlite3 *db = plan_open(*state);
    plan_read(db, SW__SQL_RESULT_PAGE, plan, sizeof(plan));
    const char *keys = strstr(plan, "SCAN w");
    assert_non_null(keys);
    assert_non_null(strstr(keys, "SEARCH r USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"));
    assert_null(strstr(plan, "SCAN r"));
    sqlite3_close(db);
}

/* From a position on, so that a page costs what it holds. */
static void test_events_are_read_from_a_position_by_their_index(void **state)
{
    static const struct {
        sw__sql which;
        const char *plan;
    } expected[] = {
        {SW__SQL_EVENT_SCAN, "SEARCH event USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n"},
        {SW__SQL_EVENT_SCAN_TYPE,
         "SEARCH event USING COVERING INDEX event_type (type=? AND rowid>? AND rowid<?)\n"},
        {SW__SQL_EVENT_SCAN_TYPE_FALLING,
         "SEARCH event USING COVERING INDEX event_type (type=? AND rowid>? AND rowid<?)\n"},
        {SW__SQL_EVENT_SCAN_CORRELATION, "SEARCH event USING COVERING INDEX event_correlation "
                                         "(correlation_id=? AND rowid>? AND rowid<?)\n"},
        {SW__SQL_EVENT_FIND,
         "SEARCH event USING COVERING INDEX event_by_key (task_no=? AND event_key=?)\n"},
    };
    char plan[2000];
    sqlite3 *db = plan_open(*state);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        plan_read(db, expected[i].which, plan, sizeof(plan));
        assert_string_equal(plan, expected[i].plan);
    }
    sqlite3_close(db);
}

/* Where each list and count of tasks starts. */
static void test_every_list_of_tasks_starts_at_an_index(void **state)
{
    static const struct {
        sw__sql which;
        const char *plan;
    } expected[] = {
        {SW__SQL_TASK_LIST, "SEARCH task USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n"},
        {SW__SQL_TASK_LIST_RISING, "SEARCH task USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)\n"},
        {SW__SQL_TASK_LIST_TAGGED, "SEARCH task_tag USING PRIMARY KEY (tag=? AND task_no>? "},
        {SW__SQL_TASK_LIST_CORRELATED, "INDEX task_info_correlation (correlation_id=?"},
        {SW__SQL_TASK_COUNT_TAGGED, "SEARCH task_tag USING PRIMARY KEY (tag=? AND task_no>? "},
        {SW__SQL_TASK_COUNT_CORRELATED, "INDEX task_info_correlation (correlation_id=?"},
        {SW__SQL_TASK_STREAM, "USING COVERING INDEX task_state (workflow_no=? AND state=? AND "},
        {SW__SQL_TASK_STREAM_RISING,
         "USING COVERING INDEX task_state (workflow_no=? AND state=? AND rowid>? AND rowid<?)\n"},
        {SW__SQL_TASK_STREAM_COUNT,
         "USING COVERING INDEX task_state (workflow_no=? AND state=? AND rowid>? AND rowid<?)\n"},
        {SW__SQL_TASK_WORKFLOW_LAST, "USING COVERING INDEX task_state (workflow_no<?)\n"},
        {SW__SQL_TASK_UPDATE, "SEARCH task USING INTEGER PRIMARY KEY (rowid=?)\n"},
    };
    char plan[2000];
    sqlite3 *db = plan_open(*state);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        plan_read(db, expected[i].which, plan, sizeof(plan));
        if (!strstr(plan, expected[i].plan))
            fail_msg("%s:\n%s", plan_names[expected[i].which], plan);
    }
    sqlite3_close(db);
}

/* A step outside of every line before and after: the index is neither read nor written. */
static void test_update_outside_of_lines_leaves_the_index_alone(void **state)
{
    store_rig *rig = *state;
    sqlite3 *db = plan_open(rig);
    sqlite3_stmt *statement = NULL;
    const char *sql = "SELECT count(*) FROM step INDEXED BY step_queue WHERE lane <> 0";
    store_begin(rig, true);
    sw__step_hot row = store_step(rig, SW__STEP_ID(1, 1));
    assert_int_equal(row.lane, SW__LANE_NONE);
    row.open_deps = 17;
    row.rank = 5;
    assert_int_equal(rig->store->ops->steps_update(rig->store, &row, 1, &rig->err), SW_OK);
    store_commit(rig);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int64(statement, 0), 6);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

#define PLAN_TEST(function)                                                                        \
    {                                                                                              \
#function, function, setup, store_rig_teardown, NULL                                       \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAN_TEST(test_queue_is_scanned_by_its_index_alone),
        PLAN_TEST(test_dead_letters_are_paged_by_the_index_of_the_queue),
        PLAN_TEST(test_no_statement_walks_a_growing_table),
        PLAN_TEST(test_results_are_found_by_their_keys),
        PLAN_TEST(test_events_are_read_from_a_position_by_their_index),
        PLAN_TEST(test_every_list_of_tasks_starts_at_an_index),
        PLAN_TEST(test_update_outside_of_lines_leaves_the_index_alone),
    };
    return cmocka_run_group_tests_name("sqlite_plans", tests, NULL, NULL);
}
