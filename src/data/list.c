/* list: ordered values, named or not. */
#include "data/data.h"

ml_status list_new(Ctx *ctx, int64_t count, bool named, List **out)
{
    List *l = mem_calloc(1, sizeof *l);

    if (!l)
        return fail_memory(ctx, sizeof *l);
    atomic_init(&l->refs, 1);
    l->items = mem_calloc((size_t)count, sizeof *l->items);
    l->names = named ? mem_calloc((size_t)count, sizeof *l->names) : NULL;
    if (!l->items || (named && !l->names)) {
        list_release(l);
        return fail_memory(ctx, (size_t)count * sizeof *l->items);
    }
    l->count = count;
    *out = l;
    return ML_OK;
}

List *list_retain(List *l)
{
    atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
    return l;
}

/* Lists in lists recurse; they are as deep as the script's own nesting of list(). */
void list_release(List *l)
{
    if (!l || atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (int64_t i = 0; i < l->count; i++) {
        value_release(l->items[i]);
        if (l->names)
            string_release(l->names[i]);
    }
    mem_free(l->items);
    mem_free(l->names);
    mem_free(l);
}
