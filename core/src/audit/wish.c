/* Making proofs: which subtrees each hash of a proof is made of, and putting them together.
 *
 * Every hash of a proof is the root of a range of leaves. All ranges are complete subtrees but at
 * most one, at the right edge of the tree, which is made of several. */
#include <stdlib.h>
#include <string.h>

#include "audit/tree.h"

void sw__tree_wish_init(sw__tree_wish *wish, const sw_env *env)
{
    *wish = (sw__tree_wish){0};
    sw__buf_init(&wish->nodes, env);
}

void sw__tree_wish_free(sw__tree_wish *wish)
{
    sw__buf_free(&wish->nodes);
}

static sw__tree_node *wish_nodes(const sw__tree_wish *wish, size_t *count)
{
    *count = wish->nodes.len / sizeof(sw__tree_node);
    return (sw__tree_node *)(void *)wish->nodes.ptr;
}

/* The largest power of two below n, as an exponent; n > 1. */
static int32_t wish_split(int64_t n)
{
    int32_t level = 0;
    while ((n - 1) >> (level + 1))
        level++;
    return level;
}

/* Leaves begin to end - 1 as complete subtrees, from left to right; begin is where one as large as
 * the range could begin. */
static int wish_range(sw__tree_wish *wish, int32_t proof, int32_t place, int64_t begin, int64_t end)
{
    while (begin < end) {
        int32_t level = 0;
        while ((end - begin) >> (level + 1))
            level++;
        sw__tree_node node = {
            .index = begin >> level, .level = level, .proof = proof, .place = place};
        sw__buf_put(&wish->nodes, &node, sizeof(node));
        begin += INT64_C(1) << level;
    }
    wish->order = SW__WISH_ANY;
    return wish->nodes.failed ? SW_ENOMEM : SW_OK;
}

/* The hashes beside the way from the root down to the subtree that ends at leaf target, until only
 * leaves begin to begin + size - 1 are left; place counts the hashes from the last to the first. */
static int wish_descend(sw__tree_wish *wish, int32_t proof, int64_t target, int64_t *begin,
                        int64_t *size, int32_t *place, bool whole)
{
    int rc = SW_OK;
    while (rc == SW_OK && *size > 1 && !(whole && target == *begin + *size - 1)) {
        int64_t left = INT64_C(1) << wish_split(*size);
        int64_t middle = *begin + left;
        if (target < middle) {
            rc = wish_range(wish, proof, (*place)++, middle, *begin + *size);
            *size = left;
        } else {
            rc = wish_range(wish, proof, (*place)++, *begin, middle);
            *begin = middle;
            *size -= left;
        }
    }
    return rc;
}

/* RFC 9162, 2.1.3.1: down to the leaf. */
int sw__tree_wish_inclusion(sw__tree_wish *wish, int32_t proof, int64_t index, int64_t size)
{
    int64_t begin = 0;
    int32_t place = 0;
    return wish_descend(wish, proof, index, &begin, &size, &place, false);
}

/* RFC 9162, 2.1.4.1: down to the largest subtree that the last leaf of the old tree ends. */
int sw__tree_wish_consistency(sw__tree_wish *wish, int32_t proof, int64_t old, int64_t size)
{
    int64_t begin = 0;
    int32_t place = 0;
    int rc = wish_descend(wish, proof, old - 1, &begin, &size, &place, true);
    /* What remains is the old tree itself where nothing lies before it; its root is known then. */
    if (rc == SW_OK && begin > 0)
        rc = wish_range(wish, proof, place, begin, begin + size);
    return rc;
}

/* In the order in which a growing tree completes subtrees: by last leaf, then from small to
 * large. */
static int wish_by_completion(const void *a, const void *b)
{
    const sw__tree_node *left = a;
    const sw__tree_node *right = b;
    int64_t left_end = (left->index + 1) << left->level;
    int64_t right_end = (right->index + 1) << right->level;
    if (left_end != right_end)
        return (left_end > right_end) - (left_end < right_end);
    return (left->level > right->level) - (left->level < right->level);
}

void sw__tree_wish_take(sw__tree_wish *wish, int32_t level, int64_t index, const uint8_t hash[32])
{
    size_t count = 0;
    sw__tree_node *nodes = wish_nodes(wish, &count);
    if (wish->order != SW__WISH_BY_COMPLETION && count > 1)
        qsort(nodes, count, sizeof(*nodes), wish_by_completion);
    wish->order = SW__WISH_BY_COMPLETION;
    while (wish->next < count && nodes[wish->next].level == level &&
           nodes[wish->next].index == index) {
        memcpy(nodes[wish->next].hash, hash, sizeof(nodes->hash));
        nodes[wish->next++].known = true;
    }
}

int sw__tree_wish_fill(sw__tree_wish *wish, sw__tree_fetch fetch, void *context, sw_error *err)
{
    size_t count = 0;
    sw__tree_node *nodes = wish_nodes(wish, &count);
    for (size_t i = 0; i < count; i++) {
        int rc = fetch(context, nodes[i].level, nodes[i].index, nodes[i].hash, err);
        if (rc < 0)
            return rc;
        nodes[i].known = true;
    }
    return SW_OK;
}

/* By proof, and in each from the root down, from left to right. */
static int wish_by_proof(const void *a, const void *b)
{
    const sw__tree_node *left = a;
    const sw__tree_node *right = b;
    if (left->proof != right->proof)
        return (left->proof > right->proof) - (left->proof < right->proof);
    if (left->place != right->place)
        return (left->place > right->place) - (left->place < right->place);
    return wish_by_completion(a, b);
}

/* Where the nodes of a proof begin. */
static const sw__tree_node *wish_find(const sw__tree_node *nodes, size_t count, int32_t proof)
{
    while (count > 0) {
        size_t half = count / 2;
        bool before = nodes[half].proof < proof;
        nodes += before ? half + 1 : 0;
        count = before ? count - half - 1 : half;
    }
    return nodes;
}

/* From the last node to the first: a place of several subtrees is joined from the right. */
int sw__tree_wish_proof(sw__tree_wish *wish, sw__hasher *hasher, int32_t proof, sw__tree_proof *out)
{
    size_t count = 0;
    sw__tree_node *nodes = wish_nodes(wish, &count);
    if (wish->order != SW__WISH_BY_PROOF && count > 1)
        qsort(nodes, count, sizeof(*nodes), wish_by_proof);
    wish->order = SW__WISH_BY_PROOF;
    out->count = 0;
    const sw__tree_node *first = wish_find(nodes, count, proof);
    size_t left = (size_t)(wish_find(nodes, count, proof + 1) - first);
    for (size_t i = left; i-- > 0;) {
        const sw__tree_node *node = &first[i];
        bool begun = i + 1 < left && node[1].place == node->place;
        if (!node->known)
            return SW_ENOTFOUND;
        if (!begun)
            memcpy(out->hashes[out->count++], node->hash, sizeof(node->hash));
        else if (sw__tree_join(hasher, node->hash, out->hashes[out->count - 1],
                               out->hashes[out->count - 1]) < 0)
            return SW_ENOMEM;
    }
    return SW_OK;
}
