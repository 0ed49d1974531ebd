/* Taking images of processes and beginning with them; see image.h. */
#include "sim/image.h"

#include <stdio.h>
#include <stdlib.h>
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
static int64_t images_schema; /* of the database that they opened; 0: none */
static int images_plant = -1; /* what was planted when they were taken */

static void image_oracle_close(sw__store *store);

/* Making. */

static int image_open(image *self, const process *home, int64_t busy_timeout_ms)
{
    sw_error error;
    sw__store_options options = {
        .path = LIT(DISK_DATABASE),
        .busy_timeout_ms = busy_timeout_ms,
        .must_exist = true,
        .env = &home->env,
    };
    return sw__store_sqlite_open(&options, &self->store, &error);
}

/* What one process in twenty or more runs, of 200 schedules, beside what every store has compiled.
 * The rest is compiled by those who need it: an image is copied for every process that begins. */
static const sw__sql image_usual[] = {
    SW__SQL_ANCHOR_GET,      SW__SQL_ANCHOR_PUT,      SW__SQL_SEQUENCE_GET,
    SW__SQL_SEQUENCE_PUT,    SW__SQL_WORKFLOW_PUT,    SW__SQL_WORKFLOW_GET,
    SW__SQL_WORKFLOW_NEWEST, SW__SQL_WORKFLOW_DIGEST, SW__SQL_LANE_PUT,
    SW__SQL_LANE_LIST,       SW__SQL_BREAKER_PUT,     SW__SQL_BREAKER_LIST,
    SW__SQL_TASK_INSERT,     SW__SQL_TASK_INFO_PUT,   SW__SQL_TASK_INFO_GET,
    SW__SQL_TASK_TAG_PUT,    SW__SQL_TASK_FIND,       SW__SQL_TASK_KEY_PUT,
    SW__SQL_TASK_KEY_FIND,   SW__SQL_STEP_INSERT,     SW__SQL_STEP_EACH,
    SW__SQL_RESULT_PUT,      SW__SQL_RESULT_GET,      SW__SQL_FAILURE_PUT,
    SW__SQL_FAILURE_GET,     SW__SQL_EVENT_PUT,       SW__SQL_EVENT_GET,
    SW__SQL_EVENT_FIND,      SW__SQL_EVENT_SCAN_TYPE, SW__SQL_PROJECTION_PUT,
    SW__SQL_PROJECTION_FIND, SW__SQL_DEADLINE_PUT,    SW__SQL_DEADLINE_DELETE,
    SW__SQL_DEADLINE_GET,    SW__SQL_WORKER_PUT,      SW__SQL_WORKER_LEASE_PUT,
    SW__SQL_WORKER_RENEW,    SW__SQL_WORKER_DELETE,   SW__SQL_WORKER_LEASE_DELETE,
    SW__SQL_WORKER_LIST,     SW__SQL_SEGMENT_GET,     SW__SQL_SEGMENT_SEEK,
    SW__SQL_SEGMENT_EACH,
};

/* The same for the oracle. */
static const sw__sql image_asked[] = {
    SW__SQL_ANCHOR_GET,
    SW__SQL_WORKFLOW_GET,
    SW__SQL_WORKFLOW_NAMED,
    SW__SQL_WORKFLOW_DIGEST,
    SW__SQL_LANE_LIST,
    SW__SQL_BREAKER_LIST,
    SW__SQL_TASK_INFO_GET,
    SW__SQL_TASK_FIND,
    SW__SQL_TASK_LIST,
    SW__SQL_TASK_LIST_TAGGED,
    SW__SQL_TASK_LIST_CORRELATED,
    SW__SQL_TASK_COUNT_TAGGED,
    SW__SQL_TASK_WORKFLOW_LAST,
    SW__SQL_TASK_STREAM,
    SW__SQL_TASK_STREAM_COUNT,
    SW__SQL_STEP_EACH,
    SW__SQL_QUEUE_AFTER,
    SW__SQL_RESULT_GET,
    SW__SQL_FAILURE_GET,
    SW__SQL_EVENT_GET,
    SW__SQL_EVENT_SCAN,
    SW__SQL_EVENT_SCAN_TYPE,
    SW__SQL_EVENT_SCAN_TYPE_FALLING,
    SW__SQL_EVENT_SCAN_CORRELATION,
    SW__SQL_EVENT_SCAN_CORRELATION_FALLING,
    SW__SQL_PROJECTION_LIST,
    SW__SQL_DEADLINE_GET,
    SW__SQL_WORKER_LIST,
    SW__SQL_SEGMENT_GET,
    SW__SQL_SEGMENT_SEEK,
    SW__SQL_SEGMENT_EACH,
};

static void image_compile(sw__sqlite *store, const sw__sql *which, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)sw__bind_start(store, which[i]);
}

/* No page of the database stays in memory: by the time that somebody goes on from here, others have
 * written to it. */
static void image_leave(sw__sqlite *store)
{
    sqlite3_db_release_memory(store->db);
    sw__sqlite_opened_remove(store);
}

/* Where every table and index lies; 0 when that cannot be read. SQLite itself asks for the number
 * of its schema at every use of a statement, so that one which was lost is noticed. */
static int64_t image_schema(const sw__store *store)
{
    int64_t places = 0;
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = ((const sw__sqlite *)store)->db;
    if (sqlite3_prepare_v2(db, "SELECT sum(rowid * rootpage) FROM sqlite_schema", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        places = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return places;
}

void image_learn(ledger *l, const sw__store *store)
{
    if (!l->alike)
        l->alike = images_schema != 0 && image_schema(store) == images_schema;
}

/* Without an image every run would be right, and slow, and nobody would know why. */
static void image_complain(void)
{
    fprintf(stderr, "sim: a process that has opened the database needs a block that is too large "
                    "for a chunk of memory (heap.c)\n");
    abort();
}

static void image_make(image *self, process *home, disk *d, bool oracle)
{
    heap_image_free(self->heap);
    *self = (image){0};
    heap_choose(&home->heap);
    if (image_open(self, home, oracle ? 1 : ACTOR_BUSY_MS) == SW_OK) {
        sw__sqlite *store = (sw__sqlite *)self->store;
        if (oracle) {
            sqlite3_prepare_v3(store->db, "PRAGMA integrity_check", -1, SQLITE_PREPARE_PERSISTENT,
                               &self->integrity, NULL);
            image_compile(store, image_asked, sizeof(image_asked) / sizeof(image_asked[0]));
        } else {
            image_compile(store, image_usual, sizeof(image_usual) / sizeof(image_usual[0]));
        }
        images_schema = image_schema(self->store);
        image_leave(store);
        for (disk_handle *h = d->handles; h && self->handle_count < IMAGE_HANDLES_MAX; h = h->next)
            self->handles[self->handle_count++] = h;
        self->heap = heap_image_take(&home->heap);
        if (!self->heap && heap_has_chunks())
            image_complain();
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
    if (!self->heap || !l->alike || disk_is_locked(&l->disk))
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
