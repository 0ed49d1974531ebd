/* Starting a process; the spawn of sw_env_system(). Watching and ending it is not done here. */
#ifndef SW_BASE_SPAWN_H
#define SW_BASE_SPAWN_H

#include "stepwell/sys/env.h"

/* 0 or a negative errno; -ENOENT when there is no such program. */
int sw__spawn_system(const sw_spawn_request *request, int64_t *pid);

#endif
