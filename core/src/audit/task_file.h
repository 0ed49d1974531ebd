/* A task file inside the core: what is in it, reading and writing its text, what its entries say,
 * and whether the rest of it agrees with them. docs/reference/task-file.md describes the text.
 *
 *     task_file_write.c   the text of a file
 *     task_file_read.c    a file of a text, nothing believed but its form
 *     task_file_play.c    entries one after the other: the rows they lead to, at any of them
 *     task_file_check.c   proofs, checkpoint and payloads against the entries, rows against the play
 *
 * Not here: where a task comes from (engine/task_export.c) and goes to (engine/task_file.c). */
#ifndef SW_AUDIT_TASK_FILE_H
#define SW_AUDIT_TASK_FILE_H

#include "audit/doubt.h"
#include "audit/replay.h"
#include "audit/tree.h"
#include "base/arena.h"
#include "base/limits.h"
#include "model/workflow.h"
#include "store/store.h"
#include "stepwell/task_file.h"

#define SW__TASK_FILE_TIME_MAX (INT64_MAX / 8)
#define SW__TASK_FILE_ENTRY_MAX (INT64_MAX / 4)

/* KEPT: it is in the file. ERASED: its digest is, from the entry that sealed it. */
typedef enum sw__file_form { SW__FILE_NONE, SW__FILE_KEPT, SW__FILE_ERASED } sw__file_form;

#define SW__FILE_PARTS 3 /* an error: class, message, detail; an event: data, key, correlation id */

typedef struct sw__file_payload {
    sw__file_form form;
    int64_t epoch; /* of an error */
    uint8_t salt[32];
    uint8_t digest[32]; /* of an erased one */
    sw_str parts[SW__FILE_PARTS];
} sw__file_payload;

/* What is said of a step; fails_us and not_before_us no entry seals. */
typedef struct sw__file_step {
    sw_str name;
    int32_t state;
    int32_t attempt;
    int32_t crashes;
    int64_t epoch;
    int64_t changed_us;
    int64_t worker_id; /* who runs it; not in the text */
    sw__file_payload result;
    sw__file_payload error;
    int64_t not_before_us;
    int64_t fails_us;
} sw__file_step;

typedef struct sw__file_task {
    int32_t state;
    int64_t created_us;
    int64_t started_us;
    int64_t changed_us;
    sw_str initiator;
    sw_str reason;
} sw__file_task;

typedef struct sw__file_entry {
    sw_str bytes; /* canonical */
    sw_audit_entry entry;
    bool proved;
    int32_t hash_count; /* of its proof */
    uint8_t *hashes;    /* 32 bytes each */
    sw__file_payload event; /* of an appended one */
} sw__file_entry;

/* Whatever no entry seals. */
typedef struct sw__file_unsealed {
    int64_t exported_us;
    int32_t priority;
    int64_t deadline_us;
    sw_str key;
    sw_str correlation_id;
    sw_str tags; /* JSON array of strings, absent when none */
    const sw__worker_rec *workers;
    size_t worker_count;
    const sw_breaker_row *breakers; /* settings.name is all that is known of the settings */
    size_t breaker_count;
} sw__file_unsealed;

typedef struct sw__task_file {
    sw_uuid task_id;
    int64_t task_no; /* as the entries have it */
    sw_workflow *workflow;
    sw__file_task task;
    sw__file_payload input;
    sw__file_step *steps; /* as the workflow has them */
    size_t step_count;
    sw__file_entry *entries;
    size_t entry_count;
    sw_str checkpoint; /* absent: the root is not signed */
    int64_t log_count;
    uint8_t root[32];
    sw__file_unsealed unsealed;
} sw__task_file;

/* Append the text. 0, SW_ELIMIT or SW_ENOMEM. */
int sw__task_file_write(sw__buf *out, const sw__task_file *file, sw_error *err);
/* Read a text into the arena; file->workflow is to be freed, after an error too. The rows, and what
 * else an entry says, are what the file claims. errors: SW_EINVAL, SW_ELIMIT, SW_ENOMEM. */
int sw__task_file_read(sw__arena *arena, sw_str source, sw_str text, sw__task_file *file,
                       sw_error *err);

/* Entries up to one of the log, one after the other. */
typedef struct sw__file_play {
    sw__replay replay;
    sw__replay_task task;
    sw__file_task row;
    sw__file_step *steps; /* states and numbers; payloads as they were sealed last: ERASED */
    sw__file_payload input;
    sw__file_payload *events; /* by entry, as they were sealed: ERASED */
    size_t played;        /* entries */
    int64_t erased_entry_no;
} sw__file_play;

/* Follow the entries up to number entry_no, and on to the end of the commit that it is of; 0: all. Close in any case. errors: SW_EAUDIT (the doubt
 * of the play says what), SW_ENOMEM. */
int sw__file_play_open(sw__file_play *play, sw__arena *arena, sw__hasher *hasher,
                       const sw__task_file *file, int64_t entry_no, sw_error *err);
void sw__file_play_close(sw__file_play *play);
/* The number that the entries give the task; 0: they do not agree about it. */
int64_t sw__task_file_number(const sw__task_file *file);
/* Whether a payload of the file is the one that was sealed; 1, 0 or SW_ENOMEM. */
int sw__file_payload_sealed(sw__hasher *hasher, const sw__file_payload *kept, size_t part_count,
                            const sw__file_payload *sealed);

/* Whether all of a file agrees with its entries, and they with the checkpoint and what is trusted
 * (NULL: nothing). Fills report, whose size is set. errors: SW_EAUDIT (the report says what),
 * SW_EINVAL (a key), SW_ENOMEM. */
int sw__task_file_check(sw__arena *arena, sw__hasher *hasher, const sw__task_file *file,
                        const sw_audit_trust *trusted, sw_audit_report *report, sw_error *err);

#endif
