/* Reading matrices from CSV.
 *
 * Two passes over the mapped text: one counts lines, so that the second, over chunks in parallel,
 * parses each cell right into its place. A cell that is a plain number up to its separator takes
 * the fast path; blanks, empty fields, NA strings, Java's suffixes and errors take the slow one.
 * Counts nonzeros as it writes.
 */
#include "io/csv.h"

typedef struct CsvJob {
    const Spec *spec;
    const Lines *lines;
    double *cells;
    int64_t cols;
    int64_t *nnz; /* a chunk */
    bool fast;    /* the separator is one character that no number contains, and no NA string looks
                     like a number */
} CsvJob;

bool csv_is_na(const Spec *spec, const char *p, const char *end)
{
    const size_t n = (size_t)(end - p);

    for (int i = 0; i < spec->na_count; i++)
        if (strlen(spec->na[i]) == n && memcmp(spec->na[i], p, n) == 0)
            return true;
    return false;
}

const char *csv_cell_end(const Spec *spec, const char *p, const char *end, bool quotes)
{
    const size_t n = strlen(spec->sep);
    const char *q = is_blank(*spec->sep) ? p : skip_blanks(p, end);

    if (quotes && q < end && *q == '"' && *spec->sep != '"') {
        q++;
        while ((q = memchr(q, '"', (size_t)(end - q))) != NULL) {
            if (q + 1 == end || q[1] != '"')
                return csv_find_sep(q, end, spec->sep, n);
            q += 2; /* a doubled quote leaves and enters again */
        }
    }
    return csv_find_sep(p, end, spec->sep, n);
}

static int64_t count_cells(const Spec *spec, const char *p, const char *end, bool quotes)
{
    const size_t n = strlen(spec->sep);
    int64_t cells = 1;

    for (p = csv_cell_end(spec, p, end, quotes); p < end;
         p = csv_cell_end(spec, p + n, end, quotes))
        cells++;
    return cells;
}

/* What would be read as garbled cells: UTF-16, and lines that end as those of old systems. */
static ml_status check_first_line(Ctx *ctx, const Lines *lines, const char *begin, const char *end)
{
    const Chunk *c = &lines->chunks.items[0];
    const size_t size = (size_t)(end - begin);
    const char *cr = memchr(begin, '\r', size);
    const bool alone = lines->chunks.count == 1 && c->end - end <= 1;

    if (size >= 2 && (memcmp(begin, "\xFF\xFE", 2) == 0 || memcmp(begin, "\xFE\xFF", 2) == 0))
        return input_fail(ctx, c->file, begin, "the text is UTF-16 or UTF-32, expected UTF-8");
    if (alone && cr && cr + 1 < end && !memchr(begin, '"', size))
        return input_fail(ctx, c->file, cr, "a line ends in \\r alone, expected \\n or \\r\\n");
    return ML_OK;
}

ml_status csv_start(Ctx *ctx, const Spec *spec, bool quotes, Lines *lines, const char **header,
                    const char **header_end, int64_t *cols)
{
    const char *begin, *end;

    *header = *header_end = NULL;
    if (!lines_first(lines, &begin, &end))
        return fail(ctx, ML_EFORMAT, "%s: the file is empty", spec->path);
    TRY(check_first_line(ctx, lines, begin, end));
    *cols = count_cells(spec, begin, end, quotes);
    if (spec->header) {
        *header = begin;
        *header_end = end;
        lines_skip_first(lines);
        if (lines_first(lines, &begin, &end) && end > begin)
            *cols = count_cells(spec, begin, end, quotes);
    }
    if (*cols > 1)
        lines_trim_blank_end(lines);
    return ML_OK;
}

/* An empty line, or one with too few or too many cells. */
static ml_status fail_ragged(Ctx *ctx, const CsvJob *job, const Chunk *c, const char *at)
{
    const char *begin = at, *end, *next;
    int64_t found;

    while (begin > c->begin && begin[-1] != '\n')
        begin--;
    end = line_end(begin, c->end, &next);
    found = begin == end ? 0 : count_cells(job->spec, begin, end, false);
    return input_fail(ctx, c->file, at, "expected %" PRId64 " cells, found %" PRId64, job->cols,
                      found);
}

/* The end of the cell at p: its separator, its line's end or the end of all. */
static const char *cell_stop(const char *p, const char *end, const char *sep, size_t n)
{
    for (; p < end && *p != '\n'; p++)
        if (*p == *sep && (size_t)(end - p) >= n && memcmp(p, sep, n) == 0)
            break;
    return p;
}

/* The number in [a, b), which has no outer blanks. */
static ml_status parse_text(Ctx *ctx, const Spec *spec, const Chunk *c, const char *a,
                            const char *b, double *v)
{
    char shown[48];

    if (csv_is_na(spec, a, b))
        *v = (double)__builtin_nan("");
    else if (a == b && spec->fill)
        *v = spec->fill_value;
    else if (a == b)
        return input_fail(ctx, c->file, a,
                          "expected a number, found an empty field; fill=TRUE would allow it");
    else if (!cell_parse(a, b, v))
        return input_fail(ctx, c->file, a, "expected a number, found %s", input_quote(a, b, shown));
    return ML_OK;
}

/* Any cell: *p moves behind it and its separator or line end. */
static ml_status parse_slow(Ctx *ctx, const CsvJob *job, const Chunk *c, const char **p, bool last,
                            double *v)
{
    const size_t n = strlen(job->spec->sep);
    const char *stop = cell_stop(*p, c->end, job->spec->sep, n);
    const char *a = skip_blanks(*p, stop), *b = stop;
    const bool ends_line = stop == c->end || *stop == '\n';

    while (b > a && is_blank(b[-1]))
        b--;
    if (last != ends_line)
        return fail_ragged(ctx, job, c, last ? stop : *p);
    TRY(parse_text(ctx, job->spec, c, a, b, v));
    *p = !ends_line ? stop + n : stop + (stop < c->end);
    return ML_OK;
}

/* The position after a number's separator or line end, or NULL if anything else follows it. */
static inline const char *after_cell(const char *q, const char *end, char sep, bool last)
{
    if (!last)
        return q < end && *q == sep ? q + 1 : NULL;
    if (q == end)
        return q;
    if (*q == '\n')
        return q + 1;
    return *q == '\r' && q + 1 < end && q[1] == '\n' ? q + 2 : NULL;
}

static ml_status parse_row(Ctx *ctx, const CsvJob *job, const Chunk *c, const char **p, double *row,
                           int64_t *nnz)
{
    const char *at = *p, *end = c->end;
    const char sep = *job->spec->sep;
    int64_t count = 0;

    for (int64_t k = 0; k < job->cols; k++) {
        const bool last = k + 1 == job->cols;
        const char *q = job->fast ? num_parse_double(at, end, &row[k]) : NULL;

        q = q ? after_cell(q, end, sep, last) : NULL;
        if (q)
            at = q;
        else
            TRY(parse_slow(ctx, job, c, &at, last, &row[k]));
        count += row[k] != 0;
    }
    *nnz += count;
    *p = at;
    return ML_OK;
}

static ml_status parse_chunks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsvJob *job = arg;

    for (int64_t i = lo; i < hi; i++) {
        const Chunk *c = &job->lines->chunks.items[i];
        const char *p = c->begin;
        int64_t nnz = 0;

        TRY(check_cancel(ctx));
        for (int64_t r = 0; r < c->lines; r++)
            TRY(parse_row(ctx, job, c, &p, job->cells + (c->line + r) * job->cols, &nnz));
        job->nnz[i] = nnz;
    }
    return ML_OK;
}

bool csv_na_is_no_number(const Spec *spec)
{
    for (int i = 0; i < spec->na_count; i++) {
        double v;

        if (num_parse_double(spec->na[i], spec->na[i] + strlen(spec->na[i]), &v))
            return false;
    }
    return true;
}

static bool is_fast(const Spec *spec)
{
    const char sep = *spec->sep;
    const bool in_number = (sep >= '0' && sep <= '9') || (sep | 0x20) == 'e' || sep == '.' ||
                           sep == '+' || sep == '-' || strchr("NaInfity", sep);

    return !spec->sep[1] && !in_number && csv_na_is_no_number(spec);
}

static ml_status parse_all(Ctx *ctx, CsvJob *job, Matrix **out)
{
    const int n = job->lines->chunks.count;
    int64_t nnz = 0;
    ml_status st;

    job->nnz = mem_calloc((size_t)n + 1, sizeof *job->nnz);
    if (!job->nnz)
        return fail_memory(ctx, (size_t)n * sizeof *job->nnz);
    job->cells = (*out)->values;
    st = task_for(ctx, n, 1, parse_chunks, job);
    for (int i = 0; i < n; i++)
        nnz += job->nnz[i];
    mem_free(job->nnz);
    return st == ML_OK ? matrix_finish(ctx, out, nnz) : st;
}

ml_status csv_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Lines lines;
    CsvJob job = {.spec = spec, .lines = &lines, .fast = is_fast(spec)};
    const char *header, *header_end;
    ml_status st;

    *out = NULL;
    TRY(lines_split(ctx, in, &lines));
    TRY_TO(done, st = csv_start(ctx, spec, false, &lines, &header, &header_end, &job.cols));
    TRY_TO(done, st = input_check_dims(ctx, spec, lines.count, job.cols));
    TRY_TO(done, st = matrix_new_dense(ctx, lines.count, job.cols, out));
    TRY_TO(done, st = parse_all(ctx, &job, out));
done:
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    lines_free(&lines);
    return st;
}
