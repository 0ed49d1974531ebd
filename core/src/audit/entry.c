/* Writing and reading the canonical bytes of one audit entry. */
#include "audit/entry.h"

#include "audit/wire.h"
#include "base/error.h"
#include "stepwell/breaker.h"

#define ENTRY_NUMBERS 8
#define ENTRY_STRINGS 5
#define ENTRY_DIGEST_SIZE 32
#define ENTRY_FIXED_MAX                                                                            \
    (2 + sizeof(sw_uuid) + (ENTRY_NUMBERS + ENTRY_STRINGS) * SW__WIRE_NUMBER_MAX)

/* How many states the kind's from and to choose between; 1 where it has none, so that only 0 is
 * left. */
static int32_t entry_state_count(int32_t kind)
{
    switch (kind) {
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
        return SW_STEP_STATE_COUNT;
    case SW_AUDIT_TASK_SUBMITTED:
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_TASK_PRUNED:
    case SW_AUDIT_TASK_ERASED:
        return SW_TASK_STATE_COUNT;
    case SW_AUDIT_BREAKER_CHANGED:
        return SW_BREAKER_STATE_COUNT;
    default:
        return 1;
    }
}

static bool entry_kind_known(int32_t kind)
{
    return kind >= 1 && kind <= SW_AUDIT_KIND_COUNT;
}

static bool entry_numbers_fit(const sw_audit_entry *entry)
{
    int32_t states = entry_state_count(entry->kind);
    return entry_kind_known(entry->kind) && entry->entry_no >= 1 && entry->time_us >= 0 &&
           entry->from >= 0 && entry->from < states && entry->to >= 0 && entry->to < states &&
           entry->attempt >= 0 && entry->epoch >= 0 && entry->step_id >= 0 && entry->worker_id >= 0;
}

static bool entry_digest_fits(sw_str digest)
{
    return !digest.ptr || digest.len == ENTRY_DIGEST_SIZE;
}

/* Each length is looked at alone first, so that the sum cannot overflow. */
static bool entry_texts_fit(const sw_audit_entry *entry)
{
    const sw_str texts[] = {entry->step, entry->actor, entry->reason, entry->subject};
    size_t sum = ENTRY_FIXED_MAX + ENTRY_DIGEST_SIZE;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].len > SW__ENTRY_MAX)
            return false;
        sum += texts[i].len;
    }
    return sum <= SW__ENTRY_MAX;
}

static uint8_t *entry_put(uint8_t *at, const sw_audit_entry *entry)
{
    *at++ = SW__ENTRY_VERSION;
    *at++ = (uint8_t)entry->kind;
    at = sw__wire_put(at, (uint64_t)entry->entry_no);
    at = sw__wire_put(at, (uint64_t)entry->time_us);
    at = sw__wire_put(at, (uint64_t)entry->from);
    at = sw__wire_put(at, (uint64_t)entry->to);
    at = sw__wire_put(at, (uint64_t)entry->attempt);
    at = sw__wire_put(at, (uint64_t)entry->epoch);
    at = sw__wire_put(at, (uint64_t)entry->step_id);
    at = sw__wire_put(at, (uint64_t)entry->worker_id);
    memcpy(at, entry->task_id.bytes, sizeof(entry->task_id.bytes));
    at += sizeof(entry->task_id.bytes);
    at = sw__wire_put_str(at, entry->step);
    at = sw__wire_put_str(at, entry->actor);
    at = sw__wire_put_str(at, entry->reason);
    at = sw__wire_put_str(at, entry->subject);
    return sw__wire_put_str(at, entry->digest);
}

int sw__entry_encode(sw__buf *buf, const sw_audit_entry *entry, sw_error *err)
{
    if (!entry_numbers_fit(entry) || !entry_digest_fits(entry->digest))
        return sw__fail(err, SW_EINVAL, "audit entry %lld of kind %d has a field out of range",
                        (long long)entry->entry_no, entry->kind);
    if (!entry_texts_fit(entry))
        return sw__fail(err, SW_ELIMIT, "audit entry %lld is longer than %d bytes",
                        (long long)entry->entry_no, SW__ENTRY_MAX);
    size_t room = ENTRY_FIXED_MAX + entry->step.len + entry->actor.len + entry->reason.len +
                  entry->subject.len + entry->digest.len;
    uint8_t *start = sw__buf_reserve(buf, room);
    if (!start)
        return sw__fail(err, SW_ENOMEM, NULL);
    buf->len += (size_t)(entry_put(start, entry) - start);
    return SW_OK;
}

static bool entry_take_kind(sw__wire *wire, int32_t *kind)
{
    if (wire->end - wire->at < 2)
        return sw__wire_refuse(wire, "it is too short");
    if (wire->at[0] != SW__ENTRY_VERSION)
        return sw__wire_refuse(wire, "its format version is unknown");
    *kind = wire->at[1];
    if (!entry_kind_known(*kind))
        return sw__wire_refuse(wire, "its kind is unknown");
    wire->at += 2;
    return true;
}

static bool entry_take_numbers(sw__wire *wire, sw_audit_entry *entry)
{
    int32_t states = entry_state_count(entry->kind);
    bool taken = sw__wire_take(wire, &entry->entry_no) && sw__wire_take(wire, &entry->time_us) &&
                 sw__wire_take_int(wire, states, &entry->from) &&
                 sw__wire_take_int(wire, states, &entry->to) &&
                 sw__wire_take_int(wire, (int64_t)INT32_MAX + 1, &entry->attempt) &&
                 sw__wire_take(wire, &entry->epoch) && sw__wire_take(wire, &entry->step_id) &&
                 sw__wire_take(wire, &entry->worker_id);
    if (taken && entry->entry_no == 0)
        return sw__wire_refuse(wire, "its number is 0");
    return taken;
}

static bool entry_take_texts(sw__wire *wire, sw_audit_entry *entry)
{
    const uint8_t *id = NULL;
    if (!sw__wire_take_bytes(wire, sizeof(entry->task_id.bytes), &id))
        return false;
    memcpy(entry->task_id.bytes, id, sizeof(entry->task_id.bytes));
    bool taken = sw__wire_take_str(wire, &entry->step) && sw__wire_take_str(wire, &entry->actor) &&
                 sw__wire_take_str(wire, &entry->reason) &&
                 sw__wire_take_str(wire, &entry->subject) &&
                 sw__wire_take_str(wire, &entry->digest);
    if (taken && !entry_digest_fits(entry->digest))
        return sw__wire_refuse(wire, "its digest is not 32 bytes");
    return taken;
}

static sw__wire entry_open(sw_str bytes)
{
    const uint8_t *start = (const uint8_t *)bytes.ptr;
    return (sw__wire){.at = start, .end = start ? start + bytes.len : NULL};
}

static bool entry_close(const sw__wire *wire, const char **why)
{
    if (wire->why)
        *why = wire->why;
    return !wire->why;
}

bool sw__entry_decode(sw_str bytes, sw_audit_entry *entry, const char **why)
{
    sw__wire wire = entry_open(bytes);
    bool taken = entry_take_kind(&wire, &entry->kind) && entry_take_numbers(&wire, entry) &&
                 entry_take_texts(&wire, entry);
    if (taken && wire.at != wire.end)
        sw__wire_refuse(&wire, "bytes follow its end");
    return entry_close(&wire, why);
}

bool sw__entry_decode_numbers(sw_str bytes, sw_audit_entry *entry, const char **why)
{
    sw__wire wire = entry_open(bytes);
    if (entry_take_kind(&wire, &entry->kind))
        entry_take_numbers(&wire, entry);
    return entry_close(&wire, why);
}

#undef ENTRY_NUMBERS
#undef ENTRY_STRINGS
#undef ENTRY_DIGEST_SIZE
#undef ENTRY_FIXED_MAX
