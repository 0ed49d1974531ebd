/* Streams, colours, marks and error messages.
 *
 * The one place that looks at the environment of the terminal: NO_COLOR, FORCE_COLOR, TERM,
 * COLUMNS, the locale and whether a stream is a terminal.
 */
#include "out.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "json.h"
#include "text.h"

#define CLI_DETAIL_SIZE 1200

static cli_out_mode out_mode;

static bool out_variable_set(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] != '\0';
}

static bool out_terminal_smart(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

static bool out_colour_wanted(int fd, bool no_color)
{
    if (no_color || out_variable_set("NO_COLOR"))
        return false;
    return out_variable_set("FORCE_COLOR") || out_terminal_smart(fd);
}

void cli_out_open(bool json, bool quiet, bool no_color)
{
    setlocale(LC_ALL, "");
    setlocale(LC_NUMERIC, "C");
    out_mode.json = json;
    out_mode.quiet = quiet;
    out_mode.unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    out_mode.colour = out_colour_wanted(STDOUT_FILENO, no_color);
    out_mode.colour_errors = out_colour_wanted(STDERR_FILENO, no_color);
    out_mode.live = out_terminal_smart(STDOUT_FILENO);
}

const cli_out_mode *cli_out(void)
{
    return &out_mode;
}

size_t cli_out_width(void)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO))
        return 0;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    long width = columns ? strtol(columns, NULL, 10) : 0;
    return width > 0 ? (size_t)width : 80;
}

size_t cli_out_height(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        return size.ws_row;
    return 24;
}

static const char *style_sequence(cli_style style)
{
    static const char *const sequences[] = {
        [CLI_PLAIN] = "",       [CLI_BOLD] = "\033[1m",   [CLI_DIM] = "\033[2m",
        [CLI_RED] = "\033[31m", [CLI_GREEN] = "\033[32m", [CLI_YELLOW] = "\033[33m",
        [CLI_CYAN] = "\033[36m"};
    return sequences[style];
}

const char *cli_style_on(cli_style style)
{
    return out_mode.colour ? style_sequence(style) : "";
}

const char *cli_style_off(cli_style style)
{
    return out_mode.colour && style != CLI_PLAIN ? "\033[0m" : "";
}

const char *cli_mark(int step_state)
{
    const char *mark = sw_step_state_mark(step_state, !out_mode.unicode);
    return mark[0] ? mark : "?";
}

cli_style cli_step_style(int step_state)
{
    static const cli_style styles[SW_STEP_STATE_COUNT] = {
        [SW_STEP_PENDING] = CLI_DIM,     [SW_STEP_READY] = CLI_PLAIN,
        [SW_STEP_RUNNING] = CLI_CYAN,    [SW_STEP_WAITING] = CLI_YELLOW,
        [SW_STEP_SUCCEEDED] = CLI_GREEN, [SW_STEP_FAILED] = CLI_RED,
        [SW_STEP_SKIPPED] = CLI_DIM,     [SW_STEP_CANCELLED] = CLI_YELLOW,
        [SW_STEP_RESOLVED] = CLI_YELLOW};
    return step_state >= 0 && step_state < SW_STEP_STATE_COUNT ? styles[step_state] : CLI_PLAIN;
}

cli_style cli_task_style(int task_state)
{
    static const cli_style styles[SW_TASK_STATE_COUNT] = {
        [SW_TASK_PENDING] = CLI_PLAIN,  [SW_TASK_RUNNING] = CLI_CYAN,
        [SW_TASK_PAUSED] = CLI_YELLOW,  [SW_TASK_SUCCEEDED] = CLI_GREEN,
        [SW_TASK_FAILED] = CLI_RED,     [SW_TASK_CANCELLED] = CLI_YELLOW,
        [SW_TASK_RESOLVED] = CLI_YELLOW};
    return task_state >= 0 && task_state < SW_TASK_STATE_COUNT ? styles[task_state] : CLI_PLAIN;
}

void cli_note(const char *format, ...)
{
    if (out_mode.quiet || out_mode.json)
        return;
    va_list values;
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
}

static void problem_print(const cli_problem *problem)
{
    fflush(stdout);
    if (out_mode.json) {
        cli_json json = cli_json_begin(stderr);
        cli_json_problem(&json, problem);
        cli_json_end(&json);
        return;
    }
    const char *on = out_mode.colour_errors ? style_sequence(CLI_RED) : "";
    const char *off = out_mode.colour_errors ? "\033[0m" : "";
    fprintf(stderr, "%sstepwell: error:%s ", on, off);
    cli_text_put(stderr, cli_str(problem->detail), CLI_TEXT_NO_LIMIT);
    fputc('\n', stderr);
    if (problem->hint)
        fprintf(stderr, "  %s\n", problem->hint);
}

int cli_fail(cli_exit status, const char *hint, const char *format, ...)
{
    char detail[CLI_DETAIL_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(detail, sizeof(detail), format, values);
    va_end(values);
    const cli_exit_row *row = cli_exit_get(status);
    problem_print(&(cli_problem){.status = (int)status,
                                 .code = row->slug,
                                 .title = row->meaning,
                                 .detail = detail,
                                 .hint = hint});
    return (int)status;
}

cli_exit cli_exit_of(int code)
{
    switch (code) {
    case SW_OK:
        return CLI_EXIT_OK;
    case SW_EINVAL:
    case SW_ELIMIT:
        return CLI_EXIT_USAGE;
    case SW_EDEFINITION:
        return CLI_EXIT_DEFINITION;
    case SW_ECONFLICT:
    case SW_EOUTDATED:
    case SW_ESTATE:
    case SW_EREFUSED:
    case SW_EFENCED:
        return CLI_EXIT_REFUSED;
    case SW_EAUDIT:
        return CLI_EXIT_AUDIT;
    case SW_ENOTFOUND:
        return CLI_EXIT_NOT_FOUND;
    case SW_ETIMEOUT:
        return CLI_EXIT_TIMEOUT;
    default:
        return CLI_EXIT_STORAGE;
    }
}

/* What to do about an error when the caller knows nothing better. */
static const char *error_hint(int code)
{
    switch (code) {
    case SW_EBUSY:
        return "another process is writing; run the same command again in a moment";
    case SW_EFULL:
        return "nothing is lost or half-written";
    case SW_EFOREIGN:
        return "name a stepwell database with --db, or a path where a new one may be made";
    case SW_EVERSION:
        return "use the version of stepwell that wrote it, or a newer one";
    case SW_ECORRUPT:
        return "restore the file from a backup; `stepwell audit verify` says what can be trusted";
    default:
        return NULL;
    }
}

int cli_fail_error(const sw_error *error, const char *hint, const char *context, ...)
{
    char detail[CLI_DETAIL_SIZE];
    int length = 0;
    if (context) {
        va_list values;
        va_start(values, context);
        length = vsnprintf(detail, sizeof(detail), context, values);
        va_end(values);
    }
    const char *message = error->message[0] ? error->message : sw_code_text(error->code);
    if (length < 0 || (size_t)length >= sizeof(detail))
        length = 0;
    snprintf(detail + length, sizeof(detail) - (size_t)length, "%s%s", length > 0 ? ": " : "",
             message);
    cli_exit status = cli_exit_of(error->code);
    problem_print(&(cli_problem){.status = (int)status,
                                 .code = cli_exit_get(status)->slug,
                                 .error = sw_code_name(error->code),
                                 .title = sw_code_text(error->code),
                                 .detail = detail,
                                 .hint = hint ? hint : error_hint(error->code)});
    return (int)status;
}

void *cli_alloc(size_t size)
{
    void *block = calloc(1, size ? size : 1);
    if (!block) {
        fputs("stepwell: error: out of memory\n", stderr);
        _exit(CLI_EXIT_STORAGE);
    }
    return block;
}

char *cli_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(cli_alloc(size), text, size);
}

bool cli_out_broken(void)
{
    struct pollfd reader = {.fd = STDOUT_FILENO};
    return ferror(stdout) || (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR));
}

int cli_out_close(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    int reason = errno;
    if (reason != EPIPE)
        cli_fail(CLI_EXIT_STORAGE, NULL, "cannot write to standard output: %s", strerror(reason));
    return CLI_EXIT_STORAGE;
}
