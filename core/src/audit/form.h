/* Reading the values of a document that is not a definition: maps whose keys are in a table, and
 * scalars with their bounds. Whatever is wrong is told with its place in the text. */
#ifndef SW_AUDIT_FORM_H
#define SW_AUDIT_FORM_H

#include "base/arena.h"
#include "base/node.h"

#define SW__FORM_INT (1u << SW__NODE_INT)
#define SW__FORM_STR (1u << SW__NODE_STR)
#define SW__FORM_LIST (1u << SW__NODE_LIST)
#define SW__FORM_MAP (1u << SW__NODE_MAP)
#define SW__FORM_NULL (1u << SW__NODE_NULL)
#define SW__FORM_STR_OR_NONE (SW__FORM_STR | SW__FORM_NULL)
#define SW__FORM_COUNT(keys) (sizeof(keys) / sizeof((keys)[0]))

/* A key of a map, and what its value may be. */
typedef struct sw__form_key {
    const char *name;
    unsigned kinds;
} sw__form_key;

typedef struct sw__form {
    sw__arena *arena;
    sw_str source; /* name of the file, for messages */
    sw_error *err;
} sw__form;

/* SW_EINVAL, with the place of node. */
int sw__form_fail(const sw__form *form, const sw__node *node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int sw__form_no_memory(const sw__form *form);

/* All values of a map, in the order of keys; one that is missing, not in the table or of another kind
 * is refused. */
int sw__form_map(const sw__form *form, const sw__node *map, const sw__form_key *keys, size_t count,
                 const sw__node **values);

/* A number from 0 to most. */
int sw__form_int(const sw__form *form, const sw__node *node, int64_t most, int64_t *out);
int sw__form_int32(const sw__form *form, const sw__node *node, int32_t *out);
/* Bytes in base64, in the arena; 32 of them; 32 in lower-case hex. */
int sw__form_base64(const sw__form *form, const sw__node *node, sw_str *out);
int sw__form_hash(const sw__form *form, const sw__node *node, uint8_t hash[32]);
int sw__form_hex(const sw__form *form, const sw__node *node, uint8_t out[32]);
/* A name by one of the sw_*_find functions. */
int sw__form_state(const sw__form *form, const sw__node *node, int (*find)(sw_str name),
                   int32_t *out);
/* A list of names, as the canonical text that stores keep. */
int sw__form_names(const sw__form *form, const sw__node *list, sw_str *out);
/* Text, or the absent string for null. */
sw_str sw__form_str(const sw__node *node);

#endif
