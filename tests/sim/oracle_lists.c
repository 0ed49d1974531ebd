/* What lists of events say, against the log and against what was appended: which events, in which
 * order, and with which payloads; and lists of the tasks that a task has started. */
#include <string.h>

#include "sim/oracle.h"

/* A list of events, and which entries belong on it. */
typedef struct lists_ask {
    sw_event_filter filter;
    bool (*is)(const oracle *o, const sw_audit_entry *entry, int which);
    int which;
    const char *name;
} lists_ask;

static void lists_violate(const oracle *o, const char *rule, int64_t entry_no, const char *text)
{
    world_violate(o->l->world, rule, "event %lld: %s", (long long)entry_no, text);
}

static bool lists_same(sw_str a, sw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Payloads. */

static void lists_check_appended(const oracle *o, const sw_event *event, bool bare)
{
    stream_texts texts;
    sw_event_row row;
    int number = stream_find(&o->l->stream, &event->entry);
    if (number < 0)
        return;
    stream_fill(o->l, number, &texts, &row);
    if (bare)
        row.data = row.key = row.correlation_id = (sw_str){0};
    if (!lists_same(event->data, row.data) || !lists_same(event->key, row.key) ||
        !lists_same(event->correlation_id, row.correlation_id))
        lists_violate(o, bare ? "O13" : "O15", event->entry.entry_no,
                      bare ? "it has a payload after it was erased or pruned"
                           : "it has not the payload that was appended");
    if (!lists_same(event->type, row.type))
        lists_violate(o, "O15", event->entry.entry_no, "it has another type");
}

/* The result of the attempt that committed, unless another one has replaced it. */
static void lists_check_result(const oracle *o, int index, const sw_event *event, bool bare)
{
    char text[64];
    const sw_audit_entry *entry = &event->entry;
    const replay_task *task = &o->replay.tasks[index];
    int step = ledger_step_index(entry->step);
    bool newest = task->task && step >= 0 && task->steps[step].state == SW_STEP_SUCCEEDED &&
                  task->steps[step].epoch == entry->epoch;
    sw_str result = ledger_result(text, entry->step_id, entry->epoch);
    if (event->data.ptr && (bare || !lists_same(event->data, result)))
        lists_violate(o, bare ? "O13" : "O8", entry->entry_no,
                      "it has a result that is not its own");
    if (!event->data.ptr && newest && !bare)
        lists_violate(o, "O8", entry->entry_no, "its result is not told");
}

static void lists_check_payload(const oracle *o, const sw_event *event)
{
    int index = oracle_find(o, &event->entry.task_id);
    if (index < 0)
        return;
    bool bare = oracle_is_bare(o, index);
    const char *input = o->l->tasks[index].input;
    if (event->entry.kind == SW_AUDIT_EVENT)
        lists_check_appended(o, event, bare);
    if (event->entry.kind == SW_AUDIT_STEP_CHANGED && event->entry.to == SW_STEP_SUCCEEDED)
        lists_check_result(o, index, event, bare);
    if (event->entry.kind == SW_AUDIT_TASK_SUBMITTED &&
        !lists_same(event->data, bare ? (sw_str){0} : (sw_str){input, strlen(input)}))
        lists_violate(o, "O8", event->entry.entry_no, "it has not the input of its task");
}

/* Pages. */

static bool lists_is_wanted(const oracle *o, const lists_ask *ask, const sw_audit_entry *entry)
{
    const sw_event_filter *filter = &ask->filter;
    return entry->entry_no > filter->after &&
           (filter->before == 0 || entry->entry_no < filter->before) &&
           ask->is(o, entry, ask->which);
}

/* The number of the next entry that belongs on the list, 0: none. */
static int64_t lists_next(const oracle *o, const lists_ask *ask)
{
    for (size_t i = 0; i < o->entry_count; i++) {
        size_t at = ask->filter.newest_first ? o->entry_count - 1 - i : i;
        if (lists_is_wanted(o, ask, &o->entries[at]))
            return o->entries[at].entry_no;
    }
    return 0;
}

/* One page; the filter is put behind it. False: it was the last one. */
static bool lists_check_page(oracle *o, lists_ask *ask)
{
    size_t count = 0;
    sw_result *result = NULL;
    int rc = sw_event_list(o->engine, &ask->filter, &result, &o->error);
    const sw_event *events = sw_events(result, &count);
    for (size_t i = 0; i < count; i++) {
        int64_t entry_no = events[i].entry.entry_no;
        if (entry_no != lists_next(o, ask))
            lists_violate(o, "O8", entry_no, ask->name);
        lists_check_payload(o, &events[i]);
        if (ask->filter.newest_first)
            ask->filter.before = entry_no;
        else
            ask->filter.after = entry_no;
    }
    sw_result_free(result);
    bool more = rc == 0 && (int64_t)count == ask->filter.limit;
    if (rc == 0 && !more && lists_next(o, ask) != 0)
        lists_violate(o, "O8", lists_next(o, ask), ask->name);
    if (rc == SW_EAUDIT)
        world_violate(o->l->world, "O5", "events: %s", o->error.message);
    return more;
}

static void lists_check(oracle *o, lists_ask *ask)
{
    while (!o->l->world->violation[0] && lists_check_page(o, ask))
        continue;
}

/* Which entries belong on a list. */

static bool lists_is_any(const oracle *o, const sw_audit_entry *entry, int which)
{
    (void)o;
    (void)entry;
    (void)which;
    return true;
}

static bool lists_is_of_task(const oracle *o, const sw_audit_entry *entry, int which)
{
    return memcmp(&entry->task_id, &o->l->tasks[which].id, sizeof entry->task_id) == 0;
}

static bool lists_is_of_type(const oracle *o, const sw_audit_entry *entry, int which)
{
    (void)o;
    return entry->kind == SW_AUDIT_EVENT && lists_same(entry->subject, stream_type(which));
}

static bool lists_is_success_or(const oracle *o, const sw_audit_entry *entry, int which)
{
    bool success = entry->kind == SW_AUDIT_STEP_CHANGED && entry->to == SW_STEP_SUCCEEDED;
    return success || lists_is_of_type(o, entry, which);
}

static bool lists_is_correlated(const oracle *o, const sw_audit_entry *entry, int which)
{
    int number = entry->kind == SW_AUDIT_EVENT ? stream_find(&o->l->stream, entry) : -1;
    int index = oracle_find(o, &entry->task_id);
    (void)which;
    return number >= 0 && index >= 0 && o->l->stream.rows[number].correlated &&
           !oracle_is_bare(o, index);
}

static lists_ask lists_of(bool (*is)(const oracle *, const sw_audit_entry *, int), int which,
                          int64_t limit, const char *name)
{
    lists_ask ask = {.filter = SW_EVENT_FILTER_INIT, .is = is, .which = which, .name = name};
    ask.filter.limit = limit;
    return ask;
}

static void lists_check_types(oracle *o, int type)
{
    const sw_str types[] = {stream_type(type), LIT("step.completed")};
    lists_ask own = lists_of(lists_is_of_type, type, 3, "a list of a type leaves something out");
    own.filter.types = types;
    own.filter.type_count = 1;
    own.filter.newest_first = (int32_t)(o->past_no % 2);
    lists_check(o, &own);
    lists_ask both = lists_of(lists_is_success_or, type, 4, "a list of types is wrong");
    both.filter.types = types;
    both.filter.type_count = 2;
    both.filter.newest_first = !own.filter.newest_first;
    both.filter.after = o->past_no / 3;
    both.filter.before = o->past_no;
    lists_check(o, &both);
}

void oracle_check_lists(oracle *o)
{
    int turn = (int)(o->l->world->points % 1000);
    int task = turn % o->l->task_count;
    lists_ask all = lists_of(lists_is_any, 0, 40, "a list of all events leaves something out");
    lists_check(o, &all);
    lists_check_types(o, turn % STREAM_TYPES);
    lists_ask correlated = lists_of(lists_is_correlated, 0, 3, "a correlation id is found wrongly");
    correlated.filter.correlation_id = LIT(STREAM_CORRELATION);
    correlated.filter.newest_first = turn / 2 % 2;
    lists_check(o, &correlated);
    if (!o->l->tasks[task].acknowledged)
        return;
    lists_ask of_task = lists_of(lists_is_of_task, task, 5, "a list of a task is wrong");
    of_task.filter.task_id = o->l->tasks[task].id;
    of_task.filter.newest_first = turn / 4 % 2;
    lists_check(o, &of_task);
}

/* Children. */

static bool lists_is_child(const oracle *o, int index, int parent, sw_str tag)
{
    sw_str own = {o->l->tasks[index].tag, strlen(o->l->tasks[index].tag)};
    return o->replay.tasks[index].task && o->parents[index] == parent &&
           (!tag.ptr || lists_same(own, tag));
}

static void lists_check_children(const oracle *o, int parent, const sw_task_filter *filter,
                                 const sw_task_row *rows, size_t count)
{
    size_t known = 0;
    for (int i = 0; i < o->l->task_count; i++)
        known += lists_is_child(o, i, parent, filter->tag);
    if (count != known)
        world_violate(o->l->world, "O8", "a task has %zu children, and %zu are found", known,
                      count);
    for (size_t i = 0; i < count; i++) {
        int index = oracle_find(o, &rows[i].task_id);
        if (index < 0 || !lists_is_child(o, index, parent, filter->tag))
            world_violate(o->l->world, "O8", "a child is found that is another task's");
    }
}

/* Of one task, which may be pruned; sometimes only those with a tag besides. */
void oracle_check_children(oracle *o)
{
    size_t count = 0;
    int64_t total = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_result *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int turn = (int)(o->l->world->points % 1000);
    int parent = turn % (1 + o->l->task_count / 3);
    const ledger_task *task = &o->l->tasks[parent];
    if (parent >= o->l->task_count || !task->acknowledged)
        return;
    filter.parent_id = task->id;
    if (turn / 8 % 2)
        filter.tag = (sw_str){task->tag, strlen(task->tag)};
    if (sw_task_list(o->engine, &filter, &result, &o->error) == 0) {
        const sw_task_row *rows = sw_tasks(result, &count);
        lists_check_children(o, parent, &filter, rows, count);
        if (sw_task_count(o->engine, &filter, counts, &o->error) == 0) {
            for (int state = 0; state < SW_TASK_STATE_COUNT; state++)
                total += counts[state];
            if (total != (int64_t)count)
                world_violate(o->l->world, "O8", "%zu children are listed, and %lld counted", count,
                              (long long)total);
        }
    }
    sw_result_free(result);
}
