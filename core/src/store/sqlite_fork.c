/* Connections and forks: what a child does with those it inherited, and when a fork may come.
 *
 * SQLite notes in the memory of a process which locks the process holds. A child inherits the
 * notes but not the locks: a connection that it opens to the same file would take none, believing
 * that it has them, and when the parent closes its own as the apparently last one, it deletes the
 * log that the child still writes to. So before a process opens a database, the files of inherited
 * connections are closed below SQLite, which makes it forget those notes and touches neither the
 * database nor any lock of the parent.
 *
 * sqlite3_close is never called on an inherited connection: it would roll back or move pages of a
 * transaction that belongs to the parent. What it holds in memory is lost to the child, once.
 *
 * And a thread that is inside SQLite when another one forks leaves locks of SQLite taken in the
 * child, where nobody gives them back: the first allocation there would wait for ever. So a fork
 * waits until no transaction of ours runs.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "store/sqlite.h"

struct sw__sqlite_opened {
    sw__sqlite_opened *next;
    sqlite3 *db;
    uint32_t generation; /* of the process that opened it */
};

/* Every open connection of this process and, in a child, of its parents. Guarded by opened_lock;
 * each change is a single store, so that a fork in the middle of one finds a whole list. */
static sw__sqlite_opened *opened_first;

/* Twice the fork generation, plus 1 while held. A mutex that another thread held at a fork would
 * stay locked for ever; a lock word of an older generation counts as free. */
static atomic_uint_least64_t opened_lock;

static void opened_lock_take(void)
{
    uint_least64_t held = (uint_least64_t)sw__fork_generation() << 1 | 1;
    uint_least64_t seen = atomic_load_explicit(&opened_lock, memory_order_relaxed);
    for (;;) {
        if (seen == held) {
            sched_yield();
            seen = atomic_load_explicit(&opened_lock, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(
                       &opened_lock, &seen, held, memory_order_acquire, memory_order_relaxed)) {
            return;
        }
    }
}

static void opened_lock_give(void)
{
    uint_least64_t free_word = (uint_least64_t)sw__fork_generation() << 1;
    atomic_store_explicit(&opened_lock, free_word, memory_order_release);
}

/* Who works in SQLite and who waits to fork. A fork holds the lock while it happens. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static int gate_inside;              /* threads; guarded by gate_lock */
static int gate_forks;               /* forks that wait; they go first; guarded by gate_lock */
static _Thread_local int gate_depth; /* connections that this thread works in */
static pthread_once_t gate_once = PTHREAD_ONCE_INIT;

/* A thread that forks in the middle of its own transaction does not wait for itself: it is not
 * inside SQLite. */
static void gate_before_fork(void)
{
    int own = gate_depth > 0;
    pthread_mutex_lock(&gate_lock);
    gate_forks++;
    while (gate_inside > own)
        pthread_cond_wait(&gate_changed, &gate_lock);
}

static void gate_after_fork(void)
{
    gate_forks--;
    pthread_cond_broadcast(&gate_changed);
    pthread_mutex_unlock(&gate_lock);
}

/* Those who wait in the parent do not exist here. */
static void gate_in_child(void)
{
    static const pthread_cond_t unused = PTHREAD_COND_INITIALIZER;
    gate_changed = unused;
    gate_inside = 0;
    gate_forks = 0;
    gate_depth = 0;
    pthread_mutex_unlock(&gate_lock);
}

/* Where the handlers cannot be registered, forks are as dangerous as without them. */
static void gate_start(void)
{
    (void)!pthread_atfork(gate_before_fork, gate_after_fork, gate_in_child);
}

/* A file system of a test has threads of its own making, which end in the middle of things. */
void sw__sqlite_gate_enter(sw__sqlite *self)
{
    if (self->inside || self->base.env->vfs_name)
        return;
    pthread_once(&gate_once, gate_start);
    self->inside = true;
    if (gate_depth++ > 0)
        return;
    pthread_mutex_lock(&gate_lock);
    while (gate_forks > 0)
        pthread_cond_wait(&gate_changed, &gate_lock);
    gate_inside++;
    pthread_mutex_unlock(&gate_lock);
}

void sw__sqlite_gate_leave(sw__sqlite *self)
{
    if (!self->inside)
        return;
    self->inside = false;
    if (--gate_depth > 0)
        return;
    pthread_mutex_lock(&gate_lock);
    gate_inside--;
    pthread_cond_broadcast(&gate_changed);
    pthread_mutex_unlock(&gate_lock);
}

int sw__sqlite_opened_add(sw__sqlite *self)
{
    sw__sqlite_opened *opened = sw__calloc(self->base.env, 1, sizeof(*opened));
    if (!opened)
        return SW_ENOMEM;
    opened->db = self->db;
    opened->generation = sw__fork_generation();
    self->opened = opened;
    opened_lock_take();
    opened->next = opened_first;
    opened_first = opened;
    opened_lock_give();
    return SW_OK;
}

void sw__sqlite_opened_remove(sw__sqlite *self)
{
    if (!self->opened)
        return;
    opened_lock_take();
    sw__sqlite_opened **at = &opened_first;
    while (*at && *at != self->opened)
        at = &(*at)->next;
    if (*at)
        *at = self->opened->next;
    opened_lock_give();
    sw__free(self->base.env, self->opened);
    self->opened = NULL;
}

void sw__sqlite_opened_reset(void)
{
    opened_lock_take();
    opened_first = NULL;
    opened_lock_give();
}

static void opened_file_close(sqlite3 *db, int which)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db, "main", which, &file) != SQLITE_OK || !file || !file->pMethods)
        return;
    if (which == SQLITE_FCNTL_FILE_POINTER && file->pMethods->iVersion >= 2)
        file->pMethods->xShmUnmap(file, 0);
    file->pMethods->xClose(file);
}

/* The entries themselves stay: the environment they were made with may be gone by now. */
void sw__sqlite_inherited_disown(void)
{
    uint32_t generation = sw__fork_generation();
    opened_lock_take();
    sw__sqlite_opened **at = &opened_first;
    while (*at) {
        sw__sqlite_opened *opened = *at;
        if (opened->generation == generation) {
            at = &opened->next;
            continue;
        }
        opened_file_close(opened->db, SQLITE_FCNTL_FILE_POINTER);
        opened_file_close(opened->db, SQLITE_FCNTL_JOURNAL_POINTER);
        *at = opened->next;
    }
    opened_lock_give();
}
