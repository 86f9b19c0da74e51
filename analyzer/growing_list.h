/*
 * Arrays that grow by doubling.
 */
#pragma once

#include "base.h"

/*
 * Makes room for one more element.
 *
 * array     address of the pointer to the elements; NULL there is an empty array
 * Returns:  0 or -ENOMEM; then the array is as it was.
 * Threads:  one array, one thread at a time.
 */
MUST_USE int growing_list_reserve(void *array, size_t *capacity, size_t count, size_t element_size);

/*
 * Makes room for one more element before the one at that place, for the caller to write: those from there on move up, and
 * *count grows. Returns and threads: as above.
 */
MUST_USE int growing_list_insert(void *array, size_t *capacity, size_t *count, size_t at,
                                 size_t element_size);
