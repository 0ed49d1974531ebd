/* The commands of events, in the order of help. Not here: the others (table.c), options
 * (table_options.c), what the commands do (event.c, event_list.c).
 */
#include "command.h"

static const cli_command event_table[] = {
    {.name = "event append",
     .summary = "Append an event of your own to the stream of a task",
     .about = "The event becomes an entry of the audit log, so that it is chained, signed and "
              "proved like the engine's own. Prints its position. With --expect it is appended "
              "only if nothing has happened to the task since that version; with --key only once. "
              "TASK is an id or the beginning of one, TYPE a name like order.shipped.",
     .usages = {"TASK TYPE [options]"},
     .examples = {{"stepwell event append 01926f3a order.shipped --data '{\"parcel\":7}'",
                   "what happened"},
                  {"stepwell event append 01926f3a order.paid --expect 4711",
                   "exit code 4 when something else happened first"}},
     .arguments = {"TASK", "TYPE"},
     .argument_min = 2,
     .argument_max = 2,
     .options = CLI_DB_COMMON | CLI_BIT(DATA) | CLI_BIT(EXPECT) | CLI_BIT(KEY) | CLI_BIT(STEP) |
                CLI_BIT(CORRELATION_ID) | CLI_BIT(ACTOR) | CLI_BIT(REASON),
     .run = cli_command_event_append},
    {.name = "event list",
     .summary = "List events, the oldest first, and follow what comes",
     .about =
         "Events are the transitions of tasks and steps (step.completed) and what applications "
         "append. With --json, one object per line, all that match unless --limit says "
         "otherwise. --follow goes on with what comes until Ctrl-C, or until --timeout "
         "seconds have passed without an event; both are no failure.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell event list 01926f3a", "the stream of a task"},
                  {"stepwell event list --type order.paid --type order.refunded --since 1d",
                   "of these types, from any task"},
                  {"stepwell event list --follow --after 4711 --json | ./warehouse",
                   "each event once, from a position on"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_TASK_COMMON | CLI_BIT(TYPE) | CLI_BIT(CORRELATION_ID) | CLI_BIT(SINCE) |
                CLI_BIT(UNTIL) | CLI_BIT(AFTER) | CLI_BIT(LIMIT) | CLI_BIT(FOLLOW) |
                CLI_BIT(TIMEOUT),
     .run = cli_command_event_list},
    {.name = "event replay",
     .summary = "Show a task as an event left it",
     .about = "Folds the events of the task up to --position; without it, all. What is told comes "
              "from the log alone: `stepwell audit verify` proves that the log says what happened. "
              "TASK is an id or the beginning of one; without it, the newest task.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell event replay 01926f3a --position 4711", "as it was then"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_TASK_COMMON | CLI_BIT(POSITION),
     .run = cli_command_event_replay},
    {.name = "event projections",
     .summary = "List the projections that are kept, and how far they are behind",
     .about = "A projection is a fold over events that an application defines in Ruby or Python. "
              "Its position and its state are kept together here.",
     .usages = {"[options]"},
     .examples = {{"stepwell event projections --json", "with their states"}},
     .options = CLI_DB_COMMON,
     .run = cli_command_event_projections},
};

const cli_command *cli_event_commands(size_t *count)
{
    *count = sizeof(event_table) / sizeof(event_table[0]);
    return event_table;
}
