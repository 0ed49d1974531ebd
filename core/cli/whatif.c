/* stepwell whatif: when a task ends, how sure that is, and what a change would do to it. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define WHATIF_CALIBRATE 200 /* tasks that --calibration forecasts in hindsight */

/* The question as typed, and the answer. */
typedef struct whatif_view {
    sw_forecast_options options;
    sw_forecast_change *changes;
    sw_forecast_resource *resources;
    sw_result *task_result;
    sw_result *result;
    const sw_task_row *task;
    const sw_forecast *forecast;
    const sw_forecast_step *steps;
    size_t step_count;
} whatif_view;

/* Reading the options. */

static void whatif_add(whatif_view *view, const char *step, size_t length, int kind, double factor)
{
    view->changes[view->options.change_count++] =
        (sw_forecast_change){.step = {step, length}, .kind = kind, .factor = factor};
}

static int whatif_read_slower(whatif_view *view, const char *text)
{
    char *end = NULL;
    const char *sign = strrchr(text, '=');
    double factor = sign ? strtod(sign + 1, &end) : 0;
    if (!sign || sign == text || end == sign + 1 || *end != '\0')
        return cli_fail(CLI_EXIT_USAGE, "for example --slower charge=2",
                        "option '--slower' needs STEP=FACTOR, not '%s'", text);
    whatif_add(view, text, (size_t)(sign - text), SW_FORECAST_SLOWER, factor);
    return CLI_EXIT_OK;
}

/* "2=load,train": the steps after the sign, separated by commas. */
static int whatif_read_resource(sw_forecast_resource *out, const char *text)
{
    char *end = NULL;
    long seats = strtol(text, &end, 10);
    if (end == text || *end != '=' || end[1] == '\0' || seats < 1 || seats > INT32_MAX)
        return cli_fail(CLI_EXIT_USAGE, "for example --resource 1=load,train",
                        "option '--resource' needs SEATS=STEP,STEP..., not '%s'", text);
    sw_str *steps = cli_alloc((strlen(end) + 1) * sizeof(*steps));
    for (const char *at = end + 1;; at++) {
        size_t length = strcspn(at, ",");
        steps[out->step_count++] = (sw_str){at, length};
        at += length;
        if (*at == '\0')
            break;
    }
    out->steps = steps;
    out->seats = (int32_t)seats;
    return CLI_EXIT_OK;
}

static int whatif_read(whatif_view *view, const cli_call *call)
{
    int status = CLI_EXIT_OK;
    const cli_value *fail = &call->values[CLI_OPTION_FAIL];
    const cli_value *slower = &call->values[CLI_OPTION_SLOWER];
    const cli_value *skip = &call->values[CLI_OPTION_SKIP];
    const cli_value *resolve = &call->values[CLI_OPTION_RESOLVE];
    const cli_value *resource = &call->values[CLI_OPTION_RESOURCE];
    size_t changes = fail->item_count + slower->item_count + skip->item_count + resolve->item_count;
    view->options = (sw_forecast_options)SW_FORECAST_OPTIONS_INIT;
    view->changes = cli_alloc((changes + 1) * sizeof(*view->changes));
    view->resources = cli_alloc((resource->item_count + 1) * sizeof(*view->resources));
    for (size_t i = 0; i < fail->item_count; i++)
        whatif_add(view, fail->items[i], strlen(fail->items[i]), SW_FORECAST_FAIL, 0);
    for (size_t i = 0; i < skip->item_count; i++)
        whatif_add(view, skip->items[i], strlen(skip->items[i]), SW_FORECAST_SKIP, 0);
    for (size_t i = 0; i < resolve->item_count; i++)
        whatif_add(view, resolve->items[i], strlen(resolve->items[i]), SW_FORECAST_RESOLVE, 0);
    for (size_t i = 0; i < slower->item_count && status == CLI_EXIT_OK; i++)
        status = whatif_read_slower(view, slower->items[i]);
    for (size_t i = 0; i < resource->item_count && status == CLI_EXIT_OK; i++) {
        view->resources[i] = (sw_forecast_resource){0};
        view->options.resource_count++;
        status = whatif_read_resource(&view->resources[i], resource->items[i]);
    }
    view->options.what_if_workers = (int32_t)cli_number(call, CLI_OPTION_WORKERS, 0);
    view->options.more_workers = (int32_t)cli_number(call, CLI_OPTION_MORE_WORKERS, 0);
    if (cli_given(call, CLI_OPTION_CALIBRATION))
        view->options.history = view->options.calibrate = WHATIF_CALIBRATE;
    view->options.changes = view->changes;
    view->options.resources = view->resources;
    return status;
}

static int whatif_ask(whatif_view *view, sw_engine *engine, const sw_uuid *task_id)
{
    sw_error error = {0};
    int status = cli_task_read(engine, task_id, &view->task_result);
    if (status != CLI_EXIT_OK)
        return status;
    view->task = sw_tasks(view->task_result, NULL);
    if (sw_task_forecast(engine, &view->options, task_id, &view->result, &error) < 0)
        return cli_fail_error(&error, "`stepwell show` lists the steps and their states", NULL);
    view->forecast = sw_forecasts(view->result, NULL);
    view->steps = sw_forecast_steps(view->result, &view->step_count);
    return CLI_EXIT_OK;
}

static void whatif_close(whatif_view *view)
{
    for (size_t i = 0; i < view->options.resource_count; i++)
        free((void *)view->resources[i].steps);
    free(view->resources);
    free(view->changes);
    sw_result_free(view->result);
    sw_result_free(view->task_result);
}

/* JSON. */

static void whatif_json_share(cli_json *json, const char *key, double value)
{
    char text[40];
    snprintf(text, sizeof(text), "%.6f", value);
    cli_json_raw(json, key, cli_str(text));
}

static void whatif_json_percentiles(cli_json *json, const char *key, const int64_t us[3])
{
    cli_json_object(json, key);
    cli_json_seconds(json, "p10", us[0]);
    cli_json_seconds(json, "p50", us[1]);
    cli_json_seconds(json, "p90", us[2]);
    cli_json_close(json);
}

static void whatif_json_case(cli_json *json, const char *key, const sw_forecast *forecast,
                             const sw_forecast_case *side)
{
    cli_json_object(json, key);
    cli_json_text(json, "ends", sw_task_state_name(side->state));
    whatif_json_percentiles(json, "left_s", side->left_us);
    cli_json_object(json, "p50_between_s");
    cli_json_seconds(json, "least", side->p50_between_us[0]);
    cli_json_seconds(json, "most", side->p50_between_us[1]);
    cli_json_close(json);
    cli_json_time(json, "end", forecast->now_us + side->left_us[1]);
    whatif_json_share(json, "progress", side->progress);
    cli_json_seconds(json, "work_s", side->work_us);
    cli_json_int(json, "steps_never", side->never_count);
    cli_json_int(json, "workers", side->workers);
    cli_json_strs(json, "path", side->path, side->path_count);
    cli_json_close(json);
}

static void whatif_json_step(cli_json *json, const sw_forecast_step *step, bool changed)
{
    cli_json_object(json, NULL);
    cli_json_str(json, "name", step->name);
    cli_json_text(json, "state", sw_step_state_name(step->state));
    cli_json_text(json, "source", sw_duration_source_name(step->source));
    cli_json_int(json, "samples", step->sample_count);
    cli_json_seconds(json, "p50_s", step->p50_us);
    cli_json_seconds(json, "p95_s", step->p95_us);
    cli_json_seconds(json, "elapsed_s", step->elapsed_us);
    cli_json_bool(json, "overdue", step->overdue);
    cli_json_bool(json, "runs", step->runs);
    whatif_json_share(json, "decides", step->decides);
    if (changed) {
        cli_json_bool(json, "runs_what_if", step->runs_what_if);
        whatif_json_share(json, "decides_what_if", step->decides_what_if);
    }
    cli_json_close(json);
}

static void whatif_json_calibration(cli_json *json, const sw_calibration *calibration)
{
    cli_json_object(json, "calibration");
    cli_json_int(json, "tasks", calibration->task_count);
    cli_json_int(json, "within", calibration->within_count);
    whatif_json_share(json, "error", calibration->error);
    cli_json_bool(json, "trusted", calibration->trusted);
    cli_json_close(json);
}

static void whatif_print_json(const whatif_view *view)
{
    const sw_forecast *forecast = view->forecast;
    cli_json json = cli_json_begin(stdout);
    cli_json_uuid(&json, "task", &forecast->task_id);
    cli_json_str(&json, "workflow", view->task->workflow);
    cli_json_text(&json, "state", sw_task_state_name(forecast->state));
    cli_json_time(&json, "now", forecast->now_us);
    cli_json_seconds(&json, "elapsed_s", forecast->elapsed_us);
    cli_json_int(&json, "step_count", forecast->step_count);
    cli_json_int(&json, "ended_count", forecast->ended_count);
    cli_json_int(&json, "history_count", forecast->history_count);
    cli_json_int(&json, "draws", forecast->draws);
    cli_json_bool(&json, "workers_learnt", forecast->workers_learnt);
    whatif_json_case(&json, "base", forecast, &forecast->base);
    if (forecast->changed) {
        whatif_json_case(&json, "what_if", forecast, &forecast->what_if);
        whatif_json_percentiles(&json, "difference_s", forecast->difference_us);
    }
    whatif_json_calibration(&json, &forecast->calibration);
    cli_json_array(&json, "steps");
    for (size_t i = 0; i < view->step_count; i++)
        whatif_json_step(&json, &view->steps[i], forecast->changed);
    cli_json_end(&json);
}

/* Text. */

static const char *whatif_difference(int64_t us, char text[CLI_DURATION_SIZE + 1])
{
    char size[CLI_DURATION_SIZE];
    cli_duration(us < 0 ? -us : us, size);
    snprintf(text, CLI_DURATION_SIZE + 1, "%s%s", us < 0 ? "-" : us > 0 ? "+" : "", size);
    return text;
}

static void whatif_print_head(const whatif_view *view)
{
    char text[CLI_DURATION_SIZE];
    const sw_forecast *forecast = view->forecast;
    cli_style style = cli_task_style(forecast->state);
    fputs(cli_style_on(CLI_BOLD), stdout);
    cli_text_put(stdout, view->task->workflow, CLI_TEXT_NO_LIMIT);
    printf("%s: %s%s%s", cli_style_off(CLI_BOLD), cli_style_on(style),
           sw_task_state_name(forecast->state), cli_style_off(style));
    if (forecast->elapsed_us > 0)
        printf(", %s since it started", cli_duration(forecast->elapsed_us, text));
    printf(", %lld of %lld steps ended\n", (long long)forecast->ended_count,
           (long long)forecast->step_count);
}

/* One row of the comparison: a name, the base case, the other one, the difference. */
static void whatif_add_row(cli_grid *grid, const char *name, const char *base, const char *what_if,
                           const char *difference, bool changed)
{
    cli_grid_add(grid, CLI_DIM, cli_str(name));
    cli_grid_add(grid, CLI_PLAIN, cli_str(base));
    if (changed) {
        cli_grid_add(grid, CLI_PLAIN, cli_str(what_if));
        cli_grid_add(grid, CLI_BOLD, cli_str(difference));
    }
}

static void whatif_add_left(cli_grid *grid, const sw_forecast *forecast)
{
    static const char *const names[] = {"left (p10)", "left (p50)", "left (p90)"};
    for (int i = 0; i < 3; i++) {
        char base[CLI_DURATION_SIZE], what_if[CLI_DURATION_SIZE], text[CLI_DURATION_SIZE + 1];
        whatif_add_row(grid, names[i], cli_duration(forecast->base.left_us[i], base),
                       cli_duration(forecast->what_if.left_us[i], what_if),
                       whatif_difference(forecast->difference_us[i], text), forecast->changed);
    }
}

static void whatif_add_counts(cli_grid *grid, const char *name, int64_t base, int64_t what_if,
                              const char *unit, bool changed)
{
    char texts[3][40];
    snprintf(texts[0], sizeof(texts[0]), "%lld%s", (long long)base, unit);
    snprintf(texts[1], sizeof(texts[1]), "%lld%s", (long long)what_if, unit);
    snprintf(texts[2], sizeof(texts[2]), "%+lld%s", (long long)(what_if - base), unit);
    whatif_add_row(grid, name, texts[0], texts[1], what_if == base ? "" : texts[2], changed);
}

static void whatif_print_cases(const whatif_view *view)
{
    char ends[2][CLI_TIME_SIZE];
    const sw_forecast *forecast = view->forecast;
    const sw_forecast_case *base = &forecast->base, *what_if = &forecast->what_if;
    bool changed = forecast->changed;
    cli_grid grid = cli_grid_open(changed ? "lrrr" : "lr");
    if (changed)
        whatif_add_row(&grid, "", "as it is", "what if", "difference", true);
    whatif_add_row(&grid, "ends", sw_task_state_name(base->state),
                   sw_task_state_name(what_if->state), "", changed);
    whatif_add_row(&grid, "at", cli_time_local(forecast->now_us + base->left_us[1], ends[0]),
                   cli_time_local(forecast->now_us + what_if->left_us[1], ends[1]), "", changed);
    whatif_add_left(&grid, forecast);
    whatif_add_counts(&grid, "done, by work", (int64_t)(base->progress * 100),
                      (int64_t)(what_if->progress * 100), " %", changed);
    if (base->never_count || what_if->never_count)
        whatif_add_counts(&grid, "steps that will not run", base->never_count, what_if->never_count,
                          "", changed);
    whatif_add_counts(&grid, "steps at once", base->workers, what_if->workers, "", changed);
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void whatif_print_path(const char *name, const sw_forecast_case *side)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    for (size_t i = 0; i < side->path_count; i++) {
        fputs(i ? ", " : "", stream);
        cli_text_put(stream, side->path[i], CLI_TEXT_NO_LIMIT);
    }
    fclose(stream);
    if (side->path_count > 0) {
        printf("\n%s%s%s\n  ", cli_style_on(CLI_BOLD), name, cli_style_off(CLI_BOLD));
        cli_text_wrap(stdout, cli_str(text), 2, cli_out_width());
    }
    free(text);
}

static void whatif_add_step(cli_grid *grid, const sw_forecast_step *step, bool changed)
{
    char text[CLI_DURATION_SIZE];
    cli_style style = cli_step_style(step->state);
    cli_grid_add(grid, style, cli_str(cli_mark(step->state)));
    cli_grid_add(grid, CLI_PLAIN, step->name);
    cli_grid_add(grid, style, cli_str(sw_step_state_name(step->state)));
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_duration(step->p50_us, text)));
    cli_grid_add(grid, CLI_PLAIN, cli_str(cli_duration(step->p95_us, text)));
    cli_grid_addf(grid, CLI_DIM, "%s, %lld%s", sw_duration_source_name(step->source),
                  (long long)step->sample_count, step->overdue ? ", overdue" : "");
    cli_grid_addf(grid, CLI_PLAIN, "%.0f %%", 100 * step->decides);
    if (changed)
        cli_grid_addf(grid, CLI_PLAIN, "%.0f %%", 100 * step->decides_what_if);
}

static void whatif_print_steps(const whatif_view *view)
{
    static const char *const heads[] = {
        "", "step", "state", "p50", "p95", "known from, times", "decides", "what if"};
    bool changed = view->forecast->changed;
    cli_grid grid = cli_grid_open(changed ? "lllrrlrr" : "lllrrlr");
    for (int i = 0; i < (changed ? 8 : 7); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < view->step_count; i++)
        whatif_add_step(&grid, &view->steps[i], changed);
    printf("\n%sSteps%s\n", cli_style_on(CLI_BOLD), cli_style_off(CLI_BOLD));
    cli_grid_close(&grid, stdout, 2, cli_out_width());
}

static void whatif_print_trust(const sw_forecast *forecast)
{
    const sw_calibration *calibration = &forecast->calibration;
    long long tasks = (long long)calibration->task_count;
    printf("\n%sTrust%s\n", cli_style_on(CLI_BOLD), cli_style_off(CLI_BOLD));
    if (!calibration->trusted)
        printf("  too few tasks have succeeded to say: %lld of 5\n", tasks);
    else
        printf("  of %lld earlier tasks %lld ended within the range forecast for them (8 of 10 "
               "should); the middle was off by %.0f %%\n",
               tasks, (long long)calibration->within_count, 100 * calibration->error);
}

/* How exact the plays are, apart from what is wrong with what was learnt. */
static void whatif_print_plays(const sw_forecast *forecast)
{
    char least[CLI_DURATION_SIZE], most[CLI_DURATION_SIZE];
    const int64_t *between = forecast->base.p50_between_us;
    printf("  %d plays: more of them would leave p50 between %s and %s\n", forecast->draws,
           cli_duration(between[0], least), cli_duration(between[1], most));
}

/* How good forecasts of earlier tasks would have been, and nothing else. */
static void whatif_calibration(const whatif_view *view)
{
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_str(&json, "workflow", view->task->workflow);
        whatif_json_calibration(&json, &view->forecast->calibration);
        cli_json_end(&json);
    } else if (!cli_out()->quiet) {
        cli_text_put(stdout, view->task->workflow, CLI_TEXT_NO_LIMIT);
        whatif_print_trust(view->forecast);
    }
}

static void whatif_print(const whatif_view *view)
{
    whatif_print_head(view);
    if (sw_task_state_terminal(view->forecast->state))
        return;
    whatif_print_cases(view);
    whatif_print_path("What decides the end", &view->forecast->base);
    if (view->forecast->changed)
        whatif_print_path("What would decide it", &view->forecast->what_if);
    whatif_print_steps(view);
    whatif_print_trust(view->forecast);
    whatif_print_plays(view->forecast);
}

int cli_command_whatif(const cli_call *call)
{
    sw_uuid task_id;
    whatif_view view = {0};
    sw_engine *engine = NULL;
    const char *name = call->argument_count > 0 ? call->arguments[0] : NULL;
    int status = whatif_read(&view, call);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = cli_task_find(engine, name, &task_id);
    if (status == CLI_EXIT_OK)
        status = whatif_ask(&view, engine, &task_id);
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_CALIBRATION))
        whatif_calibration(&view);
    else if (status == CLI_EXIT_OK && cli_out()->json)
        whatif_print_json(&view);
    else if (status == CLI_EXIT_OK && !cli_out()->quiet)
        whatif_print(&view);
    whatif_close(&view);
    sw_engine_close(engine);
    return status;
}
