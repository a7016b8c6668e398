/* Metadata files. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new();
    IoOptions o;
    const char **na;
    int count;

    if (arena)
        mtd_parse(fuzz_ctx(), arena, "fuzz.mtd", (const char *)data, size, &o, &na, &count);
    arena_free(arena);
    return 0;
}
