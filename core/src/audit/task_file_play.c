/* The entries of a task file, one after the other, in the state machine that verifies whole logs
 * (replay.h); see task_file.h. The rows of the task come out of it, as they were after any entry.
 *
 * What it cannot know is what other tasks do: circuit breakers count the steps of all, so that
 * nothing is said here of when one was open. */
#include <string.h>

#include "audit/task_file.h"
#include "base/error.h"
#include "base/str.h"

/* Whether an entry is about a task; the others are about definitions and workers. */
static bool play_of_task(const sw_audit_entry *entry)
{
    switch (entry->kind) {
    case SW_AUDIT_TASK_SUBMITTED:
    case SW_AUDIT_TASK_CHANGED:
    case SW_AUDIT_STEP_CHANGED:
    case SW_AUDIT_STEP_FENCED:
    case SW_AUDIT_TASK_PRUNED:
    case SW_AUDIT_TASK_ERASED:
    case SW_AUDIT_EVENT:
        return true;
    default:
        return false;
    }
}

int64_t sw__task_file_number(const sw__task_file *file)
{
    int64_t task_no = 0;
    for (size_t i = 0; i < file->entry_count; i++) {
        const sw_audit_entry *entry = &file->entries[i].entry;
        int64_t found = SW__STEP_TASK(entry->step_id);
        if (!play_of_task(entry) || entry->step_id == 0)
            continue;
        if (found == 0 || (task_no != 0 && found != task_no))
            return 0;
        task_no = found;
    }
    return task_no ? task_no : 1;
}

static int play_init(sw__file_play *play, sw__arena *arena, sw__hasher *hasher,
                     const sw__task_file *file, sw_error *err)
{
    sw__replay *replay = &play->replay;
    sw_workflow *workflow = file->workflow;
    int rc = sw__replay_init(replay, NULL, hasher, sw__arena_env(arena));
    play->steps = sw__arena_array(arena, workflow->step_count, sizeof(*play->steps));
    play->events = sw__arena_array(arena, file->entry_count, sizeof(*play->events));
    if (rc < 0 || !play->steps || !play->events)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (size_t i = 0; i < workflow->step_count; i++)
        play->steps[i].name = workflow->steps[i].name;
    sw_str digest = sw__str(workflow->digest_hex);
    if (sw__strmap_put(&replay->workflows, digest, (intptr_t)workflow) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    sw__workflow_keep(workflow); /* the replay gives it up */
    play->task.task_no = file->task_no;
    if (sw__map_put(&replay->tasks, file->task_no, (intptr_t)&play->task) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

/* The definition of the file is the one that the task was submitted with. */
static int play_check_definition(sw__file_play *play, const sw__task_file *file,
                                 const sw_audit_entry *entry)
{
    const sw_workflow *workflow = file->workflow;
    bool same = true;
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED)
        same = sw__str_is(entry->subject, workflow->digest_hex);
    if (entry->kind == SW_AUDIT_WORKFLOW_REGISTERED)
        same = entry->digest.ptr &&
               memcmp(entry->digest.ptr, workflow->digest, sizeof(workflow->digest)) == 0;
    if (same)
        return SW_OK;
    return sw__doubt_raise(&play->replay.doubt, entry->entry_no, entry->entry_no,
                           "the definition was edited: entry %lld names another one",
                           (long long)entry->entry_no);
}

/* What has to hold of an entry beside the one before it, whatever it says. */
static int play_check(sw__file_play *play, const sw__task_file *file, size_t at)
{
    sw__doubt *doubt = &play->replay.doubt;
    const sw_audit_entry *entry = &file->entries[at].entry;
    const sw_audit_entry *before = at > 0 ? &file->entries[at - 1].entry : NULL;
    int64_t number = entry->entry_no;
    if (before && number <= before->entry_no)
        return sw__doubt_raise(doubt, number, number,
                               "entry %lld follows entry %lld: entries were repeated, or put in "
                               "another order",
                               (long long)number, (long long)before->entry_no);
    if (entry->time_us > SW__TASK_FILE_TIME_MAX || (before && entry->time_us < before->time_us))
        return sw__doubt_raise(doubt, number, number,
                               "entry %lld is older than the entry before it: one of the two is of "
                               "another log",
                               (long long)number);
    if (play_of_task(entry) && memcmp(&entry->task_id, &file->task_id, sizeof(file->task_id)) != 0)
        return sw__doubt_raise(doubt, number, number, "entry %lld is about another task",
                               (long long)number);
    return play_check_definition(play, file, entry);
}

static void play_task(sw__file_play *play, const sw_audit_entry *entry)
{
    sw__file_task *row = &play->row;
    if (entry->kind == SW_AUDIT_TASK_SUBMITTED) {
        *row = (sw__file_task){.created_us = entry->time_us,
                               .changed_us = entry->time_us,
                               .initiator = entry->actor,
                               .reason = entry->reason};
        for (size_t i = 0; i < play->task.workflow->step_count; i++)
            play->steps[i].changed_us = entry->time_us;
    }
    if (entry->kind == SW_AUDIT_TASK_CHANGED) {
        row->changed_us = entry->time_us;
        if (entry->to == SW_TASK_RUNNING && row->started_us == 0)
            row->started_us = entry->time_us;
    }
}

/* The replay has followed the entry, so that it names a step of the definition. */
static void play_step(sw__file_play *play, const sw_audit_entry *entry)
{
    if (entry->kind != SW_AUDIT_STEP_CHANGED)
        return;
    sw__file_step *step = &play->steps[SW__STEP_INDEX(entry->step_id)];
    step->changed_us = entry->time_us;
    step->worker_id = entry->to == SW_STEP_RUNNING ? entry->worker_id : 0;
}

/* The newest seal of each kind is of what the rows have. */
static sw__file_payload *play_sealed(sw__file_play *play, const sw__seal *seal, size_t at)
{
    if (seal->kind == SW__SEAL_INPUT)
        return &play->input;
    if (seal->kind == SW__SEAL_EVENT)
        return &play->events[at];
    sw__file_step *step = &play->steps[SW__STEP_INDEX(seal->key)];
    return seal->kind == SW__SEAL_RESULT ? &step->result : &step->error;
}

static void play_seals(sw__file_play *play, size_t at)
{
    const sw__seal *seals = (const sw__seal *)(const void *)play->replay.seals.ptr;
    size_t count = play->replay.seals.len / sizeof(*seals);
    for (size_t i = 0; i < count; i++) {
        sw__file_payload *out = play_sealed(play, &seals[i], at);
        *out = (sw__file_payload){.form = SW__FILE_NONE, .epoch = seals[i].epoch};
        if (!seals[i].digest.ptr)
            continue;
        out->form = SW__FILE_ERASED;
        memcpy(out->digest, seals[i].digest.ptr, sizeof(out->digest));
    }
    sw__buf_clear(&play->replay.seals);
}

static int play_entry(sw__file_play *play, const sw__task_file *file, size_t at, sw_error *err)
{
    const sw_audit_entry *entry = &file->entries[at].entry;
    bool of_task = play_of_task(entry);
    int rc = play_check(play, file, at);
    if (rc == SW_OK && !of_task && entry->kind == SW_AUDIT_BREAKER_CHANGED)
        rc = sw__doubt_raise(&play->replay.doubt, entry->entry_no, entry->entry_no,
                             "entry %lld is not about the task", (long long)entry->entry_no);
    if (rc == SW_OK)
        rc = sw__replay_move(&play->replay, of_task ? &play->task : NULL, entry, err);
    if (rc < 0)
        return rc;
    play_task(play, entry);
    play_step(play, entry);
    if (play->replay.seals.failed)
        return sw__fail(err, SW_ENOMEM, NULL);
    play_seals(play, at);
    return SW_OK;
}

/* The rows as the replay has them. */
static void play_rows(sw__file_play *play)
{
    const sw__replay_task *task = &play->task;
    play->row.state = task->state;
    play->erased_entry_no = task->erased_entry_no;
    for (size_t i = 0; i < task->workflow->step_count; i++) {
        const sw__replay_step *from = &task->steps[i];
        sw__file_step *to = &play->steps[i];
        to->state = (int32_t)from->state;
        to->attempt = from->attempt;
        to->crashes = (int32_t)from->crashes;
        to->epoch = from->epoch;
    }
}

/* Entries of one commit have one time: between them a task is in no state that it ever was in. */
static bool play_is_over(const sw__task_file *file, size_t at, int64_t entry_no)
{
    const sw_audit_entry *entry = &file->entries[at].entry;
    if (entry_no == 0 || entry->entry_no <= entry_no)
        return false;
    return at == 0 || file->entries[at - 1].entry.time_us != entry->time_us;
}

int sw__file_play_open(sw__file_play *play, sw__arena *arena, sw__hasher *hasher,
                       const sw__task_file *file, int64_t entry_no, sw_error *err)
{
    *play = (sw__file_play){0};
    int rc = play_init(play, arena, hasher, file, err);
    for (size_t i = 0; rc == SW_OK && i < file->entry_count; i++) {
        if (play_is_over(file, i, entry_no))
            break;
        rc = play_entry(play, file, i, err);
        play->played++;
    }
    if (rc == SW_OK && !play->task.workflow)
        rc = sw__doubt_raise(&play->replay.doubt, 1, 1,
                             "no entry says that the task was submitted: the first one was left "
                             "out");
    if (rc == SW_OK)
        play_rows(play);
    return rc;
}

void sw__file_play_close(sw__file_play *play)
{
    sw__replay_free(&play->replay);
}
