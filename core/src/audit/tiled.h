/* Reading the tree out of an exported folder (tiles.h), a few files for each proof, however long the
 * log is. Nothing that is read is believed: whoever makes a proof of it checks the proof. */
#ifndef SW_AUDIT_TILED_H
#define SW_AUDIT_TILED_H

#include "audit/checkpoint.h"
#include "audit/tiles.h"

typedef struct sw__tiled {
    const char *folder;
    sw__hasher *hasher;
    sw__buf note; /* the folder's own checkpoint */
    int64_t size; /* the entries that it covers, and that there are tiles of */
    sw__buf path;
    sw__buf bundle;
    int64_t bundle_no; /* -1: none is in memory */
    sw__buf tiles[SW__TILE_LEVELS];
    int64_t tile_nos[SW__TILE_LEVELS];
} sw__tiled;

/* Read the checkpoint of a folder. close in any case. errors: SW_ENOTFOUND, SW_EAUDIT (it is no
 * checkpoint), SW_EACCESS, SW_EIO, SW_ENOMEM. */
int sw__tiled_open(sw__tiled *tiled, const sw_env *env, sw__hasher *hasher, const char *folder,
                   sw_error *err);
void sw__tiled_close(sw__tiled *tiled);

/* The root of a complete subtree of the first size leaves. errors: SW_EAUDIT (a file is missing or
 * is no tile), SW_EACCESS, SW_EIO, SW_ENOMEM. */
int sw__tiled_hash(sw__tiled *tiled, int32_t level, int64_t index, uint8_t hash[32],
                   sw_error *err);
/* The bytes of entry index + 1, borrowed until the next call; the same. */
int sw__tiled_entry(sw__tiled *tiled, int64_t index, sw_str *entry, sw_error *err);

#endif
