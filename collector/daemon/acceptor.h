/*
 * Takes new connections from the listening sockets, asks the kernel who they are, and keeps their number within limits.
 */
#pragma once

#include "collector.h"

/*
 * Raises the limit of descriptors as far as permitted.
 *
 * wanted    0: as many connections as descriptors permit
 * Returns:  how many connections there may be.
 * Threads:  the loop's only, as all functions here.
 */
size_t acceptor_find_limit(uint64_t wanted);

/* Starts to take connections. Returns 0 or a negative errno. */
MUST_USE int acceptor_start(struct collector *collector);

/* Takes no more connections, and closes the sockets. */
void acceptor_stop(struct collector *collector);
