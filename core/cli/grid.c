/* Tables of text. The widest columns give way first when the terminal is too narrow, so that short
 * ones (marks, states, numbers) stay readable. */
#include "grid.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

#define CLI_GRID_GAP 2
#define CLI_GRID_NARROWEST 8
#define CLI_CELL_SIZE 512

cli_grid cli_grid_open(const char *align)
{
    return (cli_grid){.align = align, .column_count = strlen(align)};
}

void cli_grid_add(cli_grid *grid, cli_style style, sw_str text)
{
    if (grid->cell_count == grid->cell_room) {
        size_t room = grid->cell_room ? grid->cell_room * 2 : 64;
        cli_cell *cells = cli_alloc(room * sizeof(*cells));
        if (grid->cell_count > 0)
            memcpy(cells, grid->cells, grid->cell_count * sizeof(*cells));
        free(grid->cells);
        grid->cells = cells;
        grid->cell_room = room;
    }
    cli_cell *cell = &grid->cells[grid->cell_count++];
    cell->text = cli_text_clean(text, CLI_TEXT_NO_LIMIT);
    cell->width = cli_text_width(cli_str(cell->text));
    cell->style = style;
}

void cli_grid_addf(cli_grid *grid, cli_style style, const char *format, ...)
{
    char text[CLI_CELL_SIZE];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    cli_grid_add(grid, style, cli_str(text));
}

/* How wide each column is, and how many of them there is room for. */
typedef struct grid_layout {
    size_t widths[CLI_GRID_COLUMNS];
    size_t shown;
} grid_layout;

static size_t grid_layout_total(const grid_layout *layout)
{
    size_t total = CLI_GRID_GAP * (layout->shown - 1);
    for (size_t column = 0; column < layout->shown; column++)
        total += layout->widths[column];
    return total;
}

static void grid_measure(const cli_grid *grid, grid_layout *layout)
{
    *layout = (grid_layout){.shown = grid->column_count};
    for (size_t i = 0; i < grid->cell_count; i++) {
        size_t *width = &layout->widths[i % grid->column_count];
        *width = grid->cells[i].width > *width ? grid->cells[i].width : *width;
    }
}

/* Take columns away from the widest until all fit; when none can give any more, leave out the
 * last. */
static void grid_shrink(grid_layout *layout, size_t width)
{
    while (grid_layout_total(layout) > width) {
        size_t widest = 0;
        for (size_t column = 1; column < layout->shown; column++) {
            if (layout->widths[column] >= layout->widths[widest])
                widest = column;
        }
        if (layout->widths[widest] > CLI_GRID_NARROWEST)
            layout->widths[widest]--;
        else if (layout->shown > 1)
            layout->shown--;
        else
            return;
    }
}

static void grid_blanks(FILE *stream, size_t count)
{
    fprintf(stream, "%*s", (int)count, "");
}

/* Print one row; nothing is written behind its last text. */
static void grid_row_print(const cli_grid *grid, const cli_cell *row, const grid_layout *layout,
                           FILE *stream)
{
    size_t last = layout->shown;
    while (last > 0 && row[last - 1].width == 0)
        last--;
    for (size_t column = 0; column < last; column++) {
        size_t width = layout->widths[column];
        size_t shown = row[column].width < width ? row[column].width : width;
        if (grid->align[column] == 'r')
            grid_blanks(stream, width - shown);
        fputs(cli_style_on(row[column].style), stream);
        cli_text_put(stream, cli_str(row[column].text), width);
        fputs(cli_style_off(row[column].style), stream);
        if (column + 1 == last)
            break;
        grid_blanks(stream, CLI_GRID_GAP + (grid->align[column] == 'r' ? 0 : width - shown));
    }
    fputc('\n', stream);
}

void cli_grid_close(cli_grid *grid, FILE *stream, size_t indent, size_t width)
{
    grid_layout layout;
    grid_measure(grid, &layout);
    if (width > indent)
        grid_shrink(&layout, width - indent);
    for (size_t i = 0; i + grid->column_count <= grid->cell_count; i += grid->column_count) {
        grid_blanks(stream, indent);
        grid_row_print(grid, &grid->cells[i], &layout, stream);
    }
    for (size_t i = 0; i < grid->cell_count; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    *grid = (cli_grid){0};
}
