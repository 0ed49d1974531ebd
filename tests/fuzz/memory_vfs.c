/* Database files in memory; see memory_vfs.h. */
#include "fuzz/memory_vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

#define MEMORY_FILES 8
#define MEMORY_NAME 64
#define MEMORY_REGIONS 64

typedef struct memory_file {
    char name[MEMORY_NAME]; /* empty: there is no such file */
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    void *regions[MEMORY_REGIONS]; /* shared memory */
} memory_file;

typedef struct memory_handle {
    sqlite3_file base;
    memory_file *file;
    int delete_on_close;
} memory_handle;

static memory_file memory_files[MEMORY_FILES];
static uint64_t memory_random;

/* Files. */

static memory_file *memory_find(const char *name)
{
    for (int i = 0; i < MEMORY_FILES; i++) {
        if (name[0] && strcmp(memory_files[i].name, name) == 0)
            return &memory_files[i];
    }
    return NULL;
}

static memory_file *memory_make(const char *name)
{
    for (int i = 0; i < MEMORY_FILES; i++) {
        memory_file *file = &memory_files[i];
        if (file->name[0])
            continue;
        fuzz_require(strlen(name) < MEMORY_NAME, "the name %s is too long", name);
        strcpy(file->name, name);
        file->size = 0;
        return file;
    }
    return NULL;
}

static void memory_regions_free(memory_file *file)
{
    for (int i = 0; i < MEMORY_REGIONS; i++) {
        free(file->regions[i]);
        file->regions[i] = NULL;
    }
}

static void memory_remove(memory_file *file)
{
    memory_regions_free(file);
    file->name[0] = '\0';
}

static bool memory_resize(memory_file *file, size_t size)
{
    if (size > MEMORY_VFS_FILE_MAX)
        return false;
    if (size > file->capacity) {
        file->bytes = realloc(file->bytes, size * 2);
        fuzz_require(file->bytes, "no memory for a file of %zu bytes", size);
        file->capacity = size * 2;
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
    return true;
}

/* Methods of an open file. */

static int memory_close(sqlite3_file *base)
{
    memory_handle *self = (memory_handle *)base;
    if (self->delete_on_close)
        memory_remove(self->file);
    return SQLITE_OK;
}

static int memory_read(sqlite3_file *base, void *out, int size, sqlite3_int64 offset)
{
    const memory_file *file = ((memory_handle *)base)->file;
    size_t start = (uint64_t)offset < file->size ? (size_t)offset : file->size;
    size_t found = file->size - start < (size_t)size ? file->size - start : (size_t)size;
    if (found > 0)
        memcpy(out, file->bytes + start, found);
    memset((uint8_t *)out + found, 0, (size_t)size - found);
    return found == (size_t)size ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int memory_write(sqlite3_file *base, const void *bytes, int size, sqlite3_int64 offset)
{
    memory_file *file = ((memory_handle *)base)->file;
    if ((uint64_t)offset > MEMORY_VFS_FILE_MAX)
        return SQLITE_FULL;
    size_t end = (size_t)offset + (size_t)size;
    if (end > file->size && !memory_resize(file, end))
        return SQLITE_FULL;
    memcpy(file->bytes + offset, bytes, (size_t)size);
    return SQLITE_OK;
}

static int memory_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    return memory_resize(((memory_handle *)base)->file, (size_t)size) ? SQLITE_OK : SQLITE_FULL;
}

static int memory_sync(sqlite3_file *base, int flags)
{
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int memory_size(sqlite3_file *base, sqlite3_int64 *size)
{
    *size = (sqlite3_int64)((memory_handle *)base)->file->size;
    return SQLITE_OK;
}

static int memory_lock(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int memory_check_lock(sqlite3_file *base, int *out)
{
    (void)base;
    *out = 0;
    return SQLITE_OK;
}

static int memory_control(sqlite3_file *base, int what, void *argument)
{
    (void)base;
    (void)what;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int memory_sector(sqlite3_file *base)
{
    (void)base;
    return 512;
}

static int memory_device(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static int memory_shm_map(sqlite3_file *base, int region, int size, int extend, void volatile **out)
{
    memory_file *file = ((memory_handle *)base)->file;
    *out = NULL;
    if (region >= MEMORY_REGIONS)
        return SQLITE_IOERR_SHMSIZE;
    if (!file->regions[region] && extend) {
        file->regions[region] = calloc(1, (size_t)size);
        fuzz_require(file->regions[region], "no memory for %d bytes", size);
    }
    *out = file->regions[region];
    return SQLITE_OK;
}

static int memory_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
    (void)base;
    (void)offset;
    (void)count;
    (void)flags;
    return SQLITE_OK;
}

static void memory_shm_barrier(sqlite3_file *base)
{
    (void)base;
}

static int memory_shm_unmap(sqlite3_file *base, int drop)
{
    (void)drop;
    memory_regions_free(((memory_handle *)base)->file);
    return SQLITE_OK;
}

/* Methods of the file system. */

static int memory_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *out)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = memory_close,
        .xRead = memory_read,
        .xWrite = memory_write,
        .xTruncate = memory_truncate,
        .xSync = memory_sync,
        .xFileSize = memory_size,
        .xLock = memory_lock,
        .xUnlock = memory_lock,
        .xCheckReservedLock = memory_check_lock,
        .xFileControl = memory_control,
        .xSectorSize = memory_sector,
        .xDeviceCharacteristics = memory_device,
        .xShmMap = memory_shm_map,
        .xShmLock = memory_shm_lock,
        .xShmBarrier = memory_shm_barrier,
        .xShmUnmap = memory_shm_unmap,
    };
    (void)vfs;
    memory_handle *self = (memory_handle *)base;
    memory_file *file = name ? memory_find(name) : NULL;
    self->base.pMethods = NULL;
    if (!file && (!name || flags & SQLITE_OPEN_CREATE))
        file = memory_make(name ? name : "temporary");
    if (!file)
        return SQLITE_CANTOPEN;
    self->file = file;
    self->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    self->base.pMethods = &methods;
    if (out)
        *out = flags;
    return SQLITE_OK;
}

static int memory_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)sync;
    memory_file *file = memory_find(name);
    if (!file)
        return SQLITE_IOERR_DELETE_NOENT;
    memory_remove(file);
    return SQLITE_OK;
}

static int memory_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    (void)vfs;
    (void)flags;
    const memory_file *file = memory_find(name);
    *out = file && (flags != SQLITE_ACCESS_EXISTS || file->size > 0);
    return SQLITE_OK;
}

static int memory_full_name(sqlite3_vfs *vfs, const char *name, int size, char *out)
{
    (void)vfs;
    sqlite3_snprintf(size, out, "%s", name);
    return SQLITE_OK;
}

static int memory_randomness(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    for (int i = 0; i < size; i++) {
        memory_random = memory_random * UINT64_C(6364136223846793005) + 1;
        out[i] = (char)(memory_random >> 56);
    }
    return size;
}

static int memory_sleep(sqlite3_vfs *vfs, int us)
{
    (void)vfs;
    return us;
}

static int memory_time(sqlite3_vfs *vfs, double *days)
{
    (void)vfs;
    *days = 2460000.5;
    return SQLITE_OK;
}

static int memory_last_error(sqlite3_vfs *vfs, int size, char *out)
{
    (void)vfs;
    (void)size;
    (void)out;
    return 0;
}

void memory_vfs_register(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 1,
        .szOsFile = sizeof(memory_handle),
        .mxPathname = MEMORY_NAME,
        .zName = MEMORY_VFS_NAME,
        .xOpen = memory_open,
        .xDelete = memory_delete,
        .xAccess = memory_access,
        .xFullPathname = memory_full_name,
        .xRandomness = memory_randomness,
        .xSleep = memory_sleep,
        .xCurrentTime = memory_time,
        .xGetLastError = memory_last_error,
    };
    fuzz_require(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK, "SQLite takes no file system");
}

void memory_vfs_reset(void)
{
    for (int i = 0; i < MEMORY_FILES; i++)
        memory_remove(&memory_files[i]);
    memory_random = 0;
    sqlite3_randomness(0, NULL);
}

void memory_vfs_put(const char *name, const uint8_t *bytes, size_t size)
{
    memory_file *file = memory_find(name);
    if (!file)
        file = memory_make(name);
    fuzz_require(file && memory_resize(file, size), "there is no room for %s", name);
    if (size > 0)
        memcpy(file->bytes, bytes, size);
}

const uint8_t *memory_vfs_get(const char *name, size_t *size)
{
    const memory_file *file = memory_find(name);
    *size = file ? file->size : 0;
    return file ? file->bytes : NULL;
}
