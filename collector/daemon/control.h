/*
 * Control requests: one line of text in, one answer out. "stats text", "stats json", "stats openmetrics"; "rotate".
 */
#pragma once

#include "columns.h"

struct collector;
struct connection;

/* Answers the request, or sees to it that it is answered. Threads: the loop's only, as all here. */
void control_take(struct connection *connection, struct slice request);

/* The rotation that the connection with this serial asked for is done. */
void control_rotated(struct collector *collector, uint64_t serial);
