/* sample_options.h - reading the command line; nothing of it is about Eddy. */
#ifndef SAMPLE_OPTIONS_H
#define SAMPLE_OPTIONS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns the number that text is, or ends the program with status 2. */
static inline double number_option(const char *name, const char *text, double least, double most)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= least && value <= most)) {
        fprintf(stderr, "--%s wants a number from %g to %g, not '%s'\n", name, least, most, text);
        exit(2);
    }
    return value;
}

/* Returns which of the choices (the last one is NULL) text is, or ends the program with status 2. */
static inline int choice_option(const char *name, const char *text, const char *const *choices)
{
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], text) == 0) {
            return i;
        }
    }
    fprintf(stderr, "--%s wants one of", name);
    for (int i = 0; choices[i] != NULL; i++) {
        fprintf(stderr, " %s", choices[i]);
    }
    fprintf(stderr, ", not '%s'\n", text);
    exit(2);
}

#endif
