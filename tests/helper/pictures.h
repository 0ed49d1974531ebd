/* Rows of pictures to draw, and what their text has to hold. */
#ifndef HELPER_PICTURES_H
#define HELPER_PICTURES_H

#include "stepwell.h"

#define PICTURE_NODES_MOST 64
#define PICTURE_TEXT(text) ((sw_str){(text), sizeof(text) - 1})

typedef struct picture_rows {
    sw_picture_node nodes[PICTURE_NODES_MOST];
    sw_picture_edge edges[PICTURE_NODES_MOST * PICTURE_NODES_MOST / 2];
    size_t node_count;
    size_t edge_count;
} picture_rows;

/* The name is borrowed. */
void picture_node_add(picture_rows *rows, const char *name, int state, int flags,
                      int64_t duration_us);
void picture_edge_add(picture_rows *rows, int32_t from, int32_t to, int32_t flags);

/* fetch -> check, sum -> send, and a line past the middle. */
void picture_rows_diamond(picture_rows *rows);
/* A tree whose names are what formats could trip over. */
void picture_rows_hostile(picture_rows *rows);

/* Render; the code of it, or the text, zero-terminated, which result keeps. */
int picture_code(const picture_rows *rows, const sw_picture_options *options, sw_result **out,
                 sw_error *error);
const char *picture_rendered(const picture_rows *rows, const sw_picture_options *options,
                             sw_result **result);
/* The same with a title that needs escapes, and columns enough. */
const char *picture_format_rendered(const picture_rows *rows, int format, sw_result **result);

void assert_text_has(const char *text, const char *what);
void assert_text_lacks(const char *text, const char *what);

/* A number below limit; the same from run to run. */
uint32_t picture_random(uint32_t limit);

#endif
