/* Starting and telling the guard.
 *
 * The guard is a short fixed shell script, so that it needs no program of ours to be installed; it
 * never sees a command. It reads from a socket which groups run ("+ 123", sent by the command's
 * own process before its program starts, so that there is no moment without protection) and which
 * are gone ("- 123"). When the runner dies the socket ends, and the guard kills what is left.
 * A child that the host has forked keeps the socket open; therefore the guard also gets SIGTERM
 * when the runner's thread ends, and gives what is still on its way a second to arrive.
 */
#include "worker/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

static const char guard_script[] =
    "live=' '\n"
    "dying=\n"
    "finish() {\n"
    "    for group in $live; do kill -s KILL -- \"-$group\"; done\n"
    "    exit 0\n"
    "}\n"
    "trap '' HUP INT QUIT\n"
    "trap 'dying=first; { sleep 1; kill -s ALRM $$; } &' TERM\n"
    "trap finish ALRM\n"
    "while :; do\n"
    "    if read -r sign group <&1; then\n"
    "        case $sign in\n"
    "        +) live=\"$live$group \" ;;\n"
    "        -) live=\"${live%% \"$group\" *} ${live#* \"$group\" }\" ;;\n"
    "        esac\n"
    "    elif [ \"$dying\" = first ]; then\n"
    "        dying=again\n" /* the signal may have cut the reading short */
    "    else\n"
    "        finish\n"
    "    fi\n"
    "done\n";

void sw__guard_init(sw__guard *guard, const sw_env *env)
{
    *guard = (sw__guard){.env = env, .fd = -1};
}

static void guard_reap(sw__guard *guard)
{
    while (guard->pid > 0 && waitpid((pid_t)guard->pid, NULL, 0) < 0 && errno == EINTR) {
    }
    guard->pid = 0;
}

static bool guard_alive(const sw__guard *guard)
{
    char byte;
    return guard->pid > 0 && recv(guard->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

static int guard_spawn(sw__guard *guard, int its_fd)
{
    static const char *const argv[] = {"sh", "-c", guard_script, "stepwell-guard", NULL};
    static const char *const envp[] = {"PATH=/usr/bin:/bin", NULL};
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null_fd < 0)
        return -errno;
    const sw_spawn_request request = {
        .size = sizeof(request),
        .stdout_fd = its_fd,
        .stderr_fd = null_fd,
        .cwd_fd = -1,
        .path = "/bin/sh",
        .argv = argv,
        .envp = envp,
        .guard_fd = -1,
        .death_signal = SIGTERM,
    };
    int rc = guard->env->spawn(guard->env->context, &request, &guard->pid);
    close(null_fd);
    return rc;
}

int sw__guard_start(sw__guard *guard, sw_error *err)
{
    int ends[2] = {-1, -1};
    if (guard_alive(guard))
        return SW_OK;
    guard_reap(guard);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return sw__fail(err, SW_EIO, "cannot make a socket: %s", strerror(errno));
    int rc = guard_spawn(guard, ends[1]);
    close(ends[1]);
    if (rc < 0) {
        guard->pid = 0;
        close(ends[0]);
        return sw__fail(err, SW_EIO, "cannot start /bin/sh, which guards commands: %s",
                        strerror(-rc));
    }
    /* Other threads may be using the descriptor of a guard that has died: its number stays. */
    if (guard->fd >= 0) {
        dup3(ends[0], guard->fd, O_CLOEXEC);
        close(ends[0]);
    } else {
        guard->fd = ends[0];
    }
    return SW_OK;
}

void sw__guard_forget(int guard_fd, int64_t pid)
{
    char text[32];
    int size = snprintf(text, sizeof(text), "- %lld\n", (long long)pid);
    /* A guard that has died needs not be told; one that does not read for long finds a group that
     * does not exist any more. */
    (void)!send(guard_fd, text, (size_t)size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void sw__guard_close(sw__guard *guard)
{
    if (guard->fd >= 0) {
        shutdown(guard->fd, SHUT_RDWR); /* for the copies in forked children, too */
        close(guard->fd);
    }
    guard_reap(guard);
    guard->fd = -1;
}
