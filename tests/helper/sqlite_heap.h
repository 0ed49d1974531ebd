/* Memory of SQLite from an environment of tests, so that its allocations count and fail like ours.
 *
 *     sqlite_heap_use(&fault);       (before anything of SQLite is used)
 *     ... fault.asked, failed and live count ours and SQLite's ...
 */
#ifndef HELPER_SQLITE_HEAP_H
#define HELPER_SQLITE_HEAP_H

#include "helper/fault_env.h"

/* From now on, for the whole process. */
void sqlite_heap_use(fault_env *fault);
/* How many blocks SQLite holds. */
size_t sqlite_heap_live(void);

#endif
