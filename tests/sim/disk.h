/* A disk that can lose power: files, and what was there before the changes that are not durable.
 *
 * Writes and truncations are held in order until a sync makes them durable. At a power loss the
 * unsynced ones are taken back and then kept, dropped, kept in part, or torn in sectors of 512
 * bytes, by choice.
 * Locks and shared memory belong to handles and go with the process that holds them.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <sqlite3.h>

#include "sim/world.h"

#define DISK_FILES_MAX 8
#define DISK_REGIONS_MAX 64
#define DISK_REGION 32768 /* as large as SQLite asks for */
#define DISK_SECTOR 512
#define DISK_DATABASE "/sim.db"
#define DISK_LOG DISK_DATABASE "-wal"

typedef struct disk_bytes {
    uint8_t *ptr;
    size_t size;
    size_t capacity;
} disk_bytes;

/* A write, or a truncation, which ends a file at its offset and changes all that was behind. */
typedef struct disk_change {
    size_t offset;
    size_t size;
    size_t held;     /* where the file holds the other side of it: what was there before, and, */
    size_t old_size; /* once it is taken back, what it wrote; size of the file before */
    bool truncates;
} disk_change;

typedef struct disk_file {
    char name[64]; /* empty: free */
    bool exists;
    bool durable_exists;
    disk_bytes current;
    disk_change *changes; /* since the last sync */
    size_t change_count;
    size_t change_capacity;
    disk_bytes held; /* their other sides */
    int region_count; /* of shared memory */
} disk_file;

/* An open file; the first field is what SQLite sees. */
typedef struct disk_handle {
    sqlite3_file base;
    disk_file *file;
    process *owner; /* NULL: the harness */
    int lock;     /* SQLITE_LOCK_* */
    uint16_t shared;
    uint16_t exclusive;
    bool mapped; /* the shared memory */
    struct disk_handle *next;
} disk_handle;

typedef struct disk {
    world *world;
    disk_file files[DISK_FILES_MAX];
    disk_handle *handles;
    uint64_t syncs;
} disk;

/* Make the file system known to SQLite under the name "stepwell-sim"; it works on *current. */
void disk_install(disk *const *current);
void disk_init(disk *d, world *w);
void disk_free(disk *d);
/* The database: there from the beginning, durable, and no log yet. */
void disk_put(disk *d, const disk_bytes *content);
/* The content of a file, NULL when there is none. */
const disk_bytes *disk_content(const disk *d, const char *name);
/* Whether somebody is about to close the database as the last one, or to make it. */
bool disk_is_locked(const disk *d);
/* Handles of a process that lie in its memory as they were when they were opened. */
void disk_adopt(disk *d, disk_handle *const *handles, int count, process *owner);
/* Give up the handles and locks of a process that died. */
void disk_release(disk *d, const process *dead);
/* What is left after a power loss. */
void disk_lose_power(disk *d);

/* Map the shared memory, which then has that many regions at least. The first one to come finds
 * nothing in it of those who have gone (disk_lock.c). */
void disk_shm_join(disk_handle *self, int regions);
/* Methods on shared memory and locks (disk_lock.c). */
int disk_lock(sqlite3_file *base, int level);
int disk_unlock(sqlite3_file *base, int level);
int disk_check_reserved(sqlite3_file *base, int *out);
int disk_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out);
int disk_shm_lock(sqlite3_file *base, int offset, int count, int flags);
void disk_shm_barrier(sqlite3_file *base);
int disk_shm_unmap(sqlite3_file *base, int drop);
disk *disk_current(void);
/* A point of the file system for the current actor; an SQLite code. */
int disk_point(uint32_t faults, int error, const char *place);

#endif
