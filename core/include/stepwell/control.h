/* Control reports: what standards ask of a log, and which entries of the audit log answer it.
 *
 * Each control of a standard asks for a few kinds of evidence: who asked for each task, what
 * operators did and why, since when the log has been kept. Each kind is found, not found or not
 * applicable, with the numbers of the entries that are the evidence or speak against it, and proofs
 * of inclusion for a sample of them. A control is not found when one of its kinds is, not
 * applicable when all of them are, and found otherwise. What that means for an organisation, its
 * auditors decide.
 *
 *     sw_control_options options = SW_CONTROL_OPTIONS_INIT;
 *     options.format = SW_CONTROL_HTML;
 *     sw_control_report(engine, &trust, &options, &result, &err);
 *     sw_control_summaries(result, NULL)->text;
 *
 * Reports speak of what a signed checkpoint covers, and of nothing else: whoever has an export of
 * the log up to there checks every line anew (docs/examples/audit/verify_report.py and .rb). Equal
 * logs, checkpoints and options give equal bytes, from the database and from its export.
 * docs/reference/controls.md lists all controls and kinds of evidence.
 */
#ifndef STEPWELL_CONTROL_H
#define STEPWELL_CONTROL_H

#include "checkpoint.h"

#define SW_STANDARD_MAP(XX)                                                                        \
    XX(SOC2, 0, "soc2")                                                                            \
    XX(ISO27001, 1, "iso27001")                                                                    \
    XX(HIPAA, 2, "hipaa")                                                                          \
    XX(PCI, 3, "pci")                                                                              \
    XX(NIST, 4, "nist")                                                                            \
    XX(GDPR, 5, "gdpr")

typedef enum sw_standard {
#define SW_ENUM_VALUE(name, value, text) SW_STANDARD_##name = value,
    SW_STANDARD_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_STANDARD_COUNT = 6
} sw_standard;

/* Kinds of evidence. */
#define SW_EVIDENCE_MAP(XX)                                                                        \
    XX(INTEGRITY, 0, "integrity")                                                                  \
    XX(ANCHORED, 1, "anchored")                                                                    \
    XX(CLOCK, 2, "clock")                                                                          \
    XX(KEYS, 3, "keys")                                                                            \
    XX(EVENTS, 4, "events")                                                                        \
    XX(REQUESTS, 5, "requests")                                                                    \
    XX(OPERATORS, 6, "operators")                                                                  \
    XX(WORKERS, 7, "workers")                                                                      \
    XX(FAILURES, 8, "failures")                                                                    \
    XX(ANOMALIES, 9, "anomalies")                                                                  \
    XX(DEFINITIONS, 10, "definitions")                                                             \
    XX(PINNED, 11, "pinned")                                                                       \
    XX(PAYLOADS, 12, "payloads")                                                                   \
    XX(REMOVALS, 13, "removals")                                                                   \
    XX(ERASURES, 14, "erasures")                                                                   \
    XX(YEAR, 15, "year")                                                                           \
    XX(SIX_YEARS, 16, "six_years")

typedef enum sw_evidence {
#define SW_ENUM_VALUE(name, value, text) SW_EVIDENCE_##name = value,
    SW_EVIDENCE_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_EVIDENCE_COUNT = 17
} sw_evidence;

#define SW_ANSWER_MAP(XX)                                                                          \
    XX(NOT_APPLICABLE, 0, "not_applicable")                                                        \
    XX(NOT_FOUND, 1, "not_found")                                                                  \
    XX(FOUND, 2, "found")

typedef enum sw_answer {
#define SW_ENUM_VALUE(name, value, text) SW_ANSWER_##name = value,
    SW_ANSWER_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_ANSWER_COUNT = 3
} sw_answer;

/* JSON: with everything that a verifier needs. HTML: one page that loads nothing. */
#define SW_CONTROL_FORMAT_MAP(XX)                                                                  \
    XX(JSON, 0, "json")                                                                            \
    XX(MARKDOWN, 1, "markdown")                                                                    \
    XX(HTML, 2, "html")

typedef enum sw_control_format {
#define SW_ENUM_VALUE(name, value, text) SW_CONTROL_##name = value,
    SW_CONTROL_FORMAT_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_CONTROL_FORMAT_COUNT = 3
} sw_control_format;

/* One control, as sw_control_list knows it. */
typedef struct sw_control {
    int32_t standard; /* sw_standard */
    int32_t reserved;
    int64_t evidence; /* a set: 1 << sw_evidence; 0: the log of an engine cannot answer it */
    sw_str id;        /* as the standard numbers it: "10.2.1.2" */
    sw_str title;     /* in our words, as the question is */
    sw_str question;  /* what it asks of a log; without evidence: who can answer it */
} sw_control;

/* Which report. */
typedef struct sw_control_options {
    uint32_t size;
    int32_t format;    /* sw_control_format */
    int64_t standards; /* a set: 1 << sw_standard; 0: all */
    int64_t after_us;  /* entries written at this time or later; 0: from the first */
    int64_t before_us; /* before this time; 0: up to the checkpoint */
} sw_control_options;

#define SW_CONTROL_OPTIONS_INIT {.size = sizeof(sw_control_options)}

/* Numbers of a sample: all when there are five or fewer, else the first three and the last two. */
#define SW_SAMPLE_MAX 5

/* What there is of a kind of evidence. */
typedef struct sw_evidence_row {
    int32_t evidence;      /* sw_evidence */
    int32_t answer;        /* sw_answer */
    int64_t entry_count;   /* entries that are evidence */
    int64_t against_count; /* entries that speak against it */
    int64_t entry_nos[SW_SAMPLE_MAX];
    int64_t against_nos[SW_SAMPLE_MAX];
    int32_t entry_no_count;
    int32_t against_no_count;
} sw_evidence_row;

/* What its evidence says of a control. */
typedef struct sw_control_row {
    const sw_control *control;
    int32_t answer; /* sw_answer */
    int32_t reserved;
    const int64_t *entry_nos; /* the samples of its evidence, for it or against it, ascending */
    size_t entry_no_count;
} sw_control_row;

/* A whole report. */
typedef struct sw_control_summary {
    sw_str origin;       /* of the log */
    int64_t entry_count; /* that the checkpoint covers */
    int64_t window_count; /* of them, entries of the time that the report is about */
    int64_t as_of_us;    /* when the newest entry was written that the checkpoint covers */
    int32_t level;       /* sw_audit_level: SIGNED or ANCHORED */
    int32_t found;       /* controls by answer */
    int32_t not_found;
    int32_t not_applicable;
    sw_str text; /* in the format that was asked for */
} sw_control_summary;

/* Who signed a report. */
typedef struct sw_control_signature {
    sw_str name;        /* of the key */
    uint8_t digest[32]; /* SHA-256 of the report */
    sw_str note;        /* the signed text */
} sw_control_signature;

SW_BEGIN_DECLS

/* Names of the values above, "unknown" for any other number; the value of a name, SW_ENOTFOUND for
 * any other text.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_standard_name(int standard);
SW_API int sw_standard_find(sw_str text);
SW_API const char *sw_evidence_name(int evidence);
SW_API const char *sw_answer_name(int answer);
SW_API const char *sw_control_format_name(int format);
SW_API int sw_control_format_find(sw_str text);

/* Title of a standard with the edition that is cited ("PCI DSS v4.0.1"), and what a kind of
 * evidence asks; "unknown" for any other number.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_standard_title(int standard);
SW_API const char *sw_evidence_question(int evidence);

/* All controls, standard by standard. count may be NULL.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const sw_control *sw_control_list(size_t *count);

/* Make a report of the log up to the newest of trust's checkpoints and anchors, of which there must
 * be one. The log is verified first, as by sw_audit_verify_signed, and nothing is said of one that
 * does not verify. The result has one summary, a row for each control and one for each kind of
 * evidence.
 *
 * owns:    trust, options and their strings are borrowed until return; set trust->size and
 *          options->size first. *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads the log three times, however many controls there are.
 * errors:  SW_EINVAL (no checkpoint, a key, an option), SW_EAUDIT (the log does not verify),
 *          SW_EBUSY, SW_EIO, SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_control_report(sw_engine *engine, const sw_audit_trust *trust,
                             const sw_control_options *options, sw_result **out, sw_error *err);

/* The same from a folder that sw_audit_export wrote, up to its own checkpoint.
 *
 * owns:    folder, trust, options and their strings are borrowed until return; set trust->size and
 *          options->size first. *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk; reads the folder twice.
 * errors:  SW_EINVAL (a key, an option), SW_EAUDIT (the folder does not verify), SW_ENOTFOUND (no
 *          checkpoint there), SW_EACCESS, SW_EIO, SW_ENOMEM.
 */
SW_API int sw_control_report_export(sw_str folder, const sw_audit_trust *trust,
                                    const sw_control_options *options, sw_result **out,
                                    sw_error *err);

/* Sign a report, so that its readers can check who gave it: a C2SP signed note of its SHA-256. The
 * key may be any of sw_audit_keygen, best that of whoever answers for the report; what it signed
 * of a log stays as it is. The result has one signature.
 *
 * owns:    signing and text are borrowed until return; set signing->size first. *out is the
 *          caller's (sw_result_free).
 * threads: any thread, concurrently; one process at a time signs with a key.
 * blocks:  disk, and as long as sign does.
 * errors:  those of sw_audit_seal_with that are about the key.
 */
SW_API int sw_control_sign(const sw_audit_signing *signing, sw_str text, sw_result **out,
                           sw_error *err);

/* Check that a report is the one that was signed, by one of the keys. The result has one signature.
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EAUDIT (it is not; the message says why), SW_EINVAL (a key cannot be read, err->row),
 *          SW_ENOMEM.
 */
SW_API int sw_control_check(const sw_str *keys, size_t key_count, sw_str text, sw_str note,
                            sw_result **out, sw_error *err);

/* Rows of a result of sw_control_report and sw_control_report_export; of sw_control_sign and
 * sw_control_check.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_control_summary *sw_control_summaries(const sw_result *result, size_t *count);
SW_API const sw_control_row *sw_control_rows(const sw_result *result, size_t *count);
SW_API const sw_evidence_row *sw_evidence_rows(const sw_result *result, size_t *count);
SW_API const sw_control_signature *sw_control_signatures(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
