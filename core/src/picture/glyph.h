/* Foreign text made fit to be drawn: characters, how wide they are, and escapes of each format. */
#ifndef SW_PICTURE_GLYPH_H
#define SW_PICTURE_GLYPH_H

#include "base/buf.h"

#define SW__GLYPHS_ALL INT32_MAX

/* How characters are written. */
typedef enum sw__escape {
    SW__ESCAPE_NONE,   /* for a terminal */
    SW__ESCAPE_XML,    /* text and attributes of SVG */
    SW__ESCAPE_DOT,    /* inside of a string in double quotes */
    SW__ESCAPE_MERMAID /* likewise; what could be markup becomes a numeric entity */
} sw__escape;

/* The character at *at, which moves behind it. White space becomes a blank; what could turn the
 * direction of writing or steer a terminal, what XML forbids and what is not UTF-8 becomes U+FFFD. */
uint32_t sw__glyph_next(sw_str text, size_t *at);

/* Columns of a whole text, and of one character (UAX #11: wide and combining ones). */
int32_t sw__glyphs_width(sw_str text);
int32_t sw__glyph_width(uint32_t code);

/* Append text in at most width columns, the last of them an ellipsis when it is longer; returns
 * the columns used. */
int32_t sw__glyphs_put(sw__buf *buf, sw_str text, int32_t width, sw__escape escape, bool ascii);

/* Append a duration: "0.412s", "12.3s", "2m 05s", "3h 07m", "4d 02h". */
void sw__duration_put(sw__buf *buf, int64_t duration_us);

#endif
