/* What the linker puts in place of functions that the engine calls (wrap.c): its locks, its waiting,
 * its opening of the store and its reading of stored definitions. */
#ifndef SIM_WRAP_H
#define SIM_WRAP_H

#include <pthread.h>

#include "sim/world.h"

/* They work on *current; once per process. */
void wrap_install(world *const *current);
/* End the waiting of every actor that waits in its engine, as a signal handler would; not in an
 * engine whose lock is taken. */
void wrap_wake_waiting(world *w);
bool wrap_is_locked(pthread_mutex_t *mutex);

#endif
