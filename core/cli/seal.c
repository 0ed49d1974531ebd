/* stepwell audit keygen, audit seal, audit rotate: sign what the audit log says by now. */
#include "command.h"
#include "database.h"
#include "definition.h"
#include "json.h"
#include "out.h"
#include "text.h"

static int seal_signer(const cli_call *call, sw_str *path)
{
    if (!cli_given(call, CLI_OPTION_SIGNER))
        return cli_fail(CLI_EXIT_USAGE, "keep it where the writers of the database cannot read it",
                        "'%s' needs --signer FILE: the secret key", call->command->name);
    *path = cli_str(call->values[CLI_OPTION_SIGNER].text);
    return CLI_EXIT_OK;
}

static void keygen_print(const sw_audit_key *key)
{
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_str(&json, "name", key->name);
        cli_json_str(&json, "vkey", key->verifier);
        cli_json_end(&json);
        return;
    }
    printf("%.*s\n", (int)key->verifier.len, key->verifier.ptr);
}

int cli_command_audit_keygen(const cli_call *call)
{
    sw_str path;
    sw_error error = {0};
    sw_result *result = NULL;
    int status = seal_signer(call, &path);
    if (status != CLI_EXIT_OK)
        return status;
    if (sw_audit_keygen(cli_str(call->arguments[0]), path, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot make the key");
    keygen_print(sw_audit_keys(result, NULL));
    cli_note("wrote %.*s and %.*s.state; give auditors the line above", (int)path.len, path.ptr,
             (int)path.len, path.ptr);
    sw_result_free(result);
    return CLI_EXIT_OK;
}

static void seal_print_json(const sw_audit_checkpoint *row)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_str(&json, "origin", row->origin);
    cli_json_int(&json, "entries", row->entry_count);
    cli_json_int(&json, "new", row->entries_new);
    cli_json_str(&json, "checkpoint", row->note);
    cli_json_end(&json);
}

static int seal_print(const cli_call *call, const sw_audit_checkpoint *row)
{
    bool file = cli_given(call, CLI_OPTION_OUTPUT);
    int status = CLI_EXIT_OK;
    if (file || !cli_out()->json)
        status = cli_file_write(call, row->note);
    if (status != CLI_EXIT_OK)
        return status;
    if (cli_out()->json)
        seal_print_json(row);
    cli_note("signed %lld entries, %lld of them new", (long long)row->entry_count,
             (long long)row->entries_new);
    return CLI_EXIT_OK;
}

int cli_command_audit_seal(const cli_call *call)
{
    sw_str path;
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_result *result = NULL;
    int status = seal_signer(call, &path);
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status != CLI_EXIT_OK)
        return status;
    int code = sw_audit_seal(engine, path, &result, &error);
    sw_engine_close(engine);
    if (code < 0)
        return cli_fail_error(&error, code == SW_EAUDIT ? "stepwell audit verify says more" : NULL,
                              "cannot sign");
    status = seal_print(call, sw_audit_checkpoints(result, NULL));
    sw_result_free(result);
    return status;
}

static void rotate_print_json(const sw_audit_key *key, const sw_audit_checkpoint *row)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_str(&json, "name", key->name);
    cli_json_str(&json, "vkey", key->verifier);
    cli_json_int(&json, "entries", row->entry_count);
    cli_json_str(&json, "checkpoint", row->note);
    cli_json_end(&json);
}

static int rotate_print(const cli_call *call, sw_result *result)
{
    const sw_audit_key *key = sw_audit_keys(result, NULL);
    const sw_audit_checkpoint *row = sw_audit_checkpoints(result, NULL);
    int status = cli_file_write(call, row->note);
    if (status != CLI_EXIT_OK)
        return status;
    if (cli_out()->json)
        rotate_print_json(key, row);
    else
        keygen_print(key);
    cli_note("%s signs from entry %lld on; give auditors the checkpoint", call->arguments[0],
             (long long)row->entry_count + 1);
    return CLI_EXIT_OK;
}

int cli_command_audit_rotate(const cli_call *call)
{
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_result *result = NULL;
    sw_audit_signing signing = SW_AUDIT_SIGNING_INIT;
    sw_audit_signing next = SW_AUDIT_SIGNING_INIT;
    int status = seal_signer(call, &signing.path);
    next.path = cli_str(call->arguments[0]);
    if (status == CLI_EXIT_OK && !cli_given(call, CLI_OPTION_OUTPUT))
        status = cli_fail(CLI_EXIT_USAGE, "auditors follow it from the old key to the new one",
                          "'audit rotate' needs --output FILE: the checkpoint that both sign");
    if (status == CLI_EXIT_OK)
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status != CLI_EXIT_OK)
        return status;
    int code = sw_audit_rotate(engine, &signing, &next, &result, &error);
    sw_engine_close(engine);
    status =
        code < 0 ? cli_fail_error(&error, NULL, "cannot hand over") : rotate_print(call, result);
    sw_result_free(result);
    return status;
}
