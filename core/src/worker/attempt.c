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

#define SW__CLASS_ROW(name, text, outcome) {SW__LIT(text), SW_OUTCOME_##outcome},

static const struct {
    sw_str name;
    sw_outcome outcome;
} class_rows[SW__CLASS_COUNT] = {SW__CLASS_MAP(SW__CLASS_ROW)};

#undef SW__CLASS_ROW

sw_step_outcome sw__class_outcome(const sw_step_claim *claim, sw__class class, sw_str message)
{
    return (sw_step_outcome){
        .step_id = claim->step_id,
        .epoch = claim->epoch,
        .outcome = (int32_t)class_rows[class].outcome,
        .error_class = class_rows[class].name,
        .error_message = message,
    };
}

/* When the arena has failed, the answer is one that needs no memory. */
static void attempt_answer(sw__attempt *attempt, const sw_step_outcome *outcome)
{
    static const sw_str no_memory = SW__LIT("there was no memory for the answer of the step");
    if (sw__arena_failed(attempt->arena))
        *attempt->outcome = sw__class_outcome(attempt->claim, SW__CLASS_OUT_OF_MEMORY, no_memory);
    else
        *attempt->outcome = *outcome;
}

void sw__attempt_succeed(sw__attempt *attempt, const sw__buf *json)
{
    sw_step_outcome outcome = {
        .step_id = attempt->claim->step_id,
        .epoch = attempt->claim->epoch,
        .outcome = SW_OUTCOME_SUCCEEDED,
    };
    if (json && json->failed) {
        sw__attempt_fail(attempt, SW__CLASS_OUT_OF_MEMORY,
                         "there was no memory for the result of the step");
        return;
    }
    if (json)
        outcome.result = sw__arena_str(attempt->arena, sw__buf_str(json));
    attempt_answer(attempt, &outcome);
}

void sw__attempt_fail(sw__attempt *attempt, sw__class class, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    sw_step_outcome outcome =
        sw__class_outcome(attempt->claim, class, sw__arena_str(attempt->arena, sw__str(message)));
    attempt_answer(attempt, &outcome);
}

void sw__attempt_release(sw__attempt *attempt)
{
    *attempt->outcome = (sw_step_outcome){
        .step_id = attempt->claim->step_id,
        .epoch = attempt->claim->epoch,
        .outcome = SW_OUTCOME_RELEASED,
    };
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
