/* Drafts: edits by row and pieces beside dense cells. */
#include "ml_test.h"

#include "data_help.h"

#include <math.h>
#include <string.h>

enum { ROWS = 60, COLS = 40, EDITS = 400 };

static Matrix *random_csr(int64_t rows, int64_t cols, double density, uint64_t seed)
{
    Value v = matrix_value(rows, cols, NULL);
    Matrix *csr = NULL;

    for (int64_t k = 0; k < rows * cols; k++)
        v.m->values[k] = random_cell(&seed, density);
    assert_ok(matrix_csr(test_ctx(), v.m, &csr));
    value_release(v);
    return csr;
}

static int64_t pick(uint64_t *state, int64_t n)
{
    return (int64_t)(fabs(random_cell(state, 1)) * 1e6) % n;
}

static void assert_cells(const Matrix *m, const double *cells)
{
    int64_t nnz = 0;

    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < m->cols; j++) {
            const double wanted = cells[i * m->cols + j], got = matrix_get(m, i, j);

            nnz += wanted != 0;
            if (isnan(wanted) ? !isnan(got) : got != wanted)
                fail_msg("[%d,%d] is %g, expected %g", (int)i, (int)j, got, wanted);
        }
    assert_int_equal(m->nnz, nnz);
}

/* A settled copy; the draft stays one, as somebody else has it. */
static Matrix *settled_copy(Matrix *draft)
{
    Matrix *m = NULL;

    matrix_retain(draft);
    assert_ok(matrix_settled(test_ctx(), draft, &m));
    matrix_release(draft);
    assert_true(matrix_is_draft(draft) && !matrix_is_draft(m));
    return m;
}

/* Replace a random stretch of a random row in both. */
static void edit(Matrix *draft, double *cells, uint64_t *seed)
{
    const int64_t row = pick(seed, ROWS), lo = pick(seed, COLS), hi = lo + pick(seed, COLS - lo);
    uint32_t cols[COLS];
    double values[COLS];
    int64_t n = 0;

    for (int64_t j = lo; j < hi; j++) {
        const double cell = pick(seed, 20) == 0 ? NAN : random_cell(seed, 0.5);

        cells[row * COLS + j] = cell;
        if (cell == 0 && j % 2)
            continue; /* a zero may be left out or not */
        cols[n] = (uint32_t)j;
        values[n++] = cell;
    }
    assert_ok(matrix_edit_row(test_ctx(), draft, row, lo, hi, n, cols, values));
}

static void assert_row(const Matrix *draft, const double *cells, int64_t row, int64_t lo,
                       int64_t hi)
{
    const RowEntries r = matrix_edited_row(draft, row, lo, hi);
    int64_t k = 0;

    for (int64_t j = lo; j < hi; j++) {
        const double wanted = cells[row * COLS + j];

        if (wanted == 0)
            continue;
        assert_true(k < r.n && r.cols[k] == j);
        assert_true(isnan(wanted) ? isnan(r.cells[k]) : r.cells[k] == wanted);
        k++;
    }
    assert_int_equal(k, r.n);
}

ML_TEST(edits_of_rows_are_those_of_dense_cells)
{
    double before[ROWS * COLS], cells[ROWS * COLS];
    Matrix *base = random_csr(ROWS, COLS, 0.1, 3), *draft = NULL, *m;
    uint64_t seed = 5;

    for (int64_t k = 0; k < ROWS * COLS; k++)
        before[k] = matrix_get(base, k / COLS, k % COLS);
    memcpy(cells, before, sizeof cells);
    assert_ok(matrix_edits(test_ctx(), base, false, &draft));
    for (int k = 0; k < EDITS; k++) {
        edit(draft, cells, &seed);
        assert_row(draft, cells, pick(&seed, ROWS), 3, 3 + pick(&seed, COLS - 3));
        if (k % 100 == 0) {
            m = settled_copy(draft);
            assert_cells(m, cells);
            matrix_release(m);
        }
    }
    assert_cells(base, before);
    assert_ok(matrix_settled(test_ctx(), draft, &m));
    assert_ptr_equal(m, draft);
    assert_cells(m, cells);
    matrix_release(m);
    matrix_release(draft);
    matrix_release(base);
}

ML_TEST(edits_begin_with_a_matrix_of_zeros)
{
    const uint32_t cols[] = {7, 9};
    const double values[] = {-0.0, 2};
    Matrix *zero = NULL, *draft = NULL, *m = NULL;

    assert_ok(matrix_new_constant(test_ctx(), 1000, 50, 0, &zero));
    assert_ok(matrix_edits(test_ctx(), zero, true, &draft));
    assert_ok(matrix_edit_row(test_ctx(), draft, 999, 7, 10, 2, cols, values));
    assert_int_equal(draft->nnz, 1);
    assert_ok(matrix_settled(test_ctx(), draft, &m));
    assert_int_equal(m->format, MATRIX_CSR);
    assert_true(matrix_get(m, 999, 9) == 2 && m->nnz == 1);
    matrix_release(m);
    matrix_release(draft);
    matrix_release(zero);
}

/* What belongs to another owner is continued in a draft of its own. */
ML_TEST(edits_of_a_shared_draft_leave_the_other_as_it_was)
{
    const uint32_t col = 4;
    const double one = 1, two = 2;
    Matrix *base = random_csr(ROWS, COLS, 0.1, 9), *first = NULL, *second = NULL, *m, *n;

    assert_ok(matrix_edits(test_ctx(), base, false, &first));
    assert_ok(matrix_edit_row(test_ctx(), first, 3, 4, 5, 1, &col, &one));
    matrix_retain(first);
    assert_ok(matrix_edits(test_ctx(), first, false, &second));
    matrix_release(first);
    assert_ok(matrix_edit_row(test_ctx(), second, 3, 4, 5, 1, &col, &two));
    assert_ok(matrix_settled(test_ctx(), first, &m));
    assert_ok(matrix_settled(test_ctx(), second, &n));
    assert_true(matrix_get(m, 3, 4) == 1 && matrix_get(n, 3, 4) == 2);
    matrix_release(m);
    matrix_release(n);
    matrix_release(first);
    matrix_release(second);
    matrix_release(base);
}

/* Dense, CSR and constant parts, one column and several, so many rows that they take some tiles. */
ML_TEST(pieces_are_the_matrices_side_by_side)
{
    enum { TALL = 3000 };
    Matrix *parts[] = {random_csr(TALL, 1, 0.5, 1), random_csr(TALL, 30, 0.02, 2), NULL, NULL};
    Matrix *dense = NULL, *draft = NULL, *m = NULL;
    int64_t first = 0, nnz = 0;

    assert_ok(matrix_dense(test_ctx(), parts[0], &dense));
    matrix_release(parts[0]);
    parts[0] = dense;
    assert_ok(matrix_new_constant(test_ctx(), TALL, 2, 0, &parts[2]));
    parts[3] = parts[1];
    assert_ok(matrix_pieces(test_ctx(), parts, 2, false, &draft));
    parts[1] = draft;
    assert_ok(matrix_pieces(test_ctx(), parts + 1, 3, true, &m));
    assert_ptr_equal(m, draft);
    assert_ptr_equal(matrix_piece(m, 33, 63, &first), parts[3]);
    assert_int_equal(first, 33);
    assert_null(matrix_piece(m, 30, 33, &first));
    matrix_release(m);
    assert_ok(matrix_settled(test_ctx(), draft, &m));
    assert_int_equal(m->format, MATRIX_CSR);
    for (int64_t i = 0; i < TALL; i++)
        for (int64_t j = 0; j < 63; j++) {
            const double wanted = j == 0    ? dense->values[i]
                                  : j <= 30 ? matrix_get(parts[3], i, j - 1)
                                  : j < 33  ? 0
                                            : matrix_get(parts[3], i, j - 33);

            nnz += wanted != 0;
            assert_true(matrix_get(m, i, j) == wanted);
        }
    assert_int_equal(m->nnz, nnz);
    matrix_release(m);
    for (int k = 0; k < 4; k++)
        matrix_release(parts[k]);
}
