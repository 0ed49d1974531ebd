/* What a process sees of its machine: clocks, chance, memory, the lives of others; see world.h.
 *
 * Not here: which of its threads runs, and when (world.c).
 */
#include <string.h>

#include "sim/world.h"

#define PROCESS_WALL_START_US (INT64_C(1700000000) * 1000000)

/* Clocks and memory as a process sees them. Asking must not change what is asked about: what the
 * harness waits for a lock is nobody else's time. */

static int64_t process_mono_us(void *context)
{
    const process *self = context;
    return self->world->now_us + (self->world->current ? 0 : self->world->harness_us);
}

static int64_t process_boot_us(void *context)
{
    const process *self = context;
    return process_mono_us(context) - self->world->boot_started_us;
}

static int64_t process_wall_us(void *context)
{
    const process *self = context;
    return PROCESS_WALL_START_US + process_mono_us(context) + self->world->wall_offset_us;
}

static void process_boot_id(void *context, uint8_t id[16])
{
    const process *self = context;
    memcpy(id, self->world->boot_id, 16);
}

static int process_random(void *context, void *out, size_t size)
{
    process *self = context;
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)choice_noise(&self->world->noise);
    return SW_OK;
}

static void *process_resize(void *context, void *block, size_t size)
{
    process *self = context;
    return heap_resize(&self->heap, block, size);
}

static int process_watchers(const process *self)
{
    int count = 0;
    for (int i = 0; i < self->world->actor_count; i++) {
        const actor *other = &self->world->actors[i];
        count += other->process == self && other->alive && other->watches;
    }
    return count;
}

/* Outside of a transaction a process holds nothing, and may stand still for as long as others need
 * to commit: what it has just read is old then, and other threads of it share the next one. Who
 * waits for a task does so mostly when it has just looked, and may not have seen the end. 0: no. */
static uint32_t process_haste(const actor *self, const char *place)
{
    bool watches = self->watches && process_watchers(self->process) == 1;
    if (strcmp(place, "store.rollback") == 0)
        return watches ? 2 : 0;
    bool begins = strcmp(place, "store.begin") == 0;
    if (!begins && strcmp(place, "store.version") != 0)
        return 0;
    uint32_t haste = self->process->users > 1 ? 8 : watches ? 4 : 32;
    return begins ? haste / 2 : haste;
}

static void process_stand_still(world *w, const char *place)
{
    uint32_t haste = w->current ? process_haste(w->current, place) : 0;
    if (haste && choice_once_in(&w->choice, CHOICE_SWITCH, haste))
        world_sleep(w, 1000 + choice_draw(&w->choice, CHOICE_DETAIL, 40000));
}

static void process_yield(void *context, const char *place)
{
    process *self = context;
    world_point(self->world, 1u << WORLD_KILL | 1u << WORLD_POWER | 1u << WORLD_WALL_JUMP, place);
    process_stand_still(self->world, place);
}

static int process_spawn(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    (void)request;
    (void)pid;
    return -38; /* ENOSYS: nobody spawns here */
}

static world_sign *process_sign(world *w, int64_t worker_id)
{
    for (int i = 0; i < w->sign_count; i++) {
        if (w->signs[i].worker_id == worker_id)
            return &w->signs[i];
    }
    return NULL;
}

/* A sign cannot always be given; then nobody may conclude anything from its absence. */
static int process_hold(process *self, int64_t worker_id)
{
    world *w = self->world;
    world_sign *sign = process_sign(w, worker_id);
    if (!w->has_signs || choice_once_in(&w->choice, CHOICE_DETAIL, 8))
        return SW_EIO;
    if (!sign && w->sign_count == WORLD_SIGNS_MAX)
        return SW_ELIMIT;
    if (!sign)
        sign = &w->signs[w->sign_count++];
    *sign = (world_sign){worker_id, self, self->life};
    return SW_OK;
}

static int process_life(void *context, int question, const char *path, int64_t worker_id)
{
    process *self = context;
    world_sign *sign = process_sign(self->world, worker_id);
    (void)path;
    if (question == SW_LIFE_HOLD)
        return process_hold(self, worker_id);
    if (question == SW_LIFE_DROP && sign && sign->holder == self)
        sign->holder = NULL;
    if (question == SW_LIFE_DROP)
        return SW_OK;
    return sign && sign->holder && sign->holder->threads > 0 && sign->holder->life == sign->life;
}

static sw_bell *process_bell_open(void *context, const char *path)
{
    process *self = context;
    (void)path;
    return self->world->has_bell ? (sw_bell *)self : NULL;
}

static void process_bell_close(void *context, sw_bell *bell, int inherited)
{
    (void)context;
    (void)bell;
    (void)inherited;
}

static void process_bell_ring(void *context, sw_bell *bell, uint32_t tones)
{
    process *self = context;
    world *w = self->world;
    (void)bell;
    if (w->current && w->bell_fails && !w->healed && choice_once_in(&w->choice, CHOICE_DETAIL, 8)) {
        w->rings_lost++;
        return;
    }
    for (int tone = 0; tone < SW_BELL_TONES; tone++)
        w->rings[tone] += tones >> tone & 1;
    for (int i = 0; i < w->actor_count; i++) {
        if (w->actors[i].listens & tones)
            w->actors[i].wake_us = w->now_us;
    }
}

static void process_bell_count(void *context, sw_bell *bell, uint32_t counts[SW_BELL_TONES])
{
    const process *self = context;
    (void)bell;
    memcpy(counts, self->world->rings, sizeof self->world->rings);
}

static void process_bell_wait(void *context, sw_bell *bell, uint32_t tones,
                              const uint32_t counts[SW_BELL_TONES], int64_t until_us)
{
    const process *self = context;
    world *w = self->world;
    actor *listener = w->current;
    for (int tone = 0; tone < SW_BELL_TONES; tone++) {
        if (tones >> tone & 1 && counts[tone] != w->rings[tone])
            return;
    }
    listener->listens = tones;
    world_wait(w, bell, until_us);
    listener->listens = 0;
}

static const sw_env process_env = {
    .size = sizeof(sw_env),
    .clock_mono_us = process_mono_us,
    .clock_boot_us = process_boot_us,
    .clock_wall_us = process_wall_us,
    .boot_id = process_boot_id,
    .random = process_random,
    .resize = process_resize,
    .vfs_name = "stepwell-sim",
    .spawn = process_spawn,
    .yield = process_yield,
    .life = process_life,
    .bell_open = process_bell_open,
    .bell_close = process_bell_close,
    .bell_ring = process_bell_ring,
    .bell_count = process_bell_count,
    .bell_wait = process_bell_wait,
};

void process_init(process *self, world *w)
{
    memset(self, 0, sizeof *self);
    self->world = w;
    heap_init(&self->heap);
    self->env = process_env;
    self->env.context = self;
}
