/* Nesting as deep as the limit and far beyond it, on a stack of 128 KiB: a fiber or a thread of the
 * host may have no more, and running over it is a crash no limit on input helps against.
 *
 * Definitions, their canonical form, inputs, results and verification run in such a thread, whose
 * stack is painted before and measured after.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/limits.h"
#include "base/str.h"
#include "helper/live.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STACK_FACTOR 4 /* sanitizers make every frame larger */
#else
#define STACK_FACTOR 1
#endif
#define STACK_SIZE ((size_t)STACK_FACTOR * 128 * 1024)
#define STACK_USED_MAX (STACK_SIZE / 4 * 3)
#define STACK_GUARD ((size_t)64 * 1024)
#define STACK_PAINT 0xa5
#define PARAMETERS_AT 4 /* brackets around the parameters of a step, theirs included */

/* One thread with a small stack. cmocka cannot fail from there, so the first failure is kept. */
typedef struct depth_run {
    void (*body)(struct depth_run *run);
    char folder[64];
    char store[96];
    char failure[512];
} depth_run;

#define EXPECT(run, holds, ...)                                                                    \
    do {                                                                                           \
        if (!(holds) && !(run)->failure[0])                                                        \
            snprintf((run)->failure, sizeof((run)->failure), __VA_ARGS__);                         \
    } while (0)

static void *depth_thread(void *context)
{
    depth_run *run = context;
    run->body(run);
    return NULL;
}

static size_t depth_painted(const uint8_t *stack)
{
    size_t left = 0;
    while (left < STACK_SIZE && stack[left] == STACK_PAINT)
        left++;
    return left;
}

/* The stack grows downwards, into a region that cannot be touched. */
static void depth_call(depth_run *run)
{
    pthread_t thread;
    pthread_attr_t attributes;
    uint8_t *block = mmap(NULL, STACK_GUARD + STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(block, MAP_FAILED);
    assert_int_equal(mprotect(block, STACK_GUARD, PROT_NONE), 0);
    uint8_t *stack = block + STACK_GUARD;
    memset(stack, STACK_PAINT, STACK_SIZE);
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstack(&attributes, stack, STACK_SIZE), 0);
    assert_int_equal(pthread_create(&thread, &attributes, depth_thread, run), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
    size_t used = STACK_SIZE - depth_painted(stack);
    munmap(block, STACK_GUARD + STACK_SIZE);
    if (run->failure[0])
        fail_msg("%s", run->failure);
    print_message("%zu bytes of stack\n", used);
    if (used > STACK_USED_MAX)
        fail_msg("%zu of %zu bytes of stack are used", used, STACK_SIZE);
}

/* Texts. The caller frees them. */

/* "[[[ ... ]]]" or "{"a":{"a": ... }}" around "1". */
static char *nested(bool map, size_t depth)
{
    const char *open = map ? "{\"a\":" : "[";
    size_t size = strlen(open);
    char *text = malloc(depth * (size + 1) + 2);
    char *at = text;
    for (size_t i = 0; i < depth; i++, at += size)
        memcpy(at, open, size);
    *at++ = '1';
    memset(at, map ? '}' : ']', depth);
    at[depth] = '\0';
    return text;
}

/* A definition whose only step has a parameter nested so that the whole is `depth` deep. */
static char *definition_nested(bool map, size_t depth)
{
    char *value = nested(map, depth - PARAMETERS_AT);
    char *text = malloc(strlen(value) + 128);
    sprintf(
        text,
        "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"parameters\":{\"p\":%s}}]}",
        value);
    free(value);
    return text;
}

/* The same as block YAML: each level is indented further, or is a list in a list. */
static char *yaml_nested(bool map, size_t depth)
{
    int levels = (int)(depth - PARAMETERS_AT);
    char *text = malloc(256 + (size_t)levels * ((size_t)levels + 16));
    char *at = text + sprintf(text, "stepwell: 1\nname: w\nsteps:\n- name: a\n  parameters:\n");
    at += sprintf(at, map ? "    p:\n" : "    p:\n    ");
    for (int i = 0; i < levels; i++)
        at += map ? sprintf(at, "%*sa:\n", i + 5, "") : sprintf(at, "- ");
    if (map)
        at += sprintf(at, "%*s", levels + 5, "");
    sprintf(at, "1\n");
    return text;
}

static const size_t depths_beyond[] = {SW__DEPTH_MAX + 1, SW__DEPTH_MAX * 2, 2048, 100000};

#define DEPTHS_BEYOND (sizeof(depths_beyond) / sizeof(depths_beyond[0]))

/* Loading. */

static sw_workflow *load(depth_run *run, char *text, int expected)
{
    sw_error err;
    sw_workflow *workflow = NULL;
    int rc = sw_workflow_load(NULL, sw__str(text), &workflow, NULL, &err);
    EXPECT(run, rc == expected, "%.60s...: %s instead of %s: %.200s", text, sw_code_name(rc),
           sw_code_name(expected), rc < 0 ? err.message : "");
    free(text);
    return workflow;
}

static void body_definitions(depth_run *run)
{
    for (int map = 0; map < 2; map++) {
        sw_workflow_free(load(run, definition_nested(map, SW__DEPTH_MAX), SW_OK));
        sw_workflow_free(load(run, yaml_nested(map, SW__DEPTH_MAX), SW_OK));
        load(run, yaml_nested(map, SW__DEPTH_MAX + 1), SW_ELIMIT);
        for (size_t i = 0; i < DEPTHS_BEYOND; i++)
            load(run, definition_nested(map, depths_beyond[i]), SW_ELIMIT);
    }
}

static void test_definitions(void **state)
{
    (void)state;
    depth_run run = {.body = body_definitions};
    depth_call(&run);
}

/* Brackets that are never closed, and such that only YAML knows. */
static void body_broken(depth_run *run)
{
    static const char *const openings[] = {"[", "{\"a\":", "- ", "? ", "a: [", "{? ", "[{"};
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        size_t size = strlen(openings[i]);
        char *text = malloc(100000 * size + 1);
        for (size_t k = 0; k < 100000; k++)
            memcpy(text + k * size, openings[i], size);
        text[100000 * size] = '\0';
        sw_error err;
        sw_workflow *workflow = NULL;
        int rc = sw_workflow_load(NULL, sw__str(text), &workflow, NULL, &err);
        EXPECT(run, rc == SW_ELIMIT || rc == SW_EDEFINITION, "%s: %s", openings[i],
               sw_code_name(rc));
        free(text);
    }
}

static void test_brackets_without_end(void **state)
{
    (void)state;
    depth_run run = {.body = body_broken};
    depth_call(&run);
}

/* A task from its definition to its verification. */

static int submit(depth_run *run, sw_engine *engine, char *input)
{
    sw_error err;
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .input = sw__str(input)};
    int rc = sw_task_submit(engine, &row, 1, &result, &err);
    EXPECT(run, rc == SW_OK || rc == SW_EINVAL, "submit: %s", sw_code_name(rc));
    sw_result_free(result);
    free(input);
    return rc;
}

static int report(depth_run *run, sw_engine *engine, const sw_step_claim *claim, char *body)
{
    sw_error err;
    sw_result *result = NULL;
    sw_step_outcome row = {
        .step_id = claim->step_id, .epoch = claim->epoch, .result = sw__str(body)};
    int rc = sw_step_update_batch(engine, &row, 1, &result, &err);
    EXPECT(run, rc == SW_OK || rc == SW_EINVAL, "report: %s", sw_code_name(rc));
    sw_result_free(result);
    free(body);
    return rc;
}

static void task_submit(depth_run *run, sw_engine *engine, bool map)
{
    for (size_t i = 0; i < DEPTHS_BEYOND; i++)
        EXPECT(run, submit(run, engine, nested(map, depths_beyond[i])) == SW_EINVAL,
               "an input %zu deep is taken", depths_beyond[i]);
    EXPECT(run, submit(run, engine, nested(map, SW__DEPTH_MAX)) == SW_OK, "the input is refused");
}

static void task_work(depth_run *run, sw_engine *engine, bool map)
{
    sw_error err;
    size_t count = 0;
    sw_result *result = NULL;
    sw_str handler = SW__LIT("w.a");
    sw_worker_ref worker = {0};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = &handler;
    options.handler_count = 1;
    int rc = sw_worker_open(engine, &options, &worker, &err);
    EXPECT(run, rc == SW_OK, "worker: %s", sw_code_name(rc));
    rc = sw_step_exchange(engine, &worker, NULL, 0, 1, 0, &result, &err);
    const sw_step_claim *claims = sw_step_claims(result, &count);
    EXPECT(run, rc == SW_OK && count == 1, "%zu claims: %s", count, sw_code_name(rc));
    for (size_t i = 0; count == 1 && i < DEPTHS_BEYOND; i++)
        EXPECT(run, report(run, engine, claims, nested(map, depths_beyond[i])) == SW_EINVAL,
               "a result %zu deep is taken", depths_beyond[i]);
    EXPECT(run, count == 1 && report(run, engine, claims, nested(map, SW__DEPTH_MAX)) == SW_OK,
           "the result is refused");
    sw_result_free(result);
}

static void task_look(depth_run *run, sw_engine *engine)
{
    sw_error err;
    size_t count = 0;
    sw_result *list = NULL;
    sw_result *task = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_task_list(engine, &filter, &list, &err);
    const sw_task_row *rows = sw_tasks(list, &count);
    EXPECT(run, rc == SW_OK && count == 1 && rows[0].state == SW_TASK_SUCCEEDED,
           "the task is not done");
    if (count == 1)
        rc = sw_task_get(engine, &rows[0].task_id, &task, &err);
    EXPECT(run, rc == SW_OK, "get: %s", sw_code_name(rc));
    rc = sw_audit_verify(engine, &report, &err);
    EXPECT(run, rc == SW_OK, "verify: %.400s", report.message);
    sw_result_free(task);
    sw_result_free(list);
}

static void task_run(depth_run *run, const char *store, bool map)
{
    sw_error err;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow *workflow = load(run, definition_nested(map, SW__DEPTH_MAX), SW_OK);
    const sw_workflow *workflows[] = {workflow};
    options.store = sw__str(store);
    int rc = sw_engine_open(&options, &engine, &err);
    EXPECT(run, rc == SW_OK, "open %s: %s", store, sw_code_name(rc));
    if (engine && workflow) {
        rc = sw_workflow_register(engine, workflows, 1, &err);
        EXPECT(run, rc == SW_OK, "register: %s", sw_code_name(rc));
        task_submit(run, engine, map);
        task_work(run, engine, map);
        task_look(run, engine);
    }
    sw_workflow_free(workflow);
    sw_engine_close(engine);
}

static void body_tasks(depth_run *run)
{
    task_run(run, "memory:", false);
    task_run(run, "memory:", true);
    task_run(run, run->store, true);
}

static void test_tasks(void **state)
{
    (void)state;
    depth_run run = {.body = body_tasks};
    live_directory_make_fast(run.folder);
    snprintf(run.store, sizeof(run.store), "%s/depth.db", run.folder);
    depth_call(&run);
    live_directory_remove(run.folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_definitions),
        cmocka_unit_test(test_brackets_without_end),
        cmocka_unit_test(test_tasks),
    };
    return cmocka_run_group_tests_name("depth", tests, NULL, NULL);
}
