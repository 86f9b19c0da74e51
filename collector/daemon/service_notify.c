#include "service_notify.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);

    if (length == 0 || length >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@')) {
        return -1;
    }
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, size) < 0) {
        return -1;
    }
    return take_fd(&fd);
}

static uint64_t watchdog_period_ns(void)
{
    const char *pid = getenv("WATCHDOG_PID");
    const char *period_us = getenv("WATCHDOG_USEC");

    if (period_us == NULL ||
        (pid != NULL && strtoull(pid, NULL, 10) != (unsigned long long)getpid())) {
        return 0;
    }
    return strtoull(period_us, NULL, 10) * NS_PER_US / 2;
}

void notify_open(struct service_notify *ret_notify)
{
    const char *path = getenv("NOTIFY_SOCKET");

    *ret_notify = (struct service_notify){.fd = path == NULL ? -1 : connect_to(path)};
    if (ret_notify->fd >= 0) {
        ret_notify->watchdog_ns = watchdog_period_ns();
    }
}

void notify_release(struct service_notify *notify)
{
    cleanup_close(&notify->fd);
    notify->fd = -1;
}

void notify_send(const struct service_notify *notify, const char *text)
{
    if (notify->fd >= 0) {
        (void)send(notify->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

void notify_watchdog(struct service_notify *notify, uint64_t now_ns)
{
    if (notify->watchdog_ns != 0 && now_ns - notify->last_watchdog_ns >= notify->watchdog_ns) {
        notify->last_watchdog_ns = now_ns;
        notify_send(notify, "WATCHDOG=1");
    }
}
