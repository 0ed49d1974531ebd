/* The rows of a task that comes from a file; see arrival.h. Not here: reading the file and the
 * moment that is asked for (task_file.c).
 *
 * All follows from the entries up to the moment, but for what no entry seals: that is believed, and
 * of a moment that is past it is not known.
 */
#include "engine/arrival.h"

#include <string.h>

#include "audit/segment.h"
#include "engine/breaker.h"
#include "engine/heartbeat.h"
#include "model/trigger.h"

/* The definition, with its lines and breakers. */
static int arrival_define(sw__arrival *call, sw__work *work, sw_error *err)
{
    sw_engine *engine = call->engine;
    sw__store *store = engine->store;
    const sw_workflow *workflow = call->file->workflow;
    sw__workflow_rec record = {.name = workflow->name,
                               .version = workflow->version,
                               .json = workflow->json,
                               .registered_us = call->play.row.created_us};
    memcpy(record.digest, workflow->digest, sizeof record.digest);
    int rc = store->ops->sequence_take(store, SW__SEQUENCE_WORKFLOW, 1, &record.workflow_no, err);
    if (rc == SW_OK)
        rc = store->ops->workflows_put(store, &record, 1, err);
    if (rc == SW_OK)
        rc = sw__catalog_lanes_add(&engine->catalog, store, workflow, err);
    if (rc == SW_OK)
        rc = sw__breaker_register(work, workflow, err);
    if (rc == SW_OK)
        rc = sw__catalog_adopt(&engine->catalog, store, record.workflow_no, workflow, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, store, record.workflow_no, &call->plan, err);
    return rc;
}

static const sw_breaker_row *arrival_breaker(const sw__arrival *call, sw_str name)
{
    const sw__file_unsealed *rest = &call->file->unsealed;
    for (size_t i = 0; i < rest->breaker_count; i++) {
        if (sw__str_equal(rest->breakers[i].settings.name, name))
            return &rest->breakers[i];
    }
    return NULL;
}

/* Breakers stand as they did at the export; what they were before, the file does not say. */
static int arrival_breakers(const sw__arrival *call, sw_error *err)
{
    size_t count = 0;
    sw__breaker_rec *recs = NULL;
    sw__store *store = call->engine->store;
    int rc = store->ops->breakers_list(store, call->arena, &recs, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw_breaker_row *row = arrival_breaker(call, recs[i].row.settings.name);
        sw_breaker_settings settings = recs[i].row.settings;
        if (row)
            recs[i].row = *row;
        recs[i].row.settings = settings;
    }
    return rc == SW_OK ? store->ops->breakers_put(store, recs, count, err) : rc;
}

/* Rows. */

static void arrival_fill_task(sw__arrival *call)
{
    const sw__task_file *file = call->file;
    const sw__file_task *row = &call->play.row;
    call->hot = (sw__task_hot){
        .task_no = file->task_no,
        .workflow_no = call->plan->workflow_no,
        .task_id = file->task_id,
        .state = row->state,
        .priority = file->unsealed.priority,
        .audit_segment = (int64_t)call->play.played,
        .created_us = row->created_us,
        .started_us = row->started_us,
        .changed_us = row->changed_us,
        .deadline_us = file->unsealed.deadline_us,
    };
    for (size_t i = 0; i < file->step_count; i++) {
        int state = call->play.steps[i].state;
        call->hot.counts[state]++;
        call->hot.fatal += state == SW_STEP_FAILED &&
                           call->plan->workflow->steps[i].on_failure != SW_ON_FAILURE_CONTINUE;
    }
}

/* Payloads that were erased are gone at every moment before it, too. */
static bool arrival_erased(const sw__task_file *file)
{
    for (size_t i = 0; i < file->entry_count; i++) {
        if (file->entries[i].entry.kind == SW_AUDIT_TASK_ERASED)
            return true;
    }
    return false;
}

static int arrival_put_task(sw__arrival *call, sw_error *err)
{
    int64_t first = 0;
    sw__store *store = call->engine->store;
    const sw__task_file *file = call->file;
    sw__task_info info = {
        .task_no = file->task_no,
        .key = file->unsealed.key,
        .initiator = call->play.row.initiator,
        .reason = call->play.row.reason,
        .correlation_id = file->unsealed.correlation_id,
        .tags = file->unsealed.tags,
    };
    if (file->input.form == SW__FILE_KEPT) {
        info.input = file->input.parts[0];
        memcpy(info.input_salt, file->input.salt, sizeof info.input_salt);
    }
    if (arrival_erased(file))
        memcpy(info.input_salt, sw__salt_erased, sizeof info.input_salt);
    arrival_fill_task(call);
    int rc = store->ops->sequence_take(store, SW__SEQUENCE_TASK, file->task_no, &first, err);
    return rc == SW_OK ? store->ops->tasks_insert(store, &call->hot, &info, 1, err) : rc;
}

static sw__tally arrival_tally(const sw__arrival *call, size_t index)
{
    sw__tally tally = {0};
    const sw_workflow_step *steps = call->plan->workflow->steps;
    for (size_t i = 0; i < steps[index].after_count; i++) {
        int32_t from = steps[index].after[i];
        sw__tally_add(
            &tally, sw__trigger_effect(&steps[index], &steps[from], call->play.steps[from].state));
    }
    return tally;
}

/* In a forged file a step may wait for nothing; then it waits for ever. */
static int32_t arrival_at_least_0(int32_t number)
{
    return number > 0 ? number : 0;
}

/* Where a step stands in line, which follows from its state but for the time of a retry. */
static void arrival_place(const sw__arrival *call, size_t index, sw__step_hot *row)
{
    const sw_workflow_step *step = &call->plan->workflow->steps[index];
    int64_t not_before_us = call->is_past ? 0 : call->file->steps[index].not_before_us;
    sw__tally tally = arrival_tally(call, index);
    switch (row->state) {
    case SW_STEP_PENDING:
        row->open_deps = arrival_at_least_0(sw__trigger_needed(step) - tally.counted);
        row->rank = tally.lost < sw__trigger_spare(step) ? tally.lost : sw__trigger_spare(step);
        break;
    case SW_STEP_READY:
        row->lane = not_before_us > call->now_us ? SW__LANE_TIMER : call->plan->lanes[index];
        row->rank = not_before_us > call->now_us ? not_before_us
                                                 : -((int64_t)call->hot.priority + step->priority);
        break;
    case SW_STEP_RUNNING:
        row->lane = -call->play.steps[index].worker_id;
        row->rank = sw__heartbeat_due(step, row, row->changed_us);
        break;
    case SW_STEP_FAILED:
        if (sw__trigger_is_well(step, SW_STEP_FAILED))
            break;
        row->lane = SW__LANE_DEAD;
        row->rank = -row->changed_us;
        break;
    default:
        break;
    }
}

static int arrival_put_steps(sw__arrival *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    size_t count = call->file->step_count;
    sw__step_hot *rows = sw__arena_array(call->arena, count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        const sw__file_step *step = &call->play.steps[i];
        rows[i] = (sw__step_hot){
            .step_id = SW__STEP_ID(call->file->task_no, i),
            .state = step->state,
            .attempt = step->attempt,
            .crashes = step->crashes,
            .epoch = step->epoch,
            .changed_us = step->changed_us,
        };
        arrival_place(call, i, &rows[i]);
    }
    return store->ops->steps_insert(store, rows, count, err);
}

/* The payloads that were there at the moment: sealed by then, and in the file. */
static int arrival_put_payloads(sw__arrival *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    sw__hasher *hasher = call->engine->hasher;
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < call->file->step_count; i++) {
        const sw__file_step *kept = &call->file->steps[i];
        const sw__file_step *sealed = &call->play.steps[i];
        int64_t step_id = SW__STEP_ID(call->file->task_no, i);
        sw__payload result = {.step_id = step_id, .body = kept->result.parts[0]};
        sw__failure failure = {.step_id = step_id,
                               .epoch = kept->error.epoch,
                               .error_class = kept->error.parts[0],
                               .message = kept->error.parts[1],
                               .detail = kept->error.parts[2]};
        memcpy(result.salt, kept->result.salt, sizeof result.salt);
        memcpy(failure.salt, kept->error.salt, sizeof failure.salt);
        if (kept->result.form == SW__FILE_KEPT && sealed->result.form != SW__FILE_NONE &&
            sw__file_payload_sealed(hasher, &kept->result, 1, &sealed->result) == 1)
            rc = store->ops->results_put(store, &result, 1, err);
        if (rc == SW_OK && kept->error.form == SW__FILE_KEPT &&
            sealed->error.form != SW__FILE_NONE &&
            sw__file_payload_sealed(hasher, &kept->error, SW__FILE_PARTS, &sealed->error) == 1)
            rc = store->ops->failures_put(store, &failure, 1, err);
    }
    return rc;
}

/* The events that had been appended by the moment. */
static int arrival_put_events(sw__arrival *call, sw_error *err)
{
    int rc = SW_OK;
    sw__store *store = call->engine->store;
    for (size_t i = 0; rc == SW_OK && i < call->play.played; i++) {
        const sw__file_entry *from = &call->file->entries[i];
        sw__event_rec row = {.entry_no = from->entry.entry_no,
                             .task_no = call->file->task_no,
                             .type = from->entry.subject,
                             .body = from->event.parts[0],
                             .key = from->event.parts[1],
                             .correlation_id = from->event.parts[2],
                             .kept = from->event.form == SW__FILE_KEPT};
        memcpy(row.salt, from->event.salt, sizeof row.salt);
        if (from->entry.kind == SW_AUDIT_EVENT)
            rc = store->ops->events_put(store, &row, 1, err);
    }
    return rc;
}

static int arrival_put_deadlines(sw__arrival *call, sw_error *err)
{
    sw__store *store = call->engine->store;
    const sw__task_file *file = call->file;
    bool ended = sw_task_state_terminal(call->hot.state);
    sw__deadline row = {SW__DEADLINE_TASK(file->task_no), file->unsealed.deadline_us};
    int rc = SW_OK;
    if (!ended && row.due_us > call->now_us)
        rc = store->ops->deadlines_put(store, &row, 1, err);
    for (size_t i = 0; rc == SW_OK && !call->is_past && i < file->step_count; i++) {
        row = (sw__deadline){SW__STEP_ID(file->task_no, i), file->steps[i].fails_us};
        if (row.due_us > 0 && !sw_step_state_terminal(call->play.steps[i].state) &&
            call->plan->workflow->steps[i].deadline_ms > 0)
            rc = store->ops->deadlines_put(store, &row, 1, err);
    }
    return rc;
}

/* Workers. */

/* Who ran a step at a moment that is past: all that is known is that the lease was not over. */
static int arrival_put_holder(sw__arrival *call, int64_t worker_no, sw_error *err)
{
    sw__worker_rec row = {.worker_no = worker_no,
                          .name = sw__str("unknown"),
                          .host = sw__str(""),
                          .lease_ms = 1,
                          .lease_until_us = call->now_us,
                          .handlers = sw__str("[]"),
                          .queues = sw__str("[]")};
    for (size_t i = 0; i < call->play.played; i++) {
        const sw_audit_entry *entry = &call->file->entries[i].entry;
        if (entry->kind == SW_AUDIT_WORKER_OPENED && entry->worker_id == worker_no)
            row.name = entry->actor;
    }
    return call->engine->store->ops->worker_put(call->engine->store, &row, err);
}

static int arrival_put_workers(sw__arrival *call, sw_error *err)
{
    int64_t first = 0;
    int64_t most = 0;
    int rc = SW_OK;
    sw__store *store = call->engine->store;
    const sw__file_unsealed *rest = &call->file->unsealed;
    for (size_t i = 0; rc == SW_OK && i < call->file->step_count; i++) {
        int64_t holder = call->play.steps[i].worker_id;
        most = holder > most ? holder : most;
        if (holder > 0)
            rc = arrival_put_holder(call, holder, err);
    }
    for (size_t i = 0; rc == SW_OK && !call->is_past && i < rest->worker_count; i++) {
        sw__worker_rec row = rest->workers[i];
        memcpy(row.boot_id, call->engine->anchor.boot_id, sizeof row.boot_id);
        most = row.worker_no > most ? row.worker_no : most;
        rc = store->ops->worker_put(store, &row, err);
    }
    if (rc == SW_OK && most > 0)
        rc = store->ops->sequence_take(store, SW__SEQUENCE_WORKER, most, &first, err);
    return rc;
}

/* The log. */

static int arrival_put_entry(sw__audit *audit, const sw__file_entry *from, sw__task_hot *task,
                             sw__store *store, sw_error *err)
{
    static const sw_uuid none = {{0}};
    bool of_task = memcmp(&from->entry.task_id, &none, sizeof none) != 0;
    int rc = sw__audit_begin(audit, store, from->entry.time_us, err);
    audit->entry_next = from->entry.entry_no;
    if (rc == SW_OK)
        rc = sw__audit_add(audit, &from->entry, of_task ? task : NULL, err);
    return rc == SW_OK ? sw__audit_seal(audit, store, err) : rc;
}

/* Each entry becomes a segment of its own, whatever else its commit wrote. */
static int arrival_put_log(sw__arrival *call, sw_error *err)
{
    sw__audit audit;
    sw_engine *engine = call->engine;
    int rc = SW_OK;
    call->hot.audit_segment = 0;
    sw__audit_init(&audit, engine->env, engine->hasher);
    for (size_t i = 0; rc == SW_OK && i < call->play.played; i++)
        rc = arrival_put_entry(&audit, &call->file->entries[i], &call->hot, engine->store, err);
    sw__audit_free(&audit);
    if (rc == SW_OK)
        rc = engine->store->ops->tasks_update(engine->store, &call->hot, 1, err);
    return rc;
}

int sw__arrival_fill(sw__arrival *call, sw__work *work, sw_error *err)
{
    int rc = arrival_define(call, work, err);
    if (rc == SW_OK)
        rc = arrival_breakers(call, err);
    if (rc == SW_OK)
        rc = arrival_put_task(call, err);
    if (rc == SW_OK)
        rc = arrival_put_steps(call, err);
    if (rc == SW_OK)
        rc = arrival_put_payloads(call, err);
    if (rc == SW_OK)
        rc = arrival_put_events(call, err);
    if (rc == SW_OK)
        rc = arrival_put_deadlines(call, err);
    if (rc == SW_OK)
        rc = arrival_put_workers(call, err);
    return rc == SW_OK ? arrival_put_log(call, err) : rc;
}
