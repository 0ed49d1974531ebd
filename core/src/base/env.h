/* Short forms for calls through sw_env. */
#ifndef SW_BASE_ENV_H
#define SW_BASE_ENV_H

#include <stdbool.h>

#include "stepwell/sys/env.h"

static inline void *sw__resize(const sw_env *env, void *block, size_t size)
{
    return env->resize(env->context, block, size);
}

static inline void sw__free(const sw_env *env, void *block)
{
    if (block)
        env->resize(env->context, block, 0);
}

static inline void sw__yield(const sw_env *env, const char *place)
{
    if (env->yield)
        env->yield(env->context, place);
}

/* Zeroed memory, or NULL. */
void *sw__calloc(const sw_env *env, size_t count, size_t size);

/* Number of forks this process has behind it; changes in a child (pthread_atfork). The handler
 * only bumps the counter. */
uint32_t sw__fork_generation(void);

/* Number of this process. */
int64_t sw__process_id(void);

/* The two sources of the system's boot id: a file that holds a UUID (false when it does not), and,
 * where there is none, the moment of the boot to about a quarter of an hour. */
bool sw__boot_id_read(const char *path, uint8_t id[16]);
void sw__boot_id_guess(int64_t wall_us, int64_t boot_us, uint8_t id[16]);

#endif
