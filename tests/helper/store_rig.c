/* Opening, closing, short forms and the dump. Every verb used here is asserted to succeed. */
#include "helper/store_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"

store_rig_kind store_rig_kinds[STORE_RIG_COUNT] = {STORE_RIG_MEMORY, STORE_RIG_SQLITE};

#define RIG_OK(call)                                                                               \
    do {                                                                                           \
        int rig_rc = (call);                                                                       \
        if (rig_rc != SW_OK)                                                                       \
            fail_msg("%s: %s", #call, rig->err.message);                                           \
    } while (0)

sw__store_options store_rig_options(store_rig *rig)
{
    return (sw__store_options){.path = sw__str(rig->path),
                               .durability = SW_DURABILITY_RELAXED,
                               .busy_timeout_ms = 100,
                               .env = &rig->fault.env};
}

void store_rig_prepare(store_rig *rig, store_rig_kind kind)
{
    *rig = (store_rig){.kind = kind};
    fault_env_init(&rig->fault);
    strcpy(rig->folder, "/tmp/stepwell-store-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    snprintf(rig->path, sizeof(rig->path), "%s/test.db", rig->folder);
}

static void rig_connect(store_rig *rig)
{
    sw__store_options options = store_rig_options(rig);
    if (rig->kind == STORE_RIG_SQLITE)
        RIG_OK(sw__store_sqlite_open(&options, &rig->store, &rig->err));
    else
        RIG_OK(sw__store_memory_open(&options, &rig->store, &rig->err));
    rig->arena = sw__arena_new(&rig->fault.env);
    assert_non_null(rig->arena);
}

static void rig_disconnect(store_rig *rig)
{
    if (rig->store)
        rig->store->ops->close(rig->store);
    sw__arena_free(rig->arena);
    rig->store = NULL;
    rig->arena = NULL;
}

void store_rig_open(store_rig *rig, store_rig_kind kind)
{
    store_rig_prepare(rig, kind);
    rig_connect(rig);
}

void store_rig_reopen(store_rig *rig)
{
    rig_disconnect(rig);
    rig_connect(rig);
}

void store_rig_close(store_rig *rig)
{
    char file[128];
    static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
    rig_disconnect(rig);
    assert_int_equal(rig->fault.live, 0);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", rig->path, endings[i]);
        unlink(file);
    }
    assert_int_equal(rmdir(rig->folder), 0);
}

int store_rig_setup(void **state)
{
    store_rig *rig = malloc(sizeof(*rig));
    store_rig_open(rig, *(store_rig_kind *)*state);
    *state = rig;
    return 0;
}

int store_rig_teardown(void **state)
{
    store_rig_close(*state);
    free(*state);
    return 0;
}

void store_begin(store_rig *rig, bool write)
{
    RIG_OK(rig->store->ops->begin(rig->store, write, &rig->err));
}

void store_commit(store_rig *rig)
{
    RIG_OK(rig->store->ops->commit(rig->store, &rig->err));
}

void store_rollback(store_rig *rig)
{
    rig->store->ops->rollback(rig->store);
}

int64_t store_take(store_rig *rig, sw__sequence sequence)
{
    int64_t first = 0;
    RIG_OK(rig->store->ops->sequence_take(rig->store, sequence, 1, &first, &rig->err));
    return first;
}

sw_uuid store_uuid(int64_t number)
{
    sw_uuid uuid = {{0}};
    for (int i = 0; i < 8; i++)
        uuid.bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    uuid.bytes[8] = 0x80;
    return uuid;
}

int64_t store_add_workflow(store_rig *rig, const char *name, const char *version,
                           int64_t registered_us)
{
    sw__workflow_rec row = {
        .workflow_no = store_take(rig, SW__SEQUENCE_WORKFLOW),
        .name = sw__str(name),
        .version = sw__str(version),
        .json = SW__LIT("{\"stepwell\":1}"),
        .registered_us = registered_us,
    };
    snprintf((char *)row.digest, sizeof(row.digest), "%s %s", name, version);
    RIG_OK(rig->store->ops->workflows_put(rig->store, &row, 1, &rig->err));
    return row.workflow_no;
}

int64_t store_add_task(store_rig *rig, const char *input, int steps)
{
    int64_t task_no = store_take(rig, SW__SEQUENCE_TASK);
    sw__task_hot hot = {.task_no = task_no,
                        .workflow_no = 1,
                        .task_id = store_uuid(task_no),
                        .created_us = 1000 + task_no};
    sw__task_info info = {.task_no = task_no, .input = sw__str(input)};
    hot.counts[SW_STEP_PENDING] = steps;
    memset(info.input_salt, (int)(task_no & 0xff), sizeof(info.input_salt));
    RIG_OK(rig->store->ops->tasks_insert(rig->store, &hot, &info, 1, &rig->err));
    for (int i = 0; i < steps; i++) {
        sw__step_hot step = {.step_id = SW__STEP_ID(task_no, i)};
        RIG_OK(rig->store->ops->steps_insert(rig->store, &step, 1, &rig->err));
    }
    return task_no;
}

sw__task_hot store_task(store_rig *rig, int64_t task_no)
{
    sw__task_hot row;
    RIG_OK(rig->store->ops->tasks_get(rig->store, &task_no, 1, &row, &rig->err));
    return row;
}

sw__step_hot store_step(store_rig *rig, int64_t step_id)
{
    sw__step_hot row;
    RIG_OK(rig->store->ops->steps_get(rig->store, &step_id, 1, &row, &rig->err));
    return row;
}

void store_queue(store_rig *rig, int64_t step_id, int64_t lane, int64_t rank)
{
    sw__step_hot row = store_step(rig, step_id);
    row.lane = lane;
    row.rank = rank;
    RIG_OK(rig->store->ops->steps_update(rig->store, &row, 1, &rig->err));
}

const char *store_line(store_rig *rig, int64_t task_no, int64_t lane, int64_t rank_max,
                       size_t limit)
{
    sw__queued rows[64];
    size_t count = 0;
    assert_true(limit <= 64);
    RIG_OK(rig->store->ops->queue_scan(rig->store, lane, rank_max, rows, limit, &count, &rig->err));
    sw_str line = {"", 0};
    for (size_t i = 0; i < count; i++)
        line = sw__arena_format(rig->arena, "%.*s%s%lld", SW__FMT(line), i ? " " : "",
                                (long long)(rows[i].step_id - SW__STEP_ID(task_no, 0)));
    return line.ptr;
}

/* The dump. */

static void dump_text(sw__buf *out, const char *name, sw_str text)
{
    sw__buf_printf(out, " %s=%s\"", name, text.ptr ? "" : "absent");
    for (size_t i = 0; i < text.len; i++)
        sw__buf_printf(out, text.ptr[i] >= ' ' && text.ptr[i] < 127 ? "%c" : "\\%02x",
                       (unsigned char)text.ptr[i]);
    sw__buf_put_byte(out, '"');
}

static void dump_bytes(sw__buf *out, const char *name, const uint8_t *bytes, size_t size)
{
    sw__buf_printf(out, " %s=", name);
    for (size_t i = 0; i < size; i++)
        sw__buf_printf(out, "%02x", bytes[i]);
}

static void dump_numbers(store_rig *rig, sw__buf *out)
{
    sw__anchor anchor = {0};
    int rc = rig->store->ops->anchor_get(rig->store, &anchor, &rig->err);
    assert_true(rc == SW_OK || rc == SW_ENOTFOUND);
    if (rc == SW_OK) {
        sw__buf_printf(out, "anchor boot=%lld base=%lld", (long long)anchor.boot_us,
                       (long long)anchor.base_us);
        dump_bytes(out, "boot_id", anchor.boot_id, sizeof(anchor.boot_id));
        sw__buf_put_text(out, "\n");
    }
    for (int i = 0; i < SW__SEQUENCE_COUNT; i++) {
        int64_t next = 0;
        RIG_OK(rig->store->ops->sequence_take(rig->store, (sw__sequence)i, 0, &next, &rig->err));
        sw__buf_printf(out, "sequence %d next=%lld\n", i, (long long)next);
    }
}

static void dump_definitions(store_rig *rig, sw__buf *out)
{
    int64_t next = 0;
    sw_str any = {NULL, 0};
    sw__lane_row *lanes = NULL;
    sw__breaker_rec *breakers = NULL;
    size_t count = 0;
    RIG_OK(rig->store->ops->sequence_take(rig->store, SW__SEQUENCE_WORKFLOW, 0, &next, &rig->err));
    for (int64_t no = 1; no < next; no++) {
        sw__workflow_rec row = {0};
        int rc =
            rig->store->ops->workflow_find(rig->store, no, any, any, rig->arena, &row, &rig->err);
        assert_true(rc == SW_OK || rc == SW_ENOTFOUND);
        if (rc != SW_OK)
            continue;
        sw__buf_printf(out, "workflow %lld registered=%lld", (long long)row.workflow_no,
                       (long long)row.registered_us);
        dump_text(out, "name", row.name);
        dump_text(out, "version", row.version);
        dump_text(out, "json", row.json);
        dump_bytes(out, "digest", row.digest, sizeof(row.digest));
        sw__buf_put_text(out, "\n");
    }
    RIG_OK(
        rig->store->ops->lanes_list(rig->store, INT64_MIN, rig->arena, &lanes, &count, &rig->err));
    for (size_t i = 0; i < count; i++) {
        sw__buf_printf(out, "lane %lld", (long long)lanes[i].lane);
        dump_text(out, "queue", lanes[i].queue);
        dump_text(out, "handler", lanes[i].handler);
        dump_text(out, "breaker", lanes[i].breaker);
        sw__buf_put_text(out, "\n");
    }
    RIG_OK(rig->store->ops->breakers_list(rig->store, rig->arena, &breakers, &count, &rig->err));
    for (size_t i = 0; i < count; i++) {
        const sw_breaker_row *row = &breakers[i].row;
        sw__buf_printf(out, "breaker %lld state=%d failures=%d until=%lld",
                       (long long)breakers[i].breaker_no, row->state, row->failures,
                       (long long)row->until_us);
        dump_text(out, "name", row->settings.name);
        dump_text(out, "error", row->error_class);
        sw__buf_put_text(out, "\n");
    }
}

static void dump_task(store_rig *rig, sw__buf *out, const sw__task_hot *row)
{
    sw__task_info info;
    sw__buf_printf(out, "task %lld workflow=%lld state=%d priority=%d fatal=%d segment=%lld",
                   (long long)row->task_no, (long long)row->workflow_no, row->state, row->priority,
                   row->fatal, (long long)row->audit_segment);
    sw__buf_printf(out, " times=%lld,%lld,%lld,%lld counts=", (long long)row->created_us,
                   (long long)row->started_us, (long long)row->changed_us,
                   (long long)row->deadline_us);
    for (int i = 0; i < SW_STEP_STATE_COUNT; i++)
        sw__buf_printf(out, "%d,", row->counts[i]);
    dump_bytes(out, "id", row->task_id.bytes, sizeof(row->task_id.bytes));
    RIG_OK(rig->store->ops->tasks_info(rig->store, &row->task_no, 1, rig->arena, &info, &rig->err));
    assert_int_equal(info.task_no, row->task_no);
    dump_bytes(out, "salt", info.input_salt, sizeof(info.input_salt));
    dump_text(out, "input", info.input);
    dump_text(out, "key", info.key);
    dump_text(out, "initiator", info.initiator);
    dump_text(out, "reason", info.reason);
    dump_text(out, "correlation", info.correlation_id);
    dump_text(out, "tags", info.tags);
    sw__buf_put_text(out, "\n");
}

static void dump_tasks(store_rig *rig, sw__buf *out)
{
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw__task_range range = {0};
    size_t count = 0;
    filter.limit = 7;
    do {
        sw__task_hot *rows = NULL;
        RIG_OK(rig->store->ops->tasks_list(rig->store, &filter, range, rig->arena, &rows, &count,
                                           &rig->err));
        for (size_t i = 0; i < count; i++)
            dump_task(rig, out, &rows[i]);
        range.below = count ? rows[count - 1].task_no : 0;
    } while (count > 0);
    for (int i = 0; i < 10; i++) {
        char scope[] = {'k', 'e', 'y', (char)('0' + i), '\0'};
        sw__task_key key = {.scope = sw__str(scope)};
        RIG_OK(rig->store->ops->task_keys_find(rig->store, &key, 1, &rig->err));
        sw__buf_printf(out, "%s task=%lld", scope, (long long)key.task_no);
        dump_bytes(out, "digest", key.input_digest, sizeof(key.input_digest));
        sw__buf_put_text(out, "\n");
    }
}

typedef struct dump_walk {
    store_rig *rig;
    sw__buf *out;
} dump_walk;

static int dump_step(void *context, const sw__step_hot *row, sw_error *err)
{
    dump_walk *walk = context;
    store_rig *rig = walk->rig;
    sw__buf *out = walk->out;
    sw__payload result;
    sw__failure failure;
    (void)err;
    sw__buf_printf(out, "step %lld state=%d deps=%d attempt=%d crashes=%d epoch=%lld",
                   (long long)row->step_id, row->state, row->open_deps, row->attempt, row->crashes,
                   (long long)row->epoch);
    sw__buf_printf(out, " lane=%lld rank=%lld changed=%lld", (long long)row->lane,
                   (long long)row->rank, (long long)row->changed_us);
    RIG_OK(
        rig->store->ops->results_get(rig->store, &row->step_id, 1, rig->arena, &result, &rig->err));
    dump_text(out, "result", result.body);
    dump_bytes(out, "salt", result.salt, sizeof(result.salt));
    RIG_OK(rig->store->ops->failures_get(rig->store, &row->step_id, 1, rig->arena, &failure,
                                         &rig->err));
    sw__buf_printf(out, " failure=%lld", (long long)failure.epoch);
    dump_text(out, "class", failure.error_class);
    dump_text(out, "message", failure.message);
    dump_text(out, "detail", failure.detail);
    dump_bytes(out, "salt", failure.salt, sizeof(failure.salt));
    sw__buf_put_text(out, "\n");
    return 0;
}

static void dump_lines(store_rig *rig, sw__buf *out)
{
    sw__queued rows[512];
    for (int64_t lane = -8; lane <= 16; lane++) {
        size_t count = 0;
        RIG_OK(
            rig->store->ops->queue_scan(rig->store, lane, INT64_MAX, rows, 512, &count, &rig->err));
        for (size_t i = 0; i < count; i++)
            sw__buf_printf(out, "line %lld rank=%lld step=%lld\n", (long long)lane,
                           (long long)rows[i].rank, (long long)rows[i].step_id);
    }
}

static void dump_deadlines(store_rig *rig, sw__buf *out)
{
    sw__deadline rows[64];
    size_t count = 0;
    RIG_OK(rig->store->ops->deadlines_due(rig->store, INT64_MAX, rows, 64, &count, &rig->err));
    for (size_t i = 0; i < count; i++) {
        int64_t due_us = 0;
        RIG_OK(rig->store->ops->deadlines_get(rig->store, &rows[i].subject, 1, &due_us, &rig->err));
        assert_int_equal(due_us, rows[i].due_us);
        sw__buf_printf(out, "deadline %lld due=%lld\n", (long long)rows[i].subject,
                       (long long)due_us);
    }
}

static void dump_workers(store_rig *rig, sw__buf *out)
{
    sw__worker_rec *rows = NULL;
    size_t count = 0;
    RIG_OK(rig->store->ops->workers_list(rig->store, rig->arena, &rows, &count, &rig->err));
    for (size_t i = 0; i < count; i++) {
        sw__buf_printf(out, "worker %lld pid=%lld lease=%lld until=%lld watched=%d",
                       (long long)rows[i].worker_no, (long long)rows[i].pid,
                       (long long)rows[i].lease_ms, (long long)rows[i].lease_until_us,
                       rows[i].watched);
        dump_bytes(out, "boot_id", rows[i].boot_id, sizeof(rows[i].boot_id));
        dump_text(out, "name", rows[i].name);
        dump_text(out, "host", rows[i].host);
        dump_text(out, "handlers", rows[i].handlers);
        dump_text(out, "queues", rows[i].queues);
        sw__buf_put_text(out, "\n");
    }
}

static int dump_segment(void *context, const sw__segment *segment, sw_error *err)
{
    sw__buf *out = context;
    (void)err;
    sw__buf_printf(out, "segment %lld first=%lld count=%lld time=%lld",
                   (long long)segment->segment_no, (long long)segment->entry_first,
                   (long long)segment->entry_count, (long long)segment->time_us);
    dump_bytes(out, "previous", segment->previous, sizeof(segment->previous));
    dump_bytes(out, "hash", segment->hash, sizeof(segment->hash));
    dump_text(out, "body", segment->body);
    sw__buf_put_text(out, "\n");
    return 0;
}

static void dump_inside(store_rig *rig, sw__buf *out)
{
    dump_walk walk = {.rig = rig, .out = out};
    dump_numbers(rig, out);
    dump_definitions(rig, out);
    dump_tasks(rig, out);
    RIG_OK(rig->store->ops->steps_each(rig->store, 0, dump_step, &walk, &rig->err));
    dump_lines(rig, out);
    dump_deadlines(rig, out);
    dump_workers(rig, out);
    RIG_OK(rig->store->ops->segments_each(rig->store, 1, dump_segment, out, &rig->err));
}

/* Taking no number asks for the next one, which only a write transaction may do. */
sw__buf store_dump(store_rig *rig)
{
    sw__buf out;
    int64_t next = 0;
    bool inside =
        rig->store->ops->sequence_take(rig->store, SW__SEQUENCE_TASK, 0, &next, NULL) == SW_OK;
    sw__arena *kept = rig->arena;
    rig->arena = sw__arena_new(&rig->fault.env);
    sw__buf_init(&out, sw_env_system());
    if (!inside)
        store_begin(rig, true);
    dump_inside(rig, &out);
    if (!inside)
        store_rollback(rig);
    sw__buf_put_byte(&out, 0);
    assert_false(out.failed);
    sw__arena_free(rig->arena);
    rig->arena = kept;
    return out;
}
