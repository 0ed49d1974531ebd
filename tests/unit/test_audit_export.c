/* Exports: the folder is what the format says, verifies, and shows what was done to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/checkpoint.h"
#include "audit/export.h"
#include "audit/leaves.h"
#include "base/file.h"
#include "base/str.h"
#include "helper/audit_log.h"
#include "helper/fault_env.h"

#define RUNS 40 /* of a task with 14 entries: two full tiles and a part of one */

typedef struct exporting {
    audit_log log;
    sw__note_signer signer;
    sw__buf key;
    sw__buf note;
    int64_t size;
    int32_t jobs;
    char folder[64];
    char path[128];
} exporting;

static void exporting_sign(exporting *e)
{
    sw__tree tree = {0};
    uint8_t root[32];
    sw__leaves leaves = {.tree = &tree, .hasher = e->log.hasher};
    assert_int_equal(e->log.store->ops->begin(e->log.store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, e->log.store, NULL), SW_OK);
    e->log.store->ops->rollback(e->log.store);
    assert_int_equal(sw__tree_root(&tree, e->log.hasher, root), SW_OK);
    sw__buf_clear(&e->note);
    assert_int_equal(sw__checkpoint_sign(&e->note, &e->signer, tree.size, root), SW_OK);
    e->size = tree.size;
}

static int export_with(exporting *e, const sw_env *env, sw_error *err)
{
    assert_int_equal(e->log.store->ops->begin(e->log.store, false, NULL), SW_OK);
    int rc =
        sw__export_write(e->log.store, e->log.hasher, env, e->folder, sw__buf_str(&e->note), err);
    e->log.store->ops->rollback(e->log.store);
    return rc;
}

static int exporting_setup(void **state)
{
    static const uint8_t secret[32] = {7};
    exporting *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    e->jobs = 2;
    audit_log_open(&e->log, AUDIT_LOG_DIAMOND);
    assert_int_equal(
        sw__note_signer_make(e->log.hasher, (sw_str)SW__LIT("example.com/log"), secret, &e->signer),
        SW_OK);
    sw__buf_init(&e->key, sw_env_system());
    sw__buf_init(&e->note, sw_env_system());
    sw__note_put_key(&e->key, &e->signer.key);
    strcpy(e->folder, "/tmp/stepwell-export-XXXXXX");
    assert_non_null(mkdtemp(e->folder));
    for (int i = 0; i < RUNS; i++)
        audit_log_run(&e->log);
    exporting_sign(e);
    assert_int_equal(export_with(e, sw_env_system(), NULL), SW_OK);
    *state = e;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about;
    (void)kind;
    (void)place;
    return remove(path);
}

static int exporting_teardown(void **state)
{
    exporting *e = *state;
    assert_int_equal(nftw(e->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    sw__buf_free(&e->note);
    sw__buf_free(&e->key);
    audit_log_close(&e->log);
    free(e);
    return 0;
}

static int verify_with(exporting *e, const sw_env *env, sw_audit_report *report, sw_error *err)
{
    sw_str key = sw__buf_str(&e->key);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &key;
    trust.key_count = 1;
    *report = (sw_audit_report)SW_AUDIT_REPORT_INIT;
    return sw__export_verify(env, e->log.hasher, e->folder, &trust, e->jobs, report, err);
}

static void assert_found(exporting *e, const char *words, int64_t first, int64_t last)
{
    sw_audit_report report;
    assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_EAUDIT);
    if (!strstr(report.message, words))
        fail_msg("\"%s\" lacks \"%s\"", report.message, words);
    assert_int_equal(report.level, SW_AUDIT_NONE);
    assert_int_equal(report.first_bad_entry, first);
    assert_int_equal(report.last_bad_entry, last);
}

static const char *path_of(exporting *e, const char *name)
{
    snprintf(e->path, sizeof(e->path), "%s/%s", e->folder, name);
    return e->path;
}

static void file_take(exporting *e, const char *name, sw__buf *out)
{
    sw__buf_init(out, sw_env_system());
    assert_int_equal(sw__file_read(path_of(e, name), 1 << 24, out, NULL), SW_OK);
}

static void file_put(exporting *e, const char *name, const void *bytes, size_t size)
{
    assert_int_equal(sw__file_write(path_of(e, name), 0600, (sw_str){bytes, size}, NULL), SW_OK);
}

static void test_paths(void **state)
{
    char path[SW__TILE_PATH_SIZE];
    (void)state;
    sw__tile_path(path, 0, 0, 256);
    assert_string_equal(path, "tile/0/000");
    sw__tile_path(path, 2, 1234067, 256);
    assert_string_equal(path, "tile/2/x001/x234/067");
    sw__tile_path(path, -1, 1000, 5);
    assert_string_equal(path, "tile/entries/x001/000.p/5");
    sw__tile_path(path, -1, INT64_MAX, 255);
    assert_string_equal(path, "tile/entries/x009/x223/x372/x036/x854/x775/807.p/255");
}

/* The tiles are the hashes of the tree: those of level 1 are the roots of full tiles. */
static void test_the_folder_is_what_the_format_says(void **state)
{
    exporting *e = *state;
    sw__buf full;
    sw__buf above;
    sw__buf bundle;
    uint8_t root[32];
    sw__tree tree = {0};
    assert_int_equal(e->size, 2 + 14 * RUNS);
    file_take(e, "tile/0/001", &full);
    file_take(e, "tile/1/000.p/2", &above);
    file_take(e, "tile/entries/000", &bundle);
    assert_int_equal(full.len, 256 * 32);
    assert_int_equal(above.len, 2 * 32);
    for (size_t i = 0; i < 256; i++)
        assert_int_equal(sw__tree_add(&tree, e->log.hasher, full.ptr + 32 * i, NULL), SW_OK);
    assert_int_equal(sw__tree_root(&tree, e->log.hasher, root), SW_OK);
    assert_memory_equal(above.ptr + 32, root, 32);
    sw_str entry = {(const char *)bundle.ptr + 2, (size_t)(bundle.ptr[0] << 8 | bundle.ptr[1])};
    assert_int_equal(sw__tree_leaf(e->log.hasher, entry, root), SW_OK);
    sw__buf_free(&full);
    file_take(e, "tile/0/000", &full);
    assert_memory_equal(full.ptr, root, 32);
    assert_int_equal(access(path_of(e, "tile/0/002.p/50"), F_OK), 0);
    assert_int_equal(access(path_of(e, "tile/entries/002.p/50"), F_OK), 0);
    sw__buf_free(&full);
    sw__buf_free(&above);
    sw__buf_free(&bundle);
}

static void test_a_folder_verifies_and_grows(void **state)
{
    exporting *e = *state;
    sw_audit_report report;
    assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_OK);
    assert_int_equal(report.level, SW_AUDIT_SIGNED);
    assert_int_equal(report.entry_count, e->size);
    assert_int_equal(report.signed_count, e->size);
    for (int i = 0; i < RUNS; i++)
        audit_log_run(&e->log);
    exporting_sign(e);
    assert_int_equal(export_with(e, sw_env_system(), NULL), SW_OK);
    assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_OK);
    assert_int_equal(report.entry_count, 2 + 28 * RUNS);
}

static const char *const files[] = {"checkpoint",       "tile/0/000",           "tile/0/001",
                                    "tile/0/002.p/50",  "tile/1/000.p/2",       "tile/entries/000",
                                    "tile/entries/001", "tile/entries/002.p/50"};

static void test_every_file_counts(void **state)
{
    exporting *e = *state;
    sw_audit_report report;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        sw__buf text;
        file_take(e, files[i], &text);
        for (size_t bit = i; bit < text.len * 8; bit += 1 + text.len * 8 / 100) {
            text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
            file_put(e, files[i], text.ptr, text.len);
            assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_EAUDIT);
            text.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        file_put(e, files[i], text.ptr, text.len - 1);
        assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_EAUDIT);
        assert_int_equal(unlink(path_of(e, files[i])), 0);
        assert_int_equal(verify_with(e, sw_env_system(), &report, NULL),
                         i == 0 ? SW_ENOTFOUND : SW_EAUDIT);
        file_put(e, files[i], text.ptr, text.len);
        assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_OK);
        sw__buf_free(&text);
    }
}

/* The report names the entry whose bytes were changed. */
static void test_the_first_bad_entry(void **state)
{
    exporting *e = *state;
    sw__buf text;
    file_take(e, "tile/entries/001", &text);
    size_t at = 0;
    for (int i = 0; i < 100; i++)
        at += 2 + (size_t)(text.ptr[at] << 8 | text.ptr[at + 1]);
    text.ptr[at + 2 + 20] ^= 1; /* inside of a task's identifier */
    file_put(e, "tile/entries/001", text.ptr, text.len);
    assert_found(e, "do not agree: one of them was edited", 357, 357);
    text.ptr[at + 2] = 9;
    file_put(e, "tile/entries/001", text.ptr, text.len);
    assert_found(e, "entry 357 cannot be read", 357, 357);
    sw__buf_free(&text);
    assert_int_equal(unlink(path_of(e, "tile/entries/001")), 0);
    assert_found(e, "is missing", 257, e->size);
}

static void test_swapped_bundles(void **state)
{
    exporting *e = *state;
    sw__buf text;
    file_take(e, "tile/entries/001", &text);
    file_put(e, "tile/entries/000", text.ptr, text.len);
    assert_found(e, "stands where entry 1 belongs", 1, 1);
    sw__buf_free(&text);
}

/* Entries, tiles and checkpoint made anew without the key. */
static void test_a_folder_of_another_log(void **state)
{
    exporting *e = *state;
    sw_error err;
    sw__buf kept;
    sw_audit_report report;
    file_take(e, "checkpoint", &kept);
    audit_log_run(&e->log);
    exporting_sign(e);
    assert_int_equal(export_with(e, sw_env_system(), NULL), SW_OK);
    file_put(e, "checkpoint", kept.ptr, kept.len);
    assert_int_equal(verify_with(e, sw_env_system(), &report, NULL), SW_OK);
    sw__buf_free(&kept);
    audit_log_attack(&e->log);
    e->log.segment_count--;
    assert_int_equal(export_with(e, sw_env_system(), &err), SW_EAUDIT);
    e->note.ptr[0] = '\n';
    assert_int_equal(export_with(e, sw_env_system(), &err), SW_EINVAL);
}

static void test_a_folder_that_cannot_be_made(void **state)
{
    exporting *e = *state;
    sw_error err;
    char kept[sizeof(e->folder)];
    memcpy(kept, e->folder, sizeof(kept));
    strcpy(e->folder, "/proc/nothing");
    assert_int_equal(export_with(e, sw_env_system(), &err), SW_ENOTFOUND);
    strcpy(e->folder, "/dev/null");
    assert_int_equal(export_with(e, sw_env_system(), &err), SW_ENOTFOUND);
    memcpy(e->folder, kept, sizeof(kept));
}

static int export_without_memory(const sw_env *env, void *context)
{
    return export_with(context, env, NULL);
}

static int verify_without_memory(const sw_env *env, void *context)
{
    sw_audit_report report;
    return verify_with(context, env, &report, NULL);
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, export_without_memory, *state) > 5);
    assert_true(fault_env_each(&fault, verify_without_memory, *state) > 5);
    assert_int_equal(fault.live, 0);
}

#define EXPORT_TEST(name) cmocka_unit_test_setup_teardown(name, exporting_setup, exporting_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths),
        EXPORT_TEST(test_the_folder_is_what_the_format_says),
        EXPORT_TEST(test_a_folder_verifies_and_grows),
        EXPORT_TEST(test_every_file_counts),
        EXPORT_TEST(test_the_first_bad_entry),
        EXPORT_TEST(test_swapped_bundles),
        EXPORT_TEST(test_a_folder_of_another_log),
        EXPORT_TEST(test_a_folder_that_cannot_be_made),
        EXPORT_TEST(test_memory_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
