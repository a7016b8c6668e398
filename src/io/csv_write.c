/* Writing CSV: matrices and frames, rows formatted in parallel.
 *
 * A matrix cell that is zero prints as 0, or as nothing with sparse=TRUE; others by the rules of
 * print. A frame's null is an empty cell.
 */
#include "io/csv.h"
#include "io/frame_build.h"

typedef struct CsvWriter {
    const Spec *spec;
    const Matrix *m;
    const Frame *f;
    size_t sep_size;
} CsvWriter;

static inline void put_sep(const CsvWriter *w, Buffer *b, bool first)
{
    if (!first)
        buffer_put(b, w->spec->sep, w->sep_size);
}

static inline void put_cell(const CsvWriter *w, Buffer *b, double v)
{
    if (v != 0)
        put_double(b, v);
    else if (!w->spec->sparse)
        buffer_put(b, "0", 1);
}

static void put_csr_row(const CsvWriter *w, Buffer *b, int64_t r)
{
    const Matrix *m = w->m;
    int64_t i = m->row_ptr[r];

    for (int64_t k = 0; k < m->cols; k++) {
        const bool here = i < m->row_ptr[r + 1] && m->col_idx[i] == k;

        put_sep(w, b, k == 0);
        put_cell(w, b, here ? m->values[i] : 0);
        i += here;
    }
}

static void format_matrix(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const CsvWriter *w = arg;
    const Matrix *m = w->m;

    for (int64_t r = lo; r < hi; r++) {
        if (m->format == MATRIX_CSR) {
            put_csr_row(w, b, r);
        } else {
            for (int64_t k = 0; k < m->cols; k++) {
                put_sep(w, b, k == 0);
                put_cell(w, b,
                         m->format == MATRIX_DENSE ? m->values[r * m->cols + k] : m->constant);
            }
        }
        buffer_put(b, "\n", 1);
    }
}

/* The names of the columns, C1, C2 ... where there are none. */
static ml_status put_header(Ctx *ctx, const CsvWriter *w, int64_t cols, String *const *names,
                            Output *o)
{
    Buffer b = {0};
    ml_status st;

    for (int64_t k = 0; k < cols; k++) {
        put_sep(w, &b, k == 0);
        if (names && names[k])
            buffer_put(&b, names[k]->text, (size_t)names[k]->size);
        else
            buffer_format(&b, "C%" PRId64, k + 1);
    }
    buffer_put(&b, "\n", 1);
    st = b.failed ? fail_memory(ctx, b.capacity) : output_append(ctx, o, b.data, b.size);
    buffer_free(&b);
    return st;
}

ml_status csv_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    const CsvWriter w = {.spec = spec, .m = m, .sep_size = strlen(spec->sep)};

    if (spec->header)
        TRY(put_header(ctx, &w, m->cols, NULL, o));
    return output_rows(ctx, o, m->rows, m->cols, format_matrix, &w);
}

static void format_frame(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const CsvWriter *w = arg;

    for (int64_t r = lo; r < hi; r++) {
        for (int64_t k = 0; k < w->f->cols; k++) {
            char number[NUM_BUFFER];
            size_t size;
            const char *text = frame_text(w->f->columns[k], r, number, &size);

            put_sep(w, b, k == 0);
            if (text)
                buffer_put(b, text, size);
        }
        buffer_put(b, "\n", 1);
    }
}

ml_status csv_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o)
{
    const CsvWriter w = {.spec = spec, .f = f, .sep_size = strlen(spec->sep)};

    TRY(frame_check_lines(ctx, f, "csv"));
    if (spec->header)
        TRY(put_header(ctx, &w, f->cols, f->names, o));
    return output_rows(ctx, o, f->rows, f->cols, format_frame, &w);
}
