/* Loading of the extension: modules, classes and constants.
 *
 * Not here: any method; each subject defines its own. Loading starts no thread and opens nothing.
 */
#include "rsw.h"

VALUE rsw_mStepwell;

RUBY_FUNC_EXPORTED void Init_stepwell(void);

void Init_stepwell(void)
{
    /* Globals of this extension are written here and never again, so Ractors may share them; the
     * count of forks changes in a child that has one thread. */
    rb_ext_ractor_safe(true);

    rsw_mStepwell = rb_define_module("Stepwell");
    rb_gc_register_mark_object(rsw_mStepwell);
    rb_define_const(rsw_mStepwell, "CORE_VERSION",
                    rb_obj_freeze(rb_utf8_str_new_cstr(sw_version())));

    rsw_error_init();
    rsw_symbol_init();
    rsw_row_init();
    rsw_engine_init();
    rsw_workflow_init();
    rsw_task_init();
    rsw_step_init();
    rsw_ops_init();
    rsw_dead_init();
    rsw_breaker_init();
    rsw_erase_init();
    rsw_tasker_init();
    rsw_worker_init();
    rsw_audit_init();
    rsw_search_init();
    rsw_event_init();
    rsw_projection_init();
    rsw_checkpoint_init();
    rsw_signing_init();
    rsw_anchor_init();
    rsw_proof_init();
    rsw_task_file_init();
    rsw_control_init();
    rsw_graph_init();
    rsw_forecast_init();
    rsw_picture_init();
}
