/* How long a step waits before it is tried again. Pure: the random part comes from the caller.
 *
 * Not here: whether it is tried again at all, which attempts and outcomes decide.
 */
#include "model/workflow.h"

/* number times factor, or cap when that is less. Both are at least 0. */
static int64_t delay_times(int64_t number, int64_t factor, int64_t cap)
{
    int64_t product;
    if (__builtin_mul_overflow(number, factor, &product) || product > cap)
        return cap;
    return product;
}

/* base * 2^(attempt - 1); stops doubling at the cap, so that no attempt number overflows. */
static int64_t delay_exponential(int64_t base, int32_t attempt, int64_t cap)
{
    int64_t delay = delay_times(base, 1, cap);
    for (int32_t i = 1; i < attempt && delay > 0 && delay < cap; i++)
        delay = delay_times(delay, 2, cap);
    return delay;
}

static int64_t delay_fibonacci(int64_t base, int32_t attempt, int64_t cap)
{
    int64_t previous = 0, current = 1;
    for (int32_t i = 1; i < attempt && current < cap; i++) {
        int64_t next = previous + current;
        previous = current;
        current = next;
    }
    return delay_times(base, current, cap);
}

int64_t sw__retry_delay_ms(const sw_workflow_step *step, int32_t attempt, double unit)
{
    int64_t base = step->backoff_base_ms, cap = step->backoff_max_ms, delay = 0;
    if (attempt < 1)
        attempt = 1;
    switch ((sw_backoff)step->backoff) {
    case SW_BACKOFF_LINEAR:
        delay = delay_times(base, attempt, cap);
        break;
    case SW_BACKOFF_EXPONENTIAL:
        delay = delay_exponential(base, attempt, cap);
        break;
    case SW_BACKOFF_FIBONACCI:
        delay = delay_fibonacci(base, attempt, cap);
        break;
    case SW_BACKOFF_NONE:
    case SW_BACKOFF_COUNT:
        break;
    }
    return (int64_t)((double)delay * (1 + step->backoff_jitter * (2 * unit - 1)) + 0.5);
}
