/* Checking JSON text without building anything, and writing JSON values.
 *
 * The check is a loop over tokens with one bit per open bracket, so that neither hostile nesting
 * nor the small stack of a fiber can hurt it. Not here: reading into a tree (node_json.c).
 */
#include "base/json.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/hex.h"
#include "base/limits.h"
#include "base/number.h"
#include "base/utf8.h"

_Static_assert(SW__DEPTH_MAX == 64, "the stack of open brackets is one word of 64 bits, and "
                                    "SW__JSON_TOO_DEEP names the number");

/* What the next token may be. */
typedef enum json_want {
    JSON_WANT_VALUE,
    JSON_WANT_KEY,
    JSON_WANT_AFTER /* a comma, a closing bracket, or the end */
} json_want;

typedef struct json_scan {
    const char *text;
    size_t len;
    size_t at;
    const char *why;  /* set by the first failure */
    uint64_t objects; /* bit 0 is the innermost bracket: 1 for '{', 0 for '[' */
    int depth;
} json_scan;

static bool json_scan_fail(json_scan *scan, const char *why)
{
    scan->why = why;
    return false;
}

static int json_scan_peek(const json_scan *scan)
{
    return scan->at < scan->len ? (unsigned char)scan->text[scan->at] : -1;
}

static void json_scan_space(json_scan *scan)
{
    while (scan->at < scan->len) {
        char byte = scan->text[scan->at];
        if (byte != ' ' && byte != '\n' && byte != '\r' && byte != '\t')
            return;
        scan->at++;
    }
}

static bool json_scan_digits(json_scan *scan)
{
    size_t start = scan->at;
    while (scan->at < scan->len && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9')
        scan->at++;
    return scan->at > start || json_scan_fail(scan, "expected a digit");
}

static bool json_scan_number(json_scan *scan)
{
    if (json_scan_peek(scan) == '-')
        scan->at++;
    if (json_scan_peek(scan) == '0')
        scan->at++;
    else if (!json_scan_digits(scan))
        return false;
    int next = json_scan_peek(scan);
    if (next >= '0' && next <= '9')
        return json_scan_fail(scan, "a number may not start with a zero");
    if (next == '.') {
        scan->at++;
        if (!json_scan_digits(scan))
            return false;
    }
    next = json_scan_peek(scan);
    if (next == 'e' || next == 'E') {
        scan->at++;
        next = json_scan_peek(scan);
        if (next == '+' || next == '-')
            scan->at++;
        return json_scan_digits(scan);
    }
    return true;
}

static bool json_scan_word(json_scan *scan, const char *word)
{
    size_t len = strlen(word);
    if (scan->len - scan->at < len || memcmp(scan->text + scan->at, word, len) != 0)
        return json_scan_fail(scan, "expected a value");
    scan->at += len;
    return true;
}

/* The value of four hex digits, or -1. */
static int json_scan_unit(json_scan *scan)
{
    int unit = 0;
    for (int i = 0; i < 4; i++) {
        int next = json_scan_peek(scan);
        int digit = next < 0 ? -1 : sw__hex_digit((char)next);
        if (digit < 0) {
            json_scan_fail(scan, "expected four hex digits after \\u");
            return -1;
        }
        unit = unit << 4 | digit;
        scan->at++;
    }
    return unit;
}

static bool json_scan_unicode(json_scan *scan)
{
    size_t start = scan->at - 2;
    int unit = json_scan_unit(scan);
    if (unit < 0)
        return false;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit < 0xdc00 && scan->len - scan->at >= 2 && scan->text[scan->at] == '\\' &&
        scan->text[scan->at + 1] == 'u') {
        scan->at += 2;
        int low = json_scan_unit(scan);
        if (low < 0)
            return false;
        if (low >= 0xdc00 && low <= 0xdfff)
            return true;
    }
    scan->at = start;
    return json_scan_fail(scan, "half of a surrogate pair");
}

static bool json_scan_escape(json_scan *scan)
{
    scan->at++;
    int next = json_scan_peek(scan);
    if (next == 'u') {
        scan->at++;
        return json_scan_unicode(scan);
    }
    if (next <= 0 || !strchr("\"\\/bfnrt", next))
        return json_scan_fail(scan, "unknown escape");
    scan->at++;
    return true;
}

static bool json_scan_string(json_scan *scan)
{
    scan->at++;
    for (;;) {
        int next = json_scan_peek(scan);
        if (next < 0)
            return json_scan_fail(scan, "expected '\"', found the end");
        if (next < 0x20)
            return json_scan_fail(scan, "a control character in a string must be escaped");
        if (next == '"') {
            scan->at++;
            return true;
        }
        if (next != '\\')
            scan->at++;
        else if (!json_scan_escape(scan))
            return false;
    }
}

static bool json_scan_open(json_scan *scan, json_want *want)
{
    bool object = scan->text[scan->at] == '{';
    if (scan->depth == SW__DEPTH_MAX)
        return json_scan_fail(scan, SW__JSON_TOO_DEEP);
    scan->objects = scan->objects << 1 | object;
    scan->depth++;
    scan->at++;
    json_scan_space(scan);
    *want = object ? JSON_WANT_KEY : JSON_WANT_VALUE;
    if (json_scan_peek(scan) == (object ? '}' : ']'))
        *want = JSON_WANT_AFTER;
    return true;
}

static bool json_scan_value(json_scan *scan, json_want *want)
{
    *want = JSON_WANT_AFTER;
    int next = json_scan_peek(scan);
    switch (next) {
    case '{':
    case '[':
        return json_scan_open(scan, want);
    case '"':
        return json_scan_string(scan);
    case 't':
        return json_scan_word(scan, "true");
    case 'f':
        return json_scan_word(scan, "false");
    case 'n':
        return json_scan_word(scan, "null");
    case -1:
        return json_scan_fail(scan, "expected a value, found the end");
    default:
        if (next != '-' && (next < '0' || next > '9'))
            return json_scan_fail(scan, "expected a value");
        return json_scan_number(scan);
    }
}

static bool json_scan_key(json_scan *scan, json_want *want)
{
    *want = JSON_WANT_VALUE;
    if (json_scan_peek(scan) != '"')
        return json_scan_fail(scan, "expected a key in quotes");
    if (!json_scan_string(scan))
        return false;
    json_scan_space(scan);
    if (json_scan_peek(scan) != ':')
        return json_scan_fail(scan, "expected ':'");
    scan->at++;
    return true;
}

static bool json_scan_after(json_scan *scan, json_want *want)
{
    bool object = scan->objects & 1;
    int next = json_scan_peek(scan);
    if (next == ',') {
        scan->at++;
        *want = object ? JSON_WANT_KEY : JSON_WANT_VALUE;
        return true;
    }
    if (next != (object ? '}' : ']'))
        return json_scan_fail(scan, object ? "expected ',' or '}'" : "expected ',' or ']'");
    scan->at++;
    scan->objects >>= 1;
    scan->depth--;
    return true;
}

static bool json_scan_all(json_scan *scan)
{
    json_want want = JSON_WANT_VALUE;
    for (;;) {
        bool ok = true;
        json_scan_space(scan);
        if (want == JSON_WANT_VALUE)
            ok = json_scan_value(scan, &want);
        else if (want == JSON_WANT_KEY)
            ok = json_scan_key(scan, &want);
        else if (scan->depth == 0)
            return scan->at == scan->len || json_scan_fail(scan, "expected the end of the text");
        else
            ok = json_scan_after(scan, &want);
        if (!ok)
            return false;
    }
}

bool sw__json_check(sw_str text, size_t *offset, const char **why)
{
    json_scan scan = {.text = text.ptr, .len = text.len};
    size_t valid = sw__utf8_check(text);
    bool ok;
    if (valid < text.len) {
        scan.at = valid;
        ok = json_scan_fail(&scan, "invalid UTF-8");
    } else {
        ok = json_scan_all(&scan);
    }
    if (!ok && offset)
        *offset = scan.at;
    if (!ok && why)
        *why = scan.why;
    return ok;
}

static void json_put_escape(sw__buf *buf, char byte)
{
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    const char *found = byte ? strchr(short_from, byte) : NULL;
    if (found) {
        const char escape[2] = {'\\', short_to[found - short_from]};
        sw__buf_put(buf, escape, sizeof(escape));
    } else {
        char escape[6] = {'\\', 'u', '0', '0', 0, 0};
        sw__hex_put((uint8_t)byte, escape + 4);
        sw__buf_put(buf, escape, sizeof(escape));
    }
}

/* A run of valid UTF-8, with whatever JSON wants escaped. */
static void json_put_valid(sw__buf *buf, sw_str text)
{
    size_t start = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        sw__buf_put(buf, text.ptr + start, i - start);
        json_put_escape(buf, text.ptr[i]);
        start = i + 1;
    }
    sw__buf_put_str(buf, (sw_str){text.ptr + start, text.len - start});
}

void sw__json_put_str(sw__buf *buf, sw_str text)
{
    sw__buf_put_byte(buf, '"');
    while (text.len > 0) {
        size_t valid = sw__utf8_check(text);
        json_put_valid(buf, (sw_str){text.ptr, valid});
        if (valid == text.len)
            break;
        sw__buf_put_text(buf, "\xef\xbf\xbd");
        text = (sw_str){text.ptr + valid + 1, text.len - valid - 1};
    }
    sw__buf_put_byte(buf, '"');
}

void sw__json_put_double(sw__buf *buf, double number)
{
    char text[SW__NUMBER_TEXT];
    if (!isfinite(number)) {
        sw__buf_put_text(buf, "null");
        return;
    }
    sw__buf_put(buf, text, sw__number_format(number, text));
}
