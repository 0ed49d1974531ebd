/* The file kinds: create_file, read_file, delete_file.
 *
 * Every name is resolved below the root by the kernel (confine.h), and what is decided is decided
 * about the opened thing, so that renaming or linking at the same time cannot lead outside. New
 * content appears under its name all at once, after it is on disk.
 */
#include "worker/kinds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/utf8.h"
#include "model/paths.h"
#include "worker/confine.h"

#define SW__FILE_NAME_SIZE 96 /* ".stepwell-", a UUID, "-", a number */

static void file_refuse(sw__attempt *attempt, sw_str path, const char *why)
{
    sw__attempt_fail(attempt, SW__CLASS_PATH_REFUSED, "path \"%.*s\" is refused: %s",
                     SW__FMT(sw__utf8_cut(path, 400)), why);
}

/* Answer with what an errno of the system means. */
static void file_fail(sw__attempt *attempt, sw_str path, const char *doing, int error)
{
    switch (error) {
    case ELOOP:
        file_refuse(attempt, path, "it leads over a symbolic link");
        return;
    case EXDEV:
        file_refuse(attempt, path, "it leads out of the root directory");
        return;
    case ENOSYS:
        sw__attempt_fail(attempt, SW__CLASS_UNSUPPORTED,
                         "this kernel has no openat2; file steps need Linux 5.6 or newer");
        return;
    default:
        sw__attempt_fail(attempt, error == ENOENT ? SW__CLASS_FILE_NOT_FOUND : SW__CLASS_FILE_ERROR,
                         "cannot %s \"%.*s\": %s", doing, SW__FMT(sw__utf8_cut(path, 400)),
                         strerror(error));
    }
}

/* What stands under a name: 1 a regular file, 0 nothing, a negative errno; -EISDIR and -ENXIO say
 * that it is a directory or another thing that is no file (open says ENXIO for a socket, too). */
static int file_look(int directory_fd, const char *name, struct stat *about)
{
    if (fstatat(directory_fd, name, about, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -errno;
    if (S_ISLNK(about->st_mode))
        return -ELOOP;
    if (S_ISDIR(about->st_mode))
        return -EISDIR;
    return S_ISREG(about->st_mode) ? 1 : -ENXIO;
}

/* Whether file_look or an open has failed, which is then answered. */
static bool file_failed(sw__attempt *attempt, sw_str path, const char *doing, int found)
{
    if (found == -EISDIR)
        file_refuse(attempt, path, "it is a directory");
    else if (found == -ENXIO)
        file_refuse(attempt, path, "it is not a regular file");
    else if (found < 0)
        file_fail(attempt, path, doing, -found);
    return found < 0;
}

static int file_write_all(int fd, sw_str content)
{
    while (content.len > 0) {
        ssize_t put = write(fd, content.ptr, content.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -errno;
        content.ptr += put;
        content.len -= (size_t)put;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Write content under a temporary name. An older attempt of this step may have left its own. */
static int file_write_temporary(int directory_fd, const char *temporary, sw_str content,
                                const struct stat *replaced)
{
    unlinkat(directory_fd, temporary, 0);
    int fd = sw__confine_open(directory_fd, temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
    if (fd < 0)
        return fd;
    int rc = 0;
    if (replaced && fchmod(fd, replaced->st_mode & 0777) < 0)
        rc = -errno;
    if (rc == 0)
        rc = file_write_all(fd, content);
    close(fd);
    return rc;
}

static int file_replace(const sw__attempt *attempt, int directory_fd, const char *name,
                        const struct stat *replaced)
{
    char id[37];
    char temporary[SW__FILE_NAME_SIZE];
    sw_uuid_format(&attempt->claim->task_id, id);
    snprintf(temporary, sizeof(temporary), ".stepwell-%s-%lld", id,
             (long long)attempt->claim->step_id);
    int rc = file_write_temporary(directory_fd, temporary, attempt->parameters->content, replaced);
    if (rc == 0 && renameat(directory_fd, temporary, directory_fd, name) < 0)
        rc = -errno;
    if (rc < 0) {
        unlinkat(directory_fd, temporary, 0);
        return rc;
    }
    return sw__confine_sync(directory_fd);
}

static void file_answer_created(sw__attempt *attempt, sw_str path, bool created)
{
    sw__buf json;
    sw__buf_init(&json, attempt->env);
    sw__buf_put_text(&json, "{\"path\":");
    sw__json_put_str(&json, path);
    sw__buf_printf(&json, ",\"size\":%zu,\"created\":%s}", attempt->parameters->content.len,
                   created ? "true" : "false");
    sw__attempt_succeed(attempt, &json);
    sw__buf_free(&json);
}

static void file_create_in(sw__attempt *attempt, int directory_fd, sw_str path, const char *name)
{
    struct stat about;
    int found = file_look(directory_fd, name, &about);
    if (file_failed(attempt, path, "create", found))
        return;
    if (found == 1 && about.st_nlink > 1) {
        file_refuse(attempt, path, "it is a hard link to a file that has other names");
        return;
    }
    int rc = file_replace(attempt, directory_fd, name, found ? &about : NULL);
    if (rc < 0)
        file_fail(attempt, path, "create", -rc);
    else
        file_answer_created(attempt, path, !found);
}

/* Check the path and copy it, zero-terminated and to be cut up; NULL when it was refused. */
static char *file_path_copy(sw__attempt *attempt, sw_str path)
{
    const char *why = sw__path_refusal(path);
    if (why) {
        file_refuse(attempt, path, why);
        return NULL;
    }
    char *copy = sw__arena_alloc(attempt->arena, path.len + 1);
    if (copy)
        memcpy(copy, path.ptr, path.len);
    else
        sw__attempt_succeed(attempt, NULL); /* answers with the arena's failure */
    return copy;
}

void sw__run_create_file(sw__attempt *attempt)
{
    const char *name = NULL;
    sw_str path = attempt->parameters->path;
    char *copy = file_path_copy(attempt, path);
    if (!copy)
        return;
    int directory_fd = sw__confine_parent(attempt->place->root_fd, copy, true, &name);
    if (file_failed(attempt, path, "make the directory of", directory_fd))
        return;
    file_create_in(attempt, directory_fd, path, name);
    close(directory_fd);
}

/* Read to the end, at most the limit and one byte more. 0 or a negative errno. */
static int file_read_all(int fd, sw__buf *content)
{
    while (content->len <= SW__PAYLOAD_MAX) {
        uint8_t *room = sw__buf_reserve(content, 64 * 1024);
        if (!room)
            return -ENOMEM;
        ssize_t got = read(fd, room, 64 * 1024);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        content->len += (size_t)got;
    }
    return 0;
}

static void file_answer_content(sw__attempt *attempt, sw_str path, sw_str content)
{
    sw__buf json;
    sw__buf_init(&json, attempt->env);
    sw__buf_put_text(&json, "{\"path\":");
    sw__json_put_str(&json, path);
    sw__buf_printf(&json, ",\"size\":%zu,\"content\":", content.len);
    sw__json_put_str(&json, content);
    sw__buf_put_byte(&json, '}');
    if (json.len > SW__PAYLOAD_MAX)
        sw__attempt_fail(attempt, SW__CLASS_FILE_TOO_LARGE,
                         "\"%.*s\" takes %zu bytes as JSON, at most %d fit into a result",
                         SW__FMT(sw__utf8_cut(path, 400)), json.len, SW__PAYLOAD_MAX);
    else
        sw__attempt_succeed(attempt, &json);
    sw__buf_free(&json);
}

static void file_read_from(sw__attempt *attempt, int fd, sw_str path)
{
    struct stat about;
    sw__buf content;
    sw__buf_init(&content, attempt->env);
    int rc = fstat(fd, &about) < 0 ? -errno : 0;
    if (rc == 0 && !S_ISREG(about.st_mode)) {
        file_refuse(attempt, path,
                    S_ISDIR(about.st_mode) ? "it is a directory" : "it is not a regular file");
        goto done;
    }
    if (rc == 0)
        rc = file_read_all(fd, &content);
    sw_str text = sw__buf_str(&content);
    if (rc < 0)
        file_fail(attempt, path, "read", -rc);
    else if (text.len > SW__PAYLOAD_MAX)
        sw__attempt_fail(attempt, SW__CLASS_FILE_TOO_LARGE, "\"%.*s\" is larger than %d bytes",
                         SW__FMT(sw__utf8_cut(path, 400)), SW__PAYLOAD_MAX);
    else if (memchr(text.ptr, 0, text.len) || sw__utf8_check(text) != text.len)
        sw__attempt_fail(attempt, SW__CLASS_NOT_TEXT,
                         "\"%.*s\" is not UTF-8 text, and a result can hold nothing else",
                         SW__FMT(sw__utf8_cut(path, 400)));
    else
        file_answer_content(attempt, path, text);
done:
    sw__buf_free(&content);
}

void sw__run_read_file(sw__attempt *attempt)
{
    sw_str path = attempt->parameters->path;
    char *copy = file_path_copy(attempt, path);
    if (!copy)
        return;
    int fd = sw__confine_open(attempt->place->root_fd, copy, O_RDONLY, 0);
    if (file_failed(attempt, path, "read", fd))
        return;
    file_read_from(attempt, fd, path);
    close(fd);
}

static void file_answer_deleted(sw__attempt *attempt, sw_str path, bool existed)
{
    const char *text = existed ? "true" : "false";
    sw__buf json;
    sw__buf_init(&json, attempt->env);
    sw__buf_put_text(&json, "{\"path\":");
    sw__json_put_str(&json, path);
    sw__buf_printf(&json, ",\"existed\":%s,\"deleted\":%s}", text, text);
    sw__attempt_succeed(attempt, &json);
    sw__buf_free(&json);
}

static void file_delete_in(sw__attempt *attempt, int directory_fd, sw_str path, const char *name)
{
    struct stat about;
    int found = file_look(directory_fd, name, &about);
    if (file_failed(attempt, path, "delete", found))
        return;
    int rc = found && unlinkat(directory_fd, name, 0) < 0 ? -errno : 0;
    if (found && rc == 0)
        rc = sw__confine_sync(directory_fd);
    if (rc < 0 && rc != -ENOENT)
        file_fail(attempt, path, "delete", -rc);
    else
        file_answer_deleted(attempt, path, found && rc == 0);
}

void sw__run_delete_file(sw__attempt *attempt)
{
    const char *name = NULL;
    sw_str path = attempt->parameters->path;
    char *copy = file_path_copy(attempt, path);
    if (!copy)
        return;
    int directory_fd = sw__confine_parent(attempt->place->root_fd, copy, false, &name);
    if (directory_fd == -ENOENT) {
        file_answer_deleted(attempt, path, false);
        return;
    }
    if (file_failed(attempt, path, "delete", directory_fd))
        return;
    file_delete_in(attempt, directory_fd, path, name);
    close(directory_fd);
}
