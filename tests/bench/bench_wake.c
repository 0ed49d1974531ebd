/* Waiting across processes: what an idle worker costs, how soon a submission in one process starts
 * in another, and how soon the step of a killed worker runs again.
 *
 * wake: microseconds from the call that submits to the claim in another process, both commits
 * included; the floor is a bare round trip through two pipes between the same two processes.
 * idle: processor time per minute of a process that waits for work beside a second worker; the
 * floor is a process that only sleeps, as often as the worker looks at signs of life. Its
 * statements are counted by SQLite. resume: milliseconds from kill -9 to the claim by another
 * process.
 *
 *     bench_wake [--quick] [--json] [--dir FOLDER]
 */
#include <getopt.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "engine/engine.h"
#include "store/sqlite.h"

#define WAKE_ROUNDS 50
#define IDLE_ROUNDS 5
#define IDLE_NAP_NS 250000000L
#define RESUME_ROUNDS 20
#define WAKE_WAIT_MS 20000

typedef struct wake_bench {
    char store[300];
    int durability;
    bool quick;
    bool json;
} wake_bench;

/* A child and two pipes, named by who reads them. */
typedef struct pair {
    pid_t child;
    int parent_fd;
    int child_fd;
    int to_child;
    int to_parent;
} pair;

static void wake_must(bool holds, const char *what)
{
    bench_check(holds ? SW_OK : SW_EIO, what, &(sw_error){.message = "the system refuses"});
}

static sw_engine *wake_open(const wake_bench *bench)
{
    sw_engine_options open = SW_ENGINE_OPTIONS_INIT;
    sw_engine *engine = NULL;
    sw_error err;
    open.store = bench_str(bench->store);
    open.durability = bench->durability;
    bench_check(sw_engine_open(&open, &engine, &err), "open", &err);
    return engine;
}

static void wake_submit(sw_engine *engine)
{
    sw_error err;
    sw_result *result = NULL;
    sw_task_submit_row row = {.workflow = bench_str("one")};
    bench_check(sw_task_submit(engine, &row, 1, &result, &err), "submit", &err);
    sw_result_free(result);
}

/* Wait for a step; the time of its claim, 0 when there was none. */
static double wake_claim(sw_engine *engine, const sw_worker_ref *worker, int64_t wait_ms,
                         sw_step_outcome *outcome)
{
    sw_error err;
    sw_result *result = NULL;
    bench_check(sw_step_exchange(engine, worker, NULL, 0, 1, wait_ms, &result, &err), "claim",
                &err);
    double now = bench_seconds();
    size_t count = bench_outcomes(result, outcome);
    sw_result_free(result);
    return count ? now : 0;
}

static void wake_report(sw_engine *engine, const sw_step_outcome *outcome)
{
    sw_error err;
    sw_result *result = NULL;
    bench_check(sw_step_update_batch(engine, outcome, 1, &result, &err), "report", &err);
    sw_result_free(result);
}

/* Children. */

static pair pair_start(const wake_bench *bench, void (*body)(const wake_bench *, const pair *))
{
    int down[2];
    int up[2];
    wake_must(pipe(down) == 0 && pipe(up) == 0, "pipe");
    pair p = {.parent_fd = up[0], .child_fd = down[0], .to_child = down[1], .to_parent = up[1]};
    p.child = fork();
    wake_must(p.child >= 0, "fork");
    if (p.child == 0) {
        close(p.to_child);
        close(p.parent_fd);
        body(bench, &p);
        _exit(0);
    }
    close(p.child_fd);
    close(p.to_parent);
    return p;
}

static void pair_send(int fd, double value)
{
    wake_must(write(fd, &value, sizeof value) == (ssize_t)sizeof value, "write");
}

/* 0 at the end. */
static double pair_receive(int fd)
{
    double value = 0;
    return read(fd, &value, sizeof value) == (ssize_t)sizeof value ? value : 0;
}

/* Kill the child when it does not end by itself; its processor time in seconds. */
static double pair_end(const pair *p, int signal_number)
{
    struct rusage used;
    close(p->to_child);
    if (signal_number)
        kill(p->child, signal_number);
    wake_must(wait4(p->child, NULL, 0, &used) == p->child, "wait4");
    close(p->parent_fd);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

/* Rows. */

static void wake_print(const wake_bench *bench, const char *name, const char *unit, int rounds,
                       const double *values, const double *floors)
{
    double ratios[BENCH_ROUNDS_MAX];
    for (int i = 0; floors && i < rounds; i++)
        ratios[i] = values[i] / floors[i];
    double median = bench_median(values, rounds);
    double least = bench_least(values, rounds);
    double most = bench_most(values, rounds);
    if (bench->json)
        printf("{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%.2f,\"min\":%.2f,\"max\":%.2f,", name,
               unit, median, least, most);
    else
        printf("%-28s %9.2f %9.2f %9.2f %8s", name, median, least, most, "");
    if (bench->json && floors)
        printf("\"floor\":%.2f,\"ratio\":%.3f}\n", bench_median(floors, rounds),
               bench_median(ratios, rounds));
    else if (bench->json)
        printf("\"floor\":null,\"ratio\":null}\n");
    else if (floors)
        printf(" %9.2f %6.2f  %s\n", bench_median(floors, rounds), bench_median(ratios, rounds),
               unit);
    else
        printf(" %9s %6s  %s\n", "", "", unit);
    fflush(stdout);
}

/* wake. */

/* Answer each value with the time of the next claim; 1 asks for an echo, anything else for work. */
static void wake_child(const wake_bench *bench, const pair *p)
{
    sw_step_outcome outcome;
    sw_engine *engine = wake_open(bench);
    sw_worker_ref worker = bench_worker(engine, "one.a");
    for (double asked; (asked = pair_receive(p->child_fd)) > 0;) {
        double now = asked;
        if (asked > 1) {
            now = wake_claim(engine, &worker, WAKE_WAIT_MS, &outcome);
            wake_report(engine, &outcome);
        }
        pair_send(p->to_parent, now);
    }
    sw_engine_close(engine);
}

static void wake_pause(long ns)
{
    const struct timespec pause = {.tv_nsec = ns};
    nanosleep(&pause, NULL);
}

static void bench_wakes(const wake_bench *bench, const char *name)
{
    double took[WAKE_ROUNDS];
    double floors[WAKE_ROUNDS];
    sw_engine *engine = wake_open(bench);
    pair p = pair_start(bench, wake_child);
    for (int i = 0; i < WAKE_ROUNDS; i++) {
        pair_send(p.to_child, 1);
        pair_receive(p.parent_fd);
        double began = bench_seconds();
        pair_send(p.to_child, 1);
        pair_receive(p.parent_fd);
        floors[i] = (bench_seconds() - began) * 1e6;
        pair_send(p.to_child, 2);
        wake_pause(5000000); /* until it waits */
        began = bench_seconds();
        wake_submit(engine);
        took[i] = (pair_receive(p.parent_fd) - began) * 1e6;
    }
    pair_end(&p, 0);
    sw_engine_close(engine);
    wake_print(bench, name, "us", WAKE_ROUNDS, took, floors);
}

/* idle. */

static int idle_count(unsigned kind, void *context, void *statement, void *text)
{
    (void)kind;
    (void)statement;
    (void)text;
    ++*(double *)context;
    return 0;
}

static struct rusage idle_used(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used;
}

static double idle_seconds(const struct rusage *used)
{
    return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) +
           (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1e6;
}

static int64_t idle_ms(const wake_bench *bench)
{
    return bench->quick ? 1000 : 6000;
}

/* Tells the processor time and the statements of waiting, without what opening takes. */
static void idle_child(const wake_bench *bench, const pair *p)
{
    double count = 0;
    sw_step_outcome outcome;
    sw_engine *engine = wake_open(bench);
    sw_worker_ref worker = bench_worker(engine, "one.a");
    wake_claim(engine, &worker, 50, &outcome);
    sqlite3_trace_v2(((sw__sqlite *)engine->store)->db, SQLITE_TRACE_STMT, idle_count, &count);
    struct rusage before = idle_used();
    wake_claim(engine, &worker, idle_ms(bench), &outcome);
    struct rusage after = idle_used();
    pair_send(p->to_parent, idle_seconds(&after) - idle_seconds(&before) + 1e-9);
    pair_send(p->to_parent, count + 1);
    sw_engine_close(engine);
}

static void idle_floor_child(const wake_bench *bench, const pair *p)
{
    struct rusage before = idle_used();
    for (int64_t ns = idle_ms(bench) * 1000000; ns > 0; ns -= IDLE_NAP_NS)
        wake_pause(IDLE_NAP_NS);
    struct rusage after = idle_used();
    pair_send(p->to_parent, idle_seconds(&after) - idle_seconds(&before) + 1e-9);
}

static void bench_idle(const wake_bench *bench)
{
    double used[IDLE_ROUNDS];
    double floors[IDLE_ROUNDS];
    double counts[IDLE_ROUNDS];
    double per_minute = 60000.0 / (double)idle_ms(bench);
    int rounds = bench->quick ? 3 : IDLE_ROUNDS;
    sw_engine *engine = wake_open(bench);
    bench_worker(engine, "one.b");
    for (int i = 0; i < rounds; i++) {
        pair p = pair_start(bench, idle_child);
        used[i] = pair_receive(p.parent_fd) * per_minute * 1000;
        counts[i] = (pair_receive(p.parent_fd) - 1) * per_minute;
        pair_end(&p, 0);
        p = pair_start(bench, idle_floor_child);
        floors[i] = pair_receive(p.parent_fd) * per_minute * 1000;
        pair_end(&p, 0);
    }
    sw_engine_close(engine);
    wake_print(bench, "idle/processor", "ms/min", rounds, used, floors);
    wake_print(bench, "idle/statements", "statements/min", rounds, counts, NULL);
}

/* resume. */

/* Claim the step there is, say so, and hold it until the end. */
static void resume_holder(const wake_bench *bench, const pair *p)
{
    sw_step_outcome outcome;
    sw_engine *engine = wake_open(bench);
    sw_worker_ref worker = bench_worker(engine, "one.a");
    pair_send(p->to_parent, wake_claim(engine, &worker, WAKE_WAIT_MS, &outcome));
    for (;;)
        pause();
}

static void bench_resume(const wake_bench *bench)
{
    double took[RESUME_ROUNDS];
    int rounds = bench->quick ? 5 : RESUME_ROUNDS;
    sw_engine *engine = wake_open(bench);
    for (int i = 0; i < rounds; i++) {
        pair holder = pair_start(bench, resume_holder);
        wake_submit(engine);
        pair_receive(holder.parent_fd);
        pair heir = pair_start(bench, wake_child);
        pair_send(heir.to_child, 2);
        wake_pause(100000000 + (i * 37 % 20) * 12500000L); /* anywhere between two looks */
        double began = bench_seconds();
        pair_end(&holder, SIGKILL);
        took[i] = (pair_receive(heir.parent_fd) - began) * 1e3;
        pair_end(&heir, 0);
    }
    sw_engine_close(engine);
    wake_print(bench, "resume/kill", "ms", rounds, took, NULL);
}

static void wake_remove(const wake_bench *bench)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-life", "-bell"};
    char file[310];
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        snprintf(file, sizeof file, "%s%s", bench->store, endings[i]);
        unlink(file);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"quick", no_argument, NULL, 'q'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"dir", required_argument, NULL, 'd'},
                                            {0}};
    wake_bench bench = {.quick = false};
    const char *dir = "/tmp";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'q')
            bench.quick = true;
        else if (option == 'j')
            bench.json = true;
        else if (option == 'd')
            dir = optarg;
        else
            return 2;
    }
    snprintf(bench.store, sizeof bench.store, "%s/stepwell-wake-%d.db", dir, getpid());
    sw_engine *engine = wake_open(&bench);
    bench_register(engine, "{\"stepwell\":1,\"name\":\"one\",\"steps\":[{\"name\":\"a\"}]}");
    sw_engine_close(engine);
    bench.durability = SW_DURABILITY_RELAXED;
    bench_wakes(&bench, "wake/relaxed");
    bench.durability = SW_DURABILITY_STRICT;
    bench_wakes(&bench, "wake/strict");
    bench_idle(&bench);
    bench_resume(&bench);
    wake_remove(&bench);
    return 0;
}
