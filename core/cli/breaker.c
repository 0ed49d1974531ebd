/* stepwell breaker: list circuit breakers, open and close them by hand. */
#include <stdlib.h>

#include "command.h"
#include "database.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

static cli_style breaker_style(int state)
{
    static const cli_style styles[] = {CLI_GREEN, CLI_RED, CLI_YELLOW};
    return state >= 0 && state < SW_BREAKER_STATE_COUNT ? styles[state] : CLI_PLAIN;
}

/* Printing. */

static void breaker_print_json(const sw_breaker_row *rows, size_t count)
{
    cli_json json = cli_json_begin(stdout);
    cli_json_array(&json, "breakers");
    for (size_t i = 0; i < count; i++) {
        cli_json_object(&json, NULL);
        cli_json_str(&json, "breaker", rows[i].settings.name);
        cli_json_text(&json, "state", sw_breaker_state_name(rows[i].state));
        cli_json_int(&json, "failures", rows[i].failures);
        cli_json_int(&json, "successes", rows[i].successes);
        cli_json_int(&json, "probing", rows[i].probing);
        cli_json_int(&json, "openings", rows[i].openings);
        cli_json_bool(&json, "forced", rows[i].forced);
        cli_json_time(&json, "until", rows[i].until_us);
        cli_json_time(&json, "changed", rows[i].changed_us);
        cli_json_str(&json, "error_class", rows[i].error_class);
        cli_json_int(&json, "failure_threshold", rows[i].settings.failure_threshold);
        cli_json_int(&json, "success_threshold", rows[i].settings.success_threshold);
        cli_json_int(&json, "probes", rows[i].settings.probes);
        cli_json_int(&json, "open_ms", rows[i].settings.open_ms);
        cli_json_int(&json, "max_open_ms", rows[i].settings.max_open_ms);
        cli_json_close(&json);
    }
    cli_json_end(&json);
}

static void breaker_add_until(cli_grid *grid, const sw_breaker_row *row)
{
    char time[CLI_TIME_SIZE];
    if (row->state != SW_BREAKER_OPEN)
        cli_grid_add(grid, CLI_PLAIN, cli_str(""));
    else if (row->until_us == 0)
        cli_grid_add(grid, CLI_PLAIN, cli_str("closed by hand"));
    else
        cli_grid_add(grid, CLI_PLAIN, cli_str(cli_time_local(row->until_us, time)));
}

static void breaker_print(const sw_breaker_row *rows, size_t count)
{
    static const char *const heads[] = {"BREAKER", "STATE", "FAILURES", "PROBES", "UNTIL", "ERROR"};
    cli_grid grid = cli_grid_open("llrrll");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++)
        cli_grid_add(&grid, CLI_DIM, cli_str(heads[i]));
    for (size_t i = 0; i < count; i++) {
        cli_grid_add(&grid, CLI_BOLD, rows[i].settings.name);
        cli_grid_add(&grid, breaker_style(rows[i].state),
                     cli_str(sw_breaker_state_name(rows[i].state)));
        cli_grid_addf(&grid, CLI_PLAIN, "%d/%d", rows[i].failures,
                      rows[i].settings.failure_threshold);
        cli_grid_addf(&grid, CLI_PLAIN, "%d/%d", rows[i].probing, rows[i].settings.probes);
        breaker_add_until(&grid, &rows[i]);
        cli_grid_add(&grid, CLI_DIM, rows[i].error_class);
    }
    cli_grid_close(&grid, stdout, 0, cli_out_width());
}

static void breaker_tell(const sw_result *result)
{
    size_t count = 0;
    const sw_breaker_row *rows = sw_breakers(result, &count);
    if (cli_out()->json)
        breaker_print_json(rows, count);
    else if (!cli_out()->quiet && count > 0)
        breaker_print(rows, count);
    else if (!cli_out()->quiet)
        puts("no workflow names a circuit breaker");
}

int cli_command_breaker_list(const cli_call *call)
{
    sw_error error = {0};
    sw_engine *engine = NULL;
    sw_result *result = NULL;
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK && sw_breaker_list(engine, &result, &error) < 0)
        status = cli_fail_error(&error, NULL, "cannot list circuit breakers");
    if (status == CLI_EXIT_OK)
        breaker_tell(result);
    sw_result_free(result);
    sw_engine_close(engine);
    return status;
}

/* Changing. */

static int breaker_override(sw_engine *engine, const cli_call *call, int state)
{
    sw_error error = {0};
    sw_result *result = NULL;
    const char *actor = call->values[CLI_OPTION_ACTOR].text;
    sw_breaker_override_row *rows = cli_alloc(call->argument_count * sizeof(*rows));
    for (size_t i = 0; i < call->argument_count; i++)
        rows[i] = (sw_breaker_override_row){
            .name = cli_str(call->arguments[i]),
            .state = state,
            .open_ms = cli_number(call, CLI_OPTION_FOR, 0) * 1000,
            .actor = cli_str(actor ? actor : cli_user()),
            .reason = cli_str(call->values[CLI_OPTION_REASON].text),
        };
    int status = CLI_EXIT_OK;
    if (sw_breaker_override(engine, rows, call->argument_count, &result, &error) < 0)
        status = cli_fail_error(&error, "`stepwell breaker list` shows them",
                                "no circuit breaker was changed");
    else
        breaker_tell(result);
    sw_result_free(result);
    free(rows);
    return status;
}

static int breaker_command(const cli_call *call, int state)
{
    sw_engine *engine = NULL;
    if (!cli_given(call, CLI_OPTION_REASON))
        return cli_fail(CLI_EXIT_USAGE, "the audit log keeps why", "'%s' needs --reason",
                        call->command->name);
    int status = cli_database_open(call, CLI_DATABASE_LOOK, &engine);
    if (status == CLI_EXIT_OK)
        status = breaker_override(engine, call, state);
    sw_engine_close(engine);
    return status;
}

int cli_command_breaker_open(const cli_call *call)
{
    return breaker_command(call, SW_BREAKER_OPEN);
}

int cli_command_breaker_close(const cli_call *call)
{
    return breaker_command(call, SW_BREAKER_CLOSED);
}
