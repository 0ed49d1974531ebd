/* The JSON writer: members one after the other, nothing kept in memory. */
#include "json.h"

#include <inttypes.h>
#include <string.h>

#include "text.h"

static void json_string_put(FILE *stream, sw_str text)
{
    static const char hex[] = "0123456789abcdef";
    fputc('"', stream);
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t code = cli_text_next(text, &at);
        if (code == '"' || code == '\\')
            fprintf(stream, "\\%c", (int)code);
        else if (code == '\n')
            fputs("\\n", stream);
        else if (code < 0x20 || code == 0x7F)
            fprintf(stream, "\\u00%c%c", hex[code >> 4], hex[code & 15]);
        else if (code == 0xFFFD)
            fputs("\xEF\xBF\xBD", stream);
        else
            fwrite(text.ptr + start, 1, at - start, stream);
    }
    fputc('"', stream);
}

/* Comma and key of the next member. */
static void json_member(cli_json *json, const char *key)
{
    if (json->depth > 0) {
        if (json->filled[json->depth - 1])
            fputc(',', json->stream);
        json->filled[json->depth - 1] = true;
    }
    if (key) {
        json_string_put(json->stream, cli_str(key));
        fputc(':', json->stream);
    }
}

static void json_nest(cli_json *json, char opener, char closer)
{
    fputc(opener, json->stream);
    json->closers[json->depth] = closer;
    json->filled[json->depth] = false;
    json->depth++;
}

cli_json cli_json_begin(FILE *stream)
{
    cli_json json = {.stream = stream};
    json_nest(&json, '{', '}');
    return json;
}

void cli_json_end(cli_json *json)
{
    while (json->depth > 0)
        cli_json_close(json);
    fputc('\n', json->stream);
    fflush(json->stream);
}

void cli_json_object(cli_json *json, const char *key)
{
    json_member(json, key);
    json_nest(json, '{', '}');
}

void cli_json_array(cli_json *json, const char *key)
{
    json_member(json, key);
    json_nest(json, '[', ']');
}

void cli_json_close(cli_json *json)
{
    json->depth--;
    fputc(json->closers[json->depth], json->stream);
}

void cli_json_str(cli_json *json, const char *key, sw_str text)
{
    if (!text.ptr) {
        cli_json_null(json, key);
        return;
    }
    json_member(json, key);
    json_string_put(json->stream, text);
}

void cli_json_text(cli_json *json, const char *key, const char *text)
{
    cli_json_str(json, key, cli_str(text));
}

void cli_json_int(cli_json *json, const char *key, int64_t number)
{
    json_member(json, key);
    fprintf(json->stream, "%" PRId64, number);
}

void cli_json_number(cli_json *json, const char *key, double number)
{
    json_member(json, key);
    fprintf(json->stream, "%.2f", number);
}

void cli_json_bool(cli_json *json, const char *key, bool value)
{
    json_member(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void cli_json_null(cli_json *json, const char *key)
{
    json_member(json, key);
    fputs("null", json->stream);
}

void cli_json_raw(cli_json *json, const char *key, sw_str value)
{
    if (!value.ptr) {
        cli_json_null(json, key);
        return;
    }
    json_member(json, key);
    /* A line break in valid JSON is white space between tokens; the line must stay one line. */
    for (size_t i = 0; i < value.len; i++)
        fputc(value.ptr[i] == '\n' || value.ptr[i] == '\r' ? ' ' : value.ptr[i], json->stream);
}

void cli_json_time(cli_json *json, const char *key, int64_t time_us)
{
    char text[CLI_TIME_SIZE];
    cli_json_text(json, key, time_us ? cli_time_rfc3339(time_us, text) : NULL);
}

void cli_json_seconds(cli_json *json, const char *key, int64_t duration_us)
{
    json_member(json, key);
    fprintf(json->stream, "%s%" PRId64 ".%06" PRId64, duration_us < 0 ? "-" : "",
            (duration_us < 0 ? -duration_us : duration_us) / 1000000,
            (duration_us < 0 ? -duration_us : duration_us) % 1000000);
}

void cli_json_uuid(cli_json *json, const char *key, const sw_uuid *uuid)
{
    char text[37];
    sw_uuid_format(uuid, text);
    cli_json_text(json, key, text);
}

void cli_json_strs(cli_json *json, const char *key, const sw_str *texts, size_t count)
{
    cli_json_array(json, key);
    for (size_t i = 0; i < count; i++)
        cli_json_str(json, NULL, texts[i]);
    cli_json_close(json);
}

void cli_json_problem(cli_json *json, const cli_problem *problem)
{
    char type[96];
    snprintf(type, sizeof(type), "urn:stepwell:problem:%s",
             problem->error ? problem->error : problem->code);
    cli_json_text(json, "type", type);
    cli_json_text(json, "title", problem->title);
    cli_json_text(json, "detail", problem->detail);
    cli_json_text(json, "code", problem->code);
    cli_json_int(json, "exit_code", problem->status);
    if (problem->error)
        cli_json_text(json, "error", problem->error);
    if (problem->hint)
        cli_json_text(json, "hint", problem->hint);
}

/* null for a task that no other one started. */
static void cli_json_parent(cli_json *json, const sw_task_row *task)
{
    static const sw_uuid none;
    if (memcmp(&task->parent_id, &none, sizeof(none)) == 0)
        cli_json_text(json, "parent_id", NULL);
    else
        cli_json_uuid(json, "parent_id", &task->parent_id);
}

void cli_json_task(cli_json *json, const sw_task_row *task)
{
    cli_json_uuid(json, "task", &task->task_id);
    cli_json_str(json, "workflow", task->workflow);
    cli_json_str(json, "version", task->version);
    cli_json_str(json, "digest", task->digest);
    cli_json_text(json, "state", sw_task_state_name(task->state));
    cli_json_raw(json, "input", task->input);
    cli_json_str(json, "key", task->key);
    cli_json_str(json, "initiator", task->initiator);
    cli_json_str(json, "reason", task->reason);
    cli_json_str(json, "correlation_id", task->correlation_id);
    cli_json_parent(json, task);
    cli_json_strs(json, "tags", task->tags, task->tag_count);
    cli_json_int(json, "priority", task->priority);
    cli_json_time(json, "created_at", task->created_us);
    cli_json_time(json, "started_at", task->started_us);
    cli_json_time(json, "finished_at", task->finished_us);
    cli_json_time(json, "deadline", task->deadline_us);
    cli_json_int(json, "step_count", task->step_count);
    cli_json_step_counts(json, task->step_counts);
}

void cli_json_step_counts(cli_json *json, const int64_t *counts)
{
    cli_json_object(json, "step_counts");
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++)
        cli_json_int(json, sw_step_state_name(state), counts[state]);
    cli_json_close(json);
}

void cli_json_step(cli_json *json, const sw_step_row *step)
{
    cli_json_str(json, "name", step->name);
    cli_json_str(json, "title", step->title);
    cli_json_str(json, "handler", step->handler);
    cli_json_str(json, "queue", step->queue);
    cli_json_text(json, "state", sw_step_state_name(step->state));
    cli_json_int(json, "attempt", step->attempt);
    cli_json_int(json, "max_attempts", step->max_attempts);
    cli_json_int(json, "open_dependencies", step->open_deps);
    cli_json_int(json, "level", step->level);
    cli_json_int(json, "epoch", step->epoch);
    cli_json_time(json, "changed_at", step->changed_us);
    cli_json_time(json, "not_before", step->not_before_us);
    cli_json_time(json, "deadline", step->deadline_us);
    cli_json_time(json, "fails_at", step->fails_us);
    cli_json_raw(json, "result", step->result);
    if (!step->error_class.ptr && !step->error_message.ptr) {
        cli_json_null(json, "error");
        return;
    }
    cli_json_object(json, "error");
    cli_json_str(json, "class", step->error_class);
    cli_json_str(json, "message", step->error_message);
    cli_json_str(json, "detail", step->error_detail);
    cli_json_close(json);
}

/* Name of a state before or after an entry; task entries carry states of tasks. */
static const char *entry_state_name(const sw_audit_entry *entry, int32_t state)
{
    return entry->kind == SW_AUDIT_TASK_CHANGED ? sw_task_state_name(state)
                                                : sw_step_state_name(state);
}

void cli_json_entry(cli_json *json, const sw_audit_entry *entry, int64_t start_us)
{
    cli_json_text(json, "event", sw_audit_kind_name(entry->kind));
    cli_json_int(json, "entry", entry->entry_no);
    cli_json_time(json, "time", entry->time_us);
    if (start_us > 0)
        cli_json_seconds(json, "elapsed_s", entry->time_us - start_us);
    cli_json_uuid(json, "task", &entry->task_id);
    if (entry->step.ptr) {
        cli_json_str(json, "step", entry->step);
        cli_json_int(json, "attempt", entry->attempt);
        cli_json_int(json, "epoch", entry->epoch);
    }
    if (entry->kind == SW_AUDIT_STEP_CHANGED || entry->kind == SW_AUDIT_TASK_CHANGED) {
        cli_json_text(json, "from", entry_state_name(entry, entry->from));
        cli_json_text(json, "to", entry_state_name(entry, entry->to));
    }
    if (entry->worker_id)
        cli_json_int(json, "worker", entry->worker_id);
    if (entry->actor.ptr)
        cli_json_str(json, "actor", entry->actor);
    if (entry->reason.ptr)
        cli_json_str(json, "reason", entry->reason);
}

void cli_json_findings(cli_json *json, const sw_finding *findings, size_t count)
{
    cli_json_array(json, "findings");
    for (size_t i = 0; i < count; i++) {
        bool error = findings[i].severity == SW_SEVERITY_ERROR;
        cli_json_object(json, NULL);
        cli_json_text(json, "severity", error ? "error" : "warning");
        cli_json_int(json, "line", findings[i].line);
        cli_json_int(json, "column", findings[i].column);
        cli_json_str(json, "path", findings[i].path);
        cli_json_str(json, "message", findings[i].message);
        cli_json_close(json);
    }
    cli_json_close(json);
}
