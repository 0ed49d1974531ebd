/* A control report as one page of HTML that loads nothing and runs nothing: legible in light and
 * dark, on paper, and without colours. Names come from strangers and are escaped. */
#include <inttypes.h>

#include "audit/control.h"
#include "audit/scan.h"
#include "base/hash.h"
#include "base/str.h"
#include "picture/glyph.h"

static const char html_style[] =
    ":root{color-scheme:light dark;--back:#fff;--text:#1f2328;--quiet:#59636e;--line:#d1d9e0;"
    "--soft:#f6f8fa;--link:#0550ae;--found:#116329;--missing:#a40e26;--none:#59636e}\n"
    "@media (prefers-color-scheme:dark){:root{--back:#0d1117;--text:#e6edf3;--quiet:#9198a1;"
    "--line:#3d444d;--soft:#151b23;--link:#79c0ff;--found:#56d364;--missing:#ff7b72;"
    "--none:#9198a1}}\n"
    "body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--back);color:var(--text);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}\n"
    "h1{margin:0;font-size:1.75rem}h2{margin:2.5rem 0 .5rem;font-size:1.25rem}"
    "p{max-width:48rem}a{color:var(--link)}.quiet{color:var(--quiet)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:1.25rem 0}"
    "dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}\n"
    ".wide{overflow-x:auto}table{width:100%;border-collapse:collapse}"
    "th,td{padding:.45rem .75rem .45rem 0;border-bottom:1px solid var(--line);text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}"
    "th{color:var(--quiet);font-weight:600;white-space:nowrap}"
    ".controls,.evidence{min-width:46rem;table-layout:fixed}"
    ".controls th:nth-child(1){width:23%}.controls th:nth-child(3){width:14%}"
    ".controls th:nth-child(4){width:17%}.controls th:nth-child(5){width:15%}"
    ".evidence th:nth-child(1){width:13%}.evidence th:nth-child(3){width:24%}"
    ".evidence "
    "th:nth-child(n+4){width:14%}.no{font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    ".answer{font-weight:600;white-space:nowrap}.found{color:var(--found)}"
    ".missing{color:var(--missing)}.none{color:var(--none)}\n"
    "code,pre{font:12.5px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}"
    "pre{margin:.5rem 0;padding:.75rem;background:var(--soft);border:1px solid var(--line);"
    "border-radius:6px;white-space:pre-wrap;overflow-wrap:anywhere}"
    "summary{cursor:pointer}:target{background:var(--soft)}\n"
    "@media print{body{max-width:none;padding:0;font-size:10pt}a{color:inherit;"
    "text-decoration:none}.controls,.evidence{min-width:0}h2{break-after:avoid}tr{break-inside:"
    "avoid}.wide{overflow:visible}}\n";

static void html_text(sw__buf *buf, sw_str text)
{
    sw__glyphs_put(buf, text, SW__GLYPHS_ALL, SW__ESCAPE_XML, false);
}

/* A foreign name, whose direction of writing ends with it. */
static void html_name(sw__buf *buf, sw_str text)
{
    if (text.len == 0)
        return;
    sw__buf_put_text(buf, "<bdi>");
    html_text(buf, text);
    sw__buf_put_text(buf, "</bdi>");
}

static void html_lines(sw__buf *buf, sw_str text)
{
    for (sw_str line; sw__note_line(&text, &line);) {
        html_text(buf, line);
        sw__buf_put_byte(buf, '\n');
    }
}

/* Mark, word and colour say the same. */
static void html_answer(sw__buf *buf, int answer)
{
    static const char *const classes[SW_ANSWER_COUNT] = {"none", "missing", "found"};
    static const char *const marks[SW_ANSWER_COUNT] = {"\xe2\x80\x93", "\xe2\x9c\x97",
                                                       "\xe2\x9c\x93"};
    sw__buf_printf(buf, "<span class=\"answer %s\">%s %s</span>", classes[answer], marks[answer],
                   sw__control_words(answer));
}

static void html_numbers(sw__buf *buf, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sw__buf_printf(buf, "%s<a href=\"#e%" PRId64 "\">%" PRId64 "</a>", i ? ", " : "",
                       numbers[i], numbers[i]);
}

static void html_fact(sw__buf *buf, const char *name, sw_str text)
{
    sw__buf_printf(buf, "<dt>%s</dt><dd>", name);
    html_name(buf, text);
    sw__buf_put_text(buf, "</dd>\n");
}

static void html_facts(sw__buf *buf, const sw__control_page *page)
{
    char time[SW__ENTRY_TIME_SIZE];
    char root[65];
    const sw_control_summary *summary = page->summary;
    sw__hash_hex(page->base->checkpoint.root, root);
    sw__buf_put_text(buf, "<dl>\n");
    html_fact(buf, "Log", summary->origin);
    sw__entry_time(summary->as_of_us, time);
    sw__buf_printf(buf,
                   "<dt>Covered</dt><dd>%" PRId64 " entries, the newest of <span class=\"no\">%s"
                   "</span></dd>\n<dt>Verified</dt><dd>level L%d, %s</dd>\n"
                   "<dt>Time</dt><dd>%" PRId64 " entries, ",
                   summary->entry_count, time, summary->level, sw_audit_level_name(summary->level),
                   summary->window_count);
    sw__control_put_window(buf, page);
    sw__buf_printf(buf,
                   "</dd>\n<dt>Root</dt><dd><code>sha256:%s</code></dd>\n"
                   "<dt>Controls</dt><dd>%d found, %d not found, %d not applicable</dd>\n</dl>\n",
                   root, summary->found, summary->not_found, summary->not_applicable);
}

static void html_head(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf,
                     "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                     "'none'; style-src 'unsafe-inline'\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                     "<title>Control report of ");
    html_text(buf, page->summary->origin);
    sw__buf_put_text(buf, "</title>\n<style>\n");
    sw__buf_put_text(buf, html_style);
    sw__buf_put_text(buf,
                     "</style>\n</head>\n<body>\n<h1>Control report</h1>\n"
                     "<p class=\"quiet\">What the audit log holds as evidence for the controls "
                     "below. What that means for an organisation, its auditors decide.</p>\n");
    html_facts(buf, page);
}

static void html_table(sw__buf *buf, const char *class_name, const char *const *heads, size_t count)
{
    sw__buf_printf(buf, "<div class=\"wide\"><table class=\"%s\">\n<thead><tr>", class_name);
    for (size_t i = 0; i < count; i++)
        sw__buf_printf(buf, "<th scope=\"col\">%s</th>", heads[i]);
    sw__buf_put_text(buf, "</tr></thead>\n<tbody>\n");
}

static void html_table_end(sw__buf *buf)
{
    sw__buf_put_text(buf, "</tbody></table></div>\n");
}

static void html_kinds(sw__buf *buf, int64_t kinds)
{
    bool first = true;
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(kinds >> kind & 1))
            continue;
        sw__buf_printf(buf, "%s<a href=\"#%s\">%s</a>", first ? "" : ", ", sw_evidence_name(kind),
                       sw_evidence_name(kind));
        first = false;
    }
}

static void html_control(sw__buf *buf, const sw_control_row *row)
{
    sw__buf_put_text(buf, "<tr><td><strong>");
    html_text(buf, row->control->id);
    sw__buf_put_text(buf, "</strong><br>");
    html_text(buf, row->control->title);
    sw__buf_put_text(buf, "</td><td>");
    html_text(buf, row->control->question);
    sw__buf_put_text(buf, "</td><td>");
    html_answer(buf, row->answer);
    sw__buf_put_text(buf, "</td><td>");
    html_kinds(buf, row->control->evidence);
    sw__buf_put_text(buf, "</td><td>");
    html_numbers(buf, row->entry_nos, row->entry_no_count);
    sw__buf_put_text(buf, "</td></tr>\n");
}

static void html_controls(sw__buf *buf, const sw__control_page *page)
{
    static const char *const heads[] = {"Control", "Question", "Answer", "Evidence", "Entries"};
    int standard = -1;
    for (size_t i = 0; i < page->control_count; i++) {
        const sw_control_row *row = &page->controls[i];
        if (row->control->standard != standard) {
            if (standard >= 0)
                html_table_end(buf);
            standard = row->control->standard;
            sw__buf_printf(buf, "<h2>%s</h2>\n", sw_standard_title(standard));
            html_table(buf, "controls", heads, sizeof(heads) / sizeof(heads[0]));
        }
        html_control(buf, row);
    }
    html_table_end(buf);
}

static void html_evidence(sw__buf *buf, const sw__evidence *evidence)
{
    static const char *const heads[] = {"Evidence", "Question", "Answer", "For", "Against"};
    sw__buf_put_text(buf, "<h2>Evidence</h2>\n<p class=\"quiet\">Of more than five entries the "
                          "first three and the last two are named.</p>\n");
    html_table(buf, "evidence", heads, sizeof(heads) / sizeof(heads[0]));
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        const sw_evidence_row *row = &evidence->rows[kind];
        const char *reason = sw__evidence_reason(row);
        sw__buf_printf(buf, "<tr id=\"%s\"><td><strong>%s</strong></td><td>%s</td><td>",
                       sw_evidence_name(kind), sw_evidence_name(kind), sw_evidence_question(kind));
        html_answer(buf, row->answer);
        if (reason)
            sw__buf_printf(buf, "<br><span class=\"quiet\">%s</span>", reason);
        sw__buf_printf(buf, "</td><td>%" PRId64 "<br>", row->entry_count);
        html_numbers(buf, row->entry_nos, (size_t)row->entry_no_count);
        sw__buf_printf(buf, "</td><td>%" PRId64 "<br>", row->against_count);
        html_numbers(buf, row->against_nos, (size_t)row->against_no_count);
        sw__buf_put_text(buf, "</td></tr>\n");
    }
    html_table_end(buf);
}

static void html_entry(sw__buf *buf, const sw_audit_proof *proof)
{
    char time[SW__ENTRY_TIME_SIZE];
    const sw_audit_entry *entry = &proof->entry;
    sw__entry_time(entry->time_us, time);
    sw__buf_printf(buf,
                   "<tr id=\"e%" PRId64 "\"><td class=\"no\"><strong>%" PRId64 "</strong></td>"
                   "<td class=\"no\">%s</td><td>",
                   entry->entry_no, entry->entry_no, time);
    sw__control_put_what(buf, entry);
    sw__buf_put_text(buf, "</td><td>");
    html_name(buf, entry->step.len > 0 ? entry->step : entry->subject);
    sw__buf_put_text(buf, "</td><td>");
    html_name(buf, entry->actor);
    sw__buf_put_text(buf, "</td><td>");
    html_name(buf, entry->reason);
    sw__buf_put_text(buf, "<details><summary>proof</summary><pre>");
    html_lines(buf, sw__control_proof_head(proof->text));
    sw__buf_put_text(buf, "</pre></details></td></tr>\n");
}

static void html_entries(sw__buf *buf, const sw__control_page *page)
{
    static const char *const heads[] = {"Entry",        "Time",  "What",
                                        "Step or name", "Actor", "Reason and proof"};
    sw__buf_put_text(buf, "<h2>Entries</h2>\n<p class=\"quiet\">A proof with an empty line and the "
                          "checkpoint behind it is a C2SP tlog-proof.</p>\n");
    html_table(buf, "entries", heads, sizeof(heads) / sizeof(heads[0]));
    for (size_t i = 0; i < page->proof_count; i++)
        html_entry(buf, &page->proofs[i]);
    html_table_end(buf);
}

static void html_checkpoint(sw__buf *buf, const sw__control_page *page)
{
    sw__buf_put_text(buf, "<h2>Checkpoint</h2>\n<pre>");
    html_lines(buf, page->base->named->text);
    sw__buf_put_text(buf, "</pre>\n");
}

void sw__control_put_html(sw__buf *buf, const sw__control_page *page)
{
    html_head(buf, page);
    html_controls(buf, page);
    html_evidence(buf, page->evidence);
    html_entries(buf, page);
    html_checkpoint(buf, page);
    sw__buf_put_text(buf, "</body>\n</html>\n");
}
