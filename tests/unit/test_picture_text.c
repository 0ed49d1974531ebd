/* Terminal drawings of graphs: lines lead where the edges do, and fit the columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "helper/pictures.h"
#include "picture/glyph.h"

#define GRID_ROWS 256
#define GRID_COLUMNS 256

static void test_text(void **state)
{
    picture_rows rows;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)state;
    picture_rows_diamond(&rows);
    rows.edge_count = 4;
    options.format = SW_PICTURE_TEXT;
    assert_string_equal(picture_rendered(&rows, &options, &result), "      ┏━━━━━━━━━┓\n"
                                                                    "      ┃ ✓ fetch ┃\n"
                                                                    "      ┗━━━━┯━━━━┛\n"
                                                                    "     ╭─────┴─────╮\n"
                                                                    "┏━━━━┷━━━━┓  ╭───┴───╮\n"
                                                                    "┃ ✗ check ┃  │ ▸ sum │\n"
                                                                    "┗━━━━┯━━━━┛  ╰───┬───╯\n"
                                                                    "     ╰─────┬─────╯\n"
                                                                    "      ┏━━━━┷━━━┓\n"
                                                                    "      ┃ · send ┃\n"
                                                                    "      ┗━━━━━━━━┛\n");
    sw_result_free(result);
    options.ascii = 1;
    const char *text = picture_rendered(&rows, &options, &result);
    for (const char *at = text; *at; at++)
        assert_true((unsigned char)*at < 0x80);
    assert_text_has(text, "# x check #  | > sum |\n");
    sw_result_free(result);
    options.color = 1;
    text = picture_rendered(&rows, &options, &result);
    assert_text_has(text, "\033[31m");
    assert_text_has(text, "\033[1;35m");
    sw_result_free(result);
}

/* One drawing as a grid of characters. */
typedef struct text_grid {
    uint32_t cells[GRID_ROWS][GRID_COLUMNS];
    int32_t rows;
} text_grid;

/* Where a box is: its name is one letter, so that its borders are two columns away. */
typedef struct box {
    int32_t row;
    int32_t column;
} box;

static void grid_read(text_grid *grid, const char *text)
{
    memset(grid, 0, sizeof(*grid));
    int32_t column = 0;
    for (size_t at = 0, size = strlen(text); at < size;) {
        if (text[at] == '\n') {
            grid->rows++;
            column = 0;
            at++;
            continue;
        }
        assert_true(grid->rows < GRID_ROWS && column < GRID_COLUMNS);
        grid->cells[grid->rows][column++] = sw__glyph_next((sw_str){text, size}, &at);
    }
}

static box grid_find(const text_grid *grid, uint32_t name)
{
    for (int32_t row = 0; row < grid->rows; row++) {
        for (int32_t column = 0; column < GRID_COLUMNS; column++) {
            if (grid->cells[row][column] == name)
                return (box){row, column};
        }
    }
    fail_msg("there is no box '%c'", (char)name);
    return (box){0};
}

/* Ways out of a character: up 1, down 2, left 4, right 8. */
static int grid_arms(uint32_t glyph)
{
    static const struct {
        uint32_t glyph;
        int arms;
    } arms[] = {{0x2502, 3},  {0x2500, 12}, {0x256D, 10}, {0x256E, 6},  {0x2570, 9}, {0x256F, 5},
                {0x251C, 11}, {0x2524, 7},  {0x252C, 14}, {0x2534, 13}, {0x253C, 15}};
    for (size_t i = 0; i < sizeof(arms) / sizeof(arms[0]); i++) {
        if (arms[i].glyph == glyph)
            return arms[i].arms;
    }
    return 0;
}

/* Follow lines as a reader would, down and to the side but never up, from a cell that was entered
 * from `from`; marks the boxes that are met. */
static void grid_follow(const text_grid *grid, int32_t row, int32_t column, int from,
                        const box *boxes, size_t count, bool *met)
{
    int arms = grid_arms(grid->cells[row][column]);
    for (size_t i = 0; i < count; i++) {
        if (row == boxes[i].row - 1 && abs(column - boxes[i].column) <= 2) {
            assert_int_equal(from, 1);
            assert_true(arms & 1);
            met[i] = true;
            return;
        }
    }
    if (arms == 3 && from != 1) { /* another line passes over this one */
        grid_follow(grid, row, column + (from == 4 ? 1 : -1), from, boxes, count, met);
        return;
    }
    if (!(arms & from))
        fail_msg("a line ends in row %d, column %d", row, column);
    if (arms & 2)
        grid_follow(grid, row + 1, column, 1, boxes, count, met);
    if ((arms & 4) && from != 4)
        grid_follow(grid, row, column - 1, 8, boxes, count, met);
    if ((arms & 8) && from != 8)
        grid_follow(grid, row, column + 1, 4, boxes, count, met);
}

/* What a reader sees to depend on what is what depends on it. */
static void assert_drawing_says(const picture_rows *rows, const char *text)
{
    static text_grid grid;
    box boxes[PICTURE_NODES_MOST];
    grid_read(&grid, text);
    for (size_t i = 0; i < rows->node_count; i++)
        boxes[i] = grid_find(&grid, (uint8_t)rows->nodes[i].name.ptr[0]);
    for (size_t i = 0; i < rows->node_count; i++) {
        bool met[PICTURE_NODES_MOST] = {false}, wanted[PICTURE_NODES_MOST] = {false};
        for (int32_t column = boxes[i].column - 1; column <= boxes[i].column + 1; column++) {
            if (grid.cells[boxes[i].row + 1][column] == 0x252C)
                grid_follow(&grid, boxes[i].row + 2, column, 1, boxes, rows->node_count, met);
        }
        for (size_t k = 0; k < rows->edge_count; k++) {
            if (rows->edges[k].from == (int32_t)i)
                wanted[rows->edges[k].to] = true;
        }
        for (size_t k = 0; k < rows->node_count; k++) {
            if (met[k] != wanted[k])
                fail_msg("%s -> %s is %s:\n%s", rows->nodes[i].name.ptr, rows->nodes[k].name.ptr,
                         met[k] ? "drawn and not so" : "so and not drawn", text);
        }
    }
}

/* Lines of random graphs lead where the edges do, and nowhere else. */
static void test_text_lines(void **state)
{
    static const char names[] = "a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0k\0l";
    int drawn = 0;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        picture_rows rows = {0};
        sw_result *result = NULL;
        sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
        int32_t nodes = 2 + (int32_t)picture_random(10);
        for (int32_t i = 0; i < nodes; i++)
            picture_node_add(&rows, names + 2 * i, -1, 0, -1);
        for (int32_t i = 1; i < nodes; i++) {
            for (int32_t k = 0; k < i; k++) {
                if (picture_random(4) == 0)
                    picture_edge_add(&rows, k, i, 0);
            }
        }
        options.format = SW_PICTURE_TEXT;
        options.columns = 200;
        if (picture_code(&rows, &options, &result, NULL) == SW_OK) {
            size_t count = 0;
            assert_drawing_says(&rows, sw_pictures(result, &count)->text.ptr);
            drawn++;
        }
        sw_result_free(result);
    }
    assert_true(drawn > 2700);
}

/* Every line of every drawing has the columns that were asked for at most. */
static void test_text_width(void **state)
{
    picture_rows rows;
    sw_error error;
    int drawn = 0;
    (void)state;
    picture_rows_hostile(&rows);
    for (int32_t columns = 1; columns < 160; columns++) {
        sw_result *result = NULL;
        size_t count = 0;
        sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
        options.format = SW_PICTURE_TEXT;
        options.columns = columns;
        int code = picture_code(&rows, &options, &result, &error);
        if (code == SW_ELIMIT) {
            assert_null(result);
            continue;
        }
        assert_int_equal(code, SW_OK);
        drawn++;
        const sw_picture *picture = sw_pictures(result, &count);
        assert_true(picture->width <= columns);
        int32_t lines = 0;
        for (const char *at = picture->text.ptr; *at; lines++) {
            size_t length = strcspn(at, "\n");
            assert_true(sw__glyphs_width((sw_str){at, length}) <= columns);
            at += length + 1;
        }
        assert_int_equal(lines, picture->height);
        sw_result_free(result);
    }
    assert_true(drawn > 20);
}

/* More lines between two layers than anybody could follow are not drawn, whatever the columns. */
static void test_text_too_many_lines(void **state)
{
    picture_rows rows = {0};
    sw_error error;
    sw_result *result = NULL;
    sw_picture_options options = SW_PICTURE_OPTIONS_INIT;
    (void)state;
    for (int32_t i = 0; i < 48; i++)
        picture_node_add(&rows, "x", -1, 0, -1);
    for (int32_t i = 0; i < 24 * 24; i++)
        picture_edge_add(&rows, i / 24, 24 + i % 24, 0);
    options.format = SW_PICTURE_TEXT;
    options.columns = 100000;
    assert_int_equal(picture_code(&rows, &options, &result, &error), SW_ELIMIT);
    rows.edge_count = 22 * 23;
    assert_int_equal(picture_code(&rows, &options, &result, &error), SW_OK);
    sw_result_free(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_lines),
        cmocka_unit_test(test_text_width),
        cmocka_unit_test(test_text_too_many_lines),
    };
    return cmocka_run_group_tests_name("picture_text", tests, NULL, NULL);
}
