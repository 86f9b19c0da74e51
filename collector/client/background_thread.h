/*
 * A thread of ours in a program that is not: it takes none of the program's signals, time or waiting.
 */
#pragma once

#include "base.h"

/*
 * Starts a detached thread with all signals blocked, a small stack, and ordinary priority, whatever the caller's is: a
 * real-time thread may be the one that records first.
 *
 * Returns:  0 or a negative errno.
 * Threads:  any.
 */
MUST_USE int background_thread_start(void *(*run)(void *), void *argument);
