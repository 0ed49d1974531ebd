/* What the fuzz targets share; see fuzz.h. */
#include "fuzz/fuzz.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void fuzz_stop(const char *file, int line, const char *format, ...)
{
    va_list args;
    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

void fuzz_check_error(int rc, const sw_error *err)
{
    if (rc >= 0)
        return;
    fuzz_require(sw_code_class(rc), "the code %d is not in the list", rc);
    fuzz_require(err->code == rc, "%s is returned, but the error says %s", sw_code_name(rc),
                 sw_code_name(err->code));
    size_t len = strnlen(err->message, sizeof(err->message));
    fuzz_require(len > 0 && len < sizeof(err->message), "%s has no message", sw_code_name(rc));
    fuzz_check_text((sw_str){err->message, len});
}

void fuzz_check_text(sw_str text)
{
    fuzz_require(text.ptr || text.len == 0, "%zu bytes at no address", text.len);
    size_t valid = sw__utf8_check(text);
    fuzz_require(valid == text.len, "byte %zu of %zu is not UTF-8", valid, text.len);
}

uint64_t fuzz_take(fuzz_bytes *bytes, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size && bytes->at < bytes->end; i++)
        number |= (uint64_t)*bytes->at++ << (8 * i);
    return number;
}

size_t fuzz_pick(fuzz_bytes *bytes, size_t below)
{
    return (size_t)fuzz_take(bytes, 1) % below;
}

sw_str fuzz_take_text(fuzz_bytes *bytes, size_t most)
{
    size_t len = fuzz_pick(bytes, most + 1);
    size_t left = (size_t)(bytes->end - bytes->at);
    sw_str text = {(const char *)bytes->at, len < left ? len : left};
    bytes->at += text.len;
    return text;
}

bool fuzz_done(const fuzz_bytes *bytes)
{
    return bytes->at == bytes->end;
}

static void *world_resize(void *context, void *block, size_t size)
{
    const sw_env *system = sw_env_system();
    fuzz_world *world = context;
    world->bytes -= block ? malloc_usable_size(block) : 0;
    world->fault.live -= block && size == 0;
    world->fault.live += !block && size > 0;
    fuzz_require(size <= FUZZ_MEMORY_MAX && world->bytes + size <= FUZZ_MEMORY_MAX,
                 "%zu bytes more than %zu are asked for", size, world->bytes);
    void *resized = system->resize(system->context, block, size);
    fuzz_require(resized || size == 0, "this machine has no %zu bytes", size);
    world->bytes += resized ? malloc_usable_size(resized) : 0;
    return resized;
}

/* Who and where this process is: the linker puts these in the place of the real ones (see
 * CMakeLists.txt), so that rows of workers are the same in every run. */
int64_t __wrap_sw__process_id(void);
int __wrap_gethostname(char *name, size_t size);

int64_t __wrap_sw__process_id(void)
{
    return 4711;
}

int __wrap_gethostname(char *name, size_t size)
{
    return snprintf(name, size, "host") < 0 ? -1 : 0;
}

/* The context of the environment is the fault_env, which is the first field. */
void fuzz_world_open(fuzz_world *world)
{
    world->bytes = 0;
    fault_env_init(&world->fault);
    world->fault.env.resize = world_resize;
}

void fuzz_world_close(fuzz_world *world)
{
    fuzz_require(world->fault.live == 0, "%zu blocks of memory are lost",
                 (size_t)world->fault.live);
}
