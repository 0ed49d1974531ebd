/* An attacker's hand on the audit log: the bytes say what is changed in an honest log. A log that
 * differs in any byte never verifies; one whose hashes were made right again is read without harm.
 * The rest of the bytes is read as a body and as an entry of its own.
 *
 * Not here: that an honest log verifies whatever its history, which the unit tests show.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/segment.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "helper/audit_log.h"

#define ATTACKED_SEGMENTS_MAX 64
#define CHANGES_MAX 16
#define BODY_MAX 8192

static audit_log attacked;
static sw__segment honest[ATTACKED_SEGMENTS_MAX];
static size_t honest_count;
static size_t honest_room; /* the elements of attacked.segments */
static bool rehashed;      /* the attacker has recomputed hashes */
/* Bodies that were changed, until the next input. */
static uint8_t bodies[CHANGES_MAX][BODY_MAX];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    audit_log_open(&attacked, AUDIT_LOG_DIAMOND);
    audit_log_run(&attacked);
    audit_log_play(&attacked, 3);
    audit_log_attack(&attacked);
    honest_count = attacked.segment_count;
    honest_room = honest_count + CHANGES_MAX;
    fuzz_require(honest_room <= ATTACKED_SEGMENTS_MAX, "%zu segments", honest_count);
    memcpy(honest, attacked.segments, honest_count * sizeof(honest[0]));
    attacked.segments = sw__arena_array(attacked.arena, honest_room, sizeof(honest[0]));
    return 0;
}

/* Overwrite, insert or remove bytes of a body. */
static void body_change(fuzz_bytes *bytes, sw__segment *segment, uint8_t *room)
{
    size_t len = segment->body.len < BODY_MAX ? segment->body.len : BODY_MAX;
    if (len > 0)
        memcpy(room, segment->body.ptr, len);
    size_t at = (size_t)fuzz_take(bytes, 2) % (len + 1);
    size_t cut = fuzz_pick(bytes, 9);
    sw_str more = fuzz_take_text(bytes, 16);
    cut = cut < len - at ? cut : len - at;
    if (len - cut + more.len <= BODY_MAX) {
        memmove(room + at + more.len, room + at + cut, len - at - cut);
        if (more.len > 0)
            memcpy(room + at, more.ptr, more.len);
        len += more.len - cut;
    }
    segment->body = (sw_str){(const char *)room, len};
}

static void segment_insert(audit_log *log, size_t at, sw__segment segment)
{
    memmove(log->segments + at + 1, log->segments + at,
            (log->segment_count - at) * sizeof(segment));
    log->segments[at] = segment;
    log->segment_count++;
}

static void segment_remove(audit_log *log, size_t at)
{
    log->segment_count--;
    memmove(log->segments + at, log->segments + at + 1,
            (log->segment_count - at) * sizeof(log->segments[0]));
}

/* One change: of a body, of the bytes before it, of the order, or hashes made right. */
static void log_change(fuzz_bytes *bytes, audit_log *log, uint8_t *room)
{
    size_t kind = fuzz_pick(bytes, 7);
    if (log->segment_count == 0)
        return;
    size_t at = fuzz_pick(bytes, log->segment_count);
    size_t other = fuzz_pick(bytes, log->segment_count);
    sw__segment *segment = &log->segments[at];
    uint8_t *head = (uint8_t *)segment;
    if (kind <= 1)
        body_change(bytes, segment, room);
    else if (kind == 2)
        head[fuzz_pick(bytes, offsetof(sw__segment, body))] ^= (uint8_t)fuzz_take(bytes, 1);
    else if (kind == 3)
        segment_remove(log, at);
    else if (kind == 4 && log->segment_count < honest_room)
        segment_insert(log, at, log->segments[other]);
    else if (kind == 6)
        segment->entry_count = (int64_t)fuzz_take(bytes, 8);
    if (kind != 5)
        return;
    audit_log_rehash(log, at);
    rehashed = true;
}

static bool segment_equal(const sw__segment *a, const sw__segment *b)
{
    return memcmp(a, b, offsetof(sw__segment, body)) == 0 && sw__str_equal(a->body, b->body);
}

static bool log_equal(const audit_log *log)
{
    bool equal = log->segment_count == honest_count;
    for (size_t i = 0; equal && i < honest_count; i++)
        equal = segment_equal(&log->segments[i], &honest[i]);
    return equal;
}

/* Whether each segment has the hash of its content and of the one before. */
static bool log_chained(audit_log *log)
{
    uint8_t hash[32];
    uint8_t previous[32] = {0};
    for (size_t i = 0; i < log->segment_count; i++) {
        fuzz_require(sw__segment_hash(log->hasher, &log->segments[i], hash) == SW_OK, "no hash");
        if (memcmp(hash, log->segments[i].hash, 32) != 0 ||
            memcmp(previous, log->segments[i].previous, 32) != 0)
            return false;
        memcpy(previous, hash, sizeof(previous));
    }
    return true;
}

static void log_verify(audit_log *log)
{
    sw_audit_report report;
    int rc = audit_log_verify(log, &report);
    fuzz_check_text(sw__str(report.message));
    fuzz_require(report.message[0], "a verification without a word");
    if (rc < 0) {
        fuzz_require(!log_equal(log), "a false alarm: %s", report.message);
        fuzz_require(report.first_bad_entry > 0 && report.last_bad_entry >= report.first_bad_entry,
                     "entries %lld to %lld are bad", (long long)report.first_bad_entry,
                     (long long)report.last_bad_entry);
        return;
    }
    fuzz_require(log_equal(log) || (rehashed && log_chained(log)), "a changed log verifies");
}

static void entries_check(int rc, const sw_audit_entry *rows, size_t count, const sw_error *err)
{
    fuzz_check_error(rc, err);
    fuzz_require(rc == SW_OK || rc == SW_EAUDIT, "%s for a log", sw_code_name(rc));
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        fuzz_require(strcmp(sw_audit_kind_name(rows[i].kind), "unknown") != 0, "an unknown kind");
}

static void log_read(audit_log *log, int64_t entry_no)
{
    sw_error err;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    int64_t task_no = 1;
    sw__task_hot task;
    sw__store *store = log->store;
    sw__arena *arena = sw__arena_new(sw_env_system());
    fuzz_require(store->ops->begin(store, false, NULL) == SW_OK, "no transaction");
    int rc = sw__audit_read(store, entry_no, 20, arena, &rows, &count, &err);
    entries_check(rc, rows, count, &err);
    fuzz_require(rc < 0 || count <= 20, "%zu rows instead of 20", count);
    fuzz_require(store->ops->tasks_get(store, &task_no, 1, &task, NULL) == SW_OK, "no task");
    rc = sw__audit_read_task(store, &task, arena, &rows, &count, &err);
    entries_check(rc, rows, count, &err);
    store->ops->rollback(store);
    sw__arena_free(arena);
}

/* An entry that can be read is the only way to write it. */
static void entry_check(sw_str bytes)
{
    sw__buf again;
    sw_audit_entry entry;
    const char *why = NULL;
    if (!sw__entry_decode(bytes, &entry, &why)) {
        fuzz_require(why && why[0], "an entry is refused without a word");
        return;
    }
    sw__buf_init(&again, sw_env_system());
    int rc = sw__entry_encode(&again, &entry, NULL);
    fuzz_require(rc == SW_OK, "an entry that was read cannot be written: %s", sw_code_name(rc));
    fuzz_require(sw__str_equal(sw__buf_str(&again), bytes), "two ways to write one entry");
    sw__buf_free(&again);
}

static void body_check(sw_str bytes)
{
    sw__body body;
    int64_t task_no = 0;
    int64_t place = 0;
    sw_audit_entry entry;
    bool reads = sw__body_open(&body, bytes);
    for (int64_t i = 0; reads && i < body.task_count; i++)
        reads = sw__body_task(&body, &task_no, &place);
    while (reads && body.wire.at < body.wire.end)
        reads = sw__body_entry(&body, &place, &entry);
    fuzz_require(reads == sw__body_close(&body), "a body is read and is not");
    fuzz_require(reads || body.wire.why, "a body is refused without a word");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes bytes = {data, data + size};
    memcpy(attacked.segments, honest, honest_count * sizeof(honest[0]));
    attacked.segment_count = honest_count;
    rehashed = false;
    size_t changes = fuzz_pick(&bytes, CHANGES_MAX + 1);
    for (size_t i = 0; i < changes; i++)
        log_change(&bytes, &attacked, bodies[i]);
    log_verify(&attacked);
    log_read(&attacked, (int64_t)fuzz_take(&bytes, 1));
    sw_str rest = {(const char *)bytes.at, (size_t)(bytes.end - bytes.at)};
    entry_check(rest);
    body_check(rest);
    return 0;
}
