#include "descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum {
    HIGH_DESCRIPTOR = 512,
    LOW_LIMIT = 64,
    BELOW_LIMIT = 16, /* where the limit is low, so far below it */
};

static int highest_wanted(void)
{
    struct rlimit limit = {0};

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > HIGH_DESCRIPTOR) {
        return HIGH_DESCRIPTOR;
    }
    return limit.rlim_cur > LOW_LIMIT ? (int)limit.rlim_cur - BELOW_LIMIT : STDERR_FILENO + 1;
}

int descriptor_note(struct descriptor *ret_descriptor, int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return -errno;
    }
    ret_descriptor->device = status.st_dev;
    ret_descriptor->inode = status.st_ino;
    atomic_signal_fence(memory_order_release);
    ret_descriptor->fd = fd;
    return 0;
}

int descriptor_move_high(int fd)
{
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, highest_wanted());

    if (moved < 0 && fd > STDERR_FILENO) {
        return fd;
    }
    (void)close(fd);
    return moved < 0 ? -EMFILE : moved;
}

int descriptor_take(struct descriptor *ret_descriptor, int fd)
{
    int kept = descriptor_move_high(fd);
    int r = kept < 0 ? kept : descriptor_note(ret_descriptor, kept);

    if (r < 0 && kept >= 0) {
        (void)close(kept);
    }
    return r;
}

bool descriptor_is_ours(const struct descriptor *descriptor)
{
    struct stat status;

    return descriptor->fd >= 0 && fstat(descriptor->fd, &status) == 0 &&
           status.st_dev == descriptor->device && status.st_ino == descriptor->inode;
}

/* Closes the descriptors from first to last, if there are any. */
static int close_all(unsigned int first, unsigned int last, unsigned int flags)
{
    return first <= last && syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

int descriptor_own_table(struct descriptor *kept, bool with_stderr)
{
    unsigned int number = (unsigned int)kept->fd;
    unsigned int lowest = with_stderr ? STDERR_FILENO : number;

    if (kept->fd <= STDERR_FILENO) {
        return -EBADF;
    }

    /* Those above first: the kernel then copies no more of the program's table than what is below. */
    int r = close_all(number + 1, UINT_MAX, CLOSE_RANGE_UNSHARE);

    r = r < 0 ? r : close_all(lowest + 1, number - 1, 0);
    r = r < 0 ? r : close_all(0, lowest - 1, 0);
    if (r == 0 && !descriptor_is_ours(kept)) {
        (void)close(kept->fd); /* The program was faster: this is our copy of its file. */
        kept->fd = -1;
    }
    return r;
}

void descriptor_release(struct descriptor *descriptor)
{
    int fd = descriptor->fd;

    if (descriptor_is_ours(descriptor)) {
        descriptor->fd = -1;
        (void)close(fd);
    }
    descriptor->fd = -1;
}
