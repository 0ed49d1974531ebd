/* An operator who erases a subject, once all its tasks were acknowledged, and looks at every byte
 * of the database for what must be gone.
 */
#include <string.h>

#include "sim/actor.h"

static bool erase_is_of(const ledger_task *task, int subject)
{
    return task->tag[strlen(task->tag) - 1] - '0' == subject;
}

static bool erase_may_begin(const ledger *l)
{
    for (int i = 0; i < l->task_count; i++) {
        if (!l->tasks[i].acknowledged)
            return false;
    }
    return true;
}

static void erase_look(const actor *self, const char *name, const char *input)
{
    const disk_bytes *bytes = disk_content(&actor_ledger(self)->disk, name);
    if (bytes && memmem(bytes->ptr, bytes->size, input, strlen(input)))
        world_violate(self->world, "O13", "%s still has the text %s, which was erased", name,
                      input);
}

/* Events of the task whose append was acknowledged; what was refused was never written. */
static void erase_look_events(const actor *self, int task)
{
    stream_texts texts;
    sw_event_row row;
    const ledger *l = actor_ledger(self);
    for (int i = 0; i < l->stream.row_count; i++) {
        if (l->stream.rows[i].task != task || !l->stream.rows[i].position)
            continue;
        stream_fill(l, i, &texts, &row);
        erase_look(self, DISK_DATABASE, texts.data);
        erase_look(self, DISK_LOG, texts.data);
    }
}

static void erase_take(actor *self, int subject, const sw_erase_report *report, int64_t epoch)
{
    ledger *l = actor_ledger(self);
    if (report->task_count > 0 && epoch)
        l->stream.gone = epoch;
    for (int i = 0; i < l->task_count; i++) {
        ledger_task *task = &l->tasks[i];
        if (!erase_is_of(task, subject))
            continue;
        task->erase_acknowledged = true;
        ledger_ended(l, task);
        if (report->clean) {
            erase_look(self, DISK_DATABASE, task->input);
            erase_look(self, DISK_LOG, task->input);
            erase_look_events(self, i);
        }
    }
}

/* SW_ESTATE: one of the tasks has not ended yet. */
static int operate_erase(actor *self, int subject, sw_error *error)
{
    ledger *l = actor_ledger(self);
    sw_erase_options options = SW_ERASE_OPTIONS_INIT;
    sw_erase_report report = SW_ERASE_REPORT_INIT;
    options.subject = subject ? LIT("s1") : LIT("s0");
    options.actor = LIT("ann");
    options.reason = LIT("simulated");
    options.quick = choice_once_in(&self->world->choice, CHOICE_DETAIL, 3);
    for (int i = 0; i < l->task_count; i++)
        l->tasks[i].erase_asked = l->tasks[i].erase_asked || erase_is_of(&l->tasks[i], subject);
    int64_t epoch = stream_may_forget(&l->stream);
    actor_arm_memory(self);
    world_note(self->world, "erases s%d", subject);
    int rc = sw_task_erase(self->engine, &options, &report, error);
    if (rc == 0)
        erase_take(self, subject, &report, epoch);
    return rc;
}

void actor_erase(actor *self)
{
    sw_error error;
    int errors = 0;
    int rc = SW_ESTATE;
    ledger *l = actor_ledger(self);
    int subject = (int)choice_draw(&self->world->choice, CHOICE_WORKLOAD, 2);
    while (rc < 0 && !l->stop) {
        actor_sleep_up_to(self, 1500);
        rc = erase_may_begin(l) ? operate_erase(self, subject, &error) : SW_ESTATE;
        if (rc < 0 && rc != SW_ESTATE)
            actor_bear(self, &errors, rc, &error);
    }
}
