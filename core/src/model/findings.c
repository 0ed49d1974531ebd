/* Collecting findings. A definition with ten thousand mistakes gives a thousand rows and a count:
 * nobody reads more, and memory stays bounded.
 *
 * Not here: deciding whether something is a mistake (fields.c, check.c, kinds.c).
 */
#include "model/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/utf8.h"

#define FINDING_QUOTE_MAX 60
#define FINDING_TEXT_MAX 1024
/* Enough to look for 100 wrong names among 5,000; beyond that no suggestion is made. */
#define FINDING_SEARCH_MAX (30 * 1000 * 1000)

void sw__findings_init(sw__findings *findings, sw__arena *arena, bool strict)
{
    *findings = (sw__findings){.arena = arena, .strict = strict, .search_left = FINDING_SEARCH_MAX};
}

static void path_write(sw__buf *buf, const sw__path *path)
{
    const sw__path *chain[SW__DEPTH_MAX + 1];
    size_t depth = 0;
    for (; path && depth <= SW__DEPTH_MAX; path = path->up)
        chain[depth++] = path;
    while (depth > 0) {
        path = chain[--depth];
        if (!path->key.ptr) {
            sw__buf_printf(buf, "[%zu]", path->index);
        } else if (sw__str_is_name(path->key)) {
            sw__buf_put_text(buf, buf->len > 0 ? "." : "");
            sw__buf_put_str(buf, path->key);
        } else {
            sw__buf_put_text(buf, "[");
            sw__json_put_str(buf, path->key);
            sw__buf_put_text(buf, "]");
        }
    }
}

/* A copy of what was written into buf; gives the buffer up. */
static sw_str finding_keep(sw__findings *findings, sw__buf *buf)
{
    sw_str text = {NULL, 0};
    if (!buf->failed)
        text = sw__arena_format(findings->arena, "%.*s", SW__FMT(sw__buf_str(buf)));
    if (!text.ptr)
        findings->failed = true;
    sw__buf_free(buf);
    return text;
}

static sw_str finding_path(sw__findings *findings, const sw__path *path)
{
    sw__buf buf;
    sw__buf_init(&buf, sw__arena_env(findings->arena));
    path_write(&buf, path);
    return finding_keep(findings, &buf);
}

static bool findings_grow(sw__findings *findings)
{
    if (findings->count < findings->capacity)
        return true;
    size_t capacity = findings->capacity ? findings->capacity * 2 : 16;
    sw_finding *rows = sw__arena_array(findings->arena, capacity, sizeof(*rows));
    if (!rows) {
        findings->failed = true;
        return false;
    }
    if (findings->count > 0)
        memcpy(rows, findings->rows, findings->count * sizeof(*rows));
    findings->rows = rows;
    findings->capacity = capacity;
    return true;
}

void sw__finding_add(sw__findings *findings, int severity, const sw__path *path, int32_t line,
                     int32_t column, const char *format, ...)
{
    if (findings->strict)
        severity = SW_SEVERITY_ERROR;
    size_t room = SW__FINDINGS_MAX;
    if (severity == SW_SEVERITY_ERROR)
        findings->error_count++;
    else
        room /= 2;
    if (findings->count >= room) {
        findings->hidden_count++;
        return;
    }
    char text[FINDING_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    sw_finding row = {.severity = severity, .line = line, .column = column};
    row.path = finding_path(findings, path);
    row.message = sw__arena_str(findings->arena, sw__utf8_cut(sw__str(text), sizeof(text)));
    if (!row.message.ptr || !findings_grow(findings))
        findings->failed = true;
    else
        findings->rows[findings->count++] = row;
}

static bool finding_is_after(const sw_finding *a, const sw_finding *b)
{
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* Insertion sort: the rows come almost in order, there are a thousand at most, and those of one
 * place must stay as they are. */
void sw__findings_finish(sw__findings *findings)
{
    for (size_t i = 1; i < findings->count; i++) {
        sw_finding row = findings->rows[i];
        size_t at = i;
        for (; at > 0 && finding_is_after(&findings->rows[at - 1], &row); at--)
            findings->rows[at] = findings->rows[at - 1];
        findings->rows[at] = row;
    }
    if (findings->hidden_count == 0)
        return;
    sw_finding *last = &findings->rows[findings->count - 1];
    last->message = sw__arena_format(findings->arena, "%.*s (and %zu more)", SW__FMT(last->message),
                                     findings->hidden_count);
}

const char *sw__finding_quote(sw__findings *findings, sw_str text)
{
    sw__buf buf;
    sw__buf_init(&buf, sw__arena_env(findings->arena));
    sw_str shown = sw__utf8_cut(text, FINDING_QUOTE_MAX);
    sw__json_put_str(&buf, shown);
    if (shown.len < text.len)
        sw__buf_put_text(&buf, "...");
    sw_str quoted = finding_keep(findings, &buf);
    return quoted.ptr ? quoted.ptr : "";
}
