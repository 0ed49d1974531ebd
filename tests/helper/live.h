/* An engine on the real clock with one registered workflow, for tests with threads, processes and
 * commands. Every call asserts that it succeeded. For tests that set the time themselves: rig.h.
 *
 *     live l;
 *     live_open(&l, "memory:", "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}");
 *     sw_uuid task = live_submit(&l);
 *     ...
 *     live_close(&l);
 */
#ifndef HELPER_LIVE_H
#define HELPER_LIVE_H

#include "stepwell.h"

typedef struct live {
    sw_engine *engine;
    sw_workflow *workflow;
    sw_result *last; /* of the newest live_step or live_state */
    sw_error error;
} live;

/* A directory that is removed with what is in it by live_directory_remove. */
void live_directory_make(char path[64]);
/* The same on a file system in memory where there is one: syncing costs nothing there. */
void live_directory_make_fast(char path[64]);
void live_directory_remove(const char *path);

/* definition NULL: register nothing. */
void live_open(live *l, const char *store, const char *definition);
void live_close(live *l);

sw_uuid live_submit(live *l);
int live_state(live *l, const sw_uuid *task);
/* A row of the task; its strings live until the next call. */
const sw_step_row *live_step(live *l, const sw_uuid *task, const char *step);
void live_cancel(live *l, const sw_uuid *task);
/* The audit log verifies; the report may be looked at. */
sw_audit_report live_verify(live *l);

/* Milliseconds of the monotonic clock, and a pause. */
int64_t live_now_ms(void);
void live_sleep_ms(long ms);
/* Whether a process runs; one that has ended but is not collected does not. */
int live_process_runs(long pid);

#endif
