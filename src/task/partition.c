/* partition: how a parallel call divides its units into chunks.
 *
 * A scheme says how many units the next chunk gets, given how many are left; whoever is free takes
 * it.  static gives each thread one equal chunk: least overhead, for even work.  guided gives a
 * share of what is left (Polychronopoulos and Kuck 1987), so large chunks come first and small ones
 * even out the end. */
#include "task/engine.h"

#include <string.h>

static int64_t static_size(const Call *call, int64_t left)
{
    (void)left;
    return (call->n + call->threads - 1) / call->threads;
}

static int64_t guided_size(const Call *call, int64_t left)
{
    return left / (2 * call->threads);
}

static const struct {
    const char *name;
    ChunkSize size;
} schemes[] = {{"guided", guided_size}, {"static", static_size}};

ChunkSize partition_find(const char *name)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strcmp(schemes[i].name, name) == 0)
            return schemes[i].size;
    return schemes[0].size;
}
