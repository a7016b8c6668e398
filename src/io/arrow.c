/* Columns as Arrow lays them: see arrow.h. Texts of a dictionary are spread out, for other programs
 * take Arrow's dictionaries for categories and not for texts. */
#include "io/arrow.h"

/* n zeroed bytes in buffer i. */
static unsigned char *make(ArrowColumn *c, int i, size_t n)
{
    char *to = buffer_reserve(&c->made[i], n + 1);

    if (!to)
        return NULL;
    memset(to, 0, n + 1);
    c->made[i].size = n;
    c->data[i] = to;
    c->size[i] = n;
    return (unsigned char *)to;
}

static void set_bit(unsigned char *bits, int64_t i)
{
    bits[i / 8] = (unsigned char)(bits[i / 8] | 1 << i % 8);
}

static ml_status cut_numbers(Ctx *ctx, const FrameColumn *c, int64_t lo, ArrowColumn *out)
{
    unsigned char *bits;

    out->count = 2;
    if (c->type != FT_BOOLEAN) {
        out->data[1] = column_cell(c, lo);
        out->size[1] = (size_t)out->rows * c->width;
        return ML_OK;
    }
    bits = make(out, 1, (size_t)(out->rows + 7) / 8);
    if (!bits)
        return fail_memory(ctx, (size_t)out->rows);
    for (int64_t r = 0; r < out->rows; r++)
        if (column_int(c, lo + r))
            set_bit(bits, r);
    return ML_OK;
}

/* Offsets from 0, and the number of nulls; the bytes of all texts are in *bytes. */
static ml_status cut_offsets(Ctx *ctx, const FrameColumn *c, int64_t lo, ArrowColumn *out,
                             size_t *bytes)
{
    unsigned char *to = make(out, 1, ((size_t)out->rows + 1) * sizeof(int32_t));
    int32_t *offsets = (int32_t *)(void *)to;

    if (!to)
        return fail_memory(ctx, (size_t)out->rows * sizeof(int32_t));
    *bytes = 0;
    for (int64_t r = 0; r < out->rows; r++) {
        size_t size = 0;

        out->nulls += !column_text(c, lo + r, &size);
        *bytes += size;
        if (*bytes > INT32_MAX)
            return fail(ctx, ML_EVALUE,
                        "write: the texts of rows %" PRId64 " to %" PRId64
                        " take more than 2 GiB, which the format cannot hold",
                        lo + 1, lo + r + 1);
        offsets[r + 1] = (int32_t)*bytes;
    }
    return ML_OK;
}

static ml_status cut_validity(Ctx *ctx, const FrameColumn *c, int64_t lo, ArrowColumn *out)
{
    unsigned char *bits = make(out, 0, (size_t)(out->rows + 7) / 8);

    if (!bits)
        return fail_memory(ctx, (size_t)out->rows / 8);
    for (int64_t r = 0; r < out->rows; r++)
        if (!column_is_null(c, lo + r))
            set_bit(bits, r);
    return ML_OK;
}

static ml_status cut_texts(Ctx *ctx, const FrameColumn *c, int64_t lo, ArrowColumn *out)
{
    size_t bytes = 0, at = 0;
    unsigned char *to;

    out->count = 3;
    TRY(cut_offsets(ctx, c, lo, out, &bytes));
    if (out->nulls > 0)
        TRY(cut_validity(ctx, c, lo, out));
    if (!c->width && out->nulls == 0) { /* the texts lie there one after the other */
        out->data[2] = c->texts->bytes + text_offset(c->texts, lo);
        out->size[2] = bytes;
        return ML_OK;
    }
    to = make(out, 2, bytes);
    if (!to)
        return fail_memory(ctx, bytes);
    for (int64_t r = 0; r < out->rows; r++) {
        size_t size;
        const char *text = column_text(c, lo + r, &size);

        if (text && size > 0)
            memcpy(to + at, text, size);
        at += text ? size : 0;
    }
    return ML_OK;
}

ml_status arrow_column(Ctx *ctx, const FrameColumn *c, int64_t lo, int64_t hi, ArrowColumn *out)
{
    ml_status st;

    *out = (ArrowColumn){.rows = hi - lo};
    st = c->texts ? cut_texts(ctx, c, lo, out) : cut_numbers(ctx, c, lo, out);
    if (st != ML_OK)
        arrow_column_free(out);
    return st;
}

ml_status arrow_cells(Ctx *ctx, const Matrix *m, int64_t k, int64_t lo, int64_t hi,
                      ArrowColumn *out)
{
    double *cells;

    *out = (ArrowColumn){.rows = hi - lo, .count = 2};
    cells = (double *)(void *)make(out, 1, (size_t)(hi - lo) * sizeof(double));
    if (!cells)
        return fail_memory(ctx, (size_t)(hi - lo) * sizeof(double));
    for (int64_t r = lo; r < hi; r++)
        cells[r - lo] = matrix_get(m, r, k);
    return ML_OK;
}

void arrow_column_free(ArrowColumn *c)
{
    for (int i = 0; i < ARROW_BUFFERS; i++)
        buffer_free(&c->made[i]);
    *c = (ArrowColumn){0};
}
