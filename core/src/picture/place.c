/* Sizes of nodes, their places, and the points of edges, for SVG and JSON.
 *
 * Widths are reckoned from columns of a monospaced font, so that they need no font at hand.
 */
#include "base/error.h"
#include "base/limits.h"
#include "picture/glyph.h"
#include "picture/picture.h"
#include "picture/svg.h"

#define SCREEN_WIDTH 16 /* its shape, as width to height */
#define SCREEN_HEIGHT 10
#define STRETCH_FINE 2.0 /* so far from it is still good */
#define TALL_EASE 2.0    /* pages scroll down, not to the side */

static int32_t size_even(int32_t size)
{
    return size + size % 2;
}

static void nodes_measure(sw__picture *picture)
{
    bool detail = picture->states || picture->durations || picture->slacks;
    int32_t room = SW__SVG_DETAIL_WIDTH + (picture->slacks ? SW__SVG_SLACK_WIDTH : 0);
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        const sw_picture_node *node = &picture->nodes[i];
        int32_t columns = sw__glyphs_width(sw__picture_label(node));
        columns = columns > SW__SVG_LABEL_COLUMNS ? SW__SVG_LABEL_COLUMNS : columns;
        int32_t label = columns * SW__SVG_COLUMN + 2 * SW__SVG_PADDING;
        int32_t below = detail ? room + 2 * SW__SVG_PADDING : 0;
        int32_t mark = picture->states ? SW__SVG_MARK_ROOM : 0;
        picture->width[i] = size_even((label > below ? label : below) + mark);
        picture->height[i] = detail ? SW__SVG_NODE_TALL : SW__SVG_NODE_FLAT;
    }
}

static int layout_once(sw__picture *picture, bool rightward, sw__layout *layout, sw_error *err)
{
    const sw__layout_options options = {.width = picture->width,
                                        .height = picture->height,
                                        .node_gap = rightward ? 18 : 28,
                                        .bend_gap = 16,
                                        .layer_gap = rightward ? 56 : 44,
                                        .layer_gap_max = rightward ? 160 : 120,
                                        .vertices_max = SW__VERTICES_MAX,
                                        .rightward = rightward,
                                        .compact = picture->options->compact != 0};
    int code = sw__layout_make(picture->arena, &picture->graph, picture->order, &options, layout);
    if (code == SW_ELIMIT)
        return sw__fail(err, code,
                        "too large to draw: lines of long dependencies bend more than %d times; "
                        "draw a part, or use the format mermaid or dot",
                        SW__VERTICES_MAX);
    return code < 0 ? sw__fail(err, code, NULL) : code;
}

/* How many times longer than the shape of a screen one side is. */
static double layout_stretch(const sw__layout *layout)
{
    double ratio =
        (double)(layout->width + 1) * SCREEN_HEIGHT / ((double)(layout->height + 1) * SCREEN_WIDTH);
    return ratio < 1 ? 1 / (ratio * TALL_EASE) : ratio;
}

/* In a picture from left to right the nodes of a layer are equally wide: columns read better. */
static void columns_fill(sw__picture *picture)
{
    for (int32_t i = 0; picture->rightward && i < picture->graph.node_count; i++) {
        int32_t layer = picture->layout.layer[i];
        picture->width[i] = picture->layout.layer_far[layer] - picture->layout.layer_near[layer];
    }
}

int sw__picture_layout(sw__picture *picture, sw_error *err)
{
    sw__layout other;
    size_t nodes = (size_t)picture->graph.node_count;
    picture->width = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    picture->height = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    if (!picture->width || !picture->height)
        return sw__fail(err, SW_ENOMEM, NULL);
    nodes_measure(picture);
    picture->rightward = picture->options->direction == SW_PICTURE_RIGHT;
    int code = layout_once(picture, picture->rightward, &picture->layout, err);
    if (code == SW_OK && picture->options->direction == SW_PICTURE_AUTO &&
        layout_stretch(&picture->layout) > STRETCH_FINE) {
        code = layout_once(picture, true, &other, err);
        if (code == SW_OK && layout_stretch(&other) < layout_stretch(&picture->layout)) {
            picture->layout = other;
            picture->rightward = true;
        }
    }
    if (code == SW_OK)
        columns_fill(picture);
    return code;
}

int32_t sw__edge_point_count(const sw__picture *picture, int32_t edge)
{
    const int32_t *chain = picture->layout.chain_start;
    return 4 + 2 * (chain[edge + 1] - chain[edge]);
}

int32_t sw__edge_points_most(const sw__picture *picture)
{
    int32_t most = 0;
    for (int32_t i = 0; i < picture->graph.edge_count; i++) {
        int32_t count = sw__edge_point_count(picture, i);
        most = count > most ? count : most;
    }
    return most;
}

static sw__point point_at(const sw__picture *picture, int32_t vertex, int32_t along)
{
    if (picture->rightward)
        return (sw__point){along, picture->layout.y[vertex]};
    return (sw__point){picture->layout.x[vertex], along};
}

/* Half the size of a node along the direction of the drawing. */
static int32_t node_reach(const sw__picture *picture, int32_t node)
{
    return (picture->rightward ? picture->width[node] : picture->height[node]) / 2;
}

void sw__edge_points(const sw__picture *picture, int32_t from, int32_t edge, sw__point *points)
{
    const sw__layout *layout = &picture->layout;
    const int32_t *middle = picture->rightward ? layout->x : layout->y;
    int32_t to = picture->graph.out_node[edge];
    *points++ = point_at(picture, from, middle[from] + node_reach(picture, from));
    *points++ = point_at(picture, from, layout->layer_far[layout->layer[from]]);
    for (int32_t i = layout->chain_start[edge]; i < layout->chain_start[edge + 1]; i++) {
        int32_t bend = picture->graph.node_count + i;
        *points++ = point_at(picture, bend, layout->layer_near[layout->layer[bend]]);
        *points++ = point_at(picture, bend, layout->layer_far[layout->layer[bend]]);
    }
    *points++ = point_at(picture, to, layout->layer_near[layout->layer[to]]);
    *points++ = point_at(picture, to, middle[to] - node_reach(picture, to));
}
