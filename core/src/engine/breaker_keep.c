/* Circuit breakers from outside: what definitions set, what operators see and do.
 *
 * Not here: what attempts do to them (breaker.c).
 */
#include "engine/breaker.h"

#include <stdlib.h>

#include "base/limits.h"
#include "engine/check.h"
#include "engine/query.h"

/* Registering. */

static int breaker_compare_names(const void *a, const void *b)
{
    return sw__str_compare(*(const sw_str *)a, *(const sw_str *)b);
}

/* Every breaker that a definition names or sets, each once. */
static int breaker_names(sw__arena *arena, const sw_workflow *workflow, sw_str **out, size_t *count,
                         sw_error *err)
{
    size_t found = 0;
    sw_str *names =
        sw__arena_array(arena, workflow->step_count + workflow->breaker_count, sizeof *names);
    if (!names)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < workflow->breaker_count; i++)
        names[found++] = workflow->breakers[i].name;
    for (size_t i = 0; i < workflow->step_count; i++) {
        if (workflow->steps[i].breaker.ptr)
            names[found++] = workflow->steps[i].breaker;
    }
    if (found > 1)
        qsort(names, found, sizeof *names, breaker_compare_names);
    *count = 0;
    for (size_t i = 0; i < found; i++) {
        if (*count == 0 || !sw__str_equal(names[*count - 1], names[i]))
            names[(*count)++] = names[i];
    }
    *out = names;
    return SW_OK;
}

static const sw_breaker_settings *breaker_set_by(const sw_workflow *workflow, sw_str name)
{
    for (size_t i = 0; i < workflow->breaker_count; i++) {
        if (sw__str_equal(workflow->breakers[i].name, name))
            return &workflow->breakers[i];
    }
    return NULL;
}

/* The row that a breaker is to have; false when it has it. *known counts the rows. */
static bool breaker_entered(const sw__work_breakers *breakers, const sw_workflow *workflow,
                            sw_str name, int64_t *known, sw__breaker_rec *out)
{
    const sw_breaker_settings defaults = {
        .name = name,
        .failure_threshold = SW_BREAKER_FAILURES_DEFAULT,
        .success_threshold = SW_BREAKER_SUCCESSES_DEFAULT,
        .probes = SW_BREAKER_PROBES_DEFAULT,
        .open_ms = SW_BREAKER_OPEN_MS_DEFAULT,
        .max_open_ms = SW_BREAKER_OPEN_MS_DEFAULT,
    };
    const sw__work_breaker *there = sw__breakers_find(breakers, name);
    const sw_breaker_settings *set = breaker_set_by(workflow, name);
    if (there && !set)
        return false;
    *out = there ? there->rec : (sw__breaker_rec){.breaker_no = ++*known};
    out->row.settings = set ? *set : defaults;
    return true;
}

int sw__breaker_register(sw__work *work, const sw_workflow *workflow, sw_error *err)
{
    sw_str *names = NULL;
    size_t count = 0;
    size_t entered = 0;
    int rc = breaker_names(work->arena, workflow, &names, &count, err);
    if (rc < 0 || count == 0)
        return rc;
    rc = sw__breakers_load(work, err);
    sw__breaker_rec *recs = sw__arena_array(work->arena, count, sizeof *recs);
    if (rc == SW_OK && !recs)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc < 0)
        return rc;
    int64_t known = (int64_t)work->breakers->count;
    for (size_t i = 0; i < count; i++)
        entered += breaker_entered(work->breakers, workflow, names[i], &known, &recs[entered]);
    rc = work->engine->store->ops->breakers_put(work->engine->store, recs, entered, err);
    work->breakers = NULL; /* to be read again */
    return rc;
}

/* Listing. */

static int breaker_copy(sw__arena *arena, const sw_breaker_row *row, sw_breaker_row *out,
                        sw_error *err)
{
    *out = *row;
    out->settings.name = sw__arena_str(arena, row->settings.name);
    out->error_class = sw__arena_str(arena, row->error_class);
    return sw__arena_failed(arena) ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int breaker_fill(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__work_breakers breakers;
    (void)context;
    int rc = sw__breakers_list(engine->store, result->arena, &breakers, err);
    if (rc < 0)
        return rc;
    sw_breaker_row *rows = sw__arena_array(result->arena, breakers.count, sizeof *rows);
    if (!rows)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < breakers.count; i++)
        rows[i] = breakers.rows[i].rec.row;
    sw__result_set(result, SW__BREAKERS, rows, breakers.count);
    return SW_OK;
}

int sw_breaker_list(sw_engine *engine, sw_result **out, sw_error *err)
{
    return sw__query(engine, breaker_fill, NULL, out, err);
}

/* Opening and closing by hand. */

static int breaker_check_row(const sw_breaker_override_row *row, size_t index, sw_error *err)
{
    int rc = sw__check_name(row->name, "name", index, err);
    if (rc == SW_OK && row->state != SW_BREAKER_OPEN && row->state != SW_BREAKER_CLOSED)
        rc = sw__fail_row(err, SW_EINVAL, index, "an operator opens or closes a breaker, state %d",
                          row->state);
    if (rc == SW_OK && (row->open_ms < 0 || row->open_ms > SW__DELAY_MAX_MS))
        rc = sw__fail_row(err, SW_EINVAL, index, "open_ms %lld is out of range",
                          (long long)row->open_ms);
    if (rc == SW_OK && row->open_ms > 0 && row->state != SW_BREAKER_OPEN)
        rc = sw__fail_row(err, SW_EINVAL, index, "only a breaker that is opened has an open_ms");
    if (rc == SW_OK)
        rc = sw__check_text(row->actor, SW__TEXT_MAX, "actor", index, err);
    if (rc == SW_OK)
        rc = sw__check_text(row->reason, SW__TEXT_MAX, "reason", index, err);
    if (rc == SW_OK && (row->actor.len == 0 || row->reason.len == 0))
        rc = sw__fail_row(err, SW_EINVAL, index, "%s is missing: the audit log keeps %s",
                          row->actor.len == 0 ? "actor" : "reason",
                          row->actor.len == 0 ? "who did it" : "why");
    return rc;
}

static int breaker_check(const sw_engine *engine, const sw_breaker_override_row *rows, size_t count,
                         sw_error *err)
{
    sw__error_clear(err);
    if (!engine)
        return sw__fail(err, SW_EINVAL, "engine is NULL");
    int rc = sw__check_rows(rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = breaker_check_row(&rows[i], i, err);
    return rc;
}

static int breaker_override_one(sw__work *work, const sw_breaker_override_row *row, size_t index,
                                sw_error *err)
{
    sw__cause cause = {.by = SW_BY_OPERATOR, .actor = row->actor, .reason = row->reason};
    sw__work_breaker *breaker = sw__breakers_find(work->breakers, row->name);
    if (!breaker)
        return sw__fail_row(err, SW_ENOTFOUND, index,
                            "there is no breaker '%.*s': no registered workflow names it",
                            SW__FMT(row->name));
    sw_breaker_row *state = &breaker->rec.row;
    state->failures = 0;
    state->openings = row->state == SW_BREAKER_OPEN;
    state->forced = row->state == SW_BREAKER_OPEN;
    state->until_us = row->open_ms > 0 ? work->now_us + row->open_ms * 1000 : 0;
    return sw__breaker_change(work, breaker, row->state, &cause, err);
}

typedef struct breaker_override {
    const sw_breaker_override_row *rows;
    size_t count;
} breaker_override;

static int breaker_override_all(sw__work *work, sw_result *result, const void *context,
                                sw_error *err)
{
    const breaker_override *call = context;
    const sw_breaker_override_row *rows = call->rows;
    size_t count = call->count;
    sw_breaker_row *out = sw__arena_array(result->arena, count, sizeof *out);
    if (!out)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__breakers_load(work, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = breaker_override_one(work, &rows[i], i, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++)
        rc = breaker_copy(result->arena, &sw__breakers_find(work->breakers, rows[i].name)->rec.row,
                          &out[i], err);
    sw__result_set(result, SW__BREAKERS, out, count);
    return rc;
}

int sw_breaker_override(sw_engine *engine, const sw_breaker_override_row *rows, size_t row_count,
                        sw_result **out, sw_error *err)
{
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = breaker_check(engine, rows, row_count, err);
    const breaker_override call = {rows, row_count};
    return rc == SW_OK ? sw__work_answer(engine, breaker_override_all, &call, out, err) : rc;
}
