/*
 * JSON values built in memory: opened, filled and closed like brackets, then written. The only owner of cJSON.
 *
 * The members of an object come out sorted by key, whatever the order they went in. A number that a double does not hold
 * exactly becomes a string; one that is not finite becomes null. What fails for lack of memory is told by json_write().
 */
#pragma once

#include "base.h"

#include <stdbool.h>
#include <stdio.h>

enum { JSON_MAX_DEPTH = 16 };

/* Owns its value. {0} is a tree without one. One thread at a time, as all functions here. */
struct json_tree {
    void *nodes[JSON_MAX_DEPTH]; /* the open ones, the root first; owned through the root */
    size_t depth;
    void *root; /* owned */
    bool is_failed;
};

/* Forgets the value; the tree can be used again. */
void json_release(struct json_tree *tree);

/* key is that of the member to be added; NULL in an array and for the root. */
void json_open_object(struct json_tree *tree, const char *key);
void json_open_array(struct json_tree *tree, const char *key);
void json_close(struct json_tree *tree);

void json_add_text(struct json_tree *tree, const char *key, const char *text);
void json_add_bool(struct json_tree *tree, const char *key, bool value);
void json_add_null(struct json_tree *tree, const char *key);

/* The shortest number that reads back as the same double; null if it is not finite. */
void json_add_number(struct json_tree *tree, const char *key, double value);

/* A number below 2^53, else a string of digits. */
void json_add_count(struct json_tree *tree, const char *key, uint64_t value);

/* Always a string of digits: for times, which are above 2^53 as a rule. */
void json_add_digits(struct json_tree *tree, const char *key, uint64_t value);

/* ISO 8601 with nanoseconds, UTC. */
void json_add_time(struct json_tree *tree, const char *key, uint64_t realtime_ns);

/*
 * Writes the value on one line, without a line end, and forgets it.
 *
 * Returns:  0; -ENOMEM if memory ran out while it was built or written; -EIO if the stream has an error.
 */
MUST_USE int json_write(struct json_tree *tree, FILE *stream);
