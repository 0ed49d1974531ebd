/* A control report as JSON on one line: all that a verifier needs besides an export of the log. */
#include <inttypes.h>

#include "audit/control.h"
#include "audit/scan.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/str.h"

static void json_text(sw__buf *buf, const char *name, sw_str text)
{
    sw__buf_printf(buf, "\"%s\":", name);
    if (text.ptr)
        sw__json_put_str(buf, text);
    else
        sw__buf_put_text(buf, "null");
}

static void json_words(sw__buf *buf, const char *name, const char *text)
{
    json_text(buf, name, sw__str(text));
}

/* null stands for a time that was not given. */
static void json_time(sw__buf *buf, const char *name, int64_t time_us)
{
    if (time_us > 0)
        sw__buf_printf(buf, "\"%s\":%" PRId64, name, time_us);
    else
        sw__buf_printf(buf, "\"%s\":null", name);
}

static void json_numbers(sw__buf *buf, const char *name, const int64_t *numbers, size_t count)
{
    sw__buf_printf(buf, "\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        sw__buf_printf(buf, "%s%" PRId64, i ? "," : "", numbers[i]);
    sw__buf_put_byte(buf, ']');
}

/* Opens the next element of a list. */
static void json_next(sw__buf *buf, size_t index)
{
    sw__buf_put_text(buf, index ? ",{" : "{");
}

static void json_log(sw__buf *buf, const sw__control_page *page)
{
    char root[65];
    sw__hash_hex(page->base->checkpoint.root, root);
    sw__buf_put_text(buf, "\"log\":{");
    json_text(buf, "origin", page->summary->origin);
    sw__buf_printf(buf, ",\"entries\":%" PRId64 ",", page->summary->entry_count);
    json_words(buf, "root", root);
    sw__buf_put_byte(buf, ',');
    json_words(buf, "level", sw_audit_level_name(page->summary->level));
    sw__buf_put_byte(buf, ',');
    json_time(buf, "began_us", page->evidence->began_us);
    sw__buf_put_byte(buf, ',');
    json_time(buf, "as_of_us", page->summary->as_of_us);
    sw__buf_put_byte(buf, ',');
    json_text(buf, "checkpoint", page->base->named->text);
    sw__buf_put_text(buf, "},\"window\":{");
    json_time(buf, "since_us", page->options->after_us);
    sw__buf_put_byte(buf, ',');
    json_time(buf, "until_us", page->options->before_us);
    sw__buf_printf(buf, ",\"entries\":%" PRId64 "}", page->summary->window_count);
}

static void json_checkpoints(sw__buf *buf, const sw__control_base *base)
{
    sw__buf_put_text(buf, "\"checkpoints\":[");
    for (size_t i = 0; i < base->count; i++) {
        const sw__control_note *note = &base->notes[i];
        json_next(buf, i);
        sw__buf_printf(buf, "\"entries\":%" PRId64 ",\"anchored\":%s,\"successor\":%s,",
                       note->entry_count, note->time_us > 0 ? "true" : "false",
                       note->successor ? "true" : "false");
        json_text(buf, "place", note->place);
        sw__buf_put_byte(buf, ',');
        json_time(buf, "time_us", note->time_us > 1 ? note->time_us : 0);
        sw__buf_put_byte(buf, ',');
        json_text(buf, "checkpoint", note->text);
        sw__buf_put_byte(buf, '}');
    }
    sw__buf_put_byte(buf, ']');
}

static void json_kinds(sw__buf *buf, int64_t kinds)
{
    bool first = true;
    sw__buf_put_text(buf, "\"evidence\":[");
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        sw__buf_printf(buf, "%s\"%s\"", first ? "" : ",", sw_evidence_name(kind));
        first = false;
    }
    sw__buf_put_byte(buf, ']');
}

static void json_controls(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf, "\"controls\":[");
    for (size_t i = 0; i < page->control_count; i++) {
        const sw_control_row *row = &page->controls[i];
        json_next(buf, i);
        json_words(buf, "standard", sw_standard_name(row->control->standard));
        sw__buf_put_byte(buf, ',');
        json_words(buf, "cites", sw_standard_title(row->control->standard));
        sw__buf_put_byte(buf, ',');
        json_text(buf, "control", row->control->id);
        sw__buf_put_byte(buf, ',');
        json_text(buf, "title", row->control->title);
        sw__buf_put_byte(buf, ',');
        json_text(buf, "question", row->control->question);
        sw__buf_put_byte(buf, ',');
        json_kinds(buf, row->control->evidence);
        sw__buf_put_byte(buf, ',');
        json_words(buf, "answer", sw_answer_name(row->answer));
        sw__buf_put_byte(buf, ',');
        json_numbers(buf, "entries", row->entry_nos, row->entry_no_count);
        sw__buf_put_byte(buf, '}');
    }
    sw__buf_put_byte(buf, ']');
}

static void json_evidence(sw__buf *buf, const sw__evidence *evidence)
{
    sw__buf_put_text(buf, "\"evidence\":[");
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        const sw_evidence_row *row = &evidence->rows[kind];
        json_next(buf, (size_t)kind);
        json_words(buf, "evidence", sw_evidence_name(kind));
        sw__buf_put_byte(buf, ',');
        json_words(buf, "question", sw_evidence_question(kind));
        sw__buf_put_byte(buf, ',');
        json_words(buf, "answer", sw_answer_name(row->answer));
        sw__buf_put_byte(buf, ',');
        json_words(buf, "reason", sw__evidence_reason(row));
        sw__buf_printf(buf, ",\"count\":%" PRId64 ",", row->entry_count);
        json_numbers(buf, "entries", row->entry_nos, (size_t)row->entry_no_count);
        sw__buf_printf(buf, ",\"against_count\":%" PRId64 ",", row->against_count);
        json_numbers(buf, "against", row->against_nos, (size_t)row->against_no_count);
        sw__buf_put_byte(buf, '}');
    }
    sw__buf_put_byte(buf, ']');
}

static void json_proofs(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf, "\"proofs\":[");
    for (size_t i = 0; i < page->proof_count; i++) {
        json_next(buf, i);
        sw__buf_put_text(buf, "\"entry\":");
        sw__render_entry(buf, SW_AUDIT_JSONL, &page->proofs[i].entry);
        if (buf->len > 0 && buf->ptr[buf->len - 1] == '\n')
            buf->len--;
        sw__buf_put_byte(buf, ',');
        json_text(buf, "proof", page->proofs[i].text);
        sw__buf_put_byte(buf, '}');
    }
    sw__buf_put_byte(buf, ']');
}

void sw__control_put_json(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf, "{\"report\":\"stepwell control report 1\",");
    json_log(buf, page);
    sw__buf_put_byte(buf, ',');
    json_checkpoints(buf, page->base);
    sw__buf_put_byte(buf, ',');
    json_controls(buf, page);
    sw__buf_put_byte(buf, ',');
    json_evidence(buf, page->evidence);
    sw__buf_put_byte(buf, ',');
    json_proofs(buf, page);
    sw__buf_put_text(buf, "}\n");
}
