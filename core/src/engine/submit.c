/* Submitting tasks: validation, idempotency keys, the first rows of a task. */

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"
#include "engine/deadline.h"
#include "engine/group.h"
#include "engine/parent.h"
#include "engine/sound.h"
#include "model/trigger.h"
#include "store/parent.h"

#define SUBMIT_TIME_MAX_US INT64_C(253402300799999999) /* the end of the year 9999 */

/* One call. Arrays have one element per submitted row; new tasks come first in hot and info. */
typedef struct submit_batch {
    sw__work *work;
    const sw_task_submit_row *rows;
    size_t count;
    const sw__plan **plans;
    sw__parent *parents;
    sw__task_key *keys; /* scope absent: no key */
    int64_t *slots;     /* index into hot, or -1 for an existing task */
    sw__task_hot *hot;
    sw__task_info *info;
    size_t created;
    sw_task_submitted *answers;
} submit_batch;

/* Validation. */

static int submit_check_deadline(const sw_task_submit_row *row, size_t index, sw_error *err)
{
    if (row->deadline_ms < 0 || row->deadline_ms > SW__DELAY_MAX_MS)
        return sw__fail_row(err, SW_EINVAL, index, "deadline_ms %lld is out of range",
                            (long long)row->deadline_ms);
    if (row->deadline_us < 0 || row->deadline_us > SUBMIT_TIME_MAX_US)
        return sw__fail_row(err, SW_EINVAL, index, "deadline_us %lld is no time",
                            (long long)row->deadline_us);
    if (row->deadline_ms && row->deadline_us)
        return sw__fail_row(err, SW_EINVAL, index,
                            "deadline_ms and deadline_us are both given; keep one");
    return SW_OK;
}

static int submit_check_row(const sw_engine *engine, const sw_task_submit_row *row, size_t index,
                            sw_error *err)
{
    sw__parent parent;
    int rc = sw__check_name(row->workflow, "workflow", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->version, SW__TEXT_MAX, "version", index, err);
    if (rc == SW_OK)
        rc = sw__check_payload(row->input, engine->payload_max, "input", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->key, SW__TEXT_MAX, "key", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->initiator, SW__TEXT_MAX, "initiator", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->reason, SW__TEXT_MAX, "reason", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->correlation_id, SW__TEXT_MAX, "correlation_id", index, err);
    if (rc == SW_OK)
        rc = sw__check_priority(row->priority, index, err);
    if (rc == SW_OK)
        rc = submit_check_deadline(row, index, err);
    if (rc == SW_OK && (row->tag_count > SW__TAGS_MAX || (!row->tags && row->tag_count > 0)))
        rc = sw__fail_row(err, SW_ELIMIT, index, "a task has at most %d tags", SW__TAGS_MAX);
    for (size_t i = 0; rc == SW_OK && i < row->tag_count; i++)
        rc = sw__check_text(row->tags[i], SW__TEXT_MAX, "tag", index, err);
    return rc == SW_OK ? sw__parent_of_row(row, index, &parent, err) : rc;
}

static int submit_check(const sw_engine *engine, const sw_task_submit_row *rows, size_t count,
                        sw_result **out, sw_error *err)
{
    sw__error_clear(err);
    if (!engine || !out)
        return sw__fail(err, SW_EINVAL, "engine or out is NULL");
    *out = NULL;
    int rc = sw__check_rows(rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = submit_check_row(engine, &rows[i], i, err);
    return rc;
}

/* Preparing. */

static int submit_alloc(submit_batch *batch, sw__arena *arena, sw_error *err)
{
    sw__arena *scratch = batch->work->arena;
    batch->plans = sw__arena_array(scratch, batch->count, sizeof *batch->plans);
    batch->parents = sw__arena_array(scratch, batch->count, sizeof *batch->parents);
    batch->keys = sw__arena_array(scratch, batch->count, sizeof *batch->keys);
    batch->slots = sw__arena_array(scratch, batch->count, sizeof *batch->slots);
    batch->hot = sw__arena_array(scratch, batch->count, sizeof *batch->hot);
    batch->info = sw__arena_array(scratch, batch->count, sizeof *batch->info);
    batch->answers = sw__arena_array(arena, batch->count, sizeof *batch->answers);
    return batch->answers && !sw__arena_failed(scratch) ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
}

static int submit_find_plans(submit_batch *batch, sw_error *err)
{
    sw_engine *engine = batch->work->engine;
    for (size_t i = 0; i < batch->count; i++) {
        sw_str name = batch->rows[i].workflow;
        sw_str version = batch->rows[i].version;
        int rc = sw__catalog_newest(&engine->catalog, engine->store, name, version,
                                    &batch->plans[i], err);
        if (rc == SW_ENOTFOUND)
            return sw__fail_row(err, rc, i, "no workflow '%.*s'%s%.*s is registered", SW__FMT(name),
                                version.len ? " version " : "", SW__FMT(version));
        if (rc < 0)
            return rc;
    }
    return SW_OK;
}

static sw_str submit_scope(sw__arena *arena, const sw_task_submit_row *row)
{
    size_t size = row->workflow.len + 1 + row->key.len;
    char *text = sw__arena_alloc(arena, size);
    if (!text)
        return (sw_str){0};
    if (!SW__PLANT(KEY_NOT_SCOPED))
        memcpy(text, row->workflow.ptr, row->workflow.len);
    memcpy(text + row->workflow.len + 1, row->key.ptr, row->key.len);
    return (sw_str){text, size};
}

/* Keys of the rows that have one, looked up together. */
static int submit_find_keys(submit_batch *batch, sw_error *err)
{
    size_t count = 0;
    sw__work *work = batch->work;
    sw__store *store = work->engine->store;
    sw__task_key *asked = sw__arena_array(work->arena, batch->count, sizeof *asked);
    if (!asked)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < batch->count; i++) {
        if (!batch->rows[i].key.len)
            continue;
        asked[count].scope = submit_scope(work->arena, &batch->rows[i]);
        if (!asked[count++].scope.ptr)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    int rc = store->ops->task_keys_find(store, asked, count, err);
    count = 0;
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        if (batch->rows[i].key.len)
            batch->keys[i] = asked[count++];
    }
    return rc;
}

/* Choosing between a new task and the one that has the key. */

static int submit_conflict(size_t row, sw_error *err)
{
    SW__PROBE(KEY_CONFLICT);
    return sw__fail_row(err, SW_ECONFLICT, row,
                        "the key is known with another input; use another key or the same input");
}

static int submit_existing(submit_batch *batch, size_t row, const uint8_t digest[32], sw_error *err)
{
    sw__task_hot hot = {0};
    sw__store *store = batch->work->engine->store;
    bool same = memcmp(digest, batch->keys[row].input_digest, 32) == 0;
    if (!same && !SW__PLANT(KEY_NOT_COMPARED))
        return submit_conflict(row, err);
    int rc = store->ops->tasks_get(store, &batch->keys[row].task_no, 1, &hot, err);
    if (rc == SW_OK)
        rc = sw__sound_task(&hot, err);
    if (rc < 0)
        return rc;
    SW__PROBE(KEY_KNOWN);
    batch->slots[row] = -1;
    batch->answers[row] = (sw_task_submitted){.task_id = hot.task_id, .state = hot.state};
    return SW_OK;
}

static int submit_choose_row(submit_batch *batch, sw__strmap *fresh, size_t row, sw_error *err)
{
    sw__task_key *key = &batch->keys[row];
    uint8_t digest[32];
    batch->slots[row] = (int64_t)batch->created;
    if (!key->scope.ptr) {
        batch->created++;
        return SW_OK;
    }
    if (sw__hash(batch->work->engine->hasher, &batch->rows[row].input, 1, digest) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (key->task_no > 0)
        return submit_existing(batch, row, digest, err);
    const int64_t *twin = sw__strmap_find(fresh, key->scope);
    memcpy(key->input_digest, digest, sizeof digest);
    if (twin) {
        SW__PROBE(KEY_TWIN);
        batch->slots[row] = batch->slots[*twin];
        bool same = memcmp(digest, batch->keys[*twin].input_digest, sizeof digest) == 0;
        key->scope = (sw_str){0};
        return same ? SW_OK : submit_conflict(row, err);
    }
    batch->created++;
    return sw__strmap_put(fresh, key->scope, (int64_t)row) < 0 ? sw__fail(err, SW_ENOMEM, NULL)
                                                               : SW_OK;
}

static int submit_choose(submit_batch *batch, sw_error *err)
{
    sw__strmap fresh;
    int rc = SW_OK;
    sw__strmap_init(&fresh, batch->work->engine->env);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++)
        rc = submit_choose_row(batch, &fresh, i, err);
    sw__strmap_free(&fresh);
    return rc;
}

/* Parents of the tasks that are made; many rows in a row tend to have one parent. */
static int submit_find_parents(submit_batch *batch, sw_error *err)
{
    sw_uuid found = {{0}};
    size_t made = 0;
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        sw__parent *parent = &batch->parents[i];
        if (batch->slots[i] != (int64_t)made)
            continue;
        made++;
        rc = sw__parent_of_row(&batch->rows[i], i, parent, err);
        if (rc == SW_OK && memcmp(&parent->id, &found, sizeof found) != 0 &&
            sw__parent_given(&parent->id))
            rc = sw__parent_find(batch->work->engine, &parent->id, i, err);
        found = parent->id;
    }
    return rc;
}

/* Building. */

static void submit_put_tag(sw__buf *text, sw_str tag)
{
    sw__buf_put_byte(text, text->len == 0 ? '[' : ',');
    sw__json_put_str(text, tag);
}

/* The tags of a row, with that of its parent at the end. */
static sw_str submit_tags(sw__arena *arena, const sw_task_submit_row *row, const sw__parent *parent)
{
    char tag[SW__PARENT_TAG_SIZE];
    sw__buf text;
    bool adds = !parent->tagged && sw__parent_given(&parent->id);
    if (row->tag_count == 0 && !adds)
        return (sw_str){0};
    sw__buf_init(&text, sw__arena_env(arena));
    for (size_t i = 0; i < row->tag_count; i++)
        submit_put_tag(&text, row->tags[i]);
    if (adds) {
        sw__parent_tag(&parent->id, tag);
        submit_put_tag(&text, sw__str(tag));
    }
    sw__buf_put_byte(&text, ']');
    sw_str copy = text.failed ? (sw_str){0} : sw__arena_str(arena, sw__buf_str(&text));
    sw__buf_free(&text);
    return copy;
}

static int submit_note(sw__work *work, const sw_task_submit_row *row, const sw__plan *plan,
                       sw__task_hot *hot, sw__task_info *info, sw_error *err)
{
    uint8_t digest[32];
    sw_audit_entry entry = {
        .kind = SW_AUDIT_TASK_SUBMITTED,
        .task_id = hot->task_id,
        .actor = row->initiator,
        .reason = row->reason,
        .subject = sw__str(plan->workflow->digest_hex),
    };
    if (info->input.len) {
        if (sw__rand_bytes(&work->engine->rand, info->input_salt, sizeof info->input_salt) < 0)
            return sw__fail(err, SW_EIO, "the system has no random bytes");
        int rc = sw__audit_digest(work->engine->hasher, info->input_salt, &info->input, 1, digest);
        if (rc < 0)
            return sw__fail(err, rc, NULL);
        entry.digest = (sw_str){(const char *)digest, 32};
    }
    work->changed = true;
    return sw__audit_add(&work->engine->audit, &entry, hot, err);
}

static int64_t submit_deadline(const sw_task_submit_row *row, const sw_workflow *workflow,
                               int64_t now_us)
{
    int64_t deadline_ms = row->deadline_ms ? row->deadline_ms : workflow->deadline_ms;
    if (row->deadline_us)
        return row->deadline_us;
    return deadline_ms ? now_us + deadline_ms * 1000 : 0;
}

static int submit_build_task(submit_batch *batch, size_t row, int64_t task_no, sw_error *err)
{
    sw__work *work = batch->work;
    const sw_task_submit_row *asked = &batch->rows[row];
    const sw__plan *plan = batch->plans[row];
    sw__task_hot *hot = &batch->hot[batch->slots[row]];
    sw__task_info *info = &batch->info[batch->slots[row]];
    *hot = (sw__task_hot){
        .task_no = task_no,
        .workflow_no = plan->workflow_no,
        .state = SW_TASK_PENDING,
        .priority = asked->priority,
        .created_us = work->now_us,
        .changed_us = work->now_us,
        .deadline_us = submit_deadline(asked, plan->workflow, work->now_us),
    };
    *info = (sw__task_info){
        .task_no = task_no,
        .input = asked->input.len ? asked->input : (sw_str){0},
        .key = asked->key,
        .initiator = asked->initiator,
        .reason = asked->reason,
        .correlation_id = asked->correlation_id,
        .tags = submit_tags(work->arena, asked, &batch->parents[row]),
    };
    if ((asked->tag_count > 0 || sw__parent_given(&asked->parent_id)) && !info->tags.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__uuid7_new(&work->engine->rand, work->now_us, &hot->task_id);
    return rc < 0 ? sw__fail(err, rc, NULL) : submit_note(work, asked, plan, hot, info, err);
}

/* Roots are ready from the start, everything else waits for its dependencies. */
static void submit_build_counts(const sw__plan *plan, sw__task_hot *hot)
{
    const int32_t *in_start = plan->workflow->graph.in_start;
    for (size_t i = 0; i < plan->workflow->step_count; i++)
        hot->counts[in_start[i + 1] == in_start[i] ? SW_STEP_READY : SW_STEP_PENDING]++;
}

static void submit_build_steps(const sw__plan *plan, const sw__task_hot *hot, int64_t now_us,
                               sw__step_hot *steps, uint32_t *tones)
{
    const sw_workflow *workflow = plan->workflow;
    for (size_t i = 0; i < workflow->step_count; i++) {
        int32_t open = sw__trigger_needed(&workflow->steps[i]);
        bool ready = open == 0;
        steps[i] = (sw__step_hot){
            .step_id = SW__STEP_ID(hot->task_no, i),
            .state = ready ? SW_STEP_READY : SW_STEP_PENDING,
            .open_deps = open,
            .lane = ready ? plan->lanes[i] : SW__LANE_NONE,
            .rank = ready ? -((int64_t)hot->priority + workflow->steps[i].priority) : 0,
            .changed_us = now_us,
        };
        if (ready)
            *tones |= SW__TONE_LANE(plan->lanes[i]);
    }
}

/* Build every new task; rows that share a task with an earlier row are passed over. */
static int submit_build(submit_batch *batch, sw_error *err)
{
    size_t built = 0;
    int64_t first = 0;
    sw__store *store = batch->work->engine->store;
    int rc =
        store->ops->sequence_take(store, SW__SEQUENCE_TASK, (int64_t)batch->created, &first, err);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        if (batch->slots[i] == (int64_t)built) {
            rc = submit_build_task(batch, i, first + (int64_t)built, err);
            submit_build_counts(batch->plans[i], &batch->hot[built++]);
            batch->answers[i].created = 1;
        }
        if (rc == SW_OK && batch->slots[i] >= 0) {
            batch->answers[i].task_id = batch->hot[batch->slots[i]].task_id;
            batch->answers[i].state = SW_TASK_PENDING;
        }
    }
    return rc;
}

static int submit_write_steps(submit_batch *batch, size_t row, sw_error *err)
{
    const sw__plan *plan = batch->plans[row];
    sw__store *store = batch->work->engine->store;
    size_t count = plan->workflow->step_count;
    sw__arena *arena = sw__arena_new(batch->work->engine->env);
    sw__step_hot *steps = arena ? sw__arena_array(arena, count, sizeof *steps) : NULL;
    int rc = steps ? SW_OK : sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        submit_build_steps(plan, &batch->hot[batch->slots[row]], batch->work->now_us, steps,
                           &batch->work->tones);
        rc = store->ops->steps_insert(store, steps, count, err);
    }
    sw__arena_free(arena);
    if (rc == SW_OK)
        rc = sw__deadline_begin(batch->work, &batch->hot[batch->slots[row]], plan, err);
    return rc;
}

static int submit_write_keys(submit_batch *batch, sw_error *err)
{
    size_t count = 0;
    sw__store *store = batch->work->engine->store;
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->slots[i] < 0 || !batch->keys[i].scope.ptr)
            continue;
        batch->keys[count] = batch->keys[i];
        int64_t slot = SW__PLANT(KEY_OF_OTHER) ? 0 : batch->slots[i];
        batch->keys[count++].task_no = batch->hot[slot].task_no;
    }
    return store->ops->task_keys_put(store, batch->keys, count, err);
}

static int submit_write(submit_batch *batch, sw_error *err)
{
    sw__store *store = batch->work->engine->store;
    int rc = store->ops->tasks_insert(store, batch->hot, batch->info, batch->created, err);
    for (size_t i = 0; rc == SW_OK && i < batch->count; i++) {
        if (batch->answers[i].created)
            rc = submit_write_steps(batch, i, err);
    }
    return rc == SW_OK && !SW__PLANT(KEY_NOT_STORED) ? submit_write_keys(batch, err) : rc;
}

typedef struct submit_call {
    const sw_task_submit_row *rows;
    size_t count;
} submit_call;

static int submit_flow(submit_batch *batch, sw_result *result, sw_error *err)
{
    int rc = submit_alloc(batch, result->arena, err);
    if (rc == SW_OK)
        rc = submit_find_plans(batch, err);
    if (rc == SW_OK)
        rc = submit_find_keys(batch, err);
    if (rc == SW_OK)
        rc = submit_choose(batch, err);
    if (rc == SW_OK)
        rc = submit_find_parents(batch, err);
    if (rc == SW_OK && batch->created > 0)
        rc = submit_build(batch, err);
    if (rc == SW_OK && batch->created > 0)
        rc = submit_write(batch, err);
    sw__result_set(result, SW__SUBMISSIONS, batch->answers, batch->count);
    return rc;
}

static int submit_fill(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    const submit_call *call = context;
    submit_batch batch = {.work = work, .rows = call->rows, .count = call->count};
    return submit_flow(&batch, result, err);
}

int sw_task_submit(sw_engine *engine, const sw_task_submit_row *rows, size_t row_count,
                   sw_result **out, sw_error *err)
{
    const submit_call call = {.rows = rows, .count = row_count};
    int rc = submit_check(engine, rows, row_count, out, err);
    return rc == SW_OK ? sw__group_answer(engine, submit_fill, &call, out, err) : rc;
}

#undef SUBMIT_TIME_MAX_US
