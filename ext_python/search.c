/* Searching the audit log: pages of entries, counts, and pages as text. */
#include "module.h"

#define SEARCH_KEYWORDS                                                                            \
    "*, kind=None, actor=None, step=None, outcome=None,\n"                                         \
    "correlation_id=None, task_id=None, after_us=None, before_us=None, after_entry_no=None,\n"     \
    "limit=None)\n--\n\n"

const char swpy_audit_search_doc[] =
    "audit_search($self, /, " SEARCH_KEYWORDS
    "Entries that match, oldest first, as AuditEntry; after_entry_no is the number of the last\n"
    "entry of the page before.";

const char swpy_audit_count_doc[] =
    "audit_count($self, /, " SEARCH_KEYWORDS
    "How many entries match: a list of AuditGroup and one of AuditActor, the largest first.";

const char swpy_audit_dump_doc[] =
    "audit_dump($self, /, format='jsonl', heads=True, " SEARCH_KEYWORDS
    "The page as text, the number of its entries, and that of the last one.";

enum { SEARCH_VALUES = 10 };

/* What is asked for. The values are borrowed from the call. */
typedef struct search_ask {
    sw_audit_filter filter;
    int32_t format;
    int32_t heads;
} search_ask;

static bool kind_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name = {NULL, 0};

    if (!swpy_str_read_maybe(state, value, "kind", &name))
        return false;
    *out = name.ptr != NULL ? sw_audit_kind_find(name) : 0;
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "kind is '%.*s', which is no kind of an entry",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

static bool filter_read(swpy_state *state, PyObject *const *values, sw_audit_filter *filter)
{
    static const char *const names[] = {"after_us", "before_us", "after_entry_no", "limit"};
    int64_t *const numbers[] = {&filter->after_us, &filter->before_us, &filter->after_entry_no,
                                &filter->limit};

    *filter = (sw_audit_filter)SW_AUDIT_FILTER_INIT;
    if (!kind_read(state, values[0], &filter->kind) ||
        !swpy_str_read_maybe(state, values[1], "actor", &filter->actor) ||
        !swpy_str_read_maybe(state, values[2], "step", &filter->step) ||
        !swpy_str_read_maybe(state, values[3], "outcome", &filter->outcome) ||
        !swpy_str_read_maybe(state, values[4], "correlation_id", &filter->correlation_id) ||
        (values[5] != Py_None && !swpy_uuid_read(state, values[5], "task_id", &filter->task_id)))
        return false;
    for (int i = 0; i < 4; i++) {
        if (values[6 + i] != Py_None &&
            !swpy_int64_read(state, values[6 + i], names[i], numbers[i]))
            return false;
    }
    return true;
}

/* The keywords of all three; front are the arguments of dump before them. */
static bool arguments_read(swpy_state *state, PyObject *args, PyObject *kwargs, const char *form,
                           PyObject **front, search_ask *ask)
{
    static char *names[] = {"format",         "heads",          "kind",    "actor",    "step",
                            "outcome",        "correlation_id", "task_id", "after_us", "before_us",
                            "after_entry_no", "limit",          NULL};
    PyObject *unused[2];
    PyObject **first = front != NULL ? front : unused;
    PyObject *v[SEARCH_VALUES];

    for (int i = 0; i < SEARCH_VALUES; i++)
        v[i] = Py_None;
    bool read =
        front != NULL
            ? PyArg_ParseTupleAndKeywords(args, kwargs, form, names, &first[0], &first[1], &v[0],
                                          &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
                                          &v[9])
            : PyArg_ParseTupleAndKeywords(args, kwargs, form, names + 2, &v[0], &v[1], &v[2], &v[3],
                                          &v[4], &v[5], &v[6], &v[7], &v[8], &v[9]);
    return read && filter_read(state, v, &ask->filter);
}

/* ---- pages ---- */

static int search_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_audit_search(engine, &((const search_ask *)context)->filter, out, error);
}

static PyObject *entries_new(swpy_state *state, const sw_result *result)
{
    size_t count = 0;
    const sw_audit_entry *rows = sw_audit_entries(result, &count);

    return swpy_list_new(state, rows, sizeof(*rows), count, swpy_entry_new);
}

PyObject *swpy_audit_search(PyObject *object, PyObject *args, PyObject *kwargs)
{
    swpy_engine *self = (swpy_engine *)object;
    search_ask ask;

    if (!arguments_read(self->state, args, kwargs, "|$OOOOOOOOOO:audit_search", NULL, &ask))
        return NULL;
    return swpy_call_ask(self, 0, true, search_run, &ask, entries_new);
}

/* ---- counts ---- */

static int count_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    return sw_audit_count(engine, &((const search_ask *)context)->filter, out, error);
}

static PyObject *group_new(swpy_state *state, const void *item)
{
    const sw_audit_group *row = item;
    PyObject *outcome =
        row->to < 0 ? Py_BuildValue("") : swpy_entry_state_new(state, row->kind, row->to);
    PyObject *values[] = {
        swpy_name_new(state->audit_kinds, SW_AUDIT_KIND_COUNT + 1, row->kind),
        outcome,
        PyLong_FromLongLong(row->count),
        PyLong_FromLongLong(row->oldest_us),
        PyLong_FromLongLong(row->newest_us),
    };
    return swpy_record_new(state, SWPY_AUDIT_GROUP, values, 5);
}

static PyObject *actor_new(swpy_state *state, const void *item)
{
    const sw_audit_actor *row = item;
    PyObject *values[] = {
        swpy_str_new(row->actor),
        PyLong_FromLongLong(row->count),
        PyLong_FromLongLong(row->oldest_us),
        PyLong_FromLongLong(row->newest_us),
    };
    return swpy_record_new(state, SWPY_AUDIT_ACTOR, values, 4);
}

static PyObject *counts_new(swpy_state *state, const sw_result *result)
{
    size_t group_count = 0, actor_count = 0;
    const sw_audit_group *groups = sw_audit_groups(result, &group_count);
    const sw_audit_actor *actors = sw_audit_actors(result, &actor_count);
    PyObject *first = swpy_list_new(state, groups, sizeof(*groups), group_count, group_new);
    PyObject *second = first != NULL
                           ? swpy_list_new(state, actors, sizeof(*actors), actor_count, actor_new)
                           : NULL;
    PyObject *answer = second != NULL ? PyTuple_Pack(2, first, second) : NULL;

    Py_XDECREF(first);
    Py_XDECREF(second);
    return answer;
}

PyObject *swpy_audit_count(PyObject *object, PyObject *args, PyObject *kwargs)
{
    swpy_engine *self = (swpy_engine *)object;
    search_ask ask;

    if (!arguments_read(self->state, args, kwargs, "|$OOOOOOOOOO:audit_count", NULL, &ask))
        return NULL;
    return swpy_call_ask(self, 0, true, count_run, &ask, counts_new);
}

/* ---- texts ---- */

static int dump_run(sw_engine *engine, void *context, sw_result **out, sw_error *error)
{
    const search_ask *ask = context;

    return sw_audit_dump(engine, &ask->filter, ask->format, ask->heads, out, error);
}

static PyObject *text_new(swpy_state *state, const sw_result *result)
{
    const sw_audit_text *row = sw_audit_texts(result, NULL);

    (void)state;
    return Py_BuildValue("(NLL)", swpy_str_new(row->text), (long long)row->entry_count,
                         (long long)row->last_entry_no);
}

static bool format_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    *out = SW_AUDIT_JSONL;
    if (value == NULL)
        return true;
    if (!swpy_str_read(state, value, "format", &name))
        return false;
    *out = sw_audit_format_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1, "format is '%.*s', expected jsonl, yaml or csv",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

PyObject *swpy_audit_dump(PyObject *object, PyObject *args, PyObject *kwargs)
{
    swpy_engine *self = (swpy_engine *)object;
    PyObject *front[2] = {NULL, Py_True};
    search_ask ask;

    if (!arguments_read(self->state, args, kwargs, "|OO$OOOOOOOOOO:audit_dump", front, &ask) ||
        !format_read(self->state, front[0], &ask.format))
        return NULL;
    ask.heads = PyObject_IsTrue(front[1]);
    if (ask.heads < 0)
        return NULL;
    return swpy_call_ask(self, 0, true, dump_run, &ask, text_new);
}
