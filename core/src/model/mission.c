/* Reading missions: workflow files whose steps name a built-in kind, with the keys that RustChain
 * gave them and the spellings that its documents and examples use besides.
 *
 * A mission says the same as a definition in other words, so nothing of it is left after reading.
 * Not here: rules between values (check.c).
 */
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/draft.h"
#include "model/fields.h"
#include "model/kinds.h"
#include "model/trigger.h"

typedef struct mission {
    sw__draft draft;
    sw_str id;
    const sw__node *config;
    sw_str schema;
    int64_t timeout_ms; /* from here on: of config */
    bool fail_fast;
} mission;

typedef enum mission_on_failure {
    MISSION_ABORT,
    MISSION_CONTINUE,
    MISSION_SKIP_DEPENDENTS,
    MISSION_ON_FAILURE_COUNT,
    MISSION_NOT_SAID
} mission_on_failure;

typedef struct mission_step {
    sw__draft_step step;
    const sw__node *kind;
    int64_t retry_count; /* -1: not given */
    int32_t on_failure;  /* mission_on_failure */
    bool continue_on_error;
} mission_step;

static const char *mission_on_failure_name(int number)
{
    static const char *const names[] = {"abort", "continue", "skip_dependents"};
    return names[number];
}

#define MISSION_FIELD(name, field_kind, field)                                                     \
    .key = name, .kind = SW__FIELD_##field_kind, .offset = offsetof(mission, field)
#define FOREIGN_FIELD(name, field_kind, text)                                                      \
    .key = name, .kind = SW__FIELD_##field_kind, .advice = text

static const sw__field mission_fields[] = {
    {MISSION_FIELD("$schema", TEXT, schema)},
    {MISSION_FIELD("id", NAME, id)},
    {MISSION_FIELD("name", LINE, draft.title), .max = SW__TEXT_MAX},
    {MISSION_FIELD("version", LINE, draft.version), .max = SW__NAME_MAX},
    {MISSION_FIELD("description", TEXT, draft.description)},
    {MISSION_FIELD("metadata", MAP, draft.metadata)},
    {MISSION_FIELD("config", MAP, config)},
    {MISSION_FIELD("breakers", MAP, draft.breakers_node)},
    {MISSION_FIELD("steps", LIST, draft.list), .required = true},
    {FOREIGN_FIELD("dependencies", REFUSED, "write \"depends_on\" in each step")},
    {FOREIGN_FIELD("policy", REFUSED, "a mission cannot restrict itself; remove the key")},
    {FOREIGN_FIELD("policies", REFUSED, "a mission cannot restrict itself; remove the key")},
};

static const sw__field mission_config_fields[] = {
    {MISSION_FIELD("max_parallel_steps", INTEGER, draft.max_parallel), .min = 1,
     .max = SW__STEPS_MAX},
    {MISSION_FIELD("max_parallel", INTEGER, draft.max_parallel), .min = 1, .max = SW__STEPS_MAX},
    {MISSION_FIELD("parallel_limit", INTEGER, draft.max_parallel), .min = 1, .max = SW__STEPS_MAX},
    {MISSION_FIELD("max_concurrent_steps", INTEGER, draft.max_parallel), .min = 1,
     .max = SW__STEPS_MAX},
    {MISSION_FIELD("timeout_seconds", SECONDS, timeout_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_FIELD("deadline_seconds", SECONDS, draft.deadline_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_FIELD("fail_fast", BOOL, fail_fast)},
    {FOREIGN_FIELD("retry_attempts", IGNORED, "write \"retry\" in each step")},
    {FOREIGN_FIELD("retry_delay_ms", IGNORED, "write \"retry\" in each step")},
    {FOREIGN_FIELD("retry_count", IGNORED, "write \"retry\" in each step")},
    {FOREIGN_FIELD("variables", IGNORED, "texts are used as they stand")},
};

#undef MISSION_FIELD
#define MISSION_STEP_FIELD(name, field_kind, field)                                                \
    .key = name, .kind = SW__FIELD_##field_kind, .offset = offsetof(mission_step, field)

static const sw__field mission_step_fields[] = {
    {MISSION_STEP_FIELD("id", NAME, step.name), .required = true},
    {MISSION_STEP_FIELD("name", LINE, step.title), .max = SW__TEXT_MAX},
    {MISSION_STEP_FIELD("description", TEXT, step.description)},
    {MISSION_STEP_FIELD("step_type", ANY, kind), .required = true},
    {MISSION_STEP_FIELD("type", ANY, kind)},
    {MISSION_STEP_FIELD("depends_on", LIST, step.after)},
    {MISSION_STEP_FIELD("dependencies", LIST, step.after)},
    {MISSION_STEP_FIELD("trigger", ANY, step.trigger_node)},
    {MISSION_STEP_FIELD("breaker", NAME, step.breaker)},
    {MISSION_STEP_FIELD("timeout_seconds", SECONDS, step.timeout_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("timeout", SECONDS, step.timeout_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("heartbeat_seconds", SECONDS, step.heartbeat_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("deadline_seconds", SECONDS, step.deadline_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("continue_on_error", BOOL, continue_on_error)},
    {MISSION_STEP_FIELD("on_failure", CHOICE, on_failure), .max = MISSION_ON_FAILURE_COUNT,
     .choice = mission_on_failure_name},
    {MISSION_STEP_FIELD("parameters", MAP, step.parameters)},
    {MISSION_STEP_FIELD("config", MAP, step.parameters)},
    {MISSION_STEP_FIELD("retry", MAP, step.retry)},
    {MISSION_STEP_FIELD("retry_count", INTEGER, retry_count), .max = SW__ATTEMPTS_MAX - 1},
    {FOREIGN_FIELD("op", REFUSED, "write \"step_type\" and \"parameters\"")},
};

static const sw__field mission_retry_fields[] = {
    {MISSION_STEP_FIELD("attempts", INTEGER, step.max_attempts), .min = 1, .max = SW__ATTEMPTS_MAX},
    {MISSION_STEP_FIELD("backoff", CHOICE, step.backoff), .max = SW_BACKOFF_COUNT,
     .choice = sw_backoff_name},
    {MISSION_STEP_FIELD("wait_seconds", SECONDS, step.backoff_base_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("max_wait_seconds", SECONDS, step.backoff_max_ms), .max = SW__DELAY_MAX_MS},
    {MISSION_STEP_FIELD("jitter", NUMBER, step.backoff_jitter), .max = 1},
};

#undef MISSION_STEP_FIELD
#undef FOREIGN_FIELD

_Static_assert(SW__FIELD_COUNT(mission_fields) <= SW__FIELDS_MAX, "too many keys");
_Static_assert(SW__FIELD_COUNT(mission_config_fields) <= SW__FIELDS_MAX, "too many keys");
_Static_assert(SW__FIELD_COUNT(mission_step_fields) <= SW__FIELDS_MAX, "too many keys");

/* What to write instead of step types that are often met and not built in. */
static const struct {
    const char *kind;
    const char *advice;
} mission_advices[] = {
    {"tool", "to run a program, write \"command\" with the parameters \"command\" and \"args\""},
    {"sleep", "to wait, write \"wait\" with the parameter \"seconds\""},
};

/* Equal up to case and underscores: "CreateFile" is "create_file". */
static bool kind_is_spelling(sw_str text, const char *kind)
{
    size_t at = 0;
    for (; *kind; kind++) {
        if (*kind == '_')
            continue;
        while (at < text.len && text.ptr[at] == '_')
            at++;
        if (at == text.len || (text.ptr[at] | 0x20) != *kind)
            return false;
        at++;
    }
    return at == text.len;
}

static void mission_read_kind(sw__findings *findings, const sw__path *path, mission_step *read)
{
    const sw__node *node = read->kind;
    sw__path at = {.up = path, .key = SW__LIT("step_type")};
    if (!node || !sw__node_expect(findings, &at, node, SW__NODE_STR))
        return;
    read->step.handler_node = node;
    for (int kind = 0; kind < SW__KIND_COUNT; kind++) {
        if (kind_is_spelling(node->text, sw__kind_name(kind)))
            read->step.handler = sw__str(sw__kind_name(kind));
    }
    for (size_t i = 0; i < sizeof(mission_advices) / sizeof(mission_advices[0]); i++) {
        if (kind_is_spelling(node->text, mission_advices[i].kind)) {
            sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                            "the step type %s is not built in; %s",
                            sw__finding_quote(findings, node->text), mission_advices[i].advice);
            return;
        }
    }
    if (!read->step.handler.ptr && sw__handler_check(findings, &at, node))
        read->step.handler = node->text;
}

static void mission_read_retry(sw__findings *findings, const sw__path *path, mission_step *read)
{
    if (read->retry_count >= 0)
        read->step.max_attempts = read->retry_count + 1;
    if (!read->step.retry)
        return;
    sw__path at = {.up = path, .key = SW__LIT("retry")};
    sw__fields_read(findings, &at, read->step.retry, mission_retry_fields,
                    SW__FIELD_COUNT(mission_retry_fields), read);
    if (read->retry_count >= 0)
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, read->step.retry->line,
                        read->step.retry->column,
                        "\"retry\" and \"retry_count\" both say how often; keep one");
}

static void mission_read_on_failure(sw__findings *findings, const sw__path *path, bool fail_fast,
                                    mission_step *read)
{
    const sw__node *node = sw__node_get(read->step.node, "on_failure");
    sw__path at = {.up = path, .key = SW__LIT("on_failure")};
    int said = read->on_failure;
    if (said == MISSION_NOT_SAID)
        said = fail_fast ? MISSION_ABORT : MISSION_SKIP_DEPENDENTS;
    if (read->continue_on_error || said == MISSION_CONTINUE)
        read->step.on_failure = SW_ON_FAILURE_CONTINUE;
    else
        read->step.on_failure =
            said == MISSION_ABORT ? SW_ON_FAILURE_FAIL_TASK : SW_ON_FAILURE_SKIP_DEPENDENTS;
    bool contradicts = read->on_failure != MISSION_NOT_SAID && read->on_failure != MISSION_CONTINUE;
    if (read->continue_on_error && contradicts)
        sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                        "\"%s\" contradicts \"continue_on_error\"; keep one",
                        mission_on_failure_name(said));
}

static void mission_read_step(sw__findings *findings, const sw__path *path, const mission *whole,
                              sw__draft_step *step)
{
    mission_step read = {.step = *step, .retry_count = -1, .on_failure = MISSION_NOT_SAID};
    read.step.timeout_ms = whole->timeout_ms;
    if (!sw__node_expect(findings, path, step->node, SW__NODE_MAP))
        return;
    sw__fields_read(findings, path, step->node, mission_step_fields,
                    SW__FIELD_COUNT(mission_step_fields), &read);
    read.step.name_node = sw__node_get(step->node, "id");
    mission_read_kind(findings, path, &read);
    sw__trigger_read(findings, path, &read.step);
    mission_read_retry(findings, path, &read);
    mission_read_on_failure(findings, path, whole->fail_fast, &read);
    *step = read.step;
}

/* A name made of the letters and digits of a title: "Hello, World!" becomes "hello-world". */
static sw_str title_name(sw__arena *arena, sw_str title)
{
    char name[SW__NAME_MAX];
    size_t len = 0;
    for (size_t i = 0; i < title.len && len < sizeof(name); i++) {
        char letter = title.ptr[i];
        if (letter >= 'A' && letter <= 'Z')
            letter = (char)(letter - 'A' + 'a');
        if (letter != '-' && sw__str_is_name((sw_str){&letter, 1}))
            name[len++] = letter;
        else if (len > 0 && name[len - 1] != '-')
            name[len++] = '-';
    }
    while (len > 0 && name[len - 1] == '-')
        len--;
    return sw__arena_str(arena, (sw_str){len ? name : NULL, len});
}

/* The id when there is one; else the name, which for a mission may be any line of text. */
static void mission_read_name(sw__findings *findings, sw__arena *arena, const sw__node *root,
                              mission *whole)
{
    sw__draft *draft = &whole->draft;
    const sw__node *node = sw__node_get(root, "name");
    sw__path at = {.key = SW__LIT("name")};
    if (whole->id.ptr) {
        draft->name = whole->id;
    } else if (!node || node->kind == SW__NODE_NULL) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, NULL, root->line, root->column,
                        "the key \"name\" is missing");
    } else if (sw__str_is_name(draft->title)) {
        draft->name = draft->title;
        draft->title = (sw_str){NULL, 0};
    } else if (draft->title.ptr) {
        draft->name = title_name(arena, draft->title);
        if (!draft->name.ptr)
            sw__finding_add(findings, SW_SEVERITY_ERROR, &at, node->line, node->column,
                            "%s has no letter or digit for a name; add an \"id\"",
                            sw__finding_quote(findings, draft->title));
    }
}

bool sw__mission_read(sw__findings *findings, sw__arena *arena, const sw__node *root,
                      sw__draft *draft)
{
    mission whole = {.fail_fast = true,
                     .draft = {.version = SW__LIT(""),
                               .after_key = "depends_on",
                               .handler_key = "step_type",
                               .heartbeat_key = "heartbeat_seconds",
                               .retry_max_key = "max_wait_seconds"}};
    sw__fields_read(findings, NULL, root, mission_fields, SW__FIELD_COUNT(mission_fields), &whole);
    mission_read_name(findings, arena, root, &whole);
    if (whole.config) {
        sw__path at = {.key = SW__LIT("config")};
        sw__fields_read(findings, &at, whole.config, mission_config_fields,
                        SW__FIELD_COUNT(mission_config_fields), &whole);
    }
    *draft = whole.draft;
    if (!sw__draft_steps(findings, draft, arena))
        return false;
    sw__path steps = {.key = SW__LIT("steps")};
    for (size_t i = 0; i < draft->step_count; i++) {
        sw__path at = {.up = &steps, .index = i};
        mission_read_step(findings, &at, &whole, &draft->steps[i]);
    }
    return true;
}
