/* Options of pictures. */
#include "picture.h"

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
