/* A Gantt chart as SVG: a time line with round marks, a line for each lane. */
#include <inttypes.h>

#include "base/error.h"
#include "base/str.h"
#include "picture/gantt.h"
#include "picture/look.h"
#include "picture/svg.h"

#define AXIS_HEIGHT 26
#define LINE_HEIGHT 26
#define BAR_HEIGHT 14
#define WAIT_HEIGHT 4
#define BAR_LEAST 3      /* pixels of a bar, however short it was */
#define BAR_MARK_ROOM 18 /* of a bar with the mark of its state inside */
#define BAR_WIDTH_USUAL 960
#define CHART_LEAST 200
#define BAR_NAME_COLUMNS 28
#define BAR_TIMES_WIDTH 100
#define BAR_TICK_WIDTH 80

typedef struct svg_chart {
    sw__gantt *gantt;
    sw__buf *buf;
    sw__buf text; /* scratch */
    int32_t left; /* of the time line */
    int32_t width;
    int32_t top;
} svg_chart;

/* Use the scratch again. What failed in it fails in the chart. */
static void chart_text_clear(svg_chart *chart)
{
    chart->buf->failed = chart->buf->failed || chart->text.failed;
    sw__buf_clear(&chart->text);
}

static int32_t chart_x(const svg_chart *chart, int64_t time_us)
{
    return chart->left + sw__gantt_place(chart->gantt, time_us, chart->width);
}

static void chart_axis_put(svg_chart *chart)
{
    const sw__gantt *gantt = chart->gantt;
    int64_t tick = sw__gantt_tick(gantt, chart->width / BAR_TICK_WIDTH);
    int32_t bottom = chart->top + gantt->line_count * LINE_HEIGHT;
    for (int64_t time = 0; time <= gantt->end_us - gantt->start_us; time += tick) {
        int32_t x = chart_x(chart, gantt->start_us + time);
        sw__buf_printf(chart->buf,
                       "<path class=\"sw-grid\" d=\"M%" PRId32 ".5 %" PRId32 "V%" PRId32 "\"/>", x,
                       chart->top - 4, bottom);
        chart_text_clear(chart);
        sw__gantt_tick_put(&chart->text, time);
        sw__svg_text(chart->buf, "sw-axis", x, chart->top - 10, sw__buf_str(&chart->text),
                     SW__GLYPHS_ALL);
        sw__buf_put_byte(chart->buf, '\n');
    }
}

static void bar_rect_put(const svg_chart *chart, const char *class_name, int32_t x, int32_t y,
                         int32_t width, int32_t height)
{
    sw__buf_printf(chart->buf,
                   "<rect class=\"%s\" x=\"%" PRId32 "\" y=\"%" PRId32 "\" width=\"%" PRId32
                   "\" height=\"%" PRId32 "\" rx=\"2\"/>",
                   class_name, x, y, width, height);
}

/* "fetch, attempt 2: failed after 0.412s, waited 0.010s" */
static void bar_describe(const sw__gantt *gantt, const sw_gantt_row *row, sw__buf *text)
{
    sw__buf_put_str(text, row->name);
    if (row->attempt > 0)
        sw__buf_printf(text, ", attempt %" PRId32, row->attempt);
    if (row->state >= 0)
        sw__buf_printf(text, ": %s", sw_step_state_name(row->state));
    if (row->begin_us > 0) {
        sw__buf_put_text(text, row->end_us > 0 ? " after " : " for ");
        sw__duration_put(text, sw__gantt_row_end(gantt, row) - row->begin_us);
    }
    if (row->ready_us > 0) {
        sw__buf_put_text(text, ", waited ");
        sw__duration_put(text, (row->begin_us > 0 ? row->begin_us : gantt->end_us) - row->ready_us);
    }
    if (row->flags & SW_PICTURE_CRITICAL)
        sw__buf_put_text(text, ", on the critical path");
}

static void bar_put(svg_chart *chart, const sw_gantt_row *row, int32_t middle)
{
    const sw__gantt *gantt = chart->gantt;
    sw__buf_printf(chart->buf, "<g class=\"sw-%s%s\">", sw__look_get(row->state)->name,
                   row->flags & SW_PICTURE_CRITICAL ? " sw-critical" : "");
    chart_text_clear(chart);
    bar_describe(gantt, row, &chart->text);
    sw__svg_title(chart->buf, sw__buf_str(&chart->text));
    if (row->ready_us > 0) {
        int32_t x = chart_x(chart, row->ready_us);
        int32_t end = chart_x(chart, row->begin_us > 0 ? row->begin_us : gantt->end_us);
        if (end > x)
            bar_rect_put(chart, "sw-bar sw-wait", x, middle - WAIT_HEIGHT / 2, end - x,
                         WAIT_HEIGHT);
    }
    if (row->begin_us > 0) {
        int32_t x = chart_x(chart, row->begin_us);
        int32_t width = chart_x(chart, sw__gantt_row_end(gantt, row)) - x;
        width = width < BAR_LEAST ? BAR_LEAST : width;
        bar_rect_put(chart, "sw-bar sw-run", x, middle - BAR_HEIGHT / 2, width, BAR_HEIGHT);
        if (width >= BAR_MARK_ROOM) {
            sw__buf_put_text(chart->buf, "<g class=\"sw-on\">");
            sw__svg_mark(chart->buf, row->state, x + width / 2, middle);
            sw__buf_put_text(chart->buf, "</g>");
        }
    }
    sw__buf_put_text(chart->buf, "</g>\n");
}

static void chart_line_put(svg_chart *chart, int32_t index)
{
    const sw__gantt *gantt = chart->gantt;
    const sw__gantt_line *line = &gantt->lines[index];
    const sw_gantt_row *last = &gantt->rows[line->last];
    int32_t middle = chart->top + index * LINE_HEIGHT + LINE_HEIGHT / 2;
    int32_t right = chart->left + chart->width;
    sw__svg_text(chart->buf, "sw-plain", SW__SVG_MARGIN, middle + 4, gantt->rows[line->first].name,
                 BAR_NAME_COLUMNS);
    sw__buf_put_byte(chart->buf, '\n');
    for (int32_t i = line->first; i >= 0; i = gantt->next[i])
        bar_put(chart, &gantt->rows[i], middle);
    sw__buf_printf(chart->buf, "<g class=\"sw-%s\">", sw__look_get(last->state)->name);
    sw__svg_mark(chart->buf, last->state, right + 18, middle);
    chart_text_clear(chart);
    if (last->begin_us > 0)
        sw__duration_put(&chart->text, line->run_us);
    sw__svg_text(chart->buf, "sw-detail sw-end", right + BAR_TIMES_WIDTH - 10, middle + 4,
                 sw__buf_str(&chart->text), SW__GLYPHS_ALL);
    sw__buf_put_text(chart->buf, "</g>\n");
}

static void chart_describe(const sw__gantt *gantt, sw__buf *text)
{
    sw__buf_printf(text, "%" PRId32 " attempts of %" PRId32 " steps in ", gantt->row_count,
                   gantt->line_count);
    sw__duration_put(text, gantt->row_count > 0 ? gantt->end_us - gantt->start_us : 0);
    sw__buf_put_byte(text, '.');
}

static void chart_put(svg_chart *chart)
{
    static const sw_str plain = SW__LIT("attempts over time");
    sw__gantt *gantt = chart->gantt;
    sw_str title = gantt->options->title;
    chart_describe(gantt, &chart->text);
    sw__svg_begin(chart->buf, gantt->out_width, gantt->out_height, title.len > 0 ? title : plain,
                  sw__buf_str(&chart->text));
    if (title.len > 0) {
        sw__svg_text(chart->buf, "sw-head", SW__SVG_MARGIN, SW__SVG_MARGIN + 12, title, 60);
        sw__buf_put_byte(chart->buf, '\n');
    }
    if (gantt->line_count > 0)
        chart_axis_put(chart);
    for (int32_t i = 0; i < gantt->line_count; i++)
        chart_line_put(chart, i);
    sw__svg_end(chart->buf);
}

int sw__gantt_write_svg(sw__gantt *gantt, sw_error *err)
{
    svg_chart chart = {.gantt = gantt, .buf = gantt->buf};
    int32_t names = gantt->name_columns < BAR_NAME_COLUMNS ? gantt->name_columns : BAR_NAME_COLUMNS;
    (void)err;
    chart.left = SW__SVG_MARGIN + names * SW__SVG_COLUMN + 14;
    gantt->out_width = gantt->options->width > 0 ? gantt->options->width : BAR_WIDTH_USUAL;
    chart.width = gantt->out_width - chart.left - BAR_TIMES_WIDTH;
    if (chart.width < CHART_LEAST) {
        chart.width = CHART_LEAST;
        gantt->out_width = chart.left + chart.width + BAR_TIMES_WIDTH;
    }
    chart.top = SW__SVG_MARGIN + AXIS_HEIGHT + (gantt->options->title.len > 0 ? SW__SVG_HEAD : 0);
    gantt->out_height = chart.top + gantt->line_count * LINE_HEIGHT + SW__SVG_MARGIN;
    sw__buf_init(&chart.text, sw__arena_env(gantt->arena));
    chart_put(&chart);
    gantt->buf->failed = gantt->buf->failed || chart.text.failed;
    sw__buf_free(&chart.text);
    return SW_OK;
}
