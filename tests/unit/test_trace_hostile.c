#include "trace_reader.h"

#include "faults.h"
#include "walk_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
enum { MAX_CALLS = 1000 };

/* --- Hostile files --- */

static uint64_t decompressed_bytes;

int __real_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain);

int __wrap_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain);

int __wrap_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain)
{
    struct frame_info info = {0};

    cr_assert_eq(frame_check(frame, &info), 0);
    decompressed_bytes += info.size + info.plain_size;
    return __real_frame_decompress(reader, frame, ret_plain);
}

/*
 * Frames that begin within each other and end together: a header that promises 8 MiB, and a raw block up to the blocks
 * that all of them share, which give nearly that much. Each begins like a packet.
 */
enum {
    BOMB_HEADER_BYTES = 12,
    BOMB_CONTENT_BYTES = 30,
    SHARED_BLOCKS = 63,
    SHARED_BYTES = SHARED_BLOCKS * 4 + 4,
    HOSTILE_BYTES = 100 << 10,
};

static uint8_t hostile[HOSTILE_BYTES + 1000];

static void write_block_header(uint8_t *block, size_t size, unsigned int type, bool is_last)
{
    uint32_t fields = (uint32_t)size << 3 | type << 1 | is_last;

    block[0] = (uint8_t)fields;
    block[1] = (uint8_t)(fields >> 8);
    block[2] = (uint8_t)(fields >> 16);
}

static void write_bomb(uint8_t *at, const uint8_t *shared)
{
    static const uint8_t header[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0x80, 0};
    static const uint8_t content[] = {0x0a, 0xf0, 0xff, 0xff, 0x03, 0x12, 0xe0,
                                      0xff, 0xff, 0x03, 0x0a, 0x12, 0x0a, 0x10};

    memcpy(at, header, sizeof(header));
    write_block_header(at + sizeof(header), (size_t)(shared - at) - BOMB_HEADER_BYTES, 0, false);
    if (at + BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES <= shared) {
        memset(at + BOMB_HEADER_BYTES, 'a', BOMB_CONTENT_BYTES);
        memcpy(at + BOMB_HEADER_BYTES, content, sizeof(content));
    }
}

static void write_shared_blocks(uint8_t *shared)
{
    for (size_t i = 0; i < SHARED_BLOCKS; i++) {
        write_block_header(shared + 4 * i, 128 << 10, 1, i == SHARED_BLOCKS - 1);
    }
}

/*
 * Fills hostile with good frames and bombs behind each other, and a good frame behind all that.
 *
 * Returns: the number of good frames.
 */
static size_t write_hostile(bool has_good_frames, size_t *ret_size)
{
    uint8_t *shared = hostile + HOSTILE_BYTES - SHARED_BYTES;
    size_t good = 0;
    size_t at = 0;

    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_batch(&bytes, 0);
    for (; at + bytes.size + BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES < HOSTILE_BYTES - SHARED_BYTES;
         good++) {
        if (has_good_frames || at == 0) {
            memcpy(hostile + at, bytes.data, bytes.sizes[0]);
            at += bytes.sizes[0];
        }
        write_bomb(hostile + at, shared);
        at += BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES;
    }
    write_shared_blocks(shared);
    memcpy(hostile + HOSTILE_BYTES, bytes.data + bytes.offsets[1], bytes.sizes[1]);
    *ret_size = HOSTILE_BYTES + bytes.sizes[1];
    return has_good_frames ? good + 1 : 2;
}

/* What tests may cost: the budget, and 16 frames that the reader trusts and the caller decompresses. */
Test(trace_hostile, bombs_within_each_other_are_not_all_tested)
{
    for (int has_good_frames = 0; has_good_frames <= 1; has_good_frames++) {
        size_t size = 0;
        size_t good = 0;

        bytes.size = 0;
        bytes.frame_count = 0;
        good = write_hostile(has_good_frames, &size);
        decompressed_bytes = 0;
        checked_walk((struct slice){hostile, size}, &walk);

        size_t found = 0;

        for (size_t i = 0; i < walk.count; i++) {
            found += walk.steps[i].kind == STEP_GOOD;
        }
        cr_expect_eq(found, good, "%zu of %zu frames", found, good);
        cr_expect_gt(decompressed_bytes, 64 << 20, "no bomb was tested");
        /* Of each of the two walks that checked_walk() does. */
        cr_expect_lt(decompressed_bytes,
                     2 * ((256 << 20) + 64 * size + 17 * (8 << 20) + 200 * good));
    }
}

static uint64_t form_tests;

int __real_frame_check(struct slice start, struct frame_info *ret_info);
int __wrap_frame_check(struct slice start, struct frame_info *ret_info);

int __wrap_frame_check(struct slice start, struct frame_info *ret_info)
{
    form_tests++;
    return __real_frame_check(start, ret_info);
}

/* Many beginnings of frames must not lead to reading their bytes many times, nor to testing all of them. */
Test(trace_hostile, false_magics_are_read_once_and_not_all_tested)
{
    enum { SIZE = 24 << 20, STEP = 16 };
    uint8_t *data = calloc(1, SIZE);
    struct trace_reader *reader = NULL;
    struct trace_item item;

    /* Each promises a block, and others where that one ends. */
    for (size_t at = 0; at + STEP < SIZE; at += STEP) {
        memcpy(data + at, "\x28\xb5\x2f\xfd\xa4\0\0\x80\0", 9);
        write_block_header(data + at + 9, 64 << 10, 0, false);
    }
    cr_assert_eq(trace_reader_new(&reader, memory_file(data, SIZE)), 0);
    form_tests = 0;
    faults_arm(&(struct fault){.nth = 0});
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.size_bytes, SIZE);
    cr_expect_lt(faults_bytes_moved(), 3 * (uint64_t)SIZE);
    cr_expect_lt(form_tests, 2 * (SIZE / 64 + (256 << 20) / 4096), "%zu tests", (size_t)form_tests);
    (void)faults_disarm();
    trace_reader_free(reader);
    free(data);
}

Test(trace_hostile, holes_are_stepped_over)
{
    const off_t size = (off_t)1 << 40;
    struct trace_reader *reader = NULL;
    struct trace_item item;

    trace_bytes_add_session(&bytes, 'a', 1);

    int fd = memory_file(bytes.data, bytes.sizes[0]);

    cr_assert_eq(pwrite(fd, bytes.data + bytes.offsets[1], bytes.sizes[1], size),
                 (ssize_t)bytes.sizes[1]);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    faults_arm(&(struct fault){.nth = 0});
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.offset_bytes + item.size_bytes, size);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_FRAME);
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(ftruncate(fd, size), 0);
    cr_expect_lt(faults_bytes_moved(), 64 << 20);
    (void)faults_disarm();
    trace_reader_free(reader);
}

/* --- Failures --- */

Test(trace_hostile, refuses_all_but_regular_files)
{
    int pipe_fds[2];
    struct trace_reader *reader = NULL;
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_eq(pipe(pipe_fds), 0);
    cr_expect_eq(trace_reader_new(&reader, pipe_fds[0]), -ESPIPE);
    cr_expect_eq(trace_reader_new(&reader, folder), -EISDIR);
    cr_expect_eq(trace_reader_new(&reader, -1), -EBADF);
    cr_expect_null(reader);
    cr_expect_eq(fcntl(pipe_fds[0], F_GETFD), -1, "the descriptor is the reader's also on error");
    cr_expect_eq(fcntl(folder, F_GETFD), -1);
    (void)close(pipe_fds[1]);
    trace_reader_free(NULL);
}

/* A walk goes on where an error stopped it, and tells the same. */
static bool walk_with_fault(const struct fault *fault)
{
    int fd = memory_file(bytes.data, bytes.size);
    struct trace_reader *reader = NULL;
    size_t told = 0;
    int r = 0;

    faults_arm(fault);
    r = trace_reader_new(&reader, fd);
    if (r < 0) {
        cr_assert_eq(r, -fault->error);
        cr_assert_eq(fcntl(fd, F_GETFD), -1, "call %u leaks the descriptor", fault->nth);
        return faults_disarm();
    }
    for (int tries = 0; r != 0 || told == 0; tries++) {
        struct trace_item item;

        r = trace_reader_next(reader, &item);
        cr_assert(r >= 0 || r == -fault->error, "call %u gives %d", fault->nth, r);
        if (r == 1) {
            cr_assert_eq(item.kind,
                         walk.steps[told].kind == STEP_GOOD ? TRACE_FRAME : TRACE_DAMAGE);
            cr_assert_eq(item.offset_bytes, walk.steps[told].offset, "call %u", fault->nth);
            told++;
        }
        cr_assert_lt(tries, 100);
    }
    cr_assert_eq(told, walk.count);
    trace_reader_free(reader);
    return faults_disarm();
}

Test(trace_hostile, goes_on_after_every_failing_call)
{
    static const int errors[] = {EIO, EINTR, ENOMEM, 0};

    trace_bytes_add_session(&bytes, 'a', 3);
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_session(&bytes, 'b', 3);
    walk_all();
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct fault fault = {
            .function = errors[i] == ENOMEM ? NULL : "pread", .nth = 1, .error = errors[i]};

        while (walk_with_fault(&fault)) {
            fault.nth++;
            cr_assert_lt(fault.nth, MAX_CALLS);
        }
        cr_expect_gt(fault.nth, 1);
    }
}
