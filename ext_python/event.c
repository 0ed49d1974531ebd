/* Events: appending them, pages of them, waiting for more, and a task as one left it.
 *
 * Not here: folding events (wheels/stepwell/src/stepwell/projection.py), keeping what came of it
 * (projection.c).
 */
#include "module.h"

const char swpy_event_append_doc[] =
    "event_append($self, rows, mode='all_or_nothing', /)\n--\n\n"
    "Append events in one transaction. A row is a tuple (task_id, type, data=None,\n"
    "expected_version=None, key=None, correlation_id=None, step=None, actor=None, reason=None),\n"
    "data is JSON text. One Appended per row.";

const char swpy_event_list_doc[] =
    "event_list($self, /, *, after=None, before=None, types=None, task_id=None,\n"
    "correlation_id=None, after_us=None, before_us=None, newest_first=False, limit=None)\n--\n\n"
    "A page of events that match, as EventRow; the next one begins with after (newest first: "
    "before)\n"
    "at the position of the last one.";

const char swpy_event_wait_doc[] =
    "event_wait($self, after, wait_ms, /)\n--\n\n"
    "Wait until there is an event behind a position: the position of the newest one, also when "
    "the\n"
    "time is over or wake() was called. A negative wait_ms waits without end.";

const char swpy_event_replay_doc[] =
    "event_replay($self, task_id, until=0, /)\n--\n\n"
    "A task as it was once the event at a position had happened, 0: as it is; a TaskPast.";

/* ---- append ---- */

typedef struct append_ask {
    const sw_event_row *rows;
    size_t count;
    int mode;
} append_ask;

static bool append_row_read(swpy_state *state, PyObject *tuple, sw_event_row *row)
{
    PyObject *version = NULL;

    if (!swpy_row_check(tuple, "a row", 2, 9))
        return false;
    version = swpy_row_item(tuple, 3);
    return swpy_uuid_read(state, swpy_row_item(tuple, 0), "task_id", &row->task_id) &&
           swpy_str_read(state, swpy_row_item(tuple, 1), "type", &row->type) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 2), "data", &row->data) &&
           (version == Py_None ||
            swpy_int64_read(state, version, "expected_version", &row->expected_version)) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 4), "key", &row->key) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 5), "correlation_id",
                               &row->correlation_id) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 6), "step", &row->step) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 7), "actor", &row->actor) &&
           swpy_str_read_maybe(state, swpy_row_item(tuple, 8), "reason", &row->reason);
}

static int append_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const append_ask *ask = context;

    return sw_event_append(engine, ask->rows, ask->count, ask->mode, out, error);
}

static PyObject *appended_new(swpy_state *state, const void *item)
{
    const sw_event_appended *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->position),
        PyLong_FromLongLong(row->version),
        swpy_name_new(state->append_statuses, SW_APPEND_STATUS_COUNT, row->status),
        PyLong_FromLong(row->code),
        swpy_str_new(row->message),
    };
    return swpy_record_new(state, SWPY_APPENDED, values, 5);
}

static PyObject *appended_list_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_event_appended *rows = sw_events_appended(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, appended_new);
}

PyObject *swpy_event_append(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *value = NULL;
    PyObject *mode_value = NULL;
    PyObject *answer = NULL;
    append_ask ask = {NULL, 0, 0};
    bool read = true;

    if (!PyArg_ParseTuple(args, "O|O:event_append", &value, &mode_value) ||
        !swpy_batch_mode_read(self->state, mode_value, &ask.mode))
        return NULL;
    PyObject *keep = swpy_rows_read(value, "rows");
    if (keep == NULL)
        return NULL;
    ask.count = (size_t)PyTuple_Size(keep);
    sw_event_row *rows = PyMem_Calloc(ask.count + 1, sizeof(*rows));
    if (rows == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (size_t i = 0; read && i < ask.count; i++)
        read = append_row_read(self->state, PyTuple_GetItem(keep, (Py_ssize_t)i), &rows[i]) ||
               swpy_row_fail(i);
    ask.rows = rows;
    if (read)
        answer = swpy_call_ask(self, ask.count, false, append_run, &ask, appended_list_new);
done:
    PyMem_Free(rows);
    Py_DECREF(keep);
    return answer;
}

/* ---- list ---- */

static int events_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_event_list(engine, context, out, error);
}

static PyObject *event_task_new(const sw_uuid *task_id)
{
    static const sw_uuid none;

    return memcmp(task_id, &none, sizeof(none)) == 0 ? swpy_str_new((sw_str){NULL, 0})
                                                     : swpy_uuid_new(task_id);
}

static PyObject *event_new(swpy_state *state, const void *item)
{
    const sw_event *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->entry.entry_no),
        PyLong_FromLongLong(row->entry.time_us),
        swpy_str_new(row->type),
        event_task_new(&row->entry.task_id),
        swpy_str_new(row->entry.step),
        swpy_str_new(row->data),
        swpy_str_new(row->key),
        swpy_str_new(row->correlation_id),
        swpy_entry_new(state, &row->entry),
    };
    return swpy_record_new(state, SWPY_EVENT, values, 9);
}

static PyObject *events_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_event *rows = sw_events(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, event_new);
}

static bool events_numbers_read(swpy_state *state, PyObject *const *values, sw_event_filter *filter)
{
    static const char *const names[] = {"after", "before", "after_us", "before_us", "limit"};
    int64_t *const numbers[] = {&filter->after, &filter->before, &filter->after_us,
                                &filter->before_us, &filter->limit};

    for (int i = 0; i < 5; i++) {
        if (values[i] != Py_None && !swpy_int64_read(state, values[i], names[i], numbers[i]))
            return false;
    }
    return true;
}

PyObject *swpy_event_list(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"after", "before",  "after_us",       "before_us",    "limit",
                            "types", "task_id", "correlation_id", "newest_first", NULL};
    swpy_engine *self = (swpy_engine *)object;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    swpy_strings types = {NULL, 0, NULL};
    PyObject *answer = NULL;
    PyObject *v[9];

    for (int i = 0; i < 8; i++)
        v[i] = Py_None;
    v[8] = Py_False;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOOOOO:event_list", names, &v[0], &v[1],
                                     &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8]) ||
        !events_numbers_read(self->state, v, &filter) ||
        (v[6] != Py_None && !swpy_uuid_read(self->state, v[6], "task_id", &filter.task_id)) ||
        !swpy_str_read_maybe(self->state, v[7], "correlation_id", &filter.correlation_id))
        return NULL;
    filter.newest_first = PyObject_IsTrue(v[8]);
    if (filter.newest_first < 0 || !swpy_strings_read(self->state, v[5], "types", &types))
        return NULL;
    filter.types = types.items;
    filter.type_count = types.count;
    answer = swpy_call_ask(self, 0, true, events_run, &filter, events_new);
    swpy_strings_free(&types);
    return answer;
}

/* ---- wait ---- */

PyObject *swpy_event_wait(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *after_value = NULL;
    PyObject *wait_value = NULL;
    int64_t after = 0;
    int64_t wait_ms = 0;
    int64_t newest = 0;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, "OO:event_wait", &after_value, &wait_value) ||
        !swpy_int64_read(self->state, after_value, "after", &after) ||
        !swpy_int64_read(self->state, wait_value, "wait_ms", &wait_ms))
        return NULL;
    int64_t start_ms = swpy_now_ms();
    for (;;) {
        int64_t left_ms = swpy_left_ms(start_ms, wait_ms);
        int64_t slice_ms = swpy_slice_ms(left_ms);
        if (!swpy_call_begin(&call, self, 1, slice_ms != 0))
            return NULL;
        int64_t slice_start_ms = swpy_now_ms();
        int code = sw_event_wait(call.engine, after, slice_ms, &newest, &error);
        bool woken = swpy_woken(slice_start_ms, slice_ms);
        swpy_call_end(&call);
        if (code < 0)
            return swpy_raise(self->state, &error);
        if (newest > after || woken || left_ms == 0)
            return PyLong_FromLongLong(newest);
        if (PyErr_CheckSignals() < 0)
            return NULL;
    }
}

/* ---- replay ---- */

typedef struct replay_ask {
    sw_uuid task_id;
    int64_t until;
} replay_ask;

static int replay_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const replay_ask *ask = context;

    return sw_event_replay(engine, &ask->task_id, ask->until, out, error);
}

static PyObject *step_past_new(swpy_state *state, const void *item)
{
    const sw_step_past *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        swpy_str_new(row->name),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        PyLong_FromLong(row->attempt),
        PyLong_FromLongLong(row->epoch),
        PyLong_FromLongLong(row->position),
        PyLong_FromLongLong(row->changed_us),
    };
    return swpy_record_new(state, SWPY_STEP_PAST, values, 7);
}

static PyObject *task_past_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_step_past *steps = sw_steps_past(result, &count);
    const sw_task_past *row = sw_tasks_past(result, NULL);
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        swpy_str_new(row->workflow),
        swpy_str_new(row->version),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
        PyLong_FromLongLong(row->position),
        PyLong_FromLongLong(row->time_us),
        swpy_step_counts_new(state, row->step_counts),
        swpy_list_new(state, steps, sizeof(*steps), count, step_past_new),
    };
    return swpy_record_new(state, SWPY_TASK_PAST, values, 8);
}

PyObject *swpy_event_replay(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *id_value = NULL;
    PyObject *until_value = NULL;
    replay_ask ask = {.until = 0};

    if (!PyArg_ParseTuple(args, "O|O:event_replay", &id_value, &until_value) ||
        !swpy_uuid_read(self->state, id_value, "task_id", &ask.task_id) ||
        (until_value != NULL && !swpy_int64_read(self->state, until_value, "until", &ask.until)))
        return NULL;
    return swpy_call_ask(self, 1, false, replay_run, &ask, task_past_new);
}
