/* Walking through the entries of a segment and keeping the records they are about. */
#include "audit/replay.h"

#include <stdarg.h>

#include "audit/segment.h"
#include "base/error.h"
#include "base/hex.h"
#include "base/str.h"

int sw__doubt_raise(sw__doubt *doubt, int64_t first, int64_t last, const char *format, ...)
{
    if (!doubt->raised) {
        va_list arguments;
        va_start(arguments, format);
        sw__message_format(doubt->message, sizeof(doubt->message), format, arguments);
        va_end(arguments);
    }
    if (last < first)
        last = first;
    if (!doubt->raised || first < doubt->first)
        doubt->first = first;
    if (!doubt->raised || last > doubt->last)
        doubt->last = last;
    doubt->raised = true;
    return SW_EAUDIT;
}

int sw__replay_init(sw__replay *replay, sw__store *store, sw__hasher *hasher, const sw_env *env)
{
    *replay = (sw__replay){.store = store, .hasher = hasher, .env = env};
    replay->next = &replay->first;
    sw__map_init(&replay->tasks, env);
    sw__strmap_init(&replay->workflows, env);
    sw__map_init(&replay->workers, env);
    sw__strmap_init(&replay->breakers, env);
    sw__buf_init(&replay->places, env);
    sw__buf_init(&replay->seals, env);
    sw__buf_init(&replay->order, env);
    replay->arena = sw__arena_new(env);
    /* Who has no arena is not freed (task_file_check.c), and must have nothing else. */
    replay->scratch = replay->arena ? sw__arena_new(env) : NULL;
    replay->sealed = replay->scratch ? sw__arena_new(env) : NULL;
    return replay->sealed ? SW_OK : SW_ENOMEM;
}

void sw__replay_free(sw__replay *replay)
{
    for (size_t i = 0; i < replay->workflows.capacity; i++) {
        if (replay->workflows.slots[i].used)
            sw_workflow_free((sw_workflow *)(intptr_t)replay->workflows.slots[i].value);
    }
    sw__arena_free(replay->sealed);
    sw__arena_free(replay->scratch);
    sw__arena_free(replay->arena);
    sw__buf_free(&replay->order);
    sw__buf_free(&replay->seals);
    sw__buf_free(&replay->places);
    sw__strmap_free(&replay->breakers);
    sw__map_free(&replay->workers);
    sw__strmap_free(&replay->workflows);
    sw__map_free(&replay->tasks);
}

sw__replay_task *sw__replay_task_find(const sw__replay *replay, int64_t task_no)
{
    const int64_t *found = sw__map_find(&replay->tasks, task_no);
    return found ? (sw__replay_task *)(intptr_t)*found : NULL;
}

static int replay_task_add(sw__replay *replay, int64_t task_no, sw__replay_task **out,
                           sw_error *err)
{
    sw__replay_task *task = sw__arena_alloc(replay->arena, sizeof(*task));
    if (!task || sw__map_put(&replay->tasks, task_no, (intptr_t)task) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    task->task_no = task_no;
    *replay->next = task;
    replay->next = &task->next;
    *out = task;
    return SW_OK;
}

/* Definitions. */

static bool replay_hex_read(sw_str hex, uint8_t digest[32])
{
    if (hex.len != 64)
        return false;
    for (size_t i = 0; i < 32; i++) {
        int high = sw__hex_digit(hex.ptr[2 * i]);
        int low = sw__hex_digit(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        digest[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

/* Check that the text is the one its digest names, and load it. The text itself is compared, not
 * what it is read as: texts that mean the same may differ. */
static int replay_workflow_load(sw__replay *replay, const sw__workflow_rec *rec,
                                const uint8_t digest[32], int64_t entry_no, sw_workflow **out,
                                sw_error *err)
{
    uint8_t found[32];
    if (sw__hash(replay->hasher, &rec->json, 1, found) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    bool same = memcmp(found, digest, sizeof(found)) == 0;
    int rc = same ? sw__workflow_load_canonical(replay->env, rec->json, out, err) : SW_EDEFINITION;
    if (rc == SW_OK || (rc != SW_EDEFINITION && rc != SW_ELIMIT))
        return rc;
    return sw__doubt_raise(&replay->doubt, entry_no, entry_no,
                           "the stored definition of workflow \"%.*s\" was changed: it does not "
                           "give the digest that entry %lld names",
                           SW__FMT(rec->name), (long long)entry_no);
}

static int replay_workflow_read(sw__replay *replay, sw_str digest_hex, int64_t entry_no,
                                sw_workflow **out, sw_error *err)
{
    uint8_t digest[32];
    sw__workflow_rec rec;
    *out = NULL;
    if (!replay_hex_read(digest_hex, digest))
        return sw__doubt_raise(&replay->doubt, entry_no, entry_no,
                               "entry %lld does not name the definition that its task runs",
                               (long long)entry_no);
    sw__arena *scratch = sw__arena_new(replay->env);
    if (!scratch)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = replay->store->ops->workflow_digest_find(replay->store, digest, scratch, &rec, err);
    if (rc == SW_ENOTFOUND)
        rc =
            sw__doubt_raise(&replay->doubt, entry_no, entry_no,
                            "the definition that entry %lld names, %.*s, is missing from the store",
                            (long long)entry_no, SW__FMT(digest_hex));
    else if (rc == SW_OK)
        rc = replay_workflow_load(replay, &rec, digest, entry_no, out, err);
    sw__arena_free(scratch);
    return rc;
}

int sw__replay_workflow(sw__replay *replay, sw_str digest_hex, int64_t entry_no,
                        const sw_workflow **out, sw_error *err)
{
    const int64_t *known = sw__strmap_find(&replay->workflows, digest_hex);
    if (known) {
        *out = (const sw_workflow *)(intptr_t)*known;
        return SW_OK;
    }
    sw_workflow *workflow = NULL;
    int rc = replay_workflow_read(replay, digest_hex, entry_no, &workflow, err);
    if (rc < 0)
        return rc;
    /* Under the name that was asked for: a text that a forger wrote otherwise than the library has
     * another digest when it is read. */
    sw_str name = sw__arena_str(replay->arena, digest_hex);
    if (!name.ptr || sw__strmap_put(&replay->workflows, name, (intptr_t)workflow) < 0) {
        sw_workflow_free(workflow);
        return sw__fail(err, SW_ENOMEM, NULL);
    }
    *out = workflow;
    return SW_OK;
}

/* Segments. */

static int replay_unreadable(sw__replay *replay, const sw__segment *segment, const char *why)
{
    return sw__doubt_raise(&replay->doubt, segment->entry_first,
                           segment->entry_first + segment->entry_count - 1,
                           "segment %lld cannot be read: %s", (long long)segment->segment_no, why);
}

/* One row of the table of tasks: its history must lead to the segment that was the newest. */
static int replay_place(sw__replay *replay, const sw__segment *segment, int64_t task_no,
                        int64_t previous, sw__replay_task **out, sw_error *err)
{
    sw__replay_task *task = sw__replay_task_find(replay, task_no);
    if (!task) {
        int rc = replay_task_add(replay, task_no, &task, err);
        if (rc < 0)
            return rc;
    }
    if (task->segment_no != previous)
        return replay_unreadable(replay, segment, "a task's history leads to the wrong segment");
    task->segment_no = segment->segment_no;
    *out = task;
    return SW_OK;
}

static int replay_table(sw__replay *replay, const sw__segment *segment, sw__body *body,
                        sw_error *err)
{
    sw__buf_clear(&replay->places);
    for (int64_t i = 0; i < body->task_count; i++) {
        int64_t task_no = 0;
        int64_t previous = 0;
        sw__replay_task *task = NULL;
        if (!sw__body_task(body, &task_no, &previous))
            return replay_unreadable(replay, segment, body->wire.why);
        int rc = replay_place(replay, segment, task_no, previous, &task, err);
        if (rc < 0)
            return rc;
        sw__buf_put(&replay->places, &task, sizeof(task));
    }
    return replay->places.failed ? sw__fail(err, SW_ENOMEM, NULL) : SW_OK;
}

static int replay_entry(sw__replay *replay, const sw__segment *segment, int64_t entry_no,
                        sw__body *body, sw_error *err)
{
    int64_t place = 0;
    sw_audit_entry entry;
    if (!sw__body_entry(body, &place, &entry))
        return replay_unreadable(replay, segment, body->wire.why);
    if (entry.entry_no != entry_no || entry.time_us != segment->time_us)
        return replay_unreadable(replay, segment, "an entry has the wrong number or time");
    sw__replay_task *task = NULL;
    if (place > 0)
        memcpy(&task, replay->places.ptr + (size_t)(place - 1) * sizeof(task), sizeof(task));
    return sw__replay_move(replay, task, &entry, err);
}

static int replay_body(sw__replay *replay, const sw__segment *segment, sw_error *err)
{
    sw__body body;
    if (!sw__body_open(&body, segment->body))
        return replay_unreadable(replay, segment, body.wire.why);
    int rc = replay_table(replay, segment, &body, err);
    for (int64_t i = 0; rc == SW_OK && i < segment->entry_count; i++)
        rc = replay_entry(replay, segment, segment->entry_first + i, &body, err);
    if (rc == SW_OK && !sw__body_close(&body))
        rc = replay_unreadable(replay, segment, body.wire.why);
    if (rc == SW_OK && replay->seals.failed)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    return rc;
}

int sw__replay_segment(sw__replay *replay, const sw__segment *segment, sw_error *err)
{
    size_t before = replay->seals.len;
    int rc = replay_body(replay, segment, err);
    if (rc == SW_OK)
        return sw__replay_payloads(replay, before, err);
    replay->seals.len = before; /* the others point into a body that goes away */
    return rc;
}
