/* What the bench programs share: time, statistics, strings, the end of the program on an error. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stdbool.h>

#include "stepwell.h"

#define BENCH_ROUNDS_MAX 99
#define BENCH_LAYERED_MAX 10000 /* steps whose definition is within its limit of 1 MiB */

/* What the command line asks for: --quick, --json, --dir FOLDER (/tmp), --only TEXT (NULL). */
typedef struct bench_arguments {
    bool quick;
    bool json;
    const char *dir;
    const char *only;
} bench_arguments;

/* What a case and its floor took in each round, in the unit of the case. */
typedef struct bench_rounds {
    int count;
    double took[BENCH_ROUNDS_MAX];
    double floors[BENCH_ROUNDS_MAX];
    double ratios[BENCH_ROUNDS_MAX];
} bench_rounds;

/* End the program with a message when rc is an error: a bench has nobody to report to. */
void bench_check(int rc, const char *what, const sw_error *err);
double bench_seconds(void);
/* From now on these are of processor time, of all threads together: where other programs run. */
void bench_by_processor(void);
sw_str bench_str(const char *text);
/* Of at most BENCH_ROUNDS_MAX values. */
double bench_median(const double *values, int count);
double bench_least(const double *values, int count);
double bench_most(const double *values, int count);

/* Ends the program when the command line cannot be understood. */
bench_arguments bench_arguments_read(int argc, char **argv);
/* Whether the case is asked for. */
bool bench_wants(const bench_arguments *arguments, const char *name);
/* Another round; the floor is measured right before or after, because the machine changes. */
void bench_add(bench_rounds *rounds, double took, double floor);
/* A row of script/bench: median, least and most of the rounds, median of the floors and of the
 * ratios. note tells people what the unit and the floor are. */
void bench_print(const bench_rounds *rounds, const char *name, const char *unit, const char *note,
                 bool json);

/* A path of this process in the folder, and the removal of a database with all its files. */
void bench_path(const bench_arguments *arguments, const char *name, char path[512]);
void bench_remove(const char *path);

sw_engine *bench_open(const char *store, int durability);
/* The workflow "layered": layers of so many steps, each after two of the layer before; freed by
 * the caller. At most BENCH_LAYERED_MAX steps. */
char *bench_layered(size_t steps, size_t layer);
/* Start so many tasks without an input, in one call; returns the last one. */
sw_uuid bench_submit(sw_engine *engine, const char *workflow, size_t tasks);
/* Claim and complete steps, so many in each exchange, until nothing can be claimed or so many are
 * done; returns how many. */
size_t bench_work(sw_engine *engine, const sw_worker_ref *worker, size_t batch, size_t most);
/* Load a definition from JSON and register it. */
void bench_register(sw_engine *engine, const char *definition);
/* A worker for one handler. */
sw_worker_ref bench_worker(sw_engine *engine, const char *handler);
/* A successful outcome for each claim of a result; outcomes has room for them. */
size_t bench_outcomes(const sw_result *result, sw_step_outcome *outcomes);

#endif
