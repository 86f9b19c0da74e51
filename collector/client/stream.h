/*
 * The connection to the collector: finds it, greets it, sends what the outbox holds, takes acknowledgements. Never blocks;
 * never signals; whatever goes wrong ends the connection, and after a while another one is tried.
 */
#pragma once

#include "descriptor.h"
#include "outbox.h"
#include "settings.h"

#include <stdbool.h>

enum {
    STREAM_GREETING_BYTES = 24 << 10, /* header, executable, 32 labels of twice 255 bytes */
    STREAM_INPUT_BYTES = 4 << 10,     /* a welcome, or some dozens of acknowledgements */
    EXECUTABLE_NAME_BYTES = 256,
};

enum stream_state {
    STREAM_CLOSED,
    STREAM_GREETING, /* connected; the greeting is on its way, or its answer is */
    STREAM_READY,
};

struct stream {
    const struct settings *settings; /* borrowed, as the recorder */
    const struct recorder *recorder;
    struct descriptor recorder_fd; /* borrowed: never closed here */
    struct descriptor socket;
    enum stream_state state;
    bool is_blocked; /* the socket takes no more at the moment */
    int error; /* of the last attempt to connect, or of the end of the last connection; 0: none */
    uint64_t due_ns; /* of the next attempt */
    uint64_t back_off_ns;
    uint64_t seen_ns; /* when a collector was last connected; the start of the session if never */
    uint64_t random;
    uint64_t max_payload_bytes;
    uint64_t records_stored; /* acknowledged */
    size_t sent;             /* bytes of the message that is being sent */
    size_t greeting_size;
    size_t input_size;
    char executable[EXECUTABLE_NAME_BYTES];
    uint8_t greeting[STREAM_GREETING_BYTES];
    uint8_t input[STREAM_INPUT_BYTES];
};

/* recorder_fd -1: none is handed over. Threads: the flusher's only, as all functions here, but stream_forget(). */
void stream_init(struct stream *stream, const struct settings *settings,
                 const struct recorder *recorder, int recorder_fd);

/*
 * Does what can be done now: connects if that is due, receives, sends from outbox and frees what was acknowledged.
 *
 * is_urgent  an attempt to connect is due at once: somebody waits
 * Returns:   true if anything moved.
 */
bool stream_step(struct stream *stream, struct outbox *outbox, bool is_urgent);

/* Waits until the socket can be read (or written to, if it is blocked), at most so long. */
void stream_wait(const struct stream *stream, uint64_t timeout_ns);

void stream_close(struct stream *stream);

/* In a forked child: closes both descriptors if they are still what they were. Threads: any; nothing else uses the stream. */
void stream_forget(struct stream *stream);
