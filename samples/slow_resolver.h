/*
 * slow_resolver.h - the fault "blocking-dns": names are looked up as getaddrinfo() does, and the answers take their time.
 *
 * Questions are ordinary DNS over UDP, by the resolver of the C library. The name server that they go to is a thread of
 * this program on a loopback port; it answers every question, each one late.
 */
#ifndef SLOW_RESOLVER_H
#define SLOW_RESOLVER_H

#include <stdbool.h>

/* Starts the name server. Returns 0 or a negative errno. Threads: one, once. */
int slow_resolver_start(void);

/* Whether 127.0.0.1 has a name. Blocks until the answer is there. Threads: one at a time. */
bool slow_resolver_has_name(void);

#endif
