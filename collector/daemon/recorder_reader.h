/*
 * What a client that died has left in its recorder (recorder_layout.h), read with pread() and never mapped: a mapping of a
 * file that somebody else can change may fault at any instant.
 *
 * Nothing in it is trusted. Whatever is used is copied first and checked then, each offset against the size of the file,
 * which its seals keep as it is. A recorder is taken if and only if
 *   - it is a regular file of tmpfs, of ordinary pages, sealed against growing, shrinking and other seals;
 *   - its size is at most RECORDER_READER_MAX_BYTES, and what its header says;
 *   - its header has the magic number, this version and this size, and the id of the session that brought it;
 *   - all of its areas lie within the file, and its counts are within the limits of the layout.
 * What is wrong behind that costs the entries concerned only.
 */
#pragma once

#include "base.h"
#include "recorder_layout.h"

#include <stdbool.h>

/* EDDY_MEMORY_MIB goes up to this. */
#define RECORDER_READER_MAX_BYTES (64 * GIB)

/* What is needed of a ring. Entries [from, to) are whole records that nobody has taken yet. */
struct left_ring {
    uint64_t entries_offset; /* of the first entry, in the file */
    uint64_t mask;
    uint64_t from;
    uint64_t to;
    uint32_t serial; /* of its thread */
    uint32_t tid;
};

struct recorder_reader {
    int fd; /* borrowed */
    struct recorder header;
    struct recorder_books books; /* with what was not committed taken back */
    struct outbox_head outbox;
    struct staging staging;
    uint64_t newest_batch; /* in the outbox, or that ever was */
    bool staging_counts;
    uint32_t ring_count;
    uint64_t ring_entries;   /* of all rings together: they do not share any */
    struct left_ring *rings; /* owned; ring_count; those that cannot be read are empty */
    struct record_counts thread_losses[LOSS_CLIENT_CAUSE_COUNT]; /* that threads counted */
    uint64_t stale_ends;
    uint64_t attributes_cut;
    struct thread_entry *threads; /* owned; RECORDER_MAX_THREADS */
    struct recorder *names; /* owned: a recorder with nothing but the names, all of them valid */
};

/* Whether a descriptor is of a file that a recorder may be in: see above, the first two. Costs four system calls. */
bool recorder_reader_accepts(int fd);

/*
 * Opens the recorder of a session.
 *
 * fd        borrowed as long as the reader is open
 * Returns:  0; -EBADMSG if it is none, or not that session's; -EPROTONOSUPPORT if it is of another version; -ENOMEM; or
 *           what a system call said.
 * Threads:  one reader, one thread at a time, as all functions here.
 */
MUST_USE int recorder_reader_open(struct recorder_reader *ret_reader, int fd,
                                  const uint8_t *session);
void recorder_reader_release(struct recorder_reader *reader);

/* Copies bytes of the file. Returns 0; -EBADMSG if they do not lie within it; or a negative errno. */
MUST_USE int recorder_reader_copy(const struct recorder_reader *reader, uint64_t offset,
                                  void *ret_bytes, uint64_t size);

/* Copies an entry of the outbox. Returns 1; 0 if it holds no frame that counts; or a negative errno. */
MUST_USE int recorder_reader_outbox_entry(const struct recorder_reader *reader, uint32_t index,
                                          struct outbox_entry *ret_entry);

/* Copies count entries of a ring, from a position on. Returns 0 or a negative errno. */
MUST_USE int recorder_reader_ring_entries(const struct recorder_reader *reader,
                                          const struct left_ring *ring, uint64_t position,
                                          struct record *ret_entries, uint64_t count);

/* The tid of a thread; 0 if it is not known any more. */
uint32_t recorder_reader_tid(const struct recorder_reader *reader, uint32_t serial);
