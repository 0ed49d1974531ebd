/* The parent that a submitted row names: what is refused, and its tag. */
#ifndef SW_ENGINE_PARENT_H
#define SW_ENGINE_PARENT_H

#include "engine/work.h"

/* What one row says of its parent, by its field, by a tag, or by both. */
typedef struct sw__parent {
    sw_uuid id;  /* all zero: none */
    bool tagged; /* its tag is among the tags of the row */
} sw__parent;

/* errors: SW_EINVAL with the row: a tag is no parent, or there are two; SW_ELIMIT: no room for its
 * tag. */
int sw__parent_of_row(const sw_task_submit_row *row, size_t index, sw__parent *out, sw_error *err);
/* errors: SW_ENOTFOUND with the row: there is no such task. */
int sw__parent_find(sw_engine *engine, const sw_uuid *parent_id, size_t index, sw_error *err);
/* The parent that tags say, all zero when none. Those of an imported task may say what no submitted
 * row may: the first parent counts then. */
sw_uuid sw__parent_of_tags(const sw_str *tags, size_t count);

#endif
