/* A task as a portable file: its definition, rows, payloads, every entry of the audit log about it,
 * and for each a proof that it is in the log. Who has the file needs no database: it is verified,
 * opened as an engine of its own, looked at as the task itself would be, put back to any of its
 * entries, and played on from there.
 *
 *     sw_task_export(engine, &task_id, checkpoint, path, &result, &err);   where the task is
 *
 *     sw_task_file_verify(source, text, &trust, &report, &err);            anywhere else
 *     sw_task_file_open(&options, text, &copy, &err);
 *     sw_step_explain(copy, &task_id, step, &result, &err);
 *
 * docs/reference/task-file.md describes the text, which is JSON; docs/examples/audit has two other
 * verifiers. Proofs of inclusion show that each entry is in the log, unchanged and in its place, and
 * replaying them that they fit together; that none was left out they cannot show
 * (sw_audit_verify_signed of the whole log can). The file of a task that is erased later keeps its
 * payloads: it is a copy like any backup.
 */
#ifndef STEPWELL_TASK_FILE_H
#define STEPWELL_TASK_FILE_H

#include "checkpoint.h"

#define SW_TASK_FILE_VERSION 1 /* of the format */

/* A task file that was written. */
typedef struct sw_task_file {
    sw_uuid task_id;
    int64_t entry_count;  /* entries in the file: those of the task, of its definition, its workers */
    int64_t proved_count; /* of them, those that the checkpoint covers; the others have no proof */
    int64_t log_count;    /* entries of the log that the proofs lead to */
    int32_t is_signed;    /* 0: they lead to a root that nobody has signed */
    int32_t reserved;
    sw_str text;
} sw_task_file;

typedef struct sw_task_file_options {
    uint32_t size;
    int32_t reserved;
    int64_t entry_no;  /* the task as it stood after the commit that wrote this entry of the log; 0:
                          as it was exported */
    sw_str source;     /* name of the file, for messages */
    const sw_env *env; /* NULL: sw_env_system(); must outlive the engine and its results */
    const sw_log *log; /* NULL: no log; must outlive the engine */
} sw_task_file_options;

#define SW_TASK_FILE_OPTIONS_INIT {.size = sizeof(sw_task_file_options)}

SW_BEGIN_DECLS

/* Write a task as a file. With a checkpoint the proofs lead to it, and entries behind it are in the
 * file without a proof; its signatures are not looked at, its root is. Without one they lead to the
 * root of the log as it is now, which nobody has signed. With a path the text is written there, too:
 * to a temporary name beside it, synced and renamed, so that the file is there whole or not at all.
 * sw_task_files reads the answer.
 *
 * owns:    task_id, checkpoint and path are borrowed until return; *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently; one at a time to one path.
 * blocks:  disk; reads the log up to the checkpoint.
 * errors:  SW_EINVAL (no checkpoint), SW_ENOTFOUND (the task; the directory of path), SW_EAUDIT (the
 *          log is not the one of the checkpoint, or not that of the rows), SW_ELIMIT (more than a
 *          file may hold), SW_EACCESS, SW_EFULL, SW_EBUSY, SW_EIO, SW_ECORRUPT, SW_ENOMEM,
 *          SW_EFORKED.
 */
SW_API int sw_task_export(sw_engine *engine, const sw_uuid *task_id, sw_str checkpoint, sw_str path,
                          sw_result **out, sw_error *err);

/* Rows of a result of sw_task_export; one.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_task_file *sw_task_files(const sw_result *result, size_t *count);

/* Verify the text of a task file: every entry is in the tree whose root the file names, entries
 * follow each other as the engine moves tasks, rows say what the entries say, and payloads are those
 * that the entries sealed. Without trust that is level L1: whoever wrote the file may have made all
 * of it. With trust the file's checkpoint must be signed by one of its keys, and agree with every
 * checkpoint and anchor given that covers as many entries; a file without a checkpoint needs one of
 * these. The report's counts are those of the file; signed_count are its entries that are proved.
 * What no entry seals (the part "unsealed" of the file) is not proved by anything.
 *
 * owns:    source and text are borrowed until return, as are trust (NULL: none), its strings and
 *          report; set trust->size and report->size first.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EAUDIT (report says where and what), SW_EINVAL (no task file: the message says
 *          source:line:column; or a key cannot be read), SW_ELIMIT, SW_ENOMEM.
 */
SW_API int sw_task_file_verify(sw_str source, sw_str text, const sw_audit_trust *trust,
                               sw_audit_report *report, sw_error *err);

/* Open a task file as an engine in memory that has this task and nothing else. Everything that is
 * asked about a task can be asked there; its clock goes on from the moment of the export, or from
 * that of entry_no, with the state, payloads and history that the task had then. Forecasts of a task
 * that was put back know how long its steps have really taken. Workers may be opened there and play
 * it on: nothing of that leaves the process. The text is verified first, as far as that needs no
 * trust.
 *
 * owns:    options, its strings and text are borrowed until return; set options->size first. *out is
 *          the caller's (sw_engine_close).
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  SW_EAUDIT (it does not verify), SW_EINVAL (no task file, as above), SW_ENOTFOUND
 *          (entry_no is before the first entry of the task or behind its last), SW_ELIMIT, SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_task_file_open(const sw_task_file_options *options, sw_str text, sw_engine **out,
                             sw_error *err);

SW_END_DECLS

#endif
