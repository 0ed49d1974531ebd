/* Where a task stands, and which of its steps may start: microseconds of one call on SQLite, for
 * tasks of 1,000 and 5,000 steps that are half done. Beside it the bare reading of their rows.
 *
 *     bench_questions [--quick] [--json] [--dir FOLDER] [--only TEXT]
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

#define QUESTIONS_LAYER 100

typedef struct questions_case {
    const char *name;
    int (*ask)(sw_engine *engine, const sw_uuid *task, sw_result **out, sw_error *err);
} questions_case;

static int ask_context(sw_engine *engine, const sw_uuid *task, sw_result **out, sw_error *err)
{
    return sw_task_context(engine, task, 1, out, err);
}

static const questions_case questions[] = {
    {"context", ask_context},
    {"viable_steps", sw_step_readiness},
    {"steps", sw_task_get},
};

/* Microseconds. */
static double questions_ask(const questions_case *c, sw_engine *engine, const sw_uuid *task)
{
    sw_result *result = NULL;
    sw_error err;
    double started = bench_seconds();
    bench_check(c->ask(engine, task, &result, &err), c->name, &err);
    double took = bench_seconds() - started;
    sw_result_free(result);
    return took * 1e6;
}

/* Microseconds of reading each column of each step, of which there are so many. */
static double questions_read(sqlite3_stmt *select, size_t steps)
{
    size_t rows = 0;
    int64_t sum = 0;
    double started = bench_seconds();
    while (sqlite3_step(select) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(select); i++)
            sum += sqlite3_column_int64(select, i) & 1023;
        rows++;
    }
    double took = bench_seconds() - started;
    sqlite3_reset(select);
    if (rows != steps || sum == 0)
        exit(1);
    return took * 1e6;
}

static void questions_run(const bench_arguments *arguments, const char *path, sw_engine *engine,
                          const sw_uuid *task, size_t steps)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *select = NULL;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "SELECT * FROM step", -1, &select, NULL) != SQLITE_OK)
        exit(1);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        char name[64];
        bench_rounds measured = {0};
        snprintf(name, sizeof(name), "%s/%zu", questions[i].name, steps);
        if (!bench_wants(arguments, name))
            continue;
        for (int round = 0; round < (arguments->quick ? 5 : 21); round++) {
            double took = questions_ask(&questions[i], engine, task);
            bench_add(&measured, took, questions_read(select, steps));
        }
        bench_print(&measured, name, "us", "us; floor is reading the rows", arguments->json);
    }
    sqlite3_finalize(select);
    sqlite3_close(db);
}

int main(int argc, char **argv)
{
    bench_arguments arguments = bench_arguments_read(argc, argv);
    for (size_t steps = 1000; steps <= 5000; steps *= 5) {
        char path[512];
        bench_path(&arguments, "questions", path);
        sw_engine *engine = bench_open(path, SW_DURABILITY_RELAXED);
        char *definition = bench_layered(steps, QUESTIONS_LAYER);
        bench_register(engine, definition);
        free(definition);
        sw_worker_ref worker = bench_worker(engine, "bench.step");
        sw_uuid task = bench_submit(engine, "layered", 1);
        bench_work(engine, &worker, QUESTIONS_LAYER, steps / 2);
        questions_run(&arguments, path, engine, &task, steps);
        sw_engine_close(engine);
        bench_remove(path);
    }
    return 0;
}
