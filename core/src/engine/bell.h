/* What the tones of a doorbell mean, and waiting for them.
 *
 * A transaction sounds the tones of what it has left for others; a call that waits counts them
 * before it looks into the store, and waits until one that it listens for sounds again. So nobody
 * misses what is committed while he looks. A store without a bell has one of its own in memory, of
 * this engine alone: then waits for other processes have to look again and again.
 */
#ifndef SW_ENGINE_BELL_H
#define SW_ENGINE_BELL_H

#include <stdbool.h>
#include <stdint.h>

#include "stepwell/engine.h"
#include "stepwell/sys/env.h"

/* Several lanes, and several tasks, share a tone: who is woken by another's looks in vain. */
#define SW__TONE_LANES 16
#define SW__TONE_TASKS 12

/* Something stands in this line that its transaction did not claim. */
#define SW__TONE_LANE(lane) (UINT32_C(1) << ((uint64_t)(lane) % SW__TONE_LANES))
/* This task has ended; the last byte of its id is random. */
#define SW__TONE_TASK(task_id)                                                                     \
    (UINT32_C(1) << (SW__TONE_LANES + (task_id)->bytes[15] % SW__TONE_TASKS))
/* Somebody waits for events, and asks for the next tone; and there are some (listen.h). */
#define SW__TONE_NUMBER_LISTEN 28
#define SW__TONE_LISTEN (UINT32_C(1) << SW__TONE_NUMBER_LISTEN)
#define SW__TONE_EVENTS (UINT32_C(1) << 29)
/* What a waiting worker goes by has changed: another worker to watch, a retry before all others,
 * new lines. */
#define SW__TONE_NUMBER_PLANS 30
#define SW__TONE_PLANS (UINT32_C(1) << SW__TONE_NUMBER_PLANS)
/* Calls of one engine are to come out of their wait; those of others go back to sleep. */
#define SW__TONE_NUMBER_WAKE 31
#define SW__TONE_WAKE (UINT32_C(1) << SW__TONE_NUMBER_WAKE)

typedef struct sw__rings {
    uint32_t counts[SW_BELL_TONES];
} sw__rings;

/* Who listens for events, as the one who writes knows it, and as the one who listens has said it;
 * times are monotonic. */
typedef struct sw__listening {
    uint32_t count;       /* of the tone LISTEN at the last look */
    int64_t look_us;      /* when to look again */
    int64_t until_us;     /* so long somebody may listen */
    int64_t announced_us; /* when this engine said last that it does, 0: never */
} sw__listening;

typedef struct sw__bell {
    sw_bell *shared;  /* of all processes, or NULL */
    bool tried;       /* to open it */
    sw__rings inside; /* without a shared one */
    sw__listening listening;
} sw__bell;

/* All of them are entered, and wait is again before it returns. */

/* Whether no other process can change the store unheard. */
bool sw__bell_reaches(sw_engine *engine);
void sw__bell_count(sw_engine *engine, sw__rings *rings);
bool sw__bell_rang(sw_engine *engine, uint32_t tones, const sw__rings *since);
void sw__bell_ring(sw_engine *engine, uint32_t tones);
/* Let the calls of this engine come out of their wait. */
void sw__bell_wake(sw_engine *engine);
/* Wait without the lock until one of the tones sounds, the engine is woken or closing, or until_us
 * of the monotonic clock; may return early. */
void sw__bell_wait(sw_engine *engine, uint32_t tones, const sw__rings *since, int64_t until_us);
/* Not entered: nobody waits any more. */
void sw__bell_close(sw_engine *engine, bool inherited);

#endif
