/* Parts of SVG documents.
 *
 * A document needs nothing beside it: no script, no font, no file, and no ids, so that several can
 * stand in one page. Classes begin with sw-. Colours are written out twice instead of by CSS
 * variables, which converters to PNG and PDF do not know. Pages decide the background: what is
 * drawn on it directly is legible on white and on black, text in boxes has its own.
 */
#include "picture/svg.h"

#include <inttypes.h>

#include "picture/look.h"
#include "stepwell.h"

#define FONT "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"

static void style_put(sw__buf *buf, bool dark)
{
    const char *text = dark ? SW__COLOR_TEXT_DARK : SW__COLOR_TEXT;
    const char *quiet = dark ? SW__COLOR_QUIET_DARK : SW__COLOR_QUIET;
    const char *edge = dark ? SW__COLOR_EDGE_DARK : SW__COLOR_EDGE;
    const char *critical = dark ? SW__COLOR_CRITICAL_DARK : SW__COLOR_CRITICAL;
    sw__buf_printf(buf, ".sw-name{fill:%s}.sw-detail,.sw-axis,.sw-head,.sw-plain{fill:%s}", text,
                   quiet);
    sw__buf_printf(buf, ".sw-edge,.sw-tip{stroke:%s}.sw-grid{stroke:%s}\n", edge, edge);
    for (int state = 0; state < SW__LOOK_COUNT; state++) {
        const sw__look *look = sw__look_get(state);
        sw__buf_printf(buf, ".sw-%s .sw-box{fill:%s;stroke:%s}.sw-%s .sw-mark{stroke:%s%s%s}",
                       look->name, dark ? look->dark_fill : look->fill,
                       dark ? look->dark_line : look->line, look->name,
                       dark ? look->dark_line : look->line, look->solid ? ";fill:" : "",
                       !look->solid ? ""
                       : dark       ? look->dark_line
                                    : look->line);
        sw__buf_printf(buf, ".sw-%s .sw-bar{fill:%s}\n", look->name,
                       dark ? look->dark_line : look->line);
    }
    sw__buf_printf(buf, ".sw-on .sw-mark{stroke:%s;fill:none}\n", dark ? "#0d1117" : "#ffffff");
    sw__buf_printf(buf,
                   ".sw-critical .sw-box,.sw-critical .sw-run,.sw-edge.sw-critical,"
                   ".sw-tip.sw-critical{stroke:%s}\n",
                   critical);
}

static void style_shapes_put(sw__buf *buf)
{
    sw__buf_put_text(buf, "text{font:13px " FONT ";white-space:pre}"
                          ".sw-detail,.sw-axis,.sw-foot{font-size:11px}.sw-head{font-weight:600}"
                          ".sw-axis{text-anchor:middle}.sw-end{text-anchor:end}\n"
                          ".sw-box{stroke-width:1.25}.sw-mark{fill:none;stroke-width:1.75;"
                          "stroke-linecap:round;stroke-linejoin:round}"
                          ".sw-edge,.sw-tip{fill:none;stroke-width:1.25;stroke-linecap:round}"
                          ".sw-redundant{stroke-dasharray:1 4;opacity:.75}"
                          ".sw-grid{stroke-width:1;opacity:.3}.sw-wait{opacity:.4}"
                          ".sw-critical .sw-run{stroke-width:2.5}\n"
                          ".sw-critical .sw-box{stroke-width:2.5}"
                          ".sw-edge.sw-critical,.sw-tip.sw-critical{stroke-width:2.75}\n");
    for (int state = 0; state < SW__LOOK_COUNT; state++) {
        if (sw__look_get(state)->dashed)
            sw__buf_printf(buf, ".sw-%s .sw-box{stroke-dasharray:4 3}", sw__look_get(state)->name);
    }
    sw__buf_put_byte(buf, '\n');
}

void sw__svg_title(sw__buf *buf, sw_str text)
{
    sw__buf_put_text(buf, "<title>");
    sw__glyphs_put(buf, text, SW__GLYPHS_ALL, SW__ESCAPE_XML, false);
    sw__buf_put_text(buf, "</title>");
}

void sw__svg_begin(sw__buf *buf, int32_t width, int32_t height, sw_str title, sw_str description)
{
    sw__buf_printf(buf,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%" PRId32
                   "\" height=\"%" PRId32 "\" viewBox=\"0 0 %" PRId32 " %" PRId32
                   "\" role=\"img\">\n",
                   width, height, width, height);
    sw__svg_title(buf, title);
    sw__buf_put_text(buf, "\n<desc>");
    sw__glyphs_put(buf, description, SW__GLYPHS_ALL, SW__ESCAPE_XML, false);
    sw__buf_put_text(buf, "</desc>\n<style>\n");
    style_shapes_put(buf);
    style_put(buf, false);
    sw__buf_put_text(buf, "@media (prefers-color-scheme:dark){\n");
    style_put(buf, true);
    sw__buf_put_text(buf, "}\n</style>\n");
}

void sw__svg_end(sw__buf *buf)
{
    sw__buf_put_text(buf, "</svg>\n");
}

void sw__svg_text(sw__buf *buf, const char *class_name, int32_t x, int32_t y, sw_str text,
                  int32_t width)
{
    sw__buf_printf(buf, "<text class=\"%s\" x=\"%" PRId32 "\" y=\"%" PRId32 "\">", class_name, x,
                   y);
    sw__glyphs_put(buf, text, width, SW__ESCAPE_XML, false);
    sw__buf_put_text(buf, "</text>");
}

void sw__svg_mark(sw__buf *buf, int state, int32_t x, int32_t y)
{
    const sw__look *look = sw__look_get(state);
    if (look->shape[0])
        sw__buf_printf(buf,
                       "<path class=\"sw-mark\" transform=\"translate(%" PRId32 " %" PRId32
                       ")\" d=\"%s\"/>",
                       x, y, look->shape);
}
