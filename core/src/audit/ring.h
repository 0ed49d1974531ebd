/* Pieces of work in slots that go round: one thread fills them and takes them back in the order in
 * which it filled them, several do the work in between. Not here: what the work is, and what lies
 * in a slot, which is its user's (relay.h, ahead.h).
 *
 *     while ((slot = sw__ring_room(ring)) >= 0)      fill slot, sw__ring_put(ring)
 *     while ((slot = sw__ring_take(ring)) >= 0)      use slot, sw__ring_release(ring)
 */
#ifndef SW_AUDIT_RING_H
#define SW_AUDIT_RING_H

#include "base/hash.h"

typedef struct sw__ring sw__ring;

/* Do the work that lies in a slot, in any thread; it is nobody else's until this returns. How it
 * ended is left in the slot. */
typedef void (*sw__ring_work)(void *context, int slot, sw__hasher *hasher);

/* For each thread one slot that is worked on, and one that waits for its turn. */
#define SW__RING_SLOTS(jobs) (2 * (jobs))

/* jobs threads, the caller's among them, with SW__RING_SLOTS(jobs) slots; one thread takes the same
 * way as several. A machine that gives fewer threads gets the work done by those. None is started
 * before there is a second piece of work. env and hasher are borrowed until close, which is called
 * in any case. 0 or SW_ENOMEM. */
int sw__ring_open(sw__ring **out, const sw_env *env, sw__hasher *hasher, int32_t jobs,
                  sw__ring_work work, void *context);
/* The slot that is filled next, -1 while all are in use; then it is filled. */
int sw__ring_room(const sw__ring *ring);
void sw__ring_put(sw__ring *ring);
/* The oldest slot, once its work is done, the caller doing what there is meanwhile; -1 when all were
 * taken back. It is the caller's until it is released. */
int sw__ring_take(sw__ring *ring);
void sw__ring_release(sw__ring *ring);
/* Ends the threads, also while there is work that nobody has begun; NULL is none. */
void sw__ring_close(sw__ring *ring);

#endif
