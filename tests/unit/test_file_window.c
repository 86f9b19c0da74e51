#include "file_window.h"

#include "faults.h"
#include "random_batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

enum {
    FILE_BYTES = 24 << 20,
    MAX_CALLS = 1000,
};

static uint8_t *content;
static int fd;
static struct file_window window;

static void set_up(void)
{
    uint64_t state = 1;

    content = malloc(FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = random_u64(&state);

        memcpy(content + i, &word, sizeof(word));
    }
    fd = memfd_create("window", MFD_CLOEXEC);
    cr_assert_eq(write(fd, content, FILE_BYTES), FILE_BYTES);
}

static void tear_down(void)
{
    file_window_release(&window);
    (void)close(fd);
    free(content);
}

TestSuite(file_window, .init = set_up, .fini = tear_down);

/* The view must have what is asked for, as far as the file goes, and every byte of it must be right. */
static void check_view(uint64_t offset, size_t size, uint64_t file_size)
{
    struct slice bytes;
    size_t expected = min_u64(size, file_size - min_u64(offset, file_size));

    cr_assert_eq(file_window_show(&window, offset, size, &bytes), 0);
    cr_assert_geq(bytes.size, expected, "%zu bytes at %zu", size, (size_t)offset);
    cr_assert_eq(memcmp(bytes.data, content + offset, expected), 0, "%zu bytes at %zu", size,
                 (size_t)offset);
    cr_assert(bytes.size == 0 ||
              memcmp(bytes.data + bytes.size - 1, content + offset + bytes.size - 1, 1) == 0);
}

Test(file_window, shows_any_view)
{
    uint64_t state = 7;

    cr_assert_eq(file_window_init(&window, fd, FILE_BYTES), 0);
    for (int i = 0; i < 300; i++) {
        size_t size = min_u64(random_bits(&state, 24), FILE_WINDOW_MAX_BYTES);

        check_view(random_u64(&state) % FILE_BYTES, size, FILE_BYTES);
    }
}

Test(file_window, shows_less_at_the_end_of_the_file)
{
    struct slice bytes;

    cr_assert_eq(file_window_init(&window, fd, 1000), 0);
    check_view(990, 100, 1000);
    cr_assert_eq(file_window_show(&window, 990, 100, &bytes), 0);
    cr_expect_eq(bytes.size, 10);
    cr_assert_eq(file_window_show(&window, 1000, 100, &bytes), 0);
    cr_expect_eq(bytes.size, 0);
    cr_assert_eq(file_window_show(&window, UINT64_C(1) << 40, 100, &bytes), 0);
    cr_expect_eq(bytes.size, 0);
    cr_expect_eq(window.file_size, 1000);
    check_view(0, 1000, 1000);
}

Test(file_window, shows_nothing_of_an_empty_file)
{
    struct slice bytes = {content, 42};

    cr_assert_eq(file_window_init(&window, fd, 0), 0);
    cr_assert_eq(file_window_show(&window, 0, 100, &bytes), 0);
    cr_expect_eq(bytes.size, 0);
}

Test(file_window, moving_forward_reads_each_byte_once)
{
    static const size_t sizes[] = {1, 100, 64 << 10, 3 << 20, FILE_WINDOW_MAX_BYTES};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cr_assert_eq(file_window_init(&window, fd, FILE_BYTES), 0);
        faults_arm(&(struct fault){.nth = 0});
        for (uint64_t offset = 0; offset < FILE_BYTES; offset += 20000) {
            check_view(offset, sizes[i], FILE_BYTES);
        }
        cr_expect_leq(faults_bytes_moved(), FILE_BYTES, "views of %zu", sizes[i]);
        (void)faults_disarm();
        file_window_release(&window);
    }
}

Test(file_window, memory_is_bounded)
{
    cr_assert_eq(file_window_init(&window, fd, FILE_BYTES), 0);
    check_view(0, 10, FILE_BYTES);
    cr_expect_leq(window.buffer_size, FILE_WINDOW_FIRST_BYTES);
    check_view(5, FILE_WINDOW_MAX_BYTES, FILE_BYTES);
    check_view(FILE_WINDOW_MAX_BYTES, FILE_WINDOW_MAX_BYTES, FILE_BYTES);
    cr_expect_leq(window.buffer_size, FILE_WINDOW_MAX_BYTES + FILE_WINDOW_AHEAD_BYTES);
}

Test(file_window, reads_no_more_than_asked_for_if_told_so)
{
    struct slice bytes;

    cr_assert_eq(file_window_init(&window, fd, FILE_BYTES), 0);
    faults_arm(&(struct fault){.nth = 0});
    for (uint64_t offset = 0; offset < 10 << 20; offset += 1 << 20) {
        cr_assert_eq(file_window_show_only(&window, offset, 1000, &bytes), 0);
        cr_assert_eq(memcmp(bytes.data, content + offset, 1000), 0);
    }
    cr_expect_eq(faults_bytes_moved(), 10 * 1000);
    (void)faults_disarm();
}

Test(file_window, survives_a_file_that_is_cut)
{
    cr_assert_eq(file_window_init(&window, fd, FILE_BYTES), 0);
    check_view(0, 10, FILE_BYTES);
    cr_assert_eq(ftruncate(fd, 2 << 20), 0);
    check_view((2 << 20) - 5, 100, 2 << 20);
    cr_expect_eq(window.file_size, 2 << 20);
    check_view(5 << 20, 100, 2 << 20);
    cr_expect_eq(window.file_size, 2 << 20);
    check_view(0, 3 << 20, 2 << 20);
}

Test(file_window, knows_holes)
{
    const off_t far = (off_t)1 << 40;

    cr_assert_eq(pwrite(fd, "x", 1, far), 1);
    cr_assert_eq(file_window_init(&window, fd, (uint64_t)far + 1), 0);

    uint64_t data = file_window_skip_hole(&window, FILE_BYTES);

    cr_expect(data > (uint64_t)far - (1 << 20) && data <= (uint64_t)far, "%zu", (size_t)data);
    cr_expect_eq(file_window_skip_hole(&window, 5), 5);
    cr_assert_eq(ftruncate(fd, far), 0);
    cr_expect_eq(file_window_skip_hole(&window, FILE_BYTES), (uint64_t)far + 1);
    /* A file system that does not know: then there is none. */
    faults_arm(&(struct fault){"lseek", 1, EINVAL, FAULT_ONCE});
    cr_expect_eq(file_window_skip_hole(&window, FILE_BYTES), FILE_BYTES);
    (void)faults_disarm();
}

/* Shows some views; an error may stop one, and asking again must give it. Returns whether the n-th call was there. */
static bool show_with_fault(const struct fault *fault)
{
    bool is_reached = false;
    int r = 0;

    faults_arm(fault);
    r = file_window_init(&window, fd, FILE_BYTES);
    for (uint64_t offset = 0; r == 0 && offset < 12 << 20; offset += 2 << 20) {
        struct slice bytes = {NULL, 0};

        r = file_window_show(&window, offset, 3 << 20, &bytes);
        if (r < 0) {
            cr_assert_eq(r, -fault->error);
            cr_assert_null(bytes.data);
            r = file_window_show(&window, offset, 3 << 20, &bytes);
        }
        cr_assert_eq(r, 0);
        cr_assert_eq(memcmp(bytes.data, content + offset, 3 << 20), 0);
    }
    is_reached = faults_disarm();
    cr_assert(r == 0 || r == -ENOMEM);
    file_window_release(&window);
    return is_reached;
}

Test(file_window, shows_the_same_after_every_failing_call)
{
    static const int errors[] = {EIO, ENOMEM, EINTR, 0};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct fault fault = {
            .function = errors[i] == ENOMEM ? NULL : "pread", .nth = 1, .error = errors[i]};

        while (show_with_fault(&fault)) {
            fault.nth++;
            cr_assert_lt(fault.nth, MAX_CALLS);
        }
        cr_expect_gt(fault.nth, 2);
    }
}
