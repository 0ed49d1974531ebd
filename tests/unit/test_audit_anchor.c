/* Anchors through the public interface: places, arguments, memory; and what one proves. The command
 * is tested with git and witnesses in tests/cli/audit_anchor.sh. */
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

#include "audit/anchor.h"
#include "base/str.h"
#include "helper/audit_siege.h"
#include "helper/fault_env.h"
#include "stepwell.h"

typedef struct anchor_test {
    audit_siege siege;
    char folder[64];
} anchor_test;

static int anchor_setup(void **state)
{
    anchor_test *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    strcpy(t->folder, "/tmp/stepwell-anchor-XXXXXX");
    assert_non_null(mkdtemp(t->folder));
    siege_open(&t->siege);
    *state = t;
    return 0;
}

static int anchor_remove(const char *path, const struct stat *about, int flag, struct FTW *walk)
{
    (void)about;
    (void)flag;
    (void)walk;
    return remove(path);
}

static int anchor_teardown(void **state)
{
    anchor_test *t = *state;
    siege_close(&t->siege);
    int rc = nftw(t->folder, anchor_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(t);
    return rc;
}

static const char *place_of(anchor_test *t, const char *kind, char place[128])
{
    snprintf(place, 128, "%s%s/anchors%s", kind, t->folder, kind[0] == 'd' ? ".db" : "");
    return place;
}

static int put_note(anchor_test *t, const char *place, sw_str note, sw_result **result,
                    sw_error *err)
{
    sw_str vkey = sw__buf_str(&t->siege.key);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    trust.keys = &vkey;
    trust.key_count = 1;
    return sw_audit_anchor_put(NULL, sw__str(place), &trust, note, result, err);
}

static int put(anchor_test *t, const char *place, sw_result **result, sw_error *err)
{
    return put_note(t, place, sw__buf_str(&t->siege.note), result, err);
}

/* What was put comes back, the newest of several, among those of other logs and other lines. */
static void test_put_and_get(void **state)
{
    static const char *const kinds[] = {"file:", "db:"};
    anchor_test *t = *state;
    for (int i = 0; i < 2; i++) {
        char place[128];
        sw_result *result = NULL;
        const sw_str origin = SW__LIT(SIEGE_NAME);
        sw_str target = sw__str(place_of(t, kinds[i], place));
        assert_int_equal(put(t, place, &result, NULL), SW_OK);
        int64_t time_us = sw_audit_anchors(result, NULL)->time_us;
        sw_result_free(result);
        assert_int_equal(put(t, place, &result, NULL), SW_OK);
        sw_result_free(result);
        assert_int_equal(sw_audit_anchor_get(target, origin, &result, NULL), SW_OK);
        size_t count = 0;
        const sw_audit_anchor *row = sw_audit_anchors(result, &count);
        assert_int_equal(count, 1);
        assert_true(sw__str_equal(row->note, sw__buf_str(&t->siege.note)));
        assert_true(sw__str_equal(row->place, target));
        assert_true(row->time_us >= time_us - 1000000);
        assert_int_equal(row->entry_count, 248);
        sw_result_free(result);
        assert_int_equal(
            sw_audit_anchor_get(target, (sw_str)SW__LIT("example.com/other"), &result, NULL),
            SW_ENOTFOUND);
    }
}

static void test_lines_that_are_no_anchor(void **state)
{
    anchor_test *t = *state;
    static const char *const lines[] = {"",
                                        "stepwell-checkpoint",
                                        "stepwell-checkpoint ",
                                        "stepwell-checkpoint 12",
                                        "stepwell-checkpoint 12 AAAA",
                                        "stepwell-checkpoint x AAAA",
                                        "stepwell-checkpoint 9223372036854775807 AAAA"};
    char path[128];
    char place[160];
    sw_result *result = NULL;
    snprintf(path, sizeof(path), "%s/lines", t->folder);
    snprintf(place, sizeof(place), "file:%s", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        fprintf(file, "%s\n", lines[i]);
    fclose(file);
    const sw_str origin = SW__LIT(SIEGE_NAME);
    assert_int_equal(sw_audit_anchor_get(sw__str(place), origin, &result, NULL), SW_ENOTFOUND);
    assert_int_equal(put(t, place, &result, NULL), SW_OK);
    sw_result_free(result);
    assert_int_equal(sw_audit_anchor_get(sw__str(place), origin, &result, NULL), SW_OK);
    sw_result_free(result);
}

/* Whoever may add a line, but has neither the key nor the file: an old anchor again is an old one.
 */
static void test_an_old_line_again(void **state)
{
    static const char *const kinds[] = {"file:", "syslog:"};
    anchor_test *t = *state;
    char place[128];
    sw__buf early;
    sw_result *result = NULL;
    const sw_str origin = SW__LIT(SIEGE_NAME);
    place_of(t, "file:", place);
    sw__buf_init(&early, sw_env_system());
    t->siege.log.segment_count = t->siege.honest_count / 3;
    siege_sign(&t->siege, &t->siege.log, &early);
    siege_restore(&t->siege);
    const sw_str notes[] = {sw__buf_str(&early), sw__buf_str(&t->siege.note), sw__buf_str(&early)};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(put_note(t, place, notes[i], &result, NULL), SW_OK);
        sw_result_free(result);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            sw_audit_anchor_get(sw__str(place_of(t, kinds[i], place)), origin, &result, NULL),
            SW_OK);
        assert_int_equal(sw_audit_anchors(result, NULL)->entry_count, 248);
        sw_result_free(result);
    }
    sw__buf_free(&early);
}

static void test_arguments(void **state)
{
    static const char *const places[] = {"", "far", "file", "ftp://x", "FILE:x"};
    anchor_test *t = *state;
    sw_error err = {0};
    sw_result *result = NULL;
    const sw_str origin = SW__LIT(SIEGE_NAME);
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        assert_int_equal(put(t, places[i], &result, &err), SW_EINVAL);
        assert_int_equal(sw_audit_anchor_get(sw__str(places[i]), origin, &result, &err), SW_EINVAL);
        assert_null(result);
    }
    assert_int_equal(sw_audit_anchor_get((sw_str)SW__LIT("syslog:"), origin, &result, &err),
                     SW_EINVAL);
    assert_string_equal(
        err.message, "the system's log is read as the file that it is collected in: syslog:PATH");
    assert_int_equal(
        sw_audit_anchor_get((sw_str)SW__LIT("syslog:/no/folder/x"), origin, &result, &err),
        SW_ENOTFOUND);
    assert_int_equal(sw_audit_anchor_get((sw_str)SW__LIT("file:a\0b"), origin, &result, &err),
                     SW_EINVAL);
    assert_int_equal(put(t, "file:/no/folder/x", &result, &err), SW_ENOTFOUND);
    assert_int_equal(put(t, "db:/no/folder/x", &result, &err), SW_ENOTFOUND);
    assert_int_equal(put(t, "file:/x", NULL, &err), SW_EINVAL);
    assert_int_equal(sw_audit_anchor_put(NULL, (sw_str)SW__LIT("file:/x"), &trust,
                                         sw__buf_str(&t->siege.note), &result, &err),
                     SW_EINVAL);
}

/* The place may say no time at all; a lying one cannot do without the key. */
static void test_what_an_anchor_proves(void **state)
{
    anchor_test *t = *state;
    audit_log *log = &t->siege.log;
    sw_str note = sw__buf_str(&t->siege.note);
    sw_str vkey = sw__buf_str(&t->siege.key);
    sw_audit_anchor anchor = {.place = SW__LIT("file:far"), .note = note};
    sw_audit_trust trust = SW_AUDIT_TRUST_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    trust.keys = &vkey;
    trust.key_count = 1;
    trust.anchors = &anchor;
    trust.anchor_count = 1;
    assert_int_equal(log->store->ops->begin(log->store, false, NULL), SW_OK);
    assert_int_equal(
        sw__audit_verify(log->store, log->hasher, sw_env_system(), &trust, 1, &report, NULL),
        SW_OK);
    assert_int_equal(report.level, SW_AUDIT_ANCHORED);
    assert_int_equal(report.anchored_count, report.entry_count);
    assert_true(report.anchored_us > 0);
    assert_non_null(strstr(report.message, "anchored (L3): 1 anchor outside holds"));
    anchor.note.len--;
    assert_int_equal(
        sw__audit_verify(log->store, log->hasher, sw_env_system(), &trust, 1, &report, NULL),
        SW_EAUDIT);
    assert_non_null(strstr(report.message, "the anchor \"file:far\" cannot be trusted"));
    assert_int_equal(report.level, SW_AUDIT_NONE);
    assert_int_equal(report.anchored_us, 0);
    log->store->ops->rollback(log->store);
}

typedef struct anchor_memory {
    anchor_test *test;
    const char *place;
    bool get;
    sw_error *err;
} anchor_memory;

static int anchor_with(const sw_env *env, void *context)
{
    const anchor_memory *memory = context;
    sw_audit_anchor row = {.note = sw__buf_str(&memory->test->siege.note), .entry_count = 248};
    sw__arena *arena = sw__arena_new(env);
    sw__anchoring anchoring = {.env = env,
                               .hasher = memory->test->siege.log.hasher,
                               .arena = arena,
                               .origin = SW__LIT(SIEGE_NAME),
                               .command_ms = 200,
                               .row = &row};
    int rc = SW_ENOMEM;
    const sw__anchor_kind *kind =
        arena ? sw__anchor_find(sw__str(memory->place), arena, &anchoring.target) : NULL;
    if (kind && anchoring.target)
        rc = memory->get ? kind->get(&anchoring, memory->err) : kind->put(&anchoring, memory->err);
    if (arena && sw__arena_failed(arena))
        rc = SW_ENOMEM;
    sw__arena_free(arena);
    return rc;
}

static void test_memory_fails(void **state)
{
    fault_env fault;
    char place[128];
    anchor_memory memory = {.test = *state, .place = place_of(*state, "file:", place)};
    fault_env_init(&fault);
    assert_true(fault_env_each(&fault, anchor_with, &memory) > 0);
    memory.get = true;
    assert_true(fault_env_each(&fault, anchor_with, &memory) > 0);
    assert_int_equal(fault.live, 0);
}

/* A git that asks somebody who is not there, or a hook that hangs. */
static void test_a_git_that_does_not_end(void **state)
{
    anchor_test *t = *state;
    char path[128];
    char place[160];
    sw_error err = {0};
    const char *kept = getenv("PATH");
    anchor_memory memory = {.test = t, .place = place, .err = &err};
    snprintf(path, sizeof(path), "%s/git", t->folder);
    snprintf(place, sizeof(place), "git:%s", t->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\nsleep 100\n");
    fclose(file);
    assert_int_equal(chmod(path, 0700), 0);
    char *before = strdup(kept);
    char *with = NULL;
    assert_true(asprintf(&with, "%s:%s", t->folder, before) > 0);
    setenv("PATH", with, 1);
    for (int get = 0; get < 2; get++) {
        memory.get = get;
        assert_int_equal(anchor_with(sw_env_system(), &memory), SW_EIO);
        assert_string_equal(err.message,
                            "the command \"git\" did not end within 0.2 s and was ended");
    }
    setenv("PATH", before, 1);
    free(with);
    free(before);
}

#define ANCHOR_TEST(name) cmocka_unit_test_setup_teardown(name, anchor_setup, anchor_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANCHOR_TEST(test_put_and_get),
        ANCHOR_TEST(test_lines_that_are_no_anchor),
        ANCHOR_TEST(test_an_old_line_again),
        ANCHOR_TEST(test_arguments),
        ANCHOR_TEST(test_what_an_anchor_proves),
        ANCHOR_TEST(test_memory_fails),
        ANCHOR_TEST(test_a_git_that_does_not_end),
    };
    return cmocka_run_group_tests_name("audit_anchor", tests, NULL, NULL);
}
