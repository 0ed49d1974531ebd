/* Locks and shared memory of the simulated disk. */
#include <stdlib.h>
#include <string.h>

#include "sim/disk.h"
#include "sim/probe.h"

#define LOCK_RECOVER 2 /* of the locks of SQLite's shared memory */

/* File locks, as SQLite defines them: many readers, one that may write, none beside a writer. */

static int lock_of_others(const disk_handle *self)
{
    int most = SQLITE_LOCK_NONE;
    for (const disk_handle *h = disk_current()->handles; h; h = h->next) {
        if (h != self && h->file == self->file && h->lock > most)
            most = h->lock;
    }
    return most;
}

int disk_lock(sqlite3_file *base, int level)
{
    disk_handle *self = (disk_handle *)base;
    int rc = disk_point(1u << WORLD_BUSY, SQLITE_BUSY, "lock");
    int others = lock_of_others(self);
    if (rc != SQLITE_OK || self->lock >= level)
        return self->lock >= level ? SQLITE_OK : rc;
    if (level == SQLITE_LOCK_SHARED && others >= SQLITE_LOCK_PENDING)
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_RESERVED && others >= SQLITE_LOCK_RESERVED)
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && others > SQLITE_LOCK_NONE) {
        self->lock = SQLITE_LOCK_PENDING;
        return SQLITE_BUSY;
    }
    self->lock = level;
    return SQLITE_OK;
}

int disk_unlock(sqlite3_file *base, int level)
{
    disk_handle *self = (disk_handle *)base;
    if (self->lock > level)
        self->lock = level;
    return SQLITE_OK;
}

int disk_check_reserved(sqlite3_file *base, int *out)
{
    *out = lock_of_others((disk_handle *)base) >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* Shared memory. */

/* The same memory at every time: who goes on from an image points to it. */
static void *shm_regions[DISK_REGIONS_MAX];

static void shm_region(int region)
{
    if (!shm_regions[region])
        shm_regions[region] = malloc(DISK_REGION);
    if (!shm_regions[region])
        abort();
    memset(shm_regions[region], 0, DISK_REGION);
}

static bool shm_mapped_elsewhere(const disk_handle *self)
{
    for (const disk_handle *h = disk_current()->handles; h; h = h->next) {
        if (h != self && h->file == self->file && h->mapped)
            return true;
    }
    return false;
}

void disk_shm_join(disk_handle *self, int regions)
{
    if (!self->mapped && !shm_mapped_elsewhere(self))
        self->file->region_count = 0;
    self->mapped = true;
    while (self->file->region_count < regions)
        shm_region(self->file->region_count++);
}

int disk_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    disk_file *file = ((disk_handle *)base)->file;
    *out = NULL;
    int rc = disk_point(1u << WORLD_EIO, SQLITE_IOERR_SHMMAP, "shm map");
    if (rc != SQLITE_OK)
        return rc;
    if (region >= DISK_REGIONS_MAX || size != DISK_REGION)
        return SQLITE_NOMEM;
    disk_shm_join((disk_handle *)base, extend ? region + 1 : 0);
    if (region < file->region_count)
        *out = shm_regions[region];
    return SQLITE_OK;
}

static bool shm_taken(const disk_handle *self, uint16_t mask, bool exclusive)
{
    for (const disk_handle *h = disk_current()->handles; h; h = h->next) {
        if (h == self || h->file != self->file)
            continue;
        if (h->exclusive & mask || (exclusive && h->shared & mask))
            return true;
    }
    return false;
}

int disk_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    disk_handle *self = (disk_handle *)base;
    uint16_t mask = (uint16_t)(((1u << count) - 1) << offset);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
    if (flags & SQLITE_SHM_UNLOCK) {
        self->shared &= (uint16_t)~mask;
        self->exclusive &= (uint16_t)~mask;
        return disk_point(0, SQLITE_OK, "shm unlock");
    }
    int rc = disk_point(1u << WORLD_BUSY, SQLITE_BUSY, "shm lock");
    if (rc != SQLITE_OK || shm_taken(self, mask, exclusive))
        return SQLITE_BUSY;
    if (exclusive && mask & 1u << LOCK_RECOVER)
        probe_hit(SIM_RECOVERY);
    if (exclusive)
        self->exclusive |= mask;
    else
        self->shared |= mask;
    return SQLITE_OK;
}

void disk_shm_barrier(sqlite3_file *base)
{
    (void)base;
    disk_point(0, SQLITE_OK, "shm barrier");
}

int disk_shm_unmap(sqlite3_file *base, int drop)
{
    disk_handle *self = (disk_handle *)base;
    self->shared = self->exclusive = 0;
    self->mapped = false;
    (void)drop;
    return SQLITE_OK;
}
