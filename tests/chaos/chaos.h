/* What the C programs of the chaos test share: the ledger outside of the database, signals, and
 * errors that pass. */
#ifndef CHAOS_H
#define CHAOS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell.h"

/* SIGTERM or SIGINT came. */
bool chaos_stopping(void);

void chaos_nap_ms(int64_t ms);

/* The ledger of this process. A line is one write at the end of the file, so that a kill leaves
 * whole lines; it cannot be lost with the process. */
void chaos_ledger_open(const char *path);
/* Name of the ledger, for results. */
const char *chaos_ledger_name(void);
void chaos_ledger_put(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* End the program when rc is an error, with what went wrong. */
void chaos_must(const char *what, int rc, const sw_error *error);
/* Whether the call is to be made again: an error that passes is put into the ledger and waited for
 * a moment; any other one ends the program. */
bool chaos_again(const char *what, int rc, const sw_error *error);

sw_str chaos_str(const char *text);
/* Open a store, again and again while the errors pass; NULL when it is time to stop. */
sw_engine *chaos_engine_open(const char *store);
sw_workflow *chaos_workflow_load(const char *path);

/* Commands; each returns the exit status. */
int chaos_work(int argc, char **argv);
int chaos_submit(int argc, char **argv);
int chaos_left(int argc, char **argv);
int chaos_dump(int argc, char **argv);

#endif
