/* Matrices: formats, conversions, counting, copying on write. */
#include "ml_test.h"

#include "data_help.h"
#include "task/task.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>

static Matrix *random_dense(int64_t rows, int64_t cols, double density, uint64_t seed)
{
    Matrix *m = NULL;

    assert_ok(matrix_new_dense(test_ctx(), rows, cols, &m));
    for (int64_t i = 0; i < rows * cols; i++)
        m->values[i] = random_cell(&seed, density);
    m->nnz = matrix_count_nnz(m->values, rows * cols);
    return m;
}

static void assert_same(const Matrix *a, const Matrix *b)
{
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->cols, b->cols);
    assert_int_equal(a->nnz, b->nnz);
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < a->cols; j++)
            assert_true(matrix_get(a, i, j) == matrix_get(b, i, j));
}

static void check_csr(const Matrix *m)
{
    assert_int_equal(m->format, MATRIX_CSR);
    assert_int_equal(m->row_ptr[0], 0);
    assert_int_equal(m->row_ptr[m->rows], m->nnz);
    for (int64_t i = 0; i < m->rows; i++) {
        for (int64_t k = m->row_ptr[i]; k < m->row_ptr[i + 1]; k++) {
            assert_true(m->values[k] != 0);
            assert_true(m->col_idx[k] < m->cols);
            assert_true(k == m->row_ptr[i] || m->col_idx[k - 1] < m->col_idx[k]);
        }
    }
}

static void check_round_trip(int64_t rows, int64_t cols, double density)
{
    Ctx *ctx = test_ctx();
    Matrix *dense = random_dense(rows, cols, density, (uint64_t)(rows * 31 + cols)), *csr = NULL,
           *back = NULL;

    assert_ok(matrix_csr(ctx, dense, &csr));
    check_csr(csr);
    assert_same(dense, csr);
    assert_ok(matrix_dense(ctx, csr, &back));
    assert_same(dense, back);
    assert_int_equal(back->format, MATRIX_DENSE);
    matrix_release(dense);
    matrix_release(csr);
    matrix_release(back);
}

ML_TEST(dense_and_csr_hold_the_same_cells)
{
    static const int64_t shapes[][2] = {{0, 0},   {0, 5},   {5, 0},   {1, 1},
                                        {1, 300}, {300, 1}, {33, 47}, {700, 300}};
    static const double densities[] = {0, 0.01, 0.3, 1};

    for (int threads = 1; threads <= 8; threads *= 8) {
        test_threads(threads);
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
                check_round_trip(shapes[s][0], shapes[s][1], densities[d]);
    }
}

ML_TEST(nan_counts_as_nonzero_and_negative_zero_does_not)
{
    const double cells[] = {NAN, -0.0, 0.0, INFINITY, -1};
    Value v = matrix_value(1, 5, cells);
    Matrix *csr = NULL;

    assert_int_equal(v.m->nnz, 3);
    assert_ok(matrix_csr(test_ctx(), v.m, &csr));
    check_csr(csr);
    assert_int_equal(csr->nnz, 3);
    assert_true(isnan(matrix_get(csr, 0, 0)));
    matrix_release(csr);
    value_release(v);
}

static void check_finish(int64_t rows, int64_t cols, double density, MatrixFormat expected)
{
    Matrix *m = random_dense(rows, cols, density, 7), *before = matrix_retain(m);

    assert_ok(matrix_finish(test_ctx(), &m, -1));
    assert_int_equal(m->format, expected);
    assert_same(m, before);
    matrix_release(before);
    matrix_release(m);
}

ML_TEST(matrix_finish_chooses_the_format_by_sparsity)
{
    check_finish(100, 100, 0.1, MATRIX_CSR);
    check_finish(100, 100, 0.9, MATRIX_DENSE);
    check_finish(10, 10, 0, MATRIX_DENSE);
    check_finish(10000, 1, 0.01, MATRIX_DENSE);
    check_finish(0, 100, 0, MATRIX_DENSE);
}

ML_TEST(matrix_finish_drops_explicit_zeros)
{
    Ctx *ctx = test_ctx();
    Matrix *m = NULL;

    assert_ok(matrix_new_csr(ctx, 100, 100, 300, &m));
    for (int64_t k = 0; k < 300; k++) {
        m->row_ptr[k / 3 + 1] = k + 1;
        m->col_idx[k] = (uint32_t)(k % 3 * 10);
        m->values[k] = k % 2 ? (double)k : -0.0;
    }
    assert_ok(matrix_finish(ctx, &m, -1));
    assert_int_equal(m->nnz, 150);
    check_csr(m);
    assert_true(matrix_get(m, 33, 0) == 99);
    assert_true(matrix_get(m, 33, 10) == 0);
    matrix_release(m);
}

ML_TEST(matrix_finish_makes_a_full_csr_dense)
{
    Ctx *ctx = test_ctx();
    Matrix *dense = random_dense(64, 64, 0.8, 3), *m = NULL;

    assert_ok(matrix_csr(ctx, dense, &m));
    assert_ok(matrix_finish(ctx, &m, dense->nnz));
    assert_int_equal(m->format, MATRIX_DENSE);
    assert_same(m, dense);
    matrix_release(m);
    matrix_release(dense);
}

ML_TEST(constant_matrices_expand_to_any_format)
{
    Ctx *ctx = test_ctx();
    Matrix *m = NULL, *dense = NULL, *csr = NULL;
    double scratch[40];

    assert_ok(matrix_new_constant(ctx, 30, 40, 2.5, &m));
    assert_int_equal(m->nnz, 1200);
    assert_true(matrix_row(m, 3, scratch)[39] == 2.5);
    assert_ok(matrix_finish(ctx, &m, -1));
    assert_ok(matrix_dense(ctx, m, &dense));
    assert_same(m, dense);
    assert_ok(matrix_csr(ctx, m, &csr));
    check_csr(csr);
    assert_same(m, csr);
    matrix_release(m);
    matrix_release(dense);
    matrix_release(csr);
    assert_ok(matrix_new_constant(ctx, 3, 3, -0.0, &m));
    assert_int_equal(m->nnz, 0);
    matrix_release(m);
}

ML_TEST(matrix_row_shows_csr_rows_as_dense_cells)
{
    Matrix *dense = random_dense(5, 20, 0.3, 11), *csr = NULL;
    double scratch[20];

    assert_ok(matrix_csr(test_ctx(), dense, &csr));
    for (int64_t i = 0; i < 5; i++)
        assert_memory_equal(matrix_row(csr, i, scratch), matrix_row(dense, i, NULL),
                            sizeof scratch);
    matrix_release(csr);
    matrix_release(dense);
}

ML_TEST(only_the_last_owner_writes_in_place)
{
    Ctx *ctx = test_ctx();
    Matrix *m = random_dense(4, 4, 1, 5), *shared = matrix_retain(m), *before = m;

    assert_ok(matrix_writable(ctx, &m));
    assert_ptr_not_equal(m, before);
    assert_same(m, before);
    m->values[0]++;
    assert_true(m->values[0] != shared->values[0]);
    before = m;
    assert_ok(matrix_writable(ctx, &m));
    assert_ptr_equal(m, before);
    matrix_release(m);
    matrix_release(shared);
}

ML_TEST(mapped_matrices_are_copied_before_writing)
{
    Ctx *ctx = test_ctx();
    double *cells = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    Matrix *m = NULL;

    assert_ptr_not_equal(cells, MAP_FAILED);
    assert_ok(matrix_new_mapped(ctx, 2, 2, cells, cells, 4096, &m));
    assert_ok(matrix_finish(ctx, &m, -1));
    assert_int_equal(m->nnz, 0);
    assert_ok(matrix_writable(ctx, &m));
    m->values[3] = 1;
    assert_null(m->mapping);
    matrix_release(m);
}

ML_TEST(impossible_sizes_are_errors)
{
    Ctx *ctx = test_ctx();
    Matrix *m = NULL;

    assert_int_equal(matrix_new_dense(ctx, INT64_MAX, 2, &m), ML_EVALUE);
    assert_int_equal(matrix_new_dense(ctx, -1, 2, &m), ML_EVALUE);
    assert_int_equal(matrix_new_constant(ctx, INT64_C(1) << 40, INT64_C(1) << 40, 1, &m),
                     ML_EVALUE);
    assert_int_equal(matrix_new_csr(ctx, 2, INT64_C(1) << 33, 1, &m), ML_EVALUE);
    assert_int_equal(matrix_new_dense(ctx, INT64_C(1) << 40, 1 << 10, &m), ML_ENOMEM);
}

/* Everything that allocates, once; fails somewhere or not at all. */
static ml_status convert_all(Ctx *ctx, Matrix *dense)
{
    Matrix *csr = NULL, *back = NULL, *finished = NULL;
    ml_status st;

    TRY_TO(done, st = matrix_csr(ctx, dense, &csr));
    TRY_TO(done, st = matrix_dense(ctx, csr, &back));
    TRY_TO(done, st = matrix_new_zero(ctx, 40, 40, &finished));
    TRY_TO(done, st = matrix_finish(ctx, &finished, -1));
    TRY_TO(done, st = matrix_writable(ctx, &finished));
done:
    matrix_release(csr);
    matrix_release(back);
    matrix_release(finished);
    return st;
}

ML_TEST(matrices_survive_every_single_failing_allocation)
{
    Ctx *ctx = test_ctx();
    Matrix *dense = random_dense(40, 40, 0.2, 1);
    size_t used = pool_stats(ctx->pool).used;
    int failures = 0;

    for (int64_t n = 0; n < 30; n++) {
        Pool *pool = pool_new(SIZE_MAX);
        Ctx fresh = *ctx;
        ml_status st;

        fresh.pool = pool;
        mem_fail_after(n);
        st = convert_all(&fresh, dense);
        mem_fail_after(-1);
        failures += st != ML_OK;
        assert_true(st == ML_OK || st == ML_ENOMEM);
        assert_int_equal(pool_stats(pool).used, 0);
        pool_free(pool);
    }
    assert_true(failures >= 5);
    assert_int_equal(pool_stats(ctx->pool).used, used);
    matrix_release(dense);
}
