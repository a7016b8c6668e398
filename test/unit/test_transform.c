/* Transforms of frames: every method of the specification alone and combined, on rows met and not
 * met before, and what is wrong with a specification or with metadata.  Expected codes and metadata
 * were seen on the reference system. */
#include "ml_test.h"

#include "data_help.h"
#include "kernel/transform.h"
#include "kernel_case.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Cells joined by blanks and rows by semicolons, without the head of a frame. */
static char *cells_of(Value v)
{
    static char text[4096];
    PrintFormat format = print_format_default;
    Buffer b = {0};
    size_t size;
    int heads = v.dt == DT_FRAME ? 3 : 0;
    const char *p;

    format.decimals = 2;
    format.linesep = v.dt == DT_FRAME ? "\n" : ";";
    value_print(&b, v, &format);
    assert_false(b.failed);
    for (p = b.data ? b.data : ""; heads > 0 && strchr(p, '\n'); heads--)
        p = strchr(p, '\n') + 1;
    size = strlen(p);
    assert_true(size < sizeof text);
    memcpy(text, p, size + 1);
    for (char *c = text; *c; c++)
        *c = *c == '\n' ? ';' : *c;
    buffer_free(&b);
    return text;
}

/* city, temp: texts, as a CSV file without a schema gives them. */
static Frame *cities(void)
{
    return frame_of_texts(
               4, 2,
               (const char *const[]){"graz", "21.5", "wien", NULL, "graz", "19", "linz", "25.25"})
        .f;
}

static Frame *strangers(void)
{
    return frame_of_texts(4, 2,
                          (const char *const[]){"paris", "-1", "", "", "linz", "100", NULL, "19"})
        .f;
}

static ml_status encode(const Frame *f, const char *spec, Matrix **x, Frame **meta)
{
    Transform t = {0};
    ml_status st = transform_learn(test_ctx(), spec, f, &t);

    *x = NULL;
    *meta = NULL;
    if (st == ML_OK)
        st = transform_meta(test_ctx(), &t, f, meta);
    if (st == ML_OK)
        st = transform_apply(test_ctx(), &t, f, x);
    transform_free(&t);
    if (st != ML_OK) {
        frame_release(*meta);
        return st;
    }
    return matrix_finish(test_ctx(), x, -1);
}

static Value spec_value(const char *spec)
{
    return text_value(spec);
}

static const struct Method {
    const char *spec, *encoded, *meta, *applied, *decoded;
} methods[] = {
    {"{'ids':true,'recode':[1]}", "1.00 21.50;2.00 NaN;1.00 19.00;3.00 25.25;",
     "graz·1 null;linz·3 null;wien·2 null;", "NaN -1.00;NaN NaN;3.00 100.00;NaN 19.00;",
     "graz 21.50;wien NaN;graz 19.00;linz 25.25;"},
    {"{'recode':['C1','C2']}", "1.00 1.00;2.00 NaN;1.00 2.00;3.00 3.00;",
     "graz·1 21.5·1;linz·3 25.25·3;wien·2 19·2;", "NaN NaN;NaN NaN;3.00 NaN;NaN 2.00;",
     "graz 21.5;wien null;graz 19;linz 25.25;"},
    {"{'ids':true,'dummycode':[1]}",
     "1.00 0.00 0.00 21.50;0.00 1.00 0.00 NaN;1.00 0.00 0.00 19.00;0.00 0.00 1.00 25.25;",
     "graz·1 null;linz·3 null;wien·2 null;",
     "0.00 0.00 0.00 -1.00;0.00 0.00 0.00 NaN;0.00 0.00 1.00 100.00;0.00 0.00 0.00 19.00;",
     "graz 21.50;wien NaN;graz 19.00;linz 25.25;"},
    {"{\"ids\":true,\"recode\":{\"attributes\":[1]},\"bin\":[{\"id\":2,\"method\":\"equi-width\","
     "\"numbins\":3}]}",
     "1.00 3.00;2.00 NaN;1.00 3.00;3.00 3.00;",
     "graz·1 0.0·8.416666666666666;linz·3 8.416666666666666·16.833333333333332;"
     "wien·2 16.833333333333332·25.25;",
     "NaN 1.00;NaN NaN;3.00 3.00;NaN 3.00;",
     "graz 21.041666666666664;wien NaN;graz 21.041666666666664;linz 21.041666666666664;"},
    {"{'ids':true,'recode':[1],'bin':[{'id':2,'method':'equi-height','numbins':3}],"
     "'dummycode':[2]}",
     "1.00 0.00 1.00 0.00;2.00 0.00 0.00 0.00;1.00 1.00 0.00 0.00;3.00 0.00 0.00 1.00;",
     "graz·1 0.0·19.0;linz·3 19.0·21.5;wien·2 21.5·25.25;",
     "NaN 1.00 0.00 0.00;NaN 0.00 0.00 0.00;3.00 0.00 0.00 1.00;NaN 1.00 0.00 0.00;",
     "graz 20.25;wien NaN;graz 9.5;linz 23.375;"},
    {"{'ids':true,'hash':[1,2],'K':5}", "2.00 4.00;1.00 NaN;2.00 2.00;1.00 3.00;", "5 5;",
     "4.00 5.00;1.00 1.00;1.00 1.00;NaN 2.00;", "2.00 4.00;1.00 NaN;2.00 2.00;1.00 3.00;"},
    {"{'ids':true,'recode':[1],'impute':[{'id':2,'method':'global_mean'}]}",
     "1.00 21.50;2.00 21.92;1.00 19.00;3.00 25.25;", "graz·1 null;linz·3 null;wien·2 null;",
     "NaN -1.00;NaN 21.92;3.00 100.00;NaN 19.00;", "graz 21.50;wien 21.92;graz 19.00;linz 25.25;"},
    {"{'ids':true,'recode':[1],'impute':[{'id':1,'method':'global_mode'},"
     "{'id':2,'method':'constant','value':'7'}]}",
     "1.00 21.50;2.00 7.00;1.00 19.00;3.00 25.25;", "graz·1 null;linz·3 null;wien·2 null;",
     "1.00 -1.00;1.00 7.00;3.00 100.00;1.00 19.00;", "graz 21.50;wien 7.00;graz 19.00;linz 25.25;"},
    {"{'ids':true,'dummycode':[1],'impute':[{'id':1,'method':'constant','value':'linz'}],"
     "'omit':[2]}",
     "1.00 0.00 0.00 21.50;1.00 0.00 0.00 19.00;0.00 0.00 1.00 25.25;",
     "graz·1 null;linz·3 null;wien·2 null;",
     "0.00 0.00 0.00 -1.00;0.00 0.00 1.00 100.00;0.00 0.00 1.00 19.00;",
     "graz 21.50;graz 19.00;linz 25.25;"},
    {"{'ids':true,'recode':[1],'impute':[{'id':2,'method':'global_mean'}],"
     "'bin':[{'id':2,'method':'equi-height','numbins':2}]}",
     "1.00 2.00;2.00 2.00;1.00 1.00;3.00 2.00;", "graz·1 0.0·19.0;linz·3 19.0·25.25;wien·2 null;",
     "NaN 1.00;NaN 2.00;3.00 2.00;NaN 1.00;", "graz 22.125;wien 22.125;graz 9.5;linz 22.125;"},
};

/* The metadata has to be enough: it is all that apply and decode get. */
static void check_method(const struct Method *m)
{
    Frame *f = cities(), *g = strangers(), *meta;
    Matrix *x;
    Value v;

    assert_ok(encode(f, m->spec, &x, &meta));
    assert_string_equal(cells_of(value_matrix(x)), m->encoded);
    assert_string_equal(cells_of(value_frame(meta)), m->meta);
    v = CASE_RUN(transformapply, value_frame(g), spec_value(m->spec),
                 value_frame(frame_retain(meta)));
    assert_string_equal(cells_of(v), m->applied);
    value_release(v);
    v = CASE_RUN(transformdecode, value_matrix(x), spec_value(m->spec), value_frame(meta));
    assert_string_equal(cells_of(v), m->decoded);
    value_release(v);
    frame_release(f);
}

ML_TEST(transforms_encode_apply_and_decode_by_every_method)
{
    for (size_t k = 0; k < sizeof methods / sizeof *methods; k++)
        check_method(&methods[k]);
}

static const struct Bad {
    const char *spec, *error;
} bad[] = {
    {"{\"ids\":true,\"recode\":[1]", "line 1, column 25: expected ',' or '}' after "
                                     "'{\"ids\":true,\"recode\":[1]', found the end"},
    {"", "line 1, column 1: expected a value after '', found the end"},
    {"{'ids':true,\n 'recode' [1]}", "line 2, column 11: expected ':' after"},
    {"{'ids':true,\n\n'recode':[1,7]}",
     "line 3, column 13: recode[2]: expected the number of a column, 1 to 2, found 7"},
    {"{'recode':['C1', 'temp']}", "line 1, column 18: recode[2]: expected the name of a column"},
    {"{'recode':['a\\qb']}", "line 1, column 15: expected one of b f n r t u"},
    {"{'recode':['a", "expected a closing '"},
    {"{'recode':[1x]}", "expected a number after"},
    {"{'recode':[1]} 2", "column 16: expected the end"},
    {"[1]", "expected an object"},
    {"{'foo':[1]}",
     "line 1, column 2: expected ids, K, recode, bin, hash, dummycode, impute, omit, "
     "bag_of_words, word_embedding or udf, found \"foo\""},
    {"{'ids':1}", "ids: expected true or false, found 1"},
    {"{'ids':true,'recode':1}", "recode: expected a list, or {\"attributes\":[...]}, found 1"},
    {"{'ids':true,'recode':[1,3]}", "recode[2]: expected the number of a column, 1 to 2, found 3"},
    {"{'ids':true,'recode':[1.5]}",
     "recode[1]: expected the number of a column, 1 to 2, found 1.5"},
    {"{'ids':true,'recode':['C1']}",
     "recode[1]: expected the number of a column, 1 to 2, found \"C1\""},
    {"{'recode':['C1','x']}", "recode[2]: expected the name of a column of the frame, found \"x\""},
    {"{'recode':[1]}", "recode[1]: expected the name of a column (\"ids\" is not true), found 1"},
    {"{'ids':true,'recode':[1],'hash':[1],'K':3}",
     "hash[1]: expected a column that is not in \"recode\" already, found 1"},
    {"{'ids':true,'hash':[1]}",
     "hash.K: expected the number of buckets, \"K\", beside it, found nothing"},
    {"{'ids':true,'recode':[1],'recode':[2]}", "column 26: \"recode\" is given twice"},
    {"{'ids':true,'K':0}", "K: expected a whole number of at least 1, found 0"},
    {"{'ids':true,'bin':[2]}", "bin[1]: expected an object, found 2"},
    {"{'ids':true,'bin':[{'id':2}]}",
     "bin[1].method: expected \"equi-width\" or \"equi-height\", found nothing"},
    {"{'ids':true,'bin':[{'method':'equi-width'}]}",
     "bin[1].id: expected the number of a column, 1 to 2, found nothing"},
    {"{'ids':true,'bin':[{'id':2,'method':'equi-width','numbins':2.5}]}",
     "bin[1].numbins: expected a whole number, 1 to 1000000, found 2.5"},
    {"{'ids':true,'bin':[{'id':2,'method':'equi-width','bins':2}]}",
     "bin[1]: expected \"id\", \"method\" or \"numbins\", found \"bins\""},
    {"{'ids':true,'bin':[{'id':2,'method':'equi-width'},{'id':2,'method':'equi-width'}]}",
     "bin[2]: expected a column that is not in \"bin\" already, found 2"},
    {"{'ids':true,'impute':[{'id':1,'method':'median'}]}",
     "impute[1].method: expected \"global_mean\", \"global_mode\" or \"constant\", found "
     "\"median\""},
    {"{'ids':true,'impute':[{'id':1,'method':'constant'}]}",
     "impute[1].value: expected a text or a number, found nothing"},
    {"{'ids':true,'recode':[1],'impute':[{'id':1,'method':'global_mean'}]}",
     "impute: column 'C1' holds categories"},
    {"{'ids':true,'recode':[1],'impute':[{'id':1,'method':'constant','value':'rom'}]}",
     "column 1 ('C1'): expected one of its categories to replace missing cells, found 'rom'"},
    {"{'ids':true,'recode':[1],'impute':[{'id':2,'method':'constant','value':'rom'}]}",
     "column 2 ('C2'): expected a number to replace missing cells, found 'rom'"},
    {"{'ids':true,'udf':'f'}",
     "column 19: udf: expected an object with \"name\" and \"ids\" or \"names\", found \"f\""},
    {"{'ids':true,'udf':{'ids':[2]}}", "udf.name: expected the name of a function, found nothing"},
    {"{'ids':true}", "column 1 ('C1'): expected a number in row 1 of the frame, found 'graz'"},
    {"{'ids':true,'bin':[{'id':1,'method':'equi-width'}]}",
     "column 1 ('C1'): expected a number in row 1 of the frame, found 'graz'"},
};

ML_TEST(transforms_say_where_a_specification_is_wrong)
{
    Frame *f = cities(), *meta;
    Matrix *x;

    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        assert_true(encode(f, bad[k].spec, &x, &meta) != ML_OK);
        if (!strstr(test_error(), bad[k].error))
            fail_msg("%s: %s", bad[k].spec, test_error());
    }
    frame_release(f);
}

static const struct BadMeta {
    const char *spec, *cells[2], *error;
} bad_meta[] = {
    {"{'ids':true,'recode':[1]}",
     {"a·1", "b"},
     "column 1 ('C1'): row 2 of the metadata: expected category·code"},
    {"{'ids':true,'recode':[1]}",
     {"a·1", "b·3"},
     "with codes of 1 to the number of rows, found 'b·3'"},
    {"{'ids':true,'recode':[1]}", {"a·1", "b·0"}, "found 'b·0'"},
    {"{'ids':true,'recode':[1]}", {"a·1", "a·2"}, "each category and each code once, found 'a·2'"},
    {"{'ids':true,'recode':[1]}", {"a·1", "b·1"}, "each category and each code once, found 'b·1'"},
    {"{'ids':true,'bin':[{'id':1,'method':'equi-width'}]}",
     {"1·2", "3·4"},
     "begins where the one before ends"},
    {"{'ids':true,'bin':[{'id':1,'method':'equi-width'}]}", {"2·1", NULL}, "found '2·1'"},
    {"{'ids':true,'bin':[{'id':1,'method':'equi-width'}]}", {"", NULL}, "found ''"},
    {"{'ids':true,'hash':[1],'K':2}", {"x", NULL}, "the number of hash buckets, found 'x'"},
    {"{'ids':true,'hash':[1],'K':2}", {NULL, NULL}, "the number of hash buckets, found ''"},
    {"{'ids':true,'impute':[{'id':1,'method':'global_mean'}]}",
     {NULL, NULL},
     "no value for missing cells"},
};

ML_TEST(transforms_say_what_is_wrong_with_metadata)
{
    for (size_t k = 0; k < sizeof bad_meta / sizeof *bad_meta; k++) {
        Value meta = frame_of_texts(2, 1, bad_meta[k].cells);

        CASE_FAILS(transformcolmap, ML_EVALUE, meta, spec_value(bad_meta[k].spec));
        if (!strstr(test_error(), bad_meta[k].error))
            fail_msg("%s: %s", bad_meta[k].spec, test_error());
    }
}

ML_TEST(transforms_take_missing_numbers_as_missing)
{
    Value f = CASE_RUN(as_frame, matrix_value(4, 1, (double[]){2, NAN, 6, 2}));
    Frame *meta;
    Matrix *x;

    assert_ok(encode(f.f, "{'ids':true,'impute':[{'id':1,'method':'global_mode'}]}", &x, &meta));
    assert_cells(value_matrix(x), 4, 1, "2 2 6 2", 0);
    frame_release(meta);
    assert_ok(encode(f.f, "{'ids':true,'recode':[1],'omit':[1]}", &x, &meta));
    assert_cells(value_matrix(x), 3, 1, "1 2 1", 0);
    frame_release(meta);
    value_release(f);
}

ML_TEST(bins_of_one_value_or_of_none)
{
    static const char spec[] = "{'ids':true,'bin':[{'id':1,'method':'equi-width','numbins':4}],"
                               "'dummycode':[1]}";
    Value same = CASE_RUN(as_frame, matrix_value(2, 1, (double[]){5, 5})),
          none = CASE_RUN(as_frame, matrix_value(2, 1, (double[]){NAN, INFINITY}));
    Frame *meta;
    Matrix *x;

    assert_ok(encode(same.f, spec, &x, &meta));
    assert_string_equal(cells_of(value_frame(meta)), "5.0·5.0;");
    assert_cells(value_matrix(x), 2, 1, "1 1", 0);
    frame_release(meta);
    assert_ok(encode(none.f, spec, &x, &meta));
    assert_int_equal(meta->rows, 0);
    assert_int_equal(x->rows, 2);
    assert_int_equal(x->cols, 0);
    matrix_release(x);
    frame_release(meta);
    value_release(same);
    value_release(none);
}

/* Edges may overflow on the way: the widest range there is. */
ML_TEST(bins_span_all_numbers)
{
    Value f = CASE_RUN(as_frame, matrix_value(3, 1, (double[]){-1.7e308, 0.5, 1.7e308}));
    Frame *meta;
    Matrix *x;

    assert_ok(
        encode(f.f, "{'ids':true,'bin':[{'id':1,'method':'equi-width','numbins':3}]}", &x, &meta));
    assert_cells(value_matrix(x), 3, 1, "1 2 3", 0);
    frame_release(meta);
    value_release(f);
}

ML_TEST(text_hashes_are_those_of_utf16)
{
    assert_int_equal(text_hash("", 0), 0);
    assert_int_equal(text_hash("abc", 3), 96354);
    assert_int_equal(text_hash(" a,b,Cd ", 8), 1475433034);
    assert_int_equal(text_hash("\xC3\xA4", 2), 228);
    assert_int_equal(text_hash("\xF0\x9F\x98\x80", 4), 0xD83D * 31 + 0xDE00);
    assert_int_equal(text_hash("\xC3", 1), 0xC3);
}

enum { ROWS = 3000, NAMES = 200 };

static Frame *many(void)
{
    FrameColumn *columns[2] = {0};
    Frame *f = NULL;

    for (int j = 0; j < 2; j++) {
        TextColumnBuilder b = {0};

        for (int i = 0; i < ROWS; i++) {
            char name[32];

            snprintf(name, sizeof name, "n%d", (i * 7919 + j) % NAMES);
            assert_true(text_builder_add(&b, i % 97 == j ? NULL : name, strlen(name)));
        }
        assert_ok(text_builder_finish(test_ctx(), &b, FT_STRING, &columns[j]));
    }
    assert_ok(frame_new(test_ctx(), ROWS, 2, columns, NULL, &f));
    return f;
}

/* Sparse and dense, one thread and eight: the dummy columns say what the codes say. */
ML_TEST(dummy_columns_of_many_categories_are_sparse_and_right)
{
    Frame *f = many(), *meta;
    Matrix *x, *codes;

    test_threads(1);
    assert_ok(encode(f, "{'ids':true,'recode':[1,2]}", &codes, &meta));
    frame_release(meta);
    test_threads(8);
    assert_ok(encode(f, "{'ids':true,'dummycode':[1,2]}", &x, &meta));
    frame_release(meta);
    assert_int_equal(x->format, MATRIX_CSR);
    assert_int_equal(x->cols, 2 * NAMES);
    assert_int_equal(x->nnz, x->row_ptr[ROWS]);
    for (int64_t i = 0; i < ROWS; i++) {
        for (int64_t j = 0; j < 2; j++) {
            const double code = matrix_get(codes, i, j);
            double sum = 0;

            for (int64_t k = 0; k < NAMES; k++)
                sum += matrix_get(x, i, j * NAMES + k);
            assert_true(isnan(code)
                            ? sum == 0
                            : sum == 1 && matrix_get(x, i, j * NAMES + (int64_t)code - 1) == 1);
        }
    }
    matrix_release(x);
    matrix_release(codes);
    frame_release(f);
}

ML_TEST(decoding_wants_the_columns_that_encoding_made)
{
    CASE_FAILS(transformdecode, ML_ESHAPE, matrix_value(2, 2, NULL),
               spec_value("{'ids':true,'dummycode':[1]}"),
               frame_of_texts(3, 1, (const char *const[]){"a·1", "b·2", "c·3"}));
    assert_non_null(strstr(test_error(), "should have 3 columns, found 2"));
}

ML_TEST(transforms_survive_every_failing_allocation)
{
    static const char spec[] =
        "{'ids':true,'dummycode':[1],'impute':[{'id':2,'method':'global_mean'}],"
        "'bin':[{'id':2,'method':'equi-height','numbins':2}],'omit':[1]}";
    Frame *f = cities();
    int failures = 0;

    test_threads(1);
    for (int64_t n = 0; n < 200; n++) {
        Frame *meta = NULL;
        Matrix *x = NULL;
        ml_status st;

        mem_fail_after(n);
        st = encode(f, spec, &x, &meta);
        mem_fail_after(-1);
        failures += st != ML_OK;
        if (st == ML_OK) {
            matrix_release(x);
            frame_release(meta);
        }
    }
    assert_true(failures >= 20 && failures < 200);
    frame_release(f);
}
