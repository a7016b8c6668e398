/* frame_convert: between frames and matrices or scalars. */
#include "kernel/frame.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ---- to a matrix ---- */

typedef struct ToMatrix {
    const Frame *f;
    double *out;
} ToMatrix;

static ml_status rows_to_matrix(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const ToMatrix *job = arg;
    const int64_t cols = job->f->cols;

    for (int64_t i = lo; i < hi; i++)
        for (int64_t j = 0; j < cols; j++) {
            double *out = &job->out[i * cols + j];
            ml_status st = frame_cell_number(ctx, job->f->columns[j], i, out);

            if (st != ML_OK)
                return frame_name_column(ctx, job->f, j, st);
        }
    return ML_OK;
}

ml_status frame_to_matrix(Ctx *ctx, const Frame *f, Matrix **out)
{
    ToMatrix job = {.f = f};
    Matrix *m = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, f->rows, f->cols, &m));
    job.out = m->values;
    st = task_for(ctx, f->rows, task_grain(f->cols * 8), rows_to_matrix, &job);
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    *out = m;
    return ML_OK;
}

/* ---- from a matrix ---- */

/* Significant digits of the shortest decimal form: digits without leading and trailing zeros. */
static int significant_digits(double v)
{
    char text[NUM_BUFFER];
    size_t size = num_print_double(text, v);
    int digits = 0, zeros = 0;

    for (size_t k = 0; k < size && text[k] != 'E'; k++) {
        if (text[k] == '0')
            zeros += digits > 0;
        else if (text[k] >= '1' && text[k] <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

FrameType float_type(double v)
{
    const double a = fabs(v);

    if (isnan(v) || isinf(v) || a == 0)
        return FT_FP32;
    return a <= FLT_MAX && a >= FLT_TRUE_MIN && significant_digits(v) <= 8 ? FT_FP32 : FT_FP64;
}

static bool is_integer(double v)
{
    return v == floor(v) && fabs(v) < 0x1p63;
}

/* Widen the type of a column of numbers by one more. */
static FrameType widen(FrameType type, double v)
{
    FrameType cell;

    if (is_integer(v))
        cell = v == 0 || v == 1                   ? FT_BOOLEAN
               : v >= INT32_MIN && v <= INT32_MAX ? FT_INT32
                                                  : FT_INT64;
    else
        cell = float_type(v);
    if (type == FT_FP64 || cell == FT_FP64)
        return FT_FP64;
    if (type == FT_FP32 || cell == FT_FP32)
        return FT_FP32;
    return frame_type_join(type, cell);
}

typedef struct FromMatrix {
    const Matrix *in; /* dense */
    FrameColumn **columns;
} FromMatrix;

/* Would a 32-bit float hold all integers of a column? */
static bool floats_hold_integers(const Matrix *m, int64_t col)
{
    for (int64_t i = 0; i < m->rows; i++) {
        const double v = m->values[i * m->cols + col];

        if (is_integer(v) && (double)(float)v != v)
            return false;
    }
    return true;
}

static FrameType column_type(const Matrix *m, int64_t col)
{
    FrameType type = FT_BOOLEAN;

    for (int64_t i = 0; i < m->rows && type != FT_FP64; i++)
        type = widen(type, m->values[i * m->cols + col]);
    return type == FT_FP32 && !floats_hold_integers(m, col) ? FT_FP64 : type;
}

static ml_status columns_from_matrix(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const FromMatrix *job = arg;
    const Matrix *m = job->in;

    for (int64_t j = lo; j < hi; j++) {
        FrameType type = column_type(m, j);
        FrameColumn *c = NULL;

        TRY(frame_column_new(ctx, type, m->rows, &c));
        for (int64_t i = 0; i < m->rows; i++) {
            const double v = m->values[i * m->cols + j];

            column_set_number(c, i, v);
        }
        job->columns[j] = c;
    }
    return ML_OK;
}

ml_status frame_from_matrix(Ctx *ctx, Matrix *m, Frame **out)
{
    FromMatrix job = {0};
    Matrix *dense = NULL;
    ml_status st;

    TRY(matrix_dense(ctx, m, &dense));
    job.in = dense;
    st = columns_new(ctx, m->cols, &job.columns);
    if (st == ML_OK)
        st = task_for(ctx, m->cols, task_grain(m->rows * 8), columns_from_matrix, &job);
    matrix_release(dense);
    if (st == ML_OK)
        return frame_wrap(ctx, m->rows, m->cols, job.columns, NULL, out);
    columns_free(m->cols, job.columns);
    return st;
}

/* ---- from a scalar ---- */

static ml_status scalar_column(Ctx *ctx, Value v, FrameColumn **out)
{
    if (v.vt == VT_STRING)
        return column_of_text(ctx, v.s->text, (size_t)v.s->size, out);
    TRY(frame_column_new(ctx,
                         v.vt == VT_INT      ? FT_INT64
                         : v.vt == VT_DOUBLE ? FT_FP64
                                             : FT_BOOLEAN,
                         1, out));
    if (v.vt == VT_DOUBLE)
        column_set_number(*out, 0, v.d);
    else
        column_set_int(*out, 0, v.vt == VT_INT ? v.i : v.b);
    return ML_OK;
}

ml_status frame_from_scalar(Ctx *ctx, Value v, Frame **out)
{
    FrameColumn **columns = NULL;
    ml_status st;

    TRY(columns_new(ctx, 1, &columns));
    st = scalar_column(ctx, v, &columns[0]);
    if (st == ML_OK)
        return frame_wrap(ctx, 1, 1, columns, NULL, out);
    columns_free(1, columns);
    return st;
}

/* ---- names ---- */

/* Retains the columns for a second frame over them. */
static ml_status share_columns(Ctx *ctx, const Frame *f, FrameColumn ***out)
{
    TRY(columns_new(ctx, f->cols, out));
    for (int64_t j = 0; j < f->cols; j++)
        (*out)[j] = frame_column_retain(f->columns[j]);
    return ML_OK;
}

ml_status frame_rename(Ctx *ctx, Frame **f, const List *names)
{
    const int64_t cols = (*f)->cols;
    FrameColumn **columns = NULL;
    String **texts;
    Frame *out = NULL;
    ml_status st;

    if (names->count < cols)
        return fail(ctx, ML_ESHAPE, "%" PRId64 " names are given for %" PRId64 " columns",
                    names->count, cols);
    for (int64_t j = 0; j < cols; j++)
        if (names->items[j].dt != DT_SCALAR || names->items[j].vt != VT_STRING)
            return fail(ctx, ML_ETYPE, "the name of column %" PRId64 " is no string", j + 1);
    texts = mem_calloc((size_t)cols, sizeof *texts);
    if (!texts)
        return fail_memory(ctx, (size_t)cols * sizeof *texts);
    for (int64_t j = 0; j < cols; j++)
        texts[j] = names->items[j].s;
    st = share_columns(ctx, *f, &columns);
    if (st == ML_OK)
        st = frame_wrap(ctx, (*f)->rows, cols, columns, texts, &out);
    mem_free(texts);
    if (st != ML_OK)
        return st;
    frame_release(*f);
    *f = out;
    return ML_OK;
}
