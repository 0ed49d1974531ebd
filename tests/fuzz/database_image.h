/* Databases that the library made, as they lie on disk: what fuzz_database changes.
 *
 * They are the same on every machine, so that an input means the same everywhere.
 */
#ifndef FUZZ_DATABASE_IMAGE_H
#define FUZZ_DATABASE_IMAGE_H

#include "fuzz/fuzz.h"

#define DATABASE_FILE "/fuzz.db"
#define DATABASE_LOG "/fuzz.db-wal"
#define DATABASE_TASKS 3
#define DATABASE_HANDLERS 4

typedef struct database_image {
    uint8_t *file;
    size_t file_size;
    uint8_t *log; /* write-ahead log, empty when the database was closed */
    size_t log_size;
    uint32_t *places; /* of the bytes of both that are not zero, the file's first */
    size_t place_count;
} database_image;

extern database_image database_closed;
extern database_image database_torn; /* as after a lost power */
extern sw_uuid database_tasks[DATABASE_TASKS];
extern const sw_str database_handlers[DATABASE_HANDLERS];

/* Make both, in memory_vfs.h; the closed one is left there. */
void database_images_make(void);
/* Open the database that lies there. */
int database_open(fuzz_world *world, sw_engine **engine, sw_error *err);
/* A copy of a file there, freed by the caller; never NULL. */
uint8_t *database_copy(const char *name, size_t *size);

#endif
