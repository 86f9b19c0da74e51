/*
 * How far a long job is, on one line of a terminal that is drawn again and again.
 */
#pragma once

#include "base.h"

#include <stdbool.h>
#include <stdio.h>

/* {0} draws nothing. */
struct progress_bar {
    FILE *stream; /* NULL: there is no terminal */
    int percent;  /* as drawn last; -1: nothing was drawn */
};

/* A bar on stderr, if that is a terminal and the user wants it. Threads: one bar, one thread at a time. */
struct progress_bar progress_bar_make(bool is_wanted);

/* Draws, if something changed. bar is a struct progress_bar *, so that this can be a listener. */
void progress_bar_draw(void *bar, uint64_t done, uint64_t total);

/* Clears the line. */
void progress_bar_clear(struct progress_bar *bar);
