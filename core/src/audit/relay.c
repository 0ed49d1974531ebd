/* Hashing segments while they wait to be judged; see relay.h.
 *
 * Batches go round: batch n lies in slot n modulo their number. The caller fills one, whoever has
 * nothing to do hashes the lowest that nobody has, and the caller judges them in order, once there
 * is no room for another. Whoever waits for a batch hashes others meanwhile, so that a machine
 * without threads takes the same way. Only the caller asks for memory. Numbers and done are guarded
 * by the lock; a batch belongs to whoever fills, hashes or judges it. */
#include "audit/relay.h"

#include <pthread.h>
#include <string.h>

#include "audit/segment.h"
#include "base/env.h"
#include "base/error.h"
#include "base/thread.h"

#define RELAY_SLOTS 2 /* for each job: one that is hashed, one that waits for its turn */
#define RELAY_BYTES 65536
#define RELAY_SEGMENTS 256

typedef struct relay_batch {
    int count;
    sw__segment segments[RELAY_SEGMENTS]; /* without bodies */
    sw__hashed hashed[RELAY_SEGMENTS];
    size_t places[RELAY_SEGMENTS]; /* of each body in bytes, and of its nodes in nodes */
    size_t node_places[RELAY_SEGMENTS];
    sw__buf bytes;
    sw__buf nodes;
    int rc; /* of hashing: SW_OK or SW_ENOMEM */
    bool done;
} relay_batch;

typedef struct relay_hand {
    sw__relay *relay;
    sw__hasher *hasher;
    pthread_t thread;
} relay_hand;

struct sw__relay {
    const sw_env *env;
    sw__relay_judge judge;
    void *context;
    bool stopping;
    bool failed;     /* judging: nothing more is judged */
    int64_t filled;  /* batches that are full */
    int64_t claimed; /* of them, those that somebody hashes or has hashed */
    int64_t judged;
    relay_batch *slots; /* the one behind the filled ones is being filled */
    int slot_count;
    relay_hand *hands; /* the first is that of the caller */
    int hand_count;
    int thread_count; /* hands[1] to hands[thread_count] have a thread that runs */
    pthread_mutex_t lock;
    pthread_cond_t full; /* there is something to claim, or nothing any more */
    pthread_cond_t done; /* a batch is done */
};

/* One segment. */

/* Subtrees of a range of leaves: no more than two on each level. */
static size_t relay_nodes_most(int64_t entry_count)
{
    size_t levels = 1;
    for (; entry_count > 1; entry_count >>= 1)
        levels++;
    return 2 * levels;
}

/* One more leaf on the right of a range that begins at first; it completes subtrees as far as they
 * lie in the range. */
static int hashed_add(sw__hashed *hashed, sw__hasher *hasher, int64_t first, int64_t index,
                      sw_str entry)
{
    sw__hashed_node *node = &hashed->nodes[hashed->node_count];
    node->level = 0;
    if (sw__tree_leaf(hasher, entry, node->hash) < 0)
        return SW_ENOMEM;
    while (index >> node->level & 1 && ((index >> node->level) - 1) << node->level >= first) {
        sw__hashed_node *left = node - 1;
        if (sw__tree_join(hasher, left->hash, node->hash, left->hash) < 0)
            return SW_ENOMEM;
        left->level++;
        node = left;
    }
    hashed->node_count = (int32_t)(node - hashed->nodes) + 1;
    return SW_OK;
}

/* A segment that cannot be read is left to whoever judges it. */
static int hashed_leaves(sw__hashed *hashed, sw__hasher *hasher, const sw__segment *segment)
{
    sw__body body;
    int64_t number = 0;
    int64_t other = 0;
    int64_t first = segment->entry_first - 1;
    bool good = sw__segment_sound(segment) && sw__body_open(&body, segment->body);
    for (int64_t i = 0; good && i < body.task_count; i++)
        good = sw__body_task(&body, &number, &other);
    for (int64_t i = 0; good && i < segment->entry_count; i++) {
        sw_str entry;
        good = sw__body_bytes(&body, &number, &entry);
        if (good && hashed_add(hashed, hasher, first, first + i, entry) < 0)
            return SW_ENOMEM;
    }
    hashed->whole = good && sw__body_close(&body);
    return SW_OK;
}

/* Batches. */

static sw__segment batch_segment(const relay_batch *batch, int at)
{
    sw__segment segment = batch->segments[at];
    segment.body.ptr = (const char *)batch->bytes.ptr + batch->places[at];
    return segment;
}

static int batch_hash(relay_batch *batch, sw__hasher *hasher)
{
    int rc = SW_OK;
    for (int i = 0; rc == SW_OK && i < batch->count; i++) {
        sw__segment segment = batch_segment(batch, i);
        sw__hashed *hashed = &batch->hashed[i];
        *hashed = (sw__hashed){.nodes = (sw__hashed_node *)(void *)batch->nodes.ptr +
                                        batch->node_places[i]};
        rc = sw__segment_hash(hasher, &segment, hashed->hash);
        if (rc == SW_OK)
            rc = hashed_leaves(hashed, hasher, &segment);
    }
    return rc;
}

static int batch_put(relay_batch *batch, const sw__segment *segment)
{
    size_t most = relay_nodes_most(segment->entry_count) * sizeof(sw__hashed_node);
    sw__segment *own = &batch->segments[batch->count];
    if (!sw__buf_reserve(&batch->bytes, segment->body.len) || !sw__buf_reserve(&batch->nodes, most))
        return SW_ENOMEM;
    batch->places[batch->count] = batch->bytes.len;
    batch->node_places[batch->count] = batch->nodes.len / sizeof(sw__hashed_node);
    batch->nodes.len += most;
    sw__buf_put_str(&batch->bytes, segment->body);
    *own = *segment;
    batch->count++;
    return SW_OK;
}

static void batch_clear(relay_batch *batch)
{
    sw__buf_clear(&batch->bytes);
    sw__buf_clear(&batch->nodes);
    batch->count = 0;
    batch->done = false;
}

/* Whose turn it is; the lock is held. */

static relay_batch *relay_at(const sw__relay *relay, int64_t number)
{
    return &relay->slots[number % relay->slot_count];
}

static void relay_work(sw__relay *relay, const relay_hand *hand)
{
    relay_batch *batch = relay_at(relay, relay->claimed++);
    pthread_mutex_unlock(&relay->lock);
    int rc = batch_hash(batch, hand->hasher);
    pthread_mutex_lock(&relay->lock);
    batch->rc = rc;
    batch->done = true;
    pthread_cond_signal(&relay->done);
}

static void *relay_main(void *argument)
{
    relay_hand *hand = argument;
    sw__relay *relay = hand->relay;
    pthread_mutex_lock(&relay->lock);
    while (!relay->stopping) {
        if (relay->claimed < relay->filled)
            relay_work(relay, hand);
        else
            pthread_cond_wait(&relay->full, &relay->lock);
    }
    pthread_mutex_unlock(&relay->lock);
    return NULL;
}

static void relay_await(sw__relay *relay, const relay_batch *batch)
{
    pthread_mutex_lock(&relay->lock);
    while (!batch->done) {
        if (relay->claimed < relay->filled)
            relay_work(relay, &relay->hands[0]);
        else
            pthread_cond_wait(&relay->done, &relay->lock);
    }
    pthread_mutex_unlock(&relay->lock);
}

/* The caller. */

static int relay_judge_next(sw__relay *relay, sw_error *err)
{
    relay_batch *batch = relay_at(relay, relay->judged);
    relay_await(relay, batch);
    int rc = batch->rc < 0 ? sw__fail(err, batch->rc, NULL) : SW_OK;
    for (int i = 0; rc == SW_OK && i < batch->count; i++) {
        sw__segment segment = batch_segment(batch, i);
        rc = relay->judge(relay->context, &segment, &batch->hashed[i], err);
    }
    batch_clear(batch);
    relay->judged++;
    relay->failed = rc < 0;
    return rc;
}

static void relay_pass_on(sw__relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    relay->filled++;
    pthread_cond_signal(&relay->full);
    pthread_mutex_unlock(&relay->lock);
}

/* Not before there is a full batch: a short log is hashed sooner than a thread starts. */
static void relay_start(sw__relay *relay)
{
    for (int i = 1; i < relay->hand_count; i++) {
        relay_hand *hand = &relay->hands[i];
        if (sw__thread_start(&hand->thread, relay_main, hand, NULL) < 0)
            return; /* those that there are do all of it */
        relay->thread_count++;
    }
}

int sw__relay_put(sw__relay *relay, const sw__segment *segment, sw_error *err)
{
    relay_batch *batch = relay_at(relay, relay->filled);
    if (batch_put(batch, segment) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (batch->count < RELAY_SEGMENTS && batch->bytes.len < RELAY_BYTES)
        return SW_OK;
    if (relay->filled == 0)
        relay_start(relay);
    relay_pass_on(relay);
    return relay->filled - relay->judged < relay->slot_count ? SW_OK : relay_judge_next(relay, err);
}

int sw__relay_end(sw__relay *relay, sw_error *err)
{
    int rc = SW_OK;
    if (relay_at(relay, relay->filled)->count > 0)
        relay_pass_on(relay);
    while (!relay->failed && relay->judged < relay->filled)
        rc = relay_judge_next(relay, err);
    return rc;
}

/* Beginning and end. */

static int relay_memory(sw__relay *relay, sw__hasher *hasher)
{
    relay->slots = sw__calloc(relay->env, (size_t)relay->slot_count, sizeof(*relay->slots));
    relay->hands = sw__calloc(relay->env, (size_t)relay->hand_count, sizeof(*relay->hands));
    for (int i = 0; relay->slots && i < relay->slot_count; i++) {
        sw__buf_init(&relay->slots[i].bytes, relay->env);
        sw__buf_init(&relay->slots[i].nodes, relay->env);
    }
    for (int i = 0; relay->hands && i < relay->hand_count; i++) {
        relay->hands[i].relay = relay;
        relay->hands[i].hasher = i == 0 ? hasher : sw__hasher_new(relay->env);
        if (!relay->hands[i].hasher)
            return SW_ENOMEM;
    }
    return relay->slots && relay->hands ? SW_OK : SW_ENOMEM;
}

int sw__relay_open(sw__relay **out, const sw_env *env, sw__hasher *hasher, int32_t jobs,
                   sw__relay_judge judge, void *context, sw_error *err)
{
    sw__relay *relay = sw__calloc(env, 1, sizeof(*relay));
    *out = relay;
    if (!relay)
        return sw__fail(err, SW_ENOMEM, NULL);
    relay->env = env;
    relay->judge = judge;
    relay->context = context;
    relay->hand_count = jobs;
    relay->slot_count = RELAY_SLOTS * jobs;
    pthread_mutex_init(&relay->lock, NULL);
    pthread_cond_init(&relay->full, NULL);
    pthread_cond_init(&relay->done, NULL);
    if (relay_memory(relay, hasher) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

void sw__relay_close(sw__relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&relay->lock);
    relay->stopping = true;
    pthread_cond_broadcast(&relay->full);
    pthread_mutex_unlock(&relay->lock);
    for (int i = 1; i <= relay->thread_count; i++)
        pthread_join(relay->hands[i].thread, NULL);
    for (int i = 1; relay->hands && i < relay->hand_count; i++)
        sw__hasher_free(relay->hands[i].hasher);
    for (int i = 0; relay->slots && i < relay->slot_count; i++) {
        sw__buf_free(&relay->slots[i].bytes);
        sw__buf_free(&relay->slots[i].nodes);
    }
    pthread_cond_destroy(&relay->done);
    pthread_cond_destroy(&relay->full);
    pthread_mutex_destroy(&relay->lock);
    sw__free(relay->env, relay->hands);
    sw__free(relay->env, relay->slots);
    sw__free(relay->env, relay);
}

#undef RELAY_SLOTS
#undef RELAY_BYTES
#undef RELAY_SEGMENTS
