#define _GNU_SOURCE
#include "document_archive.h"

#include <eddy.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum {
    USUAL_LEVEL = 3,
    THOROUGH_LEVEL = 9,
    BEST_LEVEL = 19,
    CATALOGUE_BYTES = 16 << 20,
    CATALOGUE_BLOCK_BYTES = 256 << 10
};

static struct eddy_name zstd_compress = EDDY_NAME("zstd.compress");
static struct eddy_name zstd_decompress = EDDY_NAME("zstd.decompress");
static struct eddy_name file_write = EDDY_NAME("file.write");
static struct eddy_name file_sync = EDDY_NAME("file.sync");
static struct eddy_name file_read = EDDY_NAME("file.read");
static struct eddy_name file_checkpoint = EDDY_NAME("file.checkpoint");

static pthread_mutex_t compressor_lock = PTHREAD_MUTEX_INITIALIZER;
static ZSTD_CCtx *compressor; /* under the lock; made when first needed, for good */

/* ---- Steps: children of the operation, in the same state as it ---- */

static uint64_t begin_step(struct eddy_name *name, uint64_t operation, uint32_t state)
{
    eddy_state(operation, state);
    uint64_t step = eddy_begin_child(name, operation);
    eddy_state(step, state);
    return step;
}

static bool end_step(uint64_t step, bool succeeded)
{
    eddy_end(step, succeeded ? EDDY_OK : EDDY_ERROR);
    return succeeded;
}

/* ---- The work ---- */

/* Returns the size of the archive; 0 if it failed. */
static size_t compress_alone(const struct document *document, int level, char *archive, size_t room,
                             uint64_t operation)
{
    uint64_t step = begin_step(&zstd_compress, operation, EDDY_RUNNING);
    size_t size = ZSTD_compress(archive, room, document->text, document->size, level);

    return end_step(step, !ZSTD_isError(size)) ? size : 0;
}

/* One context saves memory, until many want it: the lock is held for as long as the compression takes. */
static size_t compress_in_turn(const struct document *document, char *archive, size_t room,
                               uint64_t operation)
{
    eddy_state(operation, EDDY_WAITING_LOCK);
    pthread_mutex_lock(&compressor_lock);
    uint64_t step = begin_step(&zstd_compress, operation, EDDY_RUNNING);
    compressor = compressor ? compressor : ZSTD_createCCtx();
    size_t size = compressor == NULL ? 0
                                     : ZSTD_compressCCtx(compressor, archive, room, document->text,
                                                         document->size, THOROUGH_LEVEL);
    bool is_done = end_step(step, size > 0 && !ZSTD_isError(size));
    pthread_mutex_unlock(&compressor_lock);
    return is_done ? size : 0;
}

/* O_DSYNC: each write waits until its block is on the disk. */
static bool write_catalogue(const struct document *document, uint64_t operation)
{
    uint64_t step = begin_step(&file_checkpoint, operation, EDDY_WAITING_IO);
    char *block = malloc(CATALOGUE_BLOCK_BYTES);
    char name[32];
    size_t written = 0;

    snprintf(name, sizeof(name), "%u.catalogue", document->number);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_DSYNC | O_CLOEXEC, 0640);
    for (size_t i = 0; block != NULL && i < CATALOGUE_BLOCK_BYTES; i++) {
        block[i] = document->text[i % document->size];
    }
    while (block != NULL && written < CATALOGUE_BYTES &&
           write(fd, block, CATALOGUE_BLOCK_BYTES) == CATALOGUE_BLOCK_BYTES) {
        written += CATALOGUE_BLOCK_BYTES;
    }
    free(block);
    if (fd >= 0) {
        close(fd);
        unlink(name);
    }
    return end_step(step, written == CATALOGUE_BYTES);
}

/* Writes the archive, and when it is safe on the disk reads it back into the same memory. */
static bool store_archive(int fd, char *archive, size_t size, uint64_t operation)
{
    uint64_t step = begin_step(&file_write, operation, EDDY_WAITING_IO);
    if (!end_step(step, write(fd, archive, size) == (ssize_t)size)) {
        return false;
    }
    step = begin_step(&file_sync, operation, EDDY_WAITING_IO);
    if (!end_step(step, fsync(fd) == 0)) {
        return false;
    }
    step = begin_step(&file_read, operation, EDDY_WAITING_IO);
    return end_step(step, pread(fd, archive, size, 0) == (ssize_t)size);
}

static bool restores_document(const struct document *document, const char *archive, size_t size,
                              uint64_t operation)
{
    uint64_t step = begin_step(&zstd_decompress, operation, EDDY_RUNNING);
    char *restored = malloc(document->size);
    bool is_same = restored != NULL &&
                   ZSTD_decompress(restored, document->size, archive, size) == document->size &&
                   memcmp(restored, document->text, document->size) == 0;

    free(restored);
    return end_step(step, is_same);
}

static size_t compress(const struct document *document, enum archive_way way, char *archive,
                       size_t room, uint64_t operation)
{
    int level = way == ARCHIVE_BEST ? BEST_LEVEL : USUAL_LEVEL;

    return way == ARCHIVE_ONE_COMPRESSOR
               ? compress_in_turn(document, archive, room, operation)
               : compress_alone(document, level, archive, room, operation);
}

static size_t archive_to(int fd, const struct document *document, enum archive_way way,
                         uint64_t operation)
{
    size_t room = ZSTD_compressBound(document->size);
    char *archive = malloc(room);
    size_t size = archive ? compress(document, way, archive, room, operation) : 0;
    bool is_safe = size > 0 && store_archive(fd, archive, size, operation) &&
                   restores_document(document, archive, size, operation) &&
                   (way != ARCHIVE_CHECKPOINT || write_catalogue(document, operation));

    free(archive);
    return is_safe ? size : 0;
}

size_t archive_document(const struct document *document, enum archive_way way, uint64_t operation)
{
    char name[32];

    snprintf(name, sizeof(name), "%u.zst", document->number);
    eddy_state(operation, EDDY_WAITING_IO);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        return 0;
    }
    eddy_state(operation, EDDY_RUNNING);
    size_t size = archive_to(fd, document, way, operation);
    eddy_state(operation, EDDY_WAITING_IO);
    close(fd);
    unlink(name); /* this is a sample: the disk stays as it was */
    return size;
}
