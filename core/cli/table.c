/* The table of commands, options and exit codes. To add a command: a row here, a file beside. */
#include <string.h>

#include "command.h"

#define CLI_CHOICE_TEXT(name, value, text) text "|"
#define CLI_DB_COMMON (CLI_COMMON | CLI_BIT(DB))
/* What chooses dead letters. */
#define CLI_DEAD                                                                                   \
    (CLI_DB_COMMON | CLI_BIT(WORKFLOW) | CLI_BIT(HANDLER) | CLI_BIT(STEP) | CLI_BIT(ERROR_CLASS) | \
     CLI_BIT(SINCE) | CLI_BIT(UNTIL))

/* What chooses entries of the audit log. */
#define CLI_ENTRIES                                                                                \
    (CLI_DB_COMMON | CLI_BIT(SINCE) | CLI_BIT(UNTIL) | CLI_BIT(ACTOR) | CLI_BIT(STEP) |            \
     CLI_BIT(KIND) | CLI_BIT(OUTCOME) | CLI_BIT(CORRELATION_ID) | CLI_BIT(AFTER))

static const cli_option option_table[CLI_OPTION_COUNT] = {
    [CLI_OPTION_RESUME] = {.name = "resume",
                           .help = "continue an unfinished task: the named one, or the newest"},
    [CLI_OPTION_INPUT] = {.name = "input",
                          .argument = "JSON|@FILE|-",
                          .kind = CLI_TEXT,
                          .help = "input of the task: JSON text, a file, or standard input"},
    [CLI_OPTION_KEY] = {.name = "key",
                        .argument = "KEY",
                        .kind = CLI_TEXT,
                        .help = "idempotency key: a second run with it follows the first task"},
    [CLI_OPTION_DEADLINE] = {.name = "deadline",
                             .argument = "TIME",
                             .kind = CLI_TEXT,
                             .help = "fail the task unless it has ended by then: 90s, 15m, 2h, 7d "
                                     "from now, or a time, written like --since of list"},
    [CLI_OPTION_TO] = {.name = "to",
                       .argument = "STATE",
                       .kind = CLI_CHOICE,
                       .choices = "pending|ready|skipped|cancelled|resolved|",
                       .help = "the state to bring steps into"},
    [CLI_OPTION_PARTIAL] = {.name = "partial",
                            .help = "change the steps that can be changed; without it, all or "
                                    "none"},
    [CLI_OPTION_FOR] = {.name = "for",
                        .argument = "SECONDS",
                        .kind = CLI_NUMBER,
                        .minimum = 1,
                        .maximum = 31536000,
                        .help = "so long (default: until it is closed by hand)"},
    [CLI_OPTION_REASON] = {.name = "reason",
                           .argument = "TEXT",
                           .kind = CLI_TEXT,
                           .help = "why, for the audit log"},
    [CLI_OPTION_ACTOR] = {.name = "actor",
                          .argument = "NAME",
                          .kind = CLI_TEXT,
                          .help = "who, for the audit log (default: $USER); audit list and "
                                  "stats: only what they did"},
    [CLI_OPTION_STATE] = {.name = "state",
                          .argument = "STATE",
                          .kind = CLI_CHOICE,
                          .choices = SW_TASK_STATE_MAP(CLI_CHOICE_TEXT),
                          .help = "only tasks in this state"},
    [CLI_OPTION_RESULT] = {.name = "result",
                           .argument = "JSON",
                           .kind = CLI_TEXT,
                           .help = "result of a resolved step, which its dependents read"},
    [CLI_OPTION_ALL] = {.name = "all", .help = "all there are, without another choice"},
    [CLI_OPTION_WORKFLOW] = {.name = "workflow",
                             .argument = "NAME",
                             .kind = CLI_TEXT,
                             .help = "only tasks of this workflow"},
    [CLI_OPTION_HANDLER] = {.name = "handler",
                            .argument = "NAME",
                            .kind = CLI_TEXT,
                            .help = "only steps with this handler"},
    [CLI_OPTION_STEP] = {.name = "step",
                         .argument = "NAME",
                         .kind = CLI_TEXT,
                         .help = "only what is about steps of this name"},
    [CLI_OPTION_ERROR_CLASS] = {.name = "error-class",
                                .argument = "NAME",
                                .kind = CLI_TEXT,
                                .help = "only steps whose last attempt failed so"},
    [CLI_OPTION_TAG] = {.name = "tag",
                        .argument = "TAG",
                        .kind = CLI_LIST,
                        .help = "a tag of the task; run takes several, list looks for one"},
    [CLI_OPTION_CORRELATION_ID] = {.name = "correlation-id",
                                   .argument = "ID",
                                   .kind = CLI_TEXT,
                                   .help = "only tasks of the request with this id"},
    [CLI_OPTION_OLDER_THAN] = {.name = "older-than",
                               .argument = "AGE",
                               .kind = CLI_TEXT,
                               .help = "only tasks that ended so long ago: 90s, 15m, 2h, 7d; or "
                                       "before a time, written like --since of list"},
    [CLI_OPTION_SINCE] = {.name = "since",
                          .argument = "TIME",
                          .kind = CLI_TEXT,
                          .help = "only tasks created (dead letters: failed; entries: written) "
                                  "then or later: 2026-01-31, "
                                  "2026-01-31T13:05:09 (local, with Z behind it UTC), or 90s, 15m, "
                                  "2h, 7d ago"},
    [CLI_OPTION_UNTIL] =
        {.name = "until",
         .argument = "TIME",
         .kind = CLI_TEXT,
         .help = "only tasks created (dead letters: failed; entries: written) before then, written "
                 "like --since"},
    [CLI_OPTION_AFTER] = {.name = "after",
                          .argument = "TASK|ENTRY",
                          .kind = CLI_TEXT,
                          .help = "the next page: only what comes after this one in the list"},
    [CLI_OPTION_LIMIT] = {.name = "limit",
                          .argument = "N",
                          .kind = CLI_NUMBER,
                          .minimum = 1,
                          .maximum = 10000,
                          .help = "at most so many (lists: 20 when it is not given)"},
    [CLI_OPTION_FAIL] = {.name = "fail",
                         .argument = "STEP",
                         .kind = CLI_LIST,
                         .help = "the step fails for good when it would have ended; may be given "
                                 "more than once, as --slower, --skip and --resource may"},
    [CLI_OPTION_SLOWER] = {.name = "slower",
                           .argument = "STEP=FACTOR",
                           .kind = CLI_LIST,
                           .help = "the step takes so many times as long; below 1: it is faster"},
    [CLI_OPTION_SKIP] = {.name = "skip",
                         .argument = "STEP",
                         .kind = CLI_LIST,
                         .help = "the step is skipped now, as an operator would"},
    [CLI_OPTION_RESOLVE] = {.name = "resolve",
                            .argument = "STEP",
                            .kind = CLI_LIST,
                            .help = "the step is resolved now; those after it go on"},
    [CLI_OPTION_MORE_WORKERS] = {.name = "more-workers",
                                 .argument = "N",
                                 .kind = CLI_NUMBER,
                                 .minimum = -1000000,
                                 .maximum = 1000000,
                                 .help =
                                     "so many more steps run at once than now; may be negative"},
    [CLI_OPTION_RESOURCE] = {.name = "resource",
                             .argument = "SEATS=STEP,...",
                             .kind = CLI_LIST,
                             .help = "at most so many of these steps run at once"},
    [CLI_OPTION_CALIBRATION] = {.name = "calibration",
                                .help = "say how good forecasts of earlier tasks would have been, "
                                        "and nothing else"},
    [CLI_OPTION_TIMEOUT] = {.name = "timeout",
                            .argument = "SECONDS",
                            .kind = CLI_NUMBER,
                            .minimum = 1,
                            .maximum = 31536000,
                            .help = "stop watching and working after so long; exit code 124"},
    [CLI_OPTION_THREADS] = {.name = "threads",
                            .argument = "N",
                            .kind = CLI_NUMBER,
                            .minimum = 1,
                            .maximum = 256,
                            .help = "steps at once in this process (default: 4)"},
    [CLI_OPTION_ROOT] = {.name = "root",
                         .argument = "DIR",
                         .kind = CLI_TEXT,
                         .help = "directory of file steps and commands (default: the current "
                                 "one); file steps cannot leave it"},
    [CLI_OPTION_QUEUE] = {.name = "queue",
                          .argument = "NAME",
                          .kind = CLI_LIST,
                          .help = "only steps of this queue; may be given more than once"},
    [CLI_OPTION_LEASE_SECONDS] = {.name = "lease-seconds",
                                  .argument = "N",
                                  .kind = CLI_NUMBER,
                                  .minimum = 1,
                                  .maximum = 86400,
                                  .help = "steps of a worker that gives no sign of life for so "
                                          "long are done again elsewhere (default: 15)"},
    [CLI_OPTION_NAME] = {.name = "name",
                         .argument = "NAME",
                         .kind = CLI_TEXT,
                         .help = "name of the worker, for people (default: pid@host)"},
    [CLI_OPTION_DURABILITY] = {.name = "durability",
                               .argument = "MODE",
                               .kind = CLI_CHOICE,
                               .choices = "strict|relaxed|",
                               .help = "strict: on disk when acknowledged (default); relaxed: a "
                                       "power loss may take the last commits"},
    [CLI_OPTION_DETACH] = {.name = "detach",
                           .help = "only submit, print the task id; workers do the steps"},
    [CLI_OPTION_DRY_RUN] = {.name = "dry-run",
                            .letter = 'n',
                            .help =
                                "show what would be done (run: as `plan` does), and do nothing"},
    [CLI_OPTION_FORMAT] = {.name = "format",
                           .argument = "FORMAT",
                           .kind = CLI_CHOICE,
                           .choices = SW_PICTURE_FORMAT_MAP(CLI_CHOICE_TEXT),
                           .help = "svg, mermaid, dot, json or text (default: by the name of "
                                   "--output, else text)"},
    [CLI_OPTION_OUTPUT] = {.name = "output",
                           .argument = "FILE",
                           .kind = CLI_TEXT,
                           .letter = 'o',
                           .help = "write to a file instead of standard output"},
    [CLI_OPTION_DIRECTION] = {.name = "direction",
                              .argument = "DIRECTION",
                              .kind = CLI_CHOICE,
                              .choices = "down|right|",
                              .help = "where dependents stand (default: as fits a screen)"},
    [CLI_OPTION_CRITICAL] = {.name = "critical",
                             .help = "mark the path that takes longest: by measured times of "
                                     "steps that have ended, by --durations of the others"},
    [CLI_OPTION_SLACK] = {.name = "slack",
                          .help = "show how long each step takes, and how much later it may end "
                                  "without delaying the end"},
    [CLI_OPTION_REDUNDANT] = {.name = "redundant",
                              .help = "mark dependencies that follow from others"},
    [CLI_OPTION_SVG] = {.name = "svg", .help = "as SVG instead of text"},
    [CLI_OPTION_DURATION] = {.name = "duration",
                             .argument = "STEP=SECONDS",
                             .kind = CLI_LIST,
                             .help = "how long a step takes, whatever --durations says; may be "
                                     "given more than once"},
    [CLI_OPTION_DURATIONS] = {.name = "durations",
                              .argument = "FROM",
                              .kind = CLI_TEXT,
                              .help = "how long steps take: declared (the timeout, else a second; "
                                      "default for files), p50 or p95 of earlier tasks in the "
                                      "database, or a file with lines STEP=SECONDS"},
    [CLI_OPTION_WORKERS] = {.name = "workers",
                            .argument = "N",
                            .kind = CLI_NUMBER,
                            .minimum = 1,
                            .maximum = 1000000,
                            .help = "when so many steps run at once"},
    [CLI_OPTION_IMPACT] = {.name = "impact",
                           .argument = "STEP",
                           .kind = CLI_TEXT,
                           .help = "say which steps cannot run if this one fails"},
    [CLI_OPTION_DIFF] = {.name = "diff",
                         .argument = "FILE",
                         .kind = CLI_TEXT,
                         .help = "say what differs in another file"},
    [CLI_OPTION_STRICT] = {.name = "strict", .help = "an unknown key is an error, not a warning"},
    [CLI_OPTION_SIGNER] = {.name = "signer",
                           .argument = "FILE",
                           .kind = CLI_TEXT,
                           .help = "the secret key; FILE.state beside it says what it signed last"},
    [CLI_OPTION_CHECKPOINT] = {.name = "checkpoint",
                               .argument = "FILE",
                               .kind = CLI_LIST,
                               .help = "a signed checkpoint that was kept; may be given several "
                                       "times"},
    [CLI_OPTION_VKEY] = {.name = "vkey",
                         .argument = "KEY|@FILE",
                         .kind = CLI_LIST,
                         .help = "the key that checkpoints must be signed by, or a file with one "
                                 "in each line"},
    [CLI_OPTION_ANCHOR] =
        {.name = "anchor",
         .argument = "PLACE",
         .kind = CLI_LIST,
         .help = "where a checkpoint lies outside: file:PATH, db:PATH, git:DIR, syslog: or "
                 "the address of a witness; may be given several times"},
    [CLI_OPTION_ENTRY] = {.name = "entry",
                          .argument = "N",
                          .kind = CLI_LIST,
                          .help = "the number of an entry; may be given several times"},
    [CLI_OPTION_EXPORT] = {.name = "export",
                           .argument = "DIR",
                           .kind = CLI_TEXT,
                           .help = "a folder of audit export, instead of a database"},
    [CLI_OPTION_KIND] = {.name = "kind",
                         .argument = "KIND",
                         .kind = CLI_CHOICE,
                         .choices = SW_AUDIT_KIND_MAP(CLI_CHOICE_TEXT),
                         .help = "only entries of this kind: step_changed, task_submitted, ..."},
    [CLI_OPTION_OUTCOME] = {.name = "outcome",
                            .argument = "STATE",
                            .kind = CLI_TEXT,
                            .help = "only entries that brought a step or task into this state"},
    [CLI_OPTION_AS] = {.name = "as",
                       .argument = "FORMAT",
                       .kind = CLI_CHOICE,
                       .choices = SW_AUDIT_FORMAT_MAP(CLI_CHOICE_TEXT),
                       .help = "jsonl, yaml or csv, for other programs; all entries that match"},
    [CLI_OPTION_QUICK] = {.name = "quick",
                          .help = "do not rewrite the database file; copies of what was erased may "
                                  "remain in unused room of it"},
    [CLI_OPTION_MARKDOWN] = {.name = "markdown",
                             .hidden = true,
                             .help = "the whole reference as Markdown"},
    [CLI_OPTION_DB] = {.name = "db",
                       .argument = "PATH",
                       .kind = CLI_TEXT,
                       .help = "the database (default: $STEPWELL_DB, else ./stepwell.db); "
                               "memory: keeps nothing"},
    [CLI_OPTION_JSON] = {.name = "json",
                         .help = "machine-readable output, one JSON object per line; errors are "
                                 "RFC 9457 objects on stderr"},
    [CLI_OPTION_QUIET] = {.name = "quiet", .letter = 'q', .help = "print errors only"},
    [CLI_OPTION_NO_COLOR] = {.name = "no-color", .help = "no colours (also: NO_COLOR, TERM=dumb)"},
    [CLI_OPTION_HELP] = {.name = "help", .letter = 'h', .help = "show help"},
    [CLI_OPTION_VERSION] = {.name = "version", .hidden = true, .help = "show the version"},
};

static const cli_command command_table[] = {
    {.name = "run",
     .summary = "Run a workflow file and watch it until it has ended",
     .about =
         "Loads the file, stores it, submits a task and does its steps of built-in kinds in "
         "this process. Steps with handlers of an application (names with a dot) are done by "
         "its workers on the same database. Ctrl-C stops cleanly: running commands are killed, "
         "their steps given back; nothing that was done is done again on --resume.",
     .usages = {"FILE [options]", "--resume [TASK] [options]"},
     .examples = {{"stepwell run nightly.yml", "run it; a live table on a terminal"},
                  {"stepwell run nightly.yml --input '{\"day\": 31}'", "with an input"},
                  {"stepwell run order.yml --key order-42", "once, however often it is typed"},
                  {"stepwell run --resume", "go on after Ctrl-C, a crash or kill -9"},
                  {"stepwell run nightly.yml --json | jq .event", "events, one per line"}},
     .arguments = {"FILE"},
     .argument_min = 0,
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(RESUME) | CLI_BIT(INPUT) | CLI_BIT(KEY) | CLI_BIT(REASON) |
                CLI_BIT(DEADLINE) | CLI_BIT(TAG) | CLI_BIT(TIMEOUT) | CLI_BIT(THREADS) |
                CLI_BIT(ROOT) | CLI_BIT(LEASE_SECONDS) | CLI_BIT(DURABILITY) | CLI_BIT(DETACH) |
                CLI_BIT(DRY_RUN) | CLI_BIT(STRICT),
     .run = cli_command_run},
    {.name = "validate",
     .summary = "Check workflow files without running anything",
     .about = "Prints every finding as file:line:column. A file that is - is standard input.",
     .usages = {"FILE... [options]"},
     .examples = {{"stepwell validate nightly.yml", "check one file"},
                  {"stepwell validate --strict *.yml", "unknown keys are errors, too"},
                  {"stepwell validate nightly.yml --json", "findings for an editor or CI"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = CLI_MANY,
     .options = CLI_COMMON | CLI_BIT(STRICT),
     .run = cli_command_validate},
    {.name = "plan",
     .summary = "Show in which order the steps of a file would run",
     .about = "Steps of one level may run at the same time; a level begins when what its steps "
              "depend on is done.",
     .usages = {"FILE [options]"},
     .examples = {{"stepwell plan nightly.yml", "levels, limits, who handles what"},
                  {"stepwell plan nightly.yml --json", "the same for programs"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_COMMON | CLI_BIT(STRICT),
     .run = cli_command_plan},
    {.name = "graph",
     .summary = "Draw the steps of a file or task and what depends on what",
     .about = "TASK is an id or the beginning of one; its steps are drawn in the states they are "
              "in. Without FILE or TASK, the newest task.",
     .usages = {"FILE [options]", "[TASK] [options]"},
     .examples = {{"stepwell graph nightly.yml", "on the terminal"},
                  {"stepwell graph nightly.yml -o plan.svg", "for a page, light or dark"},
                  {"stepwell graph --critical --svg >run.svg", "the newest task as it stands"},
                  {"stepwell graph nightly.yml --format mermaid", "for Markdown"},
                  {"stepwell graph nightly.yml --slack --durations p95", "as slow as it has been"},
                  {"stepwell graph 01926f3a-1c2d --json", "states and coordinates"}},
     .arguments = {"FILE"},
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(FORMAT) | CLI_BIT(SVG) | CLI_BIT(OUTPUT) |
                CLI_BIT(DIRECTION) | CLI_BIT(CRITICAL) | CLI_BIT(SLACK) | CLI_BIT(REDUNDANT) |
                CLI_BIT(DURATION) | CLI_BIT(DURATIONS) | CLI_BIT(STRICT),
     .run = cli_command_graph},
    {.name = "gantt",
     .summary = "Draw when the attempts of a task ran",
     .about = "TASK is an id or the beginning of one; without it, the newest task. Bars begin when "
              "a worker took the step; the time it was ready before is drawn faintly.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell gantt", "the newest task on the terminal"},
                  {"stepwell gantt 01926f3a-1c2d --svg >run.svg", "for a page"},
                  {"stepwell gantt --json", "the attempts for programs"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(SVG) | CLI_BIT(OUTPUT),
     .run = cli_command_gantt},
    {.name = "analyze",
     .summary = "Find the critical path, the bottlenecks and the slack of a workflow",
     .about = "WORKFLOW is the name of one in the database. A step takes what --duration or "
              "--durations says, else its timeout, else a second.",
     .usages = {"FILE [options]", "WORKFLOW [options]"},
     .examples = {{"stepwell analyze nightly.yml", "what decides how long it takes"},
                  {"stepwell analyze nightly.yml --duration sum=90 --workers 2", "and with two"},
                  {"stepwell analyze nightly --durations p50", "by what its tasks have taken"},
                  {"stepwell analyze nightly --impact fetch", "who is blocked if a step fails"},
                  {"stepwell analyze nightly.yml --diff new.yml", "what another version changes"},
                  {"stepwell analyze nightly.yml --json | jq .critical_path", "for programs"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(DURATION) | CLI_BIT(DURATIONS) | CLI_BIT(WORKERS) |
                CLI_BIT(IMPACT) | CLI_BIT(DIFF) | CLI_BIT(STRICT),
     .run = cli_command_analyze},
    {.name = "list",
     .summary = "List tasks, newest first",
     .usages = {"[options]"},
     .examples = {{"stepwell list", "the newest tasks and how many there are"},
                  {"stepwell list --state failed --limit 100", "what has failed"},
                  {"stepwell list --since 2h", "what was started in the last two hours"},
                  {"stepwell list --workflow nightly --tag eu --json", "for programs"}},
     .options = CLI_DB_COMMON | CLI_BIT(STATE) | CLI_BIT(WORKFLOW) | CLI_BIT(TAG) |
                CLI_BIT(CORRELATION_ID) | CLI_BIT(SINCE) | CLI_BIT(UNTIL) | CLI_BIT(AFTER) |
                CLI_BIT(LIMIT),
     .run = cli_command_list},
    {.name = "show",
     .summary = "Show one task: its steps, attempts, timeline and results",
     .about = "TASK is an id or the beginning of one; without it, the newest task.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell show", "the newest task"},
                  {"stepwell show 01926f3a-1c2d", "by the beginning of its id"},
                  {"stepwell show --json | jq '.steps[].result'", "results in full"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON,
     .run = cli_command_show},
    {.name = "context",
     .summary = "Say where a task stands, what blocks it and what comes next",
     .about = "TASK is an id or the beginning of one; without it, the newest task. The words are "
              "those of Tasker's get_task_execution_context.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell context", "the newest task"},
                  {"stepwell context 01926f3a-1c2d --json | jq .next_steps", "for programs"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON,
     .run = cli_command_context},
    {.name = "readiness",
     .summary = "Show which steps of a task may start, and why the others may not",
     .about = "TASK is an id or the beginning of one; without it, the newest task. Attempts are "
              "those that count, parents those that are done. `stepwell explain` says more.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell readiness", "the newest task"},
                  {"stepwell readiness --json | jq '.steps[] | select(.ready).step'",
                   "steps that may start"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON,
     .run = cli_command_readiness},
    {.name = "explain",
     .summary = "Say why steps of a task do not run",
     .about = "TASK is an id or the beginning of one; without it, the newest task. Without STEP, "
              "every step that has not ended.",
     .usages = {"[TASK] [STEP] [options]"},
     .examples = {{"stepwell explain", "what the newest task waits for"},
                  {"stepwell explain 01926f3a-1c2d ship", "why one step does not run"}},
     .arguments = {"TASK", "STEP"},
     .argument_max = 2,
     .options = CLI_DB_COMMON,
     .run = cli_command_explain},
    {.name = "override",
     .summary = "Bring steps of a task into another state by hand",
     .about =
         "ready: try a failed, skipped or cancelled step (again). pending: let it wait for its "
         "dependencies. skipped: leave it out, with what cannot start without it. resolved: it "
         "was done by other means, the rest goes on. cancelled: it does not start any more. Each "
         "change is checked against what is possible and kept in the audit log with name and "
         "reason; a task that had failed or was cancelled goes on. "
         "Exit code 4 when a step cannot be changed.",
     .usages = {"TASK STEP... --to STATE --reason TEXT [options]"},
     .examples =
         {{"stepwell override 01926f3a-1c2d charge --to ready --reason \"card renewed\"",
           "try a failed step again"},
          {"stepwell override 01926f3a-1c2d mail log --to skipped --reason \"not needed\"",
           "leave two steps out"},
          {"stepwell override 01926f3a-1c2d charge --to resolved --result '{\"paid\":true}' "
           "--reason \"paid in cash\"",
           "say what the step would have"}},
     .arguments = {"TASK", "STEP"},
     .argument_min = 2,
     .argument_max = CLI_MANY,
     .options = CLI_DB_COMMON | CLI_BIT(TO) | CLI_BIT(PARTIAL) | CLI_BIT(REASON) | CLI_BIT(ACTOR) |
                CLI_BIT(RESULT),
     .run = cli_command_override},
    {.name = "breaker list",
     .summary = "List circuit breakers: which are open, since when and why",
     .about = "Steps that name a breaker in their workflow file are not started while it is open.",
     .usages = {"[options]"},
     .examples = {{"stepwell breaker list", "all that a workflow names"},
                  {"stepwell breaker list --json | jq '.breakers[] | select(.state != \"closed\")'",
                   "those that hold steps up"}},
     .options = CLI_DB_COMMON,
     .run = cli_command_breaker_list},
    {.name = "breaker open",
     .summary = "Open circuit breakers: steps that name them are not started",
     .about = "Steps that run go on. Without --for it stays open until it is closed by hand; with "
              "it, probes follow.",
     .usages = {"BREAKER... --reason TEXT [options]"},
     .examples = {{"stepwell breaker open payments --reason \"they are down\"",
                   "until it is closed"},
                  {"stepwell breaker open payments --for 600 --reason maintenance",
                   "for ten minutes"}},
     .arguments = {"BREAKER"},
     .argument_min = 1,
     .argument_max = CLI_MANY,
     .options = CLI_DB_COMMON | CLI_BIT(FOR) | CLI_BIT(REASON) | CLI_BIT(ACTOR),
     .run = cli_command_breaker_open},
    {.name = "breaker close",
     .summary = "Close circuit breakers: nothing is counted against them any more",
     .usages = {"BREAKER... --reason TEXT [options]"},
     .examples = {{"stepwell breaker close payments --reason \"they are back\"",
                   "steps that name it start at once"}},
     .arguments = {"BREAKER"},
     .argument_min = 1,
     .argument_max = CLI_MANY,
     .options = CLI_DB_COMMON | CLI_BIT(REASON) | CLI_BIT(ACTOR),
     .run = cli_command_breaker_close},
    {.name = "dead list",
     .summary = "List steps that have failed for good, newest first, and count them by error",
     .about = "Steps of any task whose attempts or crashes are used up or whose handler gave up, "
              "unless they may fail or their task was cancelled.",
     .usages = {"[options]"},
     .examples = {{"stepwell dead list", "what waits for somebody, and how much of it"},
                  {"stepwell dead list --workflow nightly --since 1d", "of one workflow, of today"},
                  {"stepwell dead list --error-class Timeout --json", "for programs"}},
     .options = CLI_DEAD | CLI_BIT(LIMIT),
     .run = cli_command_dead_list},
    {.name = "dead retry",
     .summary = "Try steps again that have failed for good, and let their tasks go on",
     .about =
         "Each gets the attempts that are left, or one more. Steps that were cancelled because "
         "one failed (on_failure: fail_task) stay cancelled: `stepwell override` takes them up "
         "again, as it retries a single step. Changes 1,000 in one transaction.",
     .usages = {"[options]"},
     .examples = {{"stepwell dead retry --error-class Timeout --dry-run", "show what it would be"},
                  {"stepwell dead retry --workflow nightly --reason \"network is back\"",
                   "all that failed in a workflow"}},
     .options = CLI_DEAD | CLI_BIT(LIMIT) | CLI_BIT(ALL) | CLI_BIT(DRY_RUN) | CLI_BIT(REASON) |
                CLI_BIT(ACTOR),
     .run = cli_command_dead_retry},
    {.name = "dead resolve",
     .summary = "Declare steps done that have failed for good, and let their tasks go on",
     .about =
         "Their dependents read the result that is given, null without one. `stepwell override` "
         "resolves a single step.",
     .usages = {"[options]"},
     .examples = {{"stepwell dead resolve --handler mail.send --reason \"sent by hand\"",
                   "without a result"},
                  {"stepwell dead resolve --step rate --result 1.08 --reason \"looked up\"",
                   "with the result that dependents read"}},
     .options = CLI_DEAD | CLI_BIT(LIMIT) | CLI_BIT(ALL) | CLI_BIT(DRY_RUN) | CLI_BIT(REASON) |
                CLI_BIT(ACTOR) | CLI_BIT(RESULT),
     .run = cli_command_dead_resolve},
    {.name = "whatif",
     .summary = "Say when a task ends, and what a change would do to that",
     .about = "Learns how long steps take from earlier tasks of the workflow, plays the rest of "
              "the task 200 times with such durations, and compares it with the same plays under "
              "the change. It changes nothing. TASK is an id or the beginning of one; without it, "
              "the newest task.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell whatif", "when the newest task ends, and what decides it"},
                  {"stepwell whatif 01926f3a-1c2d --fail charge", "if a step fails for good"},
                  {"stepwell whatif --slower load=2 --skip report", "several changes at once"},
                  {"stepwell whatif --more-workers 2", "with two more steps at once"},
                  {"stepwell whatif --calibration", "how far to trust it"},
                  {"stepwell whatif --json | jq .base.end", "for a program"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(FAIL) | CLI_BIT(SLOWER) | CLI_BIT(SKIP) | CLI_BIT(RESOLVE) |
                CLI_BIT(WORKERS) | CLI_BIT(MORE_WORKERS) | CLI_BIT(RESOURCE) | CLI_BIT(CALIBRATION),
     .run = cli_command_whatif},
    {.name = "cancel",
     .summary = "Cancel a task",
     .about = "Steps that have not ended are cancelled; a running one is stopped by its worker "
              "and cannot commit any more. TASK is an id or the beginning of one.",
     .usages = {"TASK [options]"},
     .examples = {{"stepwell cancel 01926f3a-1c2d", "cancel it"},
                  {"stepwell cancel 01926f3a-1c2d --reason \"wrong month\"", "and say why"}},
     .arguments = {"TASK"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(REASON) | CLI_BIT(ACTOR),
     .run = cli_command_cancel},
    {.name = "prune",
     .summary = "Take out tasks that ended long ago, and give their room back",
     .about = "Takes out tasks that have ended, with their steps, inputs, results, tags and "
              "idempotency keys; workers may go on meanwhile. The audit log keeps its entries and "
              "gets one for each task, so that `stepwell audit verify` still replays everything. "
              "Without --state, every task that has ended. What was taken out cannot be brought "
              "back.",
     .usages = {"--older-than AGE [options]"},
     .examples = {{"stepwell prune --older-than 30d --dry-run", "how many it would be"},
                  {"stepwell prune --older-than 30d --state succeeded", "keep what has failed"},
                  {"stepwell prune --older-than 1d --workflow import --reason cleanup",
                   "one workflow, and why"}},
     .options = CLI_DB_COMMON | CLI_BIT(OLDER_THAN) | CLI_BIT(STATE) | CLI_BIT(WORKFLOW) |
                CLI_BIT(LIMIT) | CLI_BIT(DRY_RUN) | CLI_BIT(REASON) | CLI_BIT(ACTOR),
     .run = cli_command_prune},
    {.name = "erase",
     .summary = "Destroy what is known of a subject; the audit log and its proofs still hold",
     .about = "Destroys inputs, results and errors of all tasks with the tag subject:SUBJECT, and "
              "the salts of their digests; states and log stay, and the log keeps who asked and "
              "why. Refuses while one of the tasks has not ended. Then rewrites the database file, "
              "so that no copy is left in it. What was erased cannot be brought back, and its "
              "tasks cannot be taken up again.",
     .usages = {"SUBJECT --reason TEXT [options]"},
     .examples = {{"stepwell run order.yml --tag subject:customer-42", "whom the task is about"},
                  {"stepwell erase customer-42 --dry-run", "how many tasks it would be"},
                  {"stepwell erase customer-42 --reason \"request of 31 May\"", "and do it"}},
     .arguments = {"SUBJECT"},
     .argument_min = 1,
     .argument_max = 1,
     .options =
         CLI_DB_COMMON | CLI_BIT(DRY_RUN) | CLI_BIT(REASON) | CLI_BIT(ACTOR) | CLI_BIT(QUICK),
     .run = cli_command_erase},
    {.name = "worker",
     .summary = "Do steps of built-in kinds until stopped",
     .about = "Works on every task in the database. Ctrl-C and SIGTERM stop it cleanly: steps it "
              "holds are given back without counting an attempt; it then exits with 0.",
     .usages = {"[options]"},
     .examples = {{"stepwell worker --threads 8", "eight steps at once"},
                  {"stepwell worker --queue reports --root /srv/reports", "one queue, one place"}},
     .options = CLI_DB_COMMON | CLI_BIT(THREADS) | CLI_BIT(ROOT) | CLI_BIT(QUEUE) |
                CLI_BIT(LEASE_SECONDS) | CLI_BIT(NAME) | CLI_BIT(DURABILITY),
     .run = cli_command_worker},
    {.name = "audit verify",
     .summary = "Recompute the audit log and compare it with the state of every step",
     .about = "Proves level 1, integrity: no entry was changed, removed or added by somebody who "
              "did not recompute the whole chain. With checkpoints that were kept elsewhere it "
              "proves level 2, signed: up to the newest of them the log is what was signed, "
              "whatever somebody with write access recomputes. With --export it needs no "
              "database; states are not replayed then.",
     .usages = {"[options]", "--export DIR --vkey KEY|@FILE [options]"},
     .examples = {{"stepwell audit verify", "exit code 6 and the bad entries when it fails"},
                  {"stepwell audit verify --checkpoint kept.txt --vkey @orders.vkey",
                   "is it still the log that was signed?"},
                  {"stepwell audit verify --json", "the whole report"}},
     .options =
         CLI_DB_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(ANCHOR) | CLI_BIT(EXPORT),
     .run = cli_command_audit_verify},
    {.name = "audit keygen",
     .summary = "Make a key that signs checkpoints of an audit log",
     .about = "NAME names the log as well, best an address without https://. Prints the verifier "
              "key, which is public. One key signs one log.",
     .usages = {"NAME --signer FILE [options]"},
     .examples = {{"stepwell audit keygen example.com/orders --signer orders.key >orders.vkey",
                   "the secret in orders.key, for its owner only"}},
     .arguments = {"NAME"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_COMMON | CLI_BIT(SIGNER),
     .run = cli_command_audit_keygen},
    {.name = "audit seal",
     .summary = "Sign what the audit log says by now",
     .about = "Prints a checkpoint: keep it where nobody who can write the database can change it. "
              "Refuses to sign when the log does not continue what was signed before. Reads only "
              "new entries.",
     .usages = {"--signer FILE [options]"},
     .examples = {{"stepwell audit seal --signer orders.key -o orders.checkpoint",
                   "every minute, from cron"}},
     .options = CLI_DB_COMMON | CLI_BIT(SIGNER) | CLI_BIT(OUTPUT),
     .run = cli_command_audit_seal},
    {.name = "audit anchor",
     .summary = "Give a checkpoint to somebody outside",
     .about = "Appends it to a file or another database, commits it in a git work tree, writes it "
              "to the system's log, or "
              "lets a C2SP witness cosign it, which also refuses a log that was rolled back. "
              "`stepwell audit verify --anchor` then proves level L3. --vkey names the keys of the "
              "log and of the witnesses; with --output the checkpoint is written with what the "
              "witnesses signed.",
     .usages = {"--anchor PLACE --checkpoint FILE --vkey KEY [options]"},
     .examples = {{"stepwell audit anchor --anchor git:/srv/anchors --checkpoint kept.txt --vkey "
                   "@orders.vkey",
                   "after each seal, from cron"}},
     .options =
         CLI_DB_COMMON | CLI_BIT(ANCHOR) | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(OUTPUT),
     .run = cli_command_audit_anchor},
    {.name = "audit rotate",
     .summary = "Hand an audit log over from one key to another",
     .about =
         "Makes a key of the same name in NEW, unless one that has signed nothing is there. Both "
         "keys sign one checkpoint that names the new one: auditors who keep it trust the new "
         "key from there on, and the old one no longer. The verifier key is printed.",
     .usages = {"NEW --signer OLD -o FILE [options]"},
     .examples = {{"stepwell audit rotate new.key --signer orders.key -o rotation.checkpoint",
                   "orders.key signs nothing any more"}},
     .arguments = {"NEW"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(SIGNER) | CLI_BIT(OUTPUT),
     .run = cli_command_audit_rotate},
    {.name = "audit prove",
     .summary = "Prove that entries are in the log that a checkpoint signed",
     .about = "Prints one proof for each entry of the task (or of one step of it, or for each "
              "entry named), which anybody with the verifier key can check without the database. "
              "With an older and a newer checkpoint it proves that nothing before the older one "
              "was changed.",
     .usages = {"TASK|--entry N --checkpoint FILE [options]",
                "--checkpoint OLD --checkpoint NEW [options]"},
     .examples = {{"stepwell audit prove 01926f3a --step charge --checkpoint kept.txt",
                   "that and when this step ran"},
                  {"stepwell audit prove --entry 4711 --checkpoint kept.txt -o 4711.proof",
                   "one entry"},
                  {"stepwell audit prove --checkpoint may.txt --checkpoint june.txt",
                   "June continues May"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(ENTRY) | CLI_BIT(STEP) | CLI_BIT(CHECKPOINT) |
                CLI_BIT(EXPORT) | CLI_BIT(OUTPUT),
     .run = cli_command_audit_prove},
    {.name = "audit check",
     .summary = "Check proofs, without a database",
     .about = "FILE holds what audit prove printed; - is standard input. A proof of consistency "
              "needs the older checkpoint, too.",
     .usages = {"FILE --vkey KEY|@FILE [options]"},
     .examples = {{"stepwell audit check 4711.proof --vkey @orders.vkey",
                   "exit code 6 when it proves nothing"},
                  {"stepwell audit check june.proof --checkpoint may.txt --vkey @orders.vkey",
                   "June continues May"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY),
     .run = cli_command_audit_check},
    {.name = "audit export",
     .summary = "Write the log as a folder that can be served and verified offline",
     .about = "DIR gets the entries that the checkpoint covers, the tiles of their tree and the "
              "checkpoint, in the layout of C2SP tlog-tiles. Later exports into the same folder "
              "add to it.",
     .usages = {"DIR --checkpoint FILE [options]"},
     .examples = {{"stepwell audit export public --checkpoint orders.checkpoint",
                   "any web server can serve the folder"},
                  {"stepwell audit verify --export public --vkey @orders.vkey",
                   "what its readers do"}},
     .arguments = {"DIR"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(CHECKPOINT),
     .run = cli_command_audit_export},
    {.name = "audit list",
     .summary = "List entries of the audit log, oldest first",
     .about = "TASK is an id or the beginning of one; of a task that was pruned, the whole id. CSV "
              "can be opened in a spreadsheet: what would be a formula has an apostrophe in front.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell audit list --actor ann --since 7d", "what somebody did"},
                  {"stepwell audit list 01926f3a --step charge", "the history of a step"},
                  {"stepwell audit list --outcome failed --as csv >failed.csv",
                   "for a spreadsheet"},
                  {"stepwell audit list --after 4711 --json", "what came since, for a program"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_ENTRIES | CLI_BIT(AS) | CLI_BIT(LIMIT),
     .run = cli_command_audit_list},
    {.name = "audit stats",
     .summary = "Count entries of the audit log, by kind and by actor",
     .about = "TASK is an id or the beginning of one; of a task that was pruned, the whole id. "
              "Shows how many, and when the first and the last were written.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell audit stats --since 1d", "what happened today"},
                  {"stepwell audit stats --outcome failed --json | jq .kinds", "for a program"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_ENTRIES,
     .run = cli_command_audit_stats},
    {.name = "version",
     .summary = "Show the version",
     .usages = {"[options]"},
     .examples = {{"stepwell version", "the version of this program"}},
     .options = CLI_COMMON,
     .run = cli_command_version},
    {.name = "help",
     .summary = "Show help for a command",
     .usages = {"[COMMAND]"},
     .examples = {{"stepwell help run", "all options of run"}},
     .arguments = {"COMMAND", "COMMAND"},
     .argument_max = 2,
     .options = CLI_COMMON | CLI_BIT(MARKDOWN),
     .run = cli_command_help},
};

static const cli_exit_row exit_table[] = {
#define CLI_EXIT_ROW(name, status, slug, meaning) {CLI_EXIT_##name, slug, meaning},
    CLI_EXIT_MAP(CLI_EXIT_ROW)
#undef CLI_EXIT_ROW
};

const cli_command *cli_commands(size_t *count)
{
    *count = sizeof(command_table) / sizeof(command_table[0]);
    return command_table;
}

const cli_option *cli_option_get(cli_option_id id)
{
    return &option_table[id];
}

const cli_exit_row *cli_exit_rows(size_t *count)
{
    *count = sizeof(exit_table) / sizeof(exit_table[0]);
    return exit_table;
}

const cli_exit_row *cli_exit_get(cli_exit status)
{
    const cli_exit_row *row = exit_table;
    while (row->status != status)
        row++;
    return row;
}

/* How many words of argv spell the name of a command; 0 when they do not. */
static size_t command_words_matched(const cli_command *command, size_t count, char **argv)
{
    const char *name = command->name;
    for (size_t words = 0; words < count; words++) {
        size_t length = strcspn(name, " ");
        if (strlen(argv[words]) != length || memcmp(argv[words], name, length) != 0)
            return 0;
        if (name[length] == '\0')
            return words + 1;
        name += length + 1;
    }
    return 0;
}

const cli_command *cli_command_find(size_t count, char **argv, size_t *words)
{
    size_t command_count;
    const cli_command *commands = cli_commands(&command_count);
    for (size_t i = 0; i < command_count; i++) {
        *words = command_words_matched(&commands[i], count, argv);
        if (*words > 0)
            return &commands[i];
    }
    *words = 0;
    return NULL;
}
