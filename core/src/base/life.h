/* Signs of life on POSIX: a record lock on the worker's byte of a file beside the database. */
#ifndef SW_BASE_LIFE_H
#define SW_BASE_LIFE_H

#include <stdint.h>

/* The life function of sw_env_system. */
int sw__life_system(void *context, int question, const char *path, int64_t worker_id);

#endif
