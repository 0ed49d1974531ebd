/* Results: rows of several kinds that share one arena, and the public accessors of each kind.
 *
 * Not here: filling the rows, which the engine does.
 */
#include "base/result.h"

sw_result *sw__result_new(const sw_env *env)
{
    sw__arena *arena = sw__arena_new(env);
    if (!arena)
        return NULL;
    sw_result *result = sw__arena_alloc(arena, sizeof(*result));
    if (!result) {
        sw__arena_free(arena);
        return NULL;
    }
    result->arena = arena;
    return result;
}

void sw_result_free(sw_result *result)
{
    if (!result)
        return;
    if (result->held)
        result->release(result->held);
    sw__arena_free(result->arena);
}

void sw__result_set(sw_result *result, sw__section section, const void *rows, size_t count)
{
    result->sections[section].rows = rows;
    result->sections[section].count = count;
}

void sw__result_hold(sw_result *result, void *held, void (*release)(void *held))
{
    result->held = held;
    result->release = release;
}

static const void *result_rows(const sw_result *result, sw__section section, size_t *count)
{
    if (count)
        *count = result ? result->sections[section].count : 0;
    return result ? result->sections[section].rows : NULL;
}

#define SW__SECTION_ACCESSOR(name, type, accessor)                                                 \
    const type *accessor(const sw_result *result, size_t *count)                                   \
    {                                                                                              \
        return result_rows(result, SW__##name, count);                                             \
    }
SW__SECTION_MAP(SW__SECTION_ACCESSOR)
#undef SW__SECTION_ACCESSOR
