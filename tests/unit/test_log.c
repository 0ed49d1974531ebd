/* Log records: what reaches the sink, and that nothing is evaluated below its level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/log.h"
#include "base/str.h"

typedef struct sink {
    int calls;
    int level;
    char event[32];
    size_t field_count;
    sw_log_field fields[4];
} sink;

static void sink_write(void *context, int level, const char *event, const sw_log_field *fields,
                       size_t field_count)
{
    sink *got = context;
    got->calls++;
    got->level = level;
    strcpy(got->event, event);
    got->field_count = field_count;
    memcpy(got->fields, fields, field_count * sizeof(*fields));
}

static int evaluated;

static int64_t evaluate(int64_t number)
{
    evaluated++;
    return number;
}

static void test_record_reaches_the_sink(void **state)
{
    (void)state;
    sink got = {0};
    sw_log log = {.size = sizeof(log), .level = SW_LOG_INFO, .context = &got, .write = sink_write};
    sw__log(&log, SW_LOG_WARN, "worker.lost", {"worker", {NULL, 0}, 17}, {"name", sw__str("a"), 0});
    assert_int_equal(got.calls, 1);
    assert_int_equal(got.level, SW_LOG_WARN);
    assert_string_equal(got.event, "worker.lost");
    assert_int_equal(got.field_count, 2);
    assert_string_equal(got.fields[0].key, "worker");
    assert_int_equal(got.fields[0].number, 17);
    assert_true(sw__str_is(got.fields[1].text, "a"));
}

static void test_level_decides(void **state)
{
    (void)state;
    sink got = {0};
    sw_log log = {.size = sizeof(log), .level = SW_LOG_WARN, .context = &got, .write = sink_write};
    evaluated = 0;
    sw__log(&log, SW_LOG_INFO, "quiet", {"n", {NULL, 0}, evaluate(1)});
    assert_int_equal(got.calls, 0);
    assert_int_equal(evaluated, 0);
    sw__log(&log, SW_LOG_WARN, "loud", {"n", {NULL, 0}, evaluate(1)});
    assert_int_equal(got.calls, 1);
    assert_int_equal(evaluated, 1);
}

static void test_no_sink(void **state)
{
    (void)state;
    const sw_log *absent = NULL;
    sw_log mute = {.size = sizeof(mute), .level = SW_LOG_DEBUG};
    evaluated = 0;
    sw__log(absent, SW_LOG_ERROR, "lost", {"n", {NULL, 0}, evaluate(1)});
    assert_int_equal(evaluated, 0);
    sw__log(&mute, SW_LOG_ERROR, "lost", {"n", {NULL, 0}, 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_reaches_the_sink),
        cmocka_unit_test(test_level_decides),
        cmocka_unit_test(test_no_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
