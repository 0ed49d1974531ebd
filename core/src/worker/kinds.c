/* The table of kinds, and the two that touch nothing: noop and wait. */
#include "worker/kinds.h"

#include <errno.h>
#include <poll.h>

#include "base/str.h"
#include "stepwell/runner.h"

static void run_noop(sw__attempt *attempt)
{
    sw__attempt_succeed(attempt, NULL);
}

/* Milliseconds until a moment, for poll: at least one while it has not come. */
static int wait_poll_ms(int64_t now_us, int64_t until_us)
{
    const int64_t longest_ms = 60 * 1000;
    if (until_us <= now_us)
        return 0;
    int64_t left_ms = (until_us - now_us + 999) / 1000;
    return (int)(left_ms < longest_ms ? left_ms : longest_ms);
}

static void run_wait(sw__attempt *attempt)
{
    int64_t end_us = attempt->started_us + attempt->parameters->wait_ms * 1000;
    int64_t deadline_us = sw__attempt_deadline_us(attempt);
    int64_t until_us = end_us < deadline_us ? end_us : deadline_us;
    struct pollfd interrupted = {.fd = attempt->interrupt->fd, .events = POLLIN};
    int64_t now_us;
    while ((now_us = sw__attempt_now_us(attempt)) < until_us) {
        if (poll(&interrupted, 1, wait_poll_ms(now_us, until_us)) > 0) {
            sw__attempt_release(attempt);
            return;
        }
    }
    if (end_us > deadline_us) {
        sw__attempt_fail(attempt, SW__CLASS_TIMEOUT, "the wait was cut off after %lld ms",
                         (long long)attempt->claim->timeout_ms);
        return;
    }
    sw__attempt_succeed(attempt, NULL);
}

/* In the order of SW__KIND_MAP. */
static void (*const kind_functions[SW__KIND_COUNT])(sw__attempt *attempt) = {
    [SW__KIND_NOOP] = run_noop,
    [SW__KIND_WAIT] = run_wait,
    [SW__KIND_COMMAND] = sw__run_command,
    [SW__KIND_CREATE_FILE] = sw__run_create_file,
    [SW__KIND_READ_FILE] = sw__run_read_file,
    [SW__KIND_DELETE_FILE] = sw__run_delete_file,
};

void sw__attempt_run(sw__attempt *attempt)
{
    sw__kind_parameters parameters = {0};
    sw_error error;
    attempt->started_us = sw__attempt_now_us(attempt);
    int kind = sw__kind_find(attempt->claim->handler);
    if (kind < 0) {
        sw__attempt_fail(attempt, SW__CLASS_UNKNOWN_KIND, "\"%.*s\" is not a built-in kind",
                         SW__FMT(attempt->claim->handler));
        return;
    }
    int rc = sw__kind_read(attempt->arena, kind, attempt->claim->parameters, &parameters, &error);
    if (rc < 0) {
        sw__attempt_fail(attempt,
                         rc == SW_ENOMEM ? SW__CLASS_OUT_OF_MEMORY : SW__CLASS_PARAMETER_ERROR,
                         "%s", error.message);
        return;
    }
    attempt->parameters = &parameters;
    kind_functions[kind](attempt);
    attempt->parameters = NULL;
}

const sw_str *sw_runner_kinds(size_t *count)
{
#define SW__KIND_LITERAL(name, value, text) SW__LIT(text),
    static const sw_str names[] = {SW__KIND_MAP(SW__KIND_LITERAL)};
#undef SW__KIND_LITERAL
    *count = SW__KIND_COUNT;
    return names;
}
