/* Calls that look ahead and draw: forecasts, learnt durations, pictures; see api_run.h. */
#include "fuzz/api_run.h"

#include "base/str.h"

/* Percentiles ascend, shares are shares, and a step that has ended does not run again. */
static void forecast_check(const sw_result *result)
{
    size_t count = 0;
    const sw_forecast *row = sw_forecasts(result, NULL);
    const sw_forecast_step *steps = sw_forecast_steps(result, &count);
    const sw_forecast_case *sides[] = {&row->base, &row->what_if};
    fuzz_require(row->step_count == (int64_t)count, "%zu steps", count);
    for (int i = 0; i < 2; i++) {
        const int64_t *left = sides[i]->left_us;
        fuzz_require(left[0] >= 0 && left[0] <= left[1] && left[1] <= left[2], "percentiles");
        fuzz_require(sides[i]->progress >= 0 && sides[i]->progress <= 1, "progress");
        fuzz_require(sides[i]->workers > 0, "nobody works");
    }
    for (size_t i = 0; i < count; i++) {
        fuzz_require(steps[i].decides >= 0 && steps[i].decides <= 1, "a share of the plays");
        fuzz_require(!steps[i].runs || !sw_step_state_terminal(steps[i].state), "it has ended");
        fuzz_require(steps[i].p50_us <= steps[i].p95_us, "percentiles of a step");
    }
}

void call_forecast(call_run *run)
{
    sw_result *result = NULL;
    sw_forecast_change changes[2];
    sw_str steps[2];
    sw_forecast_resource resource = {.steps = steps};
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    fuzz_bytes *bytes = &run->bytes;
    sw_uuid task = pick_task(run);
    options.change_count = fuzz_pick(bytes, 3);
    for (size_t i = 0; i < options.change_count; i++) {
        changes[i] = (sw_forecast_change){.step = pick_name(bytes)};
        changes[i].kind = (int32_t)fuzz_pick(bytes, SW_FORECAST_KIND_COUNT + 1);
        changes[i].factor = (double)pick_number(bytes) / 8 + 1;
    }
    resource.step_count = fuzz_pick(bytes, 3);
    for (size_t i = 0; i < resource.step_count; i++)
        steps[i] = pick_name(bytes);
    resource.seats = (int32_t)fuzz_pick(bytes, 3);
    options.changes = changes;
    options.resources = &resource;
    options.resource_count = fuzz_pick(bytes, 2);
    options.draws = 1 + (int32_t)fuzz_pick(bytes, 8);
    options.history = (int32_t)fuzz_pick(bytes, 4);
    options.more_workers = (int32_t)fuzz_pick(bytes, 5) - 2;
    int rc = sw_task_forecast(run->engine, &options, &task, &result, &run->err);
    call_check(run, rc, result);
    if (rc == SW_OK)
        forecast_check(result);
    sw_result_free(result);
}

void call_durations(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    const sw_workflow *workflow = run->workflows[fuzz_pick(&run->bytes, DEFINITIONS)];
    if (!workflow)
        return;
    int32_t history = (int32_t)fuzz_pick(&run->bytes, 8);
    call_check(run, sw_workflow_durations(run->engine, workflow, history, &result, &run->err),
               result);
    const sw_step_duration *rows = sw_step_durations(result, &count);
    for (size_t i = 0; i < count; i++)
        fuzz_require(rows[i].p50_us >= 0 && rows[i].p50_us <= rows[i].p95_us, "percentiles");
    sw_result_free(result);
}

/* A picture or a chart is one text of the format that was asked for. */
void call_picture(call_run *run)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    sw_gantt_options chart = SW_GANTT_OPTIONS_INIT;
    fuzz_bytes *bytes = &run->bytes;
    sw_uuid task = pick_task(run);
    bool attempts = fuzz_pick(bytes, 2) != 0;
    options.format = (int32_t)fuzz_pick(bytes, SW_PICTURE_FORMAT_COUNT + 1);
    options.marks = (int32_t)fuzz_pick(bytes, 18);
    options.direction = (int32_t)fuzz_pick(bytes, 4);
    options.columns = (int32_t)pick_number(bytes);
    options.compact = (int32_t)fuzz_pick(bytes, 2);
    options.color = (int32_t)fuzz_pick(bytes, 2);
    options.title = pick_text(bytes);
    chart.format = options.format;
    chart.columns = options.columns;
    chart.now_us = pick_number(bytes);
    int rc = attempts ? sw_task_gantt(run->engine, &chart, &task, &result, &run->err)
                      : sw_task_picture(run->engine, &options, NULL, &task, &result, &run->err);
    call_check(run, rc, result);
    const sw_picture *picture = sw_pictures(result, &count);
    fuzz_require(count == (rc == SW_OK ? 1 : 0), "%zu pictures", count);
    if (rc == SW_OK) {
        fuzz_check_text(picture->text);
        fuzz_require(picture->format == options.format && picture->text.len > 0, "no picture");
    }
    sw_result_free(result);
}
