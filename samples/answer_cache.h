/*
 * answer_cache.h - the fault "leak": values that were asked for once, kept for when they are asked for again.
 *
 * What is found belongs to one version of the store, so that a put makes all that is in the cache useless. Nothing is ever
 * removed, because nobody thought of it: the cache does what it should, and grows.
 *
 * Threads: one.
 */
#ifndef ANSWER_CACHE_H
#define ANSWER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether it is known what the key has in this version. *ret_value, NULL if nothing, lives as long as the program. */
bool answer_cache_find(const char *key, uint64_t version, const char **ret_value);

/* Copies key and value (NULL: the key has none), unless one is too long. Running out of memory ends the program. */
void answer_cache_add(const char *key, uint64_t version, const char *value);

#endif
