/* Documents for tests. Not here: what is expected of them. */
#include "helper/documents.h"

#include <stdarg.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "base/str.h"

void document_open(document *doc, const char *text)
{
    sw_error err;
    doc->arena = sw__arena_new(sw_env_system());
    assert_non_null(doc->arena);
    int code =
        sw__node_load(doc->arena, SW_FORMAT_YAML, (sw_str){0}, sw__str(text), &doc->root, &err);
    if (code < 0)
        fail_msg("%s", err.message);
    sw__findings_init(&doc->findings, doc->arena, false);
}

void document_close(document *doc)
{
    sw__arena_free(doc->arena);
}

const char *document_findings(document *doc)
{
    sw_str text = SW__LIT("");
    sw__findings_finish(&doc->findings);
    for (size_t i = 0; i < doc->findings.count; i++) {
        const sw_finding *row = &doc->findings.rows[i];
        text = sw__arena_format(doc->arena, "%.*s%d:%d %.*s: %s%.*s\n", SW__FMT(text), row->line,
                                row->column, SW__FMT(row->path),
                                row->severity == SW_SEVERITY_WARNING ? "warning: " : "",
                                SW__FMT(row->message));
    }
    return text.ptr;
}
