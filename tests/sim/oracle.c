/* The oracle: the log, the ledger and the lists; see oracle.h.
 *
 * The history of each task is replayed from the audit entries (replay.c); what was acknowledged,
 * the state rows (oracle_rows.c) and every query must then say the same.
 */
#include "sim/oracle.h"

#include <string.h>

#include "engine/engine.h"
#include "sim/image.h"
#include "store/sqlite.h"

#define ORACLE_PAGE 100000
#define ORACLE_DEAD_MAX 10000
#define ORACLE_ANEW 48

void oracle_violate(const oracle *o, const char *rule, int index, const char *text)
{
    world_violate(o->l->world, rule, "task %s of w%d: %s", o->l->tasks[index].key,
                  o->l->tasks[index].shape, text);
}

static bool oracle_same(sw_str text, const char *expected)
{
    return text.len == strlen(expected) && memcmp(text.ptr, expected, text.len) == 0;
}

/* Which tasks are stored. */

static int oracle_find_row(const oracle *o, const sw_task_row *row)
{
    for (int i = 0; i < o->l->task_count; i++) {
        const ledger_task *task = &o->l->tasks[i];
        if (oracle_same(row->key, task->key) &&
            oracle_same(row->workflow, o->l->shapes[task->shape][0].name))
            return i;
    }
    return -1;
}

/* As it was submitted when that was committed, which an earlier attempt may have been. */
static void oracle_know_parent(oracle *o, int index, const sw_task_row *row)
{
    int parent = ledger_parent(index);
    bool given = ledger_has_parent(&row->parent_id);
    bool known = o->l->tasks[index].parents >> given & 1;
    if (!known || (given && memcmp(&row->parent_id, &o->l->tasks[parent].id, sizeof(sw_uuid)) != 0))
        oracle_violate(o, "O8", index, "it has another parent");
    o->parents[index] = given ? parent : -1;
}

static void oracle_know(oracle *o, const sw_task_row *row)
{
    int index = oracle_find_row(o, row);
    int version = row->version.len == 1 ? row->version.ptr[0] - '1' : -1;
    if (index < 0 || !o->l->tasks[index].asked) {
        world_violate(o->l->world, "O8", "a task is stored that nobody submitted");
        return;
    }
    const ledger_task *task = &o->l->tasks[index];
    if (o->replay.tasks[index].task)
        oracle_violate(o, "O1", index, "it is stored twice");
    if (version < 0 || !(task->versions >> version & 1)) {
        oracle_violate(o, "O8", index, "it runs a version that was not the newest");
        return;
    }
    o->without_input[index] = task->erase_asked && !row->input.ptr;
    bool same = o->without_input[index] || oracle_same(row->input, task->input);
    if (!same || row->priority != task->priority)
        oracle_violate(o, "O8", index, "its input or priority was changed");
    if (task->acknowledged && memcmp(&task->id, &row->task_id, sizeof task->id) != 0)
        oracle_violate(o, "O1", index, "it has another identifier");
    o->ids[index] = row->task_id;
    oracle_know_parent(o, index, row);
    replay_know(&o->replay, index, version);
}

static int oracle_list(oracle *o)
{
    size_t count = 0;
    sw_result *result = NULL;
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    int rc = sw_task_list(o->engine, &filter, &result, &o->error);
    const sw_task_row *rows = sw_tasks(result, &count);
    for (size_t i = 0; i < count; i++)
        oracle_know(o, &rows[i]);
    sw_result_free(result);
    return rc;
}

static int oracle_list_dead(oracle *o)
{
    sw_dead_filter filter = SW_DEAD_FILTER_INIT;
    filter.limit = ORACLE_DEAD_MAX;
    return sw_dead_list(o->engine, &filter, &o->dead, &o->error);
}

/* Every state is counted, and found by its filter. */
static void oracle_check_counts(oracle *o)
{
    int64_t counts[SW_TASK_STATE_COUNT];
    int64_t expected[SW_TASK_STATE_COUNT] = {0};
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    for (int i = 0; i < o->l->task_count; i++) {
        if (o->replay.tasks[i].task)
            expected[o->replay.tasks[i].state]++;
    }
    if (sw_task_count(o->engine, &filter, counts, &o->error) == 0 &&
        memcmp(counts, expected, sizeof counts) != 0)
        world_violate(o->l->world, "O8", "tasks are counted differently than their history says");
    filter.state = SW_TASK_SUCCEEDED;
    filter.workflow = LIT("w0");
    size_t count = 0;
    size_t known = 0;
    sw_result *result = NULL;
    for (int i = 0; i < o->l->task_count; i++)
        known += o->replay.tasks[i].task && o->replay.tasks[i].state == SW_TASK_SUCCEEDED &&
                 o->l->tasks[i].shape == 0;
    int rc = sw_task_list(o->engine, &filter, &result, &o->error);
    sw_tasks(result, &count);
    if (rc == 0 && count != known)
        world_violate(o->l->world, "O8", "a list finds %zu tasks that succeeded, not %zu", count,
                      known);
    sw_result_free(result);
}

/* The history. */

static int oracle_replay(oracle *o)
{
    int rc = sw_audit_list(o->engine, 1, ORACLE_PAGE, &o->log, &o->error);
    o->entries = sw_audit_entries(o->log, &o->entry_count);
    o->past_no = 1 + (int64_t)(o->l->world->points % (o->entry_count + 1));
    for (size_t i = 0; i < o->entry_count; i++) {
        replay_entry(&o->replay, &o->entries[i], o->ids);
        if (o->entries[i].entry_no == o->past_no)
            memcpy(o->past, o->replay.tasks, sizeof o->past);
    }
    if (rc == 0)
        replay_end(&o->replay);
    return rc;
}

int oracle_find(const oracle *o, const sw_uuid *id)
{
    for (int i = 0; i < o->l->task_count; i++) {
        if (o->replay.tasks[i].task && memcmp(&o->ids[i], id, sizeof *id) == 0)
            return i;
    }
    return ledger_find_task(o->l, id);
}

bool oracle_is_bare(const oracle *o, int index)
{
    return o->replay.tasks[index].erased || o->replay.ends[index].pruned;
}

/* The history holds every attempt that was handed out, and every acknowledged end. */
static void oracle_check_claim(const oracle *o, int index, const ledger_claim *claim)
{
    const replay_task *task = &o->replay.tasks[index];
    const replay_step *step = &task->steps[claim->step];
    if (claim->epoch > step->epoch)
        oracle_violate(o, "O9", index, "an attempt that was handed out is not in the history");
    if (claim->epoch < REPLAY_EPOCHS && step->attempts[claim->epoch] != claim->attempt)
        oracle_violate(o, "O9", index, "an attempt was handed out under another number");
    if (claim->epoch < REPLAY_EPOCHS && claim->waiting_us && ledger_in_time(o->l) &&
        step->waited_us[claim->epoch] > LEDGER_LATE_US &&
        claim->asked_us - claim->waiting_us > LEDGER_LATE_US)
        world_violate(
            o->l->world, "LATE",
            "task %s of w%d, step %c: worker %lld had waited for %lld ms when it was given "
            "what was there for %lld ms",
            o->l->tasks[index].key, o->l->tasks[index].shape, 'a' + claim->step,
            (long long)claim->worker_id, (long long)(claim->asked_us - claim->waiting_us) / 1000,
            (long long)step->waited_us[claim->epoch] / 1000);
    if (claim->succeeded && step->succeeded_epoch != claim->epoch)
        oracle_violate(o, "O1", index, "an acknowledged completion is not in the history");
    if (claim->applied && step->state == SW_STEP_RUNNING && step->epoch == claim->epoch)
        oracle_violate(o, "O1", index, "an acknowledged report is not in the history");
}

/* What was acknowledged is there, or was pruned. */
static void oracle_check_stored(const oracle *o)
{
    for (int i = 0; i < o->l->task_count; i++) {
        bool stored = o->replay.tasks[i].task;
        if (o->l->tasks[i].acknowledged && !stored && !o->replay.ends[i].pruned)
            oracle_violate(o, "O1", i, "it was acknowledged, and is lost");
        if (stored && o->replay.ends[i].pruned)
            oracle_violate(o, "O14", i, "it was pruned, and is still there");
    }
}

static bool oracle_is_pruned(const oracle *o, const sw_uuid *id)
{
    int index = ledger_find_task(o->l, id);
    return index >= 0 && o->replay.ends[index].pruned;
}

static void oracle_check_ledger(const oracle *o)
{
    oracle_check_stored(o);
    for (size_t i = 0; i < o->l->claim_count; i++) {
        const ledger_claim *claim = &o->l->claims[i];
        int index = 0;
        while (index < o->l->task_count &&
               (!o->replay.tasks[index].task ||
                memcmp(&o->ids[index], &claim->task_id, sizeof claim->task_id) != 0))
            index++;
        if (index == o->l->task_count && !oracle_is_pruned(o, &claim->task_id))
            world_violate(o->l->world, "O1", "a task is lost whose step was handed out");
        else if (index < o->l->task_count)
            oracle_check_claim(o, index, claim);
    }
    for (int i = 0; i < o->l->task_count; i++) {
        const replay_task *task = &o->replay.tasks[i];
        if (task->task && task->submissions == 0)
            oracle_violate(o, "O1", i, "its submission is not in the history");
        if (task->task && task->erased != o->without_input[i])
            oracle_violate(o, "O13", i, "its input and its history differ about an erasure");
        if (task->task && task->task->erase_acknowledged && !task->erased)
            oracle_violate(o, "O1", i, "an acknowledged erasure is lost");
        if (task->task && task->task->cancel_acknowledged && !task->task->operated &&
            task->state != SW_TASK_CANCELLED)
            oracle_violate(o, "O1", i, "an acknowledged cancellation is lost");
    }
}

/* The file and the chain. */

static void oracle_check_integrity(const oracle *o)
{
    sqlite3_stmt *own = NULL;
    sqlite3_stmt *check = image_integrity(o->engine->store);
    sqlite3 *db = ((sw__sqlite *)o->engine->store)->db;
    if (!check && sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &own, NULL) == SQLITE_OK)
        check = own;
    while (check && sqlite3_step(check) == SQLITE_ROW) {
        const char *line = (const char *)sqlite3_column_text(check, 0);
        if (strcmp(line, "ok") != 0)
            world_violate(o->l->world, "O7", "integrity_check: %s", line);
    }
    sqlite3_reset(check);
    sqlite3_finalize(own);
}

static void oracle_check_file(oracle *o)
{
    sw_audit_report report = SW_AUDIT_REPORT_INIT;
    oracle_check_integrity(o);
    int rc = sw_audit_verify(o->engine, &report, &o->error);
    if (rc == SW_EAUDIT)
        world_violate(o->l->world, "O5", "audit: %s", report.message);
}

/* Everything. */

static void oracle_check_code(ledger *l, int code, const sw_error *error)
{
    if (code == SW_ECORRUPT || code == SW_EFOREIGN || code == SW_EVERSION)
        world_violate(l->world, "O7", "the database cannot be read: %s", error->message);
}

/* What is wrong in the file or in the chain stays wrong, so that both are read as a whole with
 * every other check and with the last one; and so are events, whose every payload is hashed. */
static bool oracle_reads_all(const oracle *o)
{
    return o->l->stop || o->l->checks % 2 == 1;
}

/* Events, where a run appends some. */
static void oracle_check_stream(oracle *o)
{
    if (o->l->stream.appenders == 0)
        return;
    oracle_check_events(o);
    oracle_check_fold(o);
    if (!oracle_reads_all(o))
        return;
    oracle_check_lists(o);
    oracle_check_past(o);
}

static void oracle_check_all(oracle *o)
{
    if (oracle_reads_all(o))
        oracle_check_file(o);
    if (sw_worker_list(o->engine, &o->workers, &o->error) < 0 || oracle_list_dead(o) < 0 ||
        oracle_list(o) < 0 || oracle_replay(o) < 0)
        return;
    oracle_check_ledger(o);
    for (int i = 0; i < o->l->task_count; i++) {
        if (o->replay.tasks[i].task && oracle_check_task(o, i) < 0)
            return;
    }
    oracle_check_counts(o);
    oracle_check_children(o);
    oracle_check_stream(o);
    if (o->l->stop && !oracle_all_ended(o->l, o->engine))
        world_violate(o->l->world, "LIVE", "a task was said to have ended, and goes on");
}

void oracle_check(ledger *l)
{
    static oracle o;
    o = (oracle){.l = l, .engine = oracle_open(l), .replay.l = l};
    if (!o.engine)
        return;
    l->checks++;
    oracle_check_all(&o);
    oracle_check_code(l, o.error.code, &o.error);
    sw_result_free(o.workers);
    sw_result_free(o.dead);
    sw_result_free(o.log);
    oracle_close(l, o.engine);
}

/* One opening in 32 reads the schema anew: where it is wrong, it stays so, and one of the
 * processes that open the database in full comes across it, too. */
static sw_engine *oracle_open_or_make(ledger *l, bool must_exist)
{
    sw_error error;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = LIT(DISK_DATABASE);
    options.env = &l->harness.env;
    options.busy_timeout_ms = 1;
    options.must_exist = must_exist;
    l->world->harness_us = 0;
    if (must_exist && l->world->points % ORACLE_ANEW != 0)
        image_begin_oracle(l);
    oracle_check_code(l, sw_engine_open(&options, &engine, &error), &error);
    if (engine)
        image_learn(l, engine->store);
    return engine;
}

sw_engine *oracle_open(ledger *l)
{
    return oracle_open_or_make(l, true);
}

sw_engine *oracle_make(ledger *l)
{
    return oracle_open_or_make(l, false);
}

void oracle_close(ledger *l, sw_engine *engine)
{
    size_t before = l->harness_blocks;
    sw_engine_close(engine);
    if (l->harness.heap.blocks != before)
        world_violate(l->world, "O10", "reading leaves %zu blocks of memory",
                      l->harness.heap.blocks - before);
}

bool oracle_all_ended(ledger *l, sw_engine *engine)
{
    sw_error error;
    int64_t open = 0;
    int64_t counts[SW_TASK_STATE_COUNT];
    sw_task_filter filter = SW_TASK_FILTER_INIT;
    for (int i = 0; i < l->task_count; i++) {
        if (!l->tasks[i].acknowledged)
            return false;
    }
    int rc = sw_task_count(engine, &filter, counts, &error);
    for (int state = 0; rc == 0 && state < SW_TASK_STATE_COUNT; state++)
        open += sw_task_state_terminal(state) ? 0 : counts[state];
    return rc == 0 && open == 0;
}
