/* Tasker's two published readiness rules, word for word, over plain rows: for those who move from
 * it and want to see the same answers.
 *
 * Not here: when Stepwell's own steps are ready, which the engine counts (settle.c).
 */
#include "base/error.h"
#include "stepwell/ops.h"

#define TASKER_LIMIT_DEFAULT 3     /* COALESCE(retry_limit, 3) */
#define TASKER_RAILS_WAIT_MAX_S 30 /* LEAST(2 ^ attempts, 30) */
#define TASKER_CORE_WAIT_MAX_S 60  /* LEAST(2 ^ attempts, 60) */
#define TASKER_SECONDS_MAX (INT64_C(1) << 32)
#define TASKER_TIME_MAX (INT64_MAX / 4)

static int64_t tasker_attempts(const sw_tasker_step *step)
{
    return step->attempts == SW_TASKER_NULL ? 0 : step->attempts;
}

static int64_t tasker_limit(const sw_tasker_step *step)
{
    return step->retry_limit == SW_TASKER_NULL ? TASKER_LIMIT_DEFAULT : step->retry_limit;
}

/* Seconds of the exponential wait after so many attempts. */
static int64_t tasker_wait_us(const sw_tasker_step *step, int64_t most_s)
{
    int64_t attempts = tasker_attempts(step);
    int64_t seconds = attempts < 6 ? INT64_C(1) << attempts : most_s;
    return (seconds < most_s ? seconds : most_s) * 1000000;
}

/* End of the wait that a handler asked for, SW_TASKER_NULL: none was asked for. */
static int64_t tasker_asked_us(const sw_tasker_step *step)
{
    if (step->backoff_request_seconds == SW_TASKER_NULL ||
        step->last_attempted_us == SW_TASKER_NULL)
        return SW_TASKER_NULL;
    return step->last_attempted_us + step->backoff_request_seconds * 1000000;
}

static int64_t tasker_failed_us(const sw_tasker_step *step, int64_t most_s)
{
    return step->failed_us == SW_TASKER_NULL ? SW_TASKER_NULL
                                             : step->failed_us + tasker_wait_us(step, most_s);
}

static void tasker_fill_rails(const sw_tasker_step *step, int64_t now_us, sw_tasker_readiness *out)
{
    int64_t asked_us = tasker_asked_us(step);
    int64_t failed_us = tasker_failed_us(step, TASKER_RAILS_WAIT_MAX_S);
    out->next_retry_us = asked_us > failed_us ? asked_us : failed_us; /* both must be over */
    out->retry_eligible = step->retryable && tasker_attempts(step) < tasker_limit(step) &&
                          (out->next_retry_us == SW_TASKER_NULL || out->next_retry_us <= now_us);
    out->ready =
        out->retry_eligible && (step->state == SW_TASKER_PENDING || step->state == SW_TASKER_ERROR);
}

static void tasker_fill_core(const sw_tasker_step *step, int64_t now_us, sw_tasker_readiness *out)
{
    int64_t asked_us = tasker_asked_us(step);
    int64_t failed_us = tasker_failed_us(step, TASKER_CORE_WAIT_MAX_S);
    out->next_retry_us = asked_us == SW_TASKER_NULL ? failed_us : asked_us;
    out->retry_eligible = (tasker_attempts(step) == 0 ||
                           (step->retryable && tasker_attempts(step) < tasker_limit(step))) &&
                          (out->next_retry_us == SW_TASKER_NULL || out->next_retry_us <= now_us);
    out->ready = out->retry_eligible &&
                 (step->state == SW_TASKER_PENDING || step->state == SW_TASKER_WAITING_FOR_RETRY);
}

/* Parents are those of the task, not those that were asked about. */
static void tasker_fill(int rule, const sw_tasker_step *steps, const sw_tasker_step *step,
                        int64_t now_us, sw_tasker_readiness *out)
{
    *out = (sw_tasker_readiness){.total_parents = (int32_t)step->parent_count};
    for (size_t i = 0; i < step->parent_count; i++) {
        int state = steps[step->parents[i]].state;
        out->completed_parents +=
            state == SW_TASKER_COMPLETE || state == SW_TASKER_RESOLVED_MANUALLY;
    }
    out->dependencies_satisfied = out->completed_parents == out->total_parents;
    if (rule == SW_TASKER_RAILS)
        tasker_fill_rails(step, now_us, out);
    else
        tasker_fill_core(step, now_us, out);
    out->ready = out->ready && out->dependencies_satisfied && !step->processed && !step->in_process;
}

static bool tasker_within(int64_t value, int64_t most)
{
    return value == SW_TASKER_NULL || (value >= 0 && value <= most);
}

static int tasker_check(const sw_tasker_step *steps, size_t count, sw_error *err)
{
    for (size_t i = 0; i < count; i++) {
        const sw_tasker_step *step = &steps[i];
        if (step->state < 0 || step->state >= SW_TASKER_STATE_COUNT)
            return sw__fail_row(err, SW_EINVAL, i, "state %d is no state of Tasker", step->state);
        if (!tasker_within(step->attempts, INT32_MAX) ||
            !tasker_within(step->retry_limit, INT32_MAX) ||
            !tasker_within(step->backoff_request_seconds, TASKER_SECONDS_MAX) ||
            !tasker_within(step->last_attempted_us, TASKER_TIME_MAX) ||
            !tasker_within(step->failed_us, TASKER_TIME_MAX))
            return sw__fail_row(err, SW_EINVAL, i, "a number is out of range");
        for (size_t k = 0; k < step->parent_count; k++) {
            if (step->parents[k] < 0 || (size_t)step->parents[k] >= count)
                return sw__fail_row(err, SW_EINVAL, i, "parent %d is none of the %zu steps",
                                    step->parents[k], count);
        }
    }
    return SW_OK;
}

int sw_tasker_readiness_of(int rule, const sw_tasker_step *steps, size_t step_count,
                           const int32_t *asked, size_t asked_count, int64_t now_us,
                           sw_tasker_readiness *out, sw_error *err)
{
    sw__error_clear(err);
    if (rule < 0 || rule >= SW_TASKER_RULE_COUNT)
        return sw__fail(err, SW_EINVAL, "rule %d is none of Tasker's", rule);
    if ((!steps && step_count > 0) || !out)
        return sw__fail(err, SW_EINVAL, "steps or out is NULL");
    int rc = tasker_check(steps, step_count, err);
    for (size_t i = 0; rc == SW_OK && asked && i < asked_count; i++) {
        if (asked[i] < 0 || (size_t)asked[i] >= step_count)
            rc = sw__fail_row(err, SW_EINVAL, i, "step %d is none of the %zu steps", asked[i],
                              step_count);
    }
    size_t count = asked ? asked_count : step_count;
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        tasker_fill(rule, steps, &steps[asked ? (size_t)asked[i] : i], now_us, &out[i]);
    return rc;
}
