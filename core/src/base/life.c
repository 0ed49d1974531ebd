/* Signs of life on POSIX.
 *
 * A worker holds a record lock (F_SETLK) on the byte of its number in the file PATH-life. The
 * kernel gives the lock up when the process dies, however it dies, and a forked child does not
 * inherit it; a lock of an open file description would live on in any such child.
 *
 * Record locks have one trap: closing any descriptor of the file gives up all locks that the
 * process holds on it. So a process opens the file once, whoever asks, and closes it when its last
 * worker has left.
 */
#include "base/life.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "stepwell/error.h"

#define LIFE_FILES_MAX 64
#define LIFE_HOLDS_MAX 1024

/* A file of this process. */
typedef struct life_file {
    int fd; /* valid while holds > 0 */
    int holds;
    dev_t device;
    ino_t inode;
} life_file;

/* A worker of this process; fcntl does not answer for the locks of the process that asks. */
typedef struct life_held {
    const life_file *file; /* NULL: free */
    int64_t worker_id;
} life_held;

/* guarded by life_lock */
static life_file life_files[LIFE_FILES_MAX];
static life_held life_holds[LIFE_HOLDS_MAX];
static uint32_t life_generation; /* of the process that the files belong to */

/* Twice the fork generation, plus 1 while held, so that a lock that another thread held at a fork
 * counts as free in the child. */
static atomic_uint_least64_t life_lock;

static void life_lock_take(void)
{
    uint_least64_t held = (uint_least64_t)sw__fork_generation() << 1 | 1;
    uint_least64_t seen = atomic_load_explicit(&life_lock, memory_order_relaxed);
    while (seen == held ||
           !atomic_compare_exchange_weak_explicit(&life_lock, &seen, held, memory_order_acquire,
                                                  memory_order_relaxed)) {
        if (seen == held)
            sched_yield();
        seen = atomic_load_explicit(&life_lock, memory_order_relaxed);
    }
    if (life_generation == sw__fork_generation())
        return;
    /* A child owns no lock of its parent; closing the descriptors takes none away either. */
    for (int i = 0; i < LIFE_FILES_MAX; i++) {
        if (life_files[i].holds > 0)
            close(life_files[i].fd);
    }
    memset(life_files, 0, sizeof life_files);
    memset(life_holds, 0, sizeof life_holds);
    life_generation = sw__fork_generation();
}

static void life_lock_give(void)
{
    uint_least64_t free_word = (uint_least64_t)sw__fork_generation() << 1;
    atomic_store_explicit(&life_lock, free_word, memory_order_release);
}

static life_file *life_find(const struct stat *found)
{
    for (int i = 0; i < LIFE_FILES_MAX; i++) {
        if (life_files[i].holds > 0 && life_files[i].device == found->st_dev &&
            life_files[i].inode == found->st_ino)
            return &life_files[i];
    }
    return NULL;
}

static int life_name(char *name, size_t size, const char *path)
{
    int length = snprintf(name, size, "%s-life", path);
    return length > 0 && (size_t)length < size ? SW_OK : SW_EINVAL;
}

/* The file of this process, opened when it is not yet; NULL when that cannot be. Between the stat
 * and the open another process may make the file: what was opened is looked at again. */
static life_file *life_open(const char *name)
{
    struct stat found;
    life_file *file = stat(name, &found) == 0 ? life_find(&found) : NULL;
    if (file)
        return file;
    for (file = life_files; file < life_files + LIFE_FILES_MAX && file->holds > 0;)
        file++;
    if (file == life_files + LIFE_FILES_MAX)
        return NULL;
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0 || fstat(fd, &found) < 0 || !S_ISREG(found.st_mode)) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    *file = (life_file){.fd = fd, .device = found.st_dev, .inode = found.st_ino};
    return file;
}

static int life_set(const life_file *file, short type, int64_t worker_id)
{
    struct flock lock = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)worker_id, .l_len = 1};
    return fcntl(file->fd, F_SETLK, &lock) == 0 ? SW_OK : SW_EIO;
}

/* The entry of a worker, or, for a file of NULL, a free one; NULL when there is none. */
static life_held *life_entry(const life_file *file, int64_t worker_id)
{
    for (life_held *held = life_holds; held < life_holds + LIFE_HOLDS_MAX; held++) {
        if (held->file == file && (!file || held->worker_id == worker_id))
            return held;
    }
    return NULL;
}

static int life_hold(const char *name, int64_t worker_id)
{
    life_held *held = life_entry(NULL, 0);
    life_file *file = held ? life_open(name) : NULL;
    if (!file)
        return SW_ELIMIT;
    int rc = life_set(file, F_WRLCK, worker_id);
    if (rc == SW_OK) {
        file->holds++;
        *held = (life_held){file, worker_id};
    } else if (file->holds == 0) {
        close(file->fd);
    }
    return rc;
}

static int life_drop(const char *name, int64_t worker_id)
{
    struct stat found;
    life_file *file = stat(name, &found) == 0 ? life_find(&found) : NULL;
    life_held *held = file ? life_entry(file, worker_id) : NULL;
    if (!held)
        return SW_ENOTFOUND;
    *held = (life_held){0};
    int rc = life_set(file, F_UNLCK, worker_id);
    if (--file->holds == 0)
        close(file->fd);
    return rc;
}

static int life_ask(const char *name, int64_t worker_id)
{
    struct stat found;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)worker_id, .l_len = 1};
    life_file *file = stat(name, &found) == 0 ? life_find(&found) : NULL;
    if (file && life_entry(file, worker_id))
        return 1;
    int fd = file ? file->fd : open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return SW_EIO;
    int rc = fcntl(fd, F_GETLK, &lock) == 0 ? lock.l_type != F_UNLCK : SW_EIO;
    if (!file)
        close(fd);
    return rc;
}

int sw__life_system(void *context, int question, const char *path, int64_t worker_id)
{
    char name[4096];
    (void)context;
    if (life_name(name, sizeof name, path) < 0)
        return SW_EINVAL;
    life_lock_take();
    int rc = SW_EINVAL;
    if (question == SW_LIFE_HOLD)
        rc = life_hold(name, worker_id);
    else if (question == SW_LIFE_DROP)
        rc = life_drop(name, worker_id);
    else if (question == SW_LIFE_ASK)
        rc = life_ask(name, worker_id);
    life_lock_give();
    return rc;
}
