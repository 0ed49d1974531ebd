/* Control reports: collecting evidence from entries, answering controls by it, and writing it down
 * in three formats. */
#ifndef SW_AUDIT_CONTROL_H
#define SW_AUDIT_CONTROL_H

#include "audit/trust.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/result.h"
#include "stepwell/control.h"
#include "stepwell/proof.h"

/* A checkpoint that the report is based on. */
typedef struct sw__control_note {
    sw_str text;
    sw_str place; /* of an anchor; absent for a checkpoint that was given */
    int64_t entry_count;
    int64_t time_us; /* when it was set outside; 0: it is no anchor, 1: nobody says */
    bool successor;  /* it names the next key */
} sw__control_note;

/* The checkpoints, by size, and the one that the report speaks of. */
typedef struct sw__control_base {
    sw__control_note *notes;
    size_t count;
    const sw__control_note *named;
    sw__checkpoint checkpoint; /* as it says */
    int64_t anchored;          /* entries that an anchor covers */
} sw__control_base;

/* What one reading of the log collects; entries come in their order, the first one first. */
typedef struct sw__evidence {
    const sw_control_options *options;
    const sw__control_base *base;
    sw__arena *arena;
    sw__strmap definitions; /* hex digests of those registered so far */
    size_t next;            /* the first note that is of no entry so far */
    int64_t began_us;       /* of the first entry */
    int64_t as_of_us;       /* of the newest */
    int64_t until_us;       /* of the newest one before the end of the time */
    int64_t window_count;
    sw_evidence_row rows[SW_EVIDENCE_COUNT];
} sw__evidence;

/* Everything that a rendering writes down. */
typedef struct sw__control_page {
    const sw_control_options *options;
    const sw__control_base *base;
    const sw__evidence *evidence;
    const sw_control_summary *summary;
    const sw_control_row *controls;
    size_t control_count;
    const sw_audit_proof *proofs; /* of the sample, ascending */
    size_t proof_count;
} sw__control_page;

/* Read trust: errors are those of sw_control_report. own is the checkpoint of a folder, or absent.
 * What texts point into must outlive the base. */
int sw__control_base_load(sw__control_base *base, const sw_audit_trust *trust, sw_str own,
                          sw__hasher *hasher, sw__arena *arena, sw_error *err);

void sw__evidence_init(sw__evidence *evidence, const sw_control_options *options,
                       const sw__control_base *base, sw__arena *arena);
void sw__evidence_free(sw__evidence *evidence);
/* The next entry; 0 or SW_ENOMEM. */
int sw__evidence_take(sw__evidence *evidence, const sw_audit_entry *entry, sw_error *err);
/* After the last entry. */
void sw__evidence_end(sw__evidence *evidence);
/* Why the answer is not "found", or NULL. */
const char *sw__evidence_reason(const sw_evidence_row *row);

/* A row for each control of the standards, in the arena; the counts of the summary. SW_ENOMEM. */
int sw__control_answer(const sw__evidence *evidence, sw_control_row **rows, size_t *count,
                       sw_control_summary *summary, sw_error *err);
/* All entries of the samples, ascending, in the arena. SW_ENOMEM. */
int sw__control_sample(const sw__evidence *evidence, int64_t **entry_nos, size_t *count,
                       sw_error *err);

/* Inside a read transaction, and from a folder: the sections of a report in result. errors: those of
 * sw_control_report and sw_control_report_export. */
int sw__control_make(sw__store *store, sw__hasher *hasher, const sw_audit_trust *trust,
                     const sw_control_options *options, sw_result *result, sw_error *err);
int sw__control_make_export(const char *folder, sw__hasher *hasher, const sw_audit_trust *trust,
                            const sw_control_options *options, sw_result *result, sw_error *err);

/* Sign a report with the key in a file, and check a signature. errors: those of sw_control_sign and
 * sw_control_check. */
int sw__control_sign(const char *file, sw__hasher *hasher, const sw_audit_signing *signing,
                     sw_str report, sw_result *result, sw_error *err);
int sw__control_check(const sw_str *keys, size_t count, sw__hasher *hasher, sw_str report,
                      sw_str note, sw_result *result, sw_error *err);

/* Append the report in the format of the options; a failure is in the buffer. */
void sw__control_put(sw__buf *buf, const sw__control_page *page);
void sw__control_put_json(sw__buf *buf, const sw__control_page *page);
void sw__control_put_markdown(sw__buf *buf, const sw__control_page *page);
void sw__control_put_html(sw__buf *buf, const sw__control_page *page);
/* "found", "not found" or "not applicable", for people. */
const char *sw__control_words(int answer);
/* What an entry is about: "step_changed: ready to running". */
void sw__control_put_what(sw__buf *buf, const sw_audit_entry *entry);
/* The lines of a proof up to the empty one; the checkpoint is behind it. */
sw_str sw__control_proof_head(sw_str proof);
/* "since ... until ..." */
void sw__control_put_window(sw__buf *buf, const sw__control_page *page);

#endif
