/* Walking along the log; see leaves.h. Not here: what entries mean (replay.h). */
#include "audit/leaves.h"

#include <string.h>

#include "audit/segment.h"
#include "base/error.h"

static int leaves_refuse(const sw__segment *segment, const char *why, sw_error *err)
{
    return sw__fail(err, SW_EAUDIT, "segment %lld of the audit log %s",
                    (long long)segment->segment_no, why);
}

static int leaves_check(const sw__leaves *leaves, const sw__segment *segment, sw_error *err)
{
    uint8_t hash[32];
    if (!sw__segment_sound(segment) || segment->segment_no != leaves->segment_no + 1 ||
        segment->entry_first != leaves->tree->size + 1)
        return leaves_refuse(segment, "does not follow the one before it", err);
    if (sw__segment_hash(leaves->hasher, segment, hash) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    if (memcmp(hash, segment->hash, sizeof(hash)) != 0)
        return leaves_refuse(segment, "was edited: its content does not give its hash", err);
    if (memcmp(segment->previous, leaves->segment_hash, sizeof(hash)) != 0)
        return leaves_refuse(segment, "does not follow the one before it", err);
    return SW_OK;
}

int sw__leaves_entry(sw__leaves *leaves, sw_str entry, sw_error *err)
{
    uint8_t leaf[32];
    int rc = leaves->visit ? leaves->visit(leaves->context, leaves->tree->size, entry, err) : SW_OK;
    if (rc != SW_OK)
        return rc;
    if (sw__tree_leaf(leaves->hasher, entry, leaf) < 0 ||
        sw__tree_add(leaves->tree, leaves->hasher, leaf, leaves->wish) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    return SW_OK;
}

int sw__leaves_take(sw__leaves *leaves, const sw__segment *segment, sw_error *err)
{
    sw__body body;
    int64_t number = 0;
    int64_t other = 0;
    int rc = SW_OK;
    bool good = sw__body_open(&body, segment->body);
    for (int64_t i = 0; good && i < body.task_count; i++)
        good = sw__body_task(&body, &number, &other);
    for (int64_t i = 0; good && rc == SW_OK && i < segment->entry_count; i++) {
        sw_str entry;
        good = sw__body_bytes(&body, &number, &entry);
        if (good)
            rc = sw__leaves_entry(leaves, entry, err);
    }
    if (rc == SW_OK && !(good && sw__body_close(&body)))
        rc = leaves_refuse(segment, body.wire.why, err);
    leaves->segment_no = segment->segment_no;
    memcpy(leaves->segment_hash, segment->hash, sizeof(leaves->segment_hash));
    return rc;
}

static int leaves_visit(void *context, const sw__segment *segment, sw_error *err)
{
    sw__leaves *leaves = context;
    int rc = leaves_check(leaves, segment, err);
    return rc == SW_OK ? sw__leaves_take(leaves, segment, err) : rc;
}

int sw__leaves_walk(sw__leaves *leaves, sw__store *store, sw_error *err)
{
    return store->ops->segments_each(store, leaves->tree->size + 1, leaves_visit, leaves, err);
}
