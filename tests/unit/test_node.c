/* Documents of either syntax: the tree, its places, every limit, and failing memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/node.h"
#include "base/node_build.h"
#include "base/str.h"
#include "helper/fault_env.h"
#include "helper/mutate.h"
#include "helper/node_text.h"

static const int formats[] = {SW_FORMAT_JSON, SW_FORMAT_YAML};

static sw__node *document_load(sw__arena *arena, int format, const char *text)
{
    sw__node *node = NULL;
    sw_error error;
    int rc = sw__node_load(arena, format, sw__str("x"), sw__str(text), &node, &error);
    if (rc < 0)
        fail_msg("%s", error.message);
    return node;
}

static void test_tree_has_kinds_values_and_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        sw__arena *arena = sw__arena_new(sw_env_system());
        sw__node *root = document_load(arena, formats[i],
                                       "{\"name\": \"gr\xc3\xbcn\", \"n\": 12,\n"
                                       "  \"list\": [null, true, false, 2.5,\n"
                                       "           \"\xe2\x82\xac\", -7], \"map\": {}}");
        assert_int_equal(root->kind, SW__NODE_MAP);
        assert_int_equal(root->count, 4);
        assert_int_equal(root->line, 1);
        assert_int_equal(root->column, 1);
        sw__node *name = sw__node_get(root, "name");
        assert_true(sw__str_is(name->text, "gr\xc3\xbcn"));
        sw__node *n = sw__node_get(root, "n");
        assert_int_equal(n->integer, 12);
        assert_true(sw__str_is(n->text, "12"));
        assert_int_equal(n->line, 1);
        assert_int_equal(n->column, 23); /* characters, not bytes */
        assert_int_equal(root->pairs[1].column, 18);
        sw__node *list = sw__node_get(root, "list");
        const sw__node_kind kinds[] = {SW__NODE_NULL, SW__NODE_BOOL, SW__NODE_BOOL,
                                       SW__NODE_REAL, SW__NODE_STR,  SW__NODE_INT};
        assert_int_equal(list->count, 6);
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(list->items[k]->kind, kinds[k]);
        assert_true(list->items[1]->boolean);
        assert_false(list->items[2]->boolean);
        assert_true(list->items[3]->real == 2.5);
        assert_true(sw__str_is(list->items[3]->text, "2.5"));
        assert_int_equal(list->items[4]->line, 3);
        assert_int_equal(list->items[4]->column, 12);
        assert_int_equal(list->items[5]->integer, -7);
        assert_int_equal(list->items[5]->column, 17);
        sw__node *map = sw__node_get(root, "map");
        assert_int_equal(map->kind, SW__NODE_MAP);
        assert_int_equal(map->count, 0);
        assert_null(sw__node_get(root, "nothing"));
        assert_null(sw__node_get(list, "name"));
        sw__arena_free(arena);
    }
}

static void test_format_is_detected(void **state)
{
    (void)state;
    assert_document(SW_FORMAT_DETECT, "{\"a\": 1}", "{\"a\":1}");
    assert_document(SW_FORMAT_DETECT, " \r\n\t{\"a\": 1}", "{\"a\":1}");
    assert_document(SW_FORMAT_DETECT, "\xef\xbb\xbf{\"a\": 1}", "{\"a\":1}");
    assert_document(SW_FORMAT_DETECT, "a: 1", "{\"a\":1}");
    assert_document(SW_FORMAT_DETECT, "# {\na: 1", "{\"a\":1}");
    assert_refused(SW_FORMAT_DETECT, "{a: 1}", SW_EDEFINITION,
                   "a.yaml:1:2: expected a key in quotes, found 'a'");
}

static void test_canonical_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_document(formats[i],
                        "{\"b\": [1, 2.50, 1.0], \"a\": {\"z\": null, \"\": true},"
                        "\"\\u00e9\": 1e3, \"B\": \"\\n\", \"aa\": -0.0}",
                        "{\"B\":\"\\n\",\"a\":{\"\":true,\"z\":null},\"aa\":-0.0,"
                        "\"b\":[1,2.5,1],\"\xc3\xa9\":1000}");
        assert_document(formats[i], "[9223372036854775807, -9223372036854775808]",
                        "[9223372036854775807,-9223372036854775808]");
        assert_document(formats[i], "\"text\"", "\"text\"");
        assert_document(formats[i], "[]", "[]");
        assert_document(formats[i], "\xef\xbb\xbf{}", "{}");
        assert_document(formats[i], "\"\\u0000\"", "\"\\u0000\"");
    }
}

/* The order of the keys in the text does not matter, and sorting is right for every number of
 * them. */
static void test_keys_are_sorted(void **state)
{
    (void)state;
    for (int count = 1; count < 60; count++) {
        char text[1000] = "{";
        char expected[1000] = "{";
        for (int i = 0; i < count; i++) {
            sprintf(text + strlen(text), "%s\"k%03d\":%d", i ? "," : "", i * 37 % 61, i * 37 % 61);
        }
        for (int key = 0, put = 0; key < 61; key++) {
            char name[16];
            sprintf(name, "\"k%03d\"", key);
            if (strstr(text, name))
                sprintf(expected + strlen(expected), "%s%s:%d", put++ ? "," : "", name, key);
        }
        strcat(text, "}");
        strcat(expected, "}");
        assert_document(SW_FORMAT_JSON, text, expected);
    }
}

static void test_binary_text_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_refused_bytes(formats[i], "a: b\n\xc3\xa9\0\xff", 9, SW_EDEFINITION,
                             "a.yaml:2:2: found a zero byte; this is not a text file");
        assert_refused_bytes(formats[i], "a: b\n  \xff\0", 9, SW_EDEFINITION,
                             "a.yaml:2:3: found the byte 0xff, which is not UTF-8; save the file "
                             "as UTF-8");
        assert_refused_bytes(formats[i], "\xff\xfe{\0}\0", 6, SW_EDEFINITION,
                             "a.yaml:1:1: found the byte 0xff, which is not UTF-8; save the file "
                             "as UTF-8");
        sw__node *node;
        sw_error error;
        sw__arena *arena = sw__arena_new(sw_env_system());
        sw_str absent = {NULL, 0};
        assert_int_equal(sw__node_load(arena, formats[i], absent, absent, &node, &error),
                         SW_EDEFINITION);
        assert_memory_equal(error.message, "<text>:1:1: ", 12);
        sw__arena_free(arena);
    }
}

static void test_long_source_names_lose_their_beginning(void **state)
{
    (void)state;
    char source[600];
    sw__node *node;
    sw_error error;
    memset(source, 'd', sizeof(source));
    memcpy(source + sizeof(source) - 7, "/a.json", 7);
    sw__arena *arena = sw__arena_new(sw_env_system());
    sw__node_load(arena, SW_FORMAT_JSON, (sw_str){source, sizeof(source)}, sw__str("[1,]"), &node,
                  &error);
    assert_memory_equal(error.message, "...ddd", 6);
    assert_non_null(strstr(error.message, "d/a.json:1:4: expected a value, found ']'"));
    sw__arena_free(arena);
}

/* A text of count copies of a piece between a head and a tail. */
static char *text_of(const char *head, const char *piece, size_t count, const char *tail)
{
    size_t piece_len = strlen(piece);
    char *text = malloc(strlen(head) + piece_len * count + strlen(tail) + 1);
    char *at = stpcpy(text, head);
    for (size_t i = 0; i < count; i++, at += piece_len)
        memcpy(at, piece, piece_len);
    strcpy(at, tail);
    return text;
}

/* The code of a text, without looking at the tree. */
static int code_of(int format, const char *text)
{
    sw__node *node;
    sw_error error;
    sw__arena *arena = sw__arena_new(sw_env_system());
    int rc = sw__node_load(arena, format, sw__str("x"), sw__str(text), &node, &error);
    if (rc < 0 && strncmp(error.message, "x:", 2) != 0)
        fail_msg("no place in \"%s\"", error.message);
    sw__arena_free(arena);
    return rc;
}

static void assert_limit(const char *head, const char *piece, size_t limit, const char *tail)
{
    for (size_t i = 0; i < 2; i++) {
        for (size_t count = limit; count <= limit + 1; count++) {
            char *text = text_of(head, piece, count, tail);
            assert_int_equal(code_of(formats[i], text), count <= limit ? SW_OK : SW_ELIMIT);
            free(text);
        }
    }
}

static void test_limits_on_sizes(void **state)
{
    (void)state;
    assert_limit("[\"", "x", SW__SCALAR_MAX, "\"]");
    assert_limit("{\"", "k", SW__KEY_MAX, "\": 1}");
    assert_limit("[1", " ", SW__DEFINITION_MAX - 3, "]");
    /* The list itself is one value. */
    assert_limit("[1", ",1", SW__NODES_MAX - 2, "]");
}

static void test_limit_on_depth(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        for (size_t depth = SW__DEPTH_MAX - 1; depth <= SW__DEPTH_MAX + 1; depth++) {
            char *open = text_of("", "[", depth, "");
            char *text = text_of(open, "]", depth, "");
            assert_int_equal(code_of(formats[i], text), depth <= SW__DEPTH_MAX ? SW_OK : SW_ELIMIT);
            free(open);
            free(text);
        }
    }
    assert_refused(SW_FORMAT_JSON,
                   "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", SW_ELIMIT,
                   "a.yaml:1:65: nested more than 64 deep");
}

static void test_limit_on_a_plain_yaml_scalar(void **state)
{
    (void)state;
    for (size_t count = SW__SCALAR_MAX - 1; count <= SW__SCALAR_MAX + 1; count++) {
        char *text = text_of("- ", "x", count, "");
        assert_int_equal(code_of(SW_FORMAT_YAML, text),
                         count <= SW__SCALAR_MAX ? SW_OK : SW_ELIMIT);
        free(text);
    }
}

/* A text is either refused with a place, or what is written of it reads back to the same. */
static bool reads_back_or_says_where(int format, sw_str text)
{
    sw__node *node = NULL;
    sw__node *again = NULL;
    sw_error error;
    sw__buf first;
    sw__buf second;
    int line;
    int column;
    sw__arena *arena = sw__arena_new(sw_env_system());
    sw__buf_init(&first, sw_env_system());
    sw__buf_init(&second, sw_env_system());
    int rc = sw__node_load(arena, format, sw__str("x"), text, &node, &error);
    if (rc == SW_OK) {
        sw__node_put_json(&first, node);
        assert_int_equal(sw__node_load_canonical(arena, sw__buf_str(&first), &again, &error),
                         SW_OK);
        sw__node_put_json(&second, again);
        assert_true(sw__str_equal(sw__buf_str(&first), sw__buf_str(&second)));
    } else {
        assert_int_equal(sscanf(error.message, "x:%d:%d: ", &line, &column), 2);
        assert_true(line >= 1 && column >= 1);
        assert_int_equal(error.row, line);
    }
    sw__buf_free(&second);
    sw__buf_free(&first);
    sw__arena_free(arena);
    return rc == SW_OK;
}

/* Shapes that cost quadratic time or deep recursion where they are read naively: each is as large
 * as a text may be. Run on the smallest stack that any host gives. */
static void *bombs_load(void *context)
{
    static const struct {
        const char *head;
        const char *piece;
        size_t count;
    } bombs[] = {
        {"", "[", 1000000},
        {"", "{\"a\":", 200000},
        {"", "- ", 500000},
        {"", "? ", 500000},
        {"", "a: {", 250000},
        {"%TAG !a! b\n", "%TAG ! !\n", 100000},
        {"a: 1\n...\n", "%TAG ! !\n", 100000},
        {"", "&a ", 300000},
        {"- ", "*a ", 300000},
        {"", "#", 1000000},
        {"\"", "\\u0041", 170000},
        {"- ", "a b ", 250000},
        {"", "\n", 1000000},
        {"- |\n", "  a\n", 250000},
        {"", "'", 1000000},
        {"", "!", 1000000},
        {"", "---\n", 250000},
        {"", "a:\n", 300000},
        {"[", "{},", 340000},
        {"", "\t", 1000000},
    };
    int *answers = context;
    for (size_t i = 0; i < 2; i++) {
        char *open = text_of("", "{\"a\":", SW__DEPTH_MAX, "1");
        char *deepest = text_of(open, "}", SW__DEPTH_MAX, "");
        *answers += reads_back_or_says_where(formats[i], sw__str(deepest));
        free(open);
        free(deepest);
    }
    for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
        char *text = text_of(bombs[i].head, bombs[i].piece, bombs[i].count, "");
        for (int format = SW_FORMAT_DETECT; format <= SW_FORMAT_YAML; format++)
            *answers += code_of(format, text) < 0;
        free(text);
    }
    return context;
}

static void test_bombs_are_refused_on_a_small_stack(void **state)
{
    (void)state;
    pthread_attr_t attributes;
    pthread_t thread;
    int answers = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 128 * 1024);
    assert_int_equal(pthread_create(&thread, &attributes, bombs_load, &answers), 0);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    /* The two deepest texts that are allowed, and twenty that are not, each in three formats. */
    assert_int_equal(answers, 2 + 20 * 3);
}

/* Two syntaxes, one meaning: whatever JSON text is read, YAML reads it the same. */
static void test_json_is_yaml(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"a\": [1, -2, 3.25, 1e5, 1E-2, true, false, null, \"x\"], \"b\": {\"c\": {}}}",
        "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\", \"\", \"yes\", \"1\", \"~\", \" # \"]",
        "{\"1\": 1, \"null\": null, \"true\": true, \"-\": [], \"#\": \"#\", \": \": 0}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        sw__buf buf[2];
        for (size_t k = 0; k < 2; k++) {
            sw__arena *arena = sw__arena_new(sw_env_system());
            sw__buf_init(&buf[k], sw_env_system());
            sw__node_put_json(&buf[k], document_load(arena, formats[k], texts[i]));
            sw__arena_free(arena);
        }
        assert_int_equal(buf[0].len, buf[1].len);
        assert_memory_equal(buf[0].ptr, buf[1].ptr, buf[0].len);
        sw__buf_free(&buf[0]);
        sw__buf_free(&buf[1]);
    }
}

static void test_damaged_texts(void **state)
{
    (void)state;
    static const char syntax[] = "{}[]\",:\\'#&*!|>%@-?~. \n\t\r\xef\xbb\xbf\xe2\x82\xac"
                                 "0123456789abcdefxot+E";
    static const char *const texts[] = {
        "{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\n\"], \"b\": {\"c\": {}, \"d\": []}}",
        "name: a\nsteps:\n  - id: a\n    after: [b, 'c', \"d\"]\n  - id: b # why\n? key\n: 0x1f\n",
        "text: |\n  one\n  two\nmore: >-\n  three\n\n  four\nlist:\n- - 1\n  - 2.5e1\n-\n",
        "---\na: 1\n...\n",
        "# only a comment\n",
    };
    uint64_t seed = 3;
    int accepted = 0;
    for (int i = 0; i < 20000; i++) {
        char text[400];
        size_t len = strlen(texts[i % 5]);
        memcpy(text, texts[i % 5], len);
        len = mutate(&seed, syntax, text, len, sizeof(text));
        for (size_t k = 0; k < 2; k++)
            accepted += reads_back_or_says_where(formats[k], (sw_str){text, len});
    }
    assert_in_range(accepted, 4000, 36000);
}

static void test_kinds_have_names(void **state)
{
    (void)state;
    assert_string_equal(sw__node_kind_name(SW__NODE_MAP), "a map");
    assert_string_equal(sw__node_kind_name(SW__NODE_LIST), "a list");
    assert_string_equal(sw__node_kind_name(SW__NODE_STR), "text");
    assert_string_equal(sw__node_kind_name(SW__NODE_REAL), "a number");
    assert_string_equal(sw__node_kind_name(SW__NODE_INT), "an integer");
    assert_string_equal(sw__node_kind_name(SW__NODE_BOOL), "true or false");
    assert_string_equal(sw__node_kind_name(SW__NODE_NULL), "null");
    assert_string_equal(sw__node_kind_name((sw__node_kind)99), "an unknown value");
}

typedef struct load_case {
    int format;
    const char *text;
} load_case;

static int load_and_write(const sw_env *env, void *context)
{
    const load_case *input = context;
    sw__node *node = NULL;
    sw_error error;
    sw__buf buf;
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return SW_ENOMEM;
    sw__buf_init(&buf, env);
    int rc = sw__node_load(arena, input->format, sw__str("x"), sw__str(input->text), &node, &error);
    if (rc == SW_OK) {
        sw__node_put_json(&buf, node);
        rc = buf.failed ? SW_ENOMEM : SW_OK;
    }
    sw__buf_free(&buf);
    sw__arena_free(arena);
    return rc;
}

/* Texts that make the arena, the run of children and the buffer grow at each of their uses: many
 * items, many keys, long keys, long values, many containers. */
static void test_every_allocation_may_fail(void **state)
{
    (void)state;
    char *texts[] = {
        text_of("{\"map\": {\"a\": {\"b\": 1}}, \"list\": [1", ", \"some text\"", 300,
                ", [2], {\"k\": 2.5}]}"),
        text_of("[1", ", 2", 200, "]"),
        text_of("{\"a\": \"", "long ", 1000, "\"}"),
        text_of("[{}", ", {\"a\": [0]}", 100, "]"),
        text_of("[0",
                ", {\"a_key_that_is_long_enough_to_need_a_block_of_its_own_quite_often_and_"
                "that_is_longer_than_all_else_in_its_map_and_so_is_hit_by_the_failing_of_"
                "memory_more_often_than_anything_else\": 0}",
                40, "]"),
        calloc(1, 20000),
    };
    const size_t count = sizeof(texts) / sizeof(texts[0]);
    char *at = texts[count - 1];
    for (int i = 0; i < 300; i++)
        at += sprintf(at, "%c\"key number %d\": %d", i ? ',' : '{', i, i);
    strcpy(at, "}");
    for (size_t i = 0; i < 2 * count; i++) {
        fault_env fault;
        load_case input = {formats[i % 2], texts[i / 2]};
        fault_env_init(&fault);
        assert_true(fault_env_each(&fault, load_and_write, &input) >= 6);
    }
    for (size_t i = 0; i < count; i++)
        free(texts[i]);
}

/* What the library wrote itself may be larger than what people write. */
static void test_limits_of_canonical_text(void **state)
{
    (void)state;
    char *text = malloc((size_t)SW__CANONICAL_MAX + 1);
    memset(text, ' ', (size_t)SW__CANONICAL_MAX + 1);
    text[0] = '1';
    for (size_t len = SW__CANONICAL_MAX - 1; len <= SW__CANONICAL_MAX + 1; len++) {
        sw__node *node = NULL;
        sw_error error;
        sw__arena *arena = sw__arena_new(sw_env_system());
        int rc = sw__node_load_canonical(arena, (sw_str){text, len}, &node, &error);
        assert_int_equal(rc, len <= SW__CANONICAL_MAX ? SW_OK : SW_ELIMIT);
        assert_int_equal(node != NULL, rc == SW_OK);
        sw__arena_free(arena);
    }
    free(text);
}

/* The number of values is set by whoever builds; a smaller one stands for the large one here. */
static void test_limit_of_values_of_a_builder(void **state)
{
    (void)state;
    for (size_t limit = 3; limit <= 5; limit++) {
        sw__build build;
        sw_error error;
        sw__arena *arena = sw__arena_new(sw_env_system());
        sw__build_init(&build, arena, sw__str("x"), &error);
        build.node_max = limit;
        assert_int_equal(sw__build_from_json(&build, sw__str("[1, [2]]")),
                         limit < 4 ? SW_ELIMIT : SW_OK);
        sw__build_free(&build);
        sw__arena_free(arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree_has_kinds_values_and_places),
        cmocka_unit_test(test_format_is_detected),
        cmocka_unit_test(test_canonical_json),
        cmocka_unit_test(test_keys_are_sorted),
        cmocka_unit_test(test_binary_text_is_refused),
        cmocka_unit_test(test_long_source_names_lose_their_beginning),
        cmocka_unit_test(test_limits_on_sizes),
        cmocka_unit_test(test_limit_on_depth),
        cmocka_unit_test(test_limit_on_a_plain_yaml_scalar),
        cmocka_unit_test(test_bombs_are_refused_on_a_small_stack),
        cmocka_unit_test(test_json_is_yaml),
        cmocka_unit_test(test_damaged_texts),
        cmocka_unit_test(test_kinds_have_names),
        cmocka_unit_test(test_every_allocation_may_fail),
        cmocka_unit_test(test_limits_of_canonical_text),
        cmocka_unit_test(test_limit_of_values_of_a_builder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
