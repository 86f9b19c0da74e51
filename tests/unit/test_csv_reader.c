#include "csv_reader.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static struct csv_reader reader;
static struct csv_row row;

static int memory_file(const void *bytes, size_t size)
{
    int fd = memfd_create("csv", MFD_CLOEXEC);

    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* All rows as "a|b/c|d/", or the fault in "!fault". */
static void read_all(const void *bytes, size_t size, char *ret_text)
{
    AUTO_CLOSE int fd = memory_file(bytes, size);
    int r;

    ret_text[0] = '\0';
    csv_reader_init(&reader, fd);
    while ((r = csv_reader_next(&reader, &row)) == 1) {
        for (size_t i = 0; i < row.count; i++) {
            cr_assert_eq(row.lengths[i], strlen(row.fields[i]));
            strcat(ret_text, i > 0 ? "|" : "");
            strcat(ret_text, row.fields[i]);
        }
        strcat(ret_text, "/");
    }
    if (r == -EBADMSG) {
        strcat(ret_text, "!");
        strcat(ret_text, reader.fault);
    }
}

Test(csv_reader, reads_rows_as_rfc_4180_says)
{
    static const struct {
        const char *bytes;
        const char *rows;
    } cases[] = {
        {"", ""},
        {"\n", ""},
        {"\r\n\n\r\n", ""},
        {"a", "a/"},
        {"a\n", "a/"},
        {"a\r\n", "a/"},
        {"a,b\nc,d", "a|b/c|d/"},
        {"a,b\r\nc,d\r\n", "a|b/c|d/"},
        {"a,,b\n,\n", "a||b/|/"},
        {"a,\n", "a|/"},
        {"a\n\n\nb\n", "a/b/"},
        {"\"a\",\"b\"\n", "a|b/"},
        {"\"a,b\",c\n", "a,b|c/"},
        {"\"a\nb\",c\n", "a\nb|c/"},
        {"\"a\r\nb\",c\n", "a\r\nb|c/"},
        {"\"a\"\"b\"\n", "a\"b/"},
        {"\"\"\"\"\n", "\"/"},
        {"\"\",x\n", "|x/"},
        {" a , b \n", " a | b /"},
        {"\xef\xbb\xbf"
         "a,b\n",
         "a|b/"},
        {"\xef\xbb\xbf", ""},
        {"\xef\xbb\n", "\xef\xbb/"},
    };
    char rows[256];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_all(cases[i].bytes, strlen(cases[i].bytes), rows);
        cr_expect_str_eq(rows, cases[i].rows, "case %zu: '%s'", i, rows);
    }
}

Test(csv_reader, refuses_what_is_no_csv_and_says_where)
{
    static const struct {
        const char *bytes;
        size_t size;
        uint64_t line;
        const char *rows;
    } cases[] = {
        {"a\nb\"c\n", 6, 2, "a/!a double quote inside a field that is not quoted"},
        {"a\n\"b\"c\n", 7, 2, "a/!text behind the closing quote of a field"},
        {"a\n\n\"b\n", 6, 3, "a/!a quoted field is not closed before the end of the file"},
        {"a\rb\n", 4, 1, "!a carriage return without a line feed"},
        {"a\r", 2, 1, "!a carriage return without a line feed"},
        {"a\n\"x\ny\"\nb\0c\n", 12, 4, "a/x\ny/!a NUL byte; is this a text file?"},
        {"\"a\0\"", 4, 1, "!a NUL byte; is this a text file?"},
        {"\xff\xfe"
         "a\0",
         4, 1, "!the file is UTF-16; save it as UTF-8"},
    };
    char rows[256];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        read_all(cases[i].bytes, cases[i].size, rows);
        cr_expect_str_eq(rows, cases[i].rows, "case %zu: '%s'", i, rows);
        cr_expect_eq(row.line, cases[i].line, "case %zu: line %llu", i,
                     (unsigned long long)row.line);
    }
}

Test(csv_reader, holds_its_limits)
{
    static char bytes[CSV_MAX_ROW_BYTES + 8];
    static char rows[2 * CSV_MAX_ROW_BYTES];

    memset(bytes, ',', CSV_MAX_FIELDS);
    read_all(bytes, CSV_MAX_FIELDS - 1, rows);
    cr_expect_eq(strlen(rows), CSV_MAX_FIELDS); /* one less '|', and a '/' */
    cr_expect_null(strchr(rows, '!'));
    read_all(bytes, CSV_MAX_FIELDS, rows);
    cr_expect_str_eq(rows, "!the row has more than 64 fields");

    memset(bytes, 'x', sizeof(bytes));
    read_all(bytes, CSV_MAX_ROW_BYTES - 1, rows);
    cr_expect_eq(strlen(rows), CSV_MAX_ROW_BYTES);
    read_all(bytes, CSV_MAX_ROW_BYTES, rows);
    cr_expect_str_eq(rows, "!the row is longer than 65,536 bytes");
}

Test(csv_reader, reads_the_same_across_block_borders)
{
    static char bytes[3 * CSV_BLOCK_BYTES];
    uint64_t count = 0;

    for (size_t shift = 0; shift < 5; shift++) {
        memset(bytes, '\n', sizeof(bytes));
        for (size_t at = CSV_BLOCK_BYTES - 8; at + 16 < sizeof(bytes); at += CSV_BLOCK_BYTES) {
            memcpy(bytes + at + shift, "\"a\"\"b\",c\r\n", 10);
        }
        AUTO_CLOSE int fd = memory_file(bytes, sizeof(bytes));

        csv_reader_init(&reader, fd);
        while (csv_reader_next(&reader, &row) == 1) {
            cr_assert_eq(row.count, 2);
            cr_assert_str_eq(row.fields[0], "a\"b");
            cr_assert_str_eq(row.fields[1], "c");
            count++;
        }
    }
    cr_expect_eq(count, 10, "%llu rows", (unsigned long long)count);
}

Test(csv_reader, says_what_read_said)
{
    csv_reader_init(&reader, -1);
    cr_expect_eq(csv_reader_next(&reader, &row), -EBADF);
}
