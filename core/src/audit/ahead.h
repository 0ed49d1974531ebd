/* The bundles of entries of an exported folder, in order, while several threads read, decode and hash
 * those that come next. Not here: whether entries follow each other, and what their tree is held against
 * (export.c): that is judged by one thread, in order, so that the answer is the same for any number
 * of threads. */
#ifndef SW_AUDIT_AHEAD_H
#define SW_AUDIT_AHEAD_H

#include "audit/tiles.h"

typedef struct sw__ahead sw__ahead;

/* A bundle of entries as its file has it. */
typedef struct sw__bundle {
    int64_t number;
    int width; /* entries that belong into it */
    char name[SW__TILE_PATH_SIZE];
    int rc; /* of reading and hashing: SW_OK, SW_ENOTFOUND, SW_ELIMIT, SW_EACCESS, SW_EIO, SW_ENOMEM */
    sw_error error;
    sw__buf bytes;
    int count;       /* entries that are there, width at most */
    bool whole;      /* there are as many as belong there, and nothing else */
    const char *why; /* the last of them cannot be read, or NULL; a static phrase */
    int64_t numbers[SW__TILE_WIDTH]; /* as each entry says of itself */
    int64_t times_us[SW__TILE_WIDTH];
    uint8_t leaves[SW__TILE_WIDTH][32];
    uint8_t root[32]; /* of a full tile, when count is its width */
    sw__buf path;
} sw__bundle;

/* Begin with the bundles of a folder of size entries, jobs threads at a time, the caller's among
 * them; two bundles for each are in memory at most. A machine that gives fewer threads gets the work
 * done by those. folder, env and hasher are borrowed until close. errors: SW_ENOMEM. */
int sw__ahead_open(sw__ahead **out, const sw_env *env, sw__hasher *hasher, const char *folder,
                   int64_t size, int32_t jobs, sw_error *err);
/* The next bundle, borrowed until the next call; NULL behind the last one. */
const sw__bundle *sw__ahead_next(sw__ahead *ahead);
/* Ends the threads, also before the last bundle; NULL is none. */
void sw__ahead_close(sw__ahead *ahead);

#endif
