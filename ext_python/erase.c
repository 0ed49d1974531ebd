/* Erasing what is known of a subject. */
#include "module.h"

const char swpy_task_erase_doc[] =
    "task_erase($self, subject, actor, reason, /, *, dry_run=False, quick=False)\n--\n\n"
    "Destroy inputs, results and errors of all tasks with the tag subject:SUBJECT; an Erased.";

PyObject *swpy_task_erase(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"", "", "", "dry_run", "quick", NULL};
    swpy_engine *self = (swpy_engine *)object;
    PyObject *texts[3];
    int dry_run = 0, quick = 0;
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    sw_erase_report report = SW_ERASE_REPORT_INIT;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO|$pp:task_erase", names, &texts[0],
                                     &texts[1], &texts[2], &dry_run, &quick) ||
        !swpy_str_read(self->state, texts[0], "subject", &options.subject) ||
        !swpy_str_read_maybe(self->state, texts[1], "actor", &options.actor) ||
        !swpy_str_read_maybe(self->state, texts[2], "reason", &options.reason))
        return NULL;
    options.dry_run = dry_run;
    options.quick = quick;
    if (!swpy_call_begin(&call, self, 0, true))
        return NULL;
    int code = sw_task_erase(call.engine, &options, &report, &error);
    swpy_call_end(&call);
    if (code < 0)
        return swpy_raise(self->state, &error);
    PyObject *values[] = {
        PyLong_FromLongLong(report.task_count),
        PyLong_FromLongLong(report.erased_count),
        PyBool_FromLong(report.clean),
    };
    return swpy_record_new(self->state, SWPY_ERASED, values, 3);
}
