/* Calls into the core: the one place that releases the GVL, and what an interrupt does there.
 *
 * The GVL is released for functions whose header tag says that they block, once per call. Pending
 * interrupts are served before the core runs, never between its answer and the caller, so that
 * an answer with claimed steps cannot get lost.
 */
#include "rsw.h"

#include <ruby/thread.h>

int64_t rsw_clock_us(void)
{
    const sw_env *env = sw_env_system();

    return env->clock_mono_us(env->context);
}

static void *call_invoke(void *data)
{
    rsw_call *call = data;

    call->ran = true;
    call->code = call->run(call);
    return NULL;
}

/* Called by another thread, or by the same one when a signal arrives. */
static void call_interrupt(void *data)
{
    rsw_call *call = data;

    __atomic_store_n(&call->interrupted, 1, __ATOMIC_SEQ_CST);
    sw_engine_wake(call->handle->engine);
}

/* While Ruby makes ready for an interrupt another can come, which has nobody to raise: under
 * GC.stress for ever. After so many of them the call runs for one slice that none can end. */
enum { CALL_TRIES = 3 };

void rsw_call_run(rsw_call *call)
{
    call->ran = false;
    call->interrupted = 0;
    for (int try = 0;; try++) {
        bool wakes = call->waits && try < CALL_TRIES;

        if (call->handle)
            call->handle->users++;
        if (try == CALL_TRIES)
            call->interrupted = 1;
        rb_nogvl(call_invoke, call, wakes ? call_interrupt : NULL, call, RB_NOGVL_INTR_FAIL);
        if (call->handle)
            call->handle->users--;
        if (call->ran)
            return;
        rb_thread_check_ints();
        if (call->handle && rsw_engine_closed(call->handle))
            rsw_error_fail(SW_ECLOSED, -1, "%s", sw_code_text(SW_ECLOSED));
    }
}

VALUE rsw_call_free(VALUE data)
{
    rsw_call *call = (rsw_call *)data;

    sw_result_free(call->result);
    call->result = NULL;
    return Qnil;
}

VALUE rsw_call_answer(rsw_call *call, VALUE (*convert)(VALUE call))
{
    if (call->code < 0) {
        rsw_call_free((VALUE)call);
        rsw_error_raise(&call->error);
    }
    if (!convert)
        return Qnil;
    return rb_ensure(convert, (VALUE)call, rsw_call_free, (VALUE)call);
}

VALUE rsw_call_finish(rsw_call *call, VALUE (*convert)(VALUE call))
{
    rsw_call_run(call);
    return rsw_call_answer(call, convert);
}
