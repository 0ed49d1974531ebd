/* Every public call on a disk that fails at its n-th operation, for every n: an error once and for
 * ever, a full disk, and the death of the process or of the machine at each write and each sync.
 *
 * A call answers with the right error or succeeds; a failed one has written nothing; the same call
 * succeeds afterwards; nothing leaks; file and history are sound. After a crash the database is
 * what it was before the call or after it, and the call can be made again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/calls_inner.h"
#include "helper/disk_image.h"
#include "helper/fault_vfs.h"
#include "helper/live.h"
#include "helper/sqlite_heap.h"

#define VERIFY_EVERY 16 /* failures between two looks at the whole file and the whole history */
#define IMAGES_MAX 16   /* crashes of one call that are looked at, spread over all its moments */

static calls_world shared;
static char directory[64];

static void path_make(char path[160], const char *name)
{
    snprintf(path, 160, "%s/%s", directory, name);
}

/* SQL on a connection of its own, which no fault reaches; the first value it answers. */
static const char *ask_sqlite(const char *path, const char *sql)
{
    static char answer[64];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    answer[0] = 0;
    if (sqlite3_step(statement) == SQLITE_ROW)
        snprintf(answer, sizeof(answer), "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

static void assert_sound(const char *path)
{
    assert_string_equal(ask_sqlite(path, "PRAGMA integrity_check"), "ok");
}

/* Another process writes, so that whatever the engine remembers of the file has to be read again.
 */
static void make_cold(const char *path)
{
    char sql[64];
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %s", ask_sqlite(path, "PRAGMA user_version"));
    ask_sqlite(path, sql);
}

/* A world in a new database. */
static void world_open(calls_world *w, char store[160])
{
    path_make(store, "io.db");
    path_make(w->fresh, "fresh.db");
    disk_image_put(&(disk_image){0}, store);
    w->fault.env.vfs_name = FAULT_VFS_NAME;
    calls_open(w, store);
}

/* Errors. */

/* A way to fail, and how the calls answer. */
typedef struct failing {
    const char *name;
    int kinds;
    int code;
    bool for_ever;
    bool cold;
    int answer;
} failing;

static const failing ways[] = {
    {"an error", FAULT_VFS_ALL, SQLITE_IOERR, false, false, SW_EIO},
    {"errors", FAULT_VFS_ALL, SQLITE_IOERR, true, false, SW_EIO},
    {"an error, nothing remembered", FAULT_VFS_ALL, SQLITE_IOERR, false, true, SW_EIO},
    {"errors, nothing remembered", FAULT_VFS_ALL, SQLITE_IOERR, true, true, SW_EIO},
    {"a full disk", FAULT_VFS_WRITE, SQLITE_FULL, false, false, SW_EFULL},
    {"a disk that stays full", FAULT_VFS_WRITE, SQLITE_FULL, true, false, SW_EFULL},
};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* Whether operation nth is one that the call makes. */
static bool fail_nth(calls_world *w, const calls_scenario *s, const failing *way, size_t nth)
{
    sw_error error;
    s->prepare(w);
    calls_entries_added(w);
    if (way->cold)
        make_cold(w->store);
    fault_vfs_arm(way->kinds, nth, way->code, way->for_ever);
    int rc = s->act(w, &error);
    bool failed = fault_vfs_failed() > 0;
    fault_vfs_arm(0, 0, 0, false);
    if (!failed || rc == SW_OK) {
        calls_must(rc, &error);
        return failed;
    }
    if (rc != way->answer || error.code != rc || !error.message[0])
        fail_msg("%s, %s at operation %zu: %s: %s", s->name, way->name, nth, sw_code_name(rc),
                 error.message);
    assert_int_equal(calls_entries_added(w), 0);
    calls_must(s->act(w, &error), &error);
    return true;
}

/* Fail operation after operation; the number of failures. */
static size_t fail_each(const calls_scenario *s, const failing *way)
{
    char store[160];
    calls_world *w = &shared;
    size_t tried = 0;
    world_open(w, store);
    while (fail_nth(w, s, way, tried + 1)) {
        if (++tried % VERIFY_EVERY == 0) {
            calls_verify(w);
            assert_sound(store);
        }
    }
    calls_verify(w);
    calls_close(w);
    assert_int_equal(w->fault.live, sqlite_heap_live());
    assert_sound(store);
    return tried;
}

static void test_errors_of_the_disk(void **state)
{
    (void)state;
    size_t sum[WAYS] = {0};
    for (size_t i = 0; i < calls_count(); i++) {
        for (size_t way = 0; way < WAYS; way++)
            sum[way] += fail_each(calls_at(i), &ways[way]);
    }
    for (size_t way = 0; way < WAYS; way++) {
        print_message("%s: %zu times in %zu calls\n", ways[way].name, sum[way], calls_count());
        assert_true(sum[way] > 300);
    }
}

/* Crashes. */

/* What the disk held at the moments of one call. */
typedef struct crashes {
    const char *path;
    disk_image durable; /* what was synced */
    disk_image killed[IMAGES_MAX];
    disk_image unplugged[IMAGES_MAX];
    size_t count;
    size_t moments; /* of all moments every stride-th is kept */
    size_t stride;
} crashes;

/* Keep every second image of those there are, and from now on half as many. */
static void crashes_thin(crashes *c)
{
    for (size_t i = 0; i < c->count; i++) {
        if (i % 2 == 1) {
            disk_image_free(&c->killed[i]);
            disk_image_free(&c->unplugged[i]);
        } else {
            c->killed[i / 2] = c->killed[i];
            c->unplugged[i / 2] = c->unplugged[i];
        }
    }
    c->count = (c->count + 1) / 2;
    c->stride *= 2;
}

/* The process dies: what it has written stays. The machine dies: what it has synced stays. */
static void crashes_moment(void *context)
{
    crashes *c = context;
    if (c->moments++ % c->stride != 0)
        return;
    if (c->count == IMAGES_MAX) {
        crashes_thin(c);
        if ((c->moments - 1) % c->stride != 0)
            return;
    }
    c->killed[c->count] = disk_image_take(c->path);
    c->unplugged[c->count++] = disk_image_copy(&c->durable);
}

static void crashes_synced(void *context, const char *name)
{
    crashes *c = context;
    disk_image_refresh(&c->durable, c->path, name);
}

static void crashes_free(crashes *c)
{
    for (size_t i = 0; i < c->count; i++) {
        disk_image_free(&c->killed[i]);
        disk_image_free(&c->unplugged[i]);
    }
    disk_image_free(&c->durable);
}

/* A world of its own for what is left of the other one, on a disk that works, at the same time. */
static void survivor_init(calls_world *w)
{
    memset(w, 0, sizeof(*w));
    fault_env_init(&w->fault);
    w->fault.mono_us = shared.fault.mono_us;
    w->fault.boot_us = shared.fault.boot_us;
    w->fault.wall_us = shared.fault.wall_us;
    w->fault.random_state = shared.fault.random_state;
    path_make(w->fresh, "survivor-fresh.db");
}

/* Open what was left; the number of entries in its history. */
static int64_t entries_left(calls_world *w, const char *store)
{
    sw_error error;
    calls_must(calls_engine_open(w, store, 0, &w->engine, &error), &error);
    calls_entries_added(w);
    calls_verify(w);
    sw_engine_close(w->engine);
    return w->entries;
}

/* The database has what was there before the call, what was there after it, or, when the call makes
 * several transactions, the first of them; and the call can be made. */
static void recover(const calls_scenario *s, const disk_image *image, int64_t least, int64_t most)
{
    static calls_world w;
    char store[160];
    sw_error error;
    survivor_init(&w);
    path_make(store, "survivor.db");
    disk_image_put(image, store);
    int64_t left = entries_left(&w, store);
    if (left < least || left > most)
        fail_msg("%s: %lld entries are left, not %lld to %lld", s->name, (long long)left,
                 (long long)least, (long long)most);
    calls_open(&w, store);
    s->prepare(&w);
    calls_must(s->act(&w, &error), &error);
    calls_verify(&w);
    calls_close(&w);
    assert_int_equal(w.fault.live, 0);
    assert_sound(store);
}

/* Crash at every moment of one call; the number of crashes. */
static size_t crash_each(const calls_scenario *s)
{
    char store[160];
    sw_error error;
    calls_world *w = &shared;
    world_open(w, store);
    s->prepare(w);
    calls_entries_added(w);
    bool creates = s == calls_find("create");
    int64_t least = creates ? 0 : w->entries;
    crashes c = {.path = creates ? w->fresh : store, .stride = 1};
    c.durable = disk_image_take(c.path);
    const fault_vfs_watch watch = {&c, crashes_moment, crashes_synced};
    fault_vfs_watch_by(&watch);
    calls_must(s->act(w, &error), &error);
    fault_vfs_watch_by(NULL);
    calls_entries_added(w);
    int64_t most = creates ? 0 : w->entries;
    calls_close(w);
    for (size_t i = 0; i < c.count; i++) {
        recover(s, &c.killed[i], least, most);
        recover(s, &c.unplugged[i], least, most);
    }
    /* What was acknowledged is on disk. */
    recover(s, &c.durable, most, most);
    size_t count = 2 * c.count + 1;
    crashes_free(&c);
    return count;
}

static void test_crashes(void **state)
{
    (void)state;
    size_t sum = 0;
    for (size_t i = 0; i < calls_count(); i++)
        sum += crash_each(calls_at(i));
    print_message("%zu crashes in %zu calls\n", sum, calls_count());
    assert_true(sum > 600);
}

/* What a process that was killed had written. */

static void left_moment(void *context)
{
    (void)context;
}

static void left_synced(void *context, const char *name)
{
    size_t *logs = context;
    *logs += strcmp(name + strlen(name) - strlen("-wal"), "-wal") == 0;
}

/* SQLite believes a commit that was written and not synced, once everybody has died who had the
 * database open. Whoever opens it tells of nothing that a power loss could still undo. */
static void test_what_is_left_is_synced_first(void **state)
{
    (void)state;
    static calls_world w;
    char store[160];
    sw_error error;
    size_t logs = 0;
    const fault_vfs_watch watch = {&logs, left_moment, left_synced};
    const calls_scenario *submit = calls_find("submit");
    world_open(&shared, store);
    submit->prepare(&shared);
    calls_must(submit->act(&shared, &error), &error);
    disk_image left = disk_image_take(store);
    assert_true(left.log.size > 0);
    calls_close(&shared);
    survivor_init(&w);
    w.fault.env.vfs_name = FAULT_VFS_NAME;
    path_make(store, "survivor.db");
    disk_image_put(&left, store);
    fault_vfs_arm(FAULT_VFS_SYNC, 1, SQLITE_IOERR_FSYNC, false);
    assert_int_equal(calls_engine_open(&w, store, 0, &w.engine, &error), SW_EIO);
    fault_vfs_arm(0, 0, 0, false);
    assert_int_equal(w.fault.live, 0);
    disk_image_put(&left, store);
    fault_vfs_watch_by(&watch);
    calls_must(calls_engine_open(&w, store, 0, &w.engine, &error), &error);
    fault_vfs_watch_by(NULL);
    assert_int_equal(logs, 1);
    sw_engine_close(w.engine);
    disk_image_free(&left);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors_of_the_disk),
        cmocka_unit_test(test_crashes),
        cmocka_unit_test(test_what_is_left_is_synced_first),
    };
    fault_env_init(&shared.fault);
    sqlite_heap_use(&shared.fault);
    fault_vfs_register();
    fault_vfs_arm(0, 0, 0, false);
    live_directory_make_fast(directory);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    live_directory_remove(directory);
    return failed;
}
