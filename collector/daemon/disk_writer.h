/*
 * The writer thread: the only thread that touches the disk. Takes jobs from the channel, writes frames into parts, makes
 * them durable within a bounded time, closes parts, and keeps the folder within its limits. Reports everything back
 * through the channel; logs nothing.
 *
 * Durability. A frame is "written" when write() took it: it survives the collector. It is "durable" after the next sync,
 * at most part_limits.sync_interval_ns or sync_bytes later. A sync that fails is never repeated in the hope of better
 * luck, because the kernel may have dropped the data: the file is left as it is (.partial, without an End), its frames
 * since the last good sync are counted as suspect, and the session goes on in a new part.
 */
#pragma once

#include "descriptor_plan.h"
#include "disk_channel.h"
#include "output_folder.h"
#include "part_pool.h"

#include <pthread.h>

struct salvage;

struct disk_writer {
    struct disk_channel *channel; /* borrowed */
    struct output_folder *folder; /* borrowed; the writer thread's while it runs */
    struct part_limits part_limits;
    struct folder_limits folder_limits;
    struct part_maker maker; /* owned */
    struct part_pool pool;   /* owned, as the parts in it */
    struct disk_counters counters;

    struct part *first_unsynced; /* parts with frames that are not durable, and finished ones */
    size_t unsynced_count;
    size_t finished_count;
    size_t most_finished; /* finished parts keep their descriptors until they are closed */
    uint64_t unsynced_bytes;
    uint64_t sync_due_ns; /* 0: nothing to sync */

    uint64_t space_check_due_ns;
    uint64_t bytes_since_check;
    uint64_t age_check_due_ns;
    uint64_t start_realtime_ns; /* ages are counted from here on with a clock that does not jump */
    uint64_t start_boottime_ns;
    struct folder_scan *scan; /* owned scratch */

    struct client_session *first_untold; /* that ended, and whose losses no file tells of */
    struct client_session *last_untold;
    uint64_t tell_due_ns;

    uint64_t totals_due_ns;    /* when the present interval of reading heads ends, */
    uint64_t totals_max_bytes; /* and what maker.totals may have decompressed by then */

    struct disk_job *first_salvage; /* owned, by next; the first is worked on */
    struct salvage *salvage;        /* owned; NULL: it was not opened yet */

    pthread_t thread;
    bool is_running;
    bool is_stopping;
};

/*
 * Starts the thread, with all signals blocked.
 *
 * Returns:  0 or a negative errno.
 * Threads:  the loop's, as disk_writer_join().
 */
MUST_USE int disk_writer_start(struct disk_writer *writer, struct disk_channel *channel,
                               struct output_folder *folder, const struct collector_config *config,
                               const struct descriptor_plan *descriptors);

/* Waits for the thread to end (after JOB_STOP) and frees what it had. */
void disk_writer_join(struct disk_writer *writer);

/* --- For the files of the writer thread only. --- */

/* disk_writer.c: sees to it that session has an open part, with a descriptor. Returns 0 or a negative errno. */
MUST_USE int disk_writer_provide_part(struct disk_writer *writer, struct client_session *session);

/* disk_writer.c: writes a frame, or counts it as lost. update: what it means for its session is added. */
void disk_writer_take_frame(struct disk_writer *writer, const struct disk_job *job,
                            struct progress_update *update);

/* disk_writer.c: closes the part of session, if it has one; its losses are told somewhere in any case. */
void disk_writer_end_part(struct disk_writer *writer, struct client_session *session,
                          enum end_reason reason);

/* disk_salvage.c: puts a recorder behind those that wait. job is owned, and reported as done when the recorder is. */
void disk_salvage_queue(struct disk_writer *writer, struct disk_job *job);

/* disk_salvage.c: whether there is a recorder to read; reads and writes one frame's worth of it. */
bool disk_salvage_is_due(const struct disk_writer *writer);
void disk_salvage_step(struct disk_writer *writer);

/* disk_losses.c: counts a frame that the collector has taken and cannot keep: from here on that is a loss with a cause. */
void disk_losses_count(struct disk_writer *writer, const struct disk_job *job,
                       enum loss_cause cause);

/* disk_losses.c: the session has ended. If no End tells of its losses yet, it gets a part for them, now or as soon as there
 * is room. */
void disk_losses_settle(struct disk_writer *writer, struct client_session *session);

/* disk_losses.c: the session goes on after all: its next End tells. */
void disk_losses_release(struct disk_writer *writer, struct client_session *session);

/* disk_losses.c: tries to tell what no file tells of yet (if it is due). */
void disk_losses_tell(struct disk_writer *writer);
void disk_losses_tell_if_due(struct disk_writer *writer, uint64_t now_ns);

/* disk_sync.c: notes that part has something to sync. */
void disk_sync_note(struct disk_writer *writer, struct part *part, size_t size_bytes);

/* disk_sync.c: appends the End and lets go of the session; the file is closed at the next sync. Frees part only if its
 * file cannot be used any more. */
void disk_sync_finish(struct disk_writer *writer, struct part *part, enum end_reason reason);

/* disk_sync.c: makes everything durable and closes finished parts (if it is due). Any part may be gone after it. */
void disk_sync_if_due(struct disk_writer *writer, uint64_t now_ns);
void disk_sync_now(struct disk_writer *writer);

/* disk_sync.c: gives up and frees a part whose file cannot be trusted. */
void disk_sync_distrust(struct disk_writer *writer, struct part *part, int error);

/* disk_space.c: first look at the folder. */
void disk_space_start(struct disk_writer *writer);

/* disk_space.c: enforces the limits of the folder if a check is due, and says in counters.limit_reached whether new data
 * must be refused. */
void disk_space_check_if_due(struct disk_writer *writer, uint64_t now_ns);

/* disk_space.c: if error says that the disk, or the user's quota of it, is full: deletes the oldest closed part. Returns
 * whether there was one: then it is worth a second attempt. */
bool disk_space_make_room(struct disk_writer *writer, int error);
