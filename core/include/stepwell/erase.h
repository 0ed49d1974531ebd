/* Erasing what is known of a person, while every proof about the audit log still holds.
 *
 * A subject is who payloads are about: an opaque name ("customer-42") that a task was given as a tag
 * when it was submitted, "subject:customer-42". The log holds salted digests of payloads, so that
 * with payload and salt gone nobody can tell what they were, and no entry has to change.
 *
 *     sw_erase_options options = SW_ERASE_OPTIONS_INIT;
 *     options.subject = (sw_str){"customer-42", 11};
 *     options.actor = (sw_str){"ann", 3};
 *     options.reason = (sw_str){"request of 31 May", 17};
 *     sw_task_erase(engine, &options, &report, &err);
 *
 * Names stay: workflow, steps, tags, keys, correlation ids, initiators, actors and reasons are in
 * the log or lead to it, and should not be those of a person that may have to be forgotten.
 */
#ifndef STEPWELL_ERASE_H
#define STEPWELL_ERASE_H

#include "engine.h"
#include "error.h"
#include "types.h"

#define SW_SUBJECT_TAG "subject:" /* before the subject, in the tag of a task */

typedef struct sw_erase_options {
    uint32_t size;
    int32_t dry_run; /* 1: count, and change nothing */
    int32_t quick;   /* 1: do not rewrite the file; old copies may remain in unused room of it and
                        in its log */
    int32_t reserved;
    sw_str subject; /* without SW_SUBJECT_TAG */
    sw_str actor;   /* who, for the audit log */
    sw_str reason;  /* why, for the audit log */
} sw_erase_options;

#define SW_ERASE_OPTIONS_INIT {.size = sizeof(sw_erase_options)}

typedef struct sw_erase_report {
    uint32_t size;
    int32_t clean;        /* 1: no copy is left in the database file and its log, and that is on
                             disk; 0: both may have some */
    int64_t task_count;   /* tasks that were erased */
    int64_t erased_count; /* tasks of the subject that had been erased before */
} sw_erase_report;

#define SW_ERASE_REPORT_INIT {.size = sizeof(sw_erase_report)}

SW_BEGIN_DECLS

/* Destroy the inputs, results and errors of all tasks of a subject, with their salts and the digests
 * of their idempotency keys. Rows, states and the log stay; each task gets an entry
 * (SW_AUDIT_TASK_ERASED) with actor and reason in the same transaction, 100 tasks in one. A task that
 * was erased never goes on: its steps cannot be overridden, and its key answers SW_ECONFLICT to any
 * input.
 *
 * Nothing is erased while a task of the subject has not ended; cancel it first. The file is then
 * rewritten (it takes as much room again meanwhile, and other writers wait) and its log emptied;
 * that fails to remove every copy while others are in the middle of reading (report->clean is 0):
 * erase again when they have ended. Who has the database open and reads nothing keeps nothing. A
 * payload that a task of another subject has, too, stays there. Backups are the operator's business,
 * and blocks that the file system has taken back are its own.
 *
 * owns:    options, its strings and report are borrowed until return; set report->size first.
 * threads: any thread, concurrently.
 * blocks:  disk (many commits, then the whole file); each may wait for another writer up to
 *          busy_timeout_ms.
 * errors:  SW_EINVAL (no subject, actor or reason), SW_ESTATE (a task has not ended), SW_ELIMIT,
 *          SW_EBUSY, SW_EIO, SW_EFULL, SW_ECORRUPT, SW_ENOMEM, SW_EFORKED. What was committed before
 *          an error stays erased and is in the report.
 */
SW_API int sw_task_erase(sw_engine *engine, const sw_erase_options *options,
                         sw_erase_report *report, sw_error *err);

SW_END_DECLS

#endif
