/* What is wrong with a definition, collected: all findings of one load, each with its line, column
 * and path. Not here: the rules themselves. */
#ifndef SW_MODEL_FINDINGS_H
#define SW_MODEL_FINDINGS_H

#include <stdbool.h>

#include "base/arena.h"
#include "stepwell/workflow.h"

/* More are counted, but not kept; warnings may take half of the room, so that they cannot hide
 * errors. */
#define SW__FINDINGS_MAX 1000

/* Where a value stands in the document: a chain on the stack that becomes text only when there is
 * something to say. key.ptr NULL: element number index of the list above. */
typedef struct sw__path {
    const struct sw__path *up;
    sw_str key;
    size_t index;
} sw__path;

typedef struct sw__findings {
    sw__arena *arena; /* of the rows and their texts */
    sw_finding *rows;
    size_t count;
    size_t capacity;
    size_t hidden_count; /* beyond SW__FINDINGS_MAX */
    size_t error_count;  /* among all */
    bool strict;         /* warnings count as errors */
    bool failed;         /* there was no memory for a finding */
    int64_t search_left; /* comparisons left for finding similar names; see nearest.h */
} sw__findings;

void sw__findings_init(sw__findings *findings, sw__arena *arena, bool strict);
/* path may be NULL: the document as a whole. */
void sw__finding_add(sw__findings *findings, int severity, const sw__path *path, int32_t line,
                     int32_t column, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Bring the rows into the order of the text, and say how many are not shown. */
void sw__findings_finish(sw__findings *findings);
/* Text in quotes for a message: shortened, with control characters escaped. */
const char *sw__finding_quote(sw__findings *findings, sw_str text);

#endif
