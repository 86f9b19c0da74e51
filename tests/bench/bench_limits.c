/*
 * What stands below the collector and the analyzer: zstd alone, and copying of the same bytes. Prints one line of JSON, CPU ns
 * in all.
 *
 *     bench_limits FILE...
 *
 * The frames of each trace file are decompressed, nothing else is done with them; the plaintext is copied; and compressed
 * again with zstd level 1, one frame per frame, without flushes, as if it were nothing but bytes. Files are read into memory
 * before the clock starts.
 */
#include "bench_clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

enum { LARGEST_PLAIN = 8 << 20, EXIT_USAGE = 2, LEVEL = 1 };

struct limits {
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    uint8_t *plain;
    uint8_t *other;
    size_t other_size;
    uint64_t frames;
    uint64_t file_bytes;
    uint64_t plain_bytes;
    uint64_t recompressed_bytes;
    uint64_t decompress_ns;
    uint64_t copy_ns;
    uint64_t compress_ns;
};

static int measure_frame(struct limits *limits, const uint8_t *frame, size_t size)
{
    uint64_t start = bench_thread_cpu_ns();
    size_t plain =
        ZSTD_decompressDCtx(limits->decompressor, limits->plain, LARGEST_PLAIN, frame, size);
    uint64_t decompressed = bench_thread_cpu_ns();

    if (ZSTD_isError(plain)) {
        return -1;
    }
    memcpy(limits->other, limits->plain, plain);

    uint64_t copied = bench_thread_cpu_ns();
    size_t again = ZSTD_compressCCtx(limits->compressor, limits->other, limits->other_size,
                                     limits->plain, plain, LEVEL);
    uint64_t compressed = bench_thread_cpu_ns();

    if (ZSTD_isError(again)) {
        return -1;
    }
    limits->frames++;
    limits->plain_bytes += plain;
    limits->recompressed_bytes += again;
    limits->decompress_ns += decompressed - start;
    limits->copy_ns += copied - decompressed;
    limits->compress_ns += compressed - copied;
    return 0;
}

static int measure_bytes(struct limits *limits, const uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t frame = ZSTD_findFrameCompressedSize(bytes + done, size - done);

        if (ZSTD_isError(frame) || measure_frame(limits, bytes + done, frame) < 0) {
            return -1;
        }
        done += frame;
    }
    limits->file_bytes += size;
    return 0;
}

static int measure_file(struct limits *limits, const char *path)
{
    FILE *file = fopen(path, "rb");
    int r = -1;

    if (file == NULL) {
        return -1;
    }
    (void)fseek(file, 0, SEEK_END);

    size_t size = (size_t)ftell(file);
    uint8_t *bytes = malloc(size + 1);

    rewind(file);
    if (bytes != NULL && fread(bytes, 1, size, file) == size) {
        r = measure_bytes(limits, bytes, size);
    }
    free(bytes);
    (void)fclose(file);
    return r;
}

static void print_limits(const struct limits *limits)
{
    (void)printf("{\"frames\":%" PRIu64 ",\"file_bytes\":%" PRIu64 ",\"plain_bytes\":%" PRIu64
                 ",\"recompressed_bytes\":%" PRIu64 ",\"decompress_ns\":%" PRIu64
                 ",\"copy_ns\":%" PRIu64 ",\"compress_ns\":%" PRIu64 "}\n",
                 limits->frames, limits->file_bytes, limits->plain_bytes,
                 limits->recompressed_bytes, limits->decompress_ns, limits->copy_ns,
                 limits->compress_ns);
}

int main(int argc, char **argv)
{
    struct limits limits = {
        .compressor = ZSTD_createCCtx(),
        .decompressor = ZSTD_createDCtx(),
        .plain = malloc(LARGEST_PLAIN),
        .other_size = ZSTD_compressBound(LARGEST_PLAIN),
    };

    limits.other = malloc(limits.other_size);
    if (argc < 2 || limits.compressor == NULL || limits.decompressor == NULL ||
        limits.plain == NULL || limits.other == NULL) {
        (void)fputs("usage: bench_limits FILE...\n", stderr);
        return EXIT_USAGE;
    }
    /* The memory is touched before the clock starts. */
    memset(limits.plain, 1, LARGEST_PLAIN);
    memset(limits.other, 1, limits.other_size);
    for (int i = 1; i < argc; i++) {
        if (measure_file(&limits, argv[i]) < 0) {
            (void)fprintf(stderr, "bench_limits: cannot read '%s'\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    print_limits(&limits);
    ZSTD_freeCCtx(limits.compressor);
    ZSTD_freeDCtx(limits.decompressor);
    free(limits.plain);
    free(limits.other);
    return EXIT_SUCCESS;
}
