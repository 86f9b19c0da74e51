/*
 * Numbers as pictures made of text.
 */
#pragma once

#include "base.h"

#include <stdio.h>

enum { CHART_MAX_COLUMNS = 200 };

/*
 * One row of a chart of columns that grow upwards. The greatest value reaches the top of the highest row; what is not zero
 * shows at least as the lowest block.
 *
 * row       0 is the lowest of row_count
 * Threads:  any, as all functions here.
 */
void chart_put_row(FILE *stream, const double *values, size_t count, size_t row, size_t row_count);

/* A bar of length ratio (0 to 1) of columns, filled up with spaces. */
void chart_put_bar(FILE *stream, double ratio, size_t columns);

/* The row of one line that chart_put_row() gives for row_count 1: a sparkline. */
void chart_put_line(FILE *stream, const double *values, size_t count);
