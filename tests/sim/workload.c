/* What there is to do in a run: workflows in two versions, tasks, and who handles what. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/ledger.h"

/* A text that grows in place; what does not fit ends the run, because a workload that was cut
 * would test something else than it says. */
typedef struct workload_text {
    char *ptr;
    size_t size;
    size_t at;
} workload_text;

static void text_put(workload_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void text_put(workload_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text->ptr + text->at, text->size - text->at, format, arguments);
    va_end(arguments);
    if (size < 0 || text->at + (size_t)size >= text->size)
        abort();
    text->at += (size_t)size;
}

/* Half of the steps that wait have another rule than the usual one. */
static void shape_draw_trigger(ledger_step *step, choice *c)
{
    static const int rules[] = {SW_TRIGGER_ALL_DONE, SW_TRIGGER_ANY_SUCCEEDED,
                                SW_TRIGGER_NONE_FAILED, SW_TRIGGER_QUORUM};
    int count = __builtin_popcount(step->after);
    step->trigger = SW_TRIGGER_ALL_SUCCEEDED;
    if (count > 0 && choice_once_in(c, CHOICE_WORKLOAD, 2))
        step->trigger = rules[choice_draw(c, CHOICE_WORKLOAD, 4)];
    if (step->trigger == SW_TRIGGER_QUORUM)
        step->quorum = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, (uint32_t)count);
}

/* How the steps of a workflow hang together. */
typedef enum shape_form {
    FORM_ANY,
    FORM_CHAIN,
    FORM_JOIN,     /* the last step comes after all others, whose failures are allowed */
    FORM_LATE_JOIN /* likewise, and half of the others come one after the other */
} shape_form;

static uint32_t shape_draw_after(shape_form form, int index, int last, choice *c)
{
    uint32_t after = 0;
    if (form == FORM_CHAIN)
        return index > 0 ? 1u << (index - 1) : 0;
    if (form != FORM_ANY && index == last)
        return (1u << last) - 1;
    if (form == FORM_JOIN)
        return 0;
    if (form == FORM_LATE_JOIN)
        return index > last / 2 ? 1u << (index - 1) : 0;
    for (int from = 0; from < index; from++)
        after |= choice_draw(c, CHOICE_WORKLOAD, 2) << from;
    return after;
}

/* Of one step, or task, in so many: about as long as an attempt with a retry or two takes. */
static int64_t shape_draw_deadline(choice *c, uint32_t in)
{
    return choice_once_in(c, CHOICE_WORKLOAD, in)
               ? 400 * (1 + (int64_t)choice_draw(c, CHOICE_WORKLOAD, 6))
               : 0;
}

/* Longer than what a handler takes that does not hang. */
static int64_t shape_draw_timeout(choice *c)
{
    int64_t timeout_ms = choice_once_in(c, CHOICE_WORKLOAD, 2) ? 400 : 900;
    return choice_once_in(c, CHOICE_WORKLOAD, 4) ? timeout_ms : 0;
}

static void shape_draw_step(ledger_step *step, int index, int last, shape_form form, choice *c)
{
    /* Twice what stops a task: what a stopped task goes through is rare enough. */
    static const int policies[] = {SW_ON_FAILURE_BLOCK, SW_ON_FAILURE_CONTINUE,
                                   SW_ON_FAILURE_FAIL_TASK, SW_ON_FAILURE_FAIL_TASK,
                                   SW_ON_FAILURE_SKIP_DEPENDENTS};
    step->on_failure = policies[choice_draw(c, CHOICE_WORKLOAD, 5)];
    step->max_attempts = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, 4);
    step->max_crashes = choice_once_in(c, CHOICE_WORKLOAD, 4)
                            ? (int)choice_draw(c, CHOICE_WORKLOAD, 3)
                            : SW_CRASHES_DEFAULT;
    step->base_ms = 80 * (int64_t)choice_draw(c, CHOICE_WORKLOAD, 3);
    step->timeout_ms = shape_draw_timeout(c);
    step->priority = (int)choice_draw(c, CHOICE_WORKLOAD, 3);
    step->slow_queue = choice_once_in(c, CHOICE_WORKLOAD, 4);
    step->deadline_ms = shape_draw_deadline(c, 8);
    /* What beats and has a timeout may hang on until that one. */
    step->heartbeat_ms = choice_once_in(c, CHOICE_WORKLOAD, step->timeout_ms ? 2 : 6) ? 300 : 0;
    if (form == FORM_JOIN || form == FORM_LATE_JOIN)
        step->on_failure = SW_ON_FAILURE_CONTINUE;
    step->after = shape_draw_after(form, index, last, c);
    shape_draw_trigger(step, c);
}

/* Settings that steps with few attempts reach, and times that are over before a run is. */
static void breakers_draw(ledger *l, choice *c)
{
    bool calm = l->world->calm; /* then something is to open */
    l->has_breakers = choice_draw(c, CHOICE_WORKLOAD, calm ? 4 : 2) > 0;
    for (int i = 0; l->has_breakers && i < LEDGER_BREAKERS; i++) {
        ledger_breaker *breaker = &l->breakers[i];
        breaker->failures = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, calm ? 1 : 3);
        breaker->successes = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, 2);
        breaker->probes = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, 2);
        breaker->open_ms = 50 + 100 * (int64_t)choice_draw(c, CHOICE_WORKLOAD, 4);
        breaker->max_open_ms = breaker->open_ms * (1 + choice_draw(c, CHOICE_WORKLOAD, 3));
    }
}

static void breakers_put(const ledger *l, workload_text *text)
{
    text_put(text, "\"breakers\":{");
    for (int i = 0; l->has_breakers && i < LEDGER_BREAKERS; i++) {
        const ledger_breaker *breaker = &l->breakers[i];
        text_put(text,
                 "%s\"b%d\":{\"failure_threshold\":%d,\"success_threshold\":%d,\"probes\":%d,"
                 "\"open_ms\":%lld,\"max_open_ms\":%lld}",
                 i ? "," : "", i + 1, breaker->failures, breaker->successes, breaker->probes,
                 (long long)breaker->open_ms, (long long)breaker->max_open_ms);
    }
    text_put(text, "},");
}

/* After which steps it comes, and by which rule. */
static void shape_put_rule(const ledger_step *step, int index, workload_text *text)
{
    static const char *const rules[] = {
        [SW_TRIGGER_ALL_SUCCEEDED] = "all_succeeded",
        [SW_TRIGGER_ALL_DONE] = "all_done",
        [SW_TRIGGER_ANY_SUCCEEDED] = "any_succeeded",
        [SW_TRIGGER_NONE_FAILED] = "none_failed",
    };
    text_put(text, ",\"after\":[");
    for (int from = 0, first = 1; from < index; from++) {
        if (!(step->after >> from & 1))
            continue;
        text_put(text, "%s\"%c\"", first ? "" : ",", 'a' + from);
        first = 0;
    }
    text_put(text, "]");
    if (step->trigger == SW_TRIGGER_QUORUM)
        text_put(text, ",\"trigger\":{\"quorum\":%d}", step->quorum);
    else if (step->trigger != SW_TRIGGER_ALL_SUCCEEDED)
        text_put(text, ",\"trigger\":\"%s\"", rules[step->trigger]);
}

/* What is not said is what it would be by default: reading definitions is a part of every run. */
static void shape_put_step(const ledger_step *step, int index, workload_text *text)
{
    static const char *const policies[] = {
        [SW_ON_FAILURE_BLOCK] = "block",
        [SW_ON_FAILURE_CONTINUE] = "continue",
        [SW_ON_FAILURE_FAIL_TASK] = "fail_task",
        [SW_ON_FAILURE_SKIP_DEPENDENTS] = "skip_dependents",
    };
    text_put(text, "%s{\"name\":\"%c\",\"on_failure\":\"%s\"", index ? "," : "", 'a' + index,
             policies[step->on_failure]);
    if (step->timeout_ms)
        text_put(text, ",\"timeout_ms\":%lld", (long long)step->timeout_ms);
    if (step->heartbeat_ms)
        text_put(text, ",\"heartbeat_ms\":%lld", (long long)step->heartbeat_ms);
    if (step->priority)
        text_put(text, ",\"priority\":%d", step->priority);
    if (step->slow_queue)
        text_put(text, ",\"queue\":\"%s\"", step->moved ? "slower" : "slow");
    text_put(text, ",\"retry\":{\"max_attempts\":%d,\"backoff\":\"linear\",\"base_ms\":%lld",
             step->max_attempts, (long long)step->base_ms);
    if (step->max_crashes != SW_CRASHES_DEFAULT)
        text_put(text, ",\"max_crashes\":%d", step->max_crashes);
    text_put(text, "}");
    if (step->deadline_ms)
        text_put(text, ",\"deadline_ms\":%lld", (long long)step->deadline_ms);
    if (step->breaker)
        text_put(text, ",\"breaker\":\"b%d\"", step->breaker);
    shape_put_rule(step, index, text);
    text_put(text, "}");
}

static void shape_load(ledger *l, ledger_shape *shape)
{
    sw_error error;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = &l->harness.env;
    if (sw_workflow_load(&options, (sw_str){shape->text, strlen(shape->text)}, &shape->workflow,
                         NULL, &error) < 0)
        world_violate(l->world, "O8", "a workflow is refused: %s", error.message);
}

/* Of a task that was pruned nobody knows which version it had: they name the same. */
static int shape_draw_breaker(const ledger *l, int number, int version, int index, choice *c)
{
    const ledger_shape *first = &l->shapes[number][0];
    int drawn = (int)choice_draw(c, CHOICE_WORKLOAD, LEDGER_BREAKERS + 1);
    bool same = version > 0 && l->by_hand && index < first->step_count;
    return same ? first->steps[index].breaker : drawn;
}

static void shape_draw(ledger *l, int number, int version, choice *c)
{
    ledger_shape *shape = &l->shapes[number][version];
    workload_text text = {shape->text, sizeof shape->text, 0};
    static const shape_form forms[] = {FORM_ANY,   FORM_ANY,  FORM_ANY,
                                       FORM_CHAIN, FORM_JOIN, FORM_LATE_JOIN};
    shape_form form = forms[choice_draw(c, CHOICE_WORKLOAD, 6)];
    snprintf(shape->name, sizeof shape->name, "w%d", number);
    snprintf(shape->version, sizeof shape->version, "%d", version + 1);
    shape->step_count = 1 + (int)choice_draw(c, CHOICE_WORKLOAD, LEDGER_STEPS);
    shape->deadline_ms = 2 * shape_draw_deadline(c, 10);
    text_put(&text, "{\"stepwell\":1,\"name\":\"%s\",\"version\":\"%s\",", shape->name,
             shape->version);
    if (shape->deadline_ms)
        text_put(&text, "\"deadline_ms\":%lld,", (long long)shape->deadline_ms);
    if (l->has_breakers)
        breakers_put(l, &text);
    text_put(&text, "\"steps\":[");
    bool moved = version > 0 && choice_draw(c, CHOICE_WORKLOAD, 4); /* to a queue that is new */
    if (choice_once_in(c, CHOICE_WORKLOAD, 16))
        shape->steps[choice_draw(c, CHOICE_WORKLOAD, (uint32_t)shape->step_count)].deadly = true;
    for (int i = 0; i < shape->step_count; i++) {
        shape_draw_step(&shape->steps[i], i, shape->step_count - 1, form, c);
        if (l->has_breakers)
            shape->steps[i].breaker = shape_draw_breaker(l, number, version, i, c);
        shape->steps[i].moved = moved;
        shape->steps[i].slow_queue = moved || shape->steps[i].slow_queue;
        shape_put_step(&shape->steps[i], i, &text);
    }
    text_put(&text, "]}");
    shape_load(l, shape);
}

/* The first worker handles everything, so that every task can end. */
static void crew_draw(ledger_crew *crew, bool first, choice *c)
{
    bool picky = !first && choice_once_in(c, CHOICE_WORKLOAD, 2);
    crew->default_queue_only = !first && choice_once_in(c, CHOICE_WORKLOAD, 3);
    for (int i = 0; i < LEDGER_SHAPES; i++) {
        crew->steps[i] = (1u << LEDGER_STEPS) - 1;
        if (picky)
            crew->steps[i] &= ~choice_draw(c, CHOICE_WORKLOAD, (1u << LEDGER_STEPS) - 1);
    }
}

/* In a calm run nobody dies, and there is something to wait for; an operator has something to mend.
 */
static uint32_t fates_draw(const ledger *l, choice *c)
{
    uint32_t fates = choice_draw(c, CHOICE_WORKLOAD, 1u << FATE_COUNT);
    if (l->has_operator && l->by_hand)
        fates |= 1u << (FATE_FAIL_FOR_GOOD - 1);
    if (!l->world->calm)
        return fates;
    fates |= 1u << (FATE_FAIL - 1) | 1u << (FATE_FAIL_AND_WAIT - 1) | 1u << (FATE_HANG - 1);
    return fates & ~(1u << (FATE_DIE - 1) | 1u << (FATE_PAUSE - 1));
}

/* With fewer than three, beginning and the last look of the oracle are most of a schedule; more
 * than five add more to its time than to what it finds. */
static int tasks_draw(choice *c)
{
    static const int counts[] = {1, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5, LEDGER_TASKS};
    return counts[choice_draw(c, CHOICE_WORKLOAD, sizeof counts / sizeof *counts)];
}

void ledger_draw(ledger *l)
{
    choice *c = &l->world->choice;
    l->two_versions = l->has_operator && choice_once_in(c, CHOICE_WORKLOAD, 2);
    l->by_hand = choice_once_in(c, CHOICE_WORKLOAD, 2);
    breakers_draw(l, c);
    for (int i = 0; i < LEDGER_SHAPES; i++) {
        for (int version = 0; version <= l->two_versions; version++)
            shape_draw(l, i, version, c);
    }
    for (int i = 0; i < LEDGER_CREW; i++)
        crew_draw(&l->crew[i], i == 0, c);
    l->task_count = tasks_draw(c);
    for (int i = 0; i < l->task_count; i++) {
        ledger_task *task = &l->tasks[i];
        task->shape = (int)choice_draw(c, CHOICE_WORKLOAD, LEDGER_SHAPES);
        task->priority = (int)choice_draw(c, CHOICE_WORKLOAD, 3);
        task->deadline_ms = 2 * shape_draw_deadline(c, 10);
        /* A key belongs to a workflow: two of them may use the same. */
        bool shared = i % 2 == 1 && task->shape != l->tasks[i - 1].shape;
        snprintf(task->key, sizeof task->key, "key-%d", shared ? i - 1 : i);
        snprintf(task->input, sizeof task->input, "{\"n\":\"secret-%d\"}", i);
        snprintf(task->tag, sizeof task->tag, SW_SUBJECT_TAG "s%d", i % 2);
    }
    l->harness_blocks = l->harness.heap.blocks;
    l->lease_ms = l->world->calm ? 4800 : 300 + 700 * (int64_t)choice_draw(c, CHOICE_WORKLOAD, 4);
    l->fates = fates_draw(l, c);
    l->rare_settings = choice_once_in(c, CHOICE_WORKLOAD, 4);
    l->short_log = choice_draw(c, CHOICE_WORKLOAD, 4);
}
