/* Checks of arguments that several public functions share; made before the lock is taken.
 * Every message names the field; err->row the row. */
#ifndef SW_ENGINE_CHECK_H
#define SW_ENGINE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/error.h"
#include "stepwell/types.h"

/* Rows of one call: there, and no more than SW__BATCH_MAX; and with a sw_batch_mode. SW_EINVAL,
 * SW_ELIMIT. */
int sw__check_rows(const void *rows, size_t count, sw_error *err);
int sw__check_batch(const void *rows, size_t count, int mode, sw_error *err);
/* Absent, or one JSON value of at most max bytes. SW_EINVAL, SW_ELIMIT. */
int sw__check_payload(sw_str json, int64_t max, const char *field, size_t row, sw_error *err);
/* Whether a payload that was checked says nothing, so that none is kept. */
bool sw__check_is_null(sw_str json);
/* Absent, or one line of valid UTF-8 of at most max bytes. SW_EINVAL, SW_ELIMIT. */
int sw__check_text(sw_str text, size_t max, const char *field, size_t row, sw_error *err);
/* Absent, or valid UTF-8 of at most SW__ERROR_TEXT_MAX bytes, any characters. */
int sw__check_long_text(sw_str text, const char *field, size_t row, sw_error *err);
/* A name of 1 to SW__NAME_MAX bytes of [A-Za-z0-9_.-]. SW_EINVAL. */
int sw__check_name(sw_str name, const char *field, size_t row, sw_error *err);
/* From -32768 to 32767. SW_EINVAL. */
int sw__check_priority(int64_t priority, size_t row, sw_error *err);

#endif
