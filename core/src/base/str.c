/* Comparing borrowed strings. Not here: copies (arena.h) or building (buf.h). */
#include "base/str.h"

#include "base/limits.h"

int sw__str_compare(sw_str a, sw_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

/* Not isalnum(): the host may have set a locale. */
static bool str_byte_is_name(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '.' || byte == '-';
}

bool sw__str_is_name(sw_str text)
{
    if (text.len == 0 || text.len > SW__NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (!str_byte_is_name(text.ptr[i]))
            return false;
    }
    return true;
}
