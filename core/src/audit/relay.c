/* Hashing segments while they wait to be judged; see relay.h.
 *
 * They go round in batches (ring.h): the caller fills one, any thread hashes it, and the caller
 * judges the oldest once there is no room for another. Only the caller asks for memory. */
#include "audit/relay.h"

#include <string.h>

#include "audit/ring.h"
#include "audit/segment.h"
#include "base/env.h"
#include "base/error.h"

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
} relay_batch;

struct sw__relay {
    const sw_env *env;
    sw__relay_judge judge;
    void *context;
    bool failed; /* judging: nothing more is judged */
    sw__ring *ring;
    relay_batch *batches; /* by slot */
    int batch_count;
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
}

static void relay_work(void *context, int slot, sw__hasher *hasher)
{
    const sw__relay *relay = context;
    relay_batch *batch = &relay->batches[slot];
    batch->rc = batch_hash(batch, hasher);
}

/* The caller. */

/* The oldest batch; 1 when there is none. */
static int relay_judge_next(sw__relay *relay, sw_error *err)
{
    int slot = sw__ring_take(relay->ring);
    if (slot < 0)
        return 1;
    relay_batch *batch = &relay->batches[slot];
    int rc = batch->rc < 0 ? sw__fail(err, batch->rc, NULL) : SW_OK;
    for (int i = 0; rc == SW_OK && i < batch->count; i++) {
        sw__segment segment = batch_segment(batch, i);
        rc = relay->judge(relay->context, &segment, &batch->hashed[i], err);
    }
    batch_clear(batch);
    sw__ring_release(relay->ring);
    relay->failed = rc < 0;
    return rc;
}

int sw__relay_put(sw__relay *relay, const sw__segment *segment, sw_error *err)
{
    relay_batch *batch = &relay->batches[sw__ring_room(relay->ring)];
    if (batch_put(batch, segment) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (batch->count < RELAY_SEGMENTS && batch->bytes.len < RELAY_BYTES)
        return SW_OK;
    sw__ring_put(relay->ring);
    return sw__ring_room(relay->ring) >= 0 ? SW_OK : relay_judge_next(relay, err);
}

int sw__relay_end(sw__relay *relay, sw_error *err)
{
    int rc = SW_OK;
    if (relay->batches[sw__ring_room(relay->ring)].count > 0)
        sw__ring_put(relay->ring);
    while (!relay->failed && rc == SW_OK)
        rc = relay_judge_next(relay, err);
    return rc < 0 ? rc : SW_OK;
}

/* Beginning and end. */

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
    relay->batch_count = SW__RING_SLOTS(jobs);
    relay->batches = sw__calloc(env, (size_t)relay->batch_count, sizeof(*relay->batches));
    for (int i = 0; relay->batches && i < relay->batch_count; i++) {
        sw__buf_init(&relay->batches[i].bytes, env);
        sw__buf_init(&relay->batches[i].nodes, env);
    }
    if (!relay->batches || sw__ring_open(&relay->ring, env, hasher, jobs, relay_work, relay) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

void sw__relay_close(sw__relay *relay)
{
    if (!relay)
        return;
    sw__ring_close(relay->ring);
    for (int i = 0; relay->batches && i < relay->batch_count; i++) {
        sw__buf_free(&relay->batches[i].bytes);
        sw__buf_free(&relay->batches[i].nodes);
    }
    sw__free(relay->env, relay->batches);
    sw__free(relay->env, relay);
}

#undef RELAY_BYTES
#undef RELAY_SEGMENTS
