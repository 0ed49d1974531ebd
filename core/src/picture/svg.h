/* What SVG pictures share: sizes, the head with its style, escaped text. */
#ifndef SW_PICTURE_SVG_H
#define SW_PICTURE_SVG_H

#include "base/buf.h"
#include "picture/glyph.h"

#define SW__SVG_MARGIN 20        /* around everything */
#define SW__SVG_HEAD 30          /* of the title */
#define SW__SVG_LABEL_COLUMNS 32 /* names are cut to so many */
#define SW__SVG_COLUMN 8         /* of a name, 13 pixels high */
#define SW__SVG_PADDING 12       /* beside a name */
#define SW__SVG_MARK_ROOM 18     /* left of it */
#define SW__SVG_DETAIL_WIDTH 116 /* "succeeded, 12.3s", 11 pixels high */
#define SW__SVG_SLACK_WIDTH 88   /* ", slack 2m 05s" behind it */
#define SW__SVG_NODE_FLAT 34
#define SW__SVG_NODE_TALL 48

/* Open the document: size, title and description for those who do not see it, style. */
void sw__svg_begin(sw__buf *buf, int32_t width, int32_t height, sw_str title, sw_str description);
void sw__svg_end(sw__buf *buf);

/* <text>, cut to width columns. class_name, x, y: its attributes. */
void sw__svg_text(sw__buf *buf, const char *class_name, int32_t x, int32_t y, sw_str text,
                  int32_t width);

/* The mark of a state around a point. */
void sw__svg_mark(sw__buf *buf, int state, int32_t x, int32_t y);

/* <title> of what is around it. */
void sw__svg_title(sw__buf *buf, sw_str text);

#endif
