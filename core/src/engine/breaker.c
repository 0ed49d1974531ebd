/* Circuit breakers: their rows in a transaction, and what attempts do to them.
 *
 * Not here: what open and half-open ones leave to claim (breaker_sets.c), and what definitions and
 * operators do to them (breaker_keep.c).
 */
#include "engine/breaker.h"

#include <stdlib.h>

#include "base/plant.h"
#include "base/probe.h"
#include "engine/sound.h"
#include "model/breaker.h"

/* Rows. */

static int breaker_compare(const void *a, const void *b)
{
    const sw__work_breaker *left = a;
    const sw__work_breaker *right = b;
    return sw__str_compare(left->rec.row.settings.name, right->rec.row.settings.name);
}

int sw__breakers_list(sw__store *store, sw__arena *arena, sw__work_breakers *out, sw_error *err)
{
    sw__breaker_rec *recs = NULL;
    size_t count = 0;
    int rc = store->ops->breakers_list(store, arena, &recs, &count, err);
    if (rc < 0)
        return rc;
    *out = (sw__work_breakers){.rows = sw__arena_array(arena, count, sizeof *out->rows),
                               .count = count};
    if (!out->rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        out->rows[i].rec = recs[i];
        rc = sw__sound_breaker(&recs[i], err);
    }
    if (count > 1)
        qsort(out->rows, count, sizeof *out->rows, breaker_compare);
    return rc;
}

int sw__breakers_load(sw__work *work, sw_error *err)
{
    if (work->breakers)
        return SW_OK;
    sw__work_breakers *breakers = sw__arena_alloc(work->arena, sizeof *breakers);
    if (!breakers)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__breakers_list(work->engine->store, work->arena, breakers, err);
    if (rc == SW_OK)
        work->breakers = breakers;
    return rc;
}

sw__work_breaker *sw__breakers_find(const sw__work_breakers *breakers, sw_str name)
{
    sw__work_breaker key = {.rec = {.row = {.settings = {.name = name}}}};
    return bsearch(&key, breakers->rows, breakers->count, sizeof key, breaker_compare);
}

bool sw__breaker_named(const sw_workflow *workflow)
{
    for (size_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i].breaker.ptr)
            return true;
    }
    return false;
}

bool sw__breaker_holds(const sw__work_breaker *breaker, int64_t now_us)
{
    const sw_breaker_row *row = breaker ? &breaker->rec.row : NULL;
    if (!row || row->state == SW_BREAKER_CLOSED)
        return false;
    if (row->state == SW_BREAKER_HALF_OPEN)
        return row->probing >= row->settings.probes;
    return row->until_us == 0 || row->until_us > now_us;
}

int sw__breakers_flush(sw__work *work, sw_error *err)
{
    const sw__work_breakers *breakers = work->breakers;
    size_t count = 0;
    sw__breaker_rec *recs = sw__arena_array(work->arena, breakers->count, sizeof *recs);
    if (!recs)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < breakers->count; i++) {
        if (breakers->rows[i].dirty)
            recs[count++] = breakers->rows[i].rec;
    }
    if (count == 0 || SW__PLANT(BREAKER_NOT_STORED))
        return SW_OK;
    return work->engine->store->ops->breakers_put(work->engine->store, recs, count, err);
}

/* States. */

static void breaker_log(sw__work *work, const sw_breaker_row *row)
{
    static const char *const events[] = {"breaker.closed", "breaker.opened", "breaker.half_opened"};
    int level = row->state == SW_BREAKER_OPEN ? SW_LOG_WARN : SW_LOG_INFO;
    sw__work_log(work, level, events[row->state], {"breaker", row->settings.name, 0},
                 {"failures", {0}, row->failures}, {"error_class", row->error_class, 0});
}

int sw__breaker_change(sw__work *work, sw__work_breaker *breaker, int to, const sw__cause *cause,
                       sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    sw_audit_entry entry = {
        .kind = SW_AUDIT_BREAKER_CHANGED,
        .from = row->state,
        .to = to,
        .attempt = row->failures,
        .epoch = row->until_us,
        .subject = row->settings.name,
        .actor = cause->actor,
        .reason = cause->reason,
    };
    row->state = to;
    row->changed_us = work->now_us;
    row->successes = 0;
    row->probing = 0;
    breaker->dirty = true;
    /* Every waiting worker looks again: there is something to claim, or another time to wait for.
     */
    work->tones |= SW__TONE_PLANS;
    breaker_log(work, row);
    return sw__work_note(work, &entry, NULL, err);
}

int64_t sw__breaker_open_ms(const sw_breaker_settings *settings, int32_t openings)
{
    int64_t open_ms = settings->open_ms;
    for (int32_t i = 1; i < openings && open_ms < settings->max_open_ms; i++)
        open_ms = open_ms < settings->max_open_ms / 2 ? open_ms * 2 : settings->max_open_ms;
    return open_ms;
}

static int breaker_open(sw__work *work, sw__work_breaker *breaker, sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    sw__cause cause = {.by = SW_BY_ENGINE};
    cause.reason = sw__arena_format(work->arena, "%d failure%s in a row", row->failures,
                                    row->failures == 1 ? "" : "s");
    if (!cause.reason.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    SW__PROBE(BREAKER_OPENED);
    SW__PROBE_IF(BREAKER_OPENED_AGAIN, row->state == SW_BREAKER_HALF_OPEN);
    row->openings += row->openings < INT32_MAX;
    row->until_us = work->now_us + sw__breaker_open_ms(&row->settings, row->openings) * 1000;
    row->forced = 0;
    return sw__breaker_change(work, breaker, SW_BREAKER_OPEN, &cause, err);
}

static int breaker_close(sw__work *work, sw__work_breaker *breaker, sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    sw__cause cause = {.by = SW_BY_ENGINE, .reason = sw__str("probes succeeded")};
    SW__PROBE(BREAKER_CLOSED);
    row->failures = 0;
    row->openings = 0;
    row->until_us = 0;
    row->forced = 0;
    return sw__breaker_change(work, breaker, SW_BREAKER_CLOSED, &cause, err);
}

/* Attempts. */

static int breaker_count_failure(sw__work *work, sw__work_breaker *breaker, sw_str error_class,
                                 sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    if (row->state == SW_BREAKER_OPEN || SW__PLANT(BREAKER_NOT_COUNTED))
        return SW_OK;
    row->failures += row->failures < INT32_MAX;
    row->error_class = sw__arena_str(work->arena, error_class);
    if (error_class.ptr && !row->error_class.ptr)
        return sw__fail(err, SW_ENOMEM, NULL);
    breaker->dirty = true;
    if (row->state == SW_BREAKER_HALF_OPEN || row->failures >= row->settings.failure_threshold)
        return breaker_open(work, breaker, err);
    return SW_OK;
}

/* While nothing fails, nothing is written. */
static int breaker_count_success(sw__work *work, sw__work_breaker *breaker, sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    if (row->state == SW_BREAKER_CLOSED && row->failures > 0) {
        row->failures = 0;
        breaker->dirty = true;
    }
    if (row->state != SW_BREAKER_HALF_OPEN)
        return SW_OK;
    row->successes++;
    breaker->dirty = true;
    if (row->successes >= row->settings.success_threshold)
        return breaker_close(work, breaker, err);
    return SW_OK;
}

/* However a probe ends, its place is free. */
static void breaker_free_place(sw__work *work, sw__work_breaker *breaker, const sw__cause *cause)
{
    sw_breaker_row *row = &breaker->rec.row;
    if (row->state != SW_BREAKER_HALF_OPEN || row->probing == 0)
        return;
    if (cause->by == SW_BY_ENGINE && SW__PLANT(PROBE_KEPT))
        return;
    row->probing--;
    breaker->dirty = true;
    work->tones |= SW__TONE_PLANS;
}

int sw__breaker_moved(sw__work *work, const sw__work_step *step, int to, const sw__cause *cause,
                      sw_error *err)
{
    sw_str name = sw__work_definition(work, step->row.step_id)->breaker;
    int rc = sw__breakers_load(work, err);
    if (rc < 0)
        return rc;
    sw__work_breaker *breaker = sw__breakers_find(work->breakers, name);
    if (!breaker)
        return sw__fail(err, SW_ECORRUPT, "the breaker %.*s has no row", SW__FMT(name));
    if (to == SW_STEP_RUNNING) {
        bool probes = breaker->rec.row.state == SW_BREAKER_HALF_OPEN;
        breaker->rec.row.probing += probes;
        breaker->dirty = breaker->dirty || probes;
        return SW_OK;
    }
    SW__PROBE_IF(BREAKER_LATE_OUTCOME, step->row.changed_us < breaker->rec.row.changed_us);
    if (step->row.changed_us < breaker->rec.row.changed_us && !SW__PLANT(BREAKER_LATE_OUTCOME))
        return SW_OK;
    breaker_free_place(work, breaker, cause);
    if (to == SW_STEP_SUCCEEDED)
        return breaker_count_success(work, breaker, err);
    if (sw__breaker_counts(to, cause->reason))
        return breaker_count_failure(work, breaker, cause->error_class, err);
    return SW_OK;
}
