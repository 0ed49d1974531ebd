/* The parent of a task in its tag, and the tags that a filter asks for. Not here: whether the parent
 * is there (engine/parent.h).
 */
#ifndef SW_STORE_PARENT_H
#define SW_STORE_PARENT_H

#include <stdbool.h>

#include "base/buf.h"
#include "stepwell/task.h"

#define SW__PARENT_TAG_SIZE (sizeof(SW_PARENT_TAG) + 36) /* with the zero at its end */

/* Whether an id names a task at all; all zero stands for none. */
bool sw__parent_given(const sw_uuid *parent_id);
void sw__parent_tag(const sw_uuid *parent_id, char text[SW__PARENT_TAG_SIZE]);
/* Whether a tag says a parent, however badly; whether it does so in the one form that is found. */
bool sw__parent_is_tag(sw_str tag);
bool sw__parent_read(sw_str tag, sw_uuid *parent_id);

/* The tags of a filter in the form in which they stand in rows; the one that fewest tasks have, that
 * of the parent, is the first. */
typedef struct sw__needles {
    sw__buf texts[2];
    size_t count;
} sw__needles;

void sw__needles_init(sw__needles *needles, const sw_env *env, const sw_task_filter *filter);
void sw__needles_free(sw__needles *needles);
bool sw__needles_failed(const sw__needles *needles);
sw_str sw__needle(const sw__needles *needles, size_t at); /* absent when there are fewer */
/* Whether a filter asks for a tag. */
bool sw__filter_tagged(const sw_task_filter *filter);

#endif
