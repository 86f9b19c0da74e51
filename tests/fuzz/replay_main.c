/*
 * Runs a fuzz target over the files of the folders given, as a regression test where there is no libFuzzer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    static uint8_t data[16 << 20];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return 1;
    }

    size_t size = fread(data, 1, sizeof(data), file);
    uint8_t *copy =
        malloc(size + 1); /* exact size, so that AddressSanitizer sees a read behind the end */

    (void)fclose(file);
    if (copy == NULL) {
        return 1;
    }
    for (size_t i = 0; i < size; i++) {
        copy[i] = data[i];
    }
    uint8_t *exact = realloc(copy, size > 0 ? size : 1);

    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int replay_folder(const char *folder, unsigned int *count)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    int failures = 0;

    if (dir == NULL) {
        perror(folder);
        return 1;
    }
    while ((entry = readdir(dir)) != NULL) {
        char path[4096];

        if (entry->d_name[0] != '.') {
            (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
            failures += replay_file(path);
            (*count)++;
        }
    }
    (void)closedir(dir);
    return failures;
}

int main(int argc, char **argv)
{
    unsigned int count = 0;
    int failures = 0;

    for (int i = 1; i < argc; i++) {
        failures += replay_folder(argv[i], &count);
    }
    printf("replayed %u inputs\n", count);
    return failures != 0 || count == 0;
}
