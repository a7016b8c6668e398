/* Counts of nonzeros by row and column, and what operators make of them; see sketch.h.
 *
 * A cell of a product is a sum over the inner index k, and column k of the left operand meets row k
 * of the right one.  Where the left has at most one nonzero a row, or the right at most one a
 * column, no two terms fall into one cell, and the number of nonzeros is the sum of the products of
 * the counts - exactly, but for cancellation.  Otherwise cell (i,k) of an operand is taken to be
 * nonzero with a probability proportional to the counts of its row and its column, independently
 * of all others; rows, columns and inner indexes are put into classes of similar counts, so that
 * the sum over all cells is one over few classes.
 *
 * Cost: rows + cols an operator, for products besides the number of classes cubed. */
#include "op/sketch.h"

#include <math.h>
#include <string.h>

enum { DENSE_COUNTED = 1 << 16 }; /* cells */

enum { OCTAVES = 32 };

static Sketch *sketch_new(Arena *a, int64_t rows, int64_t cols)
{
    Sketch *s = ARENA_NEW(a, Sketch);

    if (!s)
        return NULL;
    s->rows = rows;
    s->cols = cols;
    s->row = ARENA_ARRAY(a, double, rows + 1);
    s->col = ARENA_ARRAY(a, double, cols + 1);
    return s->row && s->col ? s : NULL;
}

static void summarize(const double *counts, int64_t n, double *most, double *used)
{
    *most = *used = 0;
    for (int64_t i = 0; i < n; i++) {
        *used += fmin(counts[i], 1);
        if (counts[i] > *most)
            *most = counts[i];
    }
}

/* Sets what follows from the counts. */
static Sketch *finish(Sketch *s)
{
    s->nnz = 0;
    for (int64_t i = 0; i < s->rows; i++)
        s->nnz += s->row[i];
    summarize(s->row, s->rows, &s->most_in_row, &s->rows_in_use);
    summarize(s->col, s->cols, &s->most_in_col, &s->cols_in_use);
    return s;
}

static void count_csr(Sketch *s, const Matrix *m)
{
    s->diagonal = m->rows == m->cols;
    for (int64_t i = 0; i < m->rows; i++) {
        s->row[i] = (double)(m->row_ptr[i + 1] - m->row_ptr[i]);
        for (int64_t k = m->row_ptr[i]; k < m->row_ptr[i + 1]; k++) {
            s->col[m->col_idx[k]]++;
            s->diagonal &= m->col_idx[k] == i;
        }
    }
}

static void count_dense(Sketch *s, const Matrix *m)
{
    s->diagonal = m->rows == m->cols;
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            if (matrix_get(m, i, j) != 0) {
                s->row[i]++;
                s->col[j]++;
                s->diagonal &= i == j;
            }
}

/* A large matrix that is held dense has few zeros: where they are is not worth a pass over it. */
static bool is_plain(const Matrix *m)
{
    return m->format == MATRIX_DENSE &&
           (m->nnz == matrix_cells(m) || matrix_cells(m) > DENSE_COUNTED);
}

Sketch *sketch_of(Arena *a, const Matrix *m)
{
    Sketch *s;

    if (m->format == MATRIX_CONSTANT || is_plain(m))
        return sketch_even(a, m->rows, m->cols, (double)m->nnz);
    s = sketch_new(a, m->rows, m->cols);
    if (!s)
        return NULL;
    if (m->format == MATRIX_CSR)
        count_csr(s, m);
    else
        count_dense(s, m);
    s->exact = true;
    return finish(s);
}

Sketch *sketch_even(Arena *a, int64_t rows, int64_t cols, double nnz)
{
    Sketch *s = sketch_new(a, rows, cols);

    if (!s)
        return NULL;
    for (int64_t i = 0; i < rows; i++)
        s->row[i] = nnz / (double)rows;
    for (int64_t j = 0; j < cols; j++)
        s->col[j] = nnz / (double)cols;
    s->exact = nnz == 0 || nnz == (double)rows * (double)cols;
    return finish(s);
}

Sketch *sketch_transposed(Arena *a, const Sketch *x)
{
    Sketch *s = ARENA_NEW(a, Sketch);

    if (!s)
        return NULL;
    *s = *x;
    s->rows = x->cols;
    s->cols = x->rows;
    s->row = x->col;
    s->col = x->row;
    s->most_in_row = x->most_in_col;
    s->most_in_col = x->most_in_row;
    s->rows_in_use = x->cols_in_use;
    s->cols_in_use = x->rows_in_use;
    return s;
}

/* ---- products ---- */

static double terms(const Sketch *x, const Sketch *y)
{
    double sum = 0;

    for (int64_t k = 0; k < x->cols; k++)
        sum += x->col[k] * y->row[k];
    return sum;
}

/* Counts of one octave, and pairs of them: how many and their means. */
typedef struct CountClass {
    double members, x, y;
} CountClass;

static int octave(double count)
{
    int exponent;

    frexp(count, &exponent);
    return exponent < 0 ? 0 : exponent < OCTAVES ? exponent : OCTAVES - 1;
}

/* Drops empty classes and turns sums into means; the number of classes left. */
static int settle(CountClass *classes, int n)
{
    int used = 0;

    for (int k = 0; k < n; k++)
        if (classes[k].members > 0) {
            const CountClass c = classes[k];

            classes[used++] = (CountClass){c.members, c.x / c.members, c.y / c.members};
        }
    return used;
}

static int classify(const double *counts, int64_t n, CountClass classes[OCTAVES])
{
    memset(classes, 0, OCTAVES * sizeof *classes);
    for (int64_t i = 0; i < n; i++)
        if (counts[i] > 0) {
            CountClass *c = &classes[octave(counts[i])];

            c->members++;
            c->x += counts[i];
        }
    return settle(classes, OCTAVES);
}

/* Inner indexes by what meets there: a column of x and a row of y. */
static int classify_inner(const Sketch *x, const Sketch *y, CountClass *classes)
{
    for (int64_t k = 0; k < x->cols; k++)
        if (x->col[k] > 0 && y->row[k] > 0) {
            CountClass *c = &classes[octave(x->col[k]) * OCTAVES + octave(y->row[k])];

            c->members++;
            c->x += x->col[k];
            c->y += y->row[k];
        }
    return settle(classes, OCTAVES * OCTAVES);
}

/* Of a cell in a row of x with `row` nonzeros and a column of y with `col`. */
static double chance(const CountClass *inner, int n, double row, double col)
{
    double log_zero = 0; /* of the probability that no term is there */

    for (int k = 0; k < n; k++)
        log_zero +=
            inner[k].members * log1p(-fmin(row * inner[k].x, 1) * fmin(col * inner[k].y, 1));
    return -expm1(log_zero);
}

typedef struct Expectation {
    CountClass rows[OCTAVES], cols[OCTAVES], inner[OCTAVES * OCTAVES];
    double in_row[OCTAVES], in_col[OCTAVES]; /* expected counts of the result, by octave */
} Expectation;

/* Fills the counts of s. */
static void expect(Expectation *e, const Sketch *x, const Sketch *y, Sketch *s)
{
    const int nr = classify(x->row, x->rows, e->rows), nc = classify(y->col, y->cols, e->cols);
    const int ni = classify_inner(x, y, e->inner);

    for (int i = 0; i < nr; i++)
        for (int j = 0; j < nc; j++) {
            const double p = chance(e->inner, ni, e->rows[i].x / x->nnz, e->cols[j].x / y->nnz);

            e->in_row[octave(e->rows[i].x)] += p * e->cols[j].members;
            e->in_col[octave(e->cols[j].x)] += p * e->rows[i].members;
        }
    for (int64_t i = 0; i < s->rows; i++)
        s->row[i] = x->row[i] > 0 ? e->in_row[octave(x->row[i])] : 0;
    for (int64_t j = 0; j < s->cols; j++)
        s->col[j] = y->col[j] > 0 ? e->in_col[octave(y->col[j])] : 0;
}

/* Scaled to `nnz` in all, no count above `most`. */
static void scaled(double *out, const double *counts, int64_t n, double of, double nnz, double most)
{
    const double f = of > 0 ? nnz / of : 0;

    for (int64_t i = 0; i < n; i++)
        out[i] = fmin(counts[i] * f, most);
}

static bool is_full_diagonal(const Sketch *x)
{
    return x->diagonal && x->exact && x->nnz == (double)x->rows;
}

/* Times a full diagonal: rows or columns are scaled. */
static void copy_counts(Sketch *s, const Sketch *x, const Sketch *y)
{
    const Sketch *other = is_full_diagonal(x) ? y : x;

    memcpy(s->row, other->row, (size_t)s->rows * sizeof(double));
    memcpy(s->col, other->col, (size_t)s->cols * sizeof(double));
    s->exact = x->exact && y->exact;
    s->diagonal = x->diagonal && y->diagonal;
}

Sketch *sketch_product(Arena *a, const Sketch *x, const Sketch *y)
{
    Sketch *s = sketch_new(a, x->rows, y->cols);
    const bool no_overlap = x->most_in_row <= 1 || y->most_in_col <= 1;
    Expectation *e;

    if (!s)
        return NULL;
    if (is_full_diagonal(x) || is_full_diagonal(y)) {
        copy_counts(s, x, y);
    } else if (no_overlap) {
        const double nnz = terms(x, y);

        scaled(s->row, x->row, s->rows, x->nnz, nnz, (double)s->cols);
        scaled(s->col, y->col, s->cols, y->nnz, nnz, (double)s->rows);
        finish(s);
        s->nnz = nnz;
        s->exact = x->exact && y->exact;
        return s;
    } else {
        e = ARENA_NEW(a, Expectation);
        if (!e)
            return NULL;
        expect(e, x, y, s);
    }
    return finish(s);
}

Sketch *sketch_matmult(const SketchCall *c)
{
    return sketch_product(c->arena, c->in[0], c->in[1]);
}

Sketch *sketch_matmult_tn(const SketchCall *c)
{
    const Sketch *x = sketch_transposed(c->arena, c->in[0]);

    return x ? sketch_product(c->arena, x, c->in[1]) : NULL;
}

Sketch *sketch_matmult_nt(const SketchCall *c)
{
    const Sketch *y = sketch_transposed(c->arena, c->in[1]);

    return y ? sketch_product(c->arena, c->in[0], y) : NULL;
}

Sketch *sketch_tsmm(const SketchCall *c)
{
    const Sketch *x = sketch_transposed(c->arena, c->in[0]);

    return x ? sketch_product(c->arena, x, c->in[0]) : NULL;
}

Sketch *sketch_tsmm_right(const SketchCall *c)
{
    const Sketch *x = sketch_transposed(c->arena, c->in[0]);

    return x ? sketch_product(c->arena, c->in[0], x) : NULL;
}

/* ---- the others ---- */

Sketch *sketch_transpose(const SketchCall *c)
{
    return sketch_transposed(c->arena, c->in[0]);
}

Sketch *sketch_same(const SketchCall *c)
{
    return c->in[0];
}

static bool all_matrices(const SketchCall *c)
{
    for (int k = 0; k < c->nin; k++)
        if (!c->in[k])
            return false;
    return c->nin > 0;
}

Sketch *sketch_cbind(const SketchCall *c)
{
    Sketch *s = all_matrices(c) ? sketch_new(c->arena, c->rows, c->cols) : NULL;
    int64_t at = 0;

    if (!s)
        return NULL;
    s->exact = true;
    for (int k = 0; k < c->nin; at += c->in[k++]->cols) {
        for (int64_t i = 0; i < s->rows; i++)
            s->row[i] += c->in[k]->row[i];
        memcpy(s->col + at, c->in[k]->col, (size_t)c->in[k]->cols * sizeof(double));
        s->exact &= c->in[k]->exact;
    }
    return finish(s);
}

Sketch *sketch_rbind(const SketchCall *c)
{
    Sketch *s = all_matrices(c) ? sketch_new(c->arena, c->rows, c->cols) : NULL;
    int64_t at = 0;

    if (!s)
        return NULL;
    s->exact = true;
    for (int k = 0; k < c->nin; at += c->in[k++]->rows) {
        for (int64_t j = 0; j < s->cols; j++)
            s->col[j] += c->in[k]->col[j];
        memcpy(s->row + at, c->in[k]->row, (size_t)c->in[k]->rows * sizeof(double));
        s->exact &= c->in[k]->exact;
    }
    return finish(s);
}

/* How likely a nonzero of x's row meets one of y's in the same column, given the counts of columns:
 * both are placed by them. */
static double meeting(const double *x, const double *y, int64_t n, double nx, double ny)
{
    double sum = 0;

    for (int64_t j = 0; j < n; j++)
        sum += x[j] * y[j];
    return nx > 0 && ny > 0 ? sum / (nx * ny) : 0;
}

/* Counts of cells where both, or with `either` where at least one operand is nonzero. */
static void meet(double *out, const double *x, const double *y, int64_t n, double chance,
                 double most, bool either)
{
    for (int64_t i = 0; i < n; i++) {
        const double both = fmin(x[i] * y[i] * chance, fmin(x[i], y[i]));

        out[i] = either ? fmin(x[i] + y[i] - both, most) : both;
    }
}

static Sketch *cellwise(const SketchCall *c, bool either)
{
    const Sketch *x = c->in[0], *y = c->nin == 2 ? c->in[1] : NULL;
    Sketch *s;

    if (!x || !y || x->rows != y->rows || x->cols != y->cols)
        return NULL;
    s = sketch_new(c->arena, x->rows, x->cols);
    if (!s)
        return NULL;
    meet(s->row, x->row, y->row, s->rows, meeting(x->col, y->col, s->cols, x->nnz, y->nnz),
         (double)s->cols, either);
    meet(s->col, x->col, y->col, s->cols, meeting(x->row, y->row, s->rows, x->nnz, y->nnz),
         (double)s->rows, either);
    s->exact = s->diagonal = false;
    return finish(s);
}

Sketch *sketch_both(const SketchCall *c)
{
    return cellwise(c, false);
}

Sketch *sketch_either(const SketchCall *c)
{
    return cellwise(c, true);
}

/* A column on the diagonal keeps its pattern; a diagonal taken out of a matrix is a guess. */
Sketch *sketch_diag(const SketchCall *c)
{
    const Sketch *x = c->in[0];
    Sketch *s;

    if (x->cols != 1)
        return x->diagonal ? sketch_even(c->arena, c->rows, 1, x->nnz) : NULL;
    s = ARENA_NEW(c->arena, Sketch);
    if (!s)
        return NULL;
    *s = *x;
    s->cols = x->rows;
    s->col = s->row;
    s->most_in_col = s->most_in_row;
    s->cols_in_use = s->rows_in_use;
    s->diagonal = true;
    return s;
}
