/* One picture in the making: checked rows, their graph, and where the text goes. */
#ifndef SW_PICTURE_PICTURE_H
#define SW_PICTURE_PICTURE_H

#include "base/arena.h"
#include "base/buf.h"
#include "graph/layout.h"
#include "stepwell.h"

typedef struct sw__picture {
    const sw_picture_options *options;
    const sw_picture_node *nodes;
    const sw_picture_edge *edges;
    sw__arena *arena; /* of this call */
    sw__buf *buf;
    sw__graph graph;
    int32_t *order;    /* topological */
    int32_t *level;    /* of each node */
    int32_t *edge_row; /* of each edge in the order of graph.out_node */
    int32_t level_count;
    bool states;    /* some node has one */
    bool durations; /* likewise */
    bool slacks;    /* likewise */
    sw__layout layout;
    int32_t *width; /* of each node as laid out */
    int32_t *height;
    bool rightward;
    int32_t out_width; /* of the finished picture */
    int32_t out_height;
} sw__picture;

/* A point of an edge. Edges leave and enter layers straight, so that points come in pairs: out of
 * one layer, into the next. */
typedef struct sw__point {
    int32_t x;
    int32_t y;
} sw__point;

/* The one text shown for a node, and the look of its state (look.h) by the number of the state. */
sw_str sw__picture_label(const sw_picture_node *node);
/* "12.3s, slack 4s": what is known of its time; nothing when nothing is. */
void sw__picture_times_put(sw__buf *buf, const sw_picture_node *node);

/* Sizes of nodes and their places for the formats with coordinates. */
int sw__picture_layout(sw__picture *picture, sw_error *err);

/* Points of edge i from node from: border of the node, edges of all layers it passes, border of
 * the node it leads to. points gets sw__edge_points(...) elements. */
int32_t sw__edge_point_count(const sw__picture *picture, int32_t edge);
void sw__edge_points(const sw__picture *picture, int32_t from, int32_t edge, sw__point *points);
/* The most points that an edge has. */
int32_t sw__edge_points_most(const sw__picture *picture);

/* One writer per format. They append to picture->buf, whose failure the caller looks at. */
int sw__picture_write_svg(sw__picture *picture, sw_error *err);
int sw__picture_write_mermaid(sw__picture *picture, sw_error *err);
int sw__picture_write_dot(sw__picture *picture, sw_error *err);
int sw__picture_write_json(sw__picture *picture, sw_error *err);
int sw__picture_write_text(sw__picture *picture, sw_error *err);

/* Whether options are some, and whether so many rows may be drawn. */
int sw__picture_options_check(const sw_picture_options *options, sw_error *err);
int sw__picture_size_check(size_t node_count, size_t edge_count, sw_error *err);

/* Whether text can be the title or a name of a picture; row is -1 for a title. */
int sw__picture_text_check(sw_str text, const char *what, int64_t row, sw_error *err);

/* A result with the one picture of buf; SW_ENOMEM when buf has failed or there is no memory. */
int sw__picture_result(const sw_env *env, const sw__buf *buf, const sw_picture *row,
                       sw_result **out, sw_error *err);

#endif
