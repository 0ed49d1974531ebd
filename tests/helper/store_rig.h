/* A store under test, of either kind, with short forms of its verbs and a dump of all it holds.
 *
 *     store_rig rig;
 *     store_rig_open(&rig, STORE_RIG_SQLITE);
 *     store_begin(&rig, true);
 *     int64_t task_no = store_add_task(&rig, "order", 3);
 *     store_commit(&rig);
 *     store_rig_close(&rig);
 */
#ifndef HELPER_STORE_RIG_H
#define HELPER_STORE_RIG_H

#include "base/buf.h"
#include "helper/fault_env.h"
#include "store/store.h"

typedef enum store_rig_kind { STORE_RIG_MEMORY, STORE_RIG_SQLITE, STORE_RIG_COUNT } store_rig_kind;

typedef struct store_rig {
    store_rig_kind kind;
    fault_env fault;
    sw__store *store;
    sw__arena *arena; /* for rows that are read */
    sw_error err;
    char folder[64];
    char path[96]; /* in the folder; only SQLite makes the file */
} store_rig;

/* Options that open the store of a rig. */
sw__store_options store_rig_options(store_rig *rig);
void store_rig_open(store_rig *rig, store_rig_kind kind);
/* Only the folder and the environment; for tests of opening. */
void store_rig_prepare(store_rig *rig, store_rig_kind kind);
/* Close and open again; what SQLite has committed is still there. */
void store_rig_reopen(store_rig *rig);
/* Closes, checks that all memory was given back, and removes the folder. */
void store_rig_close(store_rig *rig);

void store_begin(store_rig *rig, bool write);
void store_commit(store_rig *rig);
void store_rollback(store_rig *rig);

/* The next number of a sequence. */
int64_t store_take(store_rig *rig, sw__sequence sequence);
/* A workflow with a new number; its digest is made from name and version. */
int64_t store_add_workflow(store_rig *rig, const char *name, const char *version,
                           int64_t registered_us);
/* A task of workflow 1 with a new number; its steps are pending, in no line. */
int64_t store_add_task(store_rig *rig, const char *input, int steps);
sw__task_hot store_task(store_rig *rig, int64_t task_no);
sw__step_hot store_step(store_rig *rig, int64_t step_id);
/* Put a step into a line. */
void store_queue(store_rig *rig, int64_t step_id, int64_t lane, int64_t rank);
/* The steps of a lane as "id id id", relative to the first step of task_no. */
const char *store_line(store_rig *rig, int64_t task_no, int64_t lane, int64_t rank_max,
                       size_t limit);

/* A UUID made of a number. */
sw_uuid store_uuid(int64_t number);

/* Everything the store holds as text, inside or outside of a transaction: two stores hold the same
 * when their dumps are equal. Scopes of idempotency keys are "key0" to "key9". The text is freed
 * with sw__buf_free. */
sw__buf store_dump(store_rig *rig);

/* One test on every kind of store: state is the rig. */
int store_rig_setup(void **state);
int store_rig_teardown(void **state);
extern store_rig_kind store_rig_kinds[STORE_RIG_COUNT];

#define STORE_TEST(function)                                                                       \
    {#function " (memory)", function, store_rig_setup, store_rig_teardown,                         \
     &store_rig_kinds[STORE_RIG_MEMORY]},                                                          \
    {                                                                                              \
#function " (sqlite)", function, store_rig_setup, store_rig_teardown,                      \
            &store_rig_kinds[STORE_RIG_SQLITE]                                                     \
    }

#endif
