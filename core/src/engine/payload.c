/* The payload that an event carries: looked up beside its entry, and told only when it is the one
 * that the entry sealed. */
#include "engine/event.h"

#include <string.h>

#include "audit/event.h"
#include "base/json.h"

typedef struct payload_ask {
    sw_engine *engine;
    sw__arena *arena;
    sw_event *event;
} payload_ask;

static int payload_matches(const payload_ask *ask, const uint8_t salt[32], const sw_str *parts,
                           size_t count, bool *same, sw_error *err)
{
    uint8_t digest[32];
    if (sw__audit_digest(ask->engine->hasher, salt, parts, count, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    *same = memcmp(digest, ask->event->entry.digest.ptr, sizeof digest) == 0;
    return SW_OK;
}

/* Of an event that was erased or pruned no more than the entry is left. */
static int payload_appended(const payload_ask *ask, sw_error *err)
{
    sw__event_rec row;
    bool same = false;
    sw_event *event = ask->event;
    sw__store *store = ask->engine->store;
    int rc = store->ops->events_get(store, &event->entry.entry_no, 1, ask->arena, &row, err);
    if (rc < 0 || row.entry_no == 0 || !row.kept)
        return rc;
    const sw_str parts[] = {row.body, row.key, row.correlation_id};
    rc = payload_matches(ask, row.salt, parts, sizeof(parts) / sizeof(parts[0]), &same, err);
    if (rc == SW_OK && !same)
        rc = sw__fail(err, SW_EAUDIT, "event %lld has another payload than it was appended with",
                      (long long)event->entry.entry_no);
    event->data = row.body;
    event->key = row.key;
    event->correlation_id = row.correlation_id;
    return rc;
}

static int payload_input(const payload_ask *ask, int64_t task_no, sw_error *err)
{
    sw__task_info info = {0};
    bool same = false;
    sw__store *store = ask->engine->store;
    int rc = store->ops->tasks_info(store, &task_no, 1, ask->arena, &info, err);
    if (rc < 0 || info.task_no == 0)
        return rc;
    ask->event->correlation_id = info.correlation_id;
    if (!info.input.ptr)
        return SW_OK;
    rc = payload_matches(ask, info.input_salt, &info.input, 1, &same, err);
    if (same)
        ask->event->data = info.input;
    return rc;
}

/* Whether the task of a step is stored: of one that was pruned the steps may be there a while
 * longer, until they are taken out bit by bit. */
static int payload_task_stored(const payload_ask *ask, bool *stored, sw_error *err)
{
    sw__task_hot task = {0};
    const int64_t task_no = SW__STEP_TASK(ask->event->entry.step_id);
    sw__store *store = ask->engine->store;
    int rc = store->ops->tasks_get(store, &task_no, 1, &task, err);
    *stored = task.task_no > 0;
    return rc;
}

/* The store has the newest result of a step. */
static int payload_result(const payload_ask *ask, sw_error *err)
{
    sw__payload row;
    bool same = false;
    sw__store *store = ask->engine->store;
    int rc = store->ops->results_get(store, &ask->event->entry.step_id, 1, ask->arena, &row, err);
    if (rc < 0 || !row.body.ptr)
        return rc;
    rc = payload_matches(ask, row.salt, &row.body, 1, &same, err);
    if (same)
        ask->event->data = row.body;
    return rc;
}

static void payload_put_member(sw__buf *buf, const char *name, sw_str text)
{
    sw__buf_printf(buf, "%s\"%s\":", buf->len > 1 ? "," : "", name);
    if (text.ptr)
        sw__json_put_str(buf, text);
    else
        sw__buf_put_text(buf, "null");
}

static int payload_failure_text(const payload_ask *ask, const sw__failure *row, sw_error *err)
{
    sw__buf text;
    sw__buf_init(&text, ask->engine->env);
    sw__buf_put_byte(&text, '{');
    payload_put_member(&text, "class", row->error_class);
    payload_put_member(&text, "message", row->message);
    payload_put_member(&text, "detail", row->detail);
    sw__buf_put_byte(&text, '}');
    int rc = text.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
    if (rc == SW_OK)
        ask->event->data = sw__arena_str(ask->arena, sw__buf_str(&text));
    sw__buf_free(&text);
    return rc;
}

/* Likewise, the newest error. */
static int payload_failure(const payload_ask *ask, sw_error *err)
{
    sw__failure row;
    bool same = false;
    sw__store *store = ask->engine->store;
    int rc = store->ops->failures_get(store, &ask->event->entry.step_id, 1, ask->arena, &row, err);
    if (rc < 0 || row.epoch == 0)
        return rc;
    const sw_str parts[] = {row.error_class, row.message, row.detail};
    rc = payload_matches(ask, row.salt, parts, sizeof(parts) / sizeof(parts[0]), &same, err);
    return same ? payload_failure_text(ask, &row, err) : rc;
}

int sw__event_data(sw_engine *engine, sw__arena *arena, int64_t task_no, sw_event *event,
                   sw_error *err)
{
    bool stored = false;
    const payload_ask ask = {.engine = engine, .arena = arena, .event = event};
    const sw_audit_entry *entry = &event->entry;
    if (!entry->digest.ptr || entry->digest.len != 32)
        return SW_OK;
    if (entry->kind == SW_AUDIT_EVENT)
        return payload_appended(&ask, err);
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        return payload_input(&ask, task_no, err);
    if (entry->kind != SW_AUDIT_STEP_CHANGED)
        return SW_OK;
    int rc = payload_task_stored(&ask, &stored, err);
    if (rc < 0 || !stored)
        return rc;
    if (entry->to == SW_STEP_SUCCEEDED || entry->to == SW_STEP_RESOLVED)
        return payload_result(&ask, err);
    return payload_failure(&ask, err);
}
