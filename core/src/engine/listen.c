/* Waiting for events without asking again and again.
 *
 * A commit rings for events only while somebody listens, so that it costs nothing where nobody
 * does. Whoever listens says so by a tone of its own, which counts for LISTEN_HOLD_US; whoever
 * commits looks at that count at most every LISTEN_LOOK_US. Between the first word and the next
 * look of everybody else a commit may not ring: so long the listener asks the store itself.
 */
#include "engine/event.h"

#include "audit/segment.h"
#include "base/limits.h"
#include "base/probe.h"
#include "engine/query.h"

#define LISTEN_LOOK_US 20000    /* how often a writer looks who listens */
#define LISTEN_HOLD_US 10000000 /* how long a word counts */
#define LISTEN_AGAIN_US 5000000 /* how often it is said again, and the store asked unrung */
#define LISTEN_FIRST_US (2 * LISTEN_LOOK_US)
#define LISTEN_POLL_MIN_US 1000
#define LISTEN_POLL_MAX_US 25000
#define LISTEN_NAP_US 1000000

static int64_t listen_mono(const sw_engine *engine)
{
    return engine->env->clock_mono_us(engine->env->context);
}

bool sw__event_heard(sw_engine *engine)
{
    sw__rings rings;
    sw__listening *listening = &engine->bell.listening;
    int64_t now_us = listen_mono(engine);
    if (now_us >= listening->look_us) {
        sw__bell_count(engine, &rings);
        uint32_t count = rings.counts[SW__TONE_NUMBER_LISTEN];
        /* What was said before this engine looked for the first time may still count. */
        if (count != listening->count || (listening->look_us == 0 && count > 0))
            listening->until_us = now_us + LISTEN_HOLD_US;
        listening->count = count;
        listening->look_us = now_us + LISTEN_LOOK_US;
    }
    SW__PROBE_IF(LISTEN_HEARD, now_us < listening->until_us);
    return now_us < listening->until_us;
}

/* A wait for events. */
typedef struct listen_watch {
    int64_t after;
    int64_t newest;
    int64_t deadline_us; /* monotonic, INT64_MAX: none */
    int64_t since_us;    /* so long this engine has not listened before */
    sw__rings rings;     /* before the last look */
    uint64_t wakes;
} listen_watch;

static void listen_announce(sw_engine *engine, listen_watch *watch)
{
    sw__listening *listening = &engine->bell.listening;
    int64_t now_us = listen_mono(engine);
    if (listening->announced_us == 0 ||
        now_us - listening->announced_us >= LISTEN_HOLD_US - LISTEN_FIRST_US)
        watch->since_us = now_us;
    else if (now_us - listening->announced_us < LISTEN_AGAIN_US)
        return;
    listening->announced_us = now_us;
    sw__bell_ring(engine, SW__TONE_LISTEN);
}

static int listen_newest(sw_engine *engine, void *context, sw_error *err)
{
    sw__segment newest;
    listen_watch *watch = context;
    int rc = sw__segment_newest(engine->store, &newest, err);
    if (rc == SW_OK)
        watch->newest = newest.segment_no > 0 ? newest.entry_first + newest.entry_count - 1 : 0;
    return rc;
}

static int listen_look(sw_engine *engine, listen_watch *watch, sw_error *err)
{
    listen_announce(engine, watch);
    sw__bell_count(engine, &watch->rings);
    int rc = engine->store->ops->begin(engine->store, false, err);
    if (rc == SW_OK) {
        rc = listen_newest(engine, watch, err);
        engine->store->ops->rollback(engine->store);
    }
    return rc;
}

/* How long to sleep before the next look: until a ring, where one is sure to come. */
static int64_t listen_until(sw_engine *engine, const listen_watch *watch, int64_t *poll_us)
{
    int64_t now_us = listen_mono(engine);
    bool sure = sw__bell_reaches(engine) && now_us - watch->since_us >= LISTEN_FIRST_US;
    int64_t until_us = now_us + (sure ? LISTEN_AGAIN_US : *poll_us);
    *poll_us = *poll_us * 2 < LISTEN_POLL_MAX_US ? *poll_us * 2 : LISTEN_POLL_MAX_US;
    return until_us < watch->deadline_us ? until_us : watch->deadline_us;
}

static bool listen_over(const sw_engine *engine, const listen_watch *watch)
{
    return listen_mono(engine) >= watch->deadline_us ||
           atomic_load(&engine->wake_count) != watch->wakes;
}

/* A wait may return early, and naps are short because a bell that was replaced is noticed then. */
static int listen_sleep(sw_engine *engine, const listen_watch *watch, int64_t *poll_us,
                        sw_error *err)
{
    int64_t until_us = listen_until(engine, watch, poll_us);
    while (listen_mono(engine) < until_us && !listen_over(engine, watch) &&
           !sw__bell_rang(engine, SW__TONE_EVENTS, &watch->rings)) {
        int64_t nap_us = listen_mono(engine) + LISTEN_NAP_US;
        sw__bell_wait(engine, SW__TONE_EVENTS, &watch->rings,
                      nap_us < until_us ? nap_us : until_us);
        if (atomic_load(&engine->closing))
            return sw__fail(err, SW_ECLOSED, NULL);
    }
    return SW_OK;
}

static int listen_wait(sw_engine *engine, listen_watch *watch, sw_error *err)
{
    int64_t poll_us = LISTEN_POLL_MIN_US;
    int rc = listen_look(engine, watch, err);
    while (rc == SW_OK && watch->newest <= watch->after && !listen_over(engine, watch)) {
        SW__PROBE(LISTEN_AGAIN);
        rc = listen_sleep(engine, watch, &poll_us, err);
        if (rc == SW_OK)
            rc = listen_look(engine, watch, err);
    }
    return rc;
}

int sw_event_wait(sw_engine *engine, int64_t after, int64_t wait_ms, int64_t *newest, sw_error *err)
{
    sw__error_clear(err);
    if (!newest)
        return sw__fail(err, SW_EINVAL, "newest is NULL");
    if (after < 0)
        return sw__fail(err, SW_EINVAL, "position %lld is negative", (long long)after);
    int rc = sw__engine_enter(engine, err);
    if (rc < 0)
        return rc;
    listen_watch watch = {
        .after = after,
        .deadline_us = INT64_MAX,
        .wakes = atomic_load(&engine->wake_count),
    };
    if (wait_ms >= 0 && wait_ms < SW__DELAY_MAX_MS)
        watch.deadline_us = listen_mono(engine) + wait_ms * 1000;
    rc = listen_wait(engine, &watch, err);
    *newest = watch.newest;
    sw__engine_leave(engine);
    return rc;
}

#undef LISTEN_LOOK_US
#undef LISTEN_HOLD_US
#undef LISTEN_AGAIN_US
#undef LISTEN_FIRST_US
#undef LISTEN_POLL_MIN_US
#undef LISTEN_POLL_MAX_US
#undef LISTEN_NAP_US
