/* Arguments, environment and directory of a command. Not here: running it (kind_command.c). */
#include "worker/command_env.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "model/paths.h"
#include "worker/confine.h"

/* The variables that say which attempt this is. */
enum { COMMAND_OWN_VARIABLES = 5 };

static const char **command_no_memory(sw__attempt *attempt)
{
    sw__attempt_fail(attempt, SW__CLASS_OUT_OF_MEMORY, "there was no memory to run a command");
    return NULL;
}

const char **sw__command_argv(sw__attempt *attempt)
{
    const sw__node *args = attempt->parameters->args;
    size_t count = args ? args->count : 0;
    const char **argv = sw__arena_array(attempt->arena, count + 2, sizeof(*argv));
    if (!argv)
        return command_no_memory(attempt);
    argv[0] = sw__arena_str(attempt->arena, attempt->parameters->command).ptr;
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = sw__arena_str(attempt->arena, args->items[i]->text).ptr;
    return sw__arena_failed(attempt->arena) ? command_no_memory(attempt) : argv;
}

static bool command_declares(const sw__node *declared, const char *variable)
{
    size_t len = strcspn(variable, "=");
    for (size_t i = 0; declared && i < declared->count; i++) {
        sw_str name = declared->pairs[i].key;
        if (name.len == len && memcmp(name.ptr, variable, len) == 0)
            return true;
    }
    return false;
}

static size_t command_put_own(const sw__attempt *attempt, const char **envp)
{
    char id[37];
    sw__arena *arena = attempt->arena;
    const sw_step_claim *claim = attempt->claim;
    sw_uuid_format(&claim->task_id, id);
    envp[0] = sw__arena_format(arena, "STEPWELL_TASK_ID=%s", id).ptr;
    envp[1] = sw__arena_format(arena, "STEPWELL_STEP=%.*s", SW__FMT(claim->name)).ptr;
    envp[2] = sw__arena_format(arena, "STEPWELL_ATTEMPT=%d", claim->attempt).ptr;
    envp[3] =
        sw__arena_format(arena, "STEPWELL_IDEMPOTENCY_KEY=%.*s", SW__FMT(claim->idempotency_key))
            .ptr;
    envp[4] = sw__arena_format(arena, "STEPWELL_FENCING_TOKEN=%lld", (long long)claim->epoch).ptr;
    return COMMAND_OWN_VARIABLES;
}

/* Whether the step declares a variable that only the worker may set; then that is answered. */
static bool command_refuses(sw__attempt *attempt, const sw__node *declared)
{
    for (size_t i = 0; declared && i < declared->count; i++) {
        sw_str name = declared->pairs[i].key;
        if (name.len >= 9 && memcmp(name.ptr, "STEPWELL_", 9) == 0) {
            sw__attempt_fail(attempt, SW__CLASS_PARAMETER_ERROR,
                             "env \"%.*s\" is refused: names that begin with STEPWELL_ are set by "
                             "the worker",
                             SW__FMT(sw__utf8_cut(name, 200)));
            return true;
        }
    }
    return false;
}

const char **sw__command_envp(sw__attempt *attempt)
{
    const sw__node *declared = attempt->parameters->env;
    size_t count = declared ? declared->count : 0;
    size_t inherited = 0;
    size_t at = 0;
    if (command_refuses(attempt, declared))
        return NULL;
    while (attempt->place->environment[inherited])
        inherited++;
    const char **envp = sw__arena_array(
        attempt->arena, inherited + count + COMMAND_OWN_VARIABLES + 1, sizeof(*envp));
    if (!envp)
        return command_no_memory(attempt);
    at += command_put_own(attempt, envp);
    for (size_t i = 0; i < inherited; i++) {
        if (!command_declares(declared, attempt->place->environment[i]))
            envp[at++] = attempt->place->environment[i];
    }
    for (size_t i = 0; i < count; i++) {
        const sw__node_pair *pair = &declared->pairs[i];
        envp[at++] = sw__arena_format(attempt->arena, "%.*s=%.*s", SW__FMT(pair->key),
                                      SW__FMT(pair->value->text))
                         .ptr;
    }
    return sw__arena_failed(attempt->arena) ? command_no_memory(attempt) : envp;
}

int sw__command_directory(sw__attempt *attempt)
{
    sw_str path = attempt->parameters->working_dir;
    /* A directory may be named with a slash at its end, and the root as ".". */
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    bool root = path.len == 0 || sw__str_is(path, ".");
    const char *why = root ? NULL : sw__path_refusal(path);
    const char *name = root ? "." : sw__arena_str(attempt->arena, path).ptr;
    int fd = why || !name
                 ? -EINVAL
                 : sw__confine_open(attempt->place->root_fd, name, O_PATH | O_DIRECTORY, 0);
    if (fd >= 0)
        return fd;
    if (fd == -ELOOP)
        why = "it leads over a symbolic link";
    if (fd == -EXDEV)
        why = "it leads out of the root directory";
    if (why)
        sw__attempt_fail(attempt, SW__CLASS_PATH_REFUSED, "working_dir \"%.*s\" is refused: %s",
                         SW__FMT(sw__utf8_cut(attempt->parameters->working_dir, 400)), why);
    else
        sw__attempt_fail(attempt, fd == -ENOENT ? SW__CLASS_FILE_NOT_FOUND : SW__CLASS_FILE_ERROR,
                         "cannot enter working_dir \"%.*s\": %s",
                         SW__FMT(sw__utf8_cut(attempt->parameters->working_dir, 400)),
                         strerror(-fd));
    return -1;
}
