/* Recorded draws; see choice.h. The generator is SplitMix64 (Steele, Lea, Flood 2014). */
#include "sim/choice.h"

#include <stdlib.h>
#include <string.h>

uint64_t choice_noise(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void choice_seed(choice *c, uint64_t seed)
{
    memset(c, 0, sizeof *c);
    c->state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
}

static int choice_stream(int drawer, int kind)
{
    return drawer * CHOICE_KIND_COUNT + kind;
}

void choice_replay(choice *c, const choice_list *list)
{
    memset(c, 0, sizeof *c);
    c->replay = list;
    c->next = calloc(list->count + 1, sizeof *c->next);
    if (!c->next)
        abort();
    for (size_t i = list->count; i > 0; i--) {
        const choice_entry *entry = &list->entries[i - 1];
        uint32_t *first = &c->first[choice_stream(entry->drawer, entry->kind)];
        c->next[i] = *first;
        *first = (uint32_t)i;
    }
}

void choice_free(choice *c)
{
    choice_list_free(&c->drawn);
    free(c->next);
    c->next = NULL;
}

static uint32_t choice_random(choice *c, uint32_t n)
{
    return (uint32_t)((choice_noise(&c->state) >> 32) * n >> 32);
}

static uint32_t choice_recorded(choice *c, choice_kind kind, uint32_t n)
{
    int stream = choice_stream(c->drawer, kind);
    uint32_t *first = &c->first[stream];
    while (*first && c->replay->entries[*first - 1].at < c->at[stream])
        *first = c->next[*first];
    if (!*first || c->replay->entries[*first - 1].at > c->at[stream])
        return 0;
    return c->replay->entries[*first - 1].value % n;
}

static uint32_t choice_record(choice *c, choice_kind kind, uint32_t drawn)
{
    uint32_t at = c->at[choice_stream(c->drawer, kind)]++;
    c->count++;
    if (drawn) {
        choice_list_add(&c->drawn, &(choice_entry){at, drawn, (uint8_t)c->drawer, (uint8_t)kind});
        c->digest = (c->digest ^ c->count ^ (uint64_t)drawn << 40) * UINT64_C(0x100000001b3);
    }
    return drawn;
}

uint32_t choice_draw(choice *c, choice_kind kind, uint32_t n)
{
    uint32_t values = n ? n : 1;
    return choice_record(c, kind,
                         c->replay ? choice_recorded(c, kind, values) : choice_random(c, values));
}

bool choice_once_in(choice *c, choice_kind kind, uint32_t n)
{
    uint32_t drawn = c->replay ? choice_recorded(c, kind, 2) : choice_random(c, n) == n - 1;
    return choice_record(c, kind, drawn) == 1;
}

choice_weights choice_weights_of(const uint32_t *each, uint32_t count)
{
    choice_weights weights = {each, count, 0};
    for (uint32_t i = 0; i < count; i++)
        weights.sum += each[i];
    return weights;
}

static uint32_t choice_band(const choice_weights *weights, uint32_t random)
{
    uint32_t drawn = 1;
    for (uint32_t band = CHOICE_WEIGHTS - weights->each[0]; random < band; drawn++)
        band -= weights->each[drawn];
    return drawn;
}

uint32_t choice_weigh(choice *c, choice_kind kind, const choice_weights *weights, uint32_t may)
{
    uint32_t drawn = 0;
    uint32_t random = c->replay ? 0 : choice_random(c, CHOICE_WEIGHTS);
    if (c->replay)
        drawn = choice_recorded(c, kind, weights->count + 1);
    else if (random >= CHOICE_WEIGHTS - weights->sum)
        drawn = choice_band(weights, random);
    if (drawn && !(may >> (drawn - 1) & 1))
        drawn = 0;
    return choice_record(c, kind, drawn);
}

uint64_t choice_unseed(const choice *c)
{
    return c->state ^ c->count ^ c->digest;
}

/* Lists. */

void choice_list_add(choice_list *list, const choice_entry *entry)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 8192;
        list->entries = realloc(list->entries, list->capacity * sizeof *list->entries);
        if (!list->entries)
            abort();
    }
    list->entries[list->count++] = *entry;
}

void choice_list_free(choice_list *list)
{
    free(list->entries);
    *list = (choice_list){0};
}

bool choice_is_event(const choice_entry *entry)
{
    return entry->kind == CHOICE_SWITCH || entry->kind == CHOICE_EVENT ||
           entry->kind == CHOICE_FATE;
}

size_t choice_list_events(const choice_list *list)
{
    size_t events = 0;
    for (size_t i = 0; i < list->count; i++)
        events += choice_is_event(&list->entries[i]);
    return events;
}

const char *choice_kind_name(int kind)
{
    static const char *const names[] = {
#define CHOICE_KIND_NAME(name, text) text,
        CHOICE_KIND_MAP(CHOICE_KIND_NAME)
#undef CHOICE_KIND_NAME
    };
    return names[kind];
}
