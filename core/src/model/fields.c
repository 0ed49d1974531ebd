/* Reading maps by tables of keys.
 *
 * Every way in which a value can be wrong says what was found, what was expected and, when there
 * is a likely one, what was probably meant. Not here: the tables (definition.c, mission.c,
 * kinds.c).
 */
#include "model/fields.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/number.h"
#include "base/str.h"
#include "base/utf8.h"
#include "model/nearest.h"

static void value_refuse(sw__findings *findings, const sw__path *path, const sw__node *node,
                         const char *expected)
{
    bool scalar = node->kind == SW__NODE_BOOL || node->kind == SW__NODE_INT ||
                  node->kind == SW__NODE_REAL || node->kind == SW__NODE_NULL;
    bool text = strncmp(expected, "text", 4) == 0 || strncmp(expected, "a name", 6) == 0;
    sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                    "expected %s, found %s%s", expected, sw__node_kind_name(node->kind),
                    scalar && text ? "; put it in quotes" : "");
}

bool sw__node_expect(sw__findings *findings, const sw__path *path, const sw__node *node,
                     sw__node_kind kind)
{
    if (node->kind == kind)
        return true;
    value_refuse(findings, path, node, sw__node_kind_name(kind));
    return false;
}

static bool field_name(sw__findings *findings, const sw__path *path, const sw__node *node,
                       sw_str *out)
{
    if (node->kind != SW__NODE_STR) {
        value_refuse(findings, path, node, "a name");
        return false;
    }
    if (!sw__str_is_name(node->text)) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "%s is not a name: 1 to %d letters, digits, '_', '-' or '.'",
                        sw__finding_quote(findings, node->text), SW__NAME_MAX);
        return false;
    }
    *out = node->text;
    return true;
}

static void field_line(sw__findings *findings, const sw__path *path, const sw__node *node,
                       int64_t max, sw_str *out)
{
    if (!sw__node_expect(findings, path, node, SW__NODE_STR))
        return;
    if (node->text.len > (size_t)max)
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "the text has %zu bytes, %lld are allowed", node->text.len, (long long)max);
    else if (!sw__utf8_is_text(node->text))
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "the text has a line break or another control character");
    else
        *out = node->text;
}

static void field_integer(sw__findings *findings, const sw__path *path, const sw__node *node,
                          const sw__field *field, int64_t *out)
{
    if (node->kind != SW__NODE_INT)
        value_refuse(findings, path, node, "an integer");
    else if (node->integer < field->min || node->integer > field->max)
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "%lld is out of range: %lld to %lld", (long long)node->integer,
                        (long long)field->min, (long long)field->max);
    else
        *out = node->integer;
}

/* The value of a number of either kind times scale, when it lies in range after that. */
static bool number_scaled(sw__findings *findings, const sw__path *path, const sw__node *node,
                          const sw__field *field, double scale, double *out)
{
    if (node->kind != SW__NODE_INT && node->kind != SW__NODE_REAL) {
        value_refuse(findings, path, node, "a number");
        return false;
    }
    double number = node->kind == SW__NODE_INT ? (double)node->integer : node->real;
    if (number * scale >= (double)field->min && number * scale <= (double)field->max) {
        *out = number * scale;
        return true;
    }
    char found[SW__NUMBER_TEXT], least[SW__NUMBER_TEXT], most[SW__NUMBER_TEXT];
    sw__number_format(number, found);
    sw__number_format((double)field->min / scale, least);
    sw__number_format((double)field->max / scale, most);
    sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                    "%s is out of range: %s to %s", found, least, most);
    return false;
}

void sw__choice_read(sw__findings *findings, const sw__path *path, const sw__node *node,
                     const sw__field *field, int32_t *out)
{
    if (!sw__node_expect(findings, path, node, SW__NODE_STR))
        return;
    for (int32_t i = 0; i < field->max; i++) {
        if (sw__str_is(node->text, field->choice(i))) {
            *out = i;
            return;
        }
    }
    char names[128] = "";
    for (int32_t i = 0; i < field->max; i++) {
        size_t used = strlen(names);
        snprintf(names + used, sizeof(names) - used, "%s%s", i > 0 ? ", " : "", field->choice(i));
    }
    sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                    "%s is none of these: %s", sw__finding_quote(findings, node->text), names);
}

static void field_node(sw__findings *findings, const sw__path *path, const sw__node *node,
                       sw__node_kind kind, const sw__node **out)
{
    if (sw__node_expect(findings, path, node, kind))
        *out = node;
}

static void field_read(sw__findings *findings, const sw__path *path, const sw__field *field,
                       const sw__node *node, void *out)
{
    double number;
    void *target = (char *)out + field->offset;
    switch (field->kind) {
    case SW__FIELD_NAME:
        field_name(findings, path, node, target);
        break;
    case SW__FIELD_LINE:
        field_line(findings, path, node, field->max, target);
        break;
    case SW__FIELD_TEXT:
        if (sw__node_expect(findings, path, node, SW__NODE_STR))
            *(sw_str *)target = node->text;
        break;
    case SW__FIELD_INTEGER:
        field_integer(findings, path, node, field, target);
        break;
    case SW__FIELD_SECONDS:
        if (number_scaled(findings, path, node, field, 1000, &number))
            *(int64_t *)target = llround(number);
        break;
    case SW__FIELD_NUMBER:
        if (number_scaled(findings, path, node, field, 1, &number))
            *(double *)target = number;
        break;
    case SW__FIELD_BOOL:
        if (sw__node_expect(findings, path, node, SW__NODE_BOOL))
            *(bool *)target = node->boolean;
        break;
    case SW__FIELD_CHOICE:
        sw__choice_read(findings, path, node, field, target);
        break;
    case SW__FIELD_LIST:
        field_node(findings, path, node, SW__NODE_LIST, target);
        break;
    case SW__FIELD_MAP:
        field_node(findings, path, node, SW__NODE_MAP, target);
        break;
    case SW__FIELD_ANY:
        *(const sw__node **)target = node;
        break;
    case SW__FIELD_IGNORED:
    case SW__FIELD_REFUSED:
        break;
    }
}

static bool field_is_value(const sw__field *field)
{
    return field->kind != SW__FIELD_IGNORED && field->kind != SW__FIELD_REFUSED;
}

static void key_report(sw__findings *findings, const sw__path *path, const sw__node_pair *pair,
                       const sw__field *fields, size_t field_count)
{
    sw__nearest near = sw__nearest_start(pair->key, &findings->search_left);
    for (size_t i = 0; i < field_count; i++) {
        if (field_is_value(&fields[i]))
            sw__nearest_try(&near, sw__str(fields[i].key));
    }
    const char *quoted = sw__finding_quote(findings, pair->key);
    if (near.best.ptr)
        sw__finding_add(findings, SW_SEVERITY_WARNING, path, pair->line, pair->column,
                        "unknown key %s; did you mean \"%.*s\"?", quoted, SW__FMT(near.best));
    else
        sw__finding_add(findings, SW_SEVERITY_WARNING, path, pair->line, pair->column,
                        "unknown key %s", quoted);
}

static const sw__field *field_find(const sw__field *fields, size_t field_count, sw_str key)
{
    for (size_t i = 0; i < field_count; i++) {
        if (key.len > 0 && key.ptr[0] == fields[i].key[0] && sw__str_is(key, fields[i].key))
            return &fields[i];
    }
    return NULL;
}

/* The pair that has given this field a value already, under whichever spelling. */
static const sw__node_pair *field_given(const sw__field *field, const sw__field *fields,
                                        size_t field_count, const sw__node_pair *const *given)
{
    for (size_t i = 0; i < field_count; i++) {
        if (given[i] && fields[i].offset == field->offset && field_is_value(&fields[i]))
            return given[i];
    }
    return NULL;
}

static void pair_read(sw__findings *findings, const sw__path *path, const sw__node_pair *pair,
                      const sw__field *fields, size_t field_count, const sw__node_pair **given,
                      void *out)
{
    const sw__field *field = field_find(fields, field_count, pair->key);
    if (!field) {
        key_report(findings, path, pair, fields, field_count);
        return;
    }
    if (!field_is_value(field)) {
        bool refused = field->kind == SW__FIELD_REFUSED;
        sw__finding_add(findings, refused ? SW_SEVERITY_ERROR : SW_SEVERITY_WARNING, path,
                        pair->line, pair->column, "\"%s\" is %s: %s", field->key,
                        refused ? "not understood here" : "ignored", field->advice);
        return;
    }
    if (pair->value->kind == SW__NODE_NULL)
        return;
    const sw__node_pair *before = field_given(field, fields, field_count, given);
    if (before) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, pair->line, pair->column,
                        "\"%s\" says again what \"%.*s\" in line %d says; keep one", field->key,
                        SW__FMT(before->key), before->line);
        return;
    }
    given[field - fields] = pair;
    field_read(findings, path, field, pair->value, out);
}

void sw__fields_read(sw__findings *findings, const sw__path *path, const sw__node *map,
                     const sw__field *fields, size_t field_count, void *out)
{
    const sw__node_pair *given[SW__FIELDS_MAX] = {NULL};
    for (size_t i = 0; i < map->count; i++) {
        sw__path at = {.up = path, .key = map->pairs[i].key};
        pair_read(findings, &at, &map->pairs[i], fields, field_count, given, out);
    }
    for (size_t i = 0; i < field_count; i++) {
        if (fields[i].required && !field_given(&fields[i], fields, field_count, given))
            sw__finding_add(findings, SW_SEVERITY_ERROR, path, map->line, map->column,
                            "the key \"%s\" is missing", fields[i].key);
    }
}
