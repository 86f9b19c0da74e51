/*
 * The process's own metrics, sampled by the flusher without being asked:
 *
 *     process.cpu.user_time, .system_time                  ns      of the process and of each thread that ran; totals
 *     process.cpu.utilization                              1       of the CPUs available, since the last sample
 *     process.context_switches.voluntary, .involuntary             of the process and of each thread that ran; totals
 *     process.run_queue.wait                               ns      runnable without running; likewise; totals
 *     process.memory.rss                                   By
 *     process.memory.heap_in_use                           By      resident private memory: heaps of all allocators, stacks
 *     process.memory.malloc_in_use, .malloc_free           By      only with EDDY_MALLINFO=1: what glibc's malloc handed out,
 *                                                                  and what it keeps for later
 *     process.page_faults.minor, .major                            totals
 *     process.threads
 *     process.io.read_bytes, .write_bytes                  By      through system calls, whatever the device; totals
 *     process.io.read_calls, .write_calls                          totals
 *     process.io.disk_read_bytes, .disk_write_bytes        By      of these, what block devices are to read and write; totals
 *     process.open_descriptors                             {descriptor}
 *     process.open_descriptors.limit                       {descriptor}
 *     QUEUE.depth                                          {operation}, of every queue that was used
 *
 * The calls counted are read(), write() and their kind, on files, pipes and sockets; the kernel does not count send() and
 * recv() of a process. A heap that grows shows in heap_in_use, whatever the allocator is. How much of it is in use is asked
 * only if the environment says so, and then once a second: mallinfo2() walks the free lists of each arena under its lock,
 * which stops the program's threads for as long as that takes. Where the kernel does not say how many descriptors are open (before 6.2),
 * they are counted once in ten seconds, and not at all if they are more than 16,384.
 *
 * Of the process's control group: cgroup_sampler.h.
 *
 * The sampler measures what it costs and takes samples more seldom if that exceeds 0.2 % of a CPU.
 */
#pragma once

#include "cgroup_sampler.h"
#include "sample_buffer.h"
#include "thread_sampler.h"

enum { PROCESS_METRIC_COUNT = 20 };

/* Owns its memory. One thread at a time. */
struct process_sampler {
    struct recorder *recorder; /* borrowed */
    uint64_t wanted_period_ns; /* 0: no samples */
    uint64_t period_ns;        /* in force; 0: none are taken at present */
    uint64_t due_ns;
    uint64_t cost_ns; /* of a sample, smoothed */
    uint64_t cpu_count;
    uint64_t page_bytes;
    uint64_t sampled_ns; /* when the last sample was taken */
    uint64_t last_ns;    /* of the last utilization */
    uint64_t last_cpu_ns;
    uint64_t taken; /* samples since the session began */
    bool asks_malloc;
    uint64_t malloc_due_ns;
    uint64_t descriptors_due_ns;
    uint32_t names[PROCESS_METRIC_COUNT]; /* ids; 0: not used yet */
    uint32_t *queue_names;                /* owned; ids of QUEUE.depth by queue; 0: not known yet */
    struct thread_sampler threads;
    struct cgroup_sampler cgroup;
    struct sample_buffer buffer; /* for the next batch; emptied by its reader */
};

/*
 * asks_malloc   glibc, too
 * Returns:      0 or -ENOMEM.
 * Threads:      the flusher's only, as all functions here.
 */
MUST_USE int process_sampler_init(struct process_sampler *sampler, struct recorder *recorder,
                                  uint64_t period_ns, bool asks_malloc);
void process_sampler_release(struct process_sampler *sampler);

/*
 * Takes a sample if one is due.
 *
 * is_active     operations ended lately: every period; else once a second
 * is_listening  a collector could be reached lately: else never
 */
void process_sampler_step(struct process_sampler *sampler, uint64_t now_ns, bool is_active,
                          bool is_listening);

/* When the next sample is due; UINT64_MAX if none is. */
uint64_t process_sampler_due_ns(const struct process_sampler *sampler);
