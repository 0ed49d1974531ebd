/* A store of events under test, in memory or in a file: one task of two steps, and short forms of
 * the calls that tests of events make all the time. Every call asserts what it answers.
 *
 *     static void test_something(void **state)
 *     {
 *         events *e = *state;
 *         int64_t position = events_append_one(e, "order.paid", "{\"sum\":7}");
 *         ...
 *     }
 *     EVENTS_ON_BOTH(test_something),
 *
 * Not here: what scenarios say of events (golden_event.c).
 */
#ifndef HELPER_EVENT_RIG_H
#define HELPER_EVENT_RIG_H

#include <stdbool.h>

#include "helper/rig.h"

typedef struct events {
    rig rig;
    char folder[64];
    sw_uuid task;
    sw_result *result; /* of the newest call */
} events;

events *events_open(bool memory);
void events_close(events *e);

sw_event_row events_row(const events *e, const char *type, const char *data);
/* Append, and expect this code; the answers live until the next call. */
const sw_event_appended *events_append(events *e, const sw_event_row *rows, size_t count, int mode,
                                       int code);
/* Append one event to the task; its position. */
int64_t events_append_one(events *e, const char *type, const char *data);
/* What a filter finds; lives until the next call. */
const sw_event *events_list(events *e, const sw_event_filter *filter, size_t *count);
/* The first step succeeds, the second one fails for good. */
void events_work(events *e);
/* Open the projection "p"; its strings live until the next call. */
sw_projection events_projection(events *e, const char *version);

/* One test on both stores: state is the events. */
int events_setup_memory(void **state);
int events_setup_file(void **state);
int events_teardown(void **state); /* also verifies the log */

#define EVENTS_ON_BOTH(test)                                                                       \
    {"memory_" #test, test, events_setup_memory, events_teardown, NULL},                           \
    {                                                                                              \
        "file_" #test, test, events_setup_file, events_teardown, NULL                              \
    }

#endif
