/* What no entry of the log seals, for the file of a task: see parcel.h. */
#include "engine/parcel.h"

#include "base/texts.h"
#include "engine/breaker.h"
#include "engine/deadline.h"
#include "engine/member.h"
#include "engine/sound.h"

static int parcel_timers(sw__parcel *call, sw_error *err)
{
    int rc = SW_OK;
    const sw_workflow_step *steps = call->plan->workflow->steps;
    for (size_t i = 0; rc == SW_OK && i < call->file.step_count; i++) {
        const sw__step_hot *row = &call->rows[i];
        if (row->lane == SW__LANE_TIMER)
            call->file.steps[i].not_before_us = row->rank;
        if (steps[i].deadline_ms > 0 && !sw_step_state_terminal(row->state))
            rc = sw__deadline_read(call->engine->store, row->step_id, &call->file.steps[i].fails_us,
                                   err);
    }
    return rc;
}

/* Whether a worker holds a step of the task, or could be given one. */
static int parcel_worker_fits(const sw__parcel *call, const sw__worker_rec *row, bool *fits,
                              sw_error *err)
{
    sw_str *names = NULL;
    size_t count = 0;
    const sw_workflow *workflow = call->plan->workflow;
    *fits = false;
    for (size_t i = 0; i < workflow->step_count && !*fits; i++)
        *fits = call->rows[i].lane == -row->worker_no;
    if (*fits || !sw__member_alive(call->engine, row, call->file.unsealed.exported_us))
        return SW_OK;
    int rc = sw__texts_read(call->arena, row->handlers, &names, &count, err);
    for (size_t i = 0; rc == SW_OK && i < workflow->step_count && !*fits; i++) {
        for (size_t j = 0; j < count && !*fits; j++)
            *fits = sw__str_equal(workflow->steps[i].handler, names[j]);
    }
    return rc;
}

static int parcel_workers(sw__parcel *call, sw_error *err)
{
    bool fits = false;
    size_t count = 0;
    sw__worker_rec *rows = NULL;
    if (sw_task_state_terminal(call->hot.state))
        return SW_OK;
    int rc = sw__sound_workers(call->engine->store, call->arena, &rows, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        rc = parcel_worker_fits(call, &rows[i], &fits, err);
        if (fits)
            rows[call->file.unsealed.worker_count++] = rows[i];
    }
    call->file.unsealed.workers = rows;
    return rc;
}

static bool parcel_names_breaker(const sw__parcel *call, sw_str name)
{
    const sw_workflow *workflow = call->plan->workflow;
    for (size_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i].breaker.ptr && sw__str_equal(workflow->steps[i].breaker, name))
            return true;
    }
    return false;
}

static int parcel_breakers(sw__parcel *call, sw_error *err)
{
    sw__work_breakers breakers = {0};
    if (!sw__breaker_named(call->plan->workflow))
        return SW_OK;
    int rc = sw__breakers_list(call->engine->store, call->arena, &breakers, err);
    sw_breaker_row *rows = sw__arena_array(call->arena, breakers.count, sizeof(*rows));
    if (rc == SW_OK && !rows)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < breakers.count; i++) {
        const sw_breaker_row *row = &breakers.rows[i].rec.row;
        if (parcel_names_breaker(call, row->settings.name))
            rows[call->file.unsealed.breaker_count++] = *row;
    }
    call->file.unsealed.breakers = rows;
    return rc;
}

int sw__parcel_unsealed(sw__parcel *call, sw_error *err)
{
    sw__file_unsealed *out = &call->file.unsealed;
    out->priority = call->hot.priority;
    out->deadline_us = call->hot.deadline_us;
    out->key = call->info.key;
    out->correlation_id = call->info.correlation_id;
    out->tags = call->info.tags;
    int rc = parcel_timers(call, err);
    if (rc == SW_OK)
        rc = parcel_workers(call, err);
    return rc == SW_OK ? parcel_breakers(call, err) : rc;
}
