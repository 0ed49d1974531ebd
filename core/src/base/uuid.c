/* The text form of UUIDs. Not here: making them (rand.h). */
#include <stdbool.h>

#include "base/hex.h"
#include "stepwell/error.h"
#include "stepwell/types.h"

#define SW__UUID_TEXT_LEN 36

static bool uuid_dash_at(size_t position)
{
    return position == 8 || position == 13 || position == 18 || position == 23;
}

void sw_uuid_format(const sw_uuid *uuid, char *text)
{
    size_t at = 0;
    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (uuid_dash_at(at))
            text[at++] = '-';
        sw__hex_put(uuid->bytes[i], text + at);
        at += 2;
    }
    text[at] = '\0';
}

int sw_uuid_parse(sw_str text, sw_uuid *uuid)
{
    sw_uuid parsed;
    size_t at = 0;
    if (text.len != SW__UUID_TEXT_LEN)
        return SW_EINVAL;
    for (size_t i = 0; i < sizeof(parsed.bytes); i++) {
        if (uuid_dash_at(at) && text.ptr[at++] != '-')
            return SW_EINVAL;
        int high = sw__hex_digit(text.ptr[at]);
        int low = sw__hex_digit(text.ptr[at + 1]);
        if (high < 0 || low < 0)
            return SW_EINVAL;
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *uuid = parsed;
    return SW_OK;
}
