/*
 * Writes the seeds of fuzz_batch_decode into a folder: the plaintext of a packet of each kind, and of batches of several
 * shapes. Run it again after a change of the format:
 *
 *     make_batch_corpus tests/fuzz/corpus/batch_decode
 */
#include "batch_encode.h"
#include "packet.h"
#include "random_batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FRAME_ROOM = 1 << 20 };

static uint8_t frame[FRAME_ROOM];

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

static int write_seed(const char *folder, const char *name, size_t frame_size)
{
    struct frame_reader *reader = NULL;
    struct slice plain;
    int r = frame_reader_new(&reader);

    r = r < 0 ? r : frame_decompress(reader, (struct slice){frame, frame_size}, &plain);
    r = r < 0 ? r : write_file(folder, name, plain);
    frame_reader_free(reader);
    return r;
}

static int write_packets(const char *folder)
{
    struct source source = {.id.session = "session",
                            .format_version = TRACE_FORMAT_VERSION,
                            .executable = "web",
                            .host_name = "host",
                            .boot_id = "boot",
                            .writer = "seed",
                            .label_count = 1,
                            .labels = {{"run", "canary"}},
                            .argument_count = 1,
                            .arguments = {"web"}};
    struct end end = {.id.session = "session",
                      .loss_count = 1,
                      .losses = {{.cause = LOSS_QUOTA, .queue = "pool"}}};
    struct hello hello = {.session = "session", .executable = "web", .client_version = "seed"};
    struct frame_writer *writer = NULL;
    size_t size = 0;
    int r = frame_writer_new(&writer);

    end.totals.lost[LOSS_RING_FULL].operations = 1;
    r = r < 0 ? r : packet_write_source(writer, &source, frame, sizeof(frame), &size);
    r = r < 0 ? r : write_seed(folder, "source", size);
    r = r < 0 ? r : packet_write_end(writer, &end, frame, sizeof(frame), &size);
    r = r < 0 ? r : write_seed(folder, "end", size);
    r = r < 0 ? r : packet_pack_hello(&hello, frame, sizeof(frame), &size);
    r = r < 0 ? r : write_file(folder, "hello", (struct slice){frame, size});
    frame_writer_free(writer);
    return r;
}

static int write_batch(const char *folder, struct batch_encoder *encoder, const char *name,
                       const struct batch_shape *shape)
{
    struct batch batch = {0};
    size_t size = 0;
    int r = random_batch(&batch, 1, shape);

    r = r < 0 ? r : batch_encode(encoder, &batch, frame, sizeof(frame), &size);
    r = r < 0 ? r : write_seed(folder, name, size);
    batch_release(&batch);
    return r;
}

static int write_batches(const char *folder)
{
    static const struct {
        const char *name;
        struct batch_shape shape;
    } seeds[] = {
        {"empty", {0}},
        {"operations", {.names = 2, .threads = 3, .operations = 40}},
        {"details",
         {.names = 1, .threads = 1, .operations = 6, .sparse_percent = 60, .attributes = 12}},
        {"instants", {.names = 2, .threads = 2, .samples = 12, .marks = 6, .open = 4, .losses = 2}},
        {"long_runs", {.names = 2, .threads = 3, .operations = 8, .long_runs = 9}},
        {"many_names", {.names = 38, .threads = 2, .operations = 20, .samples = 4}},
    };
    struct batch_encoder *encoder = NULL;
    int r = batch_encoder_new(&encoder);

    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(seeds); i++) {
        r = write_batch(folder, encoder, seeds[i].name, &seeds[i].shape);
    }
    batch_encoder_free(encoder);
    return r;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: make_batch_corpus FOLDER\n");
        return 2;
    }

    int r = write_packets(argv[1]);

    r = r < 0 ? r : write_batches(argv[1]);
    if (r < 0) {
        (void)fprintf(stderr, "make_batch_corpus: cannot write to '%s': %s\n", argv[1],
                      strerror(-r));
        return 1;
    }
    return 0;
}
