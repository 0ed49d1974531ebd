/* Writing and reading schedules; see schedule.h.
 *
 * One line is one draw that was not 0: its kind, who drew it (0 is the harness, the actors follow
 * in the order in which they first start), its place in that stream, and what was drawn. A line
 * that is deleted is a draw of 0, so that a schedule can be worked on by hand.
 */
#include "sim/schedule.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/world.h"

#define SCHEDULE_HEAD "stepwell-schedule 1"

static const char *schedule_remark(const choice_entry *entry)
{
    if (entry->kind != CHOICE_EVENT)
        return "";
    return entry->value <= WORLD_FAULT_COUNT ? world_fault_name((int)entry->value - 1) : "switch";
}

bool schedule_write(const schedule *s, const char *path)
{
    FILE *out = fopen(path, "w");
    if (!out) {
        perror(path);
        return false;
    }
    fprintf(out, "%s\nseed %" PRIu64 "\nplant %s\nrule %s\n# kind drawer place value\n",
            SCHEDULE_HEAD, s->seed, s->plant[0] ? s->plant : "-", s->rule);
    for (size_t i = 0; i < s->drawn.count; i++) {
        const choice_entry *entry = &s->drawn.entries[i];
        const char *remark = schedule_remark(entry);
        fprintf(out, "%s %u %" PRIu32 " %" PRIu32 "%s%s\n", choice_kind_name(entry->kind),
                entry->drawer, entry->at, entry->value, remark[0] ? " # " : "", remark);
    }
    bool written = !ferror(out);
    if (fclose(out) != 0 || !written) {
        perror(path);
        return false;
    }
    return true;
}

static bool schedule_read_draw(const char *line, choice_entry *entry)
{
    char name[16];
    unsigned drawer;
    if (sscanf(line, "%15s %u %" SCNu32 " %" SCNu32, name, &drawer, &entry->at, &entry->value) != 4)
        return false;
    entry->drawer = (uint8_t)drawer;
    for (int kind = 0; kind < CHOICE_KIND_COUNT; kind++) {
        entry->kind = (uint8_t)kind;
        if (strcmp(choice_kind_name(kind), name) == 0)
            return drawer < CHOICE_DRAWERS_MAX;
    }
    return false;
}

static bool schedule_read_line(schedule *s, const char *line)
{
    choice_entry entry;
    if (line[0] == '#' || line[0] == '\n' ||
        strncmp(line, SCHEDULE_HEAD, strlen(SCHEDULE_HEAD)) == 0)
        return true;
    if (sscanf(line, "seed %" SCNu64, &s->seed) == 1 || sscanf(line, "rule %15s", s->rule) == 1 ||
        sscanf(line, "plant %39s", s->plant) == 1)
        return true;
    if (!schedule_read_draw(line, &entry))
        return false;
    choice_list_add(&s->drawn, &entry);
    return true;
}

bool schedule_read(schedule *s, const char *path)
{
    char line[128];
    int number = 0;
    bool good = true;
    memset(s, 0, sizeof *s);
    FILE *in = fopen(path, "r");
    if (!in) {
        perror(path);
        return false;
    }
    while (good && fgets(line, sizeof line, in)) {
        number++;
        good = schedule_read_line(s, line);
        if (number == 1)
            good = strncmp(line, SCHEDULE_HEAD, strlen(SCHEDULE_HEAD)) == 0;
    }
    fclose(in);
    if (!good || number == 0)
        fprintf(stderr, "%s:%d: this is not a schedule of the simulator\n", path, number);
    if (strcmp(s->plant, "-") == 0)
        s->plant[0] = '\0';
    return good && number > 0;
}
