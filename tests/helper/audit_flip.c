/* Showing rows with a bit flipped; see audit_flip.h. Rows are met in the order in which a
 * verification reads them, which is the same each time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/audit_flip.h"

#include <string.h>

#define FLIP_TEXT_MAX 4096
#define FLIP_FAILURES 256

static struct {
    const sw__store_ops *honest;
    sw__store_ops ops;
    audit_flip_table table;
    size_t bit;
    size_t met; /* bits of the table that have come by */
    struct {
        int64_t step_id;
        size_t met;
    } failures[FLIP_FAILURES]; /* where those of each began: they are read several times */
    size_t failure_count;
    char text[FLIP_TEXT_MAX];
} flip;

/* Some bytes of a row come by. */
static void flip_bytes(audit_flip_table table, void *bytes, size_t size)
{
    if (table != flip.table)
        return;
    if (flip.bit >= flip.met && flip.bit - flip.met < size * 8) {
        size_t bit = flip.bit - flip.met;
        ((uint8_t *)bytes)[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    flip.met += size * 8;
}

#define FLIP_FIELD(table, row, field) flip_bytes(table, &(row)->field, sizeof((row)->field))

/* A text is shown from a copy. */
static void flip_text(audit_flip_table table, sw_str *text)
{
    size_t before = flip.met;
    if (table != flip.table || !text->ptr || text->len == 0)
        return;
    if (flip.bit < before || flip.bit - before >= text->len * 8) {
        flip.met += text->len * 8;
        return;
    }
    assert_true(text->len <= sizeof(flip.text));
    memcpy(flip.text, text->ptr, text->len);
    text->ptr = flip.text;
    flip_bytes(table, flip.text, text->len);
}

static int flip_tasks_list(sw__store *store, const sw_task_filter *filter, sw__task_range range,
                           sw__arena *arena, sw__task_hot **rows, size_t *count, sw_error *err)
{
    int rc = flip.honest->tasks_list(store, filter, range, arena, rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < *count; i++) {
        sw__task_hot *row = &(*rows)[i];
        FLIP_FIELD(AUDIT_FLIP_TASK, row, task_no);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, workflow_no);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, task_id);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, state);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, counts);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, fatal);
        FLIP_FIELD(AUDIT_FLIP_TASK, row, audit_segment);
    }
    return rc;
}

typedef struct flip_walk {
    sw__step_visit visit;
    void *context;
} flip_walk;

static int flip_visit(void *context, const sw__step_hot *row, sw_error *err)
{
    const flip_walk *walk = context;
    sw__step_hot shown = *row;
    FLIP_FIELD(AUDIT_FLIP_STEP, &shown, step_id);
    FLIP_FIELD(AUDIT_FLIP_STEP, &shown, state);
    FLIP_FIELD(AUDIT_FLIP_STEP, &shown, attempt);
    FLIP_FIELD(AUDIT_FLIP_STEP, &shown, crashes);
    FLIP_FIELD(AUDIT_FLIP_STEP, &shown, epoch);
    if (row->state == SW_STEP_PENDING) {
        FLIP_FIELD(AUDIT_FLIP_STEP, &shown, open_deps);
        FLIP_FIELD(AUDIT_FLIP_STEP, &shown, rank);
    }
    return walk->visit(walk->context, &shown, err);
}

static int flip_steps_each(sw__store *store, int64_t task_no, sw__step_visit visit, void *context,
                           sw_error *err)
{
    flip_walk walk = {visit, context};
    return flip.honest->steps_each(store, task_no, flip_visit, &walk, err);
}

static int flip_tasks_info(sw__store *store, const int64_t *task_nos, size_t count,
                           sw__arena *arena, sw__task_info *rows, sw_error *err)
{
    int rc = flip.honest->tasks_info(store, task_nos, count, arena, rows, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (rows[i].input.ptr)
            FLIP_FIELD(AUDIT_FLIP_INPUT, &rows[i], input_salt);
        flip_text(AUDIT_FLIP_INPUT, &rows[i].input);
        flip_text(AUDIT_FLIP_INPUT, &rows[i].initiator);
    }
    return rc;
}

static int flip_results_get(sw__store *store, const int64_t *step_ids, size_t count,
                            sw__arena *arena, sw__payload *rows, sw_error *err)
{
    int rc = flip.honest->results_get(store, step_ids, count, arena, rows, err);
    for (size_t i = 0; rc == SW_OK && i < count; i++) {
        if (rows[i].body.ptr)
            FLIP_FIELD(AUDIT_FLIP_RESULT, &rows[i], salt);
        flip_text(AUDIT_FLIP_RESULT, &rows[i].body);
    }
    return rc;
}

static void flip_failure(sw__failure *row)
{
    FLIP_FIELD(AUDIT_FLIP_FAILURE, row, epoch);
    FLIP_FIELD(AUDIT_FLIP_FAILURE, row, salt);
    flip_text(AUDIT_FLIP_FAILURE, &row->error_class);
    flip_text(AUDIT_FLIP_FAILURE, &row->message);
    flip_text(AUDIT_FLIP_FAILURE, &row->detail);
}

static int flip_failures_get(sw__store *store, const int64_t *step_ids, size_t count,
                             sw__arena *arena, sw__failure *rows, sw_error *err)
{
    int rc = flip.honest->failures_get(store, step_ids, count, arena, rows, err);
    for (size_t i = 0; rc == SW_OK && i < count && flip.table == AUDIT_FLIP_FAILURE; i++) {
        size_t at = 0;
        size_t met = flip.met;
        if (rows[i].epoch == 0)
            continue;
        while (at < flip.failure_count && flip.failures[at].step_id != step_ids[i])
            at++;
        if (at == flip.failure_count) {
            assert_true(flip.failure_count < FLIP_FAILURES);
            flip.failures[at].step_id = step_ids[i];
            flip.failures[flip.failure_count++].met = met;
            flip_failure(&rows[i]);
            continue;
        }
        flip.met = flip.failures[at].met;
        flip_failure(&rows[i]);
        flip.met = met;
    }
    return rc;
}

static int flip_workflow_find(sw__store *store, int64_t workflow_no, sw_str name, sw_str version,
                              sw__arena *arena, sw__workflow_rec *out, sw_error *err)
{
    int rc = flip.honest->workflow_find(store, workflow_no, name, version, arena, out, err);
    if (rc == SW_OK)
        FLIP_FIELD(AUDIT_FLIP_WORKFLOW, out, digest);
    return rc;
}

static int flip_workflow_digest_find(sw__store *store, const uint8_t digest[32], sw__arena *arena,
                                     sw__workflow_rec *out, sw_error *err)
{
    int rc = flip.honest->workflow_digest_find(store, digest, arena, out, err);
    if (rc == SW_OK)
        flip_text(AUDIT_FLIP_WORKFLOW, &out->json);
    return rc;
}

static int flip_workers_list(sw__store *store, sw__arena *arena, sw__worker_rec **rows,
                             size_t *count, sw_error *err)
{
    int rc = flip.honest->workers_list(store, arena, rows, count, err);
    for (size_t i = 0; rc == SW_OK && i < *count; i++)
        FLIP_FIELD(AUDIT_FLIP_WORKER, &(*rows)[i], worker_no);
    return rc;
}

/* Each verification meets the same bits. */
static int flip_begin(sw__store *store, bool writing, sw_error *err)
{
    audit_flip_set(flip.table, flip.bit);
    return flip.honest->begin(store, writing, err);
}

void audit_flip_open(audit_log *log)
{
    flip.honest = log->store->ops;
    flip.ops = *flip.honest;
    flip.ops.begin = flip_begin;
    flip.ops.tasks_list = flip_tasks_list;
    flip.ops.steps_each = flip_steps_each;
    flip.ops.tasks_info = flip_tasks_info;
    flip.ops.results_get = flip_results_get;
    flip.ops.failures_get = flip_failures_get;
    flip.ops.workflow_find = flip_workflow_find;
    flip.ops.workflow_digest_find = flip_workflow_digest_find;
    flip.ops.workers_list = flip_workers_list;
    log->store->ops = &flip.ops;
    audit_flip_set(AUDIT_FLIP_NONE, 0);
}

void audit_flip_close(audit_log *log)
{
    log->store->ops = flip.honest;
}

void audit_flip_set(audit_flip_table table, size_t bit)
{
    flip.table = table;
    flip.bit = bit;
    flip.met = 0;
    flip.failure_count = 0;
}

size_t audit_flip_count(audit_log *log, audit_flip_table table)
{
    sw_audit_report report;
    audit_flip_set(table, SIZE_MAX);
    assert_int_equal(audit_log_verify(log, &report), SW_OK);
    return flip.met;
}

#undef FLIP_TEXT_MAX
#undef FLIP_FAILURES
#undef FLIP_FIELD
