/* The module stepwell._core: its state, its constants and its definition.
 *
 * Multi-phase initialisation with all state per module, so that each interpreter has its own.
 * Built against the limited API of CPython 3.10, one binary serves every later version; on 3.9
 * and on free-threaded builds the full API is used.
 */
#include "module.h"

/* The names of an enumeration whose members pass keep, as a tuple. */
static PyObject *names_tuple(PyObject *const *names, int count, int (*keep)(int))
{
    PyObject *list = PyList_New(0);
    PyObject *tuple = NULL;

    for (int i = 0; list != NULL && i < count; i++) {
        if ((keep == NULL || keep(i)) && PyList_Append(list, names[i]) < 0)
            Py_CLEAR(list);
    }
    if (list != NULL)
        tuple = PyList_AsTuple(list);
    Py_XDECREF(list);
    return tuple;
}

static bool constant_add(PyObject *module, const char *name, PyObject *value)
{
    if (value == NULL)
        return false;
    int result = PyObject_SetAttrString(module, name, value);
    Py_DECREF(value);
    return result == 0;
}

static bool constants_setup(PyObject *module, const swpy_state *state)
{
    return constant_add(module, "VERSION", PyUnicode_FromString(sw_version())) &&
           constant_add(module, "STEP_STATES",
                        names_tuple(state->step_states, SW_STEP_STATE_COUNT, NULL)) &&
           constant_add(
               module, "STEP_STATES_ENDED",
               names_tuple(state->step_states, SW_STEP_STATE_COUNT, sw_step_state_terminal)) &&
           constant_add(module, "TASK_STATES",
                        names_tuple(state->task_states, SW_TASK_STATE_COUNT, NULL)) &&
           constant_add(
               module, "TASK_STATES_ENDED",
               names_tuple(state->task_states, SW_TASK_STATE_COUNT, sw_task_state_terminal)) &&
           constant_add(module, "OUTCOMES", names_tuple(state->outcomes, SW_OUTCOME_COUNT, NULL));
}

static int module_exec(PyObject *module)
{
    swpy_state *state = PyModule_GetState(module);

    if (!swpy_errors_setup(module, state) || !swpy_records_setup(module, state) ||
        !swpy_engine_setup(module, state) || !swpy_graph_setup(module, state) ||
        !swpy_graph_edit_setup(module, state) || !constants_setup(module, state))
        return -1;
    return 0;
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
    swpy_state *state = PyModule_GetState(module);

    Py_VISIT(state->error);
    for (int i = 0; i <= SWPY_ERROR_COUNT; i++)
        Py_VISIT(state->errors[i]);
    for (int i = 0; i < SWPY_RECORD_COUNT; i++)
        Py_VISIT(state->records[i]);
#define NAMES_VISIT(field, count, name)                                                            \
    for (int i = 0; i < count; i++)                                                                \
        Py_VISIT(state->field[i]);
    SWPY_NAMES_MAP(NAMES_VISIT)
#undef NAMES_VISIT
    Py_VISIT(state->engine_type);
    Py_VISIT(state->graph_type);
    Py_VISIT(state->graph_edit_type);
    return 0;
}

static int module_clear(PyObject *module)
{
    swpy_state *state = PyModule_GetState(module);

    Py_CLEAR(state->error);
    for (int i = 0; i <= SWPY_ERROR_COUNT; i++)
        Py_CLEAR(state->errors[i]);
    for (int i = 0; i < SWPY_RECORD_COUNT; i++)
        Py_CLEAR(state->records[i]);
#define NAMES_CLEAR(field, count, name)                                                            \
    for (int i = 0; i < count; i++)                                                                \
        Py_CLEAR(state->field[i]);
    SWPY_NAMES_MAP(NAMES_CLEAR)
#undef NAMES_CLEAR
    Py_CLEAR(state->engine_type);
    Py_CLEAR(state->graph_type);
    Py_CLEAR(state->graph_edit_type);
    return 0;
}

static void module_free(void *module)
{
    module_clear(module);
}

/* The slots of 3.12 and 3.13 exist in the headers only when the API in use has them; a binary for
 * older versions must not carry them, because an unknown slot stops the import. */
static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_multiple_interpreters
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyMethodDef module_methods[] = {
    {"tasker_readiness", swpy_tasker_readiness, METH_VARARGS, swpy_tasker_readiness_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "stepwell._core",
    .m_doc = "The engine of stepwell. Use the package stepwell, which builds on it.",
    .m_size = sizeof(swpy_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

swpy_state *swpy_state_find(PyTypeObject *type)
{
    for (; type != NULL; type = PyType_GetSlot(type, Py_tp_base)) {
        PyObject *module = PyType_GetModule(type);
        if (module != NULL && PyModule_GetDef(module) == &module_def)
            return PyModule_GetState(module);
        PyErr_Clear();
    }
    PyErr_SetString(PyExc_SystemError, "stepwell: the type does not derive from Engine");
    return NULL;
}

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&module_def);
}
