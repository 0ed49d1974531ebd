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
SW__NAME_FUNCTION(sw_audit_kind_name, SW_AUDIT_KIND_MAP)
SW__NAME_FUNCTION(sw_log_level_name, SW_LOG_LEVEL_MAP)

SW__FIND_FUNCTION(sw_step_state_find, SW_STEP_STATE_MAP)
SW__FIND_FUNCTION(sw_task_state_find, SW_TASK_STATE_MAP)
SW__FIND_FUNCTION(sw_durability_find, SW_DURABILITY_MAP)
SW__FIND_FUNCTION(sw_outcome_find, SW_OUTCOME_MAP)

#undef SW__NAME_CASE
#undef SW__NAME_FUNCTION
#undef SW__FIND_CASE
#undef SW__FIND_FUNCTION
