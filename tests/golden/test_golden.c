/* The C player of the golden scenarios: every tests/golden/X.json on the memory store and on a
 * SQLite file. README.md there describes the files, helper/golden.h plays their scripts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/golden.h"

#define GOLDEN_DIR SW_SOURCE_DIR "/tests/golden"

/* What must be there at the end. */

/* JSON of a result as the scenario writes it; absent is null. */
static void compare_json(golden *player, const char *what, const json_t *expected, sw_str text)
{
    json_t *found = text.ptr ? json_loadb(text.ptr, text.len, JSON_DECODE_ANY, NULL) : json_null();
    if (!found || !json_equal(expected, found))
        golden_fail(player, "%s is %.*s, expected %s", what, (int)text.len,
                    text.ptr ? text.ptr : "", json_dumps(expected, JSON_ENCODE_ANY));
    json_decref(found);
}

static void compare_step(golden *player, const json_t *expected, const sw_step_row *row)
{
    char what[256];
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        snprintf(what, sizeof(what), "%s of %.*s", key, (int)row->name.len, row->name.ptr);
        sw_str state = golden_str(sw_step_state_name(row->state)), text = {NULL, 0};
        char number[16], quoted[160];
        if (strcmp(key, "attempt") == 0) {
            snprintf(number, sizeof(number), "%d", row->attempt);
            text = golden_str(number);
        } else if (strcmp(key, "result") == 0) {
            text = row->result;
        } else {
            sw_str field = strcmp(key, "state") == 0 ? state : row->error_class;
            snprintf(quoted, sizeof(quoted), "\"%.*s\"", (int)field.len, field.ptr);
            text = golden_str(quoted);
        }
        compare_json(player, what, value, text);
    }
}

static void compare_task(golden *player, const char *name, const json_t *expected)
{
    sw_result *result = NULL;
    size_t count;
    const char *step;
    json_t *value;
    int code =
        sw_task_get(player->engine, &golden_task_find(player, name)->id, &result, &player->err);
    if (code < 0)
        golden_fail(player, "%s", player->err.message);
    const char *state = sw_task_state_name(sw_tasks(result, &count)->state);
    if (strcmp(state, json_string_value(json_object_get(expected, "state"))) != 0)
        golden_fail(player, "%s is %s", name, state);
    const sw_step_row *rows = sw_steps(result, &count);
    json_object_foreach(json_object_get(expected, "steps"), step, value)
    {
        size_t i = 0;
        while (i < count && (rows[i].name.len != strlen(step) ||
                             memcmp(rows[i].name.ptr, step, rows[i].name.len) != 0))
            i++;
        if (i == count)
            golden_fail(player, "%s has no step %s", name, step);
        compare_step(player, value, &rows[i]);
    }
    sw_result_free(result);
}

static void compare_transitions(golden *player, const char *name, const json_t *expected)
{
    sw_result *result = NULL;
    size_t count;
    int code =
        sw_audit_task(player->engine, &golden_task_find(player, name)->id, &result, &player->err);
    if (code < 0)
        golden_fail(player, "%s", player->err.message);
    const sw_audit_entry *rows = sw_audit_entries(result, &count);
    json_t *lines = json_array();
    for (size_t i = 0; i < count; i++) {
        char line[256];
        if (rows[i].kind != SW_AUDIT_STEP_CHANGED)
            continue;
        snprintf(line, sizeof(line), "%.*s %s>%s %d", (int)rows[i].step.len, rows[i].step.ptr,
                 sw_step_state_name(rows[i].from), sw_step_state_name(rows[i].to), rows[i].attempt);
        json_array_append_new(lines, json_string(line));
    }
    golden_compare(player, name, expected, lines);
    sw_result_free(result);
}

static void compare_end(golden *player)
{
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(player->scenario, "final"), name, value)
    {
        compare_task(player, name, value);
    }
    json_object_foreach(json_object_get(player->scenario, "transitions"), name, value)
    {
        compare_transitions(player, name, value);
    }
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    if (sw_audit_verify(player->engine, &report, &player->err) < 0 || !report.ok)
        golden_fail(player, "the audit log does not verify: %s", report.message);
}

/* Finding and running the scenarios. */

static void player_open(golden *player)
{
    json_error_t error;
    char path[128], file[512];
    snprintf(file, sizeof(file), GOLDEN_DIR "/%s", player->file);
    player->scenario = json_load_file(file, JSON_REJECT_DUPLICATES, &error);
    if (!player->scenario)
        golden_fail(player, "line %d: %s", error.line, error.text);
    strcpy(player->dir, "/tmp/stepwell-golden-XXXXXX");
    assert_non_null(mkdtemp(player->dir));
    snprintf(path, sizeof(path), player->sqlite ? "%s/golden.db" : "memory:", player->dir);
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = golden_str(path);
    if (sw_engine_open(&options, &player->engine, &player->err) < 0)
        golden_fail(player, "%s", player->err.message);

    char *text = json_dumps(json_object_get(player->scenario, "workflow"), JSON_COMPACT);
    if (sw_workflow_load(NULL, golden_str(text), &player->workflow, NULL, &player->err) < 0)
        golden_fail(player, "%s", player->err.message);
    free(text);
    const sw_workflow *workflow = player->workflow;
    if (sw_workflow_register(player->engine, &workflow, 1, &player->err) < 0)
        golden_fail(player, "%s", player->err.message);
}

static void dir_remove(const char *dir)
{
    DIR *entries = opendir(dir);
    for (struct dirent *entry; (entry = readdir(entries));) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        unlink(path);
    }
    closedir(entries);
    rmdir(dir);
}

static int player_close(void **state)
{
    golden *player = *state;
    sw_engine_close(player->engine);
    sw_workflow_free(player->workflow);
    json_decref(player->scenario);
    if (player->dir[0])
        dir_remove(player->dir);
    return 0;
}

static void test_scenario(void **state)
{
    golden *player = *state;
    json_t *operation;
    size_t index;
    player_open(player);
    json_array_foreach(json_object_get(player->scenario, "script"), index, operation)
    {
        player->at = index + 1;
        golden_play(player, operation);
    }
    compare_end(player);
}

static int scenario_select(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);
    return len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0;
}

int main(void)
{
    struct dirent **files;
    int count = scandir(GOLDEN_DIR, &files, scenario_select, alphasort);
    if (count <= 0) {
        fprintf(stderr, "no scenarios in %s\n", GOLDEN_DIR);
        return 1;
    }
    size_t tests_count = 2 * (size_t)count;
    golden *players = calloc(tests_count, sizeof(*players));
    struct CMUnitTest *tests = calloc(tests_count, sizeof(*tests));
    char(*names)[300] = calloc(tests_count, sizeof(*names));
    for (size_t i = 0; i < tests_count; i++) {
        players[i].file = files[i / 2]->d_name;
        players[i].sqlite = i % 2;
        snprintf(names[i], sizeof(names[i]), "%s on %s", players[i].file,
                 players[i].sqlite ? "sqlite" : "memory");
        tests[i] = (struct CMUnitTest){names[i], test_scenario, NULL, player_close, &players[i]};
    }
    int failed = _cmocka_run_group_tests("golden", tests, tests_count, NULL, NULL);
    free(names);
    free(tests);
    free(players);
    for (int i = 0; i < count; i++)
        free(files[i]);
    free(files);
    return failed;
}
