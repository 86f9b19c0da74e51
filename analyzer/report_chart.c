#include "report_chart.h"

#include <math.h>

/* Ratio of the greatest to the least value from which the axis is logarithmic. */
#define CHART_LOG_FROM 4.0
/* Where a logarithmic axis puts 0: below the least positive integer. */
#define LOG_OF_ZERO_AT 0.5

/* 0 to 1 on the axis. */
static double position(const struct report_chart *chart, double value)
{
    double low = chart->low;
    double high = chart->high;

    if (chart->is_log) {
        low = log(fmax(low, LOG_OF_ZERO_AT));
        high = log(fmax(high, LOG_OF_ZERO_AT));
        value = log(fmax(value, LOG_OF_ZERO_AT));
    }
    return fmin(1, fmax(0, (value - low) / (high - low)));
}

size_t report_chart_column(const struct report_chart *chart, double value)
{
    double at = position(chart, value) * (double)chart->column_count;

    return min_u64((uint64_t)at, chart->column_count - 1);
}

/* Gives a bin's values to the columns that it covers, each its part. */
static void spread(struct report_chart *chart, const struct report_bin *bin)
{
    double from = position(chart, bin->low) * (double)chart->column_count;
    double to = position(chart, bin->high) * (double)chart->column_count;

    if (to - from < 1e-9) {
        chart->columns[report_chart_column(chart, bin->low)] += (double)bin->count;
        return;
    }
    for (size_t i = (size_t)from; i < chart->column_count && (double)i < to; i++) {
        double part = fmin(to, (double)(i + 1)) - fmax(from, (double)i);

        chart->columns[i] += (double)bin->count * part / (to - from);
    }
}

void report_chart_make(struct report_chart *ret_chart, const struct report_summary *summary,
                       size_t column_count)
{
    *ret_chart = (struct report_chart){.low = summary->min, .high = summary->max};
    if (summary->count == 0 || !(summary->max > summary->min) || column_count == 0) {
        return;
    }
    ret_chart->column_count = min_u64(column_count, CHART_MAX_COLUMNS);
    ret_chart->is_log =
        summary->min >= 0 && summary->max > fmax(summary->min, LOG_OF_ZERO_AT) * CHART_LOG_FROM;
    for (size_t i = 0; i < summary->bin_count; i++) {
        spread(ret_chart, &summary->bins[i]);
    }
}
