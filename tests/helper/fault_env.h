/* An sw_env for tests: allocation number n fails, clocks stand still until they are moved, random
 * bytes repeat from run to run. Processes and everything else come from sw_env_system().
 *
 *     fault_env fault;
 *     fault_env_init(&fault);
 *     ... use &fault.env ...
 *     assert_int_equal(fault.live, 0);
 *
 * Allocation may be counted from several threads; the clocks may be moved from one at a time.
 */
#ifndef HELPER_FAULT_ENV_H
#define HELPER_FAULT_ENV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stepwell/sys/env.h"

typedef struct fault_env {
    sw_env env;
    atomic_size_t live;   /* blocks that are allocated now */
    atomic_size_t asked;  /* allocations asked for since the last arm */
    atomic_size_t failed; /* of them, how many failed */
    size_t fail_at;       /* number of the first one to fail, from 1; 0: none */
    bool fail_for_ever;   /* and all after it */
    bool random_fails;
    uint64_t random_state;
    _Atomic int64_t mono_us;
    _Atomic int64_t boot_us;
    _Atomic int64_t wall_us;
    uint8_t boot_id[16];
} fault_env;

void fault_env_init(fault_env *fault);

/* Let allocation number nth from now on fail, once or for ever; 0 lets all succeed. */
void fault_env_arm(fault_env *fault, size_t nth, bool for_ever);

/* Let time pass on all clocks. The fields may also be set one by one, to let them disagree. */
void fault_env_advance(fault_env *fault, int64_t us);

/* Run body again and again, failing its first allocation, its second, and so on until it gets by
 * with none failing; first each once, then each for ever. body returns an sw_code and must answer
 * SW_ENOMEM whenever an allocation failed, SW_OK otherwise, and give all its memory back. Returns
 * the number of failures tried. */
size_t fault_env_each(fault_env *fault, int (*body)(const sw_env *env, void *context),
                      void *context);

#endif
