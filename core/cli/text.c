/* UTF-8 for the screen: decoding, column widths, safe output, durations and times.
 *
 * Not here: checking what users send; the engine does that.
 */
#include "text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>

#include "out.h"

#define CLI_REPLACEMENT 0xFFFDu
#define CLI_SECOND_US INT64_C(1000000)

sw_str cli_str(const char *text)
{
    return text ? (sw_str){text, strlen(text)} : (sw_str){NULL, 0};
}

int cli_str_equal(sw_str a, sw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Bytes of the sequence that lead begins, 0 when none begins so. */
static size_t text_sequence_length(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead < 0xE0)
        return 2;
    if (lead >= 0xE0 && lead < 0xF0)
        return 3;
    return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

/* Whether a decoded value may stand in a sequence of this length (no overlong form, surrogate or
 * number beyond Unicode). */
static bool text_code_valid(uint32_t code, size_t length)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    return code >= lowest[length] && code <= 0x10FFFF && !(code >= 0xD800 && code < 0xE000);
}

uint32_t cli_text_next(sw_str text, size_t *at)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr + *at;
    size_t length = text_sequence_length(bytes[0]);
    if (length == 0 || length > text.len - *at) {
        *at += 1;
        return CLI_REPLACEMENT;
    }
    uint32_t code = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0u) != 0x80u) {
            *at += 1;
            return CLI_REPLACEMENT;
        }
        code = (code << 6) | (bytes[i] & 0x3Fu);
    }
    bool valid = text_code_valid(code, length);
    *at += valid ? length : 1;
    return valid ? code : CLI_REPLACEMENT;
}

/* What is shown in place of a code point: a blank for white space, U+FFFD for everything that
 * could steer the terminal or turn the direction of writing. */
static uint32_t text_code_safe(uint32_t code)
{
    if (code == '\n' || code == '\t' || code == '\r')
        return ' ';
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                     code == 0x200E || code == 0x200F || code == 0x2028 || code == 0x2029;
    return control || direction ? CLI_REPLACEMENT : code;
}

static size_t text_code_width(uint32_t code)
{
    if (code < 0x80)
        return 1;
    int width = wcwidth((wchar_t)code);
    return width < 0 ? 1 : (size_t)width;
}

static void text_code_put(FILE *stream, uint32_t code)
{
    char bytes[4];
    size_t length = 1;
    if (code < 0x80) {
        bytes[0] = (char)code;
    } else if (code < 0x800) {
        length = 2;
        bytes[0] = (char)(0xC0u | (code >> 6));
    } else if (code < 0x10000) {
        length = 3;
        bytes[0] = (char)(0xE0u | (code >> 12));
    } else {
        length = 4;
        bytes[0] = (char)(0xF0u | (code >> 18));
    }
    for (size_t i = 1; i < length; i++)
        bytes[i] = (char)(0x80u | ((code >> (6 * (length - 1 - i))) & 0x3Fu));
    fwrite(bytes, 1, length, stream);
}

size_t cli_text_width(sw_str text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.len;)
        width += text_code_width(text_code_safe(cli_text_next(text, &at)));
    return width;
}

/* Write code points until the next one would need more than width columns. */
static size_t text_part_put(FILE *stream, sw_str text, size_t width)
{
    size_t used = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t code = text_code_safe(cli_text_next(text, &at));
        size_t columns = text_code_width(code);
        if (columns > width - used)
            break;
        text_code_put(stream, code);
        used += columns;
    }
    return used;
}

size_t cli_text_put(FILE *stream, sw_str text, size_t width)
{
    if (width == CLI_TEXT_NO_LIMIT || cli_text_width(text) <= width)
        return text_part_put(stream, text, CLI_TEXT_NO_LIMIT);
    sw_str ellipsis = cli_str(cli_out()->unicode ? "…" : "...");
    size_t columns = cli_out()->unicode ? 1 : 3;
    if (width < columns)
        return text_part_put(stream, text, width);
    size_t used = text_part_put(stream, text, width - columns);
    fwrite(ellipsis.ptr, 1, ellipsis.len, stream);
    return used + columns;
}

char *cli_text_clean(sw_str text, size_t width)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&copy, &size);
    if (!stream)
        return cli_copy("");
    cli_text_put(stream, text, width);
    fclose(stream);
    return copy ? copy : cli_copy("");
}

void cli_text_wrap(FILE *stream, sw_str text, size_t column, size_t width)
{
    char *clean = cli_text_clean(text, CLI_TEXT_NO_LIMIT);
    const char *at = clean;
    size_t used = column;
    while (*at) {
        sw_str word = {at, strcspn(at, " ")};
        size_t columns = cli_text_width(word);
        bool first = used == column;
        if (!first && width > 0 && used + 1 + columns > width) {
            fprintf(stream, "\n%*s", (int)column, "");
            used = column;
            first = true;
        }
        if (!first)
            fputc(' ', stream);
        fwrite(word.ptr, 1, word.len, stream);
        used += columns + !first;
        at += word.len;
        at += strspn(at, " ");
    }
    fputc('\n', stream);
    free(clean);
}

const char *cli_age(int64_t age_us, char text[CLI_DURATION_SIZE])
{
    int64_t seconds = age_us < 0 ? 0 : age_us / CLI_SECOND_US;
    if (seconds < 60)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "s", seconds);
    else if (seconds < 3600)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "m", seconds / 60);
    else if (seconds < 86400)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "h", seconds / 3600);
    else
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "d", seconds / 86400);
    return text;
}

const char *cli_duration(int64_t duration_us, char text[CLI_DURATION_SIZE])
{
    int64_t ms = duration_us < 0 ? 0 : duration_us / 1000;
    int64_t seconds = ms / 1000;
    if (ms < 10000)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 ".%03" PRId64 "s", seconds, ms % 1000);
    else if (seconds < 60)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 ".%" PRId64 "s", seconds, ms / 100 % 10);
    else if (seconds < 3600)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "m %02" PRId64 "s", seconds / 60,
                 seconds % 60);
    else if (seconds < 86400)
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "h %02" PRId64 "m", seconds / 3600,
                 seconds / 60 % 60);
    else
        snprintf(text, CLI_DURATION_SIZE, "%" PRId64 "d %02" PRId64 "h", seconds / 86400,
                 seconds / 3600 % 24);
    return text;
}

const char *cli_duration_running(int64_t duration_us, char text[CLI_DURATION_SIZE])
{
    int64_t tenths = duration_us < 0 ? 0 : duration_us / 100000;
    if (tenths >= 600)
        return cli_duration(duration_us, text);
    snprintf(text, CLI_DURATION_SIZE, "%" PRId64 ".%" PRId64 "s", tenths / 10, tenths % 10);
    return text;
}

const char *cli_duration_exact(int64_t duration_ms, char text[CLI_DURATION_SIZE])
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "min"}, {1000, "s"}, {1, "ms"}};
    size_t i = 0;
    if (duration_ms > 1000 && duration_ms < 60000 && duration_ms % 1000 != 0) {
        snprintf(text, CLI_DURATION_SIZE, "%.12g s", (double)duration_ms / 1000);
        return text;
    }
    while (units[i].ms > 1 && (duration_ms < units[i].ms || duration_ms % units[i].ms != 0))
        i++;
    snprintf(text, CLI_DURATION_SIZE, "%" PRId64 " %s", duration_ms / units[i].ms, units[i].unit);
    return text;
}

const char *cli_time_local(int64_t time_us, char text[CLI_TIME_SIZE])
{
    struct tm parts;
    time_t seconds = (time_t)(time_us / CLI_SECOND_US);
    if (time_us == 0 || !localtime_r(&seconds, &parts) ||
        strftime(text, CLI_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts) == 0)
        snprintf(text, CLI_TIME_SIZE, "-");
    return text;
}

const char *cli_time_rfc3339(int64_t time_us, char text[CLI_TIME_SIZE])
{
    struct tm parts;
    time_t seconds = (time_t)(time_us / CLI_SECOND_US);
    size_t length =
        gmtime_r(&seconds, &parts) ? strftime(text, CLI_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &parts) : 0;
    snprintf(text + length, CLI_TIME_SIZE - length, ".%06" PRId64 "Z", time_us % CLI_SECOND_US);
    return text;
}

/* "90s", "15m", "2h", "7d": so long before now. */
static bool time_read_ago(const char *text, int64_t now_us, int64_t *out)
{
    static const char units[] = "smhd";
    static const int64_t seconds[] = {1, 60, 3600, 86400};
    char *end = NULL;
    long long number = strtoll(text, &end, 10);
    const char *unit = end != text && *end ? strchr(units, *end) : NULL;
    if (!unit || end[1] != '\0' || number < 0 || number > 1000000)
        return false;
    *out = now_us - number * seconds[unit - units] * CLI_SECOND_US;
    return true;
}

/* Numbers that stand for no time, like a month 13, are put right by mktime; so they are compared.
 */
static bool time_is_real(const struct tm *given, const struct tm *parts)
{
    return given->tm_year == parts->tm_year && given->tm_mon == parts->tm_mon &&
           given->tm_mday == parts->tm_mday && given->tm_hour == parts->tm_hour &&
           given->tm_min == parts->tm_min && given->tm_sec == parts->tm_sec;
}

bool cli_time_read(const char *text, int64_t now_us, int64_t *out)
{
    struct tm parts = {.tm_isdst = -1};
    int used = 0;
    if (time_read_ago(text, now_us, out))
        return true;
    if (sscanf(text, "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &used) != 3)
        return false;
    text += used;
    if (*text == 'T' || *text == ' ') {
        if (sscanf(text + 1, "%2d:%2d:%2d%n", &parts.tm_hour, &parts.tm_min, &parts.tm_sec,
                   &used) != 3)
            return false;
        text += 1 + used;
    }
    bool utc = strcmp(text, "Z") == 0;
    parts.tm_year -= 1900;
    parts.tm_mon--;
    struct tm given = parts;
    time_t time = utc ? timegm(&parts) : mktime(&parts);
    *out = (int64_t)time * CLI_SECOND_US;
    return (utc || *text == '\0') && time > 0 && time_is_real(&given, &parts);
}
