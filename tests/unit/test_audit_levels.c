/* What each level of verification finds of each attack, counted, and written down in
 * docs/reference/audit-attacks.md.
 *
 * Without an argument a share of the attacks, on few honest logs; with --all every one, more than
 * 200,000, on 2,000 honest logs, and the page must be what was counted. To write it anew:
 *
 *     STEPWELL_WRITE_ATTACKS=docs/reference/audit-attacks.md \
 *         build/release/tests/test_audit_levels --all
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

#include "base/str.h"
#include "helper/audit_flip.h"
#include "helper/audit_siege.h"

#define LEVELS_SHARE 61 /* without --all: every so manyth bit, no divisor of 8 */
#define LEVELS_ATTACKS 200000
#define LEVELS_HONEST 2000
#define LEVELS_PLAYED 6    /* tasks of a log that is rolled back, or put in another one's place */
#define LEVELS_ENTRIES 128 /* of one segment */

static audit_siege siege;
static bool all;
static int attacks;
static sw__buf page;

/* A line of the page; level 2 must have found everything. */
static void write_row(const char *attack, const siege_tally *sum)
{
    if (sum->found[1] != sum->tried)
        fail_msg("%s: found %d of %d", attack, sum->found[1], sum->tried);
    attacks += sum->tried;
    sw__buf_printf(&page, "| %s | %d | %d | %d | %d |\n", attack, sum->tried, sum->found[0],
                   sum->found[1], sum->found[2]);
}

/* What whoever has the key can do only anchors show. */
static void write_stolen_row(const char *attack, const siege_tally *sum)
{
    if (sum->found[2] != sum->tried)
        fail_msg("%s: found %d of %d", attack, sum->found[2], sum->tried);
    attacks += sum->tried;
    sw__buf_printf(&page, "| %s | %d | %d | %d | %d |\n", attack, sum->tried, sum->found[0],
                   sum->found[1], sum->found[2]);
}

/* A file that was handed out is checked against the key, or not at all. */
static void write_file_row(const char *attack, const siege_tally *sum)
{
    if (sum->found[1] != sum->tried)
        fail_msg("%s: found %d of %d", attack, sum->found[1], sum->tried);
    attacks += sum->tried;
    sw__buf_printf(&page, "| %s | %d | | %d | %d |\n", attack, sum->tried, sum->found[1],
                   sum->found[1]);
}

static void count(siege_tally *sum)
{
    siege_count(&siege, sum, &siege.log);
}

/* Attacks on the stored log. */

static void flip_bodies(siege_tally *sum, size_t stride)
{
    size_t from = 0;
    for (size_t i = 0; i < siege.honest_count; i++) {
        sw_str text = siege.log.segments[i].body;
        uint8_t *body = (uint8_t *)(uintptr_t)text.ptr;
        size_t bit = from;
        for (; bit < text.len * 8; bit += stride) {
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
            count(sum);
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        from = bit - text.len * 8;
    }
}

static void flip_headers(siege_tally *sum, size_t stride)
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        uint8_t *bytes = (uint8_t *)&siege.log.segments[i];
        for (size_t bit = 0; bit < offsetof(sw__segment, body) * 8; bit += stride) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            count(sum);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void remove_segment(size_t at)
{
    sw__segment *segments = siege.log.segments;
    memmove(segments + at, segments + at + 1,
            (siege.log.segment_count - at - 1) * sizeof(*segments));
    siege.log.segment_count--;
}

static void remove_segments(siege_tally *sum)
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        remove_segment(i);
        count(sum);
        siege_restore(&siege);
    }
}

static void duplicate_segments(siege_tally *sum)
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        memcpy(siege.log.segments + i + 1, siege.honest + i,
               (siege.honest_count - i) * sizeof(*siege.honest));
        siege.log.segment_count++;
        count(sum);
        siege_restore(&siege);
    }
}

static void swap_segments(siege_tally *sum)
{
    for (size_t a = 0; a < siege.honest_count; a++) {
        for (size_t b = a + 1; b < siege.honest_count; b++) {
            siege.log.segments[a] = siege.honest[b];
            siege.log.segments[b] = siege.honest[a];
            count(sum);
            siege_restore(&siege);
        }
    }
}

static void cut_tails(siege_tally *sum)
{
    for (size_t left = 0; left < siege.honest_count; left++) {
        siege.log.segment_count = left;
        count(sum);
    }
    siege_restore(&siege);
}

/* Attacks with every later number and hash made right again. */

static int64_t next_entry_no;

static bool edit_number(sw_audit_entry *entry)
{
    entry->entry_no = next_entry_no++;
    return true;
}

static void renumber(size_t from)
{
    for (size_t i = from; i < siege.log.segment_count; i++) {
        sw__segment *segment = &siege.log.segments[i];
        segment->segment_no = (int64_t)i + 1;
        segment->entry_first = i == 0 ? 1 : segment[-1].entry_first + segment[-1].entry_count;
        next_entry_no = segment->entry_first;
        audit_log_edit(&siege.log, i, edit_number);
    }
    audit_log_rehash(&siege.log, from);
}

static void remove_and_recompute(siege_tally *sum)
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        remove_segment(i);
        renumber(i);
        count(sum);
        siege_restore(&siege);
    }
}

typedef enum levels_move { ENTRY_REMOVED, ENTRY_DOUBLED, ENTRY_SWAPPED } levels_move;

/* Entry number `entry` of a segment with so many; how many there are then. */
static size_t move_order(levels_move move, int64_t entry, int64_t entry_count, int64_t *order)
{
    size_t count = 0;
    for (int64_t i = 0; i < entry_count; i++) {
        bool here = i == entry;
        if (move == ENTRY_SWAPPED && (here || i == entry + 1))
            order[count++] = here ? entry + 1 : entry;
        else if (!here || move == ENTRY_DOUBLED)
            order[count++] = i;
        if (here && move == ENTRY_DOUBLED)
            order[count++] = i;
    }
    return count;
}

static void move_entries(siege_tally *sum, levels_move move)
{
    int64_t order[LEVELS_ENTRIES + 1];
    for (size_t i = 0; i < siege.honest_count; i++) {
        int64_t entry_count = siege.honest[i].entry_count;
        assert_true(entry_count <= LEVELS_ENTRIES);
        for (int64_t entry = 0; entry + (move == ENTRY_SWAPPED) < entry_count; entry++) {
            size_t left = move_order(move, entry, entry_count, order);
            if (left > 0)
                audit_log_reorder(&siege.log, i, order, left);
            else
                remove_segment(i);
            renumber(i);
            count(sum);
            siege_restore(&siege);
        }
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

static void edit_and_recompute(siege_tally *sum, bool (*edit)(sw_audit_entry *entry))
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        audit_log_edit(&siege.log, i, edit);
        audit_log_rehash(&siege.log, i);
        count(sum);
        siege_restore(&siege);
    }
}

/* Bits of bodies, with all later hashes made right again: what cannot be read is found at level 1,
 * and words that nothing else holds at level 2 only. */
static void flip_and_recompute(siege_tally *sum, size_t stride)
{
    for (size_t i = 0; i < siege.honest_count; i++) {
        sw_str text = siege.log.segments[i].body;
        uint8_t *body = (uint8_t *)(uintptr_t)text.ptr;
        for (size_t bit = i % stride; bit < text.len * 8; bit += stride) {
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
            audit_log_rehash(&siege.log, i);
            count(sum);
            body[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        siege_restore(&siege);
    }
}

/* Rows. */

static void flip_rows(siege_tally *sum, audit_flip_table table, size_t stride)
{
    audit_flip_open(&siege.log);
    size_t bits = audit_flip_count(&siege.log, table);
    assert_true(bits > 0);
    for (size_t bit = 0; bit < bits; bit += stride) {
        audit_flip_set(table, bit);
        bool found = siege_finds(&siege, &siege.log, (sw_str){NULL, 0});
        sum->tried++;
        sum->found[0] += found;
        sum->found[1] += found;
        sum->found[2] += found;
    }
    audit_flip_close(&siege.log);
}

static void write_rows(size_t stride)
{
    static const char *const words[] = {
#define LEVELS_WORDS(name, text) text,
        AUDIT_FLIP_MAP(LEVELS_WORDS)
#undef LEVELS_WORDS
    };
    for (int table = AUDIT_FLIP_NONE + 1; table < AUDIT_FLIP_END; table++) {
        char row[160];
        siege_tally sum = {0};
        flip_rows(&sum, (audit_flip_table)table, stride);
        snprintf(row, sizeof(row), "one bit flipped of %s", words[table - 1]);
        write_row(row, &sum);
    }
}

/* Databases that are honest in themselves. */

static void open_played(audit_log *log, uint64_t seed, int rounds)
{
    audit_log_open(log, AUDIT_LOG_DIAMOND);
    log->seed += seed * 7919;
    audit_log_play_rounds(log, LEVELS_PLAYED, rounds);
}

/* Its newest checkpoint is of the last state; all earlier ones are put back. */
static void roll_back(siege_tally *sum)
{
    const int rounds = AUDIT_LOG_ROUNDS + LEVELS_PLAYED;
    sw__buf kept = siege.note;
    sw__buf note;
    audit_log log;
    sw__buf_init(&note, sw_env_system());
    open_played(&log, 0, rounds);
    siege_sign(&siege, &log, &note);
    audit_log_close(&log);
    siege.note = note;
    for (int i = 0; i < rounds; i++) {
        open_played(&log, 0, i);
        siege_count(&siege, sum, &log);
        audit_log_close(&log);
    }
    siege.note = kept;
    sw__buf_free(&note);
}

/* The attacker hands a checkpoint over that the key has signed: an older one with an older state,
 * or one of a history made up. The anchor is of the last state. */
static void count_stolen(siege_tally *sum, audit_log *log, sw_str anchor)
{
    sw__buf note;
    sw__buf_init(&note, sw_env_system());
    siege_sign(&siege, log, &note);
    sum->tried++;
    sum->found[0] += siege_finds(&siege, log, (sw_str){NULL, 0});
    sum->found[1] += siege_finds(&siege, log, sw__buf_str(&note));
    sum->found[2] += siege_finds_anchored(&siege, log, sw__buf_str(&note), anchor);
    sw__buf_free(&note);
}

static void roll_back_with_checkpoint(siege_tally *sum, siege_tally *forged)
{
    const int rounds = AUDIT_LOG_ROUNDS + LEVELS_PLAYED;
    sw__buf anchor;
    audit_log log;
    sw__buf_init(&anchor, sw_env_system());
    open_played(&log, 0, rounds);
    siege_sign(&siege, &log, &anchor);
    assert_false(siege_finds_anchored(&siege, &log, sw__buf_str(&anchor), sw__buf_str(&anchor)));
    audit_log_close(&log);
    for (int i = 1; i < rounds; i++) {
        open_played(&log, 0, i);
        count_stolen(sum, &log, sw__buf_str(&anchor));
        audit_log_close(&log);
        open_played(&log, 0, i);
        log.seed++;
        audit_log_play_rounds(&log, LEVELS_PLAYED, rounds);
        count_stolen(forged, &log, sw__buf_str(&anchor));
        audit_log_close(&log);
    }
    sw__buf_free(&anchor);
}

static void put_other_logs(siege_tally *sum)
{
    for (uint64_t i = 0; i < 20; i++) {
        audit_log other;
        open_played(&other, i + 1, AUDIT_LOG_ROUNDS + LEVELS_PLAYED);
        siege_count(&siege, sum, &other);
        audit_log_close(&other);
    }
}

/* The beginning of the log, and then another one's end, numbers and hashes made right. */
static void splice_logs(siege_tally *sum)
{
    audit_log other;
    open_played(&other, 99, AUDIT_LOG_ROUNDS + LEVELS_PLAYED);
    audit_log_attack(&other);
    size_t count_other = other.segment_count;
    sw__segment *segments = other.segments;
    audit_log_attack(&siege.log);
    for (size_t at = 1; at < siege.honest_count && at < count_other; at++) {
        memcpy(siege.log.segments + at, segments + at, (count_other - at) * sizeof(*segments));
        siege.log.segment_count = count_other;
        count(sum);
        renumber(at);
        count(sum);
        siege_restore(&siege);
    }
    audit_log_close(&other);
}

/* The page. */

static void write_chain(size_t stride)
{
    siege_tally body = {0}, header = {0}, gone = {0}, twice = {0}, swapped = {0}, tail = {0};
    flip_bodies(&body, stride);
    flip_headers(&header, stride * 3);
    remove_segments(&gone);
    duplicate_segments(&twice);
    swap_segments(&swapped);
    cut_tails(&tail);
    write_row("one bit of a segment's entries flipped, each", &body);
    write_row("one bit of a segment's numbers and hashes flipped, every 3rd", &header);
    write_row("a segment removed, each", &gone);
    write_row("a segment duplicated, each", &twice);
    write_row("two segments swapped, each pair", &swapped);
    write_row("the end cut off, at each segment", &tail);
}

static void write_recomputed(size_t stride)
{
    static const struct {
        const char *words;
        bool (*edit)(sw_audit_entry *entry);
    } edits[] = {
        {"the entries of a segment removed, all hashes recomputed, each", edit_nothing},
        {"reasons changed, all hashes recomputed, each segment", edit_reason},
        {"actors changed, all hashes recomputed, each segment", edit_actor},
        {"workers or times changed, all hashes recomputed, each segment", edit_worker},
        {"digests and subjects changed, all hashes recomputed, each segment", edit_digest},
    };
    static const char *const moves[] = {
        "an entry removed, all numbers and hashes recomputed, each",
        "an entry duplicated, all numbers and hashes recomputed, each",
        "two neighbouring entries swapped, all numbers and hashes recomputed, each",
    };
    siege_tally flipped = {0}, removed = {0};
    flip_and_recompute(&flipped, stride * 11);
    remove_and_recompute(&removed);
    write_row("one bit of a segment's entries flipped, all hashes recomputed, every 11th",
              &flipped);
    write_row("a segment removed, all numbers and hashes recomputed, each", &removed);
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        siege_tally sum = {0};
        edit_and_recompute(&sum, edits[i].edit);
        write_row(edits[i].words, &sum);
    }
    for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
        siege_tally sum = {0};
        move_entries(&sum, (levels_move)i);
        write_row(moves[i], &sum);
    }
}

static void write_databases(void)
{
    siege_tally old = {0}, other = {0}, spliced = {0}, restored = {0}, forged = {0};
    roll_back(&old);
    put_other_logs(&other);
    splice_logs(&spliced);
    roll_back_with_checkpoint(&restored, &forged);
    write_row("the whole database rolled back, to every earlier state", &old);
    write_row("another honest database put in its place", &other);
    write_row("another log's end spliced on, at each segment, as it is and recomputed", &spliced);
    write_stolen_row("the database rolled back, and the checkpoint of then put back, each",
                     &restored);
    write_stolen_row("another history from each state on, signed with the stolen key", &forged);
}

static void write_files(int stride)
{
    siege_tally checkpoint = {0}, proofs = {0}, tiles = {0}, swapped = {0};
    siege_flip_checkpoint(&siege, &checkpoint, stride);
    siege_flip_proofs(&siege, &proofs, stride * 5);
    siege_flip_export(&siege, &tiles, stride * 47);
    siege_swap_export(&siege, &swapped);
    write_file_row("one bit of a checkpoint flipped, each", &checkpoint);
    write_file_row("one bit of a proof flipped, every 5th", &proofs);
    write_file_row("one bit of an export's tiles and bundles flipped, every 47th", &tiles);
    write_file_row("a file of an export removed, cut or exchanged, each", &swapped);
}

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

static void compare_page(void)
{
    const char *target = getenv("STEPWELL_WRITE_ATTACKS");
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

static void test_every_attack_is_found_where_promised(void **state)
{
    size_t stride = all ? 1 : LEVELS_SHARE;
    (void)state;
    siege_open(&siege);
    sw__buf_printf(
        &page,
        "# Attacks on the audit log\n\n"
        "`test_audit_levels --all` makes these attacks on an honest log of %lld entries "
        "in %zu segments and writes down\nwhat `stepwell audit verify` finds: at level "
        "1 without checkpoints, at level 2 with one of the whole log, at\nlevel 3 with "
        "an anchor of it, whatever checkpoint the attacker shows. It fails when level 2 "
        "misses one (level 3\nwhere the key was stolen), when one of %d honest logs is "
        "refused, some with pruned tasks or changed keys, and\nwhen this page is not "
        "what it counts. What a level cannot find stands in [the audit "
        "log](audit-format.md).\n\n"
        "| what somebody with write access does | tried | found at L1 | found at L2 | found at "
        "L3 |\n|---|---|---|---|---|\n",
        (long long)(siege.honest[siege.honest_count - 1].entry_first +
                    siege.honest[siege.honest_count - 1].entry_count - 1),
        siege.honest_count, LEVELS_HONEST);
    write_chain(stride);
    write_recomputed(stride);
    write_rows(stride);
    write_databases();
    write_files((int)stride);
    siege_close(&siege);
    assert_false(page.failed);
    if (!all)
        return;
    assert_true(attacks >= LEVELS_ATTACKS);
    sw__buf_printf(&page, "\n%d attacks in all.\n", attacks);
    compare_page();
}

/* A log whose key changes twice, and goes on. */
static int honest_rotation(audit_log *log)
{
    sw__buf notes[3];
    sw_str texts[3];
    sw__note_signer first = siege.signer;
    for (int i = 0; i < 3; i++) {
        sw__buf_init(&notes[i], sw_env_system());
        if (i < 2)
            siege_rotate(&siege, log, &notes[i]);
        else
            siege_sign(&siege, log, &notes[i]);
        texts[i] = sw__buf_str(&notes[i]);
        assert_false(siege_finds_any(&siege, log, texts, (size_t)i + 1));
        audit_log_play_rounds(log, 2, 4);
    }
    assert_false(siege_finds_any(&siege, log, texts, 3));
    for (int i = 0; i < 3; i++)
        sw__buf_free(&notes[i]);
    siege.signer = first;
    return 2;
}

/* Whatever an honest history holds, no level raises an alarm. */
static void test_honest_logs_raise_no_alarm(void **state)
{
    int pruned = 0;
    int rotations = 0;
    (void)state;
    siege_open(&siege);
    for (int i = 0; i < (all ? LEVELS_HONEST : LEVELS_HONEST / LEVELS_SHARE); i++) {
        audit_log log;
        sw__buf note;
        sw__buf_init(&note, sw_env_system());
        open_played(&log, (uint64_t)i + 1000, AUDIT_LOG_ROUNDS + LEVELS_PLAYED - i % 5);
        if (i % 3 == 0)
            pruned += audit_log_prune(&log);
        assert_false(siege_finds(&siege, &log, (sw_str){NULL, 0}));
        if (i % 10 == 0)
            rotations += honest_rotation(&log);
        siege_sign(&siege, &log, &note);
        assert_false(siege_finds(&siege, &log, sw__buf_str(&note)));
        sw__buf_free(&note);
        audit_log_close(&log);
    }
    assert_true(pruned > 0 && rotations > 0);
    siege_close(&siege);
}

static int levels_setup(void **state)
{
    (void)state;
    sw__buf_init(&page, sw_env_system());
    return 0;
}

static int levels_teardown(void **state)
{
    (void)state;
    sw__buf_free(&page);
    return 0;
}

int main(int argument_count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_attack_is_found_where_promised),
        cmocka_unit_test(test_honest_logs_raise_no_alarm),
    };
    all = argument_count > 1 && strcmp(arguments[1], "--all") == 0;
    return cmocka_run_group_tests_name("audit_levels", tests, levels_setup, levels_teardown);
}
