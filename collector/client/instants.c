/*
 * The calls that publish one record at once: samples, marks, and operations that were timed elsewhere.
 */
#include "batch.h"
#include "eddy.h"
#include "name_id.h"
#include "thread_ring.h"
#include "ticks.h"

#include <string.h>

#define DURATION_LIMIT_NS (UINT64_C(1) << 62)

static void publish_instant(struct eddy_name *name, enum call_kind call, enum name_kind kind,
                            enum value_type type, uint64_t value)
{
    struct ring *ring = LIKELY(name != NULL) ? thread_ring_enter(call) : NULL;

    if (ring == NULL) {
        return;
    }
    if (thread_ring_room(ring, 1)) {
        *thread_ring_entry(ring, 0) = (struct record){
            .begin = ticks_now(),
            .end = value,
            .name = name_id(name, kind, type),
            .end_thread = atomic_load_explicit(&ring->serial, memory_order_relaxed),
            .kind = call == CALL_MARK ? ENTRY_MARK : ENTRY_SAMPLE,
        };
        thread_ring_publish(ring, 1);
        atomic_store_explicit(&ring->sampled,
                              atomic_load_explicit(&ring->sampled, memory_order_relaxed) + 1,
                              memory_order_relaxed);
    } else {
        thread_ring_count_loss(ring, call, LOSS_RING_FULL);
    }
    thread_ring_leave(ring);
}

void eddy_exported_gauge(struct eddy_name *metric, int64_t value)
{
    publish_instant(metric, CALL_SAMPLE, NAME_GAUGE, VALUE_INTEGER, (uint64_t)value);
}

void eddy_exported_gauge_f64(struct eddy_name *metric, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    publish_instant(metric, CALL_SAMPLE, NAME_GAUGE, VALUE_DOUBLE, bits);
}

void eddy_exported_count(struct eddy_name *metric, int64_t increment)
{
    publish_instant(metric, CALL_SAMPLE, NAME_COUNTER_DELTA, VALUE_INTEGER, (uint64_t)increment);
}

void eddy_exported_mark(struct eddy_name *name)
{
    publish_instant(name, CALL_MARK, NAME_MARK, VALUE_INTEGER, 0);
}

/* An id for an operation that never had a slot: none. It has no children, so nothing refers to it. */
static void publish_recorded(struct ring *ring, struct eddy_name *name, uint64_t begin_ns,
                             uint64_t duration_ns, uint32_t status)
{
    uint32_t serial = atomic_load_explicit(&ring->serial, memory_order_relaxed);

    *thread_ring_entry(ring, 0) = (struct record){
        .begin = begin_ns,
        .end = begin_ns + duration_ns,
        .name = name_id(name, NAME_OPERATION, VALUE_INTEGER),
        .begin_thread = serial,
        .end_thread = serial,
        .kind = ENTRY_OPERATION,
        .status = status < STATUS_COUNT ? (uint8_t)status : STATUS_ERROR,
        .flags = RECORD_BEGIN_IS_NS | RECORD_END_IS_NS,
    };
    thread_ring_publish(ring, 1);
    atomic_store_explicit(&ring->finished,
                          atomic_load_explicit(&ring->finished, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

void eddy_exported_record(struct eddy_name *name, uint64_t begin_ns, uint64_t duration_ns,
                          uint32_t status)
{
    struct ring *ring = LIKELY(name != NULL) ? thread_ring_enter(CALL_OPERATION) : NULL;

    if (ring == NULL) {
        return;
    }
    if (duration_ns >= DURATION_LIMIT_NS || begin_ns >= UINT64_MAX - duration_ns) {
        thread_ring_count_loss(ring, CALL_OPERATION, LOSS_OUT_OF_RANGE);
    } else if (thread_ring_room(ring, 1)) {
        publish_recorded(ring, name, begin_ns, duration_ns, status);
    } else {
        thread_ring_count_loss(ring, CALL_OPERATION, LOSS_RING_FULL);
    }
    thread_ring_leave(ring);
}
