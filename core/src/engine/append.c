/* Appending events to the streams of tasks: each row is checked after the rows before it, and what
 * is written is an entry of the log and a row with its payload.
 *
 * The order of the checks: a key that is known answers before a version is looked at, so that a
 * caller who does not know whether the first append was committed may just repeat it.
 * Not here: reading (event.c).
 */
#include "engine/group.h"

#include "audit/event.h"
#include "base/limits.h"
#include "base/plant.h"
#include "base/probe.h"
#include "engine/check.h"

typedef struct append_call {
    const sw_event_row *rows;
    size_t count;
    int mode;
} append_call;

typedef struct append_batch {
    sw__work *work;
    sw_result *result;
    const append_call *call;
    sw_event_appended *answers;
    int64_t *task_nos;
    sw__event_rec *known; /* by row: entry_no of the event that has its key */
    sw__event_rec *fresh; /* to be written */
    size_t fresh_count;
    sw__strmap fresh_keys; /* scope to index in fresh */
} append_batch;

/* Checks before the transaction. */

static int append_check_texts(const sw_event_row *row, size_t index, sw_error *err)
{
    int rc = sw__check_text(row->key, SW__TEXT_MAX, "key", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->correlation_id, SW__TEXT_MAX, "correlation_id", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->actor, SW__TEXT_MAX, "actor", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->reason, SW__TEXT_MAX, "reason", index, err);
    return rc == SW_OK ? sw__check_text(row->step, SW__NAME_MAX, "step", index, err) : rc;
}

static int append_check_row(const sw_engine *engine, const sw_event_row *row, size_t index,
                            sw_error *err)
{
    int rc = sw__check_name(row->type, "type", index, err);
    if (rc == SW_OK && sw__event_type_reserved(row->type))
        return sw__fail_row(err, SW_EINVAL, index,
                            "type \"%.*s\" is one of the engine's: choose another first word",
                            SW__FMT(row->type));
    if (rc == SW_OK && row->expected_version < 0)
        return sw__fail_row(err, SW_EINVAL, index, "expected_version %lld is negative",
                            (long long)row->expected_version);
    if (rc == SW_OK)
        rc = append_check_texts(row, index, err);
    return rc == SW_OK ? sw__check_payload(row->data, engine->payload_max, "data", index, err) : rc;
}

static int append_check(const sw_engine *engine, const sw_event_row *rows, size_t count, int mode,
                        sw_result **out, sw_error *err)
{
    int rc = SW_OK;
    sw__error_clear(err);
    if (out)
        *out = NULL;
    if (!engine || !out)
        return sw__fail(err, SW_EINVAL, "engine or out is NULL");
    rc = sw__check_batch(rows, count, mode, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = append_check_row(engine, &rows[i], i, err);
    return rc;
}

/* Loading. */

static int append_alloc(append_batch *batch, sw_error *err)
{
    size_t count = batch->call->count;
    sw__arena *arena = batch->work->arena;
    batch->answers = sw__arena_array(batch->result->arena, count, sizeof *batch->answers);
    batch->task_nos = sw__arena_array(arena, count, sizeof *batch->task_nos);
    batch->known = sw__arena_array(arena, count, sizeof *batch->known);
    batch->fresh = sw__arena_array(arena, count, sizeof *batch->fresh);
    return batch->answers && batch->task_nos && batch->known && batch->fresh
               ? SW_OK
               : sw__fail(err, SW_ENOMEM, NULL);
}

static int append_load_tasks(append_batch *batch, sw_error *err)
{
    size_t count = batch->call->count;
    size_t found = 0;
    sw__work *work = batch->work;
    sw_uuid *ids = sw__arena_array(work->arena, count, sizeof *ids);
    int64_t *wanted = sw__arena_array(work->arena, count, sizeof *wanted);
    if (!ids || !wanted)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = batch->call->rows[i].task_id;
    sw__store *store = work->engine->store;
    int rc = store->ops->tasks_find(store, ids, count, batch->task_nos, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (batch->task_nos[i] > 0)
            wanted[found++] = batch->task_nos[i];
    }
    return rc == SW_OK ? sw__work_load_tasks(work, wanted, found, err) : rc;
}

/* The events that have the keys of the rows already. */
static int append_load_keys(append_batch *batch, sw_error *err)
{
    size_t asked = 0;
    sw__work *work = batch->work;
    const sw_event_row *rows = batch->call->rows;
    sw__event_rec *keys = sw__arena_array(work->arena, batch->call->count, sizeof *keys);
    if (!keys)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < batch->call->count; i++) {
        if (rows[i].key.len > 0 && batch->task_nos[i] > 0)
            keys[asked++] = (sw__event_rec){.task_no = batch->task_nos[i], .key = rows[i].key};
    }
    sw__store *store = work->engine->store;
    int rc = store->ops->events_find(store, keys, asked, err);
    asked = 0;
    for (size_t i = 0; rc == SW_OK && i < batch->call->count; i++) {
        if (rows[i].key.len > 0 && batch->task_nos[i] > 0)
            batch->known[i].entry_no = keys[asked++].entry_no;
    }
    return rc;
}

/* One row. */

static int append_check_task(append_batch *batch, const sw__work_task *task, sw_error *err)
{
    sw__task_info info;
    sw__store *store = batch->work->engine->store;
    if (!sw_task_state_terminal(task->row.state))
        return SW_OK; /* what has not ended is not erased */
    int rc = store->ops->tasks_info(store, &task->row.task_no, 1, batch->work->arena, &info, err);
    SW__PROBE_IF(EVENT_ERASED, rc == SW_OK && sw__task_erased(&info));
    if (rc == SW_OK && sw__task_erased(&info))
        rc = sw__fail(err, SW_ESTATE, "the payloads of the task were erased");
    return rc;
}

static int append_find_step(const sw__work_task *task, sw_str name, int64_t *step_id, sw_error *err)
{
    const sw_workflow *workflow = task->plan->workflow;
    *step_id = 0;
    if (name.len == 0)
        return SW_OK;
    for (size_t i = 0; i < workflow->step_count; i++) {
        if (sw__str_equal(workflow->steps[i].name, name)) {
            *step_id = SW__STEP_ID(task->row.task_no, i);
            return SW_OK;
        }
    }
    return sw__fail(err, SW_ESTATE, "workflow %.*s has no step \"%.*s\"", SW__FMT(workflow->name),
                    SW__FMT(name));
}

static sw_str append_scope(const append_batch *batch, size_t row)
{
    return sw__arena_format(batch->work->arena, "%lld:%.*s", (long long)batch->task_nos[row],
                            SW__FMT(batch->call->rows[row].key));
}

/* The event that has the key of a row: *found, or entry_no 0. */
static int append_find_key(append_batch *batch, size_t row, sw__event_rec *found, sw_error *err)
{
    *found = (sw__event_rec){0};
    if (batch->call->rows[row].key.len == 0 || SW__PLANT(EVENT_KEY_IGNORED))
        return SW_OK;
    sw__store *store = batch->work->engine->store;
    if (batch->known[row].entry_no > 0)
        return store->ops->events_get(store, &batch->known[row].entry_no, 1, batch->work->arena,
                                      found, err);
    sw_str scope = append_scope(batch, row);
    if (!scope.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    const int64_t *index = sw__strmap_find(&batch->fresh_keys, scope);
    SW__PROBE_IF(EVENT_TWIN, index);
    if (index)
        *found = batch->fresh[*index];
    return SW_OK;
}

static sw__event_rec append_record(const append_batch *batch, size_t row)
{
    const sw_event_row *asked = &batch->call->rows[row];
    return (sw__event_rec){
        .task_no = batch->task_nos[row],
        .type = asked->type,
        .key = asked->key.len > 0 ? asked->key : (sw_str){0},
        .correlation_id = asked->correlation_id.len > 0 ? asked->correlation_id : (sw_str){0},
        .body = sw__check_is_null(asked->data) ? (sw_str){0} : asked->data,
    };
}

static int append_duplicate(const sw__event_rec *found, const sw__event_rec *made,
                            sw_event_appended *answer, sw_error *err)
{
    bool same = sw__str_equal(found->type, made->type) && sw__str_equal(found->body, made->body) &&
                sw__str_equal(found->correlation_id, made->correlation_id);
    SW__PROBE_IF(EVENT_CONFLICT, !same);
    SW__PROBE_IF(EVENT_KNOWN, same);
    if (!same)
        return sw__fail(err, SW_ECONFLICT,
                        "event %lld has the key with another type, data or correlation id; use "
                        "another key",
                        (long long)found->entry_no);
    answer->status = SW_APPEND_DUPLICATE;
    answer->position = found->entry_no;
    return SW_OK;
}

static int append_seal(append_batch *batch, sw__event_rec *made, uint8_t digest[32], sw_error *err)
{
    sw_engine *engine = batch->work->engine;
    if (sw__rand_bytes(&engine->rand, made->salt, sizeof made->salt) < 0)
        return sw__fail(err, SW_EIO, "the system has no random bytes");
    return sw__event_digest(engine->hasher, made, digest) < 0 ? sw__fail(err, SW_ENOMEM, NULL)
                                                              : SW_OK;
}

static int append_keep(append_batch *batch, size_t row, const sw__event_rec *made, sw_error *err)
{
    batch->fresh[batch->fresh_count] = *made;
    if (made->key.ptr) {
        sw_str scope = append_scope(batch, row);
        if (!scope.ptr ||
            sw__strmap_put(&batch->fresh_keys, scope, (int64_t)batch->fresh_count) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    batch->fresh_count++;
    return SW_OK;
}

static int append_write(append_batch *batch, size_t row, sw__event_rec *made, int64_t step_id,
                        sw__work_task *task, sw_error *err)
{
    uint8_t digest[32];
    const sw_event_row *asked = &batch->call->rows[row];
    int rc = append_seal(batch, made, digest, err);
    if (rc < 0)
        return rc;
    const sw_audit_entry entry = {
        .kind = SW_AUDIT_EVENT,
        .step_id = step_id,
        .task_id = task->row.task_id,
        .step = asked->step.len > 0 ? asked->step : (sw_str){0},
        .actor = asked->actor,
        .reason = asked->reason,
        .subject = made->type,
        .digest = {(const char *)digest, sizeof digest},
    };
    rc = sw__work_note(batch->work, &entry, task, err);
    if (rc == SW_OK)
        rc = sw__audit_version(&batch->work->engine->audit, batch->work->engine->store, &task->row,
                               &made->entry_no, err);
    if (rc < 0)
        return rc;
    batch->answers[row].position = made->entry_no;
    batch->answers[row].version = made->entry_no;
    return SW__PLANT(EVENT_LOST) ? SW_OK : append_keep(batch, row, made, err);
}

static int append_check_version(const sw_event_row *asked, int64_t version, sw_error *err)
{
    if (asked->expected_version == 0 || asked->expected_version == version ||
        SW__PLANT(EVENT_VERSION_IGNORED))
        return SW_OK;
    SW__PROBE(EVENT_OUTDATED);
    return sw__fail(err, SW_EOUTDATED, "the task is at version %lld, not at %lld",
                    (long long)version, (long long)asked->expected_version);
}

static int append_row(append_batch *batch, size_t row, sw_error *err)
{
    sw__event_rec found;
    int64_t step_id = 0;
    const sw_event_row *asked = &batch->call->rows[row];
    sw_event_appended *answer = &batch->answers[row];
    sw_engine *engine = batch->work->engine;
    sw__work_task *task = sw__work_task_find(batch->work, batch->task_nos[row]);
    if (!task)
        return sw__fail(err, SW_ENOTFOUND, "there is no such task");
    int rc = sw__audit_version(&engine->audit, engine->store, &task->row, &answer->version, err);
    if (rc == SW_OK)
        rc = append_check_task(batch, task, err);
    if (rc == SW_OK)
        rc = append_find_step(task, asked->step, &step_id, err);
    if (rc == SW_OK)
        rc = append_find_key(batch, row, &found, err);
    if (rc < 0)
        return rc;
    sw__event_rec made = append_record(batch, row);
    if (found.entry_no > 0)
        return append_duplicate(&found, &made, answer, err);
    rc = append_check_version(asked, answer->version, err);
    return rc == SW_OK ? append_write(batch, row, &made, step_id, task, err) : rc;
}

/* The batch. */

static bool append_refused(int code)
{
    return code == SW_EOUTDATED || code == SW_ENOTFOUND || code == SW_ESTATE ||
           code == SW_ECONFLICT;
}

static int append_rows(append_batch *batch, sw_error *err)
{
    sw_error why;
    for (size_t i = 0; i < batch->call->count; i++) {
        sw_event_appended *answer = &batch->answers[i];
        int rc = append_row(batch, i, &why);
        if (rc == SW_OK)
            continue;
        if (!append_refused(rc))
            return sw__fail(err, rc, "%s", why.message);
        if (batch->call->mode == SW_BATCH_ALL_OR_NOTHING)
            return sw__fail_row(err, rc, i, "%s", why.message);
        answer->status = SW_APPEND_REFUSED;
        answer->code = rc;
        answer->message = sw__arena_str(batch->result->arena, sw__str(why.message));
    }
    return SW_OK;
}

static int append_flow(append_batch *batch, sw_error *err)
{
    sw__store *store = batch->work->engine->store;
    int rc = append_alloc(batch, err);
    if (rc == SW_OK)
        rc = append_load_tasks(batch, err);
    if (rc == SW_OK)
        rc = append_load_keys(batch, err);
    if (rc == SW_OK)
        rc = append_rows(batch, err);
    if (rc == SW_OK)
        rc = store->ops->events_put(store, batch->fresh, batch->fresh_count, err);
    if (rc == SW_OK && sw__arena_failed(batch->result->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    sw__result_set(batch->result, SW__APPENDED, batch->answers, batch->call->count);
    return rc;
}

static int append_fill(sw__work *work, sw_result *result, const void *context, sw_error *err)
{
    append_batch batch = {.work = work, .result = result, .call = context};
    sw__strmap_init(&batch.fresh_keys, work->engine->env);
    int rc = append_flow(&batch, err);
    sw__strmap_free(&batch.fresh_keys);
    return rc;
}

int sw_event_append(sw_engine *engine, const sw_event_row *rows, size_t count, int mode,
                    sw_result **out, sw_error *err)
{
    const append_call call = {.rows = rows, .count = count, .mode = mode};
    int rc = append_check(engine, rows, count, mode, out, err);
    return rc == SW_OK ? sw__group_answer(engine, append_fill, &call, out, err) : rc;
}
