/* Pages that repeat a list of the code must repeat it exactly: errors, exit codes, limits, delays
 * of retries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/cli/command.h"
#include "base/limits.h"
#include "model/workflow.h"
#include "stepwell.h"

/* The whole file, zero-terminated; the caller frees it. */
static char *page_read(const char *path)
{
    char full[512];
    snprintf(full, sizeof(full), "%s/%s", SW_SOURCE_DIR, path);
    FILE *file = fopen(full, "rb");
    if (!file)
        fail_msg("cannot open %s", full);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void assert_row(const char *page, const char *row)
{
    if (!strstr(page, row))
        fail_msg("the page lacks the row that starts with: %s", row);
}

static size_t lines_starting(const char *page, const char *start)
{
    size_t count = 0;
    for (const char *line = page; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += strncmp(line, start, strlen(start)) == 0;
    }
    return count;
}

static void test_errors(void **state)
{
    char row[256];
    size_t count = 0;
    (void)state;
    char *page = page_read("docs/reference/errors.md");
#define ERROR_ROW(name, value, class_name, text)                                                   \
    snprintf(row, sizeof(row), "\n| `%s` | %d | `%s` | %s |", #name, value, #class_name, text);    \
    assert_row(page, row);                                                                         \
    count++;
    SW_ERROR_MAP(ERROR_ROW)
#undef ERROR_ROW
    assert_int_equal(lines_starting(page, "| `E"), count);
    free(page);
}

static void test_exit_codes(void **state)
{
    char row[256];
    size_t count = 0;
    (void)state;
    char *page = page_read("docs/reference/exit-codes.md");
#define EXIT_ROW(name, status, slug, meaning)                                                      \
    snprintf(row, sizeof(row), "\n| %d | `%s` | %s |", status, slug, meaning);                     \
    assert_row(page, row);                                                                         \
    count++;
    CLI_EXIT_MAP(EXIT_ROW)
#undef EXIT_ROW
    assert_int_equal(lines_starting(page, "| "), count + 1);
    free(page);
}

/* 1048576 as "1,048,576". */
static void number_format(long long number, char *text, size_t size)
{
    char digits[32];
    size_t len = (size_t)snprintf(digits, sizeof(digits), "%lld", number);
    size_t at = 0;
    for (size_t i = 0; i < len && at + 2 < size; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = digits[i];
    }
    text[at] = '\0';
}

static void test_limits(void **state)
{
    const struct {
        const char *what;
        long long limit;
    } rows[] = {
        {"text of one definition", SW__DEFINITION_MAX},
        {"nesting of JSON and YAML", SW__DEPTH_MAX},
        {"values in one document", SW__NODES_MAX},
        {"definition in canonical JSON", SW__CANONICAL_MAX},
        {"values in canonical JSON", SW__CANONICAL_NODES_MAX},
        {"one scalar in a definition", SW__SCALAR_MAX},
        {"one mapping key", SW__KEY_MAX},
        {"name of a workflow, step, handler or queue", SW__NAME_MAX},
        {"title, reason, initiator, key, tag", SW__TEXT_MAX},
        {"tags of one task, that of its parent included", SW__TAGS_MAX},
        {"steps of one workflow", SW__STEPS_MAX},
        {"dependencies of one workflow", SW__EDGES_MAX},
        {"dependencies of one step", SW__STEP_DEPS_MAX},
        {"attempts of one step", SW__ATTEMPTS_MAX},
        {"delay or timeout", SW__DELAY_MAX_MS},
        {"one input or result, by default", SW__PAYLOAD_MAX},
        {"message or detail of an error", SW__ERROR_TEXT_MAX},
        {"circuit breakers that one workflow sets", SW__BREAKERS_MAX},
        {"threshold or probes of a circuit breaker", SW__BREAKER_MAX},
        {"handlers of one worker", SW__HANDLERS_MAX},
        {"rows of one call", SW__BATCH_MAX},
        {"steps and bends of lines in one picture", SW__VERTICES_MAX},
        {"bars of one Gantt chart", SW__GANTT_ROWS_MAX},
        {"text of a task file", (long long)SW__TASK_FILE_MAX},
        {"values in a task file", SW__TASK_FILE_NODES_MAX},
        {"lease of a worker", SW__LEASE_MAX_MS},
        {"command that an anchor needs", SW__ANCHOR_COMMAND_MAX_MS},
    };
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    char number[48];
    char row[256];
    (void)state;
    char *page = page_read("docs/reference/limits.md");
    char *header = page_read("core/src/base/limits.h");
    for (size_t i = 0; i < count; i++) {
        number_format(rows[i].limit, number, sizeof(number));
        snprintf(row, sizeof(row), "\n| %s | %s |", rows[i].what, number);
        assert_row(page, row);
    }
    assert_int_equal(lines_starting(page, "| "), count + 1);
    assert_int_equal(lines_starting(header, "#define SW__"), count);
    free(header);
    free(page);
}

/* The table of delays in the guide to retries, in seconds. */
static void test_delays(void **state)
{
    char row[256];
    (void)state;
    char *page = page_read("docs/guide/retries.md");
    for (int backoff = 0; backoff < SW_BACKOFF_COUNT; backoff++) {
        const sw_workflow_step step = {
            .backoff = backoff, .backoff_base_ms = 1000, .backoff_max_ms = 60000};
        int len = snprintf(row, sizeof(row), "\n| `%s` |", sw_backoff_name(backoff));
        for (int32_t attempt = 1; attempt <= 8; attempt++)
            len += snprintf(row + len, sizeof(row) - (size_t)len, " %lld |",
                            (long long)sw__retry_delay_ms(&step, attempt, 0.5) / 1000);
        assert_row(page, row);
    }
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_exit_codes),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_delays),
    };
    return cmocka_run_group_tests_name("docs", tests, NULL, NULL);
}
