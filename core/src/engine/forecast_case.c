/* The cases of a forecast: the task as it stands, as it would be with changes, and past tasks in
 * hindsight, each made into a play and played. Not here: what is read and what is answered
 * (forecast.c).
 */
#include "engine/forecast.h"

#include <stdlib.h>

#include "graph/ranks.h"

#define FORECAST_DRAWS_HINDSIGHT 200
#define FORECAST_HINDSIGHT_STEPS 100000 /* of all tasks; the first few are always forecast */

/* The task as it stands. */

bool sw__forecast_over(const sw__forecast *call)
{
    return sw_task_state_terminal(call->task.state);
}

static int forecast_play_state(const sw__forecast *call, size_t index)
{
    switch (call->rows[index].state) {
    case SW_STEP_SUCCEEDED:
    case SW_STEP_RESOLVED:
    case SW_STEP_SKIPPED:
        return SW__PLAY_MET;
    case SW_STEP_FAILED:
        return call->workflow->steps[index].on_failure == SW_ON_FAILURE_CONTINUE ? SW__PLAY_MET
                                                                                 : SW__PLAY_LOST;
    case SW_STEP_CANCELLED:
        return SW__PLAY_LOST;
    case SW_STEP_PENDING:
        return sw__forecast_over(call) ? SW__PLAY_LOST : SW__PLAY_WAITS;
    case SW_STEP_READY:
        return call->times.began_us[index] < 0 ? SW__PLAY_WAITS : SW__PLAY_RUNS;
    default:
        return SW__PLAY_RUNS;
    }
}

/* Time since the first attempt of a step began. */
static int64_t forecast_elapsed(const sw__forecast *call, size_t index)
{
    int64_t began = call->times.began_us[index];
    return began >= 0 && call->now_us > began ? call->now_us - began : 0;
}

/* The order in which workers take ready steps. */
static bool side_rank(sw__arena *arena, const sw_workflow *workflow, sw__play *play)
{
    size_t steps = workflow->step_count;
    int32_t *by_rank = NULL, *rank = NULL;
    uint64_t *keys = sw__arena_array(arena, steps, sizeof *keys);
    for (size_t i = 0; keys && i < steps; i++)
        keys[i] = (uint64_t)(INT16_MAX - workflow->steps[i].priority);
    if (!keys || !sw__keys_rank(arena, keys, (int32_t)steps, &by_rank, &rank))
        return false;
    play->by_rank = by_rank;
    play->rank = rank;
    return true;
}

static uint64_t forecast_seed(const sw_uuid *id)
{
    uint64_t seed = 0;
    for (int i = 0; i < 16; i++)
        seed = (seed << 8 | seed >> 56) ^ id->bytes[i];
    return seed;
}

/* A play that has every step waiting and nothing changed. */
static int side_new(sw__arena *arena, const sw_workflow *workflow, uint64_t seed, sw__play *play)
{
    size_t steps = workflow->step_count;
    *play = (sw__play){
        .graph = &workflow->graph,
        .state = sw__arena_array(arena, steps, 1),
        .end = sw__arena_array(arena, steps, 1),
        .elapsed_us = sw__arena_array(arena, steps, sizeof(int64_t)),
        .least_us = sw__arena_array(arena, steps, sizeof(int64_t)),
        .factor = sw__arena_array(arena, steps, sizeof(double)),
        .holds = sw__arena_array(arena, steps, 1),
        .seed = seed,
    };
    if (sw__arena_failed(arena) || !side_rank(arena, workflow, play))
        return SW_ENOMEM;
    for (size_t i = 0; i < steps; i++) {
        play->factor[i] = 1;
        play->state[i] = SW__PLAY_WAITS;
    }
    return SW_OK;
}

static int32_t forecast_workers(const sw__forecast *call)
{
    int32_t workers = call->options.workers;
    int32_t running = call->task.counts[SW_STEP_RUNNING];
    if (workers > 0)
        return workers;
    workers = call->past.count > 0 ? sw__past_peak(&call->past, NULL) : call->live_workers;
    workers = call->times.peak > workers ? call->times.peak : workers;
    workers = running > workers ? running : workers;
    return workers > 0 ? workers : 1;
}

static int side_play(const sw__forecast *call, sw__forecast_side *side)
{
    int rc = sw__play_course_find(call->arena, &side->play, &side->course);
    return rc == SW_OK ? sw__play_many(call->arena, &side->play, call->options.draws, &side->draws)
                       : rc;
}

int sw__forecast_base(sw__forecast *call, sw__forecast_side *side)
{
    size_t steps = call->workflow->step_count;
    sw__play *play = &side->play;
    call->samples = sw__arena_array(call->arena, steps, sizeof *call->samples);
    call->sources = sw__arena_array(call->arena, steps, 1);
    if (!call->samples || !call->sources ||
        side_new(call->arena, call->workflow, forecast_seed(call->task_id), play) < 0 ||
        sw__past_samples(call->arena, &call->past, NULL, call->workflow, call->options.default_us,
                         call->samples, call->sources) < 0)
        return SW_ENOMEM;
    for (size_t i = 0; i < steps; i++) {
        play->state[i] = (uint8_t)forecast_play_state(call, i);
        play->elapsed_us[i] = forecast_elapsed(call, i);
        if (call->rows[i].lane == SW__LANE_TIMER && call->rows[i].rank > call->now_us)
            play->least_us[i] = call->rows[i].rank - call->now_us;
    }
    play->samples = call->samples;
    play->workers = forecast_workers(call);
    return side_play(call, side);
}

/* The other case. */

static void change_apply(sw__play *play, const sw_workflow *workflow, int64_t index,
                         const sw_forecast_change *change)
{
    int on_failure = workflow->steps[index].on_failure;
    if (change->kind == SW_FORECAST_SLOWER)
        play->factor[index] = change->factor;
    else if (change->kind == SW_FORECAST_SKIP)
        play->factor[index] = 0;
    else if (on_failure == SW_ON_FAILURE_BLOCK)
        play->end[index] = SW__END_BLOCKS;
    else if (on_failure == SW_ON_FAILURE_FAIL_TASK)
        play->end[index] = SW__END_STOPS;
}

/* changed marks the steps that have a change already. */
static int change_find(const sw__forecast *call, size_t row, uint8_t *changed, int64_t *index,
                       sw_error *err)
{
    const sw_forecast_change *change = &call->options.changes[row];
    *index = sw__workflow_find(call->workflow, change->step);
    if (*index < 0)
        return sw__fail_row(err, SW_ENOTFOUND, row, "workflow '%.*s' has no step '%.*s'",
                            SW__FMT(call->workflow->name), SW__FMT(change->step));
    if (changed[*index])
        return sw__fail_row(err, SW_EINVAL, row, "step '%.*s' is changed twice",
                            SW__FMT(change->step));
    changed[*index] = 1;
    if (sw__forecast_over(call))
        return sw__fail_row(err, SW_ESTATE, row, "the task has ended: %s",
                            sw_task_state_name(call->task.state));
    int state = call->rows[*index].state;
    if (sw_step_state_terminal(state))
        return sw__fail_row(err, SW_ESTATE, row, "step '%.*s' has ended: %s", SW__FMT(change->step),
                            sw_step_state_name(state));
    return SW_OK;
}

static int changes_apply(const sw__forecast *call, sw__play *play, sw_error *err)
{
    uint8_t *changed = sw__arena_array(call->arena, call->workflow->step_count, 1);
    int rc = changed ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < call->options.change_count; i++) {
        int64_t index = -1;
        rc = change_find(call, i, changed, &index, err);
        if (rc == SW_OK)
            change_apply(play, call->workflow, index, &call->options.changes[i]);
    }
    return rc;
}

static int resources_apply(const sw__forecast *call, sw__play *play, sw_error *err)
{
    for (size_t i = 0; i < call->options.resource_count; i++) {
        const sw_forecast_resource *resource = &call->options.resources[i];
        play->seats[i] = resource->seats;
        for (size_t j = 0; j < resource->step_count; j++) {
            int64_t index = sw__workflow_find(call->workflow, resource->steps[j]);
            if (index < 0)
                return sw__fail(err, SW_ENOTFOUND, "workflow '%.*s' has no step '%.*s'",
                                SW__FMT(call->workflow->name), SW__FMT(resource->steps[j]));
            play->holds[index] |= (uint8_t)(1u << i);
        }
    }
    return SW_OK;
}

static int32_t what_if_workers(const sw__forecast *call, int32_t base)
{
    int32_t workers = call->options.what_if_workers > 0 ? call->options.what_if_workers : base;
    workers += call->options.more_workers;
    return workers > 0 ? workers : 1;
}

int sw__forecast_what_if(sw__forecast *call, const sw__forecast_side *base, sw__forecast_side *side,
                         sw_error *err)
{
    size_t steps = call->workflow->step_count;
    side->play = base->play;
    side->play.end = sw__arena_array(call->arena, steps, 1);
    side->play.factor = sw__arena_array(call->arena, steps, sizeof(double));
    side->play.holds = sw__arena_array(call->arena, steps, 1);
    if (sw__arena_failed(call->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(side->play.factor, base->play.factor, steps * sizeof(double));
    side->play.workers = what_if_workers(call, base->play.workers);
    int rc = changes_apply(call, &side->play, err);
    if (rc == SW_OK)
        rc = resources_apply(call, &side->play, err);
    if (rc == SW_OK && side_play(call, side) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    return rc;
}

/* Hindsight. */

static int percentile_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

void sw__forecast_percentiles(int64_t *values, int32_t count, int64_t percentiles[3])
{
    static const double shares[3] = {0.1, 0.5, 0.9};
    sw__samples samples = {values, count};
    qsort(values, (size_t)count, sizeof *values, percentile_compare);
    for (int i = 0; i < 3; i++)
        percentiles[i] = sw__samples_at(&samples, shares[i]);
}

static int error_compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Forecast one past task from the others; left gets the percentiles. */
static int hindsight_play(const sw__forecast *call, sw__arena *scratch, const sw__past_task *task,
                          int64_t left[3])
{
    sw__play play;
    sw__play_sample draws;
    size_t steps = task->workflow->step_count;
    sw__samples *samples = sw__arena_array(scratch, steps, sizeof *samples);
    uint8_t *sources = sw__arena_array(scratch, steps, 1);
    int32_t count = call->options.draws < FORECAST_DRAWS_HINDSIGHT ? call->options.draws
                                                                   : FORECAST_DRAWS_HINDSIGHT;
    if (!samples || !sources ||
        side_new(scratch, task->workflow, forecast_seed(call->task_id), &play) < 0 ||
        sw__past_samples(scratch, &call->past, task, task->workflow, call->options.default_us,
                         samples, sources) < 0)
        return SW_ENOMEM;
    play.samples = samples;
    play.workers = call->options.workers;
    if (play.workers == 0)
        play.workers = sw__past_peak(&call->past, task);
    if (play.workers == 0)
        play.workers = 1;
    if (sw__play_many(scratch, &play, count, &draws) < 0)
        return SW_ENOMEM;
    sw__forecast_percentiles(draws.left_us, count, left);
    return SW_OK;
}

static int hindsight_add(const sw__forecast *call, const sw__past_task *task, sw_calibration *out,
                         double *errors)
{
    int64_t left[3] = {0};
    sw__arena *scratch = sw__arena_new(sw__arena_env(call->arena));
    int rc = scratch ? hindsight_play(call, scratch, task, left) : SW_ENOMEM;
    sw__arena_free(scratch);
    if (rc < 0)
        return rc;
    int64_t off = left[1] > task->whole_us ? left[1] - task->whole_us : task->whole_us - left[1];
    out->within_count += task->whole_us >= left[0] && task->whole_us <= left[2];
    errors[out->task_count++] = off == 0 ? 0 : (double)off / (double)task->whole_us;
    return SW_OK;
}

int sw__forecast_calibrate(sw__forecast *call, sw_calibration *out)
{
    size_t steps = 0;
    double *errors = sw__arena_array(call->arena, call->past.count, sizeof *errors);
    if (!errors)
        return SW_ENOMEM;
    for (size_t i = 0; call->past.count > 1 && i < call->past.count; i++) {
        const sw__past_task *task = &call->past.tasks[i];
        steps += task->workflow->step_count;
        bool enough = out->task_count >= call->options.calibrate ||
                      (out->task_count >= SW__FORECAST_TRUSTED && steps > FORECAST_HINDSIGHT_STEPS);
        if (enough || task->state != SW_TASK_SUCCEEDED)
            break;
        if (hindsight_add(call, task, out, errors) < 0)
            return SW_ENOMEM;
    }
    qsort(errors, (size_t)out->task_count, sizeof *errors, error_compare);
    if (out->task_count > 0)
        out->error = errors[(out->task_count - 1) / 2];
    out->trusted = out->task_count >= SW__FORECAST_TRUSTED;
    return SW_OK;
}
