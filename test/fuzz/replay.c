/* Stands in for libFuzzer: gives every file of the folders and files named to the fuzzer once. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path, size_t size)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1);
    int ok = in && data && fread(data, 1, size, in) == size;

    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    else
        perror(path);
    free(data);
    if (in)
        fclose(in);
    return ok;
}

/* Replays path, a file or a folder; returns how many files, or -1. */
static int replay(const char *path)
{
    struct stat st;
    struct dirent **entries;
    char inner[4096];
    int n, done = 0;

    if (stat(path, &st) != 0)
        return 0; /* a fuzzer without a corpus yet */
    if (!S_ISDIR(st.st_mode))
        return replay_file(path, (size_t)st.st_size) ? 1 : -1;
    n = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && done >= 0)
            done = replay(inner) < 0 ? -1 : done + 1;
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
    return done;
}

int main(int argc, char **argv)
{
    int total = 0;

    for (int i = 1; i < argc; i++) {
        const int n = replay(argv[i]);

        if (n < 0)
            return 1;
        total += n;
    }
    printf("corpus: %d passed, 0 failed\n", total);
    return 0;
}
