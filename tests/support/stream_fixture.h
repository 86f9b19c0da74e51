/*
 * A stream and the collector that it talks to, which the test plays: step by step, without threads.
 */
#pragma once

#include "client_fixture.h"
#include "stream.h"

#include <sys/un.h>

enum { STREAM_ANSWER_BYTES = 16 << 10 };

extern char stream_path[64]; /* where the collector listens */
extern int listener;
extern int peer; /* the collector's end of the connection */
extern struct settings settings;
extern struct stream stream;
extern struct outbox outbox;
extern uint8_t answer[STREAM_ANSWER_BYTES]; /* what the collector is to say */
extern size_t answer_size;

/* For suites: .init = stream_set_up, .fini = stream_tear_down. */
void stream_set_up(void);
void stream_tear_down(void);

struct sockaddr_un address_of(const char *text);
int listen_at(const char *text, int backlog);

/* Puts a frame into the outbox, all of its size bytes the low byte of its sequence; it stands for ten records. */
void put_frame(uint64_t sequence, size_t size);

/* One stream_step(), urgent. */
bool step_stream(void);

/* Connects, and sends the greeting into the socket. */
void connect_stream(void);

/* Takes the greeting and answers it; the stream is ready then. Both together: welcome_stream(). */
void take_greeting_and_welcome(void);
void welcome_stream(void);

/*
 * Reads a whole message, its payload, and the descriptor that came with it (-1: none; ret_fd may be NULL).
 * Returns false if there is none yet.
 */
bool receive_message(struct wire_header *ret_header, uint8_t *ret_payload, int *ret_fd);

/* Adds to the answer; say() sends it. */
void add_message(struct wire_header header, const void *payload, size_t size);
void add_welcome(uint32_t version);
void add_ack(uint64_t sequence);
void say(void);
