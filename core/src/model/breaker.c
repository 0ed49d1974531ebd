/* Circuit breakers: reading their settings, which both forms of a definition write alike, and which
 * failures count.
 *
 * Not here: what a breaker does (engine/breaker.c).
 */
#include "model/breaker.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/draft.h"
#include "model/fields.h"
#include "model/nearest.h"

/* The settings as the fields give them. */
typedef struct breaker_settings_draft {
    int64_t failure_threshold;
    int64_t success_threshold;
    int64_t probes;
    int64_t open_ms;
    int64_t max_open_ms; /* -1: not given */
} breaker_settings_draft;

#define BREAKER_FIELD(name, most)                                                                  \
    {                                                                                              \
        .key = #name, .kind = SW__FIELD_INTEGER, .offset = offsetof(breaker_settings_draft, name), \
        .min = 1, .max = most                                                                      \
    }

static const sw__field breaker_fields[] = {
    BREAKER_FIELD(failure_threshold, SW__BREAKER_MAX),
    BREAKER_FIELD(success_threshold, SW__BREAKER_MAX),
    BREAKER_FIELD(probes, SW__BREAKER_MAX),
    BREAKER_FIELD(open_ms, SW__DELAY_MAX_MS),
    BREAKER_FIELD(max_open_ms, SW__DELAY_MAX_MS),
};

#undef BREAKER_FIELD

static const sw__path breakers_path = {.key = SW__LIT("breakers")};

static int breaker_settings_compare(const void *a, const void *b)
{
    return sw__str_compare(((const sw_breaker_settings *)a)->name,
                           ((const sw_breaker_settings *)b)->name);
}

static void breaker_settings_read(sw__findings *findings, const sw__node_pair *pair,
                                  sw_breaker_settings *out)
{
    breaker_settings_draft draft = {SW_BREAKER_FAILURES_DEFAULT, SW_BREAKER_SUCCESSES_DEFAULT,
                                    SW_BREAKER_PROBES_DEFAULT, SW_BREAKER_OPEN_MS_DEFAULT, -1};
    sw__path at = {.up = &breakers_path, .key = pair->key};
    if (!sw__str_is_name(pair->key))
        sw__finding_add(findings, SW_SEVERITY_ERROR, &breakers_path, pair->line, pair->column,
                        "%s is not a name: 1 to %d letters, digits, '_', '-' or '.'",
                        sw__finding_quote(findings, pair->key), SW__NAME_MAX);
    if (pair->value->kind != SW__NODE_NULL &&
        sw__node_expect(findings, &at, pair->value, SW__NODE_MAP))
        sw__fields_read(findings, &at, pair->value, breaker_fields, SW__FIELD_COUNT(breaker_fields),
                        &draft);
    if (draft.max_open_ms >= 0 && draft.max_open_ms < draft.open_ms) {
        const sw__node *node = sw__node_get(pair->value, "max_open_ms");
        sw__path most = {.up = &at, .key = SW__LIT("max_open_ms")};
        sw__finding_add(findings, SW_SEVERITY_ERROR, &most, node->line, node->column,
                        "it would be open for less than the first time, %lld ms",
                        (long long)draft.open_ms);
    }
    *out = (sw_breaker_settings){
        .name = pair->key,
        .failure_threshold = (int32_t)draft.failure_threshold,
        .success_threshold = (int32_t)draft.success_threshold,
        .probes = (int32_t)draft.probes,
        .open_ms = draft.open_ms,
        .max_open_ms = draft.max_open_ms < 0 ? draft.open_ms : draft.max_open_ms,
    };
}

/* A name that is nearly one of the settings is a slip; another one may be set elsewhere. */
static void breaker_check_named(sw__findings *findings, const sw__draft *draft, size_t number)
{
    const sw__draft_step *step = &draft->steps[number];
    sw_breaker_settings key = {.name = step->breaker};
    if (!step->breaker.ptr || bsearch(&key, draft->breakers, draft->breaker_count,
                                      sizeof(*draft->breakers), breaker_settings_compare))
        return;
    sw__nearest near = sw__nearest_start(step->breaker, &findings->search_left);
    for (size_t i = 0; i < draft->breaker_count; i++)
        sw__nearest_try(&near, draft->breakers[i].name);
    if (!near.best.ptr)
        return;
    const sw__node *node = sw__node_get(step->node, "breaker");
    sw__path steps = {.key = SW__LIT("steps")};
    sw__path at = {.up = &steps, .index = number};
    sw__path key_path = {.up = &at, .key = SW__LIT("breaker")};
    sw__finding_add(findings, SW_SEVERITY_WARNING, &key_path, node->line, node->column,
                    "%s is not in \"breakers\"; did you mean \"%.*s\"?",
                    sw__finding_quote(findings, step->breaker), SW__FMT(near.best));
}

bool sw__breakers_read(sw__findings *findings, sw__arena *arena, sw__draft *draft)
{
    const sw__node *node = draft->breakers_node;
    if (!node)
        return true;
    if (node->count > SW__BREAKERS_MAX) {
        sw__finding_add(findings, SW_SEVERITY_ERROR, &breakers_path, node->line, node->column,
                        "%zu breakers, but a workflow may set %d at most", node->count,
                        SW__BREAKERS_MAX);
        return true;
    }
    draft->breakers = sw__arena_array(arena, node->count, sizeof(*draft->breakers));
    if (!draft->breakers)
        return false;
    draft->breaker_count = node->count;
    for (size_t i = 0; i < node->count; i++)
        breaker_settings_read(findings, &node->pairs[i], &draft->breakers[i]);
    qsort(draft->breakers, draft->breaker_count, sizeof(*draft->breakers),
          breaker_settings_compare);
    for (size_t i = 0; i < draft->step_count; i++)
        breaker_check_named(findings, draft, i);
    return true;
}

bool sw__breaker_counts(int to, sw_str reason)
{
    static const char *const reasons[] = {"retry", "attempts used up", "timeout",
                                          "heartbeat missed"};
    if (to != SW_STEP_READY && to != SW_STEP_FAILED)
        return false;
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (sw__str_is(reason, reasons[i]))
            return true;
    }
    return false;
}
