/* Loading definitions in tests. Not here: what is expected of them. */
#include "helper/definitions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define FINDINGS_TEXT_MAX 65536

static void findings_write(const sw_result *result, char *text, size_t size)
{
    size_t count, used = 0;
    const sw_finding *rows = sw_findings(result, &count);
    text[0] = 0;
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%d:%d %.*s: %s%.*s\n", rows[i].line,
                                 rows[i].column, SW__FMT(rows[i].path),
                                 rows[i].severity == SW_SEVERITY_WARNING ? "warning: " : "",
                                 SW__FMT(rows[i].message));
}

static int load(const char *text, int strict, sw_workflow **workflow, char *findings)
{
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.source = sw__str("w.yaml");
    options.strict = strict;
    if (strncmp(text, "{\"", 2) != 0)
        options.format = SW_FORMAT_YAML;
    sw_result *result = NULL;
    sw_error err;
    int code = sw_workflow_load(&options, sw__str(text), workflow, &result, &err);
    findings_write(result, findings, FINDINGS_TEXT_MAX);
    if (code < 0) {
        assert_null(*workflow);
        assert_int_equal(err.code, code);
        assert_int_equal(strncmp(err.message, "w.yaml:", 7), 0);
    }
    sw_result_free(result);
    return code;
}

sw_workflow *definition_load(const char *text)
{
    static char findings[FINDINGS_TEXT_MAX];
    sw_workflow *workflow;
    int code = load(text, 0, &workflow, findings);
    assert_string_equal(findings, "");
    assert_int_equal(code, SW_OK);
    return workflow;
}

void definition_expect(const char *text, int strict, int code, const char *findings)
{
    static char found[FINDINGS_TEXT_MAX];
    sw_workflow *workflow;
    int answer = load(text, strict, &workflow, found);
    sw_workflow_free(workflow);
    assert_string_equal(found, findings);
    assert_int_equal(answer, code);
}
