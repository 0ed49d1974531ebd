/* The writes of a run, recorded row by row, and written again by a bare loop: the floor that no
 * engine which writes these rows in these commits can beat.
 *
 * Recording uses the hooks of SQLite on every connection that this process opens. Replaying binds
 * the recorded values to one prepared statement per table and kind of change, in the recorded
 * order and commits, into a fresh file with the same schema and settings.
 */
#ifndef BENCH_TRACE_H
#define BENCH_TRACE_H

#include <stddef.h>

typedef struct trace trace;

/* Make connections that are opened from now on ready to be recorded; one trace at a time. */
trace *trace_new(void);
/* Record from now on. NULL is allowed. */
void trace_start(trace *recorded);
/* Stop recording; the file at path holds the schema. */
void trace_stop(trace *recorded, const char *path);
void trace_free(trace *recorded);

/* What was recorded: rows inserted, updated and deleted, and commits. */
typedef struct trace_counts {
    size_t inserts;
    size_t updates;
    size_t deletes;
    size_t commits;
} trace_counts;

trace_counts trace_count(const trace *recorded);

/* Seconds that the bare loop takes to write all of it to a new file at path; strict: synced at
 * each commit. */
double trace_replay(const trace *recorded, const char *path, int strict);

#endif
