/* What ended tasks of a workflow teach: how long its steps took, how many ran at once.
 *
 * Times come from the audit log, the only place that keeps more than the newest transition. Not
 * here: what follows for a task (forecast.c). */
#ifndef SW_ENGINE_PAST_H
#define SW_ENGINE_PAST_H

#include "engine/engine.h"
#include "graph/forecast.h"

#define SW__PAST_STEPS_MAX 1000000 /* of all tasks together */

/* When the steps of one task began and how long they took, by index; -1 where that is not known.
 * A step begins with its first attempt; one that was given back has not begun. Steps are numbered
 * in topological order and begin about in it, so that a task at its start fills little of this. */
typedef struct sw__past_times {
    int64_t *began_us;
    int64_t *took_us; /* from there to its end, if it succeeded or its failure is allowed */
    size_t filled;    /* of both arrays, from the front: nothing is known of what lies behind */
    int32_t peak;     /* most steps that ran at once */
} sw__past_times;

static inline int64_t sw__past_began(const sw__past_times *times, size_t index)
{
    return index < times->filled ? times->began_us[index] : -1;
}

static inline int64_t sw__past_took(const sw__past_times *times, size_t index)
{
    return index < times->filled ? times->took_us[index] : -1;
}

typedef struct sw__past_task {
    sw_workflow *workflow;
    const int64_t *took_us; /* of each step of workflow */
    int64_t whole_us;       /* from the task's start to its end */
    int32_t state;
    int32_t peak;
} sw__past_task;

typedef struct sw__past {
    sw__past_task *tasks; /* succeeded ones first, newest first */
    size_t count;
} sw__past;

/* How a task went on, in an engine that stands at an earlier moment of it (task_file.c). Teaches
 * like an ended task; its memory is one block of the engine's. */
typedef struct sw__recording {
    sw__past_task task;
    int64_t took_us[];
} sw__recording;

/* What an engine has of one, if any, at its end. */
void sw__recording_free(sw_engine *engine);

/* Times that are taken from the entries of a task, newest first. */
typedef struct sw__past_reading {
    const sw_workflow *workflow;
    sw__past_times *times;
    uint8_t *marks;    /* of each step: what is known of it (past.c) */
    int64_t *since_us; /* of each whose newest run is known: the begin of a run before that one */
    int32_t balance;   /* of the entries so far: runs that began less runs that ended */
    int32_t least;     /* what this was at least behind the begin of a run */
} sw__past_reading;

/* SW_ENOMEM. */
int sw__past_begin(sw__past_reading *reading, sw__arena *arena, const sw_workflow *workflow,
                   sw__past_times *times);
void sw__past_note(void *reading, const sw_audit_entry *entry); /* an sw__audit_visit */
void sw__past_end(sw__past_reading *reading);
/* Fill the arrays up to so many steps. */
void sw__past_fill(sw__past_times *times, size_t steps);

/* Inside a read transaction: the times of one task, in the arena. */
int sw__past_times_read(sw_engine *engine, sw__arena *arena, const sw__task_hot *task,
                        const sw_workflow *workflow, sw__past_times *out, sw_error *err);
/* Inside a read transaction: ended tasks of a workflow name but for task number `except`, so many
 * at most that have so many steps together at most. On error too, past has to be freed. */
int sw__past_read(sw_engine *engine, sw__arena *arena, sw_str workflow, int64_t except,
                  size_t limit, size_t steps_max, sw__past *past, sw_error *err);
/* Gives up the definitions; the rest lies in the arena. */
void sw__past_free(sw__past *past);

/* Most steps that ran at once in one of the tasks but for `except`, which may be NULL. */
int32_t sw__past_peak(const sw__past *past, const sw__past_task *except);
/* What the steps of a workflow take, as far as that is known. */
typedef struct sw__durations {
    const int64_t *us;
    sw__span *spans;  /* of each step, in us */
    uint8_t *sources; /* of each: sw_duration_source */
} sw__durations;

/* The durations of every step of a workflow, in the arena: its own in past tasks but for `except`,
 * else those of its handler, else its timeout, else default_us. SW_ENOMEM. */
int sw__past_durations(sw__arena *arena, const sw__past *past, const sw__past_task *except,
                       const sw_workflow *workflow, int64_t default_us, sw__durations *out);
/* The value at a share of those of one step. */
int64_t sw__durations_at(const sw__durations *durations, size_t index, double share);

#endif
