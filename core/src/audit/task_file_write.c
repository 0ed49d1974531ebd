/* The text of a task file; see task_file.h. One row and one entry a line, so that two exports of a
 * task differ where the task does. */
#include <string.h>

#include "audit/task_file.h"
#include "base/base64.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/str.h"

static void filing_int(sw__buf *out, const char *key, int64_t number)
{
    sw__buf_printf(out, "\"%s\": %lld", key, (long long)number);
}

static void filing_name(sw__buf *out, const char *key, const char *name)
{
    sw__buf_printf(out, "\"%s\": \"%s\"", key, name);
}

/* The engine takes in nothing that is not UTF-8, so that whatever is sealed can be written as text.
 * The absent string is null. */
static void filing_str(sw__buf *out, const char *key, sw_str text)
{
    sw__buf_printf(out, "\"%s\": ", key);
    if (text.ptr)
        sw__json_put_str(out, text);
    else
        sw__buf_put_text(out, "null");
}

static void filing_base64(sw__buf *out, sw_str bytes)
{
    sw__buf_put_byte(out, '"');
    sw__base64_put(out, bytes.ptr, bytes.len);
    sw__buf_put_byte(out, '"');
}

static void filing_hex(sw__buf *out, const char *key, const uint8_t bytes[32])
{
    char text[65];
    for (int i = 0; i < 32; i++)
        sw__hex_put(bytes[i], text + 2 * i);
    text[64] = '\0';
    filing_name(out, key, text);
}

static void filing_next(sw__buf *out)
{
    sw__buf_put_text(out, ", ");
}

/* {"salt": ..., "json": ...}, of an error its parts; {"digest": ...} when it was erased. */
static void filing_payload(sw__buf *out, const char *key, const sw__file_payload *payload,
                           bool is_error)
{
    static const char *const parts[SW__FILE_PARTS] = {"class", "message", "detail"};
    sw__buf_printf(out, "\"%s\": ", key);
    if (payload->form == SW__FILE_NONE) {
        sw__buf_put_text(out, "null");
        return;
    }
    sw__buf_put_byte(out, '{');
    if (payload->form == SW__FILE_ERASED) {
        filing_hex(out, "digest", payload->digest);
        sw__buf_put_byte(out, '}');
        return;
    }
    filing_hex(out, "salt", payload->salt);
    filing_next(out);
    if (!is_error) {
        filing_str(out, "json", payload->parts[0]);
    } else {
        filing_int(out, "epoch", payload->epoch);
        for (int i = 0; i < SW__FILE_PARTS; i++) {
            filing_next(out);
            filing_str(out, parts[i], payload->parts[i]);
        }
    }
    sw__buf_put_byte(out, '}');
}

static void filing_task(sw__buf *out, const sw__task_file *file)
{
    char id[37];
    sw_uuid_format(&file->task_id, id);
    sw__buf_put_text(out, "  \"task\": {");
    filing_name(out, "id", id);
    filing_next(out);
    filing_str(out, "workflow", file->workflow->name);
    filing_next(out);
    filing_str(out, "version", file->workflow->version);
    filing_next(out);
    filing_name(out, "state", sw_task_state_name(file->task.state));
    filing_next(out);
    filing_int(out, "created_us", file->task.created_us);
    filing_next(out);
    filing_int(out, "started_us", file->task.started_us);
    filing_next(out);
    filing_int(out, "changed_us", file->task.changed_us);
    filing_next(out);
    filing_str(out, "initiator", file->task.initiator);
    filing_next(out);
    filing_str(out, "reason", file->task.reason);
    filing_next(out);
    filing_payload(out, "input", &file->input, false);
    sw__buf_put_text(out, "},\n  ");
    filing_str(out, "definition", file->workflow->json);
}

static void filing_step(sw__buf *out, const sw__file_step *step)
{
    sw__buf_put_text(out, "    {");
    filing_str(out, "name", step->name);
    filing_next(out);
    filing_name(out, "state", sw_step_state_name(step->state));
    filing_next(out);
    filing_int(out, "attempt", step->attempt);
    filing_next(out);
    filing_int(out, "crashes", step->crashes);
    filing_next(out);
    filing_int(out, "epoch", step->epoch);
    filing_next(out);
    filing_int(out, "changed_us", step->changed_us);
    filing_next(out);
    filing_payload(out, "result", &step->result, false);
    filing_next(out);
    filing_payload(out, "error", &step->error, true);
    sw__buf_put_byte(out, '}');
}

static void filing_log(sw__buf *out, const sw__task_file *file)
{
    sw__buf_put_text(out, ",\n  \"log\": {");
    filing_int(out, "entries", file->log_count);
    sw__buf_put_text(out, ", \"root\": ");
    filing_base64(out, (sw_str){(const char *)file->root, sizeof(file->root)});
    filing_next(out);
    filing_str(out, "checkpoint", file->checkpoint);
    sw__buf_put_byte(out, '}');
}

static void filing_entry(sw__buf *out, const sw__file_entry *entry)
{
    sw__buf_put_text(out, "    {");
    filing_int(out, "no", entry->entry.entry_no);
    sw__buf_put_text(out, ", \"bytes\": ");
    filing_base64(out, entry->bytes);
    sw__buf_put_text(out, ", \"proof\": ");
    if (!entry->proved)
        sw__buf_put_text(out, "null");
    for (int32_t i = 0; entry->proved && i < entry->hash_count; i++) {
        sw__buf_put_text(out, i == 0 ? "[" : ", ");
        filing_base64(out, (sw_str){(const char *)entry->hashes + 32 * (size_t)i, 32});
    }
    if (entry->proved)
        sw__buf_put_text(out, entry->hash_count == 0 ? "[]" : "]");
    sw__buf_put_byte(out, '}');
}

/* {"no": ..., "payload": {...}}: that of an appended event, whose entry has its type. */
static void filing_event(sw__buf *out, const sw__file_entry *entry)
{
    const sw__file_payload *payload = &entry->event;
    sw__buf_put_text(out, "    {");
    filing_int(out, "no", entry->entry.entry_no);
    sw__buf_put_text(out, ", \"payload\": {");
    if (payload->form == SW__FILE_ERASED) {
        filing_hex(out, "digest", payload->digest);
    } else {
        filing_hex(out, "salt", payload->salt);
        filing_next(out);
        filing_str(out, "json", payload->parts[0]);
        filing_next(out);
        filing_str(out, "key", payload->parts[1]);
        filing_next(out);
        filing_str(out, "correlation_id", payload->parts[2]);
    }
    sw__buf_put_text(out, "}}");
}

static void filing_events(sw__buf *out, const sw__task_file *file)
{
    bool first = true;
    sw__buf_put_text(out, ",\n  \"events\": [");
    for (size_t i = 0; i < file->entry_count; i++) {
        if (file->entries[i].entry.kind != SW_AUDIT_EVENT)
            continue;
        sw__buf_put_text(out, first ? "\n" : ",\n");
        first = false;
        filing_event(out, &file->entries[i]);
    }
    sw__buf_put_byte(out, ']');
}

static void filing_worker(sw__buf *out, const sw__worker_rec *row)
{
    sw__buf_put_text(out, "      {");
    filing_int(out, "id", row->worker_no);
    filing_next(out);
    filing_str(out, "name", row->name);
    filing_next(out);
    filing_str(out, "host", row->host);
    filing_next(out);
    filing_int(out, "pid", row->pid);
    filing_next(out);
    filing_int(out, "lease_ms", row->lease_ms);
    filing_next(out);
    filing_int(out, "lease_until_us", row->lease_until_us);
    sw__buf_put_text(out, ", \"handlers\": ");
    sw__buf_put_str(out, row->handlers);
    sw__buf_put_text(out, ", \"queues\": ");
    sw__buf_put_str(out, row->queues);
    sw__buf_put_byte(out, '}');
}

static void filing_breaker(sw__buf *out, const sw_breaker_row *row)
{
    const struct {
        const char *key;
        int64_t number;
    } numbers[] = {{"failures", row->failures},    {"successes", row->successes},
                   {"probing", row->probing},      {"openings", row->openings},
                   {"forced", row->forced},        {"until_us", row->until_us},
                   {"changed_us", row->changed_us}};
    sw__buf_put_text(out, "      {");
    filing_str(out, "name", row->settings.name);
    filing_next(out);
    filing_name(out, "state", sw_breaker_state_name(row->state));
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        filing_next(out);
        filing_int(out, numbers[i].key, numbers[i].number);
    }
    filing_next(out);
    filing_str(out, "error_class", row->error_class);
    sw__buf_put_byte(out, '}');
}

/* Only steps that wait for a time. */
static void filing_timers(sw__buf *out, const sw__task_file *file)
{
    bool first = true;
    sw__buf_put_text(out, ",\n    \"timers\": [");
    for (size_t i = 0; i < file->step_count; i++) {
        const sw__file_step *step = &file->steps[i];
        if (step->not_before_us == 0 && step->fails_us == 0)
            continue;
        sw__buf_put_text(out, first ? "\n      {" : ",\n      {");
        first = false;
        filing_str(out, "step", step->name);
        filing_next(out);
        filing_int(out, "not_before_us", step->not_before_us);
        filing_next(out);
        filing_int(out, "fails_us", step->fails_us);
        sw__buf_put_byte(out, '}');
    }
    sw__buf_put_byte(out, ']');
}

static void filing_unsealed(sw__buf *out, const sw__task_file *file)
{
    const sw__file_unsealed *rest = &file->unsealed;
    sw__buf_put_text(out, ",\n  \"unsealed\": {\n    ");
    filing_int(out, "exported_us", rest->exported_us);
    filing_next(out);
    filing_int(out, "priority", rest->priority);
    filing_next(out);
    filing_int(out, "deadline_us", rest->deadline_us);
    filing_next(out);
    filing_str(out, "key", rest->key);
    filing_next(out);
    filing_str(out, "correlation_id", rest->correlation_id);
    sw__buf_put_text(out, ", \"tags\": ");
    sw__buf_put_str(out, rest->tags.len ? rest->tags : sw__str("[]"));
    filing_timers(out, file);
    sw__buf_put_text(out, ",\n    \"workers\": [");
    for (size_t i = 0; i < rest->worker_count; i++) {
        sw__buf_put_text(out, i == 0 ? "\n" : ",\n");
        filing_worker(out, &rest->workers[i]);
    }
    sw__buf_put_text(out, "],\n    \"breakers\": [");
    for (size_t i = 0; i < rest->breaker_count; i++) {
        sw__buf_put_text(out, i == 0 ? "\n" : ",\n");
        filing_breaker(out, &rest->breakers[i]);
    }
    sw__buf_put_text(out, "]\n  }");
}

int sw__task_file_write(sw__buf *out, const sw__task_file *file, sw_error *err)
{
    sw__buf_printf(out, "{\n  \"format\": \"stepwell-task-file\", \"version\": %d,\n",
                   SW_TASK_FILE_VERSION);
    filing_task(out, file);
    sw__buf_put_text(out, ",\n  \"steps\": [");
    for (size_t i = 0; i < file->step_count; i++) {
        sw__buf_put_text(out, i == 0 ? "\n" : ",\n");
        filing_step(out, &file->steps[i]);
    }
    sw__buf_put_byte(out, ']');
    filing_log(out, file);
    sw__buf_put_text(out, ",\n  \"entries\": [");
    for (size_t i = 0; i < file->entry_count; i++) {
        sw__buf_put_text(out, i == 0 ? "\n" : ",\n");
        filing_entry(out, &file->entries[i]);
    }
    sw__buf_put_byte(out, ']');
    filing_events(out, file);
    filing_unsealed(out, file);
    sw__buf_put_text(out, "\n}\n");
    if (out->failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (out->len > SW__TASK_FILE_MAX)
        return sw__fail(err, SW_ELIMIT, "the task file would have %zu bytes, %zu are allowed",
                        out->len, SW__TASK_FILE_MAX);
    return SW_OK;
}
