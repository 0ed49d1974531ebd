/* Work that goes round; see ring.h.
 *
 * Piece n lies in slot n modulo their number. Whoever has nothing to do claims the lowest piece
 * that nobody has, the caller too while it waits for one. Numbers and what is done are guarded by
 * the lock; a slot belongs to whoever fills, works on or has taken it. */
#include "audit/ring.h"

#include <pthread.h>
#include <stdbool.h>

#include "base/env.h"
#include "base/thread.h"
#include "stepwell/error.h"

typedef struct ring_hand {
    sw__ring *ring;
    sw__hasher *hasher;
    pthread_t thread;
} ring_hand;

struct sw__ring {
    const sw_env *env;
    sw__ring_work work;
    void *context;
    int64_t put;     /* pieces that were put */
    int64_t claimed; /* of them, those that somebody works on or has done */
    int64_t released;
    bool stopping;
    bool *done; /* by slot */
    int slot_count;
    ring_hand *hands; /* the first is that of the caller */
    int hand_count;
    int wanted;  /* hands that are to work; those that do, when the machine gives no more threads */
    int started; /* hands that work, the caller's among them */
    pthread_mutex_t lock;
    pthread_cond_t work_there; /* there is something to claim, or nothing any more */
    pthread_cond_t work_done;
};

static int ring_slot(const sw__ring *ring, int64_t number)
{
    return (int)(number % ring->slot_count);
}

/* Whose turn it is; the lock is held. */

static void ring_work(sw__ring *ring, const ring_hand *hand)
{
    int slot = ring_slot(ring, ring->claimed++);
    pthread_mutex_unlock(&ring->lock);
    ring->work(ring->context, slot, hand->hasher);
    pthread_mutex_lock(&ring->lock);
    ring->done[slot] = true;
    pthread_cond_signal(&ring->work_done);
}

static void *ring_main(void *argument)
{
    const ring_hand *hand = argument;
    sw__ring *ring = hand->ring;
    pthread_mutex_lock(&ring->lock);
    while (!ring->stopping) {
        if (ring->claimed < ring->put)
            ring_work(ring, hand);
        else
            pthread_cond_wait(&ring->work_there, &ring->lock);
    }
    pthread_mutex_unlock(&ring->lock);
    return NULL;
}

/* The caller, which alone moves put and released. */

int sw__ring_room(const sw__ring *ring)
{
    return ring->put - ring->released < ring->slot_count ? ring_slot(ring, ring->put) : -1;
}

/* One thread for each piece but the first, which is done sooner than a thread starts. */
static void ring_start(sw__ring *ring)
{
    if (ring->started == ring->wanted || ring->put <= ring->started)
        return;
    ring_hand *hand = &ring->hands[ring->started];
    if (sw__thread_start(&hand->thread, ring_main, hand, NULL) < 0)
        ring->wanted = ring->started; /* those that there are do all of it */
    else
        ring->started++;
}

void sw__ring_put(sw__ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    ring->done[ring_slot(ring, ring->put)] = false;
    ring->put++;
    pthread_cond_signal(&ring->work_there);
    pthread_mutex_unlock(&ring->lock);
    ring_start(ring);
}

int sw__ring_take(sw__ring *ring)
{
    if (ring->released == ring->put)
        return -1;
    int slot = ring_slot(ring, ring->released);
    pthread_mutex_lock(&ring->lock);
    while (ring->claimed <= ring->released || !ring->done[slot]) {
        if (ring->claimed < ring->put)
            ring_work(ring, &ring->hands[0]);
        else
            pthread_cond_wait(&ring->work_done, &ring->lock);
    }
    pthread_mutex_unlock(&ring->lock);
    return slot;
}

void sw__ring_release(sw__ring *ring)
{
    ring->released++;
}

/* Beginning and end. */

static int ring_memory(sw__ring *ring, sw__hasher *hasher)
{
    ring->done = sw__calloc(ring->env, (size_t)ring->slot_count, sizeof(*ring->done));
    ring->hands = sw__calloc(ring->env, (size_t)ring->hand_count, sizeof(*ring->hands));
    for (int i = 0; ring->hands && i < ring->hand_count; i++) {
        ring->hands[i].ring = ring;
        ring->hands[i].hasher = i == 0 ? hasher : sw__hasher_new(ring->env);
        if (!ring->hands[i].hasher)
            return SW_ENOMEM;
    }
    return ring->done && ring->hands ? SW_OK : SW_ENOMEM;
}

int sw__ring_open(sw__ring **out, const sw_env *env, sw__hasher *hasher, int32_t jobs,
                  sw__ring_work work, void *context)
{
    sw__ring *ring = sw__calloc(env, 1, sizeof(*ring));
    *out = ring;
    if (!ring)
        return SW_ENOMEM;
    ring->env = env;
    ring->work = work;
    ring->context = context;
    ring->slot_count = SW__RING_SLOTS(jobs);
    ring->hand_count = ring->wanted = jobs;
    ring->started = 1;
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->work_there, NULL);
    pthread_cond_init(&ring->work_done, NULL);
    return ring_memory(ring, hasher);
}

void sw__ring_close(sw__ring *ring)
{
    if (!ring)
        return;
    pthread_mutex_lock(&ring->lock);
    ring->stopping = true;
    pthread_cond_broadcast(&ring->work_there);
    pthread_mutex_unlock(&ring->lock);
    for (int i = 1; i < ring->started; i++)
        pthread_join(ring->hands[i].thread, NULL);
    for (int i = 1; ring->hands && i < ring->hand_count; i++)
        sw__hasher_free(ring->hands[i].hasher);
    pthread_cond_destroy(&ring->work_done);
    pthread_cond_destroy(&ring->work_there);
    pthread_mutex_destroy(&ring->lock);
    sw__free(ring->env, ring->hands);
    sw__free(ring->env, ring->done);
    sw__free(ring->env, ring);
}
