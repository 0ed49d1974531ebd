/* Which texts can be paths of files below a root. A definition is warned about, and a step refused,
 * by this one rule. Not here: links and what else only the file system knows.
 */
#include "model/paths.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"

static bool path_has_part(sw_str path, const char *part)
{
    size_t size = strlen(part);
    for (size_t at = 0; at < path.len;) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t len = slash ? (size_t)(slash - path.ptr) - at : path.len - at;
        if (len == size && memcmp(path.ptr + at, part, len) == 0)
            return true;
        at += len + 1;
    }
    return false;
}

const char *sw__path_refusal(sw_str path)
{
    if (path.len == 0)
        return "it is empty";
    if (path.len > SW__PATH_MAX)
        return "it is longer than 4,095 bytes";
    if (memchr(path.ptr, 0, path.len))
        return "it contains a zero byte";
    if (sw__utf8_check(path) != path.len)
        return "it is not valid UTF-8";
    if (path.ptr[0] == '/')
        return "it is absolute; paths are relative to the root directory";
    if (path_has_part(path, ".."))
        return "it contains \"..\"";
    if (path.ptr[path.len - 1] == '/')
        return "it ends in \"/\", so it names a directory";
    if (sw__str_is(path, ".") || (path.len > 1 && memcmp(path.ptr + path.len - 2, "/.", 2) == 0))
        return "it names a directory";
    return NULL;
}
