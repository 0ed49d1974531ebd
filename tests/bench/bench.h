/* What the bench programs share: time, statistics, strings, the end of the program on an error. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "stepwell.h"

#define BENCH_ROUNDS_MAX 99

/* End the program with a message when rc is an error: a bench has nobody to report to. */
void bench_check(int rc, const char *what, const sw_error *err);
double bench_seconds(void);
sw_str bench_str(const char *text);
/* Of at most BENCH_ROUNDS_MAX values. */
double bench_median(const double *values, int count);
double bench_least(const double *values, int count);
double bench_most(const double *values, int count);

/* Load a definition from JSON and register it. */
void bench_register(sw_engine *engine, const char *definition);
/* A worker for one handler. */
sw_worker_ref bench_worker(sw_engine *engine, const char *handler);
/* A successful outcome for each claim of a result; outcomes has room for them. */
size_t bench_outcomes(const sw_result *result, sw_step_outcome *outcomes);

#endif
