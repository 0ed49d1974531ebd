/* A task that was filed away at every moment of its life, for tests of task files.
 *
 * Not here: signed ones, and what files are good for (tests/unit/test_task_file*.c).
 */
#ifndef TEST_HELPER_FILED_H
#define TEST_HELPER_FILED_H

#include <stdbool.h>

#include "helper/rig.h"

#define FILED_WORKFLOW                                                                             \
    "{\"stepwell\":1,\"name\":\"order\",\"version\":\"2\",\"steps\":[{\"name\":\"top\"},"          \
    "{\"name\":\"left\",\"after\":[\"top\"],\"retry\":{\"max_attempts\":3,\"base_ms\":1000,"       \
    "\"jitter\":0},\"deadline_ms\":600000},"                                                       \
    "{\"name\":\"right\",\"after\":[\"top\"],\"on_failure\":\"continue\",\"breaker\":\"mail\","    \
    "\"timeout_ms\":90000,\"retry\":{\"max_attempts\":1}},"                                        \
    "{\"name\":\"bottom\",\"after\":[\"left\",\"right\"]}]}"
#define FILED_MOMENTS 12

typedef struct filed {
    rig rig;
    sw_uuid task;
    sw_worker_ref worker;
    sw_result *moments[FILED_MOMENTS]; /* exports on the way */
    size_t count;
} filed;

/* Around a test whose task has ended: state is a filed. */
int filed_setup(void **state);
int filed_teardown(void **state);

/* The steps to there: submit the task, file it away, let its clock go on, report of a step, come to
 * where right still runs, and to the end. */
sw_uuid filed_submit(rig *r);
void filed_export(filed *f);
void filed_tick(filed *f);
void filed_report(filed *f, const char *step, int outcome, const char *result);
void filed_play(filed *f);
void filed_finish(filed *f);

/* The text of a file, and an engine of it after an entry (0: all of it). */
sw_str filed_text(const sw_result *result);
sw_engine *filed_open_at(filed *f, sw_str text, int64_t entry_no);

void filed_assert_str(sw_str a, sw_str b);
/* A task is the same in two engines. moment: the second stands at one that is past, of which no
 * timers are known. */
void filed_assert_same(const sw_uuid *task, sw_engine *a, sw_engine *b, bool moment);

#endif
