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

/* Answers. Each overwrites an earlier one; all texts are copied. json may be NULL for null. */
void sw__attempt_succeed(sw__attempt *attempt, const sw__buf *json);
/* outcome is FAILED or FAILED_FOR_GOOD. */
void sw__attempt_fail(sw__attempt *attempt, sw_outcome outcome, const char *error_class,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));
void sw__attempt_release(sw__attempt *attempt);

int64_t sw__attempt_now_us(const sw__attempt *attempt);
/* Monotonic end of the step's timeout, INT64_MAX for none. */
int64_t sw__attempt_deadline_us(const sw__attempt *attempt);

#endif
