/* Reading and hashing bundles ahead; see ahead.h.
 *
 * Bundles go round (ring.h), from when there is a slot for one until the bundle behind it is asked
 * for. */
#include "audit/ahead.h"

#include "audit/entry.h"
#include "audit/ring.h"
#include "base/env.h"
#include "base/error.h"
#include "base/file.h"

#define AHEAD_BUNDLE_MAX (SW__TILE_WIDTH * (2 + SW__ENTRY_MAX))

struct sw__ahead {
    const sw_env *env;
    const char *folder;
    int64_t size;
    int64_t next; /* bundle that nobody has begun with */
    int64_t end;  /* bundles in all */
    bool given;   /* the oldest one in the ring was given out */
    sw__ring *ring;
    sw__bundle *bundles; /* by slot */
    int bundle_count;
};

/* One bundle. */

static int bundle_read(const sw__ahead *ahead, sw__bundle *bundle)
{
    sw__buf_clear(&bundle->bytes);
    sw__buf_clear(&bundle->path);
    sw__buf_printf(&bundle->path, "%s/%s", ahead->folder, bundle->name);
    sw__buf_put_byte(&bundle->path, '\0');
    if (bundle->path.failed)
        return sw__fail(&bundle->error, SW_ENOMEM, NULL);
    return sw__file_read((const char *)bundle->path.ptr, AHEAD_BUNDLE_MAX, &bundle->bytes,
                         &bundle->error);
}

static int bundle_take(sw__hasher *hasher, sw__bundle *bundle, sw_str bytes)
{
    sw_audit_entry entry = {0};
    int at = bundle->count++;
    sw__entry_decode(bytes, &entry, &bundle->why);
    bundle->numbers[at] = entry.entry_no;
    bundle->times_us[at] = entry.time_us;
    return sw__tree_leaf(hasher, bytes, bundle->leaves[at]);
}

/* Each entry stands behind its length. */
static int bundle_hash(sw__hasher *hasher, sw__bundle *bundle)
{
    sw__tree tree;
    const uint8_t *at = bundle->bytes.ptr;
    const uint8_t *end = at + bundle->bytes.len;
    while (bundle->count < bundle->width && !bundle->why && end - at >= 2) {
        const sw_str entry = {(const char *)at + 2, (size_t)at[0] << 8 | at[1]};
        if (entry.len > (size_t)(end - at) - 2)
            break;
        if (bundle_take(hasher, bundle, entry) < 0)
            return SW_ENOMEM;
        at += 2 + entry.len;
    }
    bundle->whole = at == end && bundle->count == bundle->width;
    if (bundle->count < SW__TILE_WIDTH)
        return SW_OK;
    if (sw__tile_join(hasher, bundle->leaves[0], SW__TILE_WIDTH, &tree) < 0)
        return SW_ENOMEM;
    return sw__tree_root(&tree, hasher, bundle->root);
}

static void bundle_make(void *context, int slot, sw__hasher *hasher)
{
    const sw__ahead *ahead = context;
    sw__bundle *bundle = &ahead->bundles[slot];
    int64_t left = ahead->size - bundle->number * SW__TILE_WIDTH;
    bundle->width = left < SW__TILE_WIDTH ? (int)left : SW__TILE_WIDTH;
    bundle->count = 0;
    bundle->whole = false;
    bundle->why = NULL;
    sw__tile_path(bundle->name, -1, bundle->number, bundle->width);
    bundle->rc = bundle_read(ahead, bundle);
    if (bundle->rc == SW_OK && bundle_hash(hasher, bundle) < 0)
        bundle->rc = sw__fail(&bundle->error, SW_ENOMEM, NULL);
}

/* All of them. */

static void ahead_put(sw__ahead *ahead)
{
    int slot;
    while (ahead->next < ahead->end && (slot = sw__ring_room(ahead->ring)) >= 0) {
        ahead->bundles[slot].number = ahead->next++;
        sw__ring_put(ahead->ring);
    }
}

const sw__bundle *sw__ahead_next(sw__ahead *ahead)
{
    if (ahead->given)
        sw__ring_release(ahead->ring);
    ahead_put(ahead);
    int slot = sw__ring_take(ahead->ring);
    ahead->given = slot >= 0;
    return ahead->given ? &ahead->bundles[slot] : NULL;
}

int sw__ahead_open(sw__ahead **out, const sw_env *env, sw__hasher *hasher, const char *folder,
                   int64_t size, int32_t jobs, sw_error *err)
{
    sw__ahead *ahead = sw__calloc(env, 1, sizeof(*ahead));
    *out = ahead;
    if (!ahead)
        return sw__fail(err, SW_ENOMEM, NULL);
    ahead->env = env;
    ahead->folder = folder;
    ahead->size = size;
    ahead->end = (size + SW__TILE_WIDTH - 1) / SW__TILE_WIDTH;
    jobs = jobs < ahead->end ? jobs : ahead->end > 1 ? (int32_t)ahead->end : 1;
    ahead->bundle_count = SW__RING_SLOTS(jobs);
    ahead->bundles = sw__calloc(env, (size_t)ahead->bundle_count, sizeof(*ahead->bundles));
    for (int i = 0; ahead->bundles && i < ahead->bundle_count; i++) {
        sw__buf_init(&ahead->bundles[i].bytes, env);
        sw__buf_init(&ahead->bundles[i].path, env);
    }
    if (!ahead->bundles || sw__ring_open(&ahead->ring, env, hasher, jobs, bundle_make, ahead) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    ahead_put(ahead);
    return SW_OK;
}

void sw__ahead_close(sw__ahead *ahead)
{
    if (!ahead)
        return;
    sw__ring_close(ahead->ring);
    for (int i = 0; ahead->bundles && i < ahead->bundle_count; i++) {
        sw__buf_free(&ahead->bundles[i].bytes);
        sw__buf_free(&ahead->bundles[i].path);
    }
    sw__free(ahead->env, ahead->bundles);
    sw__free(ahead->env, ahead);
}

#undef AHEAD_BUNDLE_MAX
