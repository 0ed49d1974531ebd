/* From segments to leaves: the entries of the log as the tree over them sees them. */
#ifndef SW_AUDIT_LEAVES_H
#define SW_AUDIT_LEAVES_H

#include "audit/tree.h"
#include "store/store.h"

/* Called with each entry before it becomes a leaf. Below 0 ends the walk with an error, 1 without.
 */
typedef int (*sw__leaf_visit)(void *context, int64_t index, sw_str entry, sw_error *err);

/* Where a log is walked along: the tree over what came by, and the segment that came last. */
typedef struct sw__leaves {
    sw__tree *tree;
    sw__hasher *hasher;
    sw__tree_wish *wish;  /* or NULL */
    sw__leaf_visit visit; /* or NULL */
    void *context;
    int64_t segment_no; /* 0 before the first */
    uint8_t segment_hash[32];
} sw__leaves;

/* The next entry. errors: SW_ENOMEM, those of visit. */
int sw__leaves_entry(sw__leaves *leaves, sw_str entry, sw_error *err);
/* The entries of a segment that follows the one before and whose hash has been checked.
 * errors: SW_EAUDIT (it cannot be read), SW_ENOMEM, those of visit. */
int sw__leaves_take(sw__leaves *leaves, const sw__segment *segment, sw_error *err);
/* All segments that are still to come by, each of which must follow the one before and give its
 * hash. errors: the same, SW_EAUDIT when one does not, those of the store. */
int sw__leaves_walk(sw__leaves *leaves, sw__store *store, sw_error *err);

#endif
