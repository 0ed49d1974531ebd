/* sw_result: one arena and one run of rows per kind. The accessors expand from this one list. */
#ifndef SW_BASE_RESULT_H
#define SW_BASE_RESULT_H

#include "base/arena.h"
#include "stepwell.h"

/* XX(NAME, row type, public accessor) */
#define SW__SECTION_MAP(XX)                                                                        \
    XX(FINDINGS, sw_finding, sw_findings)                                                          \
    XX(SUBMISSIONS, sw_task_submitted, sw_task_submissions)                                        \
    XX(TASKS, sw_task_row, sw_tasks)                                                               \
    XX(STEPS, sw_step_row, sw_steps)                                                               \
    XX(APPLICATIONS, sw_step_applied, sw_step_applications)                                        \
    XX(CLAIMS, sw_step_claim, sw_step_claims)                                                      \
    XX(FINISHED, sw_task_finished, sw_tasks_finished)                                              \
    XX(REASONS, sw_step_reason, sw_step_reasons)                                                   \
    XX(OVERRIDES, sw_step_overridden, sw_step_overrides)                                           \
    XX(DEAD_LETTERS, sw_dead_letter, sw_dead_letters)                                              \
    XX(DEAD_GROUPS, sw_dead_group, sw_dead_groups)                                                 \
    XX(BREAKERS, sw_breaker_row, sw_breakers)                                                      \
    XX(READINESS, sw_step_readiness_row, sw_readiness_rows)                                        \
    XX(CONTEXTS, sw_task_context_row, sw_task_contexts)                                            \
    XX(WORKERS, sw_worker_row, sw_workers)                                                         \
    XX(HOLDS, sw_step_hold, sw_step_holds)                                                         \
    XX(ENTRIES, sw_audit_entry, sw_audit_entries)                                                  \
    XX(AUDIT_GROUPS, sw_audit_group, sw_audit_groups)                                              \
    XX(AUDIT_ACTORS, sw_audit_actor, sw_audit_actors)                                              \
    XX(AUDIT_TEXTS, sw_audit_text, sw_audit_texts)                                                 \
    XX(APPENDED, sw_event_appended, sw_events_appended)                                            \
    XX(EVENTS, sw_event, sw_events)                                                                \
    XX(TASKS_PAST, sw_task_past, sw_tasks_past)                                                    \
    XX(STEPS_PAST, sw_step_past, sw_steps_past)                                                    \
    XX(PROJECTIONS, sw_projection, sw_projections)                                                 \
    XX(KEYS, sw_audit_key, sw_audit_keys)                                                          \
    XX(CHECKPOINTS, sw_audit_checkpoint, sw_audit_checkpoints)                                     \
    XX(ANCHORS, sw_audit_anchor, sw_audit_anchors)                                                 \
    XX(PROOFS, sw_audit_proof, sw_audit_proofs)                                                    \
    XX(SHOWN, sw_audit_shown, sw_audit_shown_rows)                                                 \
    XX(TASK_FILES, sw_task_file, sw_task_files)                                                    \
    XX(CONTROL_SUMMARIES, sw_control_summary, sw_control_summaries)                                \
    XX(CONTROL_ROWS, sw_control_row, sw_control_rows)                                              \
    XX(EVIDENCE_ROWS, sw_evidence_row, sw_evidence_rows)                                           \
    XX(CONTROL_SIGNATURES, sw_control_signature, sw_control_signatures)                            \
    XX(PICTURES, sw_picture, sw_pictures)                                                          \
    XX(ANALYSES, sw_analysis, sw_analyses)                                                         \
    XX(KNOTS, sw_knot, sw_knots)                                                                   \
    XX(REACHES, sw_reach, sw_reaches)                                                              \
    XX(EDGES, sw_graph_edge, sw_graph_edges)                                                       \
    XX(MAKESPANS, sw_makespan, sw_makespans)                                                       \
    XX(SLOTS, sw_graph_slot, sw_graph_slots)                                                       \
    XX(CHANGES, sw_change, sw_changes)                                                             \
    XX(FORECASTS, sw_forecast, sw_forecasts)                                                       \
    XX(FORECAST_STEPS, sw_forecast_step, sw_forecast_steps)                                        \
    XX(DURATIONS, sw_step_duration, sw_step_durations)

typedef enum sw__section {
#define SW__SECTION_VALUE(name, type, accessor) SW__##name,
    SW__SECTION_MAP(SW__SECTION_VALUE)
#undef SW__SECTION_VALUE
        SW__SECTION_COUNT
} sw__section;

struct sw_result {
    sw__arena *arena;
    struct {
        const void *rows;
        size_t count;
    } sections[SW__SECTION_COUNT];
    void *held; /* what rows point into besides the arena */
    void (*release)(void *held);
};

/* A result with its own arena (result->arena); NULL when there is no memory. */
sw_result *sw__result_new(const sw_env *env);
void sw__result_set(sw_result *result, sw__section section, const void *rows, size_t count);
/* Rows point into something that is shared, and released with the result; one thing at most. */
void sw__result_hold(sw_result *result, void *held, void (*release)(void *held));

#endif
