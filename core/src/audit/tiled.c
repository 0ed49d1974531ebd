/* Subtrees and entries from the files of an export; see tiled.h. */
#include "audit/tiled.h"

#include <string.h>

#include "audit/entry.h"
#include "base/error.h"
#include "base/file.h"

#define TILED_HASH_SIZE 32
#define TILED_BITS 8 /* of the tree's levels in one tile */
#define TILED_BUNDLE_MAX (SW__TILE_WIDTH * (2 + SW__ENTRY_MAX))

static int tiled_path(sw__tiled *tiled, const char *name, sw_error *err)
{
    sw__buf_clear(&tiled->path);
    sw__buf_printf(&tiled->path, "%s/%s", tiled->folder, name);
    sw__buf_put_byte(&tiled->path, '\0');
    return tiled->path.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* One whole file of the folder. */
static int tiled_read(sw__tiled *tiled, const char *name, size_t max, sw__buf *out, sw_error *err)
{
    sw__buf_clear(out);
    int rc = tiled_path(tiled, name, err);
    if (rc == SW_OK)
        rc = sw__file_read((const char *)tiled->path.ptr, max, out, err);
    return rc == SW_ELIMIT ? sw__fail(err, SW_EAUDIT, "\"%s\" is longer than it can be",
                                      (const char *)tiled->path.ptr)
                           : rc;
}

int sw__tiled_open(sw__tiled *tiled, const sw_env *env, sw__hasher *hasher, const char *folder,
                   sw_error *err)
{
    sw__checkpoint checkpoint;
    *tiled = (sw__tiled){.folder = folder, .hasher = hasher, .bundle_no = -1};
    sw__buf_init(&tiled->note, env);
    sw__buf_init(&tiled->path, env);
    sw__buf_init(&tiled->bundle, env);
    for (int level = 0; level < SW__TILE_LEVELS; level++) {
        sw__buf_init(&tiled->tiles[level], env);
        tiled->tile_nos[level] = -1;
    }
    int rc = tiled_read(tiled, "checkpoint", SW__NOTE_MAX, &tiled->note, err);
    if (rc < 0)
        return rc;
    if (!sw__checkpoint_peek(sw__buf_str(&tiled->note), &checkpoint))
        return sw__fail(err, SW_EAUDIT, "\"%s\" is no checkpoint", (const char *)tiled->path.ptr);
    tiled->size = checkpoint.size;
    return SW_OK;
}

void sw__tiled_close(sw__tiled *tiled)
{
    for (int level = 0; level < SW__TILE_LEVELS; level++)
        sw__buf_free(&tiled->tiles[level]);
    sw__buf_free(&tiled->bundle);
    sw__buf_free(&tiled->path);
    sw__buf_free(&tiled->note);
}

/* Tile number `number` of a level, as wide as the folder has it. One that became full since the
 * checkpoint was read is looked for under its other name, too. */
static int tiled_load(sw__tiled *tiled, int level, int64_t number, size_t max, sw__buf *out,
                      sw_error *err)
{
    char name[SW__TILE_PATH_SIZE];
    int64_t elements = level < 0 ? tiled->size : tiled->size >> TILED_BITS * level;
    int64_t left = elements - number * SW__TILE_WIDTH;
    int width = left < SW__TILE_WIDTH ? (int)left : SW__TILE_WIDTH;
    sw__tile_path(name, level, number, width);
    int rc = tiled_read(tiled, name, max, out, err);
    if (rc == SW_ENOTFOUND && width < SW__TILE_WIDTH) {
        sw__tile_path(name, level, number, SW__TILE_WIDTH);
        rc = tiled_read(tiled, name, max, out, err);
    }
    return rc == SW_ENOTFOUND
               ? sw__fail(err, SW_EAUDIT, "the file \"%s\" is missing", (const char *)name)
               : rc;
}

int sw__tiled_hash(sw__tiled *tiled, int32_t level, int64_t index, uint8_t hash[32], sw_error *err)
{
    sw__tree tree = {0};
    int tile_level = level / TILED_BITS;
    int64_t first = index << level % TILED_BITS; /* the elements of the tile's level */
    int64_t count = INT64_C(1) << level % TILED_BITS;
    int64_t number = first / SW__TILE_WIDTH;
    size_t at = (size_t)(first % SW__TILE_WIDTH) * TILED_HASH_SIZE;
    sw__buf *tile = &tiled->tiles[tile_level];
    if (tiled->tile_nos[tile_level] != number) {
        tiled->tile_nos[tile_level] = -1;
        int rc = tiled_load(tiled, tile_level, number, (size_t)SW__TILE_WIDTH * TILED_HASH_SIZE,
                            tile, err);
        if (rc < 0)
            return rc;
        tiled->tile_nos[tile_level] = number;
    }
    if (at + (size_t)count * TILED_HASH_SIZE > tile->len)
        return sw__fail(err, SW_EAUDIT, "a tile of level %d is shorter than it must be",
                        tile_level);
    for (int64_t i = 0; i < count; i++, at += TILED_HASH_SIZE) {
        if (sw__tree_add(&tree, tiled->hasher, tile->ptr + at, NULL) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return sw__tree_root(&tree, tiled->hasher, hash) < 0 ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__tiled_entry(sw__tiled *tiled, int64_t index, sw_str *entry, sw_error *err)
{
    int64_t number = index / SW__TILE_WIDTH;
    size_t at = 0;
    if (tiled->bundle_no != number) {
        tiled->bundle_no = -1;
        int rc = tiled_load(tiled, -1, number, TILED_BUNDLE_MAX, &tiled->bundle, err);
        if (rc < 0)
            return rc;
        tiled->bundle_no = number;
    }
    const uint8_t *bytes = tiled->bundle.ptr;
    for (int64_t i = number * SW__TILE_WIDTH; at + 2 <= tiled->bundle.len; i++) {
        size_t len = (size_t)bytes[at] << 8 | bytes[at + 1];
        if (len > tiled->bundle.len - at - 2)
            break;
        if (i == index) {
            *entry = (sw_str){(const char *)bytes + at + 2, len};
            return SW_OK;
        }
        at += 2 + len;
    }
    return sw__fail(err, SW_EAUDIT, "the folder's bundle of entries has no entry %lld",
                    (long long)index + 1);
}

#undef TILED_HASH_SIZE
#undef TILED_BITS
#undef TILED_BUNDLE_MAX
