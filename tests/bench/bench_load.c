/* What a definition of 100,000 steps costs before anything is asked of it: loading its file, and
 * reading it back from a database, which is the first question that a new process asks about a task
 * of it. Each round is a process of its own, because both touch new memory. One line per
 * measurement: name, microseconds of processor time, those of jansson reading the same text into a
 * tree of its own, ratio; then the pages that were new, beside those that the stored text fills.
 *
 *     bench_load [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define LOAD_STEPS 100000
#define LOAD_NEAR 97 /* a step waits for two of so many before it */
#define LOAD_PAGE 4096

/* What a process found. */
typedef struct load_cost {
    double us; /* of the work, and of jansson with the same text */
    double floor_us;
    double pages;
} load_cost;

typedef struct load_case {
    const char *name;
    const char *path;
    const char *file;    /* the definition as it was written */
    const char *stored;  /* and as it is stored */
    const sw_uuid *task; /* a task of it */
} load_case;

static double load_microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double load_pages(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_minflt;
}

static char *load_definition(void)
{
    size_t size = 64 + (size_t)LOAD_STEPS * 96;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"large\",\"steps\":[");
    for (int i = 0; i < LOAD_STEPS; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"step-%06d\",\"handler\":\"bench.step\"",
                                i ? "," : "", i);
        if (i >= LOAD_NEAR)
            len +=
                (size_t)snprintf(text + len, size - len, ",\"after\":[\"step-%06d\",\"step-%06d\"]",
                                 i - LOAD_NEAR, i - 1 - i % (LOAD_NEAR - 1));
        len += (size_t)snprintf(text + len, size - len, "}");
    }
    snprintf(text + len, size - len, "]}");
    return text;
}

static void load_file(const load_case *c)
{
    sw_error err;
    sw_workflow *workflow = NULL;
    bench_check(sw_workflow_load(NULL, bench_str(c->file), &workflow, NULL, &err), "load", &err);
    sw_workflow_free(workflow);
}

static void load_question(const load_case *c)
{
    sw_error err;
    sw_result *result = NULL;
    sw_forecast_options options = SW_FORECAST_OPTIONS_INIT;
    sw_engine *engine = bench_open(c->path, SW_DURABILITY_RELAXED);
    bench_check(sw_task_forecast(engine, &options, c->task, &result, &err), "forecast", &err);
    sw_result_free(result);
    sw_engine_close(engine);
}

static load_cost load_measure(const load_case *c, void (*work)(const load_case *c))
{
    load_cost cost;
    double pages = load_pages(), started = load_microseconds();
    work(c);
    cost.us = load_microseconds() - started;
    cost.pages = load_pages() - pages;
    const char *text = work == load_file ? c->file : c->stored;
    started = load_microseconds();
    json_t *tree = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    json_decref(tree);
    cost.floor_us = load_microseconds() - started;
    return cost;
}

/* In a process that has no memory of its own yet. */
static load_cost load_fork(const load_case *c, void (*work)(const load_case *c))
{
    int ends[2];
    load_cost cost = {0};
    fflush(stdout);
    pid_t child = pipe(ends) < 0 ? -1 : fork();
    if (child == 0) {
        cost = load_measure(c, work);
        _exit(write(ends[1], &cost, sizeof cost) != sizeof cost);
    }
    bool whole = child > 0 && read(ends[0], &cost, sizeof cost) == sizeof cost;
    if (!whole || waitpid(child, NULL, 0) != child) {
        fprintf(stderr, "a process could not be measured\n");
        exit(1);
    }
    close(ends[0]);
    close(ends[1]);
    return cost;
}

static void load_run(const bench_arguments *arguments, const load_case *c,
                     void (*work)(const load_case *c))
{
    char name[64];
    bench_rounds time = {0}, pages = {0};
    if (!bench_wants(arguments, c->name))
        return;
    for (int i = 0; i < (arguments->quick ? 3 : 9); i++) {
        load_cost cost = load_fork(c, work);
        bench_add(&time, cost.us, cost.floor_us);
        bench_add(&pages, cost.pages, (double)strlen(c->stored) / LOAD_PAGE);
    }
    snprintf(name, sizeof name, "load/%s", c->name);
    bench_print(&time, name, "us", "us; floor is jansson", arguments->json);
    bench_print(&pages, name, "new pages", "new pages; floor is the stored text", arguments->json);
}

/* The task, and the text that the database keeps of its definition. */
static sw_uuid load_prepare(const char *path, const char *file, char **stored)
{
    sw_error err;
    sw_workflow *workflow = NULL;
    sw_engine *engine = bench_open(path, SW_DURABILITY_RELAXED);
    bench_register(engine, file);
    sw_uuid task = bench_submit(engine, "large", 1);
    bench_check(sw_workflow_load(NULL, bench_str(file), &workflow, NULL, &err), "load", &err);
    sw_str json = sw_workflow_json(workflow);
    *stored = malloc(json.len + 1);
    if (!*stored)
        exit(1);
    memcpy(*stored, json.ptr, json.len);
    (*stored)[json.len] = 0;
    sw_workflow_free(workflow);
    sw_engine_close(engine);
    return task;
}

/* The database is made by another process, whose memory would be handed on to those that are
 * measured. */
static void load_prepare_apart(const char *path, const char *file, char **stored, sw_uuid *task)
{
    int ends[2];
    size_t len = 0;
    fflush(stdout);
    pid_t child = pipe(ends) < 0 ? -1 : fork();
    if (child == 0) {
        *task = load_prepare(path, file, stored);
        FILE *out = fdopen(ends[1], "w");
        len = strlen(*stored) + 1;
        bool whole = out && fwrite(task, sizeof *task, 1, out) == 1 &&
                     fwrite(&len, sizeof len, 1, out) == 1 && fwrite(*stored, len, 1, out) == 1;
        _exit(!whole || fclose(out) != 0);
    }
    FILE *in = child > 0 ? fdopen(ends[0], "r") : NULL;
    close(ends[1]);
    bool whole = in && fread(task, sizeof *task, 1, in) == 1 && fread(&len, sizeof len, 1, in) == 1;
    *stored = whole ? malloc(len) : NULL;
    if (!*stored || fread(*stored, len, 1, in) != 1 || waitpid(child, NULL, 0) != child) {
        fprintf(stderr, "the database could not be made\n");
        exit(1);
    }
    fclose(in);
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    char path[512], *stored = NULL, *file = load_definition();
    sw_uuid task;
    bench_path(&arguments, "load", path);
    load_prepare_apart(path, file, &stored, &task);
    load_case c = {"100,000, from a file", path, file, stored, &task};
    load_run(&arguments, &c, load_file);
    c.name = "100,000, first question";
    load_run(&arguments, &c, load_question);
    bench_remove(path);
    free(stored);
    free(file);
    return 0;
}
