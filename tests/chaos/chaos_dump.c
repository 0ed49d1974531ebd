/* What a database holds, told through the public interface, one tab-separated line per row:
 *
 *     task     ID WORKFLOW STATE KEY
 *     step     TASK STEP_ID NAME STATE ATTEMPT EPOCH ERROR_CLASS RESULT
 *     entry    NUMBER KIND FROM TO ATTEMPT EPOCH STEP_ID WORKER_ID TASK REASON
 *     verified OK ENTRIES FENCED RECLAIMED MESSAGE
 *
 * States of entries are those of a step for step_changed, of a task for task_changed. "-" stands
 * for what is absent.
 */
#include "chaos.h"

#include <stdio.h>

#define PAGE 1000

static void text_put(sw_str text, char end)
{
    if (text.len == 0)
        putchar('-');
    fwrite(text.ptr, 1, text.len, stdout);
    putchar(end);
}

static void steps_dump(const sw_result *result, const char *task)
{
    size_t count = 0;
    const sw_step_row *steps = sw_steps(result, &count);
    for (size_t i = 0; i < count; i++) {
        printf("step\t%s\t%lld\t", task, (long long)steps[i].step_id);
        text_put(steps[i].name, '\t');
        printf("%s\t%d\t%lld\t", sw_step_state_name(steps[i].state), steps[i].attempt,
               (long long)steps[i].epoch);
        text_put(steps[i].error_class, '\t');
        text_put(steps[i].result, '\n');
    }
}

static void task_dump(sw_engine *engine, const sw_task_row *row)
{
    char task[37];
    sw_error error;
    sw_result *result = NULL;
    sw_uuid_format(&row->task_id, task);
    printf("task\t%s\t", task);
    text_put(row->workflow, '\t');
    printf("%s\t", sw_task_state_name(row->state));
    text_put(row->key, '\n');
    chaos_must("a task", sw_task_get(engine, &row->task_id, &result, &error), &error);
    steps_dump(result, task);
    sw_result_free(result);
}

static void tasks_dump(sw_engine *engine)
{
    sw_error error;
    size_t count = PAGE;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    filter.limit = PAGE;
    while (count == PAGE) {
        sw_result *result = NULL;
        chaos_must("the tasks", sw_task_list(engine, &filter, &result, &error), &error);
        const sw_task_row *rows = sw_tasks(result, &count);
        for (size_t i = 0; i < count; i++)
            task_dump(engine, &rows[i]);
        if (count > 0)
            filter.before = rows[count - 1].task_id;
        sw_result_free(result);
    }
}

static const char *state_name(const sw_audit_entry *entry, int state)
{
    if (entry->kind == SW_AUDIT_STEP_CHANGED)
        return sw_step_state_name(state);
    return entry->kind == SW_AUDIT_TASK_CHANGED ? sw_task_state_name(state) : "-";
}

static void entry_dump(const sw_audit_entry *entry)
{
    char task[37];
    sw_uuid_format(&entry->task_id, task);
    printf("entry\t%lld\t%s\t%s\t%s\t%d\t%lld\t%lld\t%lld\t%s\t", (long long)entry->entry_no,
           sw_audit_kind_name(entry->kind), state_name(entry, entry->from),
           state_name(entry, entry->to), entry->attempt, (long long)entry->epoch,
           (long long)entry->step_id, (long long)entry->worker_id, task);
    text_put(entry->reason, '\n');
}

static void entries_dump(sw_engine *engine)
{
    sw_error error;
    int64_t next = 1;
    size_t count = PAGE;
    while (count == PAGE) {
        sw_result *result = NULL;
        chaos_must("the audit log", sw_audit_list(engine, next, PAGE, &result, &error), &error);
        const sw_audit_entry *entries = sw_audit_entries(result, &count);
        for (size_t i = 0; i < count; i++)
            entry_dump(&entries[i]);
        next += PAGE;
        sw_result_free(result);
    }
}

int chaos_dump(int argc, char **argv)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    (void)argc;
    options.store = chaos_str(argv[0]);
    options.must_exist = 1;
    chaos_must("opening the store", sw_engine_open(&options, &engine, &error), &error);
    tasks_dump(engine);
    entries_dump(engine);
    int rc = sw_audit_verify(engine, &report, &error);
    if (rc != SW_EAUDIT)
        chaos_must("verifying", rc, &error);
    printf("verified\t%d\t%lld\t%lld\t%lld\t%s\n", report.ok, (long long)report.entry_count,
           (long long)report.fenced_count, (long long)report.reclaim_count, report.message);
    sw_engine_close(engine);
    return 0;
}
