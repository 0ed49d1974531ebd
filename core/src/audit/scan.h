/* Walking along the entries that a filter is about; and writing entries in a format. */
#ifndef SW_AUDIT_SCAN_H
#define SW_AUDIT_SCAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "store/store.h"
#include "stepwell/search.h"

/* Called with each entry that matches; its strings live until it returns. 1 ends the walk. */
typedef int (*sw__scan_take)(void *context, const sw_audit_entry *entry, sw_error *err);

/* tasks: numbers of the tasks that are meant, NULL for any. Inside a read transaction. */
int sw__scan_walk(sw__store *store, const sw_audit_filter *filter, const sw__map *tasks,
                    sw__scan_take take, void *context, sw_error *err);
/* The same for entries that were read already. */
int sw__scan_rows(const sw_audit_entry *rows, size_t count, const sw_audit_filter *filter,
                    sw__scan_take take, void *context, sw_error *err);

/* The first entry of the first segment that is not older than a time; 0 when all are. */
int sw__scan_begin(sw__store *store, int64_t time_us, int64_t *entry_no, sw_error *err);

/* Whether the state that an entry leads to is an outcome, of a step or of a task. */
bool sw__entry_outcome(const sw_audit_entry *entry, sw_str *name);

#define SW__ENTRY_TIME_SIZE 96

/* A time in RFC 3339, UTC with microseconds. */
void sw__entry_time(int64_t time_us, char text[SW__ENTRY_TIME_SIZE]);

/* What names the states of whatever an entry is about; NULL where it has none. */
typedef const char *(*sw__state_name)(int state);
sw__state_name sw__entry_states(const sw_audit_entry *entry);

/* Append an entry in a format; the line of names. A failure is in the buffer. */
void sw__render_entry(sw__buf *buf, int32_t format, const sw_audit_entry *entry);
void sw__render_heads(sw__buf *buf);

#endif
