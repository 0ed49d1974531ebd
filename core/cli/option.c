/* From words to a cli_call: getopt_long fed from the table, and errors that help.
 *
 * Long options must be spelled out: an abbreviation that is unique today is not tomorrow.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "out.h"
#include "text.h"

/* What getopt_long returns for option i. Letters lie below. */
#define OPTION_BASE 1000
#define OPTION_LETTERS_SIZE (2 * CLI_OPTION_COUNT + 4)
#define SUGGEST_LENGTH_MAX 40

typedef struct option_parser {
    struct option longs[CLI_OPTION_COUNT + 1];
    char letters[OPTION_LETTERS_SIZE];
    cli_options options;
} option_parser;

static void option_parser_build(option_parser *parser, cli_options options, bool first_word)
{
    size_t longs = 0;
    size_t letters = 0;
    if (first_word)
        parser->letters[letters++] = '+';
    parser->letters[letters++] = ':';
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = cli_option_get((cli_option_id)id);
        if (!(options >> id & 1))
            continue;
        int needs = option->kind == CLI_FLAG ? no_argument : required_argument;
        parser->longs[longs++] = (struct option){option->name, needs, NULL, OPTION_BASE + id};
        if (option->letter)
            parser->letters[letters++] = option->letter;
        if (option->letter && needs == required_argument)
            parser->letters[letters++] = ':';
    }
    parser->longs[longs] = (struct option){NULL, 0, NULL, 0};
    parser->letters[letters] = '\0';
    parser->options = options;
}

/* Option that getopt_long returned, CLI_OPTION_COUNT for none. */
static cli_option_id option_of(const option_parser *parser, int returned)
{
    if (returned >= OPTION_BASE)
        return (cli_option_id)(returned - OPTION_BASE);
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if ((parser->options >> id & 1) &&
            cli_option_get((cli_option_id)id)->letter == (char)returned && returned != 0)
            return (cli_option_id)id;
    }
    return CLI_OPTION_COUNT;
}

static size_t suggest_smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Edits (insert, delete, replace, swap of neighbours) between two words. */
static size_t suggest_distance(const char *a, const char *b)
{
    size_t rows[3][SUGGEST_LENGTH_MAX + 1];
    size_t a_length = strlen(a);
    size_t b_length = strlen(b);
    if (a_length > SUGGEST_LENGTH_MAX || b_length > SUGGEST_LENGTH_MAX)
        return SUGGEST_LENGTH_MAX;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *now = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t replace = above[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = suggest_smallest(above[j] + 1, now[j - 1] + 1, replace);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < now[j])
                now[j] = two_above[j - 2] + 1;
        }
    }
    return rows[a_length % 3][b_length];
}

const char *cli_suggest(const char *text, const char *const *names, size_t count)
{
    const char *best = NULL;
    size_t best_distance = strlen(text) / 3 + 2;
    for (size_t i = 0; i < count; i++) {
        size_t distance = suggest_distance(text, names[i]);
        if (strlen(text) >= 2 && strncmp(text, names[i], strlen(text)) == 0)
            distance = 1;
        if (distance < best_distance) {
            best = names[i];
            best_distance = distance;
        }
    }
    return best;
}

/* What was typed where a command should be: two words when the first one begins such a name. */
static char *command_words_typed(int argc, char **argv)
{
    const cli_command *command;
    size_t length = strlen(argv[0]);
    for (size_t i = 0; argc > 1 && (command = cli_command_at(i)) != NULL; i++) {
        if (strncmp(command->name, argv[0], length) != 0 || command->name[length] != ' ')
            continue;
        size_t size = length + strlen(argv[1]) + 2;
        char *text = cli_alloc(size);
        snprintf(text, size, "%s %s", argv[0], argv[1]);
        return text;
    }
    return cli_copy(argv[0]);
}

/* Where users of other tools find what they know by another name. */
static const char *command_hint(const char *typed)
{
    static const char other[] = "compliance";
    if (strncmp(typed, other, sizeof(other) - 1) == 0)
        return "stepwell audit report says what evidence the log holds, --list for which controls";
    return "stepwell --help lists the commands";
}

int cli_command_unknown(int argc, char **argv)
{
    size_t count = 0;
    while (cli_command_at(count))
        count++;
    const char **names = cli_alloc(count * sizeof(*names));
    char *typed = command_words_typed(argc, argv);
    for (size_t i = 0; i < count; i++)
        names[i] = cli_command_at(i)->name;
    const char *near = cli_suggest(typed, names, count);
    int status = cli_fail(CLI_EXIT_USAGE, command_hint(typed), "unknown command '%s'%s%s%s", typed,
                          near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    free(typed);
    free(names);
    return status;
}

/* Where help about the command of this call is. */
static const char *call_help_hint(const cli_call *call, char *text, size_t size)
{
    if (call->command)
        snprintf(text, size, "try: stepwell %s --help", call->command->name);
    else
        snprintf(text, size, "try: stepwell --help");
    return text;
}

static int option_unknown_fail(const cli_call *call, const option_parser *parser, const char *word)
{
    char hint[80];
    const char *names[CLI_OPTION_COUNT];
    size_t count = 0;
    size_t dashes = strspn(word, "-");
    size_t length = strcspn(word, "=");
    char *name = cli_copy(word + dashes);
    name[length - dashes] = '\0';
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *option = cli_option_get((cli_option_id)id);
        if ((parser->options >> id & 1) && !option->hidden)
            names[count++] = option->name;
    }
    const char *near = dashes == 2 ? cli_suggest(name, names, count) : NULL;
    int status = cli_fail(CLI_EXIT_USAGE, call_help_hint(call, hint, sizeof(hint)),
                          "unknown option '%.*s'%s%s%s", (int)length, word,
                          near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
    free(name);
    return status;
}

/* An error of getopt_long: '?' or ':'. */
static int option_parse_fail(const cli_call *call, const option_parser *parser, int returned,
                             char **argv)
{
    char hint[80];
    call_help_hint(call, hint, sizeof(hint));
    cli_option_id id = option_of(parser, optopt);
    if (returned == ':')
        return cli_fail(CLI_EXIT_USAGE, hint, "option '--%s' needs a value: %s",
                        cli_option_get(id)->name, cli_option_get(id)->argument);
    if (id != CLI_OPTION_COUNT && optopt >= OPTION_BASE)
        return cli_fail(CLI_EXIT_USAGE, hint, "option '--%s' takes no value",
                        cli_option_get(id)->name);
    if (optopt == 0)
        return option_unknown_fail(call, parser, argv[optind - 1]);
    char letter[3] = {'-', (char)optopt, '\0'};
    return option_unknown_fail(call, parser, letter);
}

static bool choice_valid(const char *choices, const char *text)
{
    size_t length = strlen(text);
    while (*choices) {
        size_t choice = strcspn(choices, "|");
        if (choice == length && memcmp(choices, text, length) == 0)
            return true;
        choices += choice + 1;
    }
    return false;
}

static int option_choice_check(const cli_option *option, const char *text)
{
    char hint[160] = "one of: ";
    if (choice_valid(option->choices, text))
        return 0;
    for (const char *at = option->choices; *at; at += strcspn(at, "|") + 1) {
        size_t used = strlen(hint);
        snprintf(hint + used, sizeof(hint) - used, "%s%.*s", at == option->choices ? "" : ", ",
                 (int)strcspn(at, "|"), at);
    }
    return cli_fail(CLI_EXIT_USAGE, hint, "option '--%s' cannot be '%s'", option->name, text);
}

static int option_number_read(const cli_option *option, const char *text, int64_t *out)
{
    char *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < option->minimum ||
        number > option->maximum)
        return cli_fail(CLI_EXIT_USAGE, NULL,
                        "option '--%s' needs a whole number from %" PRId64 " to %" PRId64
                        ", not '%s'",
                        option->name, option->minimum, option->maximum, text);
    *out = number;
    return 0;
}

static void value_append(cli_value *value, const char *text)
{
    const char **items = cli_alloc((value->item_count + 1) * sizeof(*items));
    if (value->item_count > 0)
        memcpy(items, value->items, value->item_count * sizeof(*items));
    items[value->item_count++] = text;
    free(value->items);
    value->items = items;
}

static int option_take(cli_call *call, cli_option_id id, const char *text)
{
    const cli_option *option = cli_option_get(id);
    cli_value *value = &call->values[id];
    value->given = true;
    value->text = text;
    switch (option->kind) {
    case CLI_NUMBER:
        return option_number_read(option, text, &value->number);
    case CLI_CHOICE:
        return option_choice_check(option, text);
    case CLI_LIST:
        value_append(value, text);
        return 0;
    default:
        return 0;
    }
}

/* getopt_long also takes the beginning of a name; whether the word spells all of it. */
static bool option_spelled_out(cli_option_id id, int returned, char **argv)
{
    if (returned < OPTION_BASE)
        return true;
    const char *word = argv[optind - 1];
    if (optarg && optarg == word)
        word = argv[optind - 2];
    return strcspn(word + 2, "=") == strlen(cli_option_get(id)->name);
}

int cli_call_parse(cli_call *call, cli_options options, bool first_word, int argc, char **argv,
                   int *used)
{
    option_parser parser;
    option_parser_build(&parser, options, first_word);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        int returned = getopt_long(argc, argv, parser.letters, parser.longs, NULL);
        if (returned == -1)
            break;
        if (returned == '?' || returned == ':')
            return option_parse_fail(call, &parser, returned, argv);
        cli_option_id id = option_of(&parser, returned);
        if (!option_spelled_out(id, returned, argv)) {
            const char *word = argv[optind - 1];
            return option_unknown_fail(call, &parser,
                                       optarg && optarg == word ? argv[optind - 2] : word);
        }
        int status = option_take(call, id, optarg);
        if (status != 0)
            return status;
    }
    *used = optind;
    call->arguments = argv + optind;
    call->argument_count = (size_t)(argc - optind);
    return 0;
}

int cli_call_check(const cli_call *call)
{
    char hint[80];
    const cli_command *command = call->command;
    call_help_hint(call, hint, sizeof(hint));
    for (int id = 0; id < CLI_OPTION_COUNT; id++) {
        if (call->values[id].given && !(command->options >> id & 1))
            return cli_fail(CLI_EXIT_USAGE, hint, "'%s' takes no option '--%s'", command->name,
                            cli_option_get((cli_option_id)id)->name);
    }
    if (call->argument_count < command->argument_min)
        return cli_fail(CLI_EXIT_USAGE, hint, "'%s' needs the argument %s", command->name,
                        command->arguments[call->argument_count]);
    if (call->argument_count > command->argument_max)
        return cli_fail(CLI_EXIT_USAGE, hint, "'%s' has no use for the argument '%s'",
                        command->name, call->arguments[command->argument_max]);
    return 0;
}

void cli_call_free(cli_call *call)
{
    for (int id = 0; id < CLI_OPTION_COUNT; id++)
        free(call->values[id].items);
}

bool cli_given(const cli_call *call, cli_option_id id)
{
    return call->values[id].given;
}

int64_t cli_number(const cli_call *call, cli_option_id id, int64_t otherwise)
{
    return call->values[id].given ? call->values[id].number : otherwise;
}

int cli_entry_option(const cli_call *call, cli_option_id id, int64_t *out)
{
    char *end = NULL;
    const char *text = call->values[id].text;
    if (!text)
        return CLI_EXIT_OK;
    *out = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || *out < 0)
        return cli_fail(CLI_EXIT_USAGE, NULL,
                        "option '--%s' needs the number of an entry here, not '%s'",
                        cli_option_get(id)->name, text);
    return CLI_EXIT_OK;
}

int cli_time_option(const cli_call *call, cli_option_id id, int64_t now_us, int64_t *out)
{
    const char *text = call->values[id].text;
    if (!text || cli_time_read(text, now_us, out))
        return CLI_EXIT_OK;
    return cli_fail(CLI_EXIT_USAGE,
                    "a time is 2026-01-31, 2026-01-31T13:05:09Z or 90s, 15m, 2h, 7d",
                    "option '--%s' needs a time, not '%s'", cli_option_get(id)->name, text);
}
