/* One attempt of a step on a pool thread: what a built-in kind gets, and how it answers.
 *
 * Not here: the kinds themselves (kinds.h) and the threads (pool.h).
 */
#ifndef SW_WORKER_ATTEMPT_H
#define SW_WORKER_ATTEMPT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "model/kinds.h"
#include "stepwell/step.h"

/* How an attempt of a built-in kind fails: XX(NAME, class, outcome). docs/reference/step-kinds.md
 * says what each means; FAILED is tried again while attempts are left. */
#define SW__CLASS_MAP(XX)                                                                          \
    XX(PARAMETER_ERROR, "ParameterError", FAILED_FOR_GOOD)                                         \
    XX(UNKNOWN_KIND, "UnknownKind", FAILED_FOR_GOOD)                                               \
    XX(UNSUPPORTED, "Unsupported", FAILED_FOR_GOOD)                                                \
    XX(OUT_OF_MEMORY, "OutOfMemory", FAILED)                                                       \
    XX(RESULT_REFUSED, "ResultRefused", FAILED_FOR_GOOD)                                           \
    XX(TIMEOUT, "Timeout", FAILED)                                                                 \
    XX(PATH_REFUSED, "PathRefused", FAILED_FOR_GOOD)                                               \
    XX(FILE_NOT_FOUND, "FileNotFound", FAILED)                                                     \
    XX(FILE_ERROR, "FileError", FAILED)                                                            \
    XX(FILE_TOO_LARGE, "FileTooLarge", FAILED_FOR_GOOD)                                            \
    XX(NOT_TEXT, "NotText", FAILED_FOR_GOOD)                                                       \
    XX(COMMAND_FAILED, "CommandFailed", FAILED)                                                    \
    XX(COMMAND_NOT_FOUND, "CommandNotFound", FAILED_FOR_GOOD)                                      \
    XX(COMMAND_NOT_EXECUTABLE, "CommandNotExecutable", FAILED_FOR_GOOD)                            \
    XX(COMMAND_NOT_STARTED, "CommandNotStarted", FAILED)                                           \
    XX(COMMAND_LOST, "CommandLost", FAILED)

typedef enum sw__class {
#define SW__ENUM_VALUE(name, text, outcome) SW__CLASS_##name,
    SW__CLASS_MAP(SW__ENUM_VALUE)
#undef SW__ENUM_VALUE
        SW__CLASS_COUNT
} sw__class;

/* Why an attempt is to end early. LOST: a newer attempt may run, or the task was cancelled.
 * STOP: the runner is to return. */
typedef enum sw__why { SW__WHY_NONE, SW__WHY_LOST, SW__WHY_STOP } sw__why;

/* Tells a running attempt to end: why is for looking, fd for waiting (readable once why is set).
 * One per pool thread, reset between attempts. */
typedef struct sw__interrupt {
    atomic_int why; /* sw__why */
    int fd;
} sw__interrupt;

/* 0 or SW_EIO. */
int sw__interrupt_open(sw__interrupt *interrupt, sw_error *err);
void sw__interrupt_close(sw__interrupt *interrupt);
void sw__interrupt_reset(sw__interrupt *interrupt);
/* From any thread. The first reason stays. */
void sw__interrupt_raise(sw__interrupt *interrupt, sw__why why);

/* Where attempts work; the same for every attempt of a runner. */
typedef struct sw__workplace {
    int root_fd;                    /* O_PATH; kinds stay below it */
    int guard_fd;                   /* for commands to announce themselves, or -1 */
    size_t output_max;              /* of stdout and of stderr, each */
    const char *const *environment; /* "NAME=value" of every command, NULL at the end */
} sw__workplace;

typedef struct sw__attempt {
    const sw_env *env;
    sw__arena *arena; /* everything the outcome points to */
    const sw__workplace *place;
    const sw_step_claim *claim;
    const sw__kind_parameters *parameters;
    sw__interrupt *interrupt;
    int64_t started_us; /* monotonic */
    sw_step_outcome *outcome;
} sw__attempt;

/* An outcome of this class for a claim; message is borrowed. */
sw_step_outcome sw__class_outcome(const sw_step_claim *claim, sw__class class, sw_str message);

/* Answers. Each overwrites an earlier one; all texts are copied. json may be NULL for null. */
void sw__attempt_succeed(sw__attempt *attempt, const sw__buf *json);
void sw__attempt_fail(sw__attempt *attempt, sw__class class, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void sw__attempt_release(sw__attempt *attempt);

int64_t sw__attempt_now_us(const sw__attempt *attempt);
/* Monotonic end of the step's timeout, INT64_MAX for none. */
int64_t sw__attempt_deadline_us(const sw__attempt *attempt);

#endif
