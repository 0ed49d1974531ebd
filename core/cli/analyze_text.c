/* Answers of analyze for people. */
#include "analyze.h"

#include <stdlib.h>

#include "grid.h"
#include "out.h"
#include "text.h"

sw_str cli_analysis_name(const cli_analysis *view, int32_t step)
{
    return sw_graph_name(view->graph, step);
}

int32_t *cli_reach_steps(const sw_reach *reach)
{
    int32_t *steps = cli_alloc(((size_t)reach->count + 1) * sizeof(*steps));
    int32_t filled = 0;
    for (int32_t step = 0; filled < reach->count; step++) {
        if (reach->bits[step / 64] >> (step % 64) & 1)
            steps[filled++] = step;
    }
    return steps;
}

static void names_print(const cli_analysis *view, const char *title, const int32_t *steps,
                        size_t count, const char *between)
{
    if (count == 0)
        return;
    printf("%s%-14s%s", cli_style_on(CLI_DIM), title, cli_style_off(CLI_DIM));
    for (size_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : between, stdout);
        cli_text_put(stdout, cli_analysis_name(view, steps[i]), CLI_TEXT_NO_LIMIT);
    }
    fputc('\n', stdout);
}

static void head_print(const cli_analysis *view)
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
    if (found->component_count > 1)
        printf("%sparts%s         %d that no dependency connects\n", cli_style_on(CLI_DIM),
               cli_style_off(CLI_DIM), found->component_count);
}

static void steps_print(const cli_analysis *view)
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
        cli_grid_add(&grid, critical ? CLI_BOLD : CLI_PLAIN, cli_analysis_name(view, step));
        cli_grid_addf(&grid, CLI_PLAIN, "%d", found->level[step] + 1);
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(view->durations.us[step], text[0]));
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(found->earliest_us[step], text[1]));
        cli_grid_addf(&grid, CLI_PLAIN, "%s", cli_duration(found->latest_us[step], text[2]));
        cli_grid_addf(&grid, critical ? CLI_RED : CLI_PLAIN, "%s",
                      critical ? "none" : cli_duration(found->slack_us[step], text[3]));
        cli_grid_add(&grid, CLI_DIM, cli_str(cli_basis_name(view->durations.bases[step])));
    }
    fputc('\n', stdout);
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void bottlenecks_print(const cli_analysis *view)
{
    cli_grid grid = cli_grid_open("lrll");
    printf("\nbottlenecks\n");
    for (size_t i = 0; i < view->found->bottleneck_count; i++) {
        const sw_bottleneck *row = &view->found->bottlenecks[i];
        cli_grid_add(&grid, CLI_BOLD, cli_analysis_name(view, row->node));
        cli_grid_addf(&grid, CLI_PLAIN, "%.2f", row->score);
        cli_grid_addf(&grid, CLI_PLAIN, "%.0f%% of the run", row->share * 100);
        cli_grid_addf(&grid, CLI_DIM, "%d step%s wait%s for it", row->dependents,
                      row->dependents == 1 ? "" : "s", row->dependents == 1 ? "s" : "");
    }
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void redundant_print(const cli_analysis *view)
{
    for (int32_t i = 0; i < view->found->redundant_count; i++) {
        const sw_graph_edge *edge = &view->found->redundant[i];
        printf("%sredundant%s     ", cli_style_on(CLI_DIM), cli_style_off(CLI_DIM));
        cli_text_put(stdout, cli_analysis_name(view, edge->to), CLI_TEXT_NO_LIMIT);
        fputs(" need not name ", stdout);
        cli_text_put(stdout, cli_analysis_name(view, edge->from), CLI_TEXT_NO_LIMIT);
        fputs(", which it waits for anyway\n", stdout);
    }
}

static void makespan_print(const cli_analysis *view)
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

static void reach_print(const cli_analysis *view, const char *title, const sw_reach *reach)
{
    int32_t *steps = cli_reach_steps(reach);
    names_print(view, title, steps, (size_t)reach->count, ", ");
    free(steps);
}

static void impact_print(const cli_analysis *view)
{
    size_t count = 0;
    const sw_reach *reach = view->impact ? sw_reaches(view->impact, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        fputs("\nif ", stdout);
        cli_text_put(stdout, cli_analysis_name(view, reach[i].node), CLI_TEXT_NO_LIMIT);
        printf(" fails, %d step%s cannot run\n", reach[i].count, reach[i].count == 1 ? "" : "s");
        reach_print(view, "  blocked", &reach[i]);
    }
}

static void common_print(const cli_analysis *view)
{
    const cli_value *given = &view->call->values[CLI_OPTION_COMMON];
    const sw_reach *reach = view->common ? sw_reaches(view->common, NULL) : NULL;
    if (!reach)
        return;
    fputc('\n', stdout);
    for (size_t i = 0; i < given->item_count; i++) {
        fputs(i == 0 ? "" : i + 1 < given->item_count ? ", " : " and ", stdout);
        cli_text_put(stdout, cli_str(given->items[i]), CLI_TEXT_NO_LIMIT);
    }
    printf(" %s for %d step%s\n", given->item_count == 1 ? "waits" : "all wait", reach[0].count,
           reach[0].count == 1 ? "" : "s");
    reach_print(view, "  waited for", &reach[0]);
    reach_print(view, "  nearest", &reach[1]);
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

static void changes_print(const cli_analysis *view)
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

void cli_analysis_print(const cli_analysis *view)
{
    const sw_analysis *found = view->found;
    head_print(view);
    makespan_print(view);
    names_print(view, "critical path", found->critical_path, (size_t)found->critical_count, " > ");
    names_print(view, "orphans", found->orphans, (size_t)found->orphan_count, ", ");
    names_print(view, "not reached", found->unreachable, (size_t)found->unreachable_count, ", ");
    redundant_print(view);
    steps_print(view);
    bottlenecks_print(view);
    impact_print(view);
    common_print(view);
    changes_print(view);
}
