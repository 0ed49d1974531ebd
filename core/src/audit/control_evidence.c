/* Collecting evidence: every entry is judged once, for all kinds of evidence together. What an
 * entry shows is decided here and, independently, in docs/examples/audit/verify_report.py and .rb.
 */
#include "audit/control.h"
#include "audit/control_list.h"
#include "base/error.h"
#include "base/hex.h"

#define EVIDENCE_SECOND_US INT64_C(1000000)
#define EVIDENCE_DAY_US (INT64_C(86400) * EVIDENCE_SECOND_US)
#define EVIDENCE_YEAR_DAYS 365
#define EVIDENCE_SIX_YEARS_DAYS 2192
#define EVIDENCE_HEX_SIZE 64

typedef struct evidence_words {
    int32_t answer; /* when there is no entry */
    const char *question;
    const char *none;
    const char *against;
} evidence_words;

#define EVIDENCE_WORDS(name, answer, question, none, against)                                      \
    [SW_EVIDENCE_##name] = {SW_ANSWER_##answer, question, none, against},

static const evidence_words evidence_table[SW_EVIDENCE_COUNT] = {SW__EVIDENCE_LIST(EVIDENCE_WORDS)};

const char *sw_evidence_question(int evidence)
{
    if (evidence < 0 || evidence >= SW_EVIDENCE_COUNT)
        return "unknown";
    return evidence_table[evidence].question;
}

const char *sw__evidence_reason(const sw_evidence_row *row)
{
    const evidence_words *words = &evidence_table[row->evidence];
    if (row->answer == SW_ANSWER_FOUND)
        return NULL;
    return row->against_count > 0 ? words->against : words->none;
}

void sw__evidence_init(sw__evidence *evidence, const sw_control_options *options,
                       const sw__control_base *base, sw__arena *arena)
{
    *evidence = (sw__evidence){.options = options, .base = base, .arena = arena};
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++)
        evidence->rows[kind].evidence = kind;
    sw__strmap_init(&evidence->definitions, sw__arena_env(arena));
}

void sw__evidence_free(sw__evidence *evidence)
{
    sw__strmap_free(&evidence->definitions);
}

/* The first numbers stay, the last two move on. */
static void evidence_sample(int64_t nos[SW_SAMPLE_MAX], int32_t *count, int64_t entry_no)
{
    if (*count < SW_SAMPLE_MAX) {
        nos[(*count)++] = entry_no;
        return;
    }
    nos[SW_SAMPLE_MAX - 2] = nos[SW_SAMPLE_MAX - 1];
    nos[SW_SAMPLE_MAX - 1] = entry_no;
}

static void evidence_put(sw__evidence *evidence, int kind, const sw_audit_entry *entry, bool good)
{
    sw_evidence_row *row = &evidence->rows[kind];
    if (good) {
        row->entry_count++;
        evidence_sample(row->entry_nos, &row->entry_no_count, entry->entry_no);
    } else {
        row->against_count++;
        evidence_sample(row->against_nos, &row->against_no_count, entry->entry_no);
    }
}

static void evidence_hex(sw_str digest, char hex[EVIDENCE_HEX_SIZE])
{
    for (size_t i = 0; i < digest.len && i < EVIDENCE_HEX_SIZE / 2; i++)
        sw__hex_put((uint8_t)digest.ptr[i], &hex[2 * i]);
}

/* A definition is known from its entry on. */
static int evidence_register(sw__evidence *evidence, const sw_audit_entry *entry, sw_error *err)
{
    char hex[EVIDENCE_HEX_SIZE];
    sw_str key = {hex, sizeof(hex)};
    if (entry->digest.len != EVIDENCE_HEX_SIZE / 2)
        return SW_OK;
    evidence_hex(entry->digest, hex);
    if (sw__strmap_find(&evidence->definitions, key))
        return SW_OK;
    key = sw__arena_str(evidence->arena, key);
    return key.ptr && sw__strmap_put(&evidence->definitions, key, entry->entry_no) == SW_OK
               ? SW_OK
               : sw__fail(err, SW_ENOMEM, NULL);
}

/* Checkpoints of which this is the newest entry: do their times agree, do they hand over a key? */
static void evidence_checkpoints(sw__evidence *evidence, const sw_audit_entry *entry)
{
    bool timed = false;
    bool later = false;
    bool handed = false;
    const sw__control_base *base = evidence->base;
    for (;
         evidence->next < base->count && base->notes[evidence->next].entry_count <= entry->entry_no;
         evidence->next++) {
        const sw__control_note *note = &base->notes[evidence->next];
        if (note->entry_count < entry->entry_no)
            continue;
        handed = handed || note->successor;
        timed = timed || note->time_us > 1;
        /* Places tell whole seconds. */
        later = later || (note->time_us > 1 &&
                          entry->time_us / EVIDENCE_SECOND_US > note->time_us / EVIDENCE_SECOND_US);
    }
    if (timed)
        evidence_put(evidence, SW_EVIDENCE_CLOCK, entry, !later);
    if (handed)
        evidence_put(evidence, SW_EVIDENCE_KEYS, entry, true);
}

static void evidence_operator(sw__evidence *evidence, const sw_audit_entry *entry)
{
    if (entry->actor.len > 0)
        evidence_put(evidence, SW_EVIDENCE_OPERATORS, entry, entry->reason.len > 0);
}

static void evidence_task(sw__evidence *evidence, const sw_audit_entry *entry)
{
    evidence_put(evidence, SW_EVIDENCE_EVENTS, entry, true);
    evidence_operator(evidence, entry);
    if (entry->to == SW_TASK_FAILED)
        evidence_put(evidence, SW_EVIDENCE_FAILURES, entry, true);
}

/* An attempt that failed has the class of its error, whatever becomes of the step. */
static void evidence_step(sw__evidence *evidence, const sw_audit_entry *entry)
{
    evidence_put(evidence, SW_EVIDENCE_EVENTS, entry, true);
    evidence_operator(evidence, entry);
    if (entry->to == SW_STEP_RUNNING)
        evidence_put(evidence, SW_EVIDENCE_WORKERS, entry, entry->worker_id > 0);
    if (entry->to == SW_STEP_FAILED || entry->subject.len > 0)
        evidence_put(evidence, SW_EVIDENCE_FAILURES, entry, true);
    if (entry->digest.len > 0)
        evidence_put(evidence, SW_EVIDENCE_PAYLOADS, entry, true);
}

static void evidence_submit(sw__evidence *evidence, const sw_audit_entry *entry)
{
    bool known =
        entry->subject.len > 0 && sw__strmap_find(&evidence->definitions, entry->subject) != NULL;
    evidence_put(evidence, SW_EVIDENCE_REQUESTS, entry, entry->actor.len > 0);
    evidence_put(evidence, SW_EVIDENCE_PINNED, entry, known);
    if (entry->digest.len > 0)
        evidence_put(evidence, SW_EVIDENCE_PAYLOADS, entry, true);
}

static void evidence_judge(sw__evidence *evidence, const sw_audit_entry *entry)
{
    evidence_put(evidence, SW_EVIDENCE_ANCHORED, entry,
                 entry->entry_no <= evidence->base->anchored);
    switch (entry->kind) {
    case SW_AUDIT_WORKFLOW_REGISTERED:
        evidence_put(evidence, SW_EVIDENCE_DEFINITIONS, entry, entry->digest.len > 0);
        break;
    case SW_AUDIT_TASK_SUBMITTED:
        evidence_submit(evidence, entry);
        break;
    case SW_AUDIT_TASK_CHANGED:
        evidence_task(evidence, entry);
        break;
    case SW_AUDIT_STEP_CHANGED:
        evidence_step(evidence, entry);
        break;
    case SW_AUDIT_STEP_FENCED:
    case SW_AUDIT_WORKER_LOST:
        evidence_put(evidence, SW_EVIDENCE_ANOMALIES, entry, true);
        break;
    case SW_AUDIT_BREAKER_CHANGED:
        evidence_put(evidence, SW_EVIDENCE_ANOMALIES, entry, true);
        evidence_operator(evidence, entry);
        break;
    case SW_AUDIT_TASK_ERASED:
        evidence_put(evidence, SW_EVIDENCE_ERASURES, entry,
                     entry->actor.len > 0 && entry->reason.len > 0);
        evidence_put(evidence, SW_EVIDENCE_REMOVALS, entry, true);
        evidence_operator(evidence, entry);
        break;
    case SW_AUDIT_TASK_PRUNED:
        evidence_put(evidence, SW_EVIDENCE_REMOVALS, entry, true);
        evidence_operator(evidence, entry);
        break;
    default:
        break;
    }
}

int sw__evidence_take(sw__evidence *evidence, const sw_audit_entry *entry, sw_error *err)
{
    const sw_control_options *options = evidence->options;
    bool ended = options->before_us > 0 && entry->time_us >= options->before_us;
    if (entry->entry_no == 1)
        evidence->began_us = entry->time_us;
    evidence->as_of_us = entry->time_us;
    evidence_put(evidence, SW_EVIDENCE_INTEGRITY, entry, true);
    evidence_checkpoints(evidence, entry);
    if (entry->kind == SW_AUDIT_WORKFLOW_REGISTERED && evidence_register(evidence, entry, err) < 0)
        return SW_ENOMEM;
    if (ended)
        return SW_OK;
    evidence->until_us = entry->time_us;
    evidence_put(evidence, SW_EVIDENCE_YEAR, entry, true);
    evidence_put(evidence, SW_EVIDENCE_SIX_YEARS, entry, true);
    if (entry->time_us < options->after_us)
        return SW_OK;
    evidence->window_count++;
    evidence_judge(evidence, entry);
    return SW_OK;
}

void sw__evidence_end(sw__evidence *evidence)
{
    int64_t kept_us = evidence->until_us - evidence->began_us;
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        sw_evidence_row *row = &evidence->rows[kind];
        row->answer = row->against_count > 0 ? SW_ANSWER_NOT_FOUND
                      : row->entry_count > 0 ? SW_ANSWER_FOUND
                                             : evidence_table[kind].answer;
    }
    if (kept_us < EVIDENCE_YEAR_DAYS * EVIDENCE_DAY_US)
        evidence->rows[SW_EVIDENCE_YEAR].answer = SW_ANSWER_NOT_FOUND;
    if (kept_us < EVIDENCE_SIX_YEARS_DAYS * EVIDENCE_DAY_US)
        evidence->rows[SW_EVIDENCE_SIX_YEARS].answer = SW_ANSWER_NOT_FOUND;
}

#undef EVIDENCE_SECOND_US
#undef EVIDENCE_DAY_US
#undef EVIDENCE_YEAR_DAYS
#undef EVIDENCE_SIX_YEARS_DAYS
#undef EVIDENCE_HEX_SIZE
#undef EVIDENCE_WORDS
