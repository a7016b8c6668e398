/* list: making lists, taking them apart and together.  Entries are shared, never copied: a list
 * operator costs one reference count for each entry. */
#include "kernel/kernel.h"

#include <string.h>

/* Put entry `from` of l (its value and its name) at place `to` of a new list. */
static void copy_entry(const List *l, int64_t from, List *out, int64_t to)
{
    out->items[to] = value_retain(l->items[from]);
    if (out->names && l->names)
        out->names[to] = string_retain(l->names[from]);
}

/* Entries [lo, hi) as a new list. */
static ml_status list_slice(Ctx *ctx, const List *l, int64_t lo, int64_t hi, List **out)
{
    TRY(list_new(ctx, hi - lo, l->names != NULL, out));
    for (int64_t i = lo; i < hi; i++)
        copy_entry(l, i, *out, i - lo);
    return ML_OK;
}

static bool any_name(const OpCall *call)
{
    for (int k = 0; k < call->nin && call->names; k++)
        if (call->names[k])
            return true;
    return false;
}

ml_status ml_k_list(Ctx *ctx, OpCall *call)
{
    int n = call->nin;
    List *l = NULL;

    while (n > 0 && call->in[n - 1].dt == DT_NONE)
        n--;
    TRY(list_new(ctx, n, any_name(call), &l));
    for (int k = 0; k < n; k++) {
        const char *name = l->names ? call->names[k] : NULL;

        l->items[k] = value_retain(call->in[k]);
        l->items[k].textual = name && call->in[k].dt == DT_SCALAR && call->in[k].vt == VT_DOUBLE;
        if (name && string_new(ctx, name, strlen(name), &l->names[k]) != ML_OK) {
            list_release(l);
            return ML_ENOMEM;
        }
    }
    call->out[0] = value_list(l);
    return ML_OK;
}

/* ---- by position or name ---- */

static ml_status find_name(Ctx *ctx, const List *l, const String *name, int64_t *at)
{
    for (int64_t i = 0; i < l->count && l->names; i++) {
        const String *s = l->names[i];

        if (s && s->size == name->size && memcmp(s->text, name->text, (size_t)s->size) == 0) {
            *at = i;
            return ML_OK;
        }
    }
    return fail(ctx, ML_ENAME, "the list has no entry named '%s'", name->text);
}

/* Zero-based place of a position from 1, in range or not, or of a name. */
static ml_status place_of(Ctx *ctx, const List *l, Value at, int64_t *place)
{
    char buf[64];

    if (at.dt == DT_SCALAR && at.vt == VT_STRING)
        return find_name(ctx, l, at.s, place);
    if (!scalar_is_number(at))
        return fail(ctx, ML_ETYPE, "a list is indexed by a position or a name, found %s",
                    value_describe(at, buf));
    *place = at.vt == VT_INT ? at.i : double_to_int(scalar_to_double(at));
    if (*place > INT64_MIN)
        --*place;
    return ML_OK;
}

/* lo..hi as the range [*begin, *end); just one entry when there is no hi, none when it is just
 * below lo. */
static ml_status range_of(Ctx *ctx, const List *l, Value lo, Value hi, int64_t *begin, int64_t *end)
{
    int64_t last;

    TRY(place_of(ctx, l, lo, begin));
    last = *begin;
    if (hi.dt != DT_NONE)
        TRY(place_of(ctx, l, hi, &last));
    if (*begin < 0 || last >= l->count || last < *begin - 1)
        return fail(ctx, ML_EVALUE,
                    "the entries %" PRId64 " to %" PRId64 " should lie within 1 to %" PRId64,
                    *begin + 1, last + 1, l->count);
    *end = last + 1;
    return ML_OK;
}

ml_status list_index(Ctx *ctx, List *l, Value lo, Value hi, List **out)
{
    int64_t begin, end;

    TRY(range_of(ctx, l, lo, hi, &begin, &end));
    return list_slice(ctx, l, begin, end, out);
}

ml_status list_assign(Ctx *ctx, List *l, Value lo, Value hi, Value value, List **out)
{
    const int64_t n = value.dt == DT_LIST ? value.l->count : 1;
    int64_t begin, end;

    TRY(range_of(ctx, l, lo, hi, &begin, &end));
    if (n != end - begin && (end - begin != 1 || n > l->count - begin))
        return fail(ctx, ML_ESHAPE,
                    "%" PRId64 " values do not fit the entries %" PRId64 " to %" PRId64, n,
                    begin + 1, end);
    TRY(list_slice(ctx, l, 0, l->count, out));
    for (int64_t i = 0; i < n; i++) {
        value_release((*out)->items[begin + i]);
        (*out)->items[begin + i] = value_retain(value.dt == DT_LIST ? value.l->items[i] : value);
    }
    return ML_OK;
}

ml_status ml_k_remove(Ctx *ctx, OpCall *call)
{
    List *l, *rest = NULL, *removed = NULL;
    int64_t at, end;
    ml_status st;

    TRY(call_list(ctx, call, 0, &l));
    TRY(range_of(ctx, l, call->in[1], value_none(), &at, &end));
    TRY(list_slice(ctx, l, at, end, &removed));
    st = list_new(ctx, l->count - 1, l->names != NULL, &rest);
    if (st != ML_OK) {
        list_release(removed);
        return st;
    }
    for (int64_t i = 0, to = 0; i < l->count; i++)
        if (i != at)
            copy_entry(l, i, rest, to++);
    call->out[0] = value_list(rest);
    call->out[1] = value_list(removed);
    return ML_OK;
}

/* ---- append ---- */

ml_status list_append(Ctx *ctx, List *l, Value value, List **out)
{
    const List *more = value.dt == DT_LIST && value.l->names ? value.l : NULL;
    const int64_t n = more ? more->count : 1;

    TRY(list_new(ctx, l->count + n, l->names || more, out));
    for (int64_t i = 0; i < l->count; i++)
        copy_entry(l, i, *out, i);
    for (int64_t i = 0; i < n && more; i++)
        copy_entry(more, i, *out, l->count + i);
    if (!more)
        (*out)->items[l->count] = value_retain(value);
    return ML_OK;
}
