/* Signal handlers. They only touch a counter and call sw_runner_stop, which allows it. */
#include "interrupt.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

#include "command.h"

static volatile sig_atomic_t interrupt_count;
static _Atomic(sw_runner *) interrupt_runner;

static void interrupt_handle(int number)
{
    (void)number;
    if (interrupt_count > 0)
        _exit(CLI_EXIT_INTERRUPTED);
    interrupt_count = 1;
    sw_runner *runner = atomic_load(&interrupt_runner);
    if (runner)
        sw_runner_stop(runner);
}

/* Does nothing, but unlike SIG_IGN it is not inherited by the commands that steps start. */
static void interrupt_pipe_handle(int number)
{
    (void)number;
}

/* A signal that was ignored from the start stays so: nohup and background jobs mean it. */
static void interrupt_catch_one(int number, const struct sigaction *action)
{
    struct sigaction before;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(number, action, NULL);
}

void cli_interrupt_catch(sw_runner *runner)
{
    struct sigaction action = {.sa_handler = interrupt_handle, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    atomic_store(&interrupt_runner, runner);
    interrupt_catch_one(SIGINT, &action);
    interrupt_catch_one(SIGTERM, &action);
    interrupt_catch_one(SIGHUP, &action);
    action.sa_handler = interrupt_pipe_handle;
    sigaction(SIGPIPE, &action, NULL);
}

void cli_interrupt_forget(void)
{
    atomic_store(&interrupt_runner, NULL);
}

bool cli_interrupted(void)
{
    return interrupt_count > 0;
}
