/* Segments of the audit log in SQLite. What stands in them is the business of audit/. */
#include "store/sqlite.h"

int sw__sqlite_segment_put(sw__store *store, const sw__segment *segment, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_WRITING, "store.segment_put", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_SEGMENT_PUT);
    sw__bind_int(&bind, segment->segment_no);
    sw__bind_int(&bind, segment->entry_first);
    sw__bind_int(&bind, segment->entry_count);
    sw__bind_int(&bind, segment->time_us);
    sw__bind_blob(&bind, segment->previous, sizeof(segment->previous));
    sw__bind_blob(&bind, segment->hash, sizeof(segment->hash));
    sw__bind_blob(&bind, segment->body.ptr, segment->body.len);
    return sw__bind_run(self, &bind, err);
}

/* All but the body, which comes last. */
static sw__column segment_read(const sw__bind *bind, sw__segment *segment)
{
    sw__column column = {.statement = bind->statement};
    *segment = (sw__segment){.segment_no = sw__column_int(&column)};
    segment->entry_first = sw__column_int(&column);
    segment->entry_count = sw__column_int(&column);
    segment->time_us = sw__column_int(&column);
    sw__column_blob(&column, segment->previous, sizeof(segment->previous));
    sw__column_blob(&column, segment->hash, sizeof(segment->hash));
    return column;
}

int sw__sqlite_segment_last(sw__store *store, sw__segment *out, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.segment_last", err);
    if (rc < 0)
        return rc;
    *out = (sw__segment){0};
    sw__bind bind = sw__bind_start(self, SW__SQL_SEGMENT_LAST);
    rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    segment_read(&bind, out);
    sw__bind_end(&bind);
    return SW_OK;
}

int sw__sqlite_segment_get(sw__store *store, int64_t segment_no, sw__arena *arena, sw__segment *out,
                           sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.segment_get", err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_SEGMENT_GET);
    sw__bind_int(&bind, segment_no);
    rc = sw__bind_next(self, &bind, err);
    if (rc < 0)
        return rc;
    if (rc == 0)
        return sw__fail(err, SW_ENOTFOUND, "segment %lld is not in the audit log",
                        (long long)segment_no);
    sw__column column = segment_read(&bind, out);
    out->body = sw__arena_str(arena, sw__column_text(&column));
    sw__bind_end(&bind);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

/* The first segment at or above a number and the entry behind it; 0 when there is none. */
static int segment_seek(sw__sqlite *self, int64_t *segment_no, int64_t *entry_end, sw_error *err)
{
    sw__bind bind = sw__bind_start(self, SW__SQL_SEGMENT_SEEK);
    sw__bind_int(&bind, *segment_no);
    int rc = sw__bind_next(self, &bind, err);
    if (rc <= 0)
        return rc;
    *segment_no = sqlite3_column_int64(bind.statement, 0);
    *entry_end = sqlite3_column_int64(bind.statement, 1);
    sw__bind_end(&bind);
    return 1;
}

/* Entries rise with segments, so the one that holds an entry is found by halving and needs no
 * index. Segments may be missing: a damaged log is walked as well. */
static int segment_holding(sw__sqlite *self, int64_t entry_no, int64_t *segment_no, sw_error *err)
{
    sw__segment last;
    int rc = sw__sqlite_segment_last(&self->base, &last, err);
    int64_t low = 1;
    int64_t high = last.segment_no;
    while (rc >= 0 && low <= high) {
        int64_t middle = low + (high - low) / 2;
        int64_t found = middle;
        int64_t entry_end = 0;
        rc = segment_seek(self, &found, &entry_end, err);
        if (rc != 1 || entry_end > entry_no) {
            high = middle - 1;
            continue;
        }
        low = found < INT64_MAX ? found + 1 : found;
        if (found >= high)
            break;
    }
    *segment_no = low;
    return rc < 0 ? rc : SW_OK;
}

int sw__sqlite_segments_each(sw__store *store, int64_t entry_no, sw__segment_visit visit,
                             void *context, sw_error *err)
{
    sw__sqlite *self = (sw__sqlite *)store;
    int64_t first = INT64_MIN;
    int rc = sw__sqlite_enter(self, SW__STORE_READING, "store.segments_each", err);
    if (rc == SW_OK && entry_no > 1)
        rc = segment_holding(self, entry_no, &first, err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_SEGMENT_EACH);
    sw__bind_int(&bind, first);
    while ((rc = sw__bind_next(self, &bind, err)) > 0) {
        sw__segment segment;
        sw__column column = segment_read(&bind, &segment);
        segment.body = sw__column_text(&column);
        rc = visit(context, &segment, err);
        if (rc != 0) {
            sw__bind_end(&bind);
            return rc < 0 ? rc : SW_OK;
        }
    }
    return rc;
}
