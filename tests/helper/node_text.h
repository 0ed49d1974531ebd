/* Checks on documents: text in, canonical JSON or a message out. */
#ifndef HELPER_NODE_TEXT_H
#define HELPER_NODE_TEXT_H

#include <stddef.h>

/* Read text (an sw_format) and compare its canonical JSON. */
void assert_document(int format, const char *text, const char *expected);

/* Read text and compare the code, the message and, as its row, the line in the message. */
void assert_refused(int format, const char *text, int code, const char *message);
void assert_refused_bytes(int format, const char *text, size_t len, int code, const char *message);

#endif
