/* Taking images of processes and beginning with them; see image.h. */
#include "sim/image.h"

#include <string.h>

#include "base/hash.h"
#include "sim/actor.h"
#include "sim/plant.h"
#include "store/sqlite.h"

#define IMAGE_HANDLES_MAX 4
#define IMAGE_ORACLE WORLD_ACTORS_MAX

typedef struct image {
    heap_image *heap; /* NULL: none could be taken */
    sw__store *store; /* in it, as everything below */
    disk_handle *handles[IMAGE_HANDLES_MAX];
    int handle_count;
    sqlite3_stmt *integrity; /* the oracle's */
} image;

static image images[WORLD_ACTORS_MAX + 1];
static int images_plant = -1; /* what was planted when they were taken */

static void image_oracle_close(sw__store *store);

/* Making. */

static int image_open(image *self, const process *home, int64_t busy_timeout_ms)
{
    sw_error error;
    sw__store_options options = {
        .path = LIT("/sim.db"),
        .busy_timeout_ms = busy_timeout_ms,
        .must_exist = true,
        .env = &home->env,
    };
    return sw__store_sqlite_open(&options, &self->store, &error);
}

/* No page of the database stays in memory: by the time that somebody goes on from here, others have
 * written to it. */
static void image_prepare(sw__sqlite *store)
{
    for (int which = 0; which < SW__SQL_COUNT; which++) {
        if (!store->statements[which])
            sw__bind_prepare(store, which);
    }
    sqlite3_db_release_memory(store->db);
    sw__sqlite_opened_remove(store);
}

static void image_make(image *self, process *home, disk *d, bool oracle)
{
    heap_image_free(self->heap);
    *self = (image){0};
    heap_choose(&home->heap);
    if (image_open(self, home, oracle ? 1 : ACTOR_BUSY_MS) == SW_OK) {
        sw__sqlite *store = (sw__sqlite *)self->store;
        if (oracle)
            sqlite3_prepare_v3(store->db, "PRAGMA integrity_check", -1, SQLITE_PREPARE_PERSISTENT,
                               &self->integrity, NULL);
        image_prepare(store);
        for (disk_handle *h = d->handles; h && self->handle_count < IMAGE_HANDLES_MAX; h = h->next)
            self->handles[self->handle_count++] = h;
        self->heap = heap_image_take(&home->heap);
    }
    disk_release(d, NULL);
    heap_drop(&home->heap);
}

bool image_is_made(void)
{
    return images_plant == plant_chosen();
}

void image_make_all(ledger *l)
{
    world *w = l->world;
    images_plant = plant_chosen();
    for (int i = 0; i < WORLD_ACTORS_MAX; i++) {
        process_init(&w->processes[i], w);
        image_make(&images[i], &w->processes[i], &l->disk, false);
    }
    image_make(&images[IMAGE_ORACLE], &l->oracle, &l->disk, true);
    heap_choose(&l->oracle.heap);
}

/* Beginning. */

static bool image_put(const image *self, ledger *l, process *home, process *owner)
{
    if (!self->heap || !l->made || disk_is_locked(&l->disk))
        return false;
    heap_image_put(self->heap, &home->heap);
    disk_adopt(&l->disk, self->handles, self->handle_count, owner);
    (void)!sw__sqlite_opened_add((sw__sqlite *)self->store);
    return true;
}

bool image_begin(ledger *l, process *home)
{
    const image *self = &images[home - l->world->processes];
    if (!image_put(self, l, home, home))
        return false;
    home->ready = self->store;
    return true;
}

bool image_begin_oracle(ledger *l)
{
    static sw__store_ops ops;
    const image *self = &images[IMAGE_ORACLE];
    if (!image_put(self, l, &l->oracle, NULL))
        return false;
    ops = *self->store->ops;
    ops.close = image_oracle_close;
    self->store->ops = &ops;
    l->harness.ready = self->store;
    return true;
}

static void image_oracle_close(sw__store *store)
{
    sw__sqlite *self = (sw__sqlite *)store;
    ledger *l = ((process *)store->env->context)->world->ledger;
    sw__sqlite_opened_remove(self);
    sw__hasher_free(self->hasher);
    disk_release(&l->disk, NULL);
    heap_drop(&l->oracle.heap);
}

sqlite3_stmt *image_integrity(const sw__store *store)
{
    return store == images[IMAGE_ORACLE].store ? images[IMAGE_ORACLE].integrity : NULL;
}
