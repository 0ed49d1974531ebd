/* One schedule; see run.h. */
#include "sim/run.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine.h"
#include "sim/image.h"
#include "sim/oracle.h"
#include "sim/probe.h"
#include "sim/wrap.h"
#include "store/sqlite.h"

#define RUN_FAULTY_SLICES_MAX 20 /* five seconds: more of them find no more for their time */
#define RUN_FAULTY_SLICE_US 250000
#define RUN_SLICE_US 400000
#define RUN_LOOKS 4        /* in a slice: to go on with nothing left to do finds nothing */
#define RUN_SLICES_MAX 600 /* steps that kill their workers wait out a lease each time */
#define RUN_MAKES 18       /* one run in so many makes its database */
#define RUN_THREADS_MAX 6
#define RUN_POINTS_FAULTY 10000
#define RUN_POINTS_HEALED 400000

static world *run_world;
static disk *run_disk;

/* Of the schedule that is run. Images of processes point into both. */
static world run_w;
static ledger run_l;

static disk_bytes run_empty; /* a database that was made and never used */

static void run_begin(uint64_t seed)
{
    world_init(&run_w, seed);
    ledger_init(&run_l, &run_w);
    run_world = &run_w;
    run_disk = &run_l.disk;
    run_w.ledger = &run_l;
}

static void run_end(void)
{
    world_free(&run_w);
    ledger_free(&run_l);
}

static void run_make_empty(void)
{
    run_begin(0);
    sw_engine *engine = oracle_make(&run_l);
    if (engine)
        sw_engine_close(engine);
    const disk_bytes *made = disk_content(&run_l.disk, DISK_DATABASE);
    run_empty.ptr = made ? malloc(made->size) : NULL;
    if (!run_empty.ptr)
        abort();
    memcpy(run_empty.ptr, made->ptr, made->size);
    run_empty.size = made->size;
    run_end();
}

/* Images are of processes that opened an empty database, with the bug that is planted. */
static void run_take_images(void)
{
    if (image_is_made())
        return;
    run_begin(0);
    disk_put(&run_l.disk, &run_empty);
    image_make_all(&run_l);
    run_end();
}

/* Every schedule needs what the one before gave back: memory stays in the process. */
void run_install(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 25);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    heap_install(&run_world);
    disk_install(&run_disk);
    wrap_install(&run_world);
    run_make_empty();
}

/* What a killed process holds below the engine: libcrypto's memory, and the note of its
 * connection that guards forks. */
static void run_give_up(const process *dead)
{
    if (dead->engine)
        sw__hasher_free(dead->engine->hasher);
    sw__sqlite_opened_reset();
}

static void run_on_death(world *w, process *dead)
{
    ledger *l = w->ledger;
    if (dead) {
        run_give_up(dead);
        disk_release(&l->disk, dead);
        return;
    }
    l->worker_ids_booted = l->worker_ids_max;
    disk_lose_power(&l->disk);
    oracle_check(l);
}

/* Rates are drawn per run, and each fault is off in half of the runs: rare combinations need runs
 * in which the common faults keep quiet. In calm runs all do: whoever misses what he waits for is
 * not woken by what a fault brings about. */
static void run_draw_rates(world *w)
{
    static const uint32_t most[WORLD_FAULT_COUNT] = {
        [WORLD_KILL] = 95,         [WORLD_POWER] = 62,  [WORLD_EIO] = 160,
        [WORLD_EIO_FOR_EVER] = 30, [WORLD_FULL] = 120,  [WORLD_NO_MEMORY] = 9000,
        [WORLD_WALL_JUMP] = 60,    [WORLD_BUSY] = 1000,
    };
    static const uint32_t switches[] = {400, 3000, 12000, 30000};
    w->calm = choice_once_in(&w->choice, CHOICE_WORKLOAD, 5);
    for (int fault = 0; fault < WORLD_FAULT_COUNT; fault++) {
        bool on = !w->calm && choice_draw(&w->choice, CHOICE_WORKLOAD, 2) == 1;
        w->rates[fault] = on ? choice_draw(&w->choice, CHOICE_WORKLOAD, most[fault] + 1) : 0;
    }
    w->rates[WORLD_FAULT_COUNT] = switches[choice_draw(&w->choice, CHOICE_WORKLOAD, 4)];
    w->weights = choice_weights_of(w->rates, WORLD_FAULT_COUNT + 1);
}

/* Whether an operator may still take up what has ended. */
static bool run_goes_on(const world *w, const ledger *l)
{
    for (int i = 0; i < w->actor_count && l->by_hand; i++) {
        if (w->actors[i].body == actor_operate && !w->actors[i].finished)
            return true;
    }
    return false;
}

/* Faults, as long as there is something to disturb. */
static void run_disturb(world *w, const ledger *l)
{
    uint32_t slices = 1 + choice_draw(&w->choice, CHOICE_WORKLOAD, RUN_FAULTY_SLICES_MAX);
    for (uint32_t i = 0; i < slices && !w->violation[0]; i++) {
        if (ledger_all_known(l) && !run_goes_on(w, l))
            return;
        world_run(w, w->now_us + RUN_FAULTY_SLICE_US, RUN_POINTS_FAULTY);
    }
}

static void run_heal(world *w)
{
    world_note(w, "heal");
    w->healed = true;
    w->full_until_us = 0;
    for (int i = 0; i < w->process_count; i++) {
        w->processes[i].disk_bad = false;
        w->processes[i].heap.fail_in = 0;
        w->processes[i].heap.fail_for_ever = false;
    }
}

/* Asking whether everything has ended changes nothing for those who are asked about. */
static bool run_ask(world *w, ledger *l, sw_engine **engine)
{
    int64_t asked_us = w->now_us;
    if (!*engine)
        *engine = oracle_open(l);
    bool ended = *engine && oracle_all_ended(l, *engine);
    if (w->now_us != asked_us)
        world_violate(w, "ASKED", "the oracle takes %lld us of the actors' time",
                      (long long)(w->now_us - asked_us));
    return ended;
}

static bool run_is_operated(const world *w)
{
    for (int i = 0; i < w->actor_count; i++) {
        if (w->actors[i].operates)
            return true;
    }
    return false;
}

/* Whether somebody waits for a task: for how long is part of the answer. */
static bool run_is_watched(const world *w)
{
    for (int i = 0; i < w->actor_count; i++) {
        if (w->actors[i].alive && w->actors[i].watches)
            return true;
    }
    return false;
}

static void run_converge(world *w, ledger *l)
{
    sw_engine *engine = NULL;
    bool ended = false;
    for (int look = 1; look <= RUN_SLICES_MAX * RUN_LOOKS && !ended && !w->violation[0]; look++) {
        world_run(w, w->now_us + RUN_SLICE_US / RUN_LOOKS, RUN_POINTS_HEALED);
        bool asks = look % RUN_LOOKS == 0;
        ended = !run_is_operated(w) && (ledger_all_known(l) || (asks && run_ask(w, l, &engine)));
    }
    if (ended && run_is_watched(w))
        world_run(w, w->now_us + RUN_SLICE_US, RUN_POINTS_HEALED);
    if (engine)
        oracle_close(l, engine);
    if (!ended)
        world_violate(w, "LIVE", "not everything has ended long after the last fault");
}

static void run_finish(world *w, ledger *l)
{
    l->stop = true;
    for (int slice = 0; slice < RUN_SLICES_MAX && !w->violation[0]; slice++) {
        wrap_wake_waiting(w);
        if (world_run(w, w->now_us + RUN_SLICE_US, RUN_POINTS_HEALED))
            return;
    }
    world_violate(w, "LIVE", "an actor does not end");
}

static void run_phases(world *w, ledger *l)
{
    run_disturb(w, l);
    run_heal(w);
    if (!w->violation[0])
        run_converge(w, l);
    if (!w->violation[0])
        run_finish(w, l);
    if (!w->violation[0])
        oracle_check(l);
}

/* Who shares a process. */
typedef enum run_homes {
    HOMES_ANY,
    HOMES_ONE,
    HOMES_APART /* nobody: what one does, the others hear of from the database or by the bell */
} run_homes;

/* Of any homes, in two of three cases with others in a process that is there, else alone. */
static process *run_draw_home(world *w, run_homes homes)
{
    if (w->process_count == 0 || homes == HOMES_APART)
        return world_add_process(w);
    if (homes == HOMES_ONE)
        return &w->processes[0];
    if (choice_draw(&w->choice, CHOICE_WORKLOAD, 3) == 0)
        return world_add_process(w);
    return &w->processes[choice_draw(&w->choice, CHOICE_WORKLOAD, (uint32_t)w->process_count)];
}

/* Mostly one: three take two thirds longer, and find no more in a schedule. */
static int run_draw_workers(world *w)
{
    static const int crews[] = {1, 1, 1, 1, 1, 2, 2, 2, LEDGER_CREW};
    int workers = crews[choice_draw(&w->choice, CHOICE_WORKLOAD, sizeof crews / sizeof *crews)];
    return w->calm && workers > 2 ? 2 : workers;
}

static void run_populate(world *w, ledger *l)
{
    int workers = run_draw_workers(w);
    static const run_homes drawn[] = {HOMES_ANY, HOMES_ANY, HOMES_ANY, HOMES_ONE, HOMES_APART};
    run_homes homes = drawn[choice_draw(&w->choice, CHOICE_WORKLOAD, 5)];
    homes = w->calm && homes == HOMES_ANY ? HOMES_APART : homes;
    world_add(w, run_draw_home(w, homes), "submitter", actor_submit, 0);
    for (int i = 0; i < workers; i++)
        world_add(w, run_draw_home(w, homes), "worker", actor_work, i);
    /* With an operator a schedule takes a third more, and finds twice as much of what is rare. */
    l->has_operator = choice_draw(&w->choice, CHOICE_WORKLOAD, 3) > 0;
    if (l->has_operator)
        world_add(w, run_draw_home(w, homes), "operator", actor_operate, 0);
    if (choice_draw(&w->choice, CHOICE_WORKLOAD, 2))
        world_add(w, run_draw_home(w, homes), "reader", actor_ask, 0);
}

/* Threads stand still for each other, and how late they may hear of a thing (LEDGER_LATE_US) is
 * known for so many of them in one process. */
static process *run_draw_room(world *w)
{
    int threads = 0;
    process *home = run_draw_home(w, HOMES_ANY);
    for (int i = 0; i < w->actor_count; i++)
        threads += w->actors[i].process == home;
    return threads < RUN_THREADS_MAX ? home : world_add_process(w);
}

/* Events, in a third of the runs. */
static void run_populate_stream(world *w, ledger *l)
{
    stream_draw(&l->stream, &w->choice);
    for (int i = 0; i < l->stream.appenders; i++)
        world_add(w, run_draw_room(w), "appender", actor_append, i);
    for (int i = 0; i < l->stream.folders; i++)
        world_add(w, run_draw_room(w), "folder", actor_fold, i);
}

static void run_draw_machine(world *w)
{
    w->has_signs = choice_draw(&w->choice, CHOICE_WORKLOAD, 2);
    w->has_bell = choice_draw(&w->choice, CHOICE_WORKLOAD, 2);
    w->bell_fails = w->has_bell && choice_draw(&w->choice, CHOICE_WORKLOAD, 2);
}

/* Mostly the database is there; in some runs its makers race. */
static void run_draw_database(world *w, ledger *l)
{
    l->alike = !choice_once_in(&w->choice, CHOICE_WORKLOAD, RUN_MAKES);
    if (l->alike)
        disk_put(&l->disk, &run_empty);
    else
        probe_hit(SIM_CREATION);
}

static void run_fill(run_result *out, world *w, const ledger *l)
{
    memset(out, 0, sizeof *out);
    memcpy(out->violation, w->violation, sizeof out->violation);
    memcpy(out->faults, w->faults, sizeof out->faults);
    out->unseed = choice_unseed(&w->choice);
    out->points = w->points;
    for (int i = 0; i < w->process_count; i++)
        out->lives += (uint64_t)w->processes[i].life;
    out->acknowledged = l->acknowledged;
    out->fenced = l->fenced;
    out->checks = l->checks;
    out->drawn = w->choice.drawn;
    w->choice.drawn = (choice_list){0};
}

void run_schedule(uint64_t seed, const choice_list *recorded, bool trace, run_result *out)
{
    world *w = &run_w;
    ledger *l = &run_l;
    run_take_images();
    run_begin(seed);
    if (recorded)
        choice_replay(&w->choice, recorded);
    w->trace = trace;
    w->on_death = run_on_death;
    run_draw_rates(w);
    run_populate(w, l);
    run_populate_stream(w, l);
    run_draw_machine(w);
    run_draw_database(w, l);
    ledger_draw(l);
    run_phases(w, l);
    run_fill(out, w, l);
    for (int i = 0; i < w->process_count; i++)
        run_give_up(&w->processes[i]);
    sw__sqlite_opened_reset();
    run_end();
}
