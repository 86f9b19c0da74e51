#include "batch_threads.h"

#include "proc_file.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

enum {
    LEAST_BUCKETS = 256,
    LEAST_TEXTS = 64,
};

/* A name is read again after a second, then ever more seldom. */
#define LEAST_LABEL_AGE_NS NS_PER_S
#define GREATEST_LABEL_AGE_NS (60 * NS_PER_S)

int batch_threads_init(struct batch_threads *threads, const struct recorder *recorder)
{
    *threads = (struct batch_threads){
        .recorder = recorder,
        .buckets = calloc(LEAST_BUCKETS, sizeof(*threads->buckets)),
        .bucket_mask = LEAST_BUCKETS - 1,
        .labels = calloc(THREAD_LABELS_KEPT, sizeof(*threads->labels)),
    };
    if (threads->buckets == NULL || threads->labels == NULL) {
        batch_threads_release(threads);
        return -ENOMEM;
    }
    return 0;
}

void batch_threads_release(struct batch_threads *threads)
{
    free(threads->buckets);
    free(threads->texts);
    free(threads->labels);
    *threads = (struct batch_threads){0};
}

void batch_threads_clear(struct batch_threads *threads, uint64_t now_ns)
{
    threads->now_ns = now_ns;
    memset(threads->buckets, 0, (threads->bucket_mask + (size_t)1) * sizeof(*threads->buckets));
}

/* --- What a thread is --- */

/* 0 if the thread ended, and its entry was needed for another. */
static uint32_t find_tid(const struct recorder *recorder, uint32_t serial)
{
    const struct thread_entry *entries = recorder_at(recorder, recorder->threads_offset);
    uint64_t entry = atomic_load_explicit(&entries[serial % RECORDER_MAX_THREADS].serial_and_tid,
                                          memory_order_relaxed);
    uint32_t ring_count = recorder_ring_count(recorder);

    if (entry >> 32 == serial) {
        return (uint32_t)entry;
    }
    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        if (ring != NULL && atomic_load_explicit(&ring->serial, memory_order_relaxed) == serial) {
            return atomic_load_explicit(&ring->tid, memory_order_relaxed);
        }
    }
    return 0;
}

/* Reads the thread's name. That of one that ended stays what it was. */
static void read_label(struct thread_label *label, uint64_t now_ns)
{
    char text[THREAD_LABEL_BYTES + 1];
    int length =
        label->tid == 0 ? -ESRCH : proc_file_read(text, sizeof(text), "task/%u/comm", label->tid);
    uint64_t age_ns = now_ns - label->read_ns;

    if (length > 0) {
        (void)utf8_copy(label->text, sizeof(label->text), text, strcspn(text, "\n"), NULL);
    }
    label->due_ns = now_ns + min_u64(max_u64(age_ns, LEAST_LABEL_AGE_NS), GREATEST_LABEL_AGE_NS);
}

static const struct thread_label *find_label(struct batch_threads *threads, uint32_t serial)
{
    struct thread_label *label = &threads->labels[serial % THREAD_LABELS_KEPT];

    if (label->serial != serial) {
        *label = (struct thread_label){
            .serial = serial,
            .tid = find_tid(threads->recorder, serial),
            .read_ns = threads->now_ns,
        };
    }
    if (threads->now_ns >= label->due_ns) {
        read_label(label, threads->now_ns);
    }
    return label;
}

/* --- The list of a batch --- */

/* The bucket that has the serial, or the empty one where it belongs. */
static uint64_t *find_bucket(const struct batch_threads *threads, uint32_t serial)
{
    uint32_t at =
        serial & threads->bucket_mask; /* serials are given out in a row: no better hash */

    while (threads->buckets[at] != 0 && threads->buckets[at] >> 32 != serial) {
        at = (at + 1) & threads->bucket_mask;
    }
    return &threads->buckets[at];
}

/* Keeps at least half of the buckets empty. */
static int grow_buckets(struct batch_threads *threads, uint32_t thread_count)
{
    uint32_t old_count = threads->bucket_mask + 1;
    uint64_t *old = threads->buckets;

    if (thread_count < old_count / 2) {
        return 0;
    }

    uint64_t *grown = calloc((size_t)2 * old_count, sizeof(*grown));

    if (grown == NULL) {
        return -ENOMEM;
    }
    threads->buckets = grown;
    threads->bucket_mask = 2 * old_count - 1;
    for (uint32_t i = 0; i < old_count; i++) {
        if (old[i] != 0) {
            *find_bucket(threads, (uint32_t)(old[i] >> 32)) = old[i];
        }
    }
    free(old);
    return 0;
}

static int grow_texts(struct batch_threads *threads, uint32_t thread_count)
{
    uint32_t capacity = threads->text_capacity == 0 ? LEAST_TEXTS : 2 * threads->text_capacity;

    if (thread_count < threads->text_capacity) {
        return 0;
    }

    void *grown = realloc(threads->texts, capacity * sizeof(*threads->texts));

    if (grown == NULL) {
        return -ENOMEM;
    }
    threads->texts = grown;
    threads->text_capacity = capacity;
    return 0;
}

int batch_threads_find(struct batch_threads *threads, struct batch *batch, uint32_t serial)
{
    uint64_t known = *find_bucket(threads, serial);

    if (known != 0) {
        return (int)(uint32_t)known - 1;
    }

    uint32_t index = batch->thread_count;
    int r = batch_reserve_threads(batch, index + 1);

    r = r < 0 ? r : grow_buckets(threads, index);
    r = r < 0 ? r : grow_texts(threads, index);
    if (r < 0) {
        return r;
    }

    const struct thread_label *label = find_label(threads, serial);

    memcpy(threads->texts[index], label->text, THREAD_LABEL_BYTES);
    batch->threads[index] = (struct batch_thread){.tid = label->tid, .serial = serial};
    batch->thread_count = index + 1;
    *find_bucket(threads, serial) = (uint64_t)serial << 32 | (index + 1);
    return (int)index;
}

void batch_threads_finish(struct batch_threads *threads, struct batch *batch)
{
    for (uint32_t i = 0; i < batch->thread_count; i++) {
        batch->threads[i].name = threads->texts[i];
    }
}
