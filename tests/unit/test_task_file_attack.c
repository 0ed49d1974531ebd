/* Somebody edits a task file: every byte of it, every entry, every range of entries. Whatever
 * verifies after that says what it said before, or leaves out what docs/reference/task-file.md says
 * may be left out without being seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/task_file.h"
#include "base/node.h"
#include "base/str.h"
#include "helper/live.h"
#include "helper/rig.h"

#define ONE "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"}]}"
#define TWO                                                                                        \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":3,"     \
    "\"base_ms\":0}},{\"name\":\"b\",\"after\":[\"a\"]}]}"
#define LINES_MAX 256
/* Sanitizers look for other mistakes than this test, and take their time. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BYTE_STRIDE 5
#else
#define BYTE_STRIDE 1
#endif

typedef struct attacked {
    rig rig;
    char folder[64];
    sw_uuid task;
    sw_result *key;
    sw_result *sealed;
    sw_result *file;
    sw_str vkey;
    sw_audit_trust trust;
    sw_str lines[LINES_MAX]; /* of the text, with their ends */
    size_t line_count;
    size_t first; /* the line of the first entry */
    size_t entry_count;
    char *edited;
} attacked;

static void export_task(attacked *a)
{
    char path[96];
    rig *r = &a->rig;
    snprintf(path, sizeof(path), "%s/key", a->folder);
    assert_int_equal(
        sw_audit_keygen((sw_str)SW__LIT("example.com/w"), sw__str(path), &a->key, &r->error),
        SW_OK);
    assert_int_equal(sw_audit_seal(r->engine, sw__str(path), &a->sealed, &r->error), SW_OK);
    sw_str note = sw_audit_checkpoints(a->sealed, NULL)->note;
    assert_int_equal(
        sw_task_export(r->engine, &a->task, note, (sw_str){NULL, 0}, &a->file, &r->error), SW_OK);
    a->vkey = sw_audit_keys(a->key, NULL)->verifier;
    a->trust = (sw_audit_trust){.size = sizeof(a->trust), .keys = &a->vkey, .key_count = 1};
}

static sw_str text_of(const attacked *a)
{
    return sw_task_files(a->file, NULL)->text;
}

static void split(attacked *a)
{
    sw_str rest = text_of(a);
    while (rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t length = (size_t)(end - rest.ptr) + 1;
        assert_true(a->line_count < LINES_MAX);
        if (memmem(rest.ptr, length, "\"bytes\": ", 9) && a->entry_count++ == 0)
            a->first = a->line_count;
        a->lines[a->line_count++] = (sw_str){rest.ptr, length};
        rest = (sw_str){end + 1, rest.len - length};
    }
    assert_int_equal(a->entry_count, sw_task_files(a->file, NULL)->entry_count);
    a->edited = malloc(2 * text_of(a).len);
    assert_non_null(a->edited);
}

static attacked *attacked_open(const char *definition)
{
    attacked *a = calloc(1, sizeof(*a));
    assert_non_null(a);
    live_directory_make_fast(a->folder);
    rig_open(&a->rig, "memory:", definition);
    a->task = rig_submit(&a->rig);
    return a;
}

static void append(attacked *a)
{
    sw_result *result = NULL;
    sw_event_row row = {
        .task_id = a->task, .type = SW__LIT("noted"), .data = SW__LIT("[2]"), .key = SW__LIT("k")};
    assert_int_equal(sw_event_append(a->rig.engine, &row, 1, 0, &result, &a->rig.error), SW_OK);
    sw_result_free(result);
}

/* The least that has every part: one step, which succeeds with a result, and an event. */
static int small_setup(void **state)
{
    attacked *a = attacked_open(ONE);
    rig *r = &a->rig;
    sw_worker_ref worker = rig_worker(r, 60000);
    rig_claims(r, &worker, "a");
    sw_step_outcome row = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    row.result = sw__str("[1]");
    rig_report(r, &worker, row, SW_ROW_APPLIED);
    append(a);
    export_task(a);
    split(a);
    *state = a;
    return 0;
}

/* A first attempt that fails, a second one whose report is refused once its lease is lost, a third
 * that succeeds. */
static int attacked_setup(void **state)
{
    sw_worker_ref first, second;
    attacked *a = attacked_open(TWO);
    rig *r = &a->rig;
    first = rig_worker(r, 60000);
    rig_claims(r, &first, "a");
    sw_step_outcome row = rig_outcome(r, "a", SW_OUTCOME_FAILED);
    row.error_class = sw__str("Boom");
    rig_report(r, &first, row, SW_ROW_APPLIED);
    fault_env_advance(&r->fault, 10000000);
    rig_claims(r, &first, "a");
    row = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    fault_env_advance(&r->fault, 100000000);
    second = rig_worker(r, 60000);
    rig_claims(r, &second, "a");
    sw_step_outcome third = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    rig_report(r, &first, row, SW_ROW_FENCED);
    rig_report(r, &second, third, SW_ROW_APPLIED);
    rig_claims(r, &second, "b");
    rig_report(r, &second, rig_outcome(r, "b", SW_OUTCOME_SUCCEEDED), SW_ROW_APPLIED);
    export_task(a);
    split(a);
    *state = a;
    return 0;
}

static int attacked_teardown(void **state)
{
    attacked *a = *state;
    free(a->edited);
    sw_result_free(a->file);
    sw_result_free(a->sealed);
    sw_result_free(a->key);
    rig_close(&a->rig);
    live_directory_remove(a->folder);
    free(a);
    return 0;
}

/* Whether verifying finds something: without trust, or else with the key. */
static bool finds(attacked *a, sw_str text)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    sw_str source = SW__LIT("t");
    int rc = sw_task_file_verify(source, text, NULL, &report, &err);
    if (rc == SW_OK)
        rc = sw_task_file_verify(source, text, &a->trust, &report, &err);
    assert_true(rc == SW_OK || rc == SW_EAUDIT || rc == SW_EINVAL || rc == SW_ELIMIT);
    assert_true(rc != SW_EAUDIT || report.message[0]);
    assert_true(rc == SW_OK || err.message[0]);
    return rc != SW_OK;
}

/* All that a file says and proves, in one way of writing it. */
static void content(sw__arena *arena, sw_str text, sw__buf *out)
{
    sw__node *root = NULL;
    const sw__node_limits limits = {1000000, 100000, 100000};
    assert_int_equal(sw__node_load_json(arena, &limits, (sw_str){NULL, 0}, text, &root, NULL),
                     SW_OK);
    for (size_t i = 0; i < root->count; i++) {
        if (!sw__str_is(root->pairs[i].key, "unsealed"))
            sw__node_put_json(out, root->pairs[i].value);
    }
}

static bool says_the_same(sw_str a, sw_str b)
{
    sw__buf texts[2];
    sw__arena *arena = sw__arena_new(sw_env_system());
    for (int i = 0; i < 2; i++) {
        sw__buf_init(&texts[i], sw_env_system());
        content(arena, i ? b : a, &texts[i]);
    }
    bool same = sw__str_equal(sw__buf_str(&texts[0]), sw__buf_str(&texts[1]));
    for (int i = 0; i < 2; i++)
        sw__buf_free(&texts[i]);
    sw__arena_free(arena);
    return same;
}

/* One bit of each byte, another one for each next byte; a hex digit stays one. */
static void test_every_byte(void **state)
{
    attacked *a = *state;
    sw_str text = text_of(a);
    size_t harmless = 0;
    assert_false(finds(a, text));
    memcpy(a->edited, text.ptr, text.len);
    for (size_t i = 0; i < text.len; i += BYTE_STRIDE) {
        a->edited[i] = (char)(text.ptr[i] ^ 1 << (i % 7));
        sw_str edited = {a->edited, text.len};
        if (!finds(a, edited)) {
            harmless++;
            if (!says_the_same(text, edited))
                fail_msg("byte %zu of %zu was changed and not found: %.*s", i, text.len, 60,
                         a->edited + i - (i > 30 ? 30 : i));
        }
        a->edited[i] = text.ptr[i];
    }
    /* Most of what verifies is a number of the part that says of itself that nothing seals it. */
    assert_true(harmless < text.len / 20);
}

/* Append a line of an entry without what follows its last bracket, and how it goes on. */
static size_t put_entry(char *out, sw_str line, const char *then)
{
    const char *end = line.ptr + line.len;
    while (*--end != '}')
        ;
    size_t size = (size_t)(end - line.ptr) + 1;
    memcpy(out, line.ptr, size);
    return size + (size_t)sprintf(out + size, "%s", then);
}

/* The text with these entries in the place of its own. */
static sw_str rewritten(attacked *a, const sw_str *entries, size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < a->first; used += a->lines[i++].len)
        memcpy(a->edited + used, a->lines[i].ptr, a->lines[i].len);
    for (size_t i = 0; i < count; i++)
        used += put_entry(a->edited + used, entries[i], i + 1 < count ? ",\n" : "");
    used += (size_t)sprintf(a->edited + used, "],\n");
    for (size_t i = a->first + a->entry_count; i < a->line_count; used += a->lines[i++].len)
        memcpy(a->edited + used, a->lines[i].ptr, a->lines[i].len);
    return (sw_str){a->edited, used};
}

static void entry_kinds(attacked *a, int kinds[LINES_MAX])
{
    sw__task_file file;
    sw__arena *arena = sw__arena_new(sw_env_system());
    assert_int_equal(sw__task_file_read(arena, (sw_str){NULL, 0}, text_of(a), &file, NULL), SW_OK);
    for (size_t i = 0; i < file.entry_count; i++)
        kinds[i] = file.entries[i].entry.kind;
    sw_workflow_free(file.workflow);
    sw__arena_free(arena);
}

/* What changes no state leaves no gap: that is why a file does not prove that it is complete. */
static bool may_be_missing(int kind)
{
    return kind != SW_AUDIT_TASK_SUBMITTED && kind != SW_AUDIT_TASK_CHANGED &&
           kind != SW_AUDIT_STEP_CHANGED;
}

static void test_every_range_left_out(void **state)
{
    attacked *a = *state;
    int missing = 0;
    int kinds[LINES_MAX];
    sw_str left[LINES_MAX];
    entry_kinds(a, kinds);
    for (size_t from = 0; from < a->entry_count; from++) {
        bool harmless = true;
        for (size_t to = from + 1; to <= a->entry_count; to++) {
            size_t count = 0;
            harmless = harmless && may_be_missing(kinds[to - 1]);
            for (size_t i = 0; i < a->entry_count; i++) {
                if (i < from || i >= to)
                    left[count++] = a->lines[a->first + i];
            }
            bool found = finds(a, rewritten(a, left, count));
            missing += !found;
            if (!found && !harmless)
                fail_msg("entries %zu to %zu are missing, and nobody sees it", from, to - 1);
        }
    }
    assert_true(missing > 0);
}

static void test_every_entry_repeated_or_swapped(void **state)
{
    attacked *a = *state;
    sw_str lines[LINES_MAX];
    assert_false(finds(a, rewritten(a, a->lines + a->first, a->entry_count)));
    for (size_t i = 0; i < a->entry_count; i++) {
        size_t count = 0;
        for (size_t j = 0; j < a->entry_count; j++) {
            lines[count++] = a->lines[a->first + j];
            if (j == i)
                lines[count++] = a->lines[a->first + j];
        }
        assert_true(finds(a, rewritten(a, lines, count)));
        for (size_t other = 0; other < i; other++) {
            memcpy(lines, a->lines + a->first, a->entry_count * sizeof(lines[0]));
            lines[i] = a->lines[a->first + other];
            lines[other] = a->lines[a->first + i];
            assert_true(finds(a, rewritten(a, lines, a->entry_count)));
        }
    }
}

/* Entries of another task of the same log have good proofs, and are of another task. */
static void test_entries_of_another_task(void **state)
{
    attacked *a = *state;
    attacked other = {.rig = a->rig};
    sw_str lines[LINES_MAX];
    sw_str note = sw_audit_checkpoints(a->sealed, NULL)->note;
    sw_uuid task = rig_submit(&a->rig);
    assert_int_equal(
        sw_task_export(a->rig.engine, &task, note, (sw_str){NULL, 0}, &other.file, &a->rig.error),
        SW_EINVAL);
    assert_int_equal(sw_task_export(a->rig.engine, &task, (sw_str){NULL, 0}, (sw_str){NULL, 0},
                                    &other.file, &a->rig.error),
                     SW_OK);
    split(&other);
    for (size_t i = 0; i < other.entry_count; i++) {
        memcpy(lines, a->lines + a->first, a->entry_count * sizeof(lines[0]));
        lines[a->entry_count] = other.lines[other.first + i];
        assert_true(finds(a, rewritten(a, lines, a->entry_count + 1)));
    }
    free(other.edited);
    sw_result_free(other.file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_byte, small_setup, attacked_teardown),
        cmocka_unit_test_setup_teardown(test_every_range_left_out, attacked_setup,
                                        attacked_teardown),
        cmocka_unit_test_setup_teardown(test_every_entry_repeated_or_swapped, attacked_setup,
                                        attacked_teardown),
        cmocka_unit_test_setup_teardown(test_entries_of_another_task, attacked_setup,
                                        attacked_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
