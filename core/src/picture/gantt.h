/* One Gantt chart in the making: checked rows, their lines, and the time they cover. */
#ifndef SW_PICTURE_GANTT_H
#define SW_PICTURE_GANTT_H

#include "base/arena.h"
#include "base/buf.h"
#include "stepwell.h"

#define SW__GANTT_TICKS_MOST 64

/* Everything that is drawn on one line. */
typedef struct sw__gantt_line {
    int32_t first; /* rows of the line in order, linked by sw__gantt.next */
    int32_t last;
    int64_t run_us; /* of all its bars */
} sw__gantt_line;

typedef struct sw__gantt {
    const sw_gantt_options *options;
    const sw_gantt_row *rows;
    int32_t row_count;
    sw__gantt_line *lines;
    int32_t *line; /* of each row */
    int32_t *next; /* the next row of its line, -1 for none */
    int32_t line_count;
    int32_t name_columns; /* of the longest name */
    int64_t start_us;
    int64_t end_us; /* above start_us */
    sw__arena *arena;
    sw__buf *buf;
    int32_t out_width;
    int32_t out_height;
} sw__gantt;

/* When a row ends on the chart: its end, or now when it is open. */
int64_t sw__gantt_row_end(const sw__gantt *gantt, const sw_gantt_row *row);

/* Where a moment lies on a scale of so many units. */
int32_t sw__gantt_place(const sw__gantt *gantt, int64_t time_us, int32_t units);

/* Distance of the marks on the time line: a round number of which at most `most` fit. */
int64_t sw__gantt_tick(const sw__gantt *gantt, int32_t most);

/* Append a round time since the start: "0", "250ms", "1.5s", "2m", "1h 30m". */
void sw__gantt_tick_put(sw__buf *buf, int64_t time_us);

int sw__gantt_write_svg(sw__gantt *gantt, sw_error *err);
int sw__gantt_write_text(sw__gantt *gantt, sw_error *err);
int sw__gantt_write_json(sw__gantt *gantt, sw_error *err);

#endif
