/* stepwell validate: load files and show everything that is wrong with them. */
#include "definition.h"
#include "json.h"
#include "out.h"
#include "text.h"

static void validate_print_json(const cli_definition *definition)
{
    size_t count = 0;
    const sw_finding *findings = sw_findings(definition->findings, &count);
    cli_json json = cli_json_begin(stdout);
    cli_json_text(&json, "file", definition->path);
    cli_json_bool(&json, "valid", definition->status == CLI_EXIT_OK);
    if (definition->workflow) {
        size_t step_count = 0;
        sw_workflow_steps(definition->workflow, &step_count);
        cli_json_str(&json, "workflow", sw_workflow_name(definition->workflow));
        cli_json_str(&json, "version", sw_workflow_version(definition->workflow));
        cli_json_str(&json, "digest", sw_workflow_digest(definition->workflow));
        cli_json_int(&json, "step_count", (int64_t)step_count);
    } else {
        cli_json_text(&json, "problem", definition->problem);
    }
    cli_json_findings(&json, findings, count);
    cli_json_end(&json);
}

/* The line for a valid file. */
static void validate_print_valid(const cli_definition *definition)
{
    size_t count = 0;
    sw_str version = sw_workflow_version(definition->workflow);
    sw_workflow_steps(definition->workflow, &count);
    printf("%s: %sok%s: ", definition->path, cli_style_on(CLI_GREEN), cli_style_off(CLI_GREEN));
    cli_text_put(stdout, sw_workflow_name(definition->workflow), CLI_TEXT_NO_LIMIT);
    if (version.len > 0)
        fputc(' ', stdout);
    cli_text_put(stdout, version, CLI_TEXT_NO_LIMIT);
    printf(", %zu step%s\n", count, count == 1 ? "" : "s");
}

static void validate_print(const cli_definition *definition)
{
    size_t count = 0;
    sw_findings(definition->findings, &count);
    cli_definition_print(definition, stdout, cli_out()->colour);
    if (definition->status == CLI_EXIT_OK && !cli_out()->quiet)
        validate_print_valid(definition);
    if (definition->status != CLI_EXIT_OK && count == 0)
        cli_fail((cli_exit)definition->status, NULL, "%s", definition->problem);
}

int cli_command_validate(const cli_call *call)
{
    int status = CLI_EXIT_OK;
    for (size_t i = 0; i < call->argument_count; i++) {
        cli_definition definition;
        cli_definition_open(&definition, call->arguments[i], cli_given(call, CLI_OPTION_STRICT));
        if (cli_out()->json)
            validate_print_json(&definition);
        else
            validate_print(&definition);
        /* An invalid file is what the command looks for; it outweighs a missing one. */
        if (status == CLI_EXIT_OK || definition.status == (int)CLI_EXIT_DEFINITION)
            status = definition.status;
        cli_definition_close(&definition);
    }
    return status;
}
