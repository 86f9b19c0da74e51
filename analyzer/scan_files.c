#include "scan_files.h"

#include <errno.h>
#include <stdatomic.h>

struct scan_pool {
    const struct scan_request *request;
    struct shared_names *names;
    struct scanned_file *files;
    atomic_size_t next;
    atomic_int error; /* the first one; then all stop */
};

static int scan_until_done(struct scan_pool *pool, struct trace_scanner *scanner)
{
    int r = 0;

    while (r == 0 && atomic_load_explicit(&pool->error, memory_order_relaxed) == 0) {
        size_t at = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);

        if (at >= pool->request->count) {
            return 0;
        }
        r = trace_scan(scanner, pool->request->paths[at], &pool->request->bad[at],
                       &pool->files[at]);
        pool->files[at].number = at;
    }
    return r;
}

static void *run_scanner(void *context)
{
    struct scan_pool *pool = context;
    struct trace_scanner *scanner = NULL;
    int r = trace_scanner_new(&scanner, pool->names);
    int none = 0;

    r = r < 0 ? r : scan_until_done(pool, scanner);
    trace_scanner_free(scanner);
    if (r < 0) {
        (void)atomic_compare_exchange_strong(&pool->error, &none, r);
    }
    return NULL;
}

int scan_files(const struct scan_request *request, struct shared_names *names,
               struct scanned_file *ret_files)
{
    struct scan_pool pool = {.request = request, .names = names, .files = ret_files};
    size_t wanted = max_u64(min_u64(request->jobs, request->count), 1) - 1;
    AUTO_FREE pthread_t *threads = calloc(wanted + 1, sizeof(*threads));
    size_t started = 0;

    for (size_t i = 0; i < request->count; i++) {
        ret_files[i] = (struct scanned_file){0};
    }
    if (threads == NULL) {
        return -ENOMEM;
    }
    /* Fewer threads than wanted do the same work. */
    while (started < wanted && pthread_create(&threads[started], NULL, run_scanner, &pool) == 0) {
        started++;
    }
    (void)run_scanner(&pool);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return atomic_load(&pool.error);
}
