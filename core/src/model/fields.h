/* Reading a map into a struct by a table of its keys: types, ranges, required keys, unknown keys.
 * One table is all there is to say about the keys of a form. Not here: rules that concern several
 * values at once (check.h). */
#ifndef SW_MODEL_FIELDS_H
#define SW_MODEL_FIELDS_H

#include "base/node.h"
#include "model/findings.h"

/* The kind of a field, and the C type that offset points to. */
typedef enum sw__field_kind {
    SW__FIELD_NAME,    /* sw_str: [A-Za-z0-9_.-]{1,128} */
    SW__FIELD_LINE,    /* sw_str: at most max bytes without control characters */
    SW__FIELD_TEXT,    /* sw_str: any text */
    SW__FIELD_INTEGER, /* int64_t in min..max */
    SW__FIELD_SECONDS, /* int64_t: milliseconds in min..max, written as a number of seconds */
    SW__FIELD_NUMBER,  /* double in min..max */
    SW__FIELD_BOOL,    /* bool */
    SW__FIELD_CHOICE,  /* int32_t below max, by the name that choice() gives */
    SW__FIELD_LIST,    /* const sw__node * */
    SW__FIELD_MAP,     /* const sw__node * */
    SW__FIELD_ANY,     /* const sw__node * */
    SW__FIELD_IGNORED, /* nothing: a key of another tool that is left alone with a warning */
    SW__FIELD_REFUSED  /* nothing: a key of another tool that would change the meaning */
} sw__field_kind;

/* Two keys with one offset are two spellings of one field. */
typedef struct sw__field {
    const char *key;
    sw__field_kind kind;
    size_t offset;
    int64_t min;
    int64_t max;
    const char *(*choice)(int number);
    bool required;
    const char *advice; /* what to write instead of an ignored or refused key */
} sw__field;

/* Keys of one table at most. */
#define SW__FIELDS_MAX 48
#define SW__FIELD_COUNT(fields) (sizeof(fields) / sizeof((fields)[0]))

/* Read the values of map into the struct at out, which holds the defaults; a null counts as a
 * missing key. What is wrong becomes a finding and keeps its default. */
void sw__fields_read(sw__findings *findings, const sw__path *path, const sw__node *map,
                     const sw__field *fields, size_t field_count, void *out);

/* Read a text that is one of the names below field->max; as sw__fields_read does it. */
void sw__choice_read(sw__findings *findings, const sw__path *path, const sw__node *node,
                     const sw__field *field, int32_t *out);

/* Whether node is of this kind, with a finding when it is not. */
bool sw__node_expect(sw__findings *findings, const sw__path *path, const sw__node *node,
                     sw__node_kind kind);

#endif
