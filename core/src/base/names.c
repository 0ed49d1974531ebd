/* Names of enum values and back, expanded from the lists in the public headers, and the version.
 *
 * Not here: error codes (error.c), and what the states mean (model).
 */
#include "base/str.h"
#include "stepwell.h"

const char *sw_version(void)
{
    return SW_VERSION;
}

#define SW__NAME_CASE(name, value, text)                                                           \
    case value:                                                                                    \
        return text;
#define SW__NAME_FUNCTION(function, LIST)                                                          \
    const char *function(int number)                                                               \
    {                                                                                              \
        switch (number) {                                                                          \
            LIST(SW__NAME_CASE)                                                                    \
        default:                                                                                   \
            return "unknown";                                                                      \
        }                                                                                          \
    }

#define SW__FIND_CASE(name, value, word)                                                           \
    if (sw__str_is(text, word))                                                                    \
        return value;
#define SW__FIND_FUNCTION(function, LIST)                                                          \
    int function(sw_str text)                                                                      \
    {                                                                                              \
        LIST(SW__FIND_CASE)                                                                        \
        return SW_ENOTFOUND;                                                                       \
    }

SW__NAME_FUNCTION(sw_step_state_name, SW_STEP_STATE_MAP)
SW__NAME_FUNCTION(sw_task_state_name, SW_TASK_STATE_MAP)
SW__NAME_FUNCTION(sw_durability_name, SW_DURABILITY_MAP)
SW__NAME_FUNCTION(sw_on_failure_name, SW_ON_FAILURE_MAP)
SW__NAME_FUNCTION(sw_trigger_name, SW_TRIGGER_MAP)
SW__NAME_FUNCTION(sw_backoff_name, SW_BACKOFF_MAP)
SW__NAME_FUNCTION(sw_outcome_name, SW_OUTCOME_MAP)
SW__NAME_FUNCTION(sw_row_status_name, SW_ROW_STATUS_MAP)
SW__NAME_FUNCTION(sw_reason_name, SW_REASON_MAP)
SW__NAME_FUNCTION(sw_execution_status_name, SW_EXECUTION_STATUS_MAP)
SW__NAME_FUNCTION(sw_recommended_action_name, SW_RECOMMENDED_ACTION_MAP)
SW__NAME_FUNCTION(sw_health_status_name, SW_HEALTH_STATUS_MAP)
SW__NAME_FUNCTION(sw_batch_mode_name, SW_BATCH_MODE_MAP)
SW__NAME_FUNCTION(sw_tasker_state_name, SW_TASKER_STATE_MAP)
SW__NAME_FUNCTION(sw_tasker_rule_name, SW_TASKER_RULE_MAP)
SW__NAME_FUNCTION(sw_breaker_state_name, SW_BREAKER_STATE_MAP)
SW__NAME_FUNCTION(sw_audit_kind_name, SW_AUDIT_KIND_MAP)
SW__NAME_FUNCTION(sw_audit_level_name, SW_AUDIT_LEVEL_MAP)
SW__NAME_FUNCTION(sw_append_status_name, SW_APPEND_STATUS_MAP)
SW__NAME_FUNCTION(sw_audit_format_name, SW_AUDIT_FORMAT_MAP)
SW__NAME_FUNCTION(sw_standard_name, SW_STANDARD_MAP)
SW__NAME_FUNCTION(sw_evidence_name, SW_EVIDENCE_MAP)
SW__NAME_FUNCTION(sw_answer_name, SW_ANSWER_MAP)
SW__NAME_FUNCTION(sw_control_format_name, SW_CONTROL_FORMAT_MAP)
SW__NAME_FUNCTION(sw_log_level_name, SW_LOG_LEVEL_MAP)
SW__NAME_FUNCTION(sw_picture_format_name, SW_PICTURE_FORMAT_MAP)
SW__NAME_FUNCTION(sw_analysis_part_name, SW_ANALYSIS_PART_MAP)
SW__NAME_FUNCTION(sw_cut_reason_name, SW_CUT_REASON_MAP)
SW__NAME_FUNCTION(sw_change_kind_name, SW_CHANGE_KIND_MAP)
SW__NAME_FUNCTION(sw_change_field_name, SW_CHANGE_FIELD_MAP)
SW__NAME_FUNCTION(sw_forecast_kind_name, SW_FORECAST_KIND_MAP)
SW__NAME_FUNCTION(sw_duration_source_name, SW_DURATION_SOURCE_MAP)

SW__FIND_FUNCTION(sw_step_state_find, SW_STEP_STATE_MAP)
SW__FIND_FUNCTION(sw_task_state_find, SW_TASK_STATE_MAP)
SW__FIND_FUNCTION(sw_durability_find, SW_DURABILITY_MAP)
SW__FIND_FUNCTION(sw_outcome_find, SW_OUTCOME_MAP)
SW__FIND_FUNCTION(sw_picture_format_find, SW_PICTURE_FORMAT_MAP)
SW__FIND_FUNCTION(sw_analysis_part_find, SW_ANALYSIS_PART_MAP)
SW__FIND_FUNCTION(sw_batch_mode_find, SW_BATCH_MODE_MAP)
SW__FIND_FUNCTION(sw_tasker_state_find, SW_TASKER_STATE_MAP)
SW__FIND_FUNCTION(sw_tasker_rule_find, SW_TASKER_RULE_MAP)
SW__FIND_FUNCTION(sw_breaker_state_find, SW_BREAKER_STATE_MAP)
SW__FIND_FUNCTION(sw_audit_kind_find, SW_AUDIT_KIND_MAP)
SW__FIND_FUNCTION(sw_audit_format_find, SW_AUDIT_FORMAT_MAP)
SW__FIND_FUNCTION(sw_standard_find, SW_STANDARD_MAP)
SW__FIND_FUNCTION(sw_control_format_find, SW_CONTROL_FORMAT_MAP)
SW__FIND_FUNCTION(sw_forecast_kind_find, SW_FORECAST_KIND_MAP)

#undef SW__NAME_CASE
#undef SW__NAME_FUNCTION
#undef SW__FIND_CASE
#undef SW__FIND_FUNCTION
