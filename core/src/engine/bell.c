/* The doorbell of an engine; see bell.h. */
#include "engine/bell.h"

#include <time.h>

#include "engine/engine.h"

/* Opened by the first call that rings or waits: readers leave no file behind. */
static sw_bell *bell_shared(sw_engine *engine)
{
    sw__bell *bell = &engine->bell;
    const sw_env *env = engine->env;
    if (!bell->tried && engine->path && env->bell_open)
        bell->shared = env->bell_open(env->context, engine->path);
    bell->tried = true;
    return bell->shared;
}

bool sw__bell_reaches(sw_engine *engine)
{
    return !engine->path || bell_shared(engine);
}

void sw__bell_count(sw_engine *engine, sw__rings *rings)
{
    sw_bell *shared = bell_shared(engine);
    if (shared)
        engine->env->bell_count(engine->env->context, shared, rings->counts);
    else
        *rings = engine->bell.inside;
}

static bool bell_differs(const sw__rings *now, const sw__rings *since, uint32_t tones)
{
    for (uint32_t tone = 0; tone < SW_BELL_TONES; tone++) {
        if (tones >> tone & 1 && now->counts[tone] != since->counts[tone])
            return true;
    }
    return false;
}

bool sw__bell_rang(sw_engine *engine, uint32_t tones, const sw__rings *since)
{
    sw__rings now;
    sw__bell_count(engine, &now);
    return bell_differs(&now, since, tones);
}

void sw__bell_ring(sw_engine *engine, uint32_t tones)
{
    sw_bell *shared = bell_shared(engine);
    if (shared) {
        engine->env->bell_ring(engine->env->context, shared, tones);
        return;
    }
    for (uint32_t tone = 0; tone < SW_BELL_TONES; tone++)
        engine->bell.inside.counts[tone] += tones >> tone & 1;
    pthread_cond_broadcast(&engine->changed);
}

void sw__bell_wake(sw_engine *engine)
{
    if (engine->bell.shared)
        sw__bell_ring(engine, SW__TONE_WAKE);
    else
        pthread_cond_broadcast(&engine->changed);
}

void sw__bell_wait(sw_engine *engine, uint32_t tones, const sw__rings *since, int64_t until_us)
{
    sw__rings now;
    sw_bell *shared = bell_shared(engine);
    struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    sw__bell_count(engine, &now);
    if (atomic_load(&engine->closing) || bell_differs(&now, since, tones))
        return;
    if (!shared) {
        pthread_cond_timedwait(&engine->changed, &engine->lock, &until);
        return;
    }
    /* Whoever wakes this engine holds its lock: no wake that matters has come before this count. */
    pthread_mutex_unlock(&engine->lock);
    engine->env->bell_wait(engine->env->context, shared, tones | SW__TONE_WAKE, now.counts,
                           until_us);
    pthread_mutex_lock(&engine->lock);
}

void sw__bell_close(sw_engine *engine, bool inherited)
{
    if (engine->bell.shared)
        engine->env->bell_close(engine->env->context, engine->bell.shared, inherited);
}
