/*
 * document_archive.h - what a worker of thread_pool.c does: a document goes to the disk, compressed and checked.
 *
 * In are a document and the operation it is archived for, out is the size of its archive. The operation's states are
 * kept, and each step becomes a child of it. Files are made in the current folder.
 */
#ifndef DOCUMENT_ARCHIVE_H
#define DOCUMENT_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

struct document {
    unsigned number; /* names its files: one job at a time may have it */
    char *text;
    size_t size;
};

enum archive_way {
    ARCHIVE_PLAIN,
    ARCHIVE_BEST,           /* compressed as far as possible, however long that takes */
    ARCHIVE_ONE_COMPRESSOR, /* with the one compressor that all threads share, and its lock */
    ARCHIVE_CHECKPOINT      /* and the catalogue is written anew, safely: MiB after MiB */
};

/*
 * Compresses a document, writes and syncs it, reads it back and compares.
 *
 * Returns:  the size of the archive; 0 if anything failed.
 * Threads:  any.
 */
size_t archive_document(const struct document *document, enum archive_way way, uint64_t operation);

#endif
