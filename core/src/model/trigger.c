/* Trigger rules: reading them, and their table of effects.
 *
 * Not here: the counting (engine/settle.c), and that a quorum fits its dependencies (check.c).
 */
#include "model/trigger.h"

#include "base/limits.h"
#include "base/plant.h"
#include "base/str.h"
#include "model/fields.h"

/* Reading. */

static const sw__field trigger_fields[] = {
    {.key = "quorum",
     .kind = SW__FIELD_INTEGER,
     .offset = offsetof(sw__draft_step, quorum),
     .min = 1,
     .max = SW__STEP_DEPS_MAX,
     .required = true},
};

/* The rules that are written as a name alone come first in the list. */
static const sw__field trigger_names = {.max = SW_TRIGGER_QUORUM, .choice = sw_trigger_name};

void sw__trigger_read(sw__findings *findings, const sw__path *path, sw__draft_step *step)
{
    const sw__node *node = step->trigger_node;
    sw__path at = {.up = path, .key = SW__LIT("trigger")};
    if (!node)
        return;
    if (node->kind == SW__NODE_MAP) {
        step->trigger = SW_TRIGGER_QUORUM;
        sw__fields_read(findings, &at, node, trigger_fields, SW__FIELD_COUNT(trigger_fields), step);
    } else if (node->kind != SW__NODE_STR) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "expected the name of a rule or {quorum: number}, found %s",
                        sw__node_kind_name(node->kind));
    } else if (sw__str_is(node->text, sw_trigger_name(SW_TRIGGER_QUORUM))) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "a quorum has a number; write {quorum: number}");
    } else {
        sw__choice_read(findings, &at, node, &trigger_names, &step->trigger);
    }
}

/* Effects. */

static sw__trigger_end trigger_failure(const sw_workflow_step *dependency)
{
    switch (dependency->on_failure) {
    case SW_ON_FAILURE_CONTINUE:
        return SW__PLANT(CONTINUE_IGNORED) ? SW__ENDED_HELD : SW__ENDED_PASSED;
    case SW_ON_FAILURE_SKIP_DEPENDENTS:
        return SW__PLANT(SKIP_DEPENDENTS_IGNORED) ? SW__ENDED_HELD : SW__ENDED_FAILED;
    default:
        return SW__ENDED_HELD;
    }
}

sw__trigger_end sw__trigger_end_of(const sw_workflow_step *dependency, int state)
{
    switch (state) {
    case SW_STEP_SUCCEEDED:
    case SW_STEP_RESOLVED:
        return SW__ENDED_SUCCEEDED;
    case SW_STEP_FAILED:
        return trigger_failure(dependency);
    case SW_STEP_SKIPPED:
        return SW__ENDED_SKIPPED;
    case SW_STEP_CANCELLED:
        return SW__ENDED_CANCELLED;
    default:
        return SW__ENDED_NONE;
    }
}

#define OPEN SW__EFFECT_OPEN
#define COUNTS SW__EFFECT_COUNTS
#define LOST SW__EFFECT_LOST

/* docs/reference/workflow-file.md explains this table. */
static const sw__effect trigger_effects[SW_TRIGGER_COUNT][SW__ENDED_COUNT] = {
    /* goes on, succeeded, passed, held, failed, skipped, cancelled */
    [SW_TRIGGER_ALL_SUCCEEDED] = {OPEN, COUNTS, COUNTS, OPEN, LOST, LOST, LOST},
    [SW_TRIGGER_ALL_DONE] = {OPEN, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS, COUNTS},
    [SW_TRIGGER_ANY_SUCCEEDED] = {OPEN, COUNTS, LOST, OPEN, LOST, LOST, LOST},
    [SW_TRIGGER_NONE_FAILED] = {OPEN, COUNTS, COUNTS, OPEN, LOST, COUNTS, LOST},
    [SW_TRIGGER_QUORUM] = {OPEN, COUNTS, LOST, OPEN, LOST, LOST, LOST},
};

#undef OPEN
#undef COUNTS
#undef LOST

sw__effect sw__trigger_effect(const sw_workflow_step *step, const sw_workflow_step *dependency,
                              int state)
{
    int rule = SW__PLANT(TRIGGER_IGNORED) ? SW_TRIGGER_ALL_SUCCEEDED : step->trigger;
    return trigger_effects[rule][sw__trigger_end_of(dependency, state)];
}

unsigned sw__trigger_ends(int rule, sw__effect effect)
{
    unsigned ends = 0;
    for (unsigned end = 0; end < SW__ENDED_COUNT; end++)
        ends |= (unsigned)(trigger_effects[rule][end] == effect) << end;
    return ends;
}

int32_t sw__trigger_needed(const sw_workflow_step *step)
{
    int32_t dependencies = (int32_t)step->after_count;
    switch (step->trigger) {
    case SW_TRIGGER_ANY_SUCCEEDED:
        return dependencies > 0;
    case SW_TRIGGER_QUORUM:
        return step->quorum - SW__PLANT(QUORUM_SHORT);
    default:
        return dependencies;
    }
}

int32_t sw__trigger_spare(const sw_workflow_step *step)
{
    return (int32_t)step->after_count - sw__trigger_needed(step);
}

bool sw__trigger_is_lenient(const sw_workflow_step *step, const sw_workflow_step *dependency)
{
    return step->trigger != SW_TRIGGER_ALL_SUCCEEDED ||
           trigger_failure(dependency) == SW__ENDED_PASSED;
}

void sw__tally_add(sw__tally *tally, sw__effect effect)
{
    tally->counted += effect == SW__EFFECT_COUNTS;
    tally->lost += effect == SW__EFFECT_LOST;
}

bool sw__tally_is_met(sw__tally tally, const sw_workflow_step *step)
{
    return tally.counted >= sw__trigger_needed(step);
}

bool sw__tally_is_void(sw__tally tally, const sw_workflow_step *step)
{
    return tally.lost > sw__trigger_spare(step);
}

bool sw__trigger_is_well(const sw_workflow_step *step, int state)
{
    sw__trigger_end end = sw__trigger_end_of(step, state);
    return end == SW__ENDED_SUCCEEDED || end == SW__ENDED_PASSED || end == SW__ENDED_SKIPPED;
}
