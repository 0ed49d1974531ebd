/* What calls read, counted at the store: a claim costs what it takes, however large the task is.
 * Not here: what is answered (test_engine_exchange.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "engine/engine.h"
#include "helper/rig.h"

#define STEPS_MANY 300
#define CLAIMS 4

static const sw__store_ops *cost_ops; /* of the store itself */
static size_t cost_rows;              /* of steps, read so far */

static int cost_steps_get(sw__store *store, const int64_t *step_ids, size_t count,
                          sw__step_hot *rows, sw_error *err)
{
    cost_rows += count;
    return cost_ops->steps_get(store, step_ids, count, rows, err);
}

/* Steps of two handlers, all ready at once, and from here on the rows that are read are counted. */
static void cost_open(rig *r, sw__store_ops *counting)
{
    char text[STEPS_MANY * 64];
    size_t used = (size_t)sprintf(text, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[");
    for (int i = 0; i < STEPS_MANY; i++)
        used += (size_t)sprintf(text + used, "%s{\"name\":\"s%d\",\"handler\":\"w.%c\"}",
                                i ? "," : "", i, i % 2 ? 'a' : 'b');
    sprintf(text + used, "]}");
    rig_open(r, "memory:", text);
    cost_ops = r->engine->store->ops;
    *counting = *cost_ops;
    counting->steps_get = cost_steps_get;
    r->engine->store->ops = counting;
    cost_rows = 0;
}

static void cost_close(rig *r)
{
    r->engine->store->ops = cost_ops;
    rig_close(r);
}

static sw_worker_ref cost_worker(rig *r, const sw_uuid *task)
{
    sw_worker_ref worker;
    const sw_str handlers[] = {{"w.a", 3}, {"w.b", 3}};
    sw_worker_options options = SW_WORKER_OPTIONS_INIT;
    options.handlers = handlers;
    options.handler_count = 2;
    options.task = task;
    assert_int_equal(sw_worker_open(r->engine, &options, &worker, &r->error), 0);
    return worker;
}

static void cost_claims(rig *r, const sw_worker_ref *worker, const char *const *names)
{
    size_t count = 0;
    rig_exchange(r, worker, NULL, 0, CLAIMS);
    const sw_step_claim *claims = sw_step_claims(r->last, &count);
    assert_int_equal(count, CLAIMS);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(claims[i].name.ptr, names[i], claims[i].name.len + 1);
}

/* A worker of one task claims a few of its many steps and reads no others. */
static void cost_of_claims_of_one_task(void **state)
{
    (void)state;
    rig r;
    sw__store_ops counting;
    cost_open(&r, &counting);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = cost_worker(&r, &task);
    cost_rows = 0;
    cost_claims(&r, &worker, (const char *[]){"s0", "s1", "s2", "s3"});
    assert_in_range(cost_rows, CLAIMS, 4 * CLAIMS);
    cost_claims(&r, &worker, (const char *[]){"s4", "s5", "s6", "s7"});
    cost_close(&r);
}

/* With another task in front it looks at its own, and gets them in their order. */
static void cost_of_claims_behind_another(void **state)
{
    (void)state;
    rig r;
    sw__store_ops counting;
    cost_open(&r, &counting);
    rig_submit(&r);
    sw_uuid task = rig_submit(&r);
    sw_worker_ref worker = cost_worker(&r, &task);
    cost_claims(&r, &worker, (const char *[]){"s0", "s1", "s2", "s3"});
    cost_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cost_of_claims_of_one_task),
        cmocka_unit_test(cost_of_claims_behind_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
