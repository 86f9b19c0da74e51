/*
 * Sorts 64-bit values: radix sort, bytes that are equal in all values left out.
 */
#pragma once

#include "base.h"

/* Sorts ascending. spare: memory for count values, whose contents are lost. Threads: any. Cost: O(count), no allocation. */
void value_sort(uint64_t *values, size_t count, uint64_t *spare);
