/* A graph as source text for other programs that draw: Mermaid and Graphviz' DOT.
 *
 * Nodes are n0, n1, ... in both: names of steps can be words of those languages ("end", "graph").
 * Layout is theirs, so that nothing is laid out here.
 */
#include <inttypes.h>

#include "base/error.h"
#include "base/json.h"
#include "picture/glyph.h"
#include "picture/look.h"
#include "picture/picture.h"

static bool source_rightward(const sw__picture *picture)
{
    return picture->options->direction == SW_PICTURE_RIGHT;
}

/* Mark, name, and below them what is known of it. */
static void source_label(const sw__picture *picture, const sw_picture_node *node, sw__escape escape,
                         const char *newline)
{
    sw__buf *buf = picture->buf;
    if (node->state >= 0)
        sw__buf_printf(buf, "%s ", sw__look_get(node->state)->mark);
    sw__glyphs_put(buf, sw__picture_label(node), SW__GLYPHS_ALL, escape, false);
    if (node->duration_us >= 0 || node->flags & SW_PICTURE_SLACK) {
        sw__buf_put_text(buf, newline);
        sw__picture_times_put(buf, node);
    }
}

static void mermaid_nodes_put(const sw__picture *picture)
{
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        const sw_picture_node *node = &picture->nodes[i];
        sw__buf_printf(picture->buf, "    n%" PRId32 "[\"", i);
        source_label(picture, node, SW__ESCAPE_MERMAID, "<br/>");
        sw__buf_put_text(picture->buf, "\"]");
        if (node->state >= 0)
            sw__buf_printf(picture->buf, ":::%s", sw__look_get(node->state)->name);
        sw__buf_put_byte(picture->buf, '\n');
    }
}

static void mermaid_edges_put(const sw__picture *picture)
{
    const sw__graph *graph = &picture->graph;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t flags = picture->edges[picture->edge_row[i]].flags;
            sw__buf_printf(picture->buf, "    n%" PRId32 " %s n%" PRId32 "\n", node,
                           flags & SW_PICTURE_CRITICAL    ? "==>"
                           : flags & SW_PICTURE_REDUNDANT ? "-.->"
                                                          : "-->",
                           graph->out_node[i]);
        }
    }
}

/* Classes of the states there are, and of the critical path. */
static void mermaid_styles_put(const sw__picture *picture)
{
    const char *comma = "    class ";
    bool used[SW__LOOK_COUNT] = {false};
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        if (picture->nodes[i].state >= 0)
            used[picture->nodes[i].state] = true;
    }
    for (int state = 0; state < SW_STEP_STATE_COUNT; state++) {
        const sw__look *look = sw__look_get(state);
        if (used[state])
            sw__buf_printf(
                picture->buf, "    classDef %s fill:%s,stroke:%s,color:" SW__COLOR_TEXT "%s\n",
                look->name, look->fill, look->line, look->dashed ? ",stroke-dasharray:4 3" : "");
    }
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        if (!(picture->nodes[i].flags & SW_PICTURE_CRITICAL))
            continue;
        sw__buf_printf(picture->buf, "%sn%" PRId32, comma, i);
        comma = ",";
    }
    if (comma[0] == ',')
        sw__buf_put_text(picture->buf, " critical\n    classDef critical stroke:" SW__COLOR_CRITICAL
                                       ",stroke-width:3px\n");
}

int sw__picture_write_mermaid(sw__picture *picture, sw_error *err)
{
    (void)err;
    if (picture->options->title.len > 0) {
        sw__buf_put_text(picture->buf, "---\ntitle: ");
        sw__json_put_str(picture->buf, picture->options->title);
        sw__buf_put_text(picture->buf, "\n---\n");
    }
    sw__buf_printf(picture->buf, "flowchart %s\n", source_rightward(picture) ? "LR" : "TD");
    mermaid_nodes_put(picture);
    mermaid_edges_put(picture);
    mermaid_styles_put(picture);
    return SW_OK;
}

static void dot_nodes_put(const sw__picture *picture)
{
    for (int32_t i = 0; i < picture->graph.node_count; i++) {
        const sw_picture_node *node = &picture->nodes[i];
        const sw__look *look = sw__look_get(node->state);
        sw__buf_printf(picture->buf, "    n%" PRId32 " [label=\"", i);
        source_label(picture, node, SW__ESCAPE_DOT, "\\n");
        sw__buf_put_text(picture->buf, "\", tooltip=\"");
        sw__glyphs_put(picture->buf, node->name, SW__GLYPHS_ALL, SW__ESCAPE_DOT, false);
        if (node->state >= 0)
            sw__buf_printf(picture->buf, ", %s", look->name);
        bool critical = node->flags & SW_PICTURE_CRITICAL;
        sw__buf_printf(picture->buf, "\", fillcolor=\"%s\", color=\"%s\"%s%s];\n", look->fill,
                       critical ? SW__COLOR_CRITICAL : look->line, critical ? ", penwidth=2.5" : "",
                       look->dashed ? ", style=\"rounded,filled,dashed\"" : "");
    }
}

static void dot_edges_put(const sw__picture *picture)
{
    const sw__graph *graph = &picture->graph;
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++) {
            int32_t flags = picture->edges[picture->edge_row[i]].flags;
            sw__buf_printf(
                picture->buf, "    n%" PRId32 " -> n%" PRId32 "%s%s;\n", node, graph->out_node[i],
                flags & SW_PICTURE_CRITICAL ? " [color=\"" SW__COLOR_CRITICAL "\", penwidth=2.5]"
                                            : "",
                flags & SW_PICTURE_REDUNDANT ? " [style=dotted]" : "");
        }
    }
}

int sw__picture_write_dot(sw__picture *picture, sw_error *err)
{
    (void)err;
    sw__buf_put_text(picture->buf, "digraph \"");
    sw__glyphs_put(picture->buf, picture->options->title, SW__GLYPHS_ALL, SW__ESCAPE_DOT, false);
    sw__buf_put_text(picture->buf, "\" {\n    charset=\"UTF-8\";\n");
    if (picture->options->title.len > 0) {
        sw__buf_put_text(picture->buf, "    label=\"");
        sw__glyphs_put(picture->buf, picture->options->title, SW__GLYPHS_ALL, SW__ESCAPE_DOT,
                       false);
        sw__buf_put_text(picture->buf, "\"; labelloc=t;\n");
    }
    sw__buf_printf(picture->buf,
                   "    rankdir=%s; bgcolor=transparent; fontname=\"monospace\";\n"
                   "    node [shape=box, style=\"rounded,filled\", fontname=\"monospace\", "
                   "fontsize=11, fontcolor=\"" SW__COLOR_TEXT "\"];\n"
                   "    edge [color=\"" SW__COLOR_EDGE "\", arrowsize=0.7];\n",
                   source_rightward(picture) ? "LR" : "TB");
    dot_nodes_put(picture);
    dot_edges_put(picture);
    sw__buf_put_text(picture->buf, "}\n");
    return SW_OK;
}
