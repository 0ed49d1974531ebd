/* The lines in which steps stand: a treap threaded through the steps themselves, so that entering
 * and leaving a line needs no memory and cannot fail.
 *
 * A node's weight is a hash of its number: heavier nodes are nearer to the root, which keeps the
 * tree about 2 ln n deep whatever the order of arrival. before and after link the nodes in order,
 * so that a scan costs one step per row.
 */
#include "store/memory.h"

static bool queue_less(const sw__memory_step *a, const sw__memory_step *b)
{
    if (a->hot.lane != b->hot.lane)
        return a->hot.lane < b->hot.lane;
    if (a->hot.rank != b->hot.rank)
        return a->hot.rank < b->hot.rank;
    return a->hot.step_id < b->hot.step_id;
}

static void queue_link(sw__memory_step *step, sw__memory_step *before, sw__memory_step *after)
{
    step->before = before;
    step->after = after;
    if (before)
        before->after = step;
    if (after)
        after->before = step;
}

/* Go down to the first lighter node, take its place, and split what hangs there in two. */
void sw__queue_add(sw__queue *queue, sw__memory_step *step)
{
    sw__memory_step **at = &queue->root;
    sw__memory_step *before = NULL;
    sw__memory_step *after = NULL;
    while (*at && (*at)->weight >= step->weight) {
        bool left = queue_less(step, *at);
        *(left ? &after : &before) = *at;
        at = left ? &(*at)->left : &(*at)->right;
    }
    sw__memory_step *rest = *at;
    sw__memory_step **less = &step->left;
    sw__memory_step **more = &step->right;
    *at = step;
    while (rest) {
        if (queue_less(rest, step)) {
            before = *less = rest;
            less = &rest->right;
            rest = rest->right;
        } else {
            after = *more = rest;
            more = &rest->left;
            rest = rest->left;
        }
    }
    *less = *more = NULL;
    queue_link(step, before, after);
}

/* Find the place of the node and join what hangs below it. */
void sw__queue_remove(sw__queue *queue, sw__memory_step *step)
{
    sw__memory_step **at = &queue->root;
    while (*at != step)
        at = queue_less(step, *at) ? &(*at)->left : &(*at)->right;
    sw__memory_step *left = step->left;
    sw__memory_step *right = step->right;
    while (left && right) {
        sw__memory_step **heavier = left->weight >= right->weight ? &left : &right;
        *at = *heavier;
        at = heavier == &left ? &(*at)->right : &(*at)->left;
        *heavier = *at;
    }
    *at = left ? left : right;
    if (step->before)
        step->before->after = step->after;
    if (step->after)
        step->after->before = step->before;
}

sw__memory_step *sw__queue_after(const sw__queue *queue, int64_t lane, sw__queued place)
{
    const sw__memory_step at = {
        .hot = {.step_id = place.step_id, .lane = lane, .rank = place.rank}};
    sw__memory_step *step = queue->root;
    sw__memory_step *first = NULL;
    while (step) {
        if (queue_less(&at, step)) {
            first = step;
            step = step->left;
        } else {
            step = step->right;
        }
    }
    return first;
}

sw__memory_step *sw__queue_first(const sw__queue *queue, int64_t lane)
{
    sw__memory_step *step = queue->root;
    sw__memory_step *first = NULL;
    while (step) {
        if (step->hot.lane >= lane) {
            first = step;
            step = step->left;
        } else {
            step = step->right;
        }
    }
    return first && first->hot.lane == lane ? first : NULL;
}
