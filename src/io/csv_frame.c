/* Reading frames from CSV.
 *
 * Cells lose outer blanks and keep their quotes; a separator inside quotes that open a cell does
 * not end it. Empty cells and NA strings are null (0 or false in numeric columns), and so are cells
 * missing at the end of a short line; a longer line is an error.
 *
 * The text is cut into parts of whole chunks, which are tasks: each has a builder for every text
 * column, and numbers go right into their columns. In long files lines are not counted first: each
 * part has room for some more than samples tell; if one outgrows this (it is a file of parts that
 * differ much inside), or there is no memory for it, lines are counted and all is read again.
 *
 * Where the separator is one character, lines are marked (csv_marks.c) and put column by column
 * (csv_cells.c); lines that are short or quoted in odd ways, and other separators, take the slow
 * way. Text is read chunk by chunk (lines.c), so that text and frame are not held together.
 */
#include "io/csv.h"
#include "io/csv_cells.h"

enum {
    MOST_PARTS = 64,
    FIRST_PARTS = 4,         /* whose texts are known to the others: a few per cent of long files */
    MOST_BUILDERS = 1 << 16, /* of texts */
    BLOCK_CELLS = 8192,      /* of lines that are put at a time, */
    BLOCK_LINES = 16,        /* but so many lines, however wide */
    SPARE = 16,              /* of lines that are guessed, a part in so many and so many */
    SPARE_LINES = 64
};

typedef struct CsvFrameJob {
    const Spec *spec;
    const Lines *lines;
    FrameBuild *build;
    bool simple;           /* the separator is one character, neither quote nor line end */
    bool plain;            /* no NA string could be taken for a number */
    atomic_bool *outgrown; /* a part had more lines than room */
} CsvFrameJob;

typedef struct PartReader {
    const CsvFrameJob *job;
    FramePart *part;
    const Chunk *chunk;
    char *room; /* for the text of a chunk */
    CsvCells cells;
    CsvMarks marks;
    int64_t rows; /* how many lines are put at a time, at most */
} PartReader;

/* ---- lines ---- */

/* Whether n more lines fit; if not, all work ends. */
static bool has_room(const PartReader *r, int64_t n)
{
    if (r->part->rows + n <= r->part->room)
        return true;
    atomic_store(r->job->outgrown, true);
    return false;
}

/* Any line, [p, end). */
static ml_status parse_line(Ctx *ctx, const PartReader *r, const char *p, const char *end)
{
    const size_t n = strlen(r->job->spec->sep);
    const int64_t cols = r->job->build->cols, row = r->part->from + r->part->rows;

    for (int64_t k = 0; k < cols; k++) {
        const char *stop = p ? csv_cell_end(r->job->spec, p, end, true) : NULL;

        TRY(csv_put_cell(ctx, &r->cells, row, k, p, stop));
        if (stop && stop < end && k + 1 == cols)
            return input_fail(ctx, r->chunk->file, stop, "expected %" PRId64 " cells, found more",
                              cols);
        p = stop && stop < end ? stop + n : NULL;
    }
    r->part->rows++;
    return ML_OK;
}

/* The next line, which has other than all its cells or odd quotes. */
static ml_status parse_irregular(Ctx *ctx, PartReader *r)
{
    CsvMarks *m = &r->marks;
    const char *next, *p = csv_marks_line(m), *end = line_end(p, r->chunk->end, &next);

    TRY(parse_line(ctx, r, p, end));
    csv_marks_drop_line(m, next);
    return ML_OK;
}

/* The next n lines, which have all their cells. */
static ml_status parse_regular(Ctx *ctx, PartReader *r, int64_t n)
{
    TRY(csv_put_lines(ctx, &r->cells, r->part->from + r->part->rows, n));
    csv_marks_drop(&r->marks, n);
    r->part->rows += n;
    return ML_OK;
}

static ml_status parse_marked(Ctx *ctx, PartReader *r)
{
    const Chunk *c = r->chunk;

    csv_marks_start(&r->marks, c->begin, c->end);
    while (csv_marks_line(&r->marks) < c->end) {
        int64_t n;

        csv_marks_fill(&r->marks);
        n = csv_marks_regular(&r->marks, r->job->build->cols);
        n = n < r->rows ? n : r->rows;
        if (!has_room(r, n ? n : 1))
            return ML_OK;
        TRY(n ? parse_regular(ctx, r, n) : parse_irregular(ctx, r));
    }
    return ML_OK;
}

static ml_status parse_lines(Ctx *ctx, PartReader *r)
{
    const Chunk *c = r->chunk;
    const char *next;

    for (const char *p = c->begin; p < c->end && has_room(r, 1); p = next)
        TRY(parse_line(ctx, r, p, line_end(p, c->end, &next)));
    return ML_OK;
}

/* ---- parts ---- */

typedef struct Parts {
    const CsvFrameJob *job;
    int64_t first;
} Parts;

/* The range of chunks that are a part. */
static void chunks_of(const CsvFrameJob *job, int64_t part, int64_t *lo, int64_t *hi)
{
    const int64_t chunks = job->lines->chunks.count, parts = job->build->count;

    *lo = part * chunks / parts;
    *hi = (part + 1) * chunks / parts;
}

static ml_status parse_text(Ctx *ctx, PartReader *r, const Chunk *c)
{
    r->chunk = c;
    r->cells.file = c->file;
    return (r->job->simple && csv_marks_fit(c->begin, c->end) ? parse_marked : parse_lines)(ctx, r);
}

static ml_status parse_chunk(Ctx *ctx, PartReader *r, const Chunk *c)
{
    LoadedChunk loaded;

    chunk_load(c, r->room, &loaded);
    r->cells.begin = loaded.begin;
    r->cells.end = loaded.end;
    TRY(parse_text(ctx, r, &loaded.chunk));
    if (loaded.chunk.begin == c->begin)
        chunk_forget(c);
    return ML_OK;
}

static ml_status parse_chunks(Ctx *ctx, PartReader *r)
{
    const CsvFrameJob *job = r->job;
    int64_t lo, hi;

    chunks_of(job, r->cells.part, &lo, &hi);
    for (int64_t i = lo; i < hi && !atomic_load(job->outgrown); i++) {
        TRY(check_cancel(ctx));
        TRY(parse_chunk(ctx, r, &job->lines->chunks.items[i]));
    }
    return ML_OK;
}

/* How many lines are put at a time, at most. */
static int64_t block_lines(int64_t cols)
{
    const int64_t lines = BLOCK_CELLS / (cols + 1) / CSV_GROUP * CSV_GROUP;

    return lines > BLOCK_LINES ? lines : BLOCK_LINES;
}

static ml_status parse_part(Ctx *ctx, const CsvFrameJob *job, int64_t part)
{
    const int64_t cols = job->build->cols;
    PartReader r = {.job = job, .part = &job->build->parts[part], .rows = block_lines(cols)};
    ml_status st;

    r.cells = (CsvCells){.spec = job->spec,
                         .build = job->build,
                         .part = (int)part,
                         .plain = job->plain,
                         .marks = &r.marks};
    TRY(csv_marks_open(ctx, *job->spec->sep, r.rows, cols, &r.marks));
    r.room = pool_alloc(ctx, CHUNK_ROOM);
    st = r.room ? csv_cells_open(ctx, &r.cells, r.rows) : ML_ENOMEM;
    if (st == ML_OK)
        st = parse_chunks(ctx, &r);
    pool_release(ctx->pool, r.room, CHUNK_ROOM);
    csv_cells_close(&r.cells);
    csv_marks_close(&r.marks);
    return st;
}

static ml_status parse_parts(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Parts *p = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(parse_part(ctx, p->job, p->first + i));
    return ML_OK;
}

static ml_status parse_all(Ctx *ctx, const CsvFrameJob *job)
{
    const int64_t parts = job->build->count, first = parts < FIRST_PARTS ? parts : FIRST_PARTS;

    TRY(task_for(ctx, first, 1, parse_parts, &(Parts){job, 0}));
    TRY(frame_build_share(ctx, job->build, (int)first));
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
            csv_trim_cell(spec, &a, &b);
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

/* Room for the lines of each part. */
static ml_status make_room(Ctx *ctx, const CsvFrameJob *job)
{
    FrameBuild *b = job->build;

    for (int part = 0; part < b->count; part++) {
        int64_t lo, hi, n = 0;

        chunks_of(job, part, &lo, &hi);
        for (int64_t i = lo; i < hi; i++)
            n += job->lines->chunks.items[i].lines;
        b->parts[part] = (FramePart){.room = job->lines->guessed ? n + n / SPARE + SPARE_LINES : n};
    }
    return frame_build_room(ctx, b);
}

/* Many parts are worth their builders but in very wide files. */
static int count_parts(int64_t chunks, int64_t cols)
{
    const int64_t wide = MOST_BUILDERS / cols, most = wide < FIRST_PARTS ? FIRST_PARTS : wide;
    const int64_t parts = most < MOST_PARTS ? most : MOST_PARTS;

    return (int)(chunks < parts ? chunks : parts);
}

static ml_status read_parts(Ctx *ctx, const CsvFrameJob *job, int64_t cols)
{
    TRY(frame_build_start(ctx, job->spec, cols, count_parts(job->lines->chunks.count, cols),
                          job->build));
    TRY(make_room(ctx, job));
    return parse_all(ctx, job);
}

static ml_status read_all(Ctx *ctx, const CsvFrameJob *job, Lines *lines, int64_t cols)
{
    const ml_status st = read_parts(ctx, job, cols);

    if (!lines->guessed || (st != ML_ENOMEM && (st != ML_OK || !atomic_load(job->outgrown))))
        return st;
    frame_build_free(job->build);
    atomic_store(job->outgrown, false);
    TRY(lines_count(ctx, lines));
    return read_parts(ctx, job, cols);
}

/* Chunks hold a block of lines, as the first line tells. */
static void widen_chunks(Input *in)
{
    const InputFile *file = in->files;
    const char *newline = file->size ? memchr(file->data, '\n', file->size) : NULL;
    const size_t line = newline ? (size_t)(newline - file->data) + 1 : file->size;

    if (line > in->chunk / BLOCK_LINES && line < SIZE_MAX / BLOCK_LINES)
        in->chunk = line * BLOCK_LINES;
}

ml_status csv_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Lines lines;
    FrameBuild build = {0};
    atomic_bool outgrown = false;
    CsvFrameJob job = {.spec = spec, .lines = &lines, .build = &build, .outgrown = &outgrown};
    const char *header, *header_end;
    String **names = NULL;
    int64_t cols;
    ml_status st;

    widen_chunks(in);
    TRY(lines_guess(ctx, in, &lines));
    TRY_TO(done, st = csv_start(ctx, spec, true, &lines, &header, &header_end, &cols));
    if (spec->schema_count > 1 && spec->schema_count > cols) /* the first line may be short */
        cols = spec->schema_count;
    job.simple = !spec->sep[1] && !strchr("\"\r\n", *spec->sep);
    job.plain = csv_na_is_no_number(spec);
    TRY_TO(done, st = read_all(ctx, &job, &lines, cols));
    TRY_TO(done, st = input_check_dims(ctx, spec, frame_build_rows(&build), cols));
    if (header)
        TRY_TO(done, st = parse_names(ctx, spec, header, header_end, cols, &names));
    st = frame_build_finish(ctx, &build, names, out);
done:
    frame_build_free(&build);
    lines_free(&lines);
    return st;
}
