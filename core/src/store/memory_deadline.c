/* Deadlines in memory: nodes in a line of their own, so that the first one is found at once. */
#include "store/memory.h"

#define DEADLINE_RECORDS 3 /* to take one out */

/* A node that stands in no line yet; there is room for its records. */
static sw__memory_step *due_make(sw__memory *self, int64_t subject)
{
    sw__memory_step *made = sw__calloc(self->base.env, 1, sizeof *made);
    if (!made)
        return NULL;
    made->hot.step_id = subject;
    made->weight = sw__memory_step_weight(subject);
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_MADE, .where = made});
    sw__table_add(&self->deadlines, subject, made);
    sw__undo_note(self,
                  (sw__undo){.kind = SW__UNDO_ADDED, .where = &self->deadlines, .key = subject});
    return made;
}

static void due_move(sw__memory *self, sw__memory_step *node, int64_t lane, int64_t due_us)
{
    sw__undo_step(self, node);
    if (node->hot.lane != SW__LANE_NONE)
        sw__queue_remove(&self->queue, node);
    node->hot.lane = lane;
    node->hot.rank = due_us;
    if (lane != SW__LANE_NONE)
        sw__queue_add(&self->queue, node);
}

static void due_take(sw__memory *self, sw__memory_step *node)
{
    int64_t subject = node->hot.step_id;
    due_move(self, node, SW__LANE_NONE, 0);
    sw__table_take(&self->deadlines, subject);
    sw__undo_note(
        self,
        (sw__undo){.kind = SW__UNDO_TAKEN, .where = &self->deadlines, .key = subject, .row = node});
    sw__undo_note(self, (sw__undo){.kind = SW__UNDO_DROPPED, .where = node});
}

static int due_put(sw__memory *self, const sw__deadline *row, sw_error *err)
{
    sw__memory_step *node = sw__table_find(&self->deadlines, row->subject);
    if (!node && row->due_us == 0)
        return SW_OK;
    if (sw__undo_reserve(self, DEADLINE_RECORDS, sizeof node->hot) < 0 ||
        sw__table_reserve(&self->deadlines, self->base.env) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (!node)
        node = due_make(self, row->subject);
    if (!node)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (row->due_us)
        due_move(self, node, SW__MEMORY_LANE_DEADLINE, row->due_us);
    else
        due_take(self, node);
    return SW_OK;
}

int sw__memory_deadlines_put(sw__store *store, const sw__deadline *rows, size_t count,
                             sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_WRITING, "store.deadlines_put", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = due_put(self, &rows[i], err);
    return rc;
}

int sw__memory_deadlines_get(sw__store *store, const int64_t *subjects, size_t count,
                             int64_t *due_us, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.deadlines_get", err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        const sw__memory_step *node = sw__table_find(&self->deadlines, subjects[i]);
        due_us[i] = node ? node->hot.rank : 0;
    }
    return rc;
}

int sw__memory_deadlines_due(sw__store *store, int64_t due_max, sw__deadline *rows, size_t limit,
                             size_t *count, sw_error *err)
{
    sw__memory *self = (sw__memory *)store;
    *count = 0;
    int rc = sw__memory_enter(self, SW__STORE_READING, "store.deadlines_due", err);
    if (rc < 0)
        return rc;
    const sw__memory_step *node = sw__queue_first(&self->queue, SW__MEMORY_LANE_DEADLINE);
    for (; *count < limit && node && node->hot.lane == SW__MEMORY_LANE_DEADLINE &&
           node->hot.rank <= due_max;
         node = node->after)
        rows[(*count)++] = (sw__deadline){.subject = node->hot.step_id, .due_us = node->hot.rank};
    return SW_OK;
}

/* Those of a task lie side by side in the table. */
size_t sw__memory_deadlines_count(const sw__memory *self, int64_t task_no)
{
    return sw__table_seek(&self->deadlines, SW__STEP_ID(task_no + 1, 0)) -
           sw__table_seek(&self->deadlines, SW__STEP_ID(task_no, 0));
}

void sw__memory_deadlines_take(sw__memory *self, int64_t task_no)
{
    size_t at = sw__table_seek(&self->deadlines, SW__STEP_ID(task_no, 0));
    for (size_t left = sw__memory_deadlines_count(self, task_no); left > 0; left--)
        due_take(self, self->deadlines.items[at].row);
}

#undef DEADLINE_RECORDS
