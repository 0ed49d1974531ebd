/* The segments of a database on their way to whoever judges them, hashed by several threads while
 * they wait. Not here: what is judged, which is done by one thread, in order, so that the answer is
 * the same for any number of threads (verify.c); bundles of an exported folder (ahead.h).
 */
#ifndef SW_AUDIT_RELAY_H
#define SW_AUDIT_RELAY_H

#include "audit/tree.h"
#include "store/store.h"

typedef struct sw__relay sw__relay;

/* A complete subtree of 2^level entries. */
typedef struct sw__hashed_node {
    int32_t level;
    uint8_t hash[32];
} sw__hashed_node;

/* What can be said of a segment alone. */
typedef struct sw__hashed {
    uint8_t hash[32]; /* that its content gives */
    bool whole;       /* it can be read to its end, so that nodes are those of all its entries */
    sw__hashed_node *nodes; /* where its entry_first says that they stand, from left to right */
    int32_t node_count;
} sw__hashed;

/* Gets each segment in the order in which they were put; below 0 is an error and ends the walk. */
typedef int (*sw__relay_judge)(void *context, const sw__segment *segment, const sw__hashed *hashed,
                               sw_error *err);

/* jobs threads at a time, the caller's among them, which is the one that judges; two batches for each
 * are in memory at most, of 64 KB or of one segment. A machine that gives fewer threads gets the work
 * done by those. env and hasher are borrowed until close.
 * errors: SW_ENOMEM. */
int sw__relay_open(sw__relay **out, const sw_env *env, sw__hasher *hasher, int32_t jobs,
                   sw__relay_judge judge, void *context, sw_error *err);
/* The next segment, which is copied. errors: SW_ENOMEM, those of judge. */
int sw__relay_put(sw__relay *relay, const sw__segment *segment, sw_error *err);
/* There is none behind the last one: all that wait are judged. The same. */
int sw__relay_end(sw__relay *relay, sw_error *err);
/* Ends the threads, also before the end; NULL is none. */
void sw__relay_close(sw__relay *relay);

#endif
