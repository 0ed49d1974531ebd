/* Steps one after the other: microseconds per step of a chain on SQLite, where each exchange
 * reports one step and claims the next. Beside it the commit of one changed row, which every
 * durable step needs at least.
 *
 *     bench_chain [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

static void chain_exec(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        fprintf(stderr, "bench: %s: %s\n", sql, sqlite3_errmsg(db));
        exit(1);
    }
}

/* A chain of steps; freed by the caller. */
static char *chain_definition(size_t steps)
{
    size_t size = 64 + steps * 72;
    char *text = malloc(size);
    if (!text)
        exit(1);
    size_t len = (size_t)snprintf(text, size, "{\"stepwell\":1,\"name\":\"chain\",\"steps\":[");
    for (size_t i = 0; i < steps; i++) {
        len += (size_t)snprintf(text + len, size - len,
                                "%s{\"name\":\"s%zu\",\"handler\":\"bench.step\"", i ? "," : "", i);
        if (i > 0)
            len += (size_t)snprintf(text + len, size - len, ",\"after\":[\"s%zu\"]", i - 1);
        len += (size_t)snprintf(text + len, size - len, "}");
    }
    snprintf(text + len, size - len, "]}");
    return text;
}

/* Microseconds per step. */
static double chain_engine(sw_engine *engine, const sw_worker_ref *worker, size_t steps)
{
    bench_submit(engine, "chain", 1);
    double started = bench_seconds();
    if (bench_work(engine, worker, 1, steps) != steps)
        exit(1);
    return (bench_seconds() - started) * 1e6 / (double)steps;
}

static sqlite3 *chain_open(const char *path, int durability)
{
    sqlite3 *db = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK)
        exit(1);
    chain_exec(db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 4000");
    chain_exec(db, durability == SW_DURABILITY_STRICT ? "PRAGMA synchronous = FULL"
                                                      : "PRAGMA synchronous = NORMAL");
    chain_exec(db, "CREATE TABLE step (step_id INTEGER PRIMARY KEY, state INTEGER) STRICT;"
                   "INSERT INTO step VALUES (1, 0)");
    return db;
}

/* Microseconds per commit. */
static double chain_commits(sqlite3 *db, size_t commits)
{
    sqlite3_stmt *update = NULL;
    if (sqlite3_prepare_v2(db, "UPDATE step SET state = state + 1 WHERE step_id = 1", -1, &update,
                           NULL) != SQLITE_OK)
        exit(1);
    double started = bench_seconds();
    for (size_t i = 0; i < commits; i++) {
        if (sqlite3_step(update) != SQLITE_DONE)
            exit(1);
        sqlite3_reset(update);
    }
    double took = bench_seconds() - started;
    sqlite3_finalize(update);
    return took * 1e6 / (double)commits;
}

static void chain_run(const bench_arguments *arguments, const char *name, int durability)
{
    char path[512];
    char floor_path[512];
    bench_rounds measured = {0};
    size_t steps = arguments->quick ? 60 : 400;
    bench_path(arguments, "chain", path);
    bench_path(arguments, "commit", floor_path);
    sw_engine *engine = bench_open(path, durability);
    sqlite3 *db = chain_open(floor_path, durability);
    char *definition = chain_definition(steps);
    bench_register(engine, definition);
    sw_worker_ref worker = bench_worker(engine, "bench.step");
    for (int i = 0; i < (arguments->quick ? 3 : 9); i++) {
        double took = chain_engine(engine, &worker, steps);
        bench_add(&measured, took, chain_commits(db, steps));
    }
    bench_print(&measured, name, "us/step", "us per step; floor is a commit of one row",
                arguments->json);
    free(definition);
    sqlite3_close(db);
    sw_engine_close(engine);
    bench_remove(path);
    bench_remove(floor_path);
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    if (bench_wants(&arguments, "chain/strict"))
        chain_run(&arguments, "chain/strict", SW_DURABILITY_STRICT);
    if (bench_wants(&arguments, "chain/relaxed"))
        chain_run(&arguments, "chain/relaxed", SW_DURABILITY_RELAXED);
    return 0;
}
