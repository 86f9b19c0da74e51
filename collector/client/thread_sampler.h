/*
 * What the threads of this process used: CPU time, context switches, waits for a CPU. A thread is asked only if it ran
 * since the last time: its CPU clock says so at the cost of one system call.
 */
#pragma once

#include "recorder.h"
#include "sample_buffer.h"

enum { SAMPLED_THREADS_MAX = 1024 };

/* The last values of a thread. */
struct sampled_thread {
    uint32_t tid;
    uint32_t serial;
    bool was_seen; /* at the last look for threads */
    uint64_t cpu_ns;
    uint64_t user_ns;
    uint64_t system_ns;
    uint64_t run_queue_wait_ns;
};

/* Owns its memory. One thread at a time. */
struct thread_sampler {
    struct recorder *recorder; /* borrowed */
    uint32_t own_tid;          /* of the flusher: its cost is told in each batch */
    uint32_t count;
    uint32_t capacity;
    struct sampled_thread *threads; /* owned */
    uint64_t look_due_ns;           /* for threads that came and went */
    uint32_t process_threads;       /* of the process at the last look; 0: unknown */
    uint64_t run_queue_wait_ns;     /* of all threads, while they were known */
    uint32_t user_name;             /* ids of the metrics */
    uint32_t system_name;
    uint32_t voluntary_name;
    uint32_t involuntary_name;
    uint32_t run_queue_name;
};

/* Threads: the flusher's only, as all functions here. */
void thread_sampler_init(struct thread_sampler *sampler, struct recorder *recorder);
void thread_sampler_release(struct thread_sampler *sampler);

/* Adds samples of the threads that ran since the last call. */
void thread_sampler_sample(struct thread_sampler *sampler, struct sample_buffer *buffer,
                           uint64_t now_ns);
