/* The canonical text of a definition: JSON without white space, keys sorted, steps in topological
 * order, dependencies in that order too, every default spelled out but those of keys that came
 * later (docs/adr/0009-trigger-rules.md). Two files that say the same have the same text, and a
 * default that changes in a later version changes no stored definition.
 *
 * Not here: the digest of the text, and reading it back (stored.c).
 */
#include "base/json.h"
#include "base/str.h"
#include "model/build.h"

static void json_put_key(sw__buf *buf, const char *key)
{
    sw__buf_put_byte(buf, '"');
    sw__buf_put_text(buf, key);
    sw__buf_put_text(buf, "\":");
}

static void json_put_number(sw__buf *buf, const char *before, int64_t number)
{
    sw__buf_put_text(buf, before);
    sw__buf_put_int(buf, number);
}

/* "key":"text", for keys that are left out when there is nothing to say. */
static void json_put_line(sw__buf *buf, const char *key, sw_str text)
{
    if (!text.ptr)
        return;
    json_put_key(buf, key);
    sw__json_put_str(buf, text);
    sw__buf_put_text(buf, ",");
}

/* "key":json, likewise, for JSON that is canonical already. */
static void json_put_json(sw__buf *buf, const char *key, sw_str json)
{
    if (!json.ptr)
        return;
    json_put_key(buf, key);
    sw__buf_put_str(buf, json);
    sw__buf_put_text(buf, ",");
}

static void json_put_node(sw__buf *buf, const char *key, const sw__node *node)
{
    if (!node || (node->kind == SW__NODE_MAP && node->count == 0))
        return;
    json_put_key(buf, key);
    sw__node_put_json(buf, node);
    sw__buf_put_text(buf, ",");
}

static void json_put_after(sw__buf *buf, const sw_workflow *workflow, const sw_workflow_step *step)
{
    sw__buf_put_text(buf, "\"after\":[");
    for (size_t i = 0; i < step->after_count; i++) {
        sw__buf_put_text(buf, i > 0 ? "," : "");
        sw__json_put_str(buf, workflow->steps[step->after[i]].name);
    }
    sw__buf_put_text(buf, "],");
}

static void json_put_retry(sw__buf *buf, const sw_workflow_step *step)
{
    sw__buf_put_text(buf, "\"retry\":{\"backoff\":\"");
    sw__buf_put_text(buf, sw_backoff_name(step->backoff));
    json_put_number(buf, "\",\"base_ms\":", step->backoff_base_ms);
    sw__buf_put_text(buf, ",\"jitter\":");
    sw__json_put_double(buf, step->backoff_jitter);
    json_put_number(buf, ",\"max_attempts\":", step->max_attempts);
    if (step->max_crashes != SW_CRASHES_DEFAULT) /* a key that came later */
        json_put_number(buf, ",\"max_crashes\":", step->max_crashes);
    json_put_number(buf, ",\"max_ms\":", step->backoff_max_ms);
    sw__buf_put_text(buf, "},");
}

/* Left out when it is the rule that all steps had before there were others. */
static void json_put_trigger(sw__buf *buf, const sw_workflow_step *step)
{
    if (step->trigger == SW_TRIGGER_QUORUM)
        sw__buf_printf(buf, ",\"trigger\":{\"quorum\":%d}", step->quorum);
    else if (step->trigger != SW_TRIGGER_ALL_SUCCEEDED)
        sw__buf_printf(buf, ",\"trigger\":\"%s\"", sw_trigger_name(step->trigger));
}

/* Keys that came later. */
static void json_put_later(sw__buf *buf, const char *key, int64_t ms)
{
    if (ms <= 0)
        return;
    json_put_key(buf, key);
    sw__buf_put_int(buf, ms);
    sw__buf_put_text(buf, ",");
}

void sw__workflow_put_step(sw__buf *buf, const sw_workflow *workflow, const sw_workflow_step *step,
                           const sw__draft_step *draft)
{
    sw__buf_put_text(buf, "{");
    json_put_after(buf, workflow, step);
    json_put_line(buf, "breaker", step->breaker); /* a key that came later */
    json_put_later(buf, "deadline_ms", step->deadline_ms);
    json_put_line(buf, "description", draft->description);
    json_put_line(buf, "handler", step->handler);
    json_put_later(buf, "heartbeat_ms", step->heartbeat_ms);
    json_put_node(buf, "metadata", draft->metadata);
    json_put_line(buf, "name", step->name);
    json_put_line(buf, "on_failure", sw__str(sw_on_failure_name(step->on_failure)));
    json_put_json(buf, "parameters", step->parameters);
    json_put_number(buf, "\"priority\":", step->priority);
    sw__buf_put_text(buf, ",");
    json_put_line(buf, "queue", step->queue);
    json_put_retry(buf, step);
    json_put_number(buf, "\"timeout_ms\":", step->timeout_ms);
    if (step->title.ptr) {
        sw__buf_put_text(buf, ",\"title\":");
        sw__json_put_str(buf, step->title);
    }
    json_put_trigger(buf, step);
    sw__buf_put_text(buf, "}");
}

/* Left out when there are none: a key that came later. */
static void json_put_breakers(sw__buf *buf, const sw_workflow *workflow)
{
    for (size_t i = 0; i < workflow->breaker_count; i++) {
        const sw_breaker_settings *breaker = &workflow->breakers[i];
        sw__buf_put_text(buf, i > 0 ? "," : "\"breakers\":{");
        sw__json_put_str(buf, breaker->name);
        json_put_number(buf, ":{\"failure_threshold\":", breaker->failure_threshold);
        json_put_number(buf, ",\"max_open_ms\":", breaker->max_open_ms);
        json_put_number(buf, ",\"open_ms\":", breaker->open_ms);
        json_put_number(buf, ",\"probes\":", breaker->probes);
        json_put_number(buf, ",\"success_threshold\":", breaker->success_threshold);
        sw__buf_put_text(buf, "}");
    }
    if (workflow->breaker_count > 0)
        sw__buf_put_text(buf, "},");
}

void sw__workflow_put_head(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft)
{
    sw__buf_put_text(buf, "{");
    json_put_breakers(buf, workflow);
    json_put_later(buf, "deadline_ms", workflow->deadline_ms);
    json_put_line(buf, "description", draft->description);
    json_put_json(buf, "input_schema", workflow->input_schema);
    json_put_number(buf, "\"max_parallel\":", workflow->max_parallel);
    sw__buf_put_text(buf, ",");
    json_put_node(buf, "metadata", draft->metadata);
    json_put_line(buf, "name", workflow->name);
    sw__buf_put_text(buf, "\"steps\":[");
}

void sw__workflow_put_tail(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft)
{
    sw__buf_put_text(buf, "],\"stepwell\":1,");
    json_put_line(buf, "title", draft->title);
    sw__buf_put_text(buf, "\"version\":");
    sw__json_put_str(buf, workflow->version);
    sw__buf_put_text(buf, "}");
}

void sw__workflow_put_json(sw__buf *buf, const sw_workflow *workflow, const sw__draft *draft,
                           const int32_t *order)
{
    sw__workflow_put_head(buf, workflow, draft);
    for (size_t i = 0; i < workflow->step_count; i++) {
        sw__buf_put_text(buf, i > 0 ? "," : "");
        sw__workflow_put_step(buf, workflow, &workflow->steps[i], &draft->steps[order[i]]);
    }
    sw__workflow_put_tail(buf, workflow, draft);
}
