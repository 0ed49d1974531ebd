/* How long nodes take in a play: from the durations that were seen, and by chance. Not here: the
 * plays (forecast.c).
 */
#include "graph/forecast.h"

#define PLAY_US_MAX (INT64_MAX / 4)

/* No branch: whether a random place is above 0 is hard to guess. */
static int32_t sample_place(int32_t count, double share)
{
    double exact = share * (double)count;
    int32_t place = (int32_t)exact;
    place -= (place > 0) & ((double)place == exact);
    return place < count ? place : count - 1;
}

int64_t sw__samples_at(const sw__samples *samples, double share)
{
    return samples->us[sample_place(samples->count, share)];
}

static int64_t sample_scaled(int64_t us, double factor)
{
    if (factor == 1)
        return us < PLAY_US_MAX ? us : PLAY_US_MAX;
    double scaled = (double)us * factor;
    return scaled < (double)PLAY_US_MAX ? (int64_t)scaled : PLAY_US_MAX;
}

static double play_factor_find(const sw__play *play, int32_t node)
{
    int32_t low = 0, high = play->factor_count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (play->factors[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low < play->factor_count && play->factors[low].node == node ? play->factors[low].factor
                                                                       : 1;
}

double sw__play_factor(const sw__play *play, int32_t node)
{
    return play->factor_count > 0 ? play_factor_find(play, node) : 1;
}

/* How many samples are no longer than the node has been running. */
static int32_t samples_outlasted(const sw__play *play, int32_t node)
{
    sw__samples samples = sw__spans_at(play->spans, play->us, (size_t)node);
    double factor = sw__play_factor(play, node);
    int32_t low = 0, high = samples.count;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        if (sample_scaled(samples.us[middle], factor) > play->elapsed_us[node])
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool sw__play_overdue(const sw__play *play, int32_t node)
{
    return play->state[node] == SW__PLAY_RUNS &&
           samples_outlasted(play, node) == play->spans[node].count;
}

static int64_t play_left_running(const sw__play *play, int32_t node, double share)
{
    sw__samples samples = sw__spans_at(play->spans, play->us, (size_t)node);
    int32_t outlasted = samples_outlasted(play, node);
    sw__samples longer = {samples.us + outlasted, samples.count - outlasted};
    int64_t elapsed = play->elapsed_us[node];
    int64_t left =
        longer.count > 0
            ? sample_scaled(sw__samples_at(&longer, share), sw__play_factor(play, node)) - elapsed
            : sample_scaled(elapsed, share);
    return left > play->least_us[node] ? left : play->least_us[node];
}

int64_t sw__play_left(const sw__play *play, int32_t node, double share)
{
    if (play->state[node] == SW__PLAY_RUNS)
        return play_left_running(play, node, share);
    sw__samples samples = sw__spans_at(play->spans, play->us, (size_t)node);
    return sample_scaled(sw__samples_at(&samples, share), sw__play_factor(play, node));
}

bool sw__play_varies(const sw__play *play, int32_t node)
{
    return play->state[node] == SW__PLAY_RUNS ||
           (play->state[node] == SW__PLAY_WAITS && play->spans[node].count > 1);
}

/* Uniform in [0, 1): the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over a counter. */
static double play_random(uint64_t seed, int32_t number, int32_t node)
{
    uint64_t z = seed + ((uint64_t)(uint32_t)number << 32 | (uint32_t)node) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-53;
}

int64_t sw__play_draw(const sw__play *play, int32_t node, int32_t number)
{
    return sw__play_left(play, node, play_random(play->seed, number, node));
}

void sw__play_left_all(const sw__play *play, double share, int64_t *left_us)
{
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (play->state[node] != SW__PLAY_OVER)
            left_us[node] = sw__play_left(play, node, share);
    }
}

void sw__play_draw_all(const sw__play *play, int32_t number, int64_t *left_us)
{
    for (int32_t node = 0; node < play->graph->node_count; node++) {
        if (sw__play_varies(play, node))
            left_us[node] = sw__play_draw(play, node, number);
    }
}
