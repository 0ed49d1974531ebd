/* Entries as lines of other programs: JSON Lines, YAML, CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "audit/scan.h"
#include "base/hex.h"
#include "base/utf8.h"

#define RENDER_SECOND_US 1000000

/* XX(name): the members of an entry, in the order of sw_audit_entry but for the task, which stands
 * before its step. */
#define RENDER_COLUMN_MAP(XX)                                                                      \
    XX(entry_no)                                                                                   \
    XX(time)                                                                                       \
    XX(kind)                                                                                       \
    XX(task_id)                                                                                    \
    XX(step_id)                                                                                    \
    XX(step)                                                                                       \
    XX(from)                                                                                       \
    XX(to)                                                                                         \
    XX(attempt)                                                                                    \
    XX(epoch)                                                                                      \
    XX(worker_id)                                                                                  \
    XX(actor)                                                                                      \
    XX(reason)                                                                                     \
    XX(subject)                                                                                    \
    XX(digest)

typedef enum render_column {
#define RENDER_COLUMN_VALUE(name) RENDER_##name,
    RENDER_COLUMN_MAP(RENDER_COLUMN_VALUE)
#undef RENDER_COLUMN_VALUE
        RENDER_COLUMN_COUNT
} render_column;

static const char *const render_names[] = {
#define RENDER_COLUMN_NAME(name) #name,
    RENDER_COLUMN_MAP(RENDER_COLUMN_NAME)
#undef RENDER_COLUMN_NAME
};

/* One entry as cells: a number where it is not 0, else a text, else nothing. */
typedef struct render_row {
    int64_t numbers[RENDER_COLUMN_COUNT];
    sw_str texts[RENDER_COLUMN_COUNT];
    char time[SW__ENTRY_TIME_SIZE];
    char task_id[37];
    char digest[64];
} render_row;

static sw_str render_text(const char *text)
{
    return (sw_str){text, strlen(text)};
}

void sw__entry_time(int64_t time_us, char text[SW__ENTRY_TIME_SIZE])
{
    struct tm parts;
    time_t seconds = (time_t)(time_us / RENDER_SECOND_US);
    if (!gmtime_r(&seconds, &parts))
        memset(&parts, 0, sizeof(parts));
    snprintf(text, SW__ENTRY_TIME_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%06" PRId64 "Z",
             parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
             parts.tm_sec, time_us % RENDER_SECOND_US);
}

sw__state_name sw__entry_states(const sw_audit_entry *entry)
{
    if (entry->kind == SW_AUDIT_STEP_CHANGED || entry->kind == SW_AUDIT_STEP_FENCED)
        return sw_step_state_name;
    if (entry->kind == SW_AUDIT_TASK_CHANGED || entry->kind == SW_AUDIT_TASK_PRUNED ||
        entry->kind == SW_AUDIT_TASK_ERASED)
        return sw_task_state_name;
    return NULL;
}

static void render_states(render_row *row, const sw_audit_entry *entry)
{
    sw__state_name name = sw__entry_states(entry);
    if (!name)
        return;
    row->texts[RENDER_from] = render_text(name(entry->from));
    row->texts[RENDER_to] = render_text(name(entry->to));
}

static void render_fill(render_row *row, const sw_audit_entry *entry)
{
    static const sw_uuid none = {{0}};
    memset(row, 0, sizeof(*row));
    row->numbers[RENDER_entry_no] = entry->entry_no;
    row->numbers[RENDER_step_id] = entry->step_id;
    row->numbers[RENDER_attempt] = entry->attempt;
    row->numbers[RENDER_epoch] = entry->epoch;
    row->numbers[RENDER_worker_id] = entry->worker_id;
    sw__entry_time(entry->time_us, row->time);
    row->texts[RENDER_time] = render_text(row->time);
    row->texts[RENDER_kind] = render_text(sw_audit_kind_name(entry->kind));
    row->texts[RENDER_step] = entry->step;
    row->texts[RENDER_actor] = entry->actor;
    row->texts[RENDER_reason] = entry->reason;
    row->texts[RENDER_subject] = entry->subject;
    render_states(row, entry);
    if (memcmp(&entry->task_id, &none, sizeof(none)) != 0) {
        sw_uuid_format(&entry->task_id, row->task_id);
        row->texts[RENDER_task_id] = render_text(row->task_id);
    }
    for (size_t i = 0; i < entry->digest.len && i < 32; i++)
        sw__hex_put((uint8_t)entry->digest.ptr[i], &row->digest[2 * i]);
    if (entry->digest.len == 32)
        row->texts[RENDER_digest] = (sw_str){row->digest, sizeof(row->digest)};
}

/* What YAML would not print, and JSON readers of old stumble over. */
static bool render_is_odd(const uint8_t *at, size_t length)
{
    if (length == 1)
        return at[0] < 0x20 || at[0] == 0x7f || at[0] == '"' || at[0] == '\\';
    if (length == 2)
        return at[0] == 0xc2 && at[1] < 0xa0;
    return length == 3 && ((at[0] == 0xe2 && at[1] == 0x80 && (at[2] == 0xa8 || at[2] == 0xa9)) ||
                           (at[0] == 0xef && ((at[1] == 0xbb && at[2] == 0xbf) ||
                                              (at[1] == 0xbf && at[2] >= 0xbe))));
}

static uint32_t render_code(const uint8_t *at, size_t length)
{
    if (length == 1)
        return at[0];
    if (length == 2)
        return (uint32_t)(at[0] & 0x1f) << 6 | (at[1] & 0x3f);
    return (uint32_t)(at[0] & 0x0f) << 12 | (uint32_t)(at[1] & 0x3f) << 6 | (at[2] & 0x3f);
}

/* A string that is one in JSON and in YAML. */
static void render_quoted(sw__buf *buf, sw_str text)
{
    const uint8_t *at = (const uint8_t *)text.ptr;
    sw__buf_put_byte(buf, '"');
    for (size_t left = text.len; left > 0;) {
        size_t length = sw__utf8_char_len(at, left);
        if (length == 0)
            sw__buf_put_text(buf, "\\ufffd");
        else if (render_is_odd(at, length))
            sw__buf_printf(buf, "\\u%04x", (unsigned)render_code(at, length));
        else
            sw__buf_put(buf, at, length);
        length = length ? length : 1;
        at += length;
        left -= length;
    }
    sw__buf_put_byte(buf, '"');
}

static void render_value(sw__buf *buf, const render_row *row, int column)
{
    if (row->numbers[column] != 0)
        sw__buf_printf(buf, "%" PRId64, row->numbers[column]);
    else if (row->texts[column].ptr)
        render_quoted(buf, row->texts[column]);
    else
        sw__buf_put_text(buf, "null");
}

static void render_jsonl(sw__buf *buf, const render_row *row)
{
    for (int i = 0; i < RENDER_COLUMN_COUNT; i++) {
        sw__buf_printf(buf, "%s\"%s\":", i ? "," : "{", render_names[i]);
        render_value(buf, row, i);
    }
    sw__buf_put_text(buf, "}\n");
}

static void render_yaml(sw__buf *buf, const render_row *row)
{
    for (int i = 0; i < RENDER_COLUMN_COUNT; i++) {
        sw__buf_printf(buf, "%s%s: ", i ? "  " : "- ", render_names[i]);
        render_value(buf, row, i);
        sw__buf_put_byte(buf, '\n');
    }
}

/* What spreadsheets read as a formula, in either width. */
static bool render_is_formula(sw_str text)
{
    if (text.len > 0 && memchr("=+-@\t\r", text.ptr[0], 6))
        return true;
    return text.len >= 3 && memcmp(text.ptr, "\xef\xbc", 2) == 0 &&
           memchr("\x8b\x8d\x9d\xa0", text.ptr[2], 4) != NULL;
}

static void render_cell(sw__buf *buf, sw_str text)
{
    const uint8_t *at = (const uint8_t *)text.ptr;
    sw__buf_put_byte(buf, '"');
    if (render_is_formula(text))
        sw__buf_put_byte(buf, '\'');
    for (size_t left = text.len; left > 0;) {
        size_t length = sw__utf8_char_len(at, left);
        if (*at == '"')
            sw__buf_put_byte(buf, '"');
        if (length == 0)
            sw__buf_put_text(buf, "\xef\xbf\xbd");
        else
            sw__buf_put(buf, at, length);
        length = length ? length : 1;
        at += length;
        left -= length;
    }
    sw__buf_put_byte(buf, '"');
}

static void render_csv(sw__buf *buf, const render_row *row)
{
    for (int i = 0; i < RENDER_COLUMN_COUNT; i++) {
        if (i > 0)
            sw__buf_put_byte(buf, ',');
        if (row->numbers[i] != 0)
            sw__buf_printf(buf, "%" PRId64, row->numbers[i]);
        else if (row->texts[i].ptr)
            render_cell(buf, row->texts[i]);
    }
    sw__buf_put_text(buf, "\r\n");
}

void sw__render_heads(sw__buf *buf)
{
    for (int i = 0; i < RENDER_COLUMN_COUNT; i++)
        sw__buf_printf(buf, "%s%s", i ? "," : "", render_names[i]);
    sw__buf_put_text(buf, "\r\n");
}

void sw__render_entry(sw__buf *buf, int32_t format, const sw_audit_entry *entry)
{
    render_row row;
    render_fill(&row, entry);
    switch (format) {
    case SW_AUDIT_YAML:
        render_yaml(buf, &row);
        return;
    case SW_AUDIT_CSV:
        render_csv(buf, &row);
        return;
    default:
        render_jsonl(buf, &row);
        return;
    }
}

#undef RENDER_SECOND_US
#undef RENDER_COLUMN_MAP
