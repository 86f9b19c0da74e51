/*
 * Descriptors of ours in a process that is not. Where the kernel permits it, the flusher has a table of its own. Else, and
 * for what a forked child inherits, a descriptor is known by device and inode, because the program may close any number and
 * get it back for something else: what is not ours any more is forgotten, never closed, read or written.
 */
#pragma once

#include "base.h"

#include <stdbool.h>
#include <sys/stat.h>

struct descriptor {
    dev_t device;
    ino_t inode;
    int fd; /* owned; -1: none. Written last, so that a forked child never finds one without its identity */
};

#define NO_DESCRIPTOR ((struct descriptor){.fd = -1})

/*
 * Moves fd out of the way of programs that expect small numbers if a higher one is to be had, and never leaves it where the
 * program looks for its standard input and output: it would read and write there.
 *
 * Returns:  the new number, which may be the old one; -EMFILE if there is none: fd is closed then.
 * Threads:  any.
 */
MUST_USE int descriptor_move_high(int fd);

/*
 * Takes fd over, out of the way of programs that expect small numbers if a higher one is to be had.
 *
 * Returns:  0, or a negative errno: fd is closed then.
 * Threads:  one descriptor, one thread at a time, as all functions here.
 */
MUST_USE int descriptor_take(struct descriptor *ret_descriptor, int fd);

/* Notes what fd is, without taking it over. Returns 0 or a negative errno. */
MUST_USE int descriptor_note(struct descriptor *ret_descriptor, int fd);

/* Whether the number still stands for what it was. */
bool descriptor_is_ours(const struct descriptor *descriptor);

/*
 * Gives the calling thread a table of descriptors of its own, in which there is *kept (if it is still what it was) and, if
 * wanted, standard error. From then on the numbers of this thread and of the program have nothing to do with each other:
 * neither can close, take or write to what is the other's, and children of the program inherit nothing of it.
 *
 * Returns:  0; a negative errno if the kernel (before 5.9) or a filter does not permit it: all is shared as before then.
 * Threads:  the one that is to have its own; one that runs no code of the program.
 */
MUST_USE int descriptor_own_table(struct descriptor *kept, bool with_stderr);

/* Closes it if it is ours, and forgets it. */
void descriptor_release(struct descriptor *descriptor);
