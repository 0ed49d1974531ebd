/* How states look: one list for all formats. */
#ifndef SW_PICTURE_LOOK_H
#define SW_PICTURE_LOOK_H

#include <stdbool.h>

#define SW__LOOK_COUNT 10 /* the states of steps, and behind them "no state" */

typedef struct sw__look {
    const char *name; /* of the state, and of its class in SVG and Mermaid */
    const char *mark;
    const char *mark_ascii;
    const char *ansi;  /* parameters of the colour's escape sequence, "" for none */
    const char *fill;  /* on a light page */
    const char *line;
    const char *dark_fill;
    const char *dark_line;
    const char *shape; /* the mark as an SVG path in a square from -6 to 6, "" for none */
    bool solid;        /* the shape is filled */
    bool dashed;       /* the border is: nothing has been done there, or will be */
} sw__look;

/* The look of a state; of no state for any number that is none. */
const sw__look *sw__look_get(int state);

/* Colours of what is not a state. */
#define SW__COLOR_TEXT "#1f2328"
#define SW__COLOR_TEXT_DARK "#e6edf3"
#define SW__COLOR_QUIET "#59636e"
#define SW__COLOR_QUIET_DARK "#9198a1"
#define SW__COLOR_EDGE "#818b98"
#define SW__COLOR_EDGE_DARK "#7d8590"
#define SW__COLOR_CRITICAL "#bf3989"
#define SW__COLOR_CRITICAL_DARK "#f778ba"

#endif
