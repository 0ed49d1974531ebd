/* Pictures of graphs: check the rows, build the graph, let the writer of the format draw it. */
#include "picture/picture.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/result.h"
#include "base/str.h"
#include "base/utf8.h"
#include "picture/glyph.h"

sw_str sw__picture_label(const sw_picture_node *node)
{
    return node->label.len > 0 ? node->label : node->name;
}

void sw__picture_times_put(sw__buf *buf, const sw_picture_node *node)
{
    if (node->duration_us >= 0)
        sw__duration_put(buf, node->duration_us);
    if (!(node->flags & SW_PICTURE_SLACK))
        return;
    sw__buf_put_text(buf, node->duration_us >= 0 ? ", " : "");
    if (node->slack_us == 0) {
        sw__buf_put_text(buf, "no slack");
        return;
    }
    sw__buf_put_text(buf, "slack ");
    sw__duration_put(buf, node->slack_us);
}

int sw__picture_text_check(sw_str text, const char *what, int64_t row, sw_error *err)
{
    int code = SW_OK;
    if (!text.ptr && text.len > 0)
        code = sw__fail(err, SW_EINVAL, "%s has %zu bytes at no address", what, text.len);
    else if (text.len > SW__TEXT_MAX)
        code = sw__fail(err, SW_ELIMIT, "%s has %zu bytes; %d are allowed", what, text.len,
                        SW__TEXT_MAX);
    if (code < 0 && err)
        err->row = row;
    return code;
}

int sw__picture_result(const sw_env *env, const sw__buf *buf, const sw_picture *row,
                       sw_result **out, sw_error *err)
{
    sw_result *result = buf->failed ? NULL : sw__result_new(env);
    if (!result)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw_picture *picture = sw__arena_alloc(result->arena, sizeof(*picture));
    sw_str text = sw__arena_str(result->arena, sw__buf_str(buf));
    if (!picture || !text.ptr) {
        sw_result_free(result);
        return sw__fail(err, SW_ENOMEM, NULL);
    }
    *picture = *row;
    picture->text = text;
    sw__result_set(result, SW__PICTURES, picture, 1);
    *out = result;
    return SW_OK;
}

int sw__picture_options_check(const sw_picture_options *options, sw_error *err)
{
    if (!options)
        return sw__fail(err, SW_EINVAL, "options are missing");
    if (options->size < sizeof(*options))
        return sw__fail(err, SW_EINVAL, "sw_picture_options: size is %u, expected %zu",
                        options->size, sizeof(*options));
    if (options->format < 0 || options->format >= SW_PICTURE_FORMAT_COUNT)
        return sw__fail(err, SW_EINVAL, "there is no picture format %d", options->format);
    if (options->direction < SW_PICTURE_AUTO || options->direction > SW_PICTURE_RIGHT)
        return sw__fail(err, SW_EINVAL, "there is no direction %d", options->direction);
    if (options->columns < 0)
        return sw__fail(err, SW_EINVAL, "a terminal cannot have %d columns", options->columns);
    return sw__picture_text_check(options->title, "the title", -1, err);
}

static int picture_node_check(const sw_picture_node *node, size_t row, sw_error *err)
{
    int code = sw__picture_text_check(node->name, "a name", (int64_t)row, err);
    if (code == SW_OK)
        code = sw__picture_text_check(node->label, "a label", (int64_t)row, err);
    if (code == SW_OK && (node->state < -1 || node->state >= SW_STEP_STATE_COUNT))
        code = sw__fail_row(err, SW_EINVAL, row, "node %zu: there is no state %d of a step", row,
                            node->state);
    return code;
}

int sw__picture_size_check(size_t node_count, size_t edge_count, sw_error *err)
{
    if (node_count > SW__STEPS_MAX || edge_count > SW__EDGES_MAX)
        return sw__fail(err, SW_ELIMIT, "%zu nodes and %zu edges; %d and %d are allowed",
                        node_count, edge_count, SW__STEPS_MAX, SW__EDGES_MAX);
    return SW_OK;
}

static int picture_rows_check(sw__picture *picture, size_t node_count, size_t edge_count,
                              sw_error *err)
{
    int size = sw__picture_size_check(node_count, edge_count, err);
    if (size < 0)
        return size;
    if ((!picture->nodes && node_count > 0) || (!picture->edges && edge_count > 0))
        return sw__fail(err, SW_EINVAL, "rows are missing");
    for (size_t i = 0; i < node_count; i++) {
        int code = picture_node_check(&picture->nodes[i], i, err);
        if (code < 0)
            return code;
        picture->states = picture->states || picture->nodes[i].state >= 0;
        picture->durations = picture->durations || picture->nodes[i].duration_us >= 0;
        picture->slacks = picture->slacks || picture->nodes[i].flags & SW_PICTURE_SLACK;
    }
    return SW_OK;
}

/* "a -> b -> a" of at most a few names, as an error. */
static int picture_cycle_fail(const sw__picture *picture, const int32_t *cycle, int32_t count,
                              sw_error *err)
{
    sw__buf text;
    sw__buf_init(&text, sw__arena_env(picture->arena));
    int32_t shown = count > 8 ? 8 : count;
    for (int32_t i = 0; i < shown; i++) {
        sw__buf_put_str(&text, sw__utf8_cut(picture->nodes[cycle[i]].name, 32));
        sw__buf_put_text(&text, " -> ");
    }
    if (shown < count)
        sw__buf_put_text(&text, "... -> ");
    sw__buf_put_str(&text, sw__utf8_cut(picture->nodes[cycle[0]].name, 32));
    sw_str path = sw__buf_str(&text);
    int code = text.failed
                   ? sw__fail(err, SW_ENOMEM, NULL)
                   : sw__fail(err, SW_EDEFINITION, "the edges form a cycle: %.*s", SW__FMT(path));
    sw__buf_free(&text);
    return code;
}

static int picture_levels_find(sw__picture *picture, sw_error *err)
{
    int32_t *cycle, cycle_count;
    size_t nodes = (size_t)picture->graph.node_count;
    picture->order = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    picture->level = sw__arena_array(picture->arena, nodes, sizeof(int32_t));
    if (!picture->order || !picture->level)
        return sw__fail(err, SW_ENOMEM, NULL);
    int code = sw__graph_order(picture->arena, &picture->graph, NULL, picture->order, &cycle,
                               &cycle_count);
    if (code == SW_EDEFINITION)
        return picture_cycle_fail(picture, cycle, cycle_count, err);
    if (code < 0)
        return sw__fail(err, code, NULL);
    sw__graph_levels(&picture->graph, picture->order, picture->level);
    for (size_t i = 0; i < nodes; i++) {
        if (picture->level[i] >= picture->level_count)
            picture->level_count = picture->level[i] + 1;
    }
    return SW_OK;
}

static int picture_graph_build(sw__picture *picture, size_t node_count, size_t edge_count,
                               sw_error *err)
{
    int32_t *from = sw__arena_array(picture->arena, edge_count, sizeof(int32_t));
    int32_t *to = sw__arena_array(picture->arena, edge_count, sizeof(int32_t));
    int32_t *next = sw__arena_array(picture->arena, node_count, sizeof(int32_t));
    picture->edge_row = sw__arena_array(picture->arena, edge_count, sizeof(int32_t));
    if (sw__arena_failed(picture->arena))
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < edge_count; i++) {
        from[i] = picture->edges[i].from;
        to[i] = picture->edges[i].to;
    }
    int code = sw__graph_build(picture->arena, (int32_t)node_count, from, to, edge_count,
                               &picture->graph, err);
    for (size_t i = 0; code == SW_OK && i < edge_count; i++)
        picture->edge_row[picture->graph.out_start[from[i]] + next[from[i]]++] = (int32_t)i;
    return code;
}

static int picture_write(sw__picture *picture, sw_error *err)
{
    switch (picture->options->format) {
    case SW_PICTURE_SVG:
        return sw__picture_write_svg(picture, err);
    case SW_PICTURE_MERMAID:
        return sw__picture_write_mermaid(picture, err);
    case SW_PICTURE_DOT:
        return sw__picture_write_dot(picture, err);
    case SW_PICTURE_JSON:
        return sw__picture_write_json(picture, err);
    default:
        return sw__picture_write_text(picture, err);
    }
}

int sw_picture_render(const sw_picture_options *options, const sw_picture_node *nodes,
                      size_t node_count, const sw_picture_edge *edges, size_t edge_count,
                      sw_result **out, sw_error *err)
{
    *out = NULL;
    sw__error_clear(err);
    int code = sw__picture_options_check(options, err);
    if (code < 0)
        return code;
    const sw_env *env = options->env ? options->env : sw_env_system();
    sw__buf buf;
    sw__buf_init(&buf, env);
    sw__picture picture = {.options = options, .nodes = nodes, .edges = edges, .buf = &buf};
    picture.arena = sw__arena_new(env);
    if (!picture.arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    code = picture_rows_check(&picture, node_count, edge_count, err);
    if (code == SW_OK)
        code = picture_graph_build(&picture, node_count, edge_count, err);
    if (code == SW_OK)
        code = picture_levels_find(&picture, err);
    if (code == SW_OK)
        code = picture_write(&picture, err);
    if (code == SW_OK)
        code = sw__picture_result(env, &buf,
                                  &(sw_picture){.format = options->format,
                                                .width = picture.out_width,
                                                .height = picture.out_height},
                                  out, err);
    sw__buf_free(&buf);
    sw__arena_free(picture.arena);
    return code;
}
