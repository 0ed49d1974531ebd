/* A control report as Markdown. Names come from strangers: they stand in cells of tables with every
 * character escaped that could mean something there. */
#include <inttypes.h>

#include "audit/control.h"
#include "audit/scan.h"
#include "base/hash.h"
#include "base/str.h"
#include "picture/glyph.h"

#define MARKDOWN_UNKNOWN 0xFFFDu

/* What could be a mark: HTML has entities for it, Markdown a backslash. */
static const char *markdown_mark(uint32_t code)
{
    if (code == '<')
        return "&lt;";
    if (code == '>')
        return "&gt;";
    if (code == '&')
        return "&amp;";
    bool plain = code >= 0x80 || (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
                 (code >= 'a' && code <= 'z') || code == ' ' || code == ',' || code == '/';
    return plain ? NULL : "\\";
}

/* Text as it is, in one line. */
static void markdown_text(sw__buf *buf, sw_str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t code = sw__glyph_next(text, &at);
        const char *mark = markdown_mark(code);
        if (mark)
            sw__buf_put_text(buf, mark);
        if (code == MARKDOWN_UNKNOWN)
            sw__buf_put_text(buf, "\xef\xbf\xbd");
        else if (code == ' ')
            sw__buf_put_byte(buf, ' ');
        else if (!mark || *mark == '\\')
            sw__buf_put(buf, text.ptr + start, at - start);
    }
}

static void markdown_numbers(sw__buf *buf, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sw__buf_printf(buf, "%s%" PRId64, i ? ", " : "", numbers[i]);
}

static void markdown_head(sw__buf *buf, const sw__control_page *page)
{
    char time[SW__ENTRY_TIME_SIZE];
    char root[65];
    const sw_control_summary *summary = page->summary;
    sw__entry_time(summary->as_of_us, time);
    sw__hash_hex(page->base->checkpoint.root, root);
    sw__buf_put_text(buf, "# Control report\n\nWhat the audit log ");
    markdown_text(buf, summary->origin);
    sw__buf_printf(buf,
                   " holds as evidence for the controls below. What that means for an "
                   "organisation, its auditors decide.\n\n"
                   "- Log: %" PRId64 " entries, the newest of %s, verified at level L%d, %s\n"
                   "- Root: `sha256:%s`\n- Time: %" PRId64 " entries, ",
                   summary->entry_count, time, summary->level, sw_audit_level_name(summary->level),
                   root, summary->window_count);
    sw__control_put_window(buf, page);
    sw__buf_printf(buf, "\n- Controls: %d found, %d not found, %d not applicable\n", summary->found,
                   summary->not_found, summary->not_applicable);
}

static void markdown_kinds(sw__buf *buf, const sw__control_page *page, int64_t kinds)
{
    bool first = true;
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        sw__buf_printf(buf, "%s%s: %s", first ? "" : ", ", sw_evidence_name(kind),
                       sw__control_words(page->evidence->rows[kind].answer));
        first = false;
    }
}

static void markdown_controls(sw__buf *buf, const sw__control_page *page)
{
    int standard = -1;
    for (size_t i = 0; i < page->control_count; i++) {
        const sw_control_row *row = &page->controls[i];
        if (row->control->standard != standard) {
            standard = row->control->standard;
            sw__buf_printf(buf,
                           "\n## %s\n\n| control | question | answer | evidence | entries |\n"
                           "|---|---|---|---|---|\n",
                           sw_standard_title(standard));
        }
        sw__buf_printf(buf, "| %.*s %.*s | %.*s | **%s** | ", SW__FMT(row->control->id),
                       SW__FMT(row->control->title), SW__FMT(row->control->question),
                       sw__control_words(row->answer));
        markdown_kinds(buf, page, row->control->evidence);
        sw__buf_put_text(buf, " | ");
        markdown_numbers(buf, row->entry_nos, row->entry_no_count);
        sw__buf_put_text(buf, " |\n");
    }
}

static void markdown_evidence(sw__buf *buf, const sw__evidence *evidence)
{
    sw__buf_put_text(buf, "\n## Evidence\n\nOf more than five entries the first three and the last "
                          "two are named.\n\n| evidence | question | answer | entries | for | "
                          "against |\n|---|---|---|---|---|---|\n");
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        const sw_evidence_row *row = &evidence->rows[kind];
        const char *reason = sw__evidence_reason(row);
        sw__buf_printf(buf, "| %s | %s | **%s**%s%s | %" PRId64 " for, %" PRId64 " against | ",
                       sw_evidence_name(kind), sw_evidence_question(kind),
                       sw__control_words(row->answer), reason ? ": " : "", reason ? reason : "",
                       row->entry_count, row->against_count);
        markdown_numbers(buf, row->entry_nos, (size_t)row->entry_no_count);
        sw__buf_put_text(buf, " | ");
        markdown_numbers(buf, row->against_nos, (size_t)row->against_no_count);
        sw__buf_put_text(buf, " |\n");
    }
}

static void markdown_entries(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf, "\n## Entries\n\n| entry | time | what | step or name | actor | reason "
                          "|\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < page->proof_count; i++) {
        char time[SW__ENTRY_TIME_SIZE];
        const sw_audit_entry *entry = &page->proofs[i].entry;
        sw__entry_time(entry->time_us, time);
        sw__buf_printf(buf, "| %" PRId64 " | %s | ", entry->entry_no, time);
        sw__control_put_what(buf, entry);
        sw__buf_put_text(buf, " | ");
        markdown_text(buf, entry->step.len > 0 ? entry->step : entry->subject);
        sw__buf_put_text(buf, " | ");
        markdown_text(buf, entry->actor);
        sw__buf_put_text(buf, " | ");
        markdown_text(buf, entry->reason);
        sw__buf_put_text(buf, " |\n");
    }
}

/* Lines of a fence begin with four blanks, so that nothing in them can end it. */
static void markdown_lines(sw__buf *buf, sw_str text)
{
    bool begins = true;
    for (size_t i = 0; i < text.len; i++) {
        if (begins)
            sw__buf_put_text(buf, "    ");
        sw__buf_put_byte(buf, (uint8_t)text.ptr[i]);
        begins = text.ptr[i] == '\n';
    }
}

static void markdown_proofs(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf,
                     "\n## Proofs\n\nEach with an empty line and the checkpoint behind it is a "
                     "C2SP tlog-proof.\n\n");
    markdown_lines(buf, page->base->named->text);
    for (size_t i = 0; i < page->proof_count; i++) {
        sw__buf_printf(buf, "\nEntry %" PRId64 ":\n\n", page->proofs[i].entry.entry_no);
        markdown_lines(buf, sw__control_proof_head(page->proofs[i].text));
    }
}

void sw__control_put_markdown(sw__buf *buf, const sw__control_page *page)
{
    markdown_head(buf, page);
    markdown_controls(buf, page);
    markdown_evidence(buf, page->evidence);
    markdown_entries(buf, page);
    markdown_proofs(buf, page);
}

#undef MARKDOWN_UNKNOWN
