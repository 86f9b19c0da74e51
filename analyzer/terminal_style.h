/*
 * What the terminal behind a stream can show, and text as plain ASCII for those that show no more.
 */
#pragma once

#include "base.h"

#include <stdbool.h>
#include <stdio.h>

enum {
    TERMINAL_LEAST_COLUMNS = 72,
    TERMINAL_MOST_COLUMNS = 160,
    TERMINAL_DEFAULT_COLUMNS = 110,
};

struct terminal_style {
    size_t columns;
    bool is_utf8;
    bool has_color;
};

enum terminal_color { COLOR_NONE, COLOR_BOLD, COLOR_DIM, COLOR_GOOD, COLOR_WARNING, COLOR_ACCENT };

/*
 * Asks the terminal, the locale (LC_CTYPE is taken from the environment) and NO_COLOR. A stream that is no terminal has the
 * default width and no color.
 *
 * Threads:  the main thread, before others start.
 */
struct terminal_style terminal_style_detect(FILE *stream);

/* Switches to a color, back with COLOR_NONE; writes nothing where there is no color. Threads: any. */
void terminal_put_color(FILE *stream, const struct terminal_style *style,
                        enum terminal_color color);

/*
 * Writes text; what is not ASCII is replaced, one character by one, unless the style is UTF-8: blocks by '#', lines by '-' and
 * '|', the micro sign by 'u', what has no likeness by '?'.
 *
 * Threads:  any.
 */
void terminal_put(FILE *stream, const struct terminal_style *style, const char *text);
