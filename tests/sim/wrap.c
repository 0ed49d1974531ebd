/* The engine's locks, waiting and reading of definitions, on a simulated machine; see wrap.h. */
#include "sim/wrap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/engine.h"
#include "sim/ledger.h"
#include "sim/probe.h"
#include "store/sqlite.h"

#define WRAP_READS_ITSELF 32

static world *const *wrap_world;

void wrap_install(world *const *current)
{
    wrap_world = current;
}

/* Locks. All actors are on one thread: a lock that is taken belongs to one that stands still, or,
 * in a static one, to nobody who could come here. */

int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);

static bool wrap_is_shared(const world *w)
{
    return w && w->current && w->current->process->users > 1;
}

bool wrap_is_locked(pthread_mutex_t *mutex)
{
    if (pthread_mutex_trylock(mutex) != 0)
        return true;
    __real_pthread_mutex_unlock(mutex);
    return false;
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    world *w = *wrap_world;
    if (wrap_is_shared(w))
        world_point(w, 1u << WORLD_KILL | 1u << WORLD_POWER, "lock");
    while (pthread_mutex_trylock(mutex) != 0) {
        if (!w->current)
            abort();
        probe_hit(SIM_LOCK_TAKEN);
        world_block(w, mutex, WORLD_NEVER_US);
    }
    return 0;
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int rc = __real_pthread_mutex_unlock(mutex);
    if (wrap_is_shared(*wrap_world))
        world_release(*wrap_world, mutex);
    return rc;
}

/* Waiting. The engine asks for real time and gets virtual time. */

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    probe_hit(SIM_GROUPED);
    __wrap_pthread_mutex_unlock(mutex);
    world_block(*wrap_world, cond, WORLD_NEVER_US);
    return __wrap_pthread_mutex_lock(mutex);
}

int __wrap_pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
                                  const struct timespec *until)
{
    __wrap_pthread_mutex_unlock(mutex);
    world_wait(*wrap_world, cond, (int64_t)until->tv_sec * 1000000 + until->tv_nsec / 1000);
    __wrap_pthread_mutex_lock(mutex);
    return ETIMEDOUT;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    return __wrap_pthread_cond_broadcast(cond);
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    if (*wrap_world)
        world_release(*wrap_world, cond);
    return 0;
}

void wrap_wake_waiting(world *w)
{
    for (int i = 0; i < w->actor_count; i++) {
        const actor *self = &w->actors[i];
        if (self->alive && self->waiting && !wrap_is_locked(&self->engine->lock))
            sw_engine_wake(self->engine);
    }
}

/* Stores that are open already; see image.h. */

int __real_sw__store_sqlite_open(const sw__store_options *options, sw__store **out, sw_error *err);
int __wrap_sw__store_sqlite_open(const sw__store_options *options, sw__store **out, sw_error *err);

int __wrap_sw__store_sqlite_open(const sw__store_options *options, sw__store **out, sw_error *err)
{
    process *home = options->env->context;
    if (!home->ready)
        return __real_sw__store_sqlite_open(options, out, err);
    sw__store *store = home->ready;
    home->ready = NULL;
    int rc = sw__sqlite_sync_log((sw__sqlite *)store, err);
    if (rc < 0)
        store->ops->close(store);
    else
        *out = store;
    return rc;
}

/* Definitions that are stored: but for one time in 32, a process is given the harness's own
 * instead of reading it again, which would be a good part of a schedule. */

int __real_sw__workflow_load_canonical(const sw_env *env, sw_str json, sw_workflow **out,
                                       sw_error *err);
int __wrap_sw__workflow_load_canonical(const sw_env *env, sw_str json, sw_workflow **out,
                                       sw_error *err);

static sw_workflow *wrap_known(ledger *l, sw_str json)
{
    for (int i = 0; i < LEDGER_SHAPES * LEDGER_VERSIONS; i++) {
        sw_workflow *known = l->shapes[i / LEDGER_VERSIONS][i % LEDGER_VERSIONS].workflow;
        if (known && known->json.len == json.len &&
            memcmp(known->json.ptr, json.ptr, json.len) == 0)
            return known;
    }
    return NULL;
}

int __wrap_sw__workflow_load_canonical(const sw_env *env, sw_str json, sw_workflow **out,
                                       sw_error *err)
{
    world *w = *wrap_world;
    sw_workflow *known = w->ledger ? wrap_known(w->ledger, json) : NULL;
    if (!known || choice_once_in(&w->choice, CHOICE_DETAIL, WRAP_READS_ITSELF))
        return __real_sw__workflow_load_canonical(env, json, out, err);
    *out = sw__workflow_keep(known);
    return SW_OK;
}
