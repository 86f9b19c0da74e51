/*
 * What the first pass finds in one trace file: its frames, its sessions as far as the file knows them, its Ends, and its first
 * problem. Filled by trace_scan.h.
 */
#pragma once

#include "packet.h"
#include "report_inputs.h"

#include <stdbool.h>

/* Concatenated files have a few sessions; made-up ones must not make each batch cost more than the one before. */
enum { SCANNED_SESSION_LIMIT = 1 << 14 };

/* Who a session is; all texts are owned. */
struct source_facts {
    bool is_known;
    enum source_kind kind;
    uint32_t part;
    uint32_t pid;
    uint32_t claimed_pid;
    char *executable;
    char *host_name;
    char *boot_id;
    size_t label_count;
    char *label_keys[SOURCE_MAX_LABELS];
    char *label_values[SOURCE_MAX_LABELS];
};

struct clock_step {
    uint64_t sequence; /* of the batch that saw it first */
    int64_t step_ns;
};

/* A session as far as one file knows it. */
struct scanned_session {
    uint8_t id[SESSION_ID_BYTES];
    struct source_facts source; /* the first Source in the file */
    uint64_t totals_sequence;   /* of the batch or End that totals are from */
    bool has_totals;
    bool is_final;
    struct totals totals;
    bool has_records;
    uint64_t first_ns; /* monotonic: least begin */
    uint64_t last_ns;  /* greatest end */
    struct clock_reading first_clock;
    struct clock_reading last_clock;
    size_t step_count;
    struct clock_step *steps; /* owned */
};

struct scanned_frame {
    uint64_t offset_bytes;
    uint64_t sequence;
    uint32_t size_bytes;
    uint32_t session; /* index into sessions[] of the file */
};

/* What an End says of the collector's losses. */
struct scanned_end {
    uint32_t session;
    uint32_t part;
    uint64_t sequence;
    uint32_t loss_count;
    struct loss losses[LOSS_CAUSE_COUNT]; /* without queues */
};

struct scanned_file {
    const char *path; /* borrowed */
    size_t number;    /* of the path, as the caller counts */
    int error;        /* negative errno if it could not be read to its end */
    enum input_state state;
    char problem[160]; /* the first one; "" if none */
    uint64_t problem_offset_bytes;
    uint64_t size_bytes;
    uint64_t skipped_bytes;
    uint64_t packets;
    uint64_t missing_batches;
    struct record_counts rows; /* of all batches, as their heads say */
    uint64_t content_hash;
    size_t session_count;
    size_t session_capacity;
    struct scanned_session *sessions; /* owned */
    size_t frame_count;
    size_t frame_capacity;
    struct scanned_frame *frames; /* owned; batches only */
    size_t end_count;
    size_t end_capacity;
    struct scanned_end *ends; /* owned */
};

/* {0} is an empty file. Threads: one file, one thread at a time, as all functions here. */
void scanned_file_release(struct scanned_file *file);

/* Notes a problem: the first one is told in words, the gravest state counts. */
PRINTF_LIKE(4, 5)
void scanned_file_complain(struct scanned_file *file, enum input_state state, uint64_t offset_bytes,
                           const char *format, ...);

/* The index of a session, added if it is new. Returns 0, -ENOMEM, or -E2BIG beyond SCANNED_SESSION_LIMIT. */
MUST_USE int scanned_file_session(struct scanned_file *file, const uint8_t *id,
                                  uint32_t *ret_session);

/* Adds a batch's frame, an End. Return 0 or -ENOMEM. */
MUST_USE int scanned_file_add_frame(struct scanned_file *file, const struct scanned_frame *frame);
MUST_USE int scanned_file_add_end(struct scanned_file *file, const struct scanned_end *end);

/* Takes an account of the session: the latest one stands. */
void scanned_session_take_totals(struct scanned_session *session, uint64_t sequence,
                                 const struct totals *totals, bool is_final);

/* Takes the time range of a batch's records. */
void scanned_session_take_range(struct scanned_session *session, const struct batch_head *head);

/* Takes a reading of the clocks, later than those before. Returns 0 or -ENOMEM. */
MUST_USE int scanned_session_take_clock(struct scanned_session *session, uint64_t sequence,
                                        const struct clock_reading *clock);
