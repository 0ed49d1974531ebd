/* Gantt charts: check the rows, give each its line, find the time they cover. */
#include "picture/gantt.h"

#include <inttypes.h>

#include "base/error.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/map.h"
#include "picture/glyph.h"
#include "picture/picture.h"

#define MINUTE_US INT64_C(60000000)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)
#define TIME_MOST_US INT64_C(253402300800000000) /* the end of the year 9999 */
#define SIZE_MOST 100000                         /* pixels or columns */

static int gantt_options_check(const sw_gantt_options *options, sw_error *err)
{
    if (options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "sw_gantt_options: size is %u, expected %zu", options->size,
                        sizeof(*options));
    if (options->format != SW_PICTURE_SVG && options->format != SW_PICTURE_TEXT &&
        options->format != SW_PICTURE_JSON)
        return sw__fail(err, SW_EINVAL, "a Gantt chart cannot be written as '%s'",
                        sw_picture_format_name(options->format));
    if (options->columns < 0 || options->columns > SIZE_MOST || options->width < 0 ||
        options->width > SIZE_MOST)
        return sw__fail(err, SW_EINVAL, "a Gantt chart cannot be %d columns or %d pixels wide",
                        options->columns, options->width);
    if (options->now_us < 0 || options->now_us > TIME_MOST_US)
        return sw__fail(err, SW_EINVAL, "it cannot be %" PRId64 " now", options->now_us);
    return sw__picture_text_check(options->title, "the title", -1, err);
}

static int gantt_row_check(const sw_gantt_row *row, size_t index, sw_error *err)
{
    int code = sw__picture_text_check(row->name, "a name", (int64_t)index, err);
    if (code < 0)
        return code;
    if (row->state < -1 || row->state >= SW_STEP_STATE_COUNT)
        return sw__fail_row(err, SW_EINVAL, index, "row %zu: there is no state %d of a step", index,
                            row->state);
    if (row->ready_us < 0 || row->begin_us < 0 || row->end_us < 0 || row->ready_us > TIME_MOST_US ||
        row->begin_us > TIME_MOST_US || row->end_us > TIME_MOST_US)
        return sw__fail_row(err, SW_EINVAL, index,
                            "row %zu: times are microseconds from 1970 to 9999", index);
    if ((row->begin_us > 0 && row->begin_us < row->ready_us) ||
        (row->end_us > 0 && row->end_us < row->begin_us) || (row->end_us > 0 && row->begin_us == 0))
        return sw__fail_row(err, SW_EINVAL, index,
                            "row %zu: ready, begin and end have to follow each other", index);
    return SW_OK;
}

int64_t sw__gantt_row_end(const sw__gantt *gantt, const sw_gantt_row *row)
{
    int64_t open = gantt->end_us > row->begin_us ? gantt->end_us : row->begin_us;
    return row->end_us > 0 ? row->end_us : open;
}

static void gantt_time_take(sw__gantt *gantt, int64_t time_us)
{
    if (time_us == 0)
        return;
    if (gantt->start_us == 0 || time_us < gantt->start_us)
        gantt->start_us = time_us;
    if (time_us > gantt->end_us)
        gantt->end_us = time_us;
}

static void gantt_times_find(sw__gantt *gantt)
{
    for (int32_t i = 0; i < gantt->row_count; i++) {
        gantt_time_take(gantt, gantt->rows[i].ready_us);
        gantt_time_take(gantt, gantt->rows[i].begin_us);
        gantt_time_take(gantt, gantt->rows[i].end_us);
    }
    /* A clock that stands before what has happened already is not believed. */
    if (gantt->options->now_us > gantt->end_us)
        gantt->end_us = gantt->options->now_us;
    if (gantt->end_us <= gantt->start_us)
        gantt->end_us = gantt->start_us + 1;
}

/* Links the rows of each lane to a line. */
static int gantt_lines_fill(sw__gantt *gantt, sw__map *lanes)
{
    for (int32_t i = 0; i < gantt->row_count; i++) {
        const sw_gantt_row *row = &gantt->rows[i];
        const int64_t *known = sw__map_find(lanes, row->lane);
        int32_t line = known ? (int32_t)*known : gantt->line_count;
        if (!known) {
            if (sw__map_put(lanes, row->lane, line) < 0)
                return SW_ENOMEM;
            gantt->lines[gantt->line_count++] = (sw__gantt_line){.first = i, .last = i};
            int32_t columns = sw__glyphs_width(row->name);
            gantt->name_columns = columns > gantt->name_columns ? columns : gantt->name_columns;
        }
        sw__gantt_line *own = &gantt->lines[line];
        gantt->line[i] = line;
        gantt->next[i] = -1;
        if (own->last != i)
            gantt->next[own->last] = i;
        own->last = i;
        if (row->begin_us > 0 &&
            __builtin_add_overflow(own->run_us, sw__gantt_row_end(gantt, row) - row->begin_us,
                                   &own->run_us))
            own->run_us = INT64_MAX;
    }
    return SW_OK;
}

static int gantt_build(sw__gantt *gantt, size_t row_count, sw_error *err)
{
    if (row_count > SW__GANTT_ROWS_MAX)
        return sw__fail(err, SW_ELIMIT, "%zu rows; %d are allowed", row_count, SW__GANTT_ROWS_MAX);
    if (!gantt->rows && row_count > 0)
        return sw__fail(err, SW_EINVAL, "rows are missing");
    for (size_t i = 0; i < row_count; i++) {
        int code = gantt_row_check(&gantt->rows[i], i, err);
        if (code < 0)
            return code;
    }
    gantt->row_count = (int32_t)row_count;
    gantt->lines = sw__arena_array(gantt->arena, row_count, sizeof(*gantt->lines));
    gantt->line = sw__arena_array(gantt->arena, row_count, sizeof(*gantt->line));
    gantt->next = sw__arena_array(gantt->arena, row_count, sizeof(*gantt->next));
    if (sw__arena_failed(gantt->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    gantt_times_find(gantt);
    sw__map lanes;
    sw__map_init(&lanes, sw__arena_env(gantt->arena));
    int code = gantt_lines_fill(gantt, &lanes);
    sw__map_free(&lanes);
    return code < 0 ? sw__fail(err, code, NULL) : code;
}

int32_t sw__gantt_place(const sw__gantt *gantt, int64_t time_us, int32_t units)
{
    double span = (double)(gantt->end_us - gantt->start_us);
    return (int32_t)((double)(time_us - gantt->start_us) / span * units);
}

int64_t sw__gantt_tick(const sw__gantt *gantt, int32_t most)
{
    /* Behind a second people count in halves of a minute, an hour, a day. */
    static const int64_t above[] = {1,   2,   5,    10,   15,   30,    60,    120,   300,
                                    600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400};
    int64_t span = gantt->end_us - gantt->start_us;
    for (int64_t power = 1; power < 1000000; power *= 10) {
        for (int64_t digit = 1; digit <= 5; digit += digit == 1 ? 1 : 3) {
            if (span / (power * digit) < most)
                return power * digit;
        }
    }
    for (size_t i = 0; i < sizeof(above) / sizeof(above[0]); i++) {
        if (span / (above[i] * 1000000) < most)
            return above[i] * 1000000;
    }
    int64_t tick = DAY_US;
    while (span / tick >= most && tick < INT64_MAX / 2)
        tick *= 2;
    return tick;
}

/* A number with as many decimals as it has: printf would ask the locale for the point. */
static void decimal_put(sw__buf *buf, int64_t whole, int64_t part, int digits, const char *unit)
{
    while (part > 0 && part % 10 == 0) {
        part /= 10;
        digits--;
    }
    sw__buf_printf(buf, "%" PRId64, whole);
    if (part > 0)
        sw__buf_printf(buf, ".%0*" PRId64, digits, part);
    sw__buf_put_text(buf, unit);
}

void sw__gantt_tick_put(sw__buf *buf, int64_t time_us)
{
    if (time_us == 0) {
        sw__buf_put_text(buf, "0");
    } else if (time_us < 1000) {
        sw__buf_printf(buf, "%" PRId64 "us", time_us);
    } else if (time_us < 1000000) {
        decimal_put(buf, time_us / 1000, time_us % 1000, 3, "ms");
    } else if (time_us < MINUTE_US) {
        decimal_put(buf, time_us / 1000000, time_us % 1000000, 6, "s");
    } else if (time_us < HOUR_US) {
        sw__buf_printf(buf, "%" PRId64 "m", time_us / MINUTE_US);
        if (time_us % MINUTE_US)
            sw__buf_printf(buf, " %02" PRId64 "s", time_us % MINUTE_US / 1000000);
    } else if (time_us < DAY_US) {
        sw__buf_printf(buf, "%" PRId64 "h", time_us / HOUR_US);
        if (time_us % HOUR_US)
            sw__buf_printf(buf, " %02" PRId64 "m", time_us % HOUR_US / MINUTE_US);
    } else {
        sw__buf_printf(buf, "%" PRId64 "d", time_us / DAY_US);
        if (time_us % DAY_US)
            sw__buf_printf(buf, " %02" PRId64 "h", time_us % DAY_US / HOUR_US);
    }
}

static void json_time_put(sw__buf *buf, const char *name, int64_t time_us)
{
    if (time_us > 0)
        sw__buf_printf(buf, ",\"%s\":%" PRId64, name, time_us);
    else
        sw__buf_printf(buf, ",\"%s\":null", name);
}

int sw__gantt_write_json(sw__gantt *gantt, sw_error *err)
{
    sw__buf *buf = gantt->buf;
    (void)err;
    sw__buf_put_text(buf, "{\"title\":");
    if (gantt->options->title.ptr)
        sw__json_put_str(buf, gantt->options->title);
    else
        sw__buf_put_text(buf, "null");
    sw__buf_printf(buf, ",\"start_us\":%" PRId64 ",\"end_us\":%" PRId64 ",\"lines\":%" PRId32,
                   gantt->start_us, gantt->end_us, gantt->line_count);
    sw__buf_put_text(buf, ",\"rows\":[");
    for (int32_t i = 0; i < gantt->row_count; i++) {
        const sw_gantt_row *row = &gantt->rows[i];
        sw__buf_put_text(buf, i == 0 ? "{\"name\":" : ",{\"name\":");
        sw__json_put_str(buf, row->name);
        sw__buf_printf(buf,
                       ",\"line\":%" PRId32 ",\"attempt\":%" PRId32 ",\"state\":", gantt->line[i],
                       row->attempt);
        if (row->state >= 0)
            sw__buf_printf(buf, "\"%s\"", sw_step_state_name(row->state));
        else
            sw__buf_put_text(buf, "null");
        sw__buf_printf(buf, ",\"critical\":%s",
                       row->flags & SW_PICTURE_CRITICAL ? "true" : "false");
        json_time_put(buf, "ready_us", row->ready_us);
        json_time_put(buf, "begin_us", row->begin_us);
        json_time_put(buf, "end_us", row->end_us);
        sw__buf_put_byte(buf, '}');
    }
    sw__buf_put_text(buf, "]}\n");
    return SW_OK;
}

static int gantt_write(sw__gantt *gantt, sw_error *err)
{
    switch (gantt->options->format) {
    case SW_PICTURE_SVG:
        return sw__gantt_write_svg(gantt, err);
    case SW_PICTURE_JSON:
        return sw__gantt_write_json(gantt, err);
    default:
        return sw__gantt_write_text(gantt, err);
    }
}

int sw_gantt_render(const sw_gantt_options *options, const sw_gantt_row *rows, size_t row_count,
                    sw_result **out, sw_error *err)
{
    *out = NULL;
    sw__error_clear(err);
    int code = gantt_options_check(options, err);
    if (code < 0)
        return code;
    const sw_env *env = options->env ? options->env : sw_env_system();
    sw__buf buf;
    sw__buf_init(&buf, env);
    sw__gantt gantt = {.options = options, .rows = rows, .buf = &buf};
    gantt.arena = sw__arena_new(env);
    if (!gantt.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    code = gantt_build(&gantt, row_count, err);
    if (code == SW_OK)
        code = gantt_write(&gantt, err);
    if (code == SW_OK)
        code = sw__picture_result(env, &buf,
                                  &(sw_picture){.format = options->format,
                                                .width = gantt.out_width,
                                                .height = gantt.out_height},
                                  out, err);
    sw__buf_free(&buf);
    sw__arena_free(gantt.arena);
    return code;
}
