/* Rows of events and folds of them; see stream.h. */
#include "sim/stream.h"

#include <stdio.h>
#include <string.h>

#include "sim/ledger.h"

#define STREAM_ONCE_IN 3 /* runs: those with events take half as long again */
#define STREAM_PRIME INT64_C(2147483647)

void stream_draw(stream *s, choice *c)
{
    if (!choice_once_in(c, CHOICE_WORKLOAD, STREAM_ONCE_IN))
        return;
    s->appenders = 1 + choice_once_in(c, CHOICE_WORKLOAD, 2);
    s->folders = (int)choice_draw(c, CHOICE_WORKLOAD, 3);
    s->own_types = choice_once_in(c, CHOICE_WORKLOAD, 2);
}

/* Rows. */

sw_str stream_type(int type)
{
    static const sw_str types[STREAM_TYPES] = {
        {"order.placed", 12}, {"order.paid", 10}, {"note", 4}};
    return types[type];
}

static void stream_write(const stream_row *row, int number, stream_texts *texts)
{
    snprintf(texts->data, sizeof texts->data, "{\"n\":\"event-%03d\"}", number);
    snprintf(texts->key, sizeof texts->key, "k%d", row->key % 100);
    snprintf(texts->reason, sizeof texts->reason, "row %03d", number);
    texts->step[0] = row->step ? (char)('a' + row->step - 1) : '\0';
    texts->step[1] = '\0';
}

void stream_fill(const ledger *l, int number, stream_texts *texts, sw_event_row *row)
{
    const stream_row *asked = &l->stream.rows[number];
    stream_write(asked, number, texts);
    *row = (sw_event_row){
        .type = stream_type(asked->type),
        .actor = LIT(STREAM_ACTOR),
        .reason = {texts->reason, strlen(texts->reason)},
        .expected_version = asked->expected,
    };
    memset(&row->task_id, 0x5a, sizeof row->task_id);
    if (asked->task != STREAM_NOBODY)
        row->task_id = l->tasks[asked->task].id;
    if (!asked->bare)
        row->data = (sw_str){texts->data, strlen(texts->data)};
    if (asked->key)
        row->key = (sw_str){texts->key, strlen(texts->key)};
    if (asked->step)
        row->step = (sw_str){texts->step, 1};
    if (asked->correlated)
        row->correlation_id = LIT(STREAM_CORRELATION);
}

int stream_find(const stream *s, const sw_audit_entry *entry)
{
    char copy[16];
    int number = 0;
    int end = 0;
    if (entry->reason.len >= sizeof copy || !entry->reason.ptr)
        return -1;
    memcpy(copy, entry->reason.ptr, entry->reason.len);
    copy[entry->reason.len] = '\0';
    if (sscanf(copy, "row %3d%n", &number, &end) != 1 || (size_t)end != entry->reason.len)
        return -1;
    return number >= 0 && number < s->row_count && s->rows[number].sent > 0 ? number : -1;
}

bool stream_has_rival(const stream *s, int number)
{
    const stream_row *row = &s->rows[number];
    for (int i = 0; i < s->row_count; i++) {
        if (i != number && s->rows[i].sent > 0 && s->rows[i].key == row->key &&
            s->rows[i].task == row->task)
            return true;
    }
    return false;
}

/* What is known. */

void stream_see(stream *s, int64_t position)
{
    s->seen = position > s->seen ? position : s->seen;
}

int64_t stream_may_forget(stream *s)
{
    s->forgettable = true;
    return s->epoch;
}

bool stream_saved(stream *s, int64_t epoch, int64_t from, int64_t to)
{
    for (int i = 0; i < s->save_count; i++) {
        const stream_save *other = &s->saves[i];
        if (other->epoch == epoch && from < other->to && other->from < to)
            return false;
    }
    if (s->save_count < STREAM_SAVES)
        s->saves[s->save_count++] = (stream_save){epoch, from, to};
    return true;
}

int64_t stream_saved_to(const stream *s, int saves, int64_t epoch)
{
    int64_t to = 0;
    for (int i = 0; i < saves; i++) {
        if (s->saves[i].epoch == epoch && s->saves[i].to > to)
            to = s->saves[i].to;
    }
    return to;
}

/* Folds. */

void stream_fold_add(stream_fold *fold, const sw_audit_entry *entry)
{
    fold->events++;
    fold->digest = (fold->digest * 31 + entry->entry_no * 64 + entry->kind) % STREAM_PRIME;
}

sw_str stream_fold_write(const stream_fold *fold, char text[64])
{
    int size = snprintf(text, 64, "{\"events\":%lld,\"digest\":%lld}", (long long)fold->events,
                        (long long)fold->digest);
    return (sw_str){text, (size_t)size};
}

bool stream_fold_read(sw_str text, stream_fold *fold)
{
    char copy[64];
    long long events = 0;
    long long digest = 0;
    int end = 0;
    *fold = (stream_fold){0};
    if (!text.ptr)
        return true;
    if (text.len >= sizeof copy)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (sscanf(copy, "{\"events\":%lld,\"digest\":%lld}%n", &events, &digest, &end) != 2 ||
        (size_t)end != text.len)
        return false;
    *fold = (stream_fold){events, digest};
    return true;
}

bool stream_folds(const stream *s, const sw_audit_entry *entry)
{
    return !s->own_types || entry->kind == SW_AUDIT_EVENT;
}
