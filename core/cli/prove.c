/* stepwell audit prove, audit check: proofs that stand alone. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "control.h"
#include "database.h"
#include "definition.h"
#include "json.h"
#include "out.h"
#include "text.h"
#include "trust.h"

/* Entries that are to be proved. */
typedef struct prove_list {
    int64_t *entry_nos;
    size_t count;
    size_t newer; /* of the task, but behind the checkpoint */
} prove_list;

/* The second line of a checkpoint; whether it is one, the library says. */
static int64_t prove_covered(sw_str checkpoint)
{
    const char *line = memchr(checkpoint.ptr, '\n', checkpoint.len);
    return line ? strtoll(line + 1, NULL, 10) : 0;
}

static int prove_list_given(const cli_call *call, prove_list *list)
{
    const cli_value *value = &call->values[CLI_OPTION_ENTRY];
    list->entry_nos = cli_alloc(value->item_count * sizeof(*list->entry_nos));
    for (size_t i = 0; i < value->item_count; i++) {
        char *end = NULL;
        list->entry_nos[i] = strtoll(value->items[i], &end, 10);
        if (*end != '\0' || list->entry_nos[i] < 1)
            return cli_fail(CLI_EXIT_USAGE, NULL, "option '--entry' needs a number, not '%s'",
                            value->items[i]);
    }
    list->count = value->item_count;
    return CLI_EXIT_OK;
}

/* All entries about a task, or about one step of it, that the checkpoint covers. */
static int prove_list_task(const cli_call *call, sw_engine *engine, int64_t covered,
                           prove_list *list)
{
    sw_uuid task_id;
    sw_error error = {0};
    sw_result *result = NULL;
    size_t count = 0;
    const char *step = call->values[CLI_OPTION_STEP].text;
    int status = cli_task_find(engine, call->arguments[0], &task_id);
    if (status != CLI_EXIT_OK)
        return status;
    if (sw_audit_task(engine, &task_id, &result, &error) < 0)
        return cli_fail_error(&error, NULL, "cannot read the history");
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    list->entry_nos = cli_alloc(count * sizeof(*list->entry_nos));
    for (size_t i = 0; i < count; i++) {
        if (step && !cli_str_equal(rows[i].step, cli_str(step)))
            continue;
        if (rows[i].entry_no > covered)
            list->newer++;
        else
            list->entry_nos[list->count++] = rows[i].entry_no;
    }
    sw_result_free(result);
    if (list->count == 0)
        return cli_fail(CLI_EXIT_NOT_FOUND, "stepwell audit seal signs a newer one",
                        "the checkpoint covers no entry about that");
    return CLI_EXIT_OK;
}

/* The proofs one after the other, each as its text or as an object on a line of its own. */
static int prove_print(const cli_call *call, sw_result *result)
{
    size_t count = 0;
    size_t size = 0;
    const sw_audit_proof *rows = sw_audit_proofs(result, &count);
    if (cli_out()->json && !cli_given(call, CLI_OPTION_OUTPUT)) {
        for (size_t i = 0; i < count; i++) {
            cli_json json = cli_json_begin(stdout);
            if (rows[i].entry.entry_no > 0)
                cli_json_entry(&json, &rows[i].entry, 0);
            cli_json_str(&json, "proof", rows[i].text);
            cli_json_end(&json);
        }
        return CLI_EXIT_OK;
    }
    for (size_t i = 0; i < count; i++)
        size += rows[i].text.len;
    char *all = cli_alloc(size);
    size = 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(all + size, rows[i].text.ptr, rows[i].text.len);
        size += rows[i].text.len;
    }
    int status = cli_file_write(call, (sw_str){all, size});
    free(all);
    return status;
}

static int prove_ask(const cli_call *call, sw_engine *engine, sw_str checkpoint,
                     const prove_list *list, sw_result **result, sw_error *error)
{
    if (!cli_given(call, CLI_OPTION_EXPORT))
        return sw_audit_prove(engine, checkpoint, list->entry_nos, list->count, result, error);
    return sw_audit_prove_export(cli_str(call->values[CLI_OPTION_EXPORT].text), checkpoint,
                                 list->entry_nos, list->count, result, error);
}

static int prove_entries(const cli_call *call, sw_engine *engine, sw_str checkpoint)
{
    prove_list list = {0};
    sw_error error = {0};
    sw_result *result = NULL;
    int status = cli_given(call, CLI_OPTION_ENTRY)
                     ? prove_list_given(call, &list)
                     : prove_list_task(call, engine, prove_covered(checkpoint), &list);
    if (status == CLI_EXIT_OK && prove_ask(call, engine, checkpoint, &list, &result, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot prove it");
    if (status == CLI_EXIT_OK)
        status = prove_print(call, result);
    if (status == CLI_EXIT_OK && list.newer > 0)
        cli_note("%zu newer entries are not signed yet and not proved", list.newer);
    sw_result_free(result);
    free(list.entry_nos);
    return status;
}

static int prove_consistency(const cli_call *call, sw_engine *engine, const sw_audit_trust *given)
{
    sw_error error = {0};
    sw_result *result = NULL;
    const sw_str *notes = given->checkpoints;
    int code =
        cli_given(call, CLI_OPTION_EXPORT)
            ? sw_audit_prove_export_consistency(cli_str(call->values[CLI_OPTION_EXPORT].text),
                                                notes[0], notes[1], &result, &error)
            : sw_audit_prove_consistency(engine, notes[0], notes[1], &result, &error);
    if (code < 0)
        return cli_fail_error(&error, NULL, "cannot prove it");
    int status = prove_print(call, result);
    sw_result_free(result);
    return status;
}

/* One checkpoint and what to prove in it, or two checkpoints. */
static int prove_check_call(const cli_call *call)
{
    size_t checkpoints = call->values[CLI_OPTION_CHECKPOINT].item_count;
    bool entries = cli_given(call, CLI_OPTION_ENTRY);
    bool task = call->argument_count > 0;
    if (checkpoints == 2 && !entries && !task)
        return CLI_EXIT_OK;
    if (checkpoints == 1 && entries != task)
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE, "try: stepwell audit prove --help",
                    "needs one --checkpoint with TASK or --entry, or an older and a newer "
                    "--checkpoint");
}

int cli_command_audit_prove(const cli_call *call)
{
    cli_trust trust = {0};
    sw_engine *engine = NULL;
    int status = prove_check_call(call);
    if (status != CLI_EXIT_OK)
        return status;
    status = cli_trust_read(&trust, call);
    /* A folder knows entries by number only; which are about a task the database says. */
    if (status == CLI_EXIT_OK && (!cli_given(call, CLI_OPTION_EXPORT) || call->argument_count > 0))
        status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK && trust.given.checkpoint_count == 2)
        status = prove_consistency(call, engine, &trust.given);
    else if (status == CLI_EXIT_OK)
        status = prove_entries(call, engine, trust.given.checkpoints[0]);
    sw_engine_close(engine);
    cli_trust_close(&trust);
    return status;
}

/* Checking. */

static void check_print_json(const sw_audit_shown *row)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_bool(&json, "ok", true);
    cli_json_str(&json, "origin", row->origin);
    cli_json_int(&json, "entries", row->entry_count);
    if (row->old_count > 0)
        cli_json_int(&json, "old_entries", row->old_count);
    else
        cli_json_entry(&json, &row->entry, 0);
    cli_json_end(&json);
}

/* "entry 12, step_changed, 2026-01-31T13:05:09.123456Z, step charge, ready to running" */
static void check_print_entry(const sw_audit_entry *entry)
{
    char time[CLI_TIME_SIZE];
    printf("entry %lld, %s, %s", (long long)entry->entry_no, sw_audit_kind_name(entry->kind),
           cli_time_rfc3339(entry->time_us, time));
    if (entry->step.len > 0) {
        fputs(", step ", stdout);
        cli_text_put(stdout, entry->step, CLI_TEXT_NO_LIMIT);
    }
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        printf(", %s to %s", sw_step_state_name(entry->from), sw_step_state_name(entry->to));
}

static void check_print(const sw_audit_shown *row)
{
    printf("%sOK%s  ", cli_style_on(CLI_GREEN), cli_style_off(CLI_GREEN));
    if (row->old_count > 0)
        printf("the first %lld entries are those of the older checkpoint",
               (long long)row->old_count);
    else
        check_print_entry(&row->entry);
    printf(": in the log of %lld entries of ", (long long)row->entry_count);
    cli_text_put(stdout, row->origin, CLI_TEXT_NO_LIMIT);
    fputc('\n', stdout);
}

/* Where the next proof begins: each of several in a file has this first line. */
static size_t check_length(sw_str text)
{
    static const char head[] = "\nc2sp.org/tlog-proof@v1\n";
    const char *next = text.len > 0 ? memmem(text.ptr, text.len, head, sizeof(head) - 1) : NULL;
    return next ? (size_t)(next - text.ptr) + 1 : text.len;
}

static int check_one(const cli_trust *trust, sw_str proof)
{
    sw_error error = {0};
    sw_result *result = NULL;
    if (sw_audit_check(&trust->given, proof, &result, &error) < 0)
        return cli_fail_error(&error, NULL, NULL);
    if (cli_out()->json)
        check_print_json(sw_audit_shown_rows(result, NULL));
    else if (!cli_out()->quiet)
        check_print(sw_audit_shown_rows(result, NULL));
    sw_result_free(result);
    return CLI_EXIT_OK;
}

static int check_all(const cli_trust *trust, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    int status = cli_file_load(path, &text, &size);
    if (status != CLI_EXIT_OK)
        return status;
    sw_str rest = {text, size};
    do {
        size_t length = check_length(rest);
        status = check_one(trust, (sw_str){rest.ptr, length});
        rest = (sw_str){rest.ptr + length, rest.len - length};
    } while (status == CLI_EXIT_OK && rest.len > 0);
    free(text);
    return status;
}

int cli_command_audit_check(const cli_call *call)
{
    cli_trust trust = {0};
    int status = cli_trust_read(&trust, call);
    if (status == CLI_EXIT_OK && trust.given.key_count == 0)
        status = cli_fail(CLI_EXIT_USAGE, "stepwell audit keygen printed it",
                          "'audit check' needs --vkey: the key that the log is signed by");
    if (status == CLI_EXIT_OK)
        status = cli_given(call, CLI_OPTION_SIGNATURE) ? cli_control_check(call, &trust)
                                                       : check_all(&trust, call->arguments[0]);
    cli_trust_close(&trust);
    return status;
}
