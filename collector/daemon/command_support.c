#include "daemon_commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int command_fail(const char *format, ...)
{
    va_list arguments;

    (void)fputs("eddy-collector: ", stderr);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    return EXIT_FAILED;
}

int command_refuse_usage(const char *command)
{
    (void)fprintf(stderr, "'%s --help' tells how it is used\n", command);
    return EXIT_USAGE;
}

int command_choose_socket(const char *given, char *ret_path, size_t size)
{
    if (given == NULL) {
        int r = config_default_socket(ret_path, size);

        if (r < 0) {
            (void)command_fail("the socket path in the environment is too long");
        }
        return r;
    }
    if ((size_t)snprintf(ret_path, size, "%s", given) >= size) {
        (void)command_fail("the socket path is too long");
        return -ENAMETOOLONG;
    }
    return 0;
}
