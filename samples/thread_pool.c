/*
 * thread_pool.c - a thread pool with a bounded queue: compresses documents and stores them safely.
 *
 * One producer makes documents, most of them small and a few very large, at random times; a full
 * queue makes it wait. Workers compress each document with zstd, write and sync it to a file, read
 * it back and compare. A document stays in memory from its arrival to the end of its job, so memory
 * follows the queue.
 *
 * A job is one operation, begun by the producer and ended by a worker. What it does meanwhile are
 * its states (queued, running, waiting for I/O); the steps of its work are its children.
 *
 * With --fault it goes wrong in one of the ways in which such programs go wrong in production.
 */
#define _GNU_SOURCE
#include "cpu_limit.h"
#include "document_archive.h"
#include "sample_options.h"

#include <eddy.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_WORKERS = 64,
    USUAL_WORKERS = 4,
    CONVOY_WORKERS = 40,    /* what does not help: more of them */
    THROTTLED_WORKERS = 16, /* as many as the machine has processors, not the container */
    QUEUE_CAPACITY = 32,
    LEAST_BYTES = 8 << 10,
    MOST_BYTES = 8 << 20,
    REPACKED_BYTES = 256 << 10,
    CHECKPOINT_JOBS = 24, /* one job in so many makes a checkpoint */
    REPACK_SECONDS = 1
};

enum fault { FAULT_NONE, FAULT_CONVOY, FAULT_SLOW_DISK, FAULT_THROTTLE, FAULT_POOL_EXHAUSTION };
static const char *const fault_names[] = {"none",     "convoy",          "slow-disk",
                                          "throttle", "pool-exhaustion", NULL};

static struct {
    double seconds, rate;
    int worker_count;
    const char *parent;
    enum fault fault;
} wanted = {.seconds = 10, .rate = 100, .parent = P_tmpdir};

static const char usage[] =
    "usage: thread_pool [--seconds N] [--rate N] [--workers N] [--folder DIR] [--fault NAME]\n"
    "Compresses and stores about rate documents a second, in a new folder of DIR.\n"
    "Faults:\n"
    "  convoy           all of 40 workers need one lock, held while a document is compressed\n"
    "  slow-disk        every 24th job writes 16 MiB more, each block safe before the next\n"
    "  throttle         16 workers may use a tenth of a CPU, or what a busy neighbour leaves\n"
    "  pool-exhaustion  every second, jobs of another kind take all workers for long\n";

static struct eddy_name pool_submit = EDDY_NAME("pool.submit");
static struct eddy_name pool_archive = EDDY_NAME("pool.archive");
static struct eddy_name pool_repack = EDDY_NAME("pool.repack");
static struct eddy_name document_bytes = EDDY_NAME("document.bytes");
static struct eddy_name archived_bytes = EDDY_METRIC("pool.archived_bytes", "By");
static struct eddy_name workers_total = EDDY_METRIC("pool.workers.total", "{worker}");
static struct eddy_name workers_busy = EDDY_METRIC("pool.workers.busy", "{worker}");
static struct eddy_queue pool_queue = EDDY_QUEUE("pool.queue", QUEUE_CAPACITY);

struct job {
    struct eddy_name *name;
    struct document document; /* its text is owned */
    enum archive_way way;
    uint64_t operation;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all that follows */
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static struct job queue[QUEUE_CAPACITY]; /* a ring */
static unsigned put_count, taken_count;
static bool no_more_jobs;
static int busy_count;
static long long failed_count, total_bytes, total_archived_bytes;

/* ---- The queue ---- */

static void submit(struct job job)
{
    uint64_t operation = eddy_begin(&pool_submit);

    eddy_state(operation, EDDY_WAITING_LOCK);
    pthread_mutex_lock(&lock);
    while (put_count - taken_count == QUEUE_CAPACITY) {
        eddy_state(operation, EDDY_QUEUED); /* not for the lock, but for room */
        pthread_cond_wait(&not_full, &lock);
    }
    eddy_state(operation, EDDY_RUNNING);
    job.operation = eddy_begin_queued(job.name, &pool_queue);
    eddy_set_u64(job.operation, &document_bytes, job.document.size);
    queue[put_count++ % QUEUE_CAPACITY] = job;
    pthread_cond_signal(&not_empty);
    pthread_mutex_unlock(&lock);
    eddy_end(operation, EDDY_OK);
}

/* Waits for a job. Returns false when there will be no more. */
static bool take(struct job *ret_job)
{
    pthread_mutex_lock(&lock);
    while (put_count == taken_count && !no_more_jobs) {
        pthread_cond_wait(&not_empty, &lock);
    }
    bool is_taken = put_count != taken_count;
    if (is_taken) {
        *ret_job = queue[taken_count++ % QUEUE_CAPACITY];
        eddy_state(ret_job->operation, EDDY_RUNNING); /* leaves the queue */
        eddy_gauge(&workers_busy, ++busy_count);
        pthread_cond_signal(&not_full);
    }
    pthread_mutex_unlock(&lock);
    return is_taken;
}

static void finish(struct job *job, size_t archive_size)
{
    bool is_done = archive_size > 0;

    eddy_end(job->operation, is_done ? EDDY_OK : EDDY_ERROR);
    eddy_count(&archived_bytes, (int64_t)archive_size);
    free(job->document.text);
    pthread_mutex_lock(&lock);
    eddy_gauge(&workers_busy, --busy_count);
    failed_count += !is_done;
    total_bytes += (long long)job->document.size;
    total_archived_bytes += (long long)archive_size;
    pthread_mutex_unlock(&lock);
}

static void *work(void *unused)
{
    struct job job;

    while (take(&job)) {
        finish(&job, archive_document(&job.document, job.way, job.operation));
    }
    return unused;
}

/* ---- The producer ---- */

static double uniform(void)
{
    return drand48() + 0x1p-60; /* never 0 */
}

/* As long as chance wants: a bounded Pareto distribution. */
static size_t random_size(void)
{
    double size = LEAST_BYTES * pow(uniform(), -1 / 1.1);

    return size < MOST_BYTES ? (size_t)size : MOST_BYTES;
}

/* Lines of a log. */
static struct document make_document(size_t size)
{
    static unsigned document_count;
    struct document document = {.number = document_count++, .size = size};
    size_t used = 0;

    document.text = malloc(size + 1);
    while (document.text != NULL && used < size) {
        int n = snprintf(document.text + used, size + 1 - used, "%u GET /item/%ld took %ld us\n",
                         document.number, lrand48() % 1000, lrand48());
        used += (size_t)n;
    }
    return document;
}

/* Returns false if memory ran out. */
static bool submit_document(struct eddy_name *name, size_t size, enum archive_way way)
{
    struct job job = {.name = name, .document = make_document(size), .way = way};

    if (job.document.text != NULL) {
        submit(job);
    }
    return job.document.text != NULL;
}

static bool submit_archive(unsigned number)
{
    enum archive_way way = ARCHIVE_PLAIN;

    if (wanted.fault == FAULT_CONVOY) {
        way = ARCHIVE_ONE_COMPRESSOR;
    } else if (wanted.fault == FAULT_SLOW_DISK && number % CHECKPOINT_JOBS == 0) {
        way = ARCHIVE_CHECKPOINT;
    }
    return submit_document(&pool_archive, random_size(), way);
}

/* As many as there are workers, so that none is left for the others. */
static unsigned submit_repacks(void)
{
    unsigned count = 0;

    for (int i = 0; i < wanted.worker_count; i++) {
        count += submit_document(&pool_repack, REPACKED_BYTES, ARCHIVE_BEST);
    }
    return count;
}

static void sleep_until(uint64_t time_ns)
{
    struct timespec time = {.tv_sec = (time_t)(time_ns / 1000000000),
                            .tv_nsec = (long)(time_ns % 1000000000)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* Poisson arrivals, until the time is over. Returns the number of jobs. */
static unsigned produce(void)
{
    uint64_t next_ns = eddy_now_ns();
    uint64_t repack_ns = next_ns;
    uint64_t end_ns = next_ns + (uint64_t)(wanted.seconds * 1e9);
    bool has_memory = true;
    unsigned count = 0;

    while (eddy_now_ns() < end_ns && has_memory) {
        if (wanted.fault == FAULT_POOL_EXHAUSTION && next_ns >= repack_ns) {
            count += submit_repacks();
            repack_ns += REPACK_SECONDS * 1000000000ULL;
        }
        has_memory = submit_archive(count);
        count += has_memory;
        next_ns += (uint64_t)(-log(uniform()) / wanted.rate * 1e9);
        sleep_until(next_ns < end_ns ? next_ns : end_ns);
    }
    return count;
}

/* ---- Start and end ---- */

/* Runs the pool in the current folder. Returns the number of jobs, or a negative errno. */
static long run_pool(void)
{
    pthread_t workers[MAX_WORKERS];
    int started = 0, r = 0;

    while (started < wanted.worker_count && r == 0) {
        r = pthread_create(&workers[started], NULL, work, NULL);
        started += r == 0;
    }
    eddy_gauge(&workers_total, started);
    long job_count = r == 0 ? (long)produce() : -r;
    pthread_mutex_lock(&lock);
    no_more_jobs = true;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&lock);
    while (started > 0) {
        pthread_join(workers[--started], NULL);
    }
    return job_count;
}

static int usual_workers(void)
{
    return wanted.fault == FAULT_CONVOY     ? CONVOY_WORKERS
           : wanted.fault == FAULT_THROTTLE ? THROTTLED_WORKERS
                                            : USUAL_WORKERS;
}

static bool throttle(void)
{
    const char *words = limit_own_cpu();

    printf("thread_pool: limited to %s\n", words ? words : "nothing");
    return words != NULL && fflush(stdout) == 0;
}

/* Sets wanted, or ends the program. */
static void read_options(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", 1, NULL, 's'},
                                            {"rate", 1, NULL, 'r'},
                                            {"workers", 1, NULL, 'w'},
                                            {"folder", 1, NULL, 'f'},
                                            {"fault", 1, NULL, 'x'},
                                            {"help", 0, NULL, 'h'},
                                            {0}};

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's') {
            wanted.seconds = number_option("seconds", optarg, 0.1, 1e6);
        } else if (c == 'r') {
            wanted.rate = number_option("rate", optarg, 0.1, 1e5);
        } else if (c == 'w') {
            wanted.worker_count = (int)number_option("workers", optarg, 1, MAX_WORKERS);
        } else if (c == 'f') {
            wanted.parent = optarg;
        } else if (c == 'x') {
            wanted.fault = (enum fault)choice_option("fault", optarg, fault_names);
        } else {
            fputs(usage, c == 'h' ? stdout : stderr);
            exit(c == 'h' ? 0 : 2);
        }
    }
    if (wanted.worker_count == 0) {
        wanted.worker_count = usual_workers();
    }
}

int main(int argc, char **argv)
{
    char folder[4096];

    read_options(argc, argv);
    snprintf(folder, sizeof(folder), "%s/thread_pool.XXXXXX", wanted.parent);
    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        fprintf(stderr, "thread_pool: cannot work in '%s': %s\n", wanted.parent, strerror(errno));
        return 1;
    }
    bool can_start = wanted.fault != FAULT_THROTTLE || throttle();
    long job_count = can_start ? run_pool() : -errno;
    rmdir(folder);
    if (job_count < 0) {
        fprintf(stderr, "thread_pool: cannot start: %s\n", strerror((int)-job_count));
        return 1;
    }
    printf("thread_pool: %ld jobs, %lld KiB stored in %lld KiB; %lld failed\n", job_count,
           total_bytes / 1024, total_archived_bytes / 1024, failed_count);
    return failed_count == 0 ? 0 : 1;
}
