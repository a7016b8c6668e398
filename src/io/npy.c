/* NumPy's .npy: one array. Numbers of any kind become the cells of a matrix.
 *
 * An array of no dimension is 1x1, one of one dimension a column, and of more than two the first
 * counts rows and the others are spread over columns, as the layers of nn expect their images.
 * Large arrays of doubles in C order are not copied: their mapping becomes the matrix.
 */
#include "io/npy.h"

ml_status npy_numbers(Ctx *ctx, const NpyArray *a, const NpyField *f, NumberType *out)
{
    *out = (NumberType){
        .kind = f->kind, .size = (uint8_t)(f->size < 255 ? f->size : 255), .swapped = f->swapped};
    if (number_type_known(*out))
        return ML_OK;
    return fail(ctx, ML_EFORMAT, "%s: cells of dtype '%s', expected real numbers%s", a->name,
                f->descr, f->kind == 'U' || f->kind == 'S' ? "; texts are read as a frame" : "");
}

static ml_status check_cells(Ctx *ctx, const NpyArray *a, NumberType *t)
{
    if (!a->plain)
        return fail(ctx, ML_EFORMAT, "%s: an array of records is a frame, expected numbers",
                    a->name);
    return npy_numbers(ctx, a, a->fields, t);
}

ml_status npy_to_matrix(Ctx *ctx, const NpyArray *a, Matrix **out)
{
    NumberType t;

    TRY(check_cells(ctx, a, &t));
    return numbers_to_matrix(ctx, t, a->data, a->by_column, a->rows, a->cols, out);
}

ml_status npy_open_file(Ctx *ctx, const Spec *spec, const Input *in, NpyArray *out)
{
    if (in->count != 1)
        return fail(ctx, ML_EFORMAT, "%s: an array is one file, found %d", spec->path, in->count);
    return npy_open(ctx, spec->arena, in->files[0].name, in->files[0].data, in->files[0].size, out);
}

ml_status npy_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    NpyArray a;
    NumberType t;
    ml_status st;

    *out = NULL;
    TRY_TO(done, st = npy_open_file(ctx, spec, in, &a));
    TRY_TO(done, st = input_check_dims(ctx, spec, a.rows, a.cols));
    TRY_TO(done, st = check_cells(ctx, &a, &t));
    TRY_TO(done,
           st = numbers_of_file(ctx, &in->files[0], t, a.data, a.by_column, a.rows, a.cols, out));
    st = matrix_finish(ctx, out, (*out)->nnz);
done:
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    return st;
}

/* ---- writing ---- */

void npy_put_rows(const void *matrix, int64_t lo, int64_t hi, Buffer *b)
{
    const Matrix *m = matrix;
    const size_t bytes = (size_t)m->cols * sizeof(double);

    for (int64_t r = lo; r < hi; r++) {
        char *to = buffer_reserve(b, bytes);
        const double *row;

        if (!to)
            return;
        row = matrix_row(m, r, (double *)(void *)to);
        if ((const void *)row != to)
            memcpy(to, row, bytes);
        b->size += bytes;
    }
}

ml_status npy_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    Buffer b = {0};
    ml_status st;

    (void)spec;
    npy_put_header(&b, "'<f8'", m->rows, m->cols);
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, o, b.data, b.size);
    buffer_free(&b);
    if (st != ML_OK)
        return st;
    if (m->format == MATRIX_DENSE)
        return output_append(ctx, o, m->values, (size_t)matrix_cells(m) * sizeof(double));
    return output_rows(ctx, o, m->rows, m->cols, npy_put_rows, m);
}
