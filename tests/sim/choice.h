/* The one source of choices that a schedule is made of.
 *
 * Every random decision of a run is a draw. What is drawn is recorded, so that a run can be
 * replayed and shrunk; 0 always means the simplest thing: no fault, the same actor goes on.
 *
 * Each actor draws each kind from a stream of its own, and a recorded draw is known by its place in
 * its stream: when something is left out of a schedule, what others do stays where it was.
 */
#ifndef SIM_CHOICE_H
#define SIM_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a draw decides. XX(NAME, name in a schedule's text) */
#define CHOICE_KIND_MAP(XX)                                                                        \
    XX(WORKLOAD, "workload") /* what there is to do */                                             \
    XX(SWITCH, "switch")     /* who runs next */                                                   \
    XX(EVENT, "event")       /* a fault, or that somebody else runs, at a point */                 \
    XX(FATE, "fate")         /* how a handler or the life of a worker ends */                      \
    XX(DETAIL, "detail")     /* how long, how many */

typedef enum choice_kind {
#define CHOICE_KIND_VALUE(name, text) CHOICE_##name,
    CHOICE_KIND_MAP(CHOICE_KIND_VALUE)
#undef CHOICE_KIND_VALUE
        CHOICE_KIND_COUNT
} choice_kind;

#define CHOICE_DRAWERS_MAX 16 /* the harness, and every actor */
#define CHOICE_WEIGHTS 65536u
#define CHOICE_STREAMS (CHOICE_KIND_COUNT * CHOICE_DRAWERS_MAX)

/* A draw that was not 0. */
typedef struct choice_entry {
    uint32_t at; /* the number of its draw in its stream, from 0 */
    uint32_t value;
    uint8_t drawer; /* 0: the harness */
    uint8_t kind;   /* choice_kind */
} choice_entry;

/* The draws of a run in their order, without the zeros. */
typedef struct choice_list {
    choice_entry *entries;
    size_t count;
    size_t capacity;
} choice_list;

/* Chances of 65,536, which together are less than that. */
typedef struct choice_weights {
    const uint32_t *each;
    uint32_t count;
    uint32_t sum;
} choice_weights;

typedef struct choice {
    uint64_t state;
    uint64_t digest; /* of all draws */
    uint64_t count;  /* of all draws */
    int drawer;      /* who draws now */
    uint32_t at[CHOICE_STREAMS];
    choice_list drawn;
    const choice_list *replay; /* NULL: draw from state */
    uint32_t *next;            /* per entry of replay: the next one of its stream, from 1 */
    uint32_t first[CHOICE_STREAMS];
} choice;

void choice_seed(choice *c, uint64_t seed);
/* Draw what is in the list, which outlives c, and else zeros. Entries of one stream stand in the
 * order of their places. */
void choice_replay(choice *c, const choice_list *list);
void choice_free(choice *c);

/* Uniform in [0, n). */
uint32_t choice_draw(choice *c, choice_kind kind, uint32_t n);
/* True once in n, when drawing from a seed; recorded as 0 or 1. */
bool choice_once_in(choice *c, choice_kind kind, uint32_t n);
choice_weights choice_weights_of(const uint32_t *each, uint32_t count);
/* 0, or i with the chance of weights->each[i - 1]. What `may` (bit i - 1) forbids becomes 0. */
uint32_t choice_weigh(choice *c, choice_kind kind, const choice_weights *weights, uint32_t may);
/* Digest of all draws and the state behind them: equal for equal runs. */
uint64_t choice_unseed(const choice *c);

void choice_list_add(choice_list *list, const choice_entry *entry);
void choice_list_free(choice_list *list);
/* Events of a schedule: faults, handlers that do not simply succeed, workers that reopen, and
 * every time that somebody else runs than the next in turn. Not counted are what there is to do,
 * and for how long something lasts. */
bool choice_is_event(const choice_entry *entry);
size_t choice_list_events(const choice_list *list);
const char *choice_kind_name(int kind);

/* A generator for bytes that need not be shrunk (salts, identifiers). */
uint64_t choice_noise(uint64_t *state);

#endif
