/* Any bytes as a workflow file: a definition that its canonical JSON gives again, with the same
 * digest, or findings that say what is wrong and where. */
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "model/kinds.h"
#include "model/build.h"

typedef struct load_outcome {
    int rc;
    sw_workflow *workflow;
    sw_result *findings;
    size_t errors;
    size_t warnings;
} load_outcome;

static load_outcome text_load(const sw_env *env, sw_str text, int format, bool strict)
{
    sw_error err;
    size_t count = 0;
    load_outcome load = {0};
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = env;
    options.format = format;
    options.strict = strict;
    load.rc = sw_workflow_load(&options, text, &load.workflow, &load.findings, &err);
    fuzz_check_error(load.rc, &err);
    fuzz_require(load.findings, "%s without findings", sw_code_name(load.rc));
    const sw_finding *rows = sw_findings(load.findings, &count);
    for (size_t i = 0; i < count; i++) {
        fuzz_check_text(rows[i].message);
        fuzz_check_text(rows[i].path);
        fuzz_require(rows[i].message.len > 0 && rows[i].line > 0, "an empty finding");
        load.errors += rows[i].severity == SW_SEVERITY_ERROR;
        load.warnings += rows[i].severity == SW_SEVERITY_WARNING;
    }
    fuzz_require((load.rc == SW_OK) == (load.workflow != NULL), "code and workflow disagree");
    fuzz_require((load.rc == SW_OK) == (load.errors == 0), "%s with %zu errors",
                 sw_code_name(load.rc), load.errors);
    return load;
}

static void load_free(load_outcome *load)
{
    sw_workflow_free(load->workflow);
    sw_result_free(load->findings);
}

/* Steps stand in topological order, and what loads can be executed. */
static void steps_check(const sw_env *env, const sw_workflow *workflow)
{
    size_t count = 0;
    const sw_workflow_step *steps = sw_workflow_steps(workflow, &count);
    fuzz_require(count > 0 && count <= SW__STEPS_MAX, "%zu steps", count);
    for (size_t i = 0; i < count; i++) {
        sw_error err;
        sw__kind_parameters parameters;
        fuzz_require(sw__str_is_name(steps[i].name), "a step without a name");
        fuzz_require(sw__workflow_find(workflow, steps[i].name) == (int64_t)i, "a lost step");
        for (size_t k = 0; k < steps[i].after_count; k++)
            fuzz_require(steps[i].after[k] >= 0 && (size_t)steps[i].after[k] < i,
                         "step %zu comes before what it waits for", i);
        int kind = sw__kind_find(steps[i].handler);
        if (kind < 0)
            continue;
        sw__arena *arena = sw__arena_new(env);
        int rc = sw__kind_read(arena, kind, steps[i].parameters, &parameters, &err);
        fuzz_require(rc == SW_OK, "a loaded step cannot run: %s", err.message);
        sw__arena_free(arena);
    }
}

/* Reading a step at a time takes the text exactly when it is what the library made of it, and gives
 * the same. Whether it took it. */
static bool stored_check(const sw_env *env, sw_str text, const sw_workflow *workflow)
{
    sw_workflow *stored = NULL;
    int rc = sw__workflow_load_stored(env, text, &stored);
    bool canonical = workflow && sw__str_equal(workflow->json, text);
    fuzz_require(rc == (canonical ? SW_OK : SW_EDEFINITION), "a step at a time: %s",
                 sw_code_name(rc));
    if (rc == SW_OK)
        fuzz_require(sw__str_equal(sw_workflow_digest(stored), sw_workflow_digest(workflow)),
                     "a step at a time: another digest");
    sw_workflow_free(stored);
    return rc == SW_OK;
}

static void reload_check(const sw_env *env, const sw_workflow *workflow)
{
    sw_error err;
    sw_workflow *again = NULL;
    sw_str json = sw_workflow_json(workflow);
    int rc = sw__workflow_load_canonical(env, json, &again, &err);
    fuzz_require(rc == SW_OK, "canonical JSON is refused: %s", err.message);
    fuzz_require(stored_check(env, json, workflow), "canonical JSON is read as a whole only");
    fuzz_require(sw__str_equal(sw_workflow_digest(again), sw_workflow_digest(workflow)),
                 "canonical JSON has another digest");
    sw_workflow_free(again);
    if (json.len > SW__DEFINITION_MAX)
        return;
    load_outcome load = text_load(env, json, SW_FORMAT_DETECT, false);
    fuzz_require(load.rc == SW_OK, "canonical JSON does not load as a file");
    fuzz_require(sw__str_equal(sw_workflow_digest(load.workflow), sw_workflow_digest(workflow)),
                 "canonical JSON has another digest as a file");
    load_free(&load);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_world world;
    sw_str text = {(const char *)data, size};
    fuzz_world_open(&world);
    const sw_env *env = &world.fault.env;
    load_outcome load = text_load(env, text, SW_FORMAT_DETECT, false);
    load_outcome strict = text_load(env, text, SW_FORMAT_DETECT, true);
    fuzz_require((strict.rc == SW_OK) == (load.rc == SW_OK && load.warnings == 0),
                 "strict: %s, otherwise: %s with %zu warnings", sw_code_name(strict.rc),
                 sw_code_name(load.rc), load.warnings);
    if (load.rc == SW_OK) {
        steps_check(env, load.workflow);
        reload_check(env, load.workflow);
    }
    stored_check(env, text, load.workflow);
    load_free(&strict);
    load_free(&load);
    fuzz_world_close(&world);
    return 0;
}
