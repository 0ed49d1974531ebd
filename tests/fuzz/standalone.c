/* Runs a fuzz target without libFuzzer: each file given, and each file of each folder given, once.
 *
 * For compilers that have no libFuzzer, for the stored corpora, and for looking at one input:
 *
 *     fuzz_yaml tests/fuzz/corpus/yaml build/fuzz/crash-1234
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

#define INPUT_SECONDS_MAX                                                                          \
    20 /* a sanitizer on a busy machine is slow, an endless loop is slower                         \
        */

__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

/* In a block of just its size, so that sanitizers see a byte read behind it. */
static void input_run(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    fuzz_require(exact, "no memory for %zu bytes", size);
    if (size)
        memcpy(exact, bytes, size);
    alarm(INPUT_SECONDS_MAX);
    LLVMFuzzerTestOneInput(exact, size);
    alarm(0);
    free(exact);
}

static void file_run(const char *path)
{
    static uint8_t bytes[1024 * 1024];
    FILE *file = fopen(path, "rb");
    fuzz_require(file, "%s cannot be opened", path);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fuzz_require(!ferror(file) && feof(file), "%s cannot be read, or is too large", path);
    fclose(file);
    /* On the way, so that the last line names the input that ended the program. */
    fprintf(stderr, "%s (%zu bytes)\n", path, size);
    input_run(bytes, size);
}

static int entry_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static size_t folder_run(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, entry_visible, alphasort);
    fuzz_require(count >= 0, "%s cannot be read", path);
    for (int i = 0; i < count; i++) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
        file_run(name);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        struct stat found;
        fuzz_require(stat(argv[i], &found) == 0, "there is no %s", argv[i]);
        if (S_ISDIR(found.st_mode)) {
            count += folder_run(argv[i]);
        } else {
            file_run(argv[i]);
            count++;
        }
    }
    fuzz_require(count > 0, "there is no input; give files or folders");
    printf("%zu passed, 0 failed\n", count);
    return 0;
}
