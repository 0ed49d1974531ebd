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
    c->draws = NULL;
}

static uint32_t choice_next(choice *c, uint32_t n)
{
    if (!c->replay)
        return (uint32_t)((choice_noise(&c->state) >> 32) * n >> 32);
    return c->count < c->replay_count ? c->replay[c->count] % n : 0;
}

uint32_t choice_draw(choice *c, uint32_t n)
{
    uint32_t drawn = choice_next(c, n ? n : 1);
    if (c->count == c->capacity) {
        c->capacity = c->capacity ? c->capacity * 2 : 4096;
        c->draws = realloc(c->draws, c->capacity * sizeof *c->draws);
        if (!c->draws)
            abort();
    }
    c->draws[c->count++] = drawn;
    return drawn;
}

bool choice_once_in(choice *c, uint32_t n)
{
    return choice_draw(c, n) == n - 1;
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
