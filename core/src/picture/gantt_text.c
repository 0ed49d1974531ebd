/* A Gantt chart for the terminal: one line per lane, names on the left, times on the right. */
#include <string.h>

#include "base/error.h"
#include "picture/gantt.h"
#include "picture/glyph.h"
#include "picture/look.h"

#define CHART_COLUMNS_USUAL 80
#define CHART_COLUMNS_LEAST 40
#define CHART_NAME_COLUMNS 32
#define CHART_TIMES_COLUMNS 12 /* behind the chart: mark and duration */
#define CHART_TICK_COLUMNS 10

/* One column of a line. */
typedef struct chart_cell {
    const char *glyph; /* NULL: nothing */
    const char *ansi;
} chart_cell;

typedef struct text_chart {
    sw__gantt *gantt;
    sw__buf *buf;
    chart_cell *cells;
    int32_t names;   /* columns of the names */
    int32_t columns; /* of the chart */
    bool ascii;
    bool color;
} text_chart;

static void spaces_put(sw__buf *buf, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        sw__buf_put_byte(buf, ' ');
}

static void coloured_put(const text_chart *chart, const char *ansi, const char *text)
{
    bool on = chart->color && ansi && ansi[0];
    if (on)
        sw__buf_printf(chart->buf, "\033[%sm", ansi);
    sw__buf_put_text(chart->buf, text);
    if (on)
        sw__buf_put_text(chart->buf, "\033[0m");
}

static int32_t chart_column(const text_chart *chart, int64_t time_us)
{
    int32_t column = sw__gantt_place(chart->gantt, time_us, chart->columns);
    return column < chart->columns ? column : chart->columns - 1;
}

/* The bar of one attempt over the time it waited. How it ended stands at its end, unless well. */
static void row_draw(text_chart *chart, const sw_gantt_row *row)
{
    const sw__gantt *gantt = chart->gantt;
    const sw__look *look = sw__look_get(row->state);
    int64_t wait_end = row->begin_us > 0 ? row->begin_us : gantt->end_us;
    if (row->ready_us > 0) {
        int32_t end = chart_column(chart, wait_end);
        for (int32_t i = chart_column(chart, row->ready_us); i <= end; i++) {
            if (!chart->cells[i].glyph)
                chart->cells[i] = (chart_cell){chart->ascii ? "." : "┄", "2"};
        }
    }
    if (row->begin_us == 0)
        return;
    int32_t first = chart_column(chart, row->begin_us);
    int32_t last = chart_column(chart, sw__gantt_row_end(gantt, row) - 1);
    last = last < first ? first : last;
    const char *bar =
        row->flags & SW_PICTURE_CRITICAL ? (chart->ascii ? "#" : "█") : (chart->ascii ? "=" : "━");
    for (int32_t i = first; i <= last; i++)
        chart->cells[i] = (chart_cell){bar, look->ansi};
    if (row->state >= 0 && row->state != SW_STEP_SUCCEEDED)
        chart->cells[last].glyph = chart->ascii ? look->mark_ascii : look->mark;
}

static void cells_put(const text_chart *chart)
{
    for (int32_t i = 0; i < chart->columns; i++) {
        const chart_cell *cell = &chart->cells[i];
        if (cell->glyph)
            coloured_put(chart, cell->ansi, cell->glyph);
        else
            sw__buf_put_byte(chart->buf, ' ');
    }
}

static void line_put(text_chart *chart, const sw__gantt_line *line)
{
    const sw__gantt *gantt = chart->gantt;
    const sw_gantt_row *last = &gantt->rows[line->last];
    const sw__look *look = sw__look_get(last->state);
    memset(chart->cells, 0, (size_t)chart->columns * sizeof(*chart->cells));
    for (int32_t i = line->first; i >= 0; i = gantt->next[i])
        row_draw(chart, &gantt->rows[i]);
    int32_t used = sw__glyphs_put(chart->buf, gantt->rows[line->first].name, chart->names,
                                  SW__ESCAPE_NONE, chart->ascii);
    spaces_put(chart->buf, chart->names - used + 2);
    cells_put(chart);
    sw__buf_put_text(chart->buf, "  ");
    coloured_put(chart, look->ansi, chart->ascii ? look->mark_ascii : look->mark);
    if (last->begin_us > 0) {
        sw__buf_put_byte(chart->buf, ' ');
        sw__duration_put(chart->buf, line->run_us);
    }
    sw__buf_put_byte(chart->buf, '\n');
}

/* Round times below the chart. */
static void axis_put(const text_chart *chart)
{
    const sw__gantt *gantt = chart->gantt;
    int64_t tick = sw__gantt_tick(gantt, chart->columns / CHART_TICK_COLUMNS);
    int32_t column = 0;
    spaces_put(chart->buf, chart->names + 2);
    for (int64_t time = 0; time <= gantt->end_us - gantt->start_us; time += tick) {
        int32_t at = sw__gantt_place(gantt, gantt->start_us + time, chart->columns);
        size_t before = chart->buf->len;
        if (at < column || at + 6 > chart->columns + CHART_TIMES_COLUMNS)
            continue;
        spaces_put(chart->buf, at - column);
        column = at;
        before = chart->buf->len;
        sw__gantt_tick_put(chart->buf, time);
        column += (int32_t)(chart->buf->len - before);
    }
    sw__buf_put_byte(chart->buf, '\n');
}

int sw__gantt_write_text(sw__gantt *gantt, sw_error *err)
{
    text_chart chart = {.gantt = gantt,
                        .buf = gantt->buf,
                        .ascii = gantt->options->ascii != 0,
                        .color = gantt->options->color != 0};
    int32_t columns = gantt->options->columns ? gantt->options->columns : CHART_COLUMNS_USUAL;
    if (columns < CHART_COLUMNS_LEAST)
        return sw__fail(err, SW_ELIMIT, "a Gantt chart needs %d columns, there are %d",
                        CHART_COLUMNS_LEAST, columns);
    chart.names =
        gantt->name_columns < CHART_NAME_COLUMNS ? gantt->name_columns : CHART_NAME_COLUMNS;
    chart.names = chart.names < columns / 3 ? chart.names : columns / 3;
    chart.columns = columns - chart.names - 2 - CHART_TIMES_COLUMNS;
    chart.cells = sw__arena_array(gantt->arena, (size_t)chart.columns, sizeof(*chart.cells));
    if (!chart.cells)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int32_t i = 0; i < gantt->line_count; i++)
        line_put(&chart, &gantt->lines[i]);
    if (gantt->line_count > 0)
        axis_put(&chart);
    gantt->out_width = columns;
    gantt->out_height = gantt->line_count > 0 ? gantt->line_count + 1 : 0;
    return SW_OK;
}
