/* Controls: the list of them, and what evidence answers them. Not here: how evidence is collected
 * (control_evidence.c), and how a report looks (control_json.c, control_markdown.c,
 * control_html.c). */
#include "audit/control.h"

#include <stdlib.h>
#include <string.h>

#include "audit/control_list.h"
#include "base/error.h"
#include "base/str.h"

#define CONTROL_ROW(of, number, name, asks, kinds)                                                 \
    {.standard = SW_STANDARD_##of,                                                                 \
     .evidence = (kinds),                                                                          \
     .id = SW__LIT(number),                                                                        \
     .title = SW__LIT(name),                                                                       \
     .question = SW__LIT(asks)},

static const sw_control control_table[] = {SW__CONTROL_LIST(CONTROL_ROW)};

#define CONTROL_COUNT (sizeof(control_table) / sizeof(control_table[0]))

const sw_control *sw_control_list(size_t *count)
{
    if (count)
        *count = CONTROL_COUNT;
    return control_table;
}

#define CONTROL_TITLE_CASE(name, title)                                                            \
    case SW_STANDARD_##name:                                                                       \
        return title;

const char *sw_standard_title(int standard)
{
    switch (standard) {
        SW__STANDARD_LIST(CONTROL_TITLE_CASE)
    default:
        return "unknown";
    }
}

/* Answers. */

static int control_answer(const sw__evidence *evidence, const sw_control *control)
{
    int answer = SW_ANSWER_NOT_APPLICABLE;
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        if (!(control->evidence >> kind & 1))
            continue;
        if (evidence->rows[kind].answer == SW_ANSWER_NOT_FOUND)
            return SW_ANSWER_NOT_FOUND;
        if (evidence->rows[kind].answer == SW_ANSWER_FOUND)
            answer = SW_ANSWER_FOUND;
    }
    return answer;
}

static int control_by_number(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;
    return (*left > *right) - (*left < *right);
}

/* The samples of a set of kinds of evidence, ascending, each number once. */
static int control_sample(const sw__evidence *evidence, int64_t kinds, int64_t **entry_nos,
                          size_t *count, sw_error *err)
{
    size_t all = 0;
    int64_t numbers[2 * SW_SAMPLE_MAX * SW_EVIDENCE_COUNT];
    *count = 0;
    for (int kind = 0; kind < SW_EVIDENCE_COUNT; kind++) {
        const sw_evidence_row *row = &evidence->rows[kind];
        if (!(kinds >> kind & 1))
            continue;
        for (int32_t i = 0; i < row->entry_no_count; i++)
            numbers[all++] = row->entry_nos[i];
        for (int32_t i = 0; i < row->against_no_count; i++)
            numbers[all++] = row->against_nos[i];
    }
    qsort(numbers, all, sizeof(numbers[0]), control_by_number);
    *entry_nos = sw__arena_array(evidence->arena, all, sizeof(**entry_nos));
    if (!*entry_nos)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < all; i++) {
        if (i == 0 || numbers[i] != numbers[i - 1])
            (*entry_nos)[(*count)++] = numbers[i];
    }
    return SW_OK;
}

static bool control_wanted(const sw__evidence *evidence, const sw_control *control)
{
    int64_t standards = evidence->options->standards;
    return standards == 0 || (standards >> control->standard & 1);
}

int sw__control_answer(const sw__evidence *evidence, sw_control_row **rows, size_t *count,
                       sw_control_summary *summary, sw_error *err)
{
    int rc = SW_OK;
    *count = 0;
    *rows = sw__arena_array(evidence->arena, CONTROL_COUNT, sizeof(**rows));
    if (!*rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < CONTROL_COUNT; i++) {
        int64_t *entry_nos = NULL;
        const sw_control *control = &control_table[i];
        if (!control_wanted(evidence, control))
            continue;
        sw_control_row *row = &(*rows)[(*count)++];
        row->control = control;
        row->answer = control_answer(evidence, control);
        rc = control_sample(evidence, control->evidence, &entry_nos, &row->entry_no_count, err);
        row->entry_nos = entry_nos;
        summary->found += row->answer == SW_ANSWER_FOUND;
        summary->not_found += row->answer == SW_ANSWER_NOT_FOUND;
        summary->not_applicable += row->answer == SW_ANSWER_NOT_APPLICABLE;
    }
    return rc;
}

int sw__control_sample(const sw__evidence *evidence, int64_t **entry_nos, size_t *count,
                       sw_error *err)
{
    return control_sample(evidence, INT64_MAX, entry_nos, count, err);
}

/* What the report is based on. */

static int control_by_size(const void *a, const void *b)
{
    const sw__control_note *left = a;
    const sw__control_note *right = b;
    if (left->entry_count != right->entry_count)
        return (left->entry_count > right->entry_count) - (left->entry_count < right->entry_count);
    if (left->time_us != right->time_us)
        return (left->time_us > right->time_us) - (left->time_us < right->time_us);
    return sw__str_compare(left->text, right->text);
}

/* The checkpoint that was read from a text; a trust that was loaded has one of each. */
static const sw__checkpoint *control_find(const sw__trust *trust, sw_str text)
{
    const sw__checkpoint *row = trust->rows;
    while (row->origin.ptr != text.ptr)
        row++;
    return row;
}

/* A checkpoint that was given twice counts once. */
static bool control_is_known(const sw__control_base *base, sw_str text)
{
    for (size_t i = 0; i < base->count; i++) {
        if (!base->notes[i].place.ptr && sw__str_equal(base->notes[i].text, text))
            return true;
    }
    return false;
}

static void control_add(sw__control_base *base, const sw__trust *trust, sw_str text, sw_str place)
{
    const sw__checkpoint *row = control_find(trust, text);
    if (!place.ptr && control_is_known(base, text))
        return;
    base->notes[base->count++] = (sw__control_note){
        .text = text,
        .place = place,
        .entry_count = row->size,
        .time_us = row->anchored_us,
        .successor = row->successor.ptr != NULL,
    };
    if (row->anchored_us > 0 && row->size > base->anchored)
        base->anchored = row->size;
}

/* Trust with the folder's own checkpoint behind those that were given. Each text is a copy, so that
 * where it lies says which one it is. */
static int control_gather(const sw_audit_trust *given, sw_str own, sw__arena *arena,
                          sw_audit_trust *all, sw_error *err)
{
    *all = *given;
    sw_str *texts = sw__arena_array(arena, given->checkpoint_count + 1, sizeof(*texts));
    sw_audit_anchor *anchors = sw__arena_array(arena, given->anchor_count, sizeof(*anchors));
    if (!texts || !anchors)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < given->checkpoint_count; i++)
        texts[i] = sw__arena_str(arena, given->checkpoints[i]);
    if (own.ptr)
        texts[all->checkpoint_count++] = sw__arena_str(arena, own);
    for (size_t i = 0; i < given->anchor_count; i++) {
        anchors[i] = given->anchors[i];
        anchors[i].note = sw__arena_str(arena, given->anchors[i].note);
    }
    all->checkpoints = texts;
    all->anchors = anchors;
    if (sw__arena_failed(arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    return all->checkpoint_count + all->anchor_count > 0
               ? SW_OK
               : sw__fail(err, SW_EINVAL, "a report needs a checkpoint to speak of");
}

static int control_notes(sw__control_base *base, const sw_audit_trust *all, const sw__trust *trust,
                         sw__arena *arena, sw_error *err)
{
    base->notes = sw__arena_array(arena, trust->count, sizeof(*base->notes));
    if (!base->notes)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < all->checkpoint_count; i++)
        control_add(base, trust, all->checkpoints[i], (sw_str){NULL, 0});
    for (size_t i = 0; i < all->anchor_count; i++)
        control_add(base, trust, all->anchors[i].note, all->anchors[i].place);
    qsort(base->notes, base->count, sizeof(*base->notes), control_by_size);
    base->named = &base->notes[base->count - 1];
    for (size_t i = 0; i < base->count; i++) {
        if (base->notes[i].entry_count == base->named->entry_count) {
            base->named = &base->notes[i];
            break;
        }
    }
    base->checkpoint = *control_find(trust, base->named->text);
    return base->checkpoint.size > 0
               ? SW_OK
               : sw__fail(err, SW_EINVAL, "the checkpoint covers no entry to speak of");
}

int sw__control_base_load(sw__control_base *base, const sw_audit_trust *given, sw_str own,
                          sw__hasher *hasher, sw__arena *arena, sw_error *err)
{
    sw_audit_trust all;
    sw__trust trust;
    sw__doubt doubt = {0};
    *base = (sw__control_base){0};
    int rc = control_gather(given, own, arena, &all, err);
    if (rc == SW_OK)
        rc = sw__trust_load(&trust, &all, hasher, arena, &doubt, err);
    if (rc < 0)
        return doubt.raised ? sw__fail(err, SW_EAUDIT, "%s", doubt.message) : rc;
    return control_notes(base, &all, &trust, arena, err);
}

#undef CONTROL_ROW
#undef CONTROL_COUNT
#undef CONTROL_TITLE_CASE
