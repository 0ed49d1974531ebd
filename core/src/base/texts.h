/* Lists of short texts, such as tags or the names of handlers, stored as a JSON array. */
#ifndef SW_BASE_TEXTS_H
#define SW_BASE_TEXTS_H

#include "base/arena.h"
#include "stepwell/error.h"

/* {NULL, 0} when there is no memory. */
sw_str sw__texts_write(sw__arena *arena, const sw_str *texts, size_t count);
/* SW_OK, SW_ENOMEM, or SW_ECORRUPT for what is no array of texts. */
int sw__texts_read(sw__arena *arena, sw_str json, sw_str **texts, size_t *count, sw_error *err);

#endif
