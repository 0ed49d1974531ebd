/* Options of pictures, and from pictures to files. */
#include "picture.h"

#include <errno.h>
#include <string.h>

#include "out.h"
#include "text.h"

int32_t cli_picture_marks(const cli_call *call)
{
    int32_t marks = 0;
    if (cli_given(call, CLI_OPTION_CRITICAL))
        marks |= SW_PICTURE_CRITICAL;
    if (cli_given(call, CLI_OPTION_REDUNDANT))
        marks |= SW_PICTURE_REDUNDANT;
    if (cli_given(call, CLI_OPTION_SLACK))
        marks |= SW_PICTURE_SLACK | SW_PICTURE_DURATION;
    if (cli_given(call, CLI_OPTION_DURATIONS))
        marks |= SW_PICTURE_DURATION;
    return marks;
}

int cli_picture_format(const cli_call *call, int otherwise)
{
    static const struct {
        const char *ending;
        int format;
    } endings[] = {{".svg", SW_PICTURE_SVG},   {".mmd", SW_PICTURE_MERMAID},
                   {".dot", SW_PICTURE_DOT},   {".gv", SW_PICTURE_DOT},
                   {".json", SW_PICTURE_JSON}, {".txt", SW_PICTURE_TEXT}};
    const char *name = call->values[CLI_OPTION_OUTPUT].text;
    if (cli_given(call, CLI_OPTION_SVG))
        return SW_PICTURE_SVG;
    if (cli_given(call, CLI_OPTION_FORMAT))
        return sw_picture_format_find(cli_str(call->values[CLI_OPTION_FORMAT].text));
    if (cli_given(call, CLI_OPTION_JSON) && !name)
        return SW_PICTURE_JSON;
    const char *ending = name ? strrchr(name, '.') : NULL;
    if (!name)
        return otherwise;
    for (size_t i = 0; ending && i < sizeof(endings) / sizeof(endings[0]); i++) {
        if (strcmp(ending, endings[i].ending) == 0)
            return endings[i].format;
    }
    return SW_PICTURE_FORMAT_COUNT;
}

int cli_picture_write(const cli_call *call, const sw_picture *picture)
{
    const char *path = call->values[CLI_OPTION_OUTPUT].text;
    if (!path) {
        if (!cli_out()->quiet)
            fwrite(picture->text.ptr, 1, picture->text.len, stdout);
        return CLI_EXIT_OK;
    }
    FILE *file = fopen(path, "wbe");
    bool done = file && fwrite(picture->text.ptr, 1, picture->text.len, file) == picture->text.len;
    int reason = errno;
    if (file && fclose(file) != 0 && done) {
        done = false;
        reason = errno;
    }
    if (!done)
        return cli_fail(reason == ENOENT ? CLI_EXIT_NOT_FOUND : CLI_EXIT_STORAGE, NULL,
                        "cannot write '%s': %s", path, strerror(reason));
    cli_note("wrote %s", path);
    return CLI_EXIT_OK;
}
