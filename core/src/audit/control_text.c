/* What the renderings of a control report say in the same words. */
#include <string.h>

#include "audit/control.h"
#include "audit/scan.h"

void sw__control_put(sw__buf *buf, const sw__control_page *page)
{
    switch (page->options->format) {
    case SW_CONTROL_MARKDOWN:
        sw__control_put_markdown(buf, page);
        return;
    case SW_CONTROL_HTML:
        sw__control_put_html(buf, page);
        return;
    default:
        sw__control_put_json(buf, page);
        return;
    }
}

const char *sw__control_words(int answer)
{
    static const char *const words[SW_ANSWER_COUNT] = {"not applicable", "not found", "found"};
    return words[answer];
}

void sw__control_put_what(sw__buf *buf, const sw_audit_entry *entry)
{
    sw__state_name name = sw__entry_states(entry);
    sw__buf_put_text(buf, sw_audit_kind_name(entry->kind));
    if (name && entry->from != entry->to)
        sw__buf_printf(buf, ": %s to %s", name(entry->from), name(entry->to));
}

sw_str sw__control_proof_head(sw_str proof)
{
    const char *end = proof.len > 0 ? memmem(proof.ptr, proof.len, "\n\n", 2) : NULL;
    return (sw_str){proof.ptr, end ? (size_t)(end - proof.ptr) + 1 : proof.len};
}

void sw__control_put_window(sw__buf *buf, const sw__control_page *page)
{
    char time[SW__ENTRY_TIME_SIZE];
    const sw_control_options *options = page->options;
    if (options->after_us > 0)
        sw__entry_time(options->after_us, time);
    sw__buf_printf(buf, "from %s ", options->after_us > 0 ? time : "the first entry");
    if (options->before_us > 0)
        sw__entry_time(options->before_us, time);
    sw__buf_printf(buf, "to %s", options->before_us > 0 ? time : "the checkpoint");
}
