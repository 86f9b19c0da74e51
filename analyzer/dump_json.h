/*
 * Packets to JSON lines: one object a line, with a member "type": source, operation, sample, mark, open, loss or end.
 *
 * Each object carries "session". All times are strings of nanoseconds: *_ns on the monotonic clock of the machine, "begin"
 * and "time" ISO 8601 in UTC, made with the clock reading of the batch. analyzer/README.md lists the members.
 */
#pragma once

#include "packet.h"

#include <stdio.h>

/*
 * Write what a packet holds. Errors stay in the stream (ferror).
 *
 * Threads:  one stream, one thread at a time.
 */
void dump_json_source(FILE *stream, const struct source *source);
void dump_json_batch(FILE *stream, const struct batch *batch);
void dump_json_end(FILE *stream, const struct end *end);
