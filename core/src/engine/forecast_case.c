/* The cases of a forecast: the task as it stands, as it would be with changes, and past tasks in
 * hindsight, each made into a play and played. Not here: what is read and what is answered
 * (forecast.c).
 */
#include "engine/forecast.h"

#include <stdlib.h>

#include "graph/ranks.h"
#include "model/states.h"
#include "model/trigger.h"

/* Steps and dependencies of all plays, unless tasks are asked for. */
#define HINDSIGHT_WORK 2500000

/* The task as it stands. */

bool sw__forecast_over(const sw__forecast *call)
{
    return sw_task_state_terminal(call->task.state);
}

static int forecast_play_state(const sw__forecast *call, size_t index)
{
    int state = call->states[index];
    if (sw_step_state_terminal(state) || sw__forecast_over(call))
        return SW__PLAY_OVER;
    bool begun = sw__past_began(&call->times, index) >= 0;
    return state == SW_STEP_PENDING || (state == SW_STEP_READY && !begun) ? SW__PLAY_WAITS
                                                                          : SW__PLAY_RUNS;
}

int64_t sw__forecast_elapsed(const sw__forecast *call, size_t index)
{
    int64_t began = sw__past_began(&call->times, index);
    return began >= 0 && call->now_us > began ? call->now_us - began : 0;
}

/* The order in which workers take ready steps: by number, where all have one priority. */
static bool side_rank(sw__arena *arena, const sw_workflow *workflow, sw__play *play)
{
    size_t steps = workflow->step_count, same = 0;
    int32_t *by_rank = NULL, *rank = NULL;
    while (same < steps && workflow->steps[same].priority == workflow->steps[0].priority)
        same++;
    if (same == steps)
        return true;
    uint64_t *keys = sw__arena_array_raw(arena, steps, sizeof *keys);
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

/* Every step waits by its rule, and will succeed. */
static void side_fill(const sw_workflow *workflow, uint8_t *given, uint8_t *lost, int32_t *needed,
                      sw__play *play)
{
    uint8_t counts[SW_TRIGGER_COUNT], loses[SW_TRIGGER_COUNT];
    for (int rule = 0; rule < SW_TRIGGER_COUNT; rule++) {
        counts[rule] = (uint8_t)sw__trigger_ends(rule, SW__EFFECT_COUNTS);
        loses[rule] = (uint8_t)sw__trigger_ends(rule, SW__EFFECT_LOST);
    }
    for (size_t i = 0; i < workflow->step_count; i++) {
        const sw_workflow_step *step = &workflow->steps[i];
        play->state[i] = SW__PLAY_WAITS;
        play->end[i] = SW__ENDED_SUCCEEDED;
        given[i] = counts[step->trigger];
        lost[i] = loses[step->trigger];
        needed[i] = sw__trigger_needed(step);
    }
    play->counts = given;
    play->loses = lost;
    play->needed = needed;
}

/* A play that has every step waiting; needed is that of the play. */
static int side_new(sw__arena *arena, const sw_workflow *workflow, uint64_t seed, int32_t **needed,
                    sw__play *play)
{
    size_t steps = workflow->step_count;
    *play = (sw__play){.graph = &workflow->graph, .skipped = SW__ENDED_SKIPPED, .seed = seed};
    play->state = sw__arena_array_raw(arena, steps, 1);
    play->end = sw__arena_array_raw(arena, steps, 1);
    uint8_t *counts = sw__arena_array_raw(arena, steps, 1);
    uint8_t *loses = sw__arena_array_raw(arena, steps, 1);
    *needed = sw__arena_array_raw(arena, steps, sizeof **needed);
    if (sw__arena_failed(arena) || !side_rank(arena, workflow, play))
        return SW_ENOMEM;
    side_fill(workflow, counts, loses, *needed, play);
    return SW_OK;
}

/* Once the ends are known: what can be spared matters where an end does not count for a step. */
static int side_spare(sw__arena *arena, const sw_workflow *workflow, sw__play *play)
{
    size_t steps = workflow->step_count;
    unsigned counted = ~0u, ends = 0;
    for (size_t i = 0; i < steps; i++) {
        counted &= play->counts[i];
        ends |= 1u << (play->end[i] & SW__END_MASK);
    }
    if ((ends & ~counted) == 0 || play->spare)
        return SW_OK;
    int32_t *spare = sw__arena_array_raw(arena, steps, sizeof *spare);
    if (!spare)
        return SW_ENOMEM;
    for (size_t i = 0; i < steps; i++)
        spare[i] = sw__trigger_spare(&workflow->steps[i]);
    play->spare = spare;
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

/* The task as it stands. A step that is ready waits for nothing, whatever made it so. */
static void side_set_state(const sw__forecast *call, int32_t *needed, int64_t *elapsed,
                           sw__play *play)
{
    for (size_t i = 0; i < call->workflow->step_count; i++) {
        int state = call->states[i];
        play->state[i] = (uint8_t)forecast_play_state(call, i);
        if (play->state[i] == SW__PLAY_RUNS)
            elapsed[i] = sw__forecast_elapsed(call, i);
        if (play->state[i] == SW__PLAY_OVER)
            play->end[i] = (uint8_t)sw__trigger_end_of(&call->workflow->steps[i], state);
        if (state == SW_STEP_READY)
            needed[i] = 0;
    }
    play->elapsed_us = elapsed;
    play->least_us = call->least_us;
}

static void side_set_durations(const sw__durations *durations, sw__play *play)
{
    play->us = durations->us;
    play->spans = durations->spans;
}

int sw__forecast_base(sw__forecast *call, sw__play *play)
{
    int32_t *needed = NULL;
    int64_t *elapsed =
        sw__arena_array_raw(call->arena, call->workflow->step_count, sizeof *elapsed);
    if (!elapsed ||
        side_new(call->arena, call->workflow, forecast_seed(call->task_id), &needed, play) < 0 ||
        sw__past_durations(call->arena, &call->past, NULL, call->workflow, call->options.default_us,
                           &call->durations) < 0)
        return SW_ENOMEM;
    side_set_state(call, needed, elapsed, play);
    side_set_durations(&call->durations, play);
    play->workers = forecast_workers(call);
    return side_spare(call->arena, call->workflow, play);
}

/* The other case. */

static int change_failure(const sw_workflow_step *step)
{
    int end = (int)sw__trigger_end_of(step, SW_STEP_FAILED);
    if (!sw__trigger_is_well(step, SW_STEP_FAILED))
        end |= SW__END_FAILS;
    return step->on_failure == SW_ON_FAILURE_FAIL_TASK ? end | SW__END_STOPS : end;
}

/* Of a copy; what takes longer is apart. */
static void change_apply(sw__play *play, const sw_workflow *workflow, int64_t index, int kind)
{
    switch (kind) {
    case SW_FORECAST_FAIL:
        play->end[index] = (uint8_t)change_failure(&workflow->steps[index]);
        break;
    case SW_FORECAST_SKIP:
        play->state[index] = SW__PLAY_OVER;
        play->end[index] = SW__ENDED_SKIPPED;
        break;
    case SW_FORECAST_RESOLVE:
        play->state[index] = SW__PLAY_OVER;
        play->end[index] = SW__ENDED_SUCCEEDED;
        break;
    default: /* SW_FORECAST_SLOWER */
        break;
    }
}

/* An operator may skip or resolve what he could when the task is really running. */
static int change_check_state(const sw__forecast *call, size_t row, int64_t index, sw_error *err)
{
    const sw_forecast_change *change = &call->options.changes[row];
    int state = call->states[index];
    int to = change->kind == SW_FORECAST_SKIP ? SW_STEP_SKIPPED : SW_STEP_RESOLVED;
    bool by_operator = change->kind == SW_FORECAST_SKIP || change->kind == SW_FORECAST_RESOLVE;
    if (sw__forecast_over(call))
        return sw__fail_row(err, SW_ESTATE, row, "the task has ended: %s",
                            sw_task_state_name(call->task.state));
    if (sw_step_state_terminal(state))
        return sw__fail_row(err, SW_ESTATE, row, "step '%.*s' has ended: %s", SW__FMT(change->step),
                            sw_step_state_name(state));
    if (by_operator && !sw__step_may(state, to, SW_BY_OPERATOR))
        return sw__fail_row(err, SW_ESTATE, row, "step '%.*s' is %s; an operator cannot make it %s",
                            SW__FMT(change->step), sw_step_state_name(state),
                            sw_step_state_name(to));
    return SW_OK;
}

/* changed has a bit for each step that has a change already. */
static int change_find(const sw__forecast *call, size_t row, uint8_t *changed, int64_t *index,
                       sw_error *err)
{
    const sw_forecast_change *change = &call->options.changes[row];
    *index = sw__workflow_find(call->workflow, change->step);
    if (*index < 0)
        return sw__fail_row(err, SW_ENOTFOUND, row, "workflow '%.*s' has no step '%.*s'",
                            SW__FMT(call->workflow->name), SW__FMT(change->step));
    uint8_t *bits = &changed[*index / 8], bit = (uint8_t)(1u << (*index % 8));
    if (*bits & bit)
        return sw__fail_row(err, SW_EINVAL, row, "step '%.*s' is changed twice",
                            SW__FMT(change->step));
    *bits |= bit;
    return change_check_state(call, row, *index, err);
}

static int changes_apply(const sw__forecast *call, sw__factor *factors, sw__play *play,
                         sw_error *err)
{
    uint8_t *changed = sw__arena_array(call->arena, call->workflow->step_count / 8 + 1, 1);
    int rc = changed ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < call->options.change_count; i++) {
        const sw_forecast_change *change = &call->options.changes[i];
        int64_t index = -1;
        rc = change_find(call, i, changed, &index, err);
        if (rc == SW_OK)
            change_apply(play, call->workflow, index, change->kind);
        if (rc == SW_OK && change->kind == SW_FORECAST_SLOWER)
            factors[play->factor_count++] = (sw__factor){(int32_t)index, change->factor};
    }
    return rc;
}

static int factor_compare(const void *a, const void *b)
{
    return ((const sw__factor *)a)->node - ((const sw__factor *)b)->node;
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

static bool forecast_changes_state(const sw_forecast_options *options)
{
    size_t i = 0;
    while (i < options->change_count && options->changes[i].kind == SW_FORECAST_SLOWER)
        i++;
    return i < options->change_count;
}

/* A copy of so many bytes; NULL: no memory. */
static uint8_t *what_if_copy_bytes(sw__arena *arena, const uint8_t *from, size_t count)
{
    uint8_t *copy = sw__arena_array_raw(arena, count, 1);
    return copy ? memcpy(copy, from, count) : NULL;
}

/* The arrays that a change writes to are copied; all others are those of the base. */
static bool what_if_copy(const sw__forecast *call, const sw__play *base, sw__play *play)
{
    size_t steps = call->workflow->step_count;
    *play = *base;
    play->workers = what_if_workers(call, base->workers);
    if (forecast_changes_state(&call->options)) {
        play->state = what_if_copy_bytes(call->arena, base->state, steps);
        play->end = what_if_copy_bytes(call->arena, base->end, steps);
    }
    if (call->options.resource_count > 0)
        play->holds = sw__arena_array(call->arena, steps, 1);
    return !sw__arena_failed(call->arena);
}

int sw__forecast_what_if(sw__forecast *call, const sw__play *base, sw__play *play, sw_error *err)
{
    sw__factor *factors =
        sw__arena_array_raw(call->arena, call->options.change_count, sizeof *factors);
    if (!factors || !what_if_copy(call, base, play))
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = changes_apply(call, factors, play, err);
    qsort(factors, (size_t)play->factor_count, sizeof *factors, factor_compare);
    play->factors = factors;
    if (rc == SW_OK)
        rc = resources_apply(call, play, err);
    if (rc == SW_OK && side_spare(call->arena, call->workflow, play) < 0)
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

static int64_t hindsight_size(const sw__past_task *task)
{
    return task->workflow->graph.node_count + (int64_t)task->workflow->graph.edge_count;
}

/* Fewer than for the task itself: all of them together are to take no longer than it does. */
static int32_t hindsight_draws(const sw__forecast *call, const sw__past_task *task)
{
    int32_t draws =
        sw__forecast_draws(HINDSIGHT_WORK / (call->options.calibrate + 1), hindsight_size(task));
    return call->options.draws < draws ? call->options.draws : draws;
}

/* Forecast one past task from the others; left gets the percentiles. */
static int hindsight_play(const sw__forecast *call, sw__arena *scratch, const sw__past_task *task,
                          int64_t left[3])
{
    sw__play play;
    sw__play_answer answer;
    sw__durations durations;
    int32_t *needed = NULL;
    int32_t count = hindsight_draws(call, task);
    if (side_new(scratch, task->workflow, forecast_seed(call->task_id), &needed, &play) < 0 ||
        side_spare(scratch, task->workflow, &play) < 0 ||
        sw__past_durations(scratch, &call->past, task, task->workflow, call->options.default_us,
                           &durations) < 0)
        return SW_ENOMEM;
    side_set_durations(&durations, &play);
    play.workers = call->options.workers;
    if (play.workers == 0)
        play.workers = sw__past_peak(&call->past, task);
    if (play.workers == 0)
        play.workers = 1;
    if (sw__play_many(scratch, &play, 1, count, &answer) < 0)
        return SW_ENOMEM;
    sw__forecast_percentiles(answer.left_us, count, left);
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

/* How many past tasks are forecast: those that are asked for, else those for which there is time,
 * and none if they are too few to say anything. */
static int32_t hindsight_count(const sw__forecast *call)
{
    int32_t count = 0;
    int64_t work = 0;
    for (size_t i = 0; call->past.count > 1 && i < call->past.count; i++) {
        const sw__past_task *task = &call->past.tasks[i];
        work += hindsight_draws(call, task) * hindsight_size(task);
        bool enough =
            count >= call->options.calibrate || (!call->calibrate_all && work > HINDSIGHT_WORK);
        if (enough || task->state != SW_TASK_SUCCEEDED)
            break;
        count++;
    }
    bool short_of_time = !call->calibrate_all && work > HINDSIGHT_WORK;
    return short_of_time && count < SW__FORECAST_TRUSTED ? 0 : count;
}

int sw__forecast_calibrate(sw__forecast *call, sw_calibration *out)
{
    int32_t count = hindsight_count(call);
    double *errors = sw__arena_array(call->arena, (size_t)count, sizeof *errors);
    if (!errors)
        return SW_ENOMEM;
    for (int32_t i = 0; i < count; i++) {
        if (hindsight_add(call, &call->past.tasks[i], out, errors) < 0)
            return SW_ENOMEM;
    }
    qsort(errors, (size_t)out->task_count, sizeof *errors, error_compare);
    if (out->task_count > 0)
        out->error = errors[(out->task_count - 1) / 2];
    out->trusted = out->task_count >= SW__FORECAST_TRUSTED;
    return SW_OK;
}
