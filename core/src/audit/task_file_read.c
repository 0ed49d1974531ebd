/* A task file of a text; see task_file.h. Every map is described by a table of its keys: one that
 * is missing, or not known, or of another kind ends the reading, with its place in the text. Not
 * here: whether what is said is true. */
#include <string.h>

#include "audit/entry.h"
#include "audit/form.h"
#include "audit/task_file.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"

#define FORM_NUMBER_MAX (INT64_MAX / 4)

static int form_time(const sw__form *form, const sw__node *node, int64_t *out)
{
    return sw__form_int(form, node, SW__TASK_FILE_TIME_MAX, out);
}

/* Payloads. */

static int form_erased(const sw__form *form, const sw__node *node, sw__file_payload *out)
{
    static const sw__form_key keys[] = {{"digest", SW__FORM_STR}};
    const sw__node *digest = NULL;
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), &digest);
    out->form = SW__FILE_ERASED;
    return rc == SW_OK ? sw__form_hex(form, digest, out->digest) : rc;
}

static int form_payload(const sw__form *form, const sw__node *node, sw__file_payload *out)
{
    static const sw__form_key keys[] = {{"salt", SW__FORM_STR}, {"json", SW__FORM_STR}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    if (node->kind == SW__NODE_NULL)
        return SW_OK;
    if (sw__node_get(node, "digest"))
        return form_erased(form, node, out);
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_hex(form, values[0], out->salt);
    if (rc == SW_OK)
        out->parts[0] = sw__form_str(values[1]);
    out->form = SW__FILE_KEPT;
    return rc;
}

static int form_error(const sw__form *form, const sw__node *node, sw__file_payload *out)
{
    static const sw__form_key keys[] = {{"salt", SW__FORM_STR},
                                        {"epoch", SW__FORM_INT},
                                        {"class", SW__FORM_STR_OR_NONE},
                                        {"message", SW__FORM_STR_OR_NONE},
                                        {"detail", SW__FORM_STR_OR_NONE}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    if (node->kind == SW__NODE_NULL)
        return SW_OK;
    if (sw__node_get(node, "digest"))
        return form_erased(form, node, out);
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_hex(form, values[0], out->salt);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[1], FORM_NUMBER_MAX, &out->epoch);
    for (size_t i = 0; rc == SW_OK && i < SW__FILE_PARTS; i++)
        out->parts[i] = sw__form_str(values[2 + i]);
    out->form = SW__FILE_KEPT;
    return rc;
}

/* The parts of a file. */

static int form_task(const sw__form *form, const sw__node *node, sw__task_file *file)
{
    static const sw__form_key keys[] = {{"id", SW__FORM_STR},
                                        {"workflow", SW__FORM_STR},
                                        {"version", SW__FORM_STR_OR_NONE},
                                        {"state", SW__FORM_STR},
                                        {"created_us", SW__FORM_INT},
                                        {"started_us", SW__FORM_INT},
                                        {"changed_us", SW__FORM_INT},
                                        {"initiator", SW__FORM_STR_OR_NONE},
                                        {"reason", SW__FORM_STR_OR_NONE},
                                        {"input", SW__FORM_MAP | SW__FORM_NULL}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    char again[37];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc < 0)
        return rc;
    bool good = sw_uuid_parse(values[0]->text, &file->task_id) == SW_OK;
    sw_uuid_format(&file->task_id, again);
    if (!good || !sw__str_is(values[0]->text, again))
        return sw__form_fail(form, values[0], "this is not the id of a task");
    if (!sw__str_equal(values[1]->text, file->workflow->name) ||
        !sw__str_equal(sw__form_str(values[2]), file->workflow->version))
        return sw__form_fail(form, values[1], "the definition is of another workflow or version");
    rc = sw__form_state(form, values[3], sw_task_state_find, &file->task.state);
    if (rc == SW_OK)
        rc = form_time(form, values[4], &file->task.created_us);
    if (rc == SW_OK)
        rc = form_time(form, values[5], &file->task.started_us);
    if (rc == SW_OK)
        rc = form_time(form, values[6], &file->task.changed_us);
    file->task.initiator = sw__form_str(values[7]);
    file->task.reason = sw__form_str(values[8]);
    return rc == SW_OK ? form_payload(form, values[9], &file->input) : rc;
}

static int form_definition(const sw__form *form, const sw__node *node, sw__task_file *file)
{
    sw_error error = {0};
    const sw_env *env = sw__arena_env(form->arena);
    int rc = sw__workflow_load_canonical(env, node->text, &file->workflow, &error);
    if (rc == SW_ENOMEM)
        return sw__form_no_memory(form);
    if (rc < 0)
        return sw__form_fail(form, node, "the definition cannot be read: %s", error.message);
    if (!sw__str_equal(file->workflow->json, node->text))
        return sw__form_fail(form, node, "the definition is not in its canonical form");
    return SW_OK;
}

static int form_step(const sw__form *form, const sw__node *node, sw_str name, sw__file_step *out)
{
    static const sw__form_key keys[] = {{"name", SW__FORM_STR},
                                        {"state", SW__FORM_STR},
                                        {"attempt", SW__FORM_INT},
                                        {"crashes", SW__FORM_INT},
                                        {"epoch", SW__FORM_INT},
                                        {"changed_us", SW__FORM_INT},
                                        {"result", SW__FORM_MAP | SW__FORM_NULL},
                                        {"error", SW__FORM_MAP | SW__FORM_NULL}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc < 0)
        return rc;
    if (!sw__str_equal(values[0]->text, name))
        return sw__form_fail(form, values[0],
                             "expected step \"%.*s\" of the definition, found \"%.*s\"",
                             SW__FMT(name), SW__FMT(values[0]->text));
    out->name = name;
    rc = sw__form_state(form, values[1], sw_step_state_find, &out->state);
    if (rc == SW_OK)
        rc = sw__form_int32(form, values[2], &out->attempt);
    if (rc == SW_OK)
        rc = sw__form_int32(form, values[3], &out->crashes);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[4], FORM_NUMBER_MAX, &out->epoch);
    if (rc == SW_OK)
        rc = form_time(form, values[5], &out->changed_us);
    if (rc == SW_OK)
        rc = form_payload(form, values[6], &out->result);
    return rc == SW_OK ? form_error(form, values[7], &out->error) : rc;
}

static int form_steps(const sw__form *form, const sw__node *list, sw__task_file *file)
{
    const sw_workflow *workflow = file->workflow;
    int rc = SW_OK;
    if (list->count != workflow->step_count)
        return sw__form_fail(form, list, "the definition has %zu steps, but there are %zu",
                             workflow->step_count, list->count);
    file->step_count = list->count;
    file->steps = sw__arena_array(form->arena, list->count, sizeof(*file->steps));
    if (!file->steps)
        return sw__form_no_memory(form);
    for (size_t i = 0; rc == SW_OK && i < list->count; i++)
        rc = form_step(form, list->items[i], workflow->steps[i].name, &file->steps[i]);
    return rc;
}

static int form_log(const sw__form *form, const sw__node *node, sw__task_file *file)
{
    static const sw__form_key keys[] = {{"entries", SW__FORM_INT},
                                        {"root", SW__FORM_STR},
                                        {"checkpoint", SW__FORM_STR | SW__FORM_NULL}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[0], SW__TASK_FILE_ENTRY_MAX, &file->log_count);
    if (rc == SW_OK)
        rc = sw__form_hash(form, values[1], file->root);
    if (rc == SW_OK)
        file->checkpoint = sw__form_str(values[2]);
    return rc;
}

static int form_proof(const sw__form *form, const sw__node *list, sw__file_entry *out)
{
    int rc = SW_OK;
    out->proved = list->kind == SW__NODE_LIST;
    if (!out->proved)
        return SW_OK;
    if (list->count > SW__TREE_PROOF_MAX)
        return sw__form_fail(form, list, "a proof has at most %d hashes", SW__TREE_PROOF_MAX);
    out->hashes = sw__arena_array(form->arena, list->count, 32);
    if (!out->hashes)
        return sw__form_no_memory(form);
    out->hash_count = (int32_t)list->count;
    for (size_t i = 0; rc == SW_OK && i < list->count; i++) {
        const sw__node *hash = list->items[i];
        rc = hash->kind == SW__NODE_STR ? sw__form_hash(form, hash, out->hashes + 32 * i)
                                        : sw__form_fail(form, hash, "expected a hash");
    }
    return rc;
}

static int form_entry(const sw__form *form, const sw__node *node, sw__file_entry *out)
{
    static const sw__form_key keys[] = {
        {"no", SW__FORM_INT}, {"bytes", SW__FORM_STR}, {"proof", SW__FORM_LIST | SW__FORM_NULL}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int64_t number = 0;
    const char *why = NULL;
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[0], SW__TASK_FILE_ENTRY_MAX, &number);
    if (rc == SW_OK)
        rc = sw__form_base64(form, values[1], &out->bytes);
    if (rc == SW_OK)
        rc = form_proof(form, values[2], out);
    if (rc < 0)
        return rc;
    if (!sw__entry_decode(out->bytes, &out->entry, &why))
        return sw__form_fail(form, values[1], "entry %lld cannot be read: %s", (long long)number,
                             why);
    if (out->entry.entry_no != number)
        return sw__form_fail(form, values[0], "these are the bytes of entry %lld, not %lld",
                             (long long)out->entry.entry_no, (long long)number);
    return SW_OK;
}

static int form_entries(const sw__form *form, const sw__node *list, sw__task_file *file)
{
    int rc = SW_OK;
    file->entry_count = list->count;
    file->entries = sw__arena_array(form->arena, list->count, sizeof(*file->entries));
    if (!file->entries)
        return sw__form_no_memory(form);
    for (size_t i = 0; rc == SW_OK && i < list->count; i++)
        rc = form_entry(form, list->items[i], &file->entries[i]);
    return rc;
}

/* Events. */

static int form_event_payload(const sw__form *form, const sw__node *node, sw__file_payload *out)
{
    static const sw__form_key keys[] = {{"salt", SW__FORM_STR},
                                        {"json", SW__FORM_STR_OR_NONE},
                                        {"key", SW__FORM_STR_OR_NONE},
                                        {"correlation_id", SW__FORM_STR_OR_NONE}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    if (sw__node_get(node, "digest"))
        return form_erased(form, node, out);
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_hex(form, values[0], out->salt);
    for (size_t i = 0; rc == SW_OK && i < SW__FILE_PARTS; i++)
        out->parts[i] = sw__form_str(values[1 + i]);
    out->form = SW__FILE_KEPT;
    return rc;
}

/* The next entry that is an event, from *at on; it must have this number. */
static int form_event(const sw__form *form, const sw__node *node, sw__task_file *file, size_t *at)
{
    static const sw__form_key keys[] = {{"no", SW__FORM_INT}, {"payload", SW__FORM_MAP}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc < 0)
        return rc;
    while (*at < file->entry_count && file->entries[*at].entry.entry_no < values[0]->integer)
        ++*at;
    if (*at == file->entry_count || file->entries[*at].entry.entry_no != values[0]->integer ||
        file->entries[*at].entry.kind != SW_AUDIT_EVENT)
        return sw__form_fail(form, values[0], "there is no event with the number %lld, or not here",
                             (long long)values[0]->integer);
    return form_event_payload(form, values[1], &file->entries[(*at)++].event);
}

static int form_events(const sw__form *form, const sw__node *list, sw__task_file *file)
{
    int rc = SW_OK;
    size_t at = 0;
    for (size_t i = 0; rc == SW_OK && i < list->count; i++)
        rc = form_event(form, list->items[i], file, &at);
    return rc;
}

/* What no entry seals. */

static int form_timer(const sw__form *form, const sw__node *node, sw__task_file *file)
{
    static const sw__form_key keys[] = {
        {"step", SW__FORM_STR}, {"not_before_us", SW__FORM_INT}, {"fails_us", SW__FORM_INT}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc < 0)
        return rc;
    int64_t index = sw__workflow_find(file->workflow, values[0]->text);
    if (index < 0)
        return sw__form_fail(form, values[0], "the definition has no step \"%.*s\"",
                             SW__FMT(values[0]->text));
    rc = form_time(form, values[1], &file->steps[index].not_before_us);
    return rc == SW_OK ? form_time(form, values[2], &file->steps[index].fails_us) : rc;
}

static int form_worker(const sw__form *form, const sw__node *node, sw__worker_rec *out)
{
    static const sw__form_key keys[] = {
        {"id", SW__FORM_INT},        {"name", SW__FORM_STR},     {"host", SW__FORM_STR_OR_NONE},
        {"pid", SW__FORM_INT},       {"lease_ms", SW__FORM_INT}, {"lease_until_us", SW__FORM_INT},
        {"handlers", SW__FORM_LIST}, {"queues", SW__FORM_LIST}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[0], FORM_NUMBER_MAX, &out->worker_no);
    if (rc == SW_OK)
        out->name = sw__form_str(values[1]);
    if (rc == SW_OK)
        out->host = sw__form_str(values[2]);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[3], FORM_NUMBER_MAX, &out->pid);
    if (rc == SW_OK)
        rc = sw__form_int(form, values[4], SW__LEASE_MAX_MS, &out->lease_ms);
    if (rc == SW_OK)
        rc = form_time(form, values[5], &out->lease_until_us);
    if (rc == SW_OK)
        rc = sw__form_names(form, values[6], &out->handlers);
    if (rc == SW_OK)
        rc = sw__form_names(form, values[7], &out->queues);
    if (rc == SW_OK && (out->worker_no == 0 || out->lease_ms == 0))
        rc = sw__form_fail(form, node, "a worker has a number and a lease");
    return rc;
}

static int form_workers(const sw__form *form, const sw__node *list, sw__file_unsealed *out)
{
    int rc = SW_OK;
    sw__worker_rec *rows = sw__arena_array(form->arena, list->count, sizeof(*rows));
    if (!rows)
        return sw__form_no_memory(form);
    for (size_t i = 0; rc == SW_OK && i < list->count; i++) {
        rc = form_worker(form, list->items[i], &rows[i]);
        if (rc == SW_OK && i > 0 && rows[i].worker_no <= rows[i - 1].worker_no)
            rc = sw__form_fail(form, list->items[i], "workers stand in the order of their numbers");
    }
    out->workers = rows;
    out->worker_count = list->count;
    return rc;
}

static int form_breaker(const sw__form *form, const sw__node *node, sw_breaker_row *out)
{
    static const sw__form_key keys[] = {
        {"name", SW__FORM_STR},       {"state", SW__FORM_STR},
        {"failures", SW__FORM_INT},   {"successes", SW__FORM_INT},
        {"probing", SW__FORM_INT},    {"openings", SW__FORM_INT},
        {"forced", SW__FORM_INT},     {"until_us", SW__FORM_INT},
        {"changed_us", SW__FORM_INT}, {"error_class", SW__FORM_STR_OR_NONE}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    int32_t *numbers[] = {&out->failures, &out->successes, &out->probing, &out->openings,
                          &out->forced};
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc < 0)
        return rc;
    out->settings.name = values[0]->text;
    rc = sw__form_state(form, values[1], sw_breaker_state_find, &out->state);
    for (size_t i = 0; rc == SW_OK && i < SW__FORM_COUNT(numbers); i++) {
        rc = sw__form_int32(form, values[2 + i], numbers[i]);
        if (rc == SW_OK && *numbers[i] == INT32_MAX)
            rc = sw__form_fail(form, values[2 + i], "the number is out of range");
    }
    if (rc == SW_OK)
        rc = form_time(form, values[7], &out->until_us);
    if (rc == SW_OK)
        rc = form_time(form, values[8], &out->changed_us);
    if (rc == SW_OK)
        out->error_class = sw__form_str(values[9]);
    return rc;
}

static int form_breakers(const sw__form *form, const sw__node *list, sw__file_unsealed *out)
{
    int rc = SW_OK;
    sw_breaker_row *rows = sw__arena_array(form->arena, list->count, sizeof(*rows));
    if (!rows)
        return sw__form_no_memory(form);
    for (size_t i = 0; rc == SW_OK && i < list->count; i++)
        rc = form_breaker(form, list->items[i], &rows[i]);
    out->breakers = rows;
    out->breaker_count = list->count;
    return rc;
}

static int form_priority(const sw__form *form, const sw__node *node, int32_t *out)
{
    *out = (int32_t)node->integer;
    return node->integer >= INT16_MIN && node->integer <= INT16_MAX
               ? SW_OK
               : sw__form_fail(form, node, "the number %lld is out of range",
                               (long long)node->integer);
}

static int form_unsealed(const sw__form *form, const sw__node *node, sw__task_file *file)
{
    static const sw__form_key keys[] = {{"exported_us", SW__FORM_INT},
                                        {"priority", SW__FORM_INT},
                                        {"deadline_us", SW__FORM_INT},
                                        {"key", SW__FORM_STR_OR_NONE},
                                        {"correlation_id", SW__FORM_STR_OR_NONE},
                                        {"tags", SW__FORM_LIST},
                                        {"timers", SW__FORM_LIST},
                                        {"workers", SW__FORM_LIST},
                                        {"breakers", SW__FORM_LIST}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    sw__file_unsealed *out = &file->unsealed;
    int rc = sw__form_map(form, node, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = form_time(form, values[0], &out->exported_us);
    if (rc == SW_OK)
        rc = form_priority(form, values[1], &out->priority);
    if (rc == SW_OK)
        rc = form_time(form, values[2], &out->deadline_us);
    if (rc == SW_OK)
        out->key = sw__form_str(values[3]);
    if (rc == SW_OK)
        out->correlation_id = sw__form_str(values[4]);
    if (rc == SW_OK && values[5]->count > 0)
        rc = sw__form_names(form, values[5], &out->tags);
    for (size_t i = 0; rc == SW_OK && i < values[6]->count; i++)
        rc = form_timer(form, values[6]->items[i], file);
    if (rc == SW_OK)
        rc = form_workers(form, values[7], out);
    return rc == SW_OK ? form_breakers(form, values[8], out) : rc;
}

static int form_file(const sw__form *form, const sw__node *root, sw__task_file *file)
{
    static const sw__form_key keys[] = {
        {"format", SW__FORM_STR},     {"version", SW__FORM_INT}, {"task", SW__FORM_MAP},
        {"definition", SW__FORM_STR}, {"steps", SW__FORM_LIST},  {"log", SW__FORM_MAP},
        {"entries", SW__FORM_LIST},   {"events", SW__FORM_LIST}, {"unsealed", SW__FORM_MAP}};
    const sw__node *values[SW__FORM_COUNT(keys)];
    const sw__node *name = sw__node_get(root, "format");
    const sw__node *version = sw__node_get(root, "version");
    if (!name || !sw__str_is(name->text, "stepwell-task-file"))
        return sw__form_fail(form, root,
                             "this is no task file: it has no \"format\": "
                             "\"stepwell-task-file\"");
    if (version && version->kind == SW__NODE_INT && version->integer != SW_TASK_FILE_VERSION)
        return sw__form_fail(form, version, "version %lld of the format is not known, only %d",
                             (long long)version->integer, SW_TASK_FILE_VERSION);
    int rc = sw__form_map(form, root, keys, SW__FORM_COUNT(keys), values);
    if (rc == SW_OK)
        rc = form_definition(form, values[3], file);
    if (rc == SW_OK)
        rc = form_task(form, values[2], file);
    if (rc == SW_OK)
        rc = form_steps(form, values[4], file);
    if (rc == SW_OK)
        rc = form_log(form, values[5], file);
    if (rc == SW_OK)
        rc = form_entries(form, values[6], file);
    if (rc == SW_OK)
        rc = form_events(form, values[7], file);
    return rc == SW_OK ? form_unsealed(form, values[8], file) : rc;
}

int sw__task_file_read(sw__arena *arena, sw_str source, sw_str text, sw__task_file *file,
                       sw_error *err)
{
    const sw__form form = {arena, source, err};
    sw__node *root = NULL;
    const sw__node_limits limits = {.size_max = SW__TASK_FILE_MAX,
                                    .node_max = SW__TASK_FILE_NODES_MAX,
                                    .scalar_max = SW__TASK_FILE_MAX};
    *file = (sw__task_file){0};
    int rc = sw__node_load_json(arena, &limits, source, text, &root, err);
    if (rc == SW_EDEFINITION && err)
        err->code = SW_EINVAL;
    if (rc < 0)
        return rc == SW_EDEFINITION ? SW_EINVAL : rc;
    return form_file(&form, root, file);
}

#undef FORM_NUMBER_MAX
