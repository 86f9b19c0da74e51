#include "frame_revisit.h"

#include "batch_decode.h"
#include "trace_reader.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* What the threads share. */
struct visit_pool {
    const struct report_plan *plan;
    frame_visit_function *visit;
    void *context;
    atomic_size_t next; /* of plan->frames */
    atomic_int error;   /* the first one; then all stop */
};

struct visitor {
    struct visit_pool *pool;
    size_t number;
    pthread_t thread;
    bool is_running;
    struct frame_reader *frames; /* owned, as all that follows */
    struct batch_decoder *decoder;
    struct batch batch;
    struct trace_reader *reader;
    uint32_t input; /* that reader reads */
};

static int visitor_init(struct visitor *visitor, struct visit_pool *pool, size_t number)
{
    *visitor = (struct visitor){.pool = pool, .number = number};
    batch_init(&visitor->batch);

    int r = frame_reader_new(&visitor->frames);

    return r < 0 ? r : batch_decoder_new(&visitor->decoder);
}

static void visitor_release(struct visitor *visitor)
{
    trace_reader_free(visitor->reader);
    frame_reader_free(visitor->frames);
    batch_decoder_free(visitor->decoder);
    batch_release(&visitor->batch);
}

static int open_input(struct visitor *visitor, uint32_t input)
{
    if (visitor->reader != NULL && visitor->input == input) {
        return 0;
    }
    trace_reader_free(visitor->reader);
    visitor->reader = NULL;
    visitor->input = input;

    int fd = trace_file_open(visitor->pool->plan->inputs[input].file.path);

    return fd < 0 ? fd : trace_reader_new(&visitor->reader, fd);
}

static int visit_frame(struct visitor *visitor, const struct plan_frame *frame)
{
    struct slice bytes;
    struct slice plain;
    int r = open_input(visitor, frame->input);

    r = r < 0 ? r
              : trace_reader_frame_at(visitor->reader, frame->offset_bytes, frame->size_bytes,
                                      &bytes);
    r = r < 0 ? r : frame_decompress(visitor->frames, bytes, &plain);
    r = r < 0 ? r : batch_decode(visitor->decoder, plain, &visitor->batch);
    return r < 0 ? r
                 : visitor->pool->visit(visitor->pool->context, visitor->number, frame,
                                        &visitor->batch);
}

static void *run_visitor(void *argument)
{
    struct visitor *visitor = argument;
    struct visit_pool *pool = visitor->pool;
    int none = 0;
    int r = 0;

    while (r == 0 && atomic_load_explicit(&pool->error, memory_order_relaxed) == 0) {
        size_t at = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);

        if (at >= pool->plan->frame_count) {
            break;
        }
        r = visit_frame(visitor, &pool->plan->frames[at]);
    }
    if (r < 0) {
        (void)atomic_compare_exchange_strong(&pool->error, &none, r);
    }
    return NULL;
}

/* Fewer threads than wanted do the same work; none do not. */
static int run_all(struct visitor *visitors, size_t count)
{
    size_t started = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = -pthread_create(&visitors[i].thread, NULL, run_visitor, &visitors[i]);
        visitors[i].is_running = r == 0;
        started += r == 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (visitors[i].is_running) {
            (void)pthread_join(visitors[i].thread, NULL);
        }
    }
    return started > 0 ? 0 : r;
}

int frame_revisit_run(const struct report_plan *plan, frame_visit_function *visit, void *context)
{
    struct visit_pool pool = {.plan = plan, .visit = visit, .context = context};
    size_t count = max_u64(min_u64(plan->memory.jobs, plan->frame_count), 1);
    AUTO_FREE struct visitor *visitors = calloc(count, sizeof(*visitors));
    int r = visitors == NULL ? -ENOMEM : 0;
    size_t made = 0;

    for (; r == 0 && made < count; made++) {
        r = visitor_init(&visitors[made], &pool, made);
    }
    r = r < 0 ? r : run_all(visitors, count);
    for (size_t i = 0; i < made; i++) {
        visitor_release(&visitors[i]);
    }
    return r < 0 ? r : atomic_load(&pool.error);
}
