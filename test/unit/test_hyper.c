/* Hypersparse matrices: every operator gives the same as on the matrix in an ordinary format. */
#include "ml_test.h"

#include "data_help.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

enum { ROWS = 70000, COLS = 12, STORED = 90, OPERANDS = 4 };

/* Some rows with some nonzeros, a NaN and an infinity among them. */
static Matrix *random_hyper(uint64_t seed, bool odd)
{
    Matrix *entries = NULL, *m = NULL;
    const int64_t first = (int64_t)seed % 2;
    int64_t row_of[STORED * COLS], n = 0;

    assert_ok(matrix_new_csr(test_ctx(), STORED * COLS, COLS, STORED * COLS, &entries));
    for (int64_t i = 0; i < STORED; i++)
        for (int64_t j = 0; j < COLS; j++) {
            const double cell = random_cell(&seed, 0.3);

            if (cell == 0)
                continue;
            entries->values[n] = odd && n == 7 ? NAN : odd && n == 9 ? -INFINITY : cell;
            entries->col_idx[n] = (uint32_t)j;
            row_of[n++] = i * (ROWS / STORED) + first;
        }
    assert_ok(matrix_of_entries(test_ctx(), ROWS, n, row_of, entries, &m));
    matrix_release(entries);
    assert_int_equal(m->format, MATRIX_HYPER);
    return m;
}

static Matrix *random_dense(int64_t rows, int64_t cols, uint64_t seed)
{
    Value v = matrix_value(rows, cols, NULL);

    for (int64_t k = 0; k < rows * cols; k++)
        v.m->values[k] = random_cell(&seed, 0.9);
    v.m->nnz = -1;
    assert_ok(matrix_finish(test_ctx(), &v.m, -1));
    return v.m;
}

/* ROWS x ROWS, with few rows and few columns that hold something. */
static Matrix *wide_hyper(void)
{
    static const uint32_t cols[] = {5, 40000, 5, 69999, 40000};
    static const int64_t rows[] = {3, 3, 700, 700, 69999};
    Matrix *entries = NULL, *m = NULL;

    assert_ok(matrix_new_csr(test_ctx(), 5, ROWS, 5, &entries));
    for (int64_t k = 0; k < 5; k++) {
        entries->values[k] = (double)k - 1.5;
        entries->col_idx[k] = cols[k];
    }
    assert_ok(matrix_of_entries(test_ctx(), ROWS, 5, rows, entries, &m));
    matrix_release(entries);
    assert_int_equal(m->format, MATRIX_HYPER);
    return m;
}

/* h, i: hypersparse; o: the same with odd cells; w: with as many columns as rows; c: a column, r: a
 * row; d: columns for a product, g: many of them, l: rows for one; z: zeros; 2: a number; e, s:
 * margins; others: nothing */
static Value operand(char kind)
{
    Matrix *m = NULL;

    switch (kind) {
    case 'h':
    case 'i':
        return value_matrix(random_hyper(kind == 'h' ? 3 : 4, false));
    case 'o':
        return value_matrix(random_hyper(5, true));
    case 'w':
        return value_matrix(wide_hyper());
    case 'c':
    case 'r':
        return value_matrix(kind == 'c' ? random_dense(ROWS, 1, 6) : random_dense(1, COLS, 7));
    case 'n':
    case 'm':
    case 'k':
        m = kind == 'n' ? random_dense(COLS, 3, 8)
                        : random_dense(kind == 'm' ? 2 : ROWS, kind == 'm' ? ROWS : 1, 9);
        m->values[5] = NAN;
        m->nnz = matrix_count_nnz(m->values, matrix_cells(m));
        return value_matrix(m);
    case 'g':
        assert_ok(matrix_new_csr(test_ctx(), COLS, ROWS, 3, &m));
        for (int k = 0; k < 3; k++) {
            m->values[k] = 2 + k;
            m->col_idx[k] = 30000U * (uint32_t)k + 5;
        }
        for (int64_t i = 0; i < COLS; i++)
            m->row_ptr[i + 1] = i < 3 ? 0 : i < 5 ? 1 : 3;
        m->nnz = 3;
        return value_matrix(m);
    case 'd':
        return value_matrix(random_dense(COLS, 3, 8));
    case 'l':
        return value_matrix(random_dense(2, ROWS, 9));
    case 'z':
        assert_ok(matrix_new_constant(test_ctx(), ROWS, COLS, 0, &m));
        return value_matrix(m);
    case 'e':
        return text_value("rows");
    case 's':
        return text_value("cols");
    case '2':
        return value_double(2);
    default:
        return value_none();
    }
}

static Value ordinary(Value v)
{
    Matrix *m = NULL;

    if (v.dt != DT_MATRIX || v.m->format != MATRIX_HYPER)
        return value_retain(v);
    assert_ok(matrix_csr(test_ctx(), v.m, &m));
    return value_matrix(m);
}

static void assert_close(double got, double wanted)
{
    if (isnan(wanted) ? isnan(got) : got == wanted)
        return;
    if (!(fabs(got - wanted) <= 1e-12 * fabs(wanted)))
        fail_msg("%.17g, expected %.17g", got, wanted);
}

static void assert_same_value(Value got, Value wanted)
{
    Matrix *a = NULL, *b = NULL;

    assert_int_equal(got.dt, wanted.dt);
    if (got.dt == DT_SCALAR) {
        assert_close(scalar_to_double(got), scalar_to_double(wanted));
        return;
    }
    assert_int_equal(got.m->rows, wanted.m->rows);
    assert_int_equal(got.m->cols, wanted.m->cols);
    assert_int_equal(got.m->nnz, wanted.m->nnz);
    assert_ok(matrix_csr(test_ctx(), got.m, &a));
    assert_ok(matrix_csr(test_ctx(), wanted.m, &b));
    assert_memory_equal(a->row_ptr, b->row_ptr, (size_t)(a->rows + 1) * sizeof *a->row_ptr);
    for (int64_t k = 0; k < a->row_ptr[a->rows]; k++) {
        assert_int_equal(a->col_idx[k], b->col_idx[k]);
        assert_close(a->values[k], b->values[k]);
    }
    matrix_release(a);
    matrix_release(b);
}

typedef struct HyperCase {
    OpCode op;
    const char *operands;
    bool hyper; /* is the result expected to be hypersparse? */
} HyperCase;

static void run_case(const HyperCase *c)
{
    Value in[OP_ARGS] = {{0}}, plain[OP_ARGS] = {{0}}, out = value_none(), wanted = value_none();
    const int given = (int)strlen(c->operands), declared = op_nargs(&op_table[c->op]);
    OpCall call = {.op = &op_table[c->op], .nout = 1, .in = in, .out = &out};

    call.nin = given > declared ? given : declared;
    for (int k = 0; k < given; k++) {
        in[k] = operand(c->operands[k]);
        plain[k] = ordinary(in[k]);
    }
    assert_ok(kernel_call(test_ctx(), &call));
    call.in = plain;
    call.out = &wanted;
    assert_ok(kernel_of(c->op)(test_ctx(), &call));
    assert_same_value(out, wanted);
    if ((out.dt == DT_MATRIX && out.m->format == MATRIX_HYPER) != c->hyper)
        fail_msg("%s(%s) is %shypersparse", op_label(call.op), c->operands, c->hyper ? "not " : "");
    for (int k = 0; k < given; k++) {
        value_release(in[k]);
        value_release(plain[k]);
    }
    value_release(out);
    value_release(wanted);
}

static const HyperCase cases[] = {
    /* cell by cell */
    {OP_abs, "h", true},
    {OP_abs, "o", true},
    {OP_sqrt, "o", true},
    {OP_exp, "h", false},
    {OP_neg, "o", true},
    {OP_mul, "h2", true},
    {OP_mul, "2o", true},
    {OP_add, "h2", false},
    {OP_pow, "o2", true},
    {OP_gt, "o2", true},
    {OP_lt, "h2", false},
    {OP_ne, "oz", true},
    {OP_add, "hi", true},
    {OP_sub, "io", true},
    {OP_mul, "oh", true},
    {OP_mul, "hr", true},
    {OP_mul, "oc", true},
    {OP_div, "hr", false},
    {OP_div, "hi", false},
    {OP_add, "hr", false},
    {OP_min, "hi", true},
    {OP_max, "oh", true},
    {OP_min, "hih", true},
    {OP_ifelse, "hio", true},
    {OP_ifelse, "h2o", true},
    {OP_ifelse, "hi2", false},
    /* aggregates */
    {OP_sum, "o", false},
    {OP_sum, "h", false},
    {OP_sumsq, "h", false},
    {OP_min, "h", false},
    {OP_max, "i", false},
    {OP_max, "o", false},
    {OP_mean, "h", false},
    {OP_var, "h", false},
    {OP_var, "o", false},
    {OP_sd, "h", false},
    {OP_prod, "h", false},
    {OP_nnz, "o", false},
    {OP_all_finite, "o", false},
    {OP_all_finite, "h", false},
    {OP_colSums, "o", false},
    {OP_colMeans, "h", false},
    {OP_colMaxs, "o", false},
    {OP_colMins, "h", false},
    {OP_colMaxs, "w", false},
    {OP_colMins, "w", false},
    {OP_colVars, "h", false},
    {OP_colVars, "w", false},
    {OP_colSds, "o", false},
    {OP_rowSums, "o", true},
    {OP_rowMaxs, "o", true},
    {OP_rowMeans, "h", true},
    {OP_rowIndexMax, "h", false},
    {OP_rowVars, "h", true},
    {OP_cumsum, "h", false},
    /* products */
    {OP_matmult, "hd", true},
    {OP_matmult, "od", true},
    {OP_matmult, "lh", false},
    {OP_matmult, "hg", true},
    {OP_matmult, "hn", false},
    {OP_matmult, "mh", false},
    {OP_matmult_tn, "ho", false},
    {OP_matmult_tn, "oh", false},
    {OP_matmult_tn, "hk", false},
    {OP_matmult_tn, "kh", false},
    {OP_matmult_tn, "hi", false},
    {OP_matmult_tn, "hc", false},
    {OP_matmult_tn, "ch", false},
    {OP_tsmm, "h", false},
    {OP_tsmm, "o", false},
    {OP_tsmm, "w", true},
    {OP_tsmm, "g", true},
    /* cells moved */
    {OP_t, "h", false},
    {OP_t, "o", false},
    {OP_rbind, "hi", true},
    {OP_rbind, "hro", true},
    {OP_cbind, "ho", true},
    {OP_cbind, "hc", false},
    {OP_removeEmpty, "he", false},
    {OP_removeEmpty, "os", true},
    {OP_rev, "h", true},
    {OP_rev, "o", true},
    {OP_nrow, "h", false},
};

ML_TEST(hypersparse_operands_give_what_ordinary_ones_give)
{
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        run_case(&cases[k]);
}

ML_TEST(a_transpose_of_a_wide_matrix_is_hypersparse)
{
    Value h = operand('h'), wide = value_none(), back = value_none();
    OpCall turn = {.op = &op_table[OP_t], .nin = 1, .nout = 1, .in = &h, .out = &wide};

    assert_ok(kernel_call(test_ctx(), &turn));
    assert_int_equal(wide.m->format, MATRIX_CSR);
    turn.in = &wide;
    turn.out = &back;
    assert_ok(kernel_call(test_ctx(), &turn));
    assert_int_equal(back.m->format, MATRIX_HYPER);
    assert_same_value(back, h);
    value_release(h);
    value_release(wide);
    value_release(back);
}

ML_TEST(parts_of_hypersparse_matrices_are_read_and_written)
{
    static const int64_t ranges[][4] = {{1, ROWS, 3, 5},       {1, 1, 1, COLS},
                                        {777, 69990, 1, COLS}, {7000, 6999, 1, 2},
                                        {ROWS, ROWS, 12, 12},  {1, 66000, 2, 2}};
    Value h = operand('o'), plain = ordinary(h);

    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        const int64_t *r = ranges[k];
        Value in[] = {h, value_int(r[0]), value_int(r[1]), value_int(r[2]), value_int(r[3])};
        Value out = value_none(), wanted = value_none();
        OpCall call = {.op = &op_table[OP_index], .nin = 5, .nout = 1, .in = in, .out = &out};

        assert_ok(kernel_call(test_ctx(), &call));
        in[0] = plain;
        call.out = &wanted;
        assert_ok(kernel_of(OP_index)(test_ctx(), &call));
        assert_same_value(out, wanted);
        value_release(out);
        value_release(wanted);
    }
    value_release(h);
    value_release(plain);
}

/* Rows that are stored, rows that are not, the first and the last. */
ML_TEST(edits_of_hypersparse_matrices_stay_hypersparse)
{
    const int64_t rows[] = {0, 1, 5, ROWS / STORED, ROWS - 1};
    const uint32_t col = 3;
    const double seven = 7;
    Value h = operand('h'), plain = ordinary(h);
    Matrix *draft = NULL, *settled = NULL;

    assert_ok(matrix_edits(test_ctx(), h.m, false, &draft));
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        assert_ok(matrix_edit_row(test_ctx(), draft, rows[k], 3, 4, 1, &col, &seven));
    assert_ok(matrix_settled(test_ctx(), draft, &settled));
    assert_int_equal(settled->format, MATRIX_HYPER);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        assert_true(matrix_get(settled, rows[k], 3) == 7);
    for (int64_t i = 0; i < ROWS; i++)
        for (int64_t k = plain.m->row_ptr[i]; k < plain.m->row_ptr[i + 1]; k++)
            assert_true(plain.m->col_idx[k] == 3 ||
                        matrix_get(settled, i, plain.m->col_idx[k]) == plain.m->values[k]);
    matrix_release(settled);
    matrix_release(draft);
    value_release(h);
    value_release(plain);
}
