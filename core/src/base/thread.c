/* Starting threads; see thread.h. */
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"

int sw__thread_start(pthread_t *out, void *(*body)(void *), void *argument, sw_error *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(out, NULL, body, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? SW_OK : sw__fail(err, SW_EIO, "cannot start a thread: %s", strerror(rc));
}

/* A set that the system finds too small is one of very many processors. */
int32_t sw__thread_processors(int32_t most)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : most;
    return count < 1 ? 1 : count < most ? count : most;
}
