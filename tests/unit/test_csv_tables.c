/*
 * csv_table with both of its users: csv_operations and csv_samples.
 */
#include "csv_operations.h"
#include "csv_samples.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct csv_table table;

static int memory_file(const char *text)
{
    int fd = memfd_create("csv", MFD_CLOEXEC);

    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/* Reads until something is refused, and returns why; "" if nothing is. */
static const char *refusal_of_operations(const char *text)
{
    AUTO_CLOSE int fd = memory_file(text);
    struct csv_operation operation;
    int r = csv_operations_init(&table, fd);

    while (r >= 0 && (r = csv_operations_next(&table, &operation)) == 1) {
    }
    cr_assert(r == 0 || r == -EBADMSG);
    return r == 0 ? "" : table.problem;
}

static const char *refusal_of_samples(const char *text)
{
    AUTO_CLOSE int fd = memory_file(text);
    struct csv_sample sample;
    int r = csv_samples_init(&table, fd);

    while (r >= 0 && (r = csv_samples_next(&table, &sample)) == 1) {
    }
    cr_assert(r == 0 || r == -EBADMSG);
    return r == 0 ? "" : table.problem;
}

Test(csv_operations, finds_columns_in_any_order)
{
    AUTO_CLOSE int fd = memory_file("thread,status,duration_ns,name,start_ns\n"
                                    "worker,timeout,20,\"db, main\",10\n");
    struct csv_operation operation;

    cr_assert_eq(csv_operations_init(&table, fd), 0);
    cr_assert_eq(csv_operations_next(&table, &operation), 1);
    cr_expect_str_eq(operation.name, "db, main");
    cr_expect_str_eq(operation.thread, "worker");
    cr_expect_eq(operation.begin_ns, 10);
    cr_expect_eq(operation.duration_ns, 20);
    cr_expect_eq(operation.status, STATUS_TIMEOUT);
    cr_expect_not(operation.is_unfinished);
    cr_expect_eq(csv_operations_next(&table, &operation), 0);
}

Test(csv_operations, does_without_status_and_thread)
{
    AUTO_CLOSE int fd = memory_file("name,start_ns,duration_ns\na,1,2\n");
    struct csv_operation operation;

    cr_assert_eq(csv_operations_init(&table, fd), 0);
    cr_assert_eq(csv_operations_next(&table, &operation), 1);
    cr_expect_eq(operation.status, STATUS_OK);
    cr_expect_str_eq(operation.thread, "");
}

Test(csv_operations, knows_each_status_as_word_and_number)
{
    static const struct {
        const char *text;
        enum operation_status status;
        bool is_unfinished;
    } cases[] = {
        {"ok", STATUS_OK, false},
        {"0", STATUS_OK, false},
        {"error", STATUS_ERROR, false},
        {"1", STATUS_ERROR, false},
        {"cancelled", STATUS_CANCELLED, false},
        {"2", STATUS_CANCELLED, false},
        {"timeout", STATUS_TIMEOUT, false},
        {"3", STATUS_TIMEOUT, false},
        {"unfinished", STATUS_OK, true},
        {"4", STATUS_OK, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[100];
        struct csv_operation operation;

        (void)snprintf(text, sizeof(text), "name,start_ns,duration_ns,status\na,1,2,%s\n",
                       cases[i].text);
        AUTO_CLOSE int fd = memory_file(text);
        cr_assert_eq(csv_operations_init(&table, fd), 0);
        cr_assert_eq(csv_operations_next(&table, &operation), 1);
        cr_expect_eq(operation.status, cases[i].status, "%s", cases[i].text);
        cr_expect_eq(operation.is_unfinished, cases[i].is_unfinished, "%s", cases[i].text);
    }
}

#define HEADER "name,start_ns,duration_ns,status,thread\n"

Test(csv_operations, says_in_which_line_and_column_a_fault_is)
{
    static const struct {
        const char *text;
        const char *refusal;
    } cases[] = {
        {HEADER, ""},
        {"", "line 1: the file is empty; its first row must name the columns"},
        {"name,start_ns,cost\n",
         "line 1: unknown column 'cost'; known are name, start_ns, duration_ns, status, "
         "thread, separated by commas"},
        {"name;start_ns;duration_ns\n", "line 1: unknown column 'name;start_ns;duration_ns'; known "
                                        "are name, start_ns, duration_ns, status, "
                                        "thread, separated by commas"},
        {"name,name,start_ns\n", "line 1: column 'name' stands there twice"},
        {"name,start_ns\n",
         "line 1: column 'duration_ns' is missing; the first row names the columns"},
        {HEADER "a,1,2,ok\n", "line 2: 4 fields, but the first row names 5 columns"},
        {HEADER "a,1,2,ok,1,2\n", "line 2: 6 fields, but the first row names 5 columns"},
        {HEADER "a,1,2,ok,1\n\na,1,-2,ok,1\n", "line 4, column 'duration_ns': '-2' is not a whole "
                                               "number of nanoseconds from 0 to 2^62 - 1"},
        {HEADER "a,1.5,2,ok,1\n", "line 2, column 'start_ns': '1.5' is not a whole number of "
                                  "nanoseconds from 0 to 2^62 - 1"},
        {HEADER "a,4611686018427387903,4611686018427387903,ok,1\n", ""},
        {HEADER "a,4611686018427387904,2,ok,1\n",
         "line 2, column 'start_ns': '4611686018427387904' is not a whole "
         "number of nanoseconds from 0 to 2^62 - 1"},
        {HEADER "a,1,2,fine,1\n",
         "line 2, column 'status': 'fine' is not ok, error, cancelled, timeout or "
         "unfinished (or 0, 1, 2, 3, 4)"},
        {HEADER "a,1,2,,1\n",
         "line 2, column 'status': '' is not ok, error, cancelled, timeout or unfinished (or "
         "0, 1, 2, 3, 4)"},
        {HEADER ",1,2,ok,1\n",
         "line 2, column 'name': '' is not a name of 1 to 255 bytes of UTF-8"},
        {HEADER "\xff,1,2,ok,1\n",
         "line 2, column 'name': '?' is not a name of 1 to 255 bytes of UTF-8"},
        {HEADER "\"\x1b[31m\",1,2,no,1\n",
         "line 2, column 'status': 'no' is not ok, error, cancelled, timeout or "
         "unfinished (or 0, 1, 2, 3, 4)"},
        {"\x1b[31m,start_ns\n",
         "line 1: unknown column '?[31m'; known are name, start_ns, duration_ns, status, "
         "thread, separated by commas"},
        {HEADER "a\"b,1,2,ok,1\n", "line 2: a double quote inside a field that is not quoted"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_expect_str_eq(refusal_of_operations(cases[i].text), cases[i].refusal, "case %zu: %s", i,
                         table.problem);
    }
}

Test(csv_samples, tells_integers_from_reals)
{
    AUTO_CLOSE int fd = memory_file("unit,value,t_ns,name\nBy,17,5,rss\n%,17.0,6,cpu\n");
    struct csv_sample sample;

    cr_assert_eq(csv_samples_init(&table, fd), 0);
    cr_assert_eq(csv_samples_next(&table, &sample), 1);
    cr_expect(sample.is_integer);
    cr_expect_eq(sample.integer, 17);
    cr_expect_eq(sample.time_ns, 5);
    cr_expect_str_eq(sample.name, "rss");
    cr_expect_str_eq(sample.unit, "By");
    cr_assert_eq(csv_samples_next(&table, &sample), 1);
    cr_expect_not(sample.is_integer);
    cr_expect_eq(sample.real, 17.0);
    cr_expect_eq(csv_samples_next(&table, &sample), 0);
}

Test(csv_samples, says_what_is_wrong)
{
    static const struct {
        const char *text;
        const char *refusal;
    } cases[] = {
        {"name,t_ns,value\ncpu,0,35.2\n", ""},
        {"name,t_ns,value\ncpu,0,high\n",
         "line 2, column 'value': 'high' is not a decimal number that a double holds"},
        {"name,t_ns,value\ncpu,0,nan\n",
         "line 2, column 'value': 'nan' is not a decimal number that a double holds"},
        {"name,t_ns,value\ncpu,-1,1\n",
         "line 2, column 't_ns': '-1' is not a whole number of nanoseconds from 0 to 2^62 - 1"},
        {"name,time,value\n",
         "line 1: unknown column 'time'; known are name, t_ns, value, unit, separated by commas"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_expect_str_eq(refusal_of_samples(cases[i].text), cases[i].refusal, "case %zu: %s", i,
                         table.problem);
    }
}
