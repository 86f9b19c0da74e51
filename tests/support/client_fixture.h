/*
 * What the tests of libeddy's parts share: a small recorder without threads or a flusher, rings that the test itself
 * writes to, and records of every kind.
 */
#pragma once

#include "recorder.h"
#include "settings.h"

#include <stdbool.h>

extern struct recorder *recorder;
extern int recorder_fd;

/* Set up before each test of a suite with .init = client_set_up, .fini = client_tear_down. */
void client_set_up(void);
void client_tear_down(void);

/* A ring of that many entries (a power of two) for a thread with that tid and serial. */
struct ring *make_test_ring(uint32_t entries, uint32_t tid, uint32_t serial);

/* Publishes record with its continuations behind it; there must be room. */
void publish(struct ring *ring, const struct record *record, const struct record *continuations);

/* Publishes count plain operations, begun at begin, begin + 1, ... and each lasting 10 ticks. */
void publish_operations(struct ring *ring, uint32_t name, uint64_t begin, uint32_t count);

/* A plain operation of serial 1. */
struct record plain_operation(uint32_t name, uint64_t begin, uint64_t end);

/* An id of a name in the recorder. */
uint32_t operation_name(const char *text);

/* Settings as without any variable, with one socket path. */
struct settings plain_settings(const char *socket_path);
