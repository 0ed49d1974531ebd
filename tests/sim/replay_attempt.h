/* Attempts of steps as the history tells them: starts, ends, and deadlines (replay_attempt.c).
 *
 * Not here: which entries there may be at all, and what else an entry changes (replay.c).
 */
#ifndef SIM_REPLAY_ATTEMPT_H
#define SIM_REPLAY_ATTEMPT_H

#include "sim/replay.h"

/* Whether an entry says that a deadline ends something. */
bool replay_is_late(const sw_audit_entry *entry);
/* Whether a deadline has passed when an entry is written; due_us 0: there is none. */
bool replay_is_due(int64_t due_us, const sw_audit_entry *entry);
/* The same of a task's: one that has passed when the task is taken up again has had its effect. */
bool replay_task_is_due(const replay_task *task, const sw_audit_entry *entry);

void replay_start(replay *r, replay_task *task, int index, const sw_audit_entry *entry);
/* A step that runs gets another state. */
void replay_leave_running(replay *r, replay_task *task, int index, const sw_audit_entry *entry);
/* Between two attempts nothing but its deadline fails a step, under an epoch that no attempt has. */
void replay_fail_waiting(const replay *r, replay_task *task, int index,
                         const sw_audit_entry *entry);
/* Who cancels: an operator the task, a failure what does not run, and the task's deadline all. */
void replay_cancel(const replay *r, replay_task *task, int index, const sw_audit_entry *entry);

#endif
