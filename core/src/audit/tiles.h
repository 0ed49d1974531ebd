/* Tiles of C2SP tlog-tiles: entries come in, and each tile goes out as its path and content when it
 * is full, at the end also those that are not. Where they go is the caller's business: into a file,
 * or against one. */
#ifndef SW_AUDIT_TILES_H
#define SW_AUDIT_TILES_H

#include "audit/tree.h"
#include "stepwell/error.h"

#define SW__TILE_WIDTH 256
#define SW__TILE_LEVELS 8 /* of the tree's levels, each tile level has eight */
#define SW__TILE_PATH_SIZE 80

/* level is that of the tile, -1 for a bundle of entries; first is the number of its first element.
 */
typedef int (*sw__tile_put)(void *context, const char *path, int level, int64_t first,
                            sw_str content, sw_error *err);

typedef struct sw__tiles {
    sw__hasher *hasher;
    sw__tile_put put;
    void *context;
    int64_t size; /* entries so far */
    sw__buf bundle;
    sw__buf hashes[SW__TILE_LEVELS]; /* of the tile that is being filled */
    int64_t counts[SW__TILE_LEVELS]; /* of all elements of the level so far */
} sw__tiles;

void sw__tiles_init(sw__tiles *tiles, const sw_env *env, sw__hasher *hasher, sw__tile_put put,
                    void *context);
void sw__tiles_free(sw__tiles *tiles);
/* All answer SW_ENOMEM or what put answers. */
int sw__tiles_add(sw__tiles *tiles, sw_str entry, sw_error *err);
/* The same by an entry's leaf, where bundles are nobody's business: none goes out. root is that of
 * the tile of level 0 that the leaf completes, or NULL where nobody knows it yet. */
int sw__tiles_take(sw__tiles *tiles, const uint8_t leaf[32], const uint8_t *root, sw_error *err);
int sw__tiles_end(sw__tiles *tiles, sw_error *err);
/* The tree over all entries so far, before the end; 0 or SW_ENOMEM. */
int sw__tiles_tree(const sw__tiles *tiles, sw__tree *tree);

/* The tree over count hashes of a tile, which stand behind each other; 0 or SW_ENOMEM. */
int sw__tile_join(sw__hasher *hasher, const uint8_t *hashes, size_t count, sw__tree *tree);

/* "tile/entries/x001/234.p/56": tile number `number` of a level with so many elements. */
void sw__tile_path(char path[SW__TILE_PATH_SIZE], int level, int64_t number, int width);

#endif
