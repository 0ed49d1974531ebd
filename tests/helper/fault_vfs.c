/* A thin layer over the default VFS. */
#include "helper/fault_vfs.h"

#include <sqlite3.h>

typedef struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this struct */
    const char *name;   /* lives as long as the file is open */
} fault_file;

static struct {
    int kinds;
    size_t asked;
    size_t fail_at;
    int code;
    bool for_ever;
    size_t failed;
} plan;

void fault_vfs_arm(int kinds, size_t nth, int code, bool for_ever)
{
    plan.kinds = kinds;
    plan.asked = 0;
    plan.fail_at = nth;
    plan.code = code;
    plan.for_ever = for_ever;
    plan.failed = 0;
}

size_t fault_vfs_failed(void)
{
    return plan.failed;
}

static const fault_vfs_watch *watch;

void fault_vfs_watch_by(const fault_vfs_watch *watcher)
{
    watch = watcher;
}

static void watch_moment(void)
{
    if (watch)
        watch->moment(watch->context);
}

/* The code with which this operation fails, or SQLITE_OK. */
static int fault_next(int kind)
{
    if (plan.fail_at == 0 || !(plan.kinds & kind))
        return SQLITE_OK;
    plan.asked++;
    if (plan.asked != plan.fail_at && !(plan.for_ever && plan.asked > plan.fail_at))
        return SQLITE_OK;
    plan.failed++;
    return plan.code;
}

static sqlite3_file *fault_real(sqlite3_file *file)
{
    return ((fault_file *)file)->real;
}

#define FAULT_FORWARD(kind, call)                                                                  \
    do {                                                                                           \
        int rc = fault_next(kind);                                                                 \
        sqlite3_file *real = fault_real(file);                                                     \
        return rc != SQLITE_OK ? rc : real->pMethods->call;                                        \
    } while (0)

static int fault_close(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xClose(fault_real(file));
}

static int fault_read(sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
    FAULT_FORWARD(FAULT_VFS_READ, xRead(real, buffer, size, offset));
}

/* Half of it is there for a moment, which only who watches can see. */
static void fault_write_half(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = fault_real(file);
    watch_moment();
    if (watch && real->pMethods->xWrite(real, buffer, size / 2, offset) == SQLITE_OK)
        watch_moment();
}

static int fault_write(sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
    fault_write_half(file, buffer, size, offset);
    FAULT_FORWARD(FAULT_VFS_WRITE, xWrite(real, buffer, size, offset));
}

static int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    watch_moment();
    FAULT_FORWARD(FAULT_VFS_WRITE, xTruncate(real, size));
}

static int fault_sync(sqlite3_file *file, int flags)
{
    watch_moment();
    int rc = fault_next(FAULT_VFS_SYNC);
    if (rc == SQLITE_OK)
        rc = fault_real(file)->pMethods->xSync(fault_real(file), flags);
    if (rc == SQLITE_OK && watch)
        watch->synced(watch->context, ((fault_file *)file)->name);
    return rc;
}

static int fault_size(sqlite3_file *file, sqlite3_int64 *size)
{
    FAULT_FORWARD(FAULT_VFS_READ, xFileSize(real, size));
}

static int fault_lock(sqlite3_file *file, int level)
{
    FAULT_FORWARD(FAULT_VFS_LOCK, xLock(real, level));
}

static int fault_unlock(sqlite3_file *file, int level)
{
    return fault_real(file)->pMethods->xUnlock(fault_real(file), level);
}

static int fault_check_lock(sqlite3_file *file, int *held)
{
    FAULT_FORWARD(FAULT_VFS_LOCK, xCheckReservedLock(real, held));
}

/* What the file asks for to grow is a write; everything else cannot fail. */
static int fault_control(sqlite3_file *file, int op, void *argument)
{
    if (op == SQLITE_FCNTL_SIZE_HINT) {
        watch_moment();
        FAULT_FORWARD(FAULT_VFS_WRITE, xFileControl(real, op, argument));
    }
    return fault_real(file)->pMethods->xFileControl(fault_real(file), op, argument);
}

static int fault_sector_size(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xSectorSize(fault_real(file));
}

static int fault_characteristics(sqlite3_file *file)
{
    return fault_real(file)->pMethods->xDeviceCharacteristics(fault_real(file));
}

static int fault_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    FAULT_FORWARD(FAULT_VFS_WRITE, xShmMap(real, page, size, extend, out));
}

static int fault_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    if (flags & SQLITE_SHM_UNLOCK)
        return fault_real(file)->pMethods->xShmLock(fault_real(file), offset, count, flags);
    FAULT_FORWARD(FAULT_VFS_LOCK, xShmLock(real, offset, count, flags));
}

static void fault_shm_barrier(sqlite3_file *file)
{
    fault_real(file)->pMethods->xShmBarrier(fault_real(file));
}

static int fault_shm_unmap(sqlite3_file *file, int remove)
{
    return fault_real(file)->pMethods->xShmUnmap(fault_real(file), remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector_size,
    .xDeviceCharacteristics = fault_characteristics,
    .xShmMap = fault_shm_map,
    .xShmLock = fault_shm_lock,
    .xShmBarrier = fault_shm_barrier,
    .xShmUnmap = fault_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *out_flags)
{
    sqlite3_vfs *base = vfs->pAppData;
    fault_file *fault = (fault_file *)file;
    int rc = fault_next(FAULT_VFS_OPEN);
    fault->base.pMethods = NULL;
    fault->name = name;
    fault->real = (sqlite3_file *)(fault + 1);
    if (rc == SQLITE_OK)
        rc = base->xOpen(base, name, fault->real, flags, out_flags);
    if (rc == SQLITE_OK)
        fault->base.pMethods = &fault_methods;
    return rc;
}

void fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *base = sqlite3_vfs_find(NULL);
    if (vfs.zName)
        return;
    vfs = *base;
    vfs.pNext = NULL;
    vfs.zName = FAULT_VFS_NAME;
    vfs.szOsFile = (int)sizeof(fault_file) + base->szOsFile;
    vfs.pAppData = base;
    vfs.xOpen = fault_open;
    sqlite3_vfs_register(&vfs, 0);
}
