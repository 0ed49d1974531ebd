/* Runners in tests: a root directory, a runner over a live engine, also on a thread of its own, and
 * the commands it runs.
 */
#ifndef HELPER_RUNNING_H
#define HELPER_RUNNING_H

#include <pthread.h>

#include "helper/live.h"

/* Root of every runner of the test that runs now. */
extern char running_directory[64];

/* For cmocka: make the directory and remove it. */
int running_setup(void **state);
int running_teardown(void **state);

/* threads and lease_ms 0: the usual ones. */
sw_runner *running_open(live *l, int threads, int64_t lease_ms);
/* Run until the task has ended; asserts success. */
void running_until(live *l, sw_runner *runner, const sw_uuid *task);

/* A runner on a thread of its own. */
typedef struct background {
    pthread_t thread;
    sw_runner *runner;
    const sw_uuid *until;
    int rc;
    sw_error error;
} background;

void background_start(background *b, sw_runner *runner, const sw_uuid *until);
void background_join(background *b); /* asserts success */

/* Wait until a step is in a state. */
void running_wait_for(live *l, const sw_uuid *task, const char *step, int state);
/* The number that a command has written into a file of the root, once it has. */
long running_pid(const char *name);
/* Remove what earlier commands have written into "pid" and "child". */
void running_forget_pids(void);
/* The process ends soon. */
void running_dies(long pid);

#endif
