/* Reading edges: what the files graph_edges.c and graph_ints.c share. */
#ifndef SWPY_EDGES_H
#define SWPY_EDGES_H

#include "module.h"

/* A name that was seen, by its address: most programs mention a node by one object, and that is
 * found without touching it. Labels hold the objects, so that no address is used again. */
typedef struct swpy_seen_name {
    const PyObject *name; /* NULL: free */
    int64_t number;
} swpy_seen_name;

typedef struct swpy_edge_reader {
    swpy_state *state;
    int64_t *ends; /* from, to, from, to, ...: numbers of names, or ints as they were given */
    size_t end_count;
    size_t end_room;
    int64_t *others; /* ints that are nodes without being an end */
    size_t other_count;
    size_t other_room;
    PyTypeObject *kind; /* of the nodes: &PyUnicode_Type, &PyLong_Type, NULL: none so far */
    PyObject *labels;
    PyObject *index; /* dict from label to number, NULL until it is needed */
    bool distinct;   /* the names that come are those of a dict, none of them twice */
    swpy_seen_name *seen; /* a table of seen_room places, at most half of them taken */
    size_t seen_count;
    size_t seen_room; /* a power of 2, or 0 */
} swpy_edge_reader;

/* graph_ints.c */

/* Turn the ends into numbers of nodes; *count gets how many nodes there are. */
bool swpy_ints_rank(swpy_edge_reader *reader, size_t *count);
/* A number of nodes, given as an int: then the nodes are 0 up to it, and nothing is ranked. */
bool swpy_node_count_read(swpy_state *state, PyObject *nodes, int32_t *out);
/* The two buffers, new references, when edges is a pair of them. */
bool swpy_buffers_find(PyObject *edges, PyObject **from, PyObject **to);
bool swpy_buffers_read(swpy_state *state, PyObject *from, PyObject *to, PyObject *nodes,
                       swpy_edges *out);

#endif
