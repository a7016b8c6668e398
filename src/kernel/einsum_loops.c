/* Sums of products over any indexes, by loops: a unit is a cell of the result.
 *
 * Each tensor has a stride for each index, 0 where it does not have it and rows' and columns'
 * strides together where it has it twice.  The indexes that are summed over turn like the wheels of
 * an odometer, the last one fastest; it carries the place in every tensor along.  Cost: all cells
 * of all indexes, times the tensors. */
#include "kernel/einsum.h"

typedef struct Loops {
    int n, sums; /* tensors; indexes summed over */
    int64_t rows, cols;
    int64_t size[LETTERS]; /* of the summed indexes */
    int64_t *strides;      /* n of the row, n of the column, n of each summed index */
    const double **cells;
    double *out;
    bool empty; /* a summed index has size 0 */
} Loops;

static int64_t stride_of(const Tensor *t, const Matrix *dense, char letter)
{
    if (!letter)
        return 0;
    return (t->row == letter ? dense->cols : 0) + (t->col == letter ? 1 : 0);
}

static bool turn(const Loops *l, int64_t *wheel, int64_t *at)
{
    for (int s = l->sums - 1; s >= 0; s--) {
        const int64_t *stride = l->strides + (2 + s) * l->n;
        const bool round = ++wheel[s] == l->size[s];

        for (int k = 0; k < l->n; k++)
            at[k] += round ? stride[k] * (1 - l->size[s]) : stride[k];
        if (!round)
            return true;
        wheel[s] = 0;
    }
    return false;
}

static double cell_of(const Loops *l, int64_t *wheel, int64_t *at)
{
    double sum = 0;

    if (l->empty)
        return 0;
    do {
        double product = l->cells[0][at[0]];

        for (int k = 1; k < l->n; k++)
            product *= l->cells[k][at[k]];
        sum += product;
    } while (turn(l, wheel, at));
    return sum;
}

static ml_status cells_range(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Loops *l = arg;
    int64_t wheel[LETTERS] = {0}, *at = mem_calloc((size_t)l->n, sizeof *at);
    ml_status st = ML_OK;

    if (!at)
        return fail_memory(ctx, (size_t)l->n * sizeof *at);
    for (int64_t unit = lo; unit < hi && st == ML_OK; unit++) {
        const int64_t i = unit / l->cols, j = unit % l->cols;

        for (int k = 0; k < l->n; k++)
            at[k] = i * l->strides[k] + j * l->strides[l->n + k];
        l->out[unit] = cell_of(l, wheel, at);
        if (unit % 1024 == 0)
            st = check_cancel(ctx);
    }
    mem_free(at);
    return st;
}

/* Work of one cell; for the grain only, so it saturates. */
static int64_t work_of(const Loops *l)
{
    int64_t work = l->n;

    for (int s = 0; s < l->sums; s++)
        if (!mul_int64(work, l->size[s], &work))
            return INT64_MAX;
    return work;
}

static void add_letter(Loops *l, const Tensor *in, Matrix **dense, char letter, int64_t size)
{
    int64_t *stride = l->strides + (2 + l->sums) * l->n;

    for (int k = 0; k < l->n; k++)
        stride[k] = stride_of(&in[k], dense[k], letter);
    l->size[l->sums++] = size;
    l->empty |= size == 0;
}

static void set_loops(Loops *l, const Tensor *in, Matrix **dense, const int64_t *sizes, char row,
                      char col)
{
    for (int k = 0; k < l->n; k++) {
        l->cells[k] = dense[k]->values;
        l->strides[k] = stride_of(&in[k], dense[k], row);
        l->strides[l->n + k] = stride_of(&in[k], dense[k], col);
    }
    for (int letter = 1; letter < LETTERS; letter++) {
        bool used = false;

        for (int k = 0; k < l->n; k++)
            used |= tensor_has(&in[k], (char)letter);
        if (used && letter != row && letter != col)
            add_letter(l, in, dense, (char)letter, sizes[letter]);
    }
}

static ml_status run(Ctx *ctx, Loops *l, Matrix **out)
{
    ml_status st;

    TRY(matrix_new_dense(ctx, l->rows, l->cols, out));
    l->out = (*out)->values;
    st = task_for(ctx, l->rows * l->cols, task_grain(work_of(l)), cells_range, l);
    if (st == ML_OK)
        st = matrix_finish(ctx, out, -1);
    if (st == ML_OK)
        return ML_OK;
    matrix_release(*out);
    *out = NULL;
    return st;
}

static ml_status run_dense(Ctx *ctx, Loops *l, const Tensor *in, Matrix **dense,
                           const int64_t *sizes, char row, char col, Matrix **out)
{
    const size_t strides = (size_t)l->n * (LETTERS + 2) * sizeof *l->strides;
    ml_status st;

    for (int k = 0; k < l->n; k++)
        TRY(matrix_dense(ctx, in[k].m, &dense[k]));
    l->strides = mem_alloc(strides);
    l->cells = mem_calloc((size_t)l->n, sizeof *l->cells);
    if (l->strides && l->cells) {
        set_loops(l, in, dense, sizes, row, col);
        st = run(ctx, l, out);
    } else {
        st = fail_memory(ctx, strides);
    }
    mem_free(l->strides);
    mem_free((void *)l->cells);
    return st;
}

ml_status einsum_loops(Ctx *ctx, const Tensor *in, int n, const int64_t *sizes, char row, char col,
                       Matrix **out)
{
    Loops l = {.n = n, .rows = sizes[(int)row], .cols = sizes[(int)col]};
    Matrix **dense = mem_calloc((size_t)n, sizeof(Matrix *));
    ml_status st;

    if (!dense)
        return fail_memory(ctx, (size_t)n * sizeof(Matrix *));
    st = run_dense(ctx, &l, in, dense, sizes, row, col, out);
    for (int k = 0; k < n; k++)
        matrix_release(dense[k]);
    mem_free(dense);
    return st;
}
