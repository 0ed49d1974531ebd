/* Running a command for an anchor; see anchor.h. Its output goes into memory that a file descriptor
 * names, so that it can say as much as it likes at any time. Not here: commands of steps, which are
 * watched and killed (worker/kind_command.c). */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/anchor.h"
#include "base/error.h"
#include "base/file.h"

#define TOOL_OUTPUT_MAX ((size_t)4 * 1024 * 1024)

static int tool_wait(int64_t pid, int *status)
{
    while (waitpid((pid_t)pid, status, 0) < 0) {
        if (errno != EINTR)
            return -1;
    }
    *status = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
    return 0;
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

static int tool_spawn(const sw_env *env, const char *const *argv, int out, int errors, int *status,
                      sw_error *err)
{
    int64_t pid = 0;
    const sw_spawn_request request = {
        .size = sizeof(request),
        .stdout_fd = out,
        .stderr_fd = errors,
        .cwd_fd = -1,
        .path = argv[0],
        .argv = argv,
        .guard_fd = -1,
    };
    int rc = env->spawn(env->context, &request, &pid);
    if (rc == -ENOENT)
        return sw__fail(err, SW_ENOTFOUND, "the command \"%s\" is not there", argv[0]);
    if (rc < 0 || tool_wait(pid, status) < 0)
        return sw__fail(err, SW_EIO, "cannot run \"%s\": %s", argv[0],
                        strerror(rc < 0 ? -rc : errno));
    return SW_OK;
}

int sw__tool_run(const sw_env *env, const char *const *argv, sw__buf *said, char complaint[160],
                 int *status, sw_error *err)
{
    int out = memfd_create("stepwell-tool", MFD_CLOEXEC);
    int errors = memfd_create("stepwell-tool", MFD_CLOEXEC);
    int rc = out < 0 || errors < 0
                 ? sw__fail(err, SW_EIO, "cannot run \"%s\": %s", argv[0], strerror(errno))
                 : tool_spawn(env, argv, out, errors, status, err);
    sw__buf_clear(said);
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
