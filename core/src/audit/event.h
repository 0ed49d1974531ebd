/* Entries of the log as events: their types, the digest of an appended one, and walking along a
 * stream. Not here: appending and paging (engine/append.c, engine/event.c). */
#ifndef SW_AUDIT_EVENT_H
#define SW_AUDIT_EVENT_H

#include <stdbool.h>

#include "base/hash.h"
#include "store/store.h"
#include "stepwell/event.h"

/* The type of an entry; borrowed from it or static. */
sw_str sw__event_type(const sw_audit_entry *entry);
/* Whether events of this type are made by the engine alone. */
bool sw__event_type_reserved(sw_str type);
/* SHA-256 over salt, body, key and correlation id of an appended event. 0 or SW_ENOMEM. */
int sw__event_digest(sw__hasher *hasher, const sw__event_rec *row, uint8_t digest[32]);

/* An entry, with the number of its task in the store, 0 for none; its texts live until the visitor
 * returns. 1 ends the walk. */
typedef int (*sw__stream_visit)(void *context, int64_t task_no, const sw_audit_entry *entry,
                                sw_error *err);

/* Entries after < entry_no < before of one task (task_no > 0), from the segment that its row leads to
 * back to its first; or of all, from the segment that holds them. Newest first: a stream of one task
 * is always walked so. SW_EAUDIT when a segment cannot be read. */
typedef struct sw__stream {
    sw__store *store;
    int64_t task_no;
    int64_t segment_no; /* where to begin; 0: nowhere */
    int64_t after;
    int64_t before;
} sw__stream;

int sw__stream_back(const sw__stream *stream, sw__stream_visit visit, void *context, sw_error *err);
/* The same for all entries, oldest first. */
int sw__stream_forth(const sw__stream *stream, sw__stream_visit visit, void *context,
                     sw_error *err);
/* Only the entries with these numbers, ascending; after and before of the stream are not looked at. */
int sw__stream_pick(sw__store *store, const int64_t *entry_nos, size_t count,
                    sw__stream_visit visit, void *context, sw_error *err);
/* The number of the segment that holds an entry; the newest for one that is not there yet, 0 when
 * the log is empty. */
int sw__stream_seek(sw__store *store, int64_t entry_no, int64_t *segment_no, sw_error *err);

#endif
