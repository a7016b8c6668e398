/* CSV: matrices and frames, good and bad. */
#include "io/csv_marks.h"
#include "test_io.h"

static const double INF = (double)INFINITY;

ML_TEST(csv_reads_numbers_of_every_form)
{
    const IoOptions o = OPTIONS(.format = "csv");
    const double want[] = {1, -2.5, 1e10, (double)NAN, -INF, 0.5, -0.0, 3, 5};

    assert_matrix(read_as(&o, "1,-2.5,1.0E10\nNaN,-Infinity,.5\n-0,3d,+5.\n"), 3, 3, want);
    assert_matrix(read_as(&o, "1,-2.5,1.0E10\r\n NaN , -Infinity,.5\r\n-0,3f,\t5 "), 3, 3, want);
}

ML_TEST(csv_reads_one_cell_and_one_column)
{
    const IoOptions o = OPTIONS(.format = "csv");
    const double one[] = {7}, column[] = {1, 0, 3, 0};

    assert_matrix(read_as(&o, "7"), 1, 1, one);
    assert_matrix(read_as(&o, "7\n"), 1, 1, one);
    assert_matrix(read_as(&o, "1\n\n3\n\n"), 4, 1, column); /* an empty line is an empty cell */
}

ML_TEST(csv_fills_empty_fields)
{
    const IoOptions plain = OPTIONS(.format = "csv"),
                    nine = OPTIONS(.format = "csv", .fill_value = 9, .has_fill_value = true);
    const IoOptions strict = OPTIONS(.format = "csv", .fill = 0);
    const double zero[] = {1, 0, 3, 4, 5, 0}, filled[] = {1, 9, 3, 4, 5, 9};

    assert_matrix(read_as(&plain, "1,,3\n4,5,\n"), 2, 3, zero);
    assert_matrix(read_as(&plain, "1,  ,3\n4,5, \n"), 2, 3, zero);
    assert_matrix(read_as(&nine, "1,,3\n4,5,\n"), 2, 3, filled);
    assert_read_fails(&strict, "1,2\n3,\n", ML_EFORMAT,
                      "f:2:3: expected a number, found an empty field");
}

ML_TEST(csv_takes_headers_separators_and_na_strings)
{
    const double want[] = {1, 2, 3, 4}, na[] = {1, (double)NAN, 3, 4},
                 nines[] = {1, (double)NAN, -99, 4};
    const IoOptions header = OPTIONS(.format = "csv", .header = 1, .sep = ";"),
                    wide = OPTIONS(.format = "csv", .sep = "||");
    const IoOptions blank = OPTIONS(.format = "csv", .sep = " "),
                    missing = OPTIONS(.format = "csv", .na_strings = "NA");
    const IoOptions number = OPTIONS(.format = "csv", .na_strings = "-9"),
                    letter = OPTIONS(.format = "csv", .sep = "e");

    assert_matrix(read_as(&header, "a;b\n1;2\n3;4\n"), 2, 2, want);
    assert_matrix(read_as(&wide, "1||2\n3|| 4\n"), 2, 2, want);
    assert_matrix(read_as(&blank, "1 2\n3 4\n"), 2, 2, want);
    assert_matrix(read_as(&letter, "1e2\n3e4\n"), 2, 2, want);
    assert_matrix(read_as(&missing, "1,NA\n3, 4\n"), 2, 2, na);
    assert_matrix(read_as(&number, "1,-9\n-99,4\n"), 2, 2, nines);
}

ML_TEST(csv_of_a_header_only_has_no_rows)
{
    const IoOptions o = OPTIONS(.format = "csv", .header = 1);
    Value v = read_as(&o, "a,b\n");

    assert_int_equal(v.m->rows, 0);
    assert_int_equal(v.m->cols, 2);
    value_release(v);
}

ML_TEST(csv_errors_name_line_and_column)
{
    const IoOptions o = OPTIONS(.format = "csv"), header = OPTIONS(.format = "csv", .header = 1);
    const IoOptions three = OPTIONS(.format = "csv", .rows = 3, .cols = 2),
                    wide = OPTIONS(.format = "csv", .cols = 3);

    assert_read_fails(&o, "1,2\n3,x\n", ML_EFORMAT, "f:2:3: expected a number, found \"x\"");
    assert_read_fails(&o, "1,2\n3, 1e\n", ML_EFORMAT, "f:2:4: expected a number, found \"1e\"");
    assert_read_fails(&header, "a,b\n1,2\n3,4 5\n", ML_EFORMAT,
                      "f:3:3: expected a number, found \"4 5\"");
    assert_read_fails(&o, "1,2,3\n4,5\n6,7,8\n", ML_EFORMAT, "f:2:3: expected 3 cells, found 2");
    assert_read_fails(&o, "1,2\n4,5,6\n", ML_EFORMAT, "f:2:4: expected 2 cells, found 3");
    assert_read_fails(&o, "1,2\n\n3,4\n", ML_EFORMAT, "f:2:1: expected 2 cells, found 0");
    assert_read_fails(&o, "", ML_EFORMAT, "f: the file is empty");
    assert_read_fails(&o,
                      "\xFF\xFE"
                      "1",
                      ML_EFORMAT, "f:1:1: the text is UTF-16 or UTF-32");
    assert_read_fails(&o, "1,2\r3,4\r", ML_EFORMAT, "f:1:4: a line ends in \\r alone");
    assert_read_fails(&three, "1,2\n3,4\n", ML_EFORMAT,
                      "the file has 2 rows and 2 columns, expected 3 and 2");
    assert_read_fails(&wide, "1,2\n3,4\n", ML_EFORMAT, "expected 2 and 3");
}

ML_TEST(csv_ignores_blank_lines_at_the_end)
{
    const IoOptions o = OPTIONS(.format = "csv");
    const double want[] = {1, 2, 3, 4};

    assert_matrix(read_as(&o, "1,2\n3,4\n\n  \r\n\n"), 2, 2, want);
}

ML_TEST(csv_error_is_that_of_the_first_bad_line_on_any_number_of_threads)
{
    const IoOptions o = OPTIONS(.format = "csv");
    Buffer b = {0};

    for (int i = 0; i < 400000; i++)
        buffer_text(&b, i == 120000 || i == 350000 ? "1,z\n" : "1.5,2.25\n");
    for (int threads = 1; threads <= 8; threads += 7) {
        test_threads(threads);
        assert_read_fails(&o, b.data, ML_EFORMAT, "f:120001:3: expected a number, found \"z\"");
    }
    buffer_free(&b);
}

ML_TEST(csv_writes_what_the_language_says)
{
    const double cells[] = {1, 0, 2.5, 1e10}, special[] = {(double)NAN, -0.0, -INF, 1e-5};
    const IoOptions plain = OPTIONS(.format = "csv");
    const IoOptions full = OPTIONS(.format = "csv", .sep = ";", .header = 1, .sparse = 1);
    Value v = value_matrix(matrix_of(2, 2, cells));

    assert_writes(v, &plain, "1.0,0\n2.5,1.0E10\n");
    assert_writes(v, &full, "C1;C2\n1.0;\n2.5;1.0E10\n");
    value_release(v);
    v = value_matrix(matrix_of(2, 2, special));
    assert_writes(v, &plain, "NaN,0\n-Infinity,1.0E-5\n");
    value_release(v);
}

static const char *const people =
    "s,i,b,d\na,1,true,2.5\n,,,\n\"q,r\",3,FALSE,1e10\n x \"y\" , 4.0,0, 7\n";

ML_TEST(csv_frame_keeps_quotes_and_knows_nulls)
{
    const IoOptions text = OPTIONS(.format = "csv", .data_type = "frame", .header = 1);
    const IoOptions typed = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                    .schema = "STRING,INT64,BOOLEAN,FP64,");

    assert_shows(read_as(&text, people),
                 "# FRAME: nrow = 4, ncol = 4\n# s i b d\n# STRING STRING STRING STRING\n"
                 "a 1 true 2.5\nnull null null null\n\"q,r\" 3 FALSE 1e10\nx \"y\" 4.0 0 7\n");
    assert_shows(read_as(&typed, people),
                 "# FRAME: nrow = 4, ncol = 4\n# s i b d\n# STRING INT64 BOOLEAN FP64\n"
                 "a 1 TRUE 2.500\nnull 0 FALSE 0.000\n\"q,r\" 3 FALSE 10000000000.000\nx \"y\" 4 "
                 "FALSE 7.000\n");
}

ML_TEST(csv_frame_splits_at_quotes_only_where_they_open_a_cell)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame");

    assert_shows(read_as(&o, "a,b\"c,d\"e\n\"x \"\"y,z\"\" w\",2\n"),
                 "# FRAME: nrow = 2, ncol = 3\n# C1 C2 C3\n# STRING STRING STRING\na b\"c d\"e\n"
                 "\"x \"\"y,z\"\" w\" 2 null\n");
}

ML_TEST(csv_frame_takes_tabs)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .sep = "\t");

    assert_shows(read_as(&o, "\t\"a\tb\"\tc\n x\t\t\n"),
                 "# FRAME: nrow = 2, ncol = 3\n# C1 C2 C3\n"
                 "# STRING STRING STRING\nnull \"a\tb\" c\nx null null\n");
}

ML_TEST(csv_frame_errors_name_line_and_column)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .schema = "STRING,INT32");
    const IoOptions three =
        OPTIONS(.format = "csv", .data_type = "frame", .schema = "STRING,INT32,FP64");

    assert_read_fails(&o, "a,1\nb,x\n", ML_EFORMAT,
                      "f:2:3: expected a value of type INT32, found \"x\"");
    assert_read_fails(&o, "a,1\nb,3000000000\n", ML_EFORMAT,
                      "f:2:3: expected a value of type INT32");
    assert_read_fails(&o, "a,1\nb,2,3\n", ML_EFORMAT, "f:2:4: expected 2 cells, found more");
    assert_read_fails(&three, "a,1,2,3\n", ML_EFORMAT,
                      "the schema has 3 types, the file 4 columns");
    assert_read_fails(&o, "", ML_EFORMAT, "f: the file is empty");
    assert_read_fails(&o,
                      "\xFF\xFE"
                      "1",
                      ML_EFORMAT, "f:1:1: the text is UTF-16 or UTF-32");
    assert_read_fails(&o, "1,2\r3,4\r", ML_EFORMAT, "f:1:4: a line ends in \\r alone");
}

ML_TEST(csv_frame_takes_na_strings_and_one_type_for_all)
{
    const IoOptions na = OPTIONS(.format = "csv", .data_type = "frame", .na_strings = "NA");
    const IoOptions one = OPTIONS(.format = "csv", .data_type = "frame", .schema = "INT32");

    assert_shows(read_as(&na, "a,NA\nNA,2\n"),
                 "# FRAME: nrow = 2, ncol = 2\n# C1 C2\n# STRING STRING\na null\nnull 2\n");
    assert_shows(read_as(&one, "1.5,2\n3,4\n"),
                 "# FRAME: nrow = 2, ncol = 2\n# C1 C2\n# INT32 INT32\n1 2\n3 4\n");
}

ML_TEST(csv_frame_writes_names_and_nulls)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .header = 1,
                                .schema = "STRING,INT64,BOOLEAN,FP64");
    const IoOptions out = OPTIONS(.format = "csv", .header = 1);
    Value v = read_as(&o, people);

    assert_writes(
        v, &out,
        "s,i,b,d\na,1,true,2.5\n,0,false,0.0\n\"q,r\",3,false,1.0E10\nx \"y\",4,false,7.0\n");
    value_release(v);
}

/* Large enough for several chunks and tasks. */
ML_TEST(csv_frame_of_many_chunks_is_in_order)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .schema = "STRING,INT64");
    Buffer b = {0};
    Value v;

    for (int i = 0; i < 100000; i++)
        buffer_format(&b, "name%d,%d\n", i, i);
    v = read_as(&o, b.data);
    for (int64_t i = 0; i < 100000; i += 777) {
        char number[NUM_BUFFER], want[32];
        size_t size;
        const char *text = frame_cell_text(v.f->columns[0], i, number, &size);

        snprintf(want, sizeof want, "name%d", (int)i);
        assert_int_equal(size, strlen(want));
        assert_memory_equal(text, want, size);
        assert_int_equal(column_int(v.f->columns[1], i), i);
    }
    value_release(v);
    buffer_free(&b);
}

enum { SMALL_CHUNK = 16 << 10 };

/* Of many chunks: "number,text" with so many characters more in the lines they begin with, and in
 * the others. */
static int put_numbered_lines(Buffer *b, int64_t head, int64_t others)
{
    enum { CHUNKS = 200, HEAD = 4500 };
    int64_t begin = 0;
    int n = 0;

    while (begin < CHUNKS * SMALL_CHUNK) {
        const int64_t at = (int64_t)b->size - begin, more = at < HEAD ? head : others;

        buffer_format(b, "%d,", n++);
        memset(buffer_reserve(b, (size_t)more), 'x', (size_t)more);
        b->size += (size_t)more;
        buffer_format(b, "%d\n", n % 10);
        if ((int64_t)b->size - begin >= SMALL_CHUNK)
            begin = (int64_t)b->size;
    }
    return n;
}

/* Samples tell how many lines there are in even text; in uneven text parts outgrow that, or have
 * too much room. */
ML_TEST(csv_frame_of_many_lines_need_not_count_them)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .schema = "INT32,STRING");

    static const struct {
        int64_t head, others;
        double least, most; /* of the true number, what is guessed */
    } cases[] = {{0, 0, 0.94, 1.06}, {200, 0, 0, 0.5}, {400, 0, 0, 0.5}, {0, 300, 2, 99}};

    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        Buffer b = {0};
        const int n = put_numbered_lines(&b, cases[k].head, cases[k].others);
        Spec spec;
        Input in;
        Lines lines;
        Value v;

        assert_ok(spec_for_read(test_ctx(), "memory", &o, &spec));
        assert_ok(input_memory(test_ctx(), "memory", b.data, b.size, &in));
        in.chunk = SMALL_CHUNK;
        assert_ok(lines_guess(test_ctx(), &in, &lines));
        assert_true(lines.guessed);
        assert_true((double)lines.count >= cases[k].least * n);
        assert_true((double)lines.count <= cases[k].most * n);
        lines_free(&lines);
        assert_ok(io_read_input(test_ctx(), &spec, &in, &v));
        assert_int_equal(v.f->rows, n);
        assert_true(v.f->columns[0]->bytes_held <= 6 * (size_t)n);
        for (int i = 0; i < n; i++) {
            size_t size = 1;
            const char *text = column_text(v.f->columns[1], i, &size);

            assert_int_equal(column_int(v.f->columns[0], i), i);
            assert_int_equal(text[size - 1], '0' + (i + 1) % 10);
        }
        value_release(v);
        input_close(&in);
        spec_free(&spec);
        buffer_free(&b);
    }
}

/* Few lines to a chunk, and fewer at the end than are put at a time. */
ML_TEST(csv_frame_of_wide_lines)
{
    enum { ROWS = 53, COLS = 9000 };
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame");
    Buffer b = {0};
    Value v;

    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < COLS; k++)
            buffer_format(&b, "%d%c", (i + k) % 77, k + 1 < COLS ? ',' : '\n');
    v = read_as(&o, b.data);
    assert_int_equal(v.f->rows, ROWS);
    assert_int_equal(v.f->cols, COLS);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < COLS; k++) {
            char want[8];
            size_t size = 0;
            const char *text = column_text(v.f->columns[k], i, &size);

            assert_int_equal(size, snprintf(want, sizeof want, "%d", (i + k) % 77));
            assert_memory_equal(text, want, size);
        }
    value_release(v);
    buffer_free(&b);
}

static unsigned draw(uint64_t *state, unsigned n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % n;
}

/* Some lines of cells of all kinds, separated by `sep`: right ones and short ones, quotes that open
 * a cell and others, line ends of both kinds. The same for the same state. */
static void put_random_lines(Buffer *b, const char *sep, uint64_t state, int lines)
{
    static const char *const texts[] = {"",
                                        "a",
                                        "\"x\"",
                                        "\"x<y\"",
                                        "\"a\"\"b<\"",
                                        "o\"q",
                                        " \"u<v\" ",
                                        " b ",
                                        "\"\"",
                                        "\xc3\xb1",
                                        "\"p\" ",
                                        "\"s\"t",
                                        "seventeen letters",
                                        "0123456789abcdef"};
    static const char *const numbers[] = {
        "1",   "-2.5",   "",    "0.123456789012345", "1e-7", " 7 ",
        "NaN", "3.",     "-.5", "12345678901234567", "2e22", "9e99",
        "-0",  "4.0e+01"};
    static const char *const truths[] = {"true", "false", "", "TRUE", "0", " true", "f"};
    enum { KINDS = 14 };

    for (int i = 0; i < lines; i++) {
        const int cells = draw(&state, 20) ? 4 : 2;
        const char *open = draw(&state, 9) ? "" : "\"open"; /* a quote that nothing closes */

        for (int k = 0; k < cells; k++) {
            const unsigned pick = draw(&state, i % 3 ? KINDS : 2);
            const char *cell = k % 3 == 0 ? texts[pick] : k == 1 ? numbers[pick] : truths[pick % 7];

            cell = k == 3 && *open ? open : cell;
            for (; *cell; cell++)
                buffer_text(b, *cell == '<' ? sep : (char[]){*cell, 0});
            buffer_text(b, k + 1 < cells ? sep : draw(&state, 2) ? "\r\n" : "\n");
        }
    }
}

static void print_cells(Value v, Buffer *b)
{
    for (int64_t i = 0; i < v.f->rows; i++)
        for (int64_t k = 0; k < v.f->cols; k++) {
            char number[NUM_BUFFER];
            size_t size = 4;
            const char *text = frame_cell_text(v.f->columns[k], i, number, &size);

            buffer_put(b, text ? text : "null", size);
            buffer_text(b, k + 1 < v.f->cols ? "|" : "\n");
        }
    value_release(v);
}

/* The places that a loop finds at first; false where this machine lacks its instructions. */
static bool marks_by(void (*fill)(CsvMarks *), CpuLevel level, const Buffer *text, CsvMarks *m)
{
    assert_ok(csv_marks_open(test_ctx(), ';', 60, 4, m));
    if (m->level < level)
        return false;
    csv_marks_start(m, text->data, text->data + text->size);
    fill(m);
    return true;
}

ML_TEST(csv_marks_are_the_same_by_every_loop)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Buffer text = {0};
        CsvMarks plain;

        put_random_lines(&text, ";", seed, 1 + (int)seed * 2);
        assert_true(marks_by(csv_marks_fill_plain, CPU_PLAIN, &text, &plain));
#ifdef __x86_64__
        for (int way = 0; way < 2; way++) {
            CsvMarks other;

            if (way == 1 && !__builtin_cpu_supports("avx512vbmi2"))
                break;
            if (marks_by(way ? csv_marks_fill_vbmi2 : csv_marks_fill_avx512, CPU_AVX512, &text,
                         &other)) {
                assert_int_equal(plain.count, other.count);
                assert_int_equal(plain.lines, other.lines);
                assert_int_equal(plain.odd, other.odd);
                assert_memory_equal(plain.at, other.at, (size_t)plain.count * sizeof *plain.at);
                assert_memory_equal(plain.ends, other.ends,
                                    (size_t)plain.lines * sizeof *plain.ends);
            }
            csv_marks_close(&other);
        }
#endif
        csv_marks_close(&plain);
        buffer_free(&text);
    }
}

/* Lines of three numbers, mostly, of which some are no numbers where `bad` is set. */
static void put_number_lines(Buffer *b, uint64_t state, int lines, bool bad)
{
    static const char *const cells[] = {
        "1",    "-2.5",    "0.25",  "123456.789", "0",    "1e-7",   "-0",
        "2e22", "4.0e+01", "",      " 7 ",        "NA",   "NaN",    "-Infinity",
        "3.",   "-.5",     "1.5d",  "2F",         "9e99", "1e-320", "0.49528430177929733",
        "x",    "1,5",     "\"1\"", "1 2",        "--1",  "\"1;2\""};
    enum { GOOD = 21, ALL = 27 };

    for (int i = 0; i < lines; i++) {
        const unsigned kinds = i % 3 ? 7 : bad && !draw(&state, 20) ? ALL : GOOD;
        const int count = bad && !draw(&state, 90) ? (int)draw(&state, 5) : 3;

        for (int k = 0; k < count; k++)
            buffer_format(b, "%s%s", k ? ";" : "", cells[draw(&state, kinds)]);
        buffer_text(b, draw(&state, 2) ? "\r\n" : "\n");
    }
}

/* What reading gives: the bits of all cells and the number of nonzeros, or the error. */
static void read_bits(const IoOptions *o, const Buffer *text, const char *cpu, Buffer *out)
{
    Value v;

    assert_ok(option_set(test_ctx(), test_options(), "cpu", cpu));
    if (io_read_memory(test_ctx(), "f", text->data, text->size, o, &v) == ML_OK) {
        const size_t cells = (size_t)(v.m->rows * v.m->cols);

        buffer_format(out, "%d x %d, %d:", (int)v.m->rows, (int)v.m->cols, (int)v.m->nnz);
        buffer_put(out, (const char *)v.m->values, v.m->values ? cells * sizeof(double) : 0);
        value_release(v);
    } else {
        buffer_text(out, test_error());
    }
    assert_ok(option_set(test_ctx(), test_options(), "cpu", "native"));
}

ML_TEST(csv_matrix_is_the_same_by_marks_and_cell_by_cell)
{
    const IoOptions o = OPTIONS(.format = "csv", .sep = ";", .fill = 1, .has_fill_value = true,
                                .fill_value = 5, .na_strings = "NA");

    for (uint64_t seed = 1; seed <= 200; seed++) {
        Buffer text = {0}, ways[2] = {{0}, {0}};

        buffer_text(&text, "1;2;3\n");
        put_number_lines(&text, seed, seed % 4 ? 60 : 3000, seed % 3 == 0);
        text.size -= seed % 2; /* the last line has an end, or has none */
        read_bits(&o, &text, "native", &ways[0]);
        read_bits(&o, &text, "plain", &ways[1]);
        assert_int_equal(ways[0].size, ways[1].size);
        assert_memory_equal(ways[0].data, ways[1].data, ways[0].size);
        for (int way = 0; way < 2; way++)
            buffer_free(&ways[way]);
        buffer_free(&text);
    }
}

/* A separator of two characters is looked for cell by cell, so that both ways are compared. */
ML_TEST(csv_frame_is_the_same_by_marks_and_cell_by_cell)
{
    const IoOptions fast = OPTIONS(.format = "csv", .data_type = "frame", .sep = ";",
                                   .schema = "STRING,FP64,BOOLEAN,STRING");
    const IoOptions slow = OPTIONS(.format = "csv", .data_type = "frame", .sep = ";;",
                                   .schema = "STRING,FP64,BOOLEAN,STRING");

    for (uint64_t seed = 1; seed <= 40; seed++) {
        Buffer texts[2] = {{0}, {0}}, cells[2] = {{0}, {0}};

        for (int way = 0; way < 2; way++) {
            buffer_text(&texts[way], way ? "a;;1;;true;;b\n" : "a;1;true;b\n");
            put_random_lines(&texts[way], way ? ";;" : ";", seed, seed % 4 ? 50 : 900);
            print_cells(read_as(way ? &slow : &fast, texts[way].data), &cells[way]);
        }
        for (char *p = strstr(cells[1].data, ";;"); p; p = strstr(p, ";;"))
            memmove(p, p + 1, strlen(p));
        assert_string_equal(cells[0].data, cells[1].data);
        for (int way = 0; way < 2; way++) {
            buffer_free(&texts[way]);
            buffer_free(&cells[way]);
        }
    }
}

/* Text in memory is parsed where it lies, a file read chunk by chunk, but for one with a line that
 * is longer than the room for that. */
ML_TEST(csv_frame_of_a_file_is_that_of_its_text)
{
    enum { LINES = 60000, LONG = 700000 };
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .schema = "INT64,STRING");
    const char *path = scratch("f.csv");
    Buffer text = {0}, cells[2] = {{0}, {0}};
    Value v;

    for (int i = 0; i < LINES; i++)
        buffer_format(&text, "%d,name%d\n", i, i % 1000);
    buffer_text(&text, "-1,");
    memset(buffer_reserve(&text, LONG), 'x', LONG);
    text.size += LONG;
    buffer_text(&text, "\n");
    for (int i = 0; i < LINES; i++)
        buffer_format(&text, "%d,\"a, %d\"\n", i, i);
    write_text(path, text.data);
    assert_ok(io_read(test_ctx(), path, &o, &v));
    print_cells(v, &cells[0]);
    print_cells(read_as(&o, text.data), &cells[1]);
    assert_string_equal(cells[0].data, cells[1].data);

    buffer_text(&text, "1,b\nx,c\n");
    write_text(path, text.data);
    assert_int_equal(io_read(test_ctx(), path, &o, &v), ML_EFORMAT);
    assert_non_null(strstr(test_error(), "f.csv:120003:1: expected a value of type INT64"));
    buffer_free(&text);
    buffer_free(&cells[0]);
    buffer_free(&cells[1]);
}
