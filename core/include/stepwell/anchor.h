/* Anchors: checkpoints that lie outside, where whoever can write the database, or has stolen the key,
 * cannot take them back. With one, verification proves level L3.
 *
 *     sw_audit_anchor_put(engine, "git:/srv/anchors", &trust, checkpoint, &result, &error);
 *     sw_audit_anchor_get("git:/srv/anchors", "example.com/orders", &result, &error);    later
 *     trust.anchors = sw_audit_anchors(result, &trust.anchor_count);
 *
 * A place is one of
 *
 *     file:PATH             a line is appended to this file, best on another machine
 *     syslog:PATH           a line goes to the system's log, which does not say whether it arrived;
 *                           it is read from PATH, the file that collects it. Without PATH it cannot
 *                           be read back
 *     db:PATH               a row is added to this SQLite database, which holds nothing else
 *     git:FOLDER            a commit in this work tree, by the command git
 *     http(s)://WITNESS     a C2SP tlog-witness: it cosigns what continues what it saw before, by
 *                           the command curl
 *
 * Where there are several of one log, the newest is the one of most entries, and the last of these.
 * What a place says of a time is believed as far as the place is; a witness signs it.
 */
#ifndef STEPWELL_ANCHOR_H
#define STEPWELL_ANCHOR_H

#include "checkpoint.h"

SW_BEGIN_DECLS

/* Set an anchor: give a checkpoint to a place. The result has one anchor; that of a witness carries
 * its cosignature, which is checked with the keys of trust and is worth keeping.
 *
 * owns:    all inputs are borrowed until return; set trust->size first. *out is the caller's
 *          (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk, processes and network: 30 seconds at most for each request, 60 for each command of
 *          git, of which there are three; reads the log up to the checkpoint for a witness.
 * errors:  SW_EINVAL (no such kind of place, no checkpoint, a key), SW_EAUDIT (the checkpoint is not
 *          signed by a key of trust; the witness refuses it or answers with no cosignature by one),
 *          SW_ENOTFOUND (no such folder, command or log), SW_EACCESS, SW_EBUSY, SW_EFULL, SW_EIO
 *          (also: a command took too long and was ended), SW_ENOMEM, SW_EFORKED.
 */
SW_API int sw_audit_anchor_put(sw_engine *engine, sw_str place, const sw_audit_trust *trust,
                               sw_str checkpoint, sw_result **out, sw_error *err);

/* The newest anchor of a log, by its origin, at a place. Whether it is signed, and of which log it
 * is, verification says: put it into sw_audit_trust.
 *
 * owns:    all inputs are borrowed until return; *out is the caller's (sw_result_free).
 * threads: any thread, concurrently.
 * blocks:  disk, processes and network: 30 seconds at most for a request, 60 for each of two
 *          commands of git.
 * errors:  SW_EINVAL (no such kind of place, or one that cannot be read), SW_ENOTFOUND (there is no
 *          anchor of this log, or no command), SW_EACCESS, SW_EIO (also: a command took too long and
 *          was ended), SW_ENOMEM.
 */
SW_API int sw_audit_anchor_get(sw_str place, sw_str origin, sw_result **out, sw_error *err);

/* Rows of a result of either.
 *
 * owns:    borrowed until result is freed.
 * threads: any thread, concurrently.
 * blocks:  no.
 * errors:  none; *count is 0 for a result of another kind.
 */
SW_API const sw_audit_anchor *sw_audit_anchors(const sw_result *result, size_t *count);

SW_END_DECLS

#endif
