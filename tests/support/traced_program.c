#include "traced_program.h"

#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

struct eddy_name name = EDDY_NAME("test.operation");
struct eddy_name key = EDDY_NAME("test.key");
static struct eddy_name loop_name = EDDY_NAME("test.loop");
static struct eddy_name gc_name = EDDY_NAME("test.gc");
struct eddy_name metric = EDDY_METRIC("test.metric", "1");
struct eddy_queue queue = EDDY_QUEUE("test.queue", 3);

struct eddy_stats stats(void)
{
    struct eddy_stats found = {.size_bytes = sizeof(found)};

    cr_assert_eq(eddy_stats(&found), 0);
    return found;
}

uint64_t sum_lost(const struct eddy_stats *found)
{
    uint64_t lost = 0;

    for (int i = 0; i < 8; i++) {
        lost += found->lost[i];
    }
    return lost;
}

void call_everything(void)
{
    uint64_t operation = eddy_exported_begin(&name);
    uint64_t child = eddy_exported_begin_child(&name, operation);
    uint64_t queued = eddy_exported_begin_queued(&name, &queue);

    eddy_exported_state(operation, EDDY_WAITING_IO);
    eddy_exported_enqueue(child, &queue);
    eddy_exported_gc_end(eddy_exported_gc_begin(&gc_name));
    eddy_exported_loop_end(eddy_exported_loop_begin(&loop_name));
    eddy_exported_set_u64(operation, &key, 1);
    eddy_exported_set_i64(operation, &key, -1);
    eddy_exported_set_f64(operation, &key, 0.5);
    eddy_exported_set_bool(operation, &key, 1);
    eddy_exported_set_text(operation, &key, "text");
    eddy_exported_gauge(&metric, 1);
    eddy_exported_gauge_f64(&metric, 1.5);
    eddy_exported_count(&metric, 1);
    eddy_exported_mark(&name);
    eddy_exported_record(&name, 1, 2, EDDY_OK);
    eddy_exported_end(queued, EDDY_CANCELLED);
    eddy_exported_end(child, EDDY_OK);
    eddy_exported_end(operation, EDDY_ERROR);
    eddy_exported_end(eddy_exported_begin_at(&name, 5), EDDY_OK);
}

int in_child(int (*check)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(20);
        _exit(check());
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
