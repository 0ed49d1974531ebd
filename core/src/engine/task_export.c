/* A task as a file: what the store has of it, with a proof for each entry. Not here: the text of a
 * file (audit/task_file_write.c) and what becomes of it (task_file.c).
 *
 * Rows are written as the entries have them, and compared with those of the store first, so that a
 * file is never made of a task that does not verify.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/leaves.h"
#include "audit/segment.h"
#include "audit/task_file.h"
#include "base/file.h"
#include "engine/parcel.h"
#include "engine/query.h"

/* Rows and entries of the task. */

static int parcel_load(sw__parcel *call, const sw_uuid *task_id, sw_error *err)
{
    sw_engine *engine = call->engine;
    sw__store *store = engine->store;
    int rc = sw__query_task(engine, task_id, &call->hot, &call->plan, err);
    if (rc == SW_OK)
        rc = sw__query_steps(engine, call->arena, &call->hot, call->plan, &call->rows, err);
    if (rc == SW_OK)
        rc = store->ops->tasks_info(store, &call->hot.task_no, 1, call->arena, &call->info, err);
    if (rc == SW_OK)
        rc = sw__audit_read_task(store, &call->hot, call->arena, &call->entries, &call->entry_count,
                                 err);
    if (rc == SW_OK)
        rc = sw__engine_now(engine, false, &call->file.unsealed.exported_us, err);
    if (rc < 0)
        return rc;
    if (call->info.task_no == 0)
        return sw__fail(err, SW_ECORRUPT, "task %lld has no description",
                        (long long)call->hot.task_no);
    if (call->entry_count == 0)
        return sw__fail(err, SW_EAUDIT, "the audit log has no entry of the task");
    call->file.task_id = call->hot.task_id;
    call->file.task_no = call->hot.task_no;
    call->file.workflow = sw__workflow_keep(call->plan->workflow);
    call->file.step_count = call->plan->workflow->step_count;
    return SW_OK;
}

/* The entries of its definition and its workers, found by going through the log once. */

static int parcel_keep_other(sw__parcel *call, const sw_audit_entry *entry)
{
    sw_audit_entry copy = *entry;
    copy.step = sw__arena_str(call->arena, entry->step);
    copy.actor = sw__arena_str(call->arena, entry->actor);
    copy.reason = sw__arena_str(call->arena, entry->reason);
    copy.subject = sw__arena_str(call->arena, entry->subject);
    copy.digest = sw__arena_str(call->arena, entry->digest);
    if (entry->kind == SW_AUDIT_WORKFLOW_REGISTERED)
        call->registered = copy;
    else
        sw__buf_put(&call->others, &copy, sizeof(copy));
    return call->others.failed ? SW_ENOMEM : SW_OK;
}

static bool parcel_wants(const sw__parcel *call, const sw_audit_entry *entry)
{
    switch (entry->kind) {
    case SW_AUDIT_WORKFLOW_REGISTERED:
        return entry->entry_no < call->entries[0].entry_no && entry->digest.ptr &&
               memcmp(entry->digest.ptr, call->plan->workflow->digest, 32) == 0;
    case SW_AUDIT_WORKER_OPENED:
    case SW_AUDIT_WORKER_CLOSED:
    case SW_AUDIT_WORKER_LOST:
        return sw__map_find(&call->workers, entry->worker_id) != NULL;
    default:
        return false;
    }
}

/* Only entries that are not about a task are decoded. */
static int parcel_visit(void *context, const sw__segment *segment, sw_error *err)
{
    sw__body body;
    sw_str bytes;
    sw__parcel *call = context;
    int64_t place = 0, other = 0;
    if (segment->entry_first > call->entries[call->entry_count - 1].entry_no)
        return 1;
    bool good = sw__body_open(&body, segment->body);
    for (int64_t i = 0; good && i < body.task_count; i++)
        good = sw__body_task(&body, &place, &other);
    for (int64_t i = 0; good && i < segment->entry_count; i++) {
        sw_audit_entry entry;
        const char *why = NULL;
        good = sw__body_bytes(&body, &place, &bytes);
        if (!good || place > 0)
            continue;
        if (!sw__entry_decode(bytes, &entry, &why))
            return sw__fail(err, SW_EAUDIT, "an entry of segment %lld cannot be read: %s",
                            (long long)segment->segment_no, why);
        if (parcel_wants(call, &entry) && parcel_keep_other(call, &entry) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    return good ? SW_OK
                : sw__fail(err, SW_EAUDIT, "segment %lld of the audit log cannot be read: %s",
                           (long long)segment->segment_no, body.wire.why);
}

static int parcel_others(sw__parcel *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    for (size_t i = 0; i < call->entry_count; i++) {
        if (call->entries[i].worker_id != 0 &&
            sw__map_put(&call->workers, call->entries[i].worker_id, 1) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    int rc = store->ops->segments_each(store, 1, parcel_visit, call, err);
    if (rc == SW_OK && call->registered.entry_no > 0)
        sw__buf_put(&call->others, &call->registered, sizeof(call->registered));
    return rc == SW_OK && call->others.failed ? sw__fail(err, SW_ENOMEM, NULL) : rc;
}

static int parcel_by_number(const void *a, const void *b)
{
    const sw__file_entry *left = a;
    const sw__file_entry *right = b;
    return (left->entry.entry_no > right->entry.entry_no) -
           (left->entry.entry_no < right->entry.entry_no);
}

static int parcel_encode(sw__parcel *call, const sw_audit_entry *entry, sw__buf *bytes,
                         sw__file_entry *out, sw_error *err)
{
    sw__buf_clear(bytes);
    int rc = sw__entry_encode(bytes, entry, err);
    *out = (sw__file_entry){.entry = *entry};
    out->bytes = sw__arena_str(call->arena, sw__buf_str(bytes));
    return rc == SW_OK && !out->bytes.ptr ? sw__fail(err, SW_ENOMEM, NULL) : rc;
}

/* All of them in one list. */
static int parcel_merge(sw__parcel *call, sw_error *err)
{
    sw__buf bytes;
    const sw_audit_entry *others = (const sw_audit_entry *)(const void *)call->others.ptr;
    size_t other_count = call->others.len / sizeof(*others);
    sw__task_file *file = &call->file;
    file->entry_count = call->entry_count + other_count;
    file->entries = sw__arena_array(call->arena, file->entry_count, sizeof(*file->entries));
    if (!file->entries)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = SW_OK;
    sw__buf_init(&bytes, call->engine->env);
    for (size_t i = 0; rc == SW_OK && i < file->entry_count; i++)
        rc = parcel_encode(
            call, i < call->entry_count ? &call->entries[i] : &others[i - call->entry_count],
            &bytes, &file->entries[i], err);
    sw__buf_free(&bytes);
    qsort(file->entries, file->entry_count, sizeof(*file->entries), parcel_by_number);
    return rc;
}

/* Proofs. */

typedef struct parcel_walk {
    sw__parcel *call;
    sw__tree tree;
    sw__tree_wish wish;
    sw__leaves leaves;
} parcel_walk;

static int parcel_stop(void *context, int64_t index, sw_str entry, sw_error *err)
{
    const parcel_walk *walk = context;
    (void)entry;
    (void)err;
    return index == walk->call->file.log_count;
}

/* What the proofs lead to; the root of a log without a checkpoint comes out of the walk. */
static int parcel_target(sw__parcel *call, sw_str checkpoint, sw__checkpoint *row, sw_error *err)
{
    sw__segment last;
    sw__task_file *file = &call->file;
    int rc = sw__segment_newest(call->engine->store, &last, err);
    if (rc < 0)
        return rc;
    file->log_count = last.entry_first + last.entry_count - 1;
    if (!checkpoint.ptr)
        return SW_OK;
    if (!sw__checkpoint_peek(checkpoint, row))
        return sw__fail(err, SW_EINVAL, "the text is no checkpoint");
    if (row->size > file->log_count)
        return sw__fail(err, SW_EAUDIT, "the log holds %lld entries, the checkpoint is of %lld",
                        (long long)file->log_count, (long long)row->size);
    if (row->size < call->entries[0].entry_no)
        return sw__fail(err, SW_EINVAL, "the checkpoint is older than the task");
    file->log_count = row->size;
    file->checkpoint = checkpoint;
    return SW_OK;
}

static int parcel_proof(parcel_walk *walk, size_t index, sw_error *err)
{
    sw__tree_proof proof;
    sw__file_entry *entry = &walk->call->file.entries[index];
    if (entry->entry.entry_no > walk->call->file.log_count)
        return SW_OK;
    int rc = sw__tree_wish_proof(&walk->wish, walk->leaves.hasher, (int32_t)index, &proof);
    entry->hashes = rc < 0 ? NULL : sw__arena_array(walk->call->arena, (size_t)proof.count, 32);
    if (!entry->hashes)
        return sw__fail(err, SW_ENOMEM, NULL);
    entry->proved = true;
    entry->hash_count = proof.count;
    memcpy(entry->hashes, proof.hashes, (size_t)proof.count * 32);
    return SW_OK;
}

static int parcel_walk_log(parcel_walk *walk, const sw__checkpoint *target, sw_error *err)
{
    sw__task_file *file = &walk->call->file;
    for (size_t i = 0; i < file->entry_count; i++) {
        int64_t number = file->entries[i].entry.entry_no;
        if (number <= file->log_count &&
            sw__tree_wish_inclusion(&walk->wish, (int32_t)i, number - 1, file->log_count) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
    }
    int rc = sw__leaves_walk(&walk->leaves, walk->call->engine->store, err);
    if (rc < 0)
        return rc;
    if (walk->tree.size != file->log_count)
        return sw__fail(err, SW_EAUDIT, "the audit log ends before its newest segment");
    if (sw__tree_root(&walk->tree, walk->leaves.hasher, file->root) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (file->checkpoint.ptr && memcmp(file->root, target->root, sizeof(file->root)) != 0)
        return sw__fail(err, SW_EAUDIT, "the log is not the one that the checkpoint is of");
    for (size_t i = 0; rc == SW_OK && i < file->entry_count; i++)
        rc = parcel_proof(walk, i, err);
    return rc;
}

static int parcel_prove(sw__parcel *call, sw_str checkpoint, sw_error *err)
{
    sw__checkpoint target = {0};
    parcel_walk walk = {.call = call};
    walk.leaves = (sw__leaves){.tree = &walk.tree,
                               .hasher = call->engine->hasher,
                               .wish = &walk.wish,
                               .visit = parcel_stop,
                               .context = &walk};
    sw__tree_wish_init(&walk.wish, call->engine->env);
    int rc = parcel_target(call, checkpoint, &target, err);
    if (rc == SW_OK)
        rc = parcel_walk_log(&walk, &target, err);
    sw__tree_wish_free(&walk.wish);
    return rc;
}

/* Rows, as the entries have them, with the payloads of the store. */

static int parcel_compare(const sw__parcel *call, const sw__file_play *play, sw_error *err)
{
    bool same = play->row.state == call->hot.state;
    for (size_t i = 0; same && i < call->file.step_count; i++) {
        const sw__step_hot *row = &call->rows[i];
        const sw__file_step *step = &play->steps[i];
        same = row->state == step->state && row->attempt == step->attempt &&
               row->epoch == step->epoch && row->crashes == step->crashes;
    }
    return same ? SW_OK
                : sw__fail(err, SW_EAUDIT,
                           "the rows of the task are not what the audit log says; "
                           "verify the log");
}

/* What was sealed and is gone is in the file as its digest, if it was erased. */
static void parcel_payload(sw__file_payload *sealed, int64_t epoch, const uint8_t salt[32],
                           const sw_str *parts, size_t part_count, bool present)
{
    if (!present)
        return;
    *sealed = (sw__file_payload){.form = SW__FILE_KEPT, .epoch = epoch};
    memcpy(sealed->salt, salt, sizeof(sealed->salt));
    for (size_t i = 0; i < part_count; i++)
        sealed->parts[i] = parts[i];
}

static int parcel_payloads(sw__parcel *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    size_t count = call->file.step_count;
    int64_t *ids = sw__arena_array(call->arena, count, sizeof(*ids));
    sw__payload *results = sw__arena_array(call->arena, count, sizeof(*results));
    sw__failure *failures = sw__arena_array(call->arena, count, sizeof(*failures));
    if (!ids || !results || !failures)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++)
        ids[i] = call->rows[i].step_id;
    int rc = store->ops->results_get(store, ids, count, call->arena, results, err);
    if (rc == SW_OK)
        rc = store->ops->failures_get(store, ids, count, call->arena, failures, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__failure *failure = &failures[i];
        const sw_str parts[] = {failure->error_class, failure->message, failure->detail};
        parcel_payload(&call->file.steps[i].result, 0, results[i].salt, &results[i].body, 1,
                       results[i].body.ptr != NULL);
        parcel_payload(&call->file.steps[i].error, failure->epoch, failure->salt, parts,
                       SW__FILE_PARTS, failure->epoch > 0);
    }
    parcel_payload(&call->file.input, 0, call->info.input_salt, &call->info.input, 1,
                   call->info.input.ptr != NULL);
    return rc;
}

/* Appended events; play is over, what they sealed is in events. */
static int parcel_events(sw__parcel *call, const sw__file_payload *events, sw_error *err)
{
    size_t count = 0;
    sw__store *store = call->engine->store;
    sw__task_file *file = &call->file;
    int64_t *numbers = sw__arena_array(call->arena, file->entry_count, sizeof(*numbers));
    sw__event_rec *rows = sw__arena_array(call->arena, file->entry_count, sizeof(*rows));
    if (!numbers || !rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < file->entry_count; i++) {
        file->entries[i].event = events[i];
        if (file->entries[i].entry.kind == SW_AUDIT_EVENT)
            numbers[count++] = file->entries[i].entry.entry_no;
    }
    int rc = store->ops->events_get(store, numbers, count, call->arena, rows, err);
    for (size_t i = 0, row = 0; rc == SW_OK && i < file->entry_count; i++) {
        if (file->entries[i].entry.kind != SW_AUDIT_EVENT)
            continue;
        const sw__event_rec *from = &rows[row++];
        const sw_str parts[] = {from->body, from->key, from->correlation_id};
        parcel_payload(&file->entries[i].event, 0, from->salt, parts, SW__FILE_PARTS, from->kept);
    }
    return rc;
}

static int parcel_rows(sw__parcel *call, sw_error *err)
{
    sw__file_play play;
    int rc = sw__file_play_open(&play, call->arena, call->engine->hasher, &call->file, 0, err);
    if (rc == SW_EAUDIT)
        rc = sw__fail(err, SW_EAUDIT, "the history of the task does not hold together: %s",
                      play.replay.doubt.message);
    if (rc == SW_OK)
        rc = parcel_compare(call, &play, err);
    call->file.task = play.row;
    call->file.input = play.input;
    call->file.steps = play.steps;
    sw__file_play_close(&play);
    if (rc == SW_OK)
        rc = parcel_payloads(call, err);
    return rc == SW_OK ? parcel_events(call, play.events, err) : rc;
}

/* The text. */

static int parcel_text(sw__parcel *call, sw_result *result, sw_error *err)
{
    sw__buf text;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_task_file *row = sw__arena_alloc(result->arena, sizeof(*row));
    int rc = row ? sw__task_file_check(call->arena, call->engine->hasher, &call->file, NULL,
                                       &report, err)
                 : sw__fail(err, SW_ENOMEM, NULL);
    sw__buf_init(&text, call->engine->env);
    if (rc == SW_OK)
        rc = sw__task_file_write(&text, &call->file, err);
    if (rc == SW_OK) {
        row->task_id = call->file.task_id;
        row->entry_count = (int64_t)call->file.entry_count;
        for (size_t i = 0; i < call->file.entry_count; i++)
            row->proved_count += call->file.entries[i].proved;
        row->log_count = call->file.log_count;
        row->is_signed = call->file.checkpoint.ptr != NULL;
        row->text = sw__arena_str(result->arena, sw__buf_str(&text));
        sw__result_set(result, SW__TASK_FILES, row, 1);
    }
    sw__buf_free(&text);
    return rc;
}

typedef struct parcel_ask {
    const sw_uuid *task_id;
    sw_str checkpoint;
} parcel_ask;

static int parcel_flow(sw__parcel *call, const parcel_ask *ask, sw_result *result, sw_error *err)
{
    int rc = parcel_load(call, ask->task_id, err);
    if (rc == SW_OK)
        rc = parcel_others(call, err);
    if (rc == SW_OK)
        rc = parcel_merge(call, err);
    if (rc == SW_OK)
        rc = parcel_prove(call, ask->checkpoint, err);
    if (rc == SW_OK)
        rc = parcel_rows(call, err);
    if (rc == SW_OK)
        rc = sw__parcel_unsealed(call, err);
    if (rc == SW_OK && sw__arena_failed(call->arena))
        rc = sw__fail(err, SW_ENOMEM, NULL);
    return rc == SW_OK ? parcel_text(call, result, err) : rc;
}

static int parcel_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__parcel call = {.engine = engine, .arena = sw__arena_new(engine->env)};
    if (!call.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__map_init(&call.workers, engine->env);
    sw__buf_init(&call.others, engine->env);
    int rc = parcel_flow(&call, context, result, err);
    sw_workflow_free(call.file.workflow);
    sw__buf_free(&call.others);
    sw__map_free(&call.workers);
    sw__arena_free(call.arena);
    return rc;
}

/* Without the lock: the text is there. */
static int parcel_save(sw_engine *engine, sw_str path, sw_result *result, sw_error *err)
{
    sw_str name = sw__arena_str(result->arena, path);
    if (!name.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    return sw__file_replace(engine->env, name.ptr, 0666, sw_task_files(result, NULL)->text, err);
}

int sw_task_export(sw_engine *engine, const sw_uuid *task_id, sw_str checkpoint, sw_str path,
                   sw_result **out, sw_error *err)
{
    const parcel_ask ask = {task_id, checkpoint};
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    if (path.ptr && (path.len == 0 || memchr(path.ptr, '\0', path.len)))
        return sw__fail(err, SW_EINVAL, "the path of the file is empty or holds a zero byte");
    int rc = sw__query(engine, parcel_fill, &ask, out, err);
    if (rc < 0 || !path.ptr)
        return rc;
    rc = parcel_save(engine, path, *out, err);
    if (rc < 0) {
        sw_result_free(*out);
        *out = NULL;
    }
    return rc;
}
