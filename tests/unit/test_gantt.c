/* Gantt charts: lines, waiting times, open bars, round time marks, and every error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "helper/fault_env.h"
#include "picture/gantt.h"
#include "picture/glyph.h"
#include "stepwell.h"

#define TEXT(text) ((sw_str){(text), sizeof(text) - 1})
#define SECOND INT64_C(1000000)
#define START (1700000000 * SECOND)

/* fetch works, check fails once and works then, send waits. */
static const sw_gantt_row usual[] = {
    {.name = TEXT("fetch"),
     .lane = 7,
     .attempt = 1,
     .state = SW_STEP_SUCCEEDED,
     .begin_us = START,
     .end_us = START + 2 * SECOND},
    {.name = TEXT("check"),
     .lane = -3,
     .attempt = 1,
     .state = SW_STEP_FAILED,
     .ready_us = START + 2 * SECOND,
     .begin_us = START + 3 * SECOND,
     .end_us = START + 5 * SECOND},
    {.name = TEXT("send"), .lane = 0, .state = SW_STEP_PENDING},
    {.name = TEXT("check"),
     .lane = -3,
     .attempt = 2,
     .state = SW_STEP_RUNNING,
     .flags = SW_PICTURE_CRITICAL,
     .ready_us = START + 5 * SECOND,
     .begin_us = START + 8 * SECOND},
};
#define USUAL_COUNT (sizeof(usual) / sizeof(usual[0]))

static const char *chart(const sw_gantt_options *options, const sw_gantt_row *rows, size_t count,
                         sw_result **result)
{
    sw_error error;
    size_t pictures = 0;
    if (sw_gantt_render(options, rows, count, result, &error) != SW_OK)
        fail_msg("%s", error.message);
    const sw_picture *picture = sw_pictures(*result, &pictures);
    assert_int_equal(pictures, 1);
    assert_int_equal(picture->format, options->format);
    return picture->text.ptr;
}

static void assert_has(const char *text, const char *what)
{
    if (!strstr(text, what))
        fail_msg("'%s' is not in:\n%s", what, text);
}

static void test_text(void **state)
{
    sw_result *result = NULL;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    options.format = SW_PICTURE_TEXT;
    options.columns = 40;
    options.now_us = START + 10 * SECOND;
    assert_string_equal(chart(&options, usual, USUAL_COUNT, &result),
                        "fetch  ━━━━━                  ✓ 2.000s\n"
                        "check      ┄┄━━━━✗┄┄┄┄┄████▸  ▸ 4.000s\n"
                        "send                          ·\n"
                        "       0                    10s\n");
    sw_result_free(result);
}

static void test_text_ascii(void **state)
{
    sw_result *result = NULL;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    options.format = SW_PICTURE_TEXT;
    options.ascii = 1;
    options.now_us = START + 10 * SECOND;
    const char *text = chart(&options, usual, USUAL_COUNT, &result);
    for (const char *at = text; *at; at++)
        assert_true((unsigned char)*at < 0x80);
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
        assert_true(strcspn(at, "\n") <= 80);
    assert_has(text, "x....");
    assert_has(text, "####>");
    sw_result_free(result);
    options.color = 1;
    assert_has(chart(&options, usual, USUAL_COUNT, &result), "\033[31mx\033[0m");
    sw_result_free(result);
}

static void test_svg(void **state)
{
    sw_result *result = NULL;
    size_t count = 0;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    options.title = TEXT("a <b> & \"c\"");
    options.now_us = START + 10 * SECOND;
    const char *text = chart(&options, usual, USUAL_COUNT, &result);
    assert_int_equal(sw_pictures(result, &count)->width, 960);
    assert_has(text, "<title>a &lt;b&gt; &amp; &quot;c&quot;</title>");
    assert_has(text, "<desc>4 attempts of 3 steps in 10.0s.</desc>");
    assert_has(text, "<title>check, attempt 1: failed after 2.000s, waited 1.000s</title>");
    assert_has(text, "<title>check, attempt 2: running for 2.000s, waited 3.000s, on the critical "
                     "path</title>");
    assert_has(text, ">10s</text>");
    sw_result_free(result);
    options.width = 1;
    chart(&options, usual, USUAL_COUNT, &result);
    assert_in_range(sw_pictures(result, &count)->width, 300, 500);
    sw_result_free(result);
}

static void test_json(void **state)
{
    sw_result *result = NULL;
    size_t offset = 0;
    const char *why = "";
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    options.format = SW_PICTURE_JSON;
    const char *text = chart(&options, usual, USUAL_COUNT, &result);
    assert_true(sw__json_check((sw_str){text, strlen(text)}, &offset, &why));
    assert_has(text, "\"lines\":3");
    assert_has(text, "{\"name\":\"send\",\"line\":2,\"attempt\":0,\"state\":\"pending\","
                     "\"critical\":false,\"ready_us\":null,\"begin_us\":null,\"end_us\":null}");
    assert_has(text, "\"end_us\":1700000008000000");
    sw_result_free(result);
}

static void test_nothing(void **state)
{
    const sw_gantt_row row = {.name = TEXT("only"), .state = -1};
    const int formats[] = {SW_PICTURE_SVG, SW_PICTURE_TEXT, SW_PICTURE_JSON};
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        sw_result *result = NULL;
        options.format = formats[i];
        chart(&options, NULL, 0, &result);
        sw_result_free(result);
        assert_has(chart(&options, &row, 1, &result), "only");
        sw_result_free(result);
    }
}

/* Marks are round, and at most as many as asked for, from a microsecond to centuries. */
static void test_ticks(void **state)
{
    sw__gantt gantt = {.start_us = START};
    (void)state;
    for (int64_t span = 1; span < INT64_MAX / 4 - START; span += span / 3 + 1) {
        gantt.end_us = START + span;
        for (int32_t most = 1; most < 20; most += 6) {
            int64_t tick = sw__gantt_tick(&gantt, most);
            assert_true(tick > 0 && span / tick < most);
        }
    }
}

static void assert_tick(int64_t time_us, const char *text)
{
    sw__buf buf;
    sw__buf_init(&buf, sw_env_system());
    sw__gantt_tick_put(&buf, time_us);
    sw__buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, text);
    sw__buf_free(&buf);
}

static void test_tick_texts(void **state)
{
    (void)state;
    assert_tick(0, "0");
    assert_tick(5, "5us");
    assert_tick(1200, "1.2ms");
    assert_tick(1050, "1.05ms");
    assert_tick(250000, "250ms");
    assert_tick(1500000, "1.5s");
    assert_tick(45 * SECOND, "45s");
    assert_tick(60 * SECOND, "1m");
    assert_tick(90 * SECOND, "1m 30s");
    assert_tick(3600 * SECOND, "1h");
    assert_tick(5400 * SECOND, "1h 30m");
    assert_tick(86400 * SECOND, "1d");
    assert_tick(129600 * SECOND, "1d 12h");
}

static void assert_refused(const sw_gantt_options *options, const sw_gantt_row *rows, size_t count,
                           int code, int64_t row, const char *message)
{
    sw_error error;
    sw_result *result = (sw_result *)&error;
    assert_int_equal(sw_gantt_render(options, rows, count, &result, &error), code);
    assert_null(result);
    assert_int_equal(error.row, row);
    assert_has(error.message, message);
}

static void test_bad_input(void **state)
{
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    sw_gantt_row row = usual[1];
    (void)state;
    row.state = 9;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "no state 9");
    row = usual[1];
    row.begin_us = row.ready_us - 1;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "follow each other");
    row = usual[1];
    row.end_us = row.begin_us - 1;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "follow each other");
    row = usual[1];
    row.begin_us = 0;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "follow each other");
    row.ready_us = -1;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "from 1970 to 9999");
    row = usual[1];
    row.end_us = INT64_MAX;
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "from 1970 to 9999");
    row = usual[1];
    row.name = (sw_str){NULL, 2};
    assert_refused(&options, &row, 1, SW_EINVAL, 0, "at no address");
    assert_refused(&options, NULL, 1, SW_EINVAL, -1, "rows are missing");
    assert_refused(&options, &row, SW__GANTT_ROWS_MAX + 1, SW_ELIMIT, -1, "100000 are allowed");
    options.format = SW_PICTURE_DOT;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "written as 'dot'");
    options.format = SW_PICTURE_TEXT;
    options.columns = 39;
    assert_refused(&options, usual, USUAL_COUNT, SW_ELIMIT, -1, "needs 40 columns");
    options.columns = -1;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "-1 columns");
    options.columns = 100001;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "100001 columns");
    options.columns = 0;
    options.width = 100001;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "100001 pixels");
    options.width = 0;
    options.now_us = INT64_MAX;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "now");
    options = (sw_gantt_options)SW_GANTT_OPTIONS_INIT;
    options.size = 4;
    assert_refused(&options, usual, USUAL_COUNT, SW_EINVAL, -1, "size is 4");
}

/* From the first moment to the last, again and again on one line: no sum overflows. */
static void test_longest(void **state)
{
    const int formats[] = {SW_PICTURE_SVG, SW_PICTURE_TEXT, SW_PICTURE_JSON};
    static sw_gantt_row rows[100];
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    (void)state;
    for (size_t i = 0; i < 100; i++)
        rows[i] = (sw_gantt_row){.name = TEXT("long"),
                                 .state = SW_STEP_SUCCEEDED,
                                 .ready_us = 1,
                                 .begin_us = 1,
                                 .end_us = INT64_C(253402300800000000)};
    for (size_t i = 0; i < 3; i++) {
        sw_result *result = NULL;
        options.format = formats[i];
        chart(&options, rows, 100, &result);
        sw_result_free(result);
    }
}

static int chart_under_fault(const sw_env *env, void *context)
{
    sw_result *result = NULL;
    sw_gantt_options options = SW_GANTT_OPTIONS_INIT;
    options.format = *(int *)context;
    options.env = env;
    int code = sw_gantt_render(&options, usual, USUAL_COUNT, &result, NULL);
    sw_result_free(result);
    return code;
}

static void test_out_of_memory(void **state)
{
    int formats[] = {SW_PICTURE_SVG, SW_PICTURE_TEXT, SW_PICTURE_JSON};
    fault_env fault;
    (void)state;
    fault_env_init(&fault);
    for (size_t i = 0; i < 3; i++)
        assert_true(fault_env_each(&fault, chart_under_fault, &formats[i]) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),       cmocka_unit_test(test_text_ascii),
        cmocka_unit_test(test_svg),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_nothing),    cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_tick_texts), cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_longest),    cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests_name("gantt", tests, NULL, NULL);
}
