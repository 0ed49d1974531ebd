/* stepwell analyze: what the dependencies of a definition mean: critical path, slack, bottlenecks,
 * width, impact, makespan, and what differs from another file.
 *
 * Not here: what steps take (durations.c), how answers look (analyze_text.c, analyze_json.c),
 * pictures of a graph (graph, gantt).
 */
#include "analyze.h"

#include <string.h>
#include <unistd.h>

#include "database.h"
#include "definition.h"
#include "out.h"
#include "text.h"

static int analyze_ask(cli_analysis *view)
{
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_makespan_options makespan = SW_MAKESPAN_OPTIONS_INIT;
    sw_error error;
    options.duration_us = view->durations.us;
    makespan.duration_us = view->durations.us;
    makespan.workers = (int32_t)cli_number(view->call, CLI_OPTION_WORKERS, 0);
    if (sw_graph_analyze(view->graph, &options, &view->analysis, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot analyze the definition");
    view->found = sw_analyses(view->analysis, NULL);
    if (cli_given(view->call, CLI_OPTION_WORKERS) &&
        sw_graph_makespan(view->graph, &makespan, &view->makespan, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot schedule the definition");
    return CLI_EXIT_OK;
}

static int impact_ask(cli_analysis *view)
{
    const char *name = view->call->values[CLI_OPTION_IMPACT].text;
    sw_error error;
    if (!name)
        return CLI_EXIT_OK;
    int32_t step = sw_graph_find(view->graph, cli_str(name));
    if (step < 0)
        return cli_fail(CLI_EXIT_NOT_FOUND, NULL, "there is no step '%s'", name);
    if (sw_graph_reach(view->graph, SW_REACH_DEPENDENTS, &step, 1, &view->impact, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot follow '%s'", name);
    return CLI_EXIT_OK;
}

static int diff_ask(cli_analysis *view)
{
    const char *path = view->call->values[CLI_OPTION_DIFF].text;
    cli_definition other;
    sw_error error;
    if (!path)
        return CLI_EXIT_OK;
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
    sw_result_free(view->changes);
    sw_graph_free(view->graph);
    cli_durations_close(&view->durations);
}

/* engine is where ended tasks are, NULL: in the database of --db. */
static int analyze_workflow(const cli_call *call, const sw_workflow *workflow, sw_engine *engine)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    cli_analysis view = {.call = call, .workflow = workflow};
    sw_error error;
    int status = CLI_EXIT_OK;
    sw_workflow_steps(workflow, &view.step_count);
    if (sw_graph_new_workflow(&options, workflow, &view.graph, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot analyze the definition");
    status = cli_durations_open(&view.durations, call, workflow, engine);
    status = status == CLI_EXIT_OK ? analyze_ask(&view) : status;
    status = status == CLI_EXIT_OK ? impact_ask(&view) : status;
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

/* Names of workflows have no slash, and seldom look like the files they are in. */
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

int cli_command_analyze(const cli_call *call)
{
    return file_meant(call->arguments[0]) ? analyze_file(call) : analyze_stored(call);
}
