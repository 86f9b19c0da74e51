/*
 * Scanned files to the plan of a report: the order of files and processes, which frames to read and which are repeats, how
 * monotonic times become times of day, the windows, the names kept apart, and how much memory may go where.
 *
 * All of it depends on the content of the files only, not on the order in which they were given or scanned.
 */
#pragma once

#include "load_room.h"
#include "memory_plan.h"
#include "time_grid.h"
#include "trace_scan.h"

struct plan_input {
    struct scanned_file file; /* owned */
    uint32_t *processes;      /* owned; of each of file.sessions: index into processes[] */
    uint64_t repeated_batches;
    char *name; /* owned; base name, valid UTF-8 */
};

/* Losses that the collector counted for a session. */
struct plan_loss {
    struct record_counts count;
    uint64_t first_ns; /* monotonic; 0 if nothing was lost */
    uint64_t last_ns;
};

/* A session. Borrowed pointers lead into the inputs. */
struct plan_process {
    uint8_t session[SESSION_ID_BYTES];
    const struct source_facts *source; /* borrowed; NULL if no file has its Source */
    const struct totals *totals;       /* borrowed; the latest; NULL if there are none */
    uint64_t totals_sequence;
    bool is_final;
    bool has_records;
    uint64_t first_ns; /* monotonic */
    uint64_t last_ns;
    struct clock_reading last_clock;
    int64_t offset_ns; /* monotonic to realtime */
    uint64_t clock_steps;
    int64_t greatest_clock_step_ns;
    struct plan_loss losses[LOSS_CAUSE_COUNT];
    size_t first_frame; /* of plan->frames */
    size_t frame_count;
    uint64_t frame_bytes; /* compressed, of its frames */
};

/* A batch to read. Those of a process stand in order of sequence. */
struct plan_frame {
    uint64_t offset_bytes;
    uint64_t sequence;
    uint32_t size_bytes;
    uint32_t input;
    uint32_t process;
    uint32_t run; /* batches of a process with the same run have nothing missing between them */
};

struct report_plan {
    size_t input_count;
    struct plan_input *inputs; /* owned; sorted by session, part, content */
    size_t process_count;
    struct plan_process *processes; /* owned; sorted by executable, pid, session */
    size_t frame_count;
    struct plan_frame *frames; /* owned; by process and sequence */
    size_t repeat_count;
    struct plan_frame
        *repeats; /* owned; by input and offset: only their checksums are of interest */
    struct name_ranks names;
    struct time_grid grid;
    uint64_t first_realtime_ns; /* 0 if there are no records */
    uint64_t last_realtime_ns;
    struct memory_plan memory;
    struct load_room load_room;
};

/*
 * Makes the plan.
 *
 * files     taken over, also after an error: the array's elements are moved into the plan
 * names     taken over
 * Returns:  0; -ENOMEM; -E2BIG if even the least plan needs more than options->memory_bytes. *ret_plan is to be released,
 *           also after an error.
 * Threads:  any, on different objects.
 */
MUST_USE int report_plan_make(struct report_plan *ret_plan, struct scanned_file *files,
                              size_t file_count, struct name_ranks *names,
                              const struct memory_wish *wish);
void report_plan_release(struct report_plan *plan);

/* Whether a batch of its session stands behind this one. */
bool report_plan_is_last_frame(const struct report_plan *plan, const struct plan_frame *frame);
