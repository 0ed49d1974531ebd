/* What circuit breakers leave to a worker to claim: all lines but those of open ones, and of those
 * of a half-open one as many steps as it has places for probes.
 */
#include "engine/breaker.h"

#include "base/plant.h"
#include "base/probe.h"

/* The time of an open breaker is over. */
static int breaker_half_open(sw__work *work, sw__work_breaker *breaker, sw_error *err)
{
    sw_breaker_row *row = &breaker->rec.row;
    sw__cause cause = {.by = SW_BY_ENGINE, .reason = sw__str("open time over")};
    bool over = row->until_us > 0 && row->until_us <= work->now_us;
    if (row->state != SW_BREAKER_OPEN || !over)
        return SW_OK;
    SW__PROBE(BREAKER_HALF_OPENED);
    row->until_us = 0;
    row->forced = 0;
    return sw__breaker_change(work, breaker, SW_BREAKER_HALF_OPEN, &cause, err);
}

/* How many steps may be claimed that name this breaker. */
static size_t breaker_room(const sw_breaker_row *row)
{
    if (row->state == SW_BREAKER_CLOSED || SW__PLANT(BREAKER_IGNORED))
        return SIZE_MAX;
    if (row->state == SW_BREAKER_OPEN)
        return 0;
    if (SW__PLANT(PROBES_WITHOUT_END))
        return SIZE_MAX;
    SW__PROBE_IF(PROBES_USED_UP, row->probing >= row->settings.probes);
    return row->probing < row->settings.probes ? (size_t)(row->settings.probes - row->probing) : 0;
}

/* The number of the breaker of a lane, from 1; 0 for a lane without one. */
static int breaker_of_lane(const sw__work_breakers *breakers, const sw__lane_row *lane,
                           size_t *number, sw_error *err)
{
    *number = 0;
    if (lane->breaker.len == 0)
        return SW_OK;
    const sw__work_breaker *found = sw__breakers_find(breakers, lane->breaker);
    if (!found)
        return sw__fail(err, SW_ECORRUPT, "the breaker %.*s has no row", SW__FMT(lane->breaker));
    *number = (size_t)(found - breakers->rows) + 1;
    return SW_OK;
}

/* Lanes of a worker by their breaker's number; both lists are ascending. */
static int breaker_number_lanes(sw__work *work, const sw__member *member, size_t *numbers,
                                sw_error *err)
{
    const sw__catalog *catalog = &work->engine->catalog;
    int rc = SW_OK;
    for (size_t i = 0, row = 0; rc == SW_OK && i < member->lane_count; i++) {
        while (catalog->lane_rows[row].lane != member->lanes[i])
            row++;
        rc = breaker_of_lane(work->breakers, &catalog->lane_rows[row], &numbers[i], err);
    }
    return rc;
}

/* Append the lanes of one breaker. */
static void breaker_set_add(const sw__member *member, const size_t *numbers, size_t wanted,
                            int64_t *lanes, sw__claim_set *set)
{
    for (size_t i = 0; i < member->lane_count; i++) {
        if (numbers[i] == wanted)
            lanes[set->lane_count++] = member->lanes[i];
    }
}

/* Lines without a breaker and those of closed ones are one set. */
static void breaker_set_open(const sw__work *work, const sw__member *member, const size_t *numbers,
                             int64_t *lanes, sw__claim_set *set)
{
    *set = (sw__claim_set){.lanes = lanes, .claim_max = SIZE_MAX};
    for (size_t i = 0; i < member->lane_count; i++) {
        size_t number = numbers[i];
        if (number == 0 || breaker_room(&work->breakers->rows[number - 1].rec.row) == SIZE_MAX)
            lanes[set->lane_count++] = member->lanes[i];
    }
}

/* One set more for each half-open breaker with room. lanes has room for every lane once. */
static size_t breaker_set_all(const sw__work *work, const sw__member *member, const size_t *numbers,
                              int64_t *lanes, sw__claim_set *sets)
{
    size_t count = 1;
    breaker_set_open(work, member, numbers, lanes, &sets[0]);
    lanes += sets[0].lane_count;
    for (size_t number = 1; number <= work->breakers->count; number++) {
        size_t room = breaker_room(&work->breakers->rows[number - 1].rec.row);
        if (room == 0 || room == SIZE_MAX)
            continue;
        sets[count] = (sw__claim_set){.lanes = lanes, .claim_max = room};
        breaker_set_add(member, numbers, number, lanes, &sets[count]);
        lanes += sets[count].lane_count;
        count += sets[count].lane_count > 0;
    }
    return count;
}

static bool breaker_all_closed(const sw__work_breakers *breakers)
{
    for (size_t i = 0; i < breakers->count; i++) {
        if (breakers->rows[i].rec.row.state != SW_BREAKER_CLOSED)
            return false;
    }
    return true;
}

int sw__breaker_sets(sw__work *work, const sw__member *member, sw__claim_set **sets, size_t *count,
                     sw_error *err)
{
    int rc = sw__breakers_load(work, err);
    for (size_t i = 0; rc == SW_OK && i < work->breakers->count; i++)
        rc = breaker_half_open(work, &work->breakers->rows[i], err);
    if (rc < 0 || breaker_all_closed(work->breakers))
        return rc;
    size_t *numbers = sw__arena_array(work->arena, member->lane_count, sizeof *numbers);
    int64_t *lanes = sw__arena_array(work->arena, member->lane_count, sizeof *lanes);
    sw__claim_set *made = sw__arena_array(work->arena, work->breakers->count + 1, sizeof *made);
    if (!numbers || !lanes || !made)
        return sw__fail(err, SW_ENOMEM, NULL);
    rc = breaker_number_lanes(work, member, numbers, err);
    if (rc == SW_OK) {
        *count = breaker_set_all(work, member, numbers, lanes, made);
        *sets = made;
    }
    return rc;
}

int64_t sw__breaker_due_us(const sw__work *work)
{
    int64_t due_us = INT64_MAX;
    for (size_t i = 0; work->breakers && i < work->breakers->count; i++) {
        const sw_breaker_row *row = &work->breakers->rows[i].rec.row;
        if (row->state == SW_BREAKER_OPEN && row->until_us > 0 && row->until_us < due_us)
            due_us = row->until_us;
    }
    return SW__PLANT(BREAKER_DUE_LATE) ? INT64_MAX : due_us;
}
