#include "loss_watch.h"

#include "clocks.h"

enum { KIND_OPERATIONS, KIND_SAMPLES, KIND_MARKS, KIND_LONG_RUNS };

void loss_watch_init(struct loss_watch *watch, const struct recorder *recorder)
{
    *watch = (struct loss_watch){.recorder = recorder, .looked_ns = recorder->start_ns};
}

/* --- What the threads counted --- */

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_ring(struct record_counts *sums, const struct ring *ring)
{
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        sums[cause].operations += load(&ring->lost_operations[cause]);
        sums[cause].samples += load(&ring->lost_samples[cause]);
        sums[cause].marks += load(&ring->lost_marks[cause]);
        sums[cause].long_runs += load(&ring->lost_long_runs[cause]);
    }
}

static void sum_losses(struct record_counts *ret_sums, const struct recorder *recorder)
{
    uint32_t ring_count = recorder_ring_count(recorder);

    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        if (ring != NULL) {
            add_ring(ret_sums, ring);
        }
    }
    ret_sums[LOSS_NO_RING].operations += load(&recorder->lost_without_ring[KIND_OPERATIONS]);
    ret_sums[LOSS_NO_RING].samples += load(&recorder->lost_without_ring[KIND_SAMPLES]);
    ret_sums[LOSS_NO_RING].marks += load(&recorder->lost_without_ring[KIND_MARKS]);
    ret_sums[LOSS_NO_RING].long_runs += load(&recorder->lost_without_ring[KIND_LONG_RUNS]);
}

static void add_pending(struct loss_watch *watch, enum loss_cause cause,
                        const struct record_counts *count, uint64_t first_ns, uint64_t last_ns)
{
    struct loss *pending = &watch->pending[cause];

    if (record_counts_are_zero(count)) {
        return;
    }
    if (record_counts_are_zero(&pending->count)) {
        *pending = (struct loss){.cause = cause, .first_ns = first_ns, .last_ns = last_ns};
    }
    pending->first_ns = min_u64(pending->first_ns, first_ns);
    pending->last_ns = max_u64(pending->last_ns, last_ns);
    record_counts_add(&pending->count, count);
}

void loss_watch_add(struct loss_watch *watch, enum loss_cause cause,
                    const struct record_counts *count, uint64_t first_ns, uint64_t last_ns)
{
    record_counts_add(&watch->lost[cause], count);
    add_pending(watch, cause, count, first_ns, last_ns);
}

/* Which queues the operations would have entered that found no slot (the only cause that is counted per queue). */
static void look_at_queues(struct loss_watch *watch)
{
    uint64_t named = 0;
    uint32_t queue_count =
        (uint32_t)min_u64(atomic_load_explicit(&watch->recorder->queue_count, memory_order_relaxed),
                          RECORDER_MAX_QUEUES);

    for (uint32_t i = 0; i < queue_count; i++) {
        named += watch->queue_pending[i];
    }
    for (uint32_t i = 0; i < queue_count; i++) {
        uint64_t lost = load(&recorder_queue(watch->recorder, i)->lost);
        /* A thread counts in its ring first; what is not seen there yet waits for the next look. */
        uint64_t news = min_u64(lost - watch->queue_seen[i],
                                watch->pending[LOSS_NO_SLOT].count.operations - named);

        watch->queue_seen[i] += news;
        watch->queue_pending[i] += news;
        named += news;
    }
}

void loss_watch_look(struct loss_watch *watch, uint64_t now_ns)
{
    struct record_counts sums[LOSS_CLIENT_CAUSE_COUNT] = {0};

    sum_losses(sums, watch->recorder);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        struct record_counts news = sums[cause];

        record_counts_subtract(&news, &watch->seen[cause]);
        loss_watch_add(watch, (enum loss_cause)cause, &news, watch->looked_ns, now_ns);
        watch->seen[cause] = sums[cause];
    }
    look_at_queues(watch);
    watch->looked_ns = now_ns;
}

/* --- What batches tell --- */

bool loss_watch_has_news(const struct loss_watch *watch)
{
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        if (!record_counts_are_zero(&watch->pending[cause].count)) {
            return true;
        }
    }
    return false;
}

static void tell(struct batch *batch, const struct loss *loss)
{
    if (!record_counts_are_zero(&loss->count)) {
        batch->losses[batch->loss_count++] = *loss;
    }
}

static const char *queue_text(const struct recorder *recorder, uint32_t queue)
{
    /* Pairs with the release in names_intern_queue(). */
    uint32_t id =
        atomic_load_explicit(&recorder_queue(recorder, queue)->name, memory_order_acquire);
    const struct name_entry *entry = recorder_name(recorder, id);

    return id == 0 ? NULL : recorder_at(recorder, recorder->name_text_offset + entry->text_offset);
}

/* Takes the losses of queues out of unnamed, and tells them with the name of the queue. */
static void tell_queues(struct loss_watch *watch, struct batch *batch, struct loss *unnamed)
{
    for (uint32_t i = 0; i < RECORDER_MAX_QUEUES; i++) {
        struct loss loss = *unnamed;

        loss.count = (struct record_counts){.operations = watch->queue_pending[i]};
        loss.queue = loss.count.operations == 0 ? NULL : queue_text(watch->recorder, i);
        if (loss.queue != NULL) {
            unnamed->count.operations -= loss.count.operations;
            tell(batch, &loss);
        }
        watch->queue_pending[i] = 0;
    }
}

int loss_watch_tell(struct loss_watch *watch, struct batch *batch, struct frame_account *account)
{
    account->lost_first_ns = UINT64_MAX;
    account->lost_last_ns = 0;

    int r = batch_reserve_losses(batch, LOSS_CLIENT_CAUSE_COUNT + RECORDER_MAX_QUEUES);

    if (r < 0) {
        return r;
    }
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        struct loss *pending = &watch->pending[cause];

        account->lost[cause] = pending->count;
        if (record_counts_are_zero(&pending->count)) {
            continue;
        }
        account->lost_first_ns = min_u64(account->lost_first_ns, pending->first_ns);
        account->lost_last_ns = max_u64(account->lost_last_ns, pending->last_ns);
        if (cause == LOSS_NO_SLOT) {
            tell_queues(watch, batch, pending);
        }
        tell(batch, pending);
        *pending = (struct loss){0};
    }
    return 0;
}

/* --- Totals --- */

void loss_watch_batched(struct loss_watch *watch, const struct frame_account *account)
{
    record_counts_add(&watch->batched, &account->rows);
}

void loss_watch_dropped(struct loss_watch *watch, const struct frame_account *account)
{
    record_counts_subtract(&watch->batched, &account->rows);
    loss_watch_add(watch, LOSS_OUTBOX_FULL, &account->rows, account->first_ns, account->last_ns);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        add_pending(watch, (enum loss_cause)cause, &account->lost[cause], account->lost_first_ns,
                    account->lost_last_ns);
    }
}

struct totals loss_watch_totals(const struct loss_watch *watch)
{
    const struct recorder *recorder = watch->recorder;
    uint32_t ring_count = recorder_ring_count(recorder);
    struct totals totals = {
        .produced = watch->batched,
        .batched = watch->batched,
        .names_folded = load(&recorder->names_folded),
        .client_cpu_ns = clock_thread_cpu_ns(),
        .frame_bytes = watch->frame_bytes,
    };

    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        totals.lost[cause] = watch->lost[cause];
        record_counts_add(&totals.produced, &watch->lost[cause]);
    }
    for (uint32_t i = 0; i < ring_count; i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        if (ring != NULL) {
            totals.stale_ends += load(&ring->stale_ends);
            totals.attributes_cut += load(&ring->attributes_cut);
        }
    }
    return totals;
}

void loss_watch_fill_books(const struct loss_watch *watch, struct recorder_books *books)
{
    books->batched = watch->batched;
    books->frame_bytes = watch->frame_bytes;
    books->looked_ns = watch->looked_ns;
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        books->lost[cause] = watch->lost[cause];
        books->seen[cause] = watch->seen[cause];
        books->untold[cause] = watch->pending[cause].count;
    }
}
