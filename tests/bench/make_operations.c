/*
 * Writes trace files of invented operations (operation_source.h), and the same operations as CSV for the peers.
 *
 *     make_operations traces FOLDER FILES OPERATIONS_PER_FILE
 *     make_operations csv FILES OPERATIONS_PER_FILE          to stdout: pid,tid,name,status,begin_ns,duration_ns
 *     make_operations entropy OPERATIONS
 *
 * The same arguments give the same bytes. Prints one line of JSON (traces, entropy).
 */
#include "bench_clock.h"
#include "operation_files.h"
#include "operation_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_FILES = 1 << 20, FIRST_PID = 1000, EXIT_USAGE = 2, OUTPUT_BUFFER_BYTES = 1 << 20 };

static int write_files(struct operation_files *files, uint64_t file_count, uint64_t operations)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < file_count; i++) {
        uint64_t bytes = 0;
        int r = operation_files_write(files, i, operations, &bytes);

        if (r < 0) {
            return r;
        }
        sum += bytes;
    }
    (void)printf("{\"files\":%" PRIu64 ",\"operations\":%" PRIu64 ",\"bytes\":%" PRIu64 "}\n",
                 file_count, file_count * operations, sum);
    return 0;
}

static int write_traces(const char *folder, uint64_t file_count, uint64_t operations)
{
    struct operation_files files;
    int r = operation_files_open(&files, folder);

    r = r < 0 ? r : write_files(&files, file_count, operations);
    operation_files_release(&files);
    if (r < 0) {
        (void)fprintf(stderr, "make_operations: cannot write to '%s': %s\n", folder, strerror(-r));
    }
    return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int write_csv(uint64_t file_count, uint64_t operations)
{
    static char buffer[OUTPUT_BUFFER_BYTES];

    (void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    (void)puts("pid,tid,name,status,begin_ns,duration_ns");
    for (uint32_t file = 0; file < file_count; file++) {
        struct operation_source source;

        operation_source_init(&source, file);
        for (uint64_t i = 0; i < operations; i++) {
            struct operation one = operation_source_next(&source);

            (void)printf("%" PRIu32 ",%d,%s,%d,%" PRIu64 ",%" PRIu64 "\n", FIRST_PID + file,
                         one.thread + 1, source.names[one.name], one.status, one.begin_ns,
                         one.duration_ns);
        }
    }
    return ferror(stdout) || fflush(stdout) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "traces") == 0) {
        return write_traces(argv[2], bench_number(argv[3], 1, MAX_FILES),
                            bench_number(argv[4], 1, UINT32_MAX));
    }
    if (argc == 4 && strcmp(argv[1], "csv") == 0) {
        return write_csv(bench_number(argv[2], 1, MAX_FILES), bench_number(argv[3], 1, UINT32_MAX));
    }
    if (argc == 3 && strcmp(argv[1], "entropy") == 0) {
        uint64_t count = bench_number(argv[2], 1, UINT32_MAX);

        (void)printf("{\"operations\":%" PRIu64 ",\"bytes\":%.4f}\n", count,
                     operation_source_entropy_bits(0, count) / 8);
        return EXIT_SUCCESS;
    }
    (void)fputs("usage: make_operations traces FOLDER FILES OPERATIONS_PER_FILE\n"
                "       make_operations csv FILES OPERATIONS_PER_FILE\n"
                "       make_operations entropy OPERATIONS\n",
                stderr);
    return EXIT_USAGE;
}
