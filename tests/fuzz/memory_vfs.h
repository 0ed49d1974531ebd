/* Database files in memory, as an SQLite file system that becomes the default one: bytes can be
 * put in and taken out, nothing outlives the process, and SQLite's own chance repeats.
 *
 * One connection at a time; locks are always granted. Not here: failing or losing power, which
 * helper/fault_vfs.h and sim/disk.h do.
 */
#ifndef FUZZ_MEMORY_VFS_H
#define FUZZ_MEMORY_VFS_H

#include <stddef.h>
#include <stdint.h>

#define MEMORY_VFS_NAME "stepwell-memory"
#define MEMORY_VFS_FILE_MAX ((size_t)64 * 1024 * 1024) /* bytes; beyond, the disk is full */

void memory_vfs_register(void);
/* No file exists any more; SQLite's random numbers start anew. No connection may be open. */
void memory_vfs_reset(void);
/* The bytes are copied; the file is made when there is none. */
void memory_vfs_put(const char *name, const uint8_t *bytes, size_t size);
/* Borrowed until the file is written; NULL when there is no such file. */
const uint8_t *memory_vfs_get(const char *name, size_t *size);

#endif
