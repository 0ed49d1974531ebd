/* How entries lie in a segment, for those who read one, and what its hash covers.
 *
 *     version      one byte, 1
 *     task_count   number
 *     task_count x task_no, previous      numbers: the task's newest segment before this one, 0
 *     entries, each: place, length, bytes   place: of its task in the table from 1, 0 for none
 *
 * The segment's row says how many entries there are. Numbers are minimal LEB128 (wire.h). */
#ifndef SW_AUDIT_SEGMENT_H
#define SW_AUDIT_SEGMENT_H

#include <stdbool.h>

#include "audit/wire.h"
#include "base/hash.h"
#include "store/store.h"
#include "stepwell/audit.h"

#define SW__SEGMENT_VERSION 1

/* A body being read: open, then every task, then every entry, then close. Each answers false at
 * the first fault, and wire.why says what it is. */
typedef struct sw__body {
    sw__wire wire;
    int64_t task_count;
} sw__body;

bool sw__body_open(sw__body *body, sw_str bytes);
bool sw__body_task(sw__body *body, int64_t *task_no, int64_t *previous);
/* The next entry as it lies in the body, or decoded, with its strings pointing into the body. */
bool sw__body_bytes(sw__body *body, int64_t *place, sw_str *entry);
bool sw__body_entry(sw__body *body, int64_t *place, sw_audit_entry *entry);
/* Whether nothing follows the last entry. */
bool sw__body_close(sw__body *body);

/* Whether a segment's own numbers can be reckoned with: they are of a log that could be. */
bool sw__segment_sound(const sw__segment *segment);
/* The newest segment without its body, segment_no 0 when the log is empty.
 * errors: SW_ECORRUPT when it is not sound, and those of the store. */
int sw__segment_newest(sw__store *store, sw__segment *out, sw_error *err);

/* SHA-256(previous || segment_no, entry_first, entry_count, time_us || body), the numbers as eight
 * bytes, highest first. 0 or SW_ENOMEM. */
int sw__segment_hash(sw__hasher *hasher, const sw__segment *segment, uint8_t hash[32]);

#endif
