#include "loss.h"

#include <stddef.h>

struct cause_text {
    const char *name;
    const char *advice;
};

static const struct cause_text cause_texts[LOSS_CAUSE_COUNT] = {
    [LOSS_UNKNOWN] = {"unknown",
                      "The trace was written by a newer version: use an analyzer of that version."},
    [LOSS_RING_FULL] = {"ring_full",
                        "A thread produced faster than its ring was drained: raise EDDY_RING_KIB."},
    [LOSS_NO_SLOT] =
        {"no_slot",
         "Too many operations were open at once: raise EDDY_SLOTS, or end those that leak."},
    [LOSS_NO_RING] = {"no_ring",
                      "More threads recorded than there is memory for: raise EDDY_MEMORY_MIB."},
    [LOSS_REENTRY] =
        {"reentry",
         "A signal handler recorded while its thread was inside a call: expected in handlers."},
    [LOSS_OUT_OF_RANGE] =
        {"out_of_range",
         "A time or duration given to eddy_record() or eddy_begin_at() makes no sense."},
    [LOSS_OUTBOX_FULL] =
        {"outbox_full",
         "No collector took the frames in time: see that it runs, or raise EDDY_MEMORY_MIB."},
    [LOSS_AFTER_SHUTDOWN] = {"after_shutdown",
                             "The program went on recording after eddy_shutdown()."},
    [LOSS_WRITE_FAILED] = {"write_failed",
                           "The collector could not write: look at the disk and at its log."},
    [LOSS_DISK_LIMIT] =
        {"disk_limit",
         "The output folder reached its size or free space limit: make room or raise the limit."},
    [LOSS_QUOTA] = {"quota", "The user's quota in the collector was used up: raise it."},
    [LOSS_COLLECTOR_BUSY] =
        {"collector_busy", "The disk was slower than the data: use a faster disk or record less."},
    [LOSS_RECORDER_LOST] = {"recorder_lost",
                            "The process died and its last records could not be had."},
};

static const struct cause_text *cause_text(enum loss_cause cause)
{
    unsigned int index = (unsigned int)cause;

    return index < LOSS_CAUSE_COUNT && cause_texts[index].name != NULL ? &cause_texts[index]
                                                                       : &cause_texts[LOSS_UNKNOWN];
}

struct record_counts totals_lost(const struct totals *totals)
{
    struct record_counts sum = {0};

    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        record_counts_add(&sum, &totals->lost[cause]);
    }
    return sum;
}

const char *loss_cause_name(enum loss_cause cause)
{
    return cause_text(cause)->name;
}

const char *loss_cause_advice(enum loss_cause cause)
{
    return cause_text(cause)->advice;
}
