/* stepwell analyze: what the dependencies of a definition mean: critical path, slack, bottlenecks,
 * width, impact, makespan, and what differs from another file.
 *
 * A step takes what --duration says, else its timeout, else a second; the answer says which. Not
 * here: pictures of a graph (graph, gantt).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define SECOND_US 1000000

static const char *const basis_names[] = {"given", "timeout", "assumed"};

typedef enum basis { BASIS_GIVEN, BASIS_TIMEOUT, BASIS_ASSUMED } basis;

/* A definition with the answers about it. */
typedef struct analyze_view {
    const cli_call *call;
    const sw_workflow *workflow;
    const sw_workflow_step *steps;
    size_t step_count;
    sw_graph *graph;
    int64_t *durations; /* microseconds */
    basis *bases;
    sw_result *analysis;
    sw_result *makespan;
    sw_result *impact;
    sw_result *changes;
    const sw_analysis *found;
} analyze_view;

/* ---- questions ---- */

static int duration_bad(const char *text)
{
    return cli_fail(CLI_EXIT_USAGE, NULL,
                    "option '--duration' needs STEP=SECONDS with 0 or more seconds, not '%s'",
                    text);
}

static int step_unknown(const char *name, size_t length)
{
    return cli_fail(CLI_EXIT_NOT_FOUND, NULL, "there is no step '%.*s'", (int)length, name);
}

static int duration_take(analyze_view *view, const char *text)
{
    const char *equals = strrchr(text, '=');
    char *end = NULL;
    if (!equals || equals == text || equals[1] == '\0')
        return duration_bad(text);
    double seconds = strtod(equals + 1, &end);
    if (*end != '\0' || !(seconds >= 0 && seconds < 1e12))
        return duration_bad(text);
    size_t length = (size_t)(equals - text);
    int32_t step = sw_graph_find(view->graph, (sw_str){text, length});
    if (step < 0)
        return step_unknown(text, length);
    view->durations[step] = (int64_t)(seconds * SECOND_US + 0.5);
    view->bases[step] = BASIS_GIVEN;
    return CLI_EXIT_OK;
}

static int durations_take(analyze_view *view)
{
    const cli_value *given = &view->call->values[CLI_OPTION_DURATION];
    int status = CLI_EXIT_OK;
    view->durations = cli_alloc((view->step_count + 1) * sizeof(*view->durations));
    view->bases = cli_alloc((view->step_count + 1) * sizeof(*view->bases));
    for (size_t i = 0; i < view->step_count; i++) {
        int64_t timeout_ms = view->steps[i].timeout_ms;
        view->durations[i] = timeout_ms > 0 ? timeout_ms * 1000 : SECOND_US;
        view->bases[i] = timeout_ms > 0 ? BASIS_TIMEOUT : BASIS_ASSUMED;
    }
    for (size_t i = 0; status == CLI_EXIT_OK && i < given->item_count; i++)
        status = duration_take(view, given->items[i]);
    return status;
}

static int analyze_ask(analyze_view *view)
{
    sw_analysis_options options = SW_ANALYSIS_OPTIONS_INIT;
    sw_makespan_options makespan = SW_MAKESPAN_OPTIONS_INIT;
    sw_error error;
    options.duration_us = view->durations;
    makespan.duration_us = view->durations;
    makespan.workers = (int32_t)cli_number(view->call, CLI_OPTION_WORKERS, 0);
    if (sw_graph_analyze(view->graph, &options, &view->analysis, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot analyze the definition");
    view->found = sw_analyses(view->analysis, NULL);
    if (cli_given(view->call, CLI_OPTION_WORKERS) &&
        sw_graph_makespan(view->graph, &makespan, &view->makespan, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot schedule the definition");
    return CLI_EXIT_OK;
}

static int impact_ask(analyze_view *view)
{
    const char *name = view->call->values[CLI_OPTION_IMPACT].text;
    sw_error error;
    if (!name)
        return CLI_EXIT_OK;
    int32_t step = sw_graph_find(view->graph, cli_str(name));
    if (step < 0)
        return step_unknown(name, strlen(name));
    if (sw_graph_reach(view->graph, SW_REACH_DEPENDENTS, &step, 1, &view->impact, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot follow '%s'", name);
    return CLI_EXIT_OK;
}

static int diff_ask(analyze_view *view)
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

/* ---- answers for people ---- */

static sw_str step_name(const analyze_view *view, int32_t step)
{
    return sw_graph_name(view->graph, step);
}

static void names_print(const analyze_view *view, const char *title, const int32_t *steps,
                        size_t count, const char *between)
{
    if (count == 0)
        return;
    printf("%s%-14s%s", cli_style_on(CLI_DIM), title, cli_style_off(CLI_DIM));
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : between, stdout);
        cli_text_put(stdout, step_name(view, steps[i]), CLI_TEXT_NO_LIMIT);
    }
    fputc('\n', stdout);
}

static void head_print(const analyze_view *view)
{
    char span[CLI_DURATION_SIZE];
    char work[CLI_DURATION_SIZE];
    const sw_analysis *found = view->found;
    fputs(cli_style_on(CLI_BOLD), stdout);
    cli_text_put(stdout, sw_workflow_name(view->workflow), CLI_TEXT_NO_LIMIT);
    printf("%s: %zu step%s, %d dependenc%s, %d level%s\n", cli_style_off(CLI_BOLD),
           view->step_count, view->step_count == 1 ? "" : "s", found->edge_count,
           found->edge_count == 1 ? "y" : "ies", found->level_count,
           found->level_count == 1 ? "" : "s");
    printf("%sshortest run%s  %s of %s of work; keeps %.2f workers busy\n", cli_style_on(CLI_DIM),
           cli_style_off(CLI_DIM), cli_duration(found->span_us, span),
           cli_duration(found->work_us, work), found->parallelism);
    printf("%swidth%s         %s%d step%s can run at once\n", cli_style_on(CLI_DIM),
           cli_style_off(CLI_DIM), found->width_exact ? "" : "at least ", found->width_least,
           found->width_least == 1 ? "" : "s");
}

static void steps_print(const analyze_view *view)
{
    char text[4][CLI_DURATION_SIZE];
    const sw_analysis *found = view->found;
    cli_grid grid = cli_grid_open("lrrrrrl");
    static const char *const heads[] = {"step",   "level", "takes", "earliest",
                                        "latest", "slack", "by"};
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (int32_t i = 0; i < found->node_count; i++) {
        int32_t step = found->order[i];
        bool critical = found->slack_us[step] == 0;
        cli_grid_add(&grid, critical ? CLI_BOLD : CLI_PLAIN, step_name(view, step));
        cli_grid_addf(&grid, CLI_PLAIN, "%d", found->level[step] + 1);
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(view->durations[step], text[0]));
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(found->earliest_us[step], text[1]));
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(found->latest_us[step], text[2]));
        cli_grid_addf(&grid, critical ? CLI_RED : CLI_PLAIN, "%s",
                      critical ? "none" : cli_duration(found->slack_us[step], text[3]));
        cli_grid_add(&grid, CLI_DIM, cli_str(basis_names[view->bases[step]]));
    }
    fputc('\n', stdout);
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void bottlenecks_print(const analyze_view *view)
{
    cli_grid grid = cli_grid_open("lrll");
    printf("\nbottlenecks\n");
    for (size_t i = 0; i < view->found->bottleneck_count; i++) {
        const sw_bottleneck *row = &view->found->bottlenecks[i];
        cli_grid_add(&grid, CLI_BOLD, step_name(view, row->node));
        cli_grid_addf(&grid, CLI_PLAIN, "%.2f", row->score);
        cli_grid_addf(&grid, CLI_PLAIN, "%.0f%% of the run", row->share * 100);
        cli_grid_addf(&grid, CLI_DIM, "%d step%s wait%s for it", row->dependents,
                      row->dependents == 1 ? "" : "s", row->dependents == 1 ? "s" : "");
    }
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void redundant_print(const analyze_view *view)
{
    for (int32_t i = 0; i < view->found->redundant_count; i++) {
        const sw_graph_edge *edge = &view->found->redundant[i];
        printf("%sredundant%s     ", cli_style_on(CLI_DIM), cli_style_off(CLI_DIM));
        cli_text_put(stdout, step_name(view, edge->to), CLI_TEXT_NO_LIMIT);
        fputs(" need not name ", stdout);
        cli_text_put(stdout, step_name(view, edge->from), CLI_TEXT_NO_LIMIT);
        fputs(", which it waits for anyway\n", stdout);
    }
}

static void makespan_print(const analyze_view *view)
{
    char took[CLI_DURATION_SIZE];
    char bound[CLI_DURATION_SIZE];
    const sw_makespan *found = view->makespan ? sw_makespans(view->makespan, NULL) : NULL;
    if (!found)
        return;
    int64_t workers = cli_number(view->call, CLI_OPTION_WORKERS, 0);
    printf("%swith %lld worker%s%s %s (no run is shorter than %s), %.0f%% busy\n",
           cli_style_on(CLI_DIM), (long long)workers, workers == 1 ? "" : "s",
           cli_style_off(CLI_DIM), cli_duration(found->makespan_us, took),
           cli_duration(found->bound_us, bound), found->used * 100);
}

/* Steps of a set of bits, ascending; the array is from malloc. */
static int32_t *reach_steps(const sw_reach *reach)
{
    int32_t *steps = cli_alloc(((size_t)reach->count + 1) * sizeof(*steps));
    int32_t filled = 0;
    for (int32_t step = 0; filled < reach->count; step++) {
        if (reach->bits[step / 64] >> (step % 64) & 1)
            steps[filled++] = step;
    }
    return steps;
}

static void impact_print(const analyze_view *view)
{
    const sw_reach *reach = view->impact ? sw_reaches(view->impact, NULL) : NULL;
    if (!reach)
        return;
    int32_t *steps = reach_steps(reach);
    fputs("\nif ", stdout);
    cli_text_put(stdout, step_name(view, reach->node), CLI_TEXT_NO_LIMIT);
    printf(" fails, %d step%s cannot run\n", reach->count, reach->count == 1 ? "" : "s");
    names_print(view, "  blocked", steps, (size_t)reach->count, ", ");
    free(steps);
}

static void change_print(const sw_change *change)
{
    const char *comma = " in ";
    printf("  %-13s ", sw_change_kind_name(change->kind));
    if (change->name_from.ptr) {
        cli_text_put(stdout, change->name_from, CLI_TEXT_NO_LIMIT);
        fputs(" -> ", stdout);
    }
    cli_text_put(stdout, change->name, CLI_TEXT_NO_LIMIT);
    for (int bit = 1; bit > 0 && bit <= change->fields; bit <<= 1) {
        if (change->fields & bit) {
            printf("%s%s", comma, sw_change_field_name(bit));
            comma = ", ";
        }
    }
    fputc('\n', stdout);
}

static void changes_print(const analyze_view *view)
{
    size_t count = 0;
    const sw_change *changes = view->changes ? sw_changes(view->changes, &count) : NULL;
    if (!view->changes)
        return;
    printf("\n%zu change%s to '%s'\n", count, count == 1 ? "" : "s",
           view->call->values[CLI_OPTION_DIFF].text);
    for (size_t i = 0; i < count; i++)
        change_print(&changes[i]);
}

static void analyze_print(const analyze_view *view)
{
    const sw_analysis *found = view->found;
    head_print(view);
    makespan_print(view);
    names_print(view, "critical path", found->critical_path, (size_t)found->critical_count, " > ");
    names_print(view, "orphans", found->orphans, (size_t)found->orphan_count, ", ");
    redundant_print(view);
    steps_print(view);
    bottlenecks_print(view);
    impact_print(view);
    changes_print(view);
}

/* ---- answers for programs ---- */

static void names_json(cli_json *json, const analyze_view *view, const char *key,
                       const int32_t *steps, size_t count)
{
    cli_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        cli_json_str(json, NULL, step_name(view, steps[i]));
    cli_json_close(json);
}

static void number_json(cli_json *json, const char *key, double number)
{
    char text[40];
    snprintf(text, sizeof(text), "%.6g", number);
    cli_json_raw(json, key, cli_str(text));
}

static void steps_json(cli_json *json, const analyze_view *view)
{
    const sw_analysis *found = view->found;
    cli_json_array(json, "steps");
    for (int32_t i = 0; i < found->node_count; i++) {
        int32_t step = found->order[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "name", step_name(view, step));
        cli_json_int(json, "level", found->level[step]);
        cli_json_seconds(json, "duration", view->durations[step]);
        cli_json_text(json, "basis", basis_names[view->bases[step]]);
        cli_json_seconds(json, "earliest", found->earliest_us[step]);
        cli_json_seconds(json, "latest", found->latest_us[step]);
        cli_json_seconds(json, "slack", found->slack_us[step]);
        cli_json_seconds(json, "free_float", found->float_us[step]);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void bottlenecks_json(cli_json *json, const analyze_view *view)
{
    cli_json_array(json, "bottlenecks");
    for (size_t i = 0; i < view->found->bottleneck_count; i++) {
        const sw_bottleneck *row = &view->found->bottlenecks[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "name", step_name(view, row->node));
        cli_json_int(json, "dependents", row->dependents);
        number_json(json, "share", row->share);
        number_json(json, "score", row->score);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void edges_json(cli_json *json, const analyze_view *view)
{
    cli_json_array(json, "redundant");
    for (int32_t i = 0; i < view->found->redundant_count; i++) {
        const sw_graph_edge *edge = &view->found->redundant[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "from", step_name(view, edge->from));
        cli_json_str(json, "to", step_name(view, edge->to));
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void makespan_json(cli_json *json, const analyze_view *view)
{
    const sw_makespan *found = view->makespan ? sw_makespans(view->makespan, NULL) : NULL;
    if (!found)
        return;
    cli_json_object(json, "makespan");
    cli_json_int(json, "workers", cli_number(view->call, CLI_OPTION_WORKERS, 0));
    cli_json_seconds(json, "duration", found->makespan_us);
    cli_json_seconds(json, "bound", found->bound_us);
    number_json(json, "used", found->used);
    cli_json_close(json);
}

static void changes_json(cli_json *json, const analyze_view *view)
{
    size_t count = 0;
    const sw_change *changes = view->changes ? sw_changes(view->changes, &count) : NULL;
    if (!view->changes)
        return;
    cli_json_array(json, "changes");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(json, NULL);
        cli_json_text(json, "kind", sw_change_kind_name(changes[i].kind));
        cli_json_str(json, "name", changes[i].name);
        cli_json_str(json, "from", changes[i].name_from);
        cli_json_array(json, "fields");
        for (int bit = 1; bit > 0 && bit <= changes[i].fields; bit <<= 1) {
            if (changes[i].fields & bit)
                cli_json_text(json, NULL, sw_change_field_name(bit));
        }
        cli_json_close(json);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void analyze_print_json(const analyze_view *view)
{
    const sw_analysis *found = view->found;
    const sw_reach *reach = view->impact ? sw_reaches(view->impact, NULL) : NULL;
    cli_json json = cli_json_begin(stdout);
    cli_json_str(&json, "workflow", sw_workflow_name(view->workflow));
    cli_json_str(&json, "version", sw_workflow_version(view->workflow));
    cli_json_str(&json, "digest", sw_workflow_digest(view->workflow));
    cli_json_int(&json, "level_count", found->level_count);
    cli_json_seconds(&json, "span", found->span_us);
    cli_json_seconds(&json, "work", found->work_us);
    number_json(&json, "parallelism", found->parallelism);
    cli_json_int(&json, "width", found->width_least);
    cli_json_bool(&json, "width_exact", found->width_exact != 0);
    names_json(&json, view, "critical_path", found->critical_path, (size_t)found->critical_count);
    names_json(&json, view, "roots", found->roots, (size_t)found->root_count);
    names_json(&json, view, "leaves", found->leaves, (size_t)found->leaf_count);
    names_json(&json, view, "orphans", found->orphans, (size_t)found->orphan_count);
    edges_json(&json, view);
    steps_json(&json, view);
    bottlenecks_json(&json, view);
    makespan_json(&json, view);
    if (reach) {
        int32_t *steps = reach_steps(reach);
        names_json(&json, view, "impact", steps, (size_t)reach->count);
        free(steps);
    }
    changes_json(&json, view);
    cli_json_end(&json);
}

/* ---- the command ---- */

static void analyze_close(analyze_view *view)
{
    sw_result_free(view->analysis);
    sw_result_free(view->makespan);
    sw_result_free(view->impact);
    sw_result_free(view->changes);
    sw_graph_free(view->graph);
    free(view->durations);
    free(view->bases);
}

static int analyze_workflow(const cli_call *call, const sw_workflow *workflow)
{
    sw_graph_options options = SW_GRAPH_OPTIONS_INIT;
    analyze_view view = {.call = call, .workflow = workflow};
    sw_error error;
    int status = CLI_EXIT_OK;
    view.steps = sw_workflow_steps(workflow, &view.step_count);
    if (sw_graph_new_workflow(&options, workflow, &view.graph, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot analyze the definition");
    status = durations_take(&view);
    status = status == CLI_EXIT_OK ? analyze_ask(&view) : status;
    status = status == CLI_EXIT_OK ? impact_ask(&view) : status;
    status = status == CLI_EXIT_OK ? diff_ask(&view) : status;
    if (status == CLI_EXIT_OK && cli_out()->json)
        analyze_print_json(&view);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet)
        analyze_print(&view);
    analyze_close(&view);
    return status;
}

static int analyze_file(const cli_call *call)
{
    cli_definition definition;
    cli_definition_open(&definition, call->arguments[0], cli_given(call, CLI_OPTION_STRICT));
    int status = cli_definition_report(&definition);
    if (status == CLI_EXIT_OK)
        status = analyze_workflow(call, definition.workflow);
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
        status = analyze_workflow(call, workflow);
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
