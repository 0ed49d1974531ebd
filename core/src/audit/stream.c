/* Walking along the log, or along the segments of one task, from the newest entry to the oldest;
 * and what follows from that for the version of a task. */
#include <string.h>

#include "audit/audit.h"
#include "audit/entry.h"
#include "audit/event.h"
#include "audit/segment.h"
#include "base/error.h"
#include "base/map.h"

/* One segment being walked, its tasks by place and where its entries lie. */
typedef struct stream_segment {
    const sw__stream *stream;
    sw__segment segment;
    sw__arena *arena;
    int64_t *task_nos;
    sw_str *entries; /* by number in the segment */
    int64_t *places;
    int64_t task_count;
    int64_t previous; /* segment of the task before this one */
    bool holds;       /* the task */
} stream_segment;

static int stream_refuse(const sw__segment *segment, const char *why, sw_error *err)
{
    return sw__fail(err, SW_EAUDIT, "segment %lld of the audit log cannot be read: %s",
                    (long long)segment->segment_no, why);
}

static int stream_table(stream_segment *at, sw__body *body, sw_error *err)
{
    at->task_count = body->task_count;
    /* Each row takes two bytes at least: a table that claims more cannot be. */
    if (body->task_count > (int64_t)at->segment.body.len)
        return stream_refuse(&at->segment, "its table of tasks is longer than itself", err);
    at->task_nos = sw__arena_array(at->arena, (size_t)body->task_count + 1, sizeof(int64_t));
    if (!at->task_nos)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int64_t i = 1; i <= body->task_count; i++) {
        int64_t previous = 0;
        if (!sw__body_task(body, &at->task_nos[i], &previous))
            return stream_refuse(&at->segment, body->wire.why, err);
        if (at->stream->task_no > 0 && at->task_nos[i] == at->stream->task_no) {
            at->previous = previous;
            at->holds = true;
        }
    }
    return SW_OK;
}

static int stream_index(stream_segment *at, sw__body *body, sw_error *err)
{
    size_t count = (size_t)at->segment.entry_count;
    if (count > at->segment.body.len)
        return stream_refuse(&at->segment, "it claims more entries than it has bytes", err);
    at->entries = sw__arena_array(at->arena, count, sizeof(*at->entries));
    at->places = sw__arena_array(at->arena, count, sizeof(*at->places));
    if (!at->entries || !at->places)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        if (!sw__body_bytes(body, &at->places[i], &at->entries[i]))
            return stream_refuse(&at->segment, body->wire.why, err);
    }
    return SW_OK;
}

/* Only where there is something to visit are the entries looked at. */
static int stream_load(stream_segment *at, sw_error *err)
{
    sw__body body;
    if (!sw__segment_sound(&at->segment))
        return stream_refuse(&at->segment, "its numbers cannot be", err);
    if (!sw__body_open(&body, at->segment.body))
        return stream_refuse(&at->segment, body.wire.why, err);
    int rc = stream_table(at, &body, err);
    if (rc == SW_OK && at->stream->task_no > 0 && !at->holds)
        rc =
            stream_refuse(&at->segment, "it does not hold the task whose history leads to it", err);
    if (rc == SW_OK && at->previous >= at->segment.segment_no)
        rc = stream_refuse(&at->segment, "a task's history leads in a circle", err);
    if (rc < 0 || at->segment.entry_first >= at->stream->before)
        return rc;
    return stream_index(at, &body, err);
}

static int stream_entry(const stream_segment *at, int64_t i, sw__stream_visit visit, void *context,
                        sw_error *err)
{
    sw_audit_entry entry;
    const char *why = NULL;
    int64_t number = at->segment.entry_first + i;
    int64_t task_no = at->task_nos[at->places[i]];
    if (number <= at->stream->after || number >= at->stream->before ||
        (at->stream->task_no > 0 && task_no != at->stream->task_no))
        return SW_OK;
    if (!sw__entry_decode(at->entries[i], &entry, &why))
        return stream_refuse(&at->segment, why, err);
    if (entry.entry_no != number)
        return stream_refuse(&at->segment, "an entry has the wrong number", err);
    return visit(context, task_no, &entry, err);
}

static int stream_entries(const stream_segment *at, bool falling, sw__stream_visit visit,
                          void *context, sw_error *err)
{
    int rc = SW_OK;
    int64_t count = at->entries ? at->segment.entry_count : 0;
    for (int64_t i = 0; rc == SW_OK && i < count; i++)
        rc = stream_entry(at, falling ? count - 1 - i : i, visit, context, err);
    return rc;
}

static bool stream_ends(const stream_segment *at)
{
    return at->segment.entry_first + at->segment.entry_count - 1 <= at->stream->after;
}

/* *next: the segment to go on with, 0 at the end. */
static int stream_step(const sw__stream *stream, int64_t segment_no, int64_t *next,
                       sw__stream_visit visit, void *context, sw_error *err)
{
    sw__store *store = stream->store;
    stream_segment at = {.stream = stream, .arena = sw__arena_new(store->env)};
    if (!at.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->segment_get(store, segment_no, at.arena, &at.segment, err);
    if (rc == SW_ENOTFOUND)
        rc = sw__fail(err, SW_EAUDIT, "segment %lld of the audit log is missing",
                      (long long)segment_no);
    *next = 0;
    if (rc == SW_OK && stream_ends(&at))
        goto done;
    if (rc == SW_OK)
        rc = stream_load(&at, err);
    if (rc == SW_OK)
        rc = stream_entries(&at, true, visit, context, err);
    *next = stream->task_no > 0 ? at.previous : segment_no - 1;
done:
    sw__arena_free(at.arena);
    return rc;
}

int sw__stream_back(const sw__stream *stream, sw__stream_visit visit, void *context, sw_error *err)
{
    int64_t segment_no = stream->segment_no;
    int rc = SW_OK;
    while (rc == SW_OK && segment_no > 0)
        rc = stream_step(stream, segment_no, &segment_no, visit, context, err);
    return rc < 0 ? rc : SW_OK;
}

/* What the visitor of segments carries. */
typedef struct stream_walk {
    const sw__stream *stream;
    sw__stream_visit visit;
    void *context;
} stream_walk;

static int stream_forth_segment(void *context, const sw__segment *segment, sw_error *err)
{
    const stream_walk *walk = context;
    stream_segment at = {.stream = walk->stream, .segment = *segment};
    if (segment->entry_first >= walk->stream->before)
        return 1;
    at.arena = sw__arena_new(walk->stream->store->env);
    if (!at.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = stream_load(&at, err);
    if (rc == SW_OK)
        rc = stream_entries(&at, false, walk->visit, walk->context, err);
    sw__arena_free(at.arena);
    return rc;
}

int sw__stream_forth(const sw__stream *stream, sw__stream_visit visit, void *context, sw_error *err)
{
    stream_walk walk = {.stream = stream, .visit = visit, .context = context};
    return stream->store->ops->segments_each(stream->store, stream->after + 1, stream_forth_segment,
                                             &walk, err);
}

/* Entries that are looked for by their numbers. */
typedef struct stream_pick {
    sw__store *store;
    const int64_t *entry_nos;
    size_t count;
    size_t next; /* the first that was not met yet */
    sw__stream_visit visit;
    void *context;
} stream_pick;

static int pick_segment(void *context, const sw__segment *segment, sw_error *err)
{
    stream_pick *pick = context;
    int64_t end = segment->entry_first + segment->entry_count;
    sw__stream stream = {.store = pick->store, .before = INT64_MAX};
    stream_segment at = {.stream = &stream, .segment = *segment};
    at.arena = sw__arena_new(pick->store->env);
    if (!at.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = stream_load(&at, err);
    while (rc == SW_OK && pick->next < pick->count && pick->entry_nos[pick->next] < end) {
        int64_t i = pick->entry_nos[pick->next++] - segment->entry_first;
        rc = i >= 0 ? stream_entry(&at, i, pick->visit, pick->context, err)
                    : stream_refuse(segment, "it does not hold the entry that leads to it", err);
    }
    sw__arena_free(at.arena);
    return rc < 0 ? rc : 1;
}

int sw__stream_pick(sw__store *store, const int64_t *entry_nos, size_t count,
                    sw__stream_visit visit, void *context, sw_error *err)
{
    stream_pick pick = {
        .store = store,
        .entry_nos = entry_nos,
        .count = count,
        .visit = visit,
        .context = context,
    };
    int rc = SW_OK;
    while (rc == SW_OK && pick.next < count) {
        size_t before = pick.next;
        rc = store->ops->segments_each(store, entry_nos[pick.next], pick_segment, &pick, err);
        if (rc == SW_OK && pick.next == before)
            rc = sw__fail(err, SW_EAUDIT, "entry %lld is missing from the audit log",
                          (long long)entry_nos[before]);
    }
    return rc;
}

static int stream_seek_visit(void *context, const sw__segment *segment, sw_error *err)
{
    (void)err;
    *(int64_t *)context = segment->segment_no;
    return 1;
}

int sw__stream_seek(sw__store *store, int64_t entry_no, int64_t *segment_no, sw_error *err)
{
    sw__segment newest;
    int rc = sw__segment_newest(store, &newest, err);
    *segment_no = rc == SW_OK ? newest.segment_no : 0;
    if (rc < 0 || *segment_no == 0 || entry_no >= newest.entry_first)
        return rc;
    return store->ops->segments_each(store, entry_no, stream_seek_visit, segment_no, err);
}

/* The newest entry of a stream is the first that a walk back meets. */
static int version_visit(void *context, int64_t task_no, const sw_audit_entry *entry, sw_error *err)
{
    (void)task_no;
    (void)err;
    *(int64_t *)context = entry->entry_no;
    return 1;
}

int sw__audit_version(const sw__audit *audit, sw__store *store, const sw__task_hot *task,
                      int64_t *version, sw_error *err)
{
    *version = 0;
    const int64_t *place = sw__map_find(&audit->seen, task->task_no);
    if (place) {
        memcpy(version, audit->newest.ptr + (size_t)(*place - 1) * sizeof(*version),
               sizeof(*version));
        return SW_OK;
    }
    const sw__stream stream = {
        .store = store,
        .task_no = task->task_no,
        .segment_no = task->audit_segment,
        .before = INT64_MAX,
    };
    return sw__stream_back(&stream, version_visit, version, err);
}
