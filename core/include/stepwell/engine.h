/* An engine: one open store and everything that works on it.
 *
 *     sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
 *     options.store = (sw_str){"orders.db", 9};
 *     sw_engine *engine = NULL;
 *     sw_error error;
 *     if (sw_engine_open(&options, &engine, &error) < 0)
 *         return report(error.message);
 *     ... register workflows, submit tasks, exchange ...
 *     sw_engine_close(engine);
 *
 * An engine starts no thread. It belongs to the process that opened it: in a forked child every
 * call answers SW_EFORKED and never touches the parent's connection. Results may outlive it.
 */
#ifndef STEPWELL_ENGINE_H
#define STEPWELL_ENGINE_H

#include "error.h"
#include "sys/env.h"
#include "sys/log.h"
#include "types.h"

typedef struct sw_engine sw_engine;

typedef struct sw_engine_options {
    uint32_t size;
    int32_t durability;      /* sw_durability; MEMORY is implied by the store "memory:" */
    sw_str store;            /* a path, "sqlite:///path", or "memory:" */
    int64_t busy_timeout_ms; /* how long to wait for another writer; 0 means 5,000 */
    int64_t payload_max;     /* bytes of one input or result; 0 means 1 MiB */
    int32_t must_exist;      /* 1: SW_ENOTFOUND instead of creating the database */
    int32_t reserved;
    const sw_env *env; /* NULL: sw_env_system(); must outlive the engine and its results */
    const sw_log *log; /* NULL: no log; must outlive the engine */
} sw_engine_options;

#define SW_ENGINE_OPTIONS_INIT {.size = sizeof(sw_engine_options)}

typedef struct sw_engine_info {
    uint32_t size;
    int32_t durability;
    int32_t schema_version; /* of the database; 0 for memory */
    int32_t sqlite;         /* 1 when the store is SQLite */
    int64_t now_us;         /* the store's clock */
} sw_engine_info;

#define SW_ENGINE_INFO_INIT {.size = sizeof(sw_engine_info)}

SW_BEGIN_DECLS

/* Open a store, creating or migrating it when needed.
 *
 * owns:    options and its strings are borrowed until return; *out is the caller's
 *          (sw_engine_close).
 * threads: any thread, concurrently.
 * blocks:  disk; may wait for another writer up to busy_timeout_ms.
 * errors:  SW_EINVAL, SW_ENOTFOUND (must_exist), SW_EFOREIGN, SW_EVERSION, SW_ECORRUPT,
 *          SW_EACCESS, SW_EBUSY, SW_EIO, SW_EFULL, SW_ENOMEM. On error *out is NULL.
 */
SW_API int sw_engine_open(const sw_engine_options *options, sw_engine **out, sw_error *err);

/* Close a store. Calls that run in other threads finish first; blocked waits return SW_ECLOSED.
 * NULL is allowed. In a forked child only the handle is freed.
 *
 * owns:    engine is taken.
 * threads: any thread, one at a time.
 * blocks:  disk.
 * errors:  none.
 */
SW_API void sw_engine_close(sw_engine *engine);

/* What is open. Set info->size first.
 *
 * owns:    info is borrowed until return.
 * threads: any thread, concurrently.
 * blocks:  disk.
 * errors:  SW_EINVAL, SW_EFORKED, SW_ECLOSED, SW_EIO.
 */
SW_API int sw_engine_info_get(sw_engine *engine, sw_engine_info *info, sw_error *err);

/* Wake every call of this process that waits in sw_step_exchange or sw_task_wait; each returns
 * with what it has. For shutting a worker down.
 *
 * owns:    nothing.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none.
 */
SW_API void sw_engine_wake(sw_engine *engine);

SW_END_DECLS

#endif
