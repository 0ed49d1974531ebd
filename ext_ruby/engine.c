/* Stepwell::Engine: opening, closing, waking and describing an engine, and its life in Ruby.
 *
 * The handle counts the calls that are inside the core, so that closing waits for them. An engine
 * belongs to the process that opened it; in a forked child the core refuses every call, and freeing
 * the handle gives up memory only.
 */
#include "rsw.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

VALUE rsw_cEngine;

static void engine_dfree(void *data)
{
    rsw_engine *handle = data;

    sw_engine_close(handle->engine);
    xfree(handle);
}

static size_t engine_dsize(const void *data)
{
    return sizeof(*(const rsw_engine *)data);
}

/* No VALUE inside, so there is nothing to mark and no write barrier to miss. */
static const rb_data_type_t engine_type = {
    .wrap_struct_name = "Stepwell::Engine",
    .function = {.dmark = NULL, .dfree = engine_dfree, .dsize = engine_dsize},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE engine_allocate(VALUE class)
{
    rsw_engine *handle;

    return TypedData_Make_Struct(class, rsw_engine, &engine_type, handle);
}

bool rsw_engine_closed(const rsw_engine *handle)
{
    return __atomic_load_n(&handle->closed, __ATOMIC_SEQ_CST) != 0;
}

rsw_engine *rsw_engine_get(VALUE self)
{
    rsw_engine *handle = rb_check_typeddata(self, &engine_type);

    if (!handle->engine || rsw_engine_closed(handle))
        rsw_error_fail(SW_ECLOSED, -1, "%s", sw_code_text(SW_ECLOSED));
    return handle;
}

void rsw_engine_place(VALUE self, sw_engine *engine)
{
    rsw_engine *handle = rb_check_typeddata(self, &engine_type);

    handle->owner = getpid();
    handle->engine = engine;
}

/* ---- open ---- */

typedef struct open_call {
    rsw_call call;
    sw_engine_options options;
    sw_engine *engine;
} open_call;

static int open_run(rsw_call *call)
{
    open_call *opening = (open_call *)call;

    return sw_engine_open(&opening->options, &opening->engine, &call->error);
}

static void open_options(sw_engine_options *options, VALUE keywords)
{
    static const char *const names[] = {"durability", "busy_timeout_ms", "payload_max",
                                        "must_exist"};
    ID ids[4];
    VALUE values[4];

    for (int i = 0; i < 4; i++)
        ids[i] = rb_intern(names[i]);
    rb_get_kwargs(keywords, ids, 0, 4, values);
    if (values[0] != Qundef)
        options->durability = rsw_name_find(values[0], sw_durability_find, "durability");
    if (values[1] != Qundef && !NIL_P(values[1]))
        options->busy_timeout_ms = rsw_int64(values[1], -1, "busy_timeout_ms");
    if (values[2] != Qundef && !NIL_P(values[2]))
        options->payload_max = rsw_int64(values[2], -1, "payload_max");
    if (values[3] != Qundef)
        options->must_exist = rsw_bool(values[3], "must_exist");
}

static VALUE engine_initialize(int argc, VALUE *argv, VALUE self)
{
    rsw_engine *handle = rb_check_typeddata(self, &engine_type);
    open_call opening = {.call = {.handle = handle, .run = open_run},
                         .options = SW_ENGINE_OPTIONS_INIT};
    VALUE store, keywords;

    rb_scan_args(argc, argv, "1:", &store, &keywords);
    if (handle->owner != 0)
        rsw_error_fail(SW_ESTATE, -1, "this engine has been opened before");
    if (!RB_TYPE_P(store, T_STRING))
        rsw_error_type(store, -1, "store", "a String");
    if (!NIL_P(keywords))
        open_options(&opening.options, keywords);
    opening.options.store = rsw_text(&store, "store");
    if (memchr(opening.options.store.ptr, '\0', opening.options.store.len))
        rsw_error_fail(SW_EINVAL, -1, "store contains a zero byte");

    handle->owner = getpid();
    rsw_call_run(&opening.call);
    RB_GC_GUARD(store);
    if (opening.call.code < 0) {
        handle->owner = 0;
        rsw_error_raise(&opening.call.error);
    }
    handle->engine = opening.engine;
    return self;
}

/* ---- close ---- */

typedef struct close_call {
    rsw_call call; /* its handle is idle: the engine counts as gone for everybody else */
    rsw_engine idle;
    rsw_engine *handle;
    sw_engine *engine;
} close_call;

static int close_run(rsw_call *call)
{
    sw_engine_close(((close_call *)call)->engine);
    return SW_OK;
}

static VALUE close_body(VALUE data)
{
    rsw_call_run(&((close_call *)data)->call);
    return Qnil;
}

/* An interrupt before the core was called leaves the engine to the next close. */
static VALUE close_ensure(VALUE data)
{
    close_call *closing = (close_call *)data;

    if (!closing->call.ran)
        closing->handle->engine = closing->engine;
    return Qnil;
}

/* Wait until no thread of this process is inside the core. */
static void engine_drain(rsw_engine *handle)
{
    static const struct timeval pause = {.tv_usec = 1000};

    while (handle->users > 0 && handle->owner == getpid()) {
        sw_engine_wake(handle->engine);
        rb_thread_wait_for(pause);
    }
}

static VALUE engine_close(VALUE self)
{
    rsw_engine *handle = rb_check_typeddata(self, &engine_type);
    close_call closing = {.call = {.run = close_run}, .handle = handle};

    if (!handle->engine)
        return Qnil;
    /* Waiting for it could be waiting for oneself. */
    if (handle->signing > 0 && handle->owner == getpid())
        rsw_error_fail(SW_ESTATE, -1, "an application is signing for this engine");
    __atomic_store_n(&handle->closed, 1, __ATOMIC_SEQ_CST);
    engine_drain(handle);
    if (!handle->engine)
        return Qnil; /* another thread closed it in the meantime */
    closing.call.handle = &closing.idle;
    closing.engine = handle->engine;
    handle->engine = NULL;
    rb_ensure(close_body, (VALUE)&closing, close_ensure, (VALUE)&closing);
    RB_GC_GUARD(self);
    return Qnil;
}

static VALUE engine_closed_p(VALUE self)
{
    const rsw_engine *handle = rb_check_typeddata(self, &engine_type);

    return handle->engine && !rsw_engine_closed(handle) ? Qfalse : Qtrue;
}

/* ---- info, wake ---- */

typedef struct info_call {
    rsw_call call;
    sw_engine_info info;
} info_call;

static int info_run(rsw_call *call)
{
    return sw_engine_info_get(call->handle->engine, &((info_call *)call)->info, &call->error);
}

static VALUE engine_info(VALUE self)
{
    info_call info = {.call = {.handle = rsw_engine_get(self), .run = info_run},
                      .info = SW_ENGINE_INFO_INIT};

    rsw_call_finish(&info.call, NULL);
    RB_GC_GUARD(self);
    return rsw_row_new(RSW_INFO, 4,
                       (VALUE[]){rsw_durability(info.info.durability),
                                 INT2NUM(info.info.schema_version),
                                 info.info.sqlite ? Qtrue : Qfalse, LL2NUM(info.info.now_us)});
}

static VALUE engine_wake(VALUE self)
{
    sw_engine_wake(rsw_engine_get(self)->engine);
    return Qnil;
}

/* ---- forks ---- */

static unsigned engine_forks; /* that this process has behind it */

static void engine_fork_bump(void)
{
    engine_forks++;
}

/* Engine.fork_count: what a handler came back in, a child or the process that called it, without
 * the system call that Process.pid is. */
static VALUE engine_fork_count(VALUE class)
{
    (void)class;
    return UINT2NUM(engine_forks);
}

void rsw_engine_init(void)
{
    if (pthread_atfork(NULL, NULL, engine_fork_bump) != 0)
        rb_memerror();
    rsw_cEngine = rb_define_class_under(rsw_mStepwell, "Engine", rb_cObject);
    rb_gc_register_mark_object(rsw_cEngine);
    rb_define_alloc_func(rsw_cEngine, engine_allocate);
    rb_define_method(rsw_cEngine, "initialize", engine_initialize, -1);
    rb_undef_method(rsw_cEngine, "initialize_copy");
    rb_define_method(rsw_cEngine, "close", engine_close, 0);
    rb_define_method(rsw_cEngine, "closed?", engine_closed_p, 0);
    rb_define_method(rsw_cEngine, "info", engine_info, 0);
    rb_define_method(rsw_cEngine, "wake", engine_wake, 0);
    rb_define_singleton_method(rsw_cEngine, "fork_count", engine_fork_count, 0);
}
