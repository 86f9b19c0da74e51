/*
 * Any bytes as CSV: the first byte says whether they are operations or samples. What the first pass accepts must become
 * trace files that hold every row and that the check of trace files finds good.
 */
#include "import_parts.h"
#include "import_rows.h"
#include "import_scan.h"
#include "trace_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/fuzz_csv_import.XXXXXX";

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void remove_folder(void)
{
    (void)rmdir(folder);
}

static int output_folder(void)
{
    static int dir_fd = -1;

    if (dir_fd < 0) {
        require(mkdtemp(folder) != NULL, "a temporary folder can be made");
        dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void)atexit(remove_folder);
    }
    return dir_fd;
}

static void check_file(const struct import_facts *facts, const char *name)
{
    struct trace_check check;
    char path[TRACE_NAME_MAX_BYTES + sizeof(folder) + 1];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    require(trace_check_file(path, &check) == 0, "the file can be checked");
    require(check.verdict == CHECK_GOOD, check.problem);
    require(check.rows.operations == facts->operations, "all operations are there");
    require(check.rows.samples == facts->samples, "all samples are there");
    require(check.open_operations == facts->unfinished, "all unfinished operations are there");
}

static void write_and_check(const struct import_source *source, const struct import_facts *facts)
{
    const uint64_t times_ns[2] = {min_u64(facts->first_ns, facts->last_ns), facts->last_ns};
    uint8_t session[SESSION_ID_BYTES];
    char name[TRACE_NAME_MAX_BYTES];
    struct import_parts parts;

    content_hash_write(&facts->hash, session);
    trace_file_name(name, source->process, 0, session, 0);
    require(import_parts_open(&parts, output_folder(), source->process, session, times_ns) == 0,
            "parts open");
    require(import_rows(source, facts, &parts) == 0, "what the first pass accepts can be written");
    require(import_parts_close(&parts) == 0, "parts close");
    require(parts.file_count == 1, "little input makes one file");
    check_file(facts, name);
    import_parts_remove(output_folder(), source->process, session, parts.file_count);
    import_parts_release(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct import_source source = {.process = "fuzz"};
    struct import_facts facts;
    struct import_problem problem = {0};

    if (size == 0) {
        return 0;
    }
    AUTO_CLOSE int fd = memfd_create("csv", MFD_CLOEXEC);

    require(write(fd, data + 1, size - 1) == (ssize_t)(size - 1), "the input can be written");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (data[0] % 2 == 0) {
        source.operations_path = path;
    } else {
        source.samples_path = path;
    }
    int r = import_scan(&source, &facts, &problem);

    if (r == 0) {
        write_and_check(&source, &facts);
    } else {
        require(r == -EBADMSG || r == -E2BIG, "only the content can be at fault");
        require(problem.path == path && problem.text[0] != '\0', "a refusal says why");
    }
    import_facts_release(&facts);
    return 0;
}
