/* One run of fuzz_api: the engine, what is known about it, and arguments for its calls. */
#ifndef FUZZ_API_RUN_H
#define FUZZ_API_RUN_H

#include "fuzz/fuzz.h"

#define WORKERS_MAX 4
#define TASKS_MAX 16
#define CLAIMS_MAX 64
#define ROWS_MAX 6
#define DEFINITIONS 3

/* A step that was claimed, and what is known about it since. */
typedef struct call_claim {
    int64_t step_id;
    int64_t epoch; /* the newest */
    bool committed;
} call_claim;

typedef struct call_run {
    fuzz_world world;
    fuzz_bytes bytes;
    sw_engine *engine;
    sw_workflow *workflows[DEFINITIONS];
    sw_worker_ref workers[WORKERS_MAX];
    size_t worker_count;
    sw_uuid tasks[TASKS_MAX];
    size_t task_count;
    call_claim claims[CLAIMS_MAX];
    size_t claim_count;
    int64_t version; /* position of the newest event that was appended */
    bool overridden; /* an operator has changed steps: attempts may go on beyond their number */
    sw_error err;
} call_run;

/* Arguments from the bytes: mostly such that make sense, sometimes any. */
sw_str pick_json(fuzz_bytes *bytes);
/* A name that exists, or another. */
sw_str pick_name(fuzz_bytes *bytes);
/* Mostly absent. */
sw_str pick_text(fuzz_bytes *bytes);
/* Mostly small. */
int64_t pick_number(fuzz_bytes *bytes);
sw_uuid pick_task(call_run *run);
sw_worker_ref pick_worker(call_run *run);
call_claim pick_claim(call_run *run);
/* Reports, of claims that were given and of others; rows has room for ROWS_MAX. */
size_t pick_outcomes(call_run *run, sw_step_outcome *rows);

/* What no argument can bring about on a store in memory that nobody else has. */
void call_check(const call_run *run, int rc, const void *out);
/* The same, for a call that may also answer one more code. */
void call_check_or(const call_run *run, int rc, int code, const void *out);

/* What is known about a step that was claimed; NULL: nothing. */
call_claim *claim_find(call_run *run, int64_t step_id);

void call_open_worker(call_run *run);
void call_exchange(call_run *run);
void call_update_batch(call_run *run);
void call_renew(call_run *run);
void call_heartbeat(call_run *run);
void call_close_worker(call_run *run);
void call_list_workers(call_run *run);
void call_forecast(call_run *run);
void call_durations(call_run *run);
void call_picture(call_run *run);
void call_append(call_run *run);
void call_events(call_run *run);
void call_past(call_run *run);
void call_projection(call_run *run);

#endif
