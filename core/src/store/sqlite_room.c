/* Room on the disk: whatever the log holds has its place in the file before it is committed.
 *
 * Otherwise a full disk could stay full for ever. Programs that try again write to the log, which
 * takes whatever room somebody makes; then nothing is left for the file, the log cannot be moved
 * into it, and so it cannot be written from its beginning again.
 *
 * Not here: moving the log after a disk was full (sqlite_relieve in sqlite.c).
 */
#include "store/sqlite.h"

/* The file grows by so much at a time: seldom enough that the cost of growing does not show. */
#define ROOM_CHUNK (256 << 10)

static int room_pages(sw__sqlite *self, int64_t *out, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_PAGE_COUNT);
    int rc = sw__bind_next(self, &bind, err);
    *out = rc > 0 ? sqlite3_column_int64(bind.statement, 0) : 0;
    if (rc > 0)
        sw__bind_end(&bind);
    return rc < 0 ? rc : SW_OK;
}

static int room_control(sw__sqlite *self, int what, void *argument)
{
    int rc = sqlite3_file_control(self->db, "main", what, argument);
    return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc; /* its files have no such control */
}

/* The size of the pieces stays unset: whenever the log is moved, the file is cut off behind its
 * last page, so that nothing stays there which was erased. SQLite tells a file that could not grow
 * like a write that failed for any reason. */
static int room_take(sw__sqlite *self, sqlite3_int64 size)
{
    int chunk = ROOM_CHUNK;
    int none = 0;
    int rc = room_control(self, SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    if (rc == SQLITE_OK)
        rc = room_control(self, SQLITE_FCNTL_SIZE_HINT, &size);
    int reset = room_control(self, SQLITE_FCNTL_CHUNK_SIZE, &none);
    if (rc == SQLITE_IOERR_WRITE && !self->base.env->vfs_name &&
        sw__sqlite_path_room(self->path) < ROOM_CHUNK)
        return SQLITE_FULL;
    return rc == SQLITE_OK ? reset : rc;
}

/* As many pages as at the last commit have their room: where others made the file shorter or longer
 * since, they took it. SQLite does nothing when the file is as large already. */
int sw__sqlite_room_reserve(sw__sqlite *self, sw_error *err)
{
    int64_t pages = 0;
    int rc = room_pages(self, &pages, err);
    if (rc < 0 || pages == self->room_pages)
        return rc;
    int code = room_take(self, pages * self->page_size);
    if (code == SQLITE_OK)
        self->room_pages = pages;
    self->full = self->full || code == SQLITE_FULL;
    return code == SQLITE_OK ? SW_OK : sw__sqlite_fail(self, code, err);
}
