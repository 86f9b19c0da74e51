/* cpu_limit.h - the fault "throttle": a program that may use less of the CPU than it wants. */
#ifndef CPU_LIMIT_H
#define CPU_LIMIT_H

/*
 * Limits this process, for the rest of its life, in the strictest way it is permitted:
 *
 *   - to a tenth of one CPU, in a control group of its own (cpu.max, or cpu.cfs_quota_us of version 1), as a container's
 *     limit does. The kernel stops all threads when the quota of a period is used up, until the next one.
 *   - or else to what a busy neighbour leaves: all threads share one CPU with a process that computes without end and
 *     goes first, as on a machine with too many tenants.
 *
 * Either way its threads are runnable and do not run. What was made for that ends and goes when the process ends.
 *
 * Returns:  words for what was done; NULL if nothing could be, see errno.
 * Threads:  the only one: call it before others are started.
 */
const char *limit_own_cpu(void);

#endif
