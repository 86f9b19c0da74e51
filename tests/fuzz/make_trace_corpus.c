/*
 * Writes the seeds of fuzz_trace_file and of fuzz_frame into two folders: small trace files, whole and damaged, and frames
 * of each kind of block. Run it again after a change of the format:
 *
 *     make_trace_corpus tests/fuzz/corpus/trace_file tests/fuzz/corpus/frame
 */
#include "trace_bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { ZEROS = 100 };

static int write_file(const char *folder, const char *name, struct slice bytes)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);

    FILE *file = fopen(path, "wb");
    size_t written = file == NULL ? 0 : fwrite(bytes.data, 1, bytes.size, file);

    if (file == NULL || fclose(file) != 0 || written != bytes.size) {
        return -errno;
    }
    return 0;
}

/* --- Trace files --- */

static void make_empty(struct trace_bytes *bytes)
{
    (void)bytes;
}

static void make_session(struct trace_bytes *bytes)
{
    trace_bytes_add_session(bytes, 'a', 3);
}

static void make_concatenated(struct trace_bytes *bytes)
{
    trace_bytes_add_session(bytes, 'a', 1);
    trace_bytes_add_session(bytes, 'b', 1);
}

static void make_skippable(struct trace_bytes *bytes)
{
    trace_bytes_add_source(bytes, 'a');
    trace_bytes_add_skippable(bytes, 3, 0xff);
    trace_bytes_add_batch(bytes, 1);
    trace_bytes_add_skippable(bytes, 0, 0);
}

static void make_newer(struct trace_bytes *bytes)
{
    trace_bytes_add_source(bytes, 'a');
    trace_bytes_add_newer(bytes);
}

static void make_damaged(struct trace_bytes *bytes)
{
    trace_bytes_add_source(bytes, 'a');
    trace_bytes_add_raw(bytes, "\x28\xb5\x2f\xfd damage", 11);
    trace_bytes_add_batch(bytes, 1);
    trace_bytes_add_end(bytes);
    bytes->data[bytes->size - 1] ^= 1;
}

static void make_cut_off(struct trace_bytes *bytes)
{
    trace_bytes_add_session(bytes, 'a', 1);
    bytes->size -= 10;
}

static void make_zero_tail(struct trace_bytes *bytes)
{
    make_cut_off(bytes);
    trace_bytes_add_zeros(bytes, ZEROS);
}

static int write_trace_files(const char *folder)
{
    static const struct {
        const char *name;
        void (*make)(struct trace_bytes *bytes);
    } seeds[] = {
        {"empty", make_empty},
        {"session", make_session},
        {"concatenated", make_concatenated},
        {"skippable", make_skippable},
        {"newer", make_newer},
        {"damaged", make_damaged},
        {"cut_off", make_cut_off},
        {"zero_tail", make_zero_tail},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(seeds); i++) {
        static struct trace_bytes bytes;

        bytes = (struct trace_bytes){0};
        seeds[i].make(&bytes);
        r = write_file(folder, seeds[i].name, (struct slice){bytes.data, bytes.size});
    }
    return r;
}

/* --- Frames --- */

static int write_frame(const char *folder, const char *name, struct slice plain, bool is_flushed)
{
    static uint8_t frame[64 << 10];
    struct frame_writer *writer = NULL;
    size_t size = 0;
    int r = frame_writer_new(&writer);

    r = r < 0 ? r : frame_start(writer, frame, sizeof(frame), plain.size);
    r = r < 0 ? r : frame_append(writer, (struct slice){plain.data, plain.size / 2});
    r = r == 0 && is_flushed ? frame_flush_block(writer) : r;
    r = r < 0 ? r
              : frame_append(writer, (struct slice){plain.data + plain.size / 2,
                                                    plain.size - plain.size / 2});
    r = r < 0 ? r : frame_finish(writer, &size);
    r = r < 0 ? r : write_file(folder, name, (struct slice){frame, size});
    frame_writer_free(writer);
    return r;
}

static int write_frames(const char *folder)
{
    static uint8_t zeros[300 << 10];
    static const char text[] = "a frame of text, a frame of text, a text of frames, and a text";
    static uint8_t noise[200];
    struct trace_bytes bytes = {0};

    for (size_t i = 0; i < sizeof(noise); i++) {
        noise[i] = (uint8_t)(i * i * 31 + i * 7);
    }
    trace_bytes_add_source(&bytes, 'a');

    int r = write_file(folder, "source", (struct slice){bytes.data, bytes.size});

    r = r < 0 ? r
              : write_frame(folder, "one_byte", (struct slice){(const uint8_t *)text, 1}, false);
    r = r < 0 ? r
              : write_frame(folder, "text", (struct slice){(const uint8_t *)text, sizeof(text)},
                            true);
    r = r < 0 ? r : write_frame(folder, "noise", (struct slice){noise, sizeof(noise)}, true);
    r = r < 0 ? r : write_frame(folder, "zeros", (struct slice){zeros, sizeof(zeros)}, true);
    return r < 0 ? r
                 : write_file(folder, "skippable",
                              (struct slice){(const uint8_t *)"\x5e\x2a\x4d\x18\x01\0\0\0x", 9});
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: make_trace_corpus TRACE_FILE_FOLDER FRAME_FOLDER\n");
        return 2;
    }

    int r = write_trace_files(argv[1]);

    r = r < 0 ? r : write_frames(argv[2]);
    if (r < 0) {
        (void)fprintf(stderr, "make_trace_corpus: %s\n", strerror(-r));
        return 1;
    }
    return 0;
}
