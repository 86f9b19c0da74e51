#include "recorder.h"

#include "batch.h"
#include "clocks.h"
#include "descriptor.h"
#include "names.h"
#include "ticks.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>

enum {
    PAGE_BYTES = 4096,
    STAGING_SHARE =
        8, /* of the memory: 1/8 each for staging and outbox, at the default sizes 8 MiB */
    OUTBOX_SHARE = 8,
};

static uint64_t round_up_to_page(uint64_t bytes)
{
    return (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

/* Takes the next bytes of the layout. */
static uint64_t lay(uint64_t *end, uint64_t bytes)
{
    uint64_t offset = *end;

    *end += round_up_to_page(bytes);
    return offset;
}

/* Fills in the offsets of a layout. Returns -EINVAL if no ring fits behind the fixed parts. */
static int recorder_lay_out(struct recorder *layout, const struct recorder_sizes *sizes)
{
    uint64_t end = round_up_to_page(sizeof(*layout));

    layout->slot_count = sizes->slot_count;
    layout->ring_max_bytes = sizes->ring_bytes;
    layout->names_offset = lay(&end, RECORDER_MAX_NAMES * sizeof(struct name_entry));
    layout->name_index_offset = lay(&end, RECORDER_NAME_INDEX * sizeof(uint32_t));
    layout->name_text_offset = lay(&end, RECORDER_NAME_TEXT_BYTES);
    layout->queues_offset = lay(&end, RECORDER_MAX_QUEUES * sizeof(struct queue_entry));
    layout->threads_offset = lay(&end, RECORDER_MAX_THREADS * sizeof(struct thread_entry));
    layout->slots_offset = lay(&end, layout->slot_count * sizeof(struct slot));
    /* All free slots fit, and each thread may hold one on its way. */
    layout->magazine_count = layout->slot_count / MAGAZINE_SLOTS + RECORDER_MAX_RINGS;
    layout->magazines_offset = lay(&end, layout->magazine_count * sizeof(struct magazine));
    layout->attributes_offset = lay(&end, layout->slot_count * ATTRIBUTE_BYTES);

    uint64_t staging_bytes = round_up_to_page(sizes->memory_bytes / STAGING_SHARE);

    layout->staging_offset = lay(&end, staging_bytes);
    layout->staging_entries = (staging_bytes - sizeof(struct staging)) / ENTRY_BYTES;
    layout->outbox_bytes = round_up_to_page(sizes->memory_bytes / OUTBOX_SHARE);
    layout->outbox_offset = lay(&end, layout->outbox_bytes);
    layout->rings_offset = end;
    layout->size_bytes = sizes->memory_bytes & ~(uint64_t)(PAGE_BYTES - 1);
    if (end + RING_MIN_BYTES + RING_ENTRIES_OFFSET > layout->size_bytes) {
        return -EINVAL;
    }
    layout->rings_bytes = layout->size_bytes - end;
    return 0;
}

uint64_t recorder_room_for_rings(const struct recorder_sizes *sizes)
{
    struct recorder layout = {0};

    return recorder_lay_out(&layout, sizes) < 0 ? 0 : layout.rings_bytes;
}

static void recorder_identify(struct recorder *layout, uint32_t epoch)
{
    uint64_t generation = 0;

    layout->magic = RECORDER_MAGIC;
    layout->version = RECORDER_VERSION;
    layout->header_bytes = sizeof(*layout);
    layout->pid = (uint32_t)getpid();
    layout->epoch = epoch;
    layout->start_ns = clock_monotonic_ns();
    if (getrandom(layout->session, sizeof(layout->session), GRND_NONBLOCK) !=
            (ssize_t)sizeof(layout->session) ||
        getrandom(&generation, sizeof(generation), GRND_NONBLOCK) != (ssize_t)sizeof(generation)) {
        /* Early boot: the pool is not ready. Distinct for every process and time is enough here. */
        uint64_t mix[2] = {layout->start_ns * UINT64_C(0x9e3779b97f4a7c15) ^ ticks_now(),
                           (uint64_t)layout->pid << 32 ^ (uintptr_t)layout ^ ticks_now()};

        memcpy(layout->session, mix, sizeof(mix));
        generation = mix[0] ^ mix[1];
    }
    layout->first_generation = generation & SLOT_GENERATION_MASK;
}

/* Growing a file beyond the limit would end the program with SIGXFSZ. */
static bool may_have_size(uint64_t bytes)
{
    struct rlimit limit;

    return getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
           bytes <= limit.rlim_cur;
}

/* Gives the file its size for good. */
static int fix_size(int fd, uint64_t bytes)
{
    if (!may_have_size(bytes)) {
        return -EFBIG;
    }
    return ftruncate(fd, (off_t)bytes) < 0 ||
                   fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0
               ? -errno
               : 0;
}

int recorder_new(struct recorder **ret_recorder, int *ret_fd, const struct recorder_sizes *sizes,
                 uint32_t epoch)
{
    struct recorder layout = {0};
    int r = recorder_lay_out(&layout, sizes);

    if (r < 0) {
        return r;
    }
    recorder_identify(&layout, epoch);

    int made = memfd_create("eddy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    AUTO_CLOSE int fd = made < 0 ? -errno : descriptor_move_high(made);

    if (fd < 0) {
        return fd;
    }
    r = fix_size(fd, layout.size_bytes);
    if (r < 0) {
        return r;
    }

    struct recorder *recorder =
        mmap(NULL, layout.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);

    if (recorder == MAP_FAILED) {
        return -errno;
    }
    /* The header's atomics start at zero: nobody else sees the memory yet. */
    memcpy((void *)recorder, (const void *)&layout, sizeof(layout));
    names_init(recorder);
    *ret_fd = take_fd(&fd);
    *ret_recorder = recorder;
    return 0;
}

void recorder_free(struct recorder *recorder)
{
    if (recorder != NULL) {
        (void)munmap(recorder, recorder->size_bytes);
    }
}
