/* Small files; see file.h. Not here: the database, and files of steps (worker/kind_file.c). */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define FILE_READ_STEP 4096

static int file_code(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return SW_ENOTFOUND;
    case EEXIST:
        return SW_ECONFLICT;
    case EACCES:
    case EPERM:
    case EROFS:
        return SW_EACCESS;
    case ENOSPC:
    case EDQUOT:
        return SW_EFULL;
    case ENOMEM:
        return SW_ENOMEM;
    default:
        return SW_EIO;
    }
}

int sw__file_fail(sw_error *err, const char *doing, const char *path, int error)
{
    return sw__fail(err, file_code(error), "cannot %s \"%s\": %s", doing, path, strerror(error));
}

int sw__file_read_fd(int fd, const char *path, size_t max, sw__buf *out, sw_error *err)
{
    size_t before = out->len;
    for (;;) {
        uint8_t *room = sw__buf_reserve(out, FILE_READ_STEP);
        if (!room)
            return sw__fail(err, SW_ENOMEM, NULL);
        ssize_t count = read(fd, room, FILE_READ_STEP);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return sw__file_fail(err, "read", path, errno);
        if (count == 0)
            return SW_OK;
        out->len += (size_t)count;
        if (out->len - before > max)
            return sw__fail(err, SW_ELIMIT, "\"%s\" is longer than %zu bytes", path, max);
    }
}

int sw__file_read(const char *path, size_t max, sw__buf *out, sw_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return sw__file_fail(err, "read", path, errno);
    int rc = sw__file_read_fd(fd, path, max, out, err);
    close(fd);
    return rc;
}

/* 0 or an errno. */
static int file_fill(int fd, sw_str content)
{
    while (content.len > 0) {
        ssize_t count = write(fd, content.ptr, content.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return errno;
        content.ptr += count;
        content.len -= (size_t)count;
    }
    return 0;
}

/* A name is on disk when its directory is. 0 or an errno. */
static int file_sync_directory(const char *path)
{
    char directory[4096];
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + 1 : 1;
    if (length >= (int)sizeof(directory))
        return ENAMETOOLONG;
    snprintf(directory, sizeof(directory), "%.*s", length, slash ? path : ".");
    int fd = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        return errno;
    int error = fsync(fd) < 0 ? errno : 0;
    close(fd);
    return error;
}

int sw__file_create(const char *path, mode_t mode, sw_str content, sw_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
    if (fd < 0)
        return sw__file_fail(err, "make", path, errno);
    int error = file_fill(fd, content);
    if (error == 0 && fsync(fd) < 0)
        error = errno;
    if (close(fd) < 0 && error == 0)
        error = errno;
    if (error == 0)
        error = file_sync_directory(path);
    if (error == 0)
        return SW_OK;
    unlink(path);
    return sw__file_fail(err, "write", path, error);
}

int sw__file_append(const char *path, mode_t mode, sw_str line, sw_error *err)
{
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY;
    int fd = open(path, flags);
    bool made = fd < 0 && errno == ENOENT;
    if (made)
        fd = open(path, flags | O_CREAT, mode);
    if (fd < 0)
        return sw__file_fail(err, "open", path, errno);
    ssize_t count = write(fd, line.ptr, line.len);
    int error = count < 0 || fsync(fd) < 0 ? errno : 0;
    close(fd);
    if (error == 0 && made)
        error = file_sync_directory(path);
    if (error != 0)
        return sw__file_fail(err, "write", path, error);
    return (size_t)count == line.len
               ? SW_OK
               : sw__fail(err, SW_EFULL, "\"%s\" took a part of the line only", path);
}

int sw__file_write(const char *path, mode_t mode, sw_str content, sw_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, mode);
    if (fd < 0)
        return sw__file_fail(err, "write", path, errno);
    int error = file_fill(fd, content);
    if (close(fd) < 0 && error == 0)
        error = errno;
    return error == 0 ? SW_OK : sw__file_fail(err, "write", path, error);
}

int sw__file_replace(const sw_env *env, const char *path, mode_t mode, sw_str content,
                     sw_error *err)
{
    sw__buf fresh;
    sw__buf_init(&fresh, env);
    sw__buf_printf(&fresh, "%s.new", path);
    sw__buf_put_byte(&fresh, '\0');
    const char *name = (const char *)fresh.ptr;
    int rc = fresh.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
    if (rc == SW_OK) {
        unlink(name); /* what a crash has left */
        rc = sw__file_create(name, mode, content, err);
    }
    if (rc == SW_OK && rename(name, path) < 0) {
        rc = sw__file_fail(err, "write", path, errno);
        unlink(name);
    }
    int error = rc == SW_OK ? file_sync_directory(path) : 0;
    if (error != 0)
        rc = sw__file_fail(err, "write", path, error);
    sw__buf_free(&fresh);
    return rc;
}

#undef FILE_READ_STEP
