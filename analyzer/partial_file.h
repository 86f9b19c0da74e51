/*
 * Trace files that are being written: their names end in .partial, and they may end within a frame for a moment.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

bool is_partial_file(const char *path);

/*
 * Gives a file that ended within a frame a moment to grow: its writer may be at work.
 *
 * Returns:  whether it has more than size_bytes now, or its name has changed: it was closed.
 * Threads:  any. Cost: up to a second.
 */
bool partial_file_has_grown(const char *path, uint64_t size_bytes);
