/*
 * What a report rests on: the files, the processes that they come from, and what is missing. Plain data, part of report.h.
 */
#pragma once

#include "batch.h"
#include "packet.h"

/* How a file was found. */
enum input_state {
    INPUT_WHOLE,
    INPUT_NO_END,
    INPUT_CUT_OFF,
    INPUT_DAMAGED,
    INPUT_NEWER,
    INPUT_UNUSABLE
};

struct report_input {
    char *file; /* base name */
    enum input_state state;
    char *problem; /* the first one, in words; "" if none */
    uint64_t problem_offset_bytes;
    uint64_t size_bytes;
    uint64_t skipped_bytes;
    uint64_t frames;
    uint64_t repeated_batches;
    uint64_t missing_batches; /* gaps in the batches' numbers */
    struct record_counts rows;
    size_t process; /* index; SIZE_MAX if it holds no Source */
    uint32_t part;
    uint64_t content_hash; /* of the file's frames; equal for copies */
};

/* A session: one process, or the machine. Sorted by executable, pid, session. */
struct report_process {
    uint8_t session[SESSION_ID_BYTES];
    enum source_kind kind;
    char *executable;
    char *host_name;
    uint32_t pid;
    uint32_t claimed_pid;
    size_t label_count;
    struct {
        char *key;
        char *value;
    } labels[SOURCE_MAX_LABELS];
    uint64_t first_realtime_ns;    /* least begin of its records, 0 if none */
    uint64_t last_realtime_ns;     /* greatest end */
    struct record_counts stored;   /* rows in the files, each batch once */
    struct record_counts produced; /* as last said by the program */
    struct record_counts lost;
    bool is_total_final; /* the program said that nothing follows: produced = stored + lost */
    uint64_t clock_steps;
    int64_t greatest_clock_step_ns; /* realtime against monotonic */
    uint64_t client_cpu_ns;
    uint64_t frame_bytes;
    uint64_t threads;
    uint64_t stale_ends;
    uint64_t names_folded;
    uint64_t attributes_cut;
};

struct report_loss {
    enum loss_cause cause;
    struct record_counts count;
    uint64_t first_realtime_ns; /* 0 if the files say only how many */
    uint64_t last_realtime_ns;
};

struct report_quality {
    double
        coverage_ratio; /* stored / produced over all kinds of records; NaN if nothing was produced */
    struct record_counts produced;
    struct record_counts stored;
    struct record_counts lost;
    struct record_counts
        unaccounted; /* produced - stored - lost of processes whose totals are final; else 0 */
    uint64_t children_matched;   /* operations whose parent was found */
    uint64_t children_unmatched; /* operations that have a parent which was not */
    size_t loss_count;
    struct report_loss *losses; /* by cause */
    double
        tracer_cpu_ratio; /* CPU time of the flushers / (time span x processes); NaN if not recorded */
    double bytes_per_operation; /* NaN without operations */
};
