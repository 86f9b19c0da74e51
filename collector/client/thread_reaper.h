/*
 * Rings of threads that ended: emptied, their operation slots given back, and left for other threads. There is no destructor
 * in the threads themselves: the kernel is asked whether they live.
 */
#pragma once

#include "recorder.h"
#include "staging.h"

/*
 * Looks at all rings, and frees those whose thread is dead. One that cannot be emptied for want of room in staging is
 * left for the next time.
 *
 * Returns:  how many were freed.
 * Threads:  the flusher's only.
 * Cost:     one system call per living thread that records.
 */
uint32_t thread_reaper_run(struct recorder *recorder, struct stager *stager);
