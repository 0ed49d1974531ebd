/* A task that comes from a file (audit/task_file.h), on its way into the store of an empty engine. */
#ifndef SW_ENGINE_ARRIVAL_H
#define SW_ENGINE_ARRIVAL_H

#include "audit/task_file.h"
#include "engine/work.h"

typedef struct sw__arrival {
    sw_engine *engine;
    sw__arena *arena;
    const sw__task_file *file;
    sw__file_play play; /* up to the moment */
    bool is_past;       /* not the end of it */
    int64_t now_us;
    const sw__plan *plan;
    sw__task_hot hot;
} sw__arrival;

/* Write its definition, rows, payloads, workers and log, as they were at the moment that play has come
 * to. errors: SW_ELIMIT (a number that no store gives out), SW_ENOMEM. */
int sw__arrival_fill(sw__arrival *call, sw__work *work, sw_error *err);

#endif
