/* Answers of analyze for programs. */
#include "analyze.h"

#include <stdlib.h>

#include "json.h"
#include "out.h"
#include "text.h"

static void names_json(cli_json *json, const cli_analysis *view, const char *key,
                       const int32_t *steps, size_t count)
{
    cli_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        cli_json_str(json, NULL, cli_analysis_name(view, steps[i]));
    cli_json_close(json);
}

static void number_json(cli_json *json, const char *key, double number)
{
    char text[40];
    snprintf(text, sizeof(text), "%.6g", number);
    cli_json_raw(json, key, cli_str(text));
}

static void steps_json(cli_json *json, const cli_analysis *view)
{
    const sw_analysis *found = view->found;
    cli_json_array(json, "steps");
    for (int32_t i = 0; i < found->node_count; i++) {
        int32_t step = found->order[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "name", cli_analysis_name(view, step));
        cli_json_int(json, "level", found->level[step]);
        cli_json_int(json, "shortest", found->shortest[step]);
        cli_json_int(json, "part", found->component[step]);
        cli_json_seconds(json, "duration", view->durations.us[step]);
        cli_json_text(json, "basis", cli_basis_name(view->durations.bases[step]));
        cli_json_seconds(json, "earliest", found->earliest_us[step]);
        cli_json_seconds(json, "latest", found->latest_us[step]);
        cli_json_seconds(json, "slack", found->slack_us[step]);
        cli_json_seconds(json, "free_float", found->float_us[step]);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void bottlenecks_json(cli_json *json, const cli_analysis *view)
{
    cli_json_array(json, "bottlenecks");
    for (size_t i = 0; i < view->found->bottleneck_count; i++) {
        const sw_bottleneck *row = &view->found->bottlenecks[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "name", cli_analysis_name(view, row->node));
        cli_json_int(json, "dependents", row->dependents);
        number_json(json, "share", row->share);
        number_json(json, "score", row->score);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void edges_json(cli_json *json, const cli_analysis *view)
{
    cli_json_array(json, "redundant");
    for (int32_t i = 0; i < view->found->redundant_count; i++) {
        const sw_graph_edge *edge = &view->found->redundant[i];
        cli_json_object(json, NULL);
        cli_json_str(json, "from", cli_analysis_name(view, edge->from));
        cli_json_str(json, "to", cli_analysis_name(view, edge->to));
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void makespan_json(cli_json *json, const cli_analysis *view)
{
    const sw_makespan *found = view->makespan ? sw_makespans(view->makespan, NULL) : NULL;
    if (!found)
        return;
    cli_json_object(json, "makespan");
    cli_json_int(json, "workers", cli_number(view->call, CLI_OPTION_WORKERS, 0));
    cli_json_seconds(json, "duration", found->makespan_us);
    cli_json_seconds(json, "bound", found->bound_us);
    cli_json_seconds(json, "bound_span", found->bound_span_us);
    cli_json_seconds(json, "bound_workers", found->bound_workers_us);
    number_json(json, "used", found->used);
    cli_json_close(json);
}

static void reach_json(cli_json *json, const cli_analysis *view, const char *key,
                       const sw_reach *reach)
{
    int32_t *steps = cli_reach_steps(reach);
    names_json(json, view, key, steps, (size_t)reach->count);
    free(steps);
}

/* All that cannot run if one of the steps fails. */
static void blocked_json(cli_json *json, const cli_analysis *view, const sw_reach *reach,
                         size_t count)
{
    size_t words = (view->step_count + 63) / 64;
    uint64_t *bits = cli_alloc((words + 1) * sizeof(*bits));
    sw_reach all = {.bits = bits};
    for (size_t word = 0; word < words; word++) {
        bits[word] = 0;
        for (size_t i = 0; i < count; i++)
            bits[word] |= reach[i].bits[word];
        all.count += __builtin_popcountll(bits[word]);
    }
    reach_json(json, view, "impact", &all);
    free(bits);
}

static void impact_json(cli_json *json, const cli_analysis *view)
{
    size_t count = 0;
    const sw_reach *reach = view->impact ? sw_reaches(view->impact, &count) : NULL;
    if (!reach)
        return;
    blocked_json(json, view, reach, count);
    cli_json_array(json, "impact_of");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(json, NULL);
        cli_json_str(json, "name", cli_analysis_name(view, reach[i].node));
        reach_json(json, view, "blocked", &reach[i]);
        cli_json_close(json);
    }
    cli_json_close(json);
}

static void common_json(cli_json *json, const cli_analysis *view)
{
    const sw_reach *reach = view->common ? sw_reaches(view->common, NULL) : NULL;
    if (!reach)
        return;
    cli_json_object(json, "common");
    reach_json(json, view, "all", &reach[0]);
    reach_json(json, view, "nearest", &reach[1]);
    cli_json_close(json);
}

static void changes_json(cli_json *json, const cli_analysis *view)
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

void cli_analysis_print_json(const cli_analysis *view)
{
    const sw_analysis *found = view->found;
    cli_json json = cli_json_begin(stdout);
    cli_json_str(&json, "workflow", sw_workflow_name(view->workflow));
    cli_json_str(&json, "version", sw_workflow_version(view->workflow));
    cli_json_str(&json, "digest", sw_workflow_digest(view->workflow));
    cli_json_int(&json, "level_count", found->level_count);
    cli_json_int(&json, "part_count", found->component_count);
    cli_json_seconds(&json, "span", found->span_us);
    cli_json_seconds(&json, "work", found->work_us);
    number_json(&json, "parallelism", found->parallelism);
    cli_json_int(&json, "width", found->width_least);
    cli_json_bool(&json, "width_exact", found->width_exact != 0);
    names_json(&json, view, "critical_path", found->critical_path, (size_t)found->critical_count);
    names_json(&json, view, "roots", found->roots, (size_t)found->root_count);
    names_json(&json, view, "leaves", found->leaves, (size_t)found->leaf_count);
    names_json(&json, view, "orphans", found->orphans, (size_t)found->orphan_count);
    if (cli_given(view->call, CLI_OPTION_FROM))
        names_json(&json, view, "unreachable", found->unreachable,
                   (size_t)found->unreachable_count);
    edges_json(&json, view);
    steps_json(&json, view);
    bottlenecks_json(&json, view);
    makespan_json(&json, view);
    impact_json(&json, view);
    common_json(&json, view);
    changes_json(&json, view);
    cli_json_end(&json);
}
