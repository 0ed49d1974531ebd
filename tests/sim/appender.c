/* Those who append events: to tasks in every state, alone and together, at a version and at any,
 * and again under a key, because they were not told whether the first time has counted.
 */
#include <string.h>

#include "sim/actor.h"
#include "sim/probe.h"

#define APPEND_BATCH_MAX 3
#define APPEND_KEYS 3

/* A call on its way. */
typedef struct append_call {
    int rows[APPEND_BATCH_MAX];
    size_t count;
    int mode;
    bool doubted[APPEND_BATCH_MAX]; /* before it */
    bool erased[APPEND_BATCH_MAX];  /* as was acknowledged before it */
    int64_t seen;
} append_call;

static stream_row *append_of(const actor *self, const append_call *call, size_t index)
{
    return &actor_ledger(self)->stream.rows[call->rows[index]];
}

static void append_violate(const actor *self, int number, const char *rule, const char *text)
{
    world_violate(self->world, rule, "row %d to task %d: %s", number,
                  actor_ledger(self)->stream.rows[number].task, text);
}

/* Versions. */

/* What whoever wants to append at a version looks at first. */
static int append_look(actor *self, const ledger_task *task, int64_t *version, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    ledger *l = actor_ledger(self);
    int64_t known = 0;
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    for (int i = 0; i < l->stream.row_count; i++) {
        const stream_row *row = &l->stream.rows[i];
        if (row->task >= 0 && &l->tasks[row->task] == task && row->position > known)
            known = row->position;
    }
    filter.task_id = task->id;
    filter.newest_first = 1;
    filter.limit = 1;
    actor_arm_memory(self);
    int rc = sw_event_list(self->engine, &filter, &result, error);
    const sw_event *events = sw_events(result, &count);
    *version = count > 0 ? events[0].entry.entry_no : 0;
    sw_result_free(result);
    if (rc == 0 && (count != 1 || *version < known))
        world_violate(self->world, "O1", "the newest event of task %s is said to be %lld, not %lld",
                      task->key, (long long)*version, (long long)known);
    if (rc == 0 && error->code != SW_OK)
        world_violate(self->world, "O8", "a list succeeds, and leaves %s",
                      sw_code_name(error->code));
    stream_see(&l->stream, *version);
    return rc;
}

/* One that is right, one that was, or one that never is. */
static int append_draw_version(actor *self, stream_row *row, sw_error *error)
{
    ledger *l = actor_ledger(self);
    uint32_t which = choice_draw(&self->world->choice, CHOICE_DETAIL, 6);
    if (which < 3 || row->task == STREAM_NOBODY)
        return 0;
    if (which == 3)
        row->expected = 1;
    for (int i = l->stream.row_count; which == 4 && i > 0 && !row->expected; i--) {
        if (l->stream.rows[i - 1].task == row->task)
            row->expected = l->stream.rows[i - 1].position;
    }
    return which == 5 ? append_look(self, &l->tasks[row->task], &row->expected, error) : 0;
}

/* Rows. */

static stream_row append_draw_row(actor *self, int task)
{
    choice *c = &self->world->choice;
    stream_row row = {.owner = self->number, .task = task};
    if (choice_once_in(c, CHOICE_DETAIL, 16))
        row.task = STREAM_NOBODY;
    row.type = (int)choice_draw(c, CHOICE_DETAIL, STREAM_TYPES);
    if (choice_once_in(c, CHOICE_DETAIL, 2))
        row.key = 1 + (int)choice_draw(c, CHOICE_DETAIL, APPEND_KEYS);
    row.bare = !row.key && choice_once_in(c, CHOICE_DETAIL, 4);
    row.correlated = choice_once_in(c, CHOICE_DETAIL, 3);
    if (choice_once_in(c, CHOICE_DETAIL, 6))
        row.step = 1 + (int)choice_draw(c, CHOICE_DETAIL, LEDGER_STEPS);
    return row;
}

/* A row of before with a key, -1: there is none. */
static int append_draw_again(actor *self)
{
    const stream *s = &actor_ledger(self)->stream;
    if (s->row_count == 0)
        return -1;
    int at = (int)choice_draw(&self->world->choice, CHOICE_DETAIL, (uint32_t)s->row_count);
    for (int i = 0; i < s->row_count; i++, at = (at + 1) % s->row_count) {
        if (s->rows[at].owner == self->number && s->rows[at].key && s->rows[at].sent > 0)
            return at;
    }
    return -1;
}

/* One that has no answer is sent again before anything else is. */
static int append_find_doubted(const actor *self)
{
    const stream *s = &actor_ledger(self)->stream;
    for (int i = 0; i < s->row_count; i++) {
        if (s->rows[i].owner == self->number && s->rows[i].key && s->rows[i].doubted)
            return i;
    }
    return -1;
}

/* A row of its own; *number stays -1 when its task is not known yet. */
static int append_add(actor *self, int *number, sw_error *error)
{
    ledger *l = actor_ledger(self);
    stream *s = &l->stream;
    int task = (int)choice_draw(&self->world->choice, CHOICE_DETAIL, (uint32_t)l->task_count);
    if (!l->tasks[task].acknowledged)
        return 0;
    stream_row row = append_draw_row(self, task);
    int rc = append_draw_version(self, &row, error);
    /* Another one may have added the last one meanwhile. */
    if (rc == 0 && s->row_count < STREAM_ROWS) {
        *number = s->row_count;
        s->rows[s->row_count++] = row;
    }
    return rc;
}

/* The number of a row for the call, -1: no more. */
static int append_draw(actor *self, int *number, sw_error *error)
{
    choice *c = &self->world->choice;
    *number = append_find_doubted(self);
    if (*number < 0 && choice_once_in(c, CHOICE_DETAIL, 4))
        *number = append_draw_again(self);
    if (*number >= 0 && !choice_once_in(c, CHOICE_DETAIL, 4))
        return 0;
    *number = -1;
    return append_add(self, number, error);
}

/* Answers. */

static void append_check_refused(const actor *self, int number, const sw_event_appended *answer)
{
    const ledger *l = actor_ledger(self);
    const stream_row *row = &l->stream.rows[number];
    const ledger_task *task = row->task == STREAM_NOBODY ? NULL : &l->tasks[row->task];
    bool same_key = answer->code == SW_EOUTDATED || answer->code == SW_ECONFLICT;
    if (same_key && row->position > 0)
        append_violate(self, number, "O1", "it was acknowledged, and is not known by its key");
    if (answer->code == SW_EOUTDATED && (!row->expected || row->expected == answer->version))
        append_violate(self, number, "O15", "it is outdated, and its version was right");
    if (answer->code == SW_ECONFLICT && (!row->key || !stream_has_rival(&l->stream, number)))
        append_violate(self, number, "O15", "its key is in use, which nobody else has");
    if (answer->code == SW_ENOTFOUND && task && !task->prune_asked)
        append_violate(self, number, "O15", "its task is not found");
    if (answer->code == SW_ESTATE && !row->step && (!task || !task->erase_asked))
        append_violate(self, number, "O15", "its task is said to be erased");
    if (answer->position != 0)
        append_violate(self, number, "O15", "it was refused, and has a position");
}

static void append_probe_refused(const actor *self, const stream_row *row, int code)
{
    const ledger *l = actor_ledger(self);
    if (code == SW_ENOTFOUND && row->task != STREAM_NOBODY)
        probe_hit(SIM_APPEND_PRUNED);
    if (code == SW_ESTATE && row->task != STREAM_NOBODY && l->tasks[row->task].erase_acknowledged)
        probe_hit(SIM_APPEND_ERASED);
}

/* Nothing is in doubt any more when the key was looked for, and not found. */
static void append_refused(const actor *self, const append_call *call, size_t index,
                           const sw_event_appended *answer)
{
    stream_row *row = append_of(self, call, index);
    bool looked = answer->code == SW_EOUTDATED || answer->code == SW_ECONFLICT;
    append_check_refused(self, call->rows[index], answer);
    append_probe_refused(self, row, answer->code);
    row->doubted = call->doubted[index] && !looked;
    row->code = answer->code;
    row->version = answer->version;
    row->seen = call->seen;
}

static void append_check_taken(const actor *self, const append_call *call, size_t index,
                               const sw_event_appended *answer)
{
    int number = call->rows[index];
    const stream_row *row = append_of(self, call, index);
    bool appended = answer->status == SW_APPEND_APPENDED;
    if (row->task == STREAM_NOBODY)
        append_violate(self, number, "O15", "it was appended to a task that is not there");
    if (call->erased[index])
        append_violate(self, number, "O13", "it was appended to a task that was erased");
    if (row->position > 0 && (appended || answer->position != row->position))
        append_violate(self, number, "O1", "it was acknowledged at another position");
    if (!appended && row->position == 0 && !call->doubted[index])
        append_violate(self, number, "O15", "it is a duplicate of what nobody appended");
    if (answer->position <= 0 || answer->version < answer->position ||
        (appended && answer->version != answer->position))
        append_violate(self, number, "O15", "its version is not the newest position of its task");
}

static void append_taken(const actor *self, const append_call *call, size_t index,
                         const sw_event_appended *answer)
{
    stream_row *row = append_of(self, call, index);
    ledger *l = actor_ledger(self);
    bool appended = answer->status == SW_APPEND_APPENDED;
    append_check_taken(self, call, index, answer);
    if (appended && call->doubted[index])
        probe_hit(SIM_APPEND_LOST);
    if (!appended && row->position == 0)
        probe_hit(SIM_APPEND_FOUND);
    if (appended && row->task >= 0 && l->tasks[row->task].ended)
        probe_hit(SIM_APPEND_ENDED);
    if (row->position == 0)
        row->known_us = self->world->now_us;
    row->position = answer->position;
    row->doubted = false;
    row->code = 0;
    row->version = answer->version;
    row->seen = call->seen;
    stream_see(&l->stream, answer->version);
}

static void append_answered(const actor *self, const append_call *call, const sw_result *result)
{
    size_t count = 0;
    const sw_event_appended *answers = sw_events_appended(result, &count);
    if (count != call->count)
        world_violate(self->world, "O15", "%zu events were sent, %zu answered", call->count, count);
    for (size_t i = 0; i < count; i++) {
        if (answers[i].status == SW_APPEND_REFUSED)
            append_refused(self, call, i, &answers[i]);
        else
            append_taken(self, call, i, &answers[i]);
    }
}

static bool append_is_refusal(int code)
{
    return code == SW_EOUTDATED || code == SW_ENOTFOUND || code == SW_ESTATE ||
           code == SW_ECONFLICT;
}

/* One row was refused, so that no row was written. */
static void append_failed(const actor *self, const append_call *call, int code,
                          const sw_error *error)
{
    if (call->mode != SW_BATCH_ALL_OR_NOTHING || error->row < 0 ||
        error->row >= (int64_t)call->count) {
        world_violate(self->world, "O15", "an append fails with %s in row %lld", sw_code_name(code),
                      (long long)error->row);
        return;
    }
    const sw_event_appended answer = {.status = SW_APPEND_REFUSED, .code = code};
    /* A row may stand twice in a call: what counts is how it was at first. */
    for (size_t i = call->count; i > 0; i--)
        append_of(self, call, i - 1)->doubted = call->doubted[i - 1];
    append_refused(self, call, (size_t)error->row, &answer);
    /* Its rival may have been a row before it, which was not written either. */
    if (code == SW_ECONFLICT && call->count > 1)
        append_of(self, call, (size_t)error->row)->code = 0;
}

/* Calls. */

static void append_mark(actor *self, append_call *call)
{
    ledger *l = actor_ledger(self);
    call->seen = l->stream.seen;
    l->stream.calls++;
    for (size_t i = 0; i < call->count; i++) {
        stream_row *row = append_of(self, call, i);
        call->doubted[i] = row->doubted;
        call->erased[i] = row->task >= 0 && l->tasks[row->task].erase_acknowledged;
        if (row->sent++ == 0) {
            row->call = l->stream.calls;
            row->whole = call->mode == SW_BATCH_ALL_OR_NOTHING;
        }
        row->doubted = true;
    }
}

static int append_send(actor *self, append_call *call, sw_error *error)
{
    sw_result *result = NULL;
    stream_texts texts[APPEND_BATCH_MAX];
    sw_event_row rows[APPEND_BATCH_MAX];
    for (size_t i = 0; i < call->count; i++)
        stream_fill(actor_ledger(self), call->rows[i], &texts[i], &rows[i]);
    append_mark(self, call);
    actor_arm_memory(self);
    int rc = sw_event_append(self->engine, rows, call->count, call->mode, &result, error);
    if (rc == 0)
        append_answered(self, call, result);
    else if (append_is_refusal(rc))
        append_failed(self, call, rc, error);
    sw_result_free(result);
    return append_is_refusal(rc) ? 0 : rc;
}

static int append_round(actor *self, sw_error *error)
{
    choice *c = &self->world->choice;
    append_call call = {0};
    size_t most = 1 + choice_draw(c, CHOICE_DETAIL, APPEND_BATCH_MAX);
    call.mode = choice_once_in(c, CHOICE_DETAIL, 2) ? SW_BATCH_ALL_OR_NOTHING : SW_BATCH_PARTIAL;
    while (call.count < most) {
        int rc = append_draw(self, &call.rows[call.count], error);
        if (rc < 0)
            return rc;
        if (call.rows[call.count] < 0)
            break;
        call.count++;
    }
    return call.count > 0 ? append_send(self, &call, error) : 0;
}

void actor_append(actor *self)
{
    sw_error error;
    int errors = 0;
    ledger *l = actor_ledger(self);
    actor_open(self);
    while (!l->stop && l->stream.row_count < STREAM_ROWS) {
        actor_sleep_up_to(self, 400);
        int rc = append_round(self, &error);
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
        else
            errors = 0;
    }
    actor_close(self);
}
