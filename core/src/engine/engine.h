/* The inside of an engine: what its files share.
 *
 * Lock order: engine->lock, then engine->gate. The lock guards the store and is held for a whole
 * transaction; the gate guards who is inside and which calls wait for a shared transaction, and is
 * held for a moment. A public function checks its arguments first, then enters, works in one
 * transaction, leaves, and only then reports. While a call waits for work it does not hold the lock.
 */
#ifndef SW_ENGINE_ENGINE_H
#define SW_ENGINE_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "audit/audit.h"
#include "base/arena.h"
#include "base/env.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/map.h"
#include "base/rand.h"
#include "base/result.h"
#include "base/str.h"
#include "engine/bell.h"
#include "engine/catalog.h"
#include "engine/lesson.h"
#include "engine/notice.h"
#include "model/workflow.h"
#include "store/store.h"

#define SW__SWEEP_BATCH 1000

/* The thread that renews the lease of a worker (keep.c). */
typedef struct sw__keeper {
    pthread_t thread;
    bool runs;
} sw__keeper;

/* What a worker knew when it last looked for work and found none: until one of its tones sounds or
 * something comes due, looking again finds none either. */
typedef struct sw__vain {
    bool known;
    uint32_t tones;   /* what it listens for */
    sw__rings rings;  /* before that look */
    int64_t version;  /* of the store, likewise */
    int64_t timer_us; /* store time of the next retry that comes due */
    int64_t look_us;  /* monotonic, of the next look without a ring */
} sw__vain;

/* A worker that was opened through this engine. */
typedef struct sw__member {
    struct sw__member *next;
    sw__arena *arena;
    sw__worker_rec record; /* entered again when the store has forgotten a late worker */
    sw__strmap handlers;   /* name to 1 */
    sw__strmap queues;     /* empty: every queue */
    int64_t task_no;       /* 0: steps of every task */
    int64_t *lanes;        /* in the arena of the lane list */
    size_t lane_count;
    bool guarded;           /* some of them belong to circuit breakers */
    uint64_t lanes_version; /* of the catalog's lanes when lanes were matched */
    sw__vain vain;
    sw__keeper keeper;
} sw__member;

/* Workers that were alive at the last sweep and give signs of life: asking the kernel for those is
 * no query (sweep.c). */
typedef struct sw__watch {
    int64_t *workers;
    size_t count;
    size_t capacity;
    int64_t due_us; /* monotonic, when to ask again */
    sw__rings rings; /* before that sweep */
} sw__watch;

/* Calls that write and wait for their transaction (group.c). */
typedef struct sw__group {
    struct sw__part *first;
    struct sw__part **last;
    bool led; /* a call makes a transaction for others and itself */
    pthread_cond_t over;
} sw__group;

struct sw_engine {
    const sw_env *env;
    const sw_log *log;
    uint32_t fork_generation;
    int32_t durability;
    int64_t payload_max;
    size_t sweep_batch; /* steps that a sweep looks at in one go */
    char *path; /* of the database, for signs of life; NULL in memory */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* without a shared bell: a ring, a wake, or closing */
    pthread_cond_t kept;    /* a worker is closed, or closing: for the keepers */
    _Atomic uint64_t wake_count;
    atomic_bool closing; /* set once, under the gate */

    pthread_mutex_t gate;
    pthread_cond_t idle; /* no call is inside any more */

    /* guarded by gate */
    int32_t inside;
    sw__group group;

    /* guarded by lock */
    sw__store *store;
    sw__hasher *hasher;
    sw__audit audit;
    sw__rand rand;
    sw__anchor anchor;
    bool anchored;
    sw__catalog catalog;
    sw__lessons lessons; /* of ended tasks, for forecasts */
    struct sw__recording *recording; /* of a task file that is open at a moment of it, or NULL */
    sw__member *members;
    sw__notices *notices;  /* committed, to be written when the lock is given up */
    sw__bell bell;
    sw__watch watch;
    int64_t sweep_due_us;  /* store time of the next look for lost workers and timeouts */
    uint64_t commit_count; /* commits of this engine that changed something */
};

/* Begin and end of a public function that uses the store; enter takes the lock.
 * errors: SW_EINVAL (NULL), SW_EFORKED, SW_ECLOSED. */
int sw__engine_enter(sw_engine *engine, sw_error *err);
void sw__engine_leave(sw_engine *engine);

/* The halves of enter and leave: count the caller as inside; give up the lock and take what is to
 * be logged. */
int sw__engine_come(sw_engine *engine, sw_error *err);
void sw__engine_go(sw_engine *engine);
sw__notices *sw__engine_unlock(sw_engine *engine);

/* Wait without the lock until a worker is closed, the engine is closed, or until_us of the
 * monotonic clock; for keepers. Entered before and after. */
void sw__engine_wait_kept(sw_engine *engine, int64_t until_us);

/* Store time; 0 on error. Inside a transaction; anchors the clock when the machine was restarted
 * or the database is new. */
int sw__engine_now(sw_engine *engine, bool write, int64_t *now_us, sw_error *err);

/* Wait for the end of a keeper whose worker or engine is closed; without the lock. */
void sw__keeper_join(sw__keeper *keeper);

/* Open worker by number, or NULL. */
sw__member *sw__engine_member(sw_engine *engine, int64_t worker_id);

#endif
