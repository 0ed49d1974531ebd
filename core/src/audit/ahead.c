/* Reading and hashing bundles ahead; see ahead.h.
 *
 * Slots go round: bundle n lies in slot n modulo their number, from when somebody claims it until
 * the bundle behind it is asked for. Whoever has nothing to do claims the lowest bundle that nobody
 * has, the thread that folds them among them, so that one job needs no thread and takes the same
 * way. A claimed bundle belongs to whoever claimed it until it is done; numbers and done are
 * guarded by the lock. */
#include "audit/ahead.h"

#include <pthread.h>

#include "audit/entry.h"
#include "base/env.h"
#include "base/error.h"
#include "base/file.h"
#include "base/thread.h"

#define AHEAD_SLOTS 2 /* for each job: one that is hashed, one that waits for its turn */
#define AHEAD_BUNDLE_MAX (SW__TILE_WIDTH * (2 + SW__ENTRY_MAX))

typedef struct ahead_hand {
    sw__ahead *ahead;
    sw__hasher *hasher;
    sw__buf path;
    pthread_t thread;
} ahead_hand;

struct sw__ahead {
    const sw_env *env;
    const char *folder;
    int64_t size;
    int64_t end;     /* bundles in all */
    int64_t given;   /* the next one to give out */
    int64_t freed;   /* those before it are done with */
    int64_t claimed; /* the next one that nobody has */
    bool stopping;
    sw__bundle *slots;
    int slot_count;
    ahead_hand *hands; /* the first is that of the caller */
    int hand_count;
    int thread_count; /* hands[1] to hands[thread_count] have a thread that runs */
    pthread_mutex_t lock;
    pthread_cond_t room; /* there is something to claim, or nothing any more */
    pthread_cond_t done; /* a bundle is done */
};

/* One bundle. */

static int bundle_read(ahead_hand *hand, sw__bundle *bundle)
{
    sw__buf_clear(&bundle->bytes);
    sw__buf_clear(&hand->path);
    sw__buf_printf(&hand->path, "%s/%s", hand->ahead->folder, bundle->name);
    sw__buf_put_byte(&hand->path, '\0');
    if (hand->path.failed)
        return sw__fail(&bundle->error, SW_ENOMEM, NULL);
    return sw__file_read((const char *)hand->path.ptr, AHEAD_BUNDLE_MAX, &bundle->bytes,
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

static void bundle_make(ahead_hand *hand, sw__bundle *bundle)
{
    int64_t left = hand->ahead->size - bundle->number * SW__TILE_WIDTH;
    bundle->width = left < SW__TILE_WIDTH ? (int)left : SW__TILE_WIDTH;
    bundle->count = 0;
    bundle->whole = false;
    bundle->why = NULL;
    sw__tile_path(bundle->name, -1, bundle->number, bundle->width);
    bundle->rc = bundle_read(hand, bundle);
    if (bundle->rc == SW_OK && bundle_hash(hand->hasher, bundle) < 0)
        bundle->rc = sw__fail(&bundle->error, SW_ENOMEM, NULL);
}

/* Whose turn it is; the lock is held. */

/* The next bundle that nobody has, or NULL while there is no slot for it. */
static sw__bundle *ahead_claim(sw__ahead *ahead)
{
    if (ahead->claimed == ahead->end || ahead->claimed - ahead->freed >= ahead->slot_count)
        return NULL;
    sw__bundle *bundle = &ahead->slots[ahead->claimed % ahead->slot_count];
    bundle->number = ahead->claimed++;
    bundle->done = false;
    return bundle;
}

static void ahead_work(sw__ahead *ahead, ahead_hand *hand, sw__bundle *bundle)
{
    pthread_mutex_unlock(&ahead->lock);
    bundle_make(hand, bundle);
    pthread_mutex_lock(&ahead->lock);
    bundle->done = true;
    pthread_cond_signal(&ahead->done);
}

static void *ahead_main(void *argument)
{
    ahead_hand *hand = argument;
    sw__ahead *ahead = hand->ahead;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stopping && ahead->claimed < ahead->end) {
        sw__bundle *bundle = ahead_claim(ahead);
        if (bundle)
            ahead_work(ahead, hand, bundle);
        else
            pthread_cond_wait(&ahead->room, &ahead->lock);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* The bundle that was given before is free when the next one is asked for. */
const sw__bundle *sw__ahead_next(sw__ahead *ahead)
{
    sw__bundle *bundle = NULL;
    pthread_mutex_lock(&ahead->lock);
    ahead->freed = ahead->given;
    if (ahead->given < ahead->end) {
        pthread_cond_signal(&ahead->room);
        bundle = &ahead->slots[ahead->given % ahead->slot_count];
        while (ahead->claimed == ahead->given || !bundle->done) {
            sw__bundle *other = ahead_claim(ahead);
            if (other)
                ahead_work(ahead, &ahead->hands[0], other);
            else
                pthread_cond_wait(&ahead->done, &ahead->lock);
        }
        ahead->given++;
    }
    pthread_mutex_unlock(&ahead->lock);
    return bundle;
}

/* Beginning and end. */

static int ahead_memory(sw__ahead *ahead, sw__hasher *hasher)
{
    ahead->slots = sw__calloc(ahead->env, (size_t)ahead->slot_count, sizeof(*ahead->slots));
    ahead->hands = sw__calloc(ahead->env, (size_t)ahead->hand_count, sizeof(*ahead->hands));
    for (int i = 0; ahead->slots && i < ahead->slot_count; i++)
        sw__buf_init(&ahead->slots[i].bytes, ahead->env);
    for (int i = 0; ahead->hands && i < ahead->hand_count; i++) {
        ahead->hands[i].ahead = ahead;
        ahead->hands[i].hasher = i == 0 ? hasher : sw__hasher_new(ahead->env);
        sw__buf_init(&ahead->hands[i].path, ahead->env);
        if (!ahead->hands[i].hasher)
            return SW_ENOMEM;
    }
    return ahead->slots && ahead->hands ? SW_OK : SW_ENOMEM;
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
    ahead->hand_count = jobs < ahead->end ? jobs : ahead->end > 1 ? (int)ahead->end : 1;
    ahead->slot_count = AHEAD_SLOTS * ahead->hand_count;
    pthread_mutex_init(&ahead->lock, NULL);
    pthread_cond_init(&ahead->room, NULL);
    pthread_cond_init(&ahead->done, NULL);
    if (ahead_memory(ahead, hasher) < 0)
        return sw__fail(err, SW_ENOMEM, NULL);
    for (int i = 1; i < ahead->hand_count; i++) {
        ahead_hand *hand = &ahead->hands[i];
        if (sw__thread_start(&hand->thread, ahead_main, hand, NULL) < 0)
            break; /* those that there are do all of it */
        ahead->thread_count++;
    }
    return SW_OK;
}

void sw__ahead_close(sw__ahead *ahead)
{
    if (!ahead)
        return;
    pthread_mutex_lock(&ahead->lock);
    ahead->stopping = true;
    pthread_cond_broadcast(&ahead->room);
    pthread_mutex_unlock(&ahead->lock);
    for (int i = 1; i <= ahead->thread_count; i++)
        pthread_join(ahead->hands[i].thread, NULL);
    for (int i = 0; ahead->hands && i < ahead->hand_count; i++) {
        if (i > 0)
            sw__hasher_free(ahead->hands[i].hasher);
        sw__buf_free(&ahead->hands[i].path);
    }
    for (int i = 0; ahead->slots && i < ahead->slot_count; i++)
        sw__buf_free(&ahead->slots[i].bytes);
    pthread_cond_destroy(&ahead->done);
    pthread_cond_destroy(&ahead->room);
    pthread_mutex_destroy(&ahead->lock);
    sw__free(ahead->env, ahead->hands);
    sw__free(ahead->env, ahead->slots);
    sw__free(ahead->env, ahead);
}

#undef AHEAD_SLOTS
#undef AHEAD_BUNDLE_MAX
