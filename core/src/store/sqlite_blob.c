/* Payloads that are large: each is stored once, known by its SHA-256, and counted by the rows that
 * name it. Not here: the digests of the audit log, which are salted and of each payload alone.
 *
 * A row that holds more than about a page spills into pages of its own, so that from this size on a
 * table of blobs costs nothing more to read. The count lies apart from the body: it changes, and
 * the body must not be written again with it.
 */
#include "store/sqlite.h"

#define BLOB_MIN 4096 /* bytes of the smallest payload that is a blob */

static int blob_digest(sw__sqlite *self, sw_str body, uint8_t digest[32], sw_error *err)
{
    if (!self->hasher)
        self->hasher = sw__hasher_new(self->base.env);
    if (!self->hasher || sw__hash(self->hasher, &body, 1, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

/* The one number that a statement answers with, and the one behind it; 0 where there is no row. */
static int blob_answer(sw__sqlite *self, sw__bind *bind, int64_t *first, int64_t *second,
                       sw_error *err)
{
    int rc = sw__bind_next(self, bind, err);
    if (rc <= 0)
        return rc;
    sw__column column = {.statement = bind->statement};
    *first = sw__column_int(&column);
    if (second)
        *second = sw__column_int(&column);
    /* What a statement with RETURNING has changed counts only once it has ended. */
    rc = sw__bind_next(self, bind, err);
    return rc < 0 ? rc : SW_OK;
}

int sw__blob_keep(sw__sqlite *self, sw_str body, sw__kept *out, sw_error *err)
{
    uint8_t digest[32];
    int64_t uses = 0;
    *out = (sw__kept){.inside = body};
    if (body.len < BLOB_MIN)
        return SW_OK;
    int rc = blob_digest(self, body, digest, err);
    if (rc < 0)
        return rc;
    sw__bind bind = sw__bind_start(self, SW__SQL_BLOB_PUT);
    sw__bind_blob(&bind, digest, sizeof(digest));
    rc = blob_answer(self, &bind, &out->blob_no, &uses, err);
    out->inside = (sw_str){NULL, 0};
    if (rc < 0 || uses != 1)
        return rc;
    bind = sw__bind_start(self, SW__SQL_BLOB_BODY_PUT);
    sw__bind_int(&bind, out->blob_no);
    sw__bind_text(&bind, body);
    return sw__bind_run(self, &bind, err);
}

void sw__bind_kept(sw__bind *bind, const sw__kept *kept)
{
    if (kept->blob_no != 0)
        sw__bind_int(bind, kept->blob_no);
    else
        sw__bind_text(bind, (sw_str){NULL, 0});
    sw__bind_text(bind, kept->inside);
}

int sw__blob_release(sw__sqlite *self, int64_t blob_no, sw_error *err)
{
    int64_t uses = 1;
    if (blob_no == 0)
        return SW_OK;
    sw__bind bind = sw__bind_start(self, SW__SQL_BLOB_RELEASE);
    sw__bind_int(&bind, blob_no);
    int rc = blob_answer(self, &bind, &uses, NULL, err);
    if (rc < 0 || uses > 0)
        return rc;
    bind = sw__bind_start(self, SW__SQL_BLOB_DELETE);
    sw__bind_int(&bind, blob_no);
    rc = sw__bind_run(self, &bind, err);
    if (rc < 0)
        return rc;
    bind = sw__bind_start(self, SW__SQL_BLOB_BODY_DELETE);
    sw__bind_int(&bind, blob_no);
    return sw__bind_run(self, &bind, err);
}

#undef BLOB_MIN
