/* Checks on documents. Not here: the texts, which each test has its own. */
#include "helper/node_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/node.h"
#include "base/str.h"
#include "helper/fault_env.h"

void assert_document(int format, const char *text, const char *expected)
{
    fault_env fault;
    sw_error error = {0};
    sw__node *node = NULL;
    sw__buf buf;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    sw__buf_init(&buf, &fault.env);
    int rc = sw__node_load(arena, format, sw__str("a.yaml"), sw__str(text), &node, &error);
    if (rc < 0)
        fail_msg("\"%s\" is refused: %s", text, error.message);
    sw__node_put_json(&buf, node);
    sw__buf_put_byte(&buf, 0);
    assert_false(buf.failed);
    assert_string_equal((const char *)buf.ptr, expected);
    sw__buf_free(&buf);
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
}

void assert_refused_bytes(int format, const char *text, size_t len, int code, const char *message)
{
    fault_env fault;
    sw_error error = {0};
    sw__node *node = (sw__node *)(uintptr_t)1;
    int line = 0;
    fault_env_init(&fault);
    sw__arena *arena = sw__arena_new(&fault.env);
    int rc = sw__node_load(arena, format, sw__str("a.yaml"), (sw_str){text, len}, &node, &error);
    sw__arena_free(arena);
    assert_int_equal(fault.live, 0);
    if (rc == SW_OK)
        fail_msg("\"%.*s\" is accepted", (int)len, text);
    assert_string_equal(error.message, message);
    assert_int_equal(rc, code);
    assert_int_equal(error.code, code);
    assert_null(node);
    assert_int_equal(sscanf(error.message, "a.yaml:%d:", &line), 1);
    assert_int_equal(error.row, line);
}

void assert_refused(int format, const char *text, int code, const char *message)
{
    assert_refused_bytes(format, text, strlen(text), code, message);
}
