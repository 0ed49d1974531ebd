/* Tasker's two readiness rules against the same rules as SQL, the language they were published in,
 * run by SQLite over random rows; then one case for each clause, and bad rows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "stepwell.h"

#define TASKS 4000
#define STEPS 7 /* of each task */
#define NOW_S 1000

static uint64_t random_state = 7;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % below;
}

/* NULL once in n, else something below. */
static int64_t draw_null(uint32_t n, uint32_t below)
{
    return draw(n) == 0 ? SW_TASKER_NULL : (int64_t)draw(below);
}

static const char schema[] =
    "CREATE TABLE step (no INTEGER PRIMARY KEY, state TEXT, processed INT, in_process INT,"
    " retryable INT, attempts INT, max_attempts INT, backoff_s INT, last_s INT, failed_s INT);"
    "CREATE TABLE edge (parent INT, child INT)";

/* Times are seconds here. A parent that is missing from the answer of the join is not complete. */
#define PARENTS_DONE                                                                               \
    "NOT EXISTS (SELECT 1 FROM edge JOIN step AS p ON p.no = edge.parent WHERE edge.child = "      \
    "step.no AND p.state NOT IN ('complete', 'resolved_manually'))"
#define WAIT(most) "min(1 << min(coalesce(attempts, 0), 20), " most ")"

static const char rails_sql[] =
    "SELECT state IN ('pending', 'error') AND NOT processed AND NOT in_process AND " PARENTS_DONE
    " AND coalesce(attempts, 0) < coalesce(max_attempts, 3) AND retryable"
    " AND (backoff_s IS NULL OR last_s IS NULL OR last_s + backoff_s <= ?1)"
    " AND (failed_s IS NULL OR failed_s + " WAIT("30") " <= ?1) FROM step ORDER BY no";

static const char core_sql[] =
    "SELECT state IN ('pending', 'waiting_for_retry') AND NOT processed AND NOT in_process"
    " AND (SELECT count(*) FROM edge WHERE child = step.no) = (SELECT count(*) FROM edge JOIN step"
    " AS p ON p.no = edge.parent WHERE edge.child = step.no AND p.state IN ('complete',"
    " 'resolved_manually')) AND (coalesce(attempts, 0) = 0 OR (retryable AND attempts <"
    " coalesce(max_attempts, 3))) AND coalesce(CASE WHEN backoff_s IS NOT NULL AND last_s IS NOT"
    " NULL THEN last_s + backoff_s WHEN failed_s IS NOT NULL THEN failed_s + " WAIT(
        "60") " END <= ?1, 1) FROM step ORDER BY no";

typedef struct reference {
    sqlite3 *db;
    sw_tasker_step steps[STEPS];
    int32_t parents[STEPS][STEPS];
} reference;

static void run(reference *r, const char *sql)
{
    if (sqlite3_exec(r->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(r->db));
}

static void column(char *text, size_t size, int64_t value)
{
    if (value == SW_TASKER_NULL)
        snprintf(text, size, "NULL");
    else
        snprintf(text, size, "%lld", (long long)value);
}

static void store(reference *r, int no)
{
    char sql[512];
    char texts[5][24];
    const sw_tasker_step *step = &r->steps[no];
    const int64_t values[] = {
        step->attempts, step->retry_limit, step->backoff_request_seconds,
        step->last_attempted_us == SW_TASKER_NULL ? SW_TASKER_NULL
                                                  : step->last_attempted_us / 1000000,
        step->failed_us == SW_TASKER_NULL ? SW_TASKER_NULL : step->failed_us / 1000000};
    for (int i = 0; i < 5; i++)
        column(texts[i], sizeof texts[i], values[i]);
    snprintf(sql, sizeof sql, "INSERT INTO step VALUES (%d, '%s', %d, %d, %d, %s, %s, %s, %s, %s)",
             no, sw_tasker_state_name(step->state), step->processed, step->in_process,
             step->retryable, texts[0], texts[1], texts[2], texts[3], texts[4]);
    run(r, sql);
    for (size_t i = 0; i < step->parent_count; i++) {
        snprintf(sql, sizeof sql, "INSERT INTO edge VALUES (%d, %d)", step->parents[i], no);
        run(r, sql);
    }
}

/* A state that parents often have, so that steps behind them may be ready. */
static int32_t draw_state(void)
{
    return (int32_t)(draw(2) ? (draw(2) ? SW_TASKER_COMPLETE : SW_TASKER_PENDING)
                             : draw(SW_TASKER_STATE_COUNT));
}

/* Times lie around now, on the second and beside it. */
static int64_t draw_time_us(uint32_t n)
{
    int64_t seconds = draw_null(n, 80);
    return seconds == SW_TASKER_NULL ? SW_TASKER_NULL : (NOW_S - 70 + seconds) * 1000000;
}

static void draw_task(reference *r)
{
    run(r, "DELETE FROM step; DELETE FROM edge");
    for (int i = 0; i < STEPS; i++) {
        sw_tasker_step *step = &r->steps[i];
        *step = (sw_tasker_step){
            .state = draw_state(),
            .processed = draw(5) == 0,
            .in_process = draw(5) == 0,
            .retryable = draw(4) > 0,
            .attempts = draw_null(6, 8),
            .retry_limit = draw_null(3, 10),
            .backoff_request_seconds = draw_null(2, 60),
            .last_attempted_us = draw_time_us(3),
            .failed_us = draw_time_us(2),
            .parents = r->parents[i],
        };
        for (int32_t k = 0; k < i; k++) {
            if (draw(4) == 0)
                r->parents[i][step->parent_count++] = k;
        }
        store(r, i);
    }
}

/* How many steps are ready; every row is compared, alone and with all others. */
static size_t compare(reference *r, int rule, const char *sql)
{
    size_t ready = 0;
    sw_error error;
    sqlite3_stmt *query = NULL;
    sw_tasker_readiness all[STEPS];
    const int64_t now_us = INT64_C(1000000) * NOW_S;
    assert_int_equal(sw_tasker_readiness_of(rule, r->steps, STEPS, NULL, 0, now_us, all, &error),
                     0);
    if (sqlite3_prepare_v2(r->db, sql, -1, &query, NULL) != SQLITE_OK)
        fail_msg("%s", sqlite3_errmsg(r->db));
    sqlite3_bind_int(query, 1, NOW_S);
    for (int32_t i = 0; i < STEPS; i++) {
        sw_tasker_readiness one;
        assert_int_equal(sqlite3_step(query), SQLITE_ROW);
        int expected = sqlite3_column_int(query, 0);
        if (all[i].ready != expected)
            fail_msg("%s: step %d is %s, ready is %d", sw_tasker_rule_name(rule), i,
                     sw_tasker_state_name(r->steps[i].state), all[i].ready);
        assert_int_equal(sw_tasker_readiness_of(rule, r->steps, STEPS, &i, 1, now_us, &one, &error),
                         0);
        assert_memory_equal(&one, &all[i], sizeof one);
        ready += (size_t)expected;
    }
    assert_int_equal(sqlite3_step(query), SQLITE_DONE);
    sqlite3_finalize(query);
    return ready;
}

/* TASKS * STEPS states by each rule. */
static void test_rules_are_those_of_the_sql(void **state)
{
    (void)state;
    static reference r;
    size_t rails = 0;
    size_t core = 0;
    assert_int_equal(sqlite3_open(":memory:", &r.db), SQLITE_OK);
    run(&r, schema);
    for (int i = 0; i < TASKS; i++) {
        draw_task(&r);
        rails += compare(&r, SW_TASKER_RAILS, rails_sql);
        core += compare(&r, SW_TASKER_CORE, core_sql);
    }
    print_message("%d states: %zu and %zu ready\n", TASKS * STEPS, rails, core);
    assert_true(rails > 500 && core > 500);
    sqlite3_close(r.db);
}

/* One step with one parent, ready by both rules. */
static sw_tasker_step good(const int32_t *parents, size_t count)
{
    return (sw_tasker_step){.state = SW_TASKER_PENDING,
                            .retryable = 1,
                            .attempts = SW_TASKER_NULL,
                            .retry_limit = SW_TASKER_NULL,
                            .backoff_request_seconds = SW_TASKER_NULL,
                            .last_attempted_us = SW_TASKER_NULL,
                            .failed_us = SW_TASKER_NULL,
                            .parents = parents,
                            .parent_count = count};
}

static sw_tasker_readiness ask(int rule, const sw_tasker_step *steps, int32_t step, int64_t now_us)
{
    sw_tasker_readiness out;
    assert_int_equal(sw_tasker_readiness_of(rule, steps, 2, &step, 1, now_us, &out, NULL), 0);
    return out;
}

static void test_parents_count_that_are_not_asked_about(void **state)
{
    (void)state;
    const int32_t parent = 0;
    sw_tasker_step steps[] = {good(NULL, 0), good(&parent, 1)};
    for (int rule = 0; rule < SW_TASKER_RULE_COUNT; rule++) {
        sw_tasker_readiness row = ask(rule, steps, 1, 0);
        assert_int_equal(row.total_parents, 1);
        assert_int_equal(row.completed_parents, 0);
        assert_int_equal(row.dependencies_satisfied, 0);
        assert_int_equal(row.ready, 0);
        steps[0].state = SW_TASKER_RESOLVED_MANUALLY;
        assert_int_equal(ask(rule, steps, 1, 0).ready, 1);
        steps[0].state = SW_TASKER_PENDING;
    }
}

/* Where the two rules differ. */
static void test_each_rule_has_its_own_clauses(void **state)
{
    (void)state;
    const int64_t second_us = 1000000;
    sw_tasker_step steps[] = {good(NULL, 0), good(NULL, 0)};
    steps[0].retryable = 0; /* the first attempt needs no permission in core */
    assert_int_equal(ask(SW_TASKER_RAILS, steps, 0, 0).ready, 0);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 0).ready, 1);
    steps[0].retryable = 1;
    steps[0].state = SW_TASKER_ERROR;
    assert_int_equal(ask(SW_TASKER_RAILS, steps, 0, 0).ready, 1);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 0).ready, 0);
    steps[0].state = SW_TASKER_WAITING_FOR_RETRY;
    assert_int_equal(ask(SW_TASKER_RAILS, steps, 0, 0).ready, 0);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 0).ready, 1);
    steps[0].attempts = 20;
    steps[0].retry_limit = 21;
    steps[0].failed_us = 0;
    assert_int_equal(ask(SW_TASKER_RAILS, steps, 0, 0).next_retry_us, 30 * second_us);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 0).next_retry_us, 60 * second_us);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 60 * second_us - 1).ready, 0);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 60 * second_us).ready, 1);
    steps[0].last_attempted_us = 0; /* what a handler asked for replaces the other wait in core */
    steps[0].backoff_request_seconds = 5;
    assert_int_equal(ask(SW_TASKER_RAILS, steps, 0, 0).next_retry_us, 30 * second_us);
    assert_int_equal(ask(SW_TASKER_CORE, steps, 0, 0).next_retry_us, 5 * second_us);
}

static void test_bad_rows_are_refused(void **state)
{
    (void)state;
    sw_error error;
    sw_tasker_readiness out[2];
    const int32_t beyond = 2;
    const int32_t below = -1;
    const struct {
        sw_tasker_step step;
    } bad[] = {{{.state = SW_TASKER_STATE_COUNT}},
               {{.state = -1}},
               {{.attempts = -2}},
               {{.retry_limit = INT64_MAX}},
               {{.backoff_request_seconds = INT64_MAX}},
               {{.last_attempted_us = INT64_MAX}},
               {{.failed_us = -5}},
               {{.parents = &beyond, .parent_count = 1}},
               {{.parents = &below, .parent_count = 1}}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sw_tasker_step steps[] = {good(NULL, 0), bad[i].step};
        assert_int_equal(sw_tasker_readiness_of(0, steps, 2, NULL, 0, 0, out, &error), SW_EINVAL);
        assert_int_equal(error.row, 1);
    }
    sw_tasker_step steps[] = {good(NULL, 0), good(NULL, 0)};
    assert_int_equal(sw_tasker_readiness_of(2, steps, 2, NULL, 0, 0, out, &error), SW_EINVAL);
    assert_int_equal(sw_tasker_readiness_of(0, steps, 2, &beyond, 1, 0, out, &error), SW_EINVAL);
    assert_int_equal(sw_tasker_readiness_of(0, steps, 2, NULL, 0, 0, NULL, &error), SW_EINVAL);
    assert_int_equal(sw_tasker_readiness_of(0, NULL, 2, NULL, 0, 0, out, &error), SW_EINVAL);
    assert_int_equal(sw_tasker_readiness_of(0, NULL, 0, NULL, 0, 0, out, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_are_those_of_the_sql),
        cmocka_unit_test(test_parents_count_that_are_not_asked_about),
        cmocka_unit_test(test_each_rule_has_its_own_clauses),
        cmocka_unit_test(test_bad_rows_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
