#include "frame_maker.h"

#include <errno.h>
#include <string.h>

/* --- The books, for whoever reads the recorder of a process that was killed --- */

static void show_books(struct frame_maker *maker)
{
    struct recorder *recorder = maker->recorder;
    uint32_t turn = atomic_load_explicit(&recorder->books_turn, memory_order_relaxed) ^ 1U;

    loss_watch_fill_books(&maker->watch, &maker->books);
    maker->books.anchor_ticks = maker->clock.anchor_ticks;
    maker->books.anchor_ns = maker->clock.anchor_ns;
    maker->books.ns_per_tick = maker->clock.ns_per_tick;
    maker->books.client_cpu_ns = clock_thread_cpu_ns();
    recorder->books[turn] = maker->books;
    /* No thread reads them: what counts is that they are whole whenever this one is killed. */
    atomic_store_explicit(&recorder->books_turn, turn, memory_order_release);
}

/* From here on the books are those of a batch that is about to be put. */
static void open_books(struct frame_maker *maker, const struct frame_account *account)
{
    maker->books.batch = account->sequence;
    maker->books.rows = account->rows;
    maker->books.refused = maker->builder.refused_operations;
    memcpy(maker->books.told, account->lost, sizeof(maker->books.told));
}

/* There is no batch that they would have to be taken back with. */
static void close_books(struct frame_maker *maker)
{
    static const struct frame_account nothing;

    open_books(maker, &nothing);
    maker->books.batch = maker->sequence;
    maker->books.refused = 0;
    show_books(maker);
}

int frame_maker_init(struct frame_maker *maker, struct recorder *recorder, struct outbox *outbox)
{
    *maker = (struct frame_maker){.recorder = recorder, .outbox = outbox};
    tick_clock_init(&maker->clock);
    loss_watch_init(&maker->watch, recorder);

    int r = batch_builder_init(&maker->builder, recorder);

    r = r < 0 ? r : batch_encoder_new(&maker->encoder);
    if (r < 0) {
        frame_maker_release(maker);
    } else {
        close_books(maker);
    }
    return r;
}

void frame_maker_release(struct frame_maker *maker)
{
    batch_encoder_free(maker->encoder);
    batch_builder_release(&maker->builder);
    open_operations_release(&maker->open);
    free(maker->frame);
    maker->encoder = NULL;
    maker->frame = NULL;
    maker->frame_size = 0;
}

/* --- The batch --- */

static void fill_head(struct frame_maker *maker, uint64_t sample_period_ns)
{
    struct batch *batch = &maker->builder.batch;

    memcpy(batch->id.session, maker->recorder->session, sizeof(batch->id.session));
    batch->id.sequence = maker->sequence;
    batch->id.required_features = 0;
    batch->clock = clock_read_all();
    batch->totals = loss_watch_totals(&maker->watch);
    batch->sample_period_ns = sample_period_ns;
    batch->salvaged = false;
    batch->anchor_ticks = ticks_are_counter ? maker->clock.anchor_ticks : 0;
    batch->anchor_ns = ticks_are_counter ? maker->clock.anchor_ns : 0;
    batch->ns_per_tick = ticks_are_counter ? maker->clock.ns_per_tick : 0.0;
}

/* Adds what a batch says besides its rows. */
static int tell_the_rest(struct frame_maker *maker, struct frame_account *account, bool is_last)
{
    struct batch *batch = &maker->builder.batch;
    int r = open_operations_look(&maker->open, maker->recorder, &maker->clock, is_last);

    r = r < 0 ? r : open_operations_tell(&maker->open, batch, &maker->builder.names);
    r = r < 0 ? r : loss_watch_tell(&maker->watch, batch, account);
    if (r == 0) {
        batch_threads_finish(&maker->builder.threads, batch);
    }
    return r;
}

/* --- The frame --- */

static int reserve_frame(struct frame_maker *maker, size_t size)
{
    if (size > maker->frame_size) {
        free(maker->frame);
        maker->frame = malloc(size);
        maker->frame_size = maker->frame == NULL ? 0 : size;
    }
    return maker->frame == NULL ? -ENOMEM : 0;
}

static int encode(struct frame_maker *maker, struct slice *ret_frame)
{
    struct batch *batch = &maker->builder.batch;
    size_t size = 0;
    int r = reserve_frame(maker, batch_encode_bound(batch));

    r = r < 0 ? r : batch_encode(maker->encoder, batch, maker->frame, maker->frame_size, &size);
    if (r == 0) {
        *ret_frame = (struct slice){maker->frame, size};
    }
    return r;
}

/*
 * Drops the oldest frame that was never sent. The books say so before it is gone: a kill in between leaves a frame that they
 * say is not there.
 *
 * Returns:  whether there was one.
 */
static bool drop_one(struct frame_maker *maker)
{
    const struct frame_account *oldest = outbox_to_drop(maker->outbox);
    struct frame_account dropped;

    if (oldest == NULL) {
        return false;
    }
    loss_watch_dropped(&maker->watch, oldest);
    maker->books.dropped = oldest->sequence;
    show_books(maker);
    return outbox_drop(maker->outbox, &dropped);
}

/*
 * Drops older frames as long as there is no room for this one.
 *
 * Returns:  whether there is room now.
 */
static bool make_room(struct frame_maker *maker, size_t size)
{
    bool has_more = true;

    while (has_more && !outbox_has_room(maker->outbox, size)) {
        has_more = drop_one(maker);
    }
    return outbox_has_room(maker->outbox, size);
}

static struct record_counts rows_of(const struct batch *batch)
{
    return (struct record_counts){batch->operations.count, batch->samples.count, batch->marks.count,
                                  batch->long_runs.count};
}

/* From the batch's rows to a frame in the outbox. Whatever stops it makes the rows a loss. */
static void commit(struct frame_maker *maker, uint64_t sample_period_ns)
{
    struct batch *batch = &maker->builder.batch;
    uint64_t now_ns = clock_monotonic_ns();
    struct frame_account account = {.rows = rows_of(batch), .first_ns = now_ns, .last_ns = now_ns};
    struct slice frame = {0};
    int r = tell_the_rest(maker, &account, false);

    account.sequence = ++maker->sequence;
    loss_watch_batched(&maker->watch, &account);
    fill_head(maker, sample_period_ns);
    r = r < 0 ? r : encode(maker, &frame);
    if (r == 0 && !record_counts_are_zero(&account.rows)) {
        account.first_ns = batch->min_begin_ns;
        account.last_ns = batch->max_end_ns;
    }
    open_books(maker, &account);
    if (r < 0 || !make_room(maker, frame.size)) {
        loss_watch_dropped(&maker->watch, &account);
        close_books(maker);
        outbox_skip(maker->outbox, account.sequence);
        return;
    }
    maker->watch.frame_bytes += frame.size;
    show_books(maker);
    outbox_put(maker->outbox, WIRE_FRAME, frame, &account);
}

/* --- Making --- */

static void count_refused(struct frame_maker *maker, uint64_t first_ns, uint64_t now_ns)
{
    struct record_counts refused = {.operations = maker->builder.refused_operations};

    loss_watch_add(&maker->watch, LOSS_OUT_OF_RANGE, &refused, first_ns, now_ns);
}

/* There is no memory to make a batch: everything that was to be in it is lost. */
static void count_all_lost(struct frame_maker *maker, const struct staged *held, uint64_t samples,
                           uint64_t now_ns)
{
    struct record_counts lost = {held->operations, held->samples + samples, held->marks,
                                 held->long_runs};

    loss_watch_add(&maker->watch, LOSS_OUTBOX_FULL, &lost, maker->watch.looked_ns, now_ns);
}

void frame_maker_make(struct frame_maker *maker, struct stager *stager,
                      struct sample_buffer *samples, uint64_t sample_period_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t before_ns = maker->watch.looked_ns;

    loss_watch_look(&maker->watch, now_ns);
    loss_watch_add(&maker->watch, LOSS_OUTBOX_FULL, &samples->lost, before_ns, now_ns);
    samples->lost = (struct record_counts){0};
    if (stager->held.entries == 0 && samples->count == 0 && !loss_watch_has_news(&maker->watch)) {
        return;
    }
    tick_clock_calibrate(&maker->clock);
    if (batch_builder_build(&maker->builder, stager, &maker->clock, samples->samples,
                            samples->count) < 0) {
        count_all_lost(maker, &stager->held, samples->count, now_ns);
        close_books(maker);
    } else {
        count_refused(maker, before_ns, now_ns);
        commit(maker, sample_period_ns);
    }
    samples->count = 0;
    stager_clear(stager, maker->sequence + 1);
}

static bool try_goodbye(struct frame_maker *maker, const struct stager *nothing)
{
    struct frame_account account = {.sequence = maker->sequence + 1};
    struct slice frame = {0};

    if (batch_builder_build(&maker->builder, nothing, &maker->clock, NULL, 0) < 0) {
        return false;
    }
    loss_watch_look(&maker->watch, clock_monotonic_ns());

    int r = tell_the_rest(maker, &account, true);

    maker->sequence++;
    fill_head(maker, 0);
    maker->sequence--;
    r = r < 0 ? r : encode(maker, &frame);
    if (r < 0 || !outbox_has_room(maker->outbox, frame.size)) {
        loss_watch_dropped(&maker->watch, &account); /* its losses are to be told again */
        return false;
    }
    maker->sequence++;
    outbox_put(maker->outbox, WIRE_GOODBYE, frame, &account);
    return true;
}

bool frame_maker_say_goodbye(struct frame_maker *maker)
{
    const struct stager nothing = {0};

    /* What is dropped to make room changes the totals, so the frame is made anew. */
    close_books(maker);
    while (!try_goodbye(maker, &nothing)) {
        if (!drop_one(maker)) {
            return false;
        }
    }
    return true;
}
