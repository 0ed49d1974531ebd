/* The inside of the memory store: what its files share.
 *
 * memory.c opens, closes and runs transactions · memory_undo.c takes changes back ·
 * memory_table.c, memory_index.c and memory_queue.c are the three structures rows lie in,
 * memory_block.c makes the rows · the other files hold the verbs, by subject.
 *
 * A write first makes sure of all the memory it needs, the undo record included, and only then
 * changes anything; taking back needs no memory. So a transaction that runs out of memory can
 * always be rolled back to exactly what was there before.
 */
#ifndef SW_STORE_MEMORY_H
#define SW_STORE_MEMORY_H

#include "base/env.h"
#include "base/error.h"
#include "store/shared.h"

/* Rows by a number, ascending. Numbers are mostly dense, so a row is found by its number's distance
 * from the first; by halving otherwise. */
typedef struct sw__table_item {
    int64_t key;
    void *row;
} sw__table_item;

typedef struct sw__table {
    sw__table_item *items;
    size_t count;
    size_t capacity; /* never shrinks, so that a row that was taken out has its room to return */
} sw__table;

void *sw__table_find(const sw__table *table, int64_t key);
/* Index of the first item with at least this key; count when there is none. */
size_t sw__table_seek(const sw__table *table, int64_t key);
/* Room for one more. 0 or SW_ENOMEM. */
int sw__table_reserve(sw__table *table, const sw_env *env);
void sw__table_add(sw__table *table, int64_t key, void *row); /* after a reserve */
void *sw__table_take(sw__table *table, int64_t key);

/* Rows by a text: chains of links that lie in the rows themselves. */
typedef struct sw__index_link {
    struct sw__index_link *next;
    uint64_t hash;
    sw_str key; /* lies in the row */
    void *row;
} sw__index_link;

typedef struct sw__index {
    sw__index_link **chains;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
    uint64_t seed[2];
} sw__index;

void *sw__index_find(const sw__index *index, sw_str key);
int sw__index_reserve(sw__index *index, const sw_env *env);
void sw__index_add(sw__index *index, sw__index_link *link, sw_str key, void *row);
void sw__index_remove(sw__index *index, sw__index_link *link);

typedef struct sw__memory_payload {
    uint8_t salt[32];
    sw_str body; /* behind the struct */
} sw__memory_payload;

typedef struct sw__memory_failure {
    struct sw__memory_failure *older;
    sw__failure row; /* texts behind the struct */
} sw__memory_failure;

/* A step never moves in memory: the lines are threaded through it. */
typedef struct sw__memory_step {
    sw__step_hot hot;
    uint32_t weight; /* of the node in the tree */
    struct sw__memory_step *left;
    struct sw__memory_step *right;
    struct sw__memory_step *before; /* neighbours in the order of (lane, rank, step_id) */
    struct sw__memory_step *after;
    sw__memory_payload *result;
    sw__memory_failure *failures; /* newest first */
} sw__memory_step;

/* All steps that stand in a line, in the order of (lane, rank, step_id). Deadlines stand in a line
 * of their own, as steps that are part of no task: step_id is the subject, rank the time. */
#define SW__MEMORY_LANE_DEADLINE INT64_MIN

typedef struct sw__queue {
    sw__memory_step *root;
} sw__queue;

void sw__queue_add(sw__queue *queue, sw__memory_step *step);
void sw__queue_remove(sw__queue *queue, sw__memory_step *step);
/* The first step of a lane, or NULL; step->after leads on. */
sw__memory_step *sw__queue_first(const sw__queue *queue, int64_t lane);
/* The first step of any lane behind this place, NULL when there is none. */
sw__memory_step *sw__queue_after(const sw__queue *queue, int64_t lane, sw__queued place);

/* Steps with neighbouring numbers that were inserted together. */
typedef struct sw__memory_run {
    size_t count;
    sw__memory_step steps[];
} sw__memory_run;

typedef struct sw__memory_task {
    sw__task_hot hot;
    sw__task_info info; /* texts behind the struct */
    sw__index_link by_id;
    sw__table runs; /* sw__memory_run by the number of its first step */
} sw__memory_task;

typedef struct sw__memory_key {
    sw__index_link by_scope;
    sw__task_key row;
} sw__memory_key;

typedef struct sw__memory_event {
    sw__index_link by_key; /* of events with a key: the task's number, a zero byte, the key */
    sw__event_rec row;     /* texts behind the struct */
} sw__memory_event;

typedef struct sw__memory_workflow {
    sw__index_link by_digest;
    sw__workflow_rec row;
} sw__memory_workflow;

/* How to take one change back, or what to free at its end. */
typedef enum sw__undo_kind {
    SW__UNDO_BYTES,   /* where, size: what stood there */
    SW__UNDO_STEP,    /* where: the step; what its row was */
    SW__UNDO_ADDED,   /* where: a table; key */
    SW__UNDO_TAKEN,   /* where: a table; key, row */
    SW__UNDO_LINKED,  /* where: an index; row: the link */
    SW__UNDO_CUT,     /* where: an index; row: the link that was taken out */
    SW__UNDO_RUN,     /* where: a table of runs; key, row: the run to free at rollback */
    SW__UNDO_TASK,    /* where: a task to free at rollback */
    SW__UNDO_MADE,    /* where: a block to free at rollback */
    SW__UNDO_DROPPED, /* where: a block to free at commit */
    SW__UNDO_ENDED,   /* where: a task to free at commit */
} sw__undo_kind;

typedef struct sw__undo {
    int32_t kind;
    uint32_t size; /* of the bytes saved for it */
    void *where;
    int64_t key;
    void *row;
} sw__undo;

typedef struct sw__undo_log {
    sw__undo *records;
    size_t count;
    size_t capacity;
    uint8_t *saved; /* the bytes of all records, in their order */
    size_t saved_len;
    size_t saved_capacity;
} sw__undo_log;

typedef struct sw__memory {
    sw__store base;
    sw__store_mode mode;
    sw__undo_log undo;
    sw__queue queue;
    sw__table workflows; /* sw__memory_workflow */
    sw__table lanes;     /* sw__lane_row */
    sw__table breakers;  /* sw__breaker_rec */
    sw__table tasks;     /* sw__memory_task */
    sw__table deadlines; /* sw__memory_step */
    sw__table workers;   /* sw__worker_rec */
    sw__table segments;  /* sw__segment */
    sw__table events;    /* sw__memory_event */
    sw__table projections; /* sw_projection, by a number that only tells them apart */
    sw__index event_keys;
    sw__index workflow_digests;
    sw__index task_ids;
    sw__index task_scopes;
    sw__anchor anchor;
    bool anchored;
    int64_t sequences[SW__SEQUENCE_COUNT];
} sw__memory;

#define SW__MEMORY_VERB(verb) __typeof__(*((sw__store_ops *)NULL)->verb) sw__memory_##verb;
SW__STORE_VERB_MAP(SW__MEMORY_VERB)
#undef SW__MEMORY_VERB

/* memory.c: check at the start of every verb. */
int sw__memory_enter(const sw__memory *self, sw__store_mode mode, const char *place, sw_error *err);

/* memory_prune.c: the key that names this task, or NULL. */
int sw__memory_key_of(const sw__memory *self, const sw__memory_task *task, sw__memory_key **key,
                      sw_error *err);

/* memory_undo.c: room for `records` more records that save `bytes` in all. 0 or SW_ENOMEM. */
int sw__undo_reserve(sw__memory *self, size_t records, size_t bytes);
/* Note a change that is about to be made; after a reserve. */
void sw__undo_bytes(sw__memory *self, void *where, size_t size);
void sw__undo_step(sw__memory *self, sw__memory_step *step);
void sw__undo_note(sw__memory *self, sw__undo undo);
void sw__undo_rollback(sw__memory *self);
void sw__undo_commit(sw__memory *self);
void sw__undo_free(sw__memory *self);

/* memory_block.c: one block of memory with a struct and the texts that belong to it. */
typedef struct sw__block {
    uint8_t *start;
    size_t used;
    size_t size;
    bool overflow;
} sw__block;

/* Count what is needed, make the block, then copy each text once. */
void sw__block_need(sw__block *block, sw_str text);
/* Zeroed struct of `size` bytes at its start; NULL when there is no memory. */
void *sw__block_make(sw__block *block, const sw_env *env, size_t size);
sw_str sw__block_copy(sw__block *block, sw_str text);
/* The same where absent means empty, as in a column that is never NULL. */
sw_str sw__block_copy_name(sw__block *block, sw_str text);

/* memory_event.c: forget all but number, task and type of the events of a task. */
int sw__memory_events_strip(sw__memory *self, int64_t task_no, sw_error *err);
/* memory_projection.c: forget all of them. */
int sw__memory_projections_forget(sw__memory *self, sw_error *err);

/* memory_task.c, memory_step.c */
sw__memory_task *sw__memory_task_find(const sw__memory *self, int64_t task_no);
sw__memory_step *sw__memory_step_find(const sw__memory *self, int64_t step_id);
/* The weight of the node of a step. */
uint32_t sw__memory_step_weight(int64_t step_id);
/* memory_deadline.c: take out those of a task, after sw__memory_deadlines_count(...) * 3 records and
 * as many saved rows were reserved. */
size_t sw__memory_deadlines_count(const sw__memory *self, int64_t task_no);
void sw__memory_deadlines_take(sw__memory *self, int64_t task_no);
/* Take the steps of a run out of their lines and free it; what hangs at them is freed before. */
void sw__memory_run_free(sw__memory *self, sw__memory_run *run);
void sw__memory_task_free(sw__memory *self, sw__memory_task *task);

#endif
