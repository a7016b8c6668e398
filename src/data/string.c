/* string: immutable counted text. */
#include "data/data.h"

#include <string.h>

ml_status string_new(Ctx *ctx, const char *text, size_t size, String **out)
{
    size_t bytes;
    String *s;

    if (__builtin_add_overflow(size, sizeof *s + 1, &bytes) || !(s = mem_alloc(bytes)))
        return fail_memory(ctx, size);
    atomic_init(&s->refs, 1);
    s->size = (int64_t)size;
    if (size)
        memcpy(s->text, text, size);
    s->text[size] = '\0';
    *out = s;
    return ML_OK;
}

String *string_retain(String *s)
{
    if (s)
        atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return s;
}

void string_release(String *s)
{
    if (s && atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1)
        mem_free(s);
}
