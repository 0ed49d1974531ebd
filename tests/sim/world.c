/* Actors, the clock, and what a point brings; see world.h. What a process sees is in process.c. */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/probe.h"

#define WORLD_POINT_US 10
#define WORLD_JUMP_US (INT64_C(10) * 365 * 86400 * 1000000)
#define WORLD_FULL_US 200000
#define WORLD_RESTART_US 50000
#define WORLD_POINTS_MAX 8000000 /* of one schedule; beyond, something turns in a circle */

/* So often in one schedule, where it is not any number: after that many, one more finds little that
 * the others have not, and each has processes begin anew, or the oracle look at everything. */
static const uint64_t world_most[WORLD_FAULT_COUNT] = {[WORLD_KILL] = 8, [WORLD_POWER] = 6};

const char *world_fault_name(int fault)
{
    static const char *const names[] = {
#define WORLD_FAULT_NAME(name, text) text,
        WORLD_FAULT_MAP(WORLD_FAULT_NAME)
#undef WORLD_FAULT_NAME
    };
    return fault >= 0 && fault < WORLD_FAULT_COUNT ? names[fault] : "none";
}

void world_note(world *w, const char *format, ...)
{
    if (!w->trace)
        return;
    va_list arguments;
    va_start(arguments, format);
    printf("%10.3f ms  %-9s %d  ", (double)w->now_us / 1e3, w->current ? w->current->role : "world",
           w->current ? w->current->number : 0);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
}

void world_violate(world *w, const char *rule, const char *format, ...)
{
    char text[900];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    world_note(w, "VIOLATION %s: %s", rule, text);
    if (!w->violation[0])
        snprintf(w->violation, sizeof w->violation, "%s: %s", rule, text);
}

_Static_assert(WORLD_ACTORS_MAX < CHOICE_DRAWERS_MAX, "every actor draws, and the harness");

/* The world. */

static void world_boot(world *w)
{
    for (size_t i = 0; i < sizeof w->boot_id; i++)
        w->boot_id[i] = (uint8_t)choice_noise(&w->noise);
    w->boot_started_us = w->now_us;
    w->boots++;
}

void world_init(world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    choice_seed(&w->choice, seed);
    w->noise = 42;
    w->now_us = 1000;
    world_boot(w);
}

void world_free(world *w)
{
    for (int i = 0; i < w->process_count; i++)
        heap_drop(&w->processes[i].heap);
    choice_free(&w->choice);
}

process *world_add_process(world *w)
{
    process *added = &w->processes[w->process_count++];
    process_init(added, w);
    return added;
}

actor *world_add(world *w, process *home, const char *role, void (*body)(actor *), int number)
{
    actor *self = &w->actors[w->actor_count];
    self->world = w;
    self->process = home;
    self->index = w->actor_count++;
    self->role = role;
    self->body = body;
    self->number = number;
    return self;
}

/* Scheduling. */

static void actor_main(void *argument)
{
    actor *self = argument;
    self->body(self);
    self->finished = true;
    self->alive = false;
    self->process->threads--;
    coroutine_leave(&self->routine);
}

static void process_start(process *self)
{
    self->disk_bad = false;
    self->life++;
}

static void world_start(world *w, actor *self)
{
    coroutine_start(&self->routine, self->index, actor_main, self);
    if (self->process->threads++ == 0)
        process_start(self->process);
    self->alive = true;
    self->waiting = false;
    self->watches = false;
    self->operates = false;
    self->blocked_on = NULL;
    w->current = self;
    world_note(w, "starts in process %d, life %d", (int)(self->process - w->processes),
               self->process->life);
}

static void actor_bury(actor *dead)
{
    dead->alive = false;
    dead->operates = false;
    dead->blocked_on = NULL;
    dead->listens = 0;
    dead->engine = NULL;
    dead->wake_us = dead->world->now_us + WORLD_RESTART_US;
}

static void world_bury(world *w, process *dead)
{
    w->current = NULL;
    w->rings_lost += dead->threads > 0;
    for (int i = 0; i < w->actor_count; i++) {
        if (w->actors[i].process == dead && !w->actors[i].finished)
            actor_bury(&w->actors[i]);
    }
    if (w->on_death)
        w->on_death(w, dead);
    dead->engine = NULL;
    dead->ready = NULL;
    dead->threads = 0;
    dead->users = 0;
    dead->changing = false;
    heap_drop(&dead->heap);
}

static void world_lose_power(world *w)
{
    w->power_lost = true;
    for (int i = 0; i < w->process_count; i++)
        world_bury(w, &w->processes[i]);
    world_boot(w);
    if (w->on_death)
        w->on_death(w, NULL);
    w->power_lost = false;
}

void world_die(world *w)
{
    actor *self = w->current;
    world_note(w, "dies");
    self->alive = false;
    coroutine_leave(&self->routine);
    abort();
}

void world_sleep(world *w, int64_t us)
{
    if (!w->current) {
        w->harness_us += us;
        return;
    }
    w->current->wake_us = w->now_us + us;
    coroutine_leave(&w->current->routine);
}

void world_block(world *w, const void *on, int64_t until_us)
{
    actor *self = w->current;
    self->blocked_on = on;
    self->wake_us = until_us;
    coroutine_leave(&self->routine);
    self->blocked_on = NULL;
}

void world_release(world *w, const void *blocked_on)
{
    for (int i = 0; i < w->actor_count; i++) {
        actor *self = &w->actors[i];
        if (self->blocked_on == blocked_on && self->wake_us > w->now_us)
            self->wake_us = w->now_us;
    }
}

void world_wait(world *w, const void *on, int64_t until_us)
{
    actor *self = w->current;
    self->waiting = true;
    world_block(w, on, until_us > w->now_us ? until_us : w->now_us);
    self->waiting = false;
    self->woke_us = w->now_us;
}

/* The next actor: any that could run now, else the one that wakes first. */
static actor *world_pick(world *w)
{
    actor *ready[WORLD_ACTORS_MAX];
    actor *first = NULL;
    uint32_t count = 0;
    for (int i = 0; i < w->actor_count; i++) {
        actor *self = &w->actors[i];
        if (self->finished)
            continue;
        if (self->wake_us <= w->now_us)
            ready[count++] = self;
        if (!first || self->wake_us < first->wake_us)
            first = self;
    }
    if (count > 0)
        return ready[count > 1 ? choice_draw(&w->choice, CHOICE_SWITCH, count) : 0];
    if (first && first->wake_us == WORLD_NEVER_US) {
        world_violate(w, "LIVE", "every actor waits for another one");
        return NULL;
    }
    if (first)
        w->now_us = first->wake_us;
    return first;
}

static void world_enter(world *w, actor *next)
{
    w->current = next;
    w->choice.drawer = 1 + next->index;
    coroutine_enter(&next->routine);
    w->choice.drawer = 0;
    w->current = NULL;
}

bool world_run(world *w, int64_t until_us, uint64_t points_max)
{
    uint64_t points_end = w->points + points_max;
    while (!w->violation[0]) {
        actor *next = world_pick(w);
        if (!next)
            return true;
        if (w->now_us > until_us || w->points > points_end)
            return false;
        if (!next->alive)
            world_start(w, next);
        world_enter(w, next);
        if (w->power_lost)
            world_lose_power(w);
        else if (!next->alive && !next->finished)
            world_bury(w, next->process);
    }
    return true;
}

/* Points. */

static void world_jump(world *w)
{
    bool ahead = choice_draw(&w->choice, CHOICE_DETAIL, 2);
    w->wall_offset_us += ahead ? WORLD_JUMP_US : -WORLD_JUMP_US;
}

static void world_probe(const world *w, int fault, const char *place)
{
    bool checkpoint = strcmp(place, WORLD_CHECKPOINT) == 0;
    bool error = fault == WORLD_EIO || fault == WORLD_EIO_FOR_EVER || fault == WORLD_FULL;
    if (fault == WORLD_POWER && strcmp(place, "sync") == 0)
        probe_hit(SIM_POWER_IN_SYNC);
    if (fault == WORLD_POWER && checkpoint)
        probe_hit(SIM_POWER_IN_CHECKPOINT);
    if (fault == WORLD_KILL && checkpoint)
        probe_hit(SIM_KILL_IN_CHECKPOINT);
    if (fault == WORLD_KILL && !w->current->process->engine)
        probe_hit(SIM_KILL_IN_OPEN);
    if (error && checkpoint)
        probe_hit(SIM_ERROR_IN_CHECKPOINT);
}

static int world_strike(world *w, int fault, const char *place)
{
    if (++w->faults[fault] == world_most[fault])
        w->spent |= 1u << fault;
    world_probe(w, fault, place);
    world_note(w, "%s at %s", world_fault_name(fault), place);
    switch (fault) {
    case WORLD_POWER:
        w->power_lost = true;
        world_die(w);
        return -1;
    case WORLD_KILL:
        world_die(w);
        return -1;
    case WORLD_EIO_FOR_EVER:
        w->current->process->disk_bad = true;
        return fault;
    case WORLD_FULL:
        w->full_until_us = w->now_us + WORLD_FULL_US;
        return fault;
    case WORLD_NO_MEMORY:
        w->current->process->heap.fail_in = 1 + choice_draw(&w->choice, CHOICE_DETAIL, 200);
        w->current->process->heap.fail_for_ever = choice_once_in(&w->choice, CHOICE_DETAIL, 4);
        return -1;
    case WORLD_WALL_JUMP:
        world_jump(w);
        return -1;
    default:
        return fault;
    }
}

int world_point(world *w, uint32_t may, const char *place)
{
    if (!w->current)
        return -1;
    w->points++;
    w->now_us += WORLD_POINT_US;
    if (w->points > WORLD_POINTS_MAX) {
        world_violate(w, "LIVE", "the actors turn in a circle");
        coroutine_leave(&w->current->routine);
    }
    uint32_t allowed = 1u << WORLD_FAULT_COUNT | (w->healed ? 0 : may & ~w->spent);
    uint32_t drawn = choice_weigh(&w->choice, CHOICE_EVENT, &w->weights, allowed);
    if (drawn == 0)
        return -1;
    if (drawn == WORLD_FAULT_COUNT + 1) {
        if (w->choice.replay)
            world_note(w, "stops at %s", place);
        w->current->wake_us = w->now_us;
        coroutine_leave(&w->current->routine);
        return -1;
    }
    return world_strike(w, (int)drawn - 1, place);
}
