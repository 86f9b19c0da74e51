/*
 * Why the collector closes a connection. Each reason is counted and logged under its name.
 */
#pragma once

enum refusal {
    REFUSED_BAD_HEADER,
    REFUSED_TOO_LARGE,
    REFUSED_UNKNOWN_TYPE,
    REFUSED_BAD_CHECKSUM,
    REFUSED_UNEXPECTED,
    REFUSED_VERSION,
    REFUSED_BAD_HELLO,
    REFUSED_FOREIGN_SESSION,
    REFUSED_BAD_FRAME,
    REFUSED_BAD_SEQUENCE,
    REFUSED_BAD_REQUEST,
    REFUSED_HELLO_TIMEOUT,
    REFUSED_MESSAGE_TIMEOUT,
    REFUSED_CONNECTION_LIMIT,
    REFUSED_USER_LIMIT,
    REFUSED_DESCRIPTORS,
    REFUSED_MEMORY,
    REFUSAL_COUNT,
};

/* As it stands in counters: "bad_header". Threads: any. */
const char *refusal_name(enum refusal refusal);

/* As it stands in logs: what the client did. Threads: any. */
const char *refusal_text(enum refusal refusal);
