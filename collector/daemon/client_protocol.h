/*
 * What a message of a connection means: a greeting opens a session, frames go to the writer thread after their checks, a
 * control request is answered. Bad messages harm only the connection that they came on.
 */
#pragma once

#include "connection.h"

/* Takes over a message that the connection's receiver has completed. Threads: the loop's only. */
void client_protocol_take(struct connection *connection, struct disk_job *message);
