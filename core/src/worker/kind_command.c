/* The command kind: one program with its arguments, in a process group of its own.
 *
 * Never a shell. The command is watched by one thread: its output is drained and kept within
 * limits, its end, the step's timeout and an interrupt are waited for at once. Whatever happens,
 * the whole group is gone before the attempt is answered. Not here: what the command is given
 * (command_env.h), starting a process (base/spawn.c), and what happens when this process is killed
 * (guard.h).
 */
#include "worker/kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/env.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/utf8.h"
#include "worker/capture.h"
#include "worker/command_env.h"
#include "worker/guard.h"

#define SW__COMMAND_GRACE_US INT64_C(2000000) /* between TERM and KILL */
#define SW__COMMAND_DETAIL_MAX ((size_t)16 * 1024)
#define SW__COMMAND_READ ((size_t)16 * 1024)
#define SW__COMMAND_READS 64 /* at once; a pipe holds no more */

typedef enum command_phase { COMMAND_RUNS, COMMAND_ASKED, COMMAND_KILLED } command_phase;

typedef struct command_run {
    sw__attempt *attempt;
    int64_t pid;
    int pid_fd;
    int read_fds[2]; /* stdout, stderr; -1 at their end */
    sw__capture outputs[2];
    command_phase phase;
    bool timed_out;
    bool interrupted;
    int64_t kill_us; /* when ASKED becomes KILLED */
} command_run;

static void command_fail_start(sw__attempt *attempt, int error)
{
    sw_str name = sw__utf8_cut(attempt->parameters->command, 400);
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        sw__attempt_fail(attempt, SW__CLASS_COMMAND_NOT_FOUND, "there is no program \"%.*s\"%s",
                         SW__FMT(name), memchr(name.ptr, '/', name.len) ? "" : " in PATH");
        return;
    case EACCES:
    case ENOEXEC:
        sw__attempt_fail(attempt, SW__CLASS_COMMAND_NOT_EXECUTABLE,
                         "\"%.*s\" cannot be executed: %s%s", SW__FMT(name), strerror(error),
                         error == ENOEXEC ? "; a script needs \"#!\" in its first line" : "");
        return;
    default:
        sw__attempt_fail(attempt, SW__CLASS_COMMAND_NOT_STARTED,
                         "\"%.*s\" could not be started: %s", SW__FMT(name), strerror(error));
    }
}

/* 0 or a negative errno. The ends for the command are closed in any case. */
static int command_spawn(command_run *run, const char **argv, const char **envp, int cwd_fd)
{
    const sw__attempt *attempt = run->attempt;
    int out[2] = {-1, -1};
    int failed[2] = {-1, -1};
    int rc = 0;
    if (pipe2(out, O_CLOEXEC) < 0 || pipe2(failed, O_CLOEXEC) < 0)
        rc = -errno;
    run->read_fds[0] = out[0];
    run->read_fds[1] = failed[0];
    if (rc == 0 &&
        (fcntl(out[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(failed[0], F_SETFL, O_NONBLOCK) < 0))
        rc = -errno;
    if (rc == 0) {
        const sw_spawn_request request = {
            .size = sizeof(request),
            .stdout_fd = out[1],
            .stderr_fd = failed[1],
            .cwd_fd = cwd_fd,
            .path = argv[0],
            .argv = argv,
            .envp = envp,
            .guard_fd = attempt->place->guard_fd,
            .death_signal = SIGKILL,
        };
        rc = attempt->env->spawn(attempt->env->context, &request, &run->pid);
    }
    if (out[1] >= 0)
        close(out[1]);
    if (failed[1] >= 0)
        close(failed[1]);
    return rc;
}

/* Read what is there, but not for ever: a command that prints without end must not keep its
 * timeout from being seen. False at the end. */
static bool command_drain(int fd, sw__capture *capture)
{
    char bytes[SW__COMMAND_READ];
    for (int i = 0; i < SW__COMMAND_READS; i++) {
        ssize_t got = read(fd, bytes, sizeof(bytes));
        if (got > 0)
            sw__capture_put(capture, bytes, (size_t)got);
        else if (got == 0 || (errno != EINTR && errno != EAGAIN))
            return false;
        if (got < (ssize_t)sizeof(bytes))
            break;
    }
    return true;
}

static void command_ask(command_run *run, int64_t now_us)
{
    kill(-(pid_t)run->pid, SIGTERM);
    run->phase = COMMAND_ASKED;
    run->kill_us = now_us + SW__COMMAND_GRACE_US;
}

/* What time and interrupts demand; returns when to look again. */
static int64_t command_judge(command_run *run, int64_t deadline_us)
{
    int64_t now_us = sw__attempt_now_us(run->attempt);
    if (run->phase == COMMAND_RUNS) {
        run->interrupted = atomic_load(&run->attempt->interrupt->why) != SW__WHY_NONE;
        run->timed_out = !run->interrupted && now_us >= deadline_us;
        if (!run->interrupted && !run->timed_out)
            return deadline_us;
        command_ask(run, now_us);
    }
    if (run->phase == COMMAND_ASKED && now_us < run->kill_us)
        return run->kill_us;
    if (run->phase == COMMAND_ASKED)
        kill(-(pid_t)run->pid, SIGKILL);
    run->phase = COMMAND_KILLED;
    return INT64_MAX;
}

static int command_poll_ms(const command_run *run, int64_t until_us)
{
    int64_t left_us = until_us - sw__attempt_now_us(run->attempt);
    if (until_us == INT64_MAX || left_us > INT64_C(60000000))
        return 60000;
    return left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
}

/* Until the process has ended, which is not yet collected: its number, which is its group's, is
 * not free before. */
static void command_watch(command_run *run)
{
    int64_t deadline_us = sw__attempt_deadline_us(run->attempt);
    for (;;) {
        int64_t until_us = command_judge(run, deadline_us);
        struct pollfd fds[] = {
            {.fd = run->pid_fd, .events = POLLIN},
            {.fd = run->read_fds[0], .events = POLLIN},
            {.fd = run->read_fds[1], .events = POLLIN},
            {.fd = run->phase == COMMAND_RUNS ? run->attempt->interrupt->fd : -1, .events = POLLIN},
        };
        if (poll(fds, sizeof(fds) / sizeof(fds[0]), command_poll_ms(run, until_us)) < 0)
            continue;
        for (int i = 0; i < 2; i++) {
            if (fds[i + 1].revents && !command_drain(run->read_fds[i], &run->outputs[i])) {
                close(run->read_fds[i]);
                run->read_fds[i] = -1;
            }
        }
        if (fds[0].revents)
            return;
    }
}

/* Kill what the command has left behind, read the rest of the output, collect the status.
 * Returns the wait status, or -1 when another part of the process has collected it. */
static int command_end(command_run *run)
{
    int status = -1;
    int got;
    kill(-(pid_t)run->pid, SIGKILL);
    for (int i = 0; i < 2; i++) {
        if (run->read_fds[i] >= 0)
            command_drain(run->read_fds[i], &run->outputs[i]);
    }
    if (run->attempt->place->guard_fd >= 0)
        sw__guard_forget(run->attempt->place->guard_fd, run->pid);
    while ((got = waitpid((pid_t)run->pid, &status, 0)) < 0 && errno == EINTR) {
    }
    return got < 0 ? -1 : status;
}

/* Outputs as JSON; control characters take six bytes there, so they are cut again when the result
 * would be too large for the store. */
static void command_answer_success(command_run *run, int64_t duration_ms)
{
    static const char *const names[] = {",\"stdout\":", ",\"stderr\":"};
    size_t limit = run->attempt->place->output_max;
    bool truncated;
    sw__buf json;
    sw__buf text;
    sw__buf_init(&json, run->attempt->env);
    sw__buf_init(&text, run->attempt->env);
    do {
        truncated = false;
        sw__buf_clear(&json);
        sw__buf_put_text(&json, "{\"exit_code\":0");
        for (int i = 0; i < 2; i++) {
            sw__buf_clear(&text);
            truncated |= sw__capture_text(&run->outputs[i], limit, &text);
            json.failed |= text.failed;
            sw__buf_put_text(&json, names[i]);
            sw__json_put_str(&json, sw__buf_str(&text));
        }
        sw__buf_printf(&json, ",\"truncated\":%s,\"duration_ms\":%lld}",
                       truncated ? "true" : "false", (long long)duration_ms);
        limit /= 2;
    } while (!json.failed && json.len > SW__PAYLOAD_MAX);
    sw__attempt_succeed(run->attempt, &json);
    sw__buf_free(&text);
    sw__buf_free(&json);
}

static sw_str command_last_line(sw_str text)
{
    while (text.len > 0 && memchr("\n\t ", text.ptr[text.len - 1], 3))
        text.len--;
    const char *start = text.len ? memrchr(text.ptr, '\n', text.len) : NULL;
    if (!start)
        return text;
    return (sw_str){start + 1, text.len - (size_t)(start + 1 - text.ptr)};
}

/* A failure with what the command has said: on stderr, or on stdout when it said nothing there. */
static void command_answer_failure(command_run *run, sw__class class, const char *what)
{
    sw__attempt *attempt = run->attempt;
    sw__buf text;
    sw__buf_init(&text, attempt->env);
    sw__capture_text(&run->outputs[run->outputs[1].total > 0], SW__COMMAND_DETAIL_MAX, &text);
    sw_str detail = sw__text_clean(attempt->arena, sw__buf_str(&text));
    sw__buf_free(&text);
    sw_str line = sw__utf8_cut(command_last_line(detail), 400);
    sw__attempt_fail(attempt, class, "%s%s%.*s", what, line.len ? ": " : "", SW__FMT(line));
    if (detail.len > 0 && !sw__arena_failed(attempt->arena))
        attempt->outcome->error_detail = detail;
}

static void command_answer(command_run *run, int status)
{
    char what[128];
    sw__attempt *attempt = run->attempt;
    if (run->interrupted) {
        sw__attempt_release(attempt);
    } else if (run->timed_out) {
        snprintf(what, sizeof(what), "the command was ended after its timeout of %lld ms",
                 (long long)attempt->claim->timeout_ms);
        command_answer_failure(run, SW__CLASS_TIMEOUT, what);
    } else if (status < 0) {
        command_answer_failure(run, SW__CLASS_COMMAND_LOST,
                               "another part of this process has collected the exit status");
    } else if (WIFSIGNALED(status)) {
        snprintf(what, sizeof(what), "killed by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
        command_answer_failure(run, SW__CLASS_COMMAND_FAILED, what);
    } else if (WEXITSTATUS(status) != 0) {
        snprintf(what, sizeof(what), "exit status %d", WEXITSTATUS(status));
        command_answer_failure(run, SW__CLASS_COMMAND_FAILED, what);
    } else {
        int64_t took_us = sw__attempt_now_us(attempt) - attempt->started_us;
        command_answer_success(run, took_us / 1000);
    }
}

static void command_run_in(command_run *run, const char **argv, const char **envp, int cwd_fd)
{
    int rc = command_spawn(run, argv, envp, cwd_fd);
    if (rc < 0) {
        command_fail_start(run->attempt, -rc);
        return;
    }
    run->pid_fd = (int)syscall(SYS_pidfd_open, (pid_t)run->pid, 0);
    rc = run->pid_fd < 0 ? errno : 0;
    if (rc == 0)
        command_watch(run);
    int status = command_end(run);
    /* A host that ignores SIGCHLD may have collected it already: ESRCH. */
    if (rc == 0 || rc == ESRCH)
        command_answer(run, status);
    else
        command_fail_start(run->attempt, rc);
}

static void command_close(command_run *run)
{
    for (int i = 0; i < 2; i++) {
        if (run->read_fds[i] >= 0)
            close(run->read_fds[i]);
        sw__capture_close(&run->outputs[i]);
    }
    if (run->pid_fd >= 0)
        close(run->pid_fd);
}

static void command_run_with(sw__attempt *attempt, const char **argv, const char **envp, int cwd_fd)
{
    command_run run = {.attempt = attempt, .pid_fd = -1, .read_fds = {-1, -1}};
    size_t output_max = attempt->place->output_max;
    if (sw__capture_open(&run.outputs[0], attempt->env, output_max) == SW_OK &&
        sw__capture_open(&run.outputs[1], attempt->env, output_max) == SW_OK)
        command_run_in(&run, argv, envp, cwd_fd);
    else
        sw__attempt_fail(attempt, SW__CLASS_OUT_OF_MEMORY,
                         "there was no memory for the output of a command");
    command_close(&run);
}

void sw__run_command(sw__attempt *attempt)
{
    const char **argv = sw__command_argv(attempt);
    const char **envp = argv ? sw__command_envp(attempt) : NULL;
    int cwd_fd = envp ? sw__command_directory(attempt) : -1;
    if (cwd_fd < 0)
        return;
    command_run_with(attempt, argv, envp, cwd_fd);
    close(cwd_fd);
}
