#include "lone_thread.h"

#include "proc_file.h"

#include <string.h>
#include <sys/stat.h>

enum {
    STAT_BYTES = 512,
    LINKS_OF_TWO_THREADS = 4, /* a folder for each, "." and ".." */
};

/* The main thread stays as a zombie until the last thread is gone. */
static bool main_thread_has_ended(void)
{
    char text[STAT_BYTES];
    int r = proc_file_read(text, sizeof(text), "task/%d/stat", (int)getpid());
    /* The name in front may hold anything, also parentheses; behind the last one stands the state. */
    const char *name_end = r < 0 ? NULL : strrchr(text, ')');

    return name_end != NULL && strncmp(name_end, ") Z", 3) == 0;
}

bool lone_thread_is_this(void)
{
    struct stat tasks;

    return stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink == LINKS_OF_TWO_THREADS &&
           main_thread_has_ended();
}
