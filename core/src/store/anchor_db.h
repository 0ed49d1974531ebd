/* Checkpoints in a database of their own, somewhere else: a table that is only added to. It is no
 * store: nothing of Stepwell's state is in it. */
#ifndef SW_STORE_ANCHOR_DB_H
#define SW_STORE_ANCHOR_DB_H

#include "base/arena.h"
#include "stepwell/checkpoint.h"

/* Add an anchor; the database is made when it is not there. errors: SW_ENOTFOUND (no such folder),
 * SW_EBUSY, SW_EACCESS, SW_ECORRUPT (it is no database), SW_EFULL, SW_EIO, SW_ENOMEM. */
int sw__anchor_db_put(const char *path, sw_str origin, const sw_audit_anchor *row, sw_error *err);
/* The one of most entries, its note in the arena; SW_ENOTFOUND when there is none, and the same. */
int sw__anchor_db_get(const char *path, sw_str origin, sw__arena *arena, sw_audit_anchor *row,
                      sw_error *err);

#endif
