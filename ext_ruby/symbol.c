/* Names of states, outcomes, reasons and kinds as Ruby symbols, and back.
 *
 * The symbols are made once from the names the core gives, which come from the X-macros of the
 * public header; the lists also become constants of Stepwell.
 */
#include "rsw.h"

static VALUE step_states[SW_STEP_STATE_COUNT];
static VALUE task_states[SW_TASK_STATE_COUNT];
static VALUE durabilities[SW_DURABILITY_COUNT];
static VALUE outcomes[SW_OUTCOME_COUNT];
static VALUE row_statuses[SW_ROW_STATUS_COUNT];
static VALUE reasons[SW_REASON_COUNT];
static VALUE execution_statuses[SW_EXECUTION_STATUS_COUNT];
static VALUE recommended_actions[SW_RECOMMENDED_ACTION_COUNT];
static VALUE health_statuses[SW_HEALTH_STATUS_COUNT];
static VALUE batch_modes[SW_BATCH_MODE_COUNT];
static VALUE audit_kinds[SW_AUDIT_KIND_COUNT + 1]; /* numbered from 1 */
static VALUE audit_levels[SW_AUDIT_LEVEL_COUNT];
static VALUE append_statuses[SW_APPEND_STATUS_COUNT];
static VALUE duration_sources[SW_DURATION_SOURCE_COUNT];
static VALUE breaker_states[SW_BREAKER_STATE_COUNT];

static VALUE symbol_at(const VALUE *symbols, int count, int number)
{
    return number >= 0 && number < count ? symbols[number] : Qnil;
}

VALUE rsw_step_state(int state)
{
    return symbol_at(step_states, SW_STEP_STATE_COUNT, state);
}

VALUE rsw_task_state(int state)
{
    return symbol_at(task_states, SW_TASK_STATE_COUNT, state);
}

VALUE rsw_row_status(int status)
{
    return symbol_at(row_statuses, SW_ROW_STATUS_COUNT, status);
}

VALUE rsw_reason(int reason)
{
    return symbol_at(reasons, SW_REASON_COUNT, reason);
}

VALUE rsw_durability(int durability)
{
    return symbol_at(durabilities, SW_DURABILITY_COUNT, durability);
}

VALUE rsw_audit_kind(int kind)
{
    return symbol_at(audit_kinds, SW_AUDIT_KIND_COUNT + 1, kind);
}

VALUE rsw_audit_level(int level)
{
    return symbol_at(audit_levels, SW_AUDIT_LEVEL_COUNT, level);
}

VALUE rsw_append_status(int status)
{
    return symbol_at(append_statuses, SW_APPEND_STATUS_COUNT, status);
}

VALUE rsw_execution_status(int status)
{
    return symbol_at(execution_statuses, SW_EXECUTION_STATUS_COUNT, status);
}

VALUE rsw_recommended_action(int action)
{
    return symbol_at(recommended_actions, SW_RECOMMENDED_ACTION_COUNT, action);
}

VALUE rsw_health_status(int status)
{
    return symbol_at(health_statuses, SW_HEALTH_STATUS_COUNT, status);
}

VALUE rsw_duration_source(int source)
{
    return symbol_at(duration_sources, SW_DURATION_SOURCE_COUNT, source);
}

VALUE rsw_breaker_state(int state)
{
    return symbol_at(breaker_states, SW_BREAKER_STATE_COUNT, state);
}

int32_t rsw_outcome(VALUE value, int64_t row)
{
    if (!SYMBOL_P(value))
        return rsw_int32(value, row, "outcome");
    for (int32_t i = 0; i < SW_OUTCOME_COUNT; i++) {
        if (outcomes[i] == value)
            return i;
    }
    rsw_error_fail(SW_EINVAL, row, "\"%s\" is no outcome; expected one of Stepwell::OUTCOMES",
                   RSTRING_PTR(rb_sym2str(value)));
}

int32_t rsw_name_find(VALUE value, int (*find)(sw_str), const char *what)
{
    return rsw_name_find_row(value, -1, find, what);
}

int32_t rsw_name_find_row(VALUE value, int64_t row, int (*find)(sw_str), const char *what)
{
    VALUE name = SYMBOL_P(value) ? rb_sym2str(value) : value;
    sw_str text;
    int number;

    if (!RB_TYPE_P(name, T_STRING))
        rsw_error_type(value, row, what, "a Symbol");
    text = rsw_text(&name, what);
    number = find(text);
    if (number < 0)
        rsw_error_fail(SW_EINVAL, row, "\"%.*s\" is no %s", (int)(text.len < 100 ? text.len : 100),
                       text.ptr, what);
    RB_GC_GUARD(name);
    return number;
}

/* Symbols made by rb_intern live for ever, so the tables need no marking. */
static void symbols_fill(VALUE *symbols, int first, int count, const char *(*name)(int),
                         const char *constant)
{
    VALUE all = rb_ary_new();

    symbols[0] = Qnil;
    for (int i = first; i < count; i++) {
        symbols[i] = ID2SYM(rb_intern(name(i)));
        rb_ary_push(all, symbols[i]);
    }
    rb_define_const(rsw_mStepwell, constant, rb_obj_freeze(all));
}

/* [[from, to, by], ...] of the one transition table. */
static VALUE transitions_new(void)
{
    static const char *const by[] = {"engine", "worker", "operator"};
    VALUE all = rb_ary_new();
    size_t count;
    const sw_transition *table = sw_step_transitions(&count);

    for (size_t i = 0; i < count; i++) {
        VALUE row =
            rb_ary_new_from_args(3, rsw_step_state(table[i].from), rsw_step_state(table[i].to),
                                 ID2SYM(rb_intern(by[table[i].by])));
        rb_ary_push(all, rb_obj_freeze(row));
    }
    return rb_obj_freeze(all);
}

void rsw_symbol_init(void)
{
    size_t count;
    const sw_str *kinds = sw_runner_kinds(&count);

    symbols_fill(step_states, 0, SW_STEP_STATE_COUNT, sw_step_state_name, "STEP_STATES");
    symbols_fill(task_states, 0, SW_TASK_STATE_COUNT, sw_task_state_name, "TASK_STATES");
    symbols_fill(durabilities, 0, SW_DURABILITY_COUNT, sw_durability_name, "DURABILITIES");
    symbols_fill(outcomes, 0, SW_OUTCOME_COUNT, sw_outcome_name, "OUTCOMES");
    symbols_fill(row_statuses, 0, SW_ROW_STATUS_COUNT, sw_row_status_name, "ROW_STATUSES");
    symbols_fill(reasons, 0, SW_REASON_COUNT, sw_reason_name, "REASONS");
    symbols_fill(execution_statuses, 0, SW_EXECUTION_STATUS_COUNT, sw_execution_status_name,
                 "EXECUTION_STATUSES");
    symbols_fill(recommended_actions, 0, SW_RECOMMENDED_ACTION_COUNT, sw_recommended_action_name,
                 "RECOMMENDED_ACTIONS");
    symbols_fill(health_statuses, 0, SW_HEALTH_STATUS_COUNT, sw_health_status_name,
                 "HEALTH_STATUSES");
    symbols_fill(batch_modes, 0, SW_BATCH_MODE_COUNT, sw_batch_mode_name, "BATCH_MODES");
    symbols_fill(audit_kinds, 1, SW_AUDIT_KIND_COUNT + 1, sw_audit_kind_name, "AUDIT_KINDS");
    symbols_fill(audit_levels, 0, SW_AUDIT_LEVEL_COUNT, sw_audit_level_name, "AUDIT_LEVELS");
    symbols_fill(append_statuses, 0, SW_APPEND_STATUS_COUNT, sw_append_status_name,
                 "APPEND_STATUSES");
    symbols_fill(duration_sources, 0, SW_DURATION_SOURCE_COUNT, sw_duration_source_name,
                 "DURATION_SOURCES");
    symbols_fill(breaker_states, 0, SW_BREAKER_STATE_COUNT, sw_breaker_state_name,
                 "BREAKER_STATES");
    rb_define_const(rsw_mStepwell, "STEP_TRANSITIONS", transitions_new());
    rb_define_const(rsw_mStepwell, "KINDS", rsw_strs(kinds, count));
}
