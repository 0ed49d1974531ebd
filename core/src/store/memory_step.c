/* Steps in memory, and the lines they stand in. */
#include "store/memory.h"

/* A number with all its bits mixed (the finaliser of SplitMix64). */
uint32_t sw__memory_step_weight(int64_t step_id)
{
    uint64_t mixed = (uint64_t)step_id + UINT64_C(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(mixed >> 32);
}

/* The run that holds a step of this task, or NULL. Most tasks have one run. */
static sw__memory_step *step_in_task(const sw__memory_task *task, int64_t step_id)
{
    size_t at = sw__table_seek(&task->runs, step_id);
    if (at == task->runs.count || task->runs.items[at].key != step_id) {
        if (at == 0)
            return NULL;
        at--;
    }
    sw__memory_run *run = task->runs.items[at].row;
    uint64_t index = (uint64_t)(step_id - task->runs.items[at].key);
    return index < run->count ? &run->steps[index] : NULL;
}

sw__memory_step *sw__memory_step_find(const sw__memory *self, int64_t step_id)
{
    const sw__memory_task *task = sw__memory_task_find(self, SW__STEP_TASK(step_id));
    return task ? step_in_task(task, step_id) : NULL;
}

void sw__memory_run_free(sw__memory *self, sw__memory_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->steps[i].hot.lane != SW__LANE_NONE)
            sw__queue_remove(&self->queue, &run->steps[i]);
    }
    sw__free(self->base.env, run);
}

/* How many of the rows follow each other in number and belong to one task. */
static size_t run_length(const sw__step_hot *rows, size_t count)
{
    size_t length = 1;
    while (length < count && rows[length].step_id == rows[length - 1].step_id + 1 &&
           SW__STEP_TASK(rows[length].step_id) == SW__STEP_TASK(rows[0].step_id))
        length++;
    return length;
}

/* The index of the first of these rows that is there already; count when none is. */
static size_t run_overlap(const sw__memory_task *task, const sw__step_hot *rows, size_t count)
{
    size_t at = 0;
    if (task->runs.count == 0)
        return count;
    while (at < count && !step_in_task(task, rows[at].step_id))
        at++;
    return at;
}

static sw__memory_run *run_make(const sw_env *env, size_t count)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, sizeof(sw__memory_step), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(sw__memory_run), &bytes))
        return NULL;
    return sw__calloc(env, 1, bytes);
}

static int run_insert(sw__memory *self, sw__memory_task *task, const sw__step_hot *rows,
                      size_t count, sw_error *err)
{
    size_t known = run_overlap(task, rows, count);
    if (known < count)
        return sw__fail_row(err, SW_ECONFLICT, known, "step %lld is already stored",
                            (long long)rows[known].step_id);
    if (sw__undo_reserve(self, 1, 0) < 0 || sw__table_reserve(&task->runs, self->base.env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__memory_run *run = run_make(self->base.env, count);
    if (!run)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__table_add(&task->runs, rows[0].step_id, run);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_RUN, .where = &task->runs, .key = rows[0].step_id, .row = run});
    run->count = count;
    for (size_t i = 0; i < count; i++) {
        sw__memory_step *step = &run->steps[i];
        step->hot = rows[i];
        step->weight = sw__memory_step_weight(rows[i].step_id);
        if (step->hot.lane != SW__LANE_NONE)
            sw__queue_add(&self->queue, step);
    }
    return SW_OK;
}

int sw__memory_steps_insert(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.steps_insert", err);
    if (rc < 0)
        return rc;
    for (size_t i = 0, length; i < count; i += length) {
        sw__memory_task *task = sw__memory_task_find(self, SW__STEP_TASK(rows[i].step_id));
        if (!task)
            return sw__fail_row(err, SW_ENOTFOUND, i, "the task of step %lld is not stored",
                                (long long)rows[i].step_id);
        length = run_length(&rows[i], count - i);
        rc = run_insert(self, task, &rows[i], length, err);
        if (rc < 0) {
            if (rc == SW_ECONFLICT && err)
                err->row += (int64_t)i;
            return rc;
        }
    }
    return SW_OK;
}

int sw__memory_steps_get(sw__store *store, const int64_t *step_ids, size_t count,
                         sw__step_hot *rows, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.steps_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__memory_step *step = sw__memory_step_find(self, step_ids[i]);
        rows[i] = step ? step->hot : (sw__step_hot){.step_id = -1};
    }
    return rc;
}

static void step_update(sw__memory *self, sw__memory_step *step, const sw__step_hot *row)
{
    bool moves = step->hot.lane != row->lane || step->hot.rank != row->rank;
    sw__undo_step(self, step);
    if (moves && step->hot.lane != SW__LANE_NONE)
        sw__queue_remove(&self->queue, step);
    step->hot = *row;
    if (moves && step->hot.lane != SW__LANE_NONE)
        sw__queue_add(&self->queue, step);
}

int sw__memory_steps_update(sw__store *store, const sw__step_hot *rows, size_t count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.steps_update", err);
    if (rc < 0)
        return rc;
    if (sw__undo_reserve(self, count, count * sizeof(*rows)) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < count; i++) {
        sw__memory_step *step = sw__memory_step_find(self, rows[i].step_id);
        if (!step)
            return sw__fail_row(err, SW_ENOTFOUND, i, "step %lld is not stored",
                                (long long)rows[i].step_id);
        step_update(self, step, &rows[i]);
    }
    return SW_OK;
}

/* 1 when the visitor has seen enough. */
static int step_visit_task(const sw__memory_task *task, sw__step_visit visit, void *context,
                           sw_error *err)
{
    for (size_t i = 0; i < task->runs.count; i++) {
        const sw__memory_run *run = task->runs.items[i].row;
        for (size_t j = 0; j < run->count; j++) {
            int rc = visit(context, &run->steps[j].hot, err);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int sw__memory_steps_each(sw__store *store, int64_t task_no, sw__step_visit visit, void *context,
                          sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.steps_each", err);
    if (rc < 0)
        return rc;
    if (task_no > 0) {
        const sw__memory_task *task = sw__memory_task_find(self, task_no);
        rc = task ? step_visit_task(task, visit, context, err) : SW_OK;
    }
    for (size_t i = 0; task_no <= 0 && rc == SW_OK && i < self->tasks.count; i++)
        rc = step_visit_task(self->tasks.items[i].row, visit, context, err);
    return rc < 0 ? rc : SW_OK;
}

/* Rows of a line from a step on. */
static void step_line_read(const sw__memory_step *step, int64_t lane, int64_t rank_max,
                           sw__queued *rows, size_t limit, size_t *count)
{
    while (*count < limit && step && step->hot.lane == lane && step->hot.rank <= rank_max) {
        rows[*count] = (sw__queued){.step_id = step->hot.step_id, .rank = step->hot.rank};
        ++*count;
        step = step->after;
    }
}

int sw__memory_queue_scan(sw__store *store, int64_t lane, int64_t rank_max, sw__queued *rows,
                          size_t limit, size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    *count = 0;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.queue_scan", err);
    if (rc < 0 || lane == SW__LANE_NONE)
        return rc;
    step_line_read(sw__queue_first(&self->queue, lane), lane, rank_max, rows, limit, count);
    return SW_OK;
}

int sw__memory_queue_after(sw__store *store, int64_t lane, sw__queued after, int64_t rank_max,
                           sw__queued *rows, size_t limit, size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    *count = 0;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.queue_after", err);
    if (rc < 0 || lane == SW__LANE_NONE)
        return rc;
    step_line_read(sw__queue_after(&self->queue, lane, after), lane, rank_max, rows, limit, count);
    return SW_OK;
}
