/* Actors, the clock, and what a point brings; see world.h. */
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/probe.h"

#define WORLD_POINT_US 10
#define WORLD_WALL_START_US (INT64_C(1700000000) * 1000000)
#define WORLD_JUMP_US (INT64_C(10) * 365 * 86400 * 1000000)
#define WORLD_FULL_US 200000
#define WORLD_RESTART_US 50000
#define WORLD_POINTS_MAX 8000000 /* of one schedule; beyond, something turns in a circle */

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

/* Clocks and memory as an actor sees them. Asking must not change what is asked about: what the
 * harness waits for a lock is nobody else's time. */

static int64_t actor_mono_us(void *context)
{
    const actor *self = context;
    return self->world->now_us + (self->world->current ? 0 : self->world->harness_us);
}

static int64_t actor_boot_us(void *context)
{
    const actor *self = context;
    return actor_mono_us(context) - self->world->boot_started_us;
}

static int64_t actor_wall_us(void *context)
{
    const actor *self = context;
    return WORLD_WALL_START_US + actor_mono_us(context) + self->world->wall_offset_us;
}

static void actor_boot_id(void *context, uint8_t id[16])
{
    const actor *self = context;
    memcpy(id, self->world->boot_id, 16);
}

static int actor_random(void *context, void *out, size_t size)
{
    actor *self = context;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)choice_noise(&self->world->noise);
    return SW_OK;
}

static void *actor_resize(void *context, void *block, size_t size)
{
    actor *self = context;
    return heap_resize(&self->heap, block, size);
}

/* Outside of a transaction a process holds nothing, and may stand still for as long as others need
 * to commit: what it has just read is old then. */
static void actor_stand_still(actor *self, const char *place)
{
    choice *c = &self->world->choice;
    bool outside = strcmp(place, "store.begin") == 0 || strcmp(place, "store.version") == 0;
    uint32_t one_in = self->watches ? 4 : 32;
    if (outside && self->world->current && choice_once_in(c, CHOICE_SWITCH, one_in))
        world_sleep(self->world, 1000 + choice_draw(c, CHOICE_DETAIL, 40000));
}

static void actor_yield(void *context, const char *place)
{
    actor *self = context;
    world_point(self->world, 1u << WORLD_KILL | 1u << WORLD_POWER | 1u << WORLD_WALL_JUMP, place);
    actor_stand_still(self, place);
}

static int actor_spawn(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    (void)request;
    (void)pid;
    return -38; /* ENOSYS: nobody spawns here */
}

static world_sign *actor_sign(world *w, int64_t worker_id)
{
    for (int i = 0; i < w->sign_count; i++) {
        if (w->signs[i].worker_id == worker_id)
            return &w->signs[i];
    }
    return NULL;
}

/* A sign cannot always be given; then nobody may conclude anything from its absence. */
static int actor_hold(actor *self, int64_t worker_id)
{
    world *w = self->world;
    world_sign *sign = actor_sign(w, worker_id);
    if (!w->has_signs || choice_once_in(&w->choice, CHOICE_DETAIL, 8))
        return SW_EIO;
    if (!sign && w->sign_count == WORLD_SIGNS_MAX)
        return SW_ELIMIT;
    if (!sign)
        sign = &w->signs[w->sign_count++];
    *sign = (world_sign){worker_id, self, self->life};
    return SW_OK;
}

static int actor_life(void *context, int question, const char *path, int64_t worker_id)
{
    actor *self = context;
    world_sign *sign = actor_sign(self->world, worker_id);
    (void)path;
    if (question == SW_LIFE_HOLD)
        return actor_hold(self, worker_id);
    if (question == SW_LIFE_DROP && sign && sign->holder == self)
        sign->holder = NULL;
    if (question == SW_LIFE_DROP)
        return SW_OK;
    return sign && sign->holder && sign->holder->alive && sign->holder->life == sign->life;
}

static sw_bell *actor_bell_open(void *context, const char *path)
{
    actor *self = context;
    (void)path;
    return self->world->has_bell ? (sw_bell *)self : NULL;
}

static void actor_bell_close(void *context, sw_bell *bell, int inherited)
{
    (void)context;
    (void)bell;
    (void)inherited;
}

static void actor_bell_ring(void *context, sw_bell *bell, uint32_t tones)
{
    actor *self = context;
    world *w = self->world;
    (void)bell;
    if (w->current && w->bell_fails && !w->healed && choice_once_in(&w->choice, CHOICE_DETAIL, 8)) {
        w->rings_lost++;
        return;
    }
    for (int tone = 0; tone < SW_BELL_TONES; tone++)
        w->rings[tone] += tones >> tone & 1;
    for (int i = 0; i < w->actor_count; i++) {
        if (w->actors[i].alive && w->actors[i].waiting && w->actors[i].listens & tones)
            w->actors[i].wake_us = w->now_us;
    }
}

static void actor_bell_count(void *context, sw_bell *bell, uint32_t counts[SW_BELL_TONES])
{
    const actor *self = context;
    (void)bell;
    memcpy(counts, self->world->rings, sizeof self->world->rings);
}

static void actor_bell_wait(void *context, sw_bell *bell, uint32_t tones,
                            const uint32_t counts[SW_BELL_TONES], int64_t until_us)
{
    actor *self = context;
    (void)bell;
    for (int tone = 0; tone < SW_BELL_TONES; tone++) {
        if (tones >> tone & 1 && counts[tone] != self->world->rings[tone])
            return;
    }
    self->listens = tones;
    world_wait(self->world, until_us);
    self->listens = 0;
}

static const sw_env actor_env = {
    .size = sizeof(sw_env),
    .clock_mono_us = actor_mono_us,
    .clock_boot_us = actor_boot_us,
    .clock_wall_us = actor_wall_us,
    .boot_id = actor_boot_id,
    .random = actor_random,
    .resize = actor_resize,
    .vfs_name = "stepwell-sim",
    .spawn = actor_spawn,
    .yield = actor_yield,
    .life = actor_life,
    .bell_open = actor_bell_open,
    .bell_close = actor_bell_close,
    .bell_ring = actor_bell_ring,
    .bell_count = actor_bell_count,
    .bell_wait = actor_bell_wait,
};

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
    for (int i = 0; i < w->actor_count; i++)
        heap_drop(&w->actors[i].heap);
    choice_free(&w->choice);
}

actor *world_add(world *w, const char *role, void (*body)(actor *), int number)
{
    actor *self = &w->actors[w->actor_count];
    self->world = w;
    self->index = w->actor_count++;
    self->role = role;
    self->body = body;
    self->number = number;
    heap_init(&self->heap);
    self->env = actor_env;
    self->env.context = self;
    return self;
}

/* Scheduling. */

static void actor_main(void *argument)
{
    actor *self = argument;
    self->body(self);
    self->finished = true;
    self->alive = false;
    coroutine_leave(&self->routine);
}

static void world_start(world *w, actor *self)
{
    coroutine_start(&self->routine, self->index, actor_main, self);
    self->alive = true;
    self->waiting = false;
    self->watches = false;
    self->disk_bad = false;
    self->life++;
    w->current = self;
    world_note(w, "starts, life %d", self->life);
}

static void world_bury(world *w, actor *dead)
{
    w->current = NULL;
    w->rings_lost += dead->alive;
    dead->alive = false;
    dead->listens = 0;
    dead->wake_us = w->now_us + WORLD_RESTART_US;
    if (w->on_death)
        w->on_death(w, dead);
    dead->engine = NULL;
    heap_drop(&dead->heap);
}

static void world_lose_power(world *w)
{
    w->power_lost = true;
    for (int i = 0; i < w->actor_count; i++) {
        if (!w->actors[i].finished)
            world_bury(w, &w->actors[i]);
    }
    world_boot(w);
    if (w->on_death)
        w->on_death(w, NULL);
    w->power_lost = false;
}

void world_die(world *w)
{
    actor *self = w->current;
    world_note(w, "dies");
    w->rings_lost++;
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

void world_wait(world *w, int64_t until_us)
{
    actor *self = w->current;
    self->waiting = true;
    world_sleep(w, until_us > w->now_us ? until_us - w->now_us : 0);
    self->waiting = false;
    self->woke_us = w->now_us;
}

void world_wake_waiting(world *w)
{
    for (int i = 0; i < w->actor_count; i++) {
        actor *self = &w->actors[i];
        if (!self->alive || !self->waiting)
            continue;
        sw_engine_wake(self->engine);
        self->wake_us = w->now_us;
    }
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
            world_bury(w, next);
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
    if (fault == WORLD_KILL && !w->current->engine)
        probe_hit(SIM_KILL_IN_OPEN);
    if (error && checkpoint)
        probe_hit(SIM_ERROR_IN_CHECKPOINT);
}

static int world_strike(world *w, int fault, const char *place)
{
    w->faults[fault]++;
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
        w->current->disk_bad = true;
        return fault;
    case WORLD_FULL:
        w->full_until_us = w->now_us + WORLD_FULL_US;
        return fault;
    case WORLD_NO_MEMORY:
        w->current->heap.fail_in = 1 + choice_draw(&w->choice, CHOICE_DETAIL, 200);
        w->current->heap.fail_for_ever = choice_once_in(&w->choice, CHOICE_DETAIL, 4);
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
    uint32_t allowed = 1u << WORLD_FAULT_COUNT | (w->healed ? 0 : may);
    uint32_t drawn =
        choice_weigh(&w->choice, CHOICE_EVENT, w->rates, WORLD_FAULT_COUNT + 1, allowed);
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
