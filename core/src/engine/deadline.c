/* Deadlines: rows that begin when a step becomes ready, and the end of those who are too late.
 *
 * The rows lie in a table of their own, so that workflows without deadlines pay one look at an
 * empty index per transaction. A sweep ends all that are due before anything else happens in its
 * transaction: no step is claimed, and no report counts, after its time. Not here: when a sweep is
 * made (exchange.c, sweep.c).
 */
#include "engine/deadline.h"

#include "base/plant.h"
#include "base/probe.h"
#include "engine/flow.h"
#include "engine/sound.h"

static const sw_str deadline_exceeded = SW__LIT("deadline exceeded");

/* Keeping. */

/* The next sweep is not later than this one. Those who sleep beyond it are rung for. */
static void deadline_look(sw__work *work, int64_t due_us)
{
    sw__sweep_by(work->engine, due_us);
    if (work->due_us == 0 || due_us < work->due_us)
        work->tones |= SW__TONE_PLANS;
}

/* A due_us of 0: none any more. */
static int deadline_put(sw__work *work, int64_t subject, int64_t due_us, sw_error *err)
{
    sw__deadline *rows = sw__work_grow(work, work->deadlines, &work->deadline_capacity,
                                       work->deadline_count + 1, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    work->deadlines = rows;
    rows[work->deadline_count++] = (sw__deadline){.subject = subject, .due_us = due_us};
    if (due_us)
        deadline_look(work, due_us);
    return SW_OK;
}

int sw__deadline_flush(sw__work *work, sw_error *err)
{
    sw__store *store = work->engine->store;
    size_t count = work->deadline_count;
    work->deadline_count = 0;
    return count ? store->ops->deadlines_put(store, work->deadlines, count, err) : SW_OK;
}

static int deadline_begin_step(sw__work *work, int64_t step_id, int64_t deadline_ms, sw_error *err)
{
    return deadline_put(work, step_id, work->now_us + deadline_ms * 1000, err);
}

int sw__deadline_follow(sw__work *work, const sw__work_step *step, int from, sw_error *err)
{
    int64_t step_id = step->row.step_id;
    bool again = from == SW_STEP_RUNNING || from == SW_STEP_WAITING;
    if (sw_step_state_terminal(step->row.state) && !sw_step_state_terminal(from))
        return deadline_put(work, step_id, 0, err);
    if (step->row.state != SW_STEP_READY || (again && !SW__PLANT(DEADLINE_OF_ATTEMPT)))
        return SW_OK;
    return deadline_begin_step(work, step_id, sw__work_definition(work, step_id)->deadline_ms, err);
}

int sw__deadline_follow_task(sw__work *work, const sw__task_hot *task, int from, sw_error *err)
{
    int64_t subject = SW__DEADLINE_TASK(task->task_no);
    if (sw_task_state_terminal(task->state))
        return deadline_put(work, subject, 0, err);
    /* One that has passed has had its effect: who takes the task up after it decides for himself.
     */
    if (sw_task_state_terminal(from) && task->deadline_us > work->now_us)
        return deadline_put(work, subject, task->deadline_us, err);
    return SW_OK;
}

int sw__deadline_begin(sw__work *work, const sw__task_hot *task, const sw__plan *plan,
                       sw_error *err)
{
    int rc = SW_OK;
    const sw_workflow *workflow = plan->workflow;
    if (task->deadline_us)
        rc = deadline_put(work, SW__DEADLINE_TASK(task->task_no), task->deadline_us, err);
    for (size_t i = 0; rc == SW_OK && i < workflow->step_count; i++) {
        const sw_workflow_step *step = &workflow->steps[i];
        if (step->deadline_ms > 0 && step->after_count == 0)
            rc = deadline_begin_step(work, SW__STEP_ID(task->task_no, i), step->deadline_ms, err);
    }
    return rc;
}

/* Passing. */

/* Rows of others than these say nothing: they are only taken out. */
static bool deadline_applies(const sw__work *work, const sw__work_step *step)
{
    int state = step->row.state;
    return state != SW_STEP_PENDING && !sw_step_state_terminal(state) &&
           sw__work_definition(work, step->row.step_id)->deadline_ms > 0;
}

/* A failure is known by its epoch, and one that was not running has used up its last: the claim
 * that would have been next is the one that never comes. */
static int deadline_end_step(sw__work *work, int64_t step_id, sw_error *err)
{
    sw__work_step *step = sw__work_step_find(work, step_id);
    int rc = deadline_put(work, step_id, 0, err);
    if (rc < 0 || !step || !deadline_applies(work, step))
        return rc;
    bool running = step->row.state == SW_STEP_RUNNING;
    int64_t worker_id = running ? -step->row.lane : 0;
    sw__fault fault = {
        .error_class = sw__str("DeadlineExceeded"),
        .message = sw__arena_format(work->arena, "not done within %lld ms of becoming ready",
                                    (long long)sw__work_definition(work, step_id)->deadline_ms),
        .reason = deadline_exceeded,
        .reason_final = deadline_exceeded,
        .for_good = true,
    };
    SW__PROBE_IF(DEADLINE_RUNNING, running);
    SW__PROBE_IF(DEADLINE_WAITING, !running);
    step->row.epoch += !running;
    return sw__step_fail(work, step, &fault, SW_BY_ENGINE, worker_id, err);
}

/* As a failure that stops the task, only that nothing of it runs on. */
static int deadline_end_task(sw__work *work, int64_t task_no, sw_error *err)
{
    sw__cause cause = {.by = SW_BY_ENGINE, .reason = deadline_exceeded};
    sw__work_task *task = sw__work_task_find(work, task_no);
    int rc = deadline_put(work, SW__DEADLINE_TASK(task_no), 0, err);
    if (rc < 0 || !task || task->row.deadline_us == 0 || sw_task_state_terminal(task->row.state))
        return rc;
    SW__PROBE(DEADLINE_TASK);
    rc = sw__settle_cancel(work, task_no, &cause, !SW__PLANT(DEADLINE_RUNS_ON), err);
    task = sw__work_task_find(work, task_no);
    task->late = true;
    task->dirty = true;
    return rc;
}

static int deadline_end(sw__work *work, const sw__deadline *row, sw_error *err)
{
    int64_t task_no = SW__STEP_TASK(row->subject);
    bool whole = row->subject == SW__DEADLINE_TASK(task_no);
    int rc = sw__sound_deadline(row, err);
    if (rc == SW_OK)
        rc = whole ? sw__work_load_tasks(work, &task_no, 1, err)
                   : sw__work_load(work, &row->subject, 1, err);
    if (rc < 0)
        return rc;
    return whole ? deadline_end_task(work, task_no, err)
                 : deadline_end_step(work, row->subject, err);
}

/* Some of those that are due; *more: maybe not all. */
static int deadline_end_some(sw__work *work, bool *more, sw_error *err)
{
    size_t count = 0;
    size_t batch = work->engine->sweep_batch;
    sw__store *store = work->engine->store;
    sw__deadline *rows = sw__arena_array(work->arena, batch, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = store->ops->deadlines_due(store, work->now_us, rows, batch, &count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = deadline_end(work, &rows[i], err);
    *more = count == batch;
    return rc == SW_OK ? sw__deadline_flush(work, err) : rc;
}

int sw__deadline_sweep(sw__work *work, sw_error *err)
{
    bool more = true;
    size_t count = 0;
    sw__deadline first;
    sw__store *store = work->engine->store;
    if (SW__PLANT(DEADLINE_IGNORED))
        return SW_OK;
    int rc = store->ops->deadlines_due(store, INT64_MAX, &first, 1, &count, err);
    if (rc == SW_OK && count > 0 && first.due_us <= work->now_us) {
        while (rc == SW_OK && more)
            rc = deadline_end_some(work, &more, err);
        if (rc == SW_OK)
            rc = store->ops->deadlines_due(store, INT64_MAX, &first, 1, &count, err);
    }
    if (rc < 0)
        return rc;
    work->due_us = count > 0 ? first.due_us : INT64_MAX;
    sw__sweep_by(work->engine, work->due_us);
    return SW_OK;
}

/* What is left. */

int sw__deadline_read(sw__store *store, int64_t subject, int64_t *due_us, sw_error *err)
{
    int rc = store->ops->deadlines_get(store, &subject, 1, due_us, err);
    sw__deadline row = {.subject = subject, .due_us = *due_us};
    return rc == SW_OK && *due_us ? sw__sound_deadline(&row, err) : rc;
}

static int64_t deadline_sooner(int64_t a_us, int64_t b_us)
{
    return a_us == 0 || (b_us != 0 && b_us < a_us) ? b_us : a_us;
}

int sw__deadline_left(sw__work *work, int64_t step_id, int64_t *left_ms, sw_error *err)
{
    int64_t own_us = 0;
    const sw__task_hot *task = &sw__work_task_find(work, SW__STEP_TASK(step_id))->row;
    bool own = sw__work_definition(work, step_id)->deadline_ms > 0;
    int rc = own ? sw__deadline_flush(work, err) : SW_OK;
    if (rc == SW_OK && own)
        rc = sw__deadline_read(work->engine->store, step_id, &own_us, err);
    int64_t task_us = task->deadline_us > work->now_us ? task->deadline_us : 0;
    int64_t due_us = deadline_sooner(own_us, task_us);
    *left_ms = due_us > work->now_us ? (due_us - work->now_us + 999) / 1000 : 0;
    return rc;
}
