/*
 * Monotonic times to times of day, and steps of the wall clock.
 *
 * A session's monotonic clock maps to realtime by one constant, so that order and distance of its records are kept whatever
 * happens to the wall clock. A step is a change of realtime against boot time (which counts suspension too) that slewing
 * does not explain.
 */
#pragma once

#include "clocks.h"

#include <stdbool.h>

/* What is added to monotonic ns. Threads: any, as all functions here. */
int64_t clock_offset_ns(const struct clock_reading *reading);

/* monotonic_ns as realtime; what lies before the epoch or beyond 64 bits becomes the nearest time that is not 0. */
uint64_t clock_realtime_ns(uint64_t monotonic_ns, int64_t offset_ns);

/* Whether a reading is one: files without clocks have zeros. */
bool clock_is_read(const struct clock_reading *reading);

/* The step of the wall clock from one reading to a later one: 0 if there is none. */
int64_t clock_step_ns(const struct clock_reading *before, const struct clock_reading *after);
