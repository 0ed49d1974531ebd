/* stepwell readiness --rule: which steps of a task one of Tasker's two rules would find ready, with
 * the columns that its tables would have.
 *
 * Not here: the rules (core/src/model/tasker_readiness.c), Stepwell's own answer (readiness.c).
 */
#include "readiness.h"

#include <stdlib.h>

#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

typedef struct tasker_view {
    int rule;
    const sw_step_row *rows;
    size_t count;
    sw_tasker_step *steps;
    sw_tasker_readiness *out;
} tasker_view;

/* Its tables have no skipped steps: like cancelled ones these never run and satisfy nobody. An
 * attempt that failed and is to be tried again is an error in one engine, a state of its own in
 * the other. */
static int tasker_state(int rule, const sw_step_row *row)
{
    switch (row->state) {
    case SW_STEP_READY:
        if (row->attempt == 0 || !row->error_class.ptr)
            return SW_TASKER_PENDING;
        return rule == SW_TASKER_RAILS ? SW_TASKER_ERROR : SW_TASKER_WAITING_FOR_RETRY;
    case SW_STEP_RUNNING:
        return SW_TASKER_IN_PROGRESS;
    case SW_STEP_SUCCEEDED:
        return SW_TASKER_COMPLETE;
    case SW_STEP_FAILED:
        return SW_TASKER_ERROR;
    case SW_STEP_SKIPPED:
    case SW_STEP_CANCELLED:
        return SW_TASKER_CANCELLED;
    case SW_STEP_RESOLVED:
        return SW_TASKER_RESOLVED_MANUALLY;
    default:
        return SW_TASKER_PENDING;
    }
}

/* Tasker counts every attempt, also one that a dead worker has lost. Who has failed with attempts
 * left has failed for good. */
static sw_tasker_step tasker_step(int rule, const sw_step_row *row, const sw_workflow_step *step)
{
    int state = tasker_state(rule, row);
    bool failed = state == SW_TASKER_ERROR || state == SW_TASKER_WAITING_FOR_RETRY;
    return (sw_tasker_step){
        .state = state,
        .processed = state == SW_TASKER_COMPLETE || state == SW_TASKER_RESOLVED_MANUALLY,
        .in_process = state == SW_TASKER_IN_PROGRESS,
        .retryable = row->state != SW_STEP_FAILED || row->attempt >= row->max_attempts,
        .attempts = row->attempt,
        .retry_limit = row->max_attempts,
        .backoff_request_seconds = SW_TASKER_NULL,
        .last_attempted_us = SW_TASKER_NULL,
        .failed_us = failed ? row->changed_us : SW_TASKER_NULL,
        .parents = step->after,
        .parent_count = step->after_count,
    };
}

static void tasker_print_json(const tasker_view *view, const sw_uuid *task_id)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", task_id);
    cli_json_text(&json, "rule", view->rule == SW_TASKER_RAILS ? "tasker-rails" : "tasker-core");
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < view->count; i++) {
        const sw_tasker_readiness *out = &view->out[i];
        cli_json_object(&json, NULL);
        cli_json_int(&json, "step_id", view->rows[i].step_id);
        cli_json_str(&json, "step", view->rows[i].name);
        cli_json_text(&json, "state", sw_tasker_state_name(view->steps[i].state));
        cli_json_bool(&json, "ready", out->ready);
        cli_json_bool(&json, "dependencies_satisfied", out->dependencies_satisfied);
        cli_json_bool(&json, "retry_eligible", out->retry_eligible);
        cli_json_int(&json, "attempts", view->steps[i].attempts);
        cli_json_int(&json, "max_attempts", view->steps[i].retry_limit);
        cli_json_int(&json, "total_parents", out->total_parents);
        cli_json_int(&json, "completed_parents", out->completed_parents);
        cli_json_time(&json, "next_retry_at", out->next_retry_us > 0 ? out->next_retry_us : 0);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void tasker_add_row(const tasker_view *view, cli_grid *grid, size_t index)
{
    char time[CLI_TIME_SIZE];
    const sw_tasker_step *step = &view->steps[index];
    const sw_tasker_readiness *out = &view->out[index];
    const char *retry_at = out->next_retry_us > 0 ? cli_time_local(out->next_retry_us, time) : "";
    cli_grid_add(grid, CLI_BOLD, view->rows[index].name);
    cli_grid_add(grid, cli_step_style(view->rows[index].state),
                 cli_str(sw_tasker_state_name(step->state)));
    cli_grid_add(grid, out->ready ? CLI_GREEN : CLI_PLAIN, cli_str(out->ready ? "yes" : "no"));
    cli_grid_addf(grid, CLI_PLAIN, "%lld/%lld", (long long)step->attempts,
                  (long long)step->retry_limit);
    cli_grid_addf(grid, CLI_PLAIN, "%d/%d", out->completed_parents, out->total_parents);
    cli_grid_add(grid, CLI_PLAIN, cli_str(retry_at));
}

static void tasker_print(const tasker_view *view)
{
    static const char *const heads[] = {"STEP",     "STATE",   "READY",
                                        "ATTEMPTS", "PARENTS", "RETRY AT"};
    cli_grid grid = cli_grid_open("lllrrl");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < view->count; i++)
        tasker_add_row(view, &grid, i);
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

static int tasker_answer(tasker_view *view, const sw_workflow *workflow, int64_t now_us,
                         sw_error *error)
{
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    view->steps = cli_alloc(view->count * sizeof *view->steps);
    view->out = cli_alloc(view->count * sizeof *view->out);
    for (size_t i = 0; i < view->count; i++)
        view->steps[i] = tasker_step(view->rule, &view->rows[i], &steps[i]);
    return sw_tasker_readiness_of(view->rule, view->steps, view->count, NULL, 0, now_us, view->out,
                                  error);
}

int cli_readiness_tasker(sw_engine *engine, const sw_uuid *task_id, const char *rule)
{
    sw_error error = {0};
    sw_result *result = NULL;
    sw_workflow *workflow = NULL;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    tasker_view view = {.rule = sw_tasker_rule_find(cli_str(rule + sizeof "tasker-" - 1))};
    int status = cli_task_read(engine, task_id, &result);
    if (status != CLI_EXIT_OK)
        return status;
    view.rows = sw_steps(result, &view.count);
    if (sw_task_workflow(engine, task_id, &workflow, &error) < 0 ||
        sw_engine_info_get(engine, &info, &error) < 0 ||
        tasker_answer(&view, workflow, info.now_us, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot look at the task");
    else if (cli_out()->json)
        tasker_print_json(&view, task_id);
    else if (!cli_out()->quiet)
        tasker_print(&view);
    free(view.out);
    free(view.steps);
    sw_workflow_free(workflow);
    sw_result_free(result);
    return status;
}
