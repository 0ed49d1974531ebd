/* Shared by the files of the Ruby extension: the engine handle, the one way into the core without
 * the GVL, the conversions in both directions, and the row classes.
 *
 * Not here: anything of the core; this folder knows it through <stepwell.h> alone. The friendly
 * interface (workflow classes, tasks, workers) is Ruby code in gems/stepwell/lib.
 *
 * Order inside every method: check and convert the arguments, run the core through rsw_call_run,
 * convert the answer, free it, raise last.
 */
#ifndef RSW_H
#define RSW_H

#include <ruby.h>
#include <ruby/encoding.h>
#include <stdbool.h>

#include <stepwell.h>

/* ---- engine.c: the handle behind Stepwell::Engine ---- */

typedef struct rsw_engine {
    sw_engine *engine; /* NULL before opening and after closing */
    size_t users;      /* calls inside the core, guarded by the GVL */
    size_t signing;    /* of them, those that ask the application to sign; guarded by the GVL */
    int64_t owner;     /* process that opened it */
    int closed;        /* written under the GVL, read without it: rsw_engine_closed */
} rsw_engine;

extern VALUE rsw_mStepwell;
extern VALUE rsw_cEngine;

/* The open engine behind self, or ClosedError. */
rsw_engine *rsw_engine_get(VALUE self);
bool rsw_engine_closed(const rsw_engine *handle);
/* Give an engine that this process has opened to an object that has none. */
void rsw_engine_place(VALUE self, sw_engine *engine);

/* ---- call.c: calls into the core ---- */

typedef struct rsw_call rsw_call;

/* One call. Methods embed it as the first member of a struct that holds the arguments. */
struct rsw_call {
    rsw_engine *handle; /* NULL when no engine is needed */
    int (*run)(rsw_call *call); /* runs without the GVL, so it touches no Ruby object */
    bool waits;                 /* run may wait for work: an interrupt wakes it */
    int interrupted;            /* an interrupt came while run was running */
    bool ran;
    int code;          /* what run answered */
    sw_result *result; /* owned until rsw_call_finish or rsw_call_free */
    sw_error error;
};

/* The only place that releases the GVL. It raises only before run has begun, so whatever run
 * answers is never lost. The caller keeps the engine object alive. */
void rsw_call_run(rsw_call *call);

/* Of a call that was run: raise when the core refused, else convert the answer and free it. */
VALUE rsw_call_answer(rsw_call *call, VALUE (*convert)(VALUE call));

/* Run and answer. */
VALUE rsw_call_finish(rsw_call *call, VALUE (*convert)(VALUE call));

/* Give up the answer; for rb_ensure. */
VALUE rsw_call_free(VALUE call);

/* Microseconds on the monotonic clock. */
int64_t rsw_clock_us(void);

/* Longest stretch of one wait inside the core. An interrupt that comes in the instant before the
 * core begins to wait is noticed at its end. */
#define RSW_SLICE_MS 200

/* ---- error.c: codes and exceptions ---- */

/* Raise the exception of err->code; the only place that does. */
NORETURN(void rsw_error_raise(const sw_error *err));

/* The same for what the binding itself finds; row -1 when no row is to blame. */
NORETURN(void rsw_error_fail(int code, int64_t row, const char *format, ...))
__attribute__((format(printf, 3, 4)));

/* An exception of err->code that is not raised yet. */
VALUE rsw_error_new(const sw_error *err);

/* TypeError: what (of a row, when row is not negative) is not what was expected. */
NORETURN(void rsw_error_type(VALUE value, int64_t row, const char *what, const char *expected));

/* ---- value.c: Ruby values to C ---- */

int64_t rsw_int64(VALUE value, int64_t row, const char *what);
int32_t rsw_int32(VALUE value, int64_t row, const char *what);
size_t rsw_size(VALUE value, const char *what);
bool rsw_bool(VALUE value, const char *what);

/* A view of a String of valid UTF-8; nil is absent. *value becomes a frozen string that shares the
 * bytes: the caller keeps it on its stack, which also pins it, until the core has returned. */
sw_str rsw_text(VALUE *value, const char *what);
/* Raise what rsw_text would raise. */
void rsw_text_check(VALUE value, int64_t row, const char *what);

sw_uuid rsw_uuid(VALUE value, int64_t row, const char *what);

/* Memory for the rows of one call and copies of their strings. It belongs to the object that
 * rsw_arena_new answers: garbage collection frees it when an exception passes by. */
typedef struct rsw_arena rsw_arena;

VALUE rsw_arena_new(rsw_arena **arena);
void rsw_arena_free(VALUE object);
void *rsw_arena_rows(rsw_arena *arena, size_t count, size_t size);
sw_str rsw_arena_text(rsw_arena *arena, VALUE value, int64_t row, const char *what);
const sw_str *rsw_arena_texts(rsw_arena *arena, VALUE values, int64_t row, const char *what,
                              size_t *count);

/* ---- symbol.c: names of the enums ---- */

VALUE rsw_step_state(int state);
VALUE rsw_task_state(int state);
VALUE rsw_row_status(int status);
VALUE rsw_reason(int reason);
VALUE rsw_durability(int durability);
VALUE rsw_audit_kind(int kind);
VALUE rsw_execution_status(int status);
VALUE rsw_recommended_action(int action);
VALUE rsw_health_status(int status);
VALUE rsw_duration_source(int source);
VALUE rsw_breaker_state(int state);
VALUE rsw_audit_level(int level);
VALUE rsw_append_status(int status);

/* The number of an outcome given as Symbol or Integer, InvalidArgumentError for any other. */
int32_t rsw_outcome(VALUE value, int64_t row);

/* The number that find knows for a Symbol or String, InvalidArgumentError for any other. */
int32_t rsw_name_find(VALUE value, int (*find)(sw_str), const char *what);
/* The same in a row of a batch. */
int32_t rsw_name_find_row(VALUE value, int64_t row, int (*find)(sw_str), const char *what);

/* ---- row.c: C rows to frozen Ruby objects ---- */

typedef enum rsw_row_class {
    RSW_INFO,
    RSW_DEFINITION,
    RSW_SUBMITTED,
    RSW_TASK_ROW,
    RSW_STEP_ROW,
    RSW_REASON,
    RSW_APPLIED,
    RSW_CLAIM,
    RSW_STEP_INPUT,
    RSW_TASK_FINISHED,
    RSW_EXCHANGE,
    RSW_TASK_CONTEXT,
    RSW_STEP_READINESS,
    RSW_OVERRIDDEN,
    RSW_DEAD_ROW,
    RSW_DEAD_GROUP,
    RSW_BREAKER_ROW,
    RSW_TASKER_READINESS,
    RSW_PRUNED,
    RSW_ERASED,
    RSW_WORKER_ROW,
    RSW_AUDIT_ENTRY,
    RSW_AUDIT_REPORT,
    RSW_AUDIT_GROUP,
    RSW_AUDIT_ACTOR,
    RSW_AUDIT_KEY,
    RSW_AUDIT_CHECKPOINT,
    RSW_AUDIT_ANCHOR,
    RSW_AUDIT_PROOF,
    RSW_AUDIT_SHOWN,
    RSW_CONTROL,
    RSW_CONTROL_REPORT,
    RSW_CONTROL_ANSWER,
    RSW_EVIDENCE,
    RSW_CONTROL_SIGNATURE,
    RSW_APPENDED,
    RSW_EVENT,
    RSW_TASK_PAST,
    RSW_STEP_PAST,
    RSW_PROJECTION_ROW,
    RSW_FORECAST,
    RSW_FORECAST_CASE,
    RSW_FORECAST_STEP,
    RSW_CALIBRATION,
    RSW_STEP_DURATION,
    RSW_ROW_CLASS_COUNT
} rsw_row_class;

/* A frozen struct whose members, in the order row.c lists them, are values. */
VALUE rsw_row_new(rsw_row_class row_class, int count, const VALUE *values);

VALUE rsw_str(sw_str text);  /* frozen UTF-8 String, nil when absent */
VALUE rsw_name(sw_str text); /* the same, shared by all equal ones */
VALUE rsw_id(const sw_uuid *uuid);
VALUE rsw_number(int64_t number); /* Integer, nil for 0, which stands for "none" */
VALUE rsw_strs(const sw_str *texts, size_t count);

/* 64 digits for 32 bytes, nil for any other number of them. */
VALUE rsw_hex(const void *bytes, size_t count);

/* ---- audit.c, checkpoint.c, anchor.c ---- */

/* One entry of the audit log. */
VALUE rsw_entry_element(const void *rows, size_t index);
/* A state that an entry of a kind leads from or to. */
VALUE rsw_entry_state(int kind, int state);

/* A verification. Its report is the answer, also of the AuditError that is raised. */
typedef struct rsw_verify {
    rsw_call call;
    sw_audit_report report;
    sw_audit_trust trust;
    sw_str folder;
    int32_t jobs;
} rsw_verify;

VALUE rsw_verify_finish(rsw_verify *verify);
/* Two Arrays of Strings and one of anchors, or nil, to what is trusted; memory is the arena's. */
void rsw_trust_read(rsw_arena *arena, VALUE checkpoints, VALUE keys, VALUE anchors,
                    sw_audit_trust *trust);
void rsw_anchors_read(rsw_arena *arena, VALUE anchors, sw_audit_trust *trust);
/* The key in the result of a call. */
VALUE rsw_key_convert(VALUE call);

/* ---- ops.c ---- */

/* One row of a result of sw_step_override. */
VALUE rsw_overridden_element(const void *rows, size_t index);

/* {state => number of steps}, every state included. */
VALUE rsw_step_counts(const int64_t *step_counts);

/* So many elements are put into a long Array together, which takes half of the time of one by one. */
#define RSW_ARRAY_STEP 128

/* A frozen Array of count elements, the i-th made by element(rows, i). */
VALUE rsw_array(size_t count, const void *rows, VALUE (*element)(const void *rows, size_t index));

/* ---- workflow.c ---- */

/* A definition from its text, or DefinitionError with the findings. */
sw_workflow *rsw_workflow_load(VALUE text);

/* ---- graph_edges.c ---- */

/* Edges as Ruby gave them, as numbers of nodes. */
typedef struct rsw_edges {
    int32_t *from;
    int32_t *to;
    size_t count;
    size_t room;
    int32_t node_count;
    bool packed;
    VALUE labels; /* Array of what the nodes are called, nil: by their numbers */
    VALUE index;  /* Hash from label to number; nil without labels and for names */
} rsw_edges;

/* Raises what is wrong; rsw_edges_free is called in either case. */
void rsw_edges_read(VALUE edges, VALUE nodes, rsw_edges *out);
void rsw_edges_free(rsw_edges *edges);

/* ---- graph.c, graph_answer.c, graph_diff.c, graph_edit.c ---- */

typedef struct rsw_graph {
    sw_graph *graph;
    sw_graph *named;       /* the same with the labels as names, made when it is first needed */
    sw_workflow *workflow; /* the definition it was made from, or NULL */
    VALUE labels;          /* as in rsw_edges */
    VALUE index;           /* likewise; of names it is made when it is first needed */
} rsw_graph;

extern VALUE rsw_cGraph;

rsw_graph *rsw_graph_get(VALUE self);
/* A Graph that owns graph and workflow; graph may be filled in later, at rsw_graph_place. */
VALUE rsw_graph_wrap(sw_graph *made, sw_workflow *workflow, VALUE labels, VALUE index);
sw_graph **rsw_graph_place(VALUE self);
const sw_graph *rsw_graph_named(rsw_graph *graph);

typedef struct rsw_graph_call rsw_graph_call;

/* One call on a graph. The GVL is released when the graph, or size, is large. */
struct rsw_graph_call {
    const sw_graph *graph;
    size_t size; /* nodes and edges, where there is no graph yet */
    int (*run)(rsw_graph_call *call); /* touches no Ruby object */
    int code;
    sw_result *result;
    sw_error error;
};

void rsw_graph_run(rsw_graph_call *call);
/* Run, raise when the core refused, else convert the answer and free it. */
VALUE rsw_graph_finish(rsw_graph_call *call, VALUE (*convert)(VALUE call));

/* ---- what each file defines ---- */

void rsw_error_init(void);
void rsw_symbol_init(void);
void rsw_row_init(void);
void rsw_engine_init(void);
void rsw_workflow_init(void);
void rsw_task_init(void);
void rsw_step_init(void);
void rsw_ops_init(void);
void rsw_dead_init(void);
void rsw_breaker_init(void);
void rsw_erase_init(void);
void rsw_tasker_init(void);
void rsw_worker_init(void);
/* Held steps, an Array of [step_id, epoch], in the arena; what names them in a refusal. */
sw_step_hold *rsw_holds_read(rsw_arena *arena, VALUE held, const char *what, size_t *count);
void rsw_audit_init(void);
void rsw_search_init(void);
void rsw_event_init(void);
void rsw_projection_init(void);
void rsw_checkpoint_init(void);
void rsw_signing_init(void);
void rsw_anchor_init(void);
void rsw_proof_init(void);
void rsw_task_file_init(void);
void rsw_control_init(void);
void rsw_graph_init(void);
void rsw_graph_answer_init(void);
void rsw_graph_diff_init(void);
void rsw_graph_edit_init(void);
void rsw_forecast_init(void);
void rsw_picture_init(void);

#endif
