/* The real world behind sw_env: POSIX clocks, getrandom, realloc.
 *
 * This is the only file of the core that calls them. Not here: starting processes (spawn.c).
 */
#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/bell.h"
#include "base/life.h"
#include "base/spawn.h"
#include "stepwell/error.h"
#include "stepwell/types.h"

static int64_t clock_read_us(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t system_mono_us(void *context)
{
    (void)context;
    return clock_read_us(CLOCK_MONOTONIC);
}

static int64_t system_boot_us(void *context)
{
    (void)context;
    return clock_read_us(CLOCK_BOOTTIME);
}

static int64_t system_wall_us(void *context)
{
    (void)context;
    return clock_read_us(CLOCK_REALTIME);
}

bool sw__boot_id_read(const char *path, uint8_t id[16])
{
    char text[36];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t got = read(fd, text, sizeof(text));
    close(fd);
    sw_uuid uuid;
    if (got != (ssize_t)sizeof(text) || sw_uuid_parse((sw_str){text, sizeof(text)}, &uuid) < 0)
        return false;
    memcpy(id, uuid.bytes, 16);
    return true;
}

void sw__boot_id_guess(int64_t wall_us, int64_t boot_us, uint8_t id[16])
{
    const int64_t grain_us = INT64_C(1024) * 1000000;
    uint64_t started = (uint64_t)((wall_us - boot_us) / grain_us);
    memset(id, 0, 16);
    for (int i = 0; i < 8; i++)
        id[15 - i] = (uint8_t)(started >> (8 * i));
}

static void system_boot_id(void *context, uint8_t id[16])
{
    if (!sw__boot_id_read("/proc/sys/kernel/random/boot_id", id))
        sw__boot_id_guess(system_wall_us(context), system_boot_us(context), id);
}

static int system_random(void *context, void *out, size_t size)
{
    (void)context;
    uint8_t *bytes = out;
    while (size > 0) {
        ssize_t got = getrandom(bytes, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return SW_EIO;
        bytes += got;
        size -= (size_t)got;
    }
    return SW_OK;
}

static void *system_resize(void *context, void *block, size_t size)
{
    (void)context;
    if (size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, size);
}

static int system_spawn(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    return sw__spawn_system(request, pid);
}

static const sw_env system_env = {
    .size = sizeof(sw_env),
    .clock_mono_us = system_mono_us,
    .clock_boot_us = system_boot_us,
    .clock_wall_us = system_wall_us,
    .boot_id = system_boot_id,
    .random = system_random,
    .resize = system_resize,
    .spawn = system_spawn,
    .life = sw__life_system,
#ifdef __linux__
    .bell_open = sw__bell_system_open,
    .bell_close = sw__bell_system_close,
    .bell_ring = sw__bell_system_ring,
    .bell_count = sw__bell_system_count,
    .bell_wait = sw__bell_system_wait,
#endif
};

const sw_env *sw_env_system(void)
{
    return &system_env;
}

void *sw__calloc(const sw_env *env, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        return NULL;
    void *block = sw__resize(env, NULL, total ? total : 1);
    if (block)
        memset(block, 0, total);
    return block;
}

static atomic_uint fork_count;
static bool fork_counted;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;

static void fork_count_bump(void)
{
    atomic_fetch_add_explicit(&fork_count, 1, memory_order_relaxed);
}

static void fork_count_start(void)
{
    fork_counted = pthread_atfork(NULL, NULL, fork_count_bump) == 0;
}

uint32_t sw__fork_generation(void)
{
    pthread_once(&fork_once, fork_count_start);
    /* Where the handler could not be registered, the process number tells parent and child apart
     * as well; it only costs a system call. */
    if (!fork_counted)
        return (uint32_t)getpid();
    return atomic_load_explicit(&fork_count, memory_order_relaxed);
}

int64_t sw__process_id(void)
{
    return getpid();
}
