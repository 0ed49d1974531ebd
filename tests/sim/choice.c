/* Recorded draws; see choice.h. The generator is SplitMix64 (Steele, Lea, Flood 2014). */
#include "sim/choice.h"

#include <stdlib.h>

uint64_t choice_noise(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void choice_seed(choice *c, uint64_t seed)
{
    *c = (choice){.state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1};
}

void choice_replay(choice *c, const uint32_t *draws, size_t count)
{
    static const uint32_t none;
    *c = (choice){.replay = count ? draws : &none, .replay_count = count};
}

void choice_free(choice *c)
{
    free(c->draws);
    free(c->kinds);
    c->draws = NULL;
    c->kinds = NULL;
}

static uint32_t choice_random(choice *c, uint32_t n)
{
    return (uint32_t)((choice_noise(&c->state) >> 32) * n >> 32);
}

static uint32_t choice_recorded(const choice *c, uint32_t n)
{
    return c->count < c->replay_count ? c->replay[c->count] % n : 0;
}

static uint32_t choice_record(choice *c, choice_kind kind, uint32_t drawn)
{
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 16384;
        c->draws = realloc(c->draws, c->capacity * sizeof *c->draws);
        c->kinds = realloc(c->kinds, c->capacity);
        if (!c->draws || !c->kinds)
            abort();
    }
    c->kinds[c->count] = (uint8_t)kind;
    c->draws[c->count++] = drawn;
    return drawn;
}

uint32_t choice_draw(choice *c, choice_kind kind, uint32_t n)
{
    uint32_t values = n ? n : 1;
    return choice_record(c, kind,
                         c->replay ? choice_recorded(c, values) : choice_random(c, values));
}

bool choice_once_in(choice *c, choice_kind kind, uint32_t n)
{
    uint32_t drawn = c->replay ? choice_recorded(c, 2) : choice_random(c, n) == n - 1;
    return choice_record(c, kind, drawn) == 1;
}

uint32_t choice_weigh(choice *c, choice_kind kind, const uint32_t *weights, uint32_t count,
                      uint32_t may)
{
    uint32_t drawn = 0;
    if (c->replay) {
        drawn = choice_recorded(c, count + 1);
    } else {
        uint32_t random = choice_random(c, 65536);
        for (uint32_t i = 0, band = 65536; i < count; i++) {
            band -= weights[i];
            if (random >= band) {
                drawn = i + 1;
                break;
            }
        }
    }
    if (drawn && !(may >> (drawn - 1) & 1))
        drawn = 0;
    return choice_record(c, kind, drawn);
}

void choice_was(choice *c, choice_kind kind)
{
    c->kinds[c->count - 1] = (uint8_t)kind;
}

uint64_t choice_unseed(const choice *c)
{
    uint64_t digest = c->state ^ c->count;
    for (size_t i = 0; i < c->count; i++) {
        digest ^= c->draws[i];
        digest *= UINT64_C(0x100000001b3);
    }
    return digest;
}
