/* Running a command for an anchor; see anchor.h. Its output goes into files that nobody else sees,
 * in memory where the system has that, so that it can say as much as it likes at any time. One that
 * does not end is ended: first asked, so that it may take its lock files with it, then killed. Not
 * here: commands of steps, which are watched together (worker/kind_command.c). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "base/error.h"
#include "base/file.h"

#define TOOL_OUTPUT_MAX ((size_t)4 * 1024 * 1024)
#define TOOL_GRACE_MS 1000 /* between asking a command to end and killing it */
#define TOOL_NAP_FIRST_MS 1
#define TOOL_NAP_MAX_MS 50

static void tool_nap(int64_t ms)
{
    const struct timespec nap = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&nap, NULL);
}

/* 1 when it has ended by then, 0 when not, or a negative errno. It is not collected yet: as long as
 * its number is taken, so is that of its group. Asking again and again, at longer and longer
 * intervals, needs nothing of the system that may be missing, and no handler of the host's signals.
 */
static int tool_wait(const sw_env *env, int64_t pid, int64_t limit_ms)
{
    int64_t until_us = env->clock_mono_us(env->context) + limit_ms * 1000;
    int64_t nap_ms = TOOL_NAP_FIRST_MS;
    for (;;) {
        siginfo_t about = {0};
        if (waitid(P_PID, (id_t)pid, &about, WEXITED | WNOHANG | WNOWAIT) < 0)
            return -errno;
        if (about.si_pid != 0)
            return 1;
        if (env->clock_mono_us(env->context) >= until_us)
            return 0;
        tool_nap(nap_ms);
        nap_ms = 2 * nap_ms < TOOL_NAP_MAX_MS ? 2 * nap_ms : TOOL_NAP_MAX_MS;
    }
}

/* The command and whatever it has started: a process group of its own (base/spawn.h). */
static void tool_end(const sw_env *env, int64_t pid)
{
    kill((pid_t)-pid, SIGTERM);
    tool_wait(env, pid, TOOL_GRACE_MS);
    kill((pid_t)-pid, SIGKILL);
}

static int tool_collect(int64_t pid, int *status)
{
    while (waitpid((pid_t)pid, status, 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
    return 1;
}

static void tool_complaint(const sw_env *env, int fd, char complaint[160])
{
    sw__buf text;
    size_t used = 0;
    sw__buf_init(&text, env);
    lseek(fd, 0, SEEK_SET);
    if (sw__file_read_fd(fd, "", TOOL_OUTPUT_MAX, &text, NULL) == SW_OK) {
        while (used < text.len && used + 1 < 160 && text.ptr[used] != '\n')
            used++;
        if (used > 0)
            memcpy(complaint, text.ptr, used);
    }
    complaint[used] = '\0';
    sw__buf_free(&text);
}

static int tool_spawn(const sw_env *env, const char *const *argv, int out, int errors, int64_t *pid,
                      sw_error *err)
{
    const sw_spawn_request request = {
        .size = sizeof(request),
        .stdout_fd = out,
        .stderr_fd = errors,
        .cwd_fd = -1,
        .path = argv[0],
        .argv = argv,
        .guard_fd = -1,
    };
    int rc = env->spawn(env->context, &request, pid);
    if (rc == -ENOENT)
        return sw__fail(err, SW_ENOTFOUND, "the command \"%s\" is not there", argv[0]);
    return rc < 0 ? sw__fail(err, SW_EIO, "cannot run \"%s\": %s", argv[0], strerror(-rc)) : SW_OK;
}

static int tool_watch(const sw_env *env, const char *const *argv, int64_t limit_ms, int64_t pid,
                      int *status, sw_error *err)
{
    int ended = tool_wait(env, pid, limit_ms);
    if (ended == 0)
        tool_end(env, pid);
    int rc = ended < 0 ? ended : tool_collect(pid, status);
    if (rc < 0)
        return sw__fail(err, SW_EIO, "cannot wait for \"%s\": %s", argv[0], strerror(-rc));
    return ended ? SW_OK
                 : sw__fail(err, SW_EIO, "the command \"%s\" did not end within %g s and was ended",
                            argv[0], (double)limit_ms / 1000);
}

/* A file without a name. Old kernels, and sandboxes, have none in memory. */
static int tool_file(void)
{
    int fd = memfd_create("stepwell-tool", MFD_CLOEXEC);
    if (fd >= 0)
        return fd;
    char path[4096];
    const char *folder = secure_getenv("TMPDIR");
    int used = snprintf(path, sizeof(path), "%s/stepwell-tool-XXXXXX",
                        folder && *folder ? folder : "/tmp");
    if (used < 0 || (size_t)used >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

int sw__tool_run(const sw_env *env, const char *const *argv, int64_t limit_ms, sw__buf *said,
                 char complaint[160], int *status, sw_error *err)
{
    int64_t pid = 0;
    int out = tool_file();
    int errors = out < 0 ? -1 : tool_file();
    int rc = errors < 0 ? sw__fail(err, SW_EIO, "cannot run \"%s\": no file for what it says: %s",
                                   argv[0], strerror(errno))
                        : tool_spawn(env, argv, out, errors, &pid, err);
    sw__buf_clear(said);
    if (rc == SW_OK)
        rc = tool_watch(env, argv, limit_ms, pid, status, err);
    if (rc == SW_OK) {
        lseek(out, 0, SEEK_SET);
        rc = sw__file_read_fd(out, argv[0], TOOL_OUTPUT_MAX, said, err);
        tool_complaint(env, errors, complaint);
    }
    if (out >= 0)
        close(out);
    if (errors >= 0)
        close(errors);
    return rc;
}

#undef TOOL_OUTPUT_MAX
#undef TOOL_GRACE_MS
#undef TOOL_NAP_FIRST_MS
#undef TOOL_NAP_MAX_MS
