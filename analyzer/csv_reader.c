#include "csv_reader.h"

#include <errno.h>
#include <string.h>

enum { END_OF_FILE = -1 };

/* Where in a field the next byte stands. */
enum place {
    FIELD_START,
    FIELD_PLAIN,
    FIELD_QUOTED,
    FIELD_QUOTE_IN_QUOTED, /* closes the field, or is the first of a doubled one */
    ROW_END,
};

void csv_reader_init(struct csv_reader *reader, int fd)
{
    reader->fd = fd;
    reader->line = 1;
    reader->fault = NULL;
    reader->is_started = false;
    reader->is_at_end = false;
    reader->block_used = 0;
    reader->block_size = 0;
    reader->text_used = 0;
}

static int fill_block(struct csv_reader *reader)
{
    ssize_t got;

    do {
        got = read(reader->fd, reader->block, sizeof(reader->block));
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -errno;
    }
    reader->block_used = 0;
    reader->block_size = (size_t)got;
    reader->is_at_end = got == 0;
    return 0;
}

/* Takes the next byte, or END_OF_FILE. */
static int next_byte(struct csv_reader *reader, int *ret_byte)
{
    if (reader->block_used == reader->block_size && !reader->is_at_end) {
        int r = fill_block(reader);

        if (r < 0) {
            return r;
        }
    }
    *ret_byte = reader->is_at_end ? END_OF_FILE : reader->block[reader->block_used++];
    reader->line += *ret_byte == '\n';
    return 0;
}

static int refuse(struct csv_reader *reader, const char *fault)
{
    reader->fault = fault;
    return -EBADMSG;
}

static int skip_byte_order_mark(struct csv_reader *reader)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    int r = fill_block(reader);

    reader->is_started = true;
    if (r < 0) {
        return r;
    }
    if (reader->block_size >= sizeof(mark) && memcmp(reader->block, mark, sizeof(mark)) == 0) {
        reader->block_used = sizeof(mark);
    }
    if (reader->block_size >= 2 &&
        (memcmp(reader->block, "\xff\xfe", 2) == 0 || memcmp(reader->block, "\xfe\xff", 2) == 0)) {
        return refuse(reader, "the file is UTF-16; save it as UTF-8");
    }
    return 0;
}

static int put(struct csv_reader *reader, char byte)
{
    if (reader->text_used == sizeof(reader->text)) {
        return refuse(reader, "the row is longer than 65,536 bytes");
    }
    reader->text[reader->text_used++] = byte;
    return 0;
}

static int begin_field(struct csv_reader *reader, struct csv_row *row)
{
    if (row->count == CSV_MAX_FIELDS) {
        return refuse(reader, "the row has more than 64 fields");
    }
    row->fields[row->count++] = reader->text + reader->text_used;
    return 0;
}

static int end_field(struct csv_reader *reader, struct csv_row *row)
{
    const char *end = reader->text + reader->text_used;

    row->lengths[row->count - 1] = (size_t)(end - row->fields[row->count - 1]);
    return put(reader, '\0');
}

/* A comma or the end of the row, after a field. Returns where the next byte stands. */
static int separate(struct csv_reader *reader, struct csv_row *row, int byte)
{
    int r = end_field(reader, row);

    if (r < 0 || byte != ',') {
        return r < 0 ? r : ROW_END;
    }
    r = begin_field(reader, row);
    return r < 0 ? r : FIELD_START;
}

static bool ends_field(int byte)
{
    return byte == ',' || byte == '\n' || byte == END_OF_FILE;
}

/* A byte outside of quotes. Returns where the next byte stands, or a negative errno. */
static int take_plain(struct csv_reader *reader, struct csv_row *row, enum place place, int byte)
{
    if (ends_field(byte)) {
        return separate(reader, row, byte);
    }
    if (byte == '"') {
        return place == FIELD_START
                   ? FIELD_QUOTED
                   : refuse(reader, "a double quote inside a field that is not quoted");
    }
    int r = put(reader, (char)byte);

    return r < 0 ? r : FIELD_PLAIN;
}

static int take_quoted(struct csv_reader *reader, int byte)
{
    if (byte == END_OF_FILE) {
        return refuse(reader, "a quoted field is not closed before the end of the file");
    }
    if (byte == '"') {
        return FIELD_QUOTE_IN_QUOTED;
    }
    int r = put(reader, (char)byte);

    return r < 0 ? r : FIELD_QUOTED;
}

static int take_after_quote(struct csv_reader *reader, struct csv_row *row, int byte)
{
    if (ends_field(byte)) {
        return separate(reader, row, byte);
    }
    if (byte != '"') {
        return refuse(reader, "text behind the closing quote of a field");
    }
    int r = put(reader, '"');

    return r < 0 ? r : FIELD_QUOTED;
}

/* The next byte outside of quotes: CR LF is one line end, any other CR is none. */
static int next_outside_quotes(struct csv_reader *reader, int *ret_byte)
{
    int r = next_byte(reader, ret_byte);

    if (r < 0 || *ret_byte != '\r') {
        return r;
    }
    r = next_byte(reader, ret_byte);
    if (r == 0 && *ret_byte != '\n') {
        return refuse(reader, "a carriage return without a line feed");
    }
    return r;
}

/* Returns the place behind the next byte, or a negative errno. */
static int step(struct csv_reader *reader, struct csv_row *row, enum place place)
{
    int byte = 0;
    int r = place == FIELD_QUOTED ? next_byte(reader, &byte) : next_outside_quotes(reader, &byte);

    if (r < 0) {
        return r;
    }
    if (byte == '\0') {
        return refuse(reader, "a NUL byte; is this a text file?");
    }
    switch (place) {
    case FIELD_QUOTED:
        return take_quoted(reader, byte);
    case FIELD_QUOTE_IN_QUOTED:
        return take_after_quote(reader, row, byte);
    default:
        return take_plain(reader, row, place, byte);
    }
}

static int read_row(struct csv_reader *reader, struct csv_row *row)
{
    enum place place = FIELD_START;
    int r;

    reader->text_used = 0;
    row->line = reader->line;
    row->count = 0;
    r = begin_field(reader, row);
    while (r >= 0 && place != ROW_END) {
        r = step(reader, row, place);
        if (r >= 0) {
            place = (enum place)r;
        }
    }
    return r < 0 ? r : 0;
}

static bool is_blank(const struct csv_row *row)
{
    return row->count == 1 && row->lengths[0] == 0;
}

int csv_reader_next(struct csv_reader *reader, struct csv_row *ret_row)
{
    int r = reader->is_started ? 0 : skip_byte_order_mark(reader);

    ret_row->line = reader->line;
    if (r < 0) {
        return r;
    }
    do {
        r = read_row(reader, ret_row);
        if (r < 0) {
            return r;
        }
    } while (is_blank(ret_row) && !reader->is_at_end);
    return is_blank(ret_row) ? 0 : 1;
}
