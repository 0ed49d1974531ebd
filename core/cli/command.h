/* The command table: what commands, options and exit codes there are.
 *
 * Parsing, help, usage errors and docs/reference/cli.md all come from it. Not here: what a command
 * does (one file per command).
 */
#ifndef STEPWELL_CLI_COMMAND_H
#define STEPWELL_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <stepwell.h>

/* XX(name, status, slug, meaning) */
#define CLI_EXIT_MAP(XX)                                                                           \
    XX(OK, 0, "ok", "done")                                                                        \
    XX(FAILED, 1, "failed",                                                                        \
       "the task failed: a step failed for good, and its failure is not allowed")                  \
    XX(USAGE, 2, "usage", "the command line or the input is wrong")                                \
    XX(DEFINITION, 3, "definition", "the workflow definition is invalid")                          \
    XX(REFUSED, 4, "refused", "refused: by policy, or because the state does not allow it")        \
    XX(CANCELLED, 5, "cancelled", "the task was cancelled")                                        \
    XX(AUDIT, 6, "audit", "the audit log does not verify")                                         \
    XX(NOT_FOUND, 7, "not_found", "no such file, database, task or step")                          \
    XX(STORAGE, 8, "storage",                                                                      \
       "the database or a file cannot be used: busy, full, damaged, denied")                       \
    XX(TIMEOUT, 124, "timeout", "--timeout has expired; the task goes on when it is resumed")      \
    XX(INTERRUPTED, 130, "interrupted", "stopped by Ctrl-C or SIGTERM; the task can be resumed")

typedef enum cli_exit {
#define CLI_EXIT_VALUE(name, status, slug, meaning) CLI_EXIT_##name = status,
    CLI_EXIT_MAP(CLI_EXIT_VALUE)
#undef CLI_EXIT_VALUE
} cli_exit;

typedef struct cli_exit_row {
    cli_exit status;
    const char *slug;
    const char *meaning;
} cli_exit_row;

typedef enum cli_option_kind {
    CLI_FLAG,
    CLI_TEXT,
    CLI_NUMBER, /* a whole number in [minimum, maximum] */
    CLI_CHOICE, /* one of choices */
    CLI_LIST    /* may be given more than once */
} cli_option_kind;

/* Every option has one meaning in all commands that take it. Help shows them in this order. */
typedef enum cli_option_id {
    CLI_OPTION_RESUME,
    CLI_OPTION_INPUT,
    CLI_OPTION_KEY,
    CLI_OPTION_DEADLINE,
    CLI_OPTION_RULE,
    CLI_OPTION_TO,
    CLI_OPTION_PARTIAL,
    CLI_OPTION_FOR,
    CLI_OPTION_REASON,
    CLI_OPTION_ACTOR,
    CLI_OPTION_STATE,
    CLI_OPTION_RESULT,
    CLI_OPTION_ALL,
    CLI_OPTION_WORKFLOW,
    CLI_OPTION_HANDLER,
    CLI_OPTION_STEP,
    CLI_OPTION_ERROR_CLASS,
    CLI_OPTION_TAG,
    CLI_OPTION_CORRELATION_ID,
    CLI_OPTION_PARENT,
    CLI_OPTION_OLDER_THAN,
    CLI_OPTION_SINCE,
    CLI_OPTION_UNTIL,
    CLI_OPTION_AFTER,
    CLI_OPTION_LIMIT,
    CLI_OPTION_FAIL,
    CLI_OPTION_SLOWER,
    CLI_OPTION_SKIP,
    CLI_OPTION_RESOLVE,
    CLI_OPTION_MORE_WORKERS,
    CLI_OPTION_RESOURCE,
    CLI_OPTION_CALIBRATION,
    CLI_OPTION_TIMEOUT,
    CLI_OPTION_THREADS,
    CLI_OPTION_ROOT,
    CLI_OPTION_QUEUE,
    CLI_OPTION_LEASE_SECONDS,
    CLI_OPTION_NAME,
    CLI_OPTION_DURABILITY,
    CLI_OPTION_DETACH,
    CLI_OPTION_DRY_RUN,
    CLI_OPTION_FORMAT,
    CLI_OPTION_OUTPUT,
    CLI_OPTION_DIRECTION,
    CLI_OPTION_CRITICAL,
    CLI_OPTION_SLACK,
    CLI_OPTION_REDUNDANT,
    CLI_OPTION_SVG,
    CLI_OPTION_DURATION,
    CLI_OPTION_DURATIONS,
    CLI_OPTION_WORKERS,
    CLI_OPTION_IMPACT,
    CLI_OPTION_COMMON,
    CLI_OPTION_FROM,
    CLI_OPTION_DIFF,
    CLI_OPTION_STRICT,
    CLI_OPTION_SIGNER,
    CLI_OPTION_CHECKPOINT,
    CLI_OPTION_VKEY,
    CLI_OPTION_ANCHOR,
    CLI_OPTION_ENTRY,
    CLI_OPTION_EXPORT,
    CLI_OPTION_JOBS,
    CLI_OPTION_KIND,
    CLI_OPTION_OUTCOME,
    CLI_OPTION_AS,
    CLI_OPTION_STANDARD,
    CLI_OPTION_LIST,
    CLI_OPTION_SIGNATURE,
    CLI_OPTION_QUICK,
    CLI_OPTION_MARKDOWN,
    CLI_OPTION_FILE,
    CLI_OPTION_AT_ENTRY,
    CLI_OPTION_DATA,
    CLI_OPTION_EXPECT,
    CLI_OPTION_TYPE,
    CLI_OPTION_FOLLOW,
    CLI_OPTION_POSITION,
    CLI_OPTION_DB,
    CLI_OPTION_JSON,
    CLI_OPTION_QUIET,
    CLI_OPTION_NO_COLOR,
    CLI_OPTION_HELP,
    CLI_OPTION_VERSION,
    CLI_OPTION_COUNT
} cli_option_id;

/* A set of options; there are more of them than 64 bits. */
__extension__ typedef unsigned __int128 cli_options;

#define CLI_BIT(id) ((cli_options)1 << CLI_OPTION_##id)
_Static_assert(CLI_OPTION_COUNT <= 128, "the options of a command are bits of one number");

/* Options that every command takes. */
#define CLI_COMMON (CLI_BIT(JSON) | CLI_BIT(QUIET) | CLI_BIT(NO_COLOR) | CLI_BIT(HELP))
#define CLI_DB_COMMON (CLI_COMMON | CLI_BIT(DB))
/* And those that look at a task, wherever it is. */
#define CLI_TASK_COMMON (CLI_DB_COMMON | CLI_BIT(FILE) | CLI_BIT(AT_ENTRY))

typedef struct cli_option {
    const char *name;
    const char *argument; /* how help calls the value, NULL for a flag */
    const char *help;
    const char *choices; /* "strict|relaxed" */
    int64_t minimum;
    int64_t maximum;
    cli_option_kind kind;
    char letter; /* 0 when it has no short form */
    bool hidden; /* not in help */
} cli_option;

/* What was given for one option. */
typedef struct cli_value {
    const char *text;
    int64_t number;
    const char **items;
    size_t item_count;
    bool given;
} cli_value;

typedef struct cli_command cli_command;

/* One command line, parsed. */
typedef struct cli_call {
    const cli_command *command;
    cli_value values[CLI_OPTION_COUNT];
    char **arguments;
    size_t argument_count;
} cli_call;

typedef struct cli_example {
    const char *line;
    const char *says;
} cli_example;

#define CLI_EXAMPLES_MAX 6
#define CLI_USAGES_MAX 2
#define CLI_MANY SIZE_MAX

struct cli_command {
    const char *name; /* one or two words */
    const char *summary;
    const char *about;                  /* more about it, NULL when the summary says it all */
    const char *usages[CLI_USAGES_MAX]; /* what follows the name */
    cli_example examples[CLI_EXAMPLES_MAX];
    const char *arguments[2]; /* names of the arguments, for messages */
    size_t argument_min;
    size_t argument_max;
    cli_options options;
    int (*run)(const cli_call *call);
};

/* The table: the command of a number from 0 on, in the order of help; NULL after the last. */
const cli_command *cli_command_at(size_t number);
const cli_command *cli_audit_commands(size_t *count);
const cli_command *cli_task_commands(size_t *count);
const cli_command *cli_event_commands(size_t *count);
const cli_option *cli_option_get(cli_option_id id);
const cli_exit_row *cli_exit_rows(size_t *count);
const cli_exit_row *cli_exit_get(cli_exit status);

/* The command named by the first words of argv, NULL when there is none; *words of argv are its
 * name. */
const cli_command *cli_command_find(size_t count, char **argv, size_t *words);

/* Parse options and arguments, argv[0] not being looked at, into a call that may hold values of an
 * earlier parse. options are the ones that are known here. With first_word the parse ends at the
 * first argument and *used is its index. 0 or the exit status of an error that is printed. */
int cli_call_parse(cli_call *call, cli_options options, bool first_word, int argc, char **argv,
                   int *used);

/* Check what was parsed against call->command: options that do not apply, number of arguments. */
int cli_call_check(const cli_call *call);
void cli_call_free(cli_call *call);

/* Whether an option was given, and its number or the default. */
bool cli_given(const cli_call *call, cli_option_id id);
int64_t cli_number(const cli_call *call, cli_option_id id, int64_t otherwise);

/* Read an option that is a time into *out, which keeps its value when it is not given; an exit
 * status. */
int cli_time_option(const cli_call *call, cli_option_id id, int64_t now_us, int64_t *out);

/* The same for one that is the number of an entry of the log, which is the position of an event. */
int cli_entry_option(const cli_call *call, cli_option_id id, int64_t *out);

/* Print the error for words that name no command; an exit status. */
int cli_command_unknown(int argc, char **argv);

/* The name in names that text probably means, NULL when none is near. */
const char *cli_suggest(const char *text, const char *const *names, size_t count);

/* Help: all commands, one command, or everything as Markdown. */
void cli_help_overview(FILE *stream);
void cli_help_command(const cli_command *command);
void cli_help_markdown(void);

/* The commands, each in its own file; they return an exit status. */
int cli_command_run(const cli_call *call);
int cli_command_validate(const cli_call *call);
int cli_command_plan(const cli_call *call);
int cli_command_graph(const cli_call *call);
int cli_command_gantt(const cli_call *call);
int cli_command_analyze(const cli_call *call);
int cli_command_list(const cli_call *call);
int cli_command_show(const cli_call *call);
int cli_command_context(const cli_call *call);
int cli_command_readiness(const cli_call *call);
int cli_command_explain(const cli_call *call);
int cli_command_override(const cli_call *call);
int cli_command_breaker_list(const cli_call *call);
int cli_command_breaker_open(const cli_call *call);
int cli_command_breaker_close(const cli_call *call);
int cli_command_dead_list(const cli_call *call);
int cli_command_dead_retry(const cli_call *call);
int cli_command_dead_resolve(const cli_call *call);
int cli_command_whatif(const cli_call *call);
int cli_command_cancel(const cli_call *call);
int cli_command_prune(const cli_call *call);
int cli_command_erase(const cli_call *call);
int cli_command_worker(const cli_call *call);
int cli_command_audit_keygen(const cli_call *call);
int cli_command_audit_seal(const cli_call *call);
int cli_command_audit_anchor(const cli_call *call);
int cli_command_audit_rotate(const cli_call *call);
int cli_command_audit_verify(const cli_call *call);
int cli_command_audit_prove(const cli_call *call);
int cli_command_audit_check(const cli_call *call);
int cli_command_audit_export(const cli_call *call);
int cli_command_audit_list(const cli_call *call);
int cli_command_audit_stats(const cli_call *call);
int cli_command_task_export(const cli_call *call);
int cli_command_task_verify(const cli_call *call);
int cli_command_audit_report(const cli_call *call);
int cli_command_event_append(const cli_call *call);
int cli_command_event_list(const cli_call *call);
int cli_command_event_replay(const cli_call *call);
int cli_command_event_projections(const cli_call *call);
int cli_command_version(const cli_call *call);
int cli_command_help(const cli_call *call);

#endif
