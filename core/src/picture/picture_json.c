/* A graph as JSON with coordinates on one line, for dashboards and other programs that draw for
 * themselves. */
#include <inttypes.h>

#include "base/error.h"
#include "base/json.h"
#include "picture/picture.h"

static void json_flag_put(sw__buf *buf, const char *name, bool value)
{
    sw__buf_printf(buf, ",\"%s\":%s", name, value ? "true" : "false");
}

static void json_node_put(const sw__picture *picture, int32_t index)
{
    sw__buf *buf = picture->buf;
    const sw_picture_node *node = &picture->nodes[index];
    sw__buf_put_text(buf, index == 0 ? "{\"name\":" : ",{\"name\":");
    sw__json_put_str(buf, node->name);
    sw__buf_put_text(buf, ",\"label\":");
    sw__json_put_str(buf, sw__picture_label(node));
    sw__buf_put_text(buf, ",\"state\":");
    if (node->state >= 0)
        sw__buf_printf(buf, "\"%s\"", sw_step_state_name(node->state));
    else
        sw__buf_put_text(buf, "null");
    json_flag_put(buf, "critical", node->flags & SW_PICTURE_CRITICAL);
    sw__buf_put_text(buf, ",\"duration_us\":");
    if (node->duration_us >= 0)
        sw__buf_printf(buf, "%" PRId64, node->duration_us);
    else
        sw__buf_put_text(buf, "null");
    sw__buf_put_text(buf, ",\"slack_us\":");
    if (node->flags & SW_PICTURE_SLACK)
        sw__buf_printf(buf, "%" PRId64, node->slack_us);
    else
        sw__buf_put_text(buf, "null");
    sw__buf_printf(buf,
                   ",\"level\":%" PRId32 ",\"x\":%" PRId32 ",\"y\":%" PRId32 ",\"width\":%" PRId32
                   ",\"height\":%" PRId32 "}",
                   picture->level[index], picture->layout.x[index], picture->layout.y[index],
                   picture->width[index], picture->height[index]);
}

static void json_edge_put(const sw__picture *picture, int32_t from, int32_t edge, sw__point *points)
{
    sw__buf *buf = picture->buf;
    int32_t flags = picture->edges[picture->edge_row[edge]].flags;
    int32_t count = sw__edge_point_count(picture, edge);
    sw__edge_points(picture, from, edge, points);
    sw__buf_printf(buf, "%s{\"from\":%" PRId32 ",\"to\":%" PRId32, edge == 0 ? "" : ",", from,
                   picture->graph.out_node[edge]);
    json_flag_put(buf, "critical", flags & SW_PICTURE_CRITICAL);
    json_flag_put(buf, "redundant", flags & SW_PICTURE_REDUNDANT);
    sw__buf_put_text(buf, ",\"points\":[");
    for (int32_t i = 0; i < count; i++)
        sw__buf_printf(buf, "%s[%" PRId32 ",%" PRId32 "]", i == 0 ? "" : ",", points[i].x,
                       points[i].y);
    sw__buf_put_text(buf, "]}");
}

int sw__picture_write_json(sw__picture *picture, sw_error *err)
{
    sw__buf *buf = picture->buf;
    const sw__graph *graph = &picture->graph;
    int code = sw__picture_layout(picture, err);
    if (code < 0)
        return code;
    sw__point *points =
        sw__arena_array(picture->arena, (size_t)sw__edge_points_most(picture), sizeof(sw__point));
    if (!points)
        return sw__fail(err, SW_ENOMEM, NULL);
    picture->out_width = picture->layout.width;
    picture->out_height = picture->layout.height;
    sw__buf_put_text(buf, "{\"title\":");
    if (picture->options->title.ptr)
        sw__json_put_str(buf, picture->options->title);
    else
        sw__buf_put_text(buf, "null");
    sw__buf_printf(buf,
                   ",\"direction\":\"%s\",\"width\":%" PRId32 ",\"height\":%" PRId32
                   ",\"levels\":%" PRId32 ",\"crossings\":%" PRId64 ",\"nodes\":[",
                   picture->rightward ? "right" : "down", picture->out_width, picture->out_height,
                   picture->level_count, picture->layout.crossings);
    for (int32_t i = 0; i < graph->node_count; i++)
        json_node_put(picture, i);
    sw__buf_put_text(buf, "],\"edges\":[");
    for (int32_t node = 0; node < graph->node_count; node++) {
        for (int32_t i = graph->out_start[node]; i < graph->out_start[node + 1]; i++)
            json_edge_put(picture, node, i, points);
    }
    sw__buf_put_text(buf, "]}\n");
    return SW_OK;
}
