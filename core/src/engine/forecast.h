/* What the files of a forecast share: one call, and the cases it is asked for. */
#ifndef SW_ENGINE_FORECAST_H
#define SW_ENGINE_FORECAST_H

#include "engine/past.h"
#include "stepwell/forecast.h"

#define SW__FORECAST_TRUSTED 5 /* forecasts in hindsight, to say anything */

/* One call, from reading to answer. */
typedef struct sw__forecast {
    sw_forecast_options options; /* defaults filled in */
    const sw_uuid *task_id;
    sw__arena *arena; /* scratch */
    sw_workflow *workflow;
    sw__task_hot task;
    sw__step_hot *rows;
    sw__past_times times;
    sw__past past;
    int64_t now_us;
    int32_t live_workers;
    sw__samples *samples; /* of each step */
    uint8_t *sources;
} sw__forecast;

/* One case: its play, the course if all steps take their median, many draws. */
typedef struct sw__forecast_side {
    sw__play play;
    sw__play_course course;
    sw__play_sample draws;
} sw__forecast_side;

/* Learn the durations and play the task as it stands. SW_ENOMEM. */
int sw__forecast_base(sw__forecast *call, sw__forecast_side *side);
/* Play it with the changes that the options ask for. errors: SW_ENOTFOUND, SW_EINVAL, SW_ESTATE,
 * all with the row of the change; SW_ENOMEM. */
int sw__forecast_what_if(sw__forecast *call, const sw__forecast_side *base,
                         sw__forecast_side *side, sw_error *err);
/* Forecast past tasks and compare. SW_ENOMEM. */
int sw__forecast_calibrate(sw__forecast *call, sw_calibration *out);

bool sw__forecast_over(const sw__forecast *call);
/* The 10th, 50th and 90th percentile of values, which get sorted. */
void sw__forecast_percentiles(int64_t *values, int32_t count, int64_t percentiles[3]);

#endif
