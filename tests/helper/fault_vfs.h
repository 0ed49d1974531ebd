/* A VFS of SQLite whose n-th operation fails: writes, syncs, truncations, reads, locks; and which
 * says when a process could die in between.
 *
 *     fault_vfs_register();
 *     env.vfs_name = FAULT_VFS_NAME;
 *     fault_vfs_arm(FAULT_VFS_WRITE, 3, SQLITE_FULL, true);
 *
 * Otherwise it does what the default VFS does. One thread at a time.
 */
#ifndef HELPER_FAULT_VFS_H
#define HELPER_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>

#define FAULT_VFS_NAME "stepwell-fault"

/* Kinds of operations, to be combined. */
enum {
    FAULT_VFS_WRITE = 1, /* writes, truncations, growth of the shared memory file */
    FAULT_VFS_SYNC = 2,
    FAULT_VFS_READ = 4,
    FAULT_VFS_LOCK = 8, /* of the file and of the shared memory */
    FAULT_VFS_OPEN = 16,
    FAULT_VFS_ALL = 31
};

void fault_vfs_register(void);
/* Let operation number nth of these kinds fail with a code of SQLite, once or with all after it;
 * 0 lets all succeed. */
void fault_vfs_arm(int kinds, size_t nth, int code, bool for_ever);
/* Operations that failed since the last arm. */
size_t fault_vfs_failed(void);

/* Who wants to look at the files between operations. */
typedef struct fault_vfs_watch {
    void *context;
    /* Before each write, truncation and sync, and in the middle of each write. */
    void (*moment)(void *context);
    /* What this file holds is on disk now. */
    void (*synced)(void *context, const char *name);
} fault_vfs_watch;

/* NULL: nobody looks any longer. watch has to live until then. */
void fault_vfs_watch_by(const fault_vfs_watch *watch);

#endif
