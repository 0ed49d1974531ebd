/* What the files of calls.h share: preparations, and the tables. */
#ifndef HELPER_CALLS_INNER_H
#define HELPER_CALLS_INNER_H

#include "helper/calls.h"

#define CALLS_TEXT(literal) ((sw_str){(literal), sizeof(literal) - 1})

/* The workflow "w": step a, then b and c at once, then d. */
extern const char calls_definition[];

extern const calls_scenario calls_of_clients[];
extern const size_t calls_of_clients_count;
extern const calls_scenario calls_of_workers[];
extern const size_t calls_of_workers_count;
extern const calls_scenario calls_of_events[];
extern const size_t calls_of_events_count;

int calls_engine_open(calls_world *w, const char *store, int must_exist, sw_engine **engine,
                      sw_error *err);
int calls_load(calls_world *w, sw_str text, sw_workflow **out, sw_error *err);
int calls_worker_open(calls_world *w, int64_t lease_ms, sw_worker_ref *worker, sw_error *err);
int calls_register(calls_world *w, sw_error *err);
int calls_submit_known(calls_world *w, sw_error *err);
/* SW_OK when a call was refused as it should be; other errors stay. */
int calls_refused(int rc, int code);

/* Preparations. Each leaves w->task, and those that claim w->hold. */
void calls_nothing(calls_world *w);
void calls_start(calls_world *w, const char *workflow);
void calls_task(calls_world *w);
/* The newest task's first step is held by the worker. */
void calls_claim(calls_world *w);
void calls_claim_of(calls_world *w, const char *workflow);
/* Claim all there is for a worker, and hold the newest step of the task. */
void calls_hold(calls_world *w, const sw_worker_ref *worker);
/* Report the held step. */
int calls_report(calls_world *w, int outcome, sw_str result, sw_error *err);
int calls_exchange(calls_world *w, const sw_step_outcome *rows, size_t count, size_t claim_max,
                   sw_error *err);

#endif
