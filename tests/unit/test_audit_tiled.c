/* Proofs out of an exported folder are those of the log, and an edited folder gives none. */
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

#include <stepwell.h>

#include "audit/export.h"
#include "audit/proof.h"
#include "base/file.h"
#include "base/str.h"
#include "helper/audit_siege.h"
#include "helper/fault_env.h"

#define RUNS 38 /* of a task with 14 entries: two full tiles and a part of one */

typedef struct tiled_test {
    audit_siege siege; /* its log is this one, and grows from checkpoint to checkpoint */
    sw__buf old;       /* the checkpoint of half of the log, exported first */
    int64_t old_size;
    int64_t size;
    char folder[64];
} tiled_test;

static void write_export(tiled_test *t, sw__buf *note, int64_t *size)
{
    sw__checkpoint checkpoint;
    audit_log *log = &t->siege.log;
    sw__buf_clear(note);
    siege_sign(&t->siege, log, note);
    assert_true(sw__checkpoint_peek(sw__buf_str(note), &checkpoint));
    *size = checkpoint.size;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__export_write(log->store, log->hasher, sw_env_system(), t->folder,
                                      sw__buf_str(note), NULL),
                     SW_OK);
    log->store->ops->rollback(log->store);
}

static int tiled_setup(void **state)
{
    static tiled_test t;
    static const uint8_t secret[32] = {7};
    const sw_str name = SW__LIT(SIEGE_NAME);
    t = (tiled_test){.folder = "/tmp/stepwell-tiled-XXXXXX"};
    assert_non_null(mkdtemp(t.folder));
    audit_log_open(&t.siege.log, AUDIT_LOG_DIAMOND);
    assert_int_equal(sw__note_signer_make(t.siege.log.hasher, name, secret, &t.siege.signer),
                     SW_OK);
    sw__buf_init(&t.siege.note, sw_env_system());
    sw__buf_init(&t.old, sw_env_system());
    for (int i = 0; i < RUNS; i++) {
        if (i == RUNS / 3)
            write_export(&t, &t.old, &t.old_size);
        audit_log_run(&t.siege.log);
    }
    write_export(&t, &t.siege.note, &t.size);
    assert_true(t.size > 512 && t.old_size < 256);
    *state = &t;
    return 0;
}

static int tiled_remove(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static int tiled_teardown(void **state)
{
    tiled_test *t = *state;
    sw__buf_free(&t->old);
    sw__buf_free(&t->siege.note);
    audit_log_close(&t->siege.log);
    return nftw(t->folder, tiled_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* The same text as a walk over the whole log gives, for every entry, from either checkpoint. */
static void test_every_proof_is_that_of_the_log(void **state)
{
    tiled_test *t = *state;
    audit_log *log = &t->siege.log;
    const sw_str notes[] = {sw__buf_str(&t->siege.note), sw__buf_str(&t->old)};
    const int64_t sizes[] = {t->size, t->old_size};
    int64_t *entry_nos = calloc((size_t)t->size, sizeof(*entry_nos));
    assert_non_null(entry_nos);
    for (int64_t i = 0; i < t->size; i++)
        entry_nos[i] = i + 1;
    for (int n = 0; n < 2; n++) {
        size_t count = 0;
        sw_error err = {0};
        sw_audit_proof *rows = NULL;
        sw_result *result = NULL;
        sw__arena *arena = sw__arena_new(sw_env_system());
        assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
        assert_int_equal(sw__prove_inclusion(log->store, log->hasher, arena, notes[n], entry_nos,
                                             (size_t)sizes[n], &rows, NULL),
                         SW_OK);
        log->store->ops->rollback(log->store);
        assert_int_equal(sw_audit_prove_export(sw__str(t->folder), notes[n], entry_nos,
                                               (size_t)sizes[n], &result, &err),
                         SW_OK);
        const sw_audit_proof *found = sw_audit_proofs(result, &count);
        assert_int_equal(count, sizes[n]);
        for (size_t i = 0; i < count; i++) {
            assert_true(sw__str_equal(found[i].text, rows[i].text));
            assert_int_equal(found[i].entry.entry_no, i + 1);
        }
        sw_result_free(result);
        sw__arena_free(arena);
    }
    free(entry_nos);
}

/* With no checkpoint given it is the folder's. */
static void test_consistency_is_that_of_the_log(void **state)
{
    tiled_test *t = *state;
    audit_log *log = &t->siege.log;
    sw_str old = sw__buf_str(&t->old);
    sw_str note = sw__buf_str(&t->siege.note);
    sw_audit_proof *row = NULL;
    sw_result *result = NULL;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__prove_consistency(log->store, log->hasher, arena, old, note, &row, NULL),
                     SW_OK);
    log->store->ops->rollback(log->store);
    assert_int_equal(sw_audit_prove_export_consistency(sw__str(t->folder), old, (sw_str){NULL, 0},
                                                       &result, NULL),
                     SW_OK);
    assert_true(sw__str_equal(sw_audit_proofs(result, NULL)->text, row->text));
    sw_result_free(result);
    sw__arena_free(arena);
}

static void assert_refused(tiled_test *t, sw_str checkpoint, int64_t entry_no, int code,
                           const char *words)
{
    sw_error err = {0};
    sw_result *result = NULL;
    assert_int_equal(
        sw_audit_prove_export(sw__str(t->folder), checkpoint, &entry_no, 1, &result, &err), code);
    assert_null(result);
    if (!strstr(err.message, words))
        fail_msg("expected \"%s\" in: %s", words, err.message);
}

static void test_what_cannot_be_proved(void **state)
{
    tiled_test *t = *state;
    sw__buf newer;
    const sw_str none = {NULL, 0};
    uint8_t root[32] = {1};
    sw_result *result = NULL;
    sw__buf_init(&newer, sw_env_system());
    assert_int_equal(sw__checkpoint_sign(&newer, &t->siege.signer, t->size + 1, root), SW_OK);
    assert_refused(t, none, t->size + 1, SW_EINVAL, "none of the");
    assert_refused(t, none, 0, SW_EINVAL, "none of the");
    assert_refused(t, (sw_str)SW__LIT("x"), 1, SW_EINVAL, "no checkpoint");
    assert_refused(t, sw__buf_str(&newer), 1, SW_EINVAL, "export again");
    sw__buf_clear(&newer);
    assert_int_equal(sw__checkpoint_sign(&newer, &t->siege.signer, t->size, root), SW_OK);
    assert_refused(t, sw__buf_str(&newer), 1, SW_EAUDIT, "is not the one that the checkpoint");
    sw_str other = sw__buf_str(&newer);
    assert_int_equal(
        sw_audit_prove_export_consistency(sw__str(t->folder), other, none, &result, NULL),
        SW_EAUDIT);
    assert_int_equal(sw_audit_prove_export_consistency(sw__str(t->folder), (sw_str)SW__LIT("x"),
                                                       none, &result, NULL),
                     SW_EINVAL);
    assert_int_equal(sw_audit_prove_export_consistency(sw__str(t->folder),
                                                       sw__buf_str(&t->siege.note),
                                                       sw__buf_str(&t->old), &result, NULL),
                     SW_EINVAL);
    assert_int_equal(
        sw_audit_prove_export(sw__str("/tmp/stepwell-none"), none, &t->size, 1, &result, NULL),
        SW_ENOTFOUND);
    sw__buf_free(&newer);
}

/* Each file that a proof of entry 300 needs, edited, cut and taken away. */
static void test_an_edited_folder_gives_no_proof(void **state)
{
    static const char *const names[] = {"tile/0/001", "tile/entries/001", "tile/1/000.p/2"};
    tiled_test *t = *state;
    const sw_str none = {NULL, 0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[160];
        sw__buf file;
        sw__buf_init(&file, sw_env_system());
        snprintf(path, sizeof(path), "%s/%s", t->folder, names[i]);
        assert_int_equal(sw__file_read(path, 1 << 20, &file, NULL), SW_OK);
        sw_str whole = sw__buf_str(&file);
        for (size_t at = 0; at < file.len; at += 7) {
            file.ptr[at] ^= 4;
            assert_int_equal(sw__file_write(path, 0644, whole, NULL), SW_OK);
            sw_result *result = NULL;
            int64_t entry_no = 300;
            int rc = sw_audit_prove_export(sw__str(t->folder), none, &entry_no, 1, &result, NULL);
            /* Not every byte of a file is part of this proof. */
            assert_true(rc == SW_OK || rc == SW_EAUDIT);
            sw_result_free(result);
            file.ptr[at] ^= 4;
        }
        assert_int_equal(sw__file_write(path, 0644, (sw_str){whole.ptr, 1}, NULL), SW_OK);
        assert_refused(t, none, 300, SW_EAUDIT, "");
        assert_int_equal(unlink(path), 0);
        assert_refused(t, none, 300, SW_EAUDIT, "is missing");
        assert_int_equal(sw__file_write(path, 0644, whole, NULL), SW_OK);
        sw__buf_free(&file);
    }
}

static int prove_with(const sw_env *env, void *context)
{
    tiled_test *t = context;
    sw__tiled tiled;
    int64_t entry_no = 300;
    sw_audit_proof *rows = NULL;
    sw__hasher *hasher = sw__hasher_new(env);
    sw__arena *arena = sw__arena_new(env);
    int rc = SW_ENOMEM;
    if (hasher && arena) {
        rc = sw__tiled_open(&tiled, env, hasher, t->folder, NULL);
        if (rc == SW_OK)
            rc = sw__prove_tiled_inclusion(&tiled, arena, (sw_str){NULL, 0}, &entry_no, 1, &rows,
                                           NULL);
        sw__tiled_close(&tiled);
    }
    sw__arena_free(arena);
    sw__hasher_free(hasher);
    return rc;
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, prove_with, *state) > 0);
    assert_int_equal(fault.live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_proof_is_that_of_the_log),
        cmocka_unit_test(test_consistency_is_that_of_the_log),
        cmocka_unit_test(test_what_cannot_be_proved),
        cmocka_unit_test(test_an_edited_folder_gives_no_proof),
        cmocka_unit_test(test_memory_fails),
    };
    return cmocka_run_group_tests_name("audit_tiled", tests, tiled_setup, tiled_teardown);
}
