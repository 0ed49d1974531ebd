/* Building the tree of a document from the events of a reader, with the limits of limits.h.
 *
 * The YAML and the JSON reader share it, so that both give the same tree and the same messages.
 * Open containers lie on a stack of fixed depth and their children on one growing run: no
 * recursion, and no allocation per container beyond its final array. */
#ifndef SW_BASE_NODE_BUILD_H
#define SW_BASE_NODE_BUILD_H

#include "base/limits.h"
#include "base/node.h"

typedef struct sw__place {
    int32_t line; /* from 1 */
    int32_t column;
} sw__place;

typedef struct sw__build {
    sw__arena *arena;
    sw_str source;
    sw_error *err;
    sw__node *root;
    size_t node_count;
    size_t node_max;
    size_t scalar_max; /* bytes of one */
    sw__node_pair *pending; /* children of all open containers, the innermost last */
    size_t pending_count;
    size_t pending_capacity;
    int depth;
    struct {
        sw__node *node;
        size_t start; /* of its children in pending */
    } open[SW__DEPTH_MAX];
} sw__build;

void sw__build_init(sw__build *build, sw__arena *arena, sw_str source, sw_error *err);
void sw__build_free(sw__build *build); /* the tree stays, in the arena */

/* Whether the next scalar is the key of an open map. */
bool sw__build_wants_key(const sw__build *build);
int sw__build_key(sw__build *build, sw__place place, sw_str key);
/* A new value at the place that is open; the caller fills in the rest of a scalar. */
int sw__build_value(sw__build *build, sw__place place, sw__node_kind kind, sw__node **out);
/* The same with the text of a scalar, copied. */
int sw__build_scalar(sw__build *build, sw__place place, sw__node_kind kind, sw_str text,
                     sw__node **out);
int sw__build_open(sw__build *build, sw__place place, sw__node_kind kind);
int sw__build_close(sw__build *build);

/* Fail with "source:line:column: " before the message and the line as row. */
int sw__build_fail(sw__build *build, int code, sw__place place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
int sw__build_no_memory(sw__build *build);

/* Line and column of a byte offset; columns count characters. */
sw__place sw__place_of(sw_str text, size_t offset);

/* The readers. text is valid UTF-8 without zero bytes and of allowed size. */
int sw__build_from_json(sw__build *build, sw_str text);
int sw__build_from_yaml(sw__build *build, sw_str text);

/* The pairs of a map ordered by key, equal keys in the order of the text. order has map->count
 * elements. */
void sw__node_sort(const sw__node *map, const sw__node_pair **order);

#endif
