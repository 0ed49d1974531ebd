/* A store with something of everything in it, and scripts that use every verb: for tests that let
 * memory or disk fail at each point. The scripts return the first error instead of asserting. */
#ifndef HELPER_STORE_SCRIPT_H
#define HELPER_STORE_SCRIPT_H

#include "helper/store_rig.h"

/* Rows of every kind, committed. */
void store_fill(store_rig *rig);

/* Every verb that writes, on rows that are there and on new ones; inside a write transaction. */
int store_write_all(store_rig *rig);

/* Every verb that reads; inside a transaction. */
int store_read_all(store_rig *rig);

/* begin, write, commit; rolled back on an error. */
int store_write_through(store_rig *rig);

#endif
