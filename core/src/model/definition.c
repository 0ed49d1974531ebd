/* Reading Stepwell's own form of a definition. The tables below are all its keys
 * (docs/reference/workflow-file.md explains them).
 *
 * Not here: rules between values (check.c) and the canonical text (canonical.c).
 */
#include "base/limits.h"
#include "base/str.h"
#include "model/draft.h"
#include "model/fields.h"
#include "model/trigger.h"

typedef struct definition {
    sw__draft draft;
    int64_t form;
    sw_str schema;
    int32_t on_failure; /* of steps that do not say */
} definition;

#define DEFINITION_FIELD(name, field_kind, field)                                                  \
    .key = name, .kind = SW__FIELD_##field_kind, .offset = offsetof(definition, field)

static const sw__field definition_fields[] = {
    {DEFINITION_FIELD("stepwell", INTEGER, form), .min = 1, .max = 1, .required = true},
    {DEFINITION_FIELD("$schema", TEXT, schema)},
    {DEFINITION_FIELD("name", NAME, draft.name), .required = true},
    {DEFINITION_FIELD("title", LINE, draft.title), .max = SW__TEXT_MAX},
    {DEFINITION_FIELD("version", LINE, draft.version), .max = SW__NAME_MAX},
    {DEFINITION_FIELD("description", TEXT, draft.description)},
    {DEFINITION_FIELD("input_schema", MAP, draft.input_schema)},
    {DEFINITION_FIELD("metadata", MAP, draft.metadata)},
    {DEFINITION_FIELD("max_parallel", INTEGER, draft.max_parallel), .max = SW__STEPS_MAX},
    {DEFINITION_FIELD("deadline_ms", INTEGER, draft.deadline_ms), .max = SW__DELAY_MAX_MS},
    {DEFINITION_FIELD("on_failure", CHOICE, on_failure), .max = SW_ON_FAILURE_COUNT,
     .choice = sw_on_failure_name},
    {DEFINITION_FIELD("breakers", MAP, draft.breakers_node)},
    {DEFINITION_FIELD("steps", LIST, draft.list), .required = true},
};

#undef DEFINITION_FIELD
#define STEP_FIELD(name, field_kind, field)                                                        \
    .key = name, .kind = SW__FIELD_##field_kind, .offset = offsetof(sw__draft_step, field)

static const sw__field definition_step_fields[] = {
    {STEP_FIELD("name", NAME, name), .required = true},
    {STEP_FIELD("title", LINE, title), .max = SW__TEXT_MAX},
    {STEP_FIELD("description", TEXT, description)},
    {STEP_FIELD("handler", NAME, handler)},
    {STEP_FIELD("queue", NAME, queue)},
    {STEP_FIELD("breaker", NAME, breaker)},
    {STEP_FIELD("priority", INTEGER, priority), .min = INT16_MIN, .max = INT16_MAX},
    {STEP_FIELD("after", LIST, after)},
    {STEP_FIELD("trigger", ANY, trigger_node)},
    {STEP_FIELD("timeout_ms", INTEGER, timeout_ms), .max = SW__DELAY_MAX_MS},
    {STEP_FIELD("heartbeat_ms", INTEGER, heartbeat_ms), .max = SW__DELAY_MAX_MS},
    {STEP_FIELD("deadline_ms", INTEGER, deadline_ms), .max = SW__DELAY_MAX_MS},
    {STEP_FIELD("on_failure", CHOICE, on_failure), .max = SW_ON_FAILURE_COUNT,
     .choice = sw_on_failure_name},
    {STEP_FIELD("parameters", MAP, parameters)},
    {STEP_FIELD("metadata", MAP, metadata)},
    {STEP_FIELD("retry", MAP, retry)},
};

static const sw__field definition_retry_fields[] = {
    {STEP_FIELD("max_attempts", INTEGER, max_attempts), .min = 1, .max = SW__ATTEMPTS_MAX},
    {STEP_FIELD("max_crashes", INTEGER, max_crashes), .max = SW__ATTEMPTS_MAX},
    {STEP_FIELD("backoff", CHOICE, backoff), .max = SW_BACKOFF_COUNT, .choice = sw_backoff_name},
    {STEP_FIELD("base_ms", INTEGER, backoff_base_ms), .max = SW__DELAY_MAX_MS},
    {STEP_FIELD("max_ms", INTEGER, backoff_max_ms), .max = SW__DELAY_MAX_MS},
    {STEP_FIELD("jitter", NUMBER, backoff_jitter), .max = 1},
};

#undef STEP_FIELD

_Static_assert(SW__FIELD_COUNT(definition_fields) <= SW__FIELDS_MAX, "");
_Static_assert(SW__FIELD_COUNT(definition_step_fields) <= SW__FIELDS_MAX, "");

void sw__definition_read_step(sw__findings *findings, const sw__path *path, sw__draft_step *step)
{
    if (!sw__node_expect(findings, path, step->node, SW__NODE_MAP))
        return;
    sw__fields_read(findings, path, step->node, definition_step_fields,
                    SW__FIELD_COUNT(definition_step_fields), step);
    step->name_node = sw__node_get(step->node, "name");
    step->handler_node = sw__node_get(step->node, "handler");
    sw__trigger_read(findings, path, step);
    if (!step->retry)
        return;
    sw__path at = {.up = path, .key = SW__LIT("retry")};
    sw__fields_read(findings, &at, step->retry, definition_retry_fields,
                    SW__FIELD_COUNT(definition_retry_fields), step);
}

bool sw__definition_read(sw__findings *findings, sw__arena *arena, const sw__node *root,
                         sw__draft *draft)
{
    definition own = {.draft = {.version = SW__LIT(""),
                                .after_key = "after",
                                .handler_key = "handler",
                                .heartbeat_key = "heartbeat_ms",
                                .retry_max_key = "max_ms"}};
    sw__fields_read(findings, NULL, root, definition_fields, SW__FIELD_COUNT(definition_fields),
                    &own);
    *draft = own.draft;
    if (!sw__draft_steps(findings, draft, arena))
        return false;
    sw__path steps = {.key = SW__LIT("steps")};
    for (size_t i = 0; i < draft->step_count; i++) {
        sw__path at = {.up = &steps, .index = i};
        draft->steps[i].on_failure = own.on_failure;
        sw__definition_read_step(findings, &at, &draft->steps[i]);
    }
    return true;
}
