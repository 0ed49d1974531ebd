/* Reading back the text that the library wrote, a step at a time.
 *
 * A stored definition was checked when it was registered, and its text spells out every default: of
 * 100,000 steps it is 25 MB, and its tree would be ten times that. So each step is read, checked by
 * the rules of all definitions, written again, and compared with what stands there, before the next
 * one takes its memory. A text that passes is canonical to the last byte, and needs no tree and no
 * second writing as a whole.
 *
 * Not here: saying what is wrong. Whatever does not pass is read as a whole (load.c), which does.
 */
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/build.h"

#define STORED_STRANGE SW_EDEFINITION /* not what the library writes */

typedef struct stored_walk {
    sw_workflow *workflow;
    sw_str text;        /* the definition's own copy */
    sw__arena *head;    /* of the draft */
    sw__arena *scratch; /* of one step */
    sw__draft draft;    /* of all but the steps */
    size_t first;       /* where the first step starts, and the list ends */
    size_t end;
    sw__buf ends; /* size_t: where each step ends */
    sw__buf from; /* int32_t: the dependencies, by the step that waits */
    sw__buf to;
    sw__buf piece; /* a part of the text as it should be */
    size_t values_left;
    int32_t column; /* of the step, in characters */
} stored_walk;

/* Behind the string that starts at offset at. */
static size_t stored_string_end(sw_str text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.ptr[at] == '"')
            return at + 1;
        at += text.ptr[at] == '\\';
    }
    return text.len;
}

/* Whether the key at offset at, which ends at end, is that of the steps. */
static bool stored_is_list(sw_str text, size_t at, size_t end)
{
    static const char key[] = "\"steps\":[";
    size_t size = sizeof(key) - 1;
    return end - at == size - 2 && text.len - at >= size && memcmp(text.ptr + at, key, size) == 0;
}

/* Where the steps are. Brackets and strings are all that is looked at; what stands between them is
 * compared later. */
static int stored_split(stored_walk *stored)
{
    const sw_str text = stored->text;
    int depth = 0;
    for (size_t at = 0; at < text.len && stored->end == 0; at++) {
        char byte = text.ptr[at];
        if (byte == '"') {
            size_t end = stored_string_end(text, at);
            if (depth == 1 && stored->first == 0 && stored_is_list(text, at, end))
                stored->first = end + 2;
            at = end - 1;
        } else if (byte == '{' || byte == '[') {
            if (++depth > SW__DEPTH_MAX)
                return STORED_STRANGE;
        } else if (byte == '}' || byte == ']' || byte == ',') {
            if (stored->first > 0 && depth == 2 && byte != '}')
                sw__buf_put(&stored->ends, &at, sizeof(at));
            depth -= byte != ',';
            if (stored->first > 0 && depth == 1)
                stored->end = at;
        }
    }
    if (stored->ends.failed)
        return SW_ENOMEM;
    stored->workflow->step_count = stored->ends.len / sizeof(size_t);
    size_t count = stored->workflow->step_count;
    return stored->end > 0 && count > 0 && count <= SW__STEPS_MAX ? SW_OK : STORED_STRANGE;
}

/* The text of a step. */
static sw_str stored_step_text(const stored_walk *stored, size_t number)
{
    size_t start = stored->first, end;
    const uint8_t *ends = stored->ends.ptr;
    if (number > 0) {
        memcpy(&start, ends + (number - 1) * sizeof(start), sizeof(start));
        start++;
    }
    memcpy(&end, ends + number * sizeof(end), sizeof(end));
    return (sw_str){stored->text.ptr + start, end - start};
}

static int stored_read(sw__arena *arena, sw_str text, size_t *values_left, sw__node **out)
{
    sw_error err;
    int code = sw__node_load_piece(arena, text, values_left, out, &err);
    return code == SW_OK || code == SW_ENOMEM ? code : STORED_STRANGE;
}

/* Give up the piece, which is to be the same as the text. */
static int stored_compare(stored_walk *stored, sw_str text)
{
    sw_str piece = sw__buf_str(&stored->piece);
    int code = stored->piece.failed ? SW_ENOMEM
               : piece.len == text.len && memcmp(piece.ptr, text.ptr, text.len) == 0
                   ? SW_OK
                   : STORED_STRANGE;
    sw__buf_clear(&stored->piece);
    return code;
}

static int stored_findings_code(const sw__findings *findings, const sw__arena *arena, bool read)
{
    if (!read || findings->failed || sw__arena_failed(arena))
        return SW_ENOMEM;
    return findings->error_count > 0 ? STORED_STRANGE : SW_OK;
}

/* All around the steps, read with the first of them, as if there were no others. Its values are
 * counted with the steps. */
static int stored_read_head(stored_walk *stored)
{
    sw__node *root = NULL, *first = NULL;
    sw__findings findings;
    sw_str step = stored_step_text(stored, 0);
    size_t values = stored->values_left, unused = values;
    sw_str start = {stored->text.ptr, stored->first + step.len};
    sw_str rest = {stored->text.ptr + stored->end, stored->text.len - stored->end};
    sw_str text = sw__arena_format(stored->head, "%.*s%.*s", SW__FMT(start), SW__FMT(rest));
    if (!text.ptr)
        return SW_ENOMEM;
    int code = stored_read(stored->head, text, &stored->values_left, &root);
    if (code == SW_OK)
        code = stored_read(stored->scratch, step, &unused, &first);
    if (code < 0)
        return code;
    stored->values_left += values - unused;
    if (root->kind != SW__NODE_MAP)
        return STORED_STRANGE;
    sw__findings_init(&findings, stored->head, false);
    bool read = sw__definition_read(&findings, stored->head, root, &stored->draft) &&
                sw__breakers_read(&findings, stored->head, &stored->draft);
    return stored_findings_code(&findings, stored->head, read);
}

static int stored_head(stored_walk *stored)
{
    int code = stored_read_head(stored);
    if (code == SW_OK)
        code = sw__workflow_set_head(stored->workflow, &stored->draft, NULL);
    if (code < 0)
        return code;
    sw__workflow_put_head(&stored->piece, stored->workflow, &stored->draft);
    code = stored_compare(stored, (sw_str){stored->text.ptr, stored->first});
    if (code < 0)
        return code;
    sw__workflow_put_tail(&stored->piece, stored->workflow, &stored->draft);
    return stored_compare(stored,
                          (sw_str){stored->text.ptr + stored->end, stored->text.len - stored->end});
}

/* The dependencies of a step: earlier ones, in their order. */
static int stored_after(stored_walk *stored, int32_t number, const sw__node *after,
                        sw_workflow_step *step)
{
    size_t count = after ? after->count : 0;
    int32_t last = -1;
    int32_t *numbers = sw__arena_array(stored->scratch, count, sizeof(*numbers));
    if (!numbers)
        return SW_ENOMEM;
    if (count > SW__STEP_DEPS_MAX || stored->from.len / sizeof(last) + count > SW__EDGES_MAX)
        return STORED_STRANGE;
    for (size_t i = 0; i < count; i++) {
        const sw__node *item = after->items[i];
        const int64_t *found = item->kind == SW__NODE_STR
                                   ? sw__strmap_find(&stored->workflow->names, item->text)
                                   : NULL;
        if (!found || *found <= last)
            return STORED_STRANGE;
        numbers[i] = last = (int32_t)*found;
        sw__buf_put(&stored->from, &last, sizeof(last));
        sw__buf_put(&stored->to, &number, sizeof(number));
    }
    step->after = numbers;
    step->after_count = count;
    return stored->from.failed || stored->to.failed ? SW_ENOMEM : SW_OK;
}

static int stored_read_step(stored_walk *stored, size_t number, sw_str text, sw__draft_step *draft)
{
    sw__node *node = NULL;
    sw__findings findings;
    sw__path list = {.key = SW__LIT("steps")}, at = {.up = &list, .index = number};
    int code = stored_read(stored->scratch, text, &stored->values_left, &node);
    if (code < 0)
        return code;
    sw__findings_init(&findings, stored->scratch, false);
    sw__draft_step_init(draft, node);
    sw__definition_read_step(&findings, &at, draft);
    code = sw__draft_check_step(&findings, stored->scratch, &stored->draft, draft, number);
    return stored_findings_code(&findings, stored->scratch, code == SW_OK);
}

/* A step of the definition from its draft: it passes when it is written as it was read. */
static int stored_keep_step(stored_walk *stored, size_t number, sw_str text,
                            const sw__draft_step *draft)
{
    sw_workflow *workflow = stored->workflow;
    sw_workflow_step *step = &workflow->steps[number];
    if (!sw__workflow_step_copy(workflow->arena, draft, step))
        return SW_ENOMEM;
    step->column = stored->column;
    int code = stored_after(stored, (int32_t)number, draft->after, step);
    if (code < 0)
        return code;
    if (!step->name.ptr)
        return STORED_STRANGE;
    size_t known = workflow->names.count;
    if (sw__strmap_put(&workflow->names, step->name, (int64_t)number) < 0)
        return SW_ENOMEM;
    if (workflow->names.count == known)
        return STORED_STRANGE;
    sw__workflow_put_step(&stored->piece, workflow, step, draft);
    return stored_compare(stored, text);
}

/* Characters in text: all bytes but those that continue one. */
static int32_t stored_width(sw_str text)
{
    int32_t width = 0;
    for (size_t at = 0; at < text.len;) {
        uint64_t word = UINT64_MAX;
        if (text.len - at >= sizeof(word))
            memcpy(&word, text.ptr + at, sizeof(word));
        if (word & UINT64_C(0x8080808080808080)) {
            width += ((unsigned char)text.ptr[at++] & 0xc0) != 0x80;
        } else {
            width += (int32_t)sizeof(word);
            at += sizeof(word);
        }
    }
    return width;
}

static int stored_steps(stored_walk *stored)
{
    sw_workflow *workflow = stored->workflow;
    size_t count = workflow->step_count;
    int code = SW_OK;
    workflow->steps = sw__arena_array(workflow->arena, count, sizeof(*workflow->steps));
    if (!workflow->steps || sw__strmap_reserve(&workflow->names, count) < 0)
        return SW_ENOMEM;
    stored->column = 1 + stored_width((sw_str){stored->text.ptr, stored->first});
    for (size_t i = 0; code == SW_OK && i < count; i++) {
        sw__draft_step draft;
        sw_str text = stored_step_text(stored, i);
        sw__arena_clear(stored->scratch);
        code = stored_read_step(stored, i, text, &draft);
        if (code == SW_OK)
            code = stored_keep_step(stored, i, text, &draft);
        stored->column += stored_width(text) + 1;
    }
    return code;
}

/* The order of the steps is the one that reading them in any order would give. */
static int stored_check_order(stored_walk *stored)
{
    const sw_workflow *workflow = stored->workflow;
    size_t count = workflow->step_count;
    int32_t *cycle, cycle_count;
    int32_t *priority = sw__arena_array(stored->scratch, count, sizeof(*priority));
    int32_t *order = sw__arena_array(stored->scratch, count, sizeof(*order));
    if (!priority || !order)
        return SW_ENOMEM;
    for (size_t i = 0; i < count; i++)
        priority[i] = workflow->steps[i].priority;
    int code =
        sw__graph_order(stored->scratch, &workflow->graph, priority, order, &cycle, &cycle_count);
    for (size_t i = 0; code == SW_OK && i < count; i++)
        code = order[i] == (int32_t)i ? SW_OK : STORED_STRANGE;
    return code;
}

static int stored_graph(stored_walk *stored)
{
    sw_workflow *workflow = stored->workflow;
    const void *from = stored->from.ptr, *to = stored->to.ptr;
    int code = sw__graph_build(workflow->arena, (int32_t)workflow->step_count, from, to,
                               stored->from.len / sizeof(int32_t), &workflow->graph, NULL);
    if (code == SW_OK)
        code = stored_check_order(stored);
    if (code == SW_OK)
        code = sw__workflow_set_levels(workflow, stored->scratch, NULL);
    return code;
}

static int stored_load_parts(stored_walk *stored, sw_str text)
{
    sw_workflow *workflow = stored->workflow;
    workflow->json = stored->text = sw__arena_str(workflow->arena, text);
    int code = stored->text.ptr || !text.ptr ? stored_split(stored) : SW_ENOMEM;
    if (code == SW_OK)
        code = stored_head(stored);
    if (code == SW_OK)
        code = stored_steps(stored);
    if (code == SW_OK)
        code = stored_graph(stored);
    if (code == SW_OK)
        code = sw__workflow_set_digest(workflow, NULL);
    return code;
}

/* A text that could not be copied is missing in what is compared, which is no fault of the text. */
static int stored_load(stored_walk *stored, sw_str text)
{
    if (text.len > SW__CANONICAL_MAX)
        return STORED_STRANGE;
    if (!stored->workflow || !stored->head || !stored->scratch)
        return SW_ENOMEM;
    int code = stored_load_parts(stored, text);
    bool failed = sw__arena_failed(stored->workflow->arena) || sw__arena_failed(stored->head) ||
                  sw__arena_failed(stored->scratch);
    return failed ? SW_ENOMEM : code;
}

int sw__workflow_load_stored(const sw_env *env, sw_str text, sw_workflow **out)
{
    stored_walk stored = {
        .workflow = sw__workflow_new(env),
        .head = sw__arena_new(env),
        .scratch = sw__arena_new(env),
        .values_left = SW__CANONICAL_NODES_MAX,
    };
    sw__buf *const bufs[] = {&stored.ends, &stored.from, &stored.to, &stored.piece};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        sw__buf_init(bufs[i], env);
    int code = stored_load(&stored, text);
    if (code == SW_OK)
        *out = stored.workflow;
    else
        sw_workflow_free(stored.workflow);
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
        sw__buf_free(bufs[i]);
    sw__arena_free(stored.scratch);
    sw__arena_free(stored.head);
    return code;
}
