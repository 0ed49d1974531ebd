/* The table of commands. To add one: a row here, a file beside. Not here: the commands of the audit
 * log (table_audit.c) and of task files (table_task.c), options and exit codes (table_options.c).
 */
#include <string.h>

#include "command.h"

/* What chooses dead letters. */
#define CLI_DEAD                                                                                   \
    (CLI_DB_COMMON | CLI_BIT(WORKFLOW) | CLI_BIT(HANDLER) | CLI_BIT(STEP) | CLI_BIT(ERROR_CLASS) | \
     CLI_BIT(SINCE) | CLI_BIT(UNTIL))

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
                CLI_BIT(DEADLINE) | CLI_BIT(TAG) | CLI_BIT(PARENT) | CLI_BIT(TIMEOUT) |
                CLI_BIT(THREADS) | CLI_BIT(ROOT) | CLI_BIT(LEASE_SECONDS) | CLI_BIT(DURABILITY) |
                CLI_BIT(DETACH) | CLI_BIT(DRY_RUN) | CLI_BIT(STRICT),
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
     .options = CLI_TASK_COMMON | CLI_BIT(FORMAT) | CLI_BIT(SVG) | CLI_BIT(OUTPUT) |
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
     .options = CLI_TASK_COMMON | CLI_BIT(SVG) | CLI_BIT(OUTPUT),
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
     .options = CLI_TASK_COMMON | CLI_BIT(DURATION) | CLI_BIT(DURATIONS) | CLI_BIT(WORKERS) |
                CLI_BIT(IMPACT) | CLI_BIT(COMMON) | CLI_BIT(FROM) | CLI_BIT(DIFF) | CLI_BIT(STRICT),
     .run = cli_command_analyze},
    {.name = "list",
     .summary = "List tasks, newest first",
     .usages = {"[options]"},
     .examples = {{"stepwell list", "the newest tasks and how many there are"},
                  {"stepwell list --state failed --limit 100", "what has failed"},
                  {"stepwell list --since 2h", "what was started in the last two hours"},
                  {"stepwell list --workflow nightly --tag eu --json", "for programs"}},
     .options = CLI_DB_COMMON | CLI_BIT(STATE) | CLI_BIT(WORKFLOW) | CLI_BIT(TAG) |
                CLI_BIT(CORRELATION_ID) | CLI_BIT(PARENT) | CLI_BIT(SINCE) | CLI_BIT(UNTIL) |
                CLI_BIT(AFTER) | CLI_BIT(LIMIT),
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
     .options = CLI_TASK_COMMON,
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
     .options = CLI_TASK_COMMON,
     .run = cli_command_context},
    {.name = "readiness",
     .summary = "Show which steps of a task may start, and why the others may not",
     .about = "TASK is an id or the beginning of one; without it, the newest task. Attempts are "
              "those that count, parents those that are done. `stepwell explain` says more. With "
              "--rule the answer is the one that Tasker would give, with its states and its waits "
              "of 2, 4, 8 ... seconds, at most 30 (tasker-core: 60); a skipped step is a "
              "cancelled one there.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell readiness", "the newest task"},
                  {"stepwell readiness --rule tasker-rails", "as the Rails engine of Tasker"},
                  {"stepwell readiness --json | jq '.steps[] | select(.ready).step'",
                   "steps that may start"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_TASK_COMMON | CLI_BIT(RULE),
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
     .options = CLI_TASK_COMMON,
     .run = cli_command_explain},
    {.name = "override",
     .summary = "Bring steps of a task into another state by hand",
     .about =
         "ready: try a failed, skipped or cancelled step (again). pending: let it wait for its "
         "dependencies. skipped: leave it out, with what cannot start without it. resolved: it "
         "was done by other means, the rest goes on. cancelled: it does not start any more. Each "
         "change is checked against what is possible and kept in the audit log with name and "
         "reason; a task that had failed or was cancelled goes on. With a step that had stopped "
         "its task (on_failure: fail_task) goes on what was cancelled because of it. "
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
         "Each gets the attempts that are left, or one more. Where its failure had stopped the "
         "task "
         "(on_failure: fail_task), the steps that were cancelled because of it go on too, unless "
         "another such failure is left. `stepwell override` retries a single step. Changes 1,000 "
         "in one transaction.",
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
     .options = CLI_TASK_COMMON | CLI_BIT(FAIL) | CLI_BIT(SLOWER) | CLI_BIT(SKIP) |
                CLI_BIT(RESOLVE) | CLI_BIT(WORKERS) | CLI_BIT(MORE_WORKERS) | CLI_BIT(RESOURCE) |
                CLI_BIT(CALIBRATION),
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
};

/* Those about the program itself stand last in help. */
static const cli_command own_table[] = {
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

static const cli_command *first_commands(size_t *count)
{
    *count = sizeof(command_table) / sizeof(command_table[0]);
    return command_table;
}

static const cli_command *own_commands(size_t *count)
{
    *count = sizeof(own_table) / sizeof(own_table[0]);
    return own_table;
}

const cli_command *cli_command_at(size_t number)
{
    static const cli_command *(*const tables[])(size_t *) = {
        first_commands, cli_event_commands, cli_audit_commands, cli_task_commands, own_commands};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        size_t count;
        const cli_command *table = tables[i](&count);
        if (number < count)
            return &table[number];
        number -= count;
    }
    return NULL;
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
    const cli_command *command;
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        *words = command_words_matched(command, count, argv);
        if (*words > 0)
            return command;
    }
    *words = 0;
    return NULL;
}
