/* Workflow files that nobody on this project wrote, found at ../shared/cases from its root: each
 * rustchain file loads, or is refused with a position and a reason. Says "skipped" and passes
 * where the folder is absent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "model/build.h"

#define CASES_DIR SW_SOURCE_DIR "/../shared/cases"

/* Of the files that are known: how many there are, and how many have built-in kinds only. */
#define CASES_KNOWN 37
#define CASES_LOADED 6

typedef struct case_count {
    int files;
    int loaded;
} case_count;

static char *case_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *text = malloc(SW__DEFINITION_MAX + 1);
    assert_non_null(file);
    *size = fread(text, 1, SW__DEFINITION_MAX + 1, file);
    fclose(file);
    return text;
}

static void case_check_refusal(const char *path, const sw_error *err, const sw_result *findings)
{
    size_t count;
    char start[1024];
    const sw_finding *rows = sw_findings(findings, &count);
    assert_true(count > 0);
    for (size_t i = 0; i < count; i++) {
        assert_true(rows[i].line > 0 && rows[i].column > 0);
        assert_true(rows[i].message.len > 0);
    }
    assert_true(err->row > 0);
    snprintf(start, sizeof(start), "%s:%lld:", path, (long long)err->row);
    assert_int_equal(strncmp(err->message, start, strlen(start)), 0);
    print_message("refused %s\n", err->message);
}

/* A file that loads is stored, and must be read back the same. */
static void case_check_loaded(const char *path, const sw_workflow *workflow)
{
    sw_workflow *again;
    assert_int_equal(sw__workflow_load_stored(sw_env_system(), sw_workflow_json(workflow), &again),
                     SW_OK);
    sw_workflow_free(again);
    assert_int_equal(
        sw__workflow_load_canonical(sw_env_system(), sw_workflow_json(workflow), &again, NULL),
        SW_OK);
    assert_memory_equal(again->digest, workflow->digest, sizeof(again->digest));
    sw_workflow_free(again);
    print_message("loaded  %s\n", path);
}

static void case_load(const char *path, const char *shown, case_count *count)
{
    size_t size;
    char *text = case_read(path, &size);
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.source = (sw_str){shown, strlen(shown)};
    sw_workflow *workflow;
    sw_result *findings;
    sw_error err;
    int code = sw_workflow_load(&options, (sw_str){text, size}, &workflow, &findings, &err);
    count->files++;
    if (code == SW_OK) {
        count->loaded++;
        case_check_loaded(shown, workflow);
    } else {
        case_check_refusal(shown, &err, findings);
    }
    sw_workflow_free(workflow);
    sw_result_free(findings);
    free(text);
}

static void case_walk(const char *dir, case_count *count)
{
    struct dirent **entries;
    int number = scandir(dir, &entries, NULL, alphasort);
    assert_true(number >= 0);
    for (int i = 0; i < number; i++) {
        char path[4096];
        struct stat info;
        snprintf(path, sizeof(path), "%s/%s", dir, entries[i]->d_name);
        bool hidden = entries[i]->d_name[0] == '.';
        free(entries[i]);
        if (hidden || stat(path, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            case_walk(path, count);
        else
            case_load(path, path + strlen(CASES_DIR) + 1, count);
    }
    free(entries);
}

static void test_every_rustchain_file(void **state)
{
    (void)state;
    struct stat info;
    case_count count = {0, 0};
    if (stat(CASES_DIR "/rustchain", &info) != 0) {
        print_message("skipped: there is no folder %s/rustchain\n", CASES_DIR);
        return;
    }
    case_walk(CASES_DIR "/rustchain", &count);
    case_walk(CASES_DIR "/rustchain_old", &count);
    print_message("%d files, %d loaded\n", count.files, count.loaded);
    assert_true(count.files >= CASES_KNOWN);
    if (count.files == CASES_KNOWN)
        assert_int_equal(count.loaded, CASES_LOADED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_rustchain_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
