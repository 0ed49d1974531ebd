/* The commands of the audit log, in the order of help. Not here: the others (table.c), options
 * (table_options.c), what the commands do (audit*.c).
 */
#include "command.h"

/* What chooses entries of the audit log. */
#define CLI_ENTRIES                                                                                \
    (CLI_TASK_COMMON | CLI_BIT(SINCE) | CLI_BIT(UNTIL) | CLI_BIT(ACTOR) | CLI_BIT(STEP) |          \
     CLI_BIT(KIND) | CLI_BIT(OUTCOME) | CLI_BIT(CORRELATION_ID) | CLI_BIT(AFTER))

static const cli_command audit_table[] = {
    {.name = "audit verify",
     .summary = "Recompute the audit log and compare it with the state of every step",
     .about = "Proves level 1, integrity: no entry was changed, removed or added by somebody who "
              "did not recompute the whole chain. With checkpoints that were kept elsewhere it "
              "proves level 2, signed: up to the newest of them the log is what was signed, "
              "whatever somebody with write access recomputes. With --export it needs no "
              "database; states are not replayed then. Several threads share the work; those of a "
              "database hash what one of them replays in order.",
     .usages = {"[options]", "--export DIR --vkey KEY|@FILE [options]"},
     .examples = {{"stepwell audit verify", "exit code 6 and the bad entries when it fails"},
                  {"stepwell audit verify --checkpoint kept.txt --vkey @orders.vkey",
                   "is it still the log that was signed?"},
                  {"stepwell audit verify --json", "the whole report"}},
     .options = CLI_DB_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(ANCHOR) |
                CLI_BIT(EXPORT) | CLI_BIT(JOBS),
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
     .usages = {"FILE --vkey KEY|@FILE [options]",
                "REPORT --signature FILE --vkey KEY|@FILE [options]"},
     .examples = {{"stepwell audit check 4711.proof --vkey @orders.vkey",
                   "exit code 6 when it proves nothing"},
                  {"stepwell audit check june.proof --checkpoint may.txt --vkey @orders.vkey",
                   "June continues May"}},
     .arguments = {"FILE"},
     .argument_min = 1,
     .argument_max = 1,
     .options = CLI_COMMON | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(SIGNATURE),
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
    {.name = "audit report",
     .summary = "Say what evidence the log holds for the controls of standards",
     .about = "Answers each control with found, not found or not applicable, with the numbers of "
              "the entries that are the evidence and, in a document, with their proofs. Speaks of "
              "what the newest checkpoint covers, after verifying it. Whoever has an export checks "
              "every line with docs/examples/audit/verify_report.py or .rb. With --signer the "
              "report is signed, too: FILE.sig is written beside it.",
     .usages = {"--checkpoint FILE --vkey KEY|@FILE [options]",
                "--export DIR --vkey KEY|@FILE [options]"},
     .examples = {{"stepwell audit report --checkpoint kept.txt --vkey @orders.vkey",
                   "a table of all controls"},
                  {"stepwell audit report --standard pci --since 2026-05-01 --checkpoint kept.txt "
                   "--vkey @orders.vkey -o may.html",
                   "a page for an auditor"},
                  {"stepwell audit report --export public --vkey @orders.vkey --as json",
                   "the same bytes as from the database"},
                  {"stepwell audit report --list --standard gdpr", "what would be asked"}},
     .options = CLI_DB_COMMON | CLI_BIT(STANDARD) | CLI_BIT(LIST) | CLI_BIT(SINCE) |
                CLI_BIT(UNTIL) | CLI_BIT(CHECKPOINT) | CLI_BIT(VKEY) | CLI_BIT(ANCHOR) |
                CLI_BIT(EXPORT) | CLI_BIT(AS) | CLI_BIT(OUTPUT) | CLI_BIT(SIGNER),
     .run = cli_command_audit_report},
};

const cli_command *cli_audit_commands(size_t *count)
{
    *count = sizeof(audit_table) / sizeof(audit_table[0]);
    return audit_table;
}
