/* Doorbells on Linux: a futex in a file beside the database. */
#ifndef SW_BASE_BELL_H
#define SW_BASE_BELL_H

#include "stepwell/sys/env.h"

/* The bell functions of sw_env_system. */
sw_bell *sw__bell_system_open(void *context, const char *path);
void sw__bell_system_close(void *context, sw_bell *bell, int inherited);
void sw__bell_system_ring(void *context, sw_bell *bell, uint32_t tones);
void sw__bell_system_count(void *context, sw_bell *bell, uint32_t counts[SW_BELL_TONES]);
void sw__bell_system_wait(void *context, sw_bell *bell, uint32_t tones,
                          const uint32_t counts[SW_BELL_TONES], int64_t until_us);

#endif
