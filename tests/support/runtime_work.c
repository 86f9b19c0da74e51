/*
 * Does one kind of real work, so that the metrics that libeddy takes by itself have something to show, and prints what the
 * kernel says of it, as one line of JSON.
 *
 *     runtime_work KIND AMOUNT [FOLDER]
 *
 * burn MS          computes on one thread
 * sleep COUNT      sleeps so often, a moment each
 * compete MS       computes on twice as many threads as there are CPUs
 * faults MIB       touches fresh pages
 * heap MIB         takes memory from malloc, and keeps it
 * files MIB        writes a file in FOLDER to the disk, and reads it
 * sockets MIB      writes into a socket, and reads from its other end
 * descriptors N    opens so many
 */
#include "eddy.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096, PIECE_BYTES = 64 << 10, MIB_BYTES = 1 << 20, MAX_THREADS = 256 };

static struct eddy_name step = EDDY_NAME("runtime.step");
static const char *folder = "/tmp";

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void nap(long ns)
{
    (void)nanosleep(&(struct timespec){0, ns}, NULL);
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static void compute_until(uint64_t (*clock_ns)(void), uint64_t end_ns)
{
    volatile uint64_t number = 0;

    while (clock_ns() < end_ns) {
        for (int i = 0; i < 1000; i++) {
            number = number * 6364136223846793005U + 1;
        }
    }
}

/* --- Kinds of work: each returns what it did --- */

static uint64_t burn(uint64_t ms)
{
    uint64_t begin_ns = thread_cpu_ns();

    compute_until(thread_cpu_ns, begin_ns + ms * 1000000);
    return thread_cpu_ns() - begin_ns;
}

static uint64_t sleep_often(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        nap(1000);
    }
    return count;
}

static uint64_t compete_until_ns;
static atomic_bool may_end;
static _Atomic uint64_t waited_ns;

static void *compete_on_thread(void *argument)
{
    char text[128] = "";
    char path[64];
    unsigned long waited = 0;

    compute_until(eddy_now_ns, compete_until_ns);
    (void)snprintf(path, sizeof(path), "/proc/self/task/%ld/schedstat", syscall(SYS_gettid));

    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || sscanf(text, "%*u %lu", &waited) != 1) {
        die(path);
    }
    (void)close(fd);
    atomic_fetch_add(&waited_ns, waited);
    while (!atomic_load(&may_end)) { /* so that it is there when it is sampled */
        nap(10000000);
    }
    return argument;
}

static pthread_t competitors[MAX_THREADS];
static int competitor_count;

static uint64_t compete(uint64_t ms)
{
    cpu_set_t cpus;

    (void)sched_getaffinity(0, sizeof(cpus), &cpus);
    compete_until_ns = eddy_now_ns() + ms * 1000000;
    for (competitor_count = 0;
         competitor_count < 2 * CPU_COUNT(&cpus) && competitor_count < MAX_THREADS;
         competitor_count++) {
        if (pthread_create(&competitors[competitor_count], NULL, compete_on_thread, NULL) != 0) {
            die("pthread_create");
        }
    }
    while (eddy_now_ns() < compete_until_ns) {
        nap(1000000);
    }
    nap(200000000);
    return atomic_load(&waited_ns);
}

static uint64_t fault(uint64_t mib)
{
    size_t size = mib * MIB_BYTES;
    char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED) {
        die("mmap");
    }
    (void)madvise(pages, size, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < size; at += PAGE_BYTES) {
        ((volatile char *)pages)[at] = 1;
    }
    (void)munmap(pages, size);
    return size / PAGE_BYTES;
}

static void *kept;

static uint64_t grow_heap(uint64_t mib)
{
    kept = malloc(mib * MIB_BYTES);
    if (kept == NULL) {
        die("malloc");
    }
    memset(kept, 1, mib * MIB_BYTES);
    return mib * MIB_BYTES;
}

/* Moves size bytes through one call or the other, a piece at a time. */
static void write_all(int fd, const char *piece)
{
    for (size_t done = 0; done < PIECE_BYTES;) {
        ssize_t n = write(fd, piece + done, PIECE_BYTES - done);

        if (n <= 0) {
            die("write");
        }
        done += (size_t)n;
    }
}

static void read_all(int fd, char *piece)
{
    for (size_t done = 0; done < PIECE_BYTES;) {
        ssize_t n = read(fd, piece + done, PIECE_BYTES - done);

        if (n <= 0) {
            die("read");
        }
        done += (size_t)n;
    }
}

static uint64_t move_files(uint64_t mib)
{
    static char piece[PIECE_BYTES];
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/runtime_work.data", folder);

    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        die(path);
    }
    for (uint64_t done = 0; done < mib * MIB_BYTES; done += PIECE_BYTES) {
        write_all(fd, piece);
    }
    if (fsync(fd) != 0 || lseek(fd, 0, SEEK_SET) != 0) {
        die("fsync");
    }
    for (uint64_t done = 0; done < mib * MIB_BYTES; done += PIECE_BYTES) {
        read_all(fd, piece);
    }
    (void)close(fd);
    return mib * MIB_BYTES;
}

static uint64_t move_through_socket(uint64_t mib)
{
    static char piece[PIECE_BYTES];
    int ends[2];
    int size = 4 * PIECE_BYTES;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ||
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0) {
        die("socketpair");
    }
    for (uint64_t done = 0; done < mib * MIB_BYTES; done += PIECE_BYTES) {
        write_all(ends[0], piece);
        read_all(ends[1], piece);
    }
    (void)close(ends[0]);
    (void)close(ends[1]);
    return mib * MIB_BYTES;
}

static uint64_t open_many(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0) {
            die("/dev/null");
        }
    }
    return count;
}

/* --- The program --- */

static const struct {
    const char *name;
    uint64_t (*work)(uint64_t amount);
} kinds[] = {
    {"burn", burn},
    {"sleep", sleep_often},
    {"compete", compete},
    {"faults", fault},
    {"heap", grow_heap},
    {"files", move_files},
    {"sockets", move_through_socket},
    {"descriptors", open_many},
};

/* The line of /proc/self/io that is not in what getrusage() says. */
static unsigned long disk_bytes_written(void)
{
    char text[512] = "";
    int fd = open("/proc/self/io", O_RDONLY | O_CLOEXEC);
    unsigned long bytes = 0;

    if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
        const char *line = strstr(text, "\nwrite_bytes: ");

        bytes = line == NULL ? 0 : strtoul(line + strlen("\nwrite_bytes: "), NULL, 10);
    }
    (void)close(fd);
    return bytes;
}

/* Ends operations for a while, so that the next samples come at their shortest period. */
static void be_active(int rounds)
{
    for (int i = 0; i < rounds; i++) {
        eddy_end(eddy_begin(&step), EDDY_OK);
        nap(10000000);
    }
}

int main(int argc, char **argv)
{
    struct rusage before;
    struct rusage after;
    uint64_t did = 0;
    bool is_known = false;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: runtime_work KIND AMOUNT [FOLDER]\n");
        return 2;
    }
    folder = argc > 3 ? argv[3] : folder;
    /* The first sample comes before the work, since somebody listens; the last one when the session ends. */
    for (int i = 0; i < 2; i++) {
        eddy_end(eddy_begin(&step), EDDY_OK);
        if (eddy_flush(20000) != 0) {
            return 1;
        }
    }
    (void)getrusage(RUSAGE_SELF, &before);

    unsigned long written = disk_bytes_written();

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(argv[1], kinds[i].name) == 0) {
            is_known = true;
            did = kinds[i].work(strtoull(argv[2], NULL, 10));
        }
    }
    (void)getrusage(RUSAGE_SELF, &after);
    written = disk_bytes_written() - written;
    be_active(kept != NULL ? 150 : 50); /* malloc is asked once a second */
    atomic_store(&may_end, true);
    for (int i = 0; i < competitor_count; i++) {
        (void)pthread_join(competitors[i], NULL);
    }
    (void)printf("{\"did\": %lu, \"voluntary\": %ld, \"involuntary\": %ld, \"faults\": %ld, "
                 "\"disk_written\": %lu}\n",
                 did, after.ru_nvcsw - before.ru_nvcsw, after.ru_nivcsw - before.ru_nivcsw,
                 after.ru_minflt - before.ru_minflt, written);
    free(kept);
    return is_known && eddy_shutdown(20000) == 0 ? 0 : 1;
}
