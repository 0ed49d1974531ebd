/* The stepwell command: find the command in the table, parse, run, exit. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "out.h"

/* Whether --json stands anywhere: a usage error has to know before options are parsed. */
static bool words_ask_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "--json") == 0)
            return true;
    }
    return false;
}

static void call_out_open(const cli_call *call, bool json)
{
    cli_out_open(json || cli_given(call, CLI_OPTION_JSON), cli_given(call, CLI_OPTION_QUIET),
                 cli_given(call, CLI_OPTION_NO_COLOR));
}

/* A command line without a command: --help, --version, or nothing at all. */
static int call_without_command(const cli_call *call)
{
    if (cli_given(call, CLI_OPTION_VERSION))
        return cli_command_version(call);
    if (cli_given(call, CLI_OPTION_HELP)) {
        cli_help_overview(stdout);
        return CLI_EXIT_OK;
    }
    if (cli_given(call, CLI_OPTION_JSON))
        return cli_fail(CLI_EXIT_USAGE, "try: stepwell --help", "no command was given");
    cli_help_overview(stderr);
    return CLI_EXIT_USAGE;
}

/* Parse what follows the name of the command, and run it. */
static int call_dispatch(cli_call *call, int argc, char **argv)
{
    int used = 0;
    int status = cli_call_parse(call, call->command->options, false, argc, argv, &used);
    if (status != 0)
        return status;
    call_out_open(call, false);
    if (cli_given(call, CLI_OPTION_HELP)) {
        cli_help_command(call->command);
        return CLI_EXIT_OK;
    }
    status = cli_call_check(call);
    return status != 0 ? status : call->command->run(call);
}

static int words_run(cli_call *call, int argc, char **argv)
{
    int used = 1;
    size_t words = 0;
    int status =
        cli_call_parse(call, CLI_COMMON | CLI_BIT(DB) | CLI_BIT(VERSION), true, argc, argv, &used);
    if (status != 0)
        return status;
    call_out_open(call, words_ask_json(argc, argv));
    if (call->argument_count == 0 || cli_given(call, CLI_OPTION_VERSION))
        return call_without_command(call);
    call->command = cli_command_find(call->argument_count, call->arguments, &words);
    if (!call->command)
        return cli_command_unknown(argc - used, argv + used);
    /* The last word of the name stands where getopt_long expects the name of the program. */
    int skipped = used + (int)words - 1;
    return call_dispatch(call, argc - skipped, argv + skipped);
}

int main(int argc, char **argv)
{
    cli_call call = {0};
    cli_out_open(words_ask_json(argc, argv), false, false);
    int status = words_run(&call, argc, argv);
    cli_call_free(&call);
    return cli_out_close(status);
}
