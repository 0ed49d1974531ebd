/* Reading entries back: the history of one task along its chain of segments, and the log by entry
 * number. Neither checks hashes; that is verify.c's business. Damage that stops the reading is
 * SW_EAUDIT. */
#include "audit/audit.h"
#include "audit/entry.h"
#include "audit/segment.h"
#include "base/error.h"

/* The wanted entries of one segment. */
typedef struct read_run {
    struct read_run *next;
    sw_audit_entry *rows;
    size_t count;
} read_run;

/* What is wanted: entries of one task (task_no > 0), or those from entry_no on. */
typedef struct read_wish {
    int64_t task_no;
    int64_t entry_no;
    size_t limit;
} read_wish;

static int read_refuse(const sw__segment *segment, const char *why, sw_error *err)
{
    return sw__fail(err, SW_EAUDIT, "segment %lld of the audit log cannot be read: %s",
                    (long long)segment->segment_no, why);
}

static void read_keep(sw__arena *arena, const sw_audit_entry *entry, sw_audit_entry *row)
{
    *row = *entry;
    row->step = sw__arena_str(arena, entry->step);
    row->actor = sw__arena_str(arena, entry->actor);
    row->reason = sw__arena_str(arena, entry->reason);
    row->subject = sw__arena_str(arena, entry->subject);
    row->digest = sw__arena_str(arena, entry->digest);
}

/* Read the table; place is that of the wanted task, 0 when it is not there. */
static bool read_table(sw__body *body, int64_t task_no, int64_t *place, int64_t *previous)
{
    *place = 0;
    *previous = 0;
    for (int64_t i = 1; i <= body->task_count; i++) {
        int64_t number = 0;
        int64_t before = 0;
        if (!sw__body_task(body, &number, &before))
            return false;
        if (number == task_no) {
            *place = i;
            *previous = before;
        }
    }
    return true;
}

/* Visit the wanted entries behind the table; rows is NULL to count them. */
static bool read_entries(sw__body *body, const sw__segment *segment, const read_wish *wish,
                         int64_t place, sw__arena *arena, sw_audit_entry *rows, size_t *count)
{
    *count = 0;
    for (int64_t i = 0; i < segment->entry_count && *count < wish->limit; i++) {
        sw_audit_entry entry;
        int64_t at = 0;
        if (!sw__body_entry(body, &at, &entry))
            return false;
        bool wanted = wish->task_no > 0 ? at == place : entry.entry_no >= wish->entry_no;
        if (!wanted)
            continue;
        if (rows)
            read_keep(arena, &entry, &rows[*count]);
        (*count)++;
    }
    return true;
}

/* Two passes over the entries: one to count, one to copy. */
static int read_segment(const sw__segment *segment, const read_wish *wish, sw__arena *arena,
                        read_run **out, int64_t *previous, sw_error *err)
{
    sw__body body;
    int64_t place = 0;
    size_t count = 0;
    *out = NULL;
    if (!sw__body_open(&body, segment->body) || !read_table(&body, wish->task_no, &place, previous))
        return read_refuse(segment, body.wire.why, err);
    if (wish->task_no > 0 && place == 0)
        return read_refuse(segment, "it does not hold the task whose history leads to it", err);
    sw__body first = body;
    if (!read_entries(&body, segment, wish, place, arena, NULL, &count))
        return read_refuse(segment, body.wire.why, err);
    read_run *run = sw__arena_alloc(arena, sizeof(*run));
    sw_audit_entry *rows = sw__arena_array(arena, count, sizeof(*rows));
    if (!run || !rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    *run = (read_run){.rows = rows, .count = count};
    read_entries(&first, segment, wish, place, arena, rows, &count);
    *out = run;
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int read_join(const read_run *runs, sw__arena *arena, sw_audit_entry **rows, size_t *count,
                     sw_error *err)
{
    size_t total = 0;
    for (const read_run *run = runs; run; run = run->next)
        total += run->count;
    *count = 0;
    *rows = sw__arena_array(arena, total, sizeof(**rows));
    if (!*rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (const read_run *run = runs; run; run = run->next) {
        if (run->count > 0)
            memcpy(*rows + *count, run->rows, run->count * sizeof(**rows));
        *count += run->count;
    }
    return SW_OK;
}

static int read_get(sw__store *store, int64_t segment_no, sw__arena *arena, sw__segment *segment,
                    sw_error *err)
{
    int rc = store->ops->segment_get(store, segment_no, arena, segment, err);
    if (rc == SW_ENOTFOUND)
        rc = sw__fail(err, SW_EAUDIT, "segment %lld of the audit log is missing",
                      (long long)segment_no);
    if (rc == SW_OK && !sw__segment_sound(segment))
        rc = read_refuse(segment, "one of its numbers is out of range", err);
    return rc;
}

/* Falling numbers bound the walk even on a damaged chain. */
static int read_check_link(const sw__segment *segment, int64_t place, int64_t previous,
                           sw_error *err)
{
    if (place == 0)
        return read_refuse(segment, "it does not hold the task whose history leads to it", err);
    if (previous >= segment->segment_no)
        return read_refuse(segment, "a task's history leads in a circle", err);
    return SW_OK;
}

/* Read one segment of a task's chain, put its run in front of the ones after it. */
static int read_link(sw__store *store, const read_wish *wish, int64_t segment_no, sw__arena *arena,
                     read_run **runs, int64_t *previous, sw_error *err)
{
    sw__segment segment;
    read_run *run = NULL;
    sw__arena *scratch = sw__arena_new(sw__arena_env(arena));
    int rc = scratch ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    if (rc < 0)
        goto done;
    rc = read_get(store, segment_no, scratch, &segment, err);
    if (rc == SW_OK)
        rc = read_segment(&segment, wish, arena, &run, previous, err);
    if (rc == SW_OK)
        rc = read_check_link(&segment, 1, *previous, err);
    if (rc < 0)
        goto done;
    run->next = *runs;
    *runs = run;
done:
    sw__arena_free(scratch);
    return rc;
}

int sw__audit_read_task(sw__store *store, const sw__task_hot *task, sw__arena *arena,
                        sw_audit_entry **rows, size_t *count, sw_error *err)
{
    read_wish wish = {.task_no = task->task_no, .limit = SIZE_MAX};
    read_run *runs = NULL;
    int64_t segment_no = task->audit_segment;
    while (segment_no > 0) {
        int64_t previous = 0;
        int rc = read_link(store, &wish, segment_no, arena, &runs, &previous, err);
        if (rc < 0)
            return rc;
        segment_no = previous;
    }
    return read_join(runs, arena, rows, count, err);
}

/* A walk along the chain of a task. */
typedef struct each_walk {
    sw__store *store;
    const sw__task_hot *task;
    sw__arena *scratch; /* for one segment */
    sw__audit_visit visit;
    void *context;
} each_walk;

/* The entries of the task in a segment, without decoding any; a body of so many bytes holds half as
 * many at most, whatever its row says. */
static int each_find(each_walk *walk, const sw__segment *segment, sw__body *body, int64_t place,
                     sw_str **found, size_t *count, sw_error *err)
{
    size_t most = segment->body.len / 2;
    if (segment->entry_count < (int64_t)most)
        most = (size_t)segment->entry_count;
    *count = 0;
    *found = sw__arena_array_raw(walk->scratch, most, sizeof(**found));
    if (!*found)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int64_t i = 0; i < segment->entry_count; i++) {
        sw_str bytes;
        int64_t at = 0;
        if (!sw__body_bytes(body, &at, &bytes))
            return read_refuse(segment, body->wire.why, err);
        if (at == place)
            (*found)[(*count)++] = bytes;
    }
    return SW_OK;
}

/* Numbers stand from the front, so a segment is read forwards before it is visited backwards. */
static int each_visit(each_walk *walk, const sw__segment *segment, sw__body *body, int64_t place,
                      sw_error *err)
{
    sw_str *found = NULL;
    size_t count = 0;
    sw_audit_entry entry = {0};
    int rc = each_find(walk, segment, body, place, &found, &count, err);
    while (rc == SW_OK && count > 0) {
        const char *why = NULL;
        if (!sw__entry_decode_numbers(found[--count], &entry, &why))
            return read_refuse(segment, why, err);
        walk->visit(walk->context, &entry);
    }
    return rc;
}

static int each_segment(each_walk *walk, int64_t segment_no, int64_t *previous, sw_error *err)
{
    sw__body body;
    sw__segment segment;
    int64_t place = 0;
    sw__arena_clear(walk->scratch);
    int rc = read_get(walk->store, segment_no, walk->scratch, &segment, err);
    if (rc < 0)
        return rc;
    if (!sw__body_open(&body, segment.body) ||
        !read_table(&body, walk->task->task_no, &place, previous))
        return read_refuse(&segment, body.wire.why, err);
    rc = read_check_link(&segment, place, *previous, err);
    return rc == SW_OK ? each_visit(walk, &segment, &body, place, err) : rc;
}

int sw__audit_each_task(sw__store *store, const sw__task_hot *task, const sw_env *env,
                        sw__audit_visit visit, void *context, sw_error *err)
{
    each_walk walk = {.store = store, .task = task, .visit = visit, .context = context};
    int64_t segment_no = task->audit_segment;
    walk.scratch = sw__arena_new(env);
    int rc = walk.scratch ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    while (rc == SW_OK && segment_no > 0) {
        int64_t previous = 0;
        rc = each_segment(&walk, segment_no, &previous, err);
        segment_no = previous;
    }
    sw__arena_free(walk.scratch);
    return rc;
}

/* What the visitor of sw__audit_read carries from segment to segment. */
typedef struct read_walk {
    read_wish wish; /* limit: how many are still wanted */
    sw__arena *arena;
    read_run *first;
    read_run **next;
} read_walk;

static int read_visit(void *context, const sw__segment *segment, sw_error *err)
{
    read_walk *walk = context;
    int64_t previous = 0;
    read_run *run = NULL;
    int rc = read_segment(segment, &walk->wish, walk->arena, &run, &previous, err);
    if (rc < 0)
        return rc;
    *walk->next = run;
    walk->next = &run->next;
    walk->wish.limit -= run->count;
    return walk->wish.limit == 0;
}

int sw__audit_read(sw__store *store, int64_t entry_no, size_t limit, sw__arena *arena,
                   sw_audit_entry **rows, size_t *count, sw_error *err)
{
    read_walk walk = {.wish = {.entry_no = entry_no, .limit = limit}, .arena = arena};
    walk.next = &walk.first;
    if (limit > 0) {
        int rc = store->ops->segments_each(store, entry_no, read_visit, &walk, err);
        if (rc < 0)
            return rc;
    }
    return read_join(walk.first, arena, rows, count, err);
}
