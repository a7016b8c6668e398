/* What the result of a cell program lies between: interval arithmetic.
 *
 * It tells when a kernel may leave out the zeros of a sparse operand: a product with 0 is 0 only
 * beside finite values, which a function of finite values need not be.  Roundings are monotone, so
 * the rounded ends bound the rounded values.  Cost: one pass over each matrix. */
#include "kernel/cell_program.h"
#include "kernel/csr.h"
#include "kernel/fold.h"

#include <math.h>

static const Bounds unknown = {.known = false};

/* Least and greatest of some candidates; unknown when one is not finite. */
static Bounds hull(const double *x, int n)
{
    Bounds b = {x[0], x[0], true};

    for (int k = 0; k < n; k++) {
        b.known &= isfinite(x[k]) != 0;
        b.least = fmin(b.least, x[k]);
        b.greatest = fmax(b.greatest, x[k]);
    }
    return b;
}

Bounds bounds_of(double x)
{
    return hull(&x, 1);
}

typedef struct RangeJob {
    const double *cells;
    int64_t n;
    Sum2 *parts; /* least and greatest of each tile */
} RangeJob;

/* Both folds of a tile while it is in the cache. */
static ml_status range_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const RangeJob *job = arg;

    for (int64_t t = lo; t < hi; t++) {
        const int64_t at = t * FOLD_TILE, left = job->n - at;
        const int64_t n = left < FOLD_TILE ? left : FOLD_TILE;

        for (int k = 0; k < 2; k++) {
            const Fold *f = fold_get(cpu_level(ctx), k ? FOLD_MAX : FOLD_MIN);

            job->parts[2 * t + k] = fold_start(f);
            f->run(job->cells + at, n, 0, &job->parts[2 * t + k]);
        }
    }
    return ML_OK;
}

ml_status bounds_of_matrix(Ctx *ctx, const Matrix *m, Bounds *out)
{
    const bool csr = m->format == MATRIX_CSR;
    RangeJob job = {m->values, csr ? csr_nnz(m) : matrix_cells(m), NULL};
    const int64_t tiles = (job.n + FOLD_TILE - 1) / FOLD_TILE;
    const size_t bytes = (size_t)(2 * tiles + 1) * sizeof *job.parts;
    ml_status st;

    if (m->format == MATRIX_CONSTANT)
        *out = bounds_of(m->constant);
    else
        *out = bounds_of(csr || job.n == 0 ? 0 : m->values[0]);
    if (m->format == MATRIX_CONSTANT || job.n == 0)
        return ML_OK;
    job.parts = pool_alloc(ctx, bytes);
    if (!job.parts)
        return ML_ENOMEM;
    st = task_for(ctx, tiles, task_grain(FOLD_TILE), range_tiles, &job);
    for (int64_t k = 0; st == ML_OK && k < 2 * tiles; k++) {
        const double x[] = {job.parts[k].s, out->least, out->greatest};
        const bool known = out->known;

        *out = hull(x, 3);
        out->known &= known;
    }
    pool_release(ctx->pool, job.parts, bytes);
    return st;
}

/* ---- operators ---- */

static bool is_in(OpCode op, const OpCode *list, int n)
{
    for (int k = 0; k < n; k++)
        if (list[k] == op)
            return true;
    return false;
}

Bounds bounds_of_unary(OpCode op, Bounds x)
{
    static const OpCode monotone[] = {OP_neg,   OP_plus,  OP_exp,  OP_log,  OP_sqrt, OP_sign,
                                      OP_round, OP_floor, OP_ceil, OP_atan, OP_tanh, OP_sinh};
    double (*f)(double) = op_table[op].cell1;
    const double ends[] = {f(x.least), f(x.greatest)};

    if (!x.known)
        return unknown;
    if (op == OP_abs) {
        const double far = fmax(fabs(x.least), fabs(x.greatest));

        return (Bounds){x.least <= 0 && x.greatest >= 0 ? 0 : fmin(ends[0], ends[1]), far, true};
    }
    if (op == OP_sin || op == OP_cos)
        return (Bounds){-1, 1, true};
    if (op == OP_is_nan || op == OP_is_infinite || op == OP_not)
        return (Bounds){0, 1, true};
    return is_in(op, monotone, sizeof monotone / sizeof *monotone) ? hull(ends, 2) : unknown;
}

static Bounds square_bounds(Bounds x)
{
    const double ends[] = {0, x.least * x.least, x.greatest * x.greatest};

    return hull(ends, 3);
}

Bounds bounds_of_binary(OpCode op, Bounds x, Bounds y)
{
    static const OpCode monotone[] = {OP_add, OP_sub, OP_mul, OP_div, OP_min, OP_max};
    static const OpCode truths[] = {OP_lt, OP_le, OP_gt, OP_ge, OP_eq, OP_ne};
    double (*f)(double, double) = op_table[op].cell2;
    const double ends[] = {f(x.least, y.least), f(x.least, y.greatest), f(x.greatest, y.least),
                           f(x.greatest, y.greatest)};

    if (!x.known || !y.known)
        return unknown;
    if (op == OP_pow)
        return y.least == 2 && y.greatest == 2 ? square_bounds(x) : unknown;
    if (is_in(op, truths, sizeof truths / sizeof *truths))
        return (Bounds){0, 1, true};
    if (op == OP_div && y.least <= 0 && y.greatest >= 0)
        return unknown;
    return is_in(op, monotone, sizeof monotone / sizeof *monotone) ? hull(ends, 4) : unknown;
}

/* ---- programs ---- */

static Bounds term_bounds(Term t, const Bounds *operands, Bounds value)
{
    return t.kind == TERM_VALUE     ? value
           : t.kind == TERM_OPERAND ? operands[t.operand]
                                    : bounds_of(t.number);
}

Bounds program_bounds(const Program *p, const Bounds *operands)
{
    Bounds value = operands[p->start];

    for (int k = 0; k < p->nsteps; k++) {
        const Step *s = &p->steps[k];

        value = s->binary ? bounds_of_binary(s->op, term_bounds(s->left, operands, value),
                                             term_bounds(s->right, operands, value))
                          : bounds_of_unary(s->op, value);
    }
    return value;
}

bool program_keeps_zeros(const Program *p, const Bounds *operands, int k)
{
    Bounds with_zero[PROGRAM_OPERANDS], result;

    for (int i = 0; i < PROGRAM_OPERANDS; i++)
        with_zero[i] = i == k ? bounds_of(0) : operands[i];
    result = program_bounds(p, with_zero);
    return result.known && result.least == 0 && result.greatest == 0;
}
