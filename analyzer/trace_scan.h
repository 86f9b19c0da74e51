/*
 * The first pass over a trace file: where its frames are, which sessions they are of, and what Sources, heads and Ends say.
 * Enough to plan everything that follows; no row is decoded.
 *
 * Of a batch only the head is decompressed, so its checksum is not tested here: frames that turn out to be damaged later are
 * given to the next scan, which treats them as damage.
 */
#pragma once

#include "name_ranks.h"
#include "packet.h"
#include "report_inputs.h"

#include <pthread.h>

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

struct offset_list {
    size_t count;
    size_t capacity;
    uint64_t *offsets; /* owned */
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
    struct scanned_session *sessions; /* owned */
    size_t frame_count;
    struct scanned_frame *frames; /* owned; batches only */
    size_t end_count;
    struct scanned_end *ends; /* owned */
};

/* The names of all files that are scanned at the same time. */
struct shared_names {
    pthread_mutex_t lock;
    struct name_ranks table; /* guarded by lock while files are scanned */
};

struct trace_scanner;

MUST_USE int trace_scanner_new(struct trace_scanner **ret_scanner, struct shared_names *names);
void trace_scanner_free(struct trace_scanner *scanner);

/*
 * Scans a file.
 *
 * path      borrowed by *ret_file
 * bad       offsets of frames that are known to be damaged
 * ret_file  to be released, also after an error
 * Returns:  0; -ENOMEM; -E2BIG if the names need more memory than their table may have. A file that cannot be read is no
 *           error here: ret_file->error says so.
 * Threads:  one scanner, one thread at a time; scanners may share names.
 */
MUST_USE int trace_scan(struct trace_scanner *scanner, const char *path,
                        const struct offset_list *bad, struct scanned_file *ret_file);
void scanned_file_release(struct scanned_file *file);

/* Adds an offset. Returns 0 or -ENOMEM. Threads: one list, one thread at a time. */
MUST_USE int offset_list_add(struct offset_list *list, uint64_t offset);

/* Opens a trace file; one that was closed since its folder was listed has lost ".partial". Returns a descriptor or -errno. */
MUST_USE int trace_file_open(const char *path);
