/* stepwell analyze: what the dependencies of a definition mean: critical path, slack, bottlenecks,
 * width, impact, makespan, what steps have in common, and what differs from another definition.
 *
 * Not here: what steps take (durations.c), how answers look (analyze_text.c, analyze_json.c),
 * pictures of a graph (graph, gantt).
 */
#include "analyze.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "database.h"
#include "definition.h"
#include "out.h"
#include "text.h"

/* The steps of an option that is given once for each; the array is from malloc. */
static int steps_read(const cli_analysis *view, cli_option_id option, int32_t **steps,
                      size_t *count)
{
    const cli_value *given = &view->call->values[option];
    *steps = cli_alloc((given->item_count + 1) * sizeof(**steps));
    *count = given->item_count;
    for (size_t i = 0; i < given->item_count; i++) {
        (*steps)[i] = sw_graph_find(view->graph, cli_str(given->items[i]));
        if ((*steps)[i] < 0)
            return cli_fail(CLI_EXIT_NOT_FOUND, NULL, "there is no step '%s'", given->items[i]);
    }
    return CLI_EXIT_OK;
}

static int analysis_ask(cli_analysis *view)
{
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_error error;
    int32_t *roots;
    int status = steps_read(view, CLI_OPTION_FROM, &roots, &options.root_count);
    options.duration_us = view->durations.us;
    options.roots = options.root_count ? roots : NULL;
    if (status == CLI_EXIT_OK &&
        sw_graph_analyze(view->graph, &options, &view->analysis, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot analyze the definition");
    if (status == CLI_EXIT_OK)
        view->found = sw_analyses(view->analysis, NULL);
    free(roots);
    return status;
}

static int makespan_ask(cli_analysis *view)
{
    sw_makespan_options makespan = SW_MAKESPAN_OPTIONS_INIT;
    sw_error error;
    makespan.duration_us = view->durations.us;
    makespan.workers = (int32_t)cli_number(view->call, CLI_OPTION_WORKERS, 0);
    if (cli_given(view->call, CLI_OPTION_WORKERS) &&
        sw_graph_makespan(view->graph, &makespan, &view->makespan, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot schedule the definition");
    return CLI_EXIT_OK;
}

static int impact_ask(cli_analysis *view)
{
    sw_error error;
    int32_t *steps;
    size_t count;
    int status = steps_read(view, CLI_OPTION_IMPACT, &steps, &count);
    if (status == CLI_EXIT_OK && count > 0 &&
        sw_graph_reach(view->graph, SW_REACH_DEPENDENTS, steps, count, &view->impact, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot follow the steps");
    free(steps);
    return status;
}

static int common_ask(cli_analysis *view)
{
    sw_error error;
    int32_t *steps;
    size_t count;
    int status = steps_read(view, CLI_OPTION_COMMON, &steps, &count);
    if (status == CLI_EXIT_OK && count > 0 &&
        sw_graph_common(view->graph, SW_REACH_DEPENDENCIES, steps, count, &view->common, &error) <
            0)
        status = cli_fail_error(&error, NULL, "cannot follow the steps");
    free(steps);
    return status;
}

/* Names and versions of workflows have no slash, and seldom look like the files they are in. */
static bool file_meant(const char *text)
{
    static const char *const endings[] = {".yml", ".yaml", ".json"};
    size_t length = strlen(text);
    if (strcmp(text, "-") == 0 || strchr(text, '/') || access(text, F_OK) == 0)
        return true;
    for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(text + length - ending, endings[i]) == 0)
            return true;
    }
    return false;
}

static int diff_with_version(cli_analysis *view, const char *version)
{
    sw_str name = sw_workflow_name(view->workflow);
    sw_workflow *other = NULL;
    sw_error error;
    int status = CLI_EXIT_OK;
    if (sw_workflow_get(view->engine, name, cli_str(version), &other, &error) < 0)
        return cli_fail_error(&error, "give a file, or a version that is in the database",
                              "there is no version '%s' of '%.*s'", version, (int)name.len,
                              name.ptr);
    if (sw_workflow_diff(view->workflow, other, &view->changes, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot compare with '%s'", version);
    sw_workflow_free(other);
    return status;
}

static int diff_ask(cli_analysis *view)
{
    const char *path = view->call->values[CLI_OPTION_DIFF].text;
    cli_definition other;
    sw_error error;
    if (!path)
        return CLI_EXIT_OK;
    if (view->engine && !file_meant(path))
        return diff_with_version(view, path);
    cli_definition_open(&other, path, cli_given(view->call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&other);
    if (status == CLI_EXIT_OK &&
        sw_workflow_diff(view->workflow, other.workflow, &view->changes, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot compare with '%s'", path);
    cli_definition_close(&other);
    return status;
}

static void analyze_close(cli_analysis *view)
{
    sw_result_free(view->analysis);
    sw_result_free(view->makespan);
    sw_result_free(view->impact);
    sw_result_free(view->common);
    sw_result_free(view->changes);
    sw_graph_free(view->graph);
    cli_durations_close(&view->durations);
}

/* engine is where ended tasks are, NULL: in the database of --db. */
static int analyze_workflow(const cli_call *call, const sw_workflow *workflow, sw_engine *engine)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    cli_analysis view = {.call = call, .workflow = workflow, .engine = engine};
    sw_error error;
    int status = CLI_EXIT_OK;
    sw_workflow_steps(workflow, &view.step_count);
    if (sw_graph_new_workflow(&options, workflow, &view.graph, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot analyze the definition");
    status = cli_durations_open(&view.durations, call, workflow, engine);
    status = status == CLI_EXIT_OK ? analysis_ask(&view) : status;
    status = status == CLI_EXIT_OK ? makespan_ask(&view) : status;
    status = status == CLI_EXIT_OK ? impact_ask(&view) : status;
    status = status == CLI_EXIT_OK ? common_ask(&view) : status;
    status = status == CLI_EXIT_OK ? diff_ask(&view) : status;
    if (status == CLI_EXIT_OK && cli_out()->json)
        cli_analysis_print_json(&view);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet)
        cli_analysis_print(&view);
    analyze_close(&view);
    return status;
}

static int analyze_file(const cli_call *call)
{
    cli_definition definition;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK)
        status = analyze_workflow(call, definition.workflow, NULL);
    cli_definition_close(&definition);
    return status;
}

static int analyze_stored(const cli_call *call)
{
    const char *name = call->arguments[0];
    sw_engine *engine = NULL;
    sw_workflow *workflow = NULL;
    sw_error error;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status != CLI_EXIT_OK)
        return status;
    if (sw_workflow_get(engine, cli_str(name), (sw_str){NULL, 0}, &workflow, &error) < 0)
        status = cli_fail_error(&error, "give a file, or the name of a workflow in the database",
                                "there is no workflow '%s'", name);
    else
        status = analyze_workflow(call, workflow, engine);
    sw_workflow_free(workflow);
    sw_engine_close(engine);
    return status;
}

int cli_command_analyze(const cli_call *call)
{
    return file_meant(call->arguments[0]) ? analyze_file(call) : analyze_stored(call);
}
