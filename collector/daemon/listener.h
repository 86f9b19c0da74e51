/*
 * The listening socket: made and named by the collector itself, or handed over by the service manager.
 *
 * A socket file left by a collector that is gone is replaced; one that is in use, and anything that is not a socket, is
 * never touched.
 */
#pragma once

#include "base.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
    LISTENER_MAX_SOCKETS = 4,
    LISTENER_BACKLOG = 4096,
    LISTENER_ERROR_MAX_BYTES = 512,
};

struct listener {
    int fds[LISTENER_MAX_SOCKETS]; /* owned */
    size_t count;
    char *path;   /* owned; the file to remove at the end, NULL if the service manager owns it */
    dev_t device; /* of that file */
    ino_t inode;
};

/*
 * Binds and listens.
 *
 * group     name of the group that may connect, "" for the collector's own
 * ret_error one sentence that says what is wrong and what to do, filled in on error
 * Returns:  0 or a negative errno.
 * Threads:  at start only: it changes the umask for a moment.
 */
MUST_USE int listener_open(struct listener *ret_listener, const char *path, const char *group,
                           uint32_t mode, char ret_error[static LISTENER_ERROR_MAX_BYTES]);

/*
 * Takes the sockets that the service manager passed (LISTEN_PID, LISTEN_FDS) and clears these variables.
 *
 * Returns:  1 if there were some, 0 if there are none; -EINVAL if one is no listening stream socket of AF_UNIX.
 * Threads:  at start only.
 */
MUST_USE int listener_adopt(struct listener *ret_listener,
                            char ret_error[static LISTENER_ERROR_MAX_BYTES]);

/* Closes, and removes the socket file if it is still the one that was made. */
void listener_release(struct listener *listener);
