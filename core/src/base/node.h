/* Documents read from YAML or JSON text: a tree in which every value knows its line and column.
 *
 * YAML through libyaml's event interface with our limits (one document, no directives, no tags, no
 * aliases, depth, sizes, no duplicate keys; the core schema for plain scalars), JSON through
 * jansson. Both give the same tree for the same value. Not for payloads, which stay text. */
#ifndef SW_BASE_NODE_H
#define SW_BASE_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "stepwell/error.h"
#include "stepwell/types.h"
#include "stepwell/workflow.h"

typedef enum sw__node_kind {
    SW__NODE_NULL,
    SW__NODE_BOOL,
    SW__NODE_INT,
    SW__NODE_REAL,
    SW__NODE_STR,
    SW__NODE_LIST,
    SW__NODE_MAP
} sw__node_kind;

typedef struct sw__node sw__node;

typedef struct sw__node_pair {
    sw_str key;
    int32_t line; /* of the key */
    int32_t column;
    sw__node *value;
} sw__node_pair;

struct sw__node {
    sw__node_kind kind;
    int32_t line; /* from 1 */
    int32_t column;
    bool boolean;
    int64_t integer;
    double real;
    sw_str text;  /* of a scalar: its content, as it is written where it is not quoted ("0x1f") */
    size_t count; /* of items or pairs */
    sw__node **items;
    sw__node_pair *pairs; /* in the order of the text */
};

/* Read text. format is an sw_format; source names the file in messages. On error the message
 * starts with "source:line:column: " and err->row is the line.
 * errors: SW_EDEFINITION, SW_ELIMIT, SW_ENOMEM. */
int sw__node_load(sw__arena *arena, int format, sw_str source, sw_str text, sw__node **out,
                  sw_error *err);

/* The same for JSON that the library wrote itself: canonical definitions spell out every default
 * and are many times larger than the text they were made from. */
int sw__node_load_canonical(sw__arena *arena, sw_str text, sw__node **out, sw_error *err);

/* A piece of such text. *values_left is how many values it may have, and goes down by as many as it
 * has. */
int sw__node_load_piece(sw__arena *arena, sw_str text, size_t *values_left, sw__node **out,
                        sw_error *err);

/* The same for JSON that is no definition, with limits of its own. */
typedef struct sw__node_limits {
    size_t size_max;   /* bytes of the text */
    size_t node_max;   /* values in it */
    size_t scalar_max; /* bytes of one of them */
} sw__node_limits;

int sw__node_load_json(sw__arena *arena, const sw__node_limits *limits, sw_str source, sw_str text,
                       sw__node **out, sw_error *err);

/* Fail with "source:line:column: message" and the line as row; a source that is absent is shown as
 * "<text>". */
int sw__node_fail(sw_error *err, int code, sw_str source, int32_t line, int32_t column,
                  const char *message);

/* The value under key of a map, or NULL. */
sw__node *sw__node_get(const sw__node *map, const char *key);
/* "a map", "a list", "text", ... for messages. */
const char *sw__node_kind_name(sw__node_kind kind);
/* Append as canonical JSON: keys sorted by bytes, no white space, shortest numbers. */
void sw__node_put_json(sw__buf *buf, const sw__node *node);

#endif
