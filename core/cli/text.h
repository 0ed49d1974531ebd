/* Text for people: widths in columns, safe characters, durations and times.
 *
 * Not here: colours and streams (out.h), tables (grid.h).
 */
#ifndef STEPWELL_CLI_TEXT_H
#define STEPWELL_CLI_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include <stepwell.h>

#define CLI_TEXT_NO_LIMIT ((size_t)-1)
#define CLI_DURATION_SIZE 24
#define CLI_TIME_SIZE 40

/* A zero-terminated string as a borrowed run; NULL is absent. */
sw_str cli_str(const char *text);

/* Whether two runs hold the same bytes. */
int cli_str_equal(sw_str a, sw_str b);

/* The code point at *at, which moves behind it; U+FFFD for a byte that is not UTF-8. */
uint32_t cli_text_next(sw_str text, size_t *at);

/* Columns that cli_text_put needs for all of text. */
size_t cli_text_width(sw_str text);

/* Write text in at most width columns, cut with an ellipsis where it is longer. Line breaks and
 * tabs become blanks, other control characters U+FFFD: nothing that was stored by somebody else
 * may move the cursor or change the terminal. Returns the columns written. */
size_t cli_text_put(FILE *stream, sw_str text, size_t width);

/* A copy of the first width columns at most of text with the same treatment, from malloc. */
char *cli_text_clean(sw_str text, size_t width);

/* Write words from column `column` on, broken before width, later lines indented to that column;
 * a width of 0 breaks nothing. Ends the line. */
void cli_text_wrap(FILE *stream, sw_str text, size_t column, size_t width);

/* Whole units of an age: "12s", "2m", "3h", "4d". */
const char *cli_age(int64_t age_us, char text[CLI_DURATION_SIZE]);

/* "0.004s", "12.3s", "2m 05s", "3h 07m", "4d 02h" into text, which is returned. */
const char *cli_duration(int64_t duration_us, char text[CLI_DURATION_SIZE]);

/* The same with tenths of a second at most, for a number that runs on the screen. */
const char *cli_duration_running(int64_t duration_us, char text[CLI_DURATION_SIZE]);

/* Milliseconds as the shortest exact phrase: "250 ms", "1.5 s", "90 s", "15 min", "2 h". */
const char *cli_duration_exact(int64_t duration_ms, char text[CLI_DURATION_SIZE]);

/* Local time to the second, "2026-01-31 13:05:09"; "-" for 0. */
const char *cli_time_local(int64_t time_us, char text[CLI_TIME_SIZE]);

/* Read a time: "2026-01-31" or "2026-01-31T13:05:09" in local time, with Z behind it in UTC, or so
 * long before now: "90s", "15m", "2h", "7d". */
bool cli_time_read(const char *text, int64_t now_us, int64_t *out);

/* RFC 3339 in UTC with microseconds. */
const char *cli_time_rfc3339(int64_t time_us, char text[CLI_TIME_SIZE]);

#endif
