/*
 * Texts to small numbers: 0, 1, 2 ... in the order in which they are first seen. For names, threads and metrics of a CSV.
 */
#pragma once

#include "base.h"

enum { DICTIONARY_MAX_ENTRIES = 65535 };

struct csv_dictionary {
    size_t count;
    size_t capacity;
    char **
        texts; /* owned, each too; by number; stay where they are until the dictionary is released */
    size_t slot_count;
    uint32_t *slots; /* owned; hash table of number + 1, 0 if free */
};

/* {0} is an empty dictionary. Threads: one dictionary, one thread at a time, as all functions here. */
void csv_dictionary_release(struct csv_dictionary *dictionary);

/* The number of text. Returns 0, or -ESTALE if it was never interned. */
MUST_USE int csv_dictionary_find(const struct csv_dictionary *dictionary, const char *text,
                                 uint32_t *ret_number);

/*
 * The number of text; a text not seen before gets the next one.
 *
 * Returns:  0, -ENOMEM, or -E2BIG if the text is new and DICTIONARY_MAX_ENTRIES are there.
 */
MUST_USE int csv_dictionary_intern(struct csv_dictionary *dictionary, const char *text,
                                   uint32_t *ret_number);
