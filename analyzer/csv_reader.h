/*
 * CSV (RFC 4180) to records: bytes of a file in, one row of text fields at a time out. Knows nothing of columns.
 *
 * Fields are separated by commas. A field may stand in double quotes; a double quote in it is doubled. Lines end with LF
 * or CR LF, the last line need not end. A byte-order mark of UTF-8 at the start is skipped, blank lines are skipped. A row
 * is refused if it holds a NUL, a carriage return or double quotes where none may stand, more than CSV_MAX_FIELDS fields
 * or more than CSV_MAX_ROW_BYTES bytes. Memory is constant whatever the file.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

enum {
    CSV_MAX_FIELDS = 64,
    CSV_MAX_ROW_BYTES = 64 << 10,
    CSV_BLOCK_BYTES = 64 << 10,
};

/* One row. Texts are NUL-terminated, hold no other NUL, and are borrowed until the next row is read. */
struct csv_row {
    uint64_t line; /* where the row begins, from 1 */
    size_t count;
    const char *fields[CSV_MAX_FIELDS];
    size_t lengths[CSV_MAX_FIELDS];
};

struct csv_reader {
    int fd;            /* borrowed */
    uint64_t line;     /* of the next byte, from 1 */
    const char *fault; /* after -EBADMSG: what is wrong, for a message; a constant */
    bool is_started;
    bool is_at_end;
    size_t block_used;
    size_t block_size;
    size_t text_used;
    uint8_t block[CSV_BLOCK_BYTES];
    char text[CSV_MAX_ROW_BYTES];
};

/*
 * Starts at the file's current position, which is taken for its beginning.
 *
 * fd        borrowed as long as the reader is used
 * Threads:  one reader, one thread at a time.
 */
void csv_reader_init(struct csv_reader *reader, int fd);

/*
 * The next row that is not blank.
 *
 * Returns:  1 (row), 0 (end of file), -EBADMSG if the row is not CSV (reader->fault says why, ret_row->line where), or
 *           what read() said. After an error the reader is of no more use.
 * Threads:  one reader, one thread at a time.
 */
MUST_USE int csv_reader_next(struct csv_reader *reader, struct csv_row *ret_row);
