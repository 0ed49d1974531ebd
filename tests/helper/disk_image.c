/* Files in memory; see disk_image.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "helper/disk_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_SUFFIX "-wal"

static const char *side_path(const char *path, const char *suffix)
{
    static char name[256];
    assert_true(snprintf(name, sizeof(name), "%s%s", path, suffix) < (int)sizeof(name));
    return name;
}

static disk_part part_read(const char *path)
{
    disk_part part = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return part;
    fseek(file, 0, SEEK_END);
    part.size = (size_t)ftell(file);
    rewind(file);
    part.bytes = malloc(part.size + 1);
    assert_non_null(part.bytes);
    assert_int_equal(fread(part.bytes, 1, part.size, file), part.size);
    fclose(file);
    return part;
}

static disk_part part_copy(const disk_part *part)
{
    disk_part copy = {.size = part->size};
    if (!part->bytes)
        return copy;
    copy.bytes = malloc(part->size + 1);
    assert_non_null(copy.bytes);
    memcpy(copy.bytes, part->bytes, part->size);
    return copy;
}

static void part_write(const disk_part *part, const char *path)
{
    unlink(path);
    if (!part->bytes)
        return;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(part->bytes, 1, part->size, file), part->size);
    assert_int_equal(fclose(file), 0);
}

disk_image disk_image_take(const char *path)
{
    return (disk_image){part_read(path), part_read(side_path(path, LOG_SUFFIX))};
}

void disk_image_refresh(disk_image *image, const char *path, const char *name)
{
    disk_part *part = strcmp(name, path) == 0 ? &image->file : NULL;
    if (strcmp(name, side_path(path, LOG_SUFFIX)) == 0)
        part = &image->log;
    if (!part)
        return;
    free(part->bytes);
    *part = part_read(name);
}

disk_image disk_image_copy(const disk_image *image)
{
    return (disk_image){part_copy(&image->file), part_copy(&image->log)};
}

void disk_image_put(const disk_image *image, const char *path)
{
    part_write(&image->file, path);
    part_write(&image->log, side_path(path, LOG_SUFFIX));
    unlink(side_path(path, "-shm"));
    unlink(side_path(path, "-life"));
    unlink(side_path(path, "-bell"));
}

void disk_image_free(disk_image *image)
{
    free(image->file.bytes);
    free(image->log.bytes);
    *image = (disk_image){0};
}
