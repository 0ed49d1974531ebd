/* Places of anchors (stepwell/anchor.h): setting one and reading the newest. */
#ifndef SW_AUDIT_ANCHOR_H
#define SW_AUDIT_ANCHOR_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "stepwell/anchor.h"

typedef struct sw__anchoring {
    const sw_env *env;
    sw__hasher *hasher;
    sw__arena *arena;     /* of the anchor's texts */
    const char *target;   /* of the place, behind its kind; a whole address of a witness */
    sw_str origin;
    sw_audit_anchor *row; /* note and entry_count are given to put and filled by get */
    int64_t command_ms;   /* that each command may take */
    /* A proof that the checkpoint continues one of old entries, for a witness that asks; the text of
     * a witness request. */
    int (*prove)(void *context, int64_t old, sw__buf *request, sw_error *err);
    void *context;
} sw__anchoring;

typedef int (*sw__anchor_verb)(sw__anchoring *anchoring, sw_error *err);

/* What a place can do. */
typedef struct sw__anchor_kind {
    const char *prefix;
    sw__anchor_verb put;
    sw__anchor_verb get;
    bool whole; /* the prefix is part of the target */
} sw__anchor_kind;

/* The kind of a place and its target in the arena; NULL when there is none. */
const sw__anchor_kind *sw__anchor_find(sw_str place, sw__arena *arena, const char **target);

int sw__anchor_git_put(sw__anchoring *anchoring, sw_error *err);
int sw__anchor_git_get(sw__anchoring *anchoring, sw_error *err);
int sw__anchor_witness_put(sw__anchoring *anchoring, sw_error *err);
int sw__anchor_witness_get(sw__anchoring *anchoring, sw_error *err);

/* Run a command found in PATH to its end; *status is its exit status, said what it printed, and
 * complaint the first line of its errors. After limit_ms it is ended, with what it has started.
 * errors: SW_ENOTFOUND (no such command), SW_EIO (also: it took too long), SW_ENOMEM. */
int sw__tool_run(const sw_env *env, const char *const *argv, int64_t limit_ms, sw__buf *said,
                 char complaint[160], int *status, sw_error *err);

#endif
