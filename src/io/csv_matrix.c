/* Reading matrices from CSV.
 *
 * Two passes over the text: one counts lines, so that the second, over chunks in parallel, parses
 * each cell right into its place. With AVX-512 the cells of some lines are marked (csv_marks.c) and
 * parsed eight at a time, as they follow one another in rows; else, and in lines of other than all
 * cells, one by one. A cell that is a plain number up to its separator takes the fast path; blanks,
 * empty fields, NA strings, Java's suffixes and errors take the slow one. Counts nonzeros as it
 * writes.
 *
 * Cost: 4 ns a number and thread eight at a time, 15 to 30 ns one by one.
 */
#include "io/csv.h"
#include "io/csv_marks.h"
#include "io/csv_numbers.h"

enum { LEAST_BYTES = 512 };

typedef struct CsvJob {
    const Spec *spec;
    const Lines *lines;
    double *cells;
    int64_t cols;
    int64_t *nnz; /* a chunk */
    bool fast;    /* the separator is one character that no number contains, and no NA string looks
                     like a number */
    bool many;    /* cells are parsed eight at a time */
} CsvJob;

/* An empty line, or one with too few or too many cells. */
static ml_status fail_ragged(Ctx *ctx, const CsvJob *job, const Chunk *c, const char *at)
{
    const char *begin = at, *end, *next;
    int64_t found;

    while (begin > c->begin && begin[-1] != '\n')
        begin--;
    end = line_end(begin, c->end, &next);
    found = begin == end ? 0 : csv_count_cells(job->spec, begin, end, false);
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

static ml_status parse_rows(Ctx *ctx, const CsvJob *job, const Chunk *c, int64_t *nnz)
{
    const char *p = c->begin;

    for (int64_t r = 0; r < c->lines; r++)
        TRY(parse_row(ctx, job, c, &p, job->cells + (c->line + r) * job->cols, nnz));
    return ML_OK;
}

/* ---- many cells at once ---- */

#ifdef __x86_64__
enum { BLOCK_CELLS = 4096 };

typedef struct RowReader {
    const CsvJob *job;
    LoadedChunk loaded;
    CsvMarks marks;
    uint32_t *ends, *sizes; /* of the cells of a block, as csv_numbers.h wants them */
    uint8_t *bad;
    char *room;
    int64_t lines; /* of a block, at most */
} RowReader;

static ml_status open_reader(Ctx *ctx, const CsvJob *job, RowReader *r)
{
    size_t cells;

    *r = (RowReader){.job = job, .lines = BLOCK_CELLS / job->cols + 1};
    if (!mul_size((size_t)r->lines, (size_t)job->cols + CSV_GROUP, &cells) ||
        cells > SIZE_MAX / sizeof *r->ends)
        return fail_memory(ctx, SIZE_MAX);
    TRY(csv_marks_open(ctx, *job->spec->sep, r->lines, job->cols, &r->marks));
    r->ends = mem_alloc(cells * sizeof *r->ends);
    r->sizes = mem_alloc(cells * sizeof *r->sizes);
    r->bad = mem_alloc(cells);
    if (!r->ends || !r->sizes || !r->bad)
        return fail_memory(ctx, cells * sizeof *r->ends);
    r->room = pool_alloc(ctx, CHUNK_ROOM);
    return r->room ? ML_OK : ML_ENOMEM;
}

static void close_reader(Ctx *ctx, RowReader *r)
{
    pool_release(ctx->pool, r->room, CHUNK_ROOM);
    mem_free(r->ends);
    mem_free(r->sizes);
    mem_free(r->bad);
    csv_marks_close(&r->marks);
}

/* The cells of n lines, without the carriage returns before line ends; whether some are empty. */
static bool take_cells(RowReader *r, int64_t n)
{
    const CsvMarks *m = &r->marks;
    const int64_t cols = r->job->cols, count = n * cols;
    bool empty = false;

    for (int64_t i = 0; i < count; i++) {
        r->ends[i] = m->at[i];
        r->sizes[i] = m->at[i] - m->at[i - 1] - 1;
        empty |= !r->sizes[i];
    }
    for (int64_t i = cols - 1; i < count; i += cols)
        if (r->sizes[i] && m->text[r->ends[i] - 1] == '\r') {
            r->ends[i]--;
            empty |= !--r->sizes[i];
        }
    csv_fill_group(r->ends, r->sizes, count);
    return empty;
}

/* A cell that was left, or is empty. */
static ml_status parse_left_cell(Ctx *ctx, const RowReader *r, int64_t i, double *v)
{
    const char *end = r->marks.text + r->ends[i], *p = skip_blanks(end - r->sizes[i], end);

    while (end > p && is_blank(end[-1]))
        end--;
    return parse_text(ctx, r->job->spec, &r->loaded.chunk, p, end, v);
}

/* An error is that of its line one by one, where quotes mean nothing. */
static ml_status parse_left(Ctx *ctx, const RowReader *r, const CsvColumn *cells, double *out)
{
    const int64_t cols = r->job->cols;

    for (int64_t i = 0; i < cells->count; i++) {
        const char *line = r->marks.text + (uint32_t)(r->marks.at[i / cols * cols - 1] + 1);
        int64_t nnz = 0;

        if (cells->sizes[i] && !csv_is_bad(cells, i))
            continue;
        if (parse_left_cell(ctx, r, i, &out[i]) != ML_OK)
            return parse_row(ctx, r->job, &r->loaded.chunk, &line, out + i / cols * cols, &nnz);
    }
    return ML_OK;
}

/* The next n lines, which have all their cells. */
static ml_status parse_block(Ctx *ctx, RowReader *r, int64_t n, double *out)
{
    const int64_t count = n * r->job->cols;
    const bool empty = take_cells(r, n);
    const CsvColumn cells = {r->marks.text, r->ends, r->sizes, count, r->bad};

    if (csv_doubles_avx512(&cells, out) || empty)
        TRY(parse_left(ctx, r, &cells, out));
    csv_marks_drop(&r->marks, n);
    return ML_OK;
}

/* The next line one by one: it has other than all its cells, or its text is the first. */
static ml_status parse_single(Ctx *ctx, RowReader *r, double *out)
{
    const char *p = csv_marks_line(&r->marks);
    int64_t nnz = 0;

    TRY(parse_row(ctx, r->job, &r->loaded.chunk, &p, out, &nnz));
    csv_marks_drop_line(&r->marks, p);
    return ML_OK;
}

static bool can_look_behind(const RowReader *r)
{
    return csv_marks_line(&r->marks) - r->loaded.begin >= CSV_CELL_BEHIND;
}

static ml_status parse_many(Ctx *ctx, RowReader *r, const Chunk *c, int64_t *nnz)
{
    const int64_t cols = r->job->cols;
    double *out = r->job->cells + c->line * cols;
    int64_t n;

    chunk_load(c, r->room, &r->loaded);
    csv_marks_start(&r->marks, r->loaded.chunk.begin, r->loaded.chunk.end);
    for (int64_t i = 0; i < c->lines; i += n, out += n * cols) {
        csv_marks_fill(&r->marks);
        n = can_look_behind(r) ? csv_marks_regular(&r->marks, cols) : 0;
        n = n < r->lines ? n : r->lines;
        TRY(n ? parse_block(ctx, r, n, out) : parse_single(ctx, r, out));
        n = n ? n : 1;
        for (int64_t k = 0; k < n * cols; k++)
            *nnz += out[k] != 0;
    }
    if (r->loaded.chunk.begin == c->begin)
        chunk_forget(c);
    return ML_OK;
}

static ml_status parse_many_chunks(Ctx *ctx, const CsvJob *job, int64_t lo, int64_t hi)
{
    RowReader r;
    ml_status st = open_reader(ctx, job, &r);

    for (int64_t i = lo; i < hi && st == ML_OK; i++) {
        const Chunk *c = &job->lines->chunks.items[i];

        st = check_cancel(ctx);
        if (st == ML_OK)
            st = (csv_marks_fit(c->begin, c->end)) ? parse_many(ctx, &r, c, &job->nnz[i])
                                                   : parse_rows(ctx, job, c, &job->nnz[i]);
    }
    close_reader(ctx, &r);
    return st;
}
#endif

static ml_status parse_chunks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsvJob *job = arg;

#ifdef __x86_64__
    if (job->many)
        return parse_many_chunks(ctx, job, lo, hi);
#endif
    for (int64_t i = lo; i < hi; i++) {
        TRY(check_cancel(ctx));
        TRY(parse_rows(ctx, job, &job->lines->chunks.items[i], &job->nnz[i]));
    }
    return ML_OK;
}

static bool is_fast(const Spec *spec)
{
    const char sep = *spec->sep;
    const bool odd = strchr("\"\r\n", sep);
    const bool in_number = (sep >= '0' && sep <= '9') || (sep | 0x20) == 'e' || sep == '.' ||
                           sep == '+' || sep == '-' || strchr("NaInfity", sep);

    return !spec->sep[1] && !odd && !in_number && csv_na_is_no_number(spec);
}

/* Whether cells are parsed eight at a time; small chunks are not worth a reader each. */
static bool takes_many(const Ctx *ctx, const CsvJob *job)
{
    const Lines *l = job->lines;

    return job->fast && cpu_level(ctx) == CPU_AVX512 && l->count > 0 &&
           l->chunks.items[0].end - l->chunks.items[0].begin >= LEAST_BYTES;
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
    job.many = takes_many(ctx, &job);
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
