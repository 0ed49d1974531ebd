/* Plays of the rest of a run: against a slow simulation that goes from tick to tick, and against
 * closed forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "graph/forecast.h"
#include "helper/fault_env.h"

#define NODES_MOST 9

/* Ends, of which only WELL counts for every node, unless a test says otherwise. */
enum { OPEN, WELL, LOST, SKIPPED };

/* A graph of a few nodes and everything a play wants to know of it. */
typedef struct stage {
    sw__arena *arena;
    sw__graph graph;
    sw__play play;
    int32_t nodes;
    bool edge[NODES_MOST][NODES_MOST];
    int32_t rank[NODES_MOST];
    int32_t by_rank[NODES_MOST];
    int64_t us[NODES_MOST][4];
    sw__span spans[NODES_MOST];
    uint8_t state[NODES_MOST];
    uint8_t end[NODES_MOST];
    uint8_t counts[NODES_MOST];
    uint8_t loses[NODES_MOST];
    int32_t needed[NODES_MOST];
    int32_t spare[NODES_MOST];
    int64_t elapsed[NODES_MOST];
    int64_t least[NODES_MOST];
    sw__factor factors[NODES_MOST];
    uint8_t holds[NODES_MOST];
} stage;

static uint64_t random_state = 20240817;

static uint32_t random_below(uint32_t limit)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 33) % limit;
}

static void stage_open(stage *s, int32_t nodes)
{
    memset(s, 0, sizeof(*s));
    s->nodes = nodes;
    s->arena = sw__arena_new(sw_env_system());
    assert_non_null(s->arena);
    for (int32_t node = 0; node < nodes; node++) {
        s->rank[node] = s->by_rank[node] = node;
        s->us[node][0] = 1;
        s->spans[node] = (sw__span){(uint32_t)node * 4, 1};
        s->state[node] = SW__PLAY_WAITS;
        s->end[node] = WELL;
        s->counts[node] = 1 << WELL;
        s->loses[node] = 1 << LOST | 1 << SKIPPED;
        s->factors[node] = (sw__factor){node, 1};
    }
    s->play = (sw__play){.graph = &s->graph,
                         .by_rank = s->by_rank,
                         .rank = s->rank,
                         .us = s->us[0],
                         .spans = s->spans,
                         .state = s->state,
                         .end = s->end,
                         .counts = s->counts,
                         .loses = s->loses,
                         .needed = s->needed,
                         .spare = s->spare,
                         .skipped = SKIPPED,
                         .elapsed_us = s->elapsed,
                         .least_us = s->least,
                         .factors = s->factors,
                         .factor_count = nodes,
                         .holds = s->holds,
                         .workers = NODES_MOST,
                         .seed = 7};
}

static void stage_build(stage *s)
{
    int32_t from[NODES_MOST * NODES_MOST], to[NODES_MOST * NODES_MOST];
    size_t count = 0;
    for (int32_t a = 0; a < s->nodes; a++) {
        for (int32_t b = 0; b < s->nodes; b++) {
            if (s->edge[a][b]) {
                from[count] = a;
                to[count++] = b;
            }
        }
    }
    assert_int_equal(sw__graph_build(s->arena, s->nodes, from, to, count, &s->graph, NULL), 0);
    for (int32_t node = 0; node < s->nodes; node++)
        s->needed[node] = s->graph.in_start[node + 1] - s->graph.in_start[node];
}

static void stage_close(stage *s)
{
    sw__arena_free(s->arena);
}

/* The course and so many plays with random durations. */
static sw__play_answer plays_of(stage *s, int32_t count)
{
    sw__play_answer answer;
    assert_int_equal(sw__play_many(s->arena, &s->play, 1, count, &answer), 0);
    return answer;
}

static sw__play_course course_of(stage *s)
{
    return plays_of(s, 0).course;
}

/* The reference: what happens at every tick, with the first sample of each node as its time. */
typedef struct ticks {
    int64_t end[NODES_MOST]; /* -1: does not run */
    bool over[NODES_MOST];
    bool told[NODES_MOST]; /* over, or skipped: its end is known to others */
    bool skipped[NODES_MOST];
    bool failed;
    bool stopped;
    int64_t left;
} ticks;

/* How many ends of its dependencies are in a set. */
static int32_t ticks_count(const stage *s, const ticks *t, int32_t node, unsigned ends)
{
    int32_t count = 0;
    for (int32_t from = 0; from < s->nodes; from++) {
        int end = t->skipped[from] ? SKIPPED : s->end[from] & SW__END_MASK;
        count += s->edge[from][node] && t->told[from] && (ends >> end & 1);
    }
    return count;
}

static bool ticks_waits(const stage *s, const ticks *t, int32_t node)
{
    return s->state[node] == SW__PLAY_WAITS && t->end[node] < 0 && !t->skipped[node] && !t->stopped;
}

static bool ticks_ready(const stage *s, const ticks *t, int32_t node)
{
    return ticks_waits(s, t, node) && ticks_count(s, t, node, s->counts[node]) >= s->needed[node];
}

static bool ticks_free(const stage *s, const ticks *t, int32_t node)
{
    int32_t busy = 0, held[SW__PLAY_RESOURCES_MAX] = {0};
    for (int32_t other = 0; other < s->nodes; other++) {
        bool works = t->end[other] >= 0 && !t->over[other];
        busy += works;
        for (int i = 0; i < SW__PLAY_RESOURCES_MAX; i++)
            held[i] += works && (s->holds[other] >> i & 1);
    }
    for (int i = 0; i < SW__PLAY_RESOURCES_MAX; i++) {
        if ((s->holds[node] >> i & 1) && held[i] >= s->play.seats[i])
            return false;
    }
    return busy < s->play.workers;
}

/* End one node that ends now: what ends at one time ends in the order of the numbers. */
static bool ticks_end(const stage *s, ticks *t, int64_t now)
{
    for (int32_t node = 0; node < s->nodes; node++) {
        if (t->end[node] != now || t->over[node])
            continue;
        t->over[node] = t->told[node] = true;
        t->left = now;
        t->failed |= (s->end[node] & SW__END_FAILS) != 0;
        t->stopped |= (s->end[node] & SW__END_STOPS) != 0;
        return true;
    }
    return false;
}

static bool ticks_skip(const stage *s, ticks *t)
{
    bool some = false;
    for (int32_t node = 0; node < s->nodes; node++) {
        if (ticks_waits(s, t, node) && ticks_count(s, t, node, s->loses[node]) > s->spare[node])
            some = t->skipped[node] = t->told[node] = true;
    }
    return some;
}

/* Begin one node that may begin. */
static bool ticks_begin(const stage *s, ticks *t, int64_t now)
{
    for (int32_t rank = 0; rank < s->nodes; rank++) {
        int32_t node = s->by_rank[rank];
        if (ticks_ready(s, t, node) && ticks_free(s, t, node)) {
            t->end[node] = now + s->us[node][0];
            return true;
        }
    }
    return false;
}

static ticks ticks_run(const stage *s)
{
    ticks t = {0};
    for (int32_t node = 0; node < s->nodes; node++) {
        t.end[node] = -1;
        if (s->state[node] == SW__PLAY_RUNS)
            t.end[node] = s->us[node][0] - s->elapsed[node];
        t.told[node] = s->state[node] == SW__PLAY_OVER;
    }
    for (int64_t now = 0; now < 100; now++) {
        do {
            while (ticks_skip(s, &t) || ticks_end(s, &t, now))
                ;
        } while (ticks_begin(s, &t, now));
    }
    return t;
}

static void stage_random(stage *s)
{
    stage_open(s, 1 + (int32_t)random_below(NODES_MOST));
    for (int32_t a = 0; a < s->nodes; a++) {
        for (int32_t b = a + 1; b < s->nodes; b++)
            s->edge[a][b] = random_below(3) == 0;
        s->us[a][0] = 1 + random_below(5);
        if (random_below(4) == 0)
            s->end[a] = (uint8_t)(random_below(4) | (random_below(3) ? 0 : SW__END_FAILS));
        if (random_below(32) == 0)
            s->end[a] |= SW__END_STOPS;
        s->holds[a] = (uint8_t)(random_below(4) == 0 ? 1 + random_below(3) : 0);
    }
    for (int32_t i = s->nodes - 1; i > 0; i--) {
        int32_t j = (int32_t)random_below((uint32_t)i + 1), swap = s->by_rank[i];
        s->by_rank[i] = s->by_rank[j];
        s->by_rank[j] = swap;
    }
    for (int32_t i = 0; i < s->nodes; i++)
        s->rank[s->by_rank[i]] = i;
    s->play.workers = 1 + (int32_t)random_below(3);
    s->play.seats[0] = s->play.seats[1] = 1;
    stage_build(s);
    if (random_below(4) == 0)
        s->play.by_rank = s->play.rank = NULL;
    for (int32_t i = 0; i < s->nodes && !s->play.rank; i++)
        s->rank[i] = s->by_rank[i] = i;
}

/* Rules that need one, some or any end of their dependencies. */
static void stage_loosen(stage *s)
{
    for (int32_t node = 0; node < s->nodes; node++) {
        int32_t dependencies = s->needed[node];
        if (random_below(2) == 0 || dependencies == 0)
            continue;
        s->needed[node] = 1 + (int32_t)random_below((uint32_t)dependencies);
        s->spare[node] = dependencies - s->needed[node];
        if (random_below(3) == 0) {
            s->counts[node] |= 1 << LOST | 1 << SKIPPED;
            s->loses[node] = 0;
        }
    }
}

/* Some nodes at the front have ended or run already. */
static void stage_advance(stage *s)
{
    for (int32_t node = 0; node < s->nodes; node++) {
        bool front = true;
        for (int32_t from = 0; from < node; from++)
            front = front && (!s->edge[from][node] || s->state[from] == SW__PLAY_OVER);
        if (!front || random_below(2) == 0)
            continue;
        s->state[node] = random_below(2) == 0 ? SW__PLAY_OVER : SW__PLAY_RUNS;
        s->elapsed[node] = random_below((uint32_t)s->us[node][0]);
        s->holds[node] = 0;
    }
}

static void test_course_is_what_ticks_say(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        stage s;
        stage_random(&s);
        if (round % 2)
            stage_advance(&s);
        if (round % 4 > 1)
            stage_loosen(&s);
        ticks t = ticks_run(&s);
        sw__play_course course = course_of(&s);
        assert_int_equal(course.left_us, t.left);
        bool waits = false;
        for (int32_t node = 0; node < s.nodes; node++) {
            int fate = t.over[node]      ? SW__FATE_RAN
                       : t.skipped[node] ? SW__FATE_SKIPPED
                                         : SW__FATE_NEVER;
            assert_int_equal(course.fate[node], fate);
            waits |= s.state[node] != SW__PLAY_OVER && fate == SW__FATE_NEVER;
        }
        assert_int_equal(course.failed, t.failed || waits);
        int64_t sum = 0;
        for (int32_t i = 0; i < course.path_count; i++)
            sum += sw__play_left(&s.play, course.path[i], 0.5);
        assert_int_equal(sum, t.left);
        stage_close(&s);
    }
}

static void test_median_play_and_draws_agree_without_spread(void **state)
{
    (void)state;
    for (int round = 0; round < 500; round++) {
        stage s;
        stage_random(&s);
        stage_loosen(&s);
        sw__play_answer draws = plays_of(&s, 3);
        sw__play_course course = draws.course;
        for (int i = 0; i < 3; i++)
            assert_int_equal(draws.left_us[i], course.left_us);
        for (int32_t i = 0; i < course.path_count; i++)
            assert_int_equal(draws.decides[course.path[i]], 3);
        stage_close(&s);
    }
}

/* A chain of nodes that take 1 or 3: the mean is 2 each, the variance 1 each. */
static void test_chain_has_the_mean_of_its_parts(void **state)
{
    (void)state;
    stage s;
    double sum = 0, squares = 0;
    stage_open(&s, NODES_MOST);
    for (int32_t node = 0; node < s.nodes; node++) {
        s.us[node][1] = 3;
        s.spans[node].count = 2;
        if (node > 0)
            s.edge[node - 1][node] = true;
    }
    stage_build(&s);
    sw__play_answer draws = plays_of(&s, 20000);
    for (int i = 0; i < 20000; i++) {
        sum += (double)draws.left_us[i];
        squares += (double)(draws.left_us[i] * draws.left_us[i]);
        assert_true((double)draws.left_us[i] == draws.work_us[i]);
    }
    double mean = sum / 20000, variance = squares / 20000 - mean * mean;
    assert_true(fabs(mean - 2 * NODES_MOST) < 0.1);
    assert_true(fabs(variance - NODES_MOST) < 0.4);
    for (int32_t node = 0; node < s.nodes; node++)
        assert_int_equal(draws.decides[node], 20000);
    stage_close(&s);
}

/* Of three nodes side by side, all take 1 with probability 1/8. */
static void test_maximum_of_independent_nodes(void **state)
{
    (void)state;
    stage s;
    int short_ones = 0;
    stage_open(&s, 3);
    for (int32_t node = 0; node < s.nodes; node++) {
        s.us[node][1] = 3;
        s.spans[node].count = 2;
    }
    stage_build(&s);
    sw__play_answer draws = plays_of(&s, 20000);
    for (int i = 0; i < 20000; i++)
        short_ones += draws.left_us[i] == 1;
    assert_true(abs(short_ones - 2500) < 200);
    stage_close(&s);
}

static void test_plays_repeat(void **state)
{
    (void)state;
    stage s;
    bool differs = false;
    stage_open(&s, 3);
    s.us[0][1] = 10;
    s.spans[0].count = 2;
    stage_build(&s);
    sw__play_answer first = plays_of(&s, 50), second = plays_of(&s, 50);
    s.play.seed++;
    sw__play_answer other = plays_of(&s, 50);
    assert_memory_equal(first.left_us, second.left_us, 50 * sizeof(int64_t));
    for (int i = 0; i < 50; i++)
        differs |= first.left_us[i] != other.left_us[i];
    assert_true(differs);
    stage_close(&s);
}

/* What was changed in one node leaves the times of all others as they were, played apart or
 * together. */
static void test_changed_plays_use_the_same_numbers(void **state)
{
    (void)state;
    stage s;
    const sw__factor factor = {0, 2};
    uint8_t over[] = {SW__PLAY_OVER, SW__PLAY_WAITS};
    sw__play_answer answers[3];
    stage_open(&s, 2);
    s.edge[0][1] = true;
    for (int32_t node = 0; node < 2; node++) {
        s.us[node][1] = 9;
        s.spans[node].count = 2;
    }
    stage_build(&s);
    sw__play plays[] = {s.play, s.play, s.play};
    plays[1].factors = &factor;
    plays[1].factor_count = 1;
    plays[2].state = over;
    assert_int_equal(sw__play_many(s.arena, plays, 3, 50, answers), 0);
    for (int i = 0; i < 50; i++) {
        int64_t first = answers[0].left_us[i] - answers[2].left_us[i];
        assert_true(first == 1 || first == 9);
        assert_int_equal(answers[1].left_us[i] - answers[0].left_us[i], first);
    }
    s.play = plays[1];
    assert_memory_equal(plays_of(&s, 50).left_us, answers[1].left_us, 50 * sizeof(int64_t));
    stage_close(&s);
}

/* Another case of a stage: nodes that end otherwise, one that takes longer, one that is over. */
static void stage_change(const stage *s, uint8_t *state, uint8_t *end, sw__factor *factor,
                         sw__play *play)
{
    static const uint8_t ends[] = {WELL, LOST, SKIPPED};
    *play = s->play;
    memcpy(end, s->end, sizeof(s->end));
    memcpy(state, s->state, sizeof(s->state));
    *factor = (sw__factor){(int32_t)random_below((uint32_t)s->nodes), 3};
    play->factors = factor;
    play->factor_count = (int32_t)random_below(2);
    for (int32_t node = 0; node < s->nodes && random_below(3) > 0; node++) {
        if (s->state[node] != SW__PLAY_OVER)
            end[node] = ends[random_below(3)];
        play->end = end;
    }
    if (random_below(2) == 0 || s->state[factor->node] == SW__PLAY_OVER)
        return;
    state[factor->node] = SW__PLAY_OVER;
    play->state = state;
    play->end = end;
}

/* Where every end counts for every node, what can be spared does not matter. */
static void stage_spare(const stage *s, sw__play *play)
{
    bool all_count = true;
    for (int32_t node = 0; node < s->nodes; node++) {
        for (int32_t to = 0; to < s->nodes; to++)
            all_count = all_count && (s->counts[to] >> (play->end[node] & SW__END_MASK) & 1);
    }
    play->spare = all_count ? NULL : s->spare;
}

static void assert_same_answer(const stage *s, const sw__play_answer *a, const sw__play_answer *b,
                               int32_t count)
{
    size_t nodes = (size_t)s->nodes;
    assert_memory_equal(a->left_us, b->left_us, (size_t)count * sizeof(int64_t));
    assert_memory_equal(a->work_us, b->work_us, (size_t)count * sizeof(double));
    assert_memory_equal(a->decides, b->decides, nodes * sizeof(int32_t));
    assert_memory_equal(a->course.fate, b->course.fate, nodes);
    assert_int_equal(a->course.left_us, b->course.left_us);
    assert_int_equal(a->course.failed, b->course.failed);
    assert_int_equal(a->course.path_count, b->course.path_count);
    assert_memory_equal(a->course.path, b->course.path, (size_t)a->course.path_count * 4);
}

static void test_cases_played_together_are_as_played_apart(void **state)
{
    (void)state;
    for (int round = 0; round < 20000; round++) {
        stage s;
        uint8_t states[2][NODES_MOST], ends[2][NODES_MOST];
        sw__factor factors[2];
        sw__play plays[3];
        sw__play_answer together[3];
        stage_random(&s);
        if (round % 3 == 0)
            memset(s.end, WELL, sizeof(s.end));
        if (round % 2)
            stage_advance(&s);
        if (round % 4 > 1)
            stage_loosen(&s);
        for (int32_t node = 0; node < s.nodes && round % 8 > 3; node++) {
            s.us[node][1] = s.us[node][0] + 7;
            s.spans[node].count = 1 + (int32_t)random_below(2);
        }
        plays[0] = s.play;
        for (int i = 1; i < 3; i++)
            stage_change(&s, states[i - 1], ends[i - 1], &factors[i - 1], &plays[i]);
        for (int i = 0; i < 3; i++)
            stage_spare(&s, &plays[i]);
        assert_int_equal(sw__play_many(s.arena, plays, 3, 4, together), 0);
        for (int i = 0; i < 3; i++) {
            s.play = plays[i];
            s.play.spare = s.spare;
            sw__play_answer apart = plays_of(&s, 4);
            assert_same_answer(&s, &together[i], &apart, 4);
        }
        stage_close(&s);
    }
}

static void test_running_node_takes_longer_than_it_has(void **state)
{
    (void)state;
    stage s;
    stage_open(&s, 1);
    stage_build(&s);
    memcpy(s.us[0], (int64_t[]){2, 4, 8, 10}, sizeof(s.us[0]));
    s.spans[0].count = 4;
    s.state[0] = SW__PLAY_RUNS;
    s.elapsed[0] = 4;
    assert_false(sw__play_overdue(&s.play, 0));
    assert_int_equal(sw__play_left(&s.play, 0, 0.5), 4);
    assert_int_equal(sw__play_left(&s.play, 0, 0.51), 6);
    s.factors[0].factor = 2;
    assert_int_equal(sw__play_left(&s.play, 0, 0), 4);
    s.factors[0].factor = 1;
    s.elapsed[0] = 10;
    assert_true(sw__play_overdue(&s.play, 0));
    assert_int_equal(sw__play_left(&s.play, 0, 0.5), 5);
    s.least[0] = 7;
    assert_int_equal(sw__play_left(&s.play, 0, 0.5), 7);
    stage_close(&s);
}

static void test_samples_by_nearest_rank(void **state)
{
    (void)state;
    const int64_t us[] = {1, 2, 3, 4};
    sw__samples samples = {us, 4};
    const double shares[] = {0, 0.1, 0.25, 0.26, 0.5, 0.51, 0.75, 0.95, 1};
    const int64_t expected[] = {1, 1, 1, 2, 2, 3, 3, 4, 4};
    for (int i = 0; i < 9; i++)
        assert_int_equal(sw__samples_at(&samples, shares[i]), expected[i]);
}

static void test_times_beyond_64_bits_stay_at_the_end(void **state)
{
    (void)state;
    stage s;
    stage_open(&s, NODES_MOST);
    for (int32_t node = 0; node < s.nodes; node++) {
        s.us[node][0] = INT64_MAX;
        s.factors[node].factor = 1e6;
        if (node > 0)
            s.edge[node - 1][node] = true;
    }
    stage_build(&s);
    assert_true(course_of(&s).left_us == INT64_MAX);
    stage_close(&s);
}

static void test_nothing_to_play(void **state)
{
    (void)state;
    stage s;
    stage_open(&s, 2);
    stage_build(&s);
    s.state[0] = s.state[1] = SW__PLAY_OVER;
    s.end[1] = LOST;
    sw__play_answer draws = plays_of(&s, 2);
    assert_int_equal(draws.course.left_us, 0);
    assert_int_equal(draws.course.path_count, 0);
    assert_false(draws.course.failed);
    assert_int_equal(draws.left_us[1], 0);
    stage_close(&s);
}

static int play_with(const sw_env *env, void *context)
{
    const stage *s = context;
    sw__play_answer answer;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    int rc = sw__play_many(arena, &s->play, 1, 2000, &answer);
    sw__arena_free(arena);
    return rc;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    stage s;
    fault_env fault;
    fault_env_init(&fault);
    stage_open(&s, 3);
    stage_build(&s);
    assert_true(fault_env_each(&fault, play_with, &s) > 1);
    stage_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_course_is_what_ticks_say),
        cmocka_unit_test(test_median_play_and_draws_agree_without_spread),
        cmocka_unit_test(test_chain_has_the_mean_of_its_parts),
        cmocka_unit_test(test_maximum_of_independent_nodes),
        cmocka_unit_test(test_plays_repeat),
        cmocka_unit_test(test_changed_plays_use_the_same_numbers),
        cmocka_unit_test(test_cases_played_together_are_as_played_apart),
        cmocka_unit_test(test_running_node_takes_longer_than_it_has),
        cmocka_unit_test(test_samples_by_nearest_rank),
        cmocka_unit_test(test_times_beyond_64_bits_stay_at_the_end),
        cmocka_unit_test(test_nothing_to_play),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
