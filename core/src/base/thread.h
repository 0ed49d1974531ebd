/* Threads of the core. Only a running worker has any. */
#ifndef SW_BASE_THREAD_H
#define SW_BASE_THREAD_H

#include <pthread.h>

#include "stepwell/error.h"

/* Start a thread to which no signal is delivered: signals are for the threads of the host.
 * errors: SW_EIO. */
int sw__thread_start(pthread_t *out, void *(*body)(void *), void *argument, sw_error *err);

#endif
