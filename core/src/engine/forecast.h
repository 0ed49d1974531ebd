/* What the files of a forecast share: one call, and the cases it is asked for. */
#ifndef SW_ENGINE_FORECAST_H
#define SW_ENGINE_FORECAST_H

#include "engine/past.h"
#include "stepwell/forecast.h"

#define SW__FORECAST_TRUSTED 5 /* forecasts in hindsight, to say anything */
#define SW__FORECAST_DRAWS 200
#define SW__FORECAST_DRAWS_LEAST 5

/* One call, from reading to answer. */
typedef struct sw__forecast {
    sw_forecast_options options; /* defaults filled in */
    const sw_uuid *task_id;
    sw__arena *arena; /* scratch */
    sw_workflow *workflow;
    sw__task_hot task;
    uint8_t *states;   /* sw_step_state of each step */
    int64_t ended_count;
    int64_t *least_us; /* until a step may begin again; set for those that have begun */
    sw__past_times times;
    sw__past past;
    int64_t now_us;
    int32_t live_workers;
    size_t past_steps;  /* to learn from, at most */
    bool calibrate_all; /* somebody asked for so many tasks in hindsight */
    sw__durations durations;
} sw__forecast;

/* One case: its play, and what came out. */
typedef struct sw__forecast_side {
    sw__play play;
    sw__play_answer answer;
} sw__forecast_side;

/* Learn the durations; the play is that of the task as it stands. SW_ENOMEM. */
int sw__forecast_base(sw__forecast *call, sw__play *play);
/* The same with the changes that the options ask for. errors: SW_ENOTFOUND, SW_EINVAL, SW_ESTATE,
 * all with the row of the change; SW_ENOMEM. */
int sw__forecast_what_if(sw__forecast *call, const sw__play *base, sw__play *play, sw_error *err);
/* Forecast past tasks and compare. SW_ENOMEM. */
int sw__forecast_calibrate(sw__forecast *call, sw_calibration *out);

/* How many plays of so many steps and dependencies fit into an amount of work: within
 * SW__FORECAST_DRAWS_LEAST and SW__FORECAST_DRAWS. */
int32_t sw__forecast_draws(int64_t work, int64_t size);
bool sw__forecast_over(const sw__forecast *call);
/* Time since the first attempt of a step began. */
int64_t sw__forecast_elapsed(const sw__forecast *call, size_t index);
/* The 10th, 50th and 90th percentile of values, which get sorted. */
void sw__forecast_percentiles(int64_t *values, int32_t count, int64_t percentiles[3]);

#endif
