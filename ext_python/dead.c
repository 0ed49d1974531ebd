/* Dead letters: listing, counting, and changing all that a filter finds.
 *
 * Not here: letters that can be asked to be retried, which the package has (_dead.py).
 */
#include "module.h"

const char swpy_dead_list_doc[] =
    "dead_list($self, /, *, workflow=None, handler=None, step=None, error_class=None,\n"
    "          failed_after_us=None, failed_before_us=None, after_us=None, after_step_id=None,\n"
    "          limit=0)\n--\n\n"
    "Steps that have failed for good, newest first; a list of DeadRow. after_us and after_step_id\n"
    "are failed_us and step_id of the last row of the page before.";

const char swpy_dead_count_doc[] =
    "dead_count($self, /, *, workflow=None, handler=None, step=None, error_class=None,\n"
    "           failed_after_us=None, failed_before_us=None)\n--\n\n"
    "How many dead letters there are of each error class and handler; a list of DeadGroup.";

const char swpy_dead_override_doc[] =
    "dead_override($self, /, state, actor, reason, result=None, *, workflow=None, handler=None,\n"
    "              step=None, error_class=None, failed_after_us=None, failed_before_us=None,\n"
    "              after_us=None, after_step_id=None, limit=0)\n--\n\n"
    "Retry ('ready') or resolve ('resolved') all that a filter finds, in one transaction. Answers\n"
    "the rows that were found and an Overridden for each.";

enum { DEAD_FILTER_VALUES = 9 };

static bool dead_number_read(swpy_state *state, PyObject *value, const char *what, int64_t *out)
{
    return value == NULL || value == Py_None || swpy_int64_read(state, value, what, out);
}

/* Fill a filter from its values in the order of dead_list. */
static bool dead_filter_read(swpy_state *state, PyObject *const *values, sw_dead_filter *filter)
{
    return swpy_str_read_maybe(state, values[0], "workflow", &filter->workflow) &&
           swpy_str_read_maybe(state, values[1], "handler", &filter->handler) &&
           swpy_str_read_maybe(state, values[2], "step", &filter->step) &&
           swpy_str_read_maybe(state, values[3], "error_class", &filter->error_class) &&
           dead_number_read(state, values[4], "failed_after_us", &filter->failed_after_us) &&
           dead_number_read(state, values[5], "failed_before_us", &filter->failed_before_us) &&
           dead_number_read(state, values[6], "after_us", &filter->after_us) &&
           dead_number_read(state, values[7], "after_step_id", &filter->after_step_id) &&
           dead_number_read(state, values[8], "limit", &filter->limit);
}

static PyObject *dead_row_new(swpy_state *state, const void *item)
{
    const sw_dead_letter *row = item;
    PyObject *values[] = {
        PyLong_FromLongLong(row->step_id),
        swpy_uuid_new(&row->task_id),
        swpy_str_new(row->workflow),
        swpy_str_new(row->version),
        swpy_str_new(row->step),
        swpy_str_new(row->handler),
        swpy_str_new(row->queue),
        swpy_str_new(row->error_class),
        swpy_str_new(row->error_message),
        swpy_str_new(row->error_detail),
        PyLong_FromLongLong(row->failed_us),
        PyLong_FromLong(row->attempt),
        PyLong_FromLong(row->max_attempts),
        PyLong_FromLong(row->crashes),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->task_state),
    };
    return swpy_record_new(state, SWPY_DEAD, values, 15);
}

static int dead_list_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_dead_list(engine, context, out, error);
}

static PyObject *dead_rows_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_dead_letter *rows = sw_dead_letters(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, dead_row_new);
}

PyObject *swpy_dead_list(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "workflow",         "handler",  "step",          "error_class", "failed_after_us",
        "failed_before_us", "after_us", "after_step_id", "limit",       NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[DEAD_FILTER_VALUES] = {NULL};
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOOOOO:dead_list", names, &values[0],
                                     &values[1], &values[2], &values[3], &values[4], &values[5],
                                     &values[6], &values[7], &values[8]) ||
        !dead_filter_read(self->state, values, &filter))
        return NULL;
    return swpy_call_ask(self, 1, false, dead_list_run, &filter, dead_rows_new);
}

static PyObject *dead_group_new(swpy_state *state, const void *item)
{
    const sw_dead_group *row = item;
    PyObject *values[] = {
        swpy_str_new(row->error_class),      swpy_str_new(row->handler),
        PyLong_FromLongLong(row->count),     PyLong_FromLongLong(row->oldest_us),
        PyLong_FromLongLong(row->newest_us),
    };
    return swpy_record_new(state, SWPY_DEAD_GROUP, values, 5);
}

static int dead_count_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_dead_count(engine, context, out, error);
}

static PyObject *dead_groups_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_dead_group *rows = sw_dead_groups(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, dead_group_new);
}

PyObject *swpy_dead_count(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"workflow",        "handler",          "step", "error_class",
                            "failed_after_us", "failed_before_us", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *values[DEAD_FILTER_VALUES] = {NULL};
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$OOOOOO:dead_count", names, &values[0],
                                     &values[1], &values[2], &values[3], &values[4], &values[5]) ||
        !dead_filter_read(self->state, values, &filter))
        return NULL;
    return swpy_call_ask(self, 1, false, dead_count_run, &filter, dead_groups_new);
}

static bool dead_action_read(swpy_state *state, PyObject *const *values, sw_dead_action *action)
{
    return swpy_step_state_read(state, values[0], &action->state) &&
           swpy_str_read_maybe(state, values[1], "actor", &action->actor) &&
           swpy_str_read_maybe(state, values[2], "reason", &action->reason) &&
           swpy_str_read_maybe(state, values[3], "result", &action->result);
}

typedef struct dead_change {
    sw_dead_filter filter;
    sw_dead_action action;
} dead_change;

static int dead_override_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const dead_change *change = context;

    return sw_dead_override(engine, &change->filter, &change->action, out, error);
}

static PyObject *dead_override_new(swpy_state *state, const sw_result *result)
{
    PyObject *found = dead_rows_new(state, result);
    PyObject *changed = found != NULL ? swpy_overridden_list_new(state, result) : NULL;
    PyObject *answer = changed != NULL ? PyTuple_Pack(2, found, changed) : NULL;

    Py_XDECREF(found);
    Py_XDECREF(changed);
    return answer;
}

PyObject *swpy_dead_override(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {
        "state", "actor",       "reason",          "result",           "workflow", "handler",
        "step",  "error_class", "failed_after_us", "failed_before_us", "after_us", "after_step_id",
        "limit", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *given[4] = {NULL};
    PyObject *values[DEAD_FILTER_VALUES] = {NULL};
    dead_change change = {.filter = SW_DEAD_FILTER_INIT};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|O$OOOOOOOOO:dead_override", names,
                                     &given[0], &given[1], &given[2], &given[3], &values[0],
                                     &values[1], &values[2], &values[3], &values[4], &values[5],
                                     &values[6], &values[7], &values[8]) ||
        !dead_action_read(self->state, given, &change.action) ||
        !dead_filter_read(self->state, values, &change.filter))
        return NULL;
    return swpy_call_ask(self, 100, false, dead_override_run, &change, dead_override_new);
}
