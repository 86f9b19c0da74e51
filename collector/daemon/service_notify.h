/*
 * The service manager's notification protocol (sd_notify(3)): datagrams of "KEY=value" lines to NOTIFY_SOCKET. Without
 * a service manager every call does nothing.
 */
#pragma once

#include "base.h"

struct service_notify {
    int fd;               /* owned, -1 without a service manager */
    uint64_t watchdog_ns; /* half of what WATCHDOG_USEC asks for; 0: no watchdog */
    uint64_t last_watchdog_ns;
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. Threads: one at a time, as all functions here. */
void notify_open(struct service_notify *ret_notify);
void notify_release(struct service_notify *notify);

/* Sends the lines in text, such as "READY=1\nSTATUS=...". Never blocks; what cannot be sent is dropped. */
void notify_send(const struct service_notify *notify, const char *text);

/* Sends WATCHDOG=1 if it is due. To be called from the loop only: it says that the loop is alive. */
void notify_watchdog(struct service_notify *notify, uint64_t now_ns);
