/* Changing segments of an audit log behind the store's back; see audit_log.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/audit_log.h"

#include <string.h>

#include "audit/entry.h"
#include "audit/segment.h"

#define ATTACK_ENTRIES 128 /* of one segment */

/* The attacker. One log at a time can be under attack: the store's functions have no room for
 * more. */

static audit_log *attack_target;

static int attack_segments_each(sw__store *store, int64_t entry_no, sw__segment_visit visit,
                                void *context, sw_error *err)
{
    (void)store;
    for (size_t i = 0; i < attack_target->segment_count; i++) {
        const sw__segment *segment = &attack_target->segments[i];
        int64_t end;
        if (entry_no > 1 &&
            !__builtin_add_overflow(segment->entry_first, segment->entry_count, &end) &&
            end <= entry_no)
            continue;
        int rc = visit(context, segment, err);
        if (rc != 0)
            return rc < 0 ? rc : SW_OK;
    }
    return SW_OK;
}

static int attack_segment_get(sw__store *store, int64_t segment_no, sw__arena *arena,
                              sw__segment *out, sw_error *err)
{
    (void)store;
    (void)err;
    for (size_t i = 0; i < attack_target->segment_count; i++) {
        *out = attack_target->segments[i];
        if (out->segment_no == segment_no) {
            out->body = sw__arena_str(arena, out->body);
            return SW_OK;
        }
    }
    return SW_ENOTFOUND;
}

static int attack_copy_segment(void *context, const sw__segment *segment, sw_error *err)
{
    audit_log *log = context;
    (void)err;
    log->segments[log->segment_count] = *segment;
    log->segments[log->segment_count++].body = sw__arena_str(log->arena, segment->body);
    return SW_OK;
}

void audit_log_attack(audit_log *log)
{
    sw__segment last;
    attack_target = log;
    if (log->honest)
        return;
    log->arena = sw__arena_new(sw_env_system());
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(log->store->ops->segment_last(log->store, &last, NULL), SW_OK);
    /* Room for segments that the attacker adds. */
    log->segments =
        sw__arena_array(log->arena, (size_t)last.segment_no + 8, sizeof(*log->segments));
    assert_int_equal(log->store->ops->segments_each(log->store, 1, attack_copy_segment, log, NULL),
                     SW_OK);
    assert_int_equal(log->store->ops->commit(log->store, NULL), SW_OK);
    assert_int_equal(log->segment_count, last.segment_no);
    log->honest = log->store->ops;
    log->ops = *log->honest;
    log->ops.segments_each = attack_segments_each;
    log->ops.segment_get = attack_segment_get;
    log->store->ops = &log->ops;
}

void audit_log_rehash(audit_log *log, size_t at)
{
    for (; at < log->segment_count; at++) {
        sw__segment *segment = &log->segments[at];
        memset(segment->previous, 0, sizeof(segment->previous));
        if (at > 0)
            memcpy(segment->previous, log->segments[at - 1].hash, sizeof(segment->previous));
        assert_int_equal(sw__segment_hash(log->hasher, segment, segment->hash), SW_OK);
    }
}

static void attack_put_number(sw__buf *buf, int64_t number)
{
    uint8_t bytes[SW__WIRE_NUMBER_MAX];
    sw__buf_put(buf, bytes, (size_t)(sw__wire_put(bytes, (uint64_t)number) - bytes));
}

/* Where the entries of a body begin. */
static void attack_skip_table(const sw__segment *segment, sw__body *body)
{
    assert_true(sw__body_open(body, segment->body));
    for (int64_t i = 0, task_no, previous; i < body->task_count; i++)
        assert_true(sw__body_task(body, &task_no, &previous));
}

void audit_log_reorder(audit_log *log, size_t at, const int64_t *order, size_t count)
{
    sw__buf out;
    sw__body body;
    int64_t places[ATTACK_ENTRIES];
    sw_str entries[ATTACK_ENTRIES];
    sw__segment *segment = &log->segments[at];
    sw__buf_init(&out, sw_env_system());
    assert_true(segment->entry_count <= ATTACK_ENTRIES);
    attack_skip_table(segment, &body);
    sw__buf_put(&out, segment->body.ptr,
                (size_t)(body.wire.at - (const uint8_t *)segment->body.ptr));
    for (int64_t i = 0; i < segment->entry_count; i++)
        assert_true(sw__body_bytes(&body, &places[i], &entries[i]));
    for (size_t i = 0; i < count; i++) {
        attack_put_number(&out, places[order[i]]);
        attack_put_number(&out, (int64_t)entries[order[i]].len);
        sw__buf_put_str(&out, entries[order[i]]);
    }
    segment->entry_count = (int64_t)count;
    segment->body = sw__arena_str(log->arena, sw__buf_str(&out));
    sw__buf_free(&out);
}

void audit_log_edit(audit_log *log, size_t at, bool (*edit)(sw_audit_entry *entry))
{
    sw__buf out;
    sw__buf one;
    sw__body body;
    sw__segment *segment = &log->segments[at];
    int64_t count = segment->entry_count;
    sw__buf_init(&out, sw_env_system());
    sw__buf_init(&one, sw_env_system());
    attack_skip_table(segment, &body);
    sw__buf_put(&out, segment->body.ptr,
                (size_t)(body.wire.at - (const uint8_t *)segment->body.ptr));
    segment->entry_count = 0;
    for (int64_t i = 0, place = 0; i < count; i++) {
        sw_audit_entry entry;
        assert_true(sw__body_entry(&body, &place, &entry));
        if (!edit(&entry))
            continue;
        sw__buf_clear(&one);
        assert_int_equal(sw__entry_encode(&one, &entry, NULL), SW_OK);
        attack_put_number(&out, place);
        attack_put_number(&out, (int64_t)one.len);
        sw__buf_put(&out, one.ptr, one.len);
        segment->entry_count++;
    }
    segment->body = sw__arena_str(log->arena, sw__buf_str(&out));
    sw__buf_free(&one);
    sw__buf_free(&out);
}

#undef ATTACK_ENTRIES
