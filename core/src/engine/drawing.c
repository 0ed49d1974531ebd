/* Pictures of tasks: states and times into the rows of a drawing, attempts into those of a chart.
 *
 * All is read in one read transaction; the drawing comes behind it, without the lock. Not here: how
 * rows are drawn (picture/), what attempts become on a time line (attempts.c).
 */
#include "engine/drawing.h"

#include "engine/past.h"
#include "engine/query.h"
#include "picture/picture.h"
#include "picture/rows.h"

#define DRAWING_HISTORY 50
#define DRAWING_DEFAULT_US 60000000

/* Reading. */

/* Inside the transaction: the task and its history, into the drawing. */
static int drawing_read(sw_engine *engine, sw_result *result, const void *context, sw_error *err)
{
    sw__drawing *drawing = *(sw__drawing *const *)context;
    const sw__plan *plan = NULL;
    (void)result;
    int rc = sw__query_task(engine, drawing->task_id, &drawing->task, &plan, err);
    if (rc < 0)
        return rc;
    drawing->workflow = sw__workflow_keep(plan->workflow);
    rc = sw__engine_now(engine, false, &drawing->now_us, err);
    if (rc == SW_OK)
        rc = sw__query_steps(engine, drawing->arena, &drawing->task, plan, &drawing->steps, err);
    if (rc == SW_OK)
        rc = sw__audit_read_task(engine->store, &drawing->task, drawing->arena, &drawing->entries,
                                 &drawing->entry_count, err);
    if (rc == SW_OK && drawing->learns)
        rc = sw__past_read(engine, drawing->arena, drawing->workflow->name, drawing->task.task_no,
                           DRAWING_HISTORY, SW__PAST_STEPS_MAX, &drawing->past, err);
    return rc;
}

static int drawing_open(sw_engine *engine, const sw_uuid *task_id, bool learns,
                        sw__drawing *drawing, sw_error *err)
{
    sw__drawing *context = drawing;
    sw_result *nothing = NULL;
    *drawing = (sw__drawing){.task_id = task_id, .learns = learns};
    if (!engine || !task_id)
        return sw__fail(err, SW_EINVAL, "engine or task_id is NULL");
    drawing->arena = sw__arena_new(engine->env);
    if (!drawing->arena)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__query(engine, drawing_read, &context, &nothing, err);
    sw_result_free(nothing);
    return rc;
}

static void drawing_close(sw__drawing *drawing)
{
    sw__past_free(&drawing->past);
    sw_workflow_free(drawing->workflow);
    sw__arena_free(drawing->arena);
}

/* The picture. */

/* How long the attempts of each step that have ended ran, all together. */
static int64_t *drawing_worked(const sw__drawing *drawing)
{
    size_t count = drawing->workflow->step_count;
    int64_t *began = sw__arena_array(drawing->arena, count, sizeof *began);
    int64_t *worked = sw__arena_array(drawing->arena, count, sizeof *worked);
    for (size_t i = 0; began && worked && i < drawing->entry_count; i++) {
        const sw_audit_entry *entry = &drawing->entries[i];
        int64_t step = SW__STEP_INDEX(entry->step_id);
        if (entry->kind != SW_AUDIT_STEP_CHANGED || step >= (int64_t)count)
            continue;
        if (entry->to == SW_STEP_RUNNING)
            began[step] = entry->time_us;
        else if (entry->from == SW_STEP_RUNNING && entry->time_us > began[step])
            worked[step] += entry->time_us - began[step];
    }
    return began ? worked : NULL;
}

/* What each step takes: measured when it has ended, else as given, else as learnt. */
static int64_t *drawing_durations(const sw__drawing *drawing, const int64_t *given,
                                  const int64_t *worked)
{
    const sw_workflow *workflow = drawing->workflow;
    size_t count = workflow->step_count;
    int64_t *durations = sw__arena_array(drawing->arena, count, sizeof *durations);
    sw__durations known = {0};
    if (!durations || (!given && sw__past_durations(drawing->arena, &drawing->past, NULL, workflow,
                                                    DRAWING_DEFAULT_US, &known) < 0))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        if (sw_step_state_terminal(drawing->steps[i].state))
            durations[i] = worked[i];
        else
            durations[i] = given ? given[i] : sw__durations_at(&known, i, 0.5);
    }
    return durations;
}

static int drawing_rows(const sw__drawing *drawing, const sw_graph *graph, int32_t marks,
                        const int64_t *given, sw__picture_rows *rows, sw_error *err)
{
    int64_t *worked = drawing_worked(drawing);
    int64_t *durations = worked ? drawing_durations(drawing, given, worked) : NULL;
    if (!durations)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__picture_rows_make(drawing->arena, graph, rows, err);
    if (rc == SW_OK)
        rc = sw__picture_rows_mark(graph, marks, durations, rows, err);
    for (size_t i = 0; rc == SW_OK && i < rows->node_count; i++) {
        rows->nodes[i].state = drawing->steps[i].state;
        if (worked[i] > 0)
            rows->nodes[i].duration_us = worked[i];
    }
    return rc;
}

static int drawing_finish(const sw__drawing *drawing, const sw_picture_options *options,
                          const int64_t *given, sw_result **out, sw_error *err)
{
    sw__picture_rows rows;
    sw_picture_options titled = *options;
    sw_graph *graph = NULL;
    sw_graph_options graph_options = SW_GRAPH_OPTIONS_INIT;
    graph_options.env = sw__arena_env(drawing->arena);
    if (!titled.title.ptr)
        titled.title = drawing->workflow->name;
    if (!titled.env)
        titled.env = graph_options.env;
    int rc = sw_graph_new_workflow(&graph_options, drawing->workflow, &graph, err);
    if (rc == SW_OK)
        rc = drawing_rows(drawing, graph, options->marks, given, &rows, err);
    if (rc == SW_OK)
        rc = sw_picture_render(&titled, rows.nodes, rows.node_count, rows.edges, rows.edge_count,
                               out, err);
    sw_graph_free(graph);
    return rc;
}

int sw_task_picture(sw_engine *engine, const sw_picture_options *options,
                    const int64_t *duration_us, const sw_uuid *task_id, sw_result **out,
                    sw_error *err)
{
    sw__drawing drawing;
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    int rc = sw__picture_options_check(options, err);
    if (rc < 0)
        return rc;
    rc = drawing_open(engine, task_id, options->marks && !duration_us, &drawing, err);
    if (rc == SW_OK)
        rc = drawing_finish(&drawing, options, duration_us, out, err);
    drawing_close(&drawing);
    return rc;
}

/* The chart. */

int sw_task_gantt(sw_engine *engine, const sw_gantt_options *options, const sw_uuid *task_id,
                  sw_result **out, sw_error *err)
{
    sw__drawing drawing;
    sw_gantt_row *rows = NULL;
    size_t count = 0;
    sw__error_clear(err);
    if (!out)
        return sw__fail(err, SW_EINVAL, "out is NULL");
    *out = NULL;
    if (!options || options->size < sizeof *options)
        return sw__fail(err, SW_EINVAL, "options must start with SW_GANTT_OPTIONS_INIT");
    int rc = drawing_open(engine, task_id, false, &drawing, err);
    if (rc == SW_OK && sw__attempt_rows(&drawing, &rows, &count) < 0)
        rc = sw__fail(err, SW_ENOMEM, NULL);
    if (rc == SW_OK) {
        sw_gantt_options filled = *options;
        if (!filled.title.ptr)
            filled.title = drawing.workflow->name;
        if (filled.now_us == 0 && !sw_task_state_terminal(drawing.task.state))
            filled.now_us = drawing.now_us;
        if (!filled.env)
            filled.env = engine->env;
        rc = sw_gantt_render(&filled, rows, count, out, err);
    }
    drawing_close(&drawing);
    return rc;
}
