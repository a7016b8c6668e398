/* The inner loops for each instruction set against their plain twin: the same bits, but for tsmm,
 * which fuses. */
#include "linear.h"

#include "kernel/dense.h"

#include <math.h>
#include <string.h>

enum { MOST_COLS = 150, ROWS = 67 };

/* Tables that this machine can run. */
static int tables(const DenseOps **t)
{
    int n = 0;

#if defined(__x86_64__)
    if (cpu_machine() >= CPU_AVX2)
        t[n++] = &dense_ops_avx2;
    if (cpu_machine() >= CPU_AVX512)
        t[n++] = &dense_ops_avx512;
#endif
    return n;
}

static void check_vectors(const DenseOps *ops, const Matrix *x, const Matrix *v, const Matrix *w)
{
    double a[ROWS], b[ROWS], p[MOST_COLS] = {0}, q[MOST_COLS] = {0};
    const int64_t cols = x->cols;

    ops->matvec(x->values, cols, ROWS, cols, v->values, a, 1);
    dense_ops_plain.matvec(x->values, cols, ROWS, cols, v->values, b, 1);
    assert_memory_equal(a, b, sizeof a);
    ops->vecmat(x->values, cols, ROWS, cols, w->values, 1, p);
    dense_ops_plain.vecmat(x->values, cols, ROWS, cols, w->values, 1, q);
    assert_memory_equal(p, q, sizeof p);
}

/* FP32 cells: the same as their doubles. */
static void check_singles(const DenseOps *ops, Matrix *x, const Matrix *v, const Matrix *w)
{
    double a[ROWS], b[ROWS], p[MOST_COLS] = {0}, q[MOST_COLS] = {0};
    const int64_t cols = x->cols;
    Matrix *singles, *wide;

    assert_ok(matrix_as(test_ctx(), CELL_FP32, x, &singles));
    assert_ok(matrix_as(test_ctx(), CELL_FP64, singles, &wide));
    ops->matvec32(singles->singles, cols, ROWS, cols, v->values, a, 1);
    dense_ops_plain.matvec(wide->values, cols, ROWS, cols, v->values, b, 1);
    assert_memory_equal(a, b, sizeof a);
    ops->vecmat32(singles->singles, cols, ROWS, cols, w->values, 1, p);
    dense_ops_plain.vecmat(wide->values, cols, ROWS, cols, w->values, 1, q);
    assert_memory_equal(p, q, sizeof p);
    memset(p, 0, sizeof p);
    memset(q, 0, sizeof q);
    ops->chain32(singles->singles, ROWS, cols, v->values, w->values, p);
    dense_ops_plain.chain(wide->values, ROWS, cols, v->values, w->values, q);
    assert_memory_equal(p, q, sizeof p);
    matrix_release(singles);
    matrix_release(wide);
}

static void check_sparse(const DenseOps *ops, Matrix *s, const Matrix *d)
{
    double p[ROWS * MOST_COLS] = {0}, q[ROWS * MOST_COLS] = {0}, a[ROWS], b[ROWS];
    Matrix *singles, *wide;

    ops->gather(s->values, s->col_idx, s->row_ptr, ROWS, d->values, d->cols, p);
    dense_ops_plain.gather(s->values, s->col_idx, s->row_ptr, ROWS, d->values, d->cols, q);
    assert_memory_equal(p, q, sizeof p);
    ops->csr_matvec(s->values, s->col_idx, s->row_ptr, ROWS, d->values, a);
    dense_ops_plain.csr_matvec(s->values, s->col_idx, s->row_ptr, ROWS, d->values, b);
    assert_memory_equal(a, b, sizeof a);

    assert_ok(matrix_as(test_ctx(), CELL_FP32, s, &singles));
    assert_ok(matrix_as(test_ctx(), CELL_FP64, singles, &wide));
    ops->gather32(singles->singles, s->col_idx, s->row_ptr, ROWS, d->values, d->cols, p);
    dense_ops_plain.gather(wide->values, s->col_idx, s->row_ptr, ROWS, d->values, d->cols, q);
    assert_memory_equal(p, q, sizeof p);
    ops->csr_matvec32(singles->singles, s->col_idx, s->row_ptr, ROWS, d->values, a);
    dense_ops_plain.csr_matvec(wide->values, s->col_idx, s->row_ptr, ROWS, d->values, b);
    assert_memory_equal(a, b, sizeof a);
    matrix_release(singles);
    matrix_release(wide);
}

/* Products with 1 to FEW_WIDEST columns, against fused sums in order. */
static void check_few(const DenseOps *ops, const Matrix *x, const Matrix *b)
{
    double c[ROWS * FEW_WIDEST];
    const int64_t inner = x->cols, n = 1 + inner % FEW_WIDEST, width = few_width(n);

    for (int64_t p = 0; p < inner; p++)
        for (int64_t j = n; j < width; j++)
            b->values[p * width + j] = 0;
    ops->few(x->values, inner, ROWS, inner, b->values, n, c);
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0;

            for (int64_t p = 0; p < inner; p++)
                sum = fma(x->values[i * inner + p], b->values[p * width + j], sum);
            assert_memory_equal(&c[i * n + j], &sum, sizeof sum);
        }
}

ML_TEST(few_columns_add_up_fused_and_in_order)
{
    const DenseOps *t[3] = {&dense_ops_plain};
    const int n = 1 + tables(t + 1);

    for (int64_t inner = 1; inner < MOST_COLS; inner++) {
        Matrix *x = case_random(ROWS, inner, 1, 1), *b = case_random(inner, FEW_WIDEST, 1, 2);

        for (int k = 0; k < n; k++)
            check_few(t[k], x, b);
        matrix_release(x);
        matrix_release(b);
    }
}

ML_TEST(tuned_loops_have_the_bits_of_their_plain_twins)
{
    const DenseOps *t[2];
    const int n = tables(t);

    for (int64_t cols = 1; cols < MOST_COLS; cols++) {
        Matrix *x = case_random(ROWS, cols, 1, 1), *v = case_random(cols, 1, 1, 2),
               *w = case_random(ROWS, 1, 1, 3);
        Matrix *s = in_format(case_random(ROWS, ROWS, 0.2, 4), MATRIX_CSR);

        for (int k = 0; k < n; k++) {
            check_vectors(t[k], x, v, w);
            check_singles(t[k], x, v, w);
            check_sparse(t[k], s, x);
        }
        matrix_release(x);
        matrix_release(v);
        matrix_release(w);
        matrix_release(s);
    }
}

/* What is no whole number from 1 on makes the answer 0, wherever it is. */
ML_TEST(whole_numbers_are_those_that_fit)
{
    const double odd[] = {0, 0.5, -1, NAN, INFINITY, -INFINITY, 0x1p31, 1e300};
    const DenseOps *t[3] = {&dense_ops_plain};
    const int n = 1 + tables(t + 1);
    double cells[ROWS];
    int32_t out[ROWS];

    for (int64_t i = 0; i < ROWS; i++)
        cells[i] = (double)(1 + i * 7 % 50) + 0.25;
    for (int k = 0; k < n; k++) {
        assert_int_equal(t[k]->whole(cells, ROWS, out), 50);
        for (int64_t i = 0; i < ROWS; i++)
            assert_int_equal(out[i], 1 + i * 7 % 50);
        for (int64_t i = 0; i < ROWS; i++) {
            const double kept = cells[i];

            cells[i] = odd[i % 8];
            assert_int_equal(t[k]->whole(cells, ROWS, out), 0);
            assert_int_equal(out[i], 0);
            cells[i] = kept;
        }
        assert_int_equal(t[k]->whole(cells, 0, out), 0);
    }
}

/* A vector longer than the strip that vecmat keeps in the cache, and NaN in the cells that a tail
 * reads twice. */
ML_TEST(a_nan_reaches_only_the_sums_it_belongs_to)
{
    const DenseOps *t[3] = {&dense_ops_plain};
    const int n = 1 + tables(t + 1);

    for (int k = 0; k < n; k++) {
        double x[2 * 13] = {0}, v[13], y[2];

        for (int j = 0; j < 13; j++)
            v[j] = 1;
        x[5] = NAN; /* before the tail of row 0, within the 8 cells that it reads */
        t[k]->matvec(x, 13, 2, 13, v, y, 1);
        assert_true(isnan(y[0]) && y[1] == 0);
        v[6] = INFINITY;
        x[5] = 0;
        x[6] = 1;
        t[k]->matvec(x, 13, 1, 13, v, y, 1);
        assert_true(y[0] == INFINITY);
    }
}

ML_TEST(tsmm_tiles_equal_plain_sums)
{
    const DenseOps *t[3] = {&dense_ops_plain};
    const int n = 1 + tables(t + 1);

    for (int64_t width = PANEL; width <= 64; width += PANEL)
        for (int k = 0; k < n; k++) {
            Matrix *x = case_random(width / PANEL, ROWS * PANEL, 1, 5), *c;

            assert_ok(matrix_new_zero(test_ctx(), width, width, &c));
            t[k]->tsmm(x->values, ROWS, width, c->values);
            for (int64_t i = 0; i < width; i++)
                for (int64_t j = i; j < width; j++) {
                    double sum = 0;

                    for (int64_t r = 0; r < ROWS; r++)
                        sum += x->values[i / PANEL * ROWS * PANEL + r * PANEL + i % PANEL] *
                               x->values[j / PANEL * ROWS * PANEL + r * PANEL + j % PANEL];
                    assert_true(fabs(c->values[i * width + j] - sum) < 1e-12);
                }
            matrix_release(x);
            matrix_release(c);
        }
}
