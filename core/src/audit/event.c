/* Types and digests of events, and what a replay makes of appended ones. */
#include "audit/event.h"

#include <string.h>

#include "audit/audit.h"
#include "audit/replay.h"
#include "base/error.h"
#include "base/str.h"

#define EVENT_PAGE 1000 /* rows looked at in one go */

const char *sw_event_type_name(int kind, int to)
{
#define EVENT_TYPE_CASE(of_kind, of_state, text)                                                   \
    if (kind == (of_kind) && ((of_state) < 0 || to == (of_state)))                                 \
        return text;
    SW_EVENT_TYPE_MAP(EVENT_TYPE_CASE)
#undef EVENT_TYPE_CASE
    return "unknown";
}

sw_str sw__event_type(const sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_EVENT)
        return entry->subject;
    return sw__str(sw_event_type_name(entry->kind, entry->to));
}

bool sw__event_type_reserved(sw_str type)
{
    static const char *const families[] = {
#define EVENT_TYPE_NAME(kind, state, text) text,
        SW_EVENT_TYPE_MAP(EVENT_TYPE_NAME)
#undef EVENT_TYPE_NAME
    };
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        size_t len = (size_t)(strchr(families[i], '.') + 1 - families[i]);
        if (type.len >= len && memcmp(type.ptr, families[i], len) == 0)
            return true;
    }
    return false;
}

int sw__event_digest(sw__hasher *hasher, const sw__event_rec *row, uint8_t digest[32])
{
    const sw_str parts[] = {row->body, row->key, row->correlation_id};
    return sw__audit_digest(hasher, row->salt, parts, sizeof(parts) / sizeof(parts[0]), digest);
}

/* Replay. */

int sw__replay_event(sw__replay *replay, sw__replay_task *task, const sw_audit_entry *entry,
                     const char **why)
{
    *why = "it has no type, or one of the engine's";
    if (!sw__str_is_name(entry->subject) || sw__event_type_reserved(entry->subject))
        return SW_EAUDIT;
    *why = "it does not seal its payload";
    if (!entry->digest.ptr)
        return SW_EAUDIT;
    sw__seal seal = {
        .kind = SW__SEAL_EVENT,
        .key = entry->entry_no,
        .entry_no = entry->entry_no,
        .digest = entry->digest,
        .task = task,
        .type = entry->subject,
    };
    sw__buf_put(&replay->seals, &seal, sizeof(seal));
    replay->event_count++;
    return SW_OK;
}

static int event_doubt(sw__replay *replay, int64_t entry_no, const char *fault)
{
    return sw__doubt_raise(&replay->doubt, entry_no, entry_no, "the row of event %lld %s",
                           (long long)entry_no, fault);
}

static int event_row(sw__replay *replay, const sw__seal *seal, const sw__event_rec *row,
                     sw_error *err)
{
    const sw_str parts[] = {row->body, row->key, row->correlation_id};
    if (row->entry_no == 0)
        return event_doubt(replay, seal->entry_no, "is missing from the store");
    if (row->task_no != seal->task->task_no)
        return event_doubt(replay, seal->entry_no, "names another task");
    if (!sw__str_equal(row->type, seal->type))
        return event_doubt(replay, seal->entry_no, "has another type");
    return sw__replay_payload(replay, seal, row->kept, row->salt, parts,
                              sizeof(parts) / sizeof(parts[0]), err);
}

int sw__replay_event_rows(sw__replay *replay, const sw__seal *const *seals,
                          const int64_t *entry_nos, size_t count, sw__arena *arena, sw_error *err)
{
    sw__event_rec *rows = sw__arena_array(arena, count, sizeof(*rows));
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->events_get(replay->store, entry_nos, count, arena, rows, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = event_row(replay, seals[i], &rows[i], err);
    return rc;
}

/* Every event of the log has met its row, so that one more row is one too many. */
int sw__replay_events(sw__replay *replay, int64_t entry_last, sw_error *err)
{
    int64_t entry_nos[EVENT_PAGE];
    int64_t total = 0;
    size_t count = EVENT_PAGE;
    int rc = SW_OK;
    sw__store *store = replay->store;
    sw__event_range range = {.before = INT64_MAX};
    while (rc == SW_OK && count == EVENT_PAGE) {
        rc = store->ops->events_scan(store, &range, entry_nos, EVENT_PAGE, &count, err);
        total += rc == SW_OK ? (int64_t)count : 0;
        range.after = rc == SW_OK && count > 0 ? entry_nos[count - 1] : range.after;
    }
    if (rc == SW_OK && total != replay->event_count)
        rc = sw__doubt_raise(&replay->doubt, entry_last, entry_last,
                             "%lld events were appended in the log, %lld have a row: rows were "
                             "added, or the end of the log was cut off",
                             (long long)replay->event_count, (long long)total);
    return rc;
}

#undef EVENT_PAGE
