/*
 * LTTng-UST's form of an operation: two events that say as much as a begin and an end of Eddy do. The form of this file is
 * LTTng's: it is included several times.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./lttng_bench_provider.h"

#if !defined(LTTNG_BENCH_PROVIDER_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define LTTNG_BENCH_PROVIDER_H

#include <lttng/tracepoint.h>
#include <stdint.h>

/* clang-format off */
LTTNG_UST_TRACEPOINT_EVENT(bench, operation_begin,
    LTTNG_UST_TP_ARGS(uint64_t, operation, uint32_t, name),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(uint64_t, operation, operation)
        lttng_ust_field_integer(uint32_t, name, name)))

LTTNG_UST_TRACEPOINT_EVENT(bench, operation_end,
    LTTNG_UST_TP_ARGS(uint64_t, operation, uint32_t, status),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(uint64_t, operation, operation)
        lttng_ust_field_integer(uint32_t, status, status)))
/* clang-format on */

#endif

#include <lttng/tracepoint-event.h>
