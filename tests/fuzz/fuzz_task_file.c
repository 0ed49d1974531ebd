/* Hostile task files: the bytes are the text of one, or say where an honest one is changed.
 * Whatever the text, reading it ends in an answer or an error that says where; a text that verifies
 * can be opened at its end and at every entry, and the engine then answers everything that can be
 * asked.
 */
#include <stdlib.h>
#include <string.h>

#include "audit/entry.h"
#include "audit/task_file.h"
#include "base/str.h"
#include "fuzz/fuzz.h"

#define WORKFLOW                                                                                   \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",\"retry\":{\"max_attempts\":2},"    \
    "\"breaker\":\"b\",\"deadline_ms\":60000},{\"name\":\"c\",\"after\":[\"a\"]}]}"
#define TEXT_MAX ((size_t)64 * 1024)

static sw_result *honest;
static sw_result *submitted; /* the same before anything was done */
static sw_uuid task;

static void require_ok(int rc, const sw_error *err)
{
    fuzz_require(rc == SW_OK, "%s: %s", sw_code_name(rc), err->message);
}

/* A task one of whose steps has failed once and runs again. */
static void play(sw_engine *engine, sw_error *err)
{
    size_t count = 0;
    sw_worker_ref worker;
    sw_result *result = NULL;
    sw_str none = {NULL, 0};
    sw_str handlers[] = {SW__LIT("w.a")};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    sw_task_submit_row row = {.workflow = SW__LIT("w"), .input = SW__LIT("{\"n\":1}")};
    require_ok(sw_task_submit(engine, &row, 1, &result, err), err);
    task = sw_task_submissions(result, NULL)->task_id;
    sw_result_free(result);
    require_ok(sw_task_export(engine, &task, none, none, &submitted, err), err);
    options.handlers = handlers;
    options.handler_count = 1;
    require_ok(sw_worker_open(engine, &options, &worker, err), err);
    for (int i = 0; i < 2; i++) {
        require_ok(sw_step_exchange(engine, &worker, NULL, 0, 1, 0, &result, err), err);
        const sw_step_claim *claim = sw_step_claims(result, &count);
        sw_step_outcome outcome = {.outcome = SW_OUTCOME_FAILED, .error_class = SW__LIT("Boom")};
        if (count == 1) {
            outcome.step_id = claim->step_id;
            outcome.epoch = claim->epoch;
        }
        sw_result_free(result);
        if (count != 1)
            return;
        require_ok(sw_step_exchange(engine, &worker, &outcome, 1, 0, 0, &result, err), err);
        sw_result_free(result);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    sw_error err;
    sw_engine *engine = NULL;
    sw_workflow *workflow = NULL;
    sw_str none = {NULL, 0}, text = SW__LIT(WORKFLOW);
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_workflow_options load = SW_WORKFLOW_OPTIONS_INIT;
    (void)argc;
    (void)argv;
    options.store = sw__str("memory:");
    require_ok(sw_engine_open(&options, &engine, &err), &err);
    require_ok(sw_workflow_load(&load, text, &workflow, NULL, &err), &err);
    const sw_workflow *workflows[] = {workflow};
    require_ok(sw_workflow_register(engine, workflows, 1, &err), &err);
    play(engine, &err);
    require_ok(sw_task_export(engine, &task, none, none, &honest, &err), &err);
    sw_workflow_free(workflow);
    sw_engine_close(engine);
    return 0;
}

/* Everything that reads, answered or refused with words. */
static void look(sw_engine *engine)
{
    sw_error err;
    size_t count = 0;
    sw_str none = {NULL, 0};
    sw_result *listed = NULL, *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    sw_forecast_options forecast = SW_FORECAST_OPTIONS_INIT;
    sw_gantt_options gantt = SW_GANTT_OPTIONS_INIT;
    forecast.draws = 2;
    gantt.format = SW_PICTURE_TEXT;
    require_ok(sw_task_list(engine, &filter, &listed, &err), &err);
    const sw_task_row *rows = sw_tasks(listed, &count);
    fuzz_require(count == 1, "%zu tasks in a task file", count);
    const sw_uuid *id = &rows[0].task_id;
    for (int i = 0; i < 6; i++) {
        result = NULL;
        int rc = i == 0   ? sw_task_get(engine, id, &result, &err)
                 : i == 1 ? sw_step_explain(engine, id, none, &result, &err)
                 : i == 2 ? sw_audit_task(engine, id, &result, &err)
                 : i == 3 ? sw_task_forecast(engine, &forecast, id, &result, &err)
                 : i == 4 ? sw_task_gantt(engine, &gantt, id, &result, &err)
                          : sw_task_context(engine, id, 1, &result, &err);
        if (rc < 0)
            fuzz_check_error(rc, &err);
        fuzz_require(i > 2 || rc == SW_OK, "call %d of an opened file: %s", i, err.message);
        sw_result_free(result);
    }
    sw_result_free(listed);
}

/* Workers take over what is there; whatever they are given, the engine's rules hold. */
static void play_on(sw_engine *engine)
{
    sw_error err;
    sw_worker_ref worker;
    sw_result *result = NULL;
    sw_str handlers[] = {SW__LIT("w.a"), SW__LIT("w.c")};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    int rc = sw_worker_open(engine, &options, &worker, &err);
    if (rc == SW_OK)
        rc = sw_step_exchange(engine, &worker, NULL, 0, 10, 0, &result, &err);
    if (rc < 0)
        fuzz_check_error(rc, &err);
    sw_result_free(result);
}

static void open_at(sw_str text, int64_t entry_no)
{
    fuzz_world world;
    sw_error err;
    sw_engine *engine = NULL;
    sw_task_file_options options = SW_TASK_FILE_OPTIONS_INIT;
    fuzz_world_open(&world);
    options.entry_no = entry_no;
    options.env = &world.fault.env;
    int rc = sw_task_file_open(&options, text, &engine, &err);
    if (rc < 0) {
        fuzz_check_error(rc, &err);
    } else {
        look(engine);
        play_on(engine);
    }
    sw_engine_close(engine);
    fuzz_world_close(&world);
}

static void check(sw_str text, int64_t entry_no)
{
    sw_error err;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw_task_file_verify((sw_str)SW__LIT("t"), text, NULL, &report, &err);
    if (rc < 0)
        fuzz_check_error(rc, &err);
    fuzz_require(rc == SW_OK || rc == SW_EAUDIT || rc == SW_EINVAL || rc == SW_ELIMIT,
                 "%s for a task file", sw_code_name(rc));
    fuzz_require((rc == SW_OK) == (report.ok == 1), "a report that is not its answer");
    fuzz_check_text(sw__str(report.message));
    open_at(text, 0);
    open_at(text, entry_no);
}

/* Overwrite, insert or remove bytes of the honest text. */
static size_t change(fuzz_bytes *bytes, char *text, size_t len)
{
    size_t at = (size_t)fuzz_take(bytes, 2) % (len + 1);
    size_t cut = fuzz_pick(bytes, 80);
    sw_str more = fuzz_take_text(bytes, 64);
    cut = cut < len - at ? cut : len - at;
    if (len - cut + more.len > TEXT_MAX)
        return len;
    memmove(text + at + more.len, text + at + cut, len - at - cut);
    if (more.len > 0)
        memcpy(text + at, more.ptr, more.len);
    return len - cut + more.len;
}

/* An entry that any forger can write: only that of the submission has to be in the log. */
static sw_audit_entry forged_entry(fuzz_bytes *bytes, const sw__task_file *file,
                                   const sw_audit_entry *before)
{
    static const sw_str names[] = {SW__LIT("a"), SW__LIT("c"), SW__LIT("x")};
    static const sw_str reasons[] = {{NULL, 0},
                                     SW__LIT("released"),
                                     SW__LIT("lease expired"),
                                     SW__LIT("deadline exceeded"),
                                     SW__LIT("retry")};
    size_t index = fuzz_pick(bytes, 3);
    sw_audit_entry entry = {.entry_no = before->entry_no + 1 + (int64_t)fuzz_pick(bytes, 2),
                            .time_us = before->time_us + (int64_t)fuzz_take(bytes, 4),
                            .kind = 1 + (int32_t)fuzz_pick(bytes, SW_AUDIT_KIND_COUNT),
                            .from = (int32_t)fuzz_pick(bytes, SW_STEP_STATE_COUNT),
                            .to = (int32_t)fuzz_pick(bytes, SW_STEP_STATE_COUNT),
                            .attempt = (int32_t)fuzz_pick(bytes, 4),
                            .epoch = (int64_t)fuzz_pick(bytes, 4),
                            .worker_id = (int64_t)fuzz_pick(bytes, 3)};
    if (entry.kind == SW_AUDIT_STEP_CHANGED || entry.kind == SW_AUDIT_STEP_FENCED) {
        entry.step_id = SW__STEP_ID(file->task_no, index);
        entry.step = names[index];
    }
    if (entry.kind < SW_AUDIT_WORKER_OPENED && entry.kind > SW_AUDIT_WORKFLOW_REGISTERED)
        entry.task_id = file->task_id;
    entry.reason = reasons[fuzz_pick(bytes, 5)];
    entry.actor = fuzz_pick(bytes, 3) == 0 ? (sw_str)SW__LIT("ann") : (sw_str){NULL, 0};
    return entry;
}

/* As many as still play, so that the file verifies; its rows are what they lead to. */
static size_t forge(fuzz_bytes *bytes, sw__arena *arena, sw__hasher *hasher, sw__task_file *file)
{
    sw__buf text;
    sw__file_play play;
    size_t count = file->entry_count;
    sw__file_entry *entries = sw__arena_array(arena, count + 32, sizeof(*entries));
    memcpy(entries, file->entries, count * sizeof(*entries));
    file->entries = entries;
    sw__buf_init(&text, sw_env_system());
    for (int i = 0; i < 32 && !fuzz_done(bytes); i++) {
        sw__file_entry *next = &entries[file->entry_count];
        *next = (sw__file_entry){.entry = forged_entry(bytes, file, &next[-1].entry)};
        sw__buf_clear(&text);
        if (sw__entry_encode(&text, &next->entry, NULL) < 0)
            continue;
        next->bytes = sw__arena_str(arena, sw__buf_str(&text));
        file->entry_count++;
        int rc = sw__file_play_open(&play, arena, hasher, file, 0, NULL);
        sw__file_play_close(&play);
        file->entry_count -= rc < 0;
    }
    sw__buf_free(&text);
    fuzz_require(sw__file_play_open(&play, arena, hasher, file, 0, NULL) == SW_OK, "it played");
    file->task = play.row;
    file->steps = play.steps;
    sw__file_play_close(&play);
    return file->entry_count - count;
}

/* The file of a task that was submitted, and how it went on by the word of a forger. */
static void check_forged(fuzz_bytes *bytes)
{
    sw__buf text;
    sw__task_file file;
    sw__arena *arena = sw__arena_new(sw_env_system());
    sw__hasher *hasher = sw__hasher_new(sw_env_system());
    sw_str whole = sw_task_files(submitted, NULL)->text;
    fuzz_require(sw__task_file_read(arena, (sw_str){NULL, 0}, whole, &file, NULL) == SW_OK, "read");
    file.task_no = 1 + (int64_t)fuzz_take(bytes, 1);
    size_t count = forge(bytes, arena, hasher, &file);
    sw__buf_init(&text, sw_env_system());
    fuzz_require(sw__task_file_write(&text, &file, NULL) == SW_OK, "written");
    check(sw__buf_str(&text), count > 1 ? file.entries[file.entry_count - 2].entry.entry_no : 0);
    sw__buf_free(&text);
    sw_workflow_free(file.workflow);
    sw__hasher_free(hasher);
    sw__arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[TEXT_MAX];
    fuzz_bytes bytes = {data, data + size};
    sw_str whole = sw_task_files(honest, NULL)->text;
    size_t len = whole.len;
    if (size > 0 && data[0] == '{') {
        check((sw_str){(const char *)data, size}, 3);
        return 0;
    }
    if (size > 0 && data[0] == 'F') {
        bytes.at++;
        check_forged(&bytes);
        return 0;
    }
    memcpy(text, whole.ptr, len);
    int64_t entry_no = (int64_t)fuzz_pick(&bytes, 16);
    while (!fuzz_done(&bytes))
        len = change(&bytes, text, len);
    check((sw_str){text, len}, entry_no);
    return 0;
}
