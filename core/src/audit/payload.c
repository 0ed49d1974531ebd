/* Whether inputs, results, errors and events in the store are the ones that the entries sealed.
 *
 * A digest is SHA-256(salt || payload), the salt lies beside the payload. Of a step's errors the
 * store gives the newest only, so an older one is not compared.
 *
 * Seals wait until there are some thousands, and are then compared in the order in which the store
 * has their payloads: rows that lie side by side are found in half the time, and one page of the
 * file is visited once for many segments. What is found wrong is looked for once more in the order
 * of the log, so that the first entry in doubt is the one that is named. */
#include "audit/replay.h"

#include <string.h>

#include "audit/audit.h"
#include "base/error.h"
#include "base/str.h"
#include "model/workflow.h"

#define PAYLOAD_PAGE 128  /* payloads in memory at once */
#define PAYLOAD_WAIT 4096 /* seals that wait at most, but for those of one segment */
#define PAYLOAD_WAIT_SIZE ((size_t)1 << 20) /* bytes of what they say */

/* Seals of one kind with their keys. */
typedef struct payload_batch {
    const sw__seal *const *seals;
    int64_t *keys;
    size_t count;
    sw__arena *arena;
} payload_batch;

/* "input of task 0192..." or "result of step "charge" of task 0192...". */
static int payload_doubt(sw__replay *replay, const sw__seal *seal, const char *fault)
{
    static const char *const names[] = {"input", "result", "error"};
    char task_id[37];
    const sw__replay_task *task = seal->task;
    sw_uuid_format(&task->task_id, task_id);
    if (seal->kind == SW__SEAL_EVENT)
        return sw__doubt_raise(&replay->doubt, seal->entry_no, seal->entry_no,
                               "the event %lld of task %s %s", (long long)seal->entry_no, task_id,
                               fault);
    if (seal->kind == SW__SEAL_INPUT)
        return sw__doubt_raise(&replay->doubt, seal->entry_no, seal->entry_no,
                               "the input of task %s %s (entry %lld)", task_id, fault,
                               (long long)seal->entry_no);
    sw_str step = task->workflow->steps[SW__STEP_INDEX(seal->key)].name;
    return sw__doubt_raise(&replay->doubt, seal->entry_no, seal->entry_no,
                           "the %s of step \"%.*s\" of task %s %s (entry %lld)", names[seal->kind],
                           SW__FMT(step), task_id, fault, (long long)seal->entry_no);
}

/* A payload that is not there is a loss only when its task was neither pruned nor erased later in
 * the log. */
static int payload_lost(const sw__seal *seal, const char *fault)
{
    sw__replay_task *task = seal->task;
    if (task->lost)
        return SW_OK;
    task->lost = fault;
    task->lost_kind = seal->kind;
    task->lost_key = seal->key;
    task->lost_entry_no = seal->entry_no;
    return SW_OK;
}

int sw__replay_lost(sw__replay *replay, const sw__replay_task *task)
{
    const sw__seal seal = {
        .kind = task->lost_kind,
        .key = task->lost_key,
        .entry_no = task->lost_entry_no,
        .task = (sw__replay_task *)task,
    };
    return payload_doubt(replay, &seal, task->lost);
}

int sw__replay_kept(sw__replay *replay, const sw__replay_task *task)
{
    char task_id[37];
    sw_uuid_format(&task->task_id, task_id);
    return sw__doubt_raise(&replay->doubt, task->erased_entry_no, task->erased_entry_no,
                           "task %s was erased (entry %lld), but the store still has what entry "
                           "%lld sealed",
                           task_id, (long long)task->erased_entry_no,
                           (long long)task->kept_entry_no);
}

/* parts are what the store holds; present says whether it holds anything. */
int sw__replay_payload(sw__replay *replay, const sw__seal *seal, bool present,
                       const uint8_t salt[32], const sw_str *parts, size_t part_count,
                       sw_error *err)
{
    uint8_t digest[32];
    if (!seal->digest.ptr)
        return present ? payload_doubt(replay, seal, "was added without an entry") : SW_OK;
    if (!present)
        return payload_lost(seal, "is missing from the store");
    if (sw__audit_digest(replay->hasher, salt, parts, part_count, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (memcmp(digest, seal->digest.ptr, sizeof(digest)) != 0)
        return payload_doubt(replay, seal, "was changed without an entry");
    seal->task->kept_entry_no = seal->entry_no;
    return SW_OK;
}

static int payload_inputs(sw__replay *replay, const payload_batch *batch, sw_error *err)
{
    sw__task_info *rows = sw__arena_array_raw(batch->arena, batch->count, sizeof(*rows));
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->tasks_info(replay->store, batch->keys, batch->count, batch->arena,
                                            rows, err);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        const sw__seal *seal = batch->seals[i];
        if (rows[i].task_no == 0) {
            rc = payload_lost(seal, "is missing from the store, with all that it says");
            continue;
        }
        rc = sw__replay_payload(replay, seal, rows[i].input.ptr != NULL, rows[i].input_salt,
                                &rows[i].input, 1, err);
        if (rc == SW_OK && (!sw__str_equal(rows[i].initiator, seal->actor) ||
                            !sw__str_equal(rows[i].reason, seal->reason)))
            rc = payload_doubt(replay, seal, "stands beside another initiator or reason");
    }
    return rc;
}

static int payload_results(sw__replay *replay, const payload_batch *batch, sw_error *err)
{
    sw__payload *rows = sw__arena_array_raw(batch->arena, batch->count, sizeof(*rows));
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->results_get(replay->store, batch->keys, batch->count, batch->arena,
                                             rows, err);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++)
        rc = sw__replay_payload(replay, batch->seals[i], rows[i].body.ptr != NULL, rows[i].salt,
                                &rows[i].body, 1, err);
    return rc;
}

static sw__replay_step *payload_replay_step(const sw__seal *seal)
{
    return &seal->task->steps[SW__STEP_INDEX(seal->key)];
}

/* A newer error than the one that was sealed waits for the entry that seals it. */
static int payload_failures(sw__replay *replay, const payload_batch *batch, sw_error *err)
{
    sw__failure *rows = sw__arena_array_raw(batch->arena, batch->count, sizeof(*rows));
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->failures_get(replay->store, batch->keys, batch->count,
                                              batch->arena, rows, err);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        const sw__seal *seal = batch->seals[i];
        const sw_str parts[] = {rows[i].error_class, rows[i].message, rows[i].detail};
        payload_replay_step(seal)->error_epoch = rows[i].epoch > seal->epoch ? rows[i].epoch : 0;
        if (rows[i].epoch <= seal->epoch)
            rc = sw__replay_payload(replay, seal, rows[i].epoch == seal->epoch, rows[i].salt, parts,
                                    sizeof(parts) / sizeof(parts[0]), err);
    }
    return rc;
}

static int payload_batch_check(sw__replay *replay, payload_batch *batch, sw_error *err)
{
    batch->keys = sw__arena_array_raw(batch->arena, batch->count, sizeof(*batch->keys));
    if (!batch->keys)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < batch->count; i++)
        batch->keys[i] = batch->seals[i]->key;
    switch (batch->seals[0]->kind) {
    case SW__SEAL_INPUT:
        return payload_inputs(replay, batch, err);
    case SW__SEAL_RESULT:
        return payload_results(replay, batch, err);
    case SW__SEAL_EVENT:
        return sw__replay_event_rows(replay, batch->seals, batch->keys, batch->count, batch->arena,
                                     err);
    default:
        return payload_failures(replay, batch, err);
    }
}

/* In pages of one kind. */
static int payload_check(sw__replay *replay, const sw__seal *const *seals, size_t count,
                         size_t page, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0, end; rc == SW_OK && i < count; i = end) {
        for (end = i + 1; end < count && end - i < page && seals[end]->kind == seals[i]->kind;)
            end++;
        sw__arena_clear(replay->scratch);
        payload_batch batch = {.seals = seals + i, .count = end - i, .arena = replay->scratch};
        rc = payload_batch_check(replay, &batch, err);
    }
    return rc;
}

/* The order of the store, and among those of one payload that of the log. */

static bool payload_before(const sw__seal *left, const sw__seal *right)
{
    if (left->kind != right->kind)
        return left->kind < right->kind;
    return left->key < right->key;
}

/* The end of what is in order already. */
static size_t payload_run(const sw__seal *const *seals, size_t at, size_t count)
{
    for (at++; at < count && !payload_before(seals[at], seals[at - 1]);)
        at++;
    return at;
}

static void payload_merge(const sw__seal *const *from, size_t middle, size_t end,
                          const sw__seal **to)
{
    for (size_t left = 0, right = middle; left < middle || right < end;) {
        bool second = left == middle || (right < end && payload_before(from[right], from[left]));
        *to++ = from[second ? right++ : left++];
    }
}

/* A step's seals follow each other from task to task, so that there are a few runs in each segment:
 * every two that are neighbours are merged, until there is one. Returns where it is. */
static const sw__seal **payload_sort(const sw__seal **seals, const sw__seal **room, size_t count)
{
    while (payload_run(seals, 0, count) < count) {
        for (size_t i = 0, end; i < count; i = end) {
            size_t middle = payload_run(seals, i, count);
            end = middle < count ? payload_run(seals, middle, count) : count;
            payload_merge(seals + i, middle - i, end - i, room + i);
        }
        const sw__seal **sorted = room;
        room = seals;
        seals = sorted;
    }
    return seals;
}

/* Those that wait. */

/* Pointers to all of them, as the log has them, and as much room behind. */
static const sw__seal **payload_pointers(sw__replay *replay, size_t count)
{
    const sw__seal *seals = (const sw__seal *)(const void *)replay->seals.ptr;
    sw__buf_clear(&replay->order);
    const sw__seal **rows =
        (const sw__seal **)(void *)sw__buf_reserve(&replay->order, 2 * count * sizeof(*rows));
    for (size_t i = 0; rows && i < count; i++)
        rows[i] = &seals[i];
    return rows;
}

/* One of them is in doubt: the doubt is about the first one in the log that is. */
static int payload_find(sw__replay *replay, size_t count, sw_error *err)
{
    sw__doubt found = replay->doubt;
    const sw__seal **seals = payload_pointers(replay, count);
    if (!seals)
        return sw__fail(err, SW_ENOMEM, NULL);
    replay->doubt = (sw__doubt){0};
    int rc = payload_check(replay, seals, count, 1, err);
    if (rc != SW_OK)
        return rc;
    replay->doubt = found;
    return SW_EAUDIT;
}

static int payload_compare(sw__replay *replay, sw_error *err)
{
    size_t count = replay->seals.len / sizeof(sw__seal);
    if (count == 0)
        return SW_OK;
    const sw__seal **seals = payload_pointers(replay, count);
    if (!seals)
        return sw__fail(err, SW_ENOMEM, NULL);
    seals = payload_sort(seals, seals + count, count);
    int rc = payload_check(replay, seals, count, PAYLOAD_PAGE, err);
    if (rc == SW_EAUDIT)
        rc = payload_find(replay, count, err);
    sw__buf_clear(&replay->seals);
    sw__arena_clear(replay->sealed);
    replay->sealed_size = 0;
    return rc;
}

static void payload_keep_str(sw__replay *replay, sw_str *text)
{
    *text = sw__arena_str(replay->sealed, *text);
    replay->sealed_size += text->len;
}

int sw__replay_payloads(sw__replay *replay, size_t offset, sw_error *err)
{
    sw__seal *seals = (sw__seal *)(void *)replay->seals.ptr;
    size_t count = replay->seals.len / sizeof(*seals);
    if (count >= PAYLOAD_WAIT || replay->sealed_size >= PAYLOAD_WAIT_SIZE)
        return payload_compare(replay, err);
    for (size_t i = offset / sizeof(*seals); i < count; i++) {
        payload_keep_str(replay, &seals[i].digest);
        payload_keep_str(replay, &seals[i].actor);
        payload_keep_str(replay, &seals[i].reason);
        payload_keep_str(replay, &seals[i].type);
    }
    return sw__arena_failed(replay->sealed) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

int sw__replay_settle(sw__replay *replay, sw_error *err)
{
    sw__doubt behind = replay->doubt;
    int rc = payload_compare(replay, err);
    if (rc == SW_EAUDIT && replay->doubt.last < behind.last)
        replay->doubt.last = behind.last;
    return rc;
}

#undef PAYLOAD_PAGE
#undef PAYLOAD_WAIT
#undef PAYLOAD_WAIT_SIZE
