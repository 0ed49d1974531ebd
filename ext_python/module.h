/* What the files of the extension stepwell._core share: the module's state, the call helper and
 * the conversions.
 *
 * One file per subject of the public header (engine.c, task.c, step.c, ...), convert.c between
 * Python values and C, records.c for the rows that go up, errors.c with the one function that
 * turns a code into an exception. Not here: anything a user of the package should like to call;
 * the friendly classes are Python (wheels/stepwell/src/stepwell).
 *
 * Rules of every method: convert and check all arguments first, because a conversion can run
 * Python code; then swpy_call_begin; then the core; then swpy_call_end; then build the answer.
 */
#ifndef SWPY_MODULE_H
#define SWPY_MODULE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

#include <stepwell.h>

#define SWPY_COUNT_ONE(...) +1
enum { SWPY_ERROR_COUNT = 0 SW_ERROR_MAP(SWPY_COUNT_ONE) };
#undef SWPY_COUNT_ONE

/* XX(NAME, name of the type in Python): the kinds of rows that go up to Python. */
#define SWPY_RECORD_MAP(XX)                                                                        \
    XX(INFO, "stepwell.EngineInfo")                                                                \
    XX(REGISTERED, "stepwell.Registered")                                                          \
    XX(DEFINITION, "stepwell.Definition")                                                          \
    XX(SUBMITTED, "stepwell.Submitted")                                                            \
    XX(TASK, "stepwell.TaskRow")                                                                   \
    XX(STEP, "stepwell.StepRow")                                                                   \
    XX(APPLIED, "stepwell.Applied")                                                                \
    XX(INPUT, "stepwell.StepInput")                                                                \
    XX(CLAIM, "stepwell.Claim")                                                                    \
    XX(FINISHED, "stepwell.Finished")                                                              \
    XX(EXCHANGE, "stepwell.Exchange")                                                              \
    XX(REASON, "stepwell.Reason")                                                                  \
    XX(CONTEXT, "stepwell.TaskContext")                                                            \
    XX(READINESS, "stepwell.StepReadiness")                                                        \
    XX(OVERRIDDEN, "stepwell.Overridden")                                                          \
    XX(PRUNED, "stepwell.Pruned")                                                                  \
    XX(ERASED, "stepwell.Erased")                                                                  \
    XX(DEAD, "stepwell.DeadRow")                                                                   \
    XX(DEAD_GROUP, "stepwell.DeadGroup")                                                           \
    XX(TASKER, "stepwell.TaskerReadiness")                                                         \
    XX(BREAKER, "stepwell.BreakerRow")                                                             \
    XX(WORKER, "stepwell.WorkerRow")                                                               \
    XX(ENTRY, "stepwell.AuditEntry")                                                               \
    XX(REPORT, "stepwell.AuditReport")                                                             \
    XX(AUDIT_GROUP, "stepwell.AuditGroup")                                                         \
    XX(AUDIT_ACTOR, "stepwell.AuditActor")                                                         \
    XX(AUDIT_KEY, "stepwell.AuditKey")                                                             \
    XX(CHECKPOINT, "stepwell.AuditCheckpoint")                                                     \
    XX(ANCHOR, "stepwell.AuditAnchor")                                                             \
    XX(PROOF, "stepwell.AuditProof")                                                               \
    XX(SHOWN, "stepwell.AuditShown")                                                               \
    XX(CONTROL, "stepwell.Control")                                                                \
    XX(CONTROL_REPORT, "stepwell.ControlReport")                                                   \
    XX(CONTROL_ANSWER, "stepwell.ControlAnswer")                                                   \
    XX(EVIDENCE, "stepwell.Evidence")                                                              \
    XX(CONTROL_SIGNATURE, "stepwell.ControlSignature")                                             \
    XX(APPENDED, "stepwell.Appended")                                                              \
    XX(EVENT, "stepwell.EventRow")                                                                 \
    XX(TASK_PAST, "stepwell.TaskPast")                                                             \
    XX(STEP_PAST, "stepwell.StepPast")                                                             \
    XX(PROJECTION, "stepwell.ProjectionRow")                                                       \
    XX(FORECAST, "stepwell.Forecast")                                                              \
    XX(FORECAST_CASE, "stepwell.ForecastCase")                                                     \
    XX(FORECAST_STEP, "stepwell.ForecastStep")                                                     \
    XX(CALIBRATION, "stepwell.Calibration")

typedef enum swpy_record {
#define SWPY_ENUM_VALUE(name, type_name) SWPY_##name,
    SWPY_RECORD_MAP(SWPY_ENUM_VALUE)
#undef SWPY_ENUM_VALUE
        SWPY_RECORD_COUNT
} swpy_record;

/* XX(field, count, function that names one): enumerations whose names are made once, so that a
 * row holds a reference instead of a new string. */
#define SWPY_NAMES_MAP(XX)                                                                         \
    XX(step_states, SW_STEP_STATE_COUNT, sw_step_state_name)                                       \
    XX(task_states, SW_TASK_STATE_COUNT, sw_task_state_name)                                       \
    XX(outcomes, SW_OUTCOME_COUNT, sw_outcome_name)                                                \
    XX(row_statuses, SW_ROW_STATUS_COUNT, sw_row_status_name)                                      \
    XX(reasons, SW_REASON_COUNT, sw_reason_name)                                                   \
    XX(execution_statuses, SW_EXECUTION_STATUS_COUNT, sw_execution_status_name)                    \
    XX(recommended_actions, SW_RECOMMENDED_ACTION_COUNT, sw_recommended_action_name)               \
    XX(health_statuses, SW_HEALTH_STATUS_COUNT, sw_health_status_name)                             \
    XX(durabilities, SW_DURABILITY_COUNT, sw_durability_name)                                      \
    XX(audit_kinds, SW_AUDIT_KIND_COUNT + 1, sw_audit_kind_name)                                   \
    XX(audit_levels, SW_AUDIT_LEVEL_COUNT, sw_audit_level_name)                                    \
    XX(append_statuses, SW_APPEND_STATUS_COUNT, sw_append_status_name)                             \
    XX(duration_sources, SW_DURATION_SOURCE_COUNT, sw_duration_source_name)                        \
    XX(breaker_states, SW_BREAKER_STATE_COUNT, sw_breaker_state_name)

/* Everything the module would otherwise keep in globals; one per interpreter. */
typedef struct swpy_state {
    /* errors.c */
    PyObject *error;
    PyObject *errors[SWPY_ERROR_COUNT + 1]; /* by the negated code */
    /* records.c */
    PyTypeObject *records[SWPY_RECORD_COUNT];
#define SWPY_NAMES_FIELD(field, count, name) PyObject *field[count];
    SWPY_NAMES_MAP(SWPY_NAMES_FIELD)
#undef SWPY_NAMES_FIELD
    /* engine.c */
    PyTypeObject *engine_type;
    /* graph.c, graph_edit.c */
    PyTypeObject *graph_type;
    PyTypeObject *graph_edit_type;
} swpy_state;

/* An engine handle. handle is taken away by close; a call counts itself in before it looks at
 * handle, and close waits until nobody is counted in. */
typedef struct swpy_engine {
    PyObject_HEAD
    swpy_state *state; /* lives as long as the type, which the object holds */
    _Atomic(sw_engine *) handle;
    atomic_int calls;
    atomic_int signing; /* calls that ask the application for a signature right now */
    atomic_llong wakes; /* calls of wake, so that one before a wait is not lost */
    pid_t pid;          /* of the process that opened it */
    bool memory;        /* the store does no I/O */
} swpy_engine;

/* One call into the core. */
typedef struct swpy_call {
    swpy_engine *owner;
    sw_engine *engine;
    PyThreadState *thread; /* NULL while the GIL is kept */
} swpy_call;

/* Py_buffer, which the limited API has from 3.11 on. Its form and the two functions are the same
 * in 3.10, whose headers hide them from extensions that serve later versions too. */
#if defined(Py_LIMITED_API) && Py_LIMITED_API + 0 < 0x030b0000
typedef struct swpy_buffer {
    void *buf;
    PyObject *obj;
    Py_ssize_t len;
    Py_ssize_t itemsize;
    int readonly;
    int ndim;
    char *format;
    Py_ssize_t *shape;
    Py_ssize_t *strides;
    Py_ssize_t *suboffsets;
    void *internal;
} swpy_buffer;
#define SWPY_BUFFER_FLAGS 0x001C /* PyBUF_ND | PyBUF_STRIDES, PyBUF_FORMAT */
#ifndef Py_BUFFER_H
PyAPI_FUNC(int) PyObject_GetBuffer(PyObject *object, swpy_buffer *view, int flags);
PyAPI_FUNC(void) PyBuffer_Release(swpy_buffer *view);
#endif
#else
typedef Py_buffer swpy_buffer;
#define SWPY_BUFFER_FLAGS (PyBUF_STRIDES | PyBUF_FORMAT)
#endif

/* Integers of 4 or 8 bytes, read where a buffer has them. items is NULL for None. */
typedef struct swpy_array {
    const void *items;
    size_t count;
    void *own; /* items that had to be converted */
    swpy_buffer view;
} swpy_array;

/* Edges as Python gave them, as numbers of nodes. */
typedef struct swpy_edges {
    const int32_t *from;
    const int32_t *to;
    size_t count;
    int32_t node_count;
    PyObject *labels; /* list of what the nodes are called, NULL: by their numbers */
    bool arrays;      /* they came as buffers */
    int32_t *own;     /* memory of from and to, unless they are inside of the arrays */
    swpy_array from_array;
    swpy_array to_array;
} swpy_edges;

/* A graph. It never changes, so that calls need no lock; named is made when it is first needed. */
typedef struct swpy_graph {
    PyObject_HEAD
    swpy_state *state;
    sw_graph *graph;
    _Atomic(sw_graph *) named; /* the same with the labels as names */
    sw_workflow *workflow;     /* the definition it was made from, or NULL */
    PyObject *labels;          /* as in swpy_edges, or None */
    _Atomic(PyObject *) index; /* dict from label to number, made when it is first needed */
    bool arrays;
} swpy_graph;

/* Rows read from Python. keep holds the references that the C strings are borrowed from. */
typedef struct swpy_strings {
    sw_str *items;
    size_t count;
    PyObject *keep;
} swpy_strings;

/* module.c */

/* The state of the module that this type or one of its bases comes from. */
swpy_state *swpy_state_find(PyTypeObject *type);

/* engine.c */

/* Enter the core: false with an exception when the engine is closed. The GIL is released unless
 * the store is memory and the work is small (at most that many rows and no waiting). */
bool swpy_call_begin(swpy_call *call, swpy_engine *owner, size_t row_count, bool waits);
void swpy_call_end(swpy_call *call);

/* A call that is answered by a result: run makes it without touching Python, convert makes of it
 * what Python gets. Begins and ends the call, raises what the core refuses, frees the result. */
typedef int (*swpy_run)(sw_engine *engine, void *context, sw_result **out, sw_error *error);
typedef PyObject *(*swpy_convert)(swpy_state *state, const sw_result *result);
PyObject *swpy_call_ask(swpy_engine *self, size_t row_count, bool waits, swpy_run run,
                        void *context, swpy_convert convert);
/* The answer of what has run; takes result. */
PyObject *swpy_call_answer(swpy_state *state, int code, sw_result *result, const sw_error *error,
                           swpy_convert convert);
/* The same for what needs no engine, without the GIL; run gets NULL for it. */
PyObject *swpy_call_apart(swpy_state *state, swpy_run run, void *context, swpy_convert convert);

bool swpy_thread_is_main(void);

/* How long one wait inside the core may last so that signals are seen in time. */
int64_t swpy_slice_ms(int64_t left_ms);

/* For measuring waits: monotonic milliseconds; what is left of a wait (negative: without end);
 * whether a wait of slice_ms was ended by a wake. */
int64_t swpy_now_ms(void);
int64_t swpy_left_ms(int64_t start_ms, int64_t wait_ms);
bool swpy_woken(int64_t start_ms, int64_t slice_ms);

bool swpy_engine_setup(PyObject *module, swpy_state *state);

/* errors.c */

/* Raise what error says; always NULL. */
PyObject *swpy_raise(swpy_state *state, const sw_error *error);

/* Raise a code found by the binding itself; row is -1 where there is none. Always NULL. */
PyObject *swpy_refuse(swpy_state *state, int code, Py_ssize_t row, const char *format, ...);

/* Raise what error says with one more attribute; value is taken. Always NULL. */
PyObject *swpy_raise_with(swpy_state *state, const sw_error *error, const char *attribute,
                          PyObject *value);

bool swpy_errors_setup(PyObject *module, swpy_state *state);

/* convert.c: Python to C. Each answers false with an exception; what names the argument. */

bool swpy_type_refuse(const char *what, const char *expected, PyObject *value); /* always false */
bool swpy_int64_read(swpy_state *state, PyObject *value, const char *what, int64_t *out);
bool swpy_int32_read(swpy_state *state, PyObject *value, const char *what, int32_t *out);
bool swpy_size_read(swpy_state *state, PyObject *value, const char *what, size_t *out);
bool swpy_str_read(swpy_state *state, PyObject *value, const char *what, sw_str *out);
bool swpy_str_read_maybe(swpy_state *state, PyObject *value, const char *what, sw_str *out);
bool swpy_uuid_read(swpy_state *state, PyObject *value, const char *what, sw_uuid *out);

/* A tuple with the items of a sequence that is no string, or NULL with an exception. */
PyObject *swpy_rows_read(PyObject *value, const char *what);

/* Rows: a check of the kind and size of one, an item (None when the tuple is shorter), and the
 * index that the pending exception shall carry as row; swpy_row_fail is always false. */
bool swpy_row_check(PyObject *row, const char *what, Py_ssize_t least, Py_ssize_t most);
PyObject *swpy_row_item(PyObject *row, Py_ssize_t index);
bool swpy_row_fail(size_t index);

/* None reads as no strings. */
bool swpy_strings_read(swpy_state *state, PyObject *value, const char *what, swpy_strings *out);
void swpy_strings_free(swpy_strings *strings);

/* convert.c: C to Python. Each answers a new reference or NULL with an exception. */

PyObject *swpy_str_new(sw_str text); /* None when absent */
PyObject *swpy_uuid_new(const sw_uuid *uuid);
PyObject *swpy_name_new(PyObject *const *names, int count, int value);
PyObject *swpy_strings_new(const sw_str *items, size_t count);

/* task.c */

/* {state: number of steps}, every state included. */
PyObject *swpy_step_counts_new(swpy_state *state, const int64_t *counts);

/* ops.c */

bool swpy_step_state_read(swpy_state *state, PyObject *value, int32_t *out);
/* NULL and None: all or nothing. */
bool swpy_batch_mode_read(swpy_state *state, PyObject *value, int *out);
/* What became of the rows of an override. */
PyObject *swpy_overridden_list_new(swpy_state *state, const sw_result *result);

/* audit.c */

PyObject *swpy_entry_new(swpy_state *state, const void *item);
PyObject *swpy_entry_state_new(swpy_state *state, int kind, int value);
/* The report of a verification that ended with code, or an AuditError that carries it. */
PyObject *swpy_report_answer(swpy_state *state, int code, const sw_audit_report *report,
                             const sw_error *error);
/* Threads of a verification; NULL and None are 0, as many as there are processors. */
bool swpy_jobs_read(swpy_state *state, PyObject *value, int32_t *jobs);

/* anchor.c: a sequence of anchors; NULL and None read as none. */
typedef struct swpy_anchors {
    sw_audit_anchor *items;
    size_t count;
    PyObject *keep;
} swpy_anchors;

bool swpy_anchors_read(swpy_state *state, PyObject *value, swpy_anchors *out);
void swpy_anchors_free(swpy_anchors *anchors);

/* checkpoint.c: what is trusted, as Python gave it: two sequences of str and one of anchors, each
 * NULL or None for none. */
typedef struct swpy_trust {
    sw_audit_trust given;
    swpy_strings checkpoints;
    swpy_strings keys;
    swpy_anchors anchors;
} swpy_trust;

bool swpy_trust_read(swpy_state *state, PyObject *checkpoints, PyObject *keys, PyObject *anchors,
                     swpy_trust *out);
void swpy_trust_free(swpy_trust *trust);

PyObject *swpy_hex_new(const uint8_t *bytes, size_t count); /* at most 32 bytes */
PyObject *swpy_key_new(swpy_state *state, const sw_result *result);
PyObject *swpy_none_new(swpy_state *state, const sw_result *result);

/* records.c */

/* One record from values that are taken, also on failure; a NULL among them fails it. */
PyObject *swpy_record_new(swpy_state *state, swpy_record kind, PyObject **values, int count);

/* A list of count rows; build makes the record of one of them. */
typedef PyObject *(*swpy_row_build)(swpy_state *state, const void *row);
PyObject *swpy_list_new(swpy_state *state, const void *rows, size_t row_size, size_t count,
                        swpy_row_build build);

bool swpy_records_setup(PyObject *module, swpy_state *state);

/* workflow.c */

/* Load a text; *warnings gets a new list. NULL with an exception that carries the findings. */
sw_workflow *swpy_workflow_load(swpy_state *state, const sw_workflow_options *options, sw_str text,
                                PyObject **warnings);

/* graph_array.c: integers in buffers, in both directions. */

/* None or a buffer of 32 or 64 bit integers; size says which of them C needs, in bytes. */
bool swpy_array_read(swpy_state *state, PyObject *value, const char *what, size_t size,
                     swpy_array *out);
bool swpy_array_check(PyObject *value); /* whether it is a buffer at all */
void swpy_array_free(swpy_array *array);

/* A memoryview of a copy; format is "i" for int32_t, "q" for int64_t. */
PyObject *swpy_array_new(const void *items, size_t count, const char *format);

/* graph_edges.c */

bool swpy_edges_read(swpy_state *state, PyObject *edges, PyObject *nodes, swpy_edges *out);
void swpy_edges_free(swpy_edges *edges);

/* graph.c */

/* The labels as names: texts that live as long as *keep, a new reference. NULL with an exception;
 * free with PyMem_Free. */
sw_str *swpy_labels_read(swpy_state *state, PyObject *labels, PyObject **keep);

/* Release the GIL for work on so many nodes and edges, unless they are few. */
PyThreadState *swpy_graph_enter(size_t size, size_t small);
void swpy_graph_leave(PyThreadState *thread);

/* A Graph; graph and workflow are taken, labels are NULL, None or borrowed. */
PyObject *swpy_graph_new(swpy_state *state, sw_graph *graph, sw_workflow *workflow,
                         PyObject *labels, bool arrays);
/* A dict from each label to its number; NULL with an exception. */
PyObject *swpy_index_new(PyObject *labels);

/* The graph with its labels as names, owned by self; NULL with an exception. */
const sw_graph *swpy_graph_named(swpy_graph *self);
size_t swpy_graph_size(const swpy_graph *self); /* nodes and edges */

/* An array with one item per node. */
bool swpy_node_array_read(swpy_graph *self, PyObject *value, const char *what, size_t size,
                          swpy_array *out);

bool swpy_graph_setup(PyObject *module, swpy_state *state);

/* graph_analyze.c, graph_verbs.c, picture.c: the methods of Graph that ask the core. */
#define SWPY_GRAPH_METHOD_MAP(XX)                                                                  \
    XX(order)                                                                                      \
    XX(analyze)                                                                                    \
    XX(cycles)                                                                                     \
    XX(reach)                                                                                      \
    XX(common)                                                                                     \
    XX(reduce)                                                                                     \
    XX(makespan)                                                                                   \
    XX(diff)                                                                                       \
    XX(picture)                                                                                    \
    XX(edit)

#define SWPY_METHOD_DECLARE(name)                                                                  \
    PyObject *swpy_graph_##name(PyObject *object, PyObject *args);                                 \
    extern const char swpy_graph_##name##_doc[];
SWPY_GRAPH_METHOD_MAP(SWPY_METHOD_DECLARE)
#undef SWPY_METHOD_DECLARE

/* A list of tuples (nodes, edge_count, cycle, cuts, cut_least, cycle_shortest, cut_smallest). */
PyObject *swpy_knots_new(swpy_state *state, const sw_knot *knots, size_t count);
/* A list of tuples (from, to, row). */
PyObject *swpy_graph_edges_new(swpy_state *state, const sw_graph_edge *edges, size_t count);

/* worker.c: tuples (step_id, epoch); PyMem_Free gives them back. NULL with an exception. */
sw_step_hold *swpy_holds_read(swpy_state *state, PyObject *value, size_t *count);

/* graph_edit.c */
bool swpy_graph_edit_setup(PyObject *module, swpy_state *state);

/* tasker.c: the one function of the module. */
PyObject *swpy_tasker_readiness(PyObject *module, PyObject *args);
extern const char swpy_tasker_readiness_doc[];

/* The methods of Engine, each in the file of its subject. */

/* XX(name): methods with positional arguments only. */
#define SWPY_METHOD_MAP(XX)                                                                        \
    XX(close)                                                                                      \
    XX(info)                                                                                       \
    XX(wake)                                                                                       \
    XX(wake_count)                                                                                 \
    XX(definition)                                                                                 \
    XX(submit)                                                                                     \
    XX(get)                                                                                        \
    XX(wait)                                                                                       \
    XX(cancel)                                                                                     \
    XX(exchange)                                                                                   \
    XX(update_batch)                                                                               \
    XX(heartbeat)                                                                                  \
    XX(explain)                                                                                    \
    XX(task_context)                                                                               \
    XX(step_readiness)                                                                             \
    XX(override)                                                                                   \
    XX(breaker_list)                                                                               \
    XX(breaker_override)                                                                           \
    XX(picture_text)                                                                               \
    XX(gantt_text)                                                                                 \
    XX(duration_rows)                                                                              \
    XX(worker_renew)                                                                               \
    XX(worker_keep)                                                                                \
    XX(worker_close)                                                                               \
    XX(worker_list)                                                                                \
    XX(audit_verify)                                                                               \
    XX(audit_task)                                                                                 \
    XX(audit_list)                                                                                 \
    XX(event_append)                                                                               \
    XX(event_wait)                                                                                 \
    XX(event_replay)                                                                               \
    XX(projection_open)                                                                            \
    XX(projection_save)                                                                            \
    XX(projection_list)                                                                            \
    XX(projection_delete)                                                                          \
    XX(audit_seal)                                                                                 \
    XX(audit_rotate)                                                                               \
    XX(audit_anchor_put)                                                                           \
    XX(audit_prove)                                                                                \
    XX(audit_prove_consistency)                                                                    \
    XX(control_report)                                                                             \
    XX(audit_export)                                                                               \
    XX(task_export)

/* XX(name): class methods, which need no open engine. */
#define SWPY_CLASS_METHOD_MAP(XX)                                                                  \
    XX(audit_keygen)                                                                               \
    XX(audit_enrol)                                                                                \
    XX(audit_anchor_get)                                                                           \
    XX(audit_prove_export)                                                                         \
    XX(audit_prove_export_consistency)                                                             \
    XX(audit_check)                                                                                \
    XX(control_report_export)                                                                      \
    XX(control_list)                                                                               \
    XX(control_sign)                                                                               \
    XX(control_check)                                                                              \
    XX(audit_verify_export)                                                                        \
    XX(task_file_verify)                                                                           \
    XX(task_file_open)

/* XX(name): methods with keywords. */
#define SWPY_KEYWORD_METHOD_MAP(XX)                                                                \
    XX(register)                                                                                   \
    XX(list)                                                                                       \
    XX(count)                                                                                      \
    XX(task_prune)                                                                                 \
    XX(task_erase)                                                                                 \
    XX(dead_list)                                                                                  \
    XX(dead_count)                                                                                 \
    XX(dead_override)                                                                              \
    XX(audit_search)                                                                               \
    XX(audit_count)                                                                                \
    XX(audit_dump)                                                                                 \
    XX(event_list)                                                                                 \
    XX(worker_open)                                                                                \
    XX(forecast_rows)

#define SWPY_METHOD_DECLARE(name)                                                                  \
    PyObject *swpy_##name(PyObject *object, PyObject *args);                                       \
    extern const char swpy_##name##_doc[];
SWPY_METHOD_MAP(SWPY_METHOD_DECLARE)
SWPY_CLASS_METHOD_MAP(SWPY_METHOD_DECLARE)
#undef SWPY_METHOD_DECLARE

#define SWPY_METHOD_DECLARE(name)                                                                  \
    PyObject *swpy_##name(PyObject *object, PyObject *args, PyObject *kwargs);                     \
    extern const char swpy_##name##_doc[];
SWPY_KEYWORD_METHOD_MAP(SWPY_METHOD_DECLARE)
#undef SWPY_METHOD_DECLARE

#endif
