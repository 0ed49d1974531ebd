/* Trigger rules: what the end of a dependency does for the step that waits for it.
 *
 * Whatever the rule, a step needs a number of dependencies that count, and can spare the others:
 * it may start when nothing is needed any more, and never will when more are lost than it can
 * spare. A dependency that neither counts nor is lost leaves the question open. Pure. */
#ifndef SW_MODEL_TRIGGER_H
#define SW_MODEL_TRIGGER_H

#include "model/draft.h"
#include "stepwell/workflow.h"

typedef enum sw__effect {
    SW__EFFECT_OPEN,   /* it has not ended, or an operator may still decide about it */
    SW__EFFECT_COUNTS, /* one less is needed */
    SW__EFFECT_LOST    /* it will never count */
} sw__effect;

/* How a dependency has ended, as far as rules tell ends apart. */
typedef enum sw__trigger_end {
    SW__ENDED_NONE,      /* it goes on */
    SW__ENDED_SUCCEEDED, /* or an operator has resolved it */
    SW__ENDED_PASSED,    /* it failed, which the definition allows */
    SW__ENDED_HELD,      /* it failed, and what comes after it is left to an operator */
    SW__ENDED_FAILED,    /* it failed, and what comes after it goes with it */
    SW__ENDED_SKIPPED,
    SW__ENDED_CANCELLED,
    SW__ENDED_COUNT
} sw__trigger_end;

/* How a step in this state (sw_step_state) has ended. */
sw__trigger_end sw__trigger_end_of(const sw_workflow_step *step, int state);
/* A bit for each end of a dependency that has this effect on a step with a rule (sw_trigger). */
unsigned sw__trigger_ends(int rule, sw__effect effect);

/* What a dependency in this state (sw_step_state) does for step. */
sw__effect sw__trigger_effect(const sw_workflow_step *step, const sw_workflow_step *dependency,
                              int state);
/* How many dependencies must count before step may start; 0 when it waits for none. */
int32_t sw__trigger_needed(const sw_workflow_step *step);
/* How many of its dependencies may be lost. */
int32_t sw__trigger_spare(const sw_workflow_step *step);
/* Whether step may start while dependency has not succeeded, other than by the word of an
 * operator who has resolved it. */
bool sw__trigger_is_lenient(const sw_workflow_step *step, const sw_workflow_step *dependency);

/* How the dependencies of a step stand, those that are open left out. */
typedef struct sw__tally {
    int32_t counted;
    int32_t lost;
} sw__tally;

void sw__tally_add(sw__tally *tally, sw__effect effect);
/* Whether step may start. */
bool sw__tally_is_met(sw__tally tally, const sw_workflow_step *step);
/* Whether step can never start, unless an operator takes a dependency of it up again. */
bool sw__tally_is_void(sw__tally tally, const sw_workflow_step *step);

/* Whether a task may succeed with a step of it in this state (sw_step_state). */
bool sw__trigger_is_well(const sw_workflow_step *step, int state);

/* Read the value of the key "trigger" of a step, in either form of a definition. */
void sw__trigger_read(sw__findings *findings, const sw__path *path, sw__draft_step *step);

#endif
