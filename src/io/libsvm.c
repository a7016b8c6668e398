/* LibSVM: a line is `label index:value index:value ...`, indexes from 1.
 *
 * The matrix has one column more than there are features: the label is the last. sep parts the
 * pairs, indSep index and value; a blank as separator stands for any run of blanks. Comments from #
 * to the end of the line and blank lines are skipped.
 */
#include "io/io_impl.h"

typedef struct SvmJob {
    const Spec *spec;
    int64_t *rows; /* of each chunk, while parsing counted from 0 in the chunk */
    const Chunk *first;
} SvmJob;

/* The next token of the line: up to the separator or the end, outer blanks cut. False when none is
 * left. */
static bool next_token(const Spec *spec, const char **p, const char *end, const char **begin,
                       const char **stop)
{
    const bool blank = is_blank(*spec->sep) && !spec->sep[1];
    const char *q;

    *begin = skip_blanks(*p, end);
    if (*begin == end)
        return false;
    if (blank) {
        for (q = *begin; q < end && !is_blank(*q);)
            q++;
        *p = q;
    } else {
        q = memmem(*begin, (size_t)(end - *begin), spec->sep, strlen(spec->sep));
        *p = q ? q + strlen(spec->sep) : end;
        q = q ? q : end;
    }
    while (q > *begin && is_blank(q[-1]))
        q--;
    *stop = q;
    return true;
}

static ml_status parse_pair(Ctx *ctx, const Spec *spec, const Chunk *c, const char *p,
                            const char *end, Cell *cell)
{
    const size_t n = strlen(spec->ind_sep);
    const char *colon = memmem(p, (size_t)(end - p), spec->ind_sep, n);
    char shown[48];

    if (!colon)
        return input_fail(ctx, c->file, p, "expected index%svalue, found %s", spec->ind_sep,
                          input_quote(p, end, shown));
    if (!cell_parse_index(ctx, c->file, p, colon, spec->cols, "feature", &cell->col))
        return ML_EFORMAT;
    if (!cell_parse(colon + n, end, &cell->value))
        return input_fail(ctx, c->file, colon + n, "expected a number, found %s",
                          input_quote(colon + n, end, shown));
    return ML_OK;
}

static ml_status parse_line(Ctx *ctx, const Spec *spec, const Chunk *c, const char *p,
                            const char *end, int64_t row, CellChunk *out)
{
    const char *a, *b;
    char shown[48];
    Cell cell = {.row = row, .col = spec->cols};

    next_token(spec, &p, end, &a, &b);
    if (!cell_parse(a, b, &cell.value))
        return input_fail(ctx, c->file, a, "expected a label, found %s", input_quote(a, b, shown));
    do {
        if (!VEC_PUSH(&out->cells, cell))
            return fail_memory(ctx, sizeof cell * (size_t)out->cells.count);
        if (!next_token(spec, &p, end, &a, &b))
            return ML_OK;
    } while (parse_pair(ctx, spec, c, a, b, &cell) == ML_OK);
    return ML_EFORMAT;
}

/* The end of what counts in a line. */
static const char *cut_comment(const char *p, const char *end)
{
    while (p < end && *p != '#')
        p++;
    return p;
}

static ml_status parse_chunk(Ctx *ctx, const void *arg, const Chunk *c, CellChunk *out)
{
    const SvmJob *job = arg;
    int64_t row = 0;
    const char *next;

    for (const char *p = c->begin; p < c->end; p = next) {
        const char *end = cut_comment(p, line_end(p, c->end, &next));

        if (skip_blanks(p, end) < end)
            TRY(parse_line(ctx, job->spec, c, p, end, row++, out));
    }
    job->rows[c - job->first] = row;
    return ML_OK;
}

/* Turn rows counted by chunk into rows of the matrix; returns how many there are. */
static int64_t number_rows(CellChunk *chunks, int n, const int64_t *rows)
{
    int64_t before = 0;

    for (int i = 0; i < n; i++) {
        for (int k = 0; k < chunks[i].cells.count; k++)
            chunks[i].cells.items[k].row += before;
        before += rows[i];
    }
    return before;
}

ml_status libsvm_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    SvmJob job = {.spec = spec};
    Lines lines;
    CellChunk *chunks = NULL;
    int64_t rows;
    ml_status st;

    if (spec->cols >= UINT32_MAX)
        return fail(ctx, ML_ELIMIT,
                    "read: libsvm files may have up to %" PRIu32 " features, not %" PRId64,
                    UINT32_MAX - 1, spec->cols);
    TRY(lines_split(ctx, in, &lines));
    job.first = lines.chunks.items;
    job.rows = mem_calloc((size_t)lines.chunks.count + 1, sizeof *job.rows);
    if (!job.rows) {
        st = fail_memory(ctx, (size_t)lines.chunks.count * sizeof *job.rows);
        goto done;
    }
    TRY_TO(done, st = cells_parse(ctx, &lines, parse_chunk, &job, &chunks));
    rows = number_rows(chunks, lines.chunks.count, job.rows);
    TRY_TO(done, st = input_check_dims(ctx, spec, rows, spec->cols));
    st = cells_to_matrix(ctx, rows, spec->cols + 1, chunks, lines.chunks.count, CELLS_LAST, out);
done:
    cells_free(chunks, lines.chunks.count);
    mem_free(job.rows);
    lines_free(&lines);
    return st;
}

typedef struct SvmWriter {
    const Spec *spec;
    const Matrix *m;
} SvmWriter;

static void put_pair(const SvmWriter *w, Buffer *b, int64_t col, double v)
{
    buffer_text(b, w->spec->sep);
    put_int64(b, col + 1);
    buffer_text(b, w->spec->ind_sep);
    put_double(b, v);
}

static void format_rows(const void *arg, int64_t lo, int64_t hi, Buffer *b)
{
    const SvmWriter *w = arg;
    const Matrix *m = w->m;
    const int64_t features = m->cols - 1;

    for (int64_t r = lo; r < hi; r++) {
        put_double(b, matrix_get(m, r, features));
        if (m->format == MATRIX_CSR) {
            for (int64_t i = m->row_ptr[r]; i < m->row_ptr[r + 1] && m->col_idx[i] < features; i++)
                put_pair(w, b, m->col_idx[i], m->values[i]);
        } else {
            for (int64_t k = 0; k < features; k++)
                if (matrix_get(m, r, k) != 0)
                    put_pair(w, b, k, matrix_get(m, r, k));
        }
        buffer_put(b, "\n", 1);
    }
}

ml_status libsvm_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o)
{
    const SvmWriter w = {spec, m};

    return output_rows(ctx, o, m->rows, m->nnz / m->rows + 1, format_rows, &w);
}
