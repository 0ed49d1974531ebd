/* Forecasts: when a task ends, and what a change would do to it.
 *
 * Changes come as rows; Engine.forecast in Python makes them from friendlier arguments.
 */
#include "module.h"

const char swpy_forecast_rows_doc[] =
    "forecast_rows($self, task_id, changes=(), *, workers=0, more_workers=0, resources=(),\n"
    "              draws=0, history=0, calibrate=0)\n--\n\n"
    "A Forecast of a task. Rows of changes are (step, kind, factor=None), kind is 'fail', 'skip',\n"
    "'resolve' or 'slower'; rows of resources are (seats, steps). A number of 0 is the usual one.";

/* A question with the references that its strings are borrowed from. */
typedef struct forecast_question {
    sw_uuid task_id;
    sw_forecast_options options;
    PyObject *changes_keep;
    PyObject *resources_keep;
    sw_forecast_change *changes;
    sw_forecast_resource *resources;
    swpy_strings *steps; /* one of each resource */
} forecast_question;

static void question_free(forecast_question *question)
{
    for (size_t i = 0; question->steps != NULL && i < question->options.resource_count; i++)
        swpy_strings_free(&question->steps[i]);
    PyMem_Free(question->steps);
    PyMem_Free(question->resources);
    PyMem_Free(question->changes);
    Py_XDECREF(question->resources_keep);
    Py_XDECREF(question->changes_keep);
}

static bool factor_read(PyObject *value, double *out)
{
    if (value == Py_None)
        return true;
    if (PyFloat_Check(value) || PyLong_Check(value)) {
        *out = PyFloat_Check(value) ? PyFloat_AsDouble(value) : PyLong_AsDouble(value);
        return !PyErr_Occurred();
    }
    PyErr_SetString(PyExc_TypeError, "factor must be float or int");
    return false;
}

static bool change_read(swpy_state *state, PyObject *row, sw_forecast_change *out)
{
    sw_str kind;

    if (!swpy_row_check(row, "a change", 2, 3) ||
        !swpy_str_read(state, swpy_row_item(row, 0), "step", &out->step) ||
        !swpy_str_read(state, swpy_row_item(row, 1), "kind", &kind) ||
        !factor_read(swpy_row_item(row, 2), &out->factor))
        return false;
    out->kind = sw_forecast_kind_find(kind);
    if (out->kind >= 0)
        return true;
    swpy_refuse(state, SW_EINVAL, -1, "kind is '%.*s', expected fail, slower, skip or resolve",
                (int)(kind.len < 64 ? kind.len : 64), kind.ptr);
    return false;
}

static bool changes_read(swpy_state *state, PyObject *value, forecast_question *question)
{
    if (value == NULL)
        return true;
    question->changes_keep = swpy_rows_read(value, "changes");
    if (question->changes_keep == NULL)
        return false;
    size_t count = (size_t)PyTuple_Size(question->changes_keep);
    question->changes = PyMem_Calloc(count + 1, sizeof(*question->changes));
    if (question->changes == NULL) {
        PyErr_NoMemory();
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        PyObject *row = PyTuple_GetItem(question->changes_keep, (Py_ssize_t)i);
        if (!change_read(state, row, &question->changes[i]))
            return swpy_row_fail(i);
    }
    question->options.changes = question->changes;
    question->options.change_count = count;
    return true;
}

static bool resource_read(swpy_state *state, PyObject *row, swpy_strings *steps,
                          sw_forecast_resource *out)
{
    if (!swpy_row_check(row, "a resource", 2, 2) ||
        !swpy_int32_read(state, swpy_row_item(row, 0), "seats", &out->seats) ||
        !swpy_strings_read(state, swpy_row_item(row, 1), "steps", steps))
        return false;
    out->steps = steps->items;
    out->step_count = steps->count;
    return true;
}

static bool resources_read(swpy_state *state, PyObject *value, forecast_question *question)
{
    if (value == NULL)
        return true;
    question->resources_keep = swpy_rows_read(value, "resources");
    if (question->resources_keep == NULL)
        return false;
    size_t count = (size_t)PyTuple_Size(question->resources_keep);
    question->resources = PyMem_Calloc(count + 1, sizeof(*question->resources));
    question->steps = PyMem_Calloc(count + 1, sizeof(*question->steps));
    if (question->resources == NULL || question->steps == NULL) {
        PyErr_NoMemory();
        return false;
    }
    question->options.resources = question->resources;
    question->options.resource_count = count;
    for (size_t i = 0; i < count; i++) {
        PyObject *row = PyTuple_GetItem(question->resources_keep, (Py_ssize_t)i);
        if (!resource_read(state, row, &question->steps[i], &question->resources[i]))
            return swpy_row_fail(i);
    }
    return true;
}

static bool question_read(swpy_engine *self, PyObject *args, PyObject *kwargs,
                          forecast_question *question)
{
    static char *names[] = {"",        "changes",   "workers", "more_workers", "resources", "draws",
                            "history", "calibrate", NULL};
    swpy_state *state = self->state;
    sw_forecast_options *options = &question->options;
    PyObject *id_value = NULL, *changes = NULL, *resources = NULL;
    PyObject *numbers[5] = {NULL};
    int32_t *const fields[5] = {&options->what_if_workers, &options->more_workers, &options->draws,
                                &options->history, &options->calibrate};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O$OOOOOO:forecast_rows", names, &id_value,
                                     &changes, &numbers[0], &numbers[1], &resources, &numbers[2],
                                     &numbers[3], &numbers[4]) ||
        !swpy_uuid_read(state, id_value, "task_id", &question->task_id) ||
        !changes_read(state, changes, question) || !resources_read(state, resources, question))
        return false;
    for (int i = 0; i < 5; i++) {
        const char *what = names[i < 2 ? i + 2 : i + 3];
        if (numbers[i] != NULL && !swpy_int32_read(state, numbers[i], what, fields[i]))
            return false;
    }
    return true;
}

/* The answer. */

static PyObject *numbers_new(const int64_t us[3])
{
    return Py_BuildValue("(LLL)", (long long)us[0], (long long)us[1], (long long)us[2]);
}

static PyObject *forecast_case_new(swpy_state *state, const sw_forecast_case *row)
{
    PyObject *values[] = {
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
        PyLong_FromLong(row->workers),
        numbers_new(row->left_us),
        Py_BuildValue("(LL)", (long long)row->p50_between_us[0], (long long)row->p50_between_us[1]),
        PyLong_FromLongLong(row->work_us),
        PyLong_FromLongLong(row->never_count),
        swpy_strings_new(row->path, row->path_count),
        PyFloat_FromDouble(row->progress),
    };
    return swpy_record_new(state, SWPY_FORECAST_CASE, values, 8);
}

static PyObject *calibration_new(swpy_state *state, const sw_calibration *row)
{
    PyObject *values[] = {
        PyLong_FromLongLong(row->task_count),
        PyLong_FromLongLong(row->within_count),
        PyFloat_FromDouble(row->error),
        PyBool_FromLong(row->trusted),
    };
    return swpy_record_new(state, SWPY_CALIBRATION, values, 4);
}

static PyObject *forecast_step_new(swpy_state *state, const void *item)
{
    const sw_forecast_step *row = item;
    PyObject *values[] = {
        swpy_str_new(row->name),
        swpy_name_new(state->step_states, SW_STEP_STATE_COUNT, row->state),
        swpy_name_new(state->duration_sources, SW_DURATION_SOURCE_COUNT, row->source),
        PyLong_FromLongLong(row->sample_count),
        PyLong_FromLongLong(row->p50_us),
        PyLong_FromLongLong(row->p95_us),
        PyLong_FromLongLong(row->elapsed_us),
        PyBool_FromLong(row->runs),
        PyBool_FromLong(row->runs_what_if),
        PyBool_FromLong(row->overdue),
        PyFloat_FromDouble(row->decides),
        PyFloat_FromDouble(row->decides_what_if),
    };
    return swpy_record_new(state, SWPY_FORECAST_STEP, values, 12);
}

static PyObject *forecast_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_forecast *row = sw_forecasts(result, NULL);
    const sw_forecast_step *steps = sw_forecast_steps(result, &count);
    PyObject *values[] = {
        swpy_uuid_new(&row->task_id),
        swpy_name_new(state->task_states, SW_TASK_STATE_COUNT, row->state),
        PyBool_FromLong(row->changed),
        PyLong_FromLongLong(row->now_us),
        PyLong_FromLongLong(row->elapsed_us),
        PyLong_FromLongLong(row->step_count),
        PyLong_FromLongLong(row->ended_count),
        PyLong_FromLongLong(row->history_count),
        PyLong_FromLong(row->draws),
        PyBool_FromLong(row->workers_learnt),
        forecast_case_new(state, &row->base),
        forecast_case_new(state, &row->what_if),
        numbers_new(row->difference_us),
        calibration_new(state, &row->calibration),
        swpy_list_new(state, steps, sizeof(*steps), count, forecast_step_new),
    };
    return swpy_record_new(state, SWPY_FORECAST, values, 15);
}

PyObject *swpy_forecast_rows(PyObject *object, PyObject *args, PyObject *kwargs)
{
    swpy_engine *self = (swpy_engine *)object;
    forecast_question question = {.options = SW_FORECAST_OPTIONS_INIT};
    PyObject *answer = NULL;
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    /* Playing takes longer than a call that may keep the GIL. */
    if (question_read(self, args, kwargs, &question) && swpy_call_begin(&call, self, 0, true)) {
        int code =
            sw_task_forecast(call.engine, &question.options, &question.task_id, &result, &error);
        swpy_call_end(&call);
        answer = code < 0 ? swpy_raise(self->state, &error) : forecast_new(self->state, result);
        sw_result_free(result);
    }
    question_free(&question);
    return answer;
}
