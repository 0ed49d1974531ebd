/* What an engine remembers of definitions and lanes, so that the hot path reads neither.
 *
 * Definitions are immutable, so a remembered one is never wrong. Which one is the newest of a name
 * and which lanes exist may change by another process; both are asked again when the store's
 * version moved. After a rollback everything is forgotten, because numbers may not have stayed.
 */
#ifndef SW_ENGINE_CATALOG_H
#define SW_ENGINE_CATALOG_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/map.h"
#include "model/workflow.h"
#include "store/store.h"

/* A definition in use. */
typedef struct sw__plan {
    int64_t workflow_no;
    sw_workflow *workflow;
    int64_t *lanes; /* per step */
} sw__plan;

typedef struct sw__catalog {
    const sw_env *env;
    sw__arena *arena;  /* of everything below */
    sw__map plans;     /* workflow_no to sw__plan* */
    sw__strmap newest; /* name, zero byte, version to sw__plan* */
    sw__strmap lanes;  /* queue, handler, breaker, zero bytes between them, to lane */
    sw__lane_row *lane_rows;
    size_t lane_count;
    size_t lane_capacity;
    uint64_t lanes_version; /* grows when lanes are added or forgotten; never 0 */
    bool lanes_stale;       /* another process may have added lanes */
    int64_t store_version;  /* for which newest and lanes hold */
} sw__catalog;

int sw__catalog_init(sw__catalog *catalog, const sw_env *env);
void sw__catalog_free(sw__catalog *catalog);
/* Forget everything; after a rollback. */
void sw__catalog_reset(sw__catalog *catalog);
/* Ask again what another process may have changed; call at the beginning of a transaction, which
 * then sees what is remembered for it, and has locked already what the question would lock. */
int sw__catalog_check(sw__catalog *catalog, sw__store *store, sw_error *err);
/* Forget which definition is the newest of each name; after registering. */
void sw__catalog_forget_newest(sw__catalog *catalog);
/* Read lanes that were added since; inside a transaction. */
int sw__catalog_lanes(sw__catalog *catalog, sw__store *store, sw_error *err);
/* Enter the lanes of a definition; inside a transaction for writing. */
int sw__catalog_lanes_add(sw__catalog *catalog, sw__store *store, const sw_workflow *workflow,
                          sw_error *err);
/* Remember a definition that was just stored, whose lanes are entered, without reading it back. */
int sw__catalog_adopt(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                      const sw_workflow *workflow, sw_error *err);
/* The definition with this number; inside a transaction. */
int sw__catalog_plan(sw__catalog *catalog, sw__store *store, int64_t workflow_no,
                     const sw__plan **out, sw_error *err);
/* The newest definition of a name; SW_ENOTFOUND. */
int sw__catalog_newest(sw__catalog *catalog, sw__store *store, sw_str name, sw_str version,
                       const sw__plan **out, sw_error *err);

#endif
