/* The smallest whole program: one workflow of two steps, one worker, in memory.
 *
 *     cc hello.c $(pkg-config --cflags --libs stepwell) && ./a.out
 */
#include <stdio.h>
#include <string.h>

#include <stepwell.h>

#define TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})

static const char definition[] =
    "{\"stepwell\": 1, \"name\": \"hello\", \"steps\": ["
    " {\"name\": \"greet\"},"
    " {\"name\": \"shout\", \"after\": [\"greet\"]}]}";

static int stop(const sw_error *error)
{
    fprintf(stderr, "hello: %s\n", error->message);
    return 1;
}

/* The handler of both steps: say who runs, answer a JSON text. */
static sw_step_outcome handle(const sw_step_claim *claim)
{
    printf("%.*s, attempt %d\n", (int)claim->name.len, claim->name.ptr, claim->attempt);
    return (sw_step_outcome){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .outcome = SW_OUTCOME_SUCCEEDED,
        .result = TEXT("{\"said\": \"hello\"}"),
    };
}

static int work(sw_engine *engine, const sw_worker_ref *worker, sw_error *error)
{
    sw_step_outcome outcome;
    size_t outcomes = 0;
    for (;;) {
        size_t claimed = 0;
        size_t finished = 0;
        sw_result *result = NULL;
        int rc = sw_step_exchange(engine, worker, &outcome, outcomes, 1, 1000, &result, error);
        if (rc < 0)
            return rc;
        const sw_step_claim *claims = sw_step_claims(result, &claimed);
        sw_tasks_finished(result, &finished);
        outcomes = claimed;
        if (claimed)
            outcome = handle(&claims[0]);
        sw_result_free(result);
        if (finished)
            return 0;
    }
}

int main(void)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_workflow *workflow = NULL;
    sw_result *submitted = NULL;
    sw_worker_ref worker;
    sw_str handlers[] = {TEXT("hello.greet"), TEXT("hello.shout")};
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    sw_worker_options join = SW_WORKER_OPTIONS_INIT;
    sw_task_submit_row row = {.workflow = TEXT("hello")};

    options.store = TEXT("memory:");
    join.handlers = handlers;
    join.handler_count = 2;
    if (sw_engine_open(&options, &engine, &error) < 0 ||
        sw_workflow_load(&load, TEXT(definition), &workflow, NULL, &error) < 0)
        return stop(&error);
    const sw_workflow *workflows[] = {workflow};
    if (sw_workflow_register(engine, workflows, 1, &error) < 0 ||
        sw_task_submit(engine, &row, 1, &submitted, &error) < 0 ||
        sw_worker_open(engine, &join, &worker, &error) < 0 || work(engine, &worker, &error) < 0 ||
        sw_worker_close(engine, &worker, &error) < 0)
        return stop(&error);
    sw_result_free(submitted);
    sw_workflow_free(workflow);
    sw_engine_close(engine);
    puts("done");
    return 0;
}
