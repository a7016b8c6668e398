/* The format of what is made out of nothing follows from its exact number of nonzeros; for results
 * of matrices kernels_agree sees to it. */
#include "kernel_case.h"

static Value random_of(double sparsity, double min, double max, const char *pdf, double lambda)
{
    return CASE_RUN(rand, value_int(200), value_int(100), value_double(min), value_double(max),
                    value_double(sparsity), case_text(pdf), value_double(lambda), value_int(7));
}

static void assert_fits(Value v)
{
    const Matrix *m = v.m;
    const bool sparse = matrix_is_sparse(m->rows, m->cols, m->nnz);
    int64_t nnz = 0;

    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++)
            nnz += matrix_get(m, i, j) != 0;
    assert_int_equal(m->nnz, nnz);
    if (m->format != MATRIX_CONSTANT)
        assert_int_equal(m->format, sparse ? MATRIX_CSR : MATRIX_DENSE);
    value_release(v);
}

ML_TEST(random_matrices_have_the_format_of_their_nonzeros)
{
    const double shares[] = {0, 0.001, 0.1, 0.38, 0.4, 0.42, 0.6, 1};

    for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
        assert_fits(random_of(shares[k], -1, 1, "uniform", 1));
        assert_fits(random_of(shares[k], 3, 3, "uniform", 1));
        assert_fits(random_of(shares[k], 0, 1, "normal", 1));
        /* Zeros are drawn as well: at 0.05 nineteen of twenty. */
        assert_fits(random_of(shares[k], 0, 1, "poisson", 0.05));
    }
}

static Value table_of(int64_t n, int64_t rows, int64_t cols, double weight)
{
    Matrix *a = case_random(n, 1, 1, 3), *b = case_random(n, 1, 1, 4), *w = case_random(n, 1, 1, 5);

    for (int64_t i = 0; i < n; i++) {
        a->values[i] = (double)(1 + (i * 7919) % rows);
        b->values[i] = (double)(1 + (i * 104729) % cols);
        w->values[i] = i % 2 ? weight : 1;
    }
    return CASE_RUN(table, value_matrix(a), value_matrix(b), value_matrix(w), value_int(rows),
                    value_int(cols));
}

ML_TEST(tables_have_the_format_of_their_nonzeros)
{
    const int64_t entries[] = {10, 500, 3000, 20000};

    for (size_t k = 0; k < sizeof entries / sizeof *entries; k++) {
        assert_fits(table_of(entries[k], 97, 89, 2));
        assert_fits(table_of(entries[k], 97, 89, 0)); /* every second cell adds nothing */
        assert_fits(table_of(entries[k], 2, 8000, 1));
    }
}
