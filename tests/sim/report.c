/* Reporting violations; see report.h. */
#include "sim/report.h"

#include <stdio.h>
#include <string.h>

#include "sim/plant.h"
#include "sim/schedule.h"
#include "sim/shrink.h"

static void report_path(const schedule *s, const char *directory, char path[256])
{
    snprintf(path, 256, "%s/seed-%llu%s%s.schedule", directory, (unsigned long long)s->seed,
             s->plant[0] ? "-" : "", s->plant);
}

static void report_print(const schedule *s, const shrunk *small, const char *path)
{
    run_result told;
    printf("  shrunk from %zu events to %zu in %.1f s and %llu runs\n", small->events_before,
           small->events, small->seconds, (unsigned long long)small->runs);
    printf("  ---- its story, in virtual time\n");
    run_schedule(0, &s->drawn, true, &told);
    choice_list_free(&told.drawn);
    printf("  ---- again: sim --replay %s --trace\n", path);
    fflush(stdout);
}

bool report_violation(uint64_t seed, const run_result *result, const report_options *options)
{
    char path[256];
    shrunk small;
    schedule s = {.seed = seed};
    shrink_rule(result->violation, s.rule);
    if (!shrink_schedule(&result->drawn, s.rule, options->seconds, &small)) {
        printf("  what it drew does not break the rule a second time\n");
        return false;
    }
    if (plant_chosen())
        snprintf(s.plant, sizeof s.plant, "%s", plant_name(plant_chosen()));
    s.drawn = small.drawn;
    report_path(&s, options->directory, path);
    bool written = schedule_write(&s, path);
    report_print(&s, &small, path);
    choice_list_free(&small.drawn);
    return written;
}

int report_replay(const char *path, bool trace)
{
    schedule s;
    run_result result;
    if (!schedule_read(&s, path))
        return 2;
    if (s.plant[0] && !plant_find(s.plant)) {
        fprintf(stderr, "%s: there is no bug %s to plant\n", path, s.plant);
        return 2;
    }
    if (s.plant[0])
        plant_choose(plant_find(s.plant));
    run_schedule(0, &s.drawn, trace, &result);
    printf("%s: %s\n", path, result.violation[0] ? result.violation : "no rule is broken");
    choice_list_free(&result.drawn);
    choice_list_free(&s.drawn);
    return result.violation[0] != '\0';
}
