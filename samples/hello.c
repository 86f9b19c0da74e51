/* hello.c - the shortest program that records something. Build it: cc hello.c $(pkg-config --cflags --libs eddy) */
#include <eddy.h>
#include <stdlib.h>

static struct eddy_name hello_sort = EDDY_NAME("hello.sort");
static int numbers[10000];

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

int main(void)
{
    for (int round = 0; round < 2000; round++) {
        size_t count = (size_t)rand() % 10000;
        for (size_t i = 0; i < count; i++) {
            numbers[i] = rand();
        }
        uint64_t operation = eddy_begin(&hello_sort);
        qsort(numbers, count, sizeof(numbers[0]), compare);
        eddy_end(operation, EDDY_OK);
    }
}
