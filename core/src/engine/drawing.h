/* A task as it is drawn: what is read of it, and its attempts as rows of a chart. */
#ifndef SW_ENGINE_DRAWING_H
#define SW_ENGINE_DRAWING_H

#include "engine/past.h"
#include "stepwell/picture.h"

/* One call, from reading to the picture. */
typedef struct sw__drawing {
    const sw_uuid *task_id;
    bool learns; /* what ended tasks teach is asked for */
    sw__arena *arena;
    sw_workflow *workflow;
    sw__task_hot task;
    sw__step_hot *steps; /* by index */
    sw_audit_entry *entries;
    size_t entry_count;
    sw__past past;
    int64_t now_us;
} sw__drawing;

/* A row per attempt in the order of their begins, then one for each step that waits or never ran.
 * SW_ENOMEM. */
int sw__attempt_rows(const sw__drawing *drawing, sw_gantt_row **rows, size_t *count);

#endif
