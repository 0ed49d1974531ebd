/* Whether a task file is what it says; see task_file.h. First that each entry is in the tree, then
 * that the root is one to be trusted, then that the entries fit together, then that rows and
 * payloads are what they lead to. */
#include <stdio.h>
#include <string.h>

#include "audit/audit.h"
#include "audit/checkpoint.h"
#include "audit/task_file.h"
#include "audit/trust.h"
#include "base/error.h"
#include "base/str.h"

typedef struct file_verdict {
    const sw__task_file *file;
    sw__arena *arena;
    sw__hasher *hasher;
    sw__doubt doubt;
    sw__file_play play;
    int64_t proved;
    int level;
    int64_t anchored_us;
} file_verdict;

/* Proofs. */

static int verdict_too_old(file_verdict *check, int64_t number)
{
    return sw__doubt_raise(&check->doubt, number, number,
                           "the task was submitted (entry %lld) after the %lld entries that the "
                           "checkpoint covers: nothing of it is proved",
                           (long long)number, (long long)check->file->log_count);
}

static int verdict_proof(file_verdict *check, const sw__file_entry *entry, sw_error *err)
{
    uint8_t leaf[32];
    sw__tree_proof proof = {.count = entry->hash_count};
    int64_t number = entry->entry.entry_no;
    const sw__task_file *file = check->file;
    if (!entry->proved && number > file->log_count)
        return entry->entry.kind == SW_AUDIT_TASK_SUBMITTED ? verdict_too_old(check, number)
                                                            : SW_OK;
    if (!entry->proved)
        return sw__doubt_raise(&check->doubt, number, number,
                               "entry %lld has no proof, and the checkpoint covers %lld entries: "
                               "its proof was taken away",
                               (long long)number, (long long)file->log_count);
    if (proof.count > 0)
        memcpy(proof.hashes, entry->hashes, 32 * (size_t)proof.count);
    int rc = sw__tree_leaf(check->hasher, entry->bytes, leaf);
    if (rc == SW_OK)
        rc = sw__tree_check_inclusion(check->hasher, leaf, number - 1, file->log_count, &proof,
                                      file->root);
    if (rc < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    check->proved += rc;
    if (rc == 1)
        return SW_OK;
    return sw__doubt_raise(&check->doubt, number, number,
                           "entry %lld is not in the log: it was edited, or is of another one, or "
                           "its proof or the root was changed",
                           (long long)number);
}

static int verdict_proofs(file_verdict *check, sw_error *err)
{
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < check->file->entry_count; i++)
        rc = verdict_proof(check, &check->file->entries[i], err);
    return rc;
}

/* Trust. */

/* The file says what its checkpoint says. */
static int verdict_peek(file_verdict *check)
{
    sw__checkpoint row;
    const sw__task_file *file = check->file;
    if (!file->checkpoint.ptr)
        return SW_OK;
    if (!sw__checkpoint_peek(file->checkpoint, &row))
        return sw__doubt_raise(&check->doubt, 0, 0, "the checkpoint of the file is none");
    if (row.size == file->log_count && memcmp(row.root, file->root, sizeof(row.root)) == 0)
        return SW_OK;
    return sw__doubt_raise(&check->doubt, 0, 0,
                           "the checkpoint of the file is of another tree than its proofs: one of "
                           "the two was replaced");
}

static void verdict_raise(file_verdict *check, int level, int64_t anchored_us)
{
    if (level > check->level)
        check->level = level;
    if (anchored_us > check->anchored_us)
        check->anchored_us = anchored_us;
}

static int verdict_signature(file_verdict *check, const sw__trust *trust, sw_error *err)
{
    sw__checkpoint row;
    const char *why = NULL;
    int rc = sw__trust_open(trust, check->file->checkpoint, &row, &why);
    if (rc == SW_EINVAL)
        return sw__doubt_raise(&check->doubt, 0, 0,
                               "the checkpoint of the file cannot be trusted: %s", why);
    if (rc < 0)
        return sw__fail(err, rc, NULL);
    verdict_raise(check, SW_AUDIT_SIGNED, 0);
    if (row.who.witness_count > 0)
        verdict_raise(check, SW_AUDIT_ANCHORED,
                      row.who.witnessed_us > 0 ? row.who.witnessed_us : 1);
    return SW_OK;
}

/* Checkpoints and anchors that are of as many entries as the file's tree has. */
static int verdict_known(file_verdict *check, const sw__trust *trust)
{
    const sw__task_file *file = check->file;
    for (size_t i = 0; i < trust->count; i++) {
        const sw__checkpoint *row = &trust->rows[i];
        if (row->size != file->log_count)
            continue;
        if (memcmp(row->root, file->root, sizeof(row->root)) != 0)
            return sw__doubt_raise(&check->doubt, 1, file->log_count,
                                   "the file is not of the log that \"%.*s\" signed when it had "
                                   "%lld entries",
                                   SW__FMT(row->origin), (long long)row->size);
        verdict_raise(check, row->anchored_us > 0 ? SW_AUDIT_ANCHORED : SW_AUDIT_SIGNED,
                      row->anchored_us);
    }
    return SW_OK;
}

static int verdict_trust(file_verdict *check, const sw_audit_trust *trusted, sw_error *err)
{
    sw__trust trust;
    check->level = SW_AUDIT_INTEGRITY;
    if (!trusted)
        return SW_OK;
    int rc = sw__trust_load(&trust, trusted, check->hasher, check->arena, &check->doubt, err);
    if (rc == SW_OK && check->file->checkpoint.ptr)
        rc = verdict_signature(check, &trust, err);
    if (rc == SW_OK)
        rc = verdict_known(check, &trust);
    if (rc < 0 || check->level > SW_AUDIT_INTEGRITY)
        return rc;
    return sw__doubt_raise(&check->doubt, 0, 0,
                           "the file is not signed, and none of the checkpoints given is of the "
                           "%lld entries that it was made from",
                           (long long)check->file->log_count);
}

/* Payloads. */

int sw__file_payload_sealed(sw__hasher *hasher, const sw__file_payload *kept, size_t part_count,
                            const sw__file_payload *sealed)
{
    uint8_t digest[32];
    if (kept->epoch != sealed->epoch && part_count > 1)
        return 0;
    if (sw__audit_digest(hasher, kept->salt, kept->parts, part_count, digest) < 0)
        return SW_ENOMEM;
    return memcmp(digest, sealed->digest, sizeof(digest)) == 0;
}

/* What a payload is of: "input", of the task; "result", of a step; "event", of a type. */
typedef struct verdict_place {
    const char *what;
    const char *of;
    sw_str name;
    int64_t entry_no;
} verdict_place;

/* "the input of the task was edited", "the result of step "charge" was taken out". */
static int verdict_payload_doubt(file_verdict *check, const verdict_place *place, const char *fault)
{
    int64_t number = place->entry_no;
    if (!place->name.ptr)
        return sw__doubt_raise(&check->doubt, number, number, "the %s of the task %s", place->what,
                               fault);
    return sw__doubt_raise(&check->doubt, number, number, "the %s of %s \"%.*s\" %s", place->what,
                           place->of, SW__FMT(place->name), fault);
}

static int verdict_payload(file_verdict *check, const verdict_place *place,
                           const sw__file_payload *found, const sw__file_payload *sealed,
                           size_t part_count, sw_error *err)
{
    bool erased = check->play.erased_entry_no > 0;
    if (sealed->form == SW__FILE_NONE)
        return found->form == SW__FILE_NONE
                   ? SW_OK
                   : verdict_payload_doubt(check, place, "was added: no entry sealed one");
    if (found->form == SW__FILE_NONE)
        return verdict_payload_doubt(check, place, "was taken out");
    if (erased != (found->form == SW__FILE_ERASED))
        return verdict_payload_doubt(check, place,
                                     erased
                                         ? "is there, although the task was erased"
                                         : "was taken out: only its digest is left, and no entry "
                                           "says that the task was erased");
    if (erased && memcmp(found->digest, sealed->digest, sizeof(found->digest)) != 0)
        return verdict_payload_doubt(check, place, "has another digest than was sealed");
    if (erased)
        return SW_OK;
    int rc = sw__file_payload_sealed(check->hasher, found, part_count, sealed);
    if (rc < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return rc == 1 ? SW_OK : verdict_payload_doubt(check, place, "was edited");
}

/* Rows. */

static int verdict_task(file_verdict *check, sw_error *err)
{
    const sw__file_task *found = &check->file->task;
    const sw__file_task *row = &check->play.row;
    if (found->state != row->state)
        return sw__doubt_raise(&check->doubt, check->play.task.entry_no, check->play.task.entry_no,
                               "the task is %s in its row, but %s by its entries: the row was "
                               "edited, or entries were left out at the end",
                               sw_task_state_name(found->state), sw_task_state_name(row->state));
    if (found->created_us != row->created_us || found->started_us != row->started_us ||
        found->changed_us != row->changed_us || !sw__str_equal(found->initiator, row->initiator) ||
        !sw__str_equal(found->reason, row->reason))
        return sw__doubt_raise(&check->doubt, check->play.task.entry_no, check->play.task.entry_no,
                               "the row of the task has another time, initiator or reason than its "
                               "entries: it was edited");
    const verdict_place input = {.what = "input"};
    return verdict_payload(check, &input, &check->file->input, &check->play.input, 1, err);
}

/* A step that waits has something to wait for, once the commit that ended the last of it is over.
 */
static int verdict_pending(file_verdict *check, size_t index)
{
    const sw__replay_task *task = &check->play.task;
    const sw_workflow_step *step = &task->workflow->steps[index];
    sw__tally tally = sw__replay_count(task, index);
    if (task->steps[index].state != SW_STEP_PENDING ||
        (!sw__tally_is_met(tally, step) && !sw__tally_is_void(tally, step)))
        return SW_OK;
    return sw__doubt_raise(&check->doubt, task->entry_no, task->entry_no,
                           "step \"%.*s\" still waits, although what it waits for has ended: "
                           "entries were left out",
                           SW__FMT(step->name));
}

static int verdict_step(file_verdict *check, size_t index, sw_error *err)
{
    const sw__file_step *found = &check->file->steps[index];
    const sw__file_step *row = &check->play.steps[index];
    const verdict_place result = {.what = "result", .of = "step", .name = row->name};
    const verdict_place error = {.what = "error", .of = "step", .name = row->name};
    int64_t entry_no = check->play.task.steps[index].entry_no;
    if (found->state != row->state || found->attempt != row->attempt ||
        found->crashes != row->crashes || found->epoch != row->epoch ||
        found->changed_us != row->changed_us)
        return sw__doubt_raise(
            &check->doubt, entry_no, entry_no,
            "step \"%.*s\" is %s in its row (attempt %d, epoch %lld), but %s (attempt %d, epoch "
            "%lld) by its entries: the row was edited, or entries were left out at the end",
            SW__FMT(row->name), sw_step_state_name(found->state), found->attempt,
            (long long)found->epoch, sw_step_state_name(row->state), row->attempt,
            (long long)row->epoch);
    int rc = verdict_pending(check, index);
    if (rc == SW_OK)
        rc = verdict_payload(check, &result, &found->result, &row->result, 1, err);
    return rc == SW_OK
               ? verdict_payload(check, &error, &found->error, &row->error, SW__FILE_PARTS, err)
               : rc;
}

static int verdict_event(file_verdict *check, size_t index, sw_error *err)
{
    const sw__file_entry *found = &check->file->entries[index];
    const verdict_place data = {"data", "the event", found->entry.subject, found->entry.entry_no};
    if (found->entry.kind != SW_AUDIT_EVENT)
        return SW_OK;
    return verdict_payload(check, &data, &found->event, &check->play.events[index], SW__FILE_PARTS,
                           err);
}

static int verdict_rows(file_verdict *check, sw_error *err)
{
    int rc = sw__file_play_open(&check->play, check->arena, check->hasher, check->file, 0, err);
    if (rc == SW_EAUDIT) {
        const sw__doubt *doubt = &check->play.replay.doubt;
        return sw__doubt_raise(&check->doubt, doubt->first, doubt->last, "%s", doubt->message);
    }
    if (rc == SW_OK)
        rc = verdict_task(check, err);
    for (size_t i = 0; rc == SW_OK && i < check->file->step_count; i++)
        rc = verdict_step(check, i, err);
    for (size_t i = 0; rc == SW_OK && i < check->file->entry_count; i++)
        rc = verdict_event(check, i, err);
    return rc;
}

/* The report. */

static const char *verdict_plural(int64_t count)
{
    return count == 1 ? "y is" : "ies are";
}

/* "signed (L2): 10 entries are in the log of 31 that was signed; the task, its 2 steps and their
 * payloads are what they say. Not shown: ..." */
static void verdict_praise(const file_verdict *check, sw_audit_report *report)
{
    static const char *const levels[SW_AUDIT_LEVEL_COUNT] = {"", "integrity (L1)", "signed (L2)",
                                                             "anchored (L3)"};
    static const char *const roots[SW_AUDIT_LEVEL_COUNT] = {
        "", "whose root nobody has vouched for", "that was signed", "that was signed and anchored"};
    int64_t tail = (int64_t)check->file->entry_count - check->proved;
    char behind[120] = "";
    if (tail > 0)
        snprintf(behind, sizeof(behind),
                 ", with %lld that %s newer than the checkpoint and not proved", (long long)tail,
                 tail == 1 ? "is" : "are");
    snprintf(report->message, sizeof(report->message),
             "%s: %lld entr%s in the log of %lld %s; the task, its %zu steps and their payloads "
             "are what they say%s. Not shown: that no entry was left out.",
             levels[check->level], (long long)check->proved, verdict_plural(check->proved),
             (long long)check->file->log_count, roots[check->level], check->file->step_count,
             behind);
}

static void verdict_fill(const file_verdict *check, sw_audit_report *report)
{
    const sw__replay *replay = &check->play.replay;
    report->ok = !check->doubt.raised;
    report->entry_count = (int64_t)check->file->entry_count;
    report->step_count = replay->step_count;
    report->commit_count = replay->commit_count;
    report->fenced_count = replay->fenced_count;
    report->reclaim_count = replay->reclaim_count;
    report->erased_count = replay->erased_count;
    report->pruned_count = replay->pruned_count;
    sw__hash_hex(check->file->root, report->root);
    if (check->doubt.raised) {
        report->first_bad_entry = check->doubt.first;
        report->last_bad_entry = check->doubt.last;
        snprintf(report->message, sizeof(report->message), "%s", check->doubt.message);
        return;
    }
    report->level = check->level;
    report->signed_count = check->level > SW_AUDIT_INTEGRITY ? check->proved : 0;
    report->anchored_count = check->level > SW_AUDIT_SIGNED ? check->proved : 0;
    report->anchored_us = check->anchored_us;
    verdict_praise(check, report);
}

int sw__task_file_check(sw__arena *arena, sw__hasher *hasher, const sw__task_file *file,
                        const sw_audit_trust *trusted, sw_audit_report *report, sw_error *err)
{
    const uint32_t size = report->size;
    file_verdict check = {.file = file, .arena = arena, .hasher = hasher};
    *report = (sw_audit_report){.size = size};
    int rc = verdict_peek(&check);
    if (rc == SW_OK)
        rc = verdict_proofs(&check, err);
    if (rc == SW_OK)
        rc = verdict_trust(&check, trusted, err);
    if (rc == SW_OK)
        rc = verdict_rows(&check, err);
    if (rc == SW_OK || rc == SW_EAUDIT)
        verdict_fill(&check, report);
    if (check.play.replay.arena)
        sw__file_play_close(&check.play);
    return rc == SW_EAUDIT ? sw__fail(err, SW_EAUDIT, "%s", report->message) : rc;
}
