/* The public face of the audit log: lock, read transaction, result. */
#include "audit/trust.h"
#include "engine/query.h"

#define HISTORY_LIMIT_MAX 100000

typedef struct history_doubt {
    const sw_audit_trust *trust; /* or NULL */
    int32_t jobs;
    sw_audit_report *report;
} history_doubt;

static int history_look(sw_engine *engine, void *context, sw_error *err)
{
    const history_doubt *doubt = context;
    return sw__audit_verify(engine->store, engine->hasher, engine->env, doubt->trust, doubt->jobs,
                            doubt->report, err);
}

static int history_verify(sw_engine *engine, const sw_audit_trust *trust, int32_t jobs,
                          sw_audit_report *report, sw_error *err)
{
    history_doubt doubt = {trust, jobs, report};
    if (!report || report->size < sizeof *report)
        return sw__fail(err, SW_EINVAL, "report must start with SW_AUDIT_REPORT_INIT");
    return sw__query_read(engine, history_look, &doubt, err);
}

int sw_audit_verify(sw_engine *engine, sw_audit_report *report, sw_error *err)
{
    return history_verify(engine, NULL, 1, report, err);
}

static int history_trust(const sw_audit_trust *trust, sw_error *err)
{
    int rc = sw__trust_given(trust, err);
    if (rc == SW_OK && trust->checkpoint_count + trust->anchor_count == 0)
        rc = sw__fail(err, SW_EINVAL, "there is no checkpoint to verify with");
    return rc;
}

int sw_audit_verify_signed(sw_engine *engine, const sw_audit_trust *trust, sw_audit_report *report,
                           sw_error *err)
{
    int rc = history_trust(trust, err);
    return rc < 0 ? rc : history_verify(engine, trust, 1, report, err);
}

int sw_audit_verify_by(sw_engine *engine, const sw_audit_trust *trust, int32_t jobs,
                       sw_audit_report *report, sw_error *err)
{
    int rc = trust ? history_trust(trust, err) : SW_OK;
    if (rc == SW_OK)
        rc = sw__query_jobs(&jobs, err);
    return rc < 0 ? rc : history_verify(engine, trust, jobs, report, err);
}

static int history_task(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__task_hot task = {0};
    const sw__plan *plan = NULL;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    int rc = sw__query_task(engine, context, &task, &plan, err);
    if (rc == SW_OK)
        rc = sw__audit_read_task(engine->store, &task, result->arena, &rows, &count, err);
    sw__result_set(result, SW__ENTRIES, rows, count);
    return rc;
}

int sw_audit_task(sw_engine *engine, const sw_uuid *task_id, sw_result **out, sw_error *err)
{
    if (!task_id)
        return sw__fail(err, SW_EINVAL, "task_id is NULL");
    return sw__query(engine, history_task, task_id, out, err);
}

typedef struct history_range {
    int64_t entry_no;
    size_t limit;
} history_range;

static int history_list(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    const history_range *range = context;
    sw_audit_entry *rows = NULL;
    size_t count = 0;
    int rc = sw__audit_read(engine->store, range->entry_no, range->limit, result->arena, &rows,
                            &count, err);
    sw__result_set(result, SW__ENTRIES, rows, count);
    return rc;
}

int sw_audit_list(sw_engine *engine, int64_t entry_no, int64_t limit, sw_result **out,
                  sw_error *err)
{
    if (entry_no < 1 || limit < 1 || limit > HISTORY_LIMIT_MAX)
        return sw__fail(err, SW_EINVAL, "entry_no starts at 1, limit is within 1 and %d",
                        HISTORY_LIMIT_MAX);
    history_range range = {entry_no, (size_t)limit};
    return sw__query(engine, history_list, &range, out, err);
}
