/* What lies at a path: refusing what SQLite should not open, and explaining what it could not.
 *
 * Nothing here opens the file: closing a second descriptor of it would give up the locks that
 * another connection of this process holds.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/sqlite.h"

#define SW__PATH_SIZE_MIN 512 /* bytes of the smallest page SQLite knows */

/* The kind of a file that is not a regular one, NULL for a regular one. */
static const char *path_kind(mode_t mode)
{
    if (S_ISREG(mode))
        return NULL;
    if (S_ISDIR(mode))
        return "a folder";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

/* A pipe would block SQLite for ever, a device would take the writes, and a file of a single byte
 * would pass for an empty one. */
int sw__sqlite_path_check(const char *path, bool must_exist, sw_error *err)
{
    struct stat found;
    if (stat(path, &found) < 0)
        return must_exist || errno != ENOENT ? sw__sqlite_path_explain(path, err) : SW_OK;
    const char *kind = path_kind(found.st_mode);
    if (kind)
        return sw__fail(err, SW_EFOREIGN, "'%s' is %s, not a stepwell database", path, kind);
    if (found.st_size > 0 && found.st_size < SW__PATH_SIZE_MIN)
        return sw__fail(err, SW_EFOREIGN,
                        "'%s' is not a stepwell database: a file of %lld bytes is too short", path,
                        (long long)found.st_size);
    if (must_exist && found.st_size == 0)
        return sw__fail(err, SW_ENOTFOUND, "'%s' is empty: no database has been made there", path);
    return SW_OK;
}

/* The folder of a path, "." for none. */
static void path_folder(const char *path, char *folder, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;
    if (slash == path)
        len = 1;
    if (len == 0 || len >= size) {
        memcpy(folder, ".", 2);
        return;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
}

static int path_explain_missing(const char *path, const char *folder, sw_error *err)
{
    struct stat found;
    if (stat(folder, &found) < 0 && errno == ENOENT)
        return sw__fail(err, SW_ENOTFOUND, "the folder '%s' does not exist; create it first",
                        folder);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
        return sw__fail(err, SW_EACCESS,
                        "'%s' cannot be created: the folder '%s' cannot be "
                        "written",
                        path, folder);
    return sw__fail(err, SW_ENOTFOUND, "there is no database at '%s'", path);
}

/* What stands in the way: 0 when nothing is to be seen. */
int sw__sqlite_path_explain(const char *path, sw_error *err)
{
    char folder[4096];
    struct stat found;
    path_folder(path, folder, sizeof(folder));
    if (stat(path, &found) < 0) {
        if (errno == ENOENT)
            return path_explain_missing(path, folder, err);
        if (errno == EACCES)
            return sw__fail(err, SW_EACCESS,
                            "'%s' cannot be reached: permission denied on a "
                            "folder of its path",
                            path);
        if (errno == ENOTDIR)
            return sw__fail(err, SW_ENOTFOUND, "'%s' cannot exist: a part of its path is a file",
                            path);
        if (errno == ENAMETOOLONG)
            return sw__fail(err, SW_EINVAL, "the path '%.100s...' is too long", path);
        return sw__fail(err, SW_EIO, "'%s' cannot be looked at (errno %d)", path, errno);
    }
    if (faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS) < 0)
        return sw__fail(err, SW_EACCESS, "'%s' cannot be read and written: check its permissions",
                        path);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) < 0)
        return sw__fail(err, SW_EACCESS,
                        "the folder '%s' cannot be written, and SQLite keeps a "
                        "journal beside the database",
                        folder);
    return SW_OK;
}

int64_t sw__sqlite_path_room(const char *path)
{
    struct statvfs disk;
    if (statvfs(path, &disk) != 0)
        return INT64_MAX;
    return (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
}
