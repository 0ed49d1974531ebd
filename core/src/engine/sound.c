/* Rows as they come from a store; see sound.h. */
#include "engine/sound.h"

#include "base/error.h"
#include "base/limits.h"
#include "model/trigger.h"

#define SOUND_TIME_MAX (INT64_MAX / 8)  /* microseconds; sums of a few such times still fit */
#define SOUND_EPOCH_MAX (INT64_MAX / 2) /* leaves room to grow */
#define SOUND_ATTEMPT_MAX (INT32_MAX / 2)
#define SOUND_TASK_NO_MAX (INT64_MAX >> SW__STEP_BITS)

static bool sound_time(int64_t us)
{
    return us >= 0 && us <= SOUND_TIME_MAX;
}

int sw__sound_task(const sw__task_hot *row, sw_error *err)
{
    bool sound = row->task_no > 0 && row->task_no <= SOUND_TASK_NO_MAX && row->state >= 0 &&
                 row->state < SW_TASK_STATE_COUNT && row->priority >= INT16_MIN &&
                 row->priority <= INT16_MAX && row->audit_segment >= 0 &&
                 sound_time(row->created_us) && sound_time(row->started_us) &&
                 sound_time(row->changed_us) && sound_time(row->deadline_us);
    if (sound)
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the row of task number %lld is damaged",
                    (long long)row->task_no);
}

int sw__sound_counts(const sw__task_hot *row, const sw__plan *plan, sw_error *err)
{
    int64_t total = 0;
    int64_t steps = (int64_t)plan->workflow->step_count;
    bool sound = row->fatal >= 0 && row->fatal <= steps;
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++) {
        sound = sound && row->counts[state] >= 0;
        total += row->counts[state];
    }
    if (sound && total == steps)
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT,
                    "the row of task number %lld is damaged: it counts %lld steps, the workflow "
                    "has %lld",
                    (long long)row->task_no, (long long)total, (long long)steps);
}

/* What stands beside the state of a step: its place in line and its dependencies. */
static bool sound_place(const sw__step_hot *row, const sw__plan *plan)
{
    size_t index = (size_t)SW__STEP_INDEX(row->step_id);
    const sw_workflow_step *definition = &plan->workflow->steps[index];
    int64_t deps = (int64_t)definition->after_count;
    if (row->lane == SW__LANE_TIMER && !sound_time(row->rank))
        return false;
    if (row->state == SW_STEP_PENDING &&
        (row->rank < 0 || row->rank > sw__trigger_spare(definition)))
        return false;
    return row->lane >= -INT64_MAX && row->open_deps >= 0 && row->open_deps <= deps;
}

int sw__sound_step(const sw__step_hot *row, const sw__plan *plan, sw_error *err)
{
    if ((size_t)SW__STEP_INDEX(row->step_id) >= plan->workflow->step_count)
        return sw__fail(err, SW_ECORRUPT, "step %lld is not part of its workflow",
                        (long long)row->step_id);
    bool sound = row->state >= 0 && row->state < SW_STEP_STATE_COUNT && row->crashes >= 0 &&
                 row->crashes <= row->attempt && row->attempt <= SOUND_ATTEMPT_MAX &&
                 row->epoch >= 0 && row->epoch <= SOUND_EPOCH_MAX && sound_time(row->changed_us);
    /* The attempt that runs is none of those that were lost. */
    sound = sound && (row->state != SW_STEP_RUNNING || row->crashes < row->attempt);
    if (sound && sound_place(row, plan))
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the row of step %lld is damaged", (long long)row->step_id);
}

static int sound_worker(const sw__worker_rec *row, sw_error *err)
{
    if (row->worker_no > 0 && row->lease_ms > 0 && row->lease_ms <= SW__LEASE_MAX_MS &&
        sound_time(row->lease_until_us))
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the row of worker %lld is damaged",
                    (long long)row->worker_no);
}

int sw__sound_workers(sw__store *store, sw__arena *arena, sw__worker_rec **rows, size_t *count,
                      sw_error *err)
{
    int rc = store->ops->workers_list(store, arena, rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < *count; i++)
        rc = sound_worker(&(*rows)[i], err);
    return rc;
}

int sw__sound_breaker(const sw__breaker_rec *rec, sw_error *err)
{
    const sw_breaker_row *row = &rec->row;
    const sw_breaker_settings *settings = &row->settings;
    bool sound = settings->name.ptr && settings->failure_threshold > 0 &&
                 settings->success_threshold > 0 && settings->probes > 0 && settings->open_ms > 0 &&
                 settings->open_ms <= SW__DELAY_MAX_MS && settings->max_open_ms > 0 &&
                 settings->max_open_ms <= SW__DELAY_MAX_MS;
    sound = sound && row->state >= 0 && row->state < SW_BREAKER_STATE_COUNT && row->failures >= 0 &&
            row->successes >= 0 && row->successes < INT32_MAX && row->probing >= 0 &&
            row->probing < INT32_MAX && row->openings >= 0 && sound_time(row->until_us) &&
            sound_time(row->changed_us);
    if (sound)
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the row of breaker number %lld is damaged",
                    (long long)rec->breaker_no);
}

int sw__sound_deadline(const sw__deadline *row, sw_error *err)
{
    if (row->subject >= 0 && row->due_us > 0 && sound_time(row->due_us))
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the deadline of step %lld is damaged",
                    (long long)row->subject);
}

int sw__sound_anchor(const sw__anchor *anchor, sw_error *err)
{
    if (sound_time(anchor->boot_us) && sound_time(anchor->base_us))
        return SW_OK;
    return sw__fail(err, SW_ECORRUPT, "the anchor of the store's clock is damaged: %lld at %lld",
                    (long long)anchor->base_us, (long long)anchor->boot_us);
}

#undef SOUND_TASK_NO_MAX
#undef SOUND_ATTEMPT_MAX
#undef SOUND_EPOCH_MAX
#undef SOUND_TIME_MAX
