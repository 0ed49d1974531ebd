/* Growing the tree, and checking proofs; wish.c makes them. */
#include "audit/tree.h"

#include <string.h>

#include "stepwell/error.h"

#define TREE_HASH_SIZE 32

int sw__tree_leaf(sw__hasher *hasher, sw_str entry, uint8_t hash[32])
{
    const sw_str parts[] = {{"\x00", 1}, entry};
    return sw__hash(hasher, parts, 2, hash);
}

int sw__tree_join(sw__hasher *hasher, const uint8_t left[32], const uint8_t right[32],
                  uint8_t hash[32])
{
    const sw_str parts[] = {
        {"\x01", 1},
        {(const char *)left, TREE_HASH_SIZE},
        {(const char *)right, TREE_HASH_SIZE},
    };
    return sw__hash(hasher, parts, 3, hash);
}

/* Like adding to a number: each bit that is set carries into the next. */
static int tree_carry(sw__tree *tree, sw__hasher *hasher, int32_t level, const uint8_t added[32],
                      sw__tree_wish *wish)
{
    int64_t grown = tree->size + (INT64_C(1) << level);
    uint8_t hash[TREE_HASH_SIZE];
    memcpy(hash, added, sizeof(hash));
    for (;;) {
        if (wish)
            sw__tree_wish_take(wish, level, tree->size >> level, hash);
        if (!(tree->size >> level & 1))
            break;
        if (sw__tree_join(hasher, tree->nodes[level], hash, hash) < 0)
            return SW_ENOMEM;
        level++;
    }
    memcpy(tree->nodes[level], hash, sizeof(hash));
    tree->size = grown;
    return SW_OK;
}

int sw__tree_add(sw__tree *tree, sw__hasher *hasher, const uint8_t leaf[32], sw__tree_wish *wish)
{
    return tree_carry(tree, hasher, 0, leaf, wish);
}

int sw__tree_graft(sw__tree *tree, sw__hasher *hasher, int32_t level, const uint8_t hash[32])
{
    return tree_carry(tree, hasher, level, hash, NULL);
}

int sw__tree_root(const sw__tree *tree, sw__hasher *hasher, uint8_t root[32])
{
    bool begun = false;
    if (tree->size == 0)
        return sw__hash(hasher, NULL, 0, root);
    for (int32_t level = 0; level <= SW__TREE_LEVELS; level++) {
        if (!(tree->size >> level & 1))
            continue;
        if (!begun)
            memcpy(root, tree->nodes[level], TREE_HASH_SIZE);
        else if (sw__tree_join(hasher, tree->nodes[level], root, root) < 0)
            return SW_ENOMEM;
        begun = true;
    }
    return SW_OK;
}

/* RFC 9162, 2.1.3.2: climb from the leaf; where the path is at the right edge of the tree, levels
 * without a right neighbour are skipped. */
int sw__tree_check_inclusion(sw__hasher *hasher, const uint8_t leaf[32], int64_t index,
                             int64_t size, const sw__tree_proof *proof, const uint8_t root[32])
{
    uint8_t hash[TREE_HASH_SIZE];
    if (index < 0 || size < 1 || size > SW__TREE_SIZE_MAX || index >= size)
        return 0;
    int64_t last = size - 1;
    memcpy(hash, leaf, sizeof(hash));
    for (int32_t i = 0; i < proof->count; i++) {
        int rc;
        if (last == 0)
            return 0;
        if (index & 1 || index == last) {
            rc = sw__tree_join(hasher, proof->hashes[i], hash, hash);
            for (; !(index & 1) && index != 0; index >>= 1)
                last >>= 1;
        } else {
            rc = sw__tree_join(hasher, hash, proof->hashes[i], hash);
        }
        if (rc < 0)
            return rc;
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, sizeof(hash)) == 0;
}

/* The same climb from the last complete subtree of the old tree, for both roots at once. */
static int tree_climb(sw__hasher *hasher, int64_t at, int64_t last, const sw__tree_proof *proof,
                      int32_t first, uint8_t old_hash[32], uint8_t hash[32])
{
    for (int32_t i = first; i < proof->count; i++) {
        const uint8_t *next = proof->hashes[i];
        if (last == 0)
            return 0;
        if (at & 1 || at == last) {
            if (sw__tree_join(hasher, next, old_hash, old_hash) < 0 ||
                sw__tree_join(hasher, next, hash, hash) < 0)
                return SW_ENOMEM;
            for (; !(at & 1) && at != 0; at >>= 1)
                last >>= 1;
        } else if (sw__tree_join(hasher, hash, next, hash) < 0) {
            return SW_ENOMEM;
        }
        at >>= 1;
        last >>= 1;
    }
    return last == 0;
}

/* RFC 9162, 2.1.4.2. */
int sw__tree_check_consistency(sw__hasher *hasher, int64_t old, int64_t size,
                               const sw__tree_proof *proof, const uint8_t old_root[32],
                               const uint8_t root[32])
{
    uint8_t old_hash[TREE_HASH_SIZE];
    uint8_t hash[TREE_HASH_SIZE];
    if (old < 1 || size > SW__TREE_SIZE_MAX || old > size)
        return 0;
    int64_t at = old - 1;
    int64_t last = size - 1;
    if (old == size)
        return proof->count == 0 && memcmp(old_root, root, sizeof(hash)) == 0;
    for (; at & 1; at >>= 1)
        last >>= 1;
    /* An old tree that is complete is where the climb begins, and not part of the proof. */
    int32_t first = at != 0;
    if (first && proof->count == 0)
        return 0;
    memcpy(hash, first ? proof->hashes[0] : old_root, sizeof(hash));
    memcpy(old_hash, hash, sizeof(hash));
    int rc = tree_climb(hasher, at, last, proof, first, old_hash, hash);
    if (rc <= 0)
        return rc;
    return memcmp(old_hash, old_root, sizeof(hash)) == 0 && memcmp(hash, root, sizeof(hash)) == 0;
}

#undef TREE_HASH_SIZE
