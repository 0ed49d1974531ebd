/* Attacks on what was handed out: checkpoints, proofs, exports; see audit_siege.h. What is in such
 * a file is checked against the key, so that all of it is found at level 2; without a key nothing
 * can be said of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/audit_siege.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/export.h"
#include "audit/proof.h"

#define SIEGE_FILES 3

static void siege_trust(audit_siege *siege, sw_audit_trust *trust, sw_str *vkey)
{
    *vkey = sw__buf_str(&siege->key);
    *trust = (sw_audit_trust)SW_AUDIT_TRUST_INIT;
    trust->keys = vkey;
    trust->key_count = 1;
}

void siege_flip_checkpoint(audit_siege *siege, siege_tally *sum, int stride)
{
    for (size_t bit = 0; bit < siege->note.len * 8; bit += (size_t)stride) {
        sw__checkpoint checkpoint;
        const char *why = NULL;
        siege->note.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
        sum->tried++;
        sum->found[1] += sw__checkpoint_open(sw__buf_str(&siege->note), &siege->signer.key, 1,
                                             &checkpoint, &why) == SW_EINVAL;
        siege->note.ptr[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Proofs. */

static bool proof_is_refused(audit_siege *siege, const sw_audit_trust *trust, sw_str text)
{
    sw_audit_shown shown;
    sw__arena *arena = sw__arena_new(sw_env_system());
    int rc = sw__proof_check(trust, text, siege->log.hasher, arena, &shown, NULL);
    sw__arena_free(arena);
    assert_true(rc == SW_OK || rc == SW_EAUDIT);
    return rc == SW_EAUDIT;
}

static void flip_proof(audit_siege *siege, const sw_audit_trust *trust, sw_str text,
                       siege_tally *sum, size_t stride)
{
    char *copy = malloc(text.len);
    sw_str flipped = {copy, text.len};
    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    assert_false(proof_is_refused(siege, trust, flipped));
    for (size_t bit = 0; bit < text.len * 8; bit += stride) {
        copy[bit / 8] ^= (char)(1 << bit % 8);
        sum->tried++;
        sum->found[1] += proof_is_refused(siege, trust, flipped);
        copy[bit / 8] ^= (char)(1 << bit % 8);
    }
    free(copy);
}

/* A checkpoint of the first segments only. */
static void siege_sign_early(audit_siege *siege, sw__buf *out)
{
    siege->log.segment_count = siege->honest_count / 3;
    siege_sign(siege, &siege->log, out);
    siege_restore(siege);
}

void siege_flip_proofs(audit_siege *siege, siege_tally *sum, int stride)
{
    static const int64_t entry_nos[] = {1, 77, 150};
    audit_log *log = &siege->log;
    sw_audit_proof *rows = NULL;
    sw_audit_proof *row = NULL;
    sw_audit_trust trust;
    sw_str vkey;
    sw__buf early;
    sw__arena *arena = sw__arena_new(sw_env_system());
    sw_str checkpoint = sw__buf_str(&siege->note);
    siege_trust(siege, &trust, &vkey);
    sw__buf_init(&early, sw_env_system());
    siege_sign_early(siege, &early);
    sw_str old = sw__buf_str(&early);
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(
        sw__prove_inclusion(log->store, log->hasher, arena, checkpoint, entry_nos, 3, &rows, NULL),
        SW_OK);
    assert_int_equal(
        sw__prove_consistency(log->store, log->hasher, arena, old, checkpoint, &row, NULL), SW_OK);
    log->store->ops->rollback(log->store);
    for (int i = 0; i < 3; i++)
        flip_proof(siege, &trust, rows[i].text, sum, (size_t)stride);
    trust.checkpoints = &old;
    trust.checkpoint_count = 1;
    flip_proof(siege, &trust, row->text, sum, (size_t)stride);
    sw__buf_free(&early);
    sw__arena_free(arena);
}

/* Exports. The log has fewer entries than a tile holds: a bundle, a tile and the checkpoint. */

typedef struct siege_export {
    audit_siege *siege;
    char folder[64];
    char paths[SIEGE_FILES][128];
} siege_export;

static int export_unlink(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static void export_open(siege_export *e, audit_siege *siege)
{
    sw__checkpoint checkpoint;
    audit_log *log = &siege->log;
    *e = (siege_export){.siege = siege, .folder = "/tmp/stepwell-siege-XXXXXX"};
    assert_non_null(mkdtemp(e->folder));
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__export_write(log->store, log->hasher, sw_env_system(), e->folder,
                                      sw__buf_str(&siege->note), NULL),
                     SW_OK);
    log->store->ops->rollback(log->store);
    assert_true(sw__checkpoint_peek(sw__buf_str(&siege->note), &checkpoint));
    assert_true(checkpoint.size < 256);
    snprintf(e->paths[0], sizeof(e->paths[0]), "%s/checkpoint", e->folder);
    snprintf(e->paths[1], sizeof(e->paths[1]), "%s/tile/0/000.p/%d", e->folder,
             (int)checkpoint.size);
    snprintf(e->paths[2], sizeof(e->paths[2]), "%s/tile/entries/000.p/%d", e->folder,
             (int)checkpoint.size);
}

static void export_close(siege_export *e)
{
    assert_int_equal(nftw(e->folder, export_unlink, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static bool export_is_refused(siege_export *e)
{
    sw_audit_trust trust;
    sw_str vkey;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    siege_trust(e->siege, &trust, &vkey);
    int rc = sw__export_verify(sw_env_system(), e->siege->log.hasher, e->folder, &trust, 2, &report,
                               NULL);
    assert_true(rc == SW_OK || rc == SW_EAUDIT || rc == SW_ENOTFOUND);
    return rc != SW_OK;
}

static void flip_file(siege_export *e, const char *path, siege_tally *sum, off_t stride)
{
    struct stat about;
    uint8_t byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &about), 0);
    for (off_t bit = 0; bit < about.st_size * 8; bit += stride) {
        assert_int_equal(pread(fd, &byte, 1, bit / 8), 1);
        byte ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
        sum->tried++;
        sum->found[1] += export_is_refused(e);
        byte ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(pwrite(fd, &byte, 1, bit / 8), 1);
    }
    close(fd);
}

void siege_flip_export(audit_siege *siege, siege_tally *sum, int stride)
{
    siege_export e;
    export_open(&e, siege);
    assert_false(export_is_refused(&e));
    for (int i = 0; i < SIEGE_FILES; i++)
        flip_file(&e, e.paths[i], sum, stride);
    assert_false(export_is_refused(&e));
    export_close(&e);
}

static void count_export(siege_export *e, siege_tally *sum)
{
    sum->tried++;
    sum->found[1] += export_is_refused(e);
}

void siege_swap_export(audit_siege *siege, siege_tally *sum)
{
    siege_export e;
    char aside[160];
    export_open(&e, siege);
    for (int i = 0; i < SIEGE_FILES; i++) {
        struct stat about;
        snprintf(aside, sizeof(aside), "%s.aside", e.paths[i]);
        assert_int_equal(rename(e.paths[i], aside), 0);
        count_export(&e, sum);
        for (int other = 0; other < SIEGE_FILES; other++) {
            if (other == i)
                continue;
            assert_int_equal(link(e.paths[other], e.paths[i]), 0);
            count_export(&e, sum);
            unlink(e.paths[i]);
        }
        assert_int_equal(rename(aside, e.paths[i]), 0);
        assert_int_equal(stat(e.paths[i], &about), 0);
        uint8_t *bytes = malloc((size_t)about.st_size);
        FILE *file = fopen(e.paths[i], "rb+");
        assert_non_null(file);
        assert_int_equal(fread(bytes, 1, (size_t)about.st_size, file), about.st_size);
        assert_int_equal(truncate(e.paths[i], about.st_size - 1), 0);
        count_export(&e, sum);
        rewind(file);
        assert_int_equal(fwrite(bytes, 1, (size_t)about.st_size, file), about.st_size);
        fclose(file);
        free(bytes);
        assert_false(export_is_refused(&e));
    }
    export_close(&e);
}

#undef SIEGE_FILES
