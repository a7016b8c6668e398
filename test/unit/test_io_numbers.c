/* Numbers of CSV frames, whose columns are parsed many cells at a time: against one at a time, at
 * every level of vector instructions. */
#include "test_io.h"

enum { CELLS = 20011 };

static const char *const forms[] = {"",
                                    "0",
                                    "-0",
                                    "-",
                                    ".",
                                    "-.",
                                    "5.",
                                    ".5",
                                    "-.5",
                                    "-5.",
                                    "1.2.3",
                                    "0-1",
                                    "--1",
                                    "+1",
                                    " 12 ",
                                    "1 2",
                                    "1e5",
                                    "1e05",
                                    "1E-7",
                                    "2.5e-22",
                                    "1e+22",
                                    "1e23",
                                    "1e-23",
                                    "e05",
                                    "-e05",
                                    ".e+05",
                                    "NaN",
                                    "-Infinity",
                                    "9007199254740992",
                                    "9007199254740993",
                                    "-9007199254740993",
                                    "0.1234567890123456",
                                    "0.123456789012345",
                                    "-0.123456789012345",
                                    "0.0123456789012345",
                                    "-0.00123456789012345",
                                    "-0-1234567890123456",
                                    "0-123456789012345",
                                    "-12345678901234567",
                                    "00000000000000000000001",
                                    "12345678901234.5e+05",
                                    "-1234567890123456e-05",
                                    "1.7976931348623157e308",
                                    "2147483647",
                                    "2147483648",
                                    "-2147483648",
                                    "-2147483649",
                                    "9223372036854775807",
                                    "-9223372036854775808",
                                    "9999999999999999",
                                    "-9999999999999999",
                                    "1234567890.123456"};

/* Row i: one of the forms, or digits with a point and an exponent somewhere. */
static void put_form(Buffer *b, int i, bool whole)
{
    const uint64_t r = hash_mix(7, (uint64_t)i);
    const int digits = (int)(r >> 8 & 15) + 1, point = (int)(r >> 12 & 31);

    if (r % 8 == 0) {
        buffer_text(b, forms[(r >> 20) % (sizeof forms / sizeof *forms)]);
        return;
    }
    buffer_text(b, r >> 17 & 1 ? "-" : "");
    for (int k = 0; k < digits; k++)
        buffer_format(b, "%s%d", k == point && !whole ? "." : "", (int)(r >> k * 3 & 7) + k % 3);
    if (r >> 18 & 1 && !whole)
        buffer_format(b, "e%c%02d", r >> 19 & 1 ? '-' : '+', (int)(r >> 40 & 31));
}

/* What the cell at p is, as files of one cell have it; false when it is no number. */
static bool number_alone(const char *p, size_t n, const char *schema, double *v)
{
    const IoOptions o = OPTIONS(.format = "csv", .data_type = "frame", .schema = schema);
    char text[64];
    Value one;

    snprintf(text, sizeof text, "%.*s\n", (int)n, p);
    if (io_read_memory(test_ctx(), "f", text, n + 1, &o, &one) != ML_OK)
        return false;
    *v = column_number(one.f->columns[0], 0);
    value_release(one);
    return true;
}

/* Those of the forms that are numbers of the type, a line each; two columns, the same cells. */
static int make_table(Buffer *b, const char *schema, double *want)
{
    int rows = 0;

    buffer_text(b, "a first line of many characters,b\n");
    for (int i = 0; i < CELLS; i++) {
        Buffer cell = {0};

        put_form(&cell, i, schema[0] == 'I');
        if (number_alone(cell.data ? cell.data : "", cell.size, schema, &want[rows])) {
            buffer_format(b, "%s,%s%s", cell.data ? cell.data : "", cell.data ? cell.data : "",
                          i % 5 ? "\n" : "\r\n");
            rows++;
        }
        buffer_free(&cell);
    }
    return rows;
}

ML_TEST(csv_numbers_are_the_same_alone_and_among_many)
{
    static const char *const schemas[] = {"FP64", "INT64", "INT32", "FP32"};
    static double want[CELLS];

    for (size_t s = 0; s < sizeof schemas / sizeof *schemas; s++) {
        const IoOptions o =
            OPTIONS(.format = "csv", .data_type = "frame", .header = 1, .schema = schemas[s]);
        Buffer text = {0};
        const int rows = make_table(&text, schemas[s], want);
        Value v = read_as(&o, text.data);

        assert_int_equal(v.f->rows, rows);
        for (int i = 0; i < rows; i++)
            for (int k = 0; k < 2; k++) {
                const double found = column_number(v.f->columns[k], i);

                if (memcmp(&found, &want[i], sizeof found) != 0 &&
                    !(isnan(found) && isnan(want[i])))
                    fail_msg("%s, row %d: %.17g is not %.17g", schemas[s], i, found, want[i]);
            }
        value_release(v);
        buffer_free(&text);
    }
}
