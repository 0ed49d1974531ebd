/* Circuit breakers inside a transaction (stepwell/breaker.h says what they do).
 *
 * Steps that name one stand in lines of their own, so that an open breaker is a line that nobody
 * reads: no step is looked at in vain, and a worker that finds nothing else sleeps until the
 * breaker is half-open. The rows are read when the first step that names one moves, or when a
 * worker looks whose lines belong to one; without breakers nothing is read.
 */
#ifndef SW_ENGINE_BREAKER_H
#define SW_ENGINE_BREAKER_H

#include "engine/work.h"

typedef struct sw__work_breaker {
    sw__breaker_rec rec;
    bool dirty;
} sw__work_breaker;

/* By name. */
typedef struct sw__work_breakers {
    sw__work_breaker *rows;
    size_t count;
} sw__work_breakers;

/* Lines of which at most so many steps may be claimed. */
typedef struct sw__claim_set {
    const int64_t *lanes; /* ascending */
    size_t lane_count;
    size_t claim_max;
} sw__claim_set;

/* Read the rows, once in a transaction. */
int sw__breakers_load(sw__work *work, sw_error *err);
/* The rows as they stand in the store, by name, in an arena; for any transaction. */
int sw__breakers_list(sw__store *store, sw__arena *arena, sw__work_breakers *out, sw_error *err);
/* The breaker with this name, or NULL. */
sw__work_breaker *sw__breakers_find(const sw__work_breakers *breakers, sw_str name);

/* Whether any step of a definition names one. */
bool sw__breaker_named(const sw_workflow *workflow);
/* Whether this breaker keeps a ready step from starting now, NULL being none. One whose time is over
 * keeps it no longer. */
bool sw__breaker_holds(const sw__work_breaker *breaker, int64_t now_us);

/* A step that names a breaker is about to start, or to stop running. */
int sw__breaker_moved(sw__work *work, const sw__work_step *step, int to, const sw__cause *cause,
                      sw_error *err);
/* Bring a breaker into another state, or the same again, with an entry in the log. */
int sw__breaker_change(sw__work *work, sw__work_breaker *breaker, int to, const sw__cause *cause,
                       sw_error *err);
/* How long it is open when it has opened so often in a row, from 1. */
int64_t sw__breaker_open_ms(const sw_breaker_settings *settings, int32_t openings);
/* Write what has changed. */
int sw__breakers_flush(sw__work *work, sw_error *err);

/* Let the breakers become half-open whose time has come, and leave out the lines of open ones:
 * *sets are what a worker may claim from. */
int sw__breaker_sets(sw__work *work, const sw__member *member, sw__claim_set **sets, size_t *count,
                     sw_error *err);
/* When the next breaker becomes half-open that was read, INT64_MAX: none. */
int64_t sw__breaker_due_us(const sw__work *work);

/* Enter the breakers that a definition names, and the settings it has for them. */
int sw__breaker_register(sw__work *work, const sw_workflow *workflow, sw_error *err);

#endif
