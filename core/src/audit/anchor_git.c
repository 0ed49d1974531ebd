/* Anchors in git: one file for each log in a work tree, ORIGIN.checkpoint, a commit for each
 * anchor. Whoever has a clone can show what was there before. */
#include <stdio.h>
#include <string.h>

#include "audit/anchor.h"
#include "audit/checkpoint.h"
#include "base/error.h"
#include "base/file.h"
#include "base/str.h"

#define GIT_MODE 0644
#define GIT_NAME_SIZE 300

/* The name of the file: what is no letter, digit, dot or dash becomes "_". */
static void git_name(sw_str origin, char name[GIT_NAME_SIZE])
{
    size_t used = 0;
    for (size_t i = 0; i < origin.len && used < 250; i++) {
        char c = origin.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     c == '-' || (c == '.' && i > 0);
        name[used++] = plain ? c : '_';
    }
    snprintf(name + used, GIT_NAME_SIZE - used, ".checkpoint");
}

/* git -C FOLDER ...; what it says goes to said. A failure is told with its own words. */
static int git_run(const sw__anchoring *anchoring, const char *const *words, size_t count,
                   sw__buf *said, int code, sw_error *err)
{
    char complaint[160] = "";
    int status = 0;
    const char *argv[16] = {"git", "-C", anchoring->target};
    for (size_t i = 0; i < count; i++)
        argv[3 + i] = words[i];
    int rc =
        sw__tool_run(anchoring->env, argv, anchoring->command_ms, said, complaint, &status, err);
    if (rc < 0 || status == 0)
        return rc;
    return sw__fail(err, code, "git %s in \"%s\": %s", words[0], anchoring->target,
                    complaint[0] ? complaint : "it failed");
}

static int git_commit(const sw__anchoring *anchoring, const char *name, sw__buf *said,
                      sw_error *err)
{
    char message[400];
    const char *const add[] = {"add", "--", name};
    snprintf(message, sizeof(message), "checkpoint of %lld entries of %.*s",
             (long long)anchoring->row->entry_count, SW__FMT(anchoring->origin));
    const char *const commit[] = {"commit", "--quiet", "--allow-empty", "--message", message,
                                  "--",     name};
    int rc = git_run(anchoring, add, 3, said, SW_EIO, err);
    return rc == SW_OK ? git_run(anchoring, commit, 7, said, SW_EIO, err) : rc;
}

int sw__anchor_git_put(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf path, said;
    char name[GIT_NAME_SIZE];
    const char *const inside[] = {"rev-parse", "--git-dir"};
    git_name(anchoring->origin, name);
    sw__buf_init(&said, anchoring->env);
    sw__buf_init(&path, anchoring->env);
    sw__buf_printf(&path, "%s/%s", anchoring->target, name);
    sw__buf_put_byte(&path, '\0');
    int rc = path.failed ? sw__fail(err, SW_ENOMEM, NULL)
                         : git_run(anchoring, inside, 2, &said, SW_ENOTFOUND, err);
    if (rc == SW_OK)
        rc = sw__file_replace(anchoring->env, (const char *)path.ptr, GIT_MODE,
                              anchoring->row->note, err);
    if (rc == SW_OK)
        rc = git_commit(anchoring, name, &said, err);
    sw__buf_free(&path);
    sw__buf_free(&said);
    return rc;
}

/* What is committed, not what lies in the work tree. */
int sw__anchor_git_get(sw__anchoring *anchoring, sw_error *err)
{
    sw__buf said;
    sw__checkpoint checkpoint;
    int64_t seconds = 0;
    char name[GIT_NAME_SIZE];
    char object[GIT_NAME_SIZE + 16];
    git_name(anchoring->origin, name);
    snprintf(object, sizeof(object), "HEAD:./%s", name);
    const char *const show[] = {"show", object};
    const char *const when[] = {"log", "--max-count=1", "--format=%ct", "--", name};
    sw__buf_init(&said, anchoring->env);
    int rc = git_run(anchoring, show, 2, &said, SW_ENOTFOUND, err);
    if (rc == SW_OK && !sw__checkpoint_peek(sw__buf_str(&said), &checkpoint))
        rc = sw__fail(err, SW_EAUDIT, "\"%s\" in \"%s\" is no checkpoint", name, anchoring->target);
    if (rc < 0)
        goto done;
    anchoring->row->note = sw__arena_str(anchoring->arena, sw__buf_str(&said));
    anchoring->row->entry_count = checkpoint.size;
    rc = git_run(anchoring, when, 5, &said, SW_EIO, err);
    if (rc == SW_OK && said.len > 0 &&
        sw__note_number((sw_str){(char *)said.ptr, said.len - 1}, &seconds) &&
        seconds < INT64_MAX / 1000000)
        anchoring->row->time_us = seconds * 1000000;
done:
    sw__buf_free(&said);
    return rc;
}

#undef GIT_MODE
#undef GIT_NAME_SIZE
