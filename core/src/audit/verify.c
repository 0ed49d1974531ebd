/* Verification: the chain of segments from the first to the last, then what replay.h and trust.h
 * do with their entries.
 *
 * The chain is walked to its end even when something is wrong, so that the report can name the
 * whole range; entries are followed only up to the first doubt. What a chain without signatures
 * cannot show: a rewrite by somebody who recomputes every later hash and changes the state rows
 * with it, and a rollback of the whole database. */
#include <stdio.h>

#include "audit/audit.h"
#include "audit/relay.h"
#include "audit/replay.h"
#include "audit/segment.h"
#include "audit/trust.h"
#include "base/error.h"
#include "base/str.h"

typedef struct verify_walk {
    sw__replay replay;
    sw__trust trust;
    sw__segment last; /* without its body */
    int64_t entry_count;
    int64_t segment_count;
} verify_walk;

static int64_t verify_entry_next(const verify_walk *walk)
{
    return walk->last.entry_first + walk->last.entry_count;
}

/* Every entry takes bytes, so that a count beyond them was changed. */
static bool verify_plausible(const sw__segment *segment)
{
    return sw__segment_sound(segment) && (size_t)segment->entry_count <= segment->body.len;
}

/* The next segment is held against what this one says of itself, or against what it should say. */
static void verify_adopt(verify_walk *walk, const sw__segment *segment)
{
    int64_t entry_next = verify_entry_next(walk);
    int64_t segment_next = walk->last.segment_no + 1;
    walk->segment_count++;
    walk->last = *segment;
    walk->last.body = (sw_str){NULL, 0};
    if (verify_plausible(segment)) {
        walk->entry_count += segment->entry_count;
        return;
    }
    walk->last.segment_no = segment_next;
    walk->last.entry_first = entry_next;
    walk->last.entry_count = 0;
}

/* The numbers follow those of the segment before. */
static int verify_numbers(verify_walk *walk, const sw__segment *segment)
{
    sw__doubt *doubt = &walk->replay.doubt;
    int64_t expected = walk->last.segment_no + 1;
    int64_t entry_next = verify_entry_next(walk);
    if (!verify_plausible(segment))
        return sw__doubt_raise(doubt, entry_next, entry_next,
                               "segment %lld says that it holds %lld entries from %lld on: its "
                               "numbers were edited",
                               (long long)segment->segment_no, (long long)segment->entry_count,
                               (long long)segment->entry_first);
    if (segment->segment_no > expected)
        return sw__doubt_raise(doubt, entry_next,
                               segment->entry_first > entry_next ? segment->entry_first - 1
                                                                 : entry_next,
                               "%lld segment(s) from number %lld on are missing: they were removed",
                               (long long)(segment->segment_no - expected), (long long)expected);
    if (segment->segment_no < expected)
        return sw__doubt_raise(doubt, segment->entry_first, entry_next,
                               "segment %lld comes after segment %lld: segments were added or put "
                               "in another order",
                               (long long)segment->segment_no, (long long)walk->last.segment_no);
    if (segment->entry_first != entry_next)
        return sw__doubt_raise(doubt, entry_next, entry_next,
                               "segment %lld starts with entry %lld, expected entry %lld: it was "
                               "edited, or put in another place",
                               (long long)segment->segment_no, (long long)segment->entry_first,
                               (long long)entry_next);
    return SW_OK;
}

/* The hash is that of the content and of the hash before. */
static int verify_hash(verify_walk *walk, const sw__segment *segment, const uint8_t hash[32])
{
    sw__doubt *doubt = &walk->replay.doubt;
    long long number = (long long)segment->segment_no;
    int64_t entry_last = segment->entry_first + segment->entry_count - 1;
    if (memcmp(hash, segment->hash, sizeof(segment->hash)) != 0)
        return sw__doubt_raise(doubt, segment->entry_first, entry_last,
                               "segment %lld (entries %lld to %lld) was edited: its content does "
                               "not give its hash",
                               number, (long long)segment->entry_first, (long long)entry_last);
    if (memcmp(segment->previous, walk->last.hash, sizeof(segment->previous)) != 0)
        return sw__doubt_raise(doubt, walk->last.entry_first, entry_last,
                               "segment %lld does not follow the segment before it: one of the two "
                               "was replaced",
                               number);
    if (segment->time_us < walk->last.time_us)
        return sw__doubt_raise(doubt, segment->entry_first, entry_last,
                               "segment %lld is older than the segment before it", number);
    return SW_OK;
}

/* Only what stops the walk is answered; doubts are in the replay. */
static int verify_judge(void *context, const sw__segment *segment, const sw__hashed *hashed,
                        sw_error *err)
{
    verify_walk *walk = context;
    bool follow = !walk->replay.doubt.raised;
    int rc = verify_numbers(walk, segment);
    if (rc == SW_OK)
        rc = verify_hash(walk, segment, hashed->hash);
    if (rc == SW_OK && follow)
        rc = sw__replay_segment(&walk->replay, segment, err);
    if (rc == SW_OK && follow)
        rc = sw__trust_segment(&walk->trust, segment, hashed, err);
    if (rc == SW_EAUDIT && follow)
        rc = sw__replay_settle(&walk->replay, err);
    verify_adopt(walk, segment);
    return rc == SW_EAUDIT ? SW_OK : rc;
}

/* Alone, from the store's own memory. */
static int verify_segment(void *context, const sw__segment *segment, sw_error *err)
{
    verify_walk *walk = context;
    sw__hashed hashed = {.whole = false};
    if (sw__segment_hash(walk->replay.hasher, segment, hashed.hash) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return verify_judge(walk, segment, &hashed, err);
}

static int verify_put(void *context, const sw__segment *segment, sw_error *err)
{
    return sw__relay_put(context, segment, err);
}

/* What the store fails with is the answer only when nothing before it is. */
static int verify_chain_by(verify_walk *walk, sw__store *store, int32_t jobs, sw_error *err)
{
    sw_error later = {0};
    sw__relay *relay = NULL;
    int rc = sw__relay_open(&relay, walk->replay.env, walk->replay.hasher, jobs, verify_judge, walk,
                            err);
    if (rc == SW_OK) {
        rc = store->ops->segments_each(store, 1, verify_put, relay, err);
        int end = sw__relay_end(relay, &later);
        if (end < 0) {
            rc = end;
            if (err)
                *err = later;
        }
    }
    sw__relay_close(relay);
    return rc;
}

/* Without a tree there is little to hash, less than it costs to hand it over. */
static int verify_chain(verify_walk *walk, sw__store *store, int32_t jobs, sw_error *err)
{
    return jobs > 1 && walk->trust.rows
               ? verify_chain_by(walk, store, jobs, err)
               : store->ops->segments_each(store, 1, verify_segment, walk, err);
}

static int verify_fill(verify_walk *walk, sw_audit_report *report)
{
    const sw__replay *replay = &walk->replay;
    const sw__trust *trust = &walk->trust;
    uint8_t root[32];
    report->ok = !replay->doubt.raised;
    report->entry_count = walk->entry_count;
    report->segment_count = walk->segment_count;
    report->step_count = replay->step_count;
    report->commit_count = replay->commit_count;
    report->fenced_count = replay->fenced_count;
    report->reclaim_count = replay->reclaim_count;
    report->pruned_count = replay->pruned_count;
    report->erased_count = replay->erased_count;
    report->first_bad_entry = replay->doubt.raised ? replay->doubt.first : 0;
    report->last_bad_entry = replay->doubt.raised ? replay->doubt.last : 0;
    report->signed_count = trust->proved;
    if (walk->segment_count > 0)
        sw__hash_hex(walk->last.hash, report->head);
    if (!report->ok)
        return SW_OK;
    report->anchored_count = trust->anchored;
    report->anchored_us = trust->anchored_us;
    report->level = trust->anchor_count > 0 ? SW_AUDIT_ANCHORED
                    : trust->count > 0      ? SW_AUDIT_SIGNED
                                            : SW_AUDIT_INTEGRITY;
    if (trust->count == 0)
        return SW_OK;
    if (sw__tree_root(&trust->tree, replay->hasher, root) < 0)
        return SW_ENOMEM;
    sw__hash_hex(root, report->root);
    return SW_OK;
}

static const char *verify_plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

/* "signed (L2): the first 80 entries are those of 2 checkpoints, 5 after them are not signed yet; "
 */
static int verify_praise_signed(const verify_walk *walk, sw_audit_report *report)
{
    long long covered = (long long)report->signed_count;
    long long tail = (long long)(report->entry_count - report->signed_count);
    size_t count = walk->trust.count;
    int used = 0;
    if (report->level < SW_AUDIT_SIGNED)
        return 0;
    if (report->level == SW_AUDIT_ANCHORED)
        used =
            snprintf(report->message, sizeof(report->message),
                     "anchored (L3): %zu anchor%s outside hold%s the first %lld entries; ",
                     walk->trust.anchor_count, verify_plural((int64_t)walk->trust.anchor_count),
                     walk->trust.anchor_count == 1 ? "s" : "", (long long)report->anchored_count);
    return used +
           snprintf(report->message + used, sizeof(report->message) - (size_t)used,
                    "signed (L2): the first %lld entries are those of %zu checkpoint%s, %lld after "
                    "them not signed yet; ",
                    covered, count, verify_plural((int64_t)count), tail);
}

static void verify_praise(const verify_walk *walk, sw_audit_report *report)
{
    char pruned[64] = "";
    char erased[64] = "";
    int used = verify_praise_signed(walk, report);
    if (report->pruned_count > 0)
        snprintf(pruned, sizeof(pruned), ", but for %lld pruned task%s",
                 (long long)report->pruned_count, verify_plural(report->pruned_count));
    if (report->erased_count > 0)
        snprintf(erased, sizeof(erased), ", without the payloads of %lld erased task%s",
                 (long long)report->erased_count, verify_plural(report->erased_count));
    snprintf(
        report->message + used, sizeof(report->message) - (size_t)used,
        "integrity (L1): %lld %s in %lld segment%s; %lld step%s replayed and equal to the "
        "state rows%s%s; %lld committed attempt%s, each by the newest epoch; %lld report%s of a "
        "superseded attempt refused",
        (long long)report->entry_count, report->entry_count == 1 ? "entry" : "entries",
        (long long)report->segment_count, verify_plural(report->segment_count),
        (long long)report->step_count, verify_plural(report->step_count), pruned, erased,
        (long long)report->commit_count, verify_plural(report->commit_count),
        (long long)report->fenced_count, verify_plural(report->fenced_count));
}

/* Nothing is read when a checkpoint cannot be trusted: what it is of is not known then. */
static int verify_run(verify_walk *walk, sw__store *store, int32_t jobs, sw_error *err)
{
    int rc = verify_chain(walk, store, jobs, err);
    if (rc == SW_OK && !walk->replay.doubt.raised)
        rc = sw__replay_settle(&walk->replay, err);
    if (rc == SW_OK && !walk->replay.doubt.raised)
        rc = sw__trust_end(&walk->trust, err);
    if (rc == SW_OK && !walk->replay.doubt.raised)
        rc = sw__replay_compare(&walk->replay, &walk->last, err);
    return rc;
}

int sw__audit_verify(sw__store *store, sw__hasher *hasher, const sw_env *env,
                     const sw_audit_trust *trusted, int32_t jobs, sw_audit_report *report,
                     sw_error *err)
{
    verify_walk walk = {.last = {.entry_first = 1}};
    *report = (sw_audit_report){.size = report->size};
    int rc = sw__replay_init(&walk.replay, store, hasher, env);
    if (rc < 0) {
        sw__fail(err, rc, NULL);
        goto done;
    }
    rc = sw__trust_load(&walk.trust, trusted, hasher, walk.replay.arena, &walk.replay.doubt, err);
    if (rc == SW_OK)
        rc = verify_run(&walk, store, jobs, err);
    if (rc < 0 && rc != SW_EAUDIT)
        goto done;
    if (verify_fill(&walk, report) < 0) {
        rc = sw__fail(err, SW_ENOMEM, NULL);
        goto done;
    }
    rc = report->ok ? SW_OK : SW_EAUDIT;
    if (report->ok)
        verify_praise(&walk, report);
    else
        snprintf(report->message, sizeof(report->message), "%s", walk.replay.doubt.message);
    if (rc < 0)
        sw__fail(err, rc, "%s", report->message);
done:
    sw__replay_free(&walk.replay);
    return rc;
}
