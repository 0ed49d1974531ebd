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

/* The width each column wants; the sum with gaps is returned. */
static size_t grid_measure(const cli_grid *grid, size_t *widths)
{
    size_t total = CLI_GRID_GAP * (grid->column_count - 1);
    for (size_t i = 0; i < grid->cell_count; i++) {
        size_t column = i % grid->column_count;
        if (grid->cells[i].width > widths[column])
            widths[column] = grid->cells[i].width;
    }
    for (size_t column = 0; column < grid->column_count; column++)
        total += widths[column];
    return total;
}

/* Take columns away from the widest until all fit or none can give any more. */
static void grid_shrink(const cli_grid *grid, size_t *widths, size_t total, size_t width)
{
    while (total > width) {
        size_t widest = 0;
        for (size_t column = 1; column < grid->column_count; column++) {
            if (widths[column] >= widths[widest])
                widest = column;
        }
        if (widths[widest] <= CLI_GRID_NARROWEST)
            return;
        widths[widest]--;
        total--;
    }
}

static void grid_blanks(FILE *stream, size_t count)
{
    fprintf(stream, "%*s", (int)count, "");
}

/* Print one row; nothing is written behind its last text. */
static void grid_row_print(const cli_grid *grid, const cli_cell *row, const size_t *widths,
                           FILE *stream)
{
    size_t last = grid->column_count;
    while (last > 0 && row[last - 1].width == 0)
        last--;
    for (size_t column = 0; column < last; column++) {
        size_t width = widths[column];
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
    size_t widths[CLI_GRID_COLUMNS] = {0};
    size_t total = grid_measure(grid, widths);
    if (width > indent)
        grid_shrink(grid, widths, total, width - indent);
    for (size_t i = 0; i + grid->column_count <= grid->cell_count; i += grid->column_count) {
        grid_blanks(stream, indent);
        grid_row_print(grid, &grid->cells[i], widths, stream);
    }
    for (size_t i = 0; i < grid->cell_count; i++)
        free(grid->cells[i].text);
    free(grid->cells);
    *grid = (cli_grid){0};
}
