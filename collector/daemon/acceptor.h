/*
 * Takes new connections from the listening sockets, asks the kernel who they are, and keeps their number within limits.
 */
#pragma once

#include "collector.h"

/* Starts to take connections. Returns 0 or a negative errno. Threads: the loop's only, as all functions here. */
MUST_USE int acceptor_start(struct collector *collector);

/* Takes no more connections, and closes the sockets. */
void acceptor_stop(struct collector *collector);
