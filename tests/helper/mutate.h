/* Repeatable chance, and small damage to a text. */
#ifndef HELPER_MUTATE_H
#define HELPER_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* A number from 0 to below - 1; the same seed gives the same numbers. */
uint32_t draw(uint64_t *seed, uint32_t below);

/* Change text in one to three places: a byte replaced, removed or doubled. New bytes come mostly
 * from syntax, and are never zero. Returns the new length, at most room. */
size_t mutate(uint64_t *seed, const char *syntax, char *text, size_t len, size_t room);

#endif
