/* The commands of task files, in the order of help. Not here: the others (table.c), options
 * (table_options.c), what the commands do (task_file.c).
 */
#include "command.h"

static const cli_command task_table[] = {
    {.name = "task export",
     .summary = "Write a task as one file that is verified and looked at anywhere",
     .about =
         "The file has the definition, states, payloads, every entry of the audit log about the "
         "task, and a proof for each. With a checkpoint the proofs lead to it, so that who "
         "trusts its key can trust the file; without one, to a root that nobody has signed. "
         "TASK is an id or the beginning of one; without it, the newest task. show, explain, "
         "graph, gantt, whatif and audit list read the file with --file.",
     .usages = {"[TASK] [options]"},
     .examples = {{"stepwell task export 01926f3a --checkpoint kept.txt -o order.task",
                   "to hand to an auditor"},
                  {"stepwell task export 01926f3a | ssh far stepwell task verify -",
                   "without a file"},
                  {"stepwell show --file order.task --at-entry 4711", "as it stood then"},
                  {"stepwell whatif --file order.task --at-entry 4711 --slower charge=2",
                   "had that step taken twice as long"}},
     .arguments = {"TASK"},
     .argument_max = 1,
     .options = CLI_DB_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(OUTPUT),
     .run = cli_command_task_export},
    {.name = "task verify",
     .summary = "Verify a task file, without a database",
     .about =
         "Recomputes every proof, replays the entries and holds states and payloads against "
         "them: level 1, integrity. With --vkey the checkpoint in the file has to be signed by "
         "that key: level 2, signed; with an anchor of the same checkpoint level 3. Proofs do "
         "not show that no entry was left out; `stepwell audit verify` of the log does. FILE is "
         "what task export wrote; - is standard input.",
     .usages = {"FILE [options]"},
     .examples = {{"stepwell task verify order.task --vkey @orders.vkey",
                   "exit code 6 and the first bad thing when it fails"},
                  {"stepwell task verify order.task --json", "the whole report"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(ANCHOR),
     .run = cli_command_task_verify},
};

const cli_command *cli_task_commands(size_t *count)
{
    *count = sizeof(task_table) / sizeof(task_table[0]);
    return task_table;
}
