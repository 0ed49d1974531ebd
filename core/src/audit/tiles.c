/* Cutting the tree into tiles; see tiles.h. A full tile's root is one element of the level above,
 * so no more than one tile of each level is in memory. */
#include "audit/tiles.h"

#include <stdio.h>
#include <string.h>

#include "audit/entry.h"
#include "base/error.h"

#define TILE_GROUPS_MAX 7 /* of three digits, of an int64 */

void sw__tiles_init(sw__tiles *tiles, const sw_env *env, sw__hasher *hasher, sw__tile_put put,
                    void *context)
{
    *tiles = (sw__tiles){.hasher = hasher, .put = put, .context = context};
    sw__buf_init(&tiles->bundle, env);
    for (int i = 0; i < SW__TILE_LEVELS; i++)
        sw__buf_init(&tiles->hashes[i], env);
}

void sw__tiles_free(sw__tiles *tiles)
{
    for (int i = 0; i < SW__TILE_LEVELS; i++)
        sw__buf_free(&tiles->hashes[i]);
    sw__buf_free(&tiles->bundle);
}

/* Three digits for each folder, all but the last behind an "x". */
void sw__tile_path(char path[SW__TILE_PATH_SIZE], int level, int64_t number, int width)
{
    int groups[TILE_GROUPS_MAX];
    int count = 0;
    int used = level < 0 ? snprintf(path, SW__TILE_PATH_SIZE, "tile/entries")
                         : snprintf(path, SW__TILE_PATH_SIZE, "tile/%d", level);
    do {
        groups[count++] = (int)(number % 1000);
        number /= 1000;
    } while (number > 0);
    while (count-- > 0)
        used += snprintf(path + used, SW__TILE_PATH_SIZE - (size_t)used, "/%s%03d",
                         count > 0 ? "x" : "", groups[count]);
    if (width < SW__TILE_WIDTH)
        snprintf(path + used, SW__TILE_PATH_SIZE - (size_t)used, ".p/%d", width);
}

/* Give a tile of the last width elements out. */
static int tiles_put(sw__tiles *tiles, int level, int64_t count, int width, sw__buf *content,
                     sw_error *err)
{
    char path[SW__TILE_PATH_SIZE];
    if (content->failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__tile_path(path, level, (count - 1) / SW__TILE_WIDTH, width);
    int rc = tiles->put(tiles->context, path, level, count - width, sw__buf_str(content), err);
    sw__buf_clear(content);
    return rc;
}

/* The hashes are nodes, not leaves; but above the leaves all levels are joined alike. */
int sw__tile_join(sw__hasher *hasher, const uint8_t *hashes, size_t count, sw__tree *tree)
{
    *tree = (sw__tree){0};
    for (size_t i = 0; i < count; i++) {
        if (sw__tree_add(tree, hasher, hashes + 32 * i, NULL) < 0)
            return SW_ENOMEM;
    }
    return SW_OK;
}

static int tiles_join(const sw__tiles *tiles, const sw__buf *hashes, sw__tree *tree)
{
    return sw__tile_join(tiles->hasher, hashes->ptr, hashes->len / 32, tree);
}

static int tiles_root(const sw__tiles *tiles, const sw__buf *hashes, uint8_t root[32])
{
    sw__tree tree;
    int rc = tiles_join(tiles, hashes, &tree);
    return rc == SW_OK ? sw__tree_root(&tree, tiles->hasher, root) : rc;
}

int sw__tiles_tree(const sw__tiles *tiles, sw__tree *tree)
{
    *tree = (sw__tree){.size = tiles->size};
    for (int level = 0; level < SW__TILE_LEVELS; level++) {
        sw__tree tile;
        if (tiles_join(tiles, &tiles->hashes[level], &tile) < 0)
            return SW_ENOMEM;
        for (int bit = 0; tile.size >> bit; bit++)
            memcpy(tree->nodes[level * 8 + bit], tile.nodes[bit], sizeof(tile.nodes[bit]));
    }
    return SW_OK;
}

/* An element of level 0, and of each level above that it completes a tile of the one below. */
int sw__tiles_take(sw__tiles *tiles, const uint8_t leaf[32], const uint8_t *root, sw_error *err)
{
    uint8_t hash[32];
    memcpy(hash, leaf, sizeof(hash));
    tiles->size++;
    for (int level = 0; level < SW__TILE_LEVELS; level++) {
        sw__buf *hashes = &tiles->hashes[level];
        sw__buf_put(hashes, hash, sizeof(hash));
        if (++tiles->counts[level] % SW__TILE_WIDTH != 0)
            return hashes->failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
        if (level == 0 && root)
            memcpy(hash, root, sizeof(hash));
        else if (hashes->failed || tiles_root(tiles, hashes, hash) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        int rc = tiles_put(tiles, level, tiles->counts[level], SW__TILE_WIDTH, hashes, err);
        if (rc < 0)
            return rc;
    }
    return SW_OK;
}

int sw__tiles_add(sw__tiles *tiles, sw_str entry, sw_error *err)
{
    uint8_t leaf[32];
    sw__buf_put_byte(&tiles->bundle, (uint8_t)(entry.len >> 8));
    sw__buf_put_byte(&tiles->bundle, (uint8_t)entry.len);
    sw__buf_put_str(&tiles->bundle, entry);
    if (sw__tree_leaf(tiles->hasher, entry, leaf) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__tiles_take(tiles, leaf, NULL, err);
    if (rc == SW_OK && tiles->size % SW__TILE_WIDTH == 0)
        rc = tiles_put(tiles, -1, tiles->size, SW__TILE_WIDTH, &tiles->bundle, err);
    return rc;
}

int sw__tiles_end(sw__tiles *tiles, sw_error *err)
{
    int width = (int)(tiles->size % SW__TILE_WIDTH);
    int rc = SW_OK;
    if (tiles->bundle.len > 0)
        rc = tiles_put(tiles, -1, tiles->size, width, &tiles->bundle, err);
    for (int level = 0; rc == SW_OK && level < SW__TILE_LEVELS; level++) {
        width = (int)(tiles->counts[level] % SW__TILE_WIDTH);
        if (width > 0)
            rc = tiles_put(tiles, level, tiles->counts[level], width, &tiles->hashes[level], err);
    }
    return rc;
}

#undef TILE_GROUPS_MAX
