/* An sw_env for tests. Not here: faults of the disk. */
#include "helper/fault_env.h"

#include <stdarg.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "stepwell/error.h"

#define FAULT_START_US INT64_C(1000000000) /* of the machine, when its clocks are asked first */
#define FAULT_START_WALL_US (INT64_C(1700000000) * 1000000)

static int64_t fault_mono_us(void *context)
{
    return ((fault_env *)context)->mono_us;
}

static int64_t fault_boot_us(void *context)
{
    return ((fault_env *)context)->boot_us;
}

static int64_t fault_wall_us(void *context)
{
    return ((fault_env *)context)->wall_us;
}

static void fault_boot_id(void *context, uint8_t id[16])
{
    memcpy(id, ((fault_env *)context)->boot_id, 16);
}

static int fault_random(void *context, void *out, size_t size)
{
    fault_env *fault = context;
    uint8_t *bytes = out;
    if (fault->random_fails)
        return SW_EIO;
    for (size_t i = 0; i < size; i++) {
        fault->random_state = fault->random_state * UINT64_C(6364136223846793005) + 1;
        bytes[i] = (uint8_t)(fault->random_state >> 56);
    }
    return SW_OK;
}

static void *fault_resize(void *context, void *block, size_t size)
{
    fault_env *fault = context;
    const sw_env *system = sw_env_system();
    if (size == 0) {
        if (block)
            fault->live--;
        return system->resize(system->context, block, 0);
    }
    size_t number = ++fault->asked;
    bool fails = fault->fail_at &&
                 (number == fault->fail_at || (fault->fail_for_ever && number > fault->fail_at));
    if (fails) {
        fault->failed++;
        return NULL;
    }
    void *resized = system->resize(system->context, block, size);
    if (resized && !block)
        fault->live++;
    return resized;
}

static int fault_spawn(void *context, const sw_spawn_request *request, int64_t *pid)
{
    (void)context;
    const sw_env *system = sw_env_system();
    return system->spawn(system->context, request, pid);
}

void fault_env_init(fault_env *fault)
{
    memset(fault, 0, sizeof(*fault));
    fault->env = (sw_env){
        .size = sizeof(sw_env),
        .context = fault,
        .clock_mono_us = fault_mono_us,
        .clock_boot_us = fault_boot_us,
        .clock_wall_us = fault_wall_us,
        .boot_id = fault_boot_id,
        .random = fault_random,
        .resize = fault_resize,
        .spawn = fault_spawn,
    };
    fault->random_state = 1;
    fault->mono_us = FAULT_START_US;
    fault->boot_us = FAULT_START_US;
    fault->wall_us = FAULT_START_WALL_US;
    memcpy(fault->boot_id, "the first boot..", 16);
}

void fault_env_arm(fault_env *fault, size_t nth, bool for_ever)
{
    fault->asked = 0;
    fault->failed = 0;
    fault->fail_at = nth;
    fault->fail_for_ever = for_ever;
}

void fault_env_advance(fault_env *fault, int64_t us)
{
    fault->mono_us += us;
    fault->boot_us += us;
    fault->wall_us += us;
}

static size_t fault_each_mode(fault_env *fault, int (*body)(const sw_env *env, void *context),
                              void *context, bool for_ever)
{
    size_t live = fault->live;
    for (size_t nth = 1;; nth++) {
        fault_env_arm(fault, nth, for_ever);
        int rc = body(&fault->env, context);
        size_t failed = fault->failed;
        fault_env_arm(fault, 0, false);
        assert_int_equal(fault->live, live);
        assert_int_equal(rc, failed ? SW_ENOMEM : SW_OK);
        if (!failed)
            return nth - 1;
    }
}

size_t fault_env_each(fault_env *fault, int (*body)(const sw_env *env, void *context),
                      void *context)
{
    size_t once = fault_each_mode(fault, body, context, false);
    return once + fault_each_mode(fault, body, context, true);
}
