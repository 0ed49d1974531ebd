/* How much room tasks take: bytes of the database file per million transitions, bytes of memory per
 * 100,000 steps, and what is left of the file after everything was pruned.
 *
 * Two loads: many small tasks (chains of three steps) and large ones (1,000 steps side by side). A
 * transition is an entry of the audit log. The file is measured after the engine was closed, so
 * that its log is moved into it; memory is what malloc has given out, before and after. These
 * figures do not depend on the machine's speed; pruning is timed beside them, in tasks and in steps
 * per second.
 *
 *     bench_room [--quick] [--json] [--dir FOLDER]
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"

#define ROOM_BATCH 1000
#define ROOM_WIDE 1000

typedef struct room_load {
    const char *name;
    char *definition;
    size_t steps; /* of one task */
    size_t tasks;
} room_load;

static bool room_json;
static const char *room_dir = "/tmp";

static void room_print(const char *name, const char *unit, double value)
{
    if (room_json)
        printf("{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%.1f,\"min\":%.1f,\"max\":%.1f,"
               "\"floor\":null,\"ratio\":null}\n",
               name, unit, value, value, value);
    else
        printf("%-28s %9.1f  %s\n", name, value, unit);
    fflush(stdout);
}

static char *room_chain(void)
{
    return strdup("{\"stepwell\":1,\"name\":\"w\",\"steps\":["
                  "{\"name\":\"a\",\"handler\":\"bench.step\"},"
                  "{\"name\":\"b\",\"handler\":\"bench.step\",\"after\":[\"a\"]},"
                  "{\"name\":\"c\",\"handler\":\"bench.step\",\"after\":[\"b\"]}]}");
}

static char *room_wide(void)
{
    size_t size = 64 + ROOM_WIDE * 48;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (size_t i = 0; i < ROOM_WIDE; i++)
        len +=
            (size_t)snprintf(text + len, size - len,
                             "%s{\"name\":\"s%zu\",\"handler\":\"bench.step\"}", i ? "," : "", i);
    snprintf(text + len, size - len, "]}");
    return text;
}

static sw_engine *room_open(const char *store)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    options.store = bench_str(store);
    options.durability = SW_DURABILITY_RELAXED;
    bench_check(sw_engine_open(&options, &engine, &err), "open", &err);
    return engine;
}

static void room_submit(sw_engine *engine, const room_load *load)
{
    static sw_task_submit_row rows[ROOM_BATCH];
    size_t batch = ROOM_BATCH / load->steps + 1;
    sw_error err;
    for (size_t i = 0; i < ROOM_BATCH; i++)
        rows[i] = (sw_task_submit_row){.workflow = bench_str("w"),
                                       .input = bench_str("{\"order_id\":4711,\"total\":12.5}")};
    for (size_t left = load->tasks; left > 0;) {
        sw_result *result = NULL;
        size_t count = left < batch ? left : batch;
        bench_check(sw_task_submit(engine, rows, count, &result, &err), "submit", &err);
        sw_result_free(result);
        left -= count;
    }
}

static void room_work(sw_engine *engine)
{
    static sw_step_outcome outcomes[ROOM_BATCH];
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    sw_error err;
    size_t count = 0;
    do {
        sw_result *result = NULL;
        bench_check(
            sw_step_exchange(engine, &worker, outcomes, count, ROOM_BATCH, 0, &result, &err),
            "exchange", &err);
        count = bench_outcomes(result, outcomes);
        sw_result_free(result);
    } while (count > 0);
    bench_check(sw_worker_close(engine, &worker, &err), "close", &err);
}

/* The file. */

static double room_file_size(const char *path)
{
    struct stat found;
    return stat(path, &found) == 0 ? (double)found.st_size : 0;
}

static int64_t room_transitions(sw_engine *engine)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_error err;
    bench_check(sw_audit_verify(engine, &report, &err), "verify", &err);
    return report.entry_count;
}

/* Seconds that it took to prune everything. */
static double room_prune(const char *path, const room_load *load)
{
    sw_engine *engine = room_open(path);
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    sw_error err;
    options.finished_before_us = INT64_MAX / 8;
    double started = bench_seconds();
    bench_check(sw_task_prune(engine, &options, &report, &err), "prune", &err);
    double took = bench_seconds() - started;
    sw_engine_close(engine);
    if (report.task_count != (int64_t)load->tasks) {
        fprintf(stderr, "bench: %lld tasks were pruned\n", (long long)report.task_count);
        exit(1);
    }
    return took;
}

static void room_file(const room_load *load)
{
    char path[512];
    char name[64];
    snprintf(path, sizeof(path), "%s/stepwell-bench-%ld-room.db", room_dir, (long)getpid());
    sw_engine *engine = room_open(path);
    bench_register(engine, load->definition);
    room_submit(engine, load);
    room_work(engine);
    double millions = (double)room_transitions(engine) / 1e6;
    sw_engine_close(engine);
    snprintf(name, sizeof(name), "file/%s", load->name);
    room_print(name, "MB/million transitions", room_file_size(path) / 1e6 / millions);
    double took = room_prune(path, load);
    snprintf(name, sizeof(name), "file/%s/pruned", load->name);
    room_print(name, "MB/million transitions", room_file_size(path) / 1e6 / millions);
    snprintf(name, sizeof(name), "prune/%s", load->name);
    room_print(name, "steps/s", (double)(load->tasks * load->steps) / took);
    unlink(path);
}

/* Memory. */

static double room_given_out(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

static void room_memory(const room_load *load)
{
    char name[64];
    double steps = (double)(load->tasks * load->steps) / 1e5;
    sw_engine *engine = room_open("memory:");
    bench_register(engine, load->definition);
    double before = room_given_out();
    room_submit(engine, load);
    snprintf(name, sizeof(name), "memory/%s/submitted", load->name);
    room_print(name, "MB/100,000 steps", (room_given_out() - before) / 1e6 / steps);
    room_work(engine);
    snprintf(name, sizeof(name), "memory/%s/ended", load->name);
    room_print(name, "MB/100,000 steps", (room_given_out() - before) / 1e6 / steps);
    sw_engine_close(engine);
}

int main(int argc, char **argv)
{
    room_load loads[] = {{"small", room_chain(), 3, 33000}, {"wide", room_wide(), ROOM_WIDE, 100}};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            loads[0].tasks /= 10;
            loads[1].tasks /= 10;
        } else if (strcmp(argv[i], "--json") == 0) {
            room_json = true;
        } else if (strcmp(argv[i], "--dir") == 0 && i + 1 < argc) {
            room_dir = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--json] [--dir FOLDER]\n", argv[0]);
            return 2;
        }
    }
    for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
        room_file(&loads[i]);
        room_memory(&loads[i]);
        free(loads[i].definition);
    }
    return 0;
}
