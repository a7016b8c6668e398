/* From the numbers of other programs to columns of frames, which keep them exactly: see numbers.h.
 */
#include "io/frame_parts.h"
#include "io/numbers.h"

enum { PIECE = 512 };

NumberType number_type_of(FrameType type)
{
    const uint8_t size = (uint8_t)frame_type_size(type);

    return (NumberType){.kind = type == FT_BOOLEAN          ? 'b'
                                : frame_type_is_float(type) ? 'f'
                                : size == 1                 ? 'u'
                                                            : 'i',
                        .size = size};
}

/* An integer of a type. */
static int64_t integer_at(NumberType t, const char *p)
{
    uint64_t bits = 0;

    memcpy(&bits, p, t.size);
    if (t.swapped)
        bits = __builtin_bswap64(bits) >> (64 - 8 * t.size);
    if (t.kind == 'i' && t.size < 8 && bits >> (8 * t.size - 1))
        bits |= ~UINT64_C(0) << (8 * t.size);
    return t.kind == 'b' ? bits != 0 : (int64_t)bits;
}

bool numbers_to_ints(NumberType t, const char *from, size_t stride, int64_t n, FrameColumn *c,
                     int64_t at)
{
    if (t.kind == 'b' && stride == 1 && c->width == 1) { /* apart, so that it vectorizes */
        uint8_t *to = n > 0 ? column_cell(c, at) : NULL;

        for (int64_t r = 0; r < n; r++)
            to[r] = from[r] != 0;
        return true;
    }
    for (int64_t r = 0; r < n; r++) {
        const int64_t v = integer_at(t, from + (size_t)r * stride);

        if (v < 0 && t.kind == 'u')
            return false;
        column_set_int(c, at + r, v);
    }
    return true;
}

static void fill_floats(NumberType t, const char *from, size_t stride, FrameColumn *c)
{
    double some[PIECE];

    for (int64_t r = 0; r < c->rows; r += PIECE) {
        const int64_t n = c->rows - r < PIECE ? c->rows - r : PIECE;

        numbers_to_doubles(t, from + (size_t)r * stride, stride, n, some);
        for (int64_t i = 0; i < n; i++)
            column_set_number(c, r + i, some[i]);
    }
}

/* Whether numbers lie as those of a column do. */
static bool lies_alike(NumberType t, size_t stride, FrameType type)
{
    const NumberType own = number_type_of(type);

    return t.kind != 'b' && t.kind == own.kind && t.size == own.size && stride == own.size &&
           (!t.swapped || t.size == 1);
}

ml_status numbers_to_column(Ctx *ctx, const char *name, NumberType t, const char *from,
                            size_t stride, int64_t n, FrameColumn **out)
{
    const FrameType type = number_frame_type(t);
    FrameColumn *c;
    ml_status st = ML_OK;

    TRY(frame_column_new(ctx, type, n, &c));
    if (n > 0 && lies_alike(t, stride, type))
        memcpy(c->cells, from, (size_t)n * stride);
    else if (frame_type_is_float(type))
        fill_floats(t, from, stride, c);
    else if (!numbers_to_ints(t, from, stride, n, c, 0))
        st = fail(ctx, ML_EFORMAT, "%s: an integer is beyond the range of INT64", name);
    if (st == ML_OK)
        *out = c;
    else
        frame_column_release(c);
    return st;
}

static bool all_set(const void *bits, int64_t n)
{
    for (int64_t i = 0; bits && i < n; i++)
        if (!bit_is_set(bits, i))
            return false;
    return true;
}

/* Into a column of floating-point numbers. */
static void fill_or_nan(FrameColumn *c, int64_t at, NumberType t, const char *from,
                        const void *validity, int64_t n)
{
    double some[PIECE];

    for (int64_t i = 0; i < n; i++) {
        if (i % PIECE == 0)
            numbers_to_doubles(t, from + i * t.size, t.size, n - i < PIECE ? n - i : PIECE, some);
        column_set_number(c, at + i,
                          bit_is_set(validity, i) ? some[i % PIECE] : (double)__builtin_nan(""));
    }
}

ml_status numbers_fill(Ctx *ctx, const char *name, NumberType t, const char *from,
                       const void *validity, int64_t n, FrameColumn **c, int64_t at)
{
    const bool valid = all_set(validity, n);

    if (!valid)
        TRY(frame_column_widen(ctx, c));
    if (n == 0)
        return ML_OK;
    if (valid && lies_alike(t, t.size, (*c)->type))
        memcpy(column_cell(*c, at), from, (size_t)n * t.size);
    else if (frame_type_is_float((*c)->type))
        fill_or_nan(*c, at, t, from, validity, n);
    else if (!numbers_to_ints(t, from, t.size, n, *c, at))
        return fail(ctx, ML_EFORMAT, "%s: an integer is beyond the range of INT64", name);
    return ML_OK;
}
