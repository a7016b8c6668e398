/* fft, ifft, fft_linearized, ifft_linearized, stft: the operators over fourier.c.
 *
 * The transform of a matrix is that of its rows followed by that of the columns of what they give;
 * of a row or a column it is the transform of a signal.  All work in place on copies of their
 * operands.  A cell that is not finite makes cells that depend on it NaN or infinite. */
#include "kernel/decompose.h"
#include "kernel/fourier.h"

#include <string.h>

enum { REAL, IMAGINARY, PARTS };

/* Store both parts as results, or release them. */
static ml_status finish(Ctx *ctx, OpCall *call, ml_status st, Matrix *part[PARTS])
{
    for (int k = 0; k < PARTS; k++)
        if (st == ML_OK)
            st = result_matrix(ctx, call, k, part[k], -1);
        else
            matrix_release(part[k]);
    return st;
}

/* ---- whole signals ---- */

static ml_status check_sizes(Ctx *ctx, const OpCall *call, const Matrix *m, bool columns_too)
{
    if (is_power_of_two(m->cols) && (!columns_too || is_power_of_two(m->rows)))
        return ML_OK;
    return fail(ctx, ML_ESHAPE,
                "%s: expected %s of %s to be powers of two, found %" PRId64 "x%" PRId64,
                CALL_DML(call), columns_too ? "rows and columns" : "the columns",
                call_name(call, 0), m->rows, m->cols);
}

/* Operand 1 or zeros, in the shape of operand 0. */
static ml_status imaginary_part(Ctx *ctx, const OpCall *call, const Matrix *re, Matrix **out)
{
    Matrix *m;

    if (!call_has(call, 1))
        return matrix_new_zero(ctx, re->rows, re->cols, out);
    TRY(call_matrix(ctx, call, 1, &m));
    if (m->rows != re->rows || m->cols != re->cols)
        return call_shape_error(ctx, call, 0, 1, "real and imaginary part must have one shape");
    return linalg_copy(ctx, call, 1, out);
}

static ml_status rows_then_columns(Ctx *ctx, Matrix *part[PARTS], bool inverse, bool columns_too)
{
    const int64_t m = part[REAL]->rows, n = part[REAL]->cols;
    Signals s = {part[REAL]->values, part[IMAGINARY]->values, n, m, n, 1};

    TRY(fourier(ctx, &s, inverse));
    if (!columns_too)
        return ML_OK;
    s = (Signals){s.re, s.im, m, n, 1, n};
    return fourier(ctx, &s, inverse);
}

static ml_status transform(Ctx *ctx, OpCall *call, bool inverse, bool columns_too)
{
    Matrix *operand, *part[PARTS] = {NULL, NULL};
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &operand));
    TRY(check_sizes(ctx, call, operand, columns_too));
    st = linalg_copy(ctx, call, 0, &part[REAL]);
    if (st == ML_OK)
        st = imaginary_part(ctx, call, operand, &part[IMAGINARY]);
    if (st == ML_OK)
        st = rows_then_columns(ctx, part, inverse, columns_too);
    return finish(ctx, call, st, part);
}

ml_status ml_k_fft(Ctx *ctx, OpCall *call)
{
    return transform(ctx, call, false, true);
}

ml_status ml_k_ifft(Ctx *ctx, OpCall *call)
{
    return transform(ctx, call, true, true);
}

ml_status ml_k_fft_linearized(Ctx *ctx, OpCall *call)
{
    return transform(ctx, call, false, false);
}

ml_status ml_k_ifft_linearized(Ctx *ctx, OpCall *call)
{
    return transform(ctx, call, true, false);
}

/* ---- windows ---- */

typedef struct Frames {
    const Matrix *m;
    double *out; /* m->rows x (count * window) */
    int64_t count, window, step;
} Frames;

/* Rows cut into frames one after the other; past the end of a row a frame holds zeros. */
static ml_status frames_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Frames *f = arg;

    (void)ctx;
    for (int64_t k = lo; k < hi; k++) {
        const int64_t from = k % f->count * f->step, left = f->m->cols - from;
        const int64_t copied = left < f->window ? left : f->window;
        double *frame = f->out + k * f->window;

        memcpy(frame, f->m->values + k / f->count * f->m->cols + from,
               (size_t)copied * sizeof *frame);
        memset(frame + copied, 0, (size_t)(f->window - copied) * sizeof *frame);
    }
    return ML_OK;
}

/* Operand k in frames. */
static ml_status cut(Ctx *ctx, const OpCall *call, int k, Frames f, Matrix **out)
{
    Matrix *m, *dense;
    ml_status st;

    TRY(call_matrix(ctx, call, k, &m));
    TRY(matrix_dense(ctx, m, &dense));
    st = matrix_new_dense(ctx, m->rows, f.count * f.window, out);
    if (st == ML_OK) {
        f.m = dense;
        f.out = (*out)->values;
        st = task_for(ctx, m->rows * f.count, task_grain(f.window), frames_task, &f);
    }
    matrix_release(dense);
    return st;
}

/* Window and overlap are the arguments from `at` on. */
static ml_status frames_of(Ctx *ctx, const OpCall *call, int at, const Matrix *x, Frames *f)
{
    int64_t overlap, width;

    if (!call_has(call, at + 1))
        return fail(ctx, ML_EVALUE, "stft: expected a window and an overlap after the matrices");
    TRY(call_int(ctx, call, at, &f->window));
    TRY(call_int(ctx, call, at + 1, &overlap));
    if (!is_power_of_two(f->window))
        return fail(ctx, ML_EVALUE,
                    "stft: expected the window to be a power of two, found %" PRId64, f->window);
    if (overlap < 0 || overlap >= f->window)
        return fail(ctx, ML_EVALUE,
                    "stft: expected the overlap to be at least 0 and below the window of %" PRId64
                    ", found %" PRId64,
                    f->window, overlap);
    f->step = f->window - overlap;
    f->count = stft_frames(x->cols, f->window, overlap);
    if (!mul_int64(f->count, f->window, &width))
        return fail(ctx, ML_ESHAPE, "stft: a window of %" PRId64 " makes too many columns",
                    f->window);
    return ML_OK;
}

static ml_status transform_frames(Ctx *ctx, const OpCall *call, bool complex_cells, Frames f,
                                  Matrix *part[PARTS])
{
    Signals s = {.n = f.window, .signal = f.window, .step = 1};

    TRY(cut(ctx, call, 0, f, &part[REAL]));
    if (complex_cells)
        TRY(cut(ctx, call, 1, f, &part[IMAGINARY]));
    else
        TRY(matrix_new_zero(ctx, part[REAL]->rows, part[REAL]->cols, &part[IMAGINARY]));
    s.re = part[REAL]->values;
    s.im = part[IMAGINARY]->values;
    s.count = part[REAL]->rows * f.count;
    return fourier(ctx, &s, false);
}

ml_status ml_k_stft(Ctx *ctx, OpCall *call)
{
    const bool complex_cells = call_has(call, 1) && call->in[1].dt == DT_MATRIX;
    Matrix *x, *part[PARTS] = {NULL, NULL};
    Frames f = {0};

    TRY(call_matrix(ctx, call, 0, &x));
    if (complex_cells && (call->in[1].m->rows != x->rows || call->in[1].m->cols != x->cols))
        return call_shape_error(ctx, call, 0, 1, "real and imaginary part must have one shape");
    TRY(frames_of(ctx, call, complex_cells ? 2 : 1, x, &f));
    return finish(ctx, call, transform_frames(ctx, call, complex_cells, f, part), part);
}
