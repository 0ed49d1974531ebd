/* Interrupts, answers and clock of an attempt. Not here: what the kinds do. */
#include "worker/attempt.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/env.h"
#include "base/error.h"
#include "base/str.h"

int sw__interrupt_open(sw__interrupt *interrupt, sw_error *err)
{
    atomic_init(&interrupt->why, SW__WHY_NONE);
    interrupt->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupt->fd < 0)
        return sw__fail(err, SW_EIO, "cannot make an event descriptor: %s", strerror(errno));
    return SW_OK;
}

void sw__interrupt_close(sw__interrupt *interrupt)
{
    if (interrupt->fd >= 0)
        close(interrupt->fd);
    interrupt->fd = -1;
}

void sw__interrupt_reset(sw__interrupt *interrupt)
{
    uint64_t count;
    atomic_store(&interrupt->why, SW__WHY_NONE);
    while (read(interrupt->fd, &count, sizeof(count)) < 0 && errno == EINTR) {
    }
}

void sw__interrupt_raise(sw__interrupt *interrupt, sw__why why)
{
    const uint64_t one = 1;
    int none = SW__WHY_NONE;
    atomic_compare_exchange_strong(&interrupt->why, &none, (int)why);
    while (write(interrupt->fd, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

/* The answer that needs no memory, for when there is none. */
static void attempt_fail_memory(sw__attempt *attempt)
{
    *attempt->outcome = (sw_step_outcome){
        .step_id = attempt->claim->step_id,
        .epoch = attempt->claim->epoch,
        .outcome = SW_OUTCOME_FAILED,
        .error_class = SW__LIT("OutOfMemory"),
        .error_message = SW__LIT("there was no memory for the answer of the step"),
    };
}

static void attempt_answer(sw__attempt *attempt, const sw_step_outcome *outcome)
{
    *attempt->outcome = *outcome;
    attempt->outcome->step_id = attempt->claim->step_id;
    attempt->outcome->epoch = attempt->claim->epoch;
    if (sw__arena_failed(attempt->arena))
        attempt_fail_memory(attempt);
}

void sw__attempt_succeed(sw__attempt *attempt, const sw__buf *json)
{
    if (json && json->failed) {
        attempt_fail_memory(attempt);
        return;
    }
    sw_step_outcome outcome = {.outcome = SW_OUTCOME_SUCCEEDED};
    if (json)
        outcome.result = sw__arena_str(attempt->arena, sw__buf_str(json));
    attempt_answer(attempt, &outcome);
}

void sw__attempt_fail(sw__attempt *attempt, sw_outcome kind, const char *error_class,
                      const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    sw_step_outcome outcome = {
        .outcome = (int32_t)kind,
        .error_class = sw__arena_str(attempt->arena, sw__str(error_class)),
        .error_message = sw__arena_str(attempt->arena, sw__str(message)),
    };
    attempt_answer(attempt, &outcome);
}

void sw__attempt_release(sw__attempt *attempt)
{
    sw_step_outcome outcome = {.outcome = SW_OUTCOME_RELEASED};
    attempt_answer(attempt, &outcome);
}

int64_t sw__attempt_now_us(const sw__attempt *attempt)
{
    return attempt->env->clock_mono_us(attempt->env->context);
}

int64_t sw__attempt_deadline_us(const sw__attempt *attempt)
{
    int64_t length_us;
    int64_t deadline_us;
    if (attempt->claim->timeout_ms <= 0 ||
        __builtin_mul_overflow(attempt->claim->timeout_ms, 1000, &length_us) ||
        __builtin_add_overflow(attempt->started_us, length_us, &deadline_us))
        return INT64_MAX;
    return deadline_us;
}
