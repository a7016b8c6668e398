/* Reading frames from CSV.
 *
 * Cells lose outer blanks and keep their quotes; a separator inside quotes that open a cell does
 * not end it. Empty cells and NA strings are null (0 or false in numeric columns), and so are cells
 * missing at the end of a short line; a longer line is an error.
 */
#include "io/csv.h"
#include "io/frame_build.h"

typedef struct CsvFrameJob {
    const Spec *spec;
    const Lines *lines;
    FrameBuild *build;
} CsvFrameJob;

/* The cell [*p, end) without outer blanks; *p NULL if it is empty or NA. */
static void trim_cell(const Spec *spec, const char **p, const char **end)
{
    *p = skip_blanks(*p, *end);
    while (*end > *p && is_blank((*end)[-1]))
        --*end;
    if (*p == *end || csv_is_na(spec, *p, *end))
        *p = NULL;
}

static ml_status parse_line(Ctx *ctx, const CsvFrameJob *job, int chunk, const InputFile *file,
                            int64_t row, const char *p, const char *end)
{
    const size_t n = strlen(job->spec->sep);
    const int64_t cols = job->build->cols;

    for (int64_t k = 0; k < cols; k++) {
        const char *stop = p ? csv_cell_end(job->spec, p, end, true) : NULL;
        const char *a = p, *b = stop;

        if (p)
            trim_cell(job->spec, &a, &b);
        TRY(frame_build_put(ctx, job->build, chunk, file, row, k, a, b));
        if (stop && stop < end && k + 1 == cols)
            return input_fail(ctx, file, stop, "expected %" PRId64 " cells, found more", cols);
        p = stop && stop < end ? stop + n : NULL;
    }
    return ML_OK;
}

static ml_status parse_chunks(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const CsvFrameJob *job = arg;

    for (int64_t i = lo; i < hi; i++) {
        const Chunk *c = &job->lines->chunks.items[i];
        const char *p = c->begin, *next;

        TRY(check_cancel(ctx));
        for (int64_t r = 0; r < c->lines; r++, p = next) {
            const char *end = line_end(p, c->end, &next);

            TRY(parse_line(ctx, job, (int)i, c->file, c->line + r, p, end));
        }
    }
    return ML_OK;
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
    CsvFrameJob job = {spec, &lines, &build};
    const char *header, *header_end;
    String **names = NULL;
    int64_t cols;
    ml_status st;

    TRY_TO(done, st = csv_open(ctx, spec, in, true, &lines, &header, &header_end, &cols));
    if (spec->schema_count > 1 && spec->schema_count > cols) /* the first line may be short */
        cols = spec->schema_count;
    TRY_TO(done, st = input_check_dims(ctx, spec, lines.count, cols));
    TRY_TO(done, st = frame_build_start(ctx, spec, lines.count, cols, lines.chunks.count, &build));
    TRY_TO(done, st = task_for(ctx, lines.chunks.count, 1, parse_chunks, &job));
    if (header)
        TRY_TO(done, st = parse_names(ctx, spec, header, header_end, cols, &names));
    st = frame_build_finish(ctx, &build, names, out);
done:
    frame_build_free(&build);
    lines_free(&lines);
    return st;
}
