/* From a checked draft to a definition. */
#ifndef SW_MODEL_BUILD_H
#define SW_MODEL_BUILD_H

#include "base/buf.h"
#include "model/draft.h"
#include "model/workflow.h"

/* Append the canonical JSON of workflow; what its struct does not keep comes from the draft, whose
 * steps order[] puts into the order of the workflow's. */
void sw__workflow_put_json(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft,
                           const int32_t *order);

/* A definition with one reference from a draft without errors, its order and its dependencies.
 * Copies all it needs. errors: SW_ENOMEM. */
int sw__workflow_build(const sw_env *env, const sw__draft *draft, const int32_t *order,
                       const sw__graph *graph, sw_workflow **out, sw_error *err);

#endif
