/* Names and parameters of the built-in step kinds.
 *
 * A step of one of these kinds is checked when its definition is loaded, by the same tables that
 * the worker reads its parameters with later, so that a definition that loads can be executed.
 */
#include "model/kinds.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/fields.h"
#include "model/nearest.h"
#include "model/paths.h"

#define KIND_OFFSET(name) offsetof(sw__kind_parameters, name)

static const sw__field wait_fields[] = {
    {.key = "seconds",
     .kind = SW__FIELD_SECONDS,
     .offset = KIND_OFFSET(wait_ms),
     .max = SW__DELAY_MAX_MS,
     .required = true},
    {.key = "duration_ms",
     .kind = SW__FIELD_INTEGER,
     .offset = KIND_OFFSET(wait_ms),
     .max = SW__DELAY_MAX_MS},
};

static const sw__field command_fields[] = {
    {.key = "command", .kind = SW__FIELD_TEXT, .offset = KIND_OFFSET(command), .required = true},
    {.key = "args", .kind = SW__FIELD_LIST, .offset = KIND_OFFSET(args)},
    {.key = "working_dir", .kind = SW__FIELD_TEXT, .offset = KIND_OFFSET(working_dir)},
    {.key = "env", .kind = SW__FIELD_MAP, .offset = KIND_OFFSET(env)},
};

#define KIND_PATH_FIELD                                                                            \
    {                                                                                              \
        .key = "path", .kind = SW__FIELD_TEXT, .offset = KIND_OFFSET(path), .required = true       \
    }

static const sw__field create_file_fields[] = {
    KIND_PATH_FIELD,
    {.key = "content", .kind = SW__FIELD_TEXT, .offset = KIND_OFFSET(content)},
};

static const sw__field path_fields[] = {KIND_PATH_FIELD};

#undef KIND_PATH_FIELD
#undef KIND_OFFSET

/* The parameters of each kind; those of noop may be anything. */
static const struct {
    const sw__field *fields;
    size_t count;
} kind_forms[SW__KIND_COUNT] = {
    [SW__KIND_WAIT] = {wait_fields, SW__FIELD_COUNT(wait_fields)},
    [SW__KIND_COMMAND] = {command_fields, SW__FIELD_COUNT(command_fields)},
    [SW__KIND_CREATE_FILE] = {create_file_fields, SW__FIELD_COUNT(create_file_fields)},
    [SW__KIND_READ_FILE] = {path_fields, SW__FIELD_COUNT(path_fields)},
    [SW__KIND_DELETE_FILE] = {path_fields, SW__FIELD_COUNT(path_fields)},
};

int sw__kind_find(sw_str handler)
{
    for (int kind = 0; kind < SW__KIND_COUNT; kind++) {
        if (sw__str_is(handler, sw__kind_name(kind)))
            return kind;
    }
    return SW_ENOTFOUND;
}

#define SW__KIND_CASE(name, value, text)                                                           \
    case SW__KIND_##name:                                                                          \
        return text;

const char *sw__kind_name(int kind)
{
    switch (kind) {
        SW__KIND_MAP(SW__KIND_CASE)
    default:
        return "unknown";
    }
}

#undef SW__KIND_CASE

#define SW__KIND_LISTED(name, value, text) ", " text

const char *sw__kind_list(void)
{
    static const char listed[] = SW__KIND_MAP(SW__KIND_LISTED);
    return listed + strlen(", ");
}

#undef SW__KIND_LISTED

bool sw__handler_check(sw__findings *findings, const sw__path *path, const sw__node *node)
{
    bool dotted = node->text.len > 0 && memchr(node->text.ptr, '.', node->text.len);
    if (sw__kind_find(node->text) >= 0 || (dotted && sw__str_is_name(node->text)))
        return true;
    sw__nearest near = sw__nearest_start(node->text, &findings->search_left);
    for (int kind = 0; kind < SW__KIND_COUNT; kind++)
        sw__nearest_try(&near, sw__str(sw__kind_name(kind)));
    const char *quoted = sw__finding_quote(findings, node->text);
    if (near.best.ptr)
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "%s is not built in; did you mean \"%.*s\"?", quoted, SW__FMT(near.best));
    else
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "%s is not built in; the built-in kinds are %s, and a handler of an "
                        "application has a dot in its name, like \"order.charge\"",
                        quoted, sw__kind_list());
    return false;
}

/* Programs, paths and variables become zero-terminated strings: a zero inside would cut them. */
static void text_check(sw__findings *findings, const sw__path *path, const sw__node *node)
{
    if (!sw__node_expect(findings, path, node, SW__NODE_STR))
        return;
    if (node->text.len > 0 && memchr(node->text.ptr, 0, node->text.len))
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, node->line, node->column,
                        "the text has a zero byte");
}

static void env_check(sw__findings *findings, const sw__path *path, const sw__node_pair *pair)
{
    sw_str name = pair->key;
    text_check(findings, path, pair->value);
    if (name.len == 0 || memchr(name.ptr, '=', name.len) || memchr(name.ptr, 0, name.len))
        sw__finding_add(findings, SW_SEVERITY_ERROR, path, pair->line, pair->column,
                        "%s cannot be the name of an environment variable",
                        sw__finding_quote(findings, name));
}

/* Every text among the parameters, and those inside its lists and maps. */
static void parameter_check(sw__findings *findings, const sw__path *path, const sw__node *value)
{
    if (value->kind == SW__NODE_STR)
        text_check(findings, path, value);
    for (size_t i = 0; value->kind == SW__NODE_LIST && i < value->count; i++) {
        sw__path at = {.up = path, .index = i};
        text_check(findings, &at, value->items[i]);
    }
    for (size_t i = 0; value->kind == SW__NODE_MAP && i < value->count; i++) {
        sw__path at = {.up = path, .key = value->pairs[i].key};
        env_check(findings, &at, &value->pairs[i]);
    }
}

static bool text_has_space(sw_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == ' ' || text.ptr[i] == '\t' || text.ptr[i] == '\n')
            return true;
    }
    return false;
}

/* A whole command line in one text means that a shell was expected to take it apart. */
static void command_check(sw__findings *findings, const sw__path *path, const sw__node *parameters,
                          const sw__kind_parameters *read)
{
    const sw__node *node = sw__node_get(parameters, "command");
    if (!read->command.ptr)
        return;
    sw__path at = {.up = path, .key = SW__LIT("command")};
    if (read->command.len == 0)
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "the command is empty; expected the name of a program");
    else if (!read->args && text_has_space(read->command))
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "%s is a command line, but commands run without a shell; name the program "
                        "in \"command\" and give \"args\" as a list (an empty one when the "
                        "program's name has spaces)",
                        sw__finding_quote(findings, read->command));
}

/* A path that cannot work is only warned about: it is the runner that refuses it. */
static void path_check(sw__findings *findings, const sw__path *path, const sw__node *parameters,
                       const sw__kind_parameters *read)
{
    const sw__node *node = sw__node_get(parameters, "path");
    sw__path at = {.up = path, .key = SW__LIT("path")};
    const char *why = read->path.len > 0 ? sw__path_refusal(read->path) : NULL;
    if (read->path.ptr && read->path.len == 0)
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "the path is empty");
    else if (why)
        sw__finding_add(findings, SW_SEVERITY_WARNING, &at, node->line, node->column,
                        "the path %s will be refused when the step runs: %s",
                        sw__finding_quote(findings, read->path), why);
}

void sw__kind_check(sw__findings *findings, const sw__path *path, int kind,
                    const sw__node *parameters, int32_t line, int32_t column,
                    sw__kind_parameters *out)
{
    const sw__node none = {.kind = SW__NODE_MAP, .line = line, .column = column};
    const sw__field *fields = kind_forms[kind].fields;
    *out = (sw__kind_parameters){.content = SW__LIT("")};
    if (!fields)
        return;
    if (!parameters)
        parameters = &none;
    sw__fields_read(findings, path, parameters, fields, kind_forms[kind].count, out);
    for (size_t i = 0; i < kind_forms[kind].count; i++) {
        const sw__node *value = sw__node_get(parameters, fields[i].key);
        sw__path at = {.up = path, .key = sw__str(fields[i].key)};
        if (value)
            parameter_check(findings, &at, value);
    }
    command_check(findings, path, parameters, out);
    path_check(findings, path, parameters, out);
}

static int kind_read_node(sw__arena *arena, int kind, const sw__node *node,
                          sw__kind_parameters *out, sw_error *err)
{
    sw__findings findings;
    sw__findings_init(&findings, arena, false);
    if (node && node->kind != SW__NODE_MAP)
        return sw__fail(err, SW_EINVAL, "parameters: expected a map, found %s",
                        sw__node_kind_name(node->kind));
    sw__kind_check(&findings, NULL, kind, node, 1, 1, out);
    if (findings.failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < findings.count; i++) {
        const sw_finding *row = &findings.rows[i];
        if (row->severity == SW_SEVERITY_ERROR)
            return sw__fail(err, SW_EINVAL, "parameters%s%.*s: %.*s", row->path.len ? " " : "",
                            SW__FMT(row->path), SW__FMT(row->message));
    }
    return SW_OK;
}

int sw__kind_read(sw__arena *arena, int kind, sw_str parameters, sw__kind_parameters *out,
                  sw_error *err)
{
    sw__node *node = NULL;
    if (parameters.ptr) {
        int code = sw__node_load(arena, SW_FORMAT_JSON, (sw_str)SW__LIT("parameters"), parameters,
                                 &node, err);
        if (code < 0)
            return code;
    }
    return kind_read_node(arena, kind, node, out, err);
}
