/* See event_rig.h. */
#include "helper/event_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "helper/live.h"

#define WORKFLOW                                                                                   \
    "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\"},{\"name\":\"b\",\"after\":[\"a\"]" \
    "}]}"

events *events_open(bool memory)
{
    char path[96];
    events *e = calloc(1, sizeof(*e));
    assert_non_null(e);
    live_directory_make_fast(e->folder);
    snprintf(path, sizeof(path), "%s/e.db", e->folder);
    rig_open(&e->rig, memory ? "memory:" : path, WORKFLOW);
    e->task = rig_submit(&e->rig);
    return e;
}

void events_close(events *e)
{
    sw_result_free(e->result);
    rig_close(&e->rig);
    live_directory_remove(e->folder);
    free(e);
}

int events_setup_memory(void **state)
{
    *state = events_open(true);
    return 0;
}

int events_setup_file(void **state)
{
    *state = events_open(false);
    return 0;
}

int events_teardown(void **state)
{
    events *e = *state;
    rig_verify(&e->rig);
    events_close(e);
    return 0;
}

sw_event_row events_row(const events *e, const char *type, const char *data)
{
    return (sw_event_row){.task_id = e->task, .type = sw__str(type), .data = sw__str(data)};
}

const sw_event_appended *events_append(events *e, const sw_event_row *rows, size_t count, int mode,
                                       int code)
{
    sw_result_free(e->result);
    e->result = NULL;
    assert_int_equal(sw_event_append(e->rig.engine, rows, count, mode, &e->result, &e->rig.error),
                     code);
    size_t answered = 0;
    const sw_event_appended *answers = e->result ? sw_events_appended(e->result, &answered) : NULL;
    assert_int_equal(answered, code == SW_OK ? count : 0);
    return answers;
}

int64_t events_append_one(events *e, const char *type, const char *data)
{
    const sw_event_row row = events_row(e, type, data);
    const sw_event_appended *answer = events_append(e, &row, 1, SW_BATCH_ALL_OR_NOTHING, SW_OK);
    assert_int_equal(answer->status, SW_APPEND_APPENDED);
    assert_int_equal(answer->version, answer->position);
    return answer->position;
}

const sw_event *events_list(events *e, const sw_event_filter *filter, size_t *count)
{
    sw_result_free(e->result);
    e->result = NULL;
    int rc = sw_event_list(e->rig.engine, filter, &e->result, &e->rig.error);
    if (rc != SW_OK)
        fail_msg("%s", e->rig.error.message);
    return sw_events(e->result, count);
}

void events_work(events *e)
{
    rig *r = &e->rig;
    sw_worker_ref worker = rig_worker(r, 60000);
    rig_claims(r, &worker, "a");
    sw_step_outcome row = rig_outcome(r, "a", SW_OUTCOME_SUCCEEDED);
    row.result = sw__str("{\"sum\":7}");
    rig_report(r, &worker, row, SW_ROW_APPLIED);
    rig_claims(r, &worker, "b");
    row = rig_outcome(r, "b", SW_OUTCOME_FAILED_FOR_GOOD);
    row.error_class = sw__str("Boom");
    row.error_message = sw__str("no");
    rig_report(r, &worker, row, SW_ROW_APPLIED);
    assert_int_equal(sw_worker_close(r->engine, &worker, &r->error), SW_OK);
}

sw_projection events_projection(events *e, const char *version)
{
    sw_result_free(e->result);
    e->result = NULL;
    assert_int_equal(sw_projection_open(e->rig.engine, (sw_str)SW__LIT("p"), sw__str(version),
                                        &e->result, &e->rig.error),
                     SW_OK);
    return *sw_projections(e->result, NULL);
}
