/* Forecasts of tasks: read the task and what is known of its like, play the rest, answer.
 *
 * Everything is read in one read transaction; the plays run behind it without the lock, on copies
 * and on definitions that are held. Not here: the cases (forecast_case.c), what past tasks teach
 * (past.c), the plays (graph/forecast.c).
 */
#include "engine/forecast.h"

#include "engine/member.h"
#include "engine/query.h"
#include "engine/sound.h"

#define FORECAST_WORK 2500000 /* steps and dependencies, each once for every play */
#define FORECAST_DRAWS_MAX 100000
#define FORECAST_HISTORY 50
#define FORECAST_HISTORY_MAX 1000
#define FORECAST_PAST_STEPS 200000 /* of all tasks together, unless so many tasks are asked for */
#define FORECAST_CALIBRATE 20
#define FORECAST_DEFAULT_US 60000000
#define FORECAST_FACTOR_MAX 1e6
#define FORECAST_WORKERS_MAX 1000000

/* The question. */

static int forecast_check_numbers(const sw_forecast_options *options, sw_error *err)
{
    if (options->workers < 0 || options->workers > FORECAST_WORKERS_MAX ||
        options->what_if_workers < 0 || options->what_if_workers > FORECAST_WORKERS_MAX ||
        options->more_workers < -FORECAST_WORKERS_MAX ||
        options->more_workers > FORECAST_WORKERS_MAX)
        return sw__fail(err, SW_EINVAL, "a number of workers is within 0 and %d",
                        FORECAST_WORKERS_MAX);
    if (options->draws < 0 || options->draws > FORECAST_DRAWS_MAX)
        return sw__fail(err, SW_EINVAL, "draws is within 0 and %d, not %d", FORECAST_DRAWS_MAX,
                        options->draws);
    if (options->history < 0 || options->history > FORECAST_HISTORY_MAX)
        return sw__fail(err, SW_EINVAL, "history is within 0 and %d, not %d", FORECAST_HISTORY_MAX,
                        options->history);
    if (options->calibrate < -1)
        return sw__fail(err, SW_EINVAL, "calibrate is -1 or more, not %d", options->calibrate);
    if (options->default_us < 0)
        return sw__fail(err, SW_EINVAL, "default_us is 0 or more, not %lld",
                        (long long)options->default_us);
    return SW_OK;
}

static int forecast_check_changes(const sw_forecast_options *options, sw_error *err)
{
    for (size_t i = 0; i < options->change_count; i++) {
        const sw_forecast_change *change = &options->changes[i];
        if (change->kind < 0 || change->kind >= SW_FORECAST_KIND_COUNT)
            return sw__fail_row(err, SW_EINVAL, i, "%d is no kind of change", change->kind);
        bool factor = change->factor > 0 && change->factor <= FORECAST_FACTOR_MAX;
        if (change->kind == SW_FORECAST_SLOWER && !factor)
            return sw__fail_row(err, SW_EINVAL, i,
                                "the factor of step '%.*s' is above 0 and %.0f at most, not %g",
                                SW__FMT(change->step), FORECAST_FACTOR_MAX, change->factor);
    }
    return SW_OK;
}

static int forecast_check_resources(const sw_forecast_options *options, sw_error *err)
{
    if (options->resource_count > SW__PLAY_RESOURCES_MAX)
        return sw__fail(err, SW_EINVAL, "there are %d resources at most", SW__PLAY_RESOURCES_MAX);
    for (size_t i = 0; i < options->resource_count; i++) {
        const sw_forecast_resource *resource = &options->resources[i];
        if (resource->seats < 1)
            return sw__fail_row(err, SW_EINVAL, i, "a resource has 1 seat or more, not %d",
                                resource->seats);
        if (resource->step_count > 0 && !resource->steps)
            return sw__fail_row(err, SW_EINVAL, i, "the steps of a resource are missing");
    }
    return SW_OK;
}

static int forecast_check(const sw_forecast_options *options, sw_error *err)
{
    if (!options || options->size < sizeof *options)
        return sw__fail(err, SW_EINVAL, "options must start with SW_FORECAST_OPTIONS_INIT");
    if ((options->change_count > 0 && !options->changes) ||
        (options->resource_count > 0 && !options->resources))
        return sw__fail(err, SW_EINVAL, "the array of changes or resources is missing");
    int rc = forecast_check_numbers(options, err);
    if (rc == SW_OK)
        rc = forecast_check_changes(options, err);
    return rc == SW_OK ? forecast_check_resources(options, err) : rc;
}

static void forecast_defaults(sw__forecast *call)
{
    sw_forecast_options *options = &call->options;
    call->calibrate_all = options->calibrate > 0;
    call->past_steps = options->history > 0 ? SW__PAST_STEPS_MAX : FORECAST_PAST_STEPS;
    options->history = options->history ? options->history : FORECAST_HISTORY;
    options->default_us = options->default_us ? options->default_us : FORECAST_DEFAULT_US;
    if (options->calibrate <= 0)
        options->calibrate = options->calibrate < 0 ? 0 : FORECAST_CALIBRATE;
}

/* Reading. */

static int forecast_count_workers(sw_engine *engine, sw__forecast *call, sw_error *err)
{
    size_t count = 0;
    sw__worker_rec *workers = NULL;
    int rc = sw__sound_workers(engine->store, call->arena, &workers, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        call->live_workers += sw__member_alive(engine, &workers[i], call->now_us);
    return rc;
}

static void forecast_step(void *context, size_t index, const sw__step_hot *row)
{
    sw__forecast *call = context;
    bool ended = sw_step_state_terminal(row->state);
    call->states[index] = (uint8_t)row->state;
    call->ended_count += ended;
    if (row->state == SW_STEP_PENDING || ended)
        return;
    bool timed = row->lane == SW__LANE_TIMER && row->rank > call->now_us;
    call->least_us[index] = timed ? row->rank - call->now_us : 0;
}

/* Of each row, only what the plays look at. */
static int forecast_read_steps(sw_engine *engine, sw__forecast *call, const sw__plan *plan,
                               sw_error *err)
{
    size_t count = plan->workflow->step_count;
    call->states = sw__arena_array(call->arena, count, sizeof *call->states);
    call->least_us = sw__arena_array_raw(call->arena, count, sizeof *call->least_us);
    if (!call->states || !call->least_us)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__query_each_step(engine, &call->task, plan, forecast_step, call, err);
}

/* Inside the transaction: everything the answer needs from the store, into the call. */
static int forecast_read(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__forecast *call = *(sw__forecast *const *)context;
    const sw__plan *plan = NULL;
    (void)result;
    int rc = sw__query_task(engine, call->task_id, &call->task, &plan, err);
    if (rc < 0)
        return rc;
    call->workflow = sw__workflow_keep(plan->workflow);
    rc = sw__engine_now(engine, false, &call->now_us, err);
    if (rc == SW_OK)
        rc = forecast_read_steps(engine, call, plan, err);
    if (rc == SW_OK)
        rc = sw__past_times_read(engine, call->arena, &call->task, call->workflow, &call->times,
                                 err);
    if (rc == SW_OK)
        rc = forecast_count_workers(engine, call, err);
    if (rc == SW_OK)
        rc = sw__past_read(engine, call->arena, call->workflow->name, call->task.task_no,
                           (size_t)call->options.history, call->past_steps, &call->past, err);
    return rc;
}

/* The answer. */

static void answer_ended_step(const sw__forecast *call, size_t index, sw_forecast_step *out)
{
    int64_t took = sw__past_took(&call->times, index);
    out->source = SW_DURATION_FROM_ENDED;
    out->sample_count = took >= 0;
    out->p50_us = out->p95_us = out->elapsed_us = took >= 0 ? took : 0;
}

static void answer_open_step(const sw__forecast *call, const sw__forecast_side *sides, size_t index,
                             sw_forecast_step *out)
{
    double draws = (double)call->options.draws;
    out->source = call->durations.sources[index];
    out->sample_count = call->durations.spans[index].count;
    if (out->source == SW_DURATION_FROM_TIMEOUT || out->source == SW_DURATION_FROM_DEFAULT)
        out->sample_count = 0;
    out->p50_us = sw__durations_at(&call->durations, index, 0.5);
    out->p95_us = sw__durations_at(&call->durations, index, 0.95);
    out->elapsed_us = sw__forecast_elapsed(call, index);
    out->overdue = sw__play_overdue(&sides[0].play, (int32_t)index);
    out->runs = sides[0].answer.course.fate[index] == SW__FATE_RAN;
    out->runs_what_if = sides[1].answer.course.fate[index] == SW__FATE_RAN;
    out->decides = (double)sides[0].answer.decides[index] / draws;
    out->decides_what_if = (double)sides[1].answer.decides[index] / draws;
}

/* The names are those of the workflow, which the result holds. */
static sw_forecast_step answer_step(const sw__forecast *call, const sw__forecast_side *sides,
                                    size_t index)
{
    int state = call->states[index];
    sw_forecast_step out = {.name = call->workflow->steps[index].name, .state = state};
    if (sw_step_state_terminal(state) || sw__forecast_over(call))
        answer_ended_step(call, index, &out);
    else
        answer_open_step(call, sides, index, &out);
    return out;
}

static bool answer_path(const sw__forecast_side *side, const sw_forecast_step *steps,
                        sw__arena *arena, sw_forecast_case *out)
{
    sw_str *path = sw__arena_array(arena, (size_t)side->answer.course.path_count, sizeof *path);
    for (int32_t i = 0; path && i < side->answer.course.path_count; i++)
        path[out->path_count++] = steps[side->answer.course.path[i]].name;
    out->path = path;
    return path != NULL;
}

/* Running time that is behind the task. */
static double answer_work_done(const sw__forecast *call)
{
    double done = 0;
    for (size_t i = 0; i < call->times.filled; i++) {
        int state = call->states[i];
        int64_t took = sw__past_took(&call->times, i), began = sw__past_began(&call->times, i);
        if (took >= 0)
            done += (double)took;
        else if (began >= 0 && !sw_step_state_terminal(state) && call->now_us > began)
            done += (double)(call->now_us - began);
    }
    return done;
}

static void answer_progress(const sw__forecast *call, double to_come, sw_forecast_case *out)
{
    double done = answer_work_done(call), all = done + to_come;
    double ended = (double)call->ended_count;
    out->progress = all > 0 ? done / all : ended / (double)call->workflow->step_count;
    if (sw__forecast_over(call))
        out->progress = 1;
}

/* Between these two of so many ascending draws lies the true median, with a chance of 95 % or
 * more from 6 draws on: the sign test, with the binomial distribution taken as normal (Conover
 * 1999, 3.2), which is on the safe side for few draws. */
static void answer_between(const int64_t *left, int32_t draws, int64_t between[2])
{
    int64_t place = draws / 2;
    while (place > 1 && (double)((draws - 2 * place) * (draws - 2 * place)) < 3.8416 * draws)
        place--;
    place = place > 0 ? place - 1 : 0;
    between[0] = left[place];
    between[1] = left[draws - 1 - place];
}

static int answer_left(const sw__forecast *call, const sw__forecast_side *side,
                       sw_forecast_case *out)
{
    int32_t draws = call->options.draws;
    double work = 0;
    int64_t *left = sw__arena_array(call->arena, (size_t)draws, sizeof *left);
    if (!left)
        return SW_ENOMEM;
    for (int32_t i = 0; i < draws; i++) {
        left[i] = side->answer.left_us[i];
        work += side->answer.work_us[i] / (double)draws;
    }
    sw__forecast_percentiles(left, draws, out->left_us);
    answer_between(left, draws, out->p50_between_us);
    out->work_us = work < (double)INT64_MAX ? (int64_t)work : INT64_MAX;
    answer_progress(call, work, out);
    return SW_OK;
}

static int answer_case(const sw__forecast *call, const sw__forecast_side *side,
                       const sw_forecast_step *steps, sw__arena *arena, sw_forecast_case *out)
{
    if (!answer_path(side, steps, arena, out) || answer_left(call, side, out) < 0)
        return SW_ENOMEM;
    for (size_t i = 0; i < call->workflow->step_count; i++)
        out->never_count +=
            !sw_step_state_terminal(call->states[i]) && side->answer.course.fate[i] != SW__FATE_RAN;
    bool failed = side->answer.course.failed || call->task.fatal > 0 ||
                  call->task.counts[SW_STEP_CANCELLED] > 0;
    out->state = failed ? SW_TASK_FAILED : SW_TASK_SUCCEEDED;
    if (sw__forecast_over(call))
        out->state = call->task.state;
    out->workers = side->play.workers;
    return SW_OK;
}

static int answer_difference(const sw__forecast *call, const sw__forecast_side *sides,
                             sw_forecast *out)
{
    int32_t draws = call->options.draws;
    int64_t *difference = sw__arena_array(call->arena, (size_t)draws, sizeof *difference);
    if (!difference)
        return SW_ENOMEM;
    for (int32_t i = 0; i < draws; i++)
        difference[i] = sides[1].answer.left_us[i] - sides[0].answer.left_us[i];
    sw__forecast_percentiles(difference, draws, out->difference_us);
    return SW_OK;
}

static bool forecast_changes(const sw_forecast_options *options)
{
    return options->change_count > 0 || options->resource_count > 0 ||
           options->what_if_workers > 0 || options->more_workers != 0;
}

static void answer_facts(const sw__forecast *call, sw_forecast *out)
{
    out->task_id = *call->task_id;
    out->state = call->task.state;
    out->changed = forecast_changes(&call->options);
    out->now_us = call->now_us;
    int64_t until = sw__forecast_over(call) ? call->task.changed_us : call->now_us;
    if (call->task.started_us > 0 && until > call->task.started_us)
        out->elapsed_us = until - call->task.started_us;
    out->step_count = (int64_t)call->workflow->step_count;
    out->ended_count = call->ended_count;
    out->history_count = (int64_t)call->past.count;
    out->draws = call->options.draws;
    out->workers_learnt = call->options.workers == 0 && call->past.count > 0;
}

static void forecast_release(void *workflow)
{
    sw_workflow_free(workflow);
}

static int forecast_answer(sw__forecast *call, const sw__forecast_side *sides, sw_result *result)
{
    size_t count = call->workflow->step_count;
    sw_forecast *row = sw__arena_alloc(result->arena, sizeof *row);
    sw_forecast_step *steps = sw__arena_array_raw(result->arena, count, sizeof *steps);
    if (!row || !steps)
        return SW_ENOMEM;
    answer_facts(call, row);
    sw__result_hold(result, sw__workflow_keep(call->workflow), forecast_release);
    for (size_t i = 0; i < count; i++)
        steps[i] = answer_step(call, sides, i);
    if (answer_case(call, &sides[0], steps, result->arena, &row->base) < 0 ||
        answer_case(call, &sides[1], steps, result->arena, &row->what_if) < 0 ||
        answer_difference(call, sides, row) < 0 ||
        sw__forecast_calibrate(call, &row->calibration) < 0)
        return SW_ENOMEM;
    sw__result_set(result, SW__FORECASTS, row, 1);
    sw__result_set(result, SW__FORECAST_STEPS, steps, count);
    return sw__arena_failed(result->arena) ? SW_ENOMEM : SW_OK;
}

/* The verb. */

int32_t sw__forecast_draws(int64_t work, int64_t size)
{
    int64_t draws = size > 0 ? work / size : SW__FORECAST_DRAWS;
    if (draws < SW__FORECAST_DRAWS_LEAST)
        return SW__FORECAST_DRAWS_LEAST;
    return draws < SW__FORECAST_DRAWS ? (int32_t)draws : SW__FORECAST_DRAWS;
}

/* Large tasks are played less often when nobody says how often. */
static void forecast_set_draws(sw__forecast *call, const sw__play *play)
{
    int64_t size = 0;
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (play->state[node] != SW__PLAY_OVER)
            size += 1 + play->graph->out_start[node + 1] - play->graph->out_start[node];
    }
    if (call->options.draws == 0)
        call->options.draws = sw__forecast_draws(FORECAST_WORK, size);
}

static int forecast_play(sw__forecast *call, sw__forecast_side sides[2], bool changed)
{
    const sw__play plays[2] = {sides[0].play, sides[1].play};
    sw__play_answer answers[2];
    forecast_set_draws(call, &plays[0]);
    if (sw__play_many(call->arena, plays, changed ? 2 : 1, call->options.draws, answers) < 0)
        return SW_ENOMEM;
    sides[0].answer = answers[0];
    if (changed)
        sides[1].answer = answers[1];
    else
        sides[1] = sides[0];
    return SW_OK;
}

/* Behind the transaction. */
static int forecast_finish(sw__forecast *call, sw_result *result, sw_error *err)
{
    sw__forecast_side sides[2] = {0};
    bool changed = forecast_changes(&call->options);
    int rc = SW_OK;
    if (sw__forecast_base(call, &sides[0].play) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (changed)
        rc = sw__forecast_what_if(call, &sides[0].play, &sides[1].play, err);
    if (rc < 0)
        return rc;
    if (forecast_play(call, sides, changed) < 0 || forecast_answer(call, sides, result) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

int sw_task_forecast(sw_engine *engine, const sw_forecast_options *options, const sw_uuid *task_id,
                     sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = task_id ? forecast_check(options, err) : sw__fail(err, SW_EINVAL, "task_id is NULL");
    if (rc == SW_OK && !engine)
        rc = sw__fail(err, SW_EINVAL, "engine is NULL");
    if (rc < 0)
        return rc;
    sw__forecast call = {.options = *options, .task_id = task_id};
    sw__forecast *context = &call;
    forecast_defaults(&call);
    call.arena = sw__arena_new(engine->env);
    if (!call.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    rc = sw__query(engine, forecast_read, &context, out, err);
    if (rc == SW_OK)
        rc = forecast_finish(&call, *out, err);
    if (rc < 0) {
        sw_result_free(*out);
        *out = NULL;
    }
    sw__past_free(&call.past);
    sw_workflow_free(call.workflow);
    sw__arena_free(call.arena);
    return rc;
}
