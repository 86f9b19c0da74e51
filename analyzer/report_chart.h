/*
 * The histogram of a summary on a given number of columns: what a text chart draws.
 */
#pragma once

#include "report_summary.h"
#include "text_chart.h"

#include <stdbool.h>

struct report_chart {
    size_t column_count; /* 0 if there is nothing to draw: no values, or all the same */
    double low;
    double high;
    bool is_log;
    double columns[CHART_MAX_COLUMNS]; /* values in each */
};

/*
 * Spreads the bins of summary over columns; logarithmically where the values span more than CHART_LOG_FROM.
 *
 * Threads:  any, as all functions here.
 */
void report_chart_make(struct report_chart *ret_chart, const struct report_summary *summary,
                       size_t column_count);

/* The column that value falls into. */
size_t report_chart_column(const struct report_chart *chart, double value);
