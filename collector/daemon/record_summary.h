/*
 * What "record" says at its end: which files were written, what was lost, and what to type next.
 */
#pragma once

#include "collector.h"

/*
 * Writes it to stderr.
 *
 * collector drained
 * command   the program that was recorded
 * Threads:  the loop's.
 */
void record_summary_print(struct collector *collector, const char *command);
