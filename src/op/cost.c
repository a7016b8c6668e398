/* Work of an operator, for the rows: floating-point operations as a dense kernel would count them,
 * work on nonzeros of sparse operands weighed by how much slower it goes.  An operator without a
 * function costs one operation for each cell that it reads or writes.  Unknown sizes count as
 * SIZE_GUESS. */
#include "op/op.h"

#include <string.h>

enum { SIZE_GUESS = 1000, SPARSE_WEIGHT = 4 };

static double known(int64_t n)
{
    return n < 0 ? SIZE_GUESS : (double)n;
}

static double rows(const ShapeCall *c, int k)
{
    return k < c->nin ? known(c->in[k].dims.rows) : 1;
}

static double cols(const ShapeCall *c, int k)
{
    return k < c->nin ? known(c->in[k].dims.cols) : 1;
}

/* Cells that a kernel has to look at. */
static double touched(const Dims *d)
{
    if (d->rows >= 0 && d->cols >= 0 && d->nnz >= 0 && matrix_is_sparse(d->rows, d->cols, d->nnz))
        return (double)d->nnz * SPARSE_WEIGHT;
    return known(d->rows) * known(d->cols);
}

static double touched_of(const ShapeCall *c, int k)
{
    return k < c->nin ? touched(&c->in[k].dims) : 0;
}

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

double op_flops(const ShapeCall *c)
{
    double most;

    if (c->op->flops)
        return c->op->flops(c);
    most = touched(&c->out[0]);
    for (int k = 0; k < c->nin; k++)
        if (c->in[k].dt == DT_MATRIX && touched_of(c, k) > most)
            most = touched_of(c, k);
    return most;
}

/* exp, log, tanh ... */
double flops_function(const ShapeCall *c)
{
    return 12 * touched_of(c, 0);
}

double flops_matmult(const ShapeCall *c)
{
    return 2 * smaller(touched_of(c, 0) * cols(c, 1), rows(c, 0) * touched_of(c, 1));
}

double flops_matmult_tn(const ShapeCall *c)
{
    return 2 * smaller(touched_of(c, 0) * cols(c, 1), cols(c, 0) * touched_of(c, 1));
}

double flops_matmult_nt(const ShapeCall *c)
{
    return 2 * smaller(touched_of(c, 0) * rows(c, 1), rows(c, 0) * touched_of(c, 1));
}

double flops_tsmm(const ShapeCall *c)
{
    return touched_of(c, 0) * cols(c, 0);
}

double flops_tsmm_right(const ShapeCall *c)
{
    return touched_of(c, 0) * rows(c, 0);
}

double flops_mmchain(const ShapeCall *c)
{
    return 4 * touched_of(c, 0);
}

/* Does the text of a sampled product begin with a factor that is the first operand? */
static bool is_driven(const ShapeArg *text)
{
    return text->lit.dt == DT_SCALAR && text->lit.vt == VT_STRING && text->lit.s->size > 3 &&
           (memcmp(text->lit.s->text, "w *", 3) == 0 || memcmp(text->lit.s->text, "w /", 3) == 0);
}

/* For each nonzero of the first operand, or for each cell, a product of two rows of the others, as
 * long as they are wide. */
double flops_sampled(const ShapeCall *c)
{
    const Dims *d = &c->in[0].dims;
    const double work = 2 * cols(c, 1), all = work * known(d->rows) * known(d->cols);
    const bool driven = c->nin > 3 && is_driven(&c->in[3]);

    return driven && d->nnz >= 0 ? smaller(all, work * (double)d->nnz * SPARSE_WEIGHT) : all;
}

/* Decompositions and solvers. */
double flops_cubic(const ShapeCall *c)
{
    return rows(c, 0) * cols(c, 0) * cols(c, 0);
}

double flops_sort(const ShapeCall *c)
{
    return 40 * touched_of(c, 0);
}
