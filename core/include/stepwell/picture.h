/* Pictures: a workflow or a running task as a drawing, and its attempts along a time line.
 *
 *     sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
 *     sw_result *result = NULL;
 *     options.marks = SW_PICTURE_CRITICAL;
 *     if (sw_task_picture(engine, &options, NULL, &task_id, &result, &err) < 0)
 *         ...
 *     fwrite(sw_pictures(result, NULL)->text.ptr, ...);
 *     sw_result_free(result);
 *
 * sw_graph_picture draws a graph, sw_task_picture and sw_task_gantt a task of a store; both make
 * rows and hand them to sw_picture_render and sw_gantt_render, which draw any rows. The same rows
 * give the same bytes every time. Not here: numbers about a graph (graph.h), forecasts
 * (forecast.h).
 */
#ifndef STEPWELL_PICTURE_H
#define STEPWELL_PICTURE_H

#include "engine.h"
#include "error.h"
#include "graph.h"
#include "sys/env.h"
#include "types.h"

/* SVG: one self-contained file for light and dark pages. MERMAID and DOT: source text for those
 * programs. JSON: the rows with coordinates, for others that draw. TEXT: for a terminal. */
#define SW_PICTURE_FORMAT_MAP(XX)                                                                  \
    XX(SVG, 0, "svg")                                                                              \
    XX(MERMAID, 1, "mermaid")                                                                      \
    XX(DOT, 2, "dot")                                                                              \
    XX(JSON, 3, "json")                                                                            \
    XX(TEXT, 4, "text")

typedef enum sw_picture_format {
#define SW_ENUM_VALUE(name, value, text) SW_PICTURE_##name = value,
    SW_PICTURE_FORMAT_MAP(SW_ENUM_VALUE)
#undef SW_ENUM_VALUE
    SW_PICTURE_FORMAT_COUNT = 5
} sw_picture_format;

/* Where dependents stand: below or to the right of what they depend on. AUTO takes the one whose
 * picture comes nearest to the shape of a screen. TEXT is always drawn downward. */
typedef enum sw_picture_direction {
    SW_PICTURE_AUTO = 0,
    SW_PICTURE_DOWN = 1,
    SW_PICTURE_RIGHT = 2
} sw_picture_direction;

/* Flags of nodes and edges, and in the options what sw_graph_picture and sw_task_picture are to
 * find out and mark. Mermaid and DOT show slack as text, TEXT behind the name. */
#define SW_PICTURE_CRITICAL 1  /* on the path that decides the end */
#define SW_PICTURE_REDUNDANT 2 /* of an edge: other edges imply it; drawn faintly */
#define SW_PICTURE_SLACK 4     /* of a node: its slack_us is shown */
#define SW_PICTURE_DURATION 8  /* of options: show the durations that paths are reckoned with */

/* A step. level of the picture comes from the edges. */
typedef struct sw_picture_node {
    sw_str name;  /* at most 1,024 bytes; any bytes, what is not UTF-8 is shown as U+FFFD */
    sw_str label; /* shown instead of the name; absent: the name */
    int32_t state; /* sw_step_state, -1: none */
    int32_t flags;
    int64_t duration_us; /* measured or expected; -1: not known */
    int64_t slack_us; /* SW_PICTURE_SLACK: so much later it may end without delaying the end */
} sw_picture_node;

/* to depends on from; both are indices of nodes. */
typedef struct sw_picture_edge {
    int32_t from;
    int32_t to;
    int32_t flags;
    int32_t reserved;
} sw_picture_edge;

typedef struct sw_picture_options {
    uint32_t size;
    int32_t format;    /* sw_picture_format */
    int32_t direction; /* sw_picture_direction */
    int32_t compact;   /* 1: start steps as late as their dependents allow, for shorter lines */
    int32_t columns;   /* TEXT: at most so many; 0: 80 */
    int32_t ascii;     /* TEXT: 1: no characters beyond ASCII in lines and marks */
    int32_t color;     /* TEXT: 1: with ANSI escape sequences */
    int32_t marks;     /* SW_PICTURE_CRITICAL and so on, or'ed; sw_picture_render has no use for it:
                          there the rows say */
    sw_str title;      /* what the picture shows, at most 1,024 bytes; may be absent */
    const sw_env *env; /* NULL: sw_env_system() */
} sw_picture_options;

#define SW_PICTURE_OPTIONS_INIT                                                                    \
    {                                                                                              \
        .size = sizeof(sw_picture_options)                                                         \
    }

/* A bar of a Gantt chart: one attempt of a step. Rows with the same lane share a line, which bears
 * the name of the first of them; lines are in the order in which their first rows come. */
typedef struct sw_gantt_row {
    sw_str name; /* at most 1,024 bytes */
    int32_t lane;
    int32_t attempt;  /* 0: not numbered */
    int32_t state;    /* sw_step_state the attempt ended with, or is in; -1: none */
    int32_t flags;    /* SW_PICTURE_CRITICAL */
    int64_t ready_us; /* when it could have begun, 0: not known; waiting is drawn until begin */
    int64_t begin_us; /* 0: not yet */
    int64_t end_us;   /* 0: not yet */
} sw_gantt_row;

typedef struct sw_gantt_options {
    uint32_t size;
    int32_t format;  /* SW_PICTURE_SVG, SW_PICTURE_TEXT or SW_PICTURE_JSON */
    int32_t columns; /* TEXT: at most so many; 0: 80 */
    int32_t width;   /* SVG: pixels; 0: 960 */
    int32_t ascii;
    int32_t color;
    int64_t now_us;  /* end of bars that are open; 0: the last time in the rows */
    sw_str title;
    const sw_env *env;
} sw_gantt_options;

#define SW_GANTT_OPTIONS_INIT                                                                      \
    {                                                                                              \
        .size = sizeof(sw_gantt_options)                                                           \
    }

/* A finished picture. width and height are pixels of SVG, columns and lines of TEXT, the units of
 * the coordinates in JSON, and 0 for MERMAID and DOT. */
typedef struct sw_picture {
    sw_str text;
    int32_t format; /* sw_picture_format */
    int32_t width;
    int32_t height;
    int32_t reserved;
} sw_picture;

SW_BEGIN_DECLS

/* Name of a format in lower case, "unknown" for any other number; number of a name.
 *
 * owns:    never freed (static); name is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_ENOTFOUND of sw_picture_format_find.
 */
SW_API const char *sw_picture_format_name(int format);
SW_API int sw_picture_format_find(sw_str name);

/* The sign of a step's state, one column wide: colour alone must not say it. "" for a number that
 * is no state.
 *
 * owns:    never freed (static).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API const char *sw_step_state_mark(int state, int ascii);

/* Draw nodes and edges. Layers are longest paths, lines cross as little as a few sweeps can bring
 * about, long lines are straight (Sugiyama et al. 1981, Gansner et al. 1993, Brandes and Koepf
 * 2001); time and memory grow with nodes, edges and the layers that edges pass.
 *
 * owns:    options, nodes, edges and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: of nodes for a name or state, of edges for an end out of range, an
 *          edge from a node to itself or given twice; -1 for options), SW_EDEFINITION (a cycle, the
 *          message names it), SW_ELIMIT (a name too long, too many nodes, edges or bends, or TEXT
 *          wider than columns), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_picture_render(const sw_picture_options *options, const sw_picture_node *nodes,
                             size_t node_count, const sw_picture_edge *edges, size_t edge_count,
                             sw_result **out, sw_error *err);

/* Draw a graph: its nodes by name, or by number where it has no names. duration_us is of each node
 * and decides the critical path and the slack; NULL: 1 each, and neither they nor slack is shown.
 *
 * owns:    graph, options and duration_us are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: the node of a negative duration; -1 for options), SW_EDEFINITION
 *          (a cycle, the message names it), SW_ELIMIT (as sw_picture_render, or the sum of the
 *          durations passes 2^63 - 1), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_graph_picture(const sw_graph *graph, const sw_picture_options *options,
                            const int64_t *duration_us, sw_result **out, sw_error *err);

/* Draw a task as it stands: states, and how long the attempts of each step have run. For critical
 * path and slack a step that has ended takes what it took; any other what duration_us says, which
 * is of each step in the order of sw_steps, and with NULL the median of earlier tasks, else the
 * declared timeout, else a minute. The title is the workflow's name unless options have one.
 *
 * owns:    options, duration_us and task_id are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  as sw_graph_picture; SW_ENOTFOUND (the task), SW_EAUDIT, SW_EBUSY, SW_EIO, SW_ECORRUPT,
 *          SW_EFORKED. On error *out is NULL.
 */
SW_API int sw_task_picture(sw_engine *engine, const sw_picture_options *options,
                           const int64_t *duration_us, const sw_uuid *task_id, sw_result **out,
                           sw_error *err);

/* Draw attempts along a time line.
 *
 * owns:    options, rows and their strings are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EINVAL (err->row: a name, a state, or times that go back; -1 for options), SW_ELIMIT
 *          (a name too long, too many rows), SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_gantt_render(const sw_gantt_options *options, const sw_gantt_row *rows,
                           size_t row_count, sw_result **out, sw_error *err);

/* Draw the attempts of a task, from its history: one line per step, waiting and running apart. Bars
 * of a task that goes on end now, unless options say when. The title is the workflow's name unless
 * options have one.
 *
 * owns:    options and task_id are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  as sw_gantt_render; SW_ENOTFOUND (the task), SW_EAUDIT, SW_EBUSY, SW_EIO, SW_ECORRUPT,
 *          SW_EFORKED. On error *out is NULL.
 */
SW_API int sw_task_gantt(sw_engine *engine, const sw_gantt_options *options,
                         const sw_uuid *task_id, sw_result **out, sw_error *err);

/* The picture in a result of the verbs above: one row.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_picture *sw_pictures(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
