/* A graph for the terminal: boxes in layers, lines between them.
 *
 * Drawn line by line, a layer and the lines below it at a time. Two lines that cross are drawn as
 * one passing over the other; where they touch they belong together.
 */
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "picture/glyph.h"
#include "picture/look.h"
#include "picture/picture.h"
#include "picture/route.h"

#define TEXT_COLUMNS_USUAL 80
#define BOX_EDGES 4 /* "| " and " |" */
#define BOX_GAP 2   /* between two of a layer */

enum { ARM_UP = 1, ARM_DOWN = 2, ARM_LEFT = 4, ARM_RIGHT = 8 };

/* One character of a line that is made of lines. */
typedef struct text_cell {
    uint8_t arms;     /* ARM_UP.. */
    bool heavy;       /* border of a box on the critical path */
    bool faint;       /* of redundant edges alone */
    const char *ansi; /* parameters of its colour, NULL for none */
} text_cell;

typedef struct text_canvas {
    sw__picture *picture;
    sw__buf *buf;
    int32_t label_columns; /* names are cut to so many */
    int32_t columns;
    text_cell *cells; /* the line being drawn */
    sw__route_piece *pieces;
    int32_t *piece_start; /* layer_count + 1: pieces that end in a layer */
    sw__route_net *nets;
    sw__route *routes;  /* of each layer: lines that end there */
    int32_t *bend_edge; /* of each bend */
    const char *colour; /* that is switched on now, NULL for none */
} text_canvas;

static bool canvas_unicode(const text_canvas *canvas)
{
    return canvas->picture->options->ascii == 0;
}

static void colour_set(text_canvas *canvas, const char *colour)
{
    if (!canvas->picture->options->color || (colour && !colour[0]))
        colour = NULL;
    if (colour == canvas->colour)
        return;
    if (canvas->colour)
        sw__buf_put_text(canvas->buf, "\033[0m");
    if (colour)
        sw__buf_printf(canvas->buf, "\033[%sm", colour);
    canvas->colour = colour;
}

static const char *cell_glyph(const text_canvas *canvas, const text_cell *cell)
{
    static const char *const light[16] = {" ", "│", "│", "│", "─", "╯", "╮", "┤",
                                          "─", "╰", "╭", "├", "─", "┴", "┬", "┼"};
    static const char *const heavy[16] = {" ", "┃", "┃", "┃", "━", "┛", "┓", "┫",
                                          "━", "┗", "┏", "┣", "━", "┷", "┯", "┿"};
    static const char *const ascii[16] = {" ", "|", "|", "|", "-", "+", "+", "+",
                                          "-", "+", "+", "+", "-", "+", "+", "+"};
    static const char *const ascii_heavy[16] = {" ", "#", "#", "#", "=", "#", "#", "#",
                                                "=", "#", "#", "#", "=", "#", "#", "#"};
    static const char *const faint[2][2] = {{":", "."}, {"┊", "┄"}};
    bool straight = cell->arms == (ARM_UP | ARM_DOWN) || cell->arms == (ARM_LEFT | ARM_RIGHT);
    if (cell->faint && straight)
        return faint[canvas_unicode(canvas)][cell->arms == (ARM_LEFT | ARM_RIGHT)];
    if (canvas_unicode(canvas))
        return cell->heavy ? heavy[cell->arms] : light[cell->arms];
    return cell->heavy ? ascii_heavy[cell->arms] : ascii[cell->arms];
}

/* Write out the line of cells and clear it. */
static void line_flush(text_canvas *canvas)
{
    int32_t end = canvas->columns;
    while (end > 0 && canvas->cells[end - 1].arms == 0)
        end--;
    for (int32_t i = 0; i < end; i++) {
        if (canvas->cells[i].arms)
            colour_set(canvas, canvas->cells[i].ansi);
        sw__buf_put_text(canvas->buf, cell_glyph(canvas, &canvas->cells[i]));
    }
    colour_set(canvas, NULL);
    sw__buf_put_byte(canvas->buf, '\n');
    canvas->picture->out_height++;
    canvas->picture->out_width =
        end > canvas->picture->out_width ? end : canvas->picture->out_width;
    memset(canvas->cells, 0, (size_t)canvas->columns * sizeof(*canvas->cells));
}

static bool vertex_bend(const text_canvas *canvas, int32_t vertex)
{
    return vertex >= canvas->picture->graph.node_count;
}

static int32_t edge_flags(const text_canvas *canvas, int32_t edge)
{
    const sw__picture *picture = canvas->picture;
    return picture->edges[picture->edge_row[edge]].flags;
}

static bool edge_faint(const text_canvas *canvas, int32_t edge)
{
    return (edge_flags(canvas, edge) & SW_PICTURE_REDUNDANT) != 0;
}

static const char *edge_colour(const text_canvas *canvas, int32_t edge)
{
    int32_t flags = edge_flags(canvas, edge);
    return flags & SW_PICTURE_CRITICAL ? "1;35" : flags & SW_PICTURE_REDUNDANT ? "2" : NULL;
}

/* A line that passes a layer. */
static text_cell bend_cell(const text_canvas *canvas, int32_t vertex)
{
    int32_t edge = canvas->bend_edge[vertex - canvas->picture->graph.node_count];
    return (text_cell){.arms = ARM_UP | ARM_DOWN,
                       .faint = edge_faint(canvas, edge),
                       .ansi = edge_colour(canvas, edge)};
}

/* Lines that end or start at a border, as arms of its cells. */
static void border_join(text_canvas *canvas, const sw__route *route, bool below)
{
    for (int32_t i = 0; route && i < route->piece_count; i++) {
        const sw__route_piece *piece = &route->pieces[i];
        if (!vertex_bend(canvas, below ? piece->top : piece->bottom))
            canvas->cells[below ? piece->from : piece->to].arms |= below ? ARM_DOWN : ARM_UP;
    }
}

/* Upper or lower border of the boxes of a layer, and the lines that pass it. */
static void border_put(text_canvas *canvas, int32_t layer, bool below)
{
    const sw__layout *layout = &canvas->picture->layout;
    const uint8_t turn = below ? ARM_UP : ARM_DOWN;
    for (int32_t i = layout->layer_start[layer]; i < layout->layer_start[layer + 1]; i++) {
        int32_t vertex = layout->order[i];
        if (vertex_bend(canvas, vertex)) {
            canvas->cells[layout->x[vertex]] = bend_cell(canvas, vertex);
            continue;
        }
        const sw_picture_node *node = &canvas->picture->nodes[vertex];
        int32_t left = layout->x[vertex] - canvas->picture->width[vertex] / 2;
        int32_t right = left + canvas->picture->width[vertex] - 1;
        for (int32_t column = left; column <= right; column++)
            canvas->cells[column] = (text_cell){.arms = ARM_LEFT | ARM_RIGHT,
                                                .heavy = node->flags & SW_PICTURE_CRITICAL,
                                                .ansi = sw__look_get(node->state)->ansi};
        canvas->cells[left].arms = (uint8_t)(ARM_RIGHT | turn);
        canvas->cells[right].arms = (uint8_t)(ARM_LEFT | turn);
    }
    bool last = layer + 1 == layout->layer_count;
    border_join(canvas, below ? (last ? NULL : &canvas->routes[layer + 1]) : &canvas->routes[layer],
                below);
    line_flush(canvas);
}

static void blanks_put(text_canvas *canvas, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        sw__buf_put_byte(canvas->buf, ' ');
}

/* " +2.5s" behind a name: what room there is until the step holds up the end. */
static void slack_text(const sw_picture_node *node, sw__buf *text)
{
    if (!(node->flags & SW_PICTURE_SLACK) || node->slack_us <= 0)
        return;
    sw__buf_put_text(text, " +");
    sw__duration_put(text, node->slack_us);
}

static int32_t slack_width(const text_canvas *canvas, const sw_picture_node *node)
{
    sw__buf text;
    sw__buf_init(&text, sw__arena_env(canvas->picture->arena));
    slack_text(node, &text);
    int32_t width = (int32_t)text.len;
    canvas->buf->failed = canvas->buf->failed || text.failed;
    sw__buf_free(&text);
    return width;
}

/* One box between its side borders; the columns it used. */
static void box_middle_put(text_canvas *canvas, int32_t vertex)
{
    const sw_picture_node *node = &canvas->picture->nodes[vertex];
    const sw__look *look = sw__look_get(node->state);
    const text_cell side = {.arms = ARM_UP | ARM_DOWN, .heavy = node->flags & SW_PICTURE_CRITICAL};
    int32_t room = canvas->picture->width[vertex] - BOX_EDGES;
    colour_set(canvas, look->ansi);
    sw__buf_put_text(canvas->buf, cell_glyph(canvas, &side));
    sw__buf_put_byte(canvas->buf, ' ');
    if (node->state >= 0) {
        sw__buf_put_text(canvas->buf, canvas_unicode(canvas) ? look->mark : look->mark_ascii);
        sw__buf_put_byte(canvas->buf, ' ');
        room -= 2;
    }
    int32_t used = sw__glyphs_put(canvas->buf, sw__picture_label(node), canvas->label_columns,
                                  SW__ESCAPE_NONE, !canvas_unicode(canvas));
    size_t before = canvas->buf->len;
    slack_text(node, canvas->buf);
    used += (int32_t)(canvas->buf->len - before);
    blanks_put(canvas, room - used + 1);
    sw__buf_put_text(canvas->buf, cell_glyph(canvas, &side));
    colour_set(canvas, NULL);
}

static void middle_put(text_canvas *canvas, int32_t layer)
{
    const sw__layout *layout = &canvas->picture->layout;
    int32_t column = 0;
    for (int32_t i = layout->layer_start[layer]; i < layout->layer_start[layer + 1]; i++) {
        int32_t vertex = layout->order[i];
        int32_t width = vertex_bend(canvas, vertex) ? 1 : canvas->picture->width[vertex];
        int32_t left = layout->x[vertex] - width / 2;
        blanks_put(canvas, left - column);
        if (vertex_bend(canvas, vertex)) {
            const text_cell line = bend_cell(canvas, vertex);
            colour_set(canvas, line.ansi);
            sw__buf_put_text(canvas->buf, cell_glyph(canvas, &line));
            colour_set(canvas, NULL);
        } else {
            box_middle_put(canvas, vertex);
        }
        column = left + width;
    }
    sw__buf_put_byte(canvas->buf, '\n');
    canvas->picture->out_height++;
}

/* What one piece adds to a row of the gap. A row that crosses the column of a line of another net
 * passes below it. */
static void piece_draw(text_canvas *canvas, const sw__route *route, const sw__route_piece *piece,
                       int32_t row)
{
    int32_t track = route->nets[piece->net].track;
    const char *colour = edge_colour(canvas, piece->edge);
    if (row == track)
        return;
    text_cell *cell = &canvas->cells[track < 0 || row < track ? piece->from : piece->to];
    bool alone = cell->arms != (ARM_UP | ARM_DOWN); /* the first of the lines that join here */
    cell->faint = (alone || cell->faint) && edge_faint(canvas, piece->edge);
    cell->arms = ARM_UP | ARM_DOWN;
    cell->ansi = colour ? colour : cell->ansi;
}

/* The run of one piece along the row of its net. */
static void run_draw(text_canvas *canvas, const sw__route_piece *piece)
{
    const char *colour = edge_colour(canvas, piece->edge);
    int32_t left = piece->from < piece->to ? piece->from : piece->to;
    int32_t right = piece->from < piece->to ? piece->to : piece->from;
    for (int32_t column = left; column <= right; column++) {
        text_cell *cell = &canvas->cells[column];
        cell->faint = (cell->arms == 0 || cell->faint) && edge_faint(canvas, piece->edge);
        cell->arms |= (uint8_t)((column > left ? ARM_LEFT : 0) | (column < right ? ARM_RIGHT : 0));
        cell->ansi = colour ? colour : cell->ansi;
    }
    canvas->cells[piece->from].arms |= ARM_UP;
    canvas->cells[piece->to].arms |= ARM_DOWN;
}

/* Lines between two layers: first the runs of a row, then what passes over them. */
static void gap_draw(text_canvas *canvas, const sw__route *route)
{
    int32_t rows = route->track_count > 0 ? route->track_count : 1;
    for (int32_t row = 0; row < rows; row++) {
        for (int32_t i = 0; i < route->piece_count; i++) {
            if (route->nets[route->pieces[i].net].track == row)
                run_draw(canvas, &route->pieces[i]);
        }
        for (int32_t i = 0; i < route->piece_count; i++) {
            if (route->nets[route->pieces[i].net].track != row)
                piece_draw(canvas, route, &route->pieces[i], row);
        }
        line_flush(canvas);
    }
}

/* How many pieces end at each place of the order, added up, then the pieces themselves, those of
 * one end from left to right. */
static void pieces_fill(text_canvas *canvas, const int32_t *place, int32_t *next)
{
    const sw__picture *picture = canvas->picture;
    const sw__layout *layout = &picture->layout;
    const sw__graph *graph = &picture->graph;
    for (int pass = 0; pass < 2; pass++) {
        for (int32_t i = 0; i < layout->vertex_count; i++) {
            int32_t top = layout->order[i];
            bool bend = vertex_bend(canvas, top);
            int32_t first =
                bend ? canvas->bend_edge[top - graph->node_count] : graph->out_start[top];
            int32_t end = bend ? first + 1 : graph->out_start[top + 1];
            for (int32_t edge = first; edge < end; edge++) {
                int32_t bottom = bend ? top + 1 : graph->node_count + layout->chain_start[edge];
                if (bottom >= graph->node_count + layout->chain_start[edge + 1])
                    bottom = graph->out_node[edge];
                if (pass == 0)
                    next[place[bottom] + 1]++;
                else
                    canvas->pieces[next[place[bottom]]++] =
                        (sw__route_piece){.top = top, .bottom = bottom, .edge = edge};
            }
        }
        for (int32_t i = 0; pass == 0 && i < layout->vertex_count; i++)
            next[i + 1] += next[i];
        for (int32_t layer = 0; pass == 0 && layer <= layout->layer_count; layer++)
            canvas->piece_start[layer] = next[layout->layer_start[layer]];
    }
}

static int pieces_build(text_canvas *canvas)
{
    const sw__layout *layout = &canvas->picture->layout;
    const sw__graph *graph = &canvas->picture->graph;
    sw__arena *arena = canvas->picture->arena;
    size_t vertices = (size_t)layout->vertex_count, layers = (size_t)layout->layer_count;
    size_t count = (size_t)graph->edge_count + vertices - (size_t)graph->node_count;
    int32_t *place = sw__arena_array(arena, vertices, sizeof(int32_t));
    int32_t *next = sw__arena_array(arena, vertices + 1, sizeof(int32_t));
    canvas->bend_edge = sw__arena_array(arena, vertices, sizeof(int32_t));
    canvas->pieces = sw__arena_array(arena, count, sizeof(*canvas->pieces));
    canvas->nets = sw__arena_array(arena, count, sizeof(*canvas->nets));
    canvas->piece_start = sw__arena_array(arena, layers + 1, sizeof(int32_t));
    canvas->routes = sw__arena_array(arena, layers, sizeof(*canvas->routes));
    canvas->cells = sw__arena_array(arena, (size_t)canvas->columns, sizeof(*canvas->cells));
    if (sw__arena_failed(arena))
        return SW_ENOMEM;
    for (int32_t i = 0; i < layout->vertex_count; i++)
        place[layout->order[i]] = i;
    for (int32_t edge = 0; edge < graph->edge_count; edge++) {
        for (int32_t i = layout->chain_start[edge]; i < layout->chain_start[edge + 1]; i++)
            canvas->bend_edge[i] = edge;
    }
    pieces_fill(canvas, place, next);
    return SW_OK;
}

static bool routes_solve(text_canvas *canvas)
{
    const sw__layout *layout = &canvas->picture->layout;
    for (int32_t layer = 0; layer < layout->layer_count; layer++) {
        int32_t first = canvas->piece_start[layer];
        canvas->routes[layer] = (sw__route){.pieces = canvas->pieces + first,
                                            .piece_count = canvas->piece_start[layer + 1] - first,
                                            .nets = canvas->nets + first,
                                            .x = layout->x,
                                            .width = canvas->picture->width,
                                            .node_count = canvas->picture->graph.node_count};
        if (!sw__route_solve(&canvas->routes[layer]))
            return false;
    }
    return true;
}

static int text_layout(text_canvas *canvas, sw_error *err)
{
    sw__picture *picture = canvas->picture;
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        int32_t label = sw__glyphs_width(sw__picture_label(&picture->nodes[i]));
        label = label > canvas->label_columns ? canvas->label_columns : label;
        label += slack_width(canvas, &picture->nodes[i]);
        picture->width[i] = label + (picture->nodes[i].state >= 0 ? 2 : 0) + BOX_EDGES;
        picture->height[i] = 3;
    }
    const sw__layout_options options = {.width = picture->width,
                                        .height = picture->height,
                                        .bend_width = 1,
                                        .node_gap = BOX_GAP,
                                        .bend_gap = BOX_GAP,
                                        .layer_gap = 1,
                                        .layer_gap_max = 1,
                                        .vertices_max = SW__VERTICES_MAX,
                                        .compact = picture->options->compact != 0};
    int code = sw__layout_make(picture->arena, &picture->graph, picture->order, &options,
                               &picture->layout);
    return code == SW_ENOMEM ? sw__fail(err, code, NULL) : code;
}

static void layers_draw(text_canvas *canvas)
{
    for (int32_t layer = 0; layer < canvas->picture->layout.layer_count; layer++) {
        if (layer > 0)
            gap_draw(canvas, &canvas->routes[layer]);
        border_put(canvas, layer, false);
        middle_put(canvas, layer);
        border_put(canvas, layer, true);
    }
}

/* Whether some level has more boxes than the columns can hold, however short their names: then
 * nothing has to be laid out to know. */
static bool levels_too_wide(const sw__picture *picture, const int32_t *counts, int32_t columns)
{
    for (int32_t level = 0; level < picture->level_count; level++) {
        if ((int64_t)counts[level] * (BOX_EDGES + BOX_GAP) - BOX_GAP > columns)
            return true;
    }
    return false;
}

int sw__picture_write_text(sw__picture *picture, sw_error *err)
{
    static const int32_t cuts[] = {48, 16, 10};
    size_t nodes = (size_t)picture->graph.node_count;
    int32_t columns = picture->options->columns ? picture->options->columns : TEXT_COLUMNS_USUAL;
    picture->width = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    picture->height = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    int32_t *counts =
        sw__arena_array(picture->arena, (size_t)picture->level_count, sizeof(int32_t));
    if (!picture->width || !picture->height || !counts)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < nodes; i++)
        counts[picture->level[i]]++;
    bool hopeless = !picture->options->compact && levels_too_wide(picture, counts, columns);
    for (size_t i = 0; !hopeless && i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        text_canvas canvas = {.picture = picture, .buf = picture->buf, .label_columns = cuts[i]};
        int code = text_layout(&canvas, err);
        if (code == SW_ENOMEM)
            return code;
        if (code == SW_ELIMIT || picture->layout.width > columns)
            continue;
        canvas.columns = picture->layout.width;
        if (pieces_build(&canvas) < 0)
            return sw__fail(err, SW_ENOMEM, NULL);
        if (routes_solve(&canvas)) {
            layers_draw(&canvas);
            return SW_OK;
        }
    }
    return sw__fail(err, SW_ELIMIT, "the graph cannot be drawn in %d columns", columns);
}
