/* The guard: a process that outlives a runner which was killed, for the moment it takes to kill
 * the commands that the runner has left behind, with their children. */
#ifndef SW_WORKER_GUARD_H
#define SW_WORKER_GUARD_H

#include <stdint.h>

#include "stepwell/error.h"
#include "stepwell/sys/env.h"

typedef struct sw__guard {
    const sw_env *env;
    int fd;      /* for sw_spawn_request.guard_fd; -1 before the first start */
    int64_t pid; /* 0 when none was started */
} sw__guard;

void sw__guard_init(sw__guard *guard, const sw_env *env);
/* Start the guard, or start it again when it has died. The calling thread must live until
 * sw__guard_close. errors: SW_EIO. */
int sw__guard_start(sw__guard *guard, sw_error *err);
/* A command's group is gone; to be said before its number can be used again. From any thread. */
void sw__guard_forget(int guard_fd, int64_t pid);
void sw__guard_close(sw__guard *guard);

#endif
