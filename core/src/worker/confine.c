/* openat2 with everything but plain descent refused. Not here: what is done with the files. */
#include "worker/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Our own constants: the headers of some systems are older than their kernels. */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define SW__RESOLVE_NO_MAGICLINKS UINT64_C(0x02)
#define SW__RESOLVE_NO_SYMLINKS UINT64_C(0x04)
#define SW__RESOLVE_BENEATH UINT64_C(0x08)

/* The kernel answers EAGAIN when a rename somewhere disturbed the check; trying again is right,
 * without end it is not. */
#define SW__CONFINE_TRIES 100

typedef struct confine_how {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
} confine_how;

int sw__confine_open(int root_fd, const char *path, int flags, mode_t mode)
{
    bool only_path = (flags & O_PATH) != 0;
    confine_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC | (only_path ? 0 : O_NOCTTY | O_NONBLOCK)),
        .mode = (flags & O_CREAT) ? mode : 0,
        .resolve = SW__RESOLVE_BENEATH | SW__RESOLVE_NO_SYMLINKS | SW__RESOLVE_NO_MAGICLINKS,
    };
    for (int i = 0; i < SW__CONFINE_TRIES; i++) {
        long fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
        if (fd >= 0)
            return (int)fd;
        if (errno != EAGAIN && errno != EINTR)
            break;
    }
    return -errno;
}

int sw__confine_sync(int directory_fd)
{
    int fd = openat(directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A directory that may be written but not read cannot be synced; the file itself is. */
    if (fd < 0)
        return errno == EACCES ? 0 : -errno;
    int rc = fsync(fd) < 0 && errno != EINVAL ? -errno : 0;
    close(fd);
    return rc;
}

/* Descend into one directory, making it when it is missing. Takes at. */
static int confine_enter(int at, const char *name, bool make)
{
    const int flags = O_PATH | O_DIRECTORY;
    int next = sw__confine_open(at, name, flags, 0);
    if (next == -ENOENT && make) {
        int rc = 0;
        if (mkdirat(at, name, 0777) == 0)
            rc = sw__confine_sync(at);
        else if (errno != EEXIST)
            rc = -errno;
        next = rc < 0 ? rc : sw__confine_open(at, name, flags, 0);
    }
    close(at);
    return next;
}

int sw__confine_parent(int root_fd, char *path, bool make, const char **name)
{
    int at = sw__confine_open(root_fd, ".", O_PATH | O_DIRECTORY, 0);
    char *part = path;
    char *slash;
    while (at >= 0 && (slash = strchr(part, '/'))) {
        *slash = 0;
        if (*part)
            at = confine_enter(at, part, make);
        part = slash + 1;
    }
    *name = part;
    return at;
}
