/* Databases that the library made; see database_image.h. */
#include "fuzz/database_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "fuzz/memory_vfs.h"

database_image database_closed;
database_image database_torn;
sw_uuid database_tasks[DATABASE_TASKS];

const sw_str database_handlers[DATABASE_HANDLERS] = {SW__LIT("w.top"), SW__LIT("w.left"),
                                                     SW__LIT("w.right"), SW__LIT("w.bottom")};

static const char definition[] =
    "{\"stepwell\":1,\"name\":\"w\",\"deadline_ms\":3600000,\"steps\":["
    "{\"name\":\"top\",\"retry\":{\"max_attempts\":2},\"timeout_ms\":60000,\"deadline_ms\":600000},"
    "{\"name\":\"left\",\"after\":[\"top\"],\"on_failure\":\"continue\"},"
    "{\"name\":\"right\",\"after\":[\"top\"],\"on_failure\":\"fail_task\"},"
    "{\"name\":\"bottom\",\"after\":[\"left\",\"right\"]}]}";

int database_open(fuzz_world *world, sw_engine **engine, sw_error *err)
{
    sw_engine_options options = SW_ENGINE_OPTIONS_INIT;
    options.store = sw__str(DATABASE_FILE);
    options.env = &world->fault.env;
    world->fault.env.vfs_name = MEMORY_VFS_NAME;
    return sw_engine_open(&options, engine, err);
}

static void image_must(int rc, const sw_error *err)
{
    fuzz_require(rc == SW_OK, "no database can be made: %s", err->message);
}

static sw_worker_ref image_worker(sw_engine *engine, int64_t lease_ms)
{
    sw_error err;
    sw_worker_ref worker;
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.name = sw__str("ann");
    options.handlers = database_handlers;
    options.handler_count = DATABASE_HANDLERS;
    options.lease_ms = lease_ms;
    image_must(sw_worker_open(engine, &options, &worker, &err), &err);
    return worker;
}

static void image_submit(sw_engine *engine)
{
    sw_error err;
    size_t count = 0;
    sw_result *result = NULL;
    sw_str tags[] = {SW__LIT("red"), SW__LIT("blue")};
    sw_task_submit_row rows[DATABASE_TASKS];
    for (size_t i = 0; i < DATABASE_TASKS; i++)
        rows[i] = (sw_task_submit_row){
            .workflow = SW__LIT("w"),
            .input = SW__LIT("{\"n\":1}"),
            .key = i == 0 ? sw__str("key") : (sw_str){0},
            .initiator = SW__LIT("bob"),
            .correlation_id = SW__LIT("c"),
            .tags = tags,
            .tag_count = i,
        };
    image_must(sw_task_submit(engine, rows, DATABASE_TASKS, &result, &err), &err);
    const sw_task_submitted *tasks = sw_task_submissions(result, &count);
    for (size_t i = 0; i < DATABASE_TASKS; i++)
        database_tasks[i] = tasks[i].task_id;
    sw_result_free(result);
}

/* Report the claims of an exchange, each with another outcome, and claim again. */
static sw_result *image_exchange(sw_engine *engine, const sw_worker_ref *worker, sw_result *last,
                                 size_t claim_max)
{
    sw_error err;
    size_t count = 0;
    sw_result *result = NULL;
    sw_step_outcome rows[16];
    const sw_step_claim *claims = sw_step_claims(last, &count);
    fuzz_require(count <= 16, "%zu claims", count);
    for (size_t i = 0; i < count; i++)
        rows[i] = (sw_step_outcome){
            .step_id = claims[i].step_id,
            .epoch = claims[i].epoch,
            .outcome = i == 2 ? SW_OUTCOME_FAILED : SW_OUTCOME_SUCCEEDED,
            .result = i == 2 ? (sw_str){0} : sw__str("[1]"),
            .error_class = i == 2 ? sw__str("Oops") : (sw_str){0},
        };
    image_must(sw_step_exchange(engine, worker, rows, count, claim_max, 0, &result, &err), &err);
    sw_result_free(last);
    return result;
}

/* Tasks at every stage: done, failed and waiting for a retry, running, ready, pending. */
static void image_fill(sw_engine *engine)
{
    sw_error err;
    sw_workflow *workflow = NULL;
    sw_result *last = NULL;
    image_must(sw_workflow_load(NULL, sw__str(definition), &workflow, NULL, &err), &err);
    const sw_workflow *workflows[] = {workflow};
    image_must(sw_workflow_register(engine, workflows, 1, &err), &err);
    image_submit(engine);
    image_worker(engine, 1000);
    sw_worker_ref worker = image_worker(engine, 60000);
    last = image_exchange(engine, &worker, NULL, 4);
    last = image_exchange(engine, &worker, last, 2);
    last = image_exchange(engine, &worker, last, 2);
    sw_result_free(last);
    sw_workflow_free(workflow);
}

uint8_t *database_copy(const char *name, size_t *size)
{
    const uint8_t *bytes = memory_vfs_get(name, size);
    uint8_t *copy = malloc(*size + 1);
    fuzz_require(copy, "no memory for %s", name);
    if (bytes && *size > 0)
        memcpy(copy, bytes, *size);
    return copy;
}

static void image_take(database_image *image)
{
    image->file = database_copy(DATABASE_FILE, &image->file_size);
    image->log = database_copy(DATABASE_LOG, &image->log_size);
    image->places = malloc((image->file_size + image->log_size) * sizeof(uint32_t) + 1);
    fuzz_require(image->places, "no memory for the places");
    for (size_t i = 0; i < image->file_size + image->log_size; i++) {
        size_t in_log = i - image->file_size;
        if (i < image->file_size ? image->file[i] : image->log[in_log])
            image->places[image->place_count++] = (uint32_t)i;
    }
}

void database_images_make(void)
{
    fuzz_world world;
    sw_error err;
    sw_engine *engine = NULL;
    memory_vfs_reset();
    fuzz_world_open(&world);
    image_must(database_open(&world, &engine, &err), &err);
    image_fill(engine);
    image_take(&database_torn);
    sw_engine_close(engine);
    image_take(&database_closed);
    fuzz_world_close(&world);
}
