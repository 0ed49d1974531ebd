/* Tables of text: columns as wide as needed, cut where the terminal ends.
 *
 * Cells are cleaned when they are added (text.h), so foreign text cannot break a table.
 */
#ifndef STEPWELL_CLI_GRID_H
#define STEPWELL_CLI_GRID_H

#include <stdio.h>

#include "out.h"

#define CLI_GRID_COLUMNS 8

typedef struct cli_cell {
    char *text;
    size_t width;
    cli_style style;
} cli_cell;

typedef struct cli_grid {
    const char *align; /* one letter per column: l or r */
    size_t column_count;
    cli_cell *cells;
    size_t cell_count;
    size_t cell_room;
} cli_grid;

/* Begin a table with one column per letter of align (a literal). */
cli_grid cli_grid_open(const char *align);

/* Add the next cell of the row; rows fill up one after the other. */
void cli_grid_add(cli_grid *grid, cli_style style, sw_str text);
void cli_grid_addf(cli_grid *grid, cli_style style, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Print all rows, each indented, in at most width columns (0: no limit), and free the table. */
void cli_grid_close(cli_grid *grid, FILE *stream, size_t indent, size_t width);

#endif
