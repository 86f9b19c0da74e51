#include "debug_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE_BYTES = 512 };

#define PREFIX "eddy: "

void debug_line(bool wanted, const char *format, ...)
{
    char line[LINE_BYTES] = PREFIX;
    size_t used = strlen(PREFIX);
    va_list arguments;

    if (!wanted) {
        return;
    }
    va_start(arguments, format);

    int length = vsnprintf(line + used, sizeof(line) - used, format, arguments);

    va_end(arguments);
    if (length < 0) {
        return;
    }
    used = min_u64(used + (size_t)length, sizeof(line) - 1);
    line[used++] = '\n';

    ssize_t written = write(STDERR_FILENO, line, used);

    (void)written; /* Nobody to tell. */
}
