/* The events of the log against those that were to be appended, and against what was answered.
 * Not here: how lists tell of them (oracle_lists.c). */
#include <string.h>

#include "sim/oracle.h"

/* The tasks on the way through the log. */
typedef struct events_walk {
    int64_t newest[LEDGER_TASKS]; /* entry of each task */
    bool erased[LEDGER_TASKS];
} events_walk;

static void events_violate(const oracle *o, const char *rule, int number, const char *text)
{
    world_violate(o->l->world, rule, "row %d to task %d: %s", number,
                  o->l->stream.rows[number].task, text);
}

static bool events_same(sw_str a, sw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The log. */

static void events_check_entry(const oracle *o, int number, const sw_audit_entry *entry)
{
    stream_texts texts;
    sw_event_row row;
    stream_fill(o->l, number, &texts, &row);
    if (memcmp(&row.task_id, &entry->task_id, sizeof row.task_id) != 0)
        events_violate(o, "O15", number, "it is in the history of another task");
    if (!events_same(row.type, entry->subject) || !events_same(row.step, entry->step) ||
        !events_same(row.actor, entry->actor))
        events_violate(o, "O15", number, "its entry is not what was appended");
}

/* Of two rows with one key only one is written. */
static void events_check_key(const oracle *o, int number)
{
    const stream *s = &o->l->stream;
    const stream_row *row = &s->rows[number];
    for (int i = 0; row->key && i < s->row_count; i++) {
        if (i != number && o->found[i] && s->rows[i].key == row->key &&
            s->rows[i].task == row->task)
            events_violate(o, "O15", number, "its key was written before");
    }
}

static void events_take(oracle *o, const events_walk *walk, const sw_audit_entry *entry)
{
    int number = stream_find(&o->l->stream, entry);
    int index = oracle_find(o, &entry->task_id);
    if (number < 0 || index < 0) {
        world_violate(o->l->world, "O15", "entry %lld is an event that nobody appended",
                      (long long)entry->entry_no);
        return;
    }
    const stream_row *row = &o->l->stream.rows[number];
    events_check_entry(o, number, entry);
    events_check_key(o, number);
    if (o->found[number])
        events_violate(o, "O15", number, "it is in the log twice");
    if (row->expected && row->expected != walk->newest[index])
        events_violate(o, "O15", number, "it was appended at another version than it expects");
    if (walk->erased[index])
        events_violate(o, "O13", number, "it was appended to a task that was erased");
    if (row->step && o->replay.tasks[index].task &&
        row->step > o->replay.tasks[index].shape->step_count)
        events_violate(o, "O15", number, "it names a step that its task does not have");
    o->found[number] = entry->entry_no;
}

static void events_walk_log(oracle *o)
{
    events_walk walk = {0};
    for (size_t i = 0; i < o->entry_count; i++) {
        const sw_audit_entry *entry = &o->entries[i];
        int index = oracle_find(o, &entry->task_id);
        if (entry->kind == SW_AUDIT_EVENT)
            events_take(o, &walk, entry);
        if (index < 0)
            continue;
        walk.erased[index] = walk.erased[index] || entry->kind == SW_AUDIT_TASK_ERASED;
        walk.newest[index] = entry->entry_no;
    }
}

/* Answers. */

/* The version that was told was that of its task, and not one that was known to be over. */
static void events_check_version(const oracle *o, int number)
{
    bool there = false;
    const stream_row *row = &o->l->stream.rows[number];
    for (size_t i = 0; i < o->entry_count && row->task >= 0; i++) {
        const sw_audit_entry *entry = &o->entries[i];
        if (memcmp(&entry->task_id, &o->l->tasks[row->task].id, sizeof entry->task_id) != 0)
            continue;
        there = there || entry->entry_no == row->version;
        if (entry->entry_no > row->version && entry->entry_no <= row->seen)
            events_violate(o, "O15", number, "the version it was told had been over before");
    }
    if (!there)
        events_violate(o, "O15", number, "the version it was told is not one of its task");
}

static bool events_has_rival(const oracle *o, int number)
{
    const stream *s = &o->l->stream;
    for (int i = 0; i < s->row_count; i++) {
        if (i != number && o->found[i] && s->rows[i].key == s->rows[number].key &&
            s->rows[i].task == s->rows[number].task)
            return true;
    }
    return false;
}

static void events_check_refusal(const oracle *o, int number)
{
    const stream_row *row = &o->l->stream.rows[number];
    if (row->code == SW_ECONFLICT && !events_has_rival(o, number))
        events_violate(o, "O15", number, "its key was said to be in use, and is not");
    if (row->code != SW_ESTATE || row->task < 0 || !o->replay.tasks[row->task].task)
        return;
    if (!o->replay.tasks[row->task].erased &&
        row->step <= o->replay.tasks[row->task].shape->step_count)
        events_violate(o, "O15", number, "its task or step was said not to take it, and would");
}

static void events_check_row(const oracle *o, int number)
{
    const stream_row *row = &o->l->stream.rows[number];
    if (row->position && o->found[number] != row->position)
        events_violate(o, "O1", number, "an acknowledged append is not where it was said to be");
    if (!row->position && !row->doubted && o->found[number])
        events_violate(o, "O15", number, "it was refused, and is in the log");
    if (row->version)
        events_check_version(o, number);
    events_check_refusal(o, number);
}

/* Rows of one call that were never sent again: all of them are there, or none. */
static void events_check_whole(const oracle *o, int number)
{
    const stream *s = &o->l->stream;
    const stream_row *row = &s->rows[number];
    for (int i = number + 1; i < s->row_count; i++) {
        const stream_row *other = &s->rows[i];
        if (row->whole && other->call == row->call && row->sent == 1 && other->sent == 1 &&
            (o->found[i] == 0) != (o->found[number] == 0))
            events_violate(o, "O15", number, "its call was written in part");
    }
}

void oracle_check_events(oracle *o)
{
    events_walk_log(o);
    for (int i = 0; i < o->l->stream.row_count; i++) {
        if (o->l->stream.rows[i].sent == 0)
            continue;
        events_check_row(o, i);
        events_check_whole(o, i);
    }
}
