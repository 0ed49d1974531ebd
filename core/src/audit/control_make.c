/* Making a control report: the log is verified, read for its evidence, and the sample is proved.
 * Not here: what is evidence of what (control_evidence.c), and how a report looks. */
#include <string.h>

#include "audit/audit.h"
#include "audit/control.h"
#include "audit/entry.h"
#include "audit/export.h"
#include "audit/proof.h"
#include "audit/scan.h"
#include "base/error.h"
#include "base/thread.h"

/* A report that is being made. */
typedef struct control_work {
    const sw_audit_trust *trust;
    const sw_control_options *options;
    sw__hasher *hasher;
    sw__arena *arena;
    sw__control_base base;
    sw__evidence evidence;
    sw_audit_proof *proofs;
    size_t proof_count;
} control_work;

static void control_begin(control_work *work, const sw_audit_trust *trust,
                          const sw_control_options *options, sw__hasher *hasher, sw__arena *arena)
{
    *work = (control_work){.trust = trust, .options = options, .hasher = hasher, .arena = arena};
    sw__evidence_init(&work->evidence, options, &work->base, arena);
}

static void control_summarize(control_work *work, sw_control_summary *summary)
{
    const sw__control_base *base = &work->base;
    summary->origin = base->checkpoint.origin;
    summary->entry_count = base->checkpoint.size;
    summary->window_count = work->evidence.window_count;
    summary->as_of_us = work->evidence.as_of_us;
    summary->level = base->anchored > 0 ? SW_AUDIT_ANCHORED : SW_AUDIT_SIGNED;
}

static int control_write(control_work *work, sw_result *result, const sw_control_row *rows,
                         size_t count, sw_control_summary *summary, sw_error *err)
{
    sw__buf text;
    const sw__control_page page = {
        .options = work->options,
        .base = &work->base,
        .evidence = &work->evidence,
        .summary = summary,
        .controls = rows,
        .control_count = count,
        .proofs = work->proofs,
        .proof_count = work->proof_count,
    };
    sw__buf_init(&text, sw__arena_env(work->arena));
    sw__control_put(&text, &page);
    summary->text = sw__arena_str(work->arena, sw__buf_str(&text));
    int rc = text.failed || !summary->text.ptr ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
    sw__buf_free(&text);
    sw__result_set(result, SW__CONTROL_SUMMARIES, summary, 1);
    sw__result_set(result, SW__CONTROL_ROWS, rows, count);
    return rc;
}

/* Everything is known: answer, and write it down. */
static int control_finish(control_work *work, sw_result *result, sw_error *err)
{
    size_t count = 0;
    sw_control_row *rows = NULL;
    sw_control_summary *summary = sw__arena_alloc(work->arena, sizeof(*summary));
    sw_evidence_row *evidence = sw__arena_array(work->arena, SW_EVIDENCE_COUNT, sizeof(*evidence));
    if (!summary || !evidence)
        return sw__fail(err, SW_ENOMEM, NULL);
    memcpy(evidence, work->evidence.rows, sizeof(work->evidence.rows));
    sw__result_set(result, SW__EVIDENCE_ROWS, evidence, SW_EVIDENCE_COUNT);
    control_summarize(work, summary);
    int rc = sw__control_answer(&work->evidence, &rows, &count, summary, err);
    return rc == SW_OK ? control_write(work, result, rows, count, summary, err) : rc;
}

/* From the database. */

static int control_take(void *context, const sw_audit_entry *entry, sw_error *err)
{
    control_work *work = context;
    if (entry->entry_no > work->base.checkpoint.size)
        return 1;
    return sw__evidence_take(&work->evidence, entry, err);
}

static int control_read(control_work *work, sw__store *store, sw_error *err)
{
    size_t count = 0;
    int64_t *entry_nos = NULL;
    const sw_audit_filter all = SW_AUDIT_FILTER_INIT;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw__audit_verify(store, work->hasher, store->env, work->trust, 1, &report, err);
    if (rc == SW_OK)
        rc = sw__scan_walk(store, &all, NULL, control_take, work, err);
    if (rc < 0)
        return rc;
    sw__evidence_end(&work->evidence);
    rc = sw__control_sample(&work->evidence, &entry_nos, &count, err);
    if (rc == SW_OK && count > 0)
        rc = sw__prove_inclusion(store, work->hasher, work->arena, work->base.named->text,
                                 entry_nos, count, &work->proofs, err);
    work->proof_count = count;
    return rc;
}

int sw__control_make(sw__store *store, sw__hasher *hasher, const sw_audit_trust *trust,
                     const sw_control_options *options, sw_result *result, sw_error *err)
{
    control_work work;
    control_begin(&work, trust, options, hasher, result->arena);
    int rc = sw__control_base_load(&work.base, trust, (sw_str){NULL, 0}, hasher, work.arena, err);
    if (rc == SW_OK)
        rc = control_read(&work, store, err);
    if (rc == SW_OK)
        rc = control_finish(&work, result, err);
    sw__evidence_free(&work.evidence);
    return rc;
}

/* From an export. */

static int control_entries(control_work *work, sw__tiled *tiled, sw_error *err)
{
    int rc = SW_OK;
    for (int64_t i = 0; rc == SW_OK && i < work->base.checkpoint.size; i++) {
        sw_str bytes;
        sw_audit_entry entry = {0};
        const char *why = NULL;
        rc = sw__tiled_entry(tiled, i, &bytes, err);
        if (rc == SW_OK && !sw__entry_decode(bytes, &entry, &why))
            rc = sw__fail(err, SW_EAUDIT, "entry %lld cannot be read: %s", (long long)i + 1, why);
        if (rc == SW_OK)
            rc = sw__evidence_take(&work->evidence, &entry, err);
    }
    return rc;
}

static int control_read_export(control_work *work, sw__tiled *tiled, sw_error *err)
{
    size_t count = 0;
    int64_t *entry_nos = NULL;
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    int rc = sw__export_verify(sw__arena_env(work->arena), work->hasher, tiled->folder, work->trust,
                               sw__thread_processors(SW_AUDIT_JOBS_DEFAULT), &report, err);
    if (rc == SW_OK)
        rc = control_entries(work, tiled, err);
    if (rc < 0)
        return rc;
    sw__evidence_end(&work->evidence);
    rc = sw__control_sample(&work->evidence, &entry_nos, &count, err);
    if (rc == SW_OK && count > 0)
        rc = sw__prove_tiled_inclusion(tiled, work->arena, work->base.named->text, entry_nos, count,
                                       &work->proofs, err);
    work->proof_count = count;
    return rc;
}

int sw__control_make_export(const char *folder, sw__hasher *hasher, const sw_audit_trust *trust,
                            const sw_control_options *options, sw_result *result, sw_error *err)
{
    control_work work;
    sw__tiled tiled;
    control_begin(&work, trust, options, hasher, result->arena);
    int rc = sw__tiled_open(&tiled, sw__arena_env(result->arena), hasher, folder, err);
    if (rc == SW_OK)
        rc = sw__control_base_load(&work.base, trust, sw__buf_str(&tiled.note), hasher, work.arena,
                                   err);
    if (rc == SW_OK)
        rc = control_read_export(&work, &tiled, err);
    if (rc == SW_OK)
        rc = control_finish(&work, result, err);
    sw__tiled_close(&tiled);
    sw__evidence_free(&work.evidence);
    return rc;
}
