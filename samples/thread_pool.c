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
 */
#define _GNU_SOURCE
#include "sample_options.h"

#include <eddy.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zstd.h>

enum { MAX_WORKERS = 64, QUEUE_CAPACITY = 32, LEAST_BYTES = 8 << 10, MOST_BYTES = 8 << 20 };

static struct eddy_name pool_submit = EDDY_NAME("pool.submit");
static struct eddy_name pool_archive = EDDY_NAME("pool.archive");
static struct eddy_name zstd_compress = EDDY_NAME("zstd.compress");
static struct eddy_name zstd_decompress = EDDY_NAME("zstd.decompress");
static struct eddy_name file_write = EDDY_NAME("file.write");
static struct eddy_name file_sync = EDDY_NAME("file.sync");
static struct eddy_name file_read = EDDY_NAME("file.read");
static struct eddy_name document_bytes = EDDY_NAME("document.bytes");
static struct eddy_name archived_bytes = EDDY_METRIC("pool.archived_bytes", "By");
static struct eddy_name workers_total = EDDY_METRIC("pool.workers.total", "{worker}");
static struct eddy_name workers_busy = EDDY_METRIC("pool.workers.busy", "{worker}");
static struct eddy_queue pool_queue = EDDY_QUEUE("pool.queue", QUEUE_CAPACITY);

struct job {
    unsigned number;
    char *document; /* owned */
    size_t size;
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

    pthread_mutex_lock(&lock);
    while (put_count - taken_count == QUEUE_CAPACITY) {
        eddy_state(operation, EDDY_WAITING_LOCK);
        pthread_cond_wait(&not_full, &lock);
    }
    eddy_state(operation, EDDY_RUNNING);
    job.operation = eddy_begin_queued(&pool_archive, &pool_queue);
    eddy_set_u64(job.operation, &document_bytes, job.size);
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
    free(job->document);
    pthread_mutex_lock(&lock);
    eddy_gauge(&workers_busy, --busy_count);
    failed_count += !is_done;
    total_bytes += (long long)job->size;
    total_archived_bytes += (long long)archive_size;
    pthread_mutex_unlock(&lock);
}

/* ---- The work ---- */

static bool end_step(uint64_t step, bool succeeded)
{
    eddy_end(step, succeeded ? EDDY_OK : EDDY_ERROR);
    return succeeded;
}

/* Returns the size of the archive; 0 if it failed. */
static size_t compress_document(const struct job *job, char *archive, size_t room)
{
    uint64_t step = eddy_begin_child(&zstd_compress, job->operation);
    size_t size = ZSTD_compress(archive, room, job->document, job->size, 3);

    return end_step(step, !ZSTD_isError(size)) ? size : 0;
}

/* Writes the archive, and when it is safe on the disk reads it back into the same memory. */
static bool store_archive(const struct job *job, int fd, char *archive, size_t size)
{
    eddy_state(job->operation, EDDY_WAITING_IO);
    uint64_t step = eddy_begin_child(&file_write, job->operation);
    if (!end_step(step, write(fd, archive, size) == (ssize_t)size)) {
        return false;
    }
    step = eddy_begin_child(&file_sync, job->operation);
    if (!end_step(step, fsync(fd) == 0)) {
        return false;
    }
    step = eddy_begin_child(&file_read, job->operation);
    bool is_read = end_step(step, pread(fd, archive, size, 0) == (ssize_t)size);
    eddy_state(job->operation, EDDY_RUNNING);
    return is_read;
}

static bool restores_document(const struct job *job, const char *archive, size_t size)
{
    uint64_t step = eddy_begin_child(&zstd_decompress, job->operation);
    char *restored = malloc(job->size);
    bool is_same = restored != NULL &&
                   ZSTD_decompress(restored, job->size, archive, size) == job->size &&
                   memcmp(restored, job->document, job->size) == 0;

    free(restored);
    return end_step(step, is_same);
}

/* Returns the size of the archive; 0 if the job failed. */
static size_t run_job(const struct job *job)
{
    size_t room = ZSTD_compressBound(job->size);
    char *archive = malloc(room);
    char name[32];

    snprintf(name, sizeof(name), "%u.zst", job->number);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    size_t size = archive && fd >= 0 ? compress_document(job, archive, room) : 0;
    bool is_safe =
        size > 0 && store_archive(job, fd, archive, size) && restores_document(job, archive, size);
    free(archive);
    if (fd >= 0) {
        close(fd);
        unlink(name); /* this is a sample: the disk stays as it was */
    }
    return is_safe ? size : 0;
}

static void *work(void *unused)
{
    struct job job;

    while (take(&job)) {
        eddy_state(job.operation, EDDY_RUNNING); /* leaves the queue */
        finish(&job, run_job(&job));
    }
    return unused;
}

/* ---- The producer ---- */

static double uniform(void)
{
    return drand48() + 0x1p-60; /* never 0 */
}

/* Lines of a log, as long as chance wants: a bounded Pareto distribution. */
static bool make_document(unsigned number, struct job *ret_job)
{
    double size = LEAST_BYTES * pow(uniform(), -1 / 1.1);
    struct job job = {.number = number, .size = size < MOST_BYTES ? (size_t)size : MOST_BYTES};
    size_t used = 0;

    job.document = malloc(job.size + 1);
    while (job.document != NULL && used < job.size) {
        int n = snprintf(job.document + used, job.size + 1 - used, "%u GET /item/%ld took %ld us\n",
                         number, lrand48() % 1000, lrand48());
        used += (size_t)n;
    }
    *ret_job = job;
    return job.document != NULL;
}

static void sleep_until(uint64_t time_ns)
{
    struct timespec time = {.tv_sec = (time_t)(time_ns / 1000000000),
                            .tv_nsec = (long)(time_ns % 1000000000)};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

/* Poisson arrivals, until the time is over. Returns the number of jobs. */
static unsigned produce(double seconds, double rate)
{
    uint64_t next_ns = eddy_now_ns();
    uint64_t end_ns = next_ns + (uint64_t)(seconds * 1e9);
    unsigned count = 0;
    struct job job;

    while (eddy_now_ns() < end_ns && make_document(count, &job)) {
        submit(job);
        count++;
        next_ns += (uint64_t)(-log(uniform()) / rate * 1e9);
        sleep_until(next_ns < end_ns ? next_ns : end_ns);
    }
    return count;
}

/* ---- Start and end ---- */

/* Runs the pool in the current folder. Returns the number of jobs, or a negative errno. */
static long run_pool(int worker_count, double seconds, double rate)
{
    pthread_t workers[MAX_WORKERS];
    int started = 0, r = 0;

    while (started < worker_count && r == 0) {
        r = pthread_create(&workers[started], NULL, work, NULL);
        started += r == 0;
    }
    eddy_gauge(&workers_total, started);
    long job_count = r == 0 ? (long)produce(seconds, rate) : -r;
    pthread_mutex_lock(&lock);
    no_more_jobs = true;
    pthread_cond_broadcast(&not_empty);
    pthread_mutex_unlock(&lock);
    while (started > 0) {
        pthread_join(workers[--started], NULL);
    }
    return job_count;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},
                                            {"workers", 1, NULL, 'w'}, {"folder", 1, NULL, 'f'},
                                            {"help", 0, NULL, 'h'},    {0}};
    const char *parent = P_tmpdir;
    char folder[4096];
    double seconds = 10, rate = 100;
    int worker_count = 4;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 's') {
            seconds = number_option("seconds", optarg, 0.1, 1e6);
        } else if (c == 'r') {
            rate = number_option("rate", optarg, 0.1, 1e5);
        } else if (c == 'w') {
            worker_count = (int)number_option("workers", optarg, 1, MAX_WORKERS);
        } else if (c == 'f') {
            parent = optarg;
        } else {
            fprintf(
                c == 'h' ? stdout : stderr,
                "usage: thread_pool [--seconds N] [--rate N] [--workers N] [--folder DIR]\n"
                "Compresses and stores about rate documents a second, in a new folder of DIR.\n");
            return c == 'h' ? 0 : 2;
        }
    }
    snprintf(folder, sizeof(folder), "%s/thread_pool.XXXXXX", parent);
    if (mkdtemp(folder) == NULL || chdir(folder) < 0) {
        fprintf(stderr, "thread_pool: cannot work in '%s': %s\n", parent, strerror(errno));
        return 1;
    }
    long job_count = run_pool(worker_count, seconds, rate);
    rmdir(folder);
    if (job_count < 0) {
        fprintf(stderr, "thread_pool: cannot start the workers: %s\n", strerror((int)-job_count));
        return 1;
    }
    printf("thread_pool: %ld jobs, %lld KiB stored in %lld KiB; %lld failed\n", job_count,
           total_bytes / 1024, total_archived_bytes / 1024, failed_count);
    return failed_count == 0 ? 0 : 1;
}
