/* The simulated disk as an SQLite file system; see disk.h. Locks are in disk_lock.c. */
#include "sim/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/probe.h"

/* Growing is mostly copying, and what nobody touches costs nothing. */
#define DISK_BYTES_MIN ((size_t)4 << 20)
#define DISK_IO (1u << WORLD_KILL | 1u << WORLD_POWER | 1u << WORLD_EIO | 1u << WORLD_EIO_FOR_EVER)

static disk *const *disk_installed;

disk *disk_current(void)
{
    return *disk_installed;
}

static disk_file *disk_database(disk *d)
{
    return &d->files[0];
}

int disk_point(uint32_t faults, int error, const char *place)
{
    world *w = disk_current()->world;
    uint32_t may = faults | 1u << WORLD_KILL | 1u << WORLD_POWER;
    if (world_point(w, may, place) >= 0)
        return error;
    if (w->current && w->current->process->disk_bad && !w->healed &&
        faults & 1u << WORLD_EIO_FOR_EVER)
        return error;
    return SQLITE_OK;
}

/* Bytes. What a schedule has grown serves the next one in the same place. */

static disk_bytes bytes_spare[2 * DISK_FILES_MAX];

static void bytes_drop(disk_bytes *bytes, size_t place)
{
    bytes_spare[place] = (disk_bytes){bytes->ptr, 0, bytes->capacity};
    *bytes = (disk_bytes){0};
}

static void bytes_reserve(disk_bytes *bytes, size_t size)
{
    if (size <= bytes->capacity)
        return;
    bytes->capacity = size * 2 > DISK_BYTES_MIN ? size * 2 : DISK_BYTES_MIN;
    bytes->ptr = realloc(bytes->ptr, bytes->capacity);
    if (!bytes->ptr)
        abort();
}

static void bytes_resize(disk_bytes *bytes, size_t size)
{
    bytes_reserve(bytes, size);
    if (size > bytes->size)
        memset(bytes->ptr + bytes->size, 0, size - bytes->size);
    bytes->size = size;
}

static void bytes_write(disk_bytes *bytes, size_t offset, const uint8_t *data, size_t size)
{
    if (offset > bytes->size)
        bytes_resize(bytes, offset);
    bytes_reserve(bytes, offset + size);
    memcpy(bytes->ptr + offset, data, size);
    if (offset + size > bytes->size)
        bytes->size = offset + size;
}

/* Changes. */

/* How many bytes of it lie within the file as it was before. */
static size_t change_overlap(const disk_change *change)
{
    if (change->offset >= change->old_size)
        return 0;
    size_t behind = change->old_size - change->offset;
    return behind < change->size ? behind : change->size;
}

/* A file that is taken away whole changes sides whole. */
static bool change_hold_all(disk_file *file, const disk_change *change)
{
    disk_bytes all = file->current;
    if (!change->truncates || change->offset > 0 || file->held.size > 0)
        return false;
    file->current = (disk_bytes){file->held.ptr, 0, file->held.capacity};
    file->held = all;
    return true;
}

static void change_hold(disk_file *file, size_t offset, const void *data, size_t size)
{
    if (file->change_count == file->change_capacity) {
        file->change_capacity = file->change_capacity ? file->change_capacity * 2 : 1024;
        file->changes = realloc(file->changes, file->change_capacity * sizeof *file->changes);
        if (!file->changes)
            abort();
    }
    disk_change *change = &file->changes[file->change_count++];
    *change = (disk_change){offset, size, file->held.size, file->current.size, !data};
    if (!data)
        change->size = change->old_size > offset ? change->old_size - offset : 0;
    if (change_hold_all(file, change))
        return;
    bytes_reserve(&file->held, change->held + change->size);
    file->held.size = change->held + change->size;
    if (change_overlap(change))
        memcpy(file->held.ptr + change->held, file->current.ptr + offset, change_overlap(change));
    if (data)
        bytes_write(&file->current, offset, data, size);
    else
        bytes_resize(&file->current, offset);
}

/* Put back what was there before, and hold what was written instead; the newest change first. */
static void change_take_back(disk_file *file, const disk_change *change)
{
    uint8_t *held = file->held.ptr + change->held;
    if (change->truncates) {
        bytes_resize(&file->current, change->old_size);
        if (change->size)
            memcpy(file->current.ptr + change->offset, held, change->size);
        return;
    }
    size_t overlap = change_overlap(change);
    uint8_t *written = file->current.ptr + change->offset;
    for (size_t i = 0; i < overlap; i++) {
        uint8_t before = held[i];
        held[i] = written[i];
        written[i] = before;
    }
    memcpy(held + overlap, written + overlap, change->size - overlap);
    bytes_resize(&file->current, change->old_size);
}

/* Make a change that was taken back once more. */
static void change_apply(disk_file *file, const disk_change *change)
{
    if (change->truncates)
        bytes_resize(&file->current, change->offset);
    else
        bytes_write(&file->current, change->offset, file->held.ptr + change->held, change->size);
}

static void change_forget(disk_file *file)
{
    file->change_count = 0;
    file->held.size = 0;
}

static void file_sync(disk_file *file)
{
    change_forget(file);
    file->durable_exists = file->exists;
}

/* Methods. */

static int disk_close(sqlite3_file *base)
{
    disk_handle *self = (disk_handle *)base;
    disk_handle **link = &disk_current()->handles;
    while (*link && *link != self)
        link = &(*link)->next;
    if (*link)
        *link = self->next;
    return SQLITE_OK;
}

static int disk_read(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    const disk_bytes *bytes = &((disk_handle *)base)->file->current;
    int rc = disk_point(DISK_IO, SQLITE_IOERR_READ, "read");
    if (rc != SQLITE_OK)
        return rc;
    size_t start = (size_t)offset < bytes->size ? (size_t)offset : bytes->size;
    size_t found = bytes->size - start < (size_t)size ? bytes->size - start : (size_t)size;
    if (found)
        memcpy(out, bytes->ptr + start, found);
    memset((uint8_t *)out + found, 0, (size_t)size - found);
    return found == (size_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int disk_full_now(void)
{
    const world *w = disk_current()->world;
    return w->current && !w->healed && w->now_us < w->full_until_us;
}

static int disk_write(sqlite3_file *base, const void *data, int size, sqlite3_int64 offset)
{
    bool checkpoint = ((disk_handle *)base)->file == disk_database(disk_current());
    int rc = disk_point(DISK_IO | 1u << WORLD_NO_MEMORY, SQLITE_IOERR_WRITE,
                        checkpoint ? WORLD_CHECKPOINT : "write");
    if (rc != SQLITE_OK)
        return rc;
    if (disk_full_now())
        return SQLITE_FULL;
    change_hold(((disk_handle *)base)->file, (size_t)offset, data, (size_t)size);
    return disk_point(1u << WORLD_FULL, SQLITE_FULL, "written");
}

static int disk_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    int rc = disk_point(DISK_IO, SQLITE_IOERR_TRUNCATE, "truncate");
    if (rc == SQLITE_OK)
        change_hold(((disk_handle *)base)->file, (size_t)size, NULL, 0);
    return rc;
}

static int disk_sync(sqlite3_file *base, int flags)
{
    (void)flags;
    int rc = disk_point(DISK_IO, SQLITE_IOERR_FSYNC, "sync");
    if (rc != SQLITE_OK)
        return rc;
    file_sync(((disk_handle *)base)->file);
    disk_current()->syncs++;
    return disk_point(0, SQLITE_OK, "synced");
}

static int disk_size(sqlite3_file *base, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((disk_handle *)base)->file->current.size;
    return SQLITE_OK;
}

static int disk_control(sqlite3_file *base, int op, void *argument)
{
    (void)base;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int disk_sector(sqlite3_file *base)
{
    (void)base;
    return DISK_SECTOR;
}

static int disk_traits(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 2,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_reserved,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_traits,
    .xShmMap = disk_shm_map,
    .xShmLock = disk_shm_lock,
    .xShmBarrier = disk_shm_barrier,
    .xShmUnmap = disk_shm_unmap,
};

/* The file system. */

static disk_file *disk_find(const char *name, bool create)
{
    disk_file *unused = NULL;
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        disk_file *file = &disk_current()->files[i];
        if (strcmp(file->name, name) == 0)
            return file;
        if (!file->name[0] && !unused)
            unused = file;
    }
    if (!create || !unused)
        return NULL;
    snprintf(unused->name, sizeof unused->name, "%s", name);
    return unused;
}

static int disk_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags,
                     int *out_flags)
{
    (void)vfs;
    disk_handle *self = (disk_handle *)base;
    const actor *current = disk_current()->world->current;
    memset(self, 0, sizeof *self);
    int rc = disk_point(DISK_IO, SQLITE_CANTOPEN, "open");
    if (rc != SQLITE_OK || !name)
        return rc != SQLITE_OK ? rc : SQLITE_CANTOPEN;
    disk_file *file = disk_find(name, flags & SQLITE_OPEN_CREATE);
    if (!file || (!file->exists && !(flags & SQLITE_OPEN_CREATE)))
        return SQLITE_CANTOPEN;
    file->exists = true;
    self->file = file;
    self->owner = current ? current->process : NULL;
    self->next = disk_current()->handles;
    disk_current()->handles = self;
    self->base.pMethods = &disk_methods;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    int rc = disk_point(DISK_IO, SQLITE_IOERR_DELETE, "delete");
    disk_file *file = rc == SQLITE_OK ? disk_find(name, false) : NULL;
    if (rc != SQLITE_OK || !file || !file->exists)
        return rc != SQLITE_OK ? rc : SQLITE_IOERR_DELETE_NOENT;
    file->exists = false;
    change_hold(file, 0, NULL, 0);
    if (sync)
        file_sync(file);
    return SQLITE_OK;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    (void)flags;
    const disk_file *file = disk_find(name, false);
    *out = file && file->exists && (flags != SQLITE_ACCESS_EXISTS || file->current.size > 0);
    return SQLITE_OK;
}

static int disk_full_path(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

static int disk_random(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    for (int i = 0; i < size; i++)
        out[i] = (char)choice_noise(&disk_current()->world->noise);
    return size;
}

static int disk_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    world_sleep(disk_current()->world, us);
    return us;
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
    (void)vfs;
    *out = INT64_C(210866760000000) + 1700000000000 + disk_current()->world->now_us / 1000;
    return SQLITE_OK;
}

static int disk_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

void disk_install(disk *const *current)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(disk_handle),
        .mxPathname = 63,
        .zName = "stepwell-sim",
        .xOpen = disk_open,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_path,
        .xRandomness = disk_random,
        .xSleep = disk_sleep,
        .xCurrentTimeInt64 = disk_time,
        .xGetLastError = disk_last_error,
    };
    disk_installed = current;
    sqlite3_vfs_register(&vfs, 0);
}

/* Death. */

/* The database and its log have the same places in every run: handles of an image point to them. */
void disk_init(disk *d, world *w)
{
    memset(d, 0, sizeof *d);
    d->world = w;
    snprintf(d->files[0].name, sizeof d->files[0].name, "%s", DISK_DATABASE);
    snprintf(d->files[1].name, sizeof d->files[1].name, "%s", DISK_LOG);
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        d->files[i].current = bytes_spare[2 * i];
        d->files[i].held = bytes_spare[2 * i + 1];
    }
}

void disk_put(disk *d, const disk_bytes *content)
{
    disk_file *file = disk_database(d);
    file->exists = file->durable_exists = true;
    bytes_write(&file->current, 0, content->ptr, content->size);
}

const disk_bytes *disk_content(const disk *d, const char *name)
{
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        if (d->files[i].exists && strcmp(d->files[i].name, name) == 0)
            return &d->files[i].current;
    }
    return NULL;
}

void disk_free(disk *d)
{
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        free(d->files[i].changes);
        bytes_drop(&d->files[i].current, 2 * (size_t)i);
        bytes_drop(&d->files[i].held, 2 * (size_t)i + 1);
    }
}

bool disk_is_locked(const disk *d)
{
    for (const disk_handle *h = d->handles; h; h = h->next) {
        if (h->lock >= SQLITE_LOCK_PENDING)
            return true;
    }
    return false;
}

void disk_adopt(disk *d, disk_handle *const *handles, int count, process *owner)
{
    for (int i = 0; i < count; i++) {
        disk_handle *self = handles[i];
        self->owner = owner;
        self->file->exists = true;
        self->next = d->handles;
        d->handles = self;
        if (self->mapped) {
            self->mapped = false;
            disk_shm_join(self, 1);
        }
    }
}

void disk_release(disk *d, const process *dead)
{
    disk_handle **link = &d->handles;
    while (*link) {
        if ((*link)->owner == dead)
            *link = (*link)->next;
        else
            link = &(*link)->next;
    }
}

/* How unsynced changes fare: 0 all are kept, 1 none, 2 some whole, 3 some sectors. */
static void change_survive(disk_file *file, const disk_change *change, uint32_t mode, choice *c)
{
    if (mode == 0 || (mode == 2 && choice_draw(c, CHOICE_DETAIL, 2) == 0) ||
        (mode == 3 && change->truncates)) {
        change_apply(file, change);
        return;
    }
    size_t kept = 0;
    for (size_t at = 0; mode == 3 && at < change->size; at += DISK_SECTOR) {
        size_t size = change->size - at < DISK_SECTOR ? change->size - at : DISK_SECTOR;
        if (choice_draw(c, CHOICE_DETAIL, 2) != 0)
            continue;
        kept += size;
        bytes_write(&file->current, change->offset + at, file->held.ptr + change->held + at, size);
    }
    probe_hit(kept > 0 && kept < change->size ? SIM_TORN : SIM_LOST);
}

void disk_lose_power(disk *d)
{
    uint32_t mode = choice_draw(&d->world->choice, CHOICE_DETAIL, 4);
    d->handles = NULL;
    for (int i = 0; i < DISK_FILES_MAX; i++) {
        disk_file *file = &d->files[i];
        for (size_t k = file->change_count; k > 0; k--)
            change_take_back(file, &file->changes[k - 1]);
        for (size_t k = 0; k < file->change_count; k++)
            change_survive(file, &file->changes[k], mode, &d->world->choice);
        change_forget(file);
        file->region_count = 0;
        file->exists = file->exists && (file->durable_exists || mode == 0);
        file->durable_exists = file->exists;
        if (!file->exists)
            bytes_resize(&file->current, 0);
    }
}
