/*
 * A process whose main thread called pthread_exit() ends with its last thread. Ours must not be the one that keeps it alive.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether only the calling thread is left, besides a main thread that has ended.
 *
 * Threads:  any but the main thread.
 * Cost:     one system call; a few more if there are just two threads.
 */
bool lone_thread_is_this(void);
