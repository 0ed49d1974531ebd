/* Events as the engine reads them, and who listens for them. */
#ifndef SW_ENGINE_EVENT_H
#define SW_ENGINE_EVENT_H

#include "engine/engine.h"
#include "stepwell/event.h"

typedef struct sw__event_found {
    int64_t task_no; /* 0: of no task */
    sw_event event;
} sw__event_found;

/* payload.c: what the entry of an event sealed, as far as the store still has it; and the key and
 * correlation id of an appended one. Inside a read transaction. */
int sw__event_data(sw_engine *engine, sw__arena *arena, int64_t task_no, sw_event *event,
                   sw_error *err);

/* listen.c: whether somebody may wait for events, so that a commit with entries rings for them. */
bool sw__event_heard(sw_engine *engine);

#endif
