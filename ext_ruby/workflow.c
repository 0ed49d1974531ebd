/* Workflow definitions: load a text, register it, get the newest one of a name.
 *
 * Definitions come as JSON or YAML text; Stepwell::Workflow makes the text from its class. What
 * is wrong with one arrives as DefinitionError#findings.
 */
#include "rsw.h"

typedef struct workflow_call {
    rsw_call call;
    sw_workflow *workflow;
    sw_result *findings;
    sw_str name;
    sw_str version;
} workflow_call;

static VALUE workflow_free(VALUE data)
{
    workflow_call *load = (workflow_call *)data;

    sw_workflow_free(load->workflow);
    sw_result_free(load->findings);
    load->workflow = NULL;
    load->findings = NULL;
    return Qnil;
}

/* ---- findings ---- */

static VALUE finding_element(const void *rows, size_t index)
{
    const sw_finding *finding = (const sw_finding *)rows + index;
    VALUE hash = rb_hash_new();

    rb_hash_aset(hash, ID2SYM(rb_intern("severity")),
                 ID2SYM(finding->severity == SW_SEVERITY_WARNING ? rb_intern("warning")
                                                                 : rb_intern("error")));
    rb_hash_aset(hash, ID2SYM(rb_intern("line")), INT2NUM(finding->line));
    rb_hash_aset(hash, ID2SYM(rb_intern("column")), INT2NUM(finding->column));
    rb_hash_aset(hash, ID2SYM(rb_intern("path")), rsw_str(finding->path));
    rb_hash_aset(hash, ID2SYM(rb_intern("message")), rsw_str(finding->message));
    return rb_obj_freeze(hash);
}

static VALUE findings_new(const sw_result *result)
{
    size_t count = 0;
    const sw_finding *rows = result ? sw_findings(result, &count) : NULL;

    return rsw_array(count, rows, finding_element);
}

/* ---- load ---- */

static VALUE definition_new(const workflow_call *load)
{
    const sw_workflow *workflow = load->workflow;

    return rsw_row_new(
        RSW_DEFINITION, 7,
        (VALUE[]){rsw_str(sw_workflow_name(workflow)), rsw_str(sw_workflow_version(workflow)),
                  rsw_str(sw_workflow_digest(workflow)), rsw_str(sw_workflow_json(workflow)),
                  LL2NUM(sw_workflow_max_parallel(workflow)), findings_new(load->findings),
                  LL2NUM(sw_workflow_deadline_ms(workflow))});
}

typedef struct load_request {
    workflow_call *load;
    sw_workflow_options options;
    VALUE text;
    VALUE source;
} load_request;

static void load_request_read(load_request *request, int argc, VALUE *argv)
{
    ID ids[2];
    VALUE values[2] = {Qundef, Qundef};
    VALUE keywords;

    ids[0] = rb_intern("strict");
    ids[1] = rb_intern("source");
    rb_scan_args(argc, argv, "1:", &request->text, &keywords);
    if (!RB_TYPE_P(request->text, T_STRING))
        rsw_error_type(request->text, -1, "definition", "a String");
    if (!NIL_P(keywords))
        rb_get_kwargs(keywords, ids, 0, 2, values);
    request->options = (sw_workflow_options)SW_WORKFLOW_OPTIONS_INIT;
    request->options.strict = values[0] != Qundef && rsw_bool(values[0], "strict");
    request->source = values[1] == Qundef ? Qnil : values[1];
}

/* Load the text, which no other thread can change: the GVL is held. */
static void workflow_load(load_request *request)
{
    workflow_call *load = request->load;
    sw_str text = rsw_text(&request->text, "definition");
    sw_error error;
    int code;

    request->options.source = rsw_text(&request->source, "source");
    code = sw_workflow_load(&request->options, text, &load->workflow, &load->findings, &error);
    if (code < 0) {
        VALUE exception = rsw_error_new(&error);

        rb_ivar_set(exception, rb_intern("@findings"), findings_new(load->findings));
        rb_exc_raise(exception);
    }
}

static VALUE load_request_run(VALUE data)
{
    workflow_load((load_request *)data);
    return Qnil;
}

sw_workflow *rsw_workflow_load(VALUE text)
{
    workflow_call load = {0};
    load_request request = {
        .load = &load, .options = SW_WORKFLOW_OPTIONS_INIT, .text = text, .source = Qnil};
    sw_workflow *workflow;
    int state = 0;

    if (!RB_TYPE_P(text, T_STRING))
        rsw_error_type(text, -1, "definition", "a String");
    rb_protect(load_request_run, (VALUE)&request, &state);
    workflow = load.workflow;
    load.workflow = NULL;
    workflow_free((VALUE)&load);
    if (state)
        rb_jump_tag(state);
    return workflow;
}

static VALUE definition_load_body(VALUE data)
{
    load_request *request = (load_request *)data;

    workflow_load(request);
    return definition_new(request->load);
}

static VALUE definition_load(int argc, VALUE *argv, VALUE class)
{
    workflow_call load = {0};
    load_request request = {.load = &load};

    (void)class;
    load_request_read(&request, argc, argv);
    return rb_ensure(definition_load_body, (VALUE)&request, workflow_free, (VALUE)&load);
}

/* ---- register ---- */

static int register_run(rsw_call *call)
{
    const sw_workflow *workflow = ((workflow_call *)call)->workflow;

    return sw_workflow_register(call->handle->engine, &workflow, 1, &call->error);
}

static VALUE engine_register_body(VALUE data)
{
    load_request *request = (load_request *)data;

    workflow_load(request);
    rsw_call_finish(&request->load->call, NULL);
    return definition_new(request->load);
}

static VALUE engine_register_text(int argc, VALUE *argv, VALUE self)
{
    workflow_call load = {.call = {.handle = rsw_engine_get(self), .run = register_run}};
    load_request request = {.load = &load};
    VALUE definition;

    load_request_read(&request, argc, argv);
    definition = rb_ensure(engine_register_body, (VALUE)&request, workflow_free, (VALUE)&load);
    RB_GC_GUARD(self);
    return definition;
}

/* ---- get ---- */

static int get_run(rsw_call *call)
{
    workflow_call *get = (workflow_call *)call;

    return sw_workflow_get(call->handle->engine, get->name, get->version, &get->workflow,
                           &call->error);
}

static VALUE engine_workflow_body(VALUE data)
{
    workflow_call *get = (workflow_call *)data;

    rsw_call_finish(&get->call, NULL);
    return definition_new(get);
}

static VALUE engine_workflow(int argc, VALUE *argv, VALUE self)
{
    workflow_call get = {.call = {.handle = rsw_engine_get(self), .run = get_run}};
    VALUE name, version, definition;

    rb_scan_args(argc, argv, "11", &name, &version);
    if (!RB_TYPE_P(name, T_STRING))
        rsw_error_type(name, -1, "name", "a String");
    get.name = rsw_text(&name, "name");
    get.version = rsw_text(&version, "version");
    definition = rb_ensure(engine_workflow_body, (VALUE)&get, workflow_free, (VALUE)&get);
    RB_GC_GUARD(name);
    RB_GC_GUARD(version);
    RB_GC_GUARD(self);
    return definition;
}

void rsw_workflow_init(void)
{
    VALUE definition = rb_const_get(rsw_mStepwell, rb_intern("Definition"));

    rb_define_singleton_method(definition, "load", definition_load, -1);
    rb_define_method(rsw_cEngine, "register_text", engine_register_text, -1);
    rb_define_method(rsw_cEngine, "workflow", engine_workflow, -1);
}
