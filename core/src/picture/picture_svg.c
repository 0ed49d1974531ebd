/* A graph as SVG: edges below, then their tips, then boxes. */
#include <inttypes.h>

#include "base/error.h"
#include "base/str.h"
#include "picture/look.h"
#include "picture/picture.h"
#include "picture/svg.h"

#define FOOT_HEIGHT 26
#define TIP_LENGTH 6
#define TIP_WIDTH 4
#define DESCRIPTION_NAMES 40

typedef struct svg_canvas {
    sw__picture *picture;
    sw__buf *buf;
    int32_t top; /* where the drawing begins */
    sw__point *points;
    int32_t *tips; /* of each node: 1 when an edge ends there, 2 when a critical one does */
} svg_canvas;

static bool edge_is(const sw__picture *picture, int32_t edge, int32_t flag)
{
    return (picture->edges[picture->edge_row[edge]].flags & flag) != 0;
}

static bool picture_has_edge(const sw__picture *picture, int32_t flag)
{
    for (int32_t i = 0; i < picture->graph.edge_count; i++) {
        if (edge_is(picture, i, flag))
            return true;
    }
    return false;
}

static void counts_describe(const sw__picture *picture, sw__buf *text)
{
    const char *comma = ": ";
    int32_t counts[SW__LOOK_COUNT] = {0};
    int32_t nodes = picture->graph.node_count;
    sw__buf_printf(text, "%" PRId32 " step%s in %" PRId32 " level%s, %" PRId32 " dependenc%s",
                   nodes, nodes == 1 ? "" : "s", picture->level_count,
                   picture->level_count == 1 ? "" : "s", picture->graph.edge_count,
                   picture->graph.edge_count == 1 ? "y" : "ies");
    for (int32_t i = 0; i < nodes; i++) {
        int32_t state = picture->nodes[i].state;
        counts[state < 0 ? SW_STEP_STATE_COUNT : state]++;
    }
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++) {
        if (counts[state] == 0)
            continue;
        sw__buf_printf(text, "%s%" PRId32 " %s", comma, counts[state], sw__look_get(state)->name);
        comma = ", ";
    }
    sw__buf_put_byte(text, '.');
}

/* The critical path by name, in the order of work. */
static void critical_describe(const sw__picture *picture, sw__buf *text)
{
    const char *comma = " Critical path: ";
    int32_t shown = 0;
    for (int32_t i = 0; i < picture->graph.node_count && shown < DESCRIPTION_NAMES; i++) {
        const sw_picture_node *node = &picture->nodes[picture->order[i]];
        if (!(node->flags & SW_PICTURE_CRITICAL))
            continue;
        sw__buf_put_text(text, comma);
        sw__buf_put_str(text, sw__picture_label(node));
        comma = ", ";
        shown++;
    }
    if (shown > 0)
        sw__buf_put_text(text, shown == DESCRIPTION_NAMES ? ", ..." : ".");
}

/* Most of a large picture is numbers, which printf is slow with. */
static void number_put(sw__buf *buf, int32_t number)
{
    char digits[12];
    size_t at = sizeof(digits);
    uint32_t left = number < 0 ? 0u - (uint32_t)number : (uint32_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    sw__buf_put(buf, digits + at, sizeof(digits) - at);
}

static void number_pair(sw__buf *buf, sw__point point, int32_t top)
{
    number_put(buf, point.x + SW__SVG_MARGIN);
    sw__buf_put_byte(buf, ' ');
    number_put(buf, point.y + top);
}

/* From one layer to the next: straight, or a curve that leaves and arrives straight. */
static void gap_put(const svg_canvas *canvas, sw__point from, sw__point to)
{
    bool rightward = canvas->picture->rightward;
    if (rightward ? from.y == to.y : from.x == to.x)
        return;
    sw__point first = from, second = to;
    if (rightward)
        first.x = second.x = (from.x + to.x) / 2;
    else
        first.y = second.y = (from.y + to.y) / 2;
    sw__buf_put_byte(canvas->buf, 'L');
    number_pair(canvas->buf, from, canvas->top);
    sw__buf_put_byte(canvas->buf, 'C');
    number_pair(canvas->buf, first, canvas->top);
    sw__buf_put_byte(canvas->buf, ' ');
    number_pair(canvas->buf, second, canvas->top);
    sw__buf_put_byte(canvas->buf, ' ');
    number_pair(canvas->buf, to, canvas->top);
}

static void edge_put(const svg_canvas *canvas, int32_t from, int32_t edge)
{
    const sw__picture *picture = canvas->picture;
    int32_t count = sw__edge_point_count(picture, edge);
    sw__edge_points(picture, from, edge, canvas->points);
    sw__point end = canvas->points[count - 1];
    if (picture->rightward)
        end.x -= 1;
    else
        end.y -= 1;
    sw__buf_printf(canvas->buf, "<path class=\"sw-edge%s%s\" d=\"M",
                   edge_is(picture, edge, SW_PICTURE_CRITICAL) ? " sw-critical" : "",
                   edge_is(picture, edge, SW_PICTURE_REDUNDANT) ? " sw-redundant" : "");
    number_pair(canvas->buf, canvas->points[0], canvas->top);
    for (int32_t i = 1; i + 1 < count; i += 2)
        gap_put(canvas, canvas->points[i], canvas->points[i + 1]);
    sw__buf_put_byte(canvas->buf, 'L');
    number_pair(canvas->buf, end, canvas->top);
    sw__buf_put_text(canvas->buf, "\"/>\n");
}

/* All edges with or without a flag, so that the critical ones lie on top. */
static void edges_put(const svg_canvas *canvas, bool critical)
{
    const sw__graph *graph = &canvas->picture->graph;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            if (edge_is(canvas->picture, i, SW_PICTURE_CRITICAL) != critical)
                continue;
            edge_put(canvas, node, i);
            canvas->tips[graph->out_node[i]] |= critical ? 3 : 1;
        }
    }
}

/* One tip where edges arrive. */
static void tip_put(const svg_canvas *canvas, int32_t node)
{
    const sw__picture *picture = canvas->picture;
    int32_t x = picture->layout.x[node] + SW__SVG_MARGIN, y = picture->layout.y[node] + canvas->top;
    const char *critical = canvas->tips[node] & 2 ? " sw-critical" : "";
    if (picture->rightward) {
        x -= picture->width[node] / 2 + 1;
        sw__buf_printf(canvas->buf,
                       "<path class=\"sw-tip%s\" d=\"M%" PRId32 " %" PRId32 "L%" PRId32 " %" PRId32
                       "L%" PRId32 " %" PRId32 "\"/>\n",
                       critical, x - TIP_LENGTH, y - TIP_WIDTH, x, y, x - TIP_LENGTH,
                       y + TIP_WIDTH);
    } else {
        y -= picture->height[node] / 2 + 1;
        sw__buf_printf(canvas->buf,
                       "<path class=\"sw-tip%s\" d=\"M%" PRId32 " %" PRId32 "L%" PRId32 " %" PRId32
                       "L%" PRId32 " %" PRId32 "\"/>\n",
                       critical, x - TIP_WIDTH, y - TIP_LENGTH, x, y, x + TIP_WIDTH,
                       y - TIP_LENGTH);
    }
}

/* "succeeded · 0.412s, slack 2s" */
static void node_detail(const sw_picture_node *node, sw__buf *text)
{
    bool times = node->duration_us >= 0 || node->flags & SW_PICTURE_SLACK;
    if (node->state >= 0)
        sw__buf_put_text(text, sw_step_state_name(node->state));
    if (node->state >= 0 && times)
        sw__buf_put_text(text, " \xC2\xB7 ");
    sw__picture_times_put(text, node);
}

/* What a pointer over the box tells: all of the name and label, and the state. */
static void node_title(const sw_picture_node *node, sw_str detail, sw__buf *text)
{
    sw__buf_put_str(text, node->name);
    if (node->label.len > 0 && !sw__str_equal(node->label, node->name)) {
        sw__buf_put_text(text, ": ");
        sw__buf_put_str(text, node->label);
    }
    if (detail.len > 0)
        sw__buf_put_text(text, ", ");
    sw__buf_put_str(text, detail);
    if (node->flags & SW_PICTURE_CRITICAL)
        sw__buf_put_text(text, ", on the critical path");
}

/* Use a buffer again. What failed in it fails in the picture. */
static void scratch_clear(const svg_canvas *canvas, sw__buf *scratch)
{
    canvas->buf->failed = canvas->buf->failed || scratch->failed;
    sw__buf_clear(scratch);
}

static void node_put(const svg_canvas *canvas, int32_t index, sw__buf *detail, sw__buf *title)
{
    const sw__picture *picture = canvas->picture;
    const sw_picture_node *node = &picture->nodes[index];
    int32_t width = picture->width[index], height = picture->height[index];
    int32_t x = picture->layout.x[index] - width / 2 + SW__SVG_MARGIN;
    int32_t y = picture->layout.y[index] - height / 2 + canvas->top;
    scratch_clear(canvas, detail);
    scratch_clear(canvas, title);
    node_detail(node, detail);
    node_title(node, sw__buf_str(detail), title);
    sw__buf_printf(canvas->buf, "<g class=\"sw-node sw-%s%s\">", sw__look_get(node->state)->name,
                   node->flags & SW_PICTURE_CRITICAL ? " sw-critical" : "");
    sw__svg_title(canvas->buf, sw__buf_str(title));
    sw__buf_printf(canvas->buf,
                   "<rect class=\"sw-box\" x=\"%" PRId32 "\" y=\"%" PRId32 "\" width=\"%" PRId32
                   "\" height=\"%" PRId32 "\" rx=\"7\"/>",
                   x, y, width, height);
    sw__svg_mark(canvas->buf, node->state, x + SW__SVG_PADDING + 5, y + 17);
    int32_t left = x + SW__SVG_PADDING + (picture->states ? SW__SVG_MARK_ROOM : 0);
    sw__svg_text(canvas->buf, "sw-name", left, y + 22, sw__picture_label(node),
                 SW__SVG_LABEL_COLUMNS);
    if (detail->len > 0)
        sw__svg_text(canvas->buf, "sw-detail", left, y + 38, sw__buf_str(detail), SW__GLYPHS_ALL);
    sw__buf_put_text(canvas->buf, "</g>\n");
}

/* What thick and dotted lines mean, when there are any. */
static void foot_put(const svg_canvas *canvas, int32_t y, bool critical, bool redundant)
{
    int32_t x = SW__SVG_MARGIN;
    if (critical) {
        sw__buf_printf(canvas->buf,
                       "<path class=\"sw-edge sw-critical\" d=\"M%" PRId32 " %" PRId32 "h24\"/>", x,
                       y - 4);
        sw__svg_text(canvas->buf, "sw-foot sw-head", x + 32, y, (sw_str)SW__LIT("critical path"),
                     SW__GLYPHS_ALL);
        x += 140;
    }
    if (redundant) {
        sw__buf_printf(canvas->buf,
                       "<path class=\"sw-edge sw-redundant\" d=\"M%" PRId32 " %" PRId32 "h24\"/>",
                       x, y - 4);
        sw__svg_text(canvas->buf, "sw-foot sw-head", x + 32, y,
                     (sw_str)SW__LIT("implied by others"), SW__GLYPHS_ALL);
    }
    if (critical || redundant)
        sw__buf_put_byte(canvas->buf, '\n');
}

static void canvas_put(svg_canvas *canvas, sw__buf *detail, sw__buf *title)
{
    edges_put(canvas, false);
    edges_put(canvas, true);
    for (int32_t i = 0; i < canvas->picture->graph.node_count; i++) {
        if (canvas->tips[i])
            tip_put(canvas, i);
    }
    for (int32_t i = 0; i < canvas->picture->graph.node_count; i++)
        node_put(canvas, i, detail, title);
}

static void document_put(svg_canvas *canvas, sw__buf *scratch, sw__buf *other)
{
    static const sw_str plain = SW__LIT("workflow");
    sw__picture *picture = canvas->picture;
    bool critical = picture_has_edge(picture, SW_PICTURE_CRITICAL);
    bool redundant = picture_has_edge(picture, SW_PICTURE_REDUNDANT);
    sw_str title = picture->options->title;
    int32_t foot = critical || redundant ? FOOT_HEIGHT : 0;
    int32_t least = critical && redundant ? 320 : critical || redundant ? 180 : 0;
    int32_t head = title.len > 0 ? sw__glyphs_width(title) : 0;
    head = (head > 60 ? 60 : head) * SW__SVG_COLUMN;
    least = head > least ? head : least;
    least = picture->layout.width > least ? picture->layout.width : least;
    canvas->top = SW__SVG_MARGIN + (title.len > 0 ? SW__SVG_HEAD : 0);
    picture->out_width = least + 2 * SW__SVG_MARGIN;
    picture->out_height = canvas->top + picture->layout.height + foot + SW__SVG_MARGIN;

    counts_describe(picture, scratch);
    critical_describe(picture, scratch);
    sw__svg_begin(picture->buf, picture->out_width, picture->out_height,
                  title.len > 0 ? title : plain, sw__buf_str(scratch));
    if (title.len > 0) {
        sw__svg_text(picture->buf, "sw-head", SW__SVG_MARGIN, SW__SVG_MARGIN + 12, title, 60);
        sw__buf_put_byte(picture->buf, '\n');
    }
    canvas_put(canvas, scratch, other);
    foot_put(canvas, picture->out_height - SW__SVG_MARGIN + 4, critical, redundant);
    sw__svg_end(picture->buf);
}

int sw__picture_write_svg(sw__picture *picture, sw_error *err)
{
    sw__buf scratch, other;
    svg_canvas canvas = {.picture = picture, .buf = picture->buf};
    int code = sw__picture_layout(picture, err);
    if (code < 0)
        return code;
    canvas.points =
        sw__arena_array(picture->arena, (size_t)sw__edge_points_most(picture), sizeof(sw__point));
    canvas.tips =
        sw__arena_array(picture->arena, (size_t)picture->graph.node_count, sizeof(int32_t));
    if (sw__arena_failed(picture->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__buf_init(&scratch, sw__arena_env(picture->arena));
    sw__buf_init(&other, sw__arena_env(picture->arena));
    document_put(&canvas, &scratch, &other);
    picture->buf->failed = picture->buf->failed || scratch.failed || other.failed;
    sw__buf_free(&scratch);
    sw__buf_free(&other);
    return SW_OK;
}
