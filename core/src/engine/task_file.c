/* A task file on this side: verifying its text, and opening it as an engine in memory. Not here:
 * what a file is (audit/task_file.h) and how one is made (task_export.c).
 *
 * The engine is an ordinary one whose store holds what the entries lead to: at the end of them, or
 * at the one that was asked for. Its clock goes on from that moment, and each entry is a segment of
 * its log under the number that it has in the log it is from.
 */
#include <stdio.h>
#include <string.h>

#include "audit/task_file.h"
#include "audit/trust.h"
#include "engine/arrival.h"
#include "engine/past.h"
#include "engine/query.h"

/* Verifying. */

typedef struct arrival_doubt {
    sw_str source;
    sw_str text;
    const sw_audit_trust *trust;
    sw_audit_report *report;
} arrival_doubt;

static int arrival_read(sw__arena *arena, sw_str source, sw_str text, sw__task_file *file,
                        sw_error *err)
{
    int rc = sw__task_file_read(arena, source, text, file, err);
    if (rc < 0)
        return rc;
    file->task_no = sw__task_file_number(file);
    return file->task_no > 0 ? SW_OK
                             : sw__fail(err, SW_EAUDIT,
                                        "the entries are of more than one task: one of them was "
                                        "put in from elsewhere");
}

static int arrival_verify(sw_result *result, sw__hasher *hasher, void *context, sw_error *err)
{
    sw__task_file file;
    const arrival_doubt *doubt = context;
    sw_audit_report *report = doubt->report;
    *report = (sw_audit_report){.size = report->size};
    int rc = arrival_read(result->arena, doubt->source, doubt->text, &file, err);
    if (rc == SW_EAUDIT && err)
        snprintf(report->message, sizeof(report->message), "%s", err->message);
    if (rc == SW_OK)
        rc = sw__task_file_check(result->arena, hasher, &file, doubt->trust, report, err);
    sw_workflow_free(file.workflow);
    return rc;
}

int sw_task_file_verify(sw_str source, sw_str text, const sw_audit_trust *trust,
                        sw_audit_report *report, sw_error *err)
{
    sw_error own;
    arrival_doubt doubt = {source, text, trust, report};
    sw_result *result = NULL;
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_AUDIT_REPORT_INIT");
    int rc = trust ? sw__trust_given(trust, err) : SW_OK;
    if (rc == SW_OK)
        rc = sw__query_apart(sw_env_system(), arrival_verify, &doubt, &result, err ? err : &own);
    sw_result_free(result);
    return rc;
}

/* Opening. */

/* The moment: where the clock of the engine stands. */
static int arrival_moment(sw__arrival *call, int64_t entry_no, sw_error *err)
{
    const sw__task_file *file = call->file;
    int64_t last = file->entries[file->entry_count - 1].entry.entry_no;
    if (entry_no > last)
        return sw__fail(err, SW_ENOTFOUND, "the last entry of the file is %lld, not %lld",
                        (long long)last, (long long)entry_no);
    int rc =
        sw__file_play_open(&call->play, call->arena, call->engine->hasher, file, entry_no, err);
    if (rc == SW_EAUDIT)
        return sw__fail(err, SW_ENOTFOUND, "the task was submitted after entry %lld",
                        (long long)entry_no);
    if (rc < 0)
        return rc;
    call->is_past = call->play.played < file->entry_count;
    call->now_us = file->entries[call->play.played - 1].entry.time_us;
    if (!call->is_past && file->unsealed.exported_us > call->now_us)
        call->now_us = file->unsealed.exported_us;
    return SW_OK;
}

/* Before anything else, so that all else happens at that moment. */
static int arrival_anchor(sw__arrival *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    const sw_env *env = call->engine->env;
    sw__anchor anchor = {.boot_us = env->clock_boot_us(env->context), .base_us = call->now_us};
    env->boot_id(env->context, anchor.boot_id);
    int rc = store->ops->begin(store, true, err);
    if (rc < 0)
        return rc;
    rc = store->ops->anchor_put(store, &anchor, err);
    if (rc == SW_OK)
        return store->ops->commit(store, err);
    store->ops->rollback(store);
    return rc;
}

/* How long the steps really took, for forecasts at a moment that is past. */
static int arrival_record(sw__arrival *call, sw_error *err)
{
    sw__past_times times;
    sw__past_reading reading;
    sw_engine *engine = call->engine;
    const sw__task_file *file = call->file;
    size_t size = sizeof(*engine->recording) + file->step_count * sizeof(int64_t);
    if (!call->is_past)
        return SW_OK;
    int rc = sw__past_begin(&reading, call->arena, file->workflow, &times);
    engine->recording = sw__calloc(engine->env, 1, size);
    if (rc < 0 || !engine->recording)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = file->entry_count; i > 0; i--)
        sw__past_note(&reading, &file->entries[i - 1].entry);
    sw__past_end(&reading);
    sw__past_fill(&times, file->step_count);
    memcpy(engine->recording->took_us, times.took_us, file->step_count * sizeof(int64_t));
    engine->recording->task = (sw__past_task){
        .workflow = sw__workflow_keep(file->workflow),
        .took_us = engine->recording->took_us,
        .whole_us = file->task.changed_us > file->task.started_us
                        ? file->task.changed_us - file->task.started_us
                        : 0,
        .state = file->task.state,
        .peak = times.peak,
    };
    return SW_OK;
}

static int arrival_settle(sw__arrival *call, int64_t entry_no, sw_error *err)
{
    sw__work work;
    int rc = arrival_moment(call, entry_no, err);
    if (rc == SW_OK)
        rc = arrival_record(call, err);
    if (rc == SW_OK)
        rc = arrival_anchor(call, err);
    if (rc == SW_OK)
        rc = sw__work_begin(&work, call->engine, err);
    return rc == SW_OK ? sw__work_end(&work, sw__arrival_fill(call, &work, err), err) : rc;
}

static int arrival_open(const sw_task_file_options *options, sw_str text, sw__arena *arena,
                        sw_engine *engine, sw_error *err)
{
    sw__task_file file;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw__arrival call = {.engine = engine, .arena = arena, .file = &file};
    int rc = arrival_read(arena, options->source, text, &file, err);
    if (rc == SW_OK)
        rc = sw__task_file_check(arena, engine->hasher, &file, NULL, &report, err);
    if (rc == SW_OK)
        rc = arrival_settle(&call, options->entry_no, err);
    if (call.play.replay.arena)
        sw__file_play_close(&call.play);
    sw_workflow_free(file.workflow);
    return rc;
}

static int arrival_check(const sw_task_file_options *options, sw_engine **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    if (!options || options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "options must start with SW_TASK_FILE_OPTIONS_INIT");
    if (options->entry_no < 0)
        return sw__fail(err, SW_EINVAL, "entries are numbered from 1");
    return SW_OK;
}

int sw_task_file_open(const sw_task_file_options *options, sw_str text, sw_engine **out,
                      sw_error *err)
{
    sw_engine *engine = NULL;
    sw_engine_options open = SW_ENGINE_OPTIONS_INIT;
    int rc = arrival_check(options, out, err);
    if (rc < 0)
        return rc;
    open.store = sw__str("memory:");
    open.env = options->env;
    open.log = options->log;
    rc = sw_engine_open(&open, &engine, err);
    if (rc < 0)
        return rc;
    sw__arena *arena = sw__arena_new(engine->env);
    rc = arena ? arrival_open(options, text, arena, engine, err) : sw__fail(err, SW_ENOMEM, NULL);
    sw__arena_free(arena);
    if (rc < 0)
        sw_engine_close(engine);
    else
        *out = engine;
    return rc;
}
