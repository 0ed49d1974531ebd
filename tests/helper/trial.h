/* One attempt of a built-in kind at a time, without an engine, in a root directory of its own.
 *
 *     trial t;
 *     trial_open(&t);
 *     trial_run(&t, "read_file", "{\"path\":\"a\"}");
 *     assert_int_equal(t.outcome.outcome, SW_OUTCOME_SUCCEEDED);
 *     trial_close(&t);
 */
#ifndef HELPER_TRIAL_H
#define HELPER_TRIAL_H

#include "worker/kinds.h"

typedef struct trial {
    sw__workplace place;
    sw__interrupt interrupt;
    sw__arena *arena;
    sw_step_claim claim;     /* handler and parameters are set by trial_run */
    sw_step_outcome outcome; /* of the newest run */
    int64_t took_ms;         /* of the newest run */
    char root[64];           /* removed with what is in it */
    char text[1024];
} trial;

void trial_open(trial *t);
void trial_close(trial *t);

/* Run a kind with parameters as JSON. What the outcome points to lives until the next run. */
void trial_run(trial *t, const char *handler, const char *parameters);
/* The same with parameters made by printf. */
void trial_runf(trial *t, const char *handler, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The result is this JSON. */
void trial_result(const trial *t, const char *expected);
/* It failed in this way; part is found in the message. */
void trial_failed(const trial *t, int outcome, const char *error_class, const char *part);

/* A path below the root; lives until the next call. */
const char *trial_path(trial *t, const char *name);
void trial_write(trial *t, const char *name, const char *content);
/* The file holds this, and nothing else. */
void trial_holds(trial *t, const char *name, const char *content);
/* Nothing but these names (in byte order, separated by blanks) lies in the directory. */
void trial_lists(trial *t, const char *directory, const char *names);

#endif
