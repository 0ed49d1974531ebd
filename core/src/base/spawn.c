/* Starting a process in a session of its own.
 *
 * posix_spawn cannot ask for a signal on the parent's death, nor announce the child before its
 * program runs; both are needed so that no command outlives a worker that was killed. So the child
 * is made as posix_spawn makes it (clone with shared memory, the parent stands still until the
 * program runs) and set up here. Until then the child lives in the memory of a process with many
 * threads: it takes no lock, allocates nothing, and makes bare system calls, which no sanitizer
 * and no host library intercepts.
 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SW__SPAWN_STACK ((size_t)32 * 1024)
#define SW__SPAWN_PATH "/usr/local/bin:/usr/bin:/bin"
#define SW__SPAWN_FDS 5

extern char **environ;

/* What the child is to become; written by the parent, except for error. */
typedef struct spawn_plan {
    const char *path;
    char *const *argv;
    char *const *envp;
    int fds[SW__SPAWN_FDS]; /* stdin, stdout, stderr, directory, guard: -1 or at least 3 */
    int death_signal;
    pid_t parent;
    volatile int error; /* why the program does not run */
} spawn_plan;

enum { SPAWN_CWD = 3, SPAWN_GUARD = 4 };

/* The thread sanitizer takes the child of clone for a fork, in the memory of the parent. Its
 * wrapper is not found under the other name of the function. */
#if defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
extern __typeof__(clone) __clone;
#define SW__SPAWN_CLONE __clone
#else
#define SW__SPAWN_CLONE clone
#endif

#define SW__BARE __attribute__((no_sanitize("address", "thread", "undefined")))

/* Ruby and Python ignore SIGPIPE, and a command must not inherit that; handlers of the host must
 * not run in the child either, so every signal goes back to its default before any is let in. */
SW__BARE static void spawn_child_signals(void)
{
    static const unsigned long zero[8];
    for (int number = 1; number < _NSIG; number++)
        syscall(SYS_rt_sigaction, number, zero, NULL, _NSIG / 8);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, _NSIG / 8);
}

SW__BARE static void spawn_child_close(void)
{
    if (syscall(SYS_close_range, 3U, ~0U, 0U) == 0)
        return;
    struct rlimit limit = {0};
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    for (rlim_t fd = 3; fd < limit.rlim_cur && fd < 65536; fd++)
        syscall(SYS_close, (int)fd);
}

/* "+ 123\n" for the start of process 123, "- 123\n" for its end. */
SW__BARE static bool spawn_announce(int fd, char sign, long number)
{
    char text[32];
    size_t at = sizeof(text);
    text[--at] = '\n';
    for (long rest = number; rest > 0; rest /= 10)
        text[--at] = (char)('0' + rest % 10);
    text[--at] = ' ';
    text[--at] = sign;
    long sent =
        syscall(SYS_sendto, fd, text + at, sizeof(text) - at, MSG_NOSIGNAL | MSG_DONTWAIT, NULL, 0);
    return sent == (long)(sizeof(text) - at);
}

SW__BARE static bool spawn_child_prepare(const spawn_plan *plan)
{
    if (syscall(SYS_setsid) < 0)
        return false;
    spawn_child_signals();
    if (plan->death_signal) {
        if (syscall(SYS_prctl, PR_SET_PDEATHSIG, plan->death_signal, 0, 0, 0) < 0)
            return false;
        if (syscall(SYS_getppid) != plan->parent) {
            errno = ESRCH; /* it died before the signal was asked for */
            return false;
        }
    }
    for (int fd = 0; fd < 3; fd++) {
        if (syscall(SYS_dup3, plan->fds[fd], fd, 0) < 0)
            return false;
    }
    if (plan->fds[SPAWN_CWD] >= 0 && syscall(SYS_fchdir, plan->fds[SPAWN_CWD]) < 0)
        return false;
    if (plan->fds[SPAWN_GUARD] >= 0 &&
        !spawn_announce(plan->fds[SPAWN_GUARD], '+', syscall(SYS_getpid)))
        return false;
    spawn_child_close();
    return true;
}

SW__BARE static int spawn_child(void *argument)
{
    spawn_plan *plan = argument;
    if (spawn_child_prepare(plan))
        syscall(SYS_execve, plan->path, plan->argv, plan->envp);
    plan->error = errno;
    syscall(SYS_exit_group, 127);
    return 127;
}

/* Signals are blocked around the clone so that no handler of the host runs in the child. */
static int spawn_clone(spawn_plan *plan, int64_t *pid)
{
    _Alignas(16) char stack[SW__SPAWN_STACK];
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int child =
        SW__SPAWN_CLONE(spawn_child, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, plan);
    int error = child < 0 ? errno : plan->error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child > 0 && error != 0) {
        /* The number is free for other processes once it is waited for. */
        if (plan->fds[SPAWN_GUARD] >= 0)
            spawn_announce(plan->fds[SPAWN_GUARD], '-', child);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    *pid = child;
    return -error;
}

static const char *spawn_search_path(char *const *envp)
{
    for (; *envp; envp++) {
        if (strncmp(*envp, "PATH=", 5) == 0)
            return *envp + 5;
    }
    return SW__SPAWN_PATH;
}

static bool spawn_is_program(const char *path)
{
    struct stat about;
    if (stat(path, &about) < 0)
        return false;
    if (S_ISREG(about.st_mode) && access(path, X_OK) == 0)
        return true;
    errno = EACCES;
    return false;
}

/* Find name in the absolute directories of PATH: an empty or relative one would run whatever lies
 * in the directory the command works in. */
static int spawn_search(const char *name, char *const *envp, char found[PATH_MAX])
{
    int error = ENOENT;
    const char *at = spawn_search_path(envp);
    while (*at) {
        size_t len = strcspn(at, ":");
        int size = snprintf(found, PATH_MAX, "%.*s/%s", (int)len, at, name);
        if (*at == '/' && size > 0 && size < PATH_MAX) {
            if (spawn_is_program(found))
                return 0;
            if (errno == EACCES)
                error = EACCES;
        }
        at += len + (at[len] == ':');
    }
    return -error;
}

/* The child sets up its descriptors in order, so one that lies below 3 could be overwritten before
 * its turn; such a one is first copied out of the way. */
static int spawn_fd_lift(int *fd, bool *lifted)
{
    if (*fd < 0 || *fd > 2)
        return 0;
    *fd = fcntl(*fd, F_DUPFD_CLOEXEC, 3);
    if (*fd < 0)
        return -errno;
    *lifted = true;
    return 0;
}

static int spawn_start(const sw_spawn_request *request, spawn_plan *plan, int64_t *pid)
{
    bool lifted[SW__SPAWN_FDS] = {false};
    int rc = 0;
    plan->fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (plan->fds[0] < 0)
        return -errno;
    int null_fd = plan->fds[0];
    plan->fds[1] = request->stdout_fd;
    plan->fds[2] = request->stderr_fd;
    plan->fds[SPAWN_CWD] = request->cwd_fd;
    plan->fds[SPAWN_GUARD] = request->guard_fd;
    for (int i = 0; i < SW__SPAWN_FDS && rc == 0; i++)
        rc = spawn_fd_lift(&plan->fds[i], &lifted[i]);
    if (rc == 0)
        rc = spawn_clone(plan, pid);
    for (int i = 0; i < SW__SPAWN_FDS; i++) {
        if (lifted[i])
            close(plan->fds[i]);
    }
    close(null_fd);
    return rc;
}

int sw__spawn_system(const sw_spawn_request *request, int64_t *pid)
{
    char found[PATH_MAX];
    if (request->size < sizeof(*request) || !request->path || !*request->path)
        return -EINVAL;
    /* execve promises not to change the strings; its type is older than const. */
    spawn_plan plan = {
        .path = request->path,
        .argv = (char *const *)(uintptr_t)request->argv,
        .envp = request->envp ? (char *const *)(uintptr_t)request->envp : environ,
        .death_signal = request->death_signal,
        .parent = getpid(),
    };
    if (!strchr(request->path, '/')) {
        int rc = spawn_search(request->path, plan.envp, found);
        if (rc < 0)
            return rc;
        plan.path = found;
    }
    return spawn_start(request, &plan, pid);
}
