/* The golden player's operations, one function each. Not here: what must be there at the end, and
 * finding the scenarios (tests/golden/test_golden.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/golden.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

sw_str golden_str(const char *text)
{
    return (sw_str){text, text ? strlen(text) : 0};
}

static sw_str member_str(const json_t *map, const char *key)
{
    return golden_str(json_string_value(json_object_get(map, key)));
}

static int64_t member_int(const json_t *map, const char *key)
{
    return json_integer_value(json_object_get(map, key));
}

/* Names in order against the list of the scenario, when it has one. */
void golden_compare(golden *player, const char *what, const json_t *expected, json_t *found)
{
    if (expected && !json_equal(expected, found))
        golden_fail(player, "%s are %s, expected %s", what, json_dumps(found, JSON_COMPACT),
                    json_dumps(expected, JSON_COMPACT));
    json_decref(found);
}

bool golden_answered(golden *player, const json_t *operation, int code)
{
    const char *expected = json_string_value(json_object_get(operation, "error"));
    const char *found = sw_code_class(code);
    if (!expected && code < 0)
        golden_fail(player, "%s", player->err.message);
    if (expected && (!found || strcmp(expected, found) != 0))
        golden_fail(player, "expected %s, found %s", expected, found ? found : "success");
    return !expected;
}

/* Workers, tasks and claims by name. */

static golden_worker *worker_find(golden *player, const char *name)
{
    for (size_t i = player->worker_count; i > 0; i--) {
        if (strcmp(player->workers[i - 1].name, name) == 0)
            return &player->workers[i - 1];
    }
    golden_fail(player, "there is no worker %s", name);
    return NULL;
}

golden_task *golden_task_find(golden *player, const char *name)
{
    for (size_t i = 0; i < player->task_count; i++) {
        if (strcmp(player->tasks[i].name, name) == 0)
            return &player->tasks[i];
    }
    golden_fail(player, "there is no task %s", name);
    return NULL;
}

const char *golden_task_name(golden *player, const sw_uuid *id)
{
    for (size_t i = 0; i < player->task_count; i++) {
        if (memcmp(&player->tasks[i].id, id, sizeof(*id)) == 0)
            return player->tasks[i].name;
    }
    golden_fail(player, "a task that was not submitted");
    return NULL;
}

static golden_claim *claim_find(golden *player, const char *worker, const json_t *row)
{
    const char *task = json_string_value(json_object_get(row, "task"));
    const char *owner = json_string_value(json_object_get(row, "claim_of"));
    const char *step = json_string_value(json_object_get(row, "step"));
    const sw_uuid *id = &golden_task_find(player, task ? task : "t1")->id;
    owner = owner ? owner : worker;
    for (size_t i = player->claim_count; i > 0; i--) {
        golden_claim *claim = &player->claims[i - 1];
        if (strcmp(claim->worker, owner) == 0 && strcmp(claim->step, step) == 0 &&
            memcmp(&claim->task_id, id, sizeof(*id)) == 0)
            return claim;
    }
    golden_fail(player, "%s has never claimed %s", owner, step);
    return NULL;
}

static json_t *claims_keep(golden *player, const char *worker, const sw_result *result)
{
    size_t count;
    const sw_step_claim *rows = sw_step_claims(result, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++) {
        assert_true(player->claim_count < GOLDEN_CLAIMS_MAX);
        golden_claim *claim = &player->claims[player->claim_count++];
        *claim = (golden_claim){.worker = worker,
                                .task_id = rows[i].task_id,
                                .step_id = rows[i].step_id,
                                .epoch = rows[i].epoch};
        memcpy(claim->step, rows[i].name.ptr, rows[i].name.len);
        json_array_append_new(names, json_string(claim->step));
    }
    return names;
}

/* Reports. */

/* Fill rows from the report of an operation; the JSON of results goes to texts. */
static size_t report_read(golden *player, const char *worker, const json_t *report,
                          sw_step_outcome *rows, char **texts)
{
    size_t index;
    json_t *row;
    json_array_foreach(report, index, row)
    {
        golden_claim *claim = claim_find(player, worker, row);
        const json_t *result = json_object_get(row, "result");
        texts[index] = result ? json_dumps(result, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        claim->reported = true;
        rows[index] = (sw_step_outcome){
            .step_id = claim->step_id,
            .epoch = claim->epoch,
            .outcome = sw_outcome_find(member_str(row, "outcome")),
            .result = golden_str(texts[index]),
            .error_class = member_str(row, "error"),
            .error_message = member_str(row, "message"),
        };
        assert_true(rows[index].outcome >= 0);
    }
    return json_array_size(report);
}

static void applications_compare(golden *player, const json_t *operation, const sw_result *result)
{
    size_t count;
    const sw_step_applied *rows = sw_step_applications(result, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(sw_row_status_name(rows[i].status)));
    golden_compare(player, "applied", json_object_get(operation, "applied"), names);
}

/* In any order, so that both sides are sorted by being keys of a map. */
static void finished_compare(golden *player, const json_t *operation, const sw_result *result)
{
    const json_t *list = json_object_get(operation, "finished");
    size_t count, index;
    const sw_task_finished *rows = sw_tasks_finished(result, &count);
    json_t *found = json_object(), *expected = json_object(), *name;
    for (size_t i = 0; i < count; i++)
        json_object_set_new(found, golden_task_name(player, &rows[i].task_id), json_true());
    json_array_foreach(list, index, name)
    {
        json_object_set_new(expected, json_string_value(name), json_true());
    }
    golden_compare(player, "finished", list ? expected : NULL, found);
    json_decref(expected);
}

/* One exchange, or without a worker one update; compares what the operation names. */
static sw_result *report_send(golden *player, const json_t *operation, const char *worker,
                              const json_t *report)
{
    static sw_step_outcome rows[GOLDEN_CLAIMS_MAX];
    static char *texts[GOLDEN_CLAIMS_MAX];
    sw_result *result = NULL;
    size_t count = report_read(player, worker, report, rows, texts);
    size_t claim = (size_t)member_int(operation, "claim");
    int64_t wait_ms = member_int(operation, "wait_ms");
    int code = worker ? sw_step_exchange(player->engine, &worker_find(player, worker)->ref, rows,
                                         count, claim, wait_ms, &result, &player->err)
                      : sw_step_update_batch(player->engine, rows, count, &result, &player->err);
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
    if (golden_answered(player, operation, code))
        applications_compare(player, operation, result);
    return result;
}

/* Operations. */

static void play_open(golden *player, const json_t *operation, const char *name)
{
    sw_str handlers[GOLDEN_CLAIMS_MAX];
    size_t index, count;
    json_t *handler;
    const json_t *given_handlers = json_object_get(operation, "handlers");
    const sw_workflow_step *steps = sw_workflow_steps(player->workflow, &count);
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    for (size_t i = 0; i < count && !given_handlers; i++)
        handlers[options.handler_count++] = steps[i].handler;
    json_array_foreach(given_handlers, index, handler)
    {
        handlers[options.handler_count++] = golden_str(json_string_value(handler));
    }
    options.name = golden_str(name);
    options.handlers = handlers;
    options.lease_ms = member_int(operation, "lease_ms");
    assert_true(player->worker_count < GOLDEN_NAMES_MAX);
    golden_worker *worker = &player->workers[player->worker_count];
    worker->name = name;
    int code = sw_worker_open(player->engine, &options, &worker->ref, &player->err);
    if (golden_answered(player, operation, code))
        player->worker_count++;
}

static void play_submit(golden *player, const json_t *operation, const char *name)
{
    const json_t *input = json_object_get(operation, "input");
    const json_t *created = json_object_get(operation, "created");
    const char *same_as = json_string_value(json_object_get(operation, "same_as"));
    char *text = input ? json_dumps(input, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    sw_task_submit_row row = {.workflow = sw_workflow_name(player->workflow),
                              .input = golden_str(text),
                              .key = member_str(operation, "key"),
                              .deadline_ms = member_int(operation, "deadline_ms"),
                              .parent_id = golden_parent(player, operation)};
    sw_str tags[GOLDEN_NAMES_MAX];
    sw_result *result = NULL;
    row.tags = tags;
    row.tag_count = golden_tags(operation, tags);
    size_t count;
    int code = sw_task_submit(player->engine, &row, 1, &result, &player->err);
    free(text);
    if (!golden_answered(player, operation, code))
        return;
    const sw_task_submitted *answer = sw_task_submissions(result, &count);
    if (created && answer->created != json_is_true(created))
        golden_fail(player, "created is %d", answer->created);
    if (same_as &&
        memcmp(&answer->task_id, &golden_task_find(player, same_as)->id, sizeof(sw_uuid)) != 0)
        golden_fail(player, "the task is another than %s", same_as);
    if (!same_as) {
        assert_true(player->task_count < GOLDEN_NAMES_MAX);
        player->tasks[player->task_count++] = (golden_task){name, answer->task_id};
    }
    sw_result_free(result);
}

static void play_exchange(golden *player, const json_t *operation, const char *worker)
{
    sw_result *result =
        report_send(player, operation, worker, json_object_get(operation, "report"));
    if (!result)
        return;
    golden_compare(player, "claims", json_object_get(operation, "claims"),
                   claims_keep(player, worker, result));
    finished_compare(player, operation, result);
    sw_result_free(result);
}

static void play_update(golden *player, const json_t *operation, const json_t *report)
{
    sw_result_free(report_send(player, operation, NULL, report));
}

static void play_heartbeat(golden *player, const json_t *operation, const json_t *list)
{
    size_t index;
    json_t *row;
    sw_step_hold rows[GOLDEN_CLAIMS_MAX];
    sw_result *result = NULL;
    json_array_foreach(list, index, row)
    {
        const golden_claim *claim = claim_find(player, NULL, row);
        rows[index] = (sw_step_hold){claim->step_id, claim->epoch};
    }
    int code =
        sw_step_heartbeat(player->engine, rows, json_array_size(list), &result, &player->err);
    if (golden_answered(player, operation, code))
        applications_compare(player, operation, result);
    sw_result_free(result);
}

/* Whether a task is among those that ended in an exchange. */
static bool finished_has(const sw_result *result, const sw_uuid *id)
{
    size_t count;
    const sw_task_finished *rows = sw_tasks_finished(result, &count);
    for (size_t i = 0; i < count; i++) {
        if (memcmp(&rows[i].task_id, id, sizeof(*id)) == 0)
            return true;
    }
    return false;
}

static json_t *work_answers(golden *player, const sw_result *result)
{
    size_t count;
    const sw_step_claim *rows = sw_step_claims(result, &count);
    json_t *report = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(report,
                              json_pack("{s:s%,s:s,s:s,s:{s:s%}}", "step", rows[i].name.ptr,
                                        rows[i].name.len, "outcome", "succeeded", "task",
                                        golden_task_name(player, &rows[i].task_id), "result",
                                        "step", rows[i].name.ptr, rows[i].name.len));
    return report;
}

static void play_work(golden *player, const json_t *operation, const char *worker)
{
    const char *until = json_string_value(json_object_get(operation, "until"));
    const sw_uuid *id = &golden_task_find(player, until)->id;
    json_t *settings = json_pack("{s:i,s:i}", "claim", 10, "wait_ms", 1000);
    json_t *report = json_array();
    bool ended = false;
    for (int round = 0; !ended; round++) {
        sw_result *result = report_send(player, settings, worker, report);
        json_decref(claims_keep(player, worker, result));
        json_decref(report);
        report = work_answers(player, result);
        ended = finished_has(result, id);
        sw_result_free(result);
        if (round == GOLDEN_CLAIMS_MAX)
            golden_fail(player, "%s does not end", until);
    }
    json_decref(report);
    json_decref(settings);
}

/* Names of the held steps that are in the answer, in the order of the claims. */
static json_t *holds_names(golden *player, const char *worker, const sw_result *result)
{
    size_t count;
    const sw_step_hold *lost = sw_step_holds(result, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < player->claim_count; i++) {
        const golden_claim *claim = &player->claims[i];
        for (size_t k = 0; k < count && strcmp(claim->worker, worker) == 0; k++) {
            if (lost[k].step_id == claim->step_id && lost[k].epoch == claim->epoch)
                json_array_append_new(names, json_string(claim->step));
        }
    }
    return names;
}

static void play_renew(golden *player, const json_t *operation, const char *worker)
{
    sw_step_hold held[GOLDEN_CLAIMS_MAX];
    size_t count = 0;
    sw_result *result = NULL;
    for (size_t i = 0; i < player->claim_count; i++) {
        const golden_claim *claim = &player->claims[i];
        if (strcmp(claim->worker, worker) == 0 && !claim->reported)
            held[count++] = (sw_step_hold){claim->step_id, claim->epoch};
    }
    int code = sw_worker_renew(player->engine, &worker_find(player, worker)->ref, held, count,
                               &result, &player->err);
    if (golden_answered(player, operation, code))
        golden_compare(player, "lost", json_object_get(operation, "lost"),
                       holds_names(player, worker, result));
    sw_result_free(result);
}

static void play_close(golden *player, const json_t *operation, const char *worker)
{
    golden_answered(
        player, operation,
        sw_worker_close(player->engine, &worker_find(player, worker)->ref, &player->err));
}

static void play_cancel(golden *player, const json_t *operation, const char *task)
{
    sw_cancel_row row = {.task_id = golden_task_find(player, task)->id,
                         .actor = member_str(operation, "actor"),
                         .reason = member_str(operation, "reason")};
    golden_answered(player, operation, sw_task_cancel(player->engine, &row, 1, &player->err));
}

/* Number of a step by its name. */
static int64_t step_find(golden *player, const char *task, const char *step)
{
    size_t count;
    int64_t step_id = 0;
    sw_result *result = NULL;
    const sw_uuid *id = &golden_task_find(player, task ? task : "t1")->id;
    int code = sw_task_get(player->engine, id, &result, &player->err);
    const sw_step_row *rows = sw_steps(result, &count);
    for (size_t i = 0; code == SW_OK && i < count; i++) {
        if (rows[i].name.len == strlen(step) && memcmp(rows[i].name.ptr, step, strlen(step)) == 0)
            step_id = rows[i].step_id;
    }
    sw_result_free(result);
    return step_id;
}

static void play_override(golden *player, const json_t *operation, const json_t *changes)
{
    static sw_step_override_row rows[GOLDEN_CLAIMS_MAX];
    static char *texts[GOLDEN_CLAIMS_MAX];
    size_t index, count;
    json_t *row;
    sw_result *result = NULL;
    json_t *names = json_array();
    const json_t *mode = json_object_get(operation, "mode");
    json_array_foreach(changes, index, row)
    {
        const char *task = json_string_value(json_object_get(row, "task"));
        const char *step = json_string_value(json_object_get(row, "step"));
        const json_t *given = json_object_get(row, "result");
        texts[index] = given ? json_dumps(given, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
        rows[index] = (sw_step_override_row){
            .step_id = step_find(player, task, step),
            .result = golden_str(texts[index]),
            .state = sw_step_state_find(member_str(row, "state")),
            .actor = member_str(operation, "actor"),
            .reason = member_str(operation, "reason"),
        };
    }
    int code = sw_step_override(player->engine, rows, json_array_size(changes),
                                mode ? sw_batch_mode_find(member_str(operation, "mode")) : 0,
                                &result, &player->err);
    for (size_t i = 0; i < json_array_size(changes); i++)
        free(texts[i]);
    const sw_step_overridden *out = sw_step_overrides(result, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(sw_row_status_name(out[i].status)));
    if (golden_answered(player, operation, code))
        golden_compare(player, "applied", json_object_get(operation, "applied"), names);
    else
        json_decref(names);
    sw_result_free(result);
}

static void dead_compare(golden *player, const json_t *operation, const sw_result *result)
{
    size_t count;
    json_t *letters = json_array();
    json_t *applied = json_array();
    const sw_dead_letter *rows = sw_dead_letters(result, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(
            letters, json_sprintf("%s %.*s %.*s", golden_task_name(player, &rows[i].task_id),
                                  (int)rows[i].step.len, rows[i].step.ptr,
                                  (int)rows[i].error_class.len, rows[i].error_class.ptr));
    const sw_step_overridden *out = sw_step_overrides(result, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(applied, json_string(sw_row_status_name(out[i].status)));
    golden_compare(player, "letters", json_object_get(operation, "letters"), letters);
    if (json_object_get(operation, "applied"))
        golden_compare(player, "applied", json_object_get(operation, "applied"), applied);
    else
        json_decref(applied);
}

static void breaker_compare(golden *player, const char *name, const char *expected)
{
    size_t count;
    sw_result *result = NULL;
    assert_int_equal(sw_breaker_list(player->engine, &result, &player->err), SW_OK);
    const sw_breaker_row *rows = sw_breakers(result, &count);
    for (size_t i = 0; i < count; i++) {
        const sw_str found = rows[i].settings.name;
        const char *state = sw_breaker_state_name(rows[i].state);
        if (found.len == strlen(name) && memcmp(found.ptr, name, found.len) == 0 &&
            strcmp(state, expected) != 0)
            golden_fail(player, "breaker %s is %s, expected %s", name, state, expected);
    }
    assert_true(count > 0);
    sw_result_free(result);
}

static void play_breaker(golden *player, const json_t *operation, const char *name)
{
    int code = SW_OK;
    sw_result *result = NULL;
    if (json_object_get(operation, "to")) {
        const sw_breaker_override_row row = {
            .name = golden_str(name),
            .state = sw_breaker_state_find(member_str(operation, "to")),
            .open_ms = member_int(operation, "open_ms"),
            .actor = member_str(operation, "actor"),
            .reason = member_str(operation, "reason"),
        };
        code = sw_breaker_override(player->engine, &row, 1, &result, &player->err);
    }
    sw_result_free(result);
    if (golden_answered(player, operation, code))
        breaker_compare(player, name, json_string_value(json_object_get(operation, "state")));
}

static void play_dead(golden *player, const json_t *operation, const json_t *which)
{
    int code;
    sw_result *result = NULL;
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    const json_t *given = json_object_get(operation, "result");
    char *text = given ? json_dumps(given, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    filter.workflow = member_str(which, "workflow");
    filter.handler = member_str(which, "handler");
    filter.step = member_str(which, "step");
    filter.error_class = member_str(which, "error_class");
    if (json_object_get(operation, "to")) {
        const sw_dead_action action = {.state = sw_step_state_find(member_str(operation, "to")),
                                       .result = golden_str(text),
                                       .actor = member_str(operation, "actor"),
                                       .reason = member_str(operation, "reason")};
        code = sw_dead_override(player->engine, &filter, &action, &result, &player->err);
    } else {
        code = sw_dead_list(player->engine, &filter, &result, &player->err);
    }
    free(text);
    if (golden_answered(player, operation, code))
        dead_compare(player, operation, result);
    sw_result_free(result);
}

static bool is_there(golden *player, const sw_uuid *id)
{
    sw_result *result = NULL;
    int code = sw_task_get(player->engine, id, &result, &player->err);
    sw_result_free(result);
    return code == SW_OK;
}

/* The tasks that are gone are the ones it names. */
static void play_prune(golden *player, const json_t *operation, const json_t *expected)
{
    size_t index;
    json_t *state;
    int32_t states[SW_TASK_STATE_COUNT];
    bool there[GOLDEN_NAMES_MAX];
    sw_prune_options options = SW_PRUNE_OPTIONS_INIT;
    sw_prune_report report = SW_PRUNE_REPORT_INIT;
    options.finished_before_us = INT64_MAX;
    options.actor = member_str(operation, "actor");
    options.reason = member_str(operation, "reason");
    options.states = states;
    json_array_foreach(json_object_get(operation, "states"), index, state)
    {
        states[options.state_count++] = sw_task_state_find(golden_str(json_string_value(state)));
    }
    for (size_t i = 0; i < player->task_count; i++)
        there[i] = is_there(player, &player->tasks[i].id);
    if (!golden_answered(player, operation,
                         sw_task_prune(player->engine, &options, &report, &player->err)))
        return;
    json_t *gone = json_array();
    for (size_t i = 0; i < player->task_count; i++) {
        if (there[i] && !is_there(player, &player->tasks[i].id))
            json_array_append_new(gone, json_string(player->tasks[i].name));
    }
    golden_compare(player, "pruned tasks", expected, gone);
}

static void play_explain(golden *player, const json_t *operation, const char *step)
{
    const char *task = json_string_value(json_object_get(operation, "task"));
    sw_result *result = NULL;
    int code = sw_step_explain(player->engine, &golden_task_find(player, task)->id,
                               golden_str(step), &result, &player->err);
    if (!golden_answered(player, operation, code))
        return;
    size_t count;
    const sw_step_reason *rows = sw_step_reasons(result, &count);
    json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(sw_reason_name(rows[i].reason)));
    golden_compare(player, "reasons", json_object_get(operation, "reasons"), names);
    sw_result_free(result);
}

static void play_sleep(int64_t ms)
{
    struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    nanosleep(&time, NULL);
}

/* The first key of an operation is its verb. */
void golden_play(golden *player, const json_t *operation)
{
    static const struct {
        const char *verb;
        void (*play)(struct golden *, const json_t *, const char *);
    } verbs[] = {
        {"open", play_open},     {"submit", play_submit},   {"exchange", play_exchange},
        {"work", play_work},     {"renew", play_renew},     {"close", play_close},
        {"cancel", play_cancel}, {"explain", play_explain}, {"breaker", play_breaker},
    };
    const json_t *update = json_object_get(operation, "update");
    const json_t *override = json_object_get(operation, "override");
    const json_t *prune = json_object_get(operation, "prune");
    const json_t *sleep_ms = json_object_get(operation, "sleep_ms");
    const json_t *dead = json_object_get(operation, "dead");
    const json_t *append = json_object_get(operation, "append");
    const json_t *events = json_object_get(operation, "events");
    const json_t *heartbeat = json_object_get(operation, "heartbeat");
    const json_t *list = json_object_get(operation, "list");
    bool played =
        update || heartbeat || override || dead || prune || sleep_ms || append || events || list;
    if (dead)
        play_dead(player, operation, dead);
    if (update)
        play_update(player, operation, update);
    if (heartbeat)
        play_heartbeat(player, operation, heartbeat);
    if (override)
        play_override(player, operation, override);
    if (prune)
        play_prune(player, operation, prune);
    if (append)
        golden_append(player, operation, append);
    if (events)
        golden_events(player, operation, events);
    if (list)
        golden_list(player, operation, list);
    if (sleep_ms)
        play_sleep(json_integer_value(sleep_ms));
    for (size_t i = 0; !played && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        const json_t *subject = json_object_get(operation, verbs[i].verb);
        if (subject) {
            verbs[i].play(player, operation, json_string_value(subject));
            return;
        }
    }
    if (!played)
        golden_fail(player, "unknown operation %s", json_dumps(operation, JSON_COMPACT));
}
