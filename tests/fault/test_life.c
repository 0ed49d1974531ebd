/* Signs of life: a worker that is killed is known to be dead long before its lease is over, and
 * one that only stands still is not.
 *
 * Real processes on one SQLite file, with leases of ten minutes.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "stepwell.h"

#define LIT(text) ((sw_str){(text), sizeof(text) - 1})
#define LEASE_MS 600000

static const char definition[] = "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}";

typedef struct place {
    char folder[64];
    char file[96];
    char life[112];
    char bell[112];
} place;

static void place_make(place *p)
{
    snprintf(p->folder, sizeof p->folder, "/tmp/stepwell-life-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->file, sizeof p->file, "%s/life.db", p->folder);
    snprintf(p->life, sizeof p->life, "%s-life", p->file);
    snprintf(p->bell, sizeof p->bell, "%s-bell", p->file);
}

static void place_remove(const place *p)
{
    unlink(p->file);
    unlink(p->life);
    unlink(p->bell);
    rmdir(p->folder);
}

static sw_engine *engine_at(const place *p)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = (sw_str){p->file, strlen(p->file)};
    return sw_engine_open(&options, &engine, &error) == 0 ? engine : NULL;
}

static int worker_at(sw_engine *engine, sw_worker_ref *worker)
{
    sw_error error;
    sw_str handler = LIT("w.a");
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    options.lease_ms = LEASE_MS;
    return sw_worker_open(engine, &options, worker, &error);
}

static void submit_at(sw_engine *engine)
{
    sw_error error;
    sw_result *result = NULL;
    sw_workflow *workflow = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    sw_task_submit_row row = {.workflow = LIT("w")};
    assert_int_equal(sw_workflow_load(&options, LIT(definition), &workflow, NULL, &error), 0);
    const sw_workflow *workflows[] = {workflow};
    assert_int_equal(sw_workflow_register(engine, workflows, 1, &error), 0);
    assert_int_equal(sw_task_submit(engine, &row, 1, &result, &error), 0);
    sw_result_free(result);
    sw_workflow_free(workflow);
}

/* Claim the step within wait_ms; its epoch, or 0 when there was none to claim. */
static int64_t claim_within(sw_engine *engine, const sw_worker_ref *worker, int64_t wait_ms)
{
    sw_error error;
    size_t count = 0;
    sw_result *result = NULL;
    if (sw_step_exchange(engine, worker, NULL, 0, 1, wait_ms, &result, &error) < 0)
        return -1;
    const sw_step_claim *claims = sw_step_claims(result, &count);
    int64_t epoch = count ? claims[0].epoch : 0;
    sw_result_free(result);
    return epoch;
}

/* A child that claims the step, says so, and then holds it until it is killed. */
static pid_t holder_start(const place *p, bool with_child)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        sw_worker_ref worker;
        sw_engine *engine = engine_at(p);
        if (!engine || worker_at(engine, &worker) < 0 || claim_within(engine, &worker, 0) != 1)
            _exit(1);
        if (with_child && fork() == 0) {
            close(ready[0]);
            close(ready[1]);
            sleep(20);
            _exit(0);
        }
        if (write(ready[1], "x", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return pid;
}

static void kill_and_wait(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void takes_over(bool with_child)
{
    place p;
    sw_error error;
    sw_worker_ref worker;
    place_make(&p);
    sw_engine *engine = engine_at(&p);
    assert_non_null(engine);
    submit_at(engine);
    assert_int_equal(worker_at(engine, &worker), 0);
    pid_t holder = holder_start(&p, with_child);
    assert_int_equal(claim_within(engine, &worker, 800), 0);
    kill_and_wait(holder);
    assert_int_equal(claim_within(engine, &worker, 10000), 2);
    assert_int_equal(sw_worker_close(engine, &worker, &error), 0);
    sw_engine_close(engine);
    place_remove(&p);
}

static void life_killed_worker_is_replaced_at_once(void **state)
{
    (void)state;
    takes_over(false);
}

/* The lock is the process's: a child that outlives it keeps nothing alive. */
static void life_forked_child_does_not_count(void **state)
{
    (void)state;
    takes_over(true);
}

static void life_stopped_worker_is_not_dead(void **state)
{
    (void)state;
    place p;
    sw_worker_ref worker;
    place_make(&p);
    sw_engine *engine = engine_at(&p);
    submit_at(engine);
    assert_int_equal(worker_at(engine, &worker), 0);
    pid_t holder = holder_start(&p, false);
    kill(holder, SIGSTOP);
    assert_int_equal(claim_within(engine, &worker, 1500), 0);
    kill_and_wait(holder);
    assert_int_equal(claim_within(engine, &worker, 10000), 2);
    sw_engine_close(engine);
    place_remove(&p);
}

/* Closing one engine of a process must not take the sign of life from the workers of another. */
static void life_of_two_engines_in_one_process(void **state)
{
    (void)state;
    place p;
    sw_worker_ref first;
    sw_worker_ref second;
    place_make(&p);
    sw_engine *one = engine_at(&p);
    sw_engine *two = engine_at(&p);
    submit_at(one);
    assert_int_equal(worker_at(one, &first), 0);
    assert_int_equal(worker_at(two, &second), 0);
    assert_int_equal(claim_within(one, &first, 0), 1);
    assert_int_equal(claim_within(two, &second, 800), 0);
    sw_engine_close(two);
    const sw_env *env = sw_env_system();
    assert_int_equal(env->life(env->context, SW_LIFE_ASK, p.file, first.worker_id), 1);
    pid_t pid = fork();
    if (pid == 0) {
        int alive = env->life(env->context, SW_LIFE_ASK, p.file, first.worker_id);
        _exit(alive == 1 ? 0 : 1);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    sw_engine_close(one);
    assert_int_equal(env->life(env->context, SW_LIFE_ASK, p.file, first.worker_id), 0);
    place_remove(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_killed_worker_is_replaced_at_once),
        cmocka_unit_test(life_forked_child_does_not_count),
        cmocka_unit_test(life_stopped_worker_is_not_dead),
        cmocka_unit_test(life_of_two_engines_in_one_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
