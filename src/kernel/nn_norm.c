/* Images by channel: bias, batch normalization and its gradients.
 *
 * Sums over a channel are taken image by image, each in 8 lanes, and then over the images in order:
 * the digits do not depend on the threads.  The variance is that of the deviations from the mean,
 * in a pass of its own, so it does not cancel. Source of the gradients: Ioffe and Szegedy, "Batch
 * Normalization" (2015). */
#include "kernel/matmult.h"
#include "kernel/nn.h"

#include <math.h>
#include <string.h>

enum { LANES = 8 };

typedef struct Norm {
    int64_t n, c, hw;
    const double *x, *dout;                   /* images; gradient of the result */
    const double *mean, *inv, *scale, *shift; /* a cell a channel */
    double *out;
    double *sums, *sums2;          /* a cell for each channel of each image, by images */
    const double *dscale, *dshift; /* gradients of scale and shift */
} Norm;

static inline double fold(const double *lane)
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* ---- sums over one channel of one image ---- */

static double plane_sum(const double *x, int64_t n)
{
    double lane[LANES] = {0};
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += x[k + j];
    for (int j = 0; k < n; k++, j++)
        lane[j] += x[k];
    return fold(lane);
}

static double plane_squares(const double *x, int64_t n, double mean)
{
    double lane[LANES] = {0};
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (x[k + j] - mean) * (x[k + j] - mean);
    for (int j = 0; k < n; k++, j++)
        lane[j] += (x[k] - mean) * (x[k] - mean);
    return fold(lane);
}

static double plane_product(const double *x, const double *y, int64_t n, double mean)
{
    double lane[LANES] = {0};
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (x[k + j] - mean) * y[k + j];
    for (int j = 0; k < n; k++, j++)
        lane[j] += (x[k] - mean) * y[k];
    return fold(lane);
}

/* ---- all channels of all images: a unit is one channel of one image ---- */

static ml_status sum_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++)
        v->sums[k] = plane_sum(v->x + k * v->hw, v->hw);
    return check_cancel(ctx);
}

static ml_status squares_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++)
        v->sums[k] = plane_squares(v->x + k * v->hw, v->hw, v->mean[k % v->c]);
    return check_cancel(ctx);
}

static ml_status gradient_sums_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++) {
        const double *dout = v->dout + k * v->hw;

        v->sums[k] = plane_sum(dout, v->hw);
        v->sums2[k] = plane_product(v->x + k * v->hw, dout, v->hw, v->mean[k % v->c]);
    }
    return check_cancel(ctx);
}

static ml_status normalize_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++) {
        const int64_t c = k % v->c;
        const double mean = v->mean[c], factor = v->scale[c] * v->inv[c], shift = v->shift[c];
        const double *x = v->x + k * v->hw;
        double *out = v->out + k * v->hw;

        for (int64_t j = 0; j < v->hw; j++)
            out[j] = (x[j] - mean) * factor + shift;
    }
    return check_cancel(ctx);
}

/* dX = scale inv (dout - dshift / m - (x - mean) inv dscale / m) for m cells a channel. */
static ml_status gradient_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;
    const double m = (double)v->n * (double)v->hw;

    for (int64_t k = lo; k < hi; k++) {
        const int64_t c = k % v->c;
        const double mean = v->mean[c], factor = v->scale[c] * v->inv[c];
        const double level = v->dshift[c] / m, slope = v->inv[c] * v->dscale[c] / m;
        const double *x = v->x + k * v->hw, *dout = v->dout + k * v->hw;
        double *dx = v->out + k * v->hw;

        for (int64_t j = 0; j < v->hw; j++)
            dx[j] = factor * (dout[j] - level - (x[j] - mean) * slope);
    }
    return check_cancel(ctx);
}

static ml_status run(Ctx *ctx, Norm *v, TaskFn range)
{
    return task_for(ctx, v->n * v->c, task_grain(v->hw), range, v);
}

/* Over the images, divided. */
static void add_images(const Norm *v, const double *sums, double divisor, double *out)
{
    for (int64_t c = 0; c < v->c; c++) {
        double s = 0;

        for (int64_t i = 0; i < v->n; i++)
            s += sums[i * v->c + c];
        out[c] = s / divisor;
    }
}

/* ---- operands ---- */

/* Operand k as the images, of as many channels as operand b, a column, has cells. */
static ml_status images(Ctx *ctx, const OpCall *call, int k, int b, Norm *v, Matrix **out)
{
    Matrix *x, *column;

    TRY(call_matrix(ctx, call, k, &x));
    TRY(call_matrix(ctx, call, b, &column));
    if (column->cols != 1 || column->rows == 0)
        return call_shape_error(ctx, call, k, b,
                                "the second should be a column, one cell a channel");
    if (x->cols % column->rows != 0)
        return call_shape_error(ctx, call, k, b,
                                "the columns of the images should be a multiple of the channels");
    v->n = x->rows;
    v->c = column->rows;
    v->hw = x->cols / v->c;
    return matrix_dense(ctx, x, out);
}

static ml_status channels(Ctx *ctx, const OpCall *call, int k, const Norm *v, Matrix **out)
{
    return nn_operand(ctx, call, k, v->c, 1, "the number of channels", out);
}

/* ---- bias ---- */

static ml_status add_bias_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++)
        for (int64_t j = k * v->hw; j < (k + 1) * v->hw; j++)
            v->out[j] = v->x[j] + v->shift[k % v->c];
    return check_cancel(ctx);
}

static ml_status multiply_bias_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Norm *v = arg;

    for (int64_t k = lo; k < hi; k++)
        for (int64_t j = k * v->hw; j < (k + 1) * v->hw; j++)
            v->out[j] = v->x[j] * v->shift[k % v->c];
    return check_cancel(ctx);
}

static ml_status bias(Ctx *ctx, OpCall *call, TaskFn range)
{
    Norm v = {0};
    const Matrix *reusable = call_reusable(call, 0);
    Matrix *x = NULL, *b = NULL, *out = NULL;
    ml_status st;

    TRY(images(ctx, call, 0, 1, &v, &x));
    TRY_TO(done, st = channels(ctx, call, 1, &v, &b));
    if (x != call->in[0].m || reusable) /* ours alone: in place */
        out = matrix_retain(x);
    else
        TRY_TO(done, st = matrix_new_dense(ctx, x->rows, x->cols, &out));
    v.x = x->values;
    v.shift = b->values;
    v.out = out->values;
    TRY_TO(done, st = run(ctx, &v, range));
    st = result_matrix(ctx, call, 0, out, -1);
    out = NULL;
done:
    matrix_release(x);
    matrix_release(b);
    matrix_release(out);
    return st;
}

ml_status ml_k_bias_add(Ctx *ctx, OpCall *call)
{
    return bias(ctx, call, add_bias_range);
}

ml_status ml_k_bias_multiply(Ctx *ctx, OpCall *call)
{
    return bias(ctx, call, multiply_bias_range);
}

/* ---- batch normalization ---- */

enum { OUT, EMA_MEAN, EMA_VAR, CACHE_MEAN, CACHE_INV, NORM_RESULTS };

typedef struct BatchNorm {
    Norm v;
    double epsilon, mu;
    bool train;
    Matrix *in[5]; /* image, scale, shift, ema_mean, ema_var */
    Matrix *out[NORM_RESULTS];
} BatchNorm;

static ml_status norm_mode(Ctx *ctx, const OpCall *call, BatchNorm *b)
{
    const char *mode;

    TRY(call_text(ctx, call, 5, &mode));
    TRY(call_double(ctx, call, 6, &b->epsilon));
    TRY(call_double(ctx, call, 7, &b->mu));
    b->train = strcmp(mode, "train") == 0;
    if (!b->train && strcmp(mode, "test") != 0)
        return fail(ctx, ML_EVALUE,
                    "batch_norm2d: mode should be \"train\" or \"test\", found \"%s\"", mode);
    return ML_OK;
}

static ml_status norm_operands(Ctx *ctx, const OpCall *call, BatchNorm *b)
{
    Norm *v = &b->v;

    TRY(norm_mode(ctx, call, b));
    TRY(images(ctx, call, 0, 1, v, &b->in[0]));
    for (int k = 1; k < 5; k++)
        TRY(channels(ctx, call, k, v, &b->in[k]));
    if (b->train && v->n * v->hw == 0)
        return fail(ctx, ML_ESHAPE,
                    "batch_norm2d: mode \"train\" needs images, found %s without cells",
                    call_name(call, 0));
    TRY(matrix_new_dense(ctx, v->n, v->c * v->hw, &b->out[OUT]));
    for (int k = 1; k < NORM_RESULTS; k++)
        TRY(matrix_new_dense(ctx, v->c, 1, &b->out[k]));
    v->x = b->in[0]->values;
    v->out = b->out[OUT]->values;
    v->scale = b->in[1]->values;
    v->shift = b->in[2]->values;
    v->mean = b->out[CACHE_MEAN]->values;
    v->inv = b->out[CACHE_INV]->values;
    return ML_OK;
}

static void move_average(const BatchNorm *b, const double *ema, const double *batch, double *out)
{
    for (int64_t c = 0; c < b->v.c; c++)
        out[c] = b->mu * ema[c] + (1 - b->mu) * batch[c];
}

/* Mean and variance of the batch, and the running ones; the variance passes through the last cache.
 */
static ml_status train_moments(Ctx *ctx, BatchNorm *b)
{
    Norm *v = &b->v;
    const double m = (double)v->n * (double)v->hw;
    double *mean = b->out[CACHE_MEAN]->values, *var = b->out[CACHE_INV]->values;
    ml_status st;

    TRY(partials_new(ctx, v->n, v->c, &v->sums));
    TRY_TO(done, st = run(ctx, v, sum_range));
    add_images(v, v->sums, m, mean);
    TRY_TO(done, st = run(ctx, v, squares_range));
    add_images(v, v->sums, m, var);
    move_average(b, b->in[3]->values, mean, b->out[EMA_MEAN]->values);
    move_average(b, b->in[4]->values, var, b->out[EMA_VAR]->values);
done:
    partials_free(ctx, v->sums, v->n, v->c);
    return st;
}

static void test_moments(BatchNorm *b)
{
    const size_t bytes = (size_t)b->v.c * sizeof(double);

    memcpy(b->out[EMA_MEAN]->values, b->in[3]->values, bytes);
    memcpy(b->out[EMA_VAR]->values, b->in[4]->values, bytes);
    memcpy(b->out[CACHE_MEAN]->values, b->in[3]->values, bytes);
    memcpy(b->out[CACHE_INV]->values, b->in[4]->values, bytes);
}

static ml_status normalize(Ctx *ctx, BatchNorm *b)
{
    double *inv = b->out[CACHE_INV]->values;

    if (b->train)
        TRY(train_moments(ctx, b));
    else
        test_moments(b);
    for (int64_t c = 0; c < b->v.c; c++)
        inv[c] = 1 / sqrt(inv[c] + b->epsilon);
    return run(ctx, &b->v, normalize_range);
}

ml_status ml_k_batch_norm2d(Ctx *ctx, OpCall *call)
{
    BatchNorm b = {0};
    ml_status st = norm_operands(ctx, call, &b);

    if (st == ML_OK)
        st = normalize(ctx, &b);
    for (int k = 0; k < 5; k++)
        matrix_release(b.in[k]);
    return result_matrices(ctx, call, st, b.out, NORM_RESULTS);
}

/* ---- its gradients ---- */

enum { IMAGE, DOUT, SCALE, MEAN, INV, GRADIENT_OPERANDS };

static ml_status gradient_operands(Ctx *ctx, const OpCall *call, Norm *v, Matrix **in, Matrix **out)
{
    TRY(images(ctx, call, 0, 2, v, &in[IMAGE]));
    TRY(nn_operand(ctx, call, 1, v->n, v->c * v->hw, "the image", &in[DOUT]));
    TRY(channels(ctx, call, 2, v, &in[SCALE]));
    TRY(channels(ctx, call, 4, v, &in[MEAN]));
    TRY(channels(ctx, call, 5, v, &in[INV]));
    TRY(matrix_new_dense(ctx, v->n, v->c * v->hw, &out[0]));
    TRY(matrix_new_dense(ctx, v->c, 1, &out[1]));
    TRY(matrix_new_dense(ctx, v->c, 1, &out[2]));
    v->x = in[IMAGE]->values;
    v->dout = in[DOUT]->values;
    v->scale = in[SCALE]->values;
    v->mean = in[MEAN]->values;
    v->inv = in[INV]->values;
    v->out = out[0]->values;
    v->dscale = out[1]->values;
    v->dshift = out[2]->values;
    return ML_OK;
}

static ml_status gradients(Ctx *ctx, Norm *v, double *dscale, double *dshift)
{
    ml_status st;

    TRY(partials_new(ctx, 2 * v->n, v->c, &v->sums));
    v->sums2 = v->sums + v->n * v->c;
    TRY_TO(done, st = run(ctx, v, gradient_sums_range));
    add_images(v, v->sums, 1, dshift);
    add_images(v, v->sums2, 1, dscale);
    for (int64_t c = 0; c < v->c; c++)
        dscale[c] *= v->inv[c];
    st = run(ctx, v, gradient_range);
done:
    partials_free(ctx, v->sums, 2 * v->n, v->c);
    return st;
}

ml_status ml_k_batch_norm2d_backward(Ctx *ctx, OpCall *call)
{
    Norm v = {0};
    Matrix *in[GRADIENT_OPERANDS] = {NULL}, *out[3] = {NULL};
    ml_status st = gradient_operands(ctx, call, &v, in, out);

    if (st == ML_OK)
        st = gradients(ctx, &v, out[1]->values, out[2]->values);
    for (int k = 0; k < GRADIENT_OPERANDS; k++)
        matrix_release(in[k]);
    return result_matrices(ctx, call, st, out, 3);
}
