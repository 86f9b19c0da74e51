#include "thread_sampler.h"

#include "clocks.h"
#include "names.h"
#include "proc_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

enum {
    LEAST_CAPACITY = 16,
    STATUS_BYTES = 4096,
    SCHEDSTAT_BYTES = 128,
    FOLDER_BYTES = 4096,
    /* How the kernel numbers the CPU clocks of a thread (include/linux/posix-timers_types.h). */
    CLOCK_OF_THREAD = 4,
    CLOCK_USER_AND_SYSTEM = 0,
    CLOCK_USER = 1,
    CLOCK_EXACT = 2,
};

#define LOOK_PERIOD_NS NS_PER_S

void thread_sampler_init(struct thread_sampler *sampler, struct recorder *recorder)
{
    *sampler = (struct thread_sampler){
        .recorder = recorder,
        .own_tid = (uint32_t)syscall(SYS_gettid),
        .user_name = names_intern(recorder, "process.cpu.user_time", "ns", NAME_COUNTER_TOTAL,
                                  VALUE_INTEGER),
        .system_name = names_intern(recorder, "process.cpu.system_time", "ns", NAME_COUNTER_TOTAL,
                                    VALUE_INTEGER),
        .voluntary_name = names_intern(recorder, "process.context_switches.voluntary",
                                       "{context_switch}", NAME_COUNTER_TOTAL, VALUE_INTEGER),
        .involuntary_name = names_intern(recorder, "process.context_switches.involuntary",
                                         "{context_switch}", NAME_COUNTER_TOTAL, VALUE_INTEGER),
        .run_queue_name = names_intern(recorder, "process.run_queue.wait", "ns", NAME_COUNTER_TOTAL,
                                       VALUE_INTEGER),
    };
}

void thread_sampler_release(struct thread_sampler *sampler)
{
    free(sampler->threads);
    sampler->threads = NULL;
    sampler->count = 0;
    sampler->capacity = 0;
}

/* --- Which threads there are --- */

static struct sampled_thread *find(const struct thread_sampler *sampler, uint32_t tid)
{
    for (uint32_t i = 0; i < sampler->count; i++) {
        if (sampler->threads[i].tid == tid) {
            return &sampler->threads[i];
        }
    }
    return NULL;
}

/* The serial that the thread records with, or 0 if it has no ring. */
static uint32_t serial_of_ring(const struct recorder *recorder, uint32_t tid)
{
    uint32_t ring_count = recorder_ring_count(recorder);
    uint32_t serial = 0;

    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        if (ring != NULL && atomic_load_explicit(&ring->tid, memory_order_relaxed) == tid) {
            serial = (uint32_t)max_u64(serial,
                                       atomic_load_explicit(&ring->serial, memory_order_relaxed));
        }
    }
    return serial;
}

/* A serial for a thread that does not record. */
static uint32_t new_serial(struct recorder *recorder, uint32_t tid)
{
    struct thread_entry *entries = recorder_at(recorder, recorder->threads_offset);
    uint32_t serial =
        atomic_fetch_add_explicit(&recorder->thread_serial, 1, memory_order_relaxed) + 1;

    atomic_store_explicit(&entries[serial % RECORDER_MAX_THREADS].serial_and_tid,
                          (uint64_t)serial << 32 | tid, memory_order_relaxed);
    return serial;
}

static struct sampled_thread *add(struct thread_sampler *sampler, uint32_t tid)
{
    if (sampler->count == SAMPLED_THREADS_MAX) {
        return NULL;
    }
    if (sampler->count == sampler->capacity) {
        uint32_t capacity = sampler->capacity == 0 ? LEAST_CAPACITY : 2 * sampler->capacity;
        void *grown = realloc(sampler->threads, capacity * sizeof(*sampler->threads));

        if (grown == NULL) {
            return NULL;
        }
        sampler->threads = grown;
        sampler->capacity = capacity;
    }

    struct sampled_thread *thread = &sampler->threads[sampler->count++];

    *thread = (struct sampled_thread){.tid = tid};
    return thread;
}

static void see(struct thread_sampler *sampler, uint32_t tid)
{
    struct sampled_thread *thread = find(sampler, tid);
    uint32_t serial = serial_of_ring(sampler->recorder, tid);

    sampler->process_threads++;
    if (tid == sampler->own_tid) {
        return;
    }
    if (thread == NULL) {
        thread = add(sampler, tid);
    }
    if (thread != NULL) {
        thread->was_seen = true;
        thread->serial = serial != 0           ? serial
                         : thread->serial != 0 ? thread->serial
                                               : new_serial(sampler->recorder, tid);
    }
}

static void see_entries(struct thread_sampler *sampler, const char *entries, size_t size)
{
    for (size_t at = 0; at < size;) {
        const struct dirent64 *entry = (const void *)(entries + at);
        const char *name = entry->d_name;
        uint64_t tid = 0;

        if (proc_file_next_number(&name, &tid)) {
            see(sampler, (uint32_t)tid);
        }
        at += entry->d_reclen;
    }
}

/* Threads that ended are forgotten, and their serials with them. */
static void forget_unseen(struct thread_sampler *sampler)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < sampler->count; i++) {
        if (sampler->threads[i].was_seen) {
            sampler->threads[kept++] = sampler->threads[i];
        }
    }
    sampler->count = kept;
}

static void look_for_threads(struct thread_sampler *sampler)
{
    _Alignas(struct dirent64) char entries[FOLDER_BYTES];
    AUTO_CLOSE int fd = open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ssize_t size = 0;

    if (fd < 0) {
        return;
    }
    for (uint32_t i = 0; i < sampler->count; i++) {
        sampler->threads[i].was_seen = false;
    }
    sampler->process_threads = 0;
    while ((size = getdents64(fd, entries, sizeof(entries))) > 0) {
        see_entries(sampler, entries, (size_t)size);
    }
    forget_unseen(sampler);
}

/* --- What a thread used --- */

/* false if there is no such thread any more. */
static bool read_cpu_clock(uint32_t tid, int kind, uint64_t *ret_ns)
{
    clockid_t clock = (clockid_t)(~tid << 3 | CLOCK_OF_THREAD | (uint32_t)kind);
    struct timespec time;

    if (clock_gettime(clock, &time) < 0) {
        return false;
    }
    *ret_ns = (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    return true;
}

/*
 * Splits the exact CPU time in the proportion of what the kernel's ticks found, as the kernel does in getrusage(): neither
 * part ever shrinks, and they sum up to the whole.
 */
static void split_cpu_time(struct sampled_thread *thread, uint64_t cpu_ns)
{
    uint64_t both_ns = 0;
    uint64_t ticked_user_ns = 0;
    double user_ratio = 1.0;

    if (read_cpu_clock(thread->tid, CLOCK_USER_AND_SYSTEM, &both_ns) &&
        read_cpu_clock(thread->tid, CLOCK_USER, &ticked_user_ns) && both_ns > 0) {
        user_ratio = (double)min_u64(ticked_user_ns, both_ns) / (double)both_ns;
    }

    uint64_t user_ns = max_u64((uint64_t)((double)cpu_ns * user_ratio), thread->user_ns);
    uint64_t most_ns = cpu_ns - min_u64(thread->system_ns, cpu_ns);

    thread->user_ns = max_u64(min_u64(user_ns, most_ns), thread->user_ns);
    thread->system_ns = max_u64(cpu_ns - min_u64(thread->user_ns, cpu_ns), thread->system_ns);
    thread->cpu_ns = cpu_ns;
}

static void sample_switches(const struct thread_sampler *sampler,
                            const struct sampled_thread *thread, struct sample_buffer *buffer,
                            uint64_t now_ns)
{
    char status[STATUS_BYTES];
    int length = proc_file_read(status, sizeof(status), "task/%u/status", thread->tid);
    uint64_t switches = 0;

    if (length < 0) {
        return;
    }
    if (proc_file_number(status, "\nvoluntary_ctxt_switches:", &switches)) {
        sample_buffer_add(buffer, now_ns, sampler->voluntary_name, thread->serial, switches);
    }
    if (proc_file_number(status, "\nnonvoluntary_ctxt_switches:", &switches)) {
        sample_buffer_add(buffer, now_ns, sampler->involuntary_name, thread->serial, switches);
    }
}

/* The second number of schedstat: ns spent runnable without running. */
static void sample_run_queue(struct thread_sampler *sampler, struct sampled_thread *thread,
                             struct sample_buffer *buffer, uint64_t now_ns)
{
    char text[SCHEDSTAT_BYTES];
    const char *at = text;
    uint64_t ran_ns = 0;
    uint64_t wait_ns = 0;
    int length = proc_file_read(text, sizeof(text), "task/%u/schedstat", thread->tid);

    if (length < 0 || !proc_file_next_number(&at, &ran_ns) ||
        !proc_file_next_number(&at, &wait_ns)) {
        return;
    }
    sampler->run_queue_wait_ns += wait_ns - min_u64(thread->run_queue_wait_ns, wait_ns);
    thread->run_queue_wait_ns = wait_ns;
    sample_buffer_add(buffer, now_ns, sampler->run_queue_name, thread->serial, wait_ns);
}

static void sample_thread(struct thread_sampler *sampler, struct sampled_thread *thread,
                          struct sample_buffer *buffer, uint64_t now_ns)
{
    uint64_t cpu_ns = 0;

    if (!read_cpu_clock(thread->tid, CLOCK_EXACT, &cpu_ns) || cpu_ns == thread->cpu_ns) {
        return;
    }
    split_cpu_time(thread, cpu_ns);
    sample_buffer_add(buffer, now_ns, sampler->user_name, thread->serial, thread->user_ns);
    sample_buffer_add(buffer, now_ns, sampler->system_name, thread->serial, thread->system_ns);
    sample_switches(sampler, thread, buffer, now_ns);
    sample_run_queue(sampler, thread, buffer, now_ns);
}

void thread_sampler_sample(struct thread_sampler *sampler, struct sample_buffer *buffer,
                           uint64_t now_ns)
{
    if (now_ns >= sampler->look_due_ns) {
        look_for_threads(sampler);
        sampler->look_due_ns = now_ns + LOOK_PERIOD_NS;
    }
    for (uint32_t i = 0; i < sampler->count; i++) {
        sample_thread(sampler, &sampler->threads[i], buffer, now_ns);
    }
    if (sampler->count > 0) {
        sample_buffer_add(buffer, now_ns, sampler->run_queue_name, 0, sampler->run_queue_wait_ns);
    }
}
