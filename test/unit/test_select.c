/* table, removeEmpty, replace, outer, unique, countDistinct and contains. */
#include "kernel_case.h"

#include <math.h>
#include <string.h>

#define COLUMN(n, cells) value_matrix(case_matrix(n, 1, cells))

ML_TEST(table_counts_pairs)
{
    assert_cells(CASE_RUN(table, COLUMN(3, "1 2 2"), COLUMN(3, "1 3 3")), 2, 3, "1 0 0 0 0 2", 0);
    assert_cells(CASE_RUN(table, COLUMN(3, "1.7 1 2"), value_int(1)), 2, 1, "2 1", 0);
    assert_cells(CASE_RUN(table, COLUMN(3, "1 2 2"), value_int(2)), 2, 2, "0 1 0 2", 0);
    assert_cells(CASE_RUN(table, value_matrix(case_matrix(2, 2, "1 2 2 1")),
                          value_matrix(case_matrix(2, 2, "1 2 2 1"))),
                 2, 2, "2 0 0 2", 0);
}

ML_TEST(table_takes_weights_and_sizes_in_all_positions)
{
    Matrix *a = case_matrix(3, 1, "1 2 2"), *b = case_matrix(3, 1, "1 1 2");

    assert_cells(CASE_RUN(table, case_share(a), case_share(b), COLUMN(3, "0.5 1 2")), 2, 2,
                 "0.5 0 1 2", 0);
    assert_cells(CASE_RUN(table, case_share(a), case_share(b), value_int(3)), 2, 2, "3 0 3 3", 0);
    assert_cells(CASE_RUN(table, case_share(a), case_share(b), value_int(3), value_int(1)), 3, 1,
                 "1 1 0", 0);
    assert_cells(
        CASE_RUN(table, case_share(a), case_share(b), value_double(2.9), value_double(2.2)), 2, 2,
        "1 0 1 1", 0);
    assert_cells(CASE_RUN(table, case_share(a), case_share(b), COLUMN(3, "1 2 3"), value_int(2),
                          value_int(3)),
                 2, 3, "1 0 0 2 3 0", 0);
    assert_cells(CASE_RUN(table, case_share(a), case_share(b), value_int(3), value_int(2),
                          value_bool(false)),
                 3, 2, "1 0 1 1 0 0", 0);
    assert_cells(CASE_RUN(table, value_matrix(a), value_matrix(b), value_int(-1), value_int(2)), 2,
                 2, "1 0 1 1", 0);
}

ML_TEST(table_skips_nan_and_what_lies_outside)
{
    assert_cells(CASE_RUN(table, COLUMN(3, "1 NaN 2"), value_int(1)), 2, 1, "1 1", 0);
    assert_cells(CASE_RUN(table, COLUMN(3, "1 2 2"), COLUMN(3, "1 1 2"), COLUMN(3, "1 2 NaN")), 2,
                 1, "1 2", 0);
    assert_cells(
        CASE_RUN(table, COLUMN(2, "1 Infinity"), COLUMN(2, "1 2"), value_int(2), value_int(2)), 2,
        2, "1 0 0 0", 0);
    assert_cells(CASE_RUN(table, COLUMN(2, "NaN 2"), COLUMN(2, "1 NaN")), 0, 0, "", 0);
    assert_cells(CASE_RUN(table, COLUMN(0, ""), COLUMN(0, ""), value_int(3), value_int(2)), 3, 2,
                 "0 0 0 0 0 0", 0);
    /* one-hot encoding keeps a row for each entry */
    assert_cells(CASE_RUN(table, COLUMN(3, "1 2 3"), COLUMN(3, "1 2 NaN")), 3, 2, "1 0 0 1 0 0", 0);
}

ML_TEST(table_skips_entries_whose_weight_is_nan)
{
    assert_cells(CASE_RUN(table, COLUMN(3, "2 2 3"), COLUMN(3, "1 2 2"), COLUMN(3, "1 3 NaN")), 2,
                 2, "0 0 1 3", 0);
    assert_cells(CASE_RUN(table, COLUMN(3, "1 2 3"), COLUMN(3, "1 2 2"), COLUMN(3, "1 3 NaN")), 2,
                 2, "1 0 0 3", 0);
    assert_cells(CASE_RUN(table, COLUMN(1, "1"), COLUMN(1, "1"), COLUMN(1, "NaN")), 0, 0, "", 0);
}

ML_TEST(table_takes_sizes_by_name_without_weights)
{
    assert_cells(CASE_RUN(table, COLUMN(2, "1 2"), COLUMN(2, "1 1"), value_none(), value_int(2),
                          value_int(3)),
                 2, 3, "1 0 0 1 0 0", 0);
}

ML_TEST(table_rejects_categories_below_one_and_other_shapes)
{
    CASE_FAILS(table, ML_EVALUE, COLUMN(2, "0 1"), value_int(1));
    CASE_FAILS(table, ML_EVALUE, COLUMN(2, "1 2"), COLUMN(2, "1 0.5"), value_int(2), value_int(2));
    CASE_FAILS(table, ML_EVALUE, COLUMN(2, "1 Infinity"), value_int(1));
    CASE_FAILS(table, ML_ESHAPE, COLUMN(3, "1 2 3"), COLUMN(2, "1 2"));
    CASE_FAILS(table, ML_ESHAPE, COLUMN(2, "1 2"), COLUMN(2, "1 2"), COLUMN(1, "1"));
}

/* Random entries, weighted, against adding them one by one. */
static void check_table(int64_t n, int64_t rows, int64_t cols, bool sequence)
{
    Matrix *a = case_random(n, 1, 1, 1), *b = case_random(n, 1, 1, 2), *w = case_random(n, 1, 1, 3);
    double *expected = mem_calloc((size_t)(rows * cols), sizeof *expected);
    uint64_t seed = 4;
    Value t[2];

    for (int64_t i = 0; i < n; i++) {
        a->values[i] = sequence ? (double)(i + 1) : (double)(1 + case_bits(&seed) % (uint64_t)rows);
        b->values[i] = (double)(1 + case_bits(&seed) % (uint64_t)cols);
        w->values[i] = (double)(case_bits(&seed) % 8);
        expected[((int64_t)a->values[i] - 1) * cols + (int64_t)b->values[i] - 1] += w->values[i];
    }
    for (int k = 0; k < 2; k++) {
        test_threads(k ? 8 : 1);
        t[k] = CASE_RUN(table, case_share(a), case_share(b), case_share(w),
                        value_double((double)rows), value_double((double)cols));
    }
    for (int64_t k = 0; k < rows * cols; k++)
        assert_close(matrix_get(t[0].m, k / cols, k % cols), expected[k], 0);
    assert_same_matrix(t[0], t[1]);
    mem_free(expected);
    matrix_release(a);
    matrix_release(b);
    matrix_release(w);
}

ML_TEST(tables_of_all_kinds_equal_adding_one_by_one)
{
    check_table(300000, 7, 9, false);   /* small and dense */
    check_table(100000, 90, 80, false); /* large and dense */
    check_table(5000, 300, 400, false); /* CSR with repeated cells */
    check_table(2000, 2000, 30, true);  /* one row an entry */
    check_table(1100000, 30, 9, false); /* in one pass */
}

/* Many entries whose sizes are not given: those of a sample do, or they do not. */
ML_TEST(large_tables_are_as_large_as_their_largest_category)
{
    enum { N = 1100003, ROWS = 9 };
    Matrix *a = case_random(N, 1, 1, 1), *b = case_random(N, 1, 1, 2);
    uint64_t seed = 3;

    for (int late = 0; late < 2; late++) {
        double expected[ROWS * 2] = {0};
        Value t[2];

        for (int64_t i = 0; i < N; i++) {
            a->values[i] = (double)(1 + case_bits(&seed) % (ROWS - 2)) + 0.5;
            b->values[i] = (double)(1 + case_bits(&seed) % 2);
        }
        a->values[5000] = late ? ROWS : ROWS - 2;
        b->values[6000] = NAN;
        for (int64_t i = 0; i < N; i++)
            if (i != 6000)
                expected[((int64_t)a->values[i] - 1) * 2 + (int64_t)b->values[i] - 1] += 1;
        for (int k = 0; k < 2; k++) {
            test_threads(k ? 8 : 1);
            t[k] = CASE_RUN(table, case_share(a), case_share(b));
        }
        assert_int_equal(t[0].m->rows, late ? ROWS : ROWS - 2);
        assert_int_equal(t[0].m->cols, 2);
        for (int64_t k = 0; k < 2 * t[0].m->rows; k++)
            assert_close(matrix_get(t[0].m, k / 2, k % 2), expected[k], 0);
        assert_same_matrix(t[0], t[1]);
    }
    a->values[N - 1] = 0.5;
    CASE_FAILS(table, ML_EVALUE, case_share(a), case_share(b));
    matrix_release(a);
    matrix_release(b);
}

ML_TEST(remove_empty_drops_rows_and_columns_of_zeros)
{
    Matrix *m = case_matrix(3, 3, "0 1 0  0 0 0  0 NaN 2"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;

        assert_cells(CASE_RUN(removeEmpty, case_share(x), case_text("rows")), 2, 3, "0 1 0 0 NaN 2",
                     0);
        assert_cells(CASE_RUN(removeEmpty, case_share(x), case_text("cols")), 3, 2, "1 0 0 0 NaN 2",
                     0);
        assert_cells(CASE_RUN(removeEmpty, case_share(x), case_text("rows"), COLUMN(3, "1 2 0")), 2,
                     3, "0 1 0 0 0 0", 0);
        assert_cells(CASE_RUN(removeEmpty, case_share(x), case_text("cols"),
                              value_matrix(case_matrix(1, 3, "0 0 NaN"))),
                     3, 1, "0 0 2", 0);
    }
    CASE_FAILS(removeEmpty, ML_EVALUE, case_share(m), case_text("x"));
    CASE_FAILS(removeEmpty, ML_ESHAPE, case_share(m), case_text("rows"), COLUMN(2, "1 1"));
    matrix_release(m);
    matrix_release(csr);
}

ML_TEST(remove_empty_of_nothing_left_gives_one_row_of_zeros_or_none)
{
    Matrix *m = case_matrix(3, 2, "0 0 0 0 0 0"), *none = case_matrix(0, 2, "");

    assert_cells(CASE_RUN(removeEmpty, case_share(m), case_text("rows")), 1, 2, "0 0", 0);
    assert_cells(CASE_RUN(removeEmpty, case_share(m), case_text("cols")), 3, 1, "0 0 0", 0);
    assert_cells(
        CASE_RUN(removeEmpty, case_share(m), case_text("rows"), value_none(), value_bool(false)), 0,
        2, "", 0);
    assert_cells(
        CASE_RUN(removeEmpty, value_matrix(m), case_text("cols"), value_none(), value_bool(false)),
        3, 0, "", 0);
    assert_cells(CASE_RUN(removeEmpty, value_matrix(none), case_text("cols")), 0, 1, "", 0);
}

ML_TEST(remove_empty_of_random_sparse_equals_dense)
{
    Matrix *m = case_random(500, 60, 0.01, 9), *csr = case_csr(m);
    static const char *const margins[] = {"rows", "cols"};

    for (int k = 0; k < 2; k++)
        assert_same_matrix(CASE_RUN(removeEmpty, case_share(m), case_text(margins[k])),
                           CASE_RUN(removeEmpty, case_share(csr), case_text(margins[k])));
    matrix_release(m);
    matrix_release(csr);
}

ML_TEST(replace_matches_values_exactly_and_nan)
{
    Matrix *m = case_matrix(2, 2, "1 NaN 0 -0"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;

        assert_cells(CASE_RUN(replace, case_share(x), value_double(NAN), value_int(7)), 2, 2,
                     "1 7 0 0", 0);
        assert_cells(CASE_RUN(replace, case_share(x), value_int(0), value_int(7)), 2, 2,
                     "1 NaN 7 7", 0);
        assert_cells(CASE_RUN(replace, case_share(x), value_int(1), value_int(0)), 2, 2,
                     "0 NaN 0 0", 0);
        assert_cells(CASE_RUN(replace, case_share(x), case_text("1"), value_int(5)), 2, 2,
                     "5 NaN 0 0", 0);
    }
    matrix_release(m);
    matrix_release(csr);
    assert_ok(matrix_new_constant(test_ctx(), 2, 2, NAN, &m));
    assert_cells(CASE_RUN(replace, value_matrix(m), value_double(NAN), value_int(3)), 2, 2,
                 "3 3 3 3", 0);
    assert_cells(CASE_RUN(replace, COLUMN(1, "Infinity"), value_double(INFINITY), value_int(2)), 1,
                 1, "2", 0);
}

/* A frame of one text and one number column. */
static Value small_frame(void)
{
    static const char *const texts[] = {"graz", NULL, "", "linz"};
    FrameColumn *columns[2];
    TextColumnBuilder b = {0};
    Frame *f = NULL;

    for (int i = 0; i < 4; i++)
        assert_true(text_builder_add(&b, texts[i], texts[i] ? strlen(texts[i]) : 0));
    assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &columns[0]));
    assert_ok(frame_column_new(test_ctx(), FT_FP64, 4, &columns[1]));
    for (int i = 0; i < 4; i++)
        column_set_number(columns[1], i, i == 1 ? 0 : i + 0.5);
    assert_ok(frame_new(test_ctx(), 4, 2, columns, NULL, &f));
    return value_frame(f);
}

static void assert_cell(Value f, int64_t row, int64_t col, const char *text)
{
    char buf[NUM_BUFFER];
    size_t size = 0;
    const char *found = frame_cell_text(f.f->columns[col], row, buf, &size);

    if (!text) {
        assert_null(found);
        return;
    }
    assert_int_equal(size, strlen(text));
    assert_memory_equal(found, text, size);
}

ML_TEST(frames_lose_rows_without_cells_and_replace_text)
{
    Value f = CASE_RUN(removeEmpty, small_frame(), case_text("rows"));

    assert_int_equal(f.f->rows, 3);
    assert_cell(f, 0, 0, "graz");
    assert_cell(f, 1, 0, "");
    assert_cell(f, 2, 1, "3.5");
    value_release(f);
    f = CASE_RUN(removeEmpty, small_frame(), case_text("cols"),
                 value_matrix(case_matrix(1, 2, "0 1")));
    assert_int_equal(f.f->cols, 1);
    assert_cell(f, 3, 0, "3.5");
    value_release(f);
    f = CASE_RUN(replace, small_frame(), case_text("linz"), case_text("wien"));
    assert_cell(f, 3, 0, "wien");
    assert_cell(f, 1, 0, NULL);
    value_release(f);
    f = CASE_RUN(replace, small_frame(), value_double(2.5), value_double(7));
    assert_cell(f, 2, 1, "7.0");
    value_release(f);
    CASE_FAILS(replace, ML_ETYPE, small_frame(), value_double(2.5), case_text("x"));
    CASE_FAILS(replace, ML_ETYPE, small_frame(), small_frame(), case_text("x"));
}

ML_TEST(outer_applies_operators_by_symbol)
{
    assert_cells(CASE_RUN(outer, COLUMN(2, "1 -2.5"), value_matrix(case_matrix(1, 3, "2 0 NaN")),
                          case_text("-")),
                 2, 3, "-1 1 NaN -4.5 -2.5 NaN", 0);
    assert_cells(
        CASE_RUN(outer, COLUMN(2, "1 2"), value_matrix(case_matrix(1, 2, "1 2")), case_text("min")),
        2, 2, "1 1 1 2", 0);
    assert_cells(
        CASE_RUN(outer, COLUMN(2, "1 2"), value_matrix(case_matrix(1, 2, "1 2")), case_text("<=")),
        2, 2, "1 1 0 1", 0);
    assert_cells(
        CASE_RUN(outer, COLUMN(0, ""), value_matrix(case_matrix(1, 2, "1 2")), case_text("+")), 0,
        2, "", 0);
    CASE_FAILS(outer, ML_EVALUE, COLUMN(1, "1"), COLUMN(1, "1"), case_text("&"));
    CASE_FAILS(outer, ML_ESHAPE, COLUMN(2, "1 2"), COLUMN(2, "1 2"), case_text("+"));
}

ML_TEST(unique_sorts_values_of_cells_rows_and_columns)
{
    Matrix *m = case_matrix(3, 3, "3 1 3  2 2 2  0 -1 5"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;

        assert_cells(CASE_RUN(unique, case_share(x)), 6, 1, "-1 0 1 2 3 5", 0);
        assert_cells(CASE_RUN(unique, case_share(x), case_text("r")), 3, 3, "1 3 0 2 0 0 -1 0 5",
                     0);
        assert_cells(CASE_RUN(unique, case_share(x), case_text("c")), 3, 3, "0 -1 2 2 1 3 3 2 5",
                     0);
    }
    CASE_FAILS(unique, ML_EVALUE, case_share(m), case_text("q"));
    matrix_release(m);
    matrix_release(csr);
    assert_cells(CASE_RUN(unique, COLUMN(5, "NaN 0 -0 NaN 1")), 3, 1, "0 1 NaN", 0);
    assert_cells(CASE_RUN(unique, value_matrix(case_matrix(0, 2, ""))), 0, 1, "", 0);
}

ML_TEST(distinct_values_are_counted_with_zeros_and_nan)
{
    Matrix *m = case_matrix(2, 3, "1 NaN NaN 3 0 3"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;

        assert_int_equal(CASE_RUN(countDistinct, case_share(x)).i, 4);
        assert_cells(CASE_RUN(countDistinct, case_share(x), case_text("r")), 2, 1, "2 2", 0);
        assert_cells(CASE_RUN(rowCountDistinct, case_share(x)), 2, 1, "2 2", 0);
        assert_cells(CASE_RUN(colCountDistinct, case_share(x)), 1, 3, "2 2 2", 0);
    }
    CASE_FAILS(countDistinct, ML_EVALUE, case_share(m), case_text("x"));
    matrix_release(m);
    matrix_release(csr);
    assert_int_equal(CASE_RUN(countDistinct, COLUMN(3, "0 -0 1")).i, 2);
    assert_int_equal(CASE_RUN(countDistinct, COLUMN(0, "")).i, 0);
    assert_int_equal(CASE_RUN(countDistinct, value_matrix(case_random(1000, 100, 1, 5))).i, 100000);
}

ML_TEST(many_distinct_values_are_counted_by_sorting)
{
    Matrix *m = case_random(3000, 300, 0.9, 5), *csr = case_csr(m);
    Value dense = CASE_RUN(unique, case_share(m)), sparse = CASE_RUN(unique, case_share(csr));

    assert_int_equal(dense.m->rows, m->nnz + 1);
    for (int64_t k = 1; k < dense.m->rows; k++)
        assert_true(dense.m->values[k - 1] < dense.m->values[k]);
    assert_same_matrix(dense, sparse);
    assert_int_equal(CASE_RUN(countDistinct, value_matrix(m)).i, csr->nnz + 1);
    matrix_release(csr);
}

/* Sets of several threads, joined. */
ML_TEST(values_that_repeat_are_found_on_any_threads)
{
    Matrix *m = case_random(300000, 1, 1, 7);
    Value out[2];

    for (int64_t i = 0; i < m->rows; i++)
        m->values[i] = (double)(i * 7919 % 20011);
    for (int k = 0; k < 2; k++) {
        test_threads(k ? 8 : 1);
        out[k] = CASE_RUN(unique, case_share(m));
    }
    assert_int_equal(out[0].m->rows, 20011);
    for (int64_t k = 0; k < out[0].m->rows; k++)
        assert_true(out[0].m->values[k] == (double)k);
    assert_same_matrix(out[0], out[1]);
    matrix_release(m);
}

ML_TEST(contains_finds_values_and_rows)
{
    Matrix *m = case_matrix(2, 2, "1 NaN 0 4"), *csr = case_csr(m);

    for (int sparse = 0; sparse < 2; sparse++) {
        Matrix *x = sparse ? csr : m;

        assert_true(CASE_RUN(contains, case_share(x), value_double(NAN)).b);
        assert_true(CASE_RUN(contains, case_share(x), value_int(0)).b);
        assert_false(CASE_RUN(contains, case_share(x), value_int(2)).b);
        assert_true(CASE_RUN(contains, case_share(x), value_matrix(case_matrix(1, 2, "1 NaN"))).b);
        assert_false(CASE_RUN(contains, case_share(x), value_matrix(case_matrix(1, 2, "1 4"))).b);
    }
    CASE_FAILS(contains, ML_ESHAPE, case_share(m), value_matrix(case_matrix(1, 1, "1")));
    matrix_release(m);
    matrix_release(csr);
    assert_false(CASE_RUN(contains, value_matrix(case_matrix(0, 2, "")), value_int(0)).b);
}
