/* Playing the script of a golden scenario through the public interface: workers, tasks and claims
 * by the names the scenario gives them. tests/golden/README.md describes the files. */
#ifndef HELPER_GOLDEN_H
#define HELPER_GOLDEN_H

#include <jansson.h>
#include <stdbool.h>

#include "stepwell.h"

#define GOLDEN_NAMES_MAX 16
#define GOLDEN_CLAIMS_MAX 1024

typedef struct golden_worker {
    const char *name;
    sw_worker_ref ref;
} golden_worker;

typedef struct golden_task {
    const char *name;
    sw_uuid id;
} golden_task;

/* A claim that some worker was given. */
typedef struct golden_claim {
    const char *worker;
    sw_uuid task_id;
    char step[129];
    int64_t step_id;
    int64_t epoch;
    bool reported;
} golden_claim;

typedef struct golden {
    const char *file;
    bool sqlite;
    json_t *scenario;
    char dir[64];
    sw_engine *engine;
    sw_workflow *workflow;
    golden_worker workers[GOLDEN_NAMES_MAX];
    size_t worker_count;
    golden_task tasks[GOLDEN_NAMES_MAX];
    size_t task_count;
    golden_claim claims[GOLDEN_CLAIMS_MAX];
    size_t claim_count;
    size_t at; /* operation of the script */
    sw_error err;
} golden;

/* Fail the running test, saying where the player is. Include cmocka.h first. */
#define golden_fail(player, ...)                                                                   \
    do {                                                                                           \
        print_error("%s on %s, operation %zu: ", (player)->file,                                   \
                    (player)->sqlite ? "sqlite" : "memory", (player)->at);                         \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

sw_str golden_str(const char *text);
golden_task *golden_task_find(golden *player, const char *name);
const char *golden_task_name(golden *player, const sw_uuid *id);
/* Fail unless found is what the scenario expects (NULL: anything); releases found. */
void golden_compare(golden *player, const char *what, const json_t *expected, json_t *found);
/* Whether the operation may go on to compare its answer: it must have failed as it says. */
bool golden_answered(golden *player, const json_t *operation, int code);
/* golden_event.c: operations on events. */
void golden_append(golden *player, const json_t *operation, const json_t *append);
void golden_events(golden *player, const json_t *operation, const json_t *which);
/* golden_list.c: lists of tasks, and what an operation names: the parent (all zero: none), the
 * tags. */
void golden_list(golden *player, const json_t *operation, const json_t *which);
sw_uuid golden_parent(golden *player, const json_t *operation);
size_t golden_tags(const json_t *operation, sw_str tags[GOLDEN_NAMES_MAX]);
/* One operation of the script. */
void golden_play(golden *player, const json_t *operation);

#endif
