/* Paths that cannot leave a directory: opened by the kernel under openat2, never checked first and
 * opened afterwards. A kernel without openat2 gets a refusal, not weaker code. */
#ifndef SW_WORKER_CONFINE_H
#define SW_WORKER_CONFINE_H

#include <stdbool.h>
#include <sys/types.h>

/* Open below the directory root_fd. A descriptor, or a negative errno: -ELOOP for a symbolic link
 * on the way, -EXDEV for a way out. flags get O_CLOEXEC, O_NOCTTY and O_NONBLOCK, so that opening
 * a FIFO or a terminal harms nobody. */
int sw__confine_open(int root_fd, const char *path, int flags, mode_t mode);

/* Open the directory that a path's last name lies in, making missing directories when make is
 * set. *name points into path. A descriptor (O_PATH) or a negative errno. path is one that
 * sw__path_refusal passed, zero-terminated, and is cut up. */
int sw__confine_parent(int root_fd, char *path, bool make, const char **name);

/* Make a directory's entries last. 0 or a negative errno. */
int sw__confine_sync(int directory_fd);

#endif
