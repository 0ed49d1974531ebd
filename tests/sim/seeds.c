/* Running the seeds of a file; see seeds.h. */
#include "sim/seeds.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/plant.h"

/* What keeps the mistake from coming back: a planted bug that is the mistake, or a test. */
static bool seeds_is_guard(const char *name)
{
    return strncmp(name, "test_", 5) == 0 || plant_find(name) != 0;
}

/* A line is: seed, commit, rule, guard, what it was. */
static int seeds_run_line(const char *line, const report_options *report)
{
    uint64_t seed;
    char commit[41];
    char rule[16];
    char guard[40];
    char text[128];
    run_result result;
    if (sscanf(line, "%" SCNu64 " %40[0-9a-f] %15[A-Z0-9] %39s %127[^\n]", &seed, commit, rule,
               guard, text) != 5 ||
        !seeds_is_guard(guard))
        return -1;
    run_schedule(seed, NULL, false, &result);
    int broken = result.violation[0] != '\0';
    if (broken) {
        printf("seed %" PRIu64 ": %s\n  before %s it broke %s: %s\n", seed, result.violation,
               commit, rule, text);
        report_violation(seed, &result, report);
    }
    choice_list_free(&result.drawn);
    return broken;
}

int seeds_run(const char *path, const report_options *report)
{
    char line[256];
    int count = 0;
    int broken = 0;
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        return -1;
    }
    while (broken >= 0 && fgets(line, sizeof line, in)) {
        if (line[0] == '#' || line[0] == '\n')
            continue;
        int one = seeds_run_line(line, report);
        if (one < 0)
            fprintf(stderr, "%s: not a seed, a commit, a rule, a guard and a text: %s", path, line);
        broken = one < 0 ? -1 : broken + one;
        count++;
    }
    fclose(in);
    printf("%d seeds of %s were run again, %d break a rule\n", count, path,
           broken < 0 ? 1 : broken);
    return broken;
}
