/* The audit log inside the core: collect the entries of one transaction, seal them into one
 * segment, read them back, verify.
 *
 * A segment's body is: format version, a table of the tasks in it (number and the task's previous
 * segment: the history of a task is a chain of segments, without index rows), then the entries
 * (segment.h).
 * Entry bytes are canonical: version, kind, then every field in a fixed order, integers as minimal
 * LEB128 and byte strings with their length before them. hash = SHA-256(previous hash || segment
 * number, first entry, count, time || body). */
#ifndef SW_AUDIT_AUDIT_H
#define SW_AUDIT_AUDIT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "store/store.h"
#include "stepwell/audit.h"
#include "stepwell/checkpoint.h"

/* Collects entries; belongs to one engine, reused for each transaction. */
typedef struct sw__audit {
    const sw_env *env;
    sw__hasher *hasher; /* borrowed */
    sw__buf entries;
    sw__buf tasks;
    sw__buf body; /* scratch: one entry, then the whole body */
    sw__map seen; /* task_no to its place in the table of tasks, from 1 */
    sw__buf newest; /* number of the newest entry of each of these tasks, by place */
    int64_t task_count;
    int64_t entry_count;
    int64_t segment_no; /* of the segment being made, known after begin */
    int64_t entry_next;
    int64_t time_us;
    uint8_t previous[32];
    bool off; /* set by the benchmark that measures what the log costs, and by nobody else */
} sw__audit;

void sw__audit_init(sw__audit *audit, const sw_env *env, sw__hasher *hasher);
void sw__audit_free(sw__audit *audit);

/* Start a segment; call right after the store's begin for writing. Its time is now_us, or that of
 * the newest segment when now_us lies before it. */
int sw__audit_begin(sw__audit *audit, sw__store *store, int64_t now_us, sw_error *err);
/* Add an entry; entry_no and time_us are filled in. Every text of the entry is copied.
 * task is the row the entry is about, NULL for none: its audit_segment is linked into the table
 * and then set to the segment being made (the caller writes the row). */
int sw__audit_add(sw__audit *audit, const sw_audit_entry *entry, sw__task_hot *task, sw_error *err);
/* Number of the newest entry about a task: in the segment being made, or else in the one that its
 * row leads to. SW_EAUDIT when that cannot be read. */
int sw__audit_version(const sw__audit *audit, sw__store *store, const sw__task_hot *task,
                      int64_t *version, sw_error *err);
/* Append the segment to the store when it has entries. */
int sw__audit_seal(sw__audit *audit, sw__store *store, sw_error *err);

#define SW__AUDIT_PARTS_MAX 7

/* SHA-256(salt || part); of several parts each stands behind its length as eight bytes, highest
 * first. At most SW__AUDIT_PARTS_MAX parts. 0, SW_ENOMEM or SW_ELIMIT. */
int sw__audit_digest(sw__hasher *hasher, const uint8_t salt[32], const sw_str *parts,
                     size_t part_count, uint8_t digest[32]);

/* Entries of one task, oldest first, following the chain back from the task's newest segment. */
int sw__audit_read_task(sw__store *store, const sw__task_hot *task, sw__arena *arena,
                        sw_audit_entry **rows, size_t *count, sw_error *err);
/* The same without keeping them, newest first, as the chain leads: visit gets the kind and the
 * numbers of each. */
typedef void (*sw__audit_visit)(void *context, const sw_audit_entry *entry);
int sw__audit_each_task(sw__store *store, const sw__task_hot *task, const sw_env *env,
                        sw__audit_visit visit, void *context, sw_error *err);
/* At most limit entries from entry_no on. */
int sw__audit_read(sw__store *store, int64_t entry_no, size_t limit, sw__arena *arena,
                   sw_audit_entry **rows, size_t *count, sw_error *err);
/* Verify chain, histories and state rows inside a read transaction, and the checkpoints that are
 * trusted (NULL: none), by at least one job; fills report and returns SW_EAUDIT when something is
 * wrong. */
int sw__audit_verify(sw__store *store, sw__hasher *hasher, const sw_env *env,
                     const sw_audit_trust *trusted, int32_t jobs, sw_audit_report *report,
                     sw_error *err);

#endif
