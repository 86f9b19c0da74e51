/*
 * key_value_store.h - the store behind key_value_server.c: values in memory, puts in a journal.
 *
 * One thread. Running out of memory ends the program.
 */
#ifndef KEY_VALUE_STORE_H
#define KEY_VALUE_STORE_H

#include <stdbool.h>
#include <stdint.h>

/* Makes an empty store; its journal is a temporary file. Returns 0 or a negative errno. */
int store_open(void);

/* Returns the value of key, or NULL. It belongs to the store and lives until the next put. */
const char *store_get(const char *key);

void store_put(const char *key, const char *value);

/*
 * Writes the puts since the last save to the journal and waits until they are on the disk.
 * operation is the request that asked for it: the steps become its children.
 */
bool store_save(uint64_t operation);

#endif
