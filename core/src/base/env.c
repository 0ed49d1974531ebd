/* The real world behind sw_env: POSIX clocks, getrandom, realloc, posix_spawn.
 *
 * This is the only file of the core that calls them. Not here: watching or ending the processes
 * it starts, which the runner does.
 */
#include "base/env.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "stepwell/error.h"
#include "stepwell/types.h"

extern char **environ;

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

/* The descriptors of a child are set up in order, so one that already lies below 3 could be
 * overwritten before its turn; such a one is first copied out of the way. */
static int spawn_fd_lift(int fd, int *lifted)
{
    *lifted = -1;
    if (fd < 0 || fd > 2)
        return 0;
    *lifted = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return *lifted < 0 ? errno : 0;
}

static int spawn_actions_fill(posix_spawn_file_actions_t *actions, int out_fd, int err_fd,
                              int cwd_fd)
{
    int rc = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, out_fd, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(actions, err_fd, 2);
    if (rc == 0 && cwd_fd >= 0)
        rc = posix_spawn_file_actions_addfchdir_np(actions, cwd_fd);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return rc;
}

/* A group of its own, so that it can be killed with its children; no blocked and no ignored
 * signals, because Ruby and Python ignore SIGPIPE and a command must not inherit that. */
static int spawn_attributes_fill(posix_spawnattr_t *attributes)
{
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    int rc = posix_spawnattr_setpgroup(attributes, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, &none);
    if (rc == 0)
        rc = posix_spawnattr_setsigdefault(attributes, &all);
    if (rc == 0)
        rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                      POSIX_SPAWN_SETSIGDEF);
    return rc;
}

static int spawn_start(const sw_spawn_request *request, int out_fd, int err_fd, int cwd_fd,
                       pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&actions);
    if (rc != 0)
        return rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc != 0)
        goto done_actions;
    rc = spawn_actions_fill(&actions, out_fd, err_fd, cwd_fd);
    if (rc == 0)
        rc = spawn_attributes_fill(&attributes);
    if (rc == 0) {
        /* posix_spawnp promises not to change the strings; its type is older than const. */
        char *const *argv = (char *const *)(uintptr_t)request->argv;
        char *const *envp = request->envp ? (char *const *)(uintptr_t)request->envp : environ;
        rc = posix_spawnp(pid, request->path, &actions, &attributes, argv, envp);
    }
    posix_spawnattr_destroy(&attributes);
done_actions:
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int system_spawn(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    const int wanted[3] = {request->stdout_fd, request->stderr_fd, request->cwd_fd};
    int lifted[3] = {-1, -1, -1};
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++)
        rc = spawn_fd_lift(wanted[i], &lifted[i]);
    if (rc == 0) {
        pid_t started = 0;
        rc = spawn_start(request, lifted[0] < 0 ? wanted[0] : lifted[0],
                         lifted[1] < 0 ? wanted[1] : lifted[1],
                         lifted[2] < 0 ? wanted[2] : lifted[2], &started);
        *pid = started;
    }
    for (int i = 0; i < 3; i++) {
        if (lifted[i] >= 0)
            close(lifted[i]);
    }
    return -rc;
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
