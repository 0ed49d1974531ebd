/* Lines between two neighbouring layers of a terminal drawing, on a grid of characters. */
#ifndef SW_PICTURE_ROUTE_H
#define SW_PICTURE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

/* Lines and nets between two layers; nobody could follow more. They also bound the time. */
#define SW__ROUTE_PIECES_MOST 512
#define SW__ROUTE_NETS_MOST 64

/* One line from a box, or a line that comes from above, to one below. */
typedef struct sw__route_piece {
    int32_t top; /* vertex of the layout */
    int32_t bottom;
    int32_t edge;
    int32_t net;
    int32_t from; /* column where it leaves the upper border */
    int32_t to;   /* column where it meets the lower one */
} sw__route_piece;

/* Lines that run together: all of one set of tops, to all bottoms that have just that set, so that
 * whoever follows them can only come to a place where an edge leads. */
typedef struct sw__route_net {
    int32_t piece; /* the first */
    int32_t left;  /* columns of its run to the side */
    int32_t right;
    int32_t track; /* row of that run, -1 when it is straight */
    int32_t aim;   /* twice the middle of its bottoms: where its lines want to go */
} sw__route_net;

typedef struct sw__route {
    sw__route_piece *pieces; /* by bottom from left to right, then by top likewise */
    int32_t piece_count;
    sw__route_net *nets;
    int32_t net_count;
    int32_t track_count;
    const int32_t *x;     /* middle of each vertex */
    const int32_t *width; /* of each node */
    int32_t node_count;
} sw__route;

/* Give every piece its columns and every net its row; nets has room for one per piece. false when
 * there is no way to do it with lines that can be told apart. */
bool sw__route_solve(sw__route *route);

#endif
