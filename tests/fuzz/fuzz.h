/* What the fuzz targets share: checks that end the program, choices read from bytes, and a world
 * in which time, chance and memory are the target's own.
 *
 * A target is one program, fuzz_<subject>.c. It is built against libFuzzer or against standalone.c
 * and must be repeatable: the same bytes do the same, whatever ran before. Not here: making new
 * bytes, which is libFuzzer's work.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "helper/fault_env.h"
#include "stepwell.h"

/* The target: returns 0. Both are called by libFuzzer or standalone.c; the first is optional. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* End the program with a message when a promise is broken. */
#define fuzz_require(holds, ...)                                                                   \
    do {                                                                                           \
        if (!(holds))                                                                              \
            fuzz_stop(__FILE__, __LINE__, __VA_ARGS__);                                            \
    } while (0)

void fuzz_stop(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

/* The answer of a call and its error agree: a code of the list, with a message that is text. */
void fuzz_check_error(int rc, const sw_error *err);
/* Absent, or valid UTF-8; every byte is read. */
void fuzz_check_text(sw_str text);

/* Bytes to choose from, little end first; zeros when they are used up. */
typedef struct fuzz_bytes {
    const uint8_t *at;
    const uint8_t *end;
} fuzz_bytes;

uint64_t fuzz_take(fuzz_bytes *bytes, size_t size);
/* A number from 0 to below - 1, taken from one byte (below <= 256). */
size_t fuzz_pick(fuzz_bytes *bytes, size_t below);
/* At most `most` of the bytes, how many is taken from one byte. */
sw_str fuzz_take_text(fuzz_bytes *bytes, size_t most);
bool fuzz_done(const fuzz_bytes *bytes);

#define FUZZ_MEMORY_MAX ((size_t)256 * 1024 * 1024) /* bytes that one input may need at once */

/* Clocks that only move when told, random bytes that repeat, memory that is counted. */
typedef struct fuzz_world {
    fault_env fault;
    size_t bytes; /* allocated now */
} fuzz_world;

void fuzz_world_open(fuzz_world *world);
/* All memory was given back. */
void fuzz_world_close(fuzz_world *world);

#endif
