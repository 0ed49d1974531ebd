/* A task on its way into a file. Filled and written in task_export.c; what no entry of the log seals
 * is gathered in parcel.c.
 */
#ifndef SW_ENGINE_PARCEL_H
#define SW_ENGINE_PARCEL_H

#include "audit/task_file.h"
#include "engine/query.h"

typedef struct sw__parcel {
    sw_engine *engine;
    sw__arena *arena; /* of everything here */
    sw__task_hot hot;
    const sw__plan *plan;
    sw__step_hot *rows;
    sw__task_info info;
    sw__task_file file;
    sw_audit_entry *entries; /* of the task, oldest first */
    size_t entry_count;
    sw__map workers; /* that its steps have run on, to 1 */
    sw__buf others;  /* sw_audit_entry: of its definition and these workers */
    sw_audit_entry registered;
} sw__parcel;

/* Times, workers and breakers that stand beside the task; its rows have been read. */
int sw__parcel_unsealed(sw__parcel *call, sw_error *err);

#endif
