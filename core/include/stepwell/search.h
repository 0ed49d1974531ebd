/* Looking for entries of the audit log: by time, actor, task, step, kind, outcome and correlation
 * id, page by page; counting them; and writing them down for other programs.
 *
 *     sw_audit_filter filter = SW_AUDIT_FILTER_INIT;
 *     filter.actor = (sw_str){"ann", 3};
 *     sw_audit_search(engine, &filter, &result, &err);     the first page, oldest entry first
 *     filter.after_entry_no = rows[count - 1].entry_no;    and the next one
 *
 * What is found is what the log says; whether it can be trusted says sw_audit_verify.
 */
#ifndef STEPWELL_SEARCH_H
#define STEPWELL_SEARCH_H

#include "audit.h"

/* Which entries: those that match everything that is given. */
typedef struct sw_audit_filter {
    uint32_t size;
    int32_t kind;           /* sw_audit_kind, 0: any */
    sw_str actor;           /* texts match as a whole; absent: any */
    sw_str step;            /* name */
    sw_str outcome;         /* name of the state that a step or task was brought into */
    sw_str correlation_id;  /* of the task; one that was pruned is not found by it */
    sw_uuid task_id;        /* all zero: any */
    int64_t after_us;       /* at this time or later, 0: at any time */
    int64_t before_us;      /* before this time, 0: at any time */
    int64_t after_entry_no; /* of a next page: number of the last entry before; 0: from the first */
    int64_t limit;          /* at most 10000; 0: 100 */
} sw_audit_filter;

#define SW_AUDIT_FILTER_INIT {.size = sizeof(sw_audit_filter)}

/* Entries of one kind that led to one state. */
typedef struct sw_audit_group {
    int32_t kind; /* sw_audit_kind */
    int32_t to;   /* of STEP_CHANGED and TASK_CHANGED: the state; -1 for the others */
    int64_t count;
    int64_t oldest_us;
    int64_t newest_us;
} sw_audit_group;

/* Entries of one actor. */
typedef struct sw_audit_actor {
    sw_str actor; /* absent: the engine itself */
    int64_t count;
    int64_t oldest_us;
    int64_t newest_us;
} sw_audit_actor;

/* JSONL: an object in each line. YAML: a sequence of maps. CSV: RFC 4180, with a line of names
 * first when it is asked for; a cell that a spreadsheet would take for a formula gets an
 * apostrophe in front. */
#define SW_AUDIT_FORMAT_MAP(XX)                                                                    \
    XX(JSONL, 0, "jsonl")                                                                          \
    XX(YAML, 1, "yaml")                                                                            \
    XX(CSV, 2, "csv")

typedef enum sw_audit_format {
#define SW_ENUM_VALUE(name, value, text) SW_AUDIT_##name = value,
    SW_AUDIT_FORMAT_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_AUDIT_FORMAT_COUNT = 3
} sw_audit_format;

/* A page as text; texts of pages that follow each other make one document. */
typedef struct sw_audit_text {
    sw_str text;
    int64_t entry_count;
    int64_t last_entry_no; /* after_entry_no of the next page; 0 without entries */
} sw_audit_text;

SW_BEGIN_DECLS

/* Name of a format, "unknown" for any other number; the format of a name, SW_ENOTFOUND for any
 * other text.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_audit_format_name(int format);
SW_API int sw_audit_format_find(sw_str text);

/* The kind of a name, SW_ENOTFOUND for any other text.
 *
 * owns:    text is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API int sw_audit_kind_find(sw_str text);

/* Entries that match, oldest first; sw_audit_entries reads them. A task takes O(its history), a
 * time O(log(commits)) to get to; everything else is looked for entry by entry from there on.
 *
 * owns:    filter and its strings are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT (an entry cannot be read), SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_audit_search(sw_engine *engine, const sw_audit_filter *filter, sw_result **out,
                           sw_error *err);

/* How many entries match, by kind and state and by actor; after_entry_no counts from there on,
 * limit is not looked at. sw_audit_groups and sw_audit_actors read the rows, the largest first.
 *
 * owns:    filter and its strings are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT (an entry cannot be read), SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_audit_count(sw_engine *engine, const sw_audit_filter *filter, sw_result **out,
                          sw_error *err);

/* A page of what sw_audit_search finds, written in a format; sw_audit_texts reads it. heads is 1
 * for the line of names of CSV. Every entry has all members, in the order and with the names of
 * sw_audit_entry: times in RFC 3339, UTC with microseconds; states by name; digests in hex; null
 * (CSV: nothing) for what an entry does not have.
 *
 * owns:    filter and its strings are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EAUDIT (an entry cannot be read), SW_EBUSY, SW_EIO, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_audit_dump(sw_engine *engine, const sw_audit_filter *filter, int32_t format,
                         int32_t heads, sw_result **out, sw_error *err);

/* Rows of a result of sw_audit_count, and of sw_audit_dump.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_audit_group *sw_audit_groups(const sw_result *result, size_t *count);
SW_API const sw_audit_actor *sw_audit_actors(const sw_result *result, size_t *count);
SW_API const sw_audit_text *sw_audit_texts(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
