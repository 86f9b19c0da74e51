/*
 * The same report by 1, 2 and 7 threads, from many sessions with random rows: byte by byte, and under ThreadSanitizer. One file
 * is there twice, one ends early.
 */
#include "import_parts.h"
#include "random_batch.h"
#include "report_json.h"
#include "report_run.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    SESSIONS = 6,
    BATCHES = 8, /* of each session, at most */
    MEMORY_BYTES = 256 << 20,
};

static int fail(const char *what, int r)
{
    (void)fprintf(stderr, "stress_report: %s: %s\n", what, strerror(-r));
    return 1;
}

static int write_session(int dir_fd, uint8_t number)
{
    static const struct batch_shape shape = {
        .names = 9,
        .threads = 5,
        .operations = 300,
        .sparse_percent = 30,
        .attributes = 60,
        .samples = 150,
        .marks = 20,
        .open = 5,
        .losses = 2,
    };
    const uint8_t session[SESSION_ID_BYTES] = {number};
    const uint64_t times_ns[2] = {0, UINT64_C(1) << 60};
    struct import_parts parts = {0};
    struct batch batch;
    int r = import_parts_open(&parts, dir_fd, "stress", session, times_ns);

    batch_init(&batch);
    for (uint64_t i = 0; r == 0 && i < (uint64_t)BATCHES - number; i++) {
        batch_clear(&batch);
        r = random_batch(&batch, number * UINT64_C(1000) + i + 1, &shape);
        r = r < 0 ? r : import_parts_add(&parts, &batch);
    }
    r = r < 0 ? r : import_parts_close(&parts);
    batch_release(&batch);
    import_parts_release(&parts);
    return r;
}

/* The report as JSON; to be freed. */
static int make_json(const struct input_paths *inputs, size_t jobs, char **ret_json,
                     size_t *ret_size)
{
    const struct report_request request = {
        .inputs = inputs,
        .jobs = jobs,
        .memory_bytes = MEMORY_BYTES,
        .slowest_limit = 5,
        .with_attributes = true,
        .with_load = true,
    };
    struct report report = {0};
    FILE *stream = open_memstream(ret_json, ret_size);
    int r = report_run(&request, &report);

    r = r < 0 ? r : report_json_write(&report, stream);
    (void)fclose(stream);
    report_release(&report);
    return r;
}

static int compare_jobs(struct input_paths *inputs)
{
    static const size_t jobs[] = {1, 2, 7, 7, 3};
    char *expected = NULL;
    size_t expected_size = 0;
    int status = 0;

    for (size_t i = 0; status == 0 && i < ARRAY_SIZE(jobs); i++) {
        char *json = NULL;
        size_t size = 0;
        int r = make_json(inputs, jobs[i], &json, &size);

        if (r < 0) {
            status = fail("no report", r);
        } else if (expected == NULL) {
            expected = take_pointer(&json);
            expected_size = size;
        } else if (size != expected_size || memcmp(json, expected, size) != 0) {
            (void)fprintf(stderr, "stress_report: %zu threads make another report\n", jobs[i]);
            status = 1;
        }
        free(json);
        /* Another order of files, too. */
        char *first = inputs->paths[0];

        memmove((void *)inputs->paths, (const void *)(inputs->paths + 1),
                (inputs->count - 1) * sizeof(*inputs->paths));
        inputs->paths[inputs->count - 1] = first;
    }
    if (status == 0 && (expected == NULL || strstr(expected, "\"attributes\":[{") == NULL)) {
        status = fail("the report is empty", 0);
    }
    free(expected);
    return status;
}

/* Copies the first size bytes of a file, all if that is more. */
static int copy_file(const char *from, const char *to, size_t size)
{
    char bytes[4096];
    FILE *source = fopen(from, "rb");
    FILE *copy = fopen(to, "wb");
    size_t length = 1;

    if (source == NULL || copy == NULL) {
        return -1;
    }
    while (size > 0 && length > 0) {
        length = fread(bytes, 1, min_u64(sizeof(bytes), size), source);
        (void)fwrite(bytes, 1, length, copy);
        size -= length;
    }
    (void)fclose(source);
    return fclose(copy);
}

static int run_in(const char *folder)
{
    struct input_paths inputs = {0};
    AUTO_CLOSE int dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = dir_fd < 0 ? -1 : 0;

    for (uint8_t i = 0; r == 0 && i < SESSIONS; i++) {
        r = write_session(dir_fd, i);
    }
    r = r < 0 ? r : input_paths_add(&inputs, folder);
    if (r < 0) {
        return fail("no trace files", r);
    }
    input_paths_sort(&inputs);

    char path[256];

    (void)snprintf(path, sizeof(path), "%s/copy.trace.zst", folder);
    r = copy_file(inputs.paths[0], path, SIZE_MAX);
    (void)snprintf(path, sizeof(path), "%s/cut.trace.zst", folder);
    r = r < 0 ? r : copy_file(inputs.paths[1], path, 20000);
    input_paths_release(&inputs);
    r = r < 0 ? r : input_paths_add(&inputs, folder);

    int status = r < 0 ? fail("no copies", r) : compare_jobs(&inputs);

    for (size_t i = 0; i < inputs.count; i++) {
        (void)unlink(inputs.paths[i]);
    }
    input_paths_release(&inputs);
    return status;
}

int main(void)
{
    char folder[] = "/tmp/eddy-stress-report-XXXXXX";

    if (mkdtemp(folder) == NULL) {
        return fail("no folder", 0);
    }

    int status = run_in(folder);

    return rmdir(folder) == 0 ? status : 1;
}
