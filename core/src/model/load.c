/* Loading a definition: text, document, draft, check, object.
 *
 * Not here: the forms (definition.c, mission.c) and the rules (check.c).
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/result.h"
#include "base/str.h"
#include "model/build.h"
#include "model/findings.h"

/* One load: where things are kept, and what comes out of each stage. */
typedef struct workflow_load {
    const sw_env *env;
    sw_str source;
    sw__arena *scratch;
    sw__findings findings;
    sw__draft draft;
    int32_t *order;
    sw__graph graph;
} workflow_load;

/* What the document reader refused, as a finding: its message starts with "<text>:line:column: ".
 */
static void load_note_syntax(workflow_load *load, const sw_error *err)
{
    int line = 1, column = 1, start = 0;
    sscanf(err->message, "<text>:%d:%d: %n", &line, &column, &start);
    sw__finding_add(&load->findings, SW_SEVERITY_ERROR, NULL, line, column, "%s",
                    err->message + start);
}

/* The error of the call: the first finding that is one. */
static int load_fail(workflow_load *load, int code, sw_error *err)
{
    sw__findings_finish(&load->findings);
    if (load->findings.failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    const sw_finding *row = load->findings.rows;
    while (row->severity != SW_SEVERITY_ERROR)
        row++;
    return sw__node_fail(err, code, load->source, row->line, row->column, row->message.ptr);
}

static bool load_has(const sw__node *map, const char *const *keys, size_t count)
{
    bool has = false;
    for (size_t i = 0; i < count; i++)
        has = has || sw__node_get(map, keys[i]);
    return has;
}

/* Which form it is. Whoever forgot the first line of a definition is told so, and not what a
 * mission would lack. */
static bool load_is_definition(const sw__node *root)
{
    static const char *const ours[] = {"handler", "after", "name"};
    static const char *const missions[] = {"id", "step_type", "type", "depends_on"};
    const sw__node *steps = sw__node_get(root, "steps");
    const sw__node *first =
        steps && steps->kind == SW__NODE_LIST && steps->count > 0 ? steps->items[0] : NULL;
    if (sw__node_get(root, "stepwell"))
        return true;
    return first && first->kind == SW__NODE_MAP && load_has(first, ours, 3) &&
           !load_has(first, missions, 4);
}

static int load_read(workflow_load *load, const sw__node *root, sw_error *err)
{
    if (root->kind != SW__NODE_MAP) {
        sw__finding_add(&load->findings, SW_SEVERITY_ERROR, NULL, root->line, root->column,
                        "expected a map with the keys of a workflow, found %s",
                        sw__node_kind_name(root->kind));
        return SW_OK;
    }
    bool read = load_is_definition(root)
                    ? sw__definition_read(&load->findings, load->scratch, root, &load->draft)
                    : sw__mission_read(&load->findings, load->scratch, root, &load->draft);
    int code = read ? sw__draft_check(&load->findings, load->scratch, &load->draft, &load->order,
                                      &load->graph)
                    : SW_ENOMEM;
    if (code < 0 || load->findings.failed || sw__arena_failed(load->scratch))
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

static int load_finish(workflow_load *load, const sw__node *root, sw_workflow **out, sw_error *err)
{
    int code = load_read(load, root, err);
    if (code < 0)
        return code;
    if (load->findings.error_count > 0)
        return load_fail(load, SW_EDEFINITION, err);
    sw__findings_finish(&load->findings);
    return sw__workflow_build(load->env, &load->draft, load->order, &load->graph, out, err);
}

static int load_options_check(const sw_workflow_options *options, sw_error *err)
{
    if (options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "sw_workflow_options: size is %u, expected %zu",
                        options->size, sizeof(*options));
    if (options->format < SW_FORMAT_DETECT || options->format > SW_FORMAT_YAML)
        return sw__fail(err, SW_EINVAL, "there is no format %d", options->format);
    return SW_OK;
}

static int load_text(workflow_load *load, int format, sw_str text, sw_workflow **out, sw_error *err)
{
    sw__node *root = NULL;
    sw_error syntax;
    int code = sw__node_load(load->scratch, format, (sw_str){0}, text, &root, &syntax);
    if (code == SW_OK)
        return load_finish(load, root, out, err);
    if (code == SW_ENOMEM)
        return sw__fail(err, SW_ENOMEM, NULL);
    load_note_syntax(load, &syntax);
    return load_fail(load, code, err);
}

int sw_workflow_load(const sw_workflow_options *options, sw_str text, sw_workflow **out,
                     sw_result **findings, sw_error *err)
{
    static const sw_workflow_options defaults = SW_WORKFLOW_OPTIONS_INIT;
    *out = NULL;
    if (findings)
        *findings = NULL;
    sw__error_clear(err);
    if (!options)
        options = &defaults;
    int code = load_options_check(options, err);
    if (code < 0)
        return code;

    workflow_load load = {.source = options->source};
    load.env = options->env ? options->env : sw_env_system();
    load.scratch = sw__arena_new(load.env);
    sw_result *result = sw__result_new(load.env);
    if (!load.scratch || !result) {
        code = sw__fail(err, SW_ENOMEM, NULL);
        goto done;
    }
    sw__findings_init(&load.findings, result->arena, options->strict);
    code = load_text(&load, options->format, text, out, err);
    if (findings && code != SW_ENOMEM) {
        sw__result_set(result, SW__FINDINGS, load.findings.rows, load.findings.count);
        *findings = result;
        result = NULL;
    }
done:
    sw_result_free(result);
    sw__arena_free(load.scratch);
    return code;
}

int sw__workflow_load_canonical(const sw_env *env, sw_str json, sw_workflow **out, sw_error *err)
{
    *out = NULL;
    int code = sw__workflow_load_stored(env, json, out);
    if (code == SW_OK)
        return SW_OK;
    workflow_load load = {.env = env};
    if (code != SW_ENOMEM)
        load.scratch = sw__arena_new(env);
    sw__node *root = NULL;
    if (!load.scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__findings_init(&load.findings, load.scratch, false);
    code = sw__node_load_canonical(load.scratch, json, &root, err);
    if (code == SW_OK)
        code = load_finish(&load, root, out, err);
    sw__arena_free(load.scratch);
    return code;
}
