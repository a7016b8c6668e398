/* Reading frames from CSV.
 *
 * Cells lose outer blanks and keep their quotes; a separator inside quotes that open a cell does
 * not end it. Empty cells and NA strings are null (0 or false in numeric columns), and so are cells
 * missing at the end of a short line; a longer line is an error.
 *
 * The text is cut into parts of whole chunks, which are tasks: each has a builder for every text
 * column, and numbers go right into their columns. Where the separator is one character, separators
 * and line ends are found 64 bytes at a time as a bit mask; a cell that begins with a quote or a
 * blank takes the slow way, and so does a number that is not plain to its end. Pages of the input
 * that were parsed are given back, so that text and frame are not held together.
 */
#include "io/csv.h"
#include "io/frame_build.h"

#include <sys/mman.h>
#include <unistd.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { BLOCK = 64, MOST_PARTS = 32, FIRST_PARTS = 4, BLOCK_CELLS = 2048 };

typedef struct CsvFrameJob {
    const Spec *spec;
    const Lines *lines;
    FrameBuild *build;
    bool simple; /* the separator is one character, neither quote nor line end */
} CsvFrameJob;

/* ---- where cells end ---- */

/* The separators and line ends of [block, end) that were not taken yet are bits of mask. */
typedef struct Marks {
    const char *block, *end;
    uint64_t mask;
    char sep;
} Marks;

#ifdef __SSE2__
static uint64_t mark_bits(const char *p, char sep)
{
    const __m128i s = _mm_set1_epi8(sep), n = _mm_set1_epi8('\n');
    uint64_t bits = 0;

    for (int k = 0; k < BLOCK / 16; k++) {
        const __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * k));
        const __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(x, s), _mm_cmpeq_epi8(x, n));

        bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(hit) << (16 * k);
    }
    return bits;
}
#else
static uint64_t mark_bits(const char *p, char sep)
{
    uint64_t bits = 0;

    for (int k = 0; k < BLOCK; k++)
        bits |= (uint64_t)(p[k] == sep || p[k] == '\n') << k;
    return bits;
}
#endif

static void mark_block(Marks *m)
{
    char rest[BLOCK] = {0};
    const size_t left = (size_t)(m->end - m->block);

    if (left >= BLOCK) {
        m->mask = mark_bits(m->block, m->sep);
        return;
    }
    memcpy(rest, m->block, left);
    m->mask = mark_bits(rest, m->sep) & ((UINT64_C(1) << left) - 1);
}

static void marks_start(Marks *m, const char *begin, const char *end, char sep)
{
    *m = (Marks){.block = begin, .end = end, .sep = sep};
    mark_block(m);
}

/* The next separator or line end, which is taken; the end of the text when there is none. */
static inline const char *next_mark(Marks *m)
{
    const char *at;

    while (!m->mask) {
        if (m->end - m->block <= BLOCK)
            return m->end;
        m->block += BLOCK;
        mark_block(m);
    }
    at = m->block + __builtin_ctzll(m->mask);
    m->mask &= m->mask - 1;
    return at;
}

/* ---- cells ---- */

/* The cell [*p, end) without outer blanks; *p NULL if it is empty or NA. */
static inline void trim_cell(const Spec *spec, const char **p, const char **end)
{
    *p = skip_blanks(*p, *end);
    while (*end > *p && is_blank((*end)[-1]))
        --*end;
    if (*p == *end || (spec->na_count && csv_is_na(spec, *p, *end)))
        *p = NULL;
}

/* A whole number of digits alone that fits the type; false where the slow way must look at it. */
static inline bool plain_int(FrameType type, const char *p, const char *end, int64_t *out)
{
    const bool minus = p < end && *p == '-';
    int64_t v = 0;

    p += minus;
    if (p == end || end - p > (type == FT_INT64 ? 18 : 9) || type > FT_INT32)
        return false;
    for (; p < end; p++) {
        const unsigned digit = (unsigned)(*p - '0');

        if (digit > 9)
            return false;
        v = v * 10 + (int64_t)digit;
    }
    *out = minus ? -v : v;
    return true;
}

/* A number that fills the cell [p, stop) of a text that goes on to `end`: a parser that may look
 * ahead takes eight characters at a time. */
static inline bool plain_number(FrameColumn *c, int64_t row, const char *p, const char *stop,
                                const char *end)
{
    int64_t i;
    double d;

    if (c->type == FT_BOOLEAN) {
        const bool yes = stop - p == 4 && memcmp(p, "true", 4) == 0;

        ((uint8_t *)c->cells)[row] = yes;
        return yes || (stop - p == 5 && memcmp(p, "false", 5) == 0);
    }
    if (frame_type_is_float(c->type)) {
        if (p == stop || num_parse_double(p, end, &d) != stop)
            return false;
        column_set_number(c, row, d);
        return true;
    }
    if (!plain_int(c->type, p, stop, &i))
        return false;
    column_set_int(c, row, i);
    return true;
}

/* A cell to be put, without a separator; p NULL where the line ends before it. */
typedef struct CellText {
    const char *p, *stop;
} CellText;

typedef struct PartReader {
    const CsvFrameJob *job;
    const Chunk *chunk;
    int part;
    Marks marks;
    CellText *cells; /* of some lines, column by column */
    int64_t rows;    /* how many lines these are at most */
} PartReader;

/* A text of a cell that is not empty and has no outer blanks. */
static inline bool plain_text(const PartReader *r, int64_t col, const char *p, const char *stop,
                              ml_status *st)
{
    FrameBuild *b = r->job->build;

    if (p == stop || is_blank(*p) || is_blank(stop[-1]) || r->chunk->end - p < 16)
        return false;
    *st = text_builder_add_ahead(&b->texts[r->part * b->cols + col], p, (size_t)(stop - p))
              ? ML_OK
              : ML_ENOMEM;
    return true;
}

/* Any cell. */
static __attribute__((noinline)) ml_status put_trimmed(Ctx *ctx, const PartReader *r, int64_t row,
                                                       int64_t col, const char *p, const char *stop)
{
    if (p)
        trim_cell(r->job->spec, &p, &stop);
    return frame_build_put(ctx, r->job->build, r->part, r->chunk->file, row, col, p, stop);
}

static inline __attribute__((always_inline)) ml_status
put_cell(Ctx *ctx, const PartReader *r, int64_t row, int64_t col, const char *p, const char *stop)
{
    FrameColumn *c = r->job->build->columns[col];
    ml_status st;

    if (p && !r->job->spec->na_count) {
        if (!c && plain_text(r, col, p, stop, &st))
            return st == ML_OK ? ML_OK : fail_memory(ctx, (size_t)(stop - p));
        if (c && plain_number(c, row, p, stop, r->chunk->end))
            return ML_OK;
    }
    return put_trimmed(ctx, r, row, col, p, stop);
}

/* ---- lines ---- */

static ml_status too_long(Ctx *ctx, const PartReader *r, const char *at)
{
    return input_fail(ctx, r->chunk->file, at, "expected %" PRId64 " cells, found more",
                      r->job->build->cols);
}

/* Any line, [p, end). */
static ml_status parse_line(Ctx *ctx, const PartReader *r, int64_t row, const char *p,
                            const char *end)
{
    const size_t n = strlen(r->job->spec->sep);
    const int64_t cols = r->job->build->cols;

    for (int64_t k = 0; k < cols; k++) {
        const char *stop = p ? csv_cell_end(r->job->spec, p, end, true) : NULL;

        TRY(put_cell(ctx, r, row, k, p, stop));
        if (stop && stop < end && k + 1 == cols)
            return too_long(ctx, r, stop);
        p = stop && stop < end ? stop + n : NULL;
    }
    return ML_OK;
}

/* Where the cell at p ends that may be quoted, by the marks, of which `stop` is the first. */
static const char *quoted_end(PartReader *r, const char *p, const char *stop)
{
    const char *next, *end = line_end(p, r->chunk->end, &next);
    const char *real = csv_cell_end(r->job->spec, p, end, true);

    if (real == end)
        real = next > end && next[-1] == '\n' ? next - 1 : next;
    while (stop < real)
        stop = next_mark(&r->marks);
    return stop;
}

/* The cells of the line at *p by the marks, as line i of the block; p becomes the next line.
 * Returns the separator after the last column, NULL if there is none. */
static const char *mark_line(PartReader *r, int64_t i, const char **p)
{
    const int64_t cols = r->job->build->cols;
    const char *at = *p, *end = r->chunk->end;
    int64_t k = 0;

    for (bool more = true; more && k < cols; k++) {
        const char *stop = next_mark(&r->marks);

        if (at < end && (*at == '"' || *at == ' ' || *at == '\t'))
            stop = quoted_end(r, at, stop);
        r->cells[k * r->rows + i] = (CellText){at, stop};
        more = stop < end && *stop != '\n';
        if (more && k + 1 == cols)
            return stop;
        at = stop < end ? stop + 1 : end;
    }
    *p = at;
    for (; k < cols; k++)
        r->cells[k * r->rows + i] = (CellText){NULL, NULL};
    return NULL;
}

/* The error of the first cell in the order of the text that has one. */
static ml_status first_error(Ctx *ctx, const PartReader *r, int64_t row, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < r->job->build->cols; k++) {
            const CellText *c = &r->cells[k * r->rows + i];

            TRY(put_cell(ctx, r, row + i, k, c->p, c->stop));
        }
    return ML_OK;
}

/* Put n lines, column by column: what a column needs stays in the nearest cache. */
static ml_status put_block(Ctx *ctx, const PartReader *r, int64_t row, int64_t n)
{
    for (int64_t k = 0; k < r->job->build->cols; k++) {
        const CellText *cells = &r->cells[k * r->rows];

        for (int64_t i = 0; i < n; i++)
            if (put_cell(ctx, r, row + i, k, cells[i].p, cells[i].stop) != ML_OK)
                return ctx->err.code == ML_EFORMAT ? first_error(ctx, r, row, n) : ctx->err.code;
    }
    return ML_OK;
}

static ml_status parse_marked(Ctx *ctx, PartReader *r)
{
    const Chunk *c = r->chunk;
    const char *p = c->begin, *surplus = NULL;

    marks_start(&r->marks, c->begin, c->end, *r->job->spec->sep);
    for (int64_t i = 0, n; i < c->lines; i += n) {
        for (n = 0; n < r->rows && i + n < c->lines && !surplus; n++)
            surplus = mark_line(r, n, &p);
        TRY(put_block(ctx, r, c->line + i, surplus ? n - 1 : n));
        if (surplus)
            return too_long(ctx, r, surplus);
    }
    return ML_OK;
}

static ml_status parse_lines(Ctx *ctx, PartReader *r)
{
    const Chunk *c = r->chunk;
    const char *p = c->begin, *next;

    for (int64_t i = 0; i < c->lines; i++, p = next)
        TRY(parse_line(ctx, r, c->line + i, p, line_end(p, c->end, &next)));
    return ML_OK;
}

/* The whole pages of a mapped chunk come back from the file should they be needed. */
static void forget_pages(const Chunk *c)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t from = ((uintptr_t)c->begin + page - 1) / page * page,
                    to = (uintptr_t)c->end / page * page;

    if (c->file->mapping && from < to)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

/* ---- parts ---- */

typedef struct Parts {
    const CsvFrameJob *job;
    int64_t first;
} Parts;

static ml_status parse_chunks(Ctx *ctx, PartReader *r)
{
    const CsvFrameJob *job = r->job;
    const int64_t chunks = job->lines->chunks.count, parts = job->build->chunks;

    for (int64_t i = r->part * chunks / parts; i < (r->part + 1) * chunks / parts; i++) {
        r->chunk = &job->lines->chunks.items[i];
        TRY(check_cancel(ctx));
        TRY((job->simple ? parse_marked : parse_lines)(ctx, r));
        forget_pages(r->chunk);
    }
    return ML_OK;
}

static ml_status parse_part(Ctx *ctx, const CsvFrameJob *job, int64_t part)
{
    const int64_t cols = job->build->cols, rows = BLOCK_CELLS / (cols + 1);
    PartReader r = {.job = job, .part = (int)part, .rows = rows < 1 ? 1 : rows};
    ml_status st;

    r.cells = mem_alloc((size_t)(r.rows * (cols + 1)) * sizeof *r.cells);
    if (!r.cells)
        return fail_memory(ctx, (size_t)(r.rows * cols) * sizeof *r.cells);
    st = parse_chunks(ctx, &r);
    mem_free(r.cells);
    return st;
}

static ml_status parse_parts(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Parts *p = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(parse_part(ctx, p->job, p->first + i));
    return ML_OK;
}

/* Where texts of a column hardly repeated in the first parts, the others need not try again. */
static void give_up_sets(FrameBuild *b, int64_t known)
{
    for (int64_t i = 0; i < known * b->cols; i++)
        for (int64_t part = known; b->texts[i].plain && part < b->chunks; part++)
            b->texts[part * b->cols + i % b->cols].plain = true;
}

static ml_status parse_all(Ctx *ctx, const CsvFrameJob *job)
{
    const int64_t parts = job->build->chunks, first = parts < FIRST_PARTS ? parts : FIRST_PARTS;

    TRY(task_for(ctx, first, 1, parse_parts, &(Parts){job, 0}));
    give_up_sets(job->build, first);
    return task_for(ctx, parts - first, 1, parse_parts, &(Parts){job, first});
}

/* Column names from the header line, NULL if there is none. The array is of mem_alloc. */
static ml_status parse_names(Ctx *ctx, const Spec *spec, const char *p, const char *end,
                             int64_t cols, String ***out)
{
    String **names = mem_calloc((size_t)cols + 1, sizeof *names);
    ml_status st = names ? ML_OK : fail_memory(ctx, (size_t)cols * sizeof *names);

    for (int64_t k = 0; k < cols && st == ML_OK; k++) {
        const char *stop = p ? csv_cell_end(spec, p, end, true) : NULL, *a = p, *b = stop;
        char plain[NUM_BUFFER + 1] = {'C'};

        if (p)
            trim_cell(spec, &a, &b);
        if (!a) {
            a = plain;
            b = plain + 1 + num_print_int64(plain + 1, k + 1);
        }
        st = string_new(ctx, a, (size_t)(b - a), &names[k]);
        p = stop && stop < end ? stop + strlen(spec->sep) : NULL;
    }
    for (int64_t k = 0; names && st != ML_OK && k < cols; k++)
        string_release(names[k]);
    if (st != ML_OK)
        mem_free(names);
    else
        *out = names;
    return st;
}

ml_status csv_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Lines lines = {0};
    FrameBuild build = {0};
    CsvFrameJob job = {.spec = spec, .lines = &lines, .build = &build};
    const char *header, *header_end;
    String **names = NULL;
    int64_t cols;
    int parts;
    ml_status st;

    TRY_TO(done, st = csv_open(ctx, spec, in, true, &lines, &header, &header_end, &cols));
    if (spec->schema_count > 1 && spec->schema_count > cols) /* the first line may be short */
        cols = spec->schema_count;
    TRY_TO(done, st = input_check_dims(ctx, spec, lines.count, cols));
    parts = lines.chunks.count < MOST_PARTS ? lines.chunks.count : MOST_PARTS;
    job.simple = !spec->sep[1] && !strchr("\"\r\n", *spec->sep);
    TRY_TO(done, st = frame_build_start(ctx, spec, lines.count, cols, parts, &build));
    TRY_TO(done, st = parse_all(ctx, &job));
    if (header)
        TRY_TO(done, st = parse_names(ctx, spec, header, header_end, cols, &names));
    st = frame_build_finish(ctx, &build, names, out);
done:
    frame_build_free(&build);
    lines_free(&lines);
    return st;
}
