/* Engines and forks: in the child every call that takes the parent's engine answers SW_EFORKED,
 * giving the engine up harms nobody, and the child can open the same database for itself, whatever
 * the threads of the parent were doing at that moment.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/live.h"

#define FORKS 40

static const char definition[] = "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},"
                                 "{\"name\":\"b\",\"after\":[\"a\"]}]}";

#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})

/* What the calls work on. */
typedef struct scene {
    sw_engine *engine;
    const sw_workflow *workflow;
    sw_worker_ref worker;
    sw_uuid task;
    sw_result *result;
    sw_workflow *found;
    sw_runner *runner;
} scene;

/* Every call of the interface that takes an engine and may fail. */
#define CALL_MAP(XX)                                                                               \
    XX(sw_engine_info_get, (s->engine, &info, &error))                                             \
    XX(sw_workflow_register, (s->engine, &s->workflow, 1, &error))                                 \
    XX(sw_workflow_get, (s->engine, TEXT("w"), (sw_str){0}, &s->found, &error))                    \
    XX(sw_task_submit, (s->engine, &submit, 1, &s->result, &error))                                \
    XX(sw_task_get, (s->engine, &s->task, &s->result, &error))                                     \
    XX(sw_task_workflow, (s->engine, &s->task, &s->found, &error))                                 \
    XX(sw_task_list, (s->engine, &filter, &s->result, &error))                                     \
    XX(sw_task_count, (s->engine, &filter, counts, &error))                                        \
    XX(sw_task_wait, (s->engine, &s->task, 0, &s->result, &error))                                 \
    XX(sw_task_cancel, (s->engine, &cancel, 1, &error))                                            \
    XX(sw_worker_open, (s->engine, &worker, &s->worker, &error))                                   \
    XX(sw_worker_renew, (s->engine, &s->worker, NULL, 0, &s->result, &error))                      \
    XX(sw_worker_keep, (s->engine, &s->worker, &error))                                            \
    XX(sw_worker_close, (s->engine, &s->worker, &error))                                           \
    XX(sw_worker_list, (s->engine, &s->result, &error))                                            \
    XX(sw_step_exchange, (s->engine, &s->worker, NULL, 0, 1, 1000, &s->result, &error))            \
    XX(sw_step_update_batch, (s->engine, &outcome, 1, &s->result, &error))                         \
    XX(sw_step_heartbeat, (s->engine, NULL, 0, &s->result, &error))                                \
    XX(sw_step_explain, (s->engine, &s->task, (sw_str){0}, &s->result, &error))                    \
    XX(sw_audit_verify, (s->engine, &report, &error))                                              \
    XX(sw_audit_verify_signed, (s->engine, &trust, &report, &error))                               \
    XX(sw_audit_verify_by, (s->engine, &trust, 2, &report, &error))                                \
    XX(sw_audit_seal, (s->engine, TEXT("/no/key"), &s->result, &error))                            \
    XX(sw_audit_seal_with, (s->engine, &signing, &s->result, &error))                              \
    XX(sw_audit_rotate, (s->engine, &signing, &signing, &s->result, &error))                       \
    XX(sw_audit_anchor_put, (s->engine, TEXT("/no/place"), &trust, TEXT(""), &s->result, &error))  \
    XX(sw_audit_prove, (s->engine, TEXT(""), &entry_no, 1, &s->result, &error))                    \
    XX(sw_audit_prove_consistency, (s->engine, TEXT("a"), TEXT(""), &s->result, &error))           \
    XX(sw_audit_export, (s->engine, TEXT("/no/folder"), TEXT(""), &error))                         \
    XX(sw_task_export, (s->engine, &s->task, (sw_str){0}, (sw_str){0}, &s->result, &error))        \
    XX(sw_task_prune, (s->engine, &prune, &pruned, &error))                                        \
    XX(sw_task_erase, (s->engine, &forget, &forgotten, &error))                                    \
    XX(sw_task_context, (s->engine, &s->task, 1, &s->result, &error))                              \
    XX(sw_step_readiness, (s->engine, &s->task, &s->result, &error))                               \
    XX(sw_step_override, (s->engine, &override, 1, 0, &s->result, &error))                         \
    XX(sw_dead_list, (s->engine, &dead, &s->result, &error))                                       \
    XX(sw_dead_count, (s->engine, &dead, &s->result, &error))                                      \
    XX(sw_dead_override, (s->engine, &dead, &action, &s->result, &error))                          \
    XX(sw_breaker_list, (s->engine, &s->result, &error))                                           \
    XX(sw_breaker_override, (s->engine, &breaker, 1, &s->result, &error))                          \
    XX(sw_audit_task, (s->engine, &s->task, &s->result, &error))                                   \
    XX(sw_audit_list, (s->engine, 1, 10, &s->result, &error))                                      \
    XX(sw_audit_search, (s->engine, &entries, &s->result, &error))                                 \
    XX(sw_audit_count, (s->engine, &entries, &s->result, &error))                                  \
    XX(sw_audit_dump, (s->engine, &entries, 0, 0, &s->result, &error))                             \
    XX(sw_control_report, (s->engine, &trust, &control, &s->result, &error))                       \
    XX(sw_event_append, (s->engine, &event, 1, 0, &s->result, &error))                             \
    XX(sw_event_list, (s->engine, &events, &s->result, &error))                                    \
    XX(sw_event_wait, (s->engine, 0, 0, &newest, &error))                                          \
    XX(sw_event_replay, (s->engine, &s->task, 0, &s->result, &error))                              \
    XX(sw_projection_open, (s->engine, TEXT("p"), TEXT("1"), &s->result, &error))                  \
    XX(sw_projection_save, (s->engine, &projection, 0, &error))                                    \
    XX(sw_projection_list, (s->engine, &s->result, &error))                                        \
    XX(sw_projection_delete, (s->engine, TEXT("p"), &error))                                       \
    XX(sw_task_forecast, (s->engine, &forecast, &s->task, &s->result, &error))                     \
    XX(sw_task_picture, (s->engine, &picture, NULL, &s->task, &s->result, &error))                 \
    XX(sw_task_gantt, (s->engine, &gantt, &s->task, &s->result, &error))                           \
    XX(sw_workflow_durations, (s->engine, s->workflow, 0, &s->result, &error))                     \
    XX(sw_runner_open, (s->engine, &runner, &s->runner, &error))

/* Number of calls that did not answer SW_EFORKED, or left something behind. */
static int calls_wrong(scene *s)
{
    int wrong = 0;
    sw_error error;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    sw_task_submit_row submit = {.workflow = TEXT("w")};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_cancel_row cancel = {.task_id = s->task, .actor = TEXT("ann"), .reason = TEXT("why")};
    sw_step_override_row override = {
        .step_id = 1, .state = SW_STEP_READY, .actor = TEXT("ann"), .reason = TEXT("why")};
    sw_dead_filter dead = SW_DEAD_FILTER_INIT;
    sw_control_options control = SW_CONTROL_OPTIONS_INIT;
    sw_dead_action action = {.state = SW_STEP_READY, .actor = TEXT("ann"), .reason = TEXT("why")};
    sw_breaker_override_row breaker = {
        .name = TEXT("b"), .state = SW_BREAKER_OPEN, .actor = TEXT("ann"), .reason = TEXT("why")};
    sw_str handlers[] = {TEXT("w.a")};
    sw_worker_options worker = SW_WORKER_OPTIONS_INIT;
    worker.handlers = handlers;
    worker.handler_count = 1;
    sw_step_outcome outcome = {.step_id = 1, .epoch = 1};
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    const sw_str kept = TEXT("kept");
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    trust.checkpoints = &kept;
    trust.keys = &kept;
    trust.checkpoint_count = 1;
    trust.key_count = 1;
    const int64_t entry_no = 1;
    const sw_audit_filter entries = SW_AUDIT_FILTER_INIT;
    const sw_event_filter events = SW_EVENT_FILTER_INIT;
    const sw_event_row event = {.task_id = s->task, .type = TEXT("note")};
    const sw_projection projection = {.name = TEXT("p"), .position = 1};
    int64_t newest = 0;
    sw_prune_options prune = SW_PRUNE_OPTIONS_INIT;
    prune.finished_before_us = 1;
    sw_prune_report pruned = SW_PRUNE_REPORT_INIT;
    sw_erase_options forget = SW_ERASE_OPTIONS_INIT;
    forget.subject = forget.actor = forget.reason = (sw_str)TEXT("ann");
    sw_erase_report forgotten = SW_ERASE_REPORT_INIT;
    sw_runner_options runner = SW_RUNNER_OPTIONS_INIT;
    sw_forecast_options forecast = SW_FORECAST_OPTIONS_INIT;
    sw_picture_options picture = SW_PICTURE_OPTIONS_INIT;
    sw_gantt_options gantt = SW_GANTT_OPTIONS_INIT;
#define CALL_CHECK(name, arguments)                                                                \
    if (name arguments != SW_EFORKED || error.code != SW_EFORKED || s->result || s->found ||       \
        s->runner) {                                                                               \
        fprintf(stderr, "%s does not answer SW_EFORKED\n", #name);                                 \
        wrong++;                                                                                   \
    }
    CALL_MAP(CALL_CHECK)
#undef CALL_CHECK
    return wrong;
}

/* A child's whole life: refuse, give up, open for itself. store NULL: open nothing. */
static int child_main(scene *s, const char *store)
{
    int wrong = calls_wrong(s);
    sw_engine_wake(s->engine);
    sw_engine_close(s->engine);
    if (!store || wrong)
        return wrong != 0;
    sw_error error;
    sw_result *result = NULL;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){store, strlen(store)};
    sw_task_submit_row submit = {.workflow = TEXT("w")};
    int rc = sw_engine_open(&options, &engine, &error);
    if (rc == SW_OK)
        rc = sw_task_submit(engine, &submit, 1, &result, &error);
    if (rc < 0)
        fprintf(stderr, "in the child: %s: %s\n", sw_code_name(rc), error.message);
    sw_result_free(result);
    sw_engine_close(engine);
    return rc < 0;
}

static void fork_once(scene *s, const char *store)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(20); /* a child that hangs is a failure, too */
        _exit(child_main(s, store));
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static sw_worker_ref worker_open(live *l)
{
    sw_worker_ref worker;
    static const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    assert_int_equal(sw_worker_open(l->engine, &options, &worker, &l->error), 0);
    return worker;
}

/* Do all there is to do. */
static void work_off(live *l, const sw_worker_ref *worker)
{
    size_t count = 1;
    sw_result *result = NULL;
    sw_step_outcome rows[100];
    size_t row_count = 0;
    while (count > 0 || row_count > 0) {
        int rc = sw_step_exchange(l->engine, worker, rows, row_count, 100, 0, &result, &l->error);
        assert_int_equal(rc, 0);
        const sw_step_claim *claims = sw_step_claims(result, &count);
        row_count = count;
        for (size_t i = 0; i < count; i++)
            rows[i] = (sw_step_outcome){.step_id = claims[i].step_id, .epoch = claims[i].epoch};
        sw_result_free(result);
    }
}

static int64_t tasks_in_state(live *l, int state)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    assert_int_equal(sw_task_count(l->engine, &filter, counts, &l->error), 0);
    return counts[state];
}

static void child_of(const char *store, const char *own_store)
{
    live l;
    live_open(&l, store, definition);
    sw_worker_ref worker = worker_open(&l);
    scene s = {.engine = l.engine, .workflow = l.workflow, .worker = worker};
    s.task = live_submit(&l);
    fork_once(&s, own_store);
    /* The parent never notices. */
    work_off(&l, &worker);
    assert_int_equal(live_state(&l, &s.task), SW_TASK_SUCCEEDED);
    assert_int_equal(tasks_in_state(&l, SW_TASK_SUCCEEDED), own_store ? 2 : 1);
    fork_once(&s, own_store);
    work_off(&l, &worker);
    live_verify(&l);
    live_close(&l);
}

static void test_fork_in_memory(void **state)
{
    (void)state;
    child_of("memory:", NULL);
}

static void test_fork_in_sqlite(void **state)
{
    char directory[64];
    char store[128];
    (void)state;
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/fork.db", directory);
    child_of(store, store);
    live_directory_remove(directory);
}

/* A thread that is inside the engine most of the time; what it adds stays little. */
typedef struct busy {
    pthread_t thread;
    sw_engine *engine;
    sw_worker_ref worker;
    atomic_bool stop;
    atomic_int wrong;
} busy;

static int busy_turn(busy *b, int round, sw_error *err)
{
    sw_result *result = NULL;
    sw_task_submit_row submit = {.workflow = TEXT("w")};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int rc = SW_OK;
    filter.limit = 20;
    if (round % 16 == 0) {
        rc = sw_task_submit(b->engine, &submit, 1, &result, err);
        sw_result_free(result);
    }
    if (rc == SW_OK) {
        rc = sw_step_exchange(b->engine, &b->worker, NULL, 0, 1, 0, &result, err);
        sw_result_free(result);
    }
    if (rc == SW_OK) {
        rc = sw_task_list(b->engine, &filter, &result, err);
        sw_result_free(result);
    }
    return rc;
}

static void *busy_main(void *argument)
{
    busy *b = argument;
    sw_error error;
    for (int round = 0; !atomic_load(&b->stop); round++) {
        int rc = busy_turn(b, round, &error);
        if (rc < 0 && atomic_fetch_add(&b->wrong, 1) == 0)
            fprintf(stderr, "in the parent: %s: %s\n", sw_code_name(rc), error.message);
    }
    return NULL;
}

static void fork_while_busy(const char *store, const char *own_store)
{
    live l;
    static busy b[3]; /* outlives a failed assertion, as the threads do */
    live_open(&l, store, definition);
    scene s = {.engine = l.engine, .workflow = l.workflow, .worker = worker_open(&l)};
    s.task = live_submit(&l);
    for (int i = 0; i < 3; i++) {
        b[i] = (busy){.engine = l.engine, .worker = worker_open(&l)};
        assert_int_equal(pthread_create(&b[i].thread, NULL, busy_main, &b[i]), 0);
    }
    for (int i = 0; i < FORKS; i++)
        fork_once(&s, own_store);
    for (int i = 0; i < 3; i++) {
        atomic_store(&b[i].stop, true);
        pthread_join(b[i].thread, NULL);
        assert_int_equal(b[i].wrong, 0);
    }
    live_verify(&l);
    live_close(&l);
}

static void test_fork_while_threads_work(void **state)
{
    char directory[64];
    char store[128];
    (void)state;
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    print_message("skipped: the allocators of sanitizers do not survive a fork beside threads\n");
    skip();
#endif
    fork_while_busy("memory:", NULL);
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/fork.db", directory);
    fork_while_busy(store, store);
    live_directory_remove(directory);
}

/* A child of a child, and an engine that was opened in the child. */
static void test_fork_again(void **state)
{
    char directory[64];
    char store[128];
    int status = -1;
    (void)state;
    live_directory_make_fast(directory);
    snprintf(store, sizeof(store), "%s/fork.db", directory);
    live l;
    live_open(&l, store, definition);
    scene s = {.engine = l.engine, .workflow = l.workflow, .worker = worker_open(&l)};
    s.task = live_submit(&l);
    pid_t child = fork();
    if (child == 0) {
        live own;
        live_open(&own, store, NULL);
        scene inner = {.engine = own.engine, .workflow = l.workflow, .task = s.task};
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(child_main(&inner, NULL) || child_main(&s, store));
        int ended = -1;
        waitpid(grandchild, &ended, 0);
        bool works = live_state(&own, &s.task) == SW_TASK_PENDING;
        live_close(&own);
        _exit(ended != 0 || !works);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(tasks_in_state(&l, SW_TASK_PENDING), 2);
    live_verify(&l);
    live_close(&l);
    live_directory_remove(directory);
}

/* Whether a function is in the list above. */
static bool call_is_listed(const char *name, size_t len)
{
#define CALL_COMPARE(call, arguments)                                                              \
    if (strlen(#call) == len && memcmp(#call, name, len) == 0)                                     \
        return true;
    CALL_MAP(CALL_COMPARE)
#undef CALL_COMPARE
    return false;
}

static int calls_of_header(const char *path)
{
    int count = 0;
    static char text[1 << 16];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof(text) - 1, file)] = 0;
    fclose(file);
    for (const char *at = text; (at = strstr(at, "SW_API int sw_")); at++) {
        const char *name = at + strlen("SW_API int ");
        size_t len = strcspn(name, "(");
        if (strncmp(name + len, "(sw_engine *", 12) != 0)
            continue;
        count++;
        if (!call_is_listed(name, len))
            fail_msg("%.*s is not tested after a fork", (int)len, name);
    }
    return count;
}

/* A new call of the interface cannot be forgotten here. */
static void test_every_call_is_listed(void **state)
{
    (void)state;
    int count = 0;
    int listed = 0;
    char path[512];
    DIR *headers = opendir(SW_SOURCE_DIR "/core/include/stepwell");
    assert_non_null(headers);
    for (struct dirent *entry; (entry = readdir(headers));) {
        if (!strstr(entry->d_name, ".h"))
            continue;
        snprintf(path, sizeof(path), "%s/%s", SW_SOURCE_DIR "/core/include/stepwell",
                 entry->d_name);
        count += calls_of_header(path);
    }
    closedir(headers);
#define CALL_COUNT(call, arguments) listed++;
    CALL_MAP(CALL_COUNT)
#undef CALL_COUNT
    assert_int_equal(count, listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fork_in_memory),          cmocka_unit_test(test_fork_in_sqlite),
        cmocka_unit_test(test_fork_while_threads_work), cmocka_unit_test(test_fork_again),
        cmocka_unit_test(test_every_call_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
