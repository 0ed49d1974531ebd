/* A definition between its text and its final form: what the reader of a form hands to the check,
 * in the order of the file. The readers know keys, the check knows rules, and neither the other. */
#ifndef SW_MODEL_DRAFT_H
#define SW_MODEL_DRAFT_H

#include "base/node.h"
#include "graph/graph.h"
#include "model/findings.h"
#include "stepwell/breaker.h"

/* Nodes and texts are borrowed from the document. */
typedef struct sw__draft_step {
    const sw__node *node;         /* the map the step was read from */
    const sw__node *name_node;    /* NULL: not given */
    const sw__node *handler_node; /* NULL: the default of the form */
    const sw__node *after;        /* list of names, NULL: none */
    const sw__node *parameters;   /* map, NULL: none */
    const sw__node *metadata;     /* map, NULL: none */
    const sw__node *retry;        /* map, NULL: none */
    const sw__node *trigger_node; /* NULL: not given */
    sw_str name;                  /* absent when it is not a name */
    sw_str title;
    sw_str description;
    sw_str handler; /* absent: "<workflow>.<step>" */
    sw_str queue;
    sw_str breaker; /* absent: none */
    int64_t priority;
    int64_t timeout_ms;
    int64_t heartbeat_ms;
    int64_t deadline_ms;
    int64_t max_attempts;
    int64_t max_crashes;
    int64_t backoff_base_ms;
    int64_t backoff_max_ms; /* -1: not given */
    double backoff_jitter;
    int32_t backoff;
    int32_t on_failure;
    int32_t trigger;
    int64_t quorum;
} sw__draft_step;

typedef struct sw__draft {
    sw_str name; /* absent when there is a finding about it */
    sw_str title;
    sw_str version;
    sw_str description;
    const sw__node *input_schema; /* NULL: none */
    const sw__node *metadata;     /* map, NULL: none */
    int64_t max_parallel;
    int64_t deadline_ms;
    const char *after_key; /* how the form calls them, for the paths of findings */
    const char *handler_key;
    const char *heartbeat_key;
    const char *retry_max_key;
    const sw__node *breakers_node; /* map, NULL: none */
    sw_breaker_settings *breakers; /* read from it, by name */
    size_t breaker_count;
    const sw__node *list; /* of the steps; NULL when there is a finding about it */
    sw__draft_step *steps;
    size_t step_count;
} sw__draft;

/* Room for the steps of draft->list, each with the defaults that all forms share; none when there
 * are too few or too many, which is a finding. False when there is no memory. */
bool sw__draft_steps(sw__findings *findings, sw__draft *draft, sw__arena *arena);
/* One step with these defaults, read from node. */
void sw__draft_step_init(sw__draft_step *step, const sw__node *node);
/* The readers: Stepwell's own form and missions. False when there is no memory. */
bool sw__definition_read(sw__findings *findings, sw__arena *arena, const sw__node *root,
                         sw__draft *draft);
/* What the first does for each step: its keys, into a step with its defaults. */
void sw__definition_read_step(sw__findings *findings, const sw__path *path, sw__draft_step *step);
bool sw__mission_read(sw__findings *findings, sw__arena *arena, const sw__node *root,
                      sw__draft *draft);

/* Read the settings of draft->breakers_node, and hold the breakers that the steps name against
 * them. False when there is no memory. */
bool sw__breakers_read(sw__findings *findings, sw__arena *arena, sw__draft *draft);

/* The part of the check below that concerns one step alone, which is number `number` of the list.
 * 0 or SW_ENOMEM. */
int sw__draft_check_step(sw__findings *findings, sw__arena *arena, const sw__draft *draft,
                         sw__draft_step *step, size_t number);

/* Check what concerns several values at once, fill in the defaults that depend on others, and put
 * the steps into order: *order gets the draft's numbers in topological order, *graph the
 * dependencies over draft numbers. Both are only good when findings has no error.
 * 0 or SW_ENOMEM. */
int sw__draft_check(sw__findings *findings, sw__arena *arena, sw__draft *draft, int32_t **order,
                    sw__graph *graph);

#endif
