/* The Merkle tree over the entries of the log, as RFC 9162 (and RFC 6962 before it) defines it: a
 * leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right), and a tree whose size is
 * no power of two splits at the largest one below it. Leaf i is entry i + 1.
 *
 * Pure: hashes in, hashes out. A tree that grows keeps one hash per bit of its size, the roots of
 * its complete subtrees from left to right. A proof needs other subtrees too, so it is wished for
 * first and filled while the leaves pass by once, or from wherever subtrees are kept: the whole
 * tree is never in memory.
 *
 *     sw__tree_wish_inclusion(&wish, 0, 6, 7);       which subtrees prove leaf 6 of 7
 *     for each leaf: sw__tree_add(&tree, hasher, leaf, &wish);
 *     sw__tree_wish_proof(&wish, hasher, 0, &proof);
 */
#ifndef SW_AUDIT_TREE_H
#define SW_AUDIT_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "stepwell/error.h"

#define SW__TREE_LEVELS 62
#define SW__TREE_SIZE_MAX (INT64_C(1) << SW__TREE_LEVELS)
#define SW__TREE_PROOF_MAX (SW__TREE_LEVELS + 1) /* hashes of the longest proof */

/* A tree that grows. All zero is the empty tree. nodes[i] is the root of the complete subtree of
 * 2^i leaves where bit i of size is set, and means nothing where it is not. */
typedef struct sw__tree {
    int64_t size;
    uint8_t nodes[SW__TREE_LEVELS + 1][32];
} sw__tree;

/* The complete subtree over leaves index << level to ((index + 1) << level) - 1. */
typedef struct sw__tree_node {
    int64_t index;
    int32_t level;
    int32_t proof; /* of the proof that wants it, its number and the place of the hash in it */
    int32_t place;
    bool known;
    uint8_t hash[32];
} sw__tree_node;

/* The subtrees that some proofs need: all are wished for, then a tree grows from the first leaf or
 * from before all of them, then the proofs are put together. */
typedef struct sw__tree_wish {
    sw__buf nodes; /* sw__tree_node */
    size_t next;   /* the first one that is not complete yet */
    enum { SW__WISH_ANY, SW__WISH_BY_COMPLETION, SW__WISH_BY_PROOF } order;
} sw__tree_wish;

typedef struct sw__tree_proof {
    int32_t count;
    uint8_t hashes[SW__TREE_PROOF_MAX][32];
} sw__tree_proof;

/* All answer 0 or SW_ENOMEM. */
int sw__tree_leaf(sw__hasher *hasher, sw_str entry, uint8_t hash[32]);
int sw__tree_join(sw__hasher *hasher, const uint8_t left[32], const uint8_t right[32],
                  uint8_t hash[32]);
/* Add a leaf's hash; wish gets the subtrees that it completes, and may be NULL. */
int sw__tree_add(sw__tree *tree, sw__hasher *hasher, const uint8_t leaf[32], sw__tree_wish *wish);
/* Add a complete subtree of 2^level leaves to a tree whose size is a multiple of that. */
int sw__tree_graft(sw__tree *tree, sw__hasher *hasher, int32_t level, const uint8_t hash[32]);
int sw__tree_root(const sw__tree *tree, sw__hasher *hasher, uint8_t root[32]);

void sw__tree_wish_init(sw__tree_wish *wish, const sw_env *env);
void sw__tree_wish_free(sw__tree_wish *wish);
/* Wish for proof number `proof`: that leaf index is in the tree of size leaves (0 <= index < size),
 * or that the tree of old leaves is the beginning of it (0 < old <= size). 0 or SW_ENOMEM. */
int sw__tree_wish_inclusion(sw__tree_wish *wish, int32_t proof, int64_t index, int64_t size);
int sw__tree_wish_consistency(sw__tree_wish *wish, int32_t proof, int64_t old, int64_t size);
/* The tree has completed this subtree. */
void sw__tree_wish_take(sw__tree_wish *wish, int32_t level, int64_t index, const uint8_t hash[32]);
/* Fill whatever is wished for from where subtrees are kept. errors: those of fetch. */
typedef int (*sw__tree_fetch)(void *context, int32_t level, int64_t index, uint8_t hash[32],
                              sw_error *err);
int sw__tree_wish_fill(sw__tree_wish *wish, sw__tree_fetch fetch, void *context, sw_error *err);
/* Put the proof together. 0, SW_ENOMEM, or SW_ENOTFOUND when a subtree has not come by. */
int sw__tree_wish_proof(sw__tree_wish *wish, sw__hasher *hasher, int32_t proof,
                        sw__tree_proof *out);

/* Whether the proof holds: 1 or 0, or SW_ENOMEM. Any numbers and any proof may be given. */
int sw__tree_check_inclusion(sw__hasher *hasher, const uint8_t leaf[32], int64_t index,
                             int64_t size, const sw__tree_proof *proof, const uint8_t root[32]);
int sw__tree_check_consistency(sw__hasher *hasher, int64_t old, int64_t size,
                               const sw__tree_proof *proof, const uint8_t old_root[32],
                               const uint8_t root[32]);

#endif
