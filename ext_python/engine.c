/* The type Engine: opening, closing, and the one helper through which every method enters the
 * core.
 *
 * An engine belongs to the process that opened it. In a forked child the core answers SW_EFORKED;
 * here that matters only to close, which must not wait for calls of threads that the child does
 * not have. Not here: the methods of the subjects (task.c, step.c, ...).
 */
#include "module.h"

#include <stddef.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

/* Calls on a memory store with at most so many rows keep the GIL: they take microseconds, while
 * taking the GIL back beside a busy thread takes milliseconds. */
#define ENGINE_SMALL_ROWS 64

/* Signals run on the main thread only, so only its waits are cut this short. */
#define ENGINE_SLICE_MAIN_MS 100
#define ENGINE_SLICE_OTHER_MS 250

static const char engine_doc[] =
    "Engine(store, *, durability=None, busy_timeout_ms=0, payload_max=0, must_exist=False)\n"
    "--\n\n"
    "An open store: a path, 'sqlite:///path' or 'memory:'. Methods take and give plain tuples.";

const char swpy_close_doc[] = "close($self, /)\n--\n\n"
                              "Close the store; closing twice is no error.";

const char swpy_info_doc[] = "info($self, /)\n--\n\nWhat is open, as an EngineInfo.";

const char swpy_wake_doc[] = "wake($self, /)\n--\n\n"
                             "Let every exchange and wait of this process return at once.";

const char swpy_wake_count_doc[] = "wake_count($self, /)\n--\n\n"
                                   "How often wake was called; see exchange.";

bool swpy_call_begin(swpy_call *call, swpy_engine *owner, size_t row_count, bool waits)
{
    *call = (swpy_call){.owner = owner};
    atomic_fetch_add(&owner->calls, 1);
    call->engine = atomic_load(&owner->handle);
    if (call->engine == NULL) {
        atomic_fetch_sub(&owner->calls, 1);
        swpy_refuse(owner->state, SW_ECLOSED, -1, "the engine is closed");
        return false;
    }
    if (waits || !owner->memory || row_count > ENGINE_SMALL_ROWS)
        call->thread = PyEval_SaveThread();
    return true;
}

void swpy_call_end(swpy_call *call)
{
    if (call->thread != NULL)
        PyEval_RestoreThread(call->thread);
    atomic_fetch_sub(&call->owner->calls, 1);
}

bool swpy_thread_is_main(void)
{
#if defined(__linux__)
    return syscall(SYS_gettid) == getpid();
#else
    return true;
#endif
}

int64_t swpy_slice_ms(int64_t left_ms)
{
    int64_t slice_ms = swpy_thread_is_main() ? ENGINE_SLICE_MAIN_MS : ENGINE_SLICE_OTHER_MS;
    return left_ms < 0 || left_ms > slice_ms ? slice_ms : left_ms;
}

/* A wait that came back clearly before its time was woken; a timer may be early by a moment. */
bool swpy_woken(int64_t start_ms, int64_t slice_ms)
{
    return swpy_now_ms() - start_ms + 5 < slice_ms;
}

int64_t swpy_left_ms(int64_t start_ms, int64_t wait_ms)
{
    int64_t gone_ms = swpy_now_ms() - start_ms;

    if (wait_ms < 0)
        return -1;
    return wait_ms > gone_ms ? wait_ms - gone_ms : 0;
}

int64_t swpy_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

PyObject *swpy_call_answer(swpy_state *state, int code, sw_result *result, const sw_error *error,
                           swpy_convert convert)
{
    PyObject *answer = code < 0 ? swpy_raise(state, error) : convert(state, result);

    sw_result_free(result);
    return answer;
}

PyObject *swpy_call_ask(swpy_engine *self, size_t row_count, bool waits, swpy_run run,
                        void *context, swpy_convert convert)
{
    sw_result *result = NULL;
    sw_error error;
    swpy_call call;

    if (!swpy_call_begin(&call, self, row_count, waits))
        return NULL;
    int code = run(call.engine, context, &result, &error);
    swpy_call_end(&call);
    return swpy_call_answer(self->state, code, result, &error, convert);
}

PyObject *swpy_call_apart(swpy_state *state, swpy_run run, void *context, swpy_convert convert)
{
    sw_result *result = NULL;
    sw_error error;
    int code;

    Py_BEGIN_ALLOW_THREADS
    code = run(NULL, context, &result, &error);
    Py_END_ALLOW_THREADS
    return swpy_call_answer(state, code, result, &error, convert);
}

/* Take the handle away and close it once the last call has left. A wake can come just before the
 * other thread begins to wait, hence the repetition. */
static void engine_give_up(swpy_engine *self)
{
    sw_engine *engine = atomic_exchange(&self->handle, NULL);

    if (engine == NULL)
        return;
    PyThreadState *thread = PyEval_SaveThread();
    bool forked = self->pid != getpid();
    while (!forked && atomic_load(&self->calls) > 0) {
        sw_engine_wake(engine);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    sw_engine_close(engine);
    PyEval_RestoreThread(thread);
}

PyObject *swpy_close(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;

    if (!PyArg_ParseTuple(args, ":close"))
        return NULL;
    /* Waiting for it could be waiting for oneself. */
    if (atomic_load(&self->signing) > 0 && self->pid == getpid())
        return swpy_refuse(self->state, SW_ESTATE, -1, "an application is signing for this engine");
    engine_give_up(self);
    Py_RETURN_NONE;
}

PyObject *swpy_wake(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_engine *engine = NULL;

    if (!PyArg_ParseTuple(args, ":wake"))
        return NULL;
    atomic_fetch_add(&self->calls, 1);
    atomic_fetch_add(&self->wakes, 1);
    engine = atomic_load(&self->handle);
    if (engine != NULL)
        sw_engine_wake(engine);
    atomic_fetch_sub(&self->calls, 1);
    Py_RETURN_NONE;
}

PyObject *swpy_wake_count(PyObject *object, PyObject *args)
{
    if (!PyArg_ParseTuple(args, ":wake_count"))
        return NULL;
    return PyLong_FromLongLong(atomic_load(&((swpy_engine *)object)->wakes));
}

static PyObject *info_new(swpy_state *state, const sw_engine_info *info)
{
    PyObject *values[] = {
        swpy_name_new(state->durabilities, SW_DURABILITY_COUNT, info->durability),
        PyLong_FromLong(info->schema_version),
        PyBool_FromLong(info->sqlite),
        PyLong_FromLongLong(info->now_us),
    };
    return swpy_record_new(state, SWPY_INFO, values, 4);
}

PyObject *swpy_info(PyObject *object, PyObject *args)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    sw_error error;
    swpy_call call;

    if (!PyArg_ParseTuple(args, ":info") || !swpy_call_begin(&call, self, 0, false))
        return NULL;
    int code = sw_engine_info_get(call.engine, &info, &error);
    swpy_call_end(&call);
    return code < 0 ? swpy_raise(self->state, &error) : info_new(self->state, &info);
}

static bool durability_read(swpy_state *state, PyObject *value, int32_t *out)
{
    sw_str name;

    if (value == NULL || value == Py_None)
        return true;
    if (!swpy_str_read(state, value, "durability", &name))
        return false;
    *out = sw_durability_find(name);
    if (*out < 0)
        swpy_refuse(state, SW_EINVAL, -1,
                    "durability is '%.*s', expected 'strict', 'relaxed' or 'memory'",
                    (int)(name.len < 64 ? name.len : 64), name.ptr);
    return *out >= 0;
}

/* Names of the arguments of Engine(), read into options; strings are borrowed from them. */
static bool options_read(swpy_state *state, PyObject *args, PyObject *kwargs,
                         sw_engine_options *options)
{
    static char *names[] = {"store",       "durability", "busy_timeout_ms",
                            "payload_max", "must_exist", NULL};
    PyObject *store = NULL;
    PyObject *durability = NULL;
    PyObject *busy_timeout_ms = NULL;
    PyObject *payload_max = NULL;
    int must_exist = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OOOp:Engine", names, &store, &durability,
                                     &busy_timeout_ms, &payload_max, &must_exist))
        return false;
    options->must_exist = must_exist;
    return swpy_str_read(state, store, "store", &options->store) &&
           durability_read(state, durability, &options->durability) &&
           (busy_timeout_ms == NULL || swpy_int64_read(state, busy_timeout_ms, "busy_timeout_ms",
                                                       &options->busy_timeout_ms)) &&
           (payload_max == NULL ||
            swpy_int64_read(state, payload_max, "payload_max", &options->payload_max));
}

static int engine_init(PyObject *object, PyObject *args, PyObject *kwargs)
{
    swpy_engine *self = (swpy_engine *)object;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine_info info = SW_ENGINE_INFO_INIT;
    sw_engine *engine = NULL;
    sw_error error;
    int code;

    if (!options_read(self->state, args, kwargs, &options))
        return -1;
    if (atomic_load(&self->handle) != NULL) {
        swpy_refuse(self->state, SW_ESTATE, -1, "this engine is open already");
        return -1;
    }
    Py_BEGIN_ALLOW_THREADS
    code = sw_engine_open(&options, &engine, &error);
    if (code == SW_OK)
        code = sw_engine_info_get(engine, &info, &error);
    if (code < 0)
        sw_engine_close(engine);
    Py_END_ALLOW_THREADS
    if (code < 0) {
        swpy_raise(self->state, &error);
        return -1;
    }
    self->memory = info.sqlite == 0;
    self->pid = getpid();
    atomic_store(&self->handle, engine);
    return 0;
}

static PyObject *engine_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    swpy_state *state = swpy_state_find(type);
    if (state == NULL)
        return NULL;
    swpy_engine *self = (swpy_engine *)PyType_GenericNew(type, args, kwargs);
    if (self != NULL)
        self->state = state;
    return (PyObject *)self;
}

static int engine_traverse(PyObject *object, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(object));
    return 0;
}

static void engine_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    engine_give_up((swpy_engine *)object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

#define ENGINE_METHOD(name) {#name, swpy_##name, METH_VARARGS, swpy_##name##_doc},
#define ENGINE_KEYWORD_METHOD(name)                                                                \
    {#name, (PyCFunction)(void (*)(void))swpy_##name, METH_VARARGS | METH_KEYWORDS,                \
     swpy_##name##_doc},
#define ENGINE_CLASS_METHOD(name)                                                                  \
    {#name, swpy_##name, METH_VARARGS | METH_CLASS, swpy_##name##_doc},
/* clang-format off */
static PyMethodDef engine_methods[] = {
    SWPY_METHOD_MAP(ENGINE_METHOD)
    SWPY_KEYWORD_METHOD_MAP(ENGINE_KEYWORD_METHOD)
    SWPY_CLASS_METHOD_MAP(ENGINE_CLASS_METHOD)
    {NULL, NULL, 0, NULL},
};
/* clang-format on */
#undef ENGINE_METHOD
#undef ENGINE_KEYWORD_METHOD
#undef ENGINE_CLASS_METHOD

static PyObject *engine_closed(PyObject *object, void *closure)
{
    (void)closure;
    return PyBool_FromLong(atomic_load(&((swpy_engine *)object)->handle) == NULL);
}

static PyGetSetDef engine_attributes[] = {
    {"closed", engine_closed, NULL, "Whether the store was closed.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot engine_slots[] = {
    {Py_tp_doc, (void *)(uintptr_t)engine_doc},
    {Py_tp_new, engine_new},
    {Py_tp_init, engine_init},
    {Py_tp_traverse, engine_traverse},
    {Py_tp_dealloc, engine_dealloc},
    {Py_tp_methods, engine_methods},
    {Py_tp_getset, engine_attributes},
    {0, NULL},
};

static PyType_Spec engine_spec = {
    .name = "stepwell._core.Engine",
    .basicsize = sizeof(swpy_engine),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = engine_slots,
};

bool swpy_engine_setup(PyObject *module, swpy_state *state)
{
    state->engine_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &engine_spec, NULL);
    return state->engine_type != NULL && PyModule_AddType(module, state->engine_type) == 0;
}
