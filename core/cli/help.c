/* Help from the table: the overview, one command, and the reference page as Markdown. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "grid.h"
#include "json.h"
#include "out.h"
#include "text.h"

#define HELP_WIDTH_MAX 80
#define HELP_NAME_SIZE 64

static const cli_example help_environment[] = {
    {"STEPWELL_DB", "the database when --db is not given"},
    {"NO_COLOR", "no colours when it is not empty"},
    {"FORCE_COLOR", "colours even when stdout is no terminal"},
    {"TERM=dumb", "no colours and no live table"},
};

static size_t help_width(void)
{
    size_t width = cli_out_width();
    return width > 0 && width < HELP_WIDTH_MAX ? width : HELP_WIDTH_MAX;
}

static void help_heading(FILE *stream, const char *text)
{
    fprintf(stream, "\n%s%s%s\n", cli_style_on(CLI_BOLD), text, cli_style_off(CLI_BOLD));
}

static void help_wrap(FILE *stream, const char *text, size_t column)
{
    cli_text_wrap(stream, cli_str(text), column, help_width());
}

/* Two columns: a name, and what it is. A name too long for its column has its text below. */
static void help_pair(FILE *stream, const char *name, const char *says, size_t column)
{
    size_t length = strlen(name);
    fprintf(stream, "  %s", name);
    if (length + 4 > column)
        fprintf(stream, "\n%*s", (int)column, "");
    else
        fprintf(stream, "%*s", (int)(column - length - 2), "");
    help_wrap(stream, says, column);
}

static void help_examples(FILE *stream, const cli_command *command)
{
    size_t column = 0;
    for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i].line; i++) {
        size_t length = strlen(command->examples[i].line) + 4;
        column = length > column && length <= 50 ? length : column;
    }
    help_heading(stream, "Examples");
    for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i].line; i++)
        help_pair(stream, command->examples[i].line, command->examples[i].says, column);
}

/* "-q, --quiet", "    --input JSON|@FILE|-" */
static void option_label(const cli_option *option, char label[HELP_NAME_SIZE])
{
    char letter[5] = "    ";
    if (option->letter)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(label, HELP_NAME_SIZE, "%s--%s%s%s", letter, option->name, option->argument ? " " : "",
             option->argument ? option->argument : "");
}

static void help_options(FILE *stream, const char *title, cli_options options)
{
    char label[HELP_NAME_SIZE];
    if (!options)
        return;
    help_heading(stream, title);
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = cli_option_get((cli_option_id)id);
        if (!(options >> id & 1) || option->hidden)
            continue;
        option_label(option, label);
        help_pair(stream, label, option->help, 30);
    }
}

static void help_exits(FILE *stream)
{
    size_t count;
    const cli_exit_row *rows = cli_exit_rows(&count);
    help_heading(stream, "Exit codes");
    for (size_t i = 0; i < count; i++) {
        char status[12];
        snprintf(status, sizeof(status), "%3d", (int)rows[i].status);
        help_pair(stream, status, rows[i].meaning, 8);
    }
}

void cli_help_overview(FILE *stream)
{
    const cli_command *command;
    fprintf(stream, "%sstepwell%s %s: durable workflows in one file\n", cli_style_on(CLI_BOLD),
            cli_style_off(CLI_BOLD), sw_version());
    help_heading(stream, "Examples");
    help_pair(stream, "stepwell run nightly.yml", "run a workflow and watch it", 38);
    help_pair(stream, "stepwell run --resume", "go on after Ctrl-C or a crash", 38);
    help_pair(stream, "stepwell show", "the newest task, step by step", 38);
    help_pair(stream, "stepwell explain", "why it does not go on", 38);
    help_pair(stream, "stepwell whatif", "when it ends, and what would change that", 38);
    help_heading(stream, "Commands");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        help_pair(stream, command->name, command->summary, 18);
    help_options(stream, "Options of every command", CLI_COMMON | CLI_BIT(DB));
    help_exits(stream);
    fputs("\n`stepwell help COMMAND` shows its options.\n", stream);
}

void cli_help_command(const cli_command *command)
{
    help_wrap(stdout, command->summary, 0);
    help_examples(stdout, command);
    help_heading(stdout, "Usage");
    for (size_t i = 0; i < CLI_USAGES_MAX && command->usages[i]; i++)
        printf("  stepwell %s %s\n", command->name, command->usages[i]);
    if (command->about) {
        printf("\n");
        help_wrap(stdout, command->about, 0);
    }
    help_options(stdout, "Options", command->options & ~CLI_COMMON & ~CLI_BIT(DB));
    help_options(stdout, "Options of every command", command->options & (CLI_COMMON | CLI_BIT(DB)));
}

static void markdown_options(cli_options options)
{
    printf("\n| option | |\n|---|---|\n");
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = cli_option_get((cli_option_id)id);
        char label[HELP_NAME_SIZE];
        if (!(options >> id & 1) || option->hidden)
            continue;
        option_label(option, label);
        printf("| `");
        for (const char *c = label + strspn(label, " "); *c; c++)
            printf(*c == '|' ? "\\|" : "%c", *c);
        printf("` | %s |\n", option->help);
    }
}

static void markdown_command(const cli_command *command)
{
    printf("\n## stepwell %s\n\n%s.\n\n```console\n", command->name, command->summary);
    for (size_t i = 0; i < CLI_EXAMPLES_MAX && command->examples[i].line; i++)
        printf("$ %-44s # %s\n", command->examples[i].line, command->examples[i].says);
    printf("```\n\nUsage:");
    for (size_t i = 0; i < CLI_USAGES_MAX && command->usages[i]; i++)
        printf("%s `stepwell %s %s`", i == 0 ? "" : " or", command->name, command->usages[i]);
    printf("\n");
    if (command->about)
        printf("\n%s\n", command->about);
    if (command->options & ~CLI_COMMON & ~CLI_BIT(DB) & ~CLI_BIT(MARKDOWN))
        markdown_options(command->options & ~CLI_COMMON & ~CLI_BIT(DB));
}

void cli_help_markdown(void)
{
    size_t count;
    const cli_command *command;
    printf("# The stepwell command\n\nGenerated by `stepwell help --markdown`; a test compares "
           "it with the program.\n\n| command | |\n|---|---|\n");
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        printf("| `%s` | %s |\n", command->name, command->summary);
    printf("\nOptions of every command (`--db` of those that use a database):\n");
    markdown_options(CLI_COMMON | CLI_BIT(DB));
    printf("\n| exit code | |\n|---|---|\n");
    const cli_exit_row *rows = cli_exit_rows(&count);
    for (size_t i = 0; i < count; i++)
        printf("| %d | %s |\n", (int)rows[i].status, rows[i].meaning);
    printf("\n| environment | |\n|---|---|\n");
    for (size_t i = 0; i < sizeof(help_environment) / sizeof(help_environment[0]); i++)
        printf("| `%s` | %s |\n", help_environment[i].line, help_environment[i].says);
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        markdown_command(command);
}

int cli_command_help(const cli_call *call)
{
    size_t words = 0;
    if (cli_given(call, CLI_OPTION_MARKDOWN)) {
        cli_help_markdown();
        return CLI_EXIT_OK;
    }
    if (call->argument_count == 0) {
        cli_help_overview(stdout);
        return CLI_EXIT_OK;
    }
    const cli_command *command = cli_command_find(call->argument_count, call->arguments, &words);
    if (!command)
        return cli_command_unknown((int)call->argument_count, call->arguments);
    cli_help_command(command);
    return CLI_EXIT_OK;
}

int cli_command_version(const cli_call *call)
{
    (void)call;
    if (cli_out()->json) {
        cli_json json = cli_json_begin(stdout);
        cli_json_text(&json, "version", sw_version());
        cli_json_end(&json);
    } else {
        printf("stepwell %s\n", sw_version());
    }
    return CLI_EXIT_OK;
}
