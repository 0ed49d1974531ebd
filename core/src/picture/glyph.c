/* Characters of foreign text. Not here: what the text says, and where it stands. */
#include "picture/glyph.h"

#include <inttypes.h>

#include "base/utf8.h"

#define GLYPH_UNKNOWN 0xFFFDu
#define SECOND_US INT64_C(1000000)

typedef struct glyph_range {
    uint32_t first;
    uint32_t last;
} glyph_range;

static bool glyph_within(const glyph_range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count && ranges[i].first <= code; i++) {
        if (code <= ranges[i].last)
            return true;
    }
    return false;
}

/* Marks that stand on the character before them. */
static bool glyph_combines(uint32_t code)
{
    static const glyph_range ranges[] = {
        {0x300, 0x36F},   {0x483, 0x489},   {0x591, 0x5BD},     {0x610, 0x61A},   {0x64B, 0x65F},
        {0xE31, 0xE31},   {0xE34, 0xE3A},   {0xE47, 0xE4E},     {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF},
        {0x200B, 0x200D}, {0x20D0, 0x20FF}, {0x302A, 0x302D},   {0x3099, 0x309A}, {0xFE00, 0xFE0F},
        {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
    };
    return glyph_within(ranges, sizeof(ranges) / sizeof(ranges[0]), code);
}

/* East Asian wide and full-width characters, and pictographs. */
static bool glyph_wide(uint32_t code)
{
    static const glyph_range ranges[] = {
        {0x1100, 0x115F},   {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x25FD, 0x25FE},
        {0x2614, 0x2615},   {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x26AA, 0x26AB},
        {0x26BD, 0x26BE},   {0x26D4, 0x26D4},   {0x2705, 0x2705},   {0x270A, 0x270B},
        {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},
        {0x2757, 0x2757},   {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},
        {0x2E80, 0x303E},   {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA4CF},
        {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
        {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F18E, 0x1F19A}, {0x1F200, 0x1F64F},
        {0x1F680, 0x1F6FF}, {0x1F7E0, 0x1F7EB}, {0x1F90C, 0x1F9FF}, {0x1FA70, 0x1FAFF},
        {0x20000, 0x3FFFD},
    };
    return glyph_within(ranges, sizeof(ranges) / sizeof(ranges[0]), code);
}

static uint32_t glyph_safe(uint32_t code)
{
    if (code == '\n' || code == '\t' || code == '\r')
        return ' ';
    bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    bool direction = (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
                     (code >= 0x200E && code <= 0x200F) || code == 0x2028 || code == 0x2029;
    bool forbidden = code == 0xFFFE || code == 0xFFFF;
    return control || direction || forbidden ? GLYPH_UNKNOWN : code;
}

uint32_t sw__glyph_next(sw_str text, size_t *at)
{
    const uint8_t *bytes = (const uint8_t *)text.ptr + *at;
    size_t length = sw__utf8_char_len(bytes, text.len - *at);
    *at += length ? length : 1;
    if (length == 0)
        return GLYPH_UNKNOWN;
    uint32_t code = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (bytes[i] & 0x3Fu);
    return glyph_safe(code);
}

int32_t sw__glyph_width(uint32_t code)
{
    if (code < 0x300)
        return 1;
    if (glyph_combines(code))
        return 0;
    return glyph_wide(code) ? 2 : 1;
}

int32_t sw__glyphs_width(sw_str text)
{
    int32_t width = 0;
    for (size_t at = 0; at < text.len;)
        width += sw__glyph_width(sw__glyph_next(text, &at));
    return width;
}

static void glyph_encode(sw__buf *buf, uint32_t code)
{
    if (code < 0x80) {
        sw__buf_put_byte(buf, (uint8_t)code);
        return;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    sw__buf_put_byte(buf, (uint8_t)((0xFF00u >> (more + 1) & 0xFFu) | code >> (6 * more)));
    while (more-- > 0)
        sw__buf_put_byte(buf, (uint8_t)(0x80u | (code >> (6 * more) & 0x3Fu)));
}

static bool glyph_alphanumeric(uint32_t code)
{
    return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') ||
           (code >= 'a' && code <= 'z') || code >= 0x80;
}

/* Whether Mermaid could take the character for markup. Dots, dashes and underscores inside of a
 * word are what names are made of, and mean nothing there. */
static bool glyph_mermaid_markup(uint32_t before, uint32_t code, uint32_t after)
{
    if (glyph_alphanumeric(code) || code == ' ' || code == ',')
        return false;
    bool inside = glyph_alphanumeric(before) && glyph_alphanumeric(after);
    return !(inside && (code == '.' || code == '-' || code == '_'));
}

static const char *glyph_escape(uint32_t code, sw__escape escape)
{
    if (escape == SW__ESCAPE_XML) {
        switch (code) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        }
    }
    if (escape == SW__ESCAPE_DOT) {
        /* Graphviz reads entities in labels, too. */
        return code == '"' ? "\\\"" : code == '\\' ? "\\\\" : code == '&' ? "&amp;" : NULL;
    }
    return NULL;
}

static void glyph_put(sw__buf *buf, uint32_t before, uint32_t code, uint32_t after,
                      sw__escape escape)
{
    const char *text = glyph_escape(code, escape);
    if (text)
        sw__buf_put_text(buf, text);
    else if (escape == SW__ESCAPE_MERMAID && glyph_mermaid_markup(before, code, after))
        sw__buf_printf(buf, "#%" PRIu32 ";", code);
    else
        glyph_encode(buf, code);
}

int32_t sw__glyphs_put(sw__buf *buf, sw_str text, int32_t width, sw__escape escape, bool ascii)
{
    int32_t used = 0;
    int32_t ellipsis = ascii ? 3 : 1;
    bool cut = width != SW__GLYPHS_ALL && sw__glyphs_width(text) > width;
    int32_t room = !cut ? SW__GLYPHS_ALL : width > ellipsis ? width - ellipsis : 0;
    uint32_t before = ' ';
    for (size_t at = 0; at < text.len;) {
        uint32_t code = sw__glyph_next(text, &at);
        size_t behind = at;
        uint32_t after = behind < text.len ? sw__glyph_next(text, &behind) : ' ';
        if (sw__glyph_width(code) > room - used)
            break;
        used += sw__glyph_width(code);
        glyph_put(buf, before, code, after, escape);
        before = code;
    }
    if (cut && ellipsis <= width) {
        sw__buf_put_text(buf, ascii ? "..." : "\xE2\x80\xA6");
        used += ellipsis;
    }
    return used;
}

void sw__duration_put(sw__buf *buf, int64_t duration_us)
{
    int64_t ms = duration_us < 0 ? 0 : duration_us / 1000;
    int64_t seconds = duration_us < 0 ? 0 : duration_us / SECOND_US;
    if (ms < 10000)
        sw__buf_printf(buf, "%" PRId64 ".%03" PRId64 "s", seconds, ms % 1000);
    else if (seconds < 60)
        sw__buf_printf(buf, "%" PRId64 ".%" PRId64 "s", seconds, ms / 100 % 10);
    else if (seconds < 3600)
        sw__buf_printf(buf, "%" PRId64 "m %02" PRId64 "s", seconds / 60, seconds % 60);
    else if (seconds < 86400)
        sw__buf_printf(buf, "%" PRId64 "h %02" PRId64 "m", seconds / 3600, seconds / 60 % 60);
    else
        sw__buf_printf(buf, "%" PRId64 "d %02" PRId64 "h", seconds / 86400, seconds / 3600 % 24);
}
