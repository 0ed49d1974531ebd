/* Workers that were opened through this engine. */
#ifndef SW_ENGINE_MEMBER_H
#define SW_ENGINE_MEMBER_H

#include "engine/work.h"

/* Write a new end of the lease; a worker that was declared lost meanwhile is entered again under
 * its number. */
int sw__member_renew(sw__work *work, sw__member *member, sw_error *err);
/* Renew the lease in a transaction of its own; entered. */
int sw__member_keep(sw_engine *engine, int64_t worker_id, sw_error *err);
/* The last renewal may not have been committed: renew again next time. */
void sw__member_doubt(sw__member *member);

/* Hold or drop the sign of life of a worker that was opened here; 0 or a negative sw_code. */
int sw__member_life(const sw_engine *engine, const sw__member *member, int question);
/* Whether a stored worker's lease holds and nothing says that it has died. */
bool sw__member_alive(const sw_engine *engine, const sw__worker_rec *record, int64_t now_us);
/* Whether a stored worker of this machine gives signs of life; whether one that does has died. */
bool sw__member_watched(const sw_engine *engine, const sw__worker_rec *record);
bool sw__member_gone(const sw_engine *engine, int64_t worker_no);
/* Whether a stored worker of this machine has died: it held a sign of life, and nobody does. */
bool sw__member_dead(const sw_engine *engine, const sw__worker_rec *record);

#endif
