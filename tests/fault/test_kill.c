/* kill -9 at any moment. Processes exchange on one SQLite file and are killed and replaced a
 * hundred times. Each keeps a ledger outside of the database, written after each acknowledged call;
 * at the end ledgers and database are compared: nothing acknowledged is lost, nothing that was
 * committed has run again, every task ends, the history verifies, the file is sound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "helper/live.h"

#define WORKERS 3
#define KILLS 100
#define CLAIMS 8
#define LEASE_MS 1500

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},"
    "{\"name\":\"b\",\"after\":[\"a\"]},{\"name\":\"c\",\"after\":[\"a\"]}]}";

static const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}, {"w.c", 3}};

/* A line of a ledger. One write to a file opened for appending is whole or not there. */
typedef enum ledger_kind {
    LEDGER_SUBMITTED = 'S', /* number of the task's first step */
    LEDGER_STARTED = 'R',   /* a handler begins: step, epoch */
    LEDGER_DONE = 'D'       /* acknowledged: step, epoch */
} ledger_kind;

static char directory[64];
static char store[128];

/* The life of a worker that is going to be killed. */

static void ledger_write(int fd, ledger_kind kind, int64_t number, int64_t epoch)
{
    char line[64];
    int size = snprintf(line, sizeof(line), "%c %lld %lld\n", (char)kind, (long long)number,
                        (long long)epoch);
    if (write(fd, line, (size_t)size) != size)
        _exit(3);
}

static void victim_check(int rc, const sw_error *error)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "worker: %s: %s\n", sw_code_name(rc), error->message);
    _exit(2);
}

static sw_worker_ref victim_enter(sw_engine *engine)
{
    sw_error error;
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 3;
    options.lease_ms = LEASE_MS;
    victim_check(sw_worker_open(engine, &options, &worker, &error), &error);
    return worker;
}

/* Submissions are remembered by their ledger's own number, which the key carries. */
static void victim_submit(sw_engine *engine, int ledger, int64_t number)
{
    char key[64];
    sw_error error;
    sw_result *result = NULL;
    int size = snprintf(key, sizeof(key), "%lld", (long long)number);
    sw_task_submit_row row = {.workflow = {"w", 1}, .key = {key, (size_t)size}};
    victim_check(sw_task_submit(engine, &row, 1, &result, &error), &error);
    sw_result_free(result);
    ledger_write(ledger, LEDGER_SUBMITTED, number, 0);
}

/* Report what was claimed before, claim more. */
static sw_result *victim_turn(sw_engine *engine, const sw_worker_ref *worker, int ledger,
                              sw_result *before)
{
    size_t count = 0;
    size_t applied_count = 0;
    sw_error error;
    sw_result *result = NULL;
    sw_step_outcome rows[CLAIMS];
    const sw_step_claim *claims = sw_step_claims(before, &count);
    for (size_t i = 0; i < count; i++) {
        ledger_write(ledger, LEDGER_STARTED, claims[i].step_id, claims[i].epoch);
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .result = claims[i].idempotency_key.len % 2 ? (sw_str){"[1]", 3} : (sw_str){"{}", 2}};
    }
    if (count > 0)
        live_sleep_ms(2); /* handlers take time, and that is when most are killed */
    int rc = sw_step_exchange(engine, worker, rows, count, CLAIMS, 10, &result, &error);
    victim_check(rc, &error);
    const sw_step_applied *applied = sw_step_applications(result, &applied_count);
    for (size_t i = 0; i < applied_count; i++) {
        if (applied[i].status == SW_ROW_APPLIED)
            ledger_write(ledger, LEDGER_DONE, applied[i].step_id, rows[i].epoch);
    }
    sw_result_free(before);
    return result;
}

static int ledger_open(int index)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/ledger-%d", directory, index);
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void victim_main(int index, int life)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){store, strlen(store)};
    int ledger = ledger_open(index);
    victim_check(sw_engine_open(&options, &engine, &error), &error);
    sw_worker_ref worker = victim_enter(engine);
    sw_result *result = NULL;
    for (int64_t turn = 0;; turn++) {
        if (turn % 2 == 0)
            victim_submit(engine, ledger, (int64_t)life * 1000000 + turn);
        result = victim_turn(engine, &worker, ledger, result);
    }
}

/* The killer. */

typedef struct killer {
    pid_t victims[WORKERS];
    int lives;
    uint64_t seed;
} killer;

static uint32_t killer_draw(killer *k, uint32_t n)
{
    k->seed = k->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(k->seed >> 33) % n;
}

static void killer_start(killer *k, int index)
{
    int life = ++k->lives;
    k->victims[index] = fork();
    if (k->victims[index] == 0) {
        victim_main(index, life);
        _exit(0);
    }
    assert_true(k->victims[index] > 0);
}

/* It must have been running until now: a worker that gave up has failed. */
static void killer_kill(killer *k, int index)
{
    int status = 0;
    kill(k->victims[index], SIGKILL);
    assert_int_equal(waitpid(k->victims[index], &status, 0), k->victims[index]);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void killer_run(killer *k)
{
    for (int i = 0; i < WORKERS; i++)
        killer_start(k, i);
    for (int i = 0; i < KILLS; i++) {
        int index = (int)killer_draw(k, WORKERS);
        const struct timespec pause = {.tv_nsec = (long)killer_draw(k, 40000) * 1000};
        nanosleep(&pause, NULL);
        killer_kill(k, index);
        killer_start(k, index);
    }
    for (int i = 0; i < WORKERS; i++)
        killer_kill(k, i);
}

/* What is left is worked off by one that nobody kills. */
static void work_off(live *l)
{
    sw_error error;
    sw_result *result = NULL;
    int ledger = ledger_open(WORKERS);
    sw_worker_ref worker = victim_enter(l->engine);
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int64_t give_up_ms = live_now_ms() + 60000;
    do {
        assert_true(live_now_ms() < give_up_ms);
        for (int i = 0; i < 20; i++)
            result = victim_turn(l->engine, &worker, ledger, result);
        assert_int_equal(sw_task_count(l->engine, &filter, counts, &error), 0);
    } while (counts[SW_TASK_PENDING] + counts[SW_TASK_RUNNING] > 0);
    assert_int_equal(counts[SW_TASK_FAILED], 0);
    sw_result_free(result);
    close(ledger);
}

/* The comparison. */

typedef struct books {
    sw__map states; /* step to its state in the database */
    sw__map epochs; /* step to its epoch in the database */
    sw__map done;   /* step to the epoch that a ledger says was acknowledged */
    sqlite3 *db;
    int submitted;
    int acknowledged;
    int started;
} books;

static void books_read_steps(books *b)
{
    sqlite3_stmt *steps = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(b->db, "SELECT step_id, state, epoch FROM step", -1, &steps, NULL),
        SQLITE_OK);
    while (sqlite3_step(steps) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(steps, 0);
        assert_int_equal(sw__map_put(&b->states, id, sqlite3_column_int64(steps, 1)), 0);
        assert_int_equal(sw__map_put(&b->epochs, id, sqlite3_column_int64(steps, 2)), 0);
    }
    sqlite3_finalize(steps);
}

static void books_check_submitted(books *b, live *l, int64_t number)
{
    char key[64];
    size_t count = 0;
    sw_result *result = NULL;
    int size = snprintf(key, sizeof(key), "%lld", (long long)number);
    sw_task_submit_row row = {.workflow = {"w", 1}, .key = {key, (size_t)size}};
    assert_int_equal(sw_task_submit(l->engine, &row, 1, &result, &l->error), 0);
    if (sw_task_submissions(result, &count)[0].created)
        fail_msg("the task with the key %s was acknowledged and is lost", key);
    sw_result_free(result);
    b->submitted++;
}

static void books_check_done(books *b, int64_t step, int64_t epoch)
{
    const int64_t *state = sw__map_find(&b->states, step);
    const int64_t *stored = sw__map_find(&b->epochs, step);
    if (!state || *state != SW_STEP_SUCCEEDED)
        fail_msg("the completion of step %lld was acknowledged and is lost", (long long)step);
    if (*stored != epoch)
        fail_msg("step %lld was completed under %lld, and is stored under %lld", (long long)step,
                 (long long)epoch, (long long)*stored);
    if (sw__map_find(&b->done, step))
        fail_msg("step %lld was completed twice", (long long)step);
    assert_int_equal(sw__map_put(&b->done, step, epoch), 0);
    b->acknowledged++;
}

static void books_check_started(books *b, int64_t step, int64_t epoch)
{
    const int64_t *done = sw__map_find(&b->done, step);
    if (done && epoch > *done)
        fail_msg("step %lld ran under %lld after its completion under %lld", (long long)step,
                 (long long)epoch, (long long)*done);
    b->started++;
}

/* All lines of one kind, in all ledgers. A last line without an end was not written by anybody. */
static void books_read_ledgers(books *b, live *l, ledger_kind kind)
{
    for (int i = 0; i <= WORKERS; i++) {
        char path[128];
        char line[64];
        long long number;
        long long epoch;
        snprintf(path, sizeof(path), "%s/ledger-%d", directory, i);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        while (fgets(line, sizeof(line), file) && strchr(line, '\n')) {
            assert_int_equal(sscanf(line + 1, "%lld %lld", &number, &epoch), 2);
            if (line[0] != (char)kind)
                continue;
            if (kind == LEDGER_SUBMITTED)
                books_check_submitted(b, l, number);
            else if (kind == LEDGER_DONE)
                books_check_done(b, number, epoch);
            else
                books_check_started(b, number, epoch);
        }
        fclose(file);
    }
}

static void books_check_file(books *b)
{
    sqlite3_stmt *check = NULL;
    assert_int_equal(sqlite3_prepare_v2(b->db, "PRAGMA integrity_check", -1, &check, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(check), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(check, 0), "ok");
    sqlite3_finalize(check);
}

static void books_compare(live *l)
{
    books b = {0};
    const sw_env *env = sw_env_system();
    sw__map_init(&b.states, env);
    sw__map_init(&b.epochs, env);
    sw__map_init(&b.done, env);
    books_read_ledgers(&b, l, LEDGER_SUBMITTED);
    live_close(l);
    assert_int_equal(sqlite3_open_v2(store, &b.db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    books_read_steps(&b);
    books_read_ledgers(&b, l, LEDGER_DONE);
    books_read_ledgers(&b, l, LEDGER_STARTED);
    books_check_file(&b);
    sqlite3_close(b.db);
    print_message("%d submissions, %d completions, %d starts acknowledged over %d kills\n",
                  b.submitted, b.acknowledged, b.started, KILLS);
    /* A run in which nothing happened would prove nothing. */
    assert_true(b.submitted > KILLS && b.acknowledged > KILLS);
    sw__map_free(&b.done);
    sw__map_free(&b.epochs);
    sw__map_free(&b.states);
}

static void test_kills_lose_nothing(void **state)
{
    (void)state;
    live l;
    killer k = {.seed = (uint64_t)time(NULL)};
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/kill.db", directory);
    print_message("seed %llu\n", (unsigned long long)k.seed);
    live_open(&l, store, definition);
    live_close(&l);
    killer_run(&k);
    live_open(&l, store, NULL);
    work_off(&l);
    live_verify(&l);
    books_compare(&l);
    live_directory_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
