#include "text_chart.h"

#include "text_cell.h"

#include <math.h>

enum { EIGHTHS = 8 };

/* A block filled from below by 0 to 8 eighths, and from the left. */
static const char *const rising[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const growing[EIGHTHS + 1] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};

static double greatest(const double *values, size_t count)
{
    double most = 0;

    for (size_t i = 0; i < count; i++) {
        most = values[i] > most ? values[i] : most;
    }
    return most;
}

/* Height in eighths of a row. */
static size_t height_of(double value, double most, size_t row_count)
{
    double eighths =
        most > 0 && value > 0 ? round(value / most * (double)(row_count * EIGHTHS)) : 0;

    return value > 0 && eighths < 1 ? 1 : (size_t)eighths;
}

void chart_put_row(FILE *stream, const double *values, size_t count, size_t row, size_t row_count)
{
    double most = greatest(values, count);

    for (size_t i = 0; i < count; i++) {
        size_t height = height_of(values[i], most, row_count);
        size_t below = row * EIGHTHS;

        (void)fputs(rising[height <= below ? 0 : min_u64(height - below, EIGHTHS)], stream);
    }
}

void chart_put_line(FILE *stream, const double *values, size_t count)
{
    chart_put_row(stream, values, count, 0, 1);
}

void chart_put_bar(FILE *stream, double ratio, size_t columns)
{
    double limited = isfinite(ratio) && ratio > 0 ? fmin(ratio, 1) : 0;
    size_t eighths = (size_t)round(limited * (double)(columns * EIGHTHS));

    if (limited > 0 && eighths == 0) {
        eighths = 1;
    }
    text_repeat(stream, growing[EIGHTHS], eighths / EIGHTHS);
    (void)fputs(growing[eighths % EIGHTHS], stream);
    text_repeat(stream, " ", columns - (eighths + EIGHTHS - 1) / EIGHTHS);
}
