/* Threads of the core. A running worker has some, and a verification of an export for as long as it
 * lasts. */
#ifndef SW_BASE_THREAD_H
#define SW_BASE_THREAD_H

#include <pthread.h>

#include "stepwell/error.h"

/* Start a thread to which no signal is delivered: signals are for the threads of the host.
 * errors: SW_EIO. */
int sw__thread_start(pthread_t *out, void *(*body)(void *), void *argument, sw_error *err);

/* The processors that this thread may run on, 1 to most. */
int32_t sw__thread_processors(int32_t most);

#endif
