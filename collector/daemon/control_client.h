/*
 * Asks a running collector something over its socket, and waits for the answer.
 */
#pragma once

#include "text_buffer.h"

enum { CONTROL_ERROR_MAX_BYTES = 512 };

/*
 * Sends request and receives the answer.
 *
 * ret_answer text of the answer, to be released by the caller; untouched on error
 * ret_error  what is wrong and what to do, filled in on error
 * Returns:   0; a negative errno: of the connection, or what the collector answered.
 * Threads:   any. Blocks, but never for more than 30 seconds without progress.
 */
MUST_USE int control_ask(const char *socket_path, const char *request,
                         struct text_buffer *ret_answer,
                         char ret_error[static CONTROL_ERROR_MAX_BYTES]);
