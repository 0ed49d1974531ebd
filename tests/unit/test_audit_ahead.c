/* Exports that several threads verify: every number of threads gives the same answer, word for
 * word, for good folders and for damaged ones; threads that the machine refuses are done without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/ahead.h"
#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "audit/export.h"
#include "base/file.h"
#include "base/str.h"
#include "base/thread.h"
#include "helper/fault_env.h"

#define BUNDLES 20
#define ENTRIES (SW__TILE_WIDTH * BUNDLES + 10)
#define EARLY (SW__TILE_WIDTH * 7 + 100) /* what an older checkpoint covers */
#define LAST_BUNDLE "tile/entries/020.p/10"

/* The program's own functions come before those of the system. */
static int threads_left = 1000; /* that the machine gives */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*body)(void *),
                   void *argument)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return threads_left-- > 0 ? real(thread, attributes, body, argument) : EAGAIN;
}

static size_t processors = 3; /* 0: the system cannot say */

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    CPU_ZERO_S(size, set);
    for (size_t i = 0; i < processors; i++)
        CPU_SET_S(3 * i, size, set);
    return processors > 0 ? 0 : -1;
}

typedef struct ahead_test {
    sw__hasher *hasher;
    sw__buf key;
    sw__buf early; /* a checkpoint that ends inside of a bundle */
    char folder[64];
} ahead_test;

static const char *path_of(const ahead_test *t, const char *name)
{
    static char path[192];
    snprintf(path, sizeof(path), "%s/%s", t->folder, name);
    return path;
}

static int write_tile(void *context, const char *name, int level, int64_t first, sw_str content,
                      sw_error *err)
{
    char path[192];
    const ahead_test *t = context;
    (void)level;
    (void)first;
    snprintf(path, sizeof(path), "%s", path_of(t, name));
    for (char *at = path + strlen(t->folder) + 1; *at; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    return sw__file_write(path, 0600, content, err);
}

static void sign(const sw__tiles *tiles, const sw__note_signer *signer, sw__buf *note)
{
    sw__tree tree;
    uint8_t root[32];
    assert_int_equal(sw__tiles_tree(tiles, &tree), SW_OK);
    assert_int_equal(sw__tree_root(&tree, tiles->hasher, root), SW_OK);
    assert_int_equal(sw__checkpoint_sign(note, signer, tree.size, root), SW_OK);
}

static void write_entry(sw__tiles *tiles, int64_t entry_no, sw__buf *bytes)
{
    const sw_audit_entry row = {.kind = SW_AUDIT_STEP_CHANGED,
                                .entry_no = entry_no,
                                .time_us = 1000 * entry_no,
                                .step = SW__LIT("charge"),
                                .actor = SW__LIT("worker@host")};
    sw__buf_clear(bytes);
    assert_int_equal(sw__entry_encode(bytes, &row, NULL), SW_OK);
    assert_int_equal(sw__tiles_add(tiles, sw__buf_str(bytes), NULL), SW_OK);
}

static void write_export(ahead_test *t, const sw__note_signer *signer)
{
    sw__tiles tiles;
    sw__buf bytes, note;
    sw__buf_init(&bytes, sw_env_system());
    sw__buf_init(&note, sw_env_system());
    sw__tiles_init(&tiles, sw_env_system(), t->hasher, write_tile, t);
    for (int64_t i = 1; i <= ENTRIES; i++) {
        write_entry(&tiles, i, &bytes);
        if (i == EARLY)
            sign(&tiles, signer, &t->early);
    }
    sign(&tiles, signer, &note);
    assert_int_equal(sw__tiles_end(&tiles, NULL), SW_OK);
    assert_int_equal(sw__file_write(path_of(t, "checkpoint"), 0600, sw__buf_str(&note), NULL),
                     SW_OK);
    sw__tiles_free(&tiles);
    sw__buf_free(&note);
    sw__buf_free(&bytes);
}

static int ahead_setup(void **state)
{
    static const uint8_t secret[32] = {7};
    sw__note_signer signer;
    ahead_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    strcpy(t->folder, "/tmp/stepwell-ahead-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    t->hasher = sw__hasher_new(sw_env_system());
    assert_int_equal(
        sw__note_signer_make(t->hasher, (sw_str)SW__LIT("example.com/log"), secret, &signer),
        SW_OK);
    sw__buf_init(&t->key, sw_env_system());
    sw__buf_init(&t->early, sw_env_system());
    sw__note_put_key(&t->key, &signer.key);
    write_export(t, &signer);
    threads_left = 1000;
    *state = t;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int ahead_teardown(void **state)
{
    ahead_test *t = *state;
    assert_int_equal(nftw(t->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    sw__buf_free(&t->early);
    sw__buf_free(&t->key);
    sw__hasher_free(t->hasher);
    free(t);
    return 0;
}

static int verify(ahead_test *t, const sw_env *env, int32_t jobs, sw_audit_report *report,
                  sw_error *err)
{
    sw_str key = sw__buf_str(&t->key);
    sw_str early = sw__buf_str(&t->early);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &key;
    trust.key_count = 1;
    trust.checkpoints = &early;
    trust.checkpoint_count = 1;
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    return sw__export_verify(env, t->hasher, t->folder, &trust, jobs, report, err);
}

/* What one thread says is what all others say. */
static int verify_alike(ahead_test *t, sw_audit_report *report)
{
    static const int32_t jobs[] = {2, 3, 8, SW_AUDIT_JOBS_MAX};
    sw_error alone = {0};
    int rc = verify(t, sw_env_system(), 1, report, &alone);
    for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        sw_error err = {0};
        sw_audit_report other;
        assert_int_equal(verify(t, sw_env_system(), jobs[i], &other, &err), rc);
        assert_memory_equal(&other, report, sizeof(other));
        assert_int_equal(err.code, alone.code);
        assert_string_equal(err.message, alone.message);
    }
    return rc;
}

static void assert_found(ahead_test *t, const char *words, int64_t first)
{
    sw_audit_report report;
    assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
    if (!strstr(report.message, words))
        fail_msg("\"%s\" lacks \"%s\"", report.message, words);
    assert_int_equal(report.first_bad_entry, first);
}

static void test_a_good_folder(void **state)
{
    ahead_test *t = *state;
    sw_audit_report report;
    assert_int_equal(verify_alike(t, &report), SW_OK);
    assert_int_equal(report.entry_count, ENTRIES);
    assert_int_equal(report.signed_count, ENTRIES);
    assert_non_null(strstr(report.message, "those of 2 checkpoints"));
}

static const char *bundle_name(int number)
{
    static char name[SW__TILE_PATH_SIZE];
    sw__tile_path(name, -1, number, number < BUNDLES ? SW__TILE_WIDTH : 10);
    return name;
}

static void file_take(ahead_test *t, const char *name, sw__buf *out)
{
    sw__buf_init(out, sw_env_system());
    assert_int_equal(sw__file_read(path_of(t, name), 1 << 24, out, NULL), SW_OK);
}

static void file_put(ahead_test *t, const char *name, const sw__buf *bytes, size_t size)
{
    assert_int_equal(
        sw__file_write(path_of(t, name), 0600, (sw_str){(const char *)bytes->ptr, size}, NULL),
        SW_OK);
}

/* Each bundle in turn: an entry changed, the last byte gone, the file gone. */
static void test_every_bundle(void **state)
{
    ahead_test *t = *state;
    sw_audit_report report;
    for (int number = 0; number <= BUNDLES; number++) {
        sw__buf bytes;
        char name[SW__TILE_PATH_SIZE];
        int64_t first = (int64_t)number * SW__TILE_WIDTH + 1;
        strcpy(name, bundle_name(number));
        file_take(t, name, &bytes);
        bytes.ptr[bytes.len - 3] ^= 1;
        file_put(t, name, &bytes, bytes.len);
        assert_int_equal(verify_alike(t, &report), SW_EAUDIT);
        /* A tile that is not full is compared behind the checkpoint. */
        assert_true(report.first_bad_entry >= (number < BUNDLES ? first : EARLY + 1));
        bytes.ptr[bytes.len - 3] ^= 1;
        file_put(t, name, &bytes, bytes.len - 1);
        assert_found(t, "does not hold", number < BUNDLES ? first + SW__TILE_WIDTH - 1 : ENTRIES);
        assert_int_equal(unlink(path_of(t, name)), 0);
        assert_found(t, "is missing", first);
        file_put(t, name, &bytes, bytes.len);
        sw__buf_free(&bytes);
    }
    assert_int_equal(verify_alike(t, &report), SW_OK);
}

/* What comes first in the log is told, whoever finds what first. */
static void test_two_faults(void **state)
{
    ahead_test *t = *state;
    sw__buf bytes;
    file_take(t, bundle_name(3), &bytes);
    bytes.ptr[2 + 1] ^= 1; /* the number of its first entry */
    file_put(t, bundle_name(3), &bytes, bytes.len);
    assert_int_equal(unlink(path_of(t, bundle_name(4))), 0);
    assert_int_equal(unlink(path_of(t, LAST_BUNDLE)), 0);
    assert_found(t, "", SW__TILE_WIDTH * 3 + 1);
    file_put(t, bundle_name(0), &bytes, bytes.len);
    assert_found(t, "where entry 1 belongs", 1);
    sw__buf_free(&bytes);
}

/* A folder in the place of a file is no doubt about the log: it cannot be read. */
static void test_a_file_that_cannot_be_read(void **state)
{
    ahead_test *t = *state;
    sw_audit_report report;
    assert_int_equal(unlink(path_of(t, bundle_name(9))), 0);
    assert_int_equal(mkdir(path_of(t, bundle_name(9)), 0700), 0);
    assert_int_equal(verify_alike(t, &report), SW_EIO);
}

static void test_tiles(void **state)
{
    ahead_test *t = *state;
    sw__buf bytes;
    file_take(t, "tile/0/013", &bytes);
    bytes.ptr[32 * 100 + 5] ^= 1;
    file_put(t, "tile/0/013", &bytes, bytes.len);
    assert_found(t, "one of them was edited", SW__TILE_WIDTH * 13 + 101);
    sw__buf_free(&bytes);
}

/* A machine that gives no more threads, from the first on and later. */
static void test_threads_that_cannot_be_started(void **state)
{
    ahead_test *t = *state;
    sw_audit_report report;
    for (int given = 0; given < 7; given++) {
        threads_left = given;
        assert_int_equal(verify(t, sw_env_system(), 8, &report, NULL), SW_OK);
        assert_int_equal(report.entry_count, ENTRIES);
        assert_true(threads_left < 0);
    }
    threads_left = 1000;
}

static void test_no_more_threads_than_bundles(void **state)
{
    ahead_test *t = *state;
    sw_audit_report report;
    threads_left = 1000;
    assert_int_equal(verify(t, sw_env_system(), SW_AUDIT_JOBS_MAX, &report, NULL), SW_OK);
    assert_int_equal(1000 - threads_left, BUNDLES); /* of 21, one is the caller's */
    threads_left = 1000;
    assert_int_equal(verify(t, sw_env_system(), 1, &report, NULL), SW_OK);
    assert_int_equal(threads_left, 1000);
}

static int thread_count(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/task");
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* Also when the end is not reached; at once, so that some of them have not begun. */
static void test_threads_end(void **state)
{
    ahead_test *t = *state;
    int before = thread_count();
    for (int taken = 0; taken < 40; taken++) {
        sw__ahead *ahead = NULL;
        assert_int_equal(
            sw__ahead_open(&ahead, sw_env_system(), t->hasher, t->folder, ENTRIES, 4, NULL), SW_OK);
        for (int i = 0; i < taken; i++) {
            const sw__bundle *bundle = sw__ahead_next(ahead);
            assert_true(i <= BUNDLES ? bundle && bundle->number == i && bundle->whole : !bundle);
        }
        sw__ahead_close(ahead);
    }
    for (int i = 0; i < 1000 && thread_count() > before; i++)
        usleep(1000); /* one that was joined is in the list for a moment longer */
    assert_int_equal(thread_count(), before);
}

static void test_an_empty_folder(void **state)
{
    ahead_test *t = *state;
    sw__ahead *ahead = NULL;
    assert_int_equal(sw__ahead_open(&ahead, sw_env_system(), t->hasher, t->folder, 0, 8, NULL),
                     SW_OK);
    assert_null(sw__ahead_next(ahead));
    sw__ahead_close(ahead);
    sw__ahead_close(NULL);
}

static void test_processors(void **state)
{
    (void)state;
    assert_int_equal(sw__thread_processors(8), 3);
    assert_int_equal(sw__thread_processors(2), 2);
    processors = 0;
    assert_int_equal(sw__thread_processors(8), 8);
    processors = 3;
}

static int verify_without_memory(const sw_env *env, void *context)
{
    sw_audit_report report;
    return verify(context, env, 3, &report, NULL);
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, verify_without_memory, *state) > 10);
    assert_int_equal(fault.live, 0);
}

#define AHEAD_TEST(name) cmocka_unit_test_setup_teardown(name, ahead_setup, ahead_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AHEAD_TEST(test_a_good_folder),
        AHEAD_TEST(test_every_bundle),
        AHEAD_TEST(test_two_faults),
        AHEAD_TEST(test_a_file_that_cannot_be_read),
        AHEAD_TEST(test_tiles),
        AHEAD_TEST(test_threads_that_cannot_be_started),
        AHEAD_TEST(test_no_more_threads_than_bundles),
        AHEAD_TEST(test_threads_end),
        AHEAD_TEST(test_an_empty_folder),
        cmocka_unit_test(test_processors),
        AHEAD_TEST(test_memory_fails),
    };
    return cmocka_run_group_tests_name("audit_ahead", tests, NULL, NULL);
}
