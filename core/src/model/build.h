/* From a checked draft to a definition: as a whole, and its parts for those who have a step at a
 * time. */
#ifndef SW_MODEL_BUILD_H
#define SW_MODEL_BUILD_H

#include "base/buf.h"
#include "model/draft.h"
#include "model/workflow.h"

/* Append the canonical JSON of workflow; what its struct does not keep comes from the draft, whose
 * steps order[] puts into the order of the workflow's. */
void sw__workflow_put_json(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft,
                           const int32_t *order);
/* What it consists of: all before the first step, a step, and all behind the last; commas stand
 * between the steps. */
void sw__workflow_put_head(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft);
void sw__workflow_put_step(sw__buf *buf, const sw_workflow *workflow, const sw_workflow_step *step,
                           const sw__draft_step *draft);
void sw__workflow_put_tail(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft);

/* A definition with one reference from a draft without errors, its order and its dependencies.
 * Copies all it needs. errors: SW_ENOMEM. */
int sw__workflow_build(const sw_env *env, const sw__draft *draft, const int32_t *order,
                       const sw__graph *graph, sw_workflow **out, sw_error *err);

/* An empty definition with one reference; NULL when there is no memory. */
sw_workflow *sw__workflow_new(const sw_env *env);
/* What does not concern the steps. 0 or SW_ENOMEM; a failed copy of a text shows in the arena. */
int sw__workflow_set_head(sw_workflow *workflow, const sw__draft *draft, sw_error *err);
/* A step without its dependencies and level. False when there is no memory for its parameters; a
 * failed copy of a text shows in the arena. */
bool sw__workflow_step_copy(sw__arena *arena, const sw__draft_step *draft, sw_workflow_step *step);
/* Levels and lists of dependencies of all steps, from the graph. 0 or SW_ENOMEM. */
int sw__workflow_set_levels(sw_workflow *workflow, sw__arena *scratch, sw_error *err);
/* The digest, from the JSON. 0 or an error of the hash. */
int sw__workflow_set_digest(sw_workflow *workflow, sw_error *err);

/* Read text that the library wrote a step at a time, in memory that does not grow with the steps
 * beyond what the definition keeps. SW_EDEFINITION, without a message, for whatever is not such
 * text to the last byte: it is read as a whole then. 0, SW_ENOMEM or SW_EDEFINITION. */
int sw__workflow_load_stored(const sw_env *env, sw_str text, sw_workflow **out);

#endif
