/* What a disk holds of a database at one moment: the file and its log, kept in memory.
 *
 *     disk_image image = disk_image_take("a.db");
 *     disk_image_put(&image, "b.db");      (as after a crash: without shared memory)
 *     disk_image_free(&image);
 */
#ifndef HELPER_DISK_IMAGE_H
#define HELPER_DISK_IMAGE_H

#include <stddef.h>

typedef struct disk_part {
    unsigned char *bytes; /* NULL: there is no such file */
    size_t size;
} disk_part;

typedef struct disk_image {
    disk_part file;
    disk_part log;
} disk_image;

disk_image disk_image_take(const char *path);
/* Read one of the two files again, the one of this name. */
void disk_image_refresh(disk_image *image, const char *path, const char *name);
disk_image disk_image_copy(const disk_image *image);
/* Make the files at path what the image holds. */
void disk_image_put(const disk_image *image, const char *path);
void disk_image_free(disk_image *image);

#endif
