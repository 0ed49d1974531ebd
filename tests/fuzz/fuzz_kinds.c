/* Any bytes as the parameters of a built-in kind: what reads is what a worker can use, and it
 * reads exactly when a definition with these parameters loads. The first byte chooses the kind. */
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "fuzz/fuzz.h"
#include "model/kinds.h"
#include "model/paths.h"

static void no_zero_check(sw_str text)
{
    fuzz_check_text(text);
    fuzz_require(text.len == 0 || !memchr(text.ptr, 0, text.len), "a zero byte would cut it");
}

static void list_check(const sw__node *list)
{
    for (size_t i = 0; list && i < list->count; i++) {
        fuzz_require(list->items[i]->kind == SW__NODE_STR, "an argument that is no text");
        no_zero_check(list->items[i]->text);
        fuzz_require(list->items[i]->text.ptr[list->items[i]->text.len] == '\0', "no end");
    }
}

static void map_check(const sw__node *map)
{
    for (size_t i = 0; map && i < map->count; i++) {
        fuzz_require(map->pairs[i].value->kind == SW__NODE_STR, "a variable that is no text");
        no_zero_check(map->pairs[i].value->text);
        no_zero_check(map->pairs[i].key);
        fuzz_require(map->pairs[i].key.len > 0 &&
                         !memchr(map->pairs[i].key.ptr, '=', map->pairs[i].key.len),
                     "a variable without a name");
    }
}

static void parameters_check(int kind, const sw__kind_parameters *read)
{
    bool file =
        kind == SW__KIND_CREATE_FILE || kind == SW__KIND_READ_FILE || kind == SW__KIND_DELETE_FILE;
    fuzz_require(read->wait_ms >= 0 && read->wait_ms <= SW__DELAY_MAX_MS, "an endless wait");
    fuzz_require((kind == SW__KIND_COMMAND) == (read->command.len > 0), "no program");
    fuzz_require(file == (read->path.len > 0), "no path");
    no_zero_check(read->command);
    no_zero_check(read->working_dir);
    no_zero_check(read->path);
    no_zero_check(read->content);
    list_check(read->args);
    map_check(read->env);
    if (read->path.len > 0)
        sw__path_refusal(read->path);
}

/* A definition whose only step has these parameters; absent ones are left out. */
static int definition_load(const sw_env *env, int kind, sw_str parameters, sw_error *err)
{
    sw__buf text;
    sw_workflow *workflow = NULL;
    sw_workflow_options options = SW_WORKFLOW_OPTIONS_INIT;
    options.env = env;
    sw__buf_init(&text, env);
    sw__buf_printf(&text, "{\"stepwell\":1,\"name\":\"w\",\"steps\":[{\"name\":\"a\",");
    if (parameters.ptr) {
        sw__buf_put_text(&text, "\"parameters\":");
        sw__buf_put_str(&text, parameters);
        sw__buf_put_text(&text, ",");
    }
    sw__buf_printf(&text, "\"handler\":\"%s\"}]}", sw__kind_name(kind));
    int rc = sw_workflow_load(&options, sw__buf_str(&text), &workflow, NULL, err);
    sw_workflow_free(workflow);
    sw__buf_free(&text);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_world world;
    sw_error err;
    sw_error definition_err;
    sw__kind_parameters read;
    fuzz_bytes bytes = {data, data + size};
    fuzz_world_open(&world);
    const sw_env *env = &world.fault.env;
    int kind = (int)fuzz_pick(&bytes, SW__KIND_COUNT);
    sw_str text = {(const char *)bytes.at, (size_t)(bytes.end - bytes.at)};
    if (text.len == 0)
        text = (sw_str){0};
    sw__arena *arena = sw__arena_new(env);
    int rc = sw__kind_read(arena, kind, text, &read, &err);
    fuzz_check_error(rc, &err);
    int definition_rc = definition_load(env, kind, text, &definition_err);
    fuzz_check_error(definition_rc, &definition_err);
    if (rc == SW_OK)
        parameters_check(kind, &read);
    /* In a definition the same parameters stand three levels deeper, and only a file may start with
     * a byte order mark. */
    bool marked = text.len >= 3 && memcmp(text.ptr, "\xef\xbb\xbf", 3) == 0;
    if (rc == SW_OK && definition_rc < 0 && !marked)
        fuzz_require(definition_rc == SW_ELIMIT, "it reads, but does not load: %s",
                     definition_err.message);
    sw__arena_free(arena);
    fuzz_world_close(&world);
    return 0;
}
