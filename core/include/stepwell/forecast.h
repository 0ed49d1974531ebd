/* Forecasts: when a task ends, how sure that is, and what would change it.
 *
 *     sw_forecast_change slow = {.kind = SW_FORECAST_SLOWER, .step = step, .factor = 2};
 *     sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
 *     options.changes = &slow;
 *     options.change_count = 1;
 *     sw_result *result = NULL;
 *     if (sw_task_forecast(engine, &options, &task_id, &result, &err) < 0)
 *         ...
 *     const sw_forecast *forecast = sw_forecasts(result, NULL);
 *     ... forecast->base.left_us[1], forecast->what_if.left_us[1] ...
 *     sw_result_free(result);
 *
 * How it is made: the rest of the task is played many times. In each play every step that has not
 * ended gets a duration that was seen before (a running one, a duration that is longer than it has
 * been running already), and steps begin as workers become free, higher priority first, then in
 * the order of the definition. The plays are a Monte Carlo sample of the end; both cases get the
 * same durations, so that what differs is the change and not chance. The same state of the store
 * and the same clock give the same forecast.
 *
 * Durations are taken as independent of each other. Steps of other tasks that compete for workers
 * are seen only through what they did to past ones. How far to trust it is in sw_calibration.
 * Not here: questions to a graph without an engine (graph.h).
 */
#ifndef STEPWELL_FORECAST_H
#define STEPWELL_FORECAST_H

#include "engine.h"
#include "error.h"
#include "types.h"
#include "workflow.h"

/* What would be different. FAIL: the step fails for good when it would have ended, and its
 * on_failure decides what follows. SLOWER: it takes `factor` times as long as a whole; a factor
 * below 1 makes it faster. SKIP, RESOLVE: an operator skips it, or resolves it, now. What follows
 * for the steps after it is what the engine would do by their rules: a step that needs all to
 * succeed is skipped after one that is skipped, and goes on after one that is resolved. */
#define SW_FORECAST_KIND_MAP(XX)                                                                   \
    XX(FAIL, 0, "fail")                                                                            \
    XX(SLOWER, 1, "slower")                                                                        \
    XX(SKIP, 2, "skip")                                                                            \
    XX(RESOLVE, 3, "resolve")

typedef enum sw_forecast_kind {
#define SW_ENUM_VALUE(name, value, text) SW_FORECAST_##name = value,
    SW_FORECAST_KIND_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_FORECAST_KIND_COUNT = 4
} sw_forecast_kind;

/* Where the durations of a step come from. ENDED: it has ended, this is how long it took. STEP:
 * the same step in earlier tasks of the workflow. HANDLER: other steps of the same handler in
 * them. TIMEOUT: its declared timeout, which it may stay well below. DEFAULT: nothing is known,
 * the default of the options. */
#define SW_DURATION_SOURCE_MAP(XX)                                                                 \
    XX(ENDED, 0, "ended")                                                                          \
    XX(STEP, 1, "step")                                                                            \
    XX(HANDLER, 2, "handler")                                                                      \
    XX(TIMEOUT, 3, "timeout")                                                                      \
    XX(DEFAULT, 4, "default")

typedef enum sw_duration_source {
#define SW_ENUM_VALUE(name, value, text) SW_DURATION_FROM_##name = value,
    SW_DURATION_SOURCE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_DURATION_SOURCE_COUNT = 5
} sw_duration_source;

typedef struct sw_forecast_change {
    sw_str step;
    int32_t kind; /* sw_forecast_kind */
    int32_t reserved;
    double factor; /* SLOWER: above 0, 1,000,000 at most */
} sw_forecast_change;

/* What if at most `seats` of these steps ran at once? */
typedef struct sw_forecast_resource {
    const sw_str *steps;
    size_t step_count;
    int32_t seats; /* 1 or more */
    int32_t reserved;
} sw_forecast_resource;

typedef struct sw_forecast_options {
    uint32_t size;
    int32_t workers;  /* steps that run at once; 0: as learnt (sw_forecast.workers) */
    int32_t draws;    /* plays, 100,000 at most; 0 means 200, of large tasks fewer, but 5 */
    int32_t history;  /* newest ended tasks to learn from; 0 means 50, 1,000 at most */
    int32_t calibrate; /* of them, how many to forecast in hindsight; 0 means 20, -1: none */
    int32_t what_if_workers; /* workers of the other case; 0: those of the base case */
    int32_t more_workers;    /* added to those; negative: fewer, but one is left */
    int32_t reserved;
    int64_t default_us;      /* of a step nothing is known about; 0 means a minute */
    const sw_forecast_change *changes;
    size_t change_count;
    const sw_forecast_resource *resources; /* 8 at most */
    size_t resource_count;
} sw_forecast_options;

#define SW_FORECAST_OPTIONS_INIT {.size = sizeof(sw_forecast_options)}

/* One case. The three elements of left_us are the 10th, 50th and 90th percentile of the time from
 * now to the end; the end is now_us + left_us[i]. */
typedef struct sw_forecast_case {
    int32_t state;   /* sw_task_state that the task ends in */
    int32_t workers; /* steps that run at once */
    int64_t left_us[3];
    int64_t p50_between_us[2]; /* how exact the plays make the 50th percentile: more of them would
                                  leave it in here, with a chance of 95 % (from 6 plays on) */
    int64_t work_us;      /* mean running time that is still to come, over all steps */
    int64_t never_count;  /* steps that have not ended and will not run */
    const sw_str *path;   /* what decides the end if every step takes its median: steps in order,
                             each of which begins when the one before it ends */
    size_t path_count;
    double progress; /* work done / (work done + work to come), 0..1 */
} sw_forecast_case;

/* Forecasts in hindsight: each of the newest succeeded tasks, as it stood when it began, from what
 * the others teach. Fewer than 5 say nothing: trusted is 0 then. */
typedef struct sw_calibration {
    int64_t task_count;  /* how many were forecast */
    int64_t within_count; /* of them, the truth lay within p10 and p90; 80 % are meant to */
    double error;         /* median of |p50 - truth| / truth */
    int32_t trusted;      /* task_count is 5 or more */
    int32_t reserved;
} sw_calibration;

typedef struct sw_forecast {
    sw_uuid task_id;
    int32_t state;   /* sw_task_state, now */
    int32_t changed; /* 1: the options ask for a change; 0: what_if equals base */
    int64_t now_us;
    int64_t elapsed_us; /* since the task started, 0 before */
    int64_t step_count;
    int64_t ended_count;   /* steps that have ended */
    int64_t history_count; /* tasks learnt from */
    int32_t draws;
    int32_t workers_learnt; /* 1: most steps of one task that ran at once; 0: given, or the number
                               of live workers, for want of a history */
    sw_forecast_case base;
    sw_forecast_case what_if;
    int64_t difference_us[3]; /* what_if - base, play by play: 10th, 50th, 90th percentile */
    sw_calibration calibration;
} sw_forecast;

/* A step of a forecast. Its duration reaches from the start of its first attempt to its end, with
 * retries and the waits between them. */
typedef struct sw_forecast_step {
    sw_str name;
    int32_t state;        /* sw_step_state, now */
    int32_t source;       /* sw_duration_source */
    int64_t sample_count; /* durations it is based on */
    int64_t p50_us;
    int64_t p95_us;
    int64_t elapsed_us; /* since its first attempt began, or how long it took; 0: not begun */
    int32_t runs;         /* 1: it has not ended and will run, in the base case */
    int32_t runs_what_if; /* in the other case */
    int32_t overdue; /* 1: it has been running longer than any duration seen; taken to end after
                        up to as long again */
    int32_t reserved;
    double decides; /* share of the plays in which it is on the path that decides the end */
    double decides_what_if;
} sw_forecast_step;

/* What a step of a workflow takes, as far as its ended tasks tell. */
typedef struct sw_step_duration {
    sw_str name;
    int32_t source; /* sw_duration_source */
    int32_t reserved;
    int64_t sample_count; /* durations it is based on; 0 for TIMEOUT and DEFAULT */
    int64_t p50_us;
    int64_t p95_us;
} sw_step_duration;

SW_BEGIN_DECLS

/* Name of a kind of change or of a source of durations, "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_forecast_kind_name(int kind);
SW_API const char *sw_duration_source_name(int source);

/* Number of the kind of change with this name.
 *
 * owns:    name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND.
 */
SW_API int sw_forecast_kind_find(sw_str name);

/* When a task ends: sw_forecasts gives one row, sw_forecast_steps its steps in topological order.
 * A task that has ended is answered with nothing left to come. Reads the history of the newest
 * tasks of the same workflow name that have succeeded, then failed: options->history of them and
 * 1,000,000 steps at most, in one read transaction. The plays run after it and hold no lock.
 *
 * owns:    options, its arrays and task_id are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL (options; err->row: a change with an unknown kind, a factor that is none, or
 *          two changes of one step; a resource), SW_ENOTFOUND (the task; err->row: the change that
 *          names no step of it, -1 for one of a resource), SW_ESTATE (err->row: the change of a
 *          step that has ended), SW_ELIMIT, SW_EAUDIT, SW_EBUSY, SW_EIO, SW_ECORRUPT, SW_ENOMEM,
 *          SW_EFORKED. On error *out is NULL.
 */
SW_API int sw_task_forecast(sw_engine *engine, const sw_forecast_options *options,
                            const sw_uuid *task_id, sw_result **out, sw_error *err);

/* What the steps of a workflow take, in their order; sw_step_durations gives the rows. Learns as
 * sw_task_forecast does, from `history` ended tasks of the workflow's name, whatever their version
 * (0 means 50, 1,000 at most). The workflow need not be registered: nothing is known about it then.
 *
 * owns:    workflow is borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT, SW_EBUSY, SW_EIO, SW_ECORRUPT, SW_ENOMEM, SW_EFORKED. On error
 *          *out is NULL.
 */
SW_API int sw_workflow_durations(sw_engine *engine, const sw_workflow *workflow, int32_t history,
                                 sw_result **out, sw_error *err);

/* Rows of a result of the verbs above.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_forecast *sw_forecasts(const sw_result *result, size_t *count);
SW_API const sw_forecast_step *sw_forecast_steps(const sw_result *result, size_t *count);
SW_API const sw_step_duration *sw_step_durations(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
