/* The reference pages about workflow files and step kinds: every example loads without a finding,
 * and no key and no kind is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/definitions.h"
#include "model/kinds.h"

#define FENCE "```yaml\n"

static char *page_read(const char *name)
{
    char path[512];
    snprintf(path, sizeof(path), SW_SOURCE_DIR "/docs/reference/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *text = calloc(1, 65536);
    assert_true(fread(text, 1, 65535, file) > 0);
    fclose(file);
    return text;
}

/* Load every YAML block of a page; returns how many there are. */
static int page_examples_load(const char *name)
{
    int count = 0;
    char *page = page_read(name), *at = page;
    while ((at = strstr(at, FENCE))) {
        char *start = at + strlen(FENCE), *end = strstr(start, "```");
        *end = 0;
        sw_workflow_free(definition_load(start));
        at = end + 1;
        count++;
    }
    free(page);
    return count;
}

static void test_examples_load(void **state)
{
    (void)state;
    assert_int_equal(page_examples_load("workflow-file.md"), 2);
    assert_int_equal(page_examples_load("step-kinds.md"), 1);
}

static void test_every_kind_has_its_section(void **state)
{
    (void)state;
    char *page = page_read("step-kinds.md");
    for (int kind = 0; kind < SW__KIND_COUNT; kind++) {
        char heading[64];
        snprintf(heading, sizeof(heading), "\n## `%s`\n", sw__kind_name(kind));
        assert_non_null(strstr(page, heading));
    }
    free(page);
}

/* Every key of the canonical text of a definition that uses all of them. */
static void test_every_key_is_on_the_page(void **state)
{
    (void)state;
    sw_workflow *workflow = definition_load(
        "{stepwell: 1, name: a, title: b, version: c, description: d, input_schema: {e: 1}, "
        "metadata: {f: 1}, steps: [{name: g, title: h, description: i, parameters: {j: 1}, "
        "metadata: {k: 1}}]}");
    char *page = page_read("workflow-file.md");
    const char *json = sw_workflow_json(workflow).ptr;
    int keys = 0;
    for (const char *at = strchr(json, '"'); at; at = strchr(at, '"')) {
        const char *end = strchr(at + 1, '"');
        size_t len = (size_t)(end - at - 1);
        char cell[80];
        snprintf(cell, sizeof(cell), "\n| `%.*s`", (int)len, at + 1);
        if (end[1] == ':' && len > 1) {
            keys++;
            assert_non_null(strstr(page, cell));
        }
        at = end + 1;
    }
    assert_int_equal(keys, 9 + 12 + 5);
    free(page);
    sw_workflow_free(workflow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_load),
        cmocka_unit_test(test_every_kind_has_its_section),
        cmocka_unit_test(test_every_key_is_on_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
