/* stepwell plan: levels, limits and handlers of a file, from its definition alone. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "definition.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

/* Lines of a drawing above which the list alone says it better. */
#define PLAN_DRAWING_LINES 60

/* A definition, looked at level by level. */
typedef struct plan_view {
    const sw_workflow *workflow;
    const sw_workflow_step *steps;
    size_t step_count;
    int32_t level_count;
    size_t *widths; /* steps per level */
} plan_view;

static void plan_view_open(plan_view *view, const sw_workflow *workflow)
{
    *view = (plan_view){.workflow = workflow};
    view->steps = sw_workflow_steps(workflow, &view->step_count);
    for (size_t i = 0; i < view->step_count; i++) {
        if (view->steps[i].level >= view->level_count)
            view->level_count = view->steps[i].level + 1;
    }
    view->widths = cli_alloc((size_t)view->level_count * sizeof(*view->widths));
    for (size_t i = 0; i < view->step_count; i++)
        view->widths[view->steps[i].level]++;
}

static size_t plan_width_max(const plan_view *view)
{
    size_t widest = 0;
    for (int32_t level = 0; level < view->level_count; level++)
        widest = view->widths[level] > widest ? view->widths[level] : widest;
    return widest;
}

/* Names of the steps that a step depends on, with commas; from malloc. */
static char *plan_after(const plan_view *view, const sw_workflow_step *step)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return cli_copy("");
    for (size_t i = 0; i < step->after_count; i++) {
        fputs(i == 0 ? "after " : ", ", stream);
        cli_text_put(stream, view->steps[step->after[i]].name, CLI_TEXT_NO_LIMIT);
    }
    fclose(stream);
    return text;
}

/* What is left out is the rule that a step has when it says nothing. */
static const char *plan_put_trigger(FILE *stream, const sw_workflow_step *step)
{
    if (step->trigger == SW_TRIGGER_ALL_SUCCEEDED)
        return "";
    fprintf(stream, "when %s", sw_trigger_name(step->trigger));
    if (step->trigger == SW_TRIGGER_QUORUM)
        fprintf(stream, " of %d", step->quorum);
    return ", ";
}

/* Trigger rule, timeout, attempts and what a failure means, where they differ from "after all,
 * once, without limit". */
static char *plan_limits(const sw_workflow_step *step)
{
    char *text = NULL;
    size_t size = 0;
    char base[CLI_DURATION_SIZE];
    char most[CLI_DURATION_SIZE];
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return cli_copy("");
    const char *comma = plan_put_trigger(stream, step);
    if (step->timeout_ms > 0) {
        fprintf(stream, "%stimeout %s", comma, cli_duration_exact(step->timeout_ms, base));
        comma = ", ";
    }
    if (step->heartbeat_ms > 0) {
        fprintf(stream, "%sheartbeat %s", comma, cli_duration_exact(step->heartbeat_ms, base));
        comma = ", ";
    }
    if (step->deadline_ms > 0) {
        fprintf(stream, "%sdeadline %s", comma, cli_duration_exact(step->deadline_ms, base));
        comma = ", ";
    }
    if (step->max_attempts > 1) {
        fprintf(stream, "%s%d attempts", comma, step->max_attempts);
        if (step->backoff != SW_BACKOFF_NONE && step->backoff_base_ms > 0)
            fprintf(stream, " (%s %s to %s)", sw_backoff_name(step->backoff),
                    cli_duration_exact(step->backoff_base_ms, base),
                    cli_duration_exact(step->backoff_max_ms, most));
        comma = ", ";
    }
    if (step->max_crashes != SW_CRASHES_DEFAULT) {
        fprintf(stream, "%s%d lost workers", comma, step->max_crashes);
        comma = ", ";
    }
    if (step->breaker.ptr) {
        fprintf(stream, "%sbreaker %.*s", comma, (int)step->breaker.len, step->breaker.ptr);
        comma = ", ";
    }
    if (step->on_failure == SW_ON_FAILURE_CONTINUE)
        fprintf(stream, "%sfailure is allowed", comma);
    else if (step->on_failure == SW_ON_FAILURE_FAIL_TASK)
        fprintf(stream, "%sfailure ends the task", comma);
    else if (step->on_failure == SW_ON_FAILURE_SKIP_DEPENDENTS)
        fprintf(stream, "%sfailure skips what follows", comma);
    fclose(stream);
    return text;
}

static void plan_add_step(const plan_view *view, cli_grid *grid, const sw_workflow_step *step)
{
    char *after = plan_after(view, step);
    char *limits = plan_limits(step);
    cli_grid_add(grid, CLI_BOLD, step->name);
    cli_grid_add(grid, cli_kind_known(step->handler) ? CLI_PLAIN : CLI_YELLOW, step->handler);
    cli_grid_add(grid, CLI_PLAIN, cli_str(after));
    cli_grid_add(grid, CLI_DIM, cli_str(limits));
    free(after);
    free(limits);
}

static void plan_print_level(const plan_view *view, int32_t level)
{
    size_t width = view->widths[level];
    cli_grid grid = cli_grid_open("llll");
    printf("\n%slevel %d%s: %zu step%s%s\n", cli_style_on(CLI_CYAN), level + 1,
           cli_style_off(CLI_CYAN), width, width == 1 ? "" : "s", width > 1 ? " side by side" : "");
    for (size_t i = 0; i < view->step_count; i++) {
        if (view->steps[i].level == level)
            plan_add_step(view, &grid, &view->steps[i]);
    }
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

/* Whether an earlier step has the same handler. */
static bool plan_handler_seen(const plan_view *view, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (cli_str_equal(view->steps[i].handler, view->steps[index].handler))
            return true;
    }
    return false;
}

static void plan_print_handlers(const plan_view *view)
{
    const char *comma = "\nneeds workers of your application for: ";
    for (size_t i = 0; i < view->step_count; i++) {
        sw_str handler = view->steps[i].handler;
        if (cli_kind_known(handler) || plan_handler_seen(view, i))
            continue;
        fputs(comma, stdout);
        cli_text_put(stdout, handler, CLI_TEXT_NO_LIMIT);
        comma = ", ";
    }
    if (comma[0] == ',')
        fputc('\n', stdout);
}

/* What depends on what, where that fits the terminal. */
static void plan_draw(const plan_view *view)
{
    sw_graph *graph = NULL;
    sw_result *result = NULL;
    sw_graph_options graph_options = SW_GRAPH_OPTIONS_INIT;
    sw_graph_view arrays = SW_GRAPH_VIEW_INIT;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    options.format = SW_PICTURE_TEXT;
    options.columns = (int32_t)cli_out_width();
    options.ascii = !cli_out()->unicode;
    options.color = cli_out()->colour;
    if (sw_graph_new_workflow(&graph_options, view->workflow, &graph, NULL) == SW_OK &&
        sw_graph_view_get(graph, &arrays, NULL) == SW_OK && arrays.edge_count > 0 &&
        sw_graph_picture(graph, &options, NULL, &result, NULL) == SW_OK) {
        const sw_picture *picture = sw_pictures(result, NULL);
        if (picture->height <= PLAN_DRAWING_LINES) {
            fputc('\n', stdout);
            fwrite(picture->text.ptr, 1, picture->text.len, stdout);
        }
    }
    sw_result_free(result);
    sw_graph_free(graph);
}

static void plan_print(const plan_view *view)
{
    int64_t most = sw_workflow_max_parallel(view->workflow);
    sw_str version = sw_workflow_version(view->workflow);
    fputs(cli_style_on(CLI_BOLD), stdout);
    cli_text_put(stdout, sw_workflow_name(view->workflow), CLI_TEXT_NO_LIMIT);
    if (version.len > 0)
        fputc(' ', stdout);
    cli_text_put(stdout, version, CLI_TEXT_NO_LIMIT);
    printf("%s: %zu step%s in %d level%s, at most %zu at once", cli_style_off(CLI_BOLD),
           view->step_count, view->step_count == 1 ? "" : "s", view->level_count,
           view->level_count == 1 ? "" : "s", plan_width_max(view));
    if (most > 0)
        printf(" (%lld allowed)", (long long)most);
    fputc('\n', stdout);
    plan_draw(view);
    for (int32_t level = 0; level < view->level_count; level++)
        plan_print_level(view, level);
    plan_print_handlers(view);
}

static void plan_json_step(cli_json *json, const plan_view *view, const sw_workflow_step *step)
{
    cli_json_object(json, NULL);
    cli_json_str(json, "name", step->name);
    cli_json_str(json, "title", step->title);
    cli_json_str(json, "handler", step->handler);
    cli_json_bool(json, "built_in", cli_kind_known(step->handler));
    cli_json_str(json, "queue", step->queue);
    cli_json_int(json, "level", step->level);
    cli_json_array(json, "after");
    for (size_t i = 0; i < step->after_count; i++)
        cli_json_str(json, NULL, view->steps[step->after[i]].name);
    cli_json_close(json);
    cli_json_text(json, "trigger", sw_trigger_name(step->trigger));
    cli_json_int(json, "quorum", step->quorum);
    cli_json_str(json, "breaker", step->breaker);
    cli_json_int(json, "priority", step->priority);
    cli_json_int(json, "timeout_ms", step->timeout_ms);
    cli_json_int(json, "heartbeat_ms", step->heartbeat_ms);
    cli_json_int(json, "deadline_ms", step->deadline_ms);
    cli_json_text(json, "on_failure", sw_on_failure_name(step->on_failure));
    cli_json_object(json, "retry");
    cli_json_int(json, "max_attempts", step->max_attempts);
    cli_json_int(json, "max_crashes", step->max_crashes);
    cli_json_text(json, "backoff", sw_backoff_name(step->backoff));
    cli_json_int(json, "base_ms", step->backoff_base_ms);
    cli_json_int(json, "max_ms", step->backoff_max_ms);
    cli_json_close(json);
    cli_json_raw(json, "parameters", step->parameters);
    cli_json_int(json, "line", step->line);
    cli_json_close(json);
}

static void plan_print_json(const plan_view *view)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_str(&json, "workflow", sw_workflow_name(view->workflow));
    cli_json_str(&json, "version", sw_workflow_version(view->workflow));
    cli_json_str(&json, "digest", sw_workflow_digest(view->workflow));
    cli_json_int(&json, "max_parallel", sw_workflow_max_parallel(view->workflow));
    cli_json_int(&json, "deadline_ms", sw_workflow_deadline_ms(view->workflow));
    cli_json_int(&json, "width", (int64_t)plan_width_max(view));
    cli_json_array(&json, "levels");
    for (int32_t level = 0; level < view->level_count; level++) {
        cli_json_array(&json, NULL);
        for (size_t i = 0; i < view->step_count; i++) {
            if (view->steps[i].level == level)
                cli_json_str(&json, NULL, view->steps[i].name);
        }
        cli_json_close(&json);
    }
    cli_json_close(&json);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < view->step_count; i++)
        plan_json_step(&json, view, &view->steps[i]);
    cli_json_close(&json);
    cli_json_array(&json, "application_handlers");
    for (size_t i = 0; i < view->step_count; i++) {
        if (!cli_kind_known(view->steps[i].handler) && !plan_handler_seen(view, i))
            cli_json_str(&json, NULL, view->steps[i].handler);
    }
    cli_json_end(&json);
}

int cli_command_plan(const cli_call *call)
{
    cli_definition definition;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK) {
        plan_view view;
        plan_view_open(&view, definition.workflow);
        if (cli_out()->json)
            plan_print_json(&view);
        else if (!cli_out()->quiet)
            plan_print(&view);
        free(view.widths);
    }
    cli_definition_close(&definition);
    return status;
}
