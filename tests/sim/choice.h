/* The one stream of choices that a schedule is made of.
 *
 * Every random decision of a run is a draw. Draws are recorded, so that a run can be replayed and
 * shrunk; 0 always means the simplest thing: no fault, the same actor goes on.
 */
#ifndef SIM_CHOICE_H
#define SIM_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a draw decides; only for counting what a schedule consists of. */
typedef enum choice_kind {
    CHOICE_WORKLOAD, /* what there is to do */
    CHOICE_SWITCH,   /* who runs next */
    CHOICE_EVENT,    /* a fault, a death, how a handler ends */
    CHOICE_DETAIL    /* how long, how many */
} choice_kind;

typedef struct choice {
    uint64_t state;
    uint32_t *draws; /* what was drawn so far */
    uint8_t *kinds;  /* choice_kind of each */
    size_t count;
    size_t capacity;
    const uint32_t *replay; /* NULL: draw from state; else these, then zeros */
    size_t replay_count;
} choice;

void choice_seed(choice *c, uint64_t seed);
void choice_replay(choice *c, const uint32_t *draws, size_t count);
void choice_free(choice *c);

/* Uniform in [0, n). */
uint32_t choice_draw(choice *c, choice_kind kind, uint32_t n);
/* True once in n, when drawing from a seed; recorded as 0 or 1. */
bool choice_once_in(choice *c, choice_kind kind, uint32_t n);
/* 0, or i with a chance of weights[i - 1] in 65,536. What `may` (bit i - 1) forbids becomes 0. */
uint32_t choice_weigh(choice *c, choice_kind kind, const uint32_t *weights, uint32_t count,
                      uint32_t may);
/* The last draw was of another kind than it seemed. */
void choice_was(choice *c, choice_kind kind);
/* Digest of all draws and the state behind them: equal for equal runs. */
uint64_t choice_unseed(const choice *c);

/* A generator for bytes that need not be shrunk (salts, identifiers). */
uint64_t choice_noise(uint64_t *state);

#endif
