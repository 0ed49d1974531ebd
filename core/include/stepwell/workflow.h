/* Workflow definitions: load and check a text, look at its steps, register it in a store.
 *
 * A definition is immutable and known by the SHA-256 of its canonical JSON. Loading reports all
 * findings at once, each with line and column. Not here: tasks, which execute a workflow.
 */
#ifndef STEPWELL_WORKFLOW_H
#define STEPWELL_WORKFLOW_H

#include "engine.h"
#include "error.h"
#include "types.h"

typedef struct sw_workflow sw_workflow;

typedef enum sw_format {
    SW_FORMAT_DETECT = 0, /* by the first character: '{' is JSON, anything else YAML */
    SW_FORMAT_JSON = 1,
    SW_FORMAT_YAML = 2
} sw_format;

typedef struct sw_workflow_options {
    uint32_t size;
    int32_t format; /* sw_format */
    int32_t strict; /* 1: unknown keys are errors instead of warnings */
    int32_t reserved;
    sw_str source;     /* file name for messages; may be absent */
    const sw_env *env; /* NULL: sw_env_system(); must outlive engines it is registered in */
} sw_workflow_options;

#define SW_WORKFLOW_OPTIONS_INIT                                                                   \
    {                                                                                              \
        .size = sizeof(sw_workflow_options)                                                        \
    }

typedef enum sw_severity { SW_SEVERITY_ERROR = 0, SW_SEVERITY_WARNING = 1 } sw_severity;

/* One thing found in a definition. message says what was found and what was expected;
 * path is like "steps[2].after[0]". line and column count from 1, 0 where there is none. */
typedef struct sw_finding {
    int32_t severity;
    int32_t line;
    int32_t column;
    int32_t reserved;
    sw_str path;
    sw_str message;
} sw_finding;

/* What happens to the task when a step has failed for good.
 * BLOCK: its dependents stay pending, independent branches go on, the task ends failed.
 * FAIL_TASK: steps that do not run yet are cancelled, the task ends failed.
 * CONTINUE: dependents treat it as done, the task may still succeed.
 * SKIP_DEPENDENTS: its dependents are skipped, and so are theirs; independent branches go on, the
 * task ends failed. */
#define SW_ON_FAILURE_MAP(XX)                                                                      \
    XX(BLOCK, 0, "block")                                                                          \
    XX(FAIL_TASK, 1, "fail_task")                                                                  \
    XX(CONTINUE, 2, "continue")                                                                    \
    XX(SKIP_DEPENDENTS, 3, "skip_dependents")

/* When a step that waits for others may start (docs/reference/workflow-file.md has the whole
 * table). A dependency with on_failure continue that failed has not succeeded, but passes where
 * failures are what counts.
 * ALL_SUCCEEDED: every dependency has succeeded or passed. ALL_DONE: every dependency has ended.
 * ANY_SUCCEEDED: one has succeeded; the others need not have ended. NONE_FAILED: every dependency
 * has ended, none of them by a failure that does not pass. QUORUM: as ANY_SUCCEEDED, of several.
 * A step whose rule cannot be met any more is skipped. */
#define SW_TRIGGER_MAP(XX)                                                                         \
    XX(ALL_SUCCEEDED, 0, "all_succeeded")                                                          \
    XX(ALL_DONE, 1, "all_done")                                                                    \
    XX(ANY_SUCCEEDED, 2, "any_succeeded")                                                          \
    XX(NONE_FAILED, 3, "none_failed")                                                              \
    XX(QUORUM, 4, "quorum")

#define SW_BACKOFF_MAP(XX)                                                                         \
    XX(NONE, 0, "none")                                                                            \
    XX(LINEAR, 1, "linear")                                                                        \
    XX(EXPONENTIAL, 2, "exponential")                                                              \
    XX(FIBONACCI, 3, "fibonacci")

typedef enum sw_on_failure {
#define SW_ENUM_VALUE(name, value, text) SW_ON_FAILURE_##name = value,
    SW_ON_FAILURE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
        SW_ON_FAILURE_COUNT = 4
} sw_on_failure;

typedef enum sw_trigger {
#define SW_ENUM_VALUE(name, value, text) SW_TRIGGER_##name = value,
    SW_TRIGGER_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
        SW_TRIGGER_COUNT = 5
} sw_trigger;

typedef enum sw_backoff {
#define SW_ENUM_VALUE(name, value, text) SW_BACKOFF_##name = value,
    SW_BACKOFF_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
        SW_BACKOFF_COUNT = 4
} sw_backoff;

#define SW_CRASHES_DEFAULT 5 /* max_crashes of a step that does not say */

/* A step as defined. Steps are numbered in topological order (ties: higher priority first, then
 * the order of the file); after holds indices of earlier steps. */
typedef struct sw_workflow_step {
    sw_str name;
    sw_str title; /* a human name, may be absent */
    sw_str handler;
    sw_str queue;
    sw_str parameters; /* canonical JSON object, absent when empty */
    const int32_t *after;
    size_t after_count;
    int32_t level;    /* longest distance from a root, roots are 0 */
    int32_t priority; /* -32768..32767, higher first */
    int32_t max_attempts;
    int32_t backoff; /* sw_backoff */
    int64_t backoff_base_ms;
    int64_t backoff_max_ms;
    double backoff_jitter; /* 0..1: the delay is multiplied by a number in [1-j, 1+j] */
    int64_t timeout_ms;    /* of one attempt, 0: none */
    int32_t on_failure;    /* sw_on_failure */
    int32_t line;          /* where the step stands in the text, 0 when not loaded from one */
    int32_t column;
    int32_t trigger; /* sw_trigger */
    int32_t quorum;  /* SW_TRIGGER_QUORUM: dependencies that have to succeed; else 0 */
    int32_t max_crashes; /* so many attempts that ended by a lost lease are tried again */
    sw_str breaker;      /* of the service it needs (breaker.h), absent: none */
    int64_t deadline_ms; /* of all attempts and waits together, from when it first became ready;
                            0: none */
    int64_t heartbeat_ms; /* an attempt that says nothing for so long is ended, 0: it need not */
} sw_workflow_step;

SW_BEGIN_DECLS

/* Name of a policy in lower case, "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_on_failure_name(int on_failure);
SW_API const char *sw_trigger_name(int trigger);
SW_API const char *sw_backoff_name(int backoff);

/* Load a definition from JSON or YAML text: Stepwell's own form or a mission
 * (docs/reference/workflow-file.md). All findings go to *findings (sw_findings reads them), also
 * on success, when they are warnings.
 *
 * owns:    options and text are borrowed until return; *out is the caller's (sw_workflow_free),
 *          *findings too (sw_result_free); findings may be NULL.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EDEFINITION (message is the first finding as file:line:column), SW_ELIMIT,
 *          SW_EINVAL, SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_workflow_load(const sw_workflow_options *options, sw_str text, sw_workflow **out,
                            sw_result **findings, sw_error *err);

/* Rows of a result of sw_workflow_load, in the order of the text.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_finding *sw_findings(const sw_result *result, size_t *count);

/* Give up a definition. NULL is allowed.
 *
 * owns:    workflow is taken.
 * threads: any thread, one at a time.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_workflow_free(sw_workflow *workflow);

/* Parts of a definition: its name, version ("" when none is given), SHA-256 as 64 hex digits, the
 * canonical JSON the digest is taken from, and the JSON Schema of its input (absent when none).
 *
 * owns:    borrowed until workflow is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API sw_str sw_workflow_name(const sw_workflow *workflow);
SW_API sw_str sw_workflow_version(const sw_workflow *workflow);
SW_API sw_str sw_workflow_digest(const sw_workflow *workflow);
SW_API sw_str sw_workflow_json(const sw_workflow *workflow);
SW_API sw_str sw_workflow_input_schema(const sw_workflow *workflow);

/* Greatest number of steps that the file allows to run at once (config.max_parallel_steps of a
 * mission), 0 when it does not say.
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API int64_t sw_workflow_max_parallel(const sw_workflow *workflow);

/* How long a task may take from its submission on, in milliseconds, 0 when the file does not say. A
 * submission may say otherwise (sw_task_submit_row).
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API int64_t sw_workflow_deadline_ms(const sw_workflow *workflow);

/* The steps in topological order.
 *
 * owns:    borrowed until workflow is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const sw_workflow_step *sw_workflow_steps(const sw_workflow *workflow, size_t *count);

/* Store definitions so that tasks can be submitted. Storing one that is there already is no
 * error. The newest registered definition of a name (and version) is the one new tasks get;
 * running tasks keep theirs.
 *
 * owns:    workflows are borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk (one commit); may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL (err->row), SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM, SW_EFORKED. On error
 *          nothing was written.
 */
SW_API int sw_workflow_register(sw_engine *engine, const sw_workflow *const *workflows,
                                size_t workflow_count, sw_error *err);

/* The newest registered definition of a name; version absent means any.
 *
 * owns:    name and version are borrowed until return; *out is the caller's (sw_workflow_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_ENOTFOUND, SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_workflow_get(sw_engine *engine, sw_str name, sw_str version, sw_workflow **out,
                           sw_error *err);

SW_END_DECLS

#endif
