/* Reading YAML documents.
 *
 * libyaml gives events; what makes YAML dangerous or surprising is refused with a reason:
 * directives, tags, anchors, several documents. Plain scalars follow the core schema of YAML 1.2,
 * so that "no" and "1_000" are text. Not here: the limits, which building enforces.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/hex.h"
#include "base/node_build.h"
#include "base/number.h"
#include "base/str.h"

static sw__place yaml_place(yaml_mark_t mark)
{
    return (sw__place){(int32_t)mark.line + 1, (int32_t)mark.column + 1};
}

/* libyaml counts characters; the byte offset of character number index. */
static size_t yaml_offset(sw_str text, size_t index)
{
    size_t at = 0;
    while (at < text.len && index > 0) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80)
            at++;
        index--;
    }
    return at;
}

/* Length of the line break at offset at, 0 when there is none. */
static size_t yaml_break_len(sw_str text, size_t at)
{
    static const char *const breaks[] = {"\r\n",     "\n",           "\r",
                                         "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        size_t len = strlen(breaks[i]);
        if (text.len - at >= len && memcmp(text.ptr + at, breaks[i], len) == 0)
            return len;
    }
    return 0;
}

/* Offset of the first thing from at on that is neither white space nor a comment. */
static size_t yaml_skip_blank(sw_str text, size_t at)
{
    bool comment = false;
    while (at < text.len) {
        size_t line_break = yaml_break_len(text, at);
        if (line_break > 0)
            comment = false;
        else if (text.ptr[at] == '#')
            comment = true;
        else if (!comment && text.ptr[at] != ' ' && text.ptr[at] != '\t')
            break;
        at += line_break ? line_break : 1;
    }
    return at;
}

/* libyaml takes quadratic time over many directives before it says a word, so they are looked for
 * before it sees the text. */
static int yaml_directives_check(sw__build *build, sw_str text)
{
    size_t at = yaml_skip_blank(text, 0);
    if (at == text.len)
        return sw__build_fail(build, SW_EDEFINITION, (sw__place){1, 1}, "the text is empty");
    if (text.ptr[at] == '%')
        return sw__build_fail(build, SW_EDEFINITION, sw__place_of(text, at),
                              "directives (%%YAML, %%TAG) are not allowed; remove the line");
    return SW_OK;
}

/* After the first document libyaml is not asked again; whatever follows is refused here. */
static int yaml_rest_check(sw__build *build, sw_str text, size_t at)
{
    at = yaml_skip_blank(text, at);
    if (at == text.len)
        return SW_OK;
    return sw__build_fail(build, SW_EDEFINITION, sw__place_of(text, at),
                          "text after the end of the document; one file holds one document");
}

static bool yaml_word_is(sw_str text, const char *lower, const char *title, const char *upper)
{
    return sw__str_is(text, lower) || sw__str_is(text, title) || sw__str_is(text, upper);
}

static size_t yaml_digits_len(sw_str text, size_t at)
{
    size_t start = at;
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at - start;
}

static size_t yaml_sign_len(sw_str text)
{
    return text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-');
}

/* Base of an integer of the core schema and, in *start, its first digit; 0 when it is none. */
static int yaml_int_base(sw_str text, size_t *start)
{
    *start = yaml_sign_len(text);
    if (text.len > *start && *start + yaml_digits_len(text, *start) == text.len)
        return 10;
    int base = text.len < 3 || text.ptr[0] != '0' ? 0 : text.ptr[1] == 'x' ? 16 : 8;
    if (base == 8 && text.ptr[1] != 'o')
        base = 0;
    *start = 2;
    for (size_t i = 2; i < text.len && base; i++) {
        int digit = sw__hex_digit(text.ptr[i]);
        if (digit < 0 || digit >= base)
            base = 0;
    }
    return base;
}

/* Counted downwards from zero, because the negative numbers reach one further. */
static bool yaml_int_parse(sw_str text, int base, size_t start, int64_t *number)
{
    int64_t sum = 0;
    for (size_t i = start; i < text.len; i++) {
        if (__builtin_mul_overflow(sum, base, &sum) ||
            __builtin_sub_overflow(sum, sw__hex_digit(text.ptr[i]), &sum))
            return false;
    }
    *number = sum;
    return text.ptr[0] == '-' || !__builtin_sub_overflow(0, sum, number);
}

static bool yaml_is_real(sw_str text)
{
    size_t at = yaml_sign_len(text);
    size_t whole = yaml_digits_len(text, at);
    size_t fraction = 0;
    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        fraction = yaml_digits_len(text, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        at++;
        at += at < text.len && (text.ptr[at] == '+' || text.ptr[at] == '-');
        size_t exponent = yaml_digits_len(text, at);
        at += exponent;
        if (exponent == 0)
            return false;
    }
    return at == text.len;
}

static bool yaml_is_infinite(sw_str text)
{
    size_t sign = yaml_sign_len(text);
    sw_str name = {text.ptr + sign, text.len - sign};
    return yaml_word_is(name, ".inf", ".Inf", ".INF") || yaml_word_is(text, ".nan", ".NaN", ".NAN");
}

static sw__node_kind yaml_plain_kind(sw_str text)
{
    size_t start;
    if (text.len == 0 || sw__str_is(text, "~") || yaml_word_is(text, "null", "Null", "NULL"))
        return SW__NODE_NULL;
    if (yaml_word_is(text, "true", "True", "TRUE") || yaml_word_is(text, "false", "False", "FALSE"))
        return SW__NODE_BOOL;
    if (yaml_int_base(text, &start))
        return SW__NODE_INT;
    return yaml_is_real(text) || yaml_is_infinite(text) ? SW__NODE_REAL : SW__NODE_STR;
}

static int yaml_plain_fill(sw__build *build, sw__node *node)
{
    size_t start;
    bool ok = true;
    if (node->kind == SW__NODE_BOOL) {
        node->boolean = node->text.ptr[0] == 't' || node->text.ptr[0] == 'T';
    } else if (node->kind == SW__NODE_INT) {
        int base = yaml_int_base(node->text, &start);
        ok = yaml_int_parse(node->text, base, start, &node->integer);
    } else if (node->kind == SW__NODE_REAL) {
        node->real = yaml_is_real(node->text) ? sw__number_parse(node->text.ptr) : INFINITY;
        ok = isfinite(node->real);
    }
    if (ok)
        return SW_OK;
    return sw__build_fail(build, SW_EDEFINITION, (sw__place){node->line, node->column},
                          "the number %.*s is out of range; put it in quotes",
                          node->text.len > 40 ? 40 : (int)node->text.len, node->text.ptr);
}

static int yaml_scalar(sw__build *build, const yaml_event_t *event)
{
    sw_str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    sw__place place = yaml_place(event->start_mark);
    if (sw__build_wants_key(build))
        return sw__build_key(build, place, text);
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    sw__node *node;
    int rc =
        sw__build_scalar(build, place, plain ? yaml_plain_kind(text) : SW__NODE_STR, text, &node);
    return rc == SW_OK && plain ? yaml_plain_fill(build, node) : rc;
}

static int yaml_open(sw__build *build, const yaml_event_t *event, sw__node_kind kind)
{
    sw__place place = yaml_place(event->start_mark);
    if (sw__build_wants_key(build))
        return sw__build_fail(build, SW_EDEFINITION, place, "a key must be text, found %s",
                              sw__node_kind_name(kind));
    return sw__build_open(build, place, kind);
}

static int yaml_properties_check(sw__build *build, const yaml_event_t *event,
                                 const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        return sw__build_fail(build, SW_EDEFINITION, yaml_place(event->start_mark),
                              "the anchor &%.64s is not allowed; write the value out",
                              (const char *)anchor);
    if (tag)
        return sw__build_fail(build, SW_EDEFINITION, yaml_place(event->start_mark),
                              "the tag %.64s is not allowed; put text in quotes instead",
                              (const char *)tag);
    return SW_OK;
}

static int yaml_event_take(sw__build *build, const yaml_event_t *event)
{
    int rc;
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        rc = yaml_properties_check(build, event, event->data.scalar.anchor, event->data.scalar.tag);
        return rc < 0 ? rc : yaml_scalar(build, event);
    case YAML_SEQUENCE_START_EVENT:
        rc = yaml_properties_check(build, event, event->data.sequence_start.anchor,
                                   event->data.sequence_start.tag);
        return rc < 0 ? rc : yaml_open(build, event, SW__NODE_LIST);
    case YAML_MAPPING_START_EVENT:
        rc = yaml_properties_check(build, event, event->data.mapping_start.anchor,
                                   event->data.mapping_start.tag);
        return rc < 0 ? rc : yaml_open(build, event, SW__NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return sw__build_close(build);
    case YAML_ALIAS_EVENT:
        return sw__build_fail(build, SW_EDEFINITION, yaml_place(event->start_mark),
                              "the alias *%.64s is not allowed; write the value out",
                              (const char *)event->data.alias.anchor);
    case YAML_STREAM_END_EVENT: /* of a text with nothing but byte order marks */
        return sw__build_fail(build, SW_EDEFINITION, (sw__place){1, 1}, "the text is empty");
    default:
        return SW_OK; /* the start of the stream and of the document */
    }
}

/* What libyaml says about a character that cannot start a value helps nobody; name it. */
static int yaml_scanner_fail(sw__build *build, const yaml_parser_t *parser, sw_str text)
{
    sw__place place = yaml_place(parser->problem_mark);
    size_t at = yaml_offset(text, parser->problem_mark.index);
    char found = at < text.len ? text.ptr[at] : 0;
    if (at == text.len) /* libyaml would say the line after the last */
        place = sw__place_of(text, at);
    if (found == '\t')
        return sw__build_fail(build, SW_EDEFINITION, place,
                              "a tab cannot be used for indentation; use spaces");
    if (found && strchr("@`%", found))
        return sw__build_fail(build, SW_EDEFINITION, place,
                              "text cannot start with '%c'; put it in quotes", found);
    const char *context = parser->context ? parser->context : "";
    return sw__build_fail(build, SW_EDEFINITION, place, "%s%s%s", parser->problem,
                          *context ? " " : "", context);
}

static int yaml_parse_fail(sw__build *build, const yaml_parser_t *parser, sw_str text)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return sw__build_no_memory(build);
    if (parser->error == YAML_READER_ERROR)
        return sw__build_fail(build, SW_EDEFINITION, sw__place_of(text, parser->problem_offset),
                              "the character U+%04X is not allowed",
                              (unsigned)parser->problem_value);
    return yaml_scanner_fail(build, parser, text);
}

static int yaml_document_read(sw__build *build, yaml_parser_t *parser, sw_str text)
{
    for (;;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return yaml_parse_fail(build, parser, text);
        bool ended = event.type == YAML_DOCUMENT_END_EVENT;
        int rc = ended ? yaml_rest_check(build, text, yaml_offset(text, event.end_mark.index))
                       : yaml_event_take(build, &event);
        yaml_event_delete(&event);
        if (ended || rc < 0)
            return rc;
    }
}

int sw__build_from_yaml(sw__build *build, sw_str text)
{
    yaml_parser_t parser;
    int rc = yaml_directives_check(build, text);
    if (rc < 0)
        return rc;
    if (!yaml_parser_initialize(&parser))
        return sw__build_no_memory(build);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text.ptr, text.len);
    rc = yaml_document_read(build, &parser, text);
    yaml_parser_delete(&parser);
    return rc;
}
