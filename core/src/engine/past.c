/* Learning from ended tasks; see past.h. */
#include "engine/past.h"

#include <stdlib.h>
#include <string.h>

#include "engine/sound.h"
#include "stepwell/forecast.h"

#define PAST_FEW 16 /* durations that are sorted by insertion */
#define PAST_UNKNOWN (-1)
#define PAST_SETTLED 1 /* began_us, which is of the newest run, is final */
#define PAST_ENDED 2   /* took_us holds the end of a run until its begin is known */

/* Times of one task. */

/* A step that is left counts as run if its end could be one in a task that succeeds. */
static bool past_counts(const sw_workflow_step *step, int32_t state)
{
    return state == SW_STEP_SUCCEEDED ||
           (state == SW_STEP_FAILED && step->on_failure == SW_ON_FAILURE_CONTINUE);
}

int sw__past_begin(sw__past_reading *reading, sw__arena *arena, const sw_workflow *workflow,
                   sw__past_times *times)
{
    size_t steps = workflow->step_count;
    *reading = (sw__past_reading){
        .workflow = workflow,
        .times = times,
        .marks = sw__arena_array(arena, steps, 1),
        .since_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
    };
    *times = (sw__past_times){
        .began_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
        .took_us = sw__arena_array_raw(arena, steps, sizeof(int64_t)),
    };
    return sw__arena_failed(arena) ? SW_ENOMEM : SW_OK;
}

void sw__past_fill(sw__past_times *times, size_t steps)
{
    for (; times->filled < steps; times->filled++)
        times->began_us[times->filled] = times->took_us[times->filled] = PAST_UNKNOWN;
}

/* No earlier begin of this run will come: it took as long as that, or nobody knows. */
static void past_close(sw__past_reading *reading, size_t index)
{
    uint8_t *marks = &reading->marks[index];
    int64_t *took = &reading->times->took_us[index], end = *took;
    int64_t began =
        *marks & PAST_SETTLED ? reading->since_us[index] : reading->times->began_us[index];
    if (!(*marks & PAST_ENDED))
        return;
    int64_t run = end > began ? end - began : 0;
    *took = began < 0 ? PAST_UNKNOWN : run;
    *marks &= (uint8_t)~PAST_ENDED;
}

/* A run began then, if not earlier. */
static void past_note_begin(sw__past_reading *reading, size_t index, int64_t time_us)
{
    bool settled = reading->marks[index] & PAST_SETTLED;
    int64_t *began = settled ? reading->since_us : reading->times->began_us;
    began[index] = time_us;
    reading->least = reading->balance < reading->least ? reading->balance : reading->least;
    reading->balance++;
}

static void past_note_change(sw__past_reading *reading, size_t index, const sw_audit_entry *entry)
{
    int64_t *took = &reading->times->took_us[index];
    /* Given back, or taken up again by an operator: what comes then is no part of what was. */
    bool given_back = entry->to == SW_STEP_READY && entry->attempt == 0;
    if (given_back || sw_step_state_terminal(entry->from)) {
        past_close(reading, index);
        reading->marks[index] |= PAST_SETTLED;
        reading->since_us[index] = PAST_UNKNOWN;
    }
    if (past_counts(&reading->workflow->steps[index], entry->to) && *took == PAST_UNKNOWN) {
        reading->marks[index] |= PAST_ENDED;
        *took = entry->time_us;
    }
    reading->balance -= entry->from == SW_STEP_RUNNING;
}

void sw__past_note(void *context, const sw_audit_entry *entry)
{
    sw__past_reading *reading = context;
    int64_t index = SW__STEP_INDEX(entry->step_id);
    if (entry->kind != SW_AUDIT_STEP_CHANGED || index >= (int64_t)reading->workflow->step_count)
        return;
    sw__past_fill(reading->times, (size_t)index + 1);
    if (entry->to == SW_STEP_RUNNING)
        past_note_begin(reading, (size_t)index, entry->time_us);
    else
        past_note_change(reading, (size_t)index, entry);
}

void sw__past_end(sw__past_reading *reading)
{
    for (size_t i = 0; i < reading->times->filled; i++)
        past_close(reading, i);
    int32_t peak = reading->balance - reading->least;
    reading->times->peak = peak > 0 ? peak : 0;
}

int sw__past_times_read(sw_engine *engine, sw__arena *arena, const sw__task_hot *task,
                        const sw_workflow *workflow, sw__past_times *out, sw_error *err)
{
    sw__past_reading reading;
    if (sw__past_begin(&reading, arena, workflow, out) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    int rc = sw__audit_each_task(engine->store, task, engine->env, sw__past_note, &reading, err);
    if (rc == SW_OK)
        sw__past_end(&reading);
    return rc;
}

/* The tasks. */

/* Read the times of an ended task, and remember them. */
static int past_study(sw_engine *engine, sw__arena *scratch, const sw__task_hot *row,
                      const sw_workflow *workflow, int64_t *took_us, int32_t *peak, sw_error *err)
{
    sw__past_times times;
    size_t steps = workflow->step_count;
    int rc = sw__past_times_read(engine, scratch, row, workflow, &times, err);
    if (rc < 0)
        return rc;
    sw__past_fill(&times, steps);
    memcpy(took_us, times.took_us, steps * sizeof(int64_t));
    *peak = times.peak;
    if (sw__lessons_keep(&engine->lessons, engine->env, row, took_us, steps, times.peak) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

/* How long the steps of an ended task took, remembered or read. A copy, because the plays run
 * without the lock. */
static int past_learn(sw_engine *engine, sw__arena *arena, const sw__task_hot *row,
                      const sw_workflow *workflow, int64_t **took_us, int32_t *peak, sw_error *err)
{
    size_t steps = workflow->step_count;
    const sw__lesson *lesson = sw__lessons_find(&engine->lessons, row, steps);
    *took_us = sw__arena_array_raw(arena, steps, sizeof(int64_t));
    if (*took_us && lesson) {
        memcpy(*took_us, lesson->took_us, steps * sizeof(int64_t));
        *peak = lesson->peak;
        return SW_OK;
    }
    sw__arena *scratch = *took_us ? sw__arena_new(engine->env) : NULL;
    int rc = scratch ? past_study(engine, scratch, row, workflow, *took_us, peak, err)
                     : sw__fail(err, SW_ENOMEM, NULL);
    sw__arena_free(scratch);
    return rc;
}

/* steps goes down by the steps of a task; one that has more does not count, and no other after it.
 */
static int past_add(sw_engine *engine, sw__arena *arena, const sw__task_hot *row, sw__past *past,
                    size_t *steps, sw_error *err)
{
    const sw__plan *plan = NULL;
    int64_t *took_us = NULL;
    int32_t peak = 0;
    int rc = sw__sound_task(row, err);
    if (rc == SW_OK)
        rc = sw__catalog_plan(&engine->catalog, engine->store, row->workflow_no, &plan, err);
    if (rc < 0)
        return rc;
    bool fits = plan->workflow->step_count <= *steps;
    *steps = fits ? *steps - plan->workflow->step_count : 0;
    if (!fits)
        return SW_OK;
    rc = past_learn(engine, arena, row, plan->workflow, &took_us, &peak, err);
    if (rc < 0)
        return rc;
    past->tasks[past->count++] = (sw__past_task){
        .workflow = sw__workflow_keep(plan->workflow),
        .took_us = took_us,
        .whole_us = row->changed_us > row->started_us ? row->changed_us - row->started_us : 0,
        .state = row->state,
        .peak = peak,
    };
    return SW_OK;
}

void sw__recording_free(sw_engine *engine)
{
    if (engine->recording)
        sw_workflow_free(engine->recording->task.workflow);
    sw__free(engine->env, engine->recording);
}

/* The engine and its recording end after the plays that look at it. */
static void past_recorded(const sw_engine *engine, sw_str workflow, size_t limit, sw__past *past)
{
    const sw__recording *recording = engine->recording;
    if (!recording || limit == 0 || !sw__str_equal(recording->task.workflow->name, workflow))
        return;
    past->tasks[past->count] = recording->task;
    sw__workflow_keep(past->tasks[past->count++].workflow);
}

int sw__past_read(sw_engine *engine, sw__arena *arena, sw_str workflow, int64_t except,
                  size_t limit, size_t steps_max, sw__past *past, sw_error *err)
{
    const sw__task_range all = {0};
    static const int states[] = {SW_TASK_SUCCEEDED, SW_TASK_FAILED};
    sw__store *store = engine->store;
    size_t steps = steps_max;
    int rc = SW_OK;
    *past = (sw__past){.tasks = sw__arena_array(arena, limit, sizeof *past->tasks)};
    if (!past->tasks)
        return sw__fail(err, SW_ENOMEM, NULL);
    past_recorded(engine, workflow, limit, past);
    for (int i = 0; rc == SW_OK && i < 2; i++) {
        sw_task_filter filter = SW_TASK_FILTER_INIT;
        sw__task_hot *rows = NULL;
        size_t count = 0;
        filter.state = states[i];
        filter.workflow = workflow;
        filter.limit = (int64_t)limit + 1; /* one may be the task that is left out */
        rc = store->ops->tasks_list(store, &filter, all, arena, &rows, &count, err);
        for (size_t j = 0; rc == SW_OK && j < count && past->count < limit; j++) {
            if (rows[j].task_no != except && steps > 0)
                rc = past_add(engine, arena, &rows[j], past, &steps, err);
        }
    }
    return rc;
}

void sw__past_free(sw__past *past)
{
    for (size_t i = 0; i < past->count; i++)
        sw_workflow_free(past->tasks[i].workflow);
    past->count = 0;
}

int32_t sw__past_peak(const sw__past *past, const sw__past_task *except)
{
    int32_t peak = 0;
    for (size_t i = 0; i < past->count; i++) {
        if (&past->tasks[i] != except && past->tasks[i].peak > peak)
            peak = past->tasks[i].peak;
    }
    return peak;
}

/* Samples. */

static int past_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* How long the step with this name and handler took in a past task, -1 if that is not known. */
static int64_t past_took(const sw__past_task *task, const sw_workflow *workflow, size_t index)
{
    const sw_workflow_step *step = &workflow->steps[index];
    int64_t there = (int64_t)index;
    if (task->workflow != workflow)
        there = sw__workflow_find(task->workflow, step->name);
    if (there < 0 || !sw__str_equal(task->workflow->steps[there].handler, step->handler))
        return -1;
    return task->took_us[there];
}

/* Durations of all steps, on their way into one array. */
typedef struct past_search {
    const sw__past *past;
    const sw__past_task *except;
    const sw_workflow *workflow;
    int64_t *us;
    uint32_t taken;
    sw__span fixed;   /* the default */
    sw__strmap known; /* of each handler that was asked for, the place in handlers */
    sw__span *handlers;
    int64_t handler_count;
} past_search;

/* The durations that were put behind the `from` first ones, ascending. A step has few. */
static sw__span past_sorted(past_search *search, uint32_t from)
{
    int64_t *us = search->us + from;
    sw__span span = {from, (int32_t)(search->taken - from)};
    if (span.count > PAST_FEW) {
        qsort(us, (size_t)span.count, sizeof *us, past_compare);
        return span;
    }
    for (int32_t i = 1; i < span.count; i++) {
        int64_t took = us[i];
        int32_t at = i;
        for (; at > 0 && us[at - 1] > took; at--)
            us[at] = us[at - 1];
        us[at] = took;
    }
    return span;
}

/* The step's own durations. */
static sw__span past_own(past_search *search, size_t index)
{
    uint32_t from = search->taken;
    for (size_t i = 0; i < search->past->count; i++) {
        const sw__past_task *task = &search->past->tasks[i];
        int64_t took = task != search->except ? past_took(task, search->workflow, index) : -1;
        if (took >= 0)
            search->us[search->taken++] = took;
    }
    return past_sorted(search, from);
}

/* Durations of all steps of one handler. */
static sw__span past_of_handler(past_search *search, sw_str handler)
{
    uint32_t from = search->taken;
    for (size_t i = 0; i < search->past->count; i++) {
        const sw__past_task *task = &search->past->tasks[i];
        for (size_t j = 0; task != search->except && j < task->workflow->step_count; j++) {
            if (task->took_us[j] >= 0 && sw__str_equal(task->workflow->steps[j].handler, handler))
                search->us[search->taken++] = task->took_us[j];
        }
    }
    return past_sorted(search, from);
}

/* The same, looked for once. */
static int past_by_handler(past_search *search, sw_str handler, sw__span *out)
{
    const int64_t *place = sw__strmap_find(&search->known, handler);
    if (!place) {
        if (sw__strmap_put(&search->known, handler, search->handler_count) < 0)
            return SW_ENOMEM;
        search->handlers[search->handler_count++] = past_of_handler(search, handler);
    }
    *out = search->handlers[place ? *place : search->handler_count - 1];
    return SW_OK;
}

/* What stands in for the durations of a step that has none of its own. */
static int past_substitute(past_search *search, const sw_workflow_step *step, sw__span *span,
                           uint8_t *source)
{
    *source = SW_DURATION_FROM_HANDLER;
    if (search->past->count > 0 && past_by_handler(search, step->handler, span) < 0)
        return SW_ENOMEM;
    if (span->count > 0)
        return SW_OK;
    *source = SW_DURATION_FROM_DEFAULT;
    *span = search->fixed;
    if (step->timeout_ms > 0) {
        *source = SW_DURATION_FROM_TIMEOUT;
        *span = (sw__span){search->taken, 1};
        search->us[search->taken++] = step->timeout_ms * 1000;
    }
    return SW_OK;
}

/* As many durations as there can be: each of a past task once for its step, of which no name stands
 * twice in one task, and once for its handler; the timeouts; the default. What is not needed of
 * the room is not touched. */
static size_t past_room(const sw__past *past, const sw_workflow *workflow)
{
    size_t steps = 0;
    for (size_t i = 0; i < past->count; i++)
        steps += past->tasks[i].workflow->step_count;
    return 2 * steps + workflow->step_count + 1;
}

int sw__past_durations(sw__arena *arena, const sw__past *past, const sw__past_task *except,
                       const sw_workflow *workflow, int64_t default_us, sw__durations *out)
{
    size_t steps = workflow->step_count;
    past_search search = {.past = past, .except = except, .workflow = workflow};
    search.us = sw__arena_array_raw(arena, past_room(past, workflow), sizeof *search.us);
    search.handlers = sw__arena_array_raw(arena, steps, sizeof *search.handlers);
    *out = (sw__durations){search.us, sw__arena_array_raw(arena, steps, sizeof *out->spans),
                           sw__arena_array_raw(arena, steps, 1)};
    if (!search.us || !search.handlers || !out->spans || !out->sources)
        return SW_ENOMEM;
    search.fixed = (sw__span){search.taken, 1};
    search.us[search.taken++] = default_us;
    sw__strmap_init(&search.known, sw__arena_env(arena));
    int rc = SW_OK;
    for (size_t i = 0; rc == SW_OK && i < steps; i++) {
        out->spans[i] = past_own(&search, i);
        out->sources[i] = SW_DURATION_FROM_STEP;
        if (out->spans[i].count == 0)
            rc = past_substitute(&search, &workflow->steps[i], &out->spans[i], &out->sources[i]);
    }
    sw__strmap_free(&search.known);
    return rc;
}

int64_t sw__durations_at(const sw__durations *durations, size_t index, double share)
{
    sw__samples samples = sw__spans_at(durations->spans, durations->us, index);
    return sw__samples_at(&samples, share);
}

#undef PAST_FEW
#undef PAST_UNKNOWN
#undef PAST_SETTLED
#undef PAST_ENDED
