/* What the roles share; see actor.h. */
#include "sim/actor.h"

#include <string.h>

#include "engine/engine.h"
#include "sim/image.h"
#include "sim/probe.h"
#include "store/sqlite.h"

#define ACTOR_ERRORS_MAX 6
#define ACTOR_LOG_PAGES 24
#define ACTOR_OPENS_IN_FULL 24 /* once in so many times */
#define ACTOR_READS_ITSELF 32  /* the definitions that it registers */

ledger *actor_ledger(const actor *self)
{
    return self->world->ledger;
}

sw_str actor_str(const char *text)
{
    return (sw_str){text, strlen(text)};
}

void actor_bear(actor *self, int *errors, int code, const sw_error *error)
{
    world_note(self->world, "%s: %s", sw_code_name(code), error->message);
    ledger_check_code(actor_ledger(self), code, error);
    if (++*errors > ACTOR_ERRORS_MAX || code == SW_EPOISONED) {
        probe_hit(SIM_GIVEN_UP);
        world_die(self->world);
    }
    world_sleep(self->world, 5000 * *errors);
}

void actor_arm_memory(actor *self)
{
    world_point(self->world, 1u << WORLD_NO_MEMORY, "call");
}

void actor_sleep_up_to(actor *self, uint32_t most_ms)
{
    world_sleep(self->world,
                1000 + 1000 * (int64_t)choice_draw(&self->world->choice, CHOICE_DETAIL, most_ms));
}

/* No run is so long that the log would ever be moved while it is used, with the engine's settings;
 * and who recovers a long one reads all of it. */
static void actor_settings(actor *self)
{
    const ledger *l = actor_ledger(self);
    sqlite3 *db = ((sw__sqlite *)self->process->engine->store)->db;
    if (l->rare_settings || l->short_log)
        sqlite3_wal_autocheckpoint(db, l->rare_settings ? 2 : ACTOR_LOG_PAGES);
    if (!l->rare_settings)
        return;
    sqlite3_exec(db, "PRAGMA cache_size = 1", NULL, NULL, NULL);
    self->process->engine->sweep_batch = 2;
}

/* Most processes find the database open; the others go through every operation of opening it. */
static void actor_begin(actor *self)
{
    process *home = self->process;
    if (home->ready || home->heap.blocks > 0)
        return;
    if (!choice_once_in(&self->world->choice, CHOICE_DETAIL, ACTOR_OPENS_IN_FULL))
        image_begin(actor_ledger(self), home);
}

static void actor_open_engine(actor *self)
{
    sw_error error;
    int errors = 0;
    sw_engine *engine = NULL;
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = LIT(DISK_DATABASE);
    options.env = &self->process->env;
    options.busy_timeout_ms = ACTOR_BUSY_MS;
    for (;;) {
        actor_arm_memory(self);
        actor_begin(self);
        int rc = sw_engine_open(&options, &engine, &error);
        if (rc == 0)
            break;
        probe_hit(SIM_OPEN_FAILED);
        actor_bear(self, &errors, rc, &error);
    }
    image_learn(actor_ledger(self), engine->store);
    self->process->engine = engine;
    actor_settings(self);
}

/* Threads of one process open and close its engine one after the other. */
static void actor_await_change(const actor *self)
{
    while (self->process->changing)
        world_sleep(self->world, 1000);
}

void actor_open(actor *self)
{
    process *home = self->process;
    actor_await_change(self);
    home->users++;
    if (!home->engine) {
        home->changing = true;
        actor_open_engine(self);
        home->changing = false;
    } else {
        probe_hit(SIM_JOINED);
    }
    self->engine = home->engine;
}

/* The last one to leave closes. */
void actor_close(actor *self)
{
    process *home = self->process;
    sw_engine *engine = self->engine;
    self->engine = NULL;
    if (--home->users > 0)
        return;
    home->engine = NULL;
    home->changing = true;
    sw_engine_close(engine);
    home->changing = false;
    if (home->heap.blocks)
        world_violate(self->world, "O10", "%s leaves %zu blocks of memory", self->role,
                      home->heap.blocks);
}

/* Definitions come ready from the harness; rarely the process reads them itself. */
static int actor_register_once(actor *self, int version, sw_error *error)
{
    ledger *l = actor_ledger(self);
    sw_workflow *loaded[LEDGER_SHAPES] = {0};
    const sw_workflow *workflows[LEDGER_SHAPES];
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    bool loads = choice_once_in(&self->world->choice, CHOICE_DETAIL, ACTOR_READS_ITSELF);
    int rc = 0;
    options.env = &self->process->env;
    for (int i = 0; i < LEDGER_SHAPES; i++) {
        workflows[i] = l->shapes[i][version].workflow;
        if (rc == 0 && loads) {
            rc = sw_workflow_load(&options, actor_str(l->shapes[i][version].text), &loaded[i], NULL,
                                  error);
            workflows[i] = loaded[i];
        }
    }
    if (rc == 0)
        rc = sw_workflow_register(self->engine, workflows, LEDGER_SHAPES, error);
    for (int i = 0; i < LEDGER_SHAPES; i++)
        sw_workflow_free(loaded[i]);
    return rc;
}

void actor_register(actor *self, int version)
{
    sw_error error;
    int errors = 0;
    for (;;) {
        actor_arm_memory(self);
        int rc = actor_register_once(self, version, &error);
        if (rc == 0)
            return;
        actor_bear(self, &errors, rc, &error);
    }
}
