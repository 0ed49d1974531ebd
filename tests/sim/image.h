/* Processes that begin where another one has already opened the database.
 *
 * Opening costs ten times what a process then does with it: SQLite reads the schema and compiles
 * statements. So this is done once for every place that a process can have; most processes are
 * given what its memory and its handles were then, and go on as a connection does that was opened
 * when the database had just been made, and has done nothing since.
 */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include "sim/ledger.h"

/* Open the empty database that lies on the disk of l once for each place; for the bug that is
 * planted now. */
void image_make_all(ledger *l);
bool image_is_made(void);
/* A store that was opened in full, of a database that others have made: from now on processes may
 * begin with an image, if everything lies in it where it does in the one that the images are of. */
void image_learn(ledger *l, const struct sw__store *store);
/* Give a process without a block of memory an open store, or false: where there is no image, or
 * somebody is just closing the database as the last one. */
bool image_begin(ledger *l, process *home);
/* The same for the oracle. Closing what it opens with it then only forgets everything. */
bool image_begin_oracle(ledger *l);
/* The oracle's statement that checks the whole file; NULL when the store is not from an image. */
struct sqlite3_stmt *image_integrity(const struct sw__store *store);

#endif
