#include "growing_list.h"

#include <errno.h>
#include <string.h>

enum { LEAST_CAPACITY = 8 };

int growing_list_reserve(void *array, size_t *capacity, size_t count, size_t element_size)
{
    void *elements;

    if (count < *capacity) {
        return 0;
    }

    size_t grown_capacity = *capacity == 0 ? LEAST_CAPACITY : *capacity * 2;

    memcpy(&elements, array, sizeof(elements));

    void *grown = reallocarray(elements, grown_capacity, element_size);

    if (grown == NULL) {
        return -ENOMEM;
    }
    memcpy(array, &grown, sizeof(grown));
    *capacity = grown_capacity;
    return 0;
}

int growing_list_insert(void *array, size_t *capacity, size_t *count, size_t at,
                        size_t element_size)
{
    char *elements;
    int r = growing_list_reserve(array, capacity, *count, element_size);

    if (r == 0) {
        memcpy(&elements, array, sizeof(elements));
        memmove(elements + (at + 1) * element_size, elements + at * element_size,
                (*count - at) * element_size);
        (*count)++;
    }
    return r;
}
