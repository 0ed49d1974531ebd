/* What each level of verification finds of each attack, counted, and written down in
 * docs/reference/audit-attacks.md: the page must be what this test counts. To write it anew:
 *
 *     STEPWELL_WRITE_ATTACKS=docs/reference/audit-attacks.md build/dev/tests/test_audit_levels
 *
 * Which words a finding has is the business of test_audit_attack.c, test_audit_signer.c and
 * test_audit_export.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/leaves.h"
#include "base/str.h"
#include "helper/audit_log.h"

#define RUNS 3
#define FLIP_EVERY 11 /* no divisor of 8, so that every bit of a byte has its turn */

static audit_log attacked;
static sw__segment *honest; /* the segments before any attack */
static size_t honest_count;
static sw__note_signer signer;
static sw__buf key;
static sw__buf note;
static sw__buf page;

/* How often something was tried, and how often each level found it. */
typedef struct tally {
    int tried;
    int found[2];
} tally;

static void sign_log(audit_log *log, sw__buf *out)
{
    sw__tree tree = {0};
    uint8_t root[32];
    sw__leaves leaves = {.tree = &tree, .hasher = log->hasher};
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(sw__leaves_walk(&leaves, log->store, NULL), SW_OK);
    log->store->ops->rollback(log->store);
    assert_int_equal(sw__tree_root(&tree, log->hasher, root), SW_OK);
    assert_int_equal(sw__checkpoint_sign(out, &signer, tree.size, root), SW_OK);
}

/* Verify with the checkpoint, or without. */
static bool is_found(audit_log *log, bool with_checkpoint)
{
    sw_str text = sw__buf_str(&note);
    sw_str vkey = sw__buf_str(&key);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    trust.checkpoints = &text;
    trust.checkpoint_count = 1;
    trust.keys = &vkey;
    trust.key_count = 1;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    int rc = sw__audit_verify(log->store, log->hasher, sw_env_system(),
                              with_checkpoint ? &trust : NULL, &report, NULL);
    log->store->ops->rollback(log->store);
    assert_true(rc == SW_OK || rc == SW_EAUDIT);
    return rc == SW_EAUDIT;
}

static void count(tally *sum, audit_log *log)
{
    sum->tried++;
    for (int level = 0; level < 2; level++)
        sum->found[level] += is_found(log, level == 1);
}

/* A line of the page; level 2 must have found everything. */
static void write_row(const char *attack, const tally *sum)
{
    assert_int_equal(sum->found[1], sum->tried);
    sw__buf_printf(&page, "| %s | %d | %d | %d |\n", attack, sum->tried, sum->found[0],
                   sum->found[1]);
}

static void restore(void)
{
    memcpy(attacked.segments, honest, honest_count * sizeof(*honest));
    attacked.segment_count = honest_count;
}

static int levels_setup(void **state)
{
    static const uint8_t secret[32] = {7};
    (void)state;
    audit_log_open(&attacked, AUDIT_LOG_DIAMOND);
    for (int i = 0; i < RUNS; i++)
        audit_log_run(&attacked);
    assert_int_equal(
        sw__note_signer_make(attacked.hasher, (sw_str)SW__LIT("example.com/log"), secret, &signer),
        SW_OK);
    sw__buf_init(&key, sw_env_system());
    sw__buf_init(&note, sw_env_system());
    sw__buf_init(&page, sw_env_system());
    sw__note_put_key(&key, &signer.key);
    sign_log(&attacked, &note);
    audit_log_attack(&attacked);
    honest_count = attacked.segment_count;
    honest = sw__arena_array(attacked.arena, honest_count, sizeof(*honest));
    memcpy(honest, attacked.segments, honest_count * sizeof(*honest));
    assert_false(is_found(&attacked, true));
    return 0;
}

static int levels_teardown(void **state)
{
    (void)state;
    sw__buf_free(&page);
    sw__buf_free(&note);
    sw__buf_free(&key);
    audit_log_close(&attacked);
    return 0;
}

/* Attacks on the stored log. */

static void flip_bodies(tally *sum)
{
    for (size_t i = 0; i < honest_count; i++) {
        uint8_t *body = (uint8_t *)(uintptr_t)attacked.segments[i].body.ptr;
        for (size_t bit = 0; bit < attacked.segments[i].body.len * 8; bit += FLIP_EVERY) {
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
            count(sum, &attacked);
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void flip_headers(tally *sum)
{
    for (size_t i = 0; i < honest_count; i++) {
        uint8_t *bytes = (uint8_t *)&attacked.segments[i];
        for (size_t bit = 0; bit < offsetof(sw__segment, body) * 8; bit += FLIP_EVERY) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            count(sum, &attacked);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void remove_segments(tally *sum)
{
    for (size_t i = 0; i < honest_count; i++) {
        memmove(attacked.segments + i, honest + i + 1, (honest_count - i - 1) * sizeof(*honest));
        attacked.segment_count--;
        count(sum, &attacked);
        restore();
    }
}

static void duplicate_segments(tally *sum)
{
    for (size_t i = 0; i < honest_count; i++) {
        memcpy(attacked.segments + i + 1, honest + i, (honest_count - i) * sizeof(*honest));
        attacked.segment_count++;
        count(sum, &attacked);
        restore();
    }
}

static void swap_segments(tally *sum)
{
    for (size_t i = 0; i + 1 < honest_count; i++) {
        attacked.segments[i] = honest[i + 1];
        attacked.segments[i + 1] = honest[i];
        count(sum, &attacked);
        restore();
    }
}

static void cut_tails(tally *sum)
{
    for (size_t left = 0; left < honest_count; left++) {
        attacked.segment_count = left;
        count(sum, &attacked);
    }
    restore();
}

/* Attacks with every later hash made right again. */

static void renumber(size_t from)
{
    for (size_t i = from; i < attacked.segment_count; i++) {
        sw__segment *segment = &attacked.segments[i];
        segment->segment_no = (int64_t)i + 1;
        segment->entry_first = i == 0 ? 1 : segment[-1].entry_first + segment[-1].entry_count;
    }
    audit_log_rehash(&attacked, from);
}

static void remove_and_recompute(tally *sum)
{
    for (size_t i = 0; i < honest_count; i++) {
        memmove(attacked.segments + i, honest + i + 1, (honest_count - i - 1) * sizeof(*honest));
        attacked.segment_count--;
        renumber(i);
        count(sum, &attacked);
        restore();
    }
}

static bool edit_reason(sw_audit_entry *entry)
{
    entry->reason = (sw_str)SW__LIT("as told");
    return true;
}

static bool edit_actor(sw_audit_entry *entry)
{
    entry->actor = (sw_str)SW__LIT("mallory");
    return true;
}

static bool edit_worker(sw_audit_entry *entry)
{
    entry->worker_id += entry->worker_id > 0;
    entry->time_us += entry->worker_id == 0;
    return true;
}

static bool edit_digest(sw_audit_entry *entry)
{
    if (entry->digest.ptr)
        entry->digest = (sw_str)SW__LIT("0123456789abcdef0123456789abcdef");
    entry->subject = (sw_str)SW__LIT("x");
    return true;
}

static bool edit_nothing(sw_audit_entry *entry)
{
    (void)entry;
    return false;
}

static void edit_and_recompute(tally *sum, bool (*edit)(sw_audit_entry *entry))
{
    for (size_t i = 0; i < honest_count; i++) {
        audit_log_edit(&attacked, i, edit);
        renumber(i);
        count(sum, &attacked);
        restore();
    }
}

/* Databases that are honest in themselves. */

static void put_back_older_copies(tally *sum)
{
    for (int runs = 0; runs < RUNS; runs++) {
        audit_log old;
        audit_log_open(&old, AUDIT_LOG_DIAMOND);
        for (int i = 0; i < runs; i++)
            audit_log_run(&old);
        count(sum, &old);
        audit_log_close(&old);
    }
}

static void put_other_logs(tally *sum)
{
    for (int i = 0; i < 20; i++) {
        audit_log other;
        audit_log_open(&other, AUDIT_LOG_DIAMOND);
        other.seed += (uint64_t)(i + 1) * 7919;
        audit_log_play(&other, 4 + i % 3);
        count(sum, &other);
        audit_log_close(&other);
    }
}

/* The page. */

static char *file_text(const char *path)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", SW_SOURCE_DIR, path);
    FILE *file = fopen(full, "rb");
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    if (file) {
        assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
        fclose(file);
    }
    return text;
}

static void write_attacks(void)
{
    tally body = {0}, header = {0}, gone = {0}, twice = {0}, swapped = {0}, tail = {0};
    tally removed = {0}, reason = {0}, actor = {0}, worker = {0}, digest = {0}, emptied = {0};
    tally old = {0}, other = {0};
    flip_bodies(&body);
    flip_headers(&header);
    remove_segments(&gone);
    duplicate_segments(&twice);
    swap_segments(&swapped);
    cut_tails(&tail);
    remove_and_recompute(&removed);
    edit_and_recompute(&reason, edit_reason);
    edit_and_recompute(&actor, edit_actor);
    edit_and_recompute(&worker, edit_worker);
    edit_and_recompute(&digest, edit_digest);
    edit_and_recompute(&emptied, edit_nothing);
    put_back_older_copies(&old);
    put_other_logs(&other);
    write_row("one bit of a segment's entries flipped, every 11th bit", &body);
    write_row("one bit of a segment's numbers and hashes flipped, every 11th bit", &header);
    write_row("a segment removed, each", &gone);
    write_row("a segment duplicated, each", &twice);
    write_row("two neighbouring segments swapped, each", &swapped);
    write_row("the end cut off, at each segment", &tail);
    write_row("a segment removed, all later numbers and hashes recomputed, each", &removed);
    write_row("the entries of a segment removed, all later hashes recomputed, each", &emptied);
    write_row("reasons changed, all later hashes recomputed, each segment", &reason);
    write_row("actors changed, all later hashes recomputed, each segment", &actor);
    write_row("workers or times changed, all later hashes recomputed, each segment", &worker);
    write_row("digests and subjects changed, all later hashes recomputed, each segment", &digest);
    write_row("an older copy of the database put back", &old);
    write_row("another honest database put in its place", &other);
}

static void test_the_page_says_what_is_found(void **state)
{
    (void)state;
    const char *target = getenv("STEPWELL_WRITE_ATTACKS");
    sw__buf_printf(&page,
                   "# Attacks on the audit log\n\n"
                   "`tests/unit/test_audit_levels.c` makes these attacks on a log of %zu segments "
                   "and writes down what\n`stepwell audit verify` finds: at level 1 without "
                   "checkpoints, at level 2 with one of the whole log. The test\nfails when level "
                   "2 misses one, and when this page is not what it counts.\n\n"
                   "| what somebody with write access does | tried | found at L1 | found at L2 |\n"
                   "|---|---|---|---|\n",
                   honest_count);
    write_attacks();
    assert_false(page.failed);
    if (target) {
        FILE *file = fopen(target, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(page.ptr, 1, page.len, file), page.len);
        fclose(file);
    }
    char *stored = file_text("docs/reference/audit-attacks.md");
    if (!sw__str_is(sw__buf_str(&page), stored))
        fail_msg("docs/reference/audit-attacks.md is not what was counted:\n%.*s", (int)page.len,
                 (const char *)page.ptr);
    free(stored);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_page_says_what_is_found, levels_setup,
                                        levels_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
