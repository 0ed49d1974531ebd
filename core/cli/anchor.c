/* stepwell audit anchor: give a checkpoint to somebody outside. */
#include <string.h>

#include "command.h"
#include "database.h"
#include "definition.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "trust.h"

static int anchor_check_call(const cli_call *call, const cli_trust *trust)
{
    if (cli_given(call, CLI_OPTION_ANCHOR) && trust->given.checkpoint_count == 1 &&
        trust->given.key_count > 0)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "try: stepwell audit anchor --help",
                    "needs --anchor, one --checkpoint and --vkey");
}

static void anchor_print(const sw_audit_anchor *row)
{
    if (cli_out()->json) {
        char time[CLI_TIME_SIZE];
        cli_json json = cli_json_begin(stdout);
        cli_json_str(&json, "place", row->place);
        cli_json_int(&json, "entries", row->entry_count);
        cli_json_text(&json, "time", cli_time_rfc3339(row->time_us, time));
        cli_json_str(&json, "checkpoint", row->note);
        cli_json_end(&json);
    }
    cli_note("anchored %lld entries at %.*s", (long long)row->entry_count, (int)row->place.len,
             row->place.ptr);
    if (row->place.len >= 7 && memcmp(row->place.ptr, "syslog:", 7) == 0)
        cli_note("the system's log does not say whether that arrived: `stepwell audit verify "
                 "--anchor syslog:PATH` looks in the file that collects it");
}

/* Each place adds to the checkpoint what the one before gave back. */
static int anchor_all(const cli_call *call, sw_engine *engine, const sw_audit_trust *given)
{
    const cli_value *places = &call->values[CLI_OPTION_ANCHOR];
    sw_str note = given->checkpoints[0];
    sw_result *kept = NULL;
    int status = CLI_EXIT_OK;
    for (size_t i = 0; status == CLI_EXIT_OK && i < places->item_count; i++) {
        sw_error error = {0};
        sw_result *result = NULL;
        if (sw_audit_anchor_put(engine, cli_str(places->items[i]), given, note, &result, &error) <
            0) {
            status = cli_fail_error(&error, NULL, "cannot anchor");
            break;
        }
        anchor_print(sw_audit_anchors(result, NULL));
        note = sw_audit_anchors(result, NULL)->note;
        sw_result_free(kept);
        kept = result;
    }
    if (status == CLI_EXIT_OK && cli_given(call, CLI_OPTION_OUTPUT))
        status = cli_file_write(call, note);
    sw_result_free(kept);
    return status;
}

int cli_command_audit_anchor(const cli_call *call)
{
    cli_trust trust = {0};
    sw_engine *engine = NULL;
    int status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK)
        status = anchor_check_call(call, &trust);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = anchor_all(call, engine, &trust.given);
    sw_engine_close(engine);
    cli_trust_close(&trust);
    return status;
}
