/* One audit entry as canonical bytes: there is exactly one way to write an entry, so that equal
 * entries have equal hashes. The bytes stand alone, without their segment, and can be the leaf of
 * a tree of hashes. Not here: how entries lie in a segment (segment.h).
 *
 *     version   one byte, 1
 *     kind      one byte, sw_audit_kind
 *     entry_no, time_us, from, to, attempt, epoch, step_id, worker_id   numbers
 *     task_id   16 bytes, zeros for none
 *     step, actor, reason, subject, digest   strings
 */
#ifndef SW_AUDIT_ENTRY_H
#define SW_AUDIT_ENTRY_H

#include <stdbool.h>

#include "base/buf.h"
#include "stepwell/audit.h"

#define SW__ENTRY_VERSION 1
#define SW__ENTRY_MAX 65535 /* bytes of one entry */

/* Append the bytes of entry; on failure buf keeps its length.
 * errors: SW_EINVAL (a field is out of range), SW_ELIMIT, SW_ENOMEM. */
int sw__entry_encode(sw__buf *buf, const sw_audit_entry *entry, sw_error *err);

/* Read all of bytes as one entry, whose strings point into bytes. false: *why is a static phrase
 * that says what is wrong. */
bool sw__entry_decode(sw_str bytes, sw_audit_entry *entry, const char **why);
/* The same of the kind and the numbers alone; what stands behind them is not looked at, and the
 * other fields are not set. */
bool sw__entry_decode_numbers(sw_str bytes, sw_audit_entry *entry, const char **why);

#endif
