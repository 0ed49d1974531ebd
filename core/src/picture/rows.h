/* Rows of a graph for a picture, and what is found out about them. */
#ifndef SW_PICTURE_ROWS_H
#define SW_PICTURE_ROWS_H

#include "base/arena.h"
#include "stepwell.h"

typedef struct sw__picture_rows {
    sw_picture_node *nodes;
    sw_picture_edge *edges;
    size_t node_count;
    size_t edge_count;
} sw__picture_rows;

/* Nodes and edges without marks, in the arena; names are borrowed from the graph. errors: SW_ELIMIT,
 * SW_ENOMEM. */
int sw__picture_rows_make(sw__arena *arena, const sw_graph *graph, sw__picture_rows *rows,
                          sw_error *err);
/* Mark what is asked for; a graph with a cycle stays as it is. errors: SW_EINVAL and SW_ELIMIT with
 * the row of a duration, SW_ENOMEM. */
int sw__picture_rows_mark(const sw_graph *graph, int32_t marks, const int64_t *duration_us,
                          sw__picture_rows *rows, sw_error *err);

#endif
