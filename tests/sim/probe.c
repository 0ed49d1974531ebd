/* Counting branches; see probe.h. */
#include "sim/probe.h"

#include <stdio.h>

#include "base/probe.h"

unsigned long long sw__probed[SW__PROBE_END];

static unsigned long long probe_hits[SIM_PROBE_END];

void probe_hit(sim_probe probe)
{
    probe_hits[probe]++;
}

static int probe_check(unsigned long long hits, const char *name, const char *text)
{
    if (hits == 0)
        printf("not reached: %-20s %s\n", name, text);
    return hits == 0;
}

int probe_print_missed(void)
{
    int missed = 0;
#define PROBE_CHECK_CORE(name, text)                                                               \
    missed += probe_check(sw__probed[SW__PROBE_##name], #name, text);
    SW__PROBE_MAP(PROBE_CHECK_CORE)
#undef PROBE_CHECK_CORE
#define PROBE_CHECK_SIM(name, text) missed += probe_check(probe_hits[SIM_##name], #name, text);
    SIM_PROBE_MAP(PROBE_CHECK_SIM)
#undef PROBE_CHECK_SIM
    printf("%d of %d rare branches reached\n", (int)SW__PROBE_END + (int)SIM_PROBE_END - missed,
           (int)SW__PROBE_END + (int)SIM_PROBE_END);
    return missed;
}
