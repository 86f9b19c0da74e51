#include "progress_bar.h"

#include <string.h>

enum { BAR_COLUMNS = 40, WHOLE_PERCENT = 100 };

struct progress_bar progress_bar_make(bool is_wanted)
{
    return (struct progress_bar){
        .stream = is_wanted && isatty(STDERR_FILENO) ? stderr : NULL,
        .percent = -1,
    };
}

void progress_bar_draw(void *bar, uint64_t done, uint64_t total)
{
    struct progress_bar *drawn = bar;
    int percent = total == 0 ? WHOLE_PERCENT
                             : (int)((double)min_u64(done, total) / (double)total * WHOLE_PERCENT);
    char columns[BAR_COLUMNS + 1];
    size_t full = (size_t)percent * BAR_COLUMNS / WHOLE_PERCENT;

    if (drawn->stream == NULL || percent == drawn->percent) {
        return;
    }
    memset(columns, '.', BAR_COLUMNS);
    memset(columns, '#', full);
    columns[BAR_COLUMNS] = '\0';
    (void)fprintf(drawn->stream, "\r[%s] %3d %%", columns, percent);
    (void)fflush(drawn->stream);
    drawn->percent = percent;
}

void progress_bar_clear(struct progress_bar *bar)
{
    if (bar->stream != NULL && bar->percent >= 0) {
        (void)fprintf(bar->stream, "\r%*s\r", BAR_COLUMNS + 10, "");
        (void)fflush(bar->stream);
        bar->percent = -1;
    }
}
