/* Pictures: of graphs, of tasks, of the attempts of a task; and what steps are learnt to take.
 *
 * The core draws, so that an answer is one text. Python gives formats by name and numbers for the
 * rest; Graph.picture and Engine.picture make these from friendlier arguments.
 */
#include "module.h"

/* Nodes and edges up to which the GIL is kept. */
#define PICTURE_SMALL 200

const char swpy_graph_picture_doc[] =
    "picture($self, format, marks=0, duration=None, title=None, direction=0, columns=0, ascii=0, "
    "color=0, compact=0, /)\n--\n\nThe graph as text of a format.";

const char swpy_picture_text_doc[] =
    "picture_text($self, task_id, format, marks=0, title=None, direction=0, columns=0, ascii=0, "
    "color=0, compact=0, /)\n--\n\nA task as it stands, as text of a format.";

const char swpy_gantt_text_doc[] =
    "gantt_text($self, task_id, format, title=None, columns=0, width=0, ascii=0, color=0, /)\n"
    "--\n\nThe attempts of a task along a time line, as text of a format.";

const char swpy_duration_rows_doc[] =
    "duration_rows($self, definition, history=0, /)\n--\n\n"
    "What the steps of a definition take: (name, source, sample_count, p50_us, p95_us).";

static bool format_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    if (!swpy_str_read(state, value, "format", &name))
        return false;
    *out = sw_picture_format_find(name);
    if (*out >= 0)
        return true;
    swpy_refuse(state, SW_EINVAL, -1, "format is '%.*s', expected svg, mermaid, dot, json or text",
                (int)(name.len < 64 ? name.len : 64), name.ptr);
    return false;
}

/* Numbers of 32 bits that may be missing. */
static bool numbers_read(swpy_state *state, PyObject *const *values, const char *const *names,
                         int32_t *const *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] != NULL && !swpy_int32_read(state, values[i], names[i], out[i]))
            return false;
    }
    return true;
}

/* The text of the one picture. */
static PyObject *text_new(swpy_state *state, const sw_result *result)
{
    const sw_picture *picture = sw_pictures(result, NULL);

    (void)state;
    return PyUnicode_DecodeUTF8(picture->text.ptr, (Py_ssize_t)picture->text.len, "strict");
}

/* ---- pictures ---- */

/* What graphs and tasks have in common, in the order of the arguments. */
typedef struct picture_arguments {
    PyObject *format;
    PyObject *title;
    PyObject *numbers[6];
} picture_arguments;

static bool options_read(swpy_state *state, const picture_arguments *given,
                         sw_picture_options *options)
{
    static const char *const names[] = {"marks", "direction", "columns",
                                        "ascii", "color",     "compact"};
    int32_t *const fields[] = {&options->marks, &options->direction, &options->columns,
                               &options->ascii, &options->color,     &options->compact};

    return format_read(state, given->format, &options->format) &&
           (given->title == NULL ||
            swpy_str_read_maybe(state, given->title, "title", &options->title)) &&
           numbers_read(state, given->numbers, names, fields, 6);
}

PyObject *swpy_graph_picture(PyObject *object, PyObject *args)
{
    swpy_graph *self = (swpy_graph *)object;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    picture_arguments given = {.format = NULL};
    PyObject **number = given.numbers;
    PyObject *duration = Py_None;
    sw_result *result = NULL;
    swpy_array durations;
    sw_error error;

    if (!PyArg_ParseTuple(args, "O|OOOOOOOO:picture", &given.format, &number[0], &duration,
                          &given.title, &number[1], &number[2], &number[3], &number[4],
                          &number[5]) ||
        !options_read(self->state, &given, &options))
        return NULL;
    const sw_graph *named = swpy_graph_named(self);
    if (named == NULL ||
        !swpy_node_array_read(self, duration, "duration", sizeof(int64_t), &durations))
        return NULL;
    PyThreadState *thread = swpy_graph_enter(swpy_graph_size(self), PICTURE_SMALL);
    int code = sw_graph_picture(named, &options, durations.items, &result, &error);
    swpy_graph_leave(thread);
    swpy_array_free(&durations);
    PyObject *text = code < 0 ? swpy_raise(self->state, &error) : text_new(self->state, result);
    sw_result_free(result);
    return text;
}

/* What is drawn of a task. */
typedef struct picture_ask {
    sw_uuid task_id;
    sw_picture_options options;
} picture_ask;

static int picture_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const picture_ask *ask = context;

    return sw_task_picture(engine, &ask->options, NULL, &ask->task_id, out, error);
}

PyObject *swpy_picture_text(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    picture_ask ask = {.options = SW_PICTURE_OPTIONS_INIT};
    picture_arguments given = {.format = NULL};
    PyObject **number = given.numbers;
    PyObject *id_value = NULL;

    if (!PyArg_ParseTuple(args, "OO|OOOOOOO:picture_text", &id_value, &given.format, &number[0],
                          &given.title, &number[1], &number[2], &number[3], &number[4],
                          &number[5]) ||
        !swpy_uuid_read(self->state, id_value, "task_id", &ask.task_id) ||
        !options_read(self->state, &given, &ask.options))
        return NULL;
    return swpy_call_ask(self, 0, true, picture_run, &ask, text_new);
}

/* ---- attempts ---- */

typedef struct gantt_ask {
    sw_uuid task_id;
    sw_gantt_options options;
} gantt_ask;

static int gantt_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const gantt_ask *ask = context;

    return sw_task_gantt(engine, &ask->options, &ask->task_id, out, error);
}

PyObject *swpy_gantt_text(PyObject *object, PyObject *args)
{
    static const char *const names[] = {"columns", "width", "ascii", "color"};
    swpy_engine *self = (swpy_engine *)object;
    gantt_ask ask = {.options = SW_GANTT_OPTIONS_INIT};
    sw_gantt_options *options = &ask.options;
    int32_t *const fields[] = {&options->columns, &options->width, &options->ascii,
                               &options->color};
    PyObject *id_value = NULL, *format = NULL, *title = Py_None;
    PyObject *numbers[4] = {NULL};

    if (!PyArg_ParseTuple(args, "OO|OOOOO:gantt_text", &id_value, &format, &title, &numbers[0],
                          &numbers[1], &numbers[2], &numbers[3]) ||
        !swpy_uuid_read(self->state, id_value, "task_id", &ask.task_id) ||
        !format_read(self->state, format, &options->format) ||
        !swpy_str_read_maybe(self->state, title, "title", &options->title) ||
        !numbers_read(self->state, numbers, names, fields, 4))
        return NULL;
    return swpy_call_ask(self, 0, true, gantt_run, &ask, text_new);
}

/* ---- durations ---- */

static PyObject *duration_new(swpy_state *state, const void *item)
{
    const sw_step_duration *row = item;

    return Py_BuildValue(
        "(NNLLL)", swpy_str_new(row->name),
        swpy_name_new(state->duration_sources, SW_DURATION_SOURCE_COUNT, row->source),
        (long long)row->sample_count, (long long)row->p50_us, (long long)row->p95_us);
}

typedef struct durations_ask {
    sw_workflow *workflow;
    int32_t history;
} durations_ask;

static int durations_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const durations_ask *ask = context;

    return sw_workflow_durations(engine, ask->workflow, ask->history, out, error);
}

static PyObject *durations_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_step_duration *rows = sw_step_durations(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, duration_new);
}

PyObject *swpy_duration_rows(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    PyObject *definition = NULL, *history_value = NULL, *warnings = NULL, *answer = NULL;
    durations_ask ask = {NULL, 0};
    sw_str text;

    if (!PyArg_ParseTuple(args, "O|O:duration_rows", &definition, &history_value) ||
        !swpy_str_read(self->state, definition, "definition", &text) ||
        (history_value != NULL &&
         !swpy_int32_read(self->state, history_value, "history", &ask.history)))
        return NULL;
    ask.workflow = swpy_workflow_load(self->state, &options, text, &warnings);
    Py_XDECREF(warnings);
    if (ask.workflow != NULL)
        answer = swpy_call_ask(self, 0, true, durations_run, &ask, durations_new);
    sw_workflow_free(ask.workflow);
    return answer;
}
