/* The one list of errors, and the caller-owned record that a failing call fills.
 *
 * Codes, texts and the exception classes of the Ruby and Python bindings all expand from
 * SW_ERROR_MAP. Not here: outcomes of steps; a failing handler is data, not an error.
 */
#ifndef STEPWELL_ERROR_H
#define STEPWELL_ERROR_H

#include <stdint.h>

#include "abi.h"

/* XX(code, value, exception class in Ruby and Python, default text) */
#define SW_ERROR_MAP(XX)                                                                           \
    XX(EINVAL, -1, InvalidArgumentError, "invalid argument")                                       \
    XX(ENOMEM, -2, OutOfMemoryError, "out of memory")                                              \
    XX(ENOTFOUND, -3, NotFoundError, "not found")                                                  \
    XX(ECONFLICT, -4, ConflictError, "conflicts with what is stored")                              \
    XX(EBUSY, -5, BusyError, "another process holds the write lock")                               \
    XX(EIO, -6, StorageError, "storage error")                                                     \
    XX(EFULL, -7, StorageFullError, "the disk is full")                                            \
    XX(ECORRUPT, -8, CorruptDatabaseError, "the database is damaged")                              \
    XX(EFOREIGN, -9, ForeignDatabaseError, "not a stepwell database")                              \
    XX(EVERSION, -10, SchemaVersionError, "the database was written by a newer version")           \
    XX(EDEFINITION, -11, DefinitionError, "the workflow definition is invalid")                    \
    XX(ELIMIT, -12, LimitError, "over a limit")                                                    \
    XX(ESTATE, -13, IllegalTransitionError, "not possible in this state")                          \
    XX(EFENCED, -14, FencedError, "a newer attempt holds this step")                               \
    XX(EFORKED, -15, ForkedEngineError, "the engine was opened before a fork")                     \
    XX(ECLOSED, -16, ClosedError, "the engine is closed")                                          \
    XX(EPOISONED, -17, PoisonedError, "an internal check failed; open the engine again")           \
    XX(ETIMEOUT, -18, WaitTimeoutError, "the time to wait is over")                                \
    XX(EAUDIT, -19, AuditError, "the audit log does not verify")                                   \
    XX(EREFUSED, -20, RefusedError, "refused")                                                     \
    XX(EACCESS, -21, AccessError, "permission denied")                                             \
    XX(EOUTDATED, -22, VersionConflictError, "something has happened since")

typedef enum sw_code {
    SW_OK = 0,
#define SW_ERROR_VALUE(name, value, class_name, text) SW_##name = value,
    SW_ERROR_MAP(SW_ERROR_VALUE)
#undef SW_ERROR_VALUE
} sw_code;

/* What went wrong. Caller-owned; pass NULL where the code alone is enough.
 * row is the index of the offending element of a batch, or -1. */
typedef struct sw_error {
    int32_t code;
    int32_t reserved;
    int64_t row;
    char message[496];
} sw_error;

SW_BEGIN_DECLS

/* Name of a code without its prefix ("EBUSY"), "OK" for 0, "UNKNOWN" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_code_name(int code);

/* Default English text of a code.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_code_text(int code);

/* Name of the exception class that the bindings raise for a code ("BusyError").
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; NULL for a number that is not in the list.
 */
SW_API const char *sw_code_class(int code);

SW_END_DECLS

#endif
