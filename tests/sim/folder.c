/* Those who keep a projection: they read events page by page, fold them, and save what they have
 * together with how far they are. Several of them keep the same one, so that all but one are too
 * late.
 */
#include <string.h>

#include "sim/actor.h"
#include "sim/probe.h"

#define FOLD_PAGE_MAX 20
#define FOLD_WAIT_MS 1000

/* The projection as somebody holds it. */
typedef struct fold_hold {
    int64_t epoch;
    int64_t position;
    stream_fold fold;
} fold_hold;

static void fold_violate(const actor *self, const char *rule, const char *text, int64_t number)
{
    world_violate(self->world, rule, "the projection: %s (%lld)", text, (long long)number);
}

/* Opening. */

/* What was acknowledged before the call. */
typedef struct fold_known {
    int64_t gone;
    int saves;
} fold_known;

static void fold_take(actor *self, const sw_projection *row, const fold_known *known,
                      fold_hold *hold)
{
    stream *s = &actor_ledger(self)->stream;
    *hold = (fold_hold){.epoch = row->epoch, .position = row->position};
    if (!stream_fold_read(row->state, &hold->fold))
        fold_violate(self, "O16", "its state is not what was saved", row->position);
    if (row->epoch == known->gone)
        fold_violate(self, "O13", "it is still there after it was forgotten", row->epoch);
    if (s->epoch && row->epoch != s->epoch && !s->forgettable)
        fold_violate(self, "O1", "it was begun anew, which nobody asked for", row->epoch);
    if (row->position < stream_saved_to(s, known->saves, row->epoch))
        fold_violate(self, "O1", "an acknowledged save is lost", row->position);
    s->epoch = row->epoch;
}

/* A save that has no answer was committed or was not. */
static void fold_probe_doubt(const fold_hold *doubt, const fold_hold *hold)
{
    if (!doubt->epoch || doubt->epoch != hold->epoch)
        return;
    probe_hit(hold->position >= doubt->position ? SIM_FOLD_FOUND : SIM_FOLD_LOST);
}

static int fold_open(actor *self, fold_hold *hold, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    const stream *s = &actor_ledger(self)->stream;
    const fold_known known = {s->gone, s->save_count};
    actor_arm_memory(self);
    int rc = sw_projection_open(self->engine, LIT(STREAM_PROJECTION), LIT("1"), &result, error);
    const sw_projection *row = sw_projections(result, &count);
    if (rc == 0 && count != 1)
        fold_violate(self, "O16", "it is opened, and is not there", (int64_t)count);
    else if (rc == 0)
        fold_take(self, row, &known, hold);
    sw_result_free(result);
    return rc;
}

/* Reading. */

static sw_event_filter fold_filter(const actor *self, const fold_hold *hold, sw_str *types)
{
    sw_event_filter filter = SW_EVENT_FILTER_INIT;
    filter.after = hold->position;
    filter.limit = 1 + (int64_t)choice_draw(&self->world->choice, CHOICE_DETAIL, FOLD_PAGE_MAX);
    for (int i = 0; i < STREAM_TYPES; i++)
        types[i] = stream_type(i);
    if (actor_ledger(self)->stream.own_types) {
        filter.types = types;
        filter.type_count = STREAM_TYPES;
    }
    return filter;
}

/* Fold a page; *more: there was something on it. */
static int fold_page(actor *self, fold_hold *hold, bool *more, sw_error *error)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_str types[STREAM_TYPES];
    const sw_event_filter filter = fold_filter(self, hold, types);
    actor_arm_memory(self);
    int rc = sw_event_list(self->engine, &filter, &result, error);
    const sw_event *events = sw_events(result, &count);
    *more = count > 0;
    if ((int64_t)count > filter.limit)
        fold_violate(self, "O8", "a page is longer than was asked for", (int64_t)count);
    for (size_t i = 0; i < count; i++) {
        const sw_audit_entry *entry = &events[i].entry;
        if (entry->entry_no <= hold->position)
            fold_violate(self, "O8", "an event is listed behind a later one", entry->entry_no);
        stream_fold_add(&hold->fold, entry);
        hold->position = entry->entry_no;
    }
    stream_see(&actor_ledger(self)->stream, hold->position);
    sw_result_free(result);
    return rc;
}

/* Saving. */

/* Whoever is alone with a projection that nobody forgets is never too late. */
static void fold_outdated(const actor *self, const fold_hold *hold)
{
    const stream *s = &actor_ledger(self)->stream;
    if (s->folders == 1 && !s->forgettable)
        fold_violate(self, "O15", "a save is outdated, and nobody else keeps it", hold->position);
    bool forgotten = hold->epoch == s->gone || hold->epoch != s->epoch;
    probe_hit(forgotten ? SIM_FOLD_FORGOTTEN : SIM_FOLD_OUTDATED);
}

static int fold_save(actor *self, const fold_hold *hold, int64_t from, sw_error *error)
{
    char text[64];
    const sw_projection row = {
        .name = LIT(STREAM_PROJECTION),
        .version = LIT("1"),
        .epoch = hold->epoch,
        .position = hold->position,
        .state = stream_fold_write(&hold->fold, text),
    };
    actor_arm_memory(self);
    int rc = sw_projection_save(self->engine, &row, from, error);
    if (rc == 0 && !stream_saved(&actor_ledger(self)->stream, hold->epoch, from, hold->position))
        fold_violate(self, "O16", "two saves count the same events", from);
    if (rc == SW_EOUTDATED)
        fold_outdated(self, hold);
    return rc;
}

/* Waiting. */

/* The time since which an event behind a position is known, INT64_MAX: none is. */
static int64_t fold_since_us(const stream *s, int64_t after)
{
    int64_t known_us = INT64_MAX;
    for (int i = 0; i < s->row_count; i++) {
        if (s->rows[i].position > after && s->rows[i].known_us < known_us)
            known_us = s->rows[i].known_us;
    }
    return known_us;
}

static void fold_check_wait(const actor *self, int64_t after, int64_t newest, int64_t asked_us)
{
    const ledger *l = actor_ledger(self);
    int64_t known_us = fold_since_us(&l->stream, after);
    int64_t since_us = known_us > asked_us ? known_us : asked_us;
    bool late = known_us != INT64_MAX && self->world->now_us > since_us + LEDGER_LATE_US;
    if (late && ledger_in_time(l))
        world_violate(self->world, "LATE", "a wait for events goes on after one has come");
    if (known_us <= asked_us && newest <= after)
        world_violate(self->world, "O1", "a wait does not know of an event that was acknowledged");
    if (newest > after && known_us > asked_us && known_us != INT64_MAX)
        probe_hit(SIM_FOLD_WAITED);
}

static int fold_wait(actor *self, int64_t after, sw_error *error)
{
    int64_t newest = 0;
    int64_t asked_us = self->world->now_us;
    int64_t wait_ms = (int64_t)choice_draw(&self->world->choice, CHOICE_DETAIL, FOLD_WAIT_MS);
    actor_arm_memory(self);
    int rc = sw_event_wait(self->engine, after, wait_ms, &newest, error);
    stream_see(&actor_ledger(self)->stream, newest);
    if (rc == 0)
        fold_check_wait(self, after, newest, asked_us);
    return rc;
}

/* Rounds. */

static int fold_delete(actor *self, sw_error *error)
{
    stream *s = &actor_ledger(self)->stream;
    int64_t epoch = stream_may_forget(s);
    actor_arm_memory(self);
    int rc = sw_projection_delete(self->engine, LIT(STREAM_PROJECTION), error);
    if (rc == 0 && epoch)
        s->gone = epoch;
    return rc == SW_ENOTFOUND ? 0 : rc;
}

/* Page after page, and now and then two pages at once. */
static int fold_round(actor *self, fold_hold *doubt, sw_error *error)
{
    fold_hold hold = {0};
    bool more = true;
    choice *c = &self->world->choice;
    int rc = fold_open(self, &hold, error);
    if (rc == 0)
        fold_probe_doubt(doubt, &hold);
    *doubt = (fold_hold){0};
    int64_t from = hold.position;
    while (rc == 0 && more && !actor_ledger(self)->stop) {
        rc = fold_page(self, &hold, &more, error);
        if (rc < 0 || choice_once_in(c, CHOICE_DETAIL, 6) || hold.position == from)
            continue;
        rc = fold_save(self, &hold, from, error);
        if (rc < 0 && rc != SW_EOUTDATED)
            *doubt = hold;
        from = hold.position;
    }
    if (rc == 0 && choice_once_in(c, CHOICE_DETAIL, 3))
        rc = fold_wait(self, hold.position, error);
    return rc == SW_EOUTDATED ? 0 : rc;
}

void actor_fold(actor *self)
{
    sw_error error;
    int errors = 0;
    fold_hold doubt = {0};
    ledger *l = actor_ledger(self);
    actor_open(self);
    while (!l->stop) {
        bool deletes = choice_once_in(&self->world->choice, CHOICE_DETAIL, 40);
        int rc = deletes ? fold_delete(self, &error) : fold_round(self, &doubt, &error);
        if (rc < 0)
            actor_bear(self, &errors, rc, &error);
        else
            errors = 0;
        actor_sleep_up_to(self, 500);
    }
    actor_close(self);
}
