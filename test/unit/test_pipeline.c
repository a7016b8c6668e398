/* Pipelines against their programs run operator by operator: all statements, sizes, formats. */
#include "pipeline_case.h"

#include "task/task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct Program {
    const char *text;
    double tolerance; /* 0: the same bits as operator by operator */
} Program;

/* a, b: rows x cols; c: a column; d: a row; e: a number; f: cols x 3; g: 7 x cols; h: cols x 1. */
static const Program programs[] = {
    {"a + b", 0},
    {"sum(a * b)", 0},
    {"sum((a - b)^2); a * e; min(a + b); max(a); mean(b)", 1e-12},
    {"1 / (1 + exp(-a))", 0},
    {"a - c; a * d; a * d + c", 0},
    {"a - d", 0},
    {"ifelse(a > 0, b, e); min(a, b); max(a, 0); log(abs(b) + 1, 2); !(a > b) | a == 0 & b != 1",
     0},
    {"a %% 3 + b %/% e - (a <= b) * (a >= -b) + (a < 1)", 0},
    {"rowSums(a)", 0},
    {"rowSums(a * b); rowMins(a); rowMaxs(a - c)", 0},
    {"rowMeans(a)", 0},
    {"colSums(a * b); colMins(a + b); colMaxs(a * e)", 0},
    {"colSums(a - c); colMeans(a); colMins(b); colMaxs(a + b); sum(c)", 1e-12},
    {"t1 = exp(a - rowMaxs(a)); t1 / rowSums(t1)", 0},
    {"t1 = a - rowMeans(a); t1 / sqrt(rowSums(t1 * t1)); colSums(t1)", 1e-11},
    {"a %*% h", 0},
    {"a %*% f; a %*% t(g)", 1e-12},
    {"t(a) %*% (c * (a %*% h))", 1e-11},
    {"t1 = 1 / (1 + exp(-(a %*% h))); t(a) %*% (t1 - c); sum(t1)", 1e-11},
    {"t1 = -2 * (a %*% t(g)) + c; t2 = t1 <= rowMins(t1); t3 = t2 / rowSums(t2); t(t3) %*% a; "
     "colSums(t3); rowMins(t1)",
     1e-11},
    {"t(c) %*% a; t(a) %*% c; t(b) %*% (a %*% f)", 1e-11},
    {"c * 2 + 1; sum(c * c); colSums(c)", 1e-13},
    {"t1 = d * d + e; a * t1; a + t1 * 2", 0},
    {"a; a; c", 0},
    {"t1 = c + 1; t1; a * t1; a * (t1 * t1 * t1 * t1)", 0},
    {"e * 2 + a", 0},
    {"t1 = abs(a); t2 = rowSums(t1); t3 = t1 / t2; t4 = rowMaxs(t3); t5 = t3 - t4; rowSums(t5 * b)",
     0},
};

static void spoil(Matrix *m)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 0.0, 5e-324};
    const int64_t n = matrix_cells(m);

    for (int64_t k = 0; k < n; k++)
        if (k % 7 == 3)
            m->values[k] = odd[k / 7 % 6];
    m->nnz = matrix_count_nnz(m->values, n);
}

typedef struct Operands {
    Value v[8];
} Operands;

static Operands make_operands(int64_t rows, int64_t cols, bool odd)
{
    Matrix *a = case_random(rows, cols, 0.9, 1), *b = case_random(rows, cols, 1, 2);
    Operands o = {{value_matrix(a), value_matrix(b), value_matrix(case_random(rows, 1, 1, 3)),
                   value_matrix(case_random(1, cols, 1, 4)), value_double(1.5),
                   value_matrix(case_random(cols, 3, 1, 5)),
                   value_matrix(case_random(7, cols, 1, 6)),
                   value_matrix(case_random(cols, 1, 1, 7))}};

    if (odd) {
        spoil(a);
        spoil(b);
    }
    return o;
}

static void free_operands(Operands *o)
{
    for (int k = 0; k < 8; k++)
        value_release(o->v[k]);
}

static bool same_number(double x, double y, double tolerance)
{
    if (tolerance == 0)
        return (isnan(x) && isnan(y)) || memcmp(&x, &y, sizeof x) == 0;
    return (isnan(x) && isnan(y)) || x == y || fabs(x - y) <= tolerance * (1 + fabs(y));
}

static void check_value(const char *text, int result, Value got, Value want, double tolerance)
{
    if (want.dt == DT_SCALAR) {
        if (got.dt != DT_SCALAR || !same_number(got.d, want.d, tolerance))
            fail_msg("%s: result %d is %.17g, expected %.17g", text, result, got.d, want.d);
        return;
    }
    if (got.dt != DT_MATRIX || got.m->rows != want.m->rows || got.m->cols != want.m->cols)
        fail_msg("%s: result %d has another shape", text, result);
    for (int64_t i = 0; i < want.m->rows; i++)
        for (int64_t j = 0; j < want.m->cols; j++)
            if (!same_number(matrix_get(got.m, i, j), matrix_get(want.m, i, j), tolerance))
                fail_msg("%s: result %d has %.17g at %d,%d, expected %.17g", text, result,
                         matrix_get(got.m, i, j), (int)i, (int)j, matrix_get(want.m, i, j));
    if (tolerance == 0 && got.m->nnz != want.m->nnz)
        fail_msg("%s: result %d has %d nonzeros, expected %d", text, result, (int)got.m->nnz,
                 (int)want.m->nnz);
}

static void check_program(const char *text, const Value *in, double tolerance)
{
    Value want[PIPELINE_RESULTS] = {0}, got[PIPELINE_RESULTS];
    const int n = unfused_run(text, in, 8, want);

    if (fused_try(text, in, 8, 0, got) != ML_OK)
        fail_msg("%s: %s", text, test_error());
    for (int k = 0; k < n; k++) {
        check_value(text, k, got[k], want[k], tolerance);
        value_release(got[k]);
        value_release(want[k]);
    }
}

static void check_all(const Value *in)
{
    for (size_t k = 0; k < sizeof programs / sizeof *programs; k++)
        check_program(programs[k].text, in, programs[k].tolerance);
}

ML_TEST(pipelines_equal_their_operators_one_by_one)
{
    static const int64_t sizes[][2] = {{1, 1},     {1, 9},     {9, 1},     {5, 3},
                                       {64, 8},    {33, 7},    {700, 100}, {3, 700},
                                       {1000, 10}, {20, 3000}, {3001, 3},  {900, 31}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Operands o = make_operands(sizes[k][0], sizes[k][1], false);

        check_all(o.v);
        if (sizes[k][1] > 1)
            check_program("t1 = d * d; t2 = rowSums(t1) + e; a * (t1 / t2) + t1 %*% h", o.v, 1e-12);
        free_operands(&o);
    }
}

ML_TEST(pipelines_see_special_values_as_their_operators_do)
{
    static const int64_t sizes[][2] = {{5, 3}, {70, 40}, {4, 1200}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Operands o = make_operands(sizes[k][0], sizes[k][1], true);

        check_all(o.v);
        free_operands(&o);
    }
}

ML_TEST(pipelines_of_empty_matrices_give_what_their_operators_give)
{
    static const int64_t sizes[][2] = {{0, 4}, {4, 0}, {0, 0}, {0, 1}};

    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        Operands o = make_operands(sizes[k][0], sizes[k][1], false);

        check_all(o.v);
        free_operands(&o);
    }
}

/* Operand k in CSR or as a constant of its first cell. */
static void reformat(Operands *o, int k, bool csr)
{
    Matrix *old = o->v[k].m, *m = NULL;

    if (csr) {
        m = case_csr(old);
    } else {
        assert_ok(matrix_new_constant(test_ctx(), old->rows, old->cols, 0.75, &m));
        assert_ok(matrix_finish(test_ctx(), &m, -1));
    }
    matrix_release(old);
    o->v[k] = value_matrix(m);
}

ML_TEST(pipelines_take_operands_of_every_format)
{
    for (int formats = 0; formats < 1 << 7; formats++) {
        Operands o = make_operands(120, 40, false);

        for (int k = 0, bit = 0; k < 8; k++)
            if (o.v[k].dt == DT_MATRIX && (formats >> bit++ & 1))
                reformat(&o, k, (formats + k) % 3 != 0);
        /* A sparse operand is added up in another order. */
        for (size_t k = 0; k < sizeof programs / sizeof *programs; k++)
            check_program(programs[k].text, o.v, 1e-11);
        free_operands(&o);
    }
}

/* The same bits once more. */
static void check_again(const char *text, Operands *o, const Value *want)
{
    Value got[PIPELINE_RESULTS];

    assert_ok(fused_try(text, o->v, 8, 0, got));
    for (int r = 0; r < PIPELINE_RESULTS && got[r].dt != DT_NONE; r++) {
        check_value(text, r, got[r], want[r], 0);
        value_release(got[r]);
    }
}

ML_TEST(pipelines_give_the_same_digits_on_any_number_of_threads)
{
    static const int threads[] = {2, 3, 8};
    Operands o = make_operands(20011, 13, false);
    Value want[PIPELINE_RESULTS];

    for (size_t k = 0; k < sizeof programs / sizeof *programs; k++) {
        test_threads(1);
        assert_ok(fused_try(programs[k].text, o.v, 8, 0, want));
        for (int t = 0; t < 3; t++) {
            test_threads(threads[t]);
            check_again(programs[k].text, &o, want);
        }
        for (int r = 0; r < PIPELINE_RESULTS; r++)
            value_release(want[r]);
    }
    free_operands(&o);
}

/* Rows of narrow matrices are read side by side; whatever the width, none gets lost between blocks.
 */
ML_TEST(pipelines_fold_the_columns_of_many_narrow_rows)
{
    for (int cols = 2; cols < 40; cols++) {
        Operands o = make_operands(12001, cols, false);

        check_program("colSums(a^2); colMins(a + 1); colMaxs(-a)", o.v, 1e-12);
        free_operands(&o);
    }
}

/* Half a million cells are worth several threads, whatever a tile of the program is. */
ML_TEST(pipelines_are_divided_by_their_cells)
{
    static const char *const texts[] = {"1 / (1 + exp(-a))", "sum(a * b)", "a - c",
                                        "rowSums(a * b)"};
    Operands o = make_operands(40000, 13, false);
    Value got[PIPELINE_RESULTS];

    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        test_threads(2); /* a new engine, which has counted nothing */
        assert_ok(fused_try(texts[k], o.v, 8, 0, got));
        if (task_stats(test_ctx()->tasks).chunks < 4)
            fail_msg("%s: %d chunks", texts[k], (int)task_stats(test_ctx()->tasks).chunks);
        value_release(got[0]);
    }
    free_operands(&o);
}

static void set_cpu(const char *word)
{
    Options *o = test_options();

    assert_ok(option_set(test_ctx(), o, "cpu", word));
}

/* By machine code of each kind and by the interpreter, which has no cache. */
ML_TEST(pipelines_give_the_same_digits_by_machine_code_as_interpreted)
{
    static const char *const words[] = {"plain", "avx2", "avx512"};
    CodeCache *kept = test_ctx()->codes;
    Operands o = make_operands(400, 53, true);

    test_ctx()->codes = NULL;
    for (size_t k = 0; k < sizeof programs / sizeof *programs; k++) {
        Value want[PIPELINE_RESULTS];

        set_cpu(words[0]);
        assert_ok(fused_try(programs[k].text, o.v, 8, 0, want));
        for (int w = 1; w < 3; w++) {
            set_cpu(words[w]);
            check_again(programs[k].text, &o, want);
        }
        for (int r = 0; r < PIPELINE_RESULTS; r++)
            value_release(want[r]);
    }
    test_ctx()->codes = kept;
    free_operands(&o);
}

/* Operands that die, of which the results may take the memory. */
ML_TEST(pipelines_may_write_over_operands_that_die)
{
    for (size_t k = 0; k < sizeof programs / sizeof *programs; k++)
        for (int threads = 1; threads <= 4; threads += 3) {
            Operands o = make_operands(300, 90, false), copy = make_operands(300, 90, false);
            Value want[PIPELINE_RESULTS], got[PIPELINE_RESULTS];

            test_threads(threads);
            assert_ok(fused_try(programs[k].text, copy.v, 8, 0, want));
            assert_ok(fused_try(programs[k].text, o.v, 8, 0xff, got));
            for (int r = 0; r < PIPELINE_RESULTS && want[r].dt != DT_NONE; r++) {
                check_value(programs[k].text, r, got[r], want[r], 0);
                value_release(got[r]);
                value_release(want[r]);
            }
            free_operands(&o);
            free_operands(&copy);
        }
}

ML_TEST(a_pipeline_that_ends_in_cells_of_a_dying_operand_makes_no_matrix)
{
    Operands o = make_operands(300, 90, false);
    Value got[PIPELINE_RESULTS];

    assert_ok(fused_try("t1 = exp(a - rowMaxs(a)); t1 / rowSums(t1)", o.v, 1, 1, got));
    assert_ptr_equal(got[0].m, o.v[0].m);
    value_release(got[0]);
    assert_ok(fused_try("a * b - 1", o.v, 2, 2, got));
    assert_ptr_equal(got[0].m, o.v[1].m);
    value_release(got[0]);
    free_operands(&o);
}

ML_TEST(pipelines_say_what_they_cannot_read)
{
    static const char *const texts[] = {"",
                                        " ",
                                        ";",
                                        "a;",
                                        "a; ",
                                        "t1 = a",
                                        "a +",
                                        "a ** b",
                                        "foo(a)",
                                        "q",
                                        "p",
                                        "z * 2",
                                        "(a",
                                        "a)",
                                        "a b",
                                        "sum(a) + 1",
                                        "sum(a, b)",
                                        "1 + 2",
                                        "e",
                                        "d * 2",
                                        "a %*% b",
                                        "a %*% (h)",
                                        "a %*% 3",
                                        "t(a)",
                                        "t(a) %*% f",
                                        "rowSums(e)",
                                        "sum(d)",
                                        "a %*% e",
                                        "exp(a, b)",
                                        "ifelse(a, b)",
                                        "min(a, b, c, d)",
                                        "t1 = a; t1 = ",
                                        "t1 = a;; t1",
                                        "a + f",
                                        "c + f",
                                        "x = a; x",
                                        "sum(",
                                        "a $ b",
                                        "rowSums(a",
                                        "rowSums(a,b)",
                                        "1e",
                                        "--",
                                        "!",
                                        "t1",
                                        "NaN",
                                        "Infinity",
                                        "nrow(a)",
                                        "a[1,1]",
                                        "a; a; a; a; a; a; a; a"};
    Operands o = make_operands(6, 4, false);
    Value got[PIPELINE_RESULTS];

    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
        if (fused_try(texts[k], o.v, 8, 0, got) == ML_OK)
            fail_msg("'%s' was accepted", texts[k]);
    free_operands(&o);
}

/* Valid pieces in random order, and random bytes. */
static void random_text(uint64_t *seed, char *text, size_t size)
{
    static const char *const pieces[] = {"a",        "b",       "c",     "d",        "e",
                                         "f",        "h",       "t1 = ", "t2 = ",    "t1",
                                         "t2",       "; ",      " + ",   " * ",      " / ",
                                         " - ",      "exp(",    "(",     ")",        ")",
                                         ", ",       "1",       "2.5",   "rowSums(", "sum(",
                                         "min(",     "t(",      " %*% ", "max(",     "colSums(",
                                         "rowMaxs(", "ifelse(", "^",     " <= ",     "!",
                                         "NaN",      "%%",      "=",     "\x01",     "\xff"};
    const size_t n = sizeof pieces / sizeof *pieces;

    text[0] = 0;
    for (int k = (int)(case_bits(seed) % 24); k >= 0; k--) {
        const char *piece = pieces[case_bits(seed) % n];

        if (strlen(text) + strlen(piece) + 1 < size)
            memcpy(text + strlen(text), piece, strlen(piece) + 1);
    }
}

ML_TEST(any_text_is_a_pipeline_or_an_error)
{
    Operands o = make_operands(6, 4, false);
    uint64_t seed = 7;
    char text[256];
    int good = 0;

    for (int k = 0; k < 200000; k++) {
        Value got[PIPELINE_RESULTS];

        random_text(&seed, text, sizeof text);
        good += fused_try(text, o.v, 8, 0, got) == ML_OK;
        for (int r = 0; r < PIPELINE_RESULTS; r++)
            value_release(got[r]);
    }
    assert_true(good > 100);
    free_operands(&o);
}

/* What is 0 at the zeros of a or b, what only where both are, and products. */
static const char *const sparse_programs[] = {
    "a * b",
    "sum(a * b * e); min(a * b); max(a * b); mean(a * b)",
    "a * exp(b); a * c * d",
    "abs(a) / (c * c + 1) * (d > 0)",
    "abs(a + b); sum(a + b)",
    "rowSums(a * b); colSums(a * b)",
    "(a != 0) * b - a; a * log(b * b)",
    "a / b; 1 / (a + 1)",
    "a / rowSums(abs(a))",
    "a %*% h; a %*% f; a %*% t(g)",
    "t(a) %*% (c * (a %*% h)); t(a) %*% c; t(c) %*% a; t(a) %*% (b %*% f)",
    "t(b %*% t(g)) %*% a; t(b) %*% a; t(a) %*% b; t(a) %*% (a %*% t(g))",
};

static void check_sparse(Operands *o)
{
    for (size_t k = 0; k < sizeof sparse_programs / sizeof *sparse_programs; k++)
        for (int threads = 1; threads <= 4; threads += 3) {
            test_threads(threads);
            check_program(sparse_programs[k], o->v, 1e-11);
        }
}

ML_TEST(pipelines_over_sparse_operands_equal_their_operators)
{
    for (int kind = 0; kind < 48; kind++) {
        Operands o = make_operands(90, 60, false);
        Matrix *thin = case_random(90, 60, 0.03, 11), *other = case_random(90, 60, 0.1, 12);

        memcpy(o.v[0].m->values, thin->values, sizeof(double) * 90 * 60);
        o.v[0].m->nnz = thin->nnz;
        if (kind & 1) {
            memcpy(o.v[1].m->values, other->values, sizeof(double) * 90 * 60);
            o.v[1].m->nnz = other->nnz;
        }
        if (kind >> 2 & 1)
            spoil(o.v[0].m);
        if (kind >> 3 & 1)
            spoil(o.v[1].m);
        for (int k = 2; kind >= 32 && k < 8; k++)
            if (o.v[k].dt == DT_MATRIX)
                spoil(o.v[k].m);
        reformat(&o, 0, true);
        if (kind & 1)
            reformat(&o, 1, true);
        check_sparse(&o);
        free_operands(&o);
        matrix_release(thin);
        matrix_release(other);
    }
}

ML_TEST(pipelines_over_matrices_of_nearly_only_zeros_cost_their_nonzeros)
{
    const int64_t n = 300000;
    Value in[2], got[PIPELINE_RESULTS];

    for (int k = 0; k < 2; k++) {
        Matrix *m;

        assert_ok(matrix_new_csr(test_ctx(), n, n, 3, &m));
        for (int64_t i = 1; i <= n; i++)
            m->row_ptr[i] = i > 7 ? 2 + (i > n / 2) : 0;
        memcpy(m->col_idx, (uint32_t[]){5, 299999, (uint32_t)(k ? 8 : 9)}, 3 * sizeof(uint32_t));
        memcpy(m->values, (double[]){1, 2, -3}, 3 * sizeof(double));
        m->nnz = 3;
        in[k] = value_matrix(m);
    }
    assert_ok(fused_try("sum(a * b); a * b * 2", in, 2, 0, got));
    assert_true(got[0].d == 5);
    assert_int_equal(got[1].m->nnz, 2);
    value_release(got[1]);
    assert_ok(fused_try("abs(a + b); colSums(a * a)", in, 2, 0, got));
    assert_int_equal(got[0].m->nnz, 4);
    assert_int_equal(got[1].m->nnz, 3);
    for (int k = 0; k < 2; k++) {
        value_release(got[k]);
        value_release(in[k]);
    }
}

/* Rounded to FP32, in FP32 or in FP64; b by choice in CSR. */
static Operands rounded_operands(bool single, bool sparse)
{
    Operands o = make_operands(130, 50, false);

    if (sparse)
        reformat(&o, 1, true);

    for (int k = 0; k < 8; k++) {
        Matrix *m = o.v[k].m, *rounded = NULL, *wide = NULL;

        if (o.v[k].dt != DT_MATRIX)
            continue;
        assert_ok(matrix_as(test_ctx(), CELL_FP32, m, &rounded));
        assert_ok(matrix_as(test_ctx(), CELL_FP64, rounded, &wide));
        matrix_release(m);
        matrix_release(single ? wide : rounded);
        o.v[k].m = single ? rounded : wide;
    }
    return o;
}

static void check_rounded(bool sparse)
{
    Operands wide = rounded_operands(false, sparse), single = rounded_operands(true, sparse);

    for (size_t k = 0; k < sizeof programs / sizeof *programs; k++) {
        Value want[PIPELINE_RESULTS], got[PIPELINE_RESULTS];

        assert_ok(fused_try(programs[k].text, wide.v, 8, 0, want));
        assert_ok(fused_try(programs[k].text, single.v, 8, 0, got));
        for (int r = 0; r < PIPELINE_RESULTS && want[r].dt != DT_NONE; r++) {
            if (got[r].dt == DT_MATRIX && got[r].m->singles) {
                Matrix *m = NULL;

                assert_ok(matrix_as(test_ctx(), CELL_FP32, want[r].m, &m));
                assert_ok(matrix_finish(test_ctx(), &m, -1));
                matrix_release(want[r].m);
                want[r].m = m;
            }
            check_value(programs[k].text, r, got[r], want[r], programs[k].tolerance);
            value_release(got[r]);
            value_release(want[r]);
        }
    }
    free_operands(&wide);
    free_operands(&single);
}

ML_TEST(pipelines_on_fp32_round_only_what_they_store)
{
    check_rounded(false);
    check_rounded(true);
}

/* Sums of many numbers, and of many row sums: more than a loop, or the schedule, has room for. */
ML_TEST(pipelines_too_large_for_a_schedule_go_operator_by_operator)
{
    Operands o = make_operands(30, 20, false);
    char text[4000];
    int at = snprintf(text, sizeof text, "sum(a");

    for (int k = 0; k < 30; k++)
        at += snprintf(text + at, sizeof text - (size_t)at, " + %d.5", k);
    snprintf(text + at, sizeof text - (size_t)at, ")");
    check_program(text, o.v, 0);
    at = snprintf(text, sizeof text, "t1 = a");
    for (int k = 1; k < 40; k++)
        at += snprintf(text + at, sizeof text - (size_t)at, "; t%d = b * t%d - rowMaxs(t%d)", k + 1,
                       k, k);
    snprintf(text + at, sizeof text - (size_t)at, "; t40; colSums(t39)");
    check_program(text, o.v, 0);
    free_operands(&o);
}

/* With ever later allocations failing until none does, every program read anew. */
static void sweep(const char *text, const Value *in)
{
    Value program = case_text(text);

    for (int n = 0; n < 200; n++) {
        CodeCache *kept = test_ctx()->codes;
        Value got[PIPELINE_RESULTS];
        ml_status st;

        test_ctx()->codes = NULL;
        mem_fail_after(n);
        st = fused_call(program, in, 8, 0, got);
        mem_fail_after(-1);
        test_ctx()->codes = kept;
        for (int r = 0; r < PIPELINE_RESULTS; r++)
            value_release(got[r]);
        if (st == ML_OK) {
            value_release(program);
            return;
        }
        assert_int_equal(st, ML_ENOMEM);
    }
    fail_msg("%s: 200 allocations and more", text);
}

ML_TEST(pipelines_survive_failing_allocations)
{
    Operands o = make_operands(120, 80, false);

    test_threads(1);
    for (int sparse = 0; sparse < 2; sparse++) {
        for (size_t k = 0; k < sizeof programs / sizeof *programs; k++)
            sweep(programs[k].text, o.v);
        for (size_t k = 0; k < sizeof sparse_programs / sizeof *sparse_programs; k++)
            sweep(sparse_programs[k], o.v);
        reformat(&o, 0, true);
        reformat(&o, 1, true);
    }
    free_operands(&o);
}

/* More programs than the cache keeps, each several times. */
ML_TEST(pipelines_that_the_cache_dropped_are_read_again)
{
    Operands o = make_operands(5, 3, false);
    Value got[PIPELINE_RESULTS];
    char text[64];

    for (int round = 0; round < 3; round++)
        for (int k = 0; k < 300; k++) {
            snprintf(text, sizeof text, "sum(a * 0 + %d)", k);
            assert_ok(fused_try(text, o.v, 1, 0, got));
            assert_true(got[0].d == 15 * k);
        }
    assert_true(code_cache_stats(test_ctx()->codes).read >= 300);
    for (int k = 0; k < 100; k++)
        assert_ok(fused_try("sum(a)", o.v, 1, 0, got));
    assert_true(code_cache_stats(test_ctx()->codes).read <= 901);
    free_operands(&o);
}
