/* Rows that come to a function of ours inside of SQLite, without leaving the statement for each of
 * them. Leaving it and asking for the columns one by one costs more than finding a row that lies
 * beside the one before: half of the time of a walk along a table.
 *
 * The function, sw_row, is one more condition of the statement, and gets its columns. It says no to
 * every row, so that the statement gives none, until nobody wants another. Not here: which
 * statements do this, those that read many rows (sqlite_sql.h).
 */
#include "store/sqlite.h"

#include <string.h>

/* What a statement is run for; the visit may run another one in between. */
struct sw__row_walk {
    sw__row_visit visit;
    void *context;
    sw_error *err;
    int rc;
};

static void row_take(sqlite3_context *sql, int count, sqlite3_value **values)
{
    const sw__sqlite *self = sqlite3_user_data(sql);
    sw__row_walk *walk = self->walk;
    sw__row row = {.next = values};
    (void)count;
    if (walk)
        walk->rc = walk->visit(walk->context, &row, walk->err);
    sqlite3_result_int(sql, !walk || walk->rc != 0);
}

/* Never out of a schema, which may come from anywhere. */
int sw__sqlite_row_register(sqlite3 *db, sw__sqlite *self)
{
    return sqlite3_create_function_v2(db, "sw_row", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, self,
                                      row_take, NULL, NULL, NULL);
}

int sw__bind_each(sw__sqlite *self, sw__bind *bind, sw__row_visit visit, void *context,
                  sw_error *err)
{
    sw_error later = {0};
    sw__row_walk walk = {.visit = visit, .context = context, .err = err};
    sw__row_walk *around = self->walk;
    self->walk = &walk;
    int rc = sw__bind_next(self, bind, &later);
    self->walk = around;
    if (rc > 0)
        sw__bind_end(bind);
    if (walk.rc != 0)
        return walk.rc; /* why SQLite could not go on after it is not why */
    if (rc < 0 && err)
        *err = later;
    return rc;
}

sw_str sw__row_text(sw__row *row)
{
    sqlite3_value *value = *row->next++;
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return (sw_str){NULL, 0};
    const char *bytes = sqlite3_value_blob(value);
    size_t len = (size_t)sqlite3_value_bytes(value);
    return bytes ? (sw_str){bytes, len} : (sw_str){"", 0};
}

void sw__row_blob(sw__row *row, void *bytes, size_t size)
{
    sqlite3_value *value = *row->next++;
    const void *stored = sqlite3_value_blob(value);
    if (stored && (size_t)sqlite3_value_bytes(value) == size)
        memcpy(bytes, stored, size);
    else
        memset(bytes, 0, size);
}
