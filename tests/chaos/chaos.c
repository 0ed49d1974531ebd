/* One program for the chaos test: be a worker, submit tasks, or tell what is in a database.
 *
 *     chaos work STORE LEDGER LEASE_MS SLOTS DEFINITION...
 *     chaos submit STORE LEDGER FIRST LAST BACKLOG PADDING_MAX DEFINITION...
 *     chaos left STORE
 *     chaos dump STORE
 *
 * Ledgers are what tests/chaos/run compares the database with. Not here: who is killed and when.
 */
#include "chaos.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define AGAIN_MS 20
#define DEFINITION_MAX 65536

static volatile sig_atomic_t stop_asked;
static int ledger_fd = -1;
static const char *ledger_name = "";

static void stop_ask(int number)
{
    (void)number;
    stop_asked = 1;
}

bool chaos_stopping(void)
{
    return stop_asked != 0;
}

void chaos_nap_ms(int64_t ms)
{
    const struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

void chaos_ledger_open(const char *path)
{
    const char *slash = strrchr(path, '/');
    ledger_name = slash ? slash + 1 : path;
    ledger_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (ledger_fd < 0) {
        fprintf(stderr, "chaos: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

const char *chaos_ledger_name(void)
{
    return ledger_name;
}

void chaos_ledger_put(const char *format, ...)
{
    char line[512];
    va_list args;
    va_start(args, format);
    int length = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof(line) - 1)
        exit(1);
    line[length] = '\n';
    if (write(ledger_fd, line, (size_t)length + 1) != length + 1) {
        perror("chaos: the ledger");
        exit(1);
    }
}

void chaos_must(const char *what, int rc, const sw_error *error)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "chaos: %s: %s: %s\n", what, sw_code_name(rc), error->message);
    exit(1);
}

bool chaos_again(const char *what, int rc, const sw_error *error)
{
    if (rc != SW_EBUSY && rc != SW_EIO && rc != SW_EFULL && rc != SW_ENOMEM) {
        chaos_must(what, rc, error);
        return false;
    }
    chaos_ledger_put("error %s", sw_code_class(rc));
    fprintf(stderr, "chaos: %s: %s: %s\n", what, sw_code_name(rc), error->message);
    chaos_nap_ms(AGAIN_MS);
    return !chaos_stopping();
}

sw_str chaos_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

sw_engine *chaos_engine_open(const char *store)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = chaos_str(store);
    int rc;
    do {
        rc = sw_engine_open(&options, &engine, &error);
    } while (chaos_again("opening the store", rc, &error));
    return engine;
}

sw_workflow *chaos_workflow_load(const char *path)
{
    sw_error error;
    static char text[DEFINITION_MAX];
    sw_workflow *workflow = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    FILE *file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "chaos: %s: %s\n", path, strerror(errno));
        exit(1);
    }
    sw_str read = {text, fread(text, 1, sizeof(text), file)};
    fclose(file);
    options.source = chaos_str(path);
    chaos_must("a definition", sw_workflow_load(&options, read, &workflow, NULL, &error), &error);
    return workflow;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int argument_min;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"work", 5, chaos_work},
        {"submit", 7, chaos_submit},
        {"left", 1, chaos_left},
        {"dump", 1, chaos_dump},
    };
    const struct sigaction action = {.sa_handler = stop_ask};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]) && argc > 1; i++) {
        if (strcmp(argv[1], commands[i].name) == 0 && argc - 2 >= commands[i].argument_min)
            return commands[i].run(argc - 2, argv + 2);
    }
    fprintf(stderr, "usage: chaos work|submit|left|dump STORE ...\n");
    return 2;
}
