/* Repeatable chance, and small damage to a text. */
#include "helper/mutate.h"

#include <string.h>

uint32_t draw(uint64_t *seed, uint32_t below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*seed >> 33) % below;
}

static char mutate_byte(uint64_t *seed, const char *syntax)
{
    return draw(seed, 8) ? syntax[draw(seed, (uint32_t)strlen(syntax))]
                         : (char)(1 + draw(seed, 255));
}

size_t mutate(uint64_t *seed, const char *syntax, char *text, size_t len, size_t room)
{
    for (uint32_t count = 1 + draw(seed, 3); count > 0 && len > 0; count--) {
        size_t at = draw(seed, (uint32_t)len);
        switch (draw(seed, 3)) {
        case 0:
            text[at] = mutate_byte(seed, syntax);
            break;
        case 1:
            memmove(text + at, text + at + 1, --len - at);
            break;
        default:
            if (len < room) {
                memmove(text + at + 1, text + at, len - at);
                len++;
            }
        }
    }
    return len;
}
