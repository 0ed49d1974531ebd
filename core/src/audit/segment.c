/* Collecting the entries of one transaction and sealing them into a segment; reading a segment's
 * body. What the entries mean is replay.c's business. */
#include "audit/segment.h"

#include "audit/audit.h"
#include "audit/entry.h"
#include "base/env.h"
#include "base/error.h"
#include "base/plant.h"

#define SEGMENT_NUMBERS 4
#define SEGMENT_SEEN_KEEP 4096 /* slots */

void sw__audit_init(sw__audit *audit, const sw_env *env, sw__hasher *hasher)
{
    *audit = (sw__audit){.env = env, .hasher = hasher};
    sw__buf_init(&audit->entries, env);
    sw__buf_init(&audit->tasks, env);
    sw__buf_init(&audit->body, env);
    sw__buf_init(&audit->newest, env);
    sw__map_init(&audit->seen, env);
}

void sw__audit_free(sw__audit *audit)
{
    sw__map_free(&audit->seen);
    sw__buf_free(&audit->newest);
    sw__buf_free(&audit->body);
    sw__buf_free(&audit->tasks);
    sw__buf_free(&audit->entries);
}

bool sw__segment_sound(const sw__segment *segment)
{
    const int64_t numbers[] = {segment->segment_no, segment->entry_first, segment->entry_count,
                               segment->time_us};
    bool sound = segment->entry_count > 0;
    for (size_t i = 0; i < SEGMENT_NUMBERS; i++)
        sound = sound && numbers[i] >= 0 && numbers[i] <= INT64_MAX / 4;
    return sound && segment->segment_no > 0 && segment->entry_first > 0;
}

int sw__segment_newest(sw__store *store, sw__segment *out, sw_error *err)
{
    int rc = store->ops->segment_last(store, out, err);
    if (rc == SW_OK && out->segment_no != 0 && !sw__segment_sound(out))
        rc = sw__fail(err, SW_ECORRUPT, "the newest segment of the audit log, %lld, is damaged",
                      (long long)out->segment_no);
    return rc;
}

/* The log's times never go back: a writer whose clock reading is older than the newest segment
 * takes that segment's time. */
int sw__audit_begin(sw__audit *audit, sw__store *store, int64_t now_us, sw_error *err)
{
    sw__segment last;
    int rc = sw__segment_newest(store, &last, err);
    if (rc < 0)
        return rc;
    sw__buf_clear(&audit->entries);
    sw__buf_clear(&audit->tasks);
    sw__buf_clear(&audit->newest);
    /* Clearing costs as much as the map is large; one big transaction must not tax all later. */
    if (audit->seen.capacity > SEGMENT_SEEN_KEEP)
        sw__map_free(&audit->seen);
    else
        sw__map_clear(&audit->seen);
    audit->task_count = 0;
    audit->entry_count = 0;
    audit->segment_no = 1;
    audit->entry_next = 1;
    audit->time_us = now_us;
    memset(audit->previous, 0, sizeof(audit->previous));
    if (last.segment_no == 0)
        return SW_OK;
    audit->segment_no = last.segment_no + 1;
    audit->entry_next = last.entry_first + last.entry_count;
    if (audit->time_us < last.time_us)
        audit->time_us = last.time_us;
    memcpy(audit->previous, last.hash, sizeof(audit->previous));
    return SW_OK;
}

/* Place of a task in the table, entering it when it is new there. */
static int audit_place_task(sw__audit *audit, sw__task_hot *task, int64_t *place, sw_error *err)
{
    const int64_t *known = sw__map_find(&audit->seen, task->task_no);
    if (known) {
        *place = *known;
        task->audit_segment = audit->segment_no;
        return SW_OK;
    }
    uint8_t *start = sw__buf_reserve(&audit->tasks, 2 * SW__WIRE_NUMBER_MAX);
    if (!start || !sw__buf_reserve(&audit->newest, sizeof(int64_t)) ||
        sw__map_put(&audit->seen, task->task_no, audit->task_count + 1) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    uint8_t *at = sw__wire_put(start, (uint64_t)task->task_no);
    at = sw__wire_put(at, (uint64_t)task->audit_segment);
    audit->tasks.len += (size_t)(at - start);
    audit->newest.len += sizeof(int64_t);
    *place = ++audit->task_count;
    if (!SW__PLANT(AUDIT_CHAIN))
        task->audit_segment = audit->segment_no;
    return SW_OK;
}

/* The entry is written to the body buffer first, because its length stands before it. */
int sw__audit_add(sw__audit *audit, const sw_audit_entry *entry, sw__task_hot *task, sw_error *err)
{
    sw_audit_entry full = *entry;
    if (audit->off)
        return SW_OK;
    full.entry_no = audit->entry_next + audit->entry_count;
    full.time_us = audit->time_us;
    sw__buf_clear(&audit->body);
    int rc = sw__entry_encode(&audit->body, &full, err);
    if (rc < 0)
        return rc;
    int64_t place = 0;
    if (task && (rc = audit_place_task(audit, task, &place, err)) < 0)
        return rc;
    size_t size = audit->body.len;
    uint8_t *start = sw__buf_reserve(&audit->entries, 2 * SW__WIRE_NUMBER_MAX + size);
    if (!start)
        return sw__fail(err, SW_ENOMEM, NULL);
    uint8_t *at = sw__wire_put(sw__wire_put(start, (uint64_t)place), (uint64_t)size);
    memcpy(at, audit->body.ptr, size);
    audit->entries.len += (size_t)(at - start) + size;
    if (place > 0)
        memcpy(audit->newest.ptr + (size_t)(place - 1) * sizeof(int64_t), &full.entry_no,
               sizeof(int64_t));
    audit->entry_count++;
    return SW_OK;
}

static void audit_make_body(sw__audit *audit)
{
    uint8_t count[SW__WIRE_NUMBER_MAX];
    uint8_t *end = sw__wire_put(count, (uint64_t)audit->task_count);
    sw__buf_clear(&audit->body);
    sw__buf_put_byte(&audit->body, SW__SEGMENT_VERSION);
    sw__buf_put(&audit->body, count, (size_t)(end - count));
    sw__buf_put_str(&audit->body, sw__buf_str(&audit->tasks));
    sw__buf_put_str(&audit->body, sw__buf_str(&audit->entries));
}

int sw__audit_seal(sw__audit *audit, sw__store *store, sw_error *err)
{
    if (audit->entry_count == 0)
        return SW_OK;
    audit_make_body(audit);
    if (audit->body.failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__segment segment = {
        .segment_no = audit->segment_no,
        .entry_first = audit->entry_next,
        .entry_count = audit->entry_count,
        .time_us = audit->time_us,
        .body = sw__buf_str(&audit->body),
    };
    memcpy(segment.previous, audit->previous, sizeof(segment.previous));
    if (sw__segment_hash(audit->hasher, &segment, segment.hash) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return store->ops->segment_put(store, &segment, err);
}

static void segment_put_big_endian(uint8_t *at, int64_t number)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        *at++ = (uint8_t)((uint64_t)number >> shift);
}

int sw__segment_hash(sw__hasher *hasher, const sw__segment *segment, uint8_t hash[32])
{
    uint8_t numbers[SEGMENT_NUMBERS * sizeof(int64_t)];
    segment_put_big_endian(numbers, segment->segment_no);
    segment_put_big_endian(numbers + 8, segment->entry_first);
    segment_put_big_endian(numbers + 16, segment->entry_count);
    segment_put_big_endian(numbers + 24, segment->time_us);
    const sw_str parts[] = {
        {(const char *)segment->previous, sizeof(segment->previous)},
        {(const char *)numbers, sizeof(numbers)},
        segment->body,
    };
    return sw__hash(hasher, parts, sizeof(parts) / sizeof(parts[0]), hash);
}

/* Lengths stand before the parts when there are several: otherwise ("ab", "c") and ("a", "bc")
 * would have one digest. */
int sw__audit_digest(sw__hasher *hasher, const uint8_t salt[32], const sw_str *parts,
                     size_t part_count, uint8_t digest[32])
{
    sw_str all[1 + 2 * SW__AUDIT_PARTS_MAX] = {{(const char *)salt, 32}};
    uint8_t lengths[SW__AUDIT_PARTS_MAX][sizeof(int64_t)];
    size_t count = 1;
    if (part_count > SW__AUDIT_PARTS_MAX)
        return SW_ELIMIT;
    for (size_t i = 0; i < part_count; i++) {
        segment_put_big_endian(lengths[i], (int64_t)parts[i].len);
        if (part_count > 1)
            all[count++] = (sw_str){(const char *)lengths[i], sizeof(lengths[i])};
        all[count++] = parts[i];
    }
    return sw__hash(hasher, all, count, digest);
}

bool sw__body_open(sw__body *body, sw_str bytes)
{
    const uint8_t *start = (const uint8_t *)bytes.ptr;
    *body = (sw__body){.wire = {.at = start, .end = start ? start + bytes.len : NULL}};
    if (body->wire.at == body->wire.end)
        return sw__wire_refuse(&body->wire, "it is empty");
    if (*body->wire.at++ != SW__SEGMENT_VERSION)
        return sw__wire_refuse(&body->wire, "its format version is unknown");
    if (!sw__wire_take(&body->wire, &body->task_count))
        return false;
    /* A task takes two bytes at least, so a count that fits bounds what readers allocate. */
    if (body->task_count > (body->wire.end - body->wire.at) / 2)
        return sw__wire_refuse(&body->wire, "its table of tasks is longer than itself");
    return true;
}

bool sw__body_task(sw__body *body, int64_t *task_no, int64_t *previous)
{
    return sw__wire_take(&body->wire, task_no) && sw__wire_take(&body->wire, previous);
}

bool sw__body_bytes(sw__body *body, int64_t *place, sw_str *entry)
{
    int64_t size = 0;
    const uint8_t *bytes = NULL;
    sw__wire *wire = &body->wire;
    if (!sw__wire_take(wire, place) || !sw__wire_take(wire, &size) ||
        !sw__wire_take_bytes(wire, size, &bytes))
        return false;
    if (*place > body->task_count)
        return sw__wire_refuse(wire, "an entry names a task that is not in its table");
    *entry = (sw_str){(const char *)bytes, (size_t)size};
    return true;
}

bool sw__body_entry(sw__body *body, int64_t *place, sw_audit_entry *entry)
{
    sw_str bytes;
    const char *why = NULL;
    if (!sw__body_bytes(body, place, &bytes))
        return false;
    return sw__entry_decode(bytes, entry, &why) || sw__wire_refuse(&body->wire, why);
}

bool sw__body_close(sw__body *body)
{
    if (body->wire.why)
        return false;
    if (body->wire.at != body->wire.end)
        return sw__wire_refuse(&body->wire, "bytes follow its last entry");
    return true;
}

#undef SEGMENT_NUMBERS
#undef SEGMENT_SEEN_KEEP
