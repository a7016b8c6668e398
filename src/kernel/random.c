/* rand and sample.
 *
 * Every number is a function of the seed and of the cell alone: the stream of the generator
 * (simd/random.h) tells the purpose, the counter the cell.  So any division into tasks gives the
 * same matrix.  Sparse matrices are made without visiting their zeros: within a tile of whole rows,
 * the gaps between nonzeros are geometric numbers drawn by inversion, once to count and once to
 * fill; the tile is part of their stream. Poisson numbers are found by binary search in a table of
 * the distribution function (poisson.c). */
#include "kernel/random.h"
#include "kernel/simd/stream.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

enum { TILE_GROUPS = 64, TILE = TILE_GROUPS * RANDOM_GROUP, SPARSE_TILE = 1 << 16 };

static const double SPARSE_BELOW = 0.3; /* where drawing gaps is cheaper than drawing cells */

/* ---- seeds ---- */

/* A thorough mix of one word (finalizer of splitmix64). */
static uint64_t mix(uint64_t x)
{
    x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ x >> 27) * UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* The seed of a call without one: the next of the run's own seed, or fresh. */
static uint64_t draw_seed(Ctx *ctx)
{
    /* Relaxed: the numbers only have to differ. */
    const uint64_t count = atomic_fetch_add_explicit(ctx->unseeded, 1, memory_order_relaxed);
    uint64_t seed = (uint64_t)ctx->opt->seed;

    if (ctx->opt->seed == -1 && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (uint64_t)clock_now();
    return mix(seed + (count + 1) * UINT64_C(0x9E3779B97F4A7C15));
}

ml_status random_seed(Ctx *ctx, const OpCall *call, int k, uint64_t *seed)
{
    int64_t given = -1;

    if (call_has(call, k))
        TRY(call_int(ctx, call, k, &given));
    *seed = given == -1 ? draw_seed(ctx) : (uint64_t)given;
    return ML_OK;
}

/* ---- distributions ---- */

typedef enum Pdf { PDF_UNIFORM, PDF_NORMAL, PDF_POISSON } Pdf;

typedef struct Rand {
    const RandomLoops *loops;
    int64_t rows, cols;
    double min, max, sparsity, lambda;
    Pdf pdf;
    uint64_t seed;
    Poisson poisson;
} Rand;

/* n <= TILE cells from words of the stream, the first is cell 0 of `group`; gives the nonzeros. */
static int64_t draw(const Rand *r, uint64_t stream, uint64_t group, double *out, int64_t n)
{
    const int64_t groups = (n + RANDOM_GROUP - 1) / RANDOM_GROUP;
    uint64_t words[TILE];
    double cells[TILE];

    r->loops->words(r->seed, stream, group, groups, words);
    if (r->pdf == PDF_UNIFORM)
        return r->loops->uniform(words, r->min, r->max - r->min, out, n);
    if (r->pdf == PDF_NORMAL)
        r->loops->normal(words, cells, groups);
    else
        poisson_cells(&r->poisson, r->loops, words, cells, groups * RANDOM_GROUP);
    memcpy(out, cells, (size_t)n * sizeof *out);
    return matrix_count_nnz(out, n);
}

/* ---- dense ---- */

typedef struct DenseJob {
    const Rand *r;
    Matrix *out;
    int64_t cells;
    bool far; /* stored past the caches */
    atomic_int_fast64_t nnz;
} DenseJob;

/* Zero all cells but those that a second word chooses; gives the nonzeros. */
static int64_t thin_out(const Rand *r, uint64_t group, double *out, int64_t n)
{
    uint64_t words[TILE];
    double u[TILE];
    int64_t nnz = 0;

    r->loops->words(r->seed, STREAM_CHOICE, group, (n + RANDOM_GROUP - 1) / RANDOM_GROUP, words);
    r->loops->uniform(words, 0, 1, u, n);
    for (int64_t i = 0; i < n; i++) {
        out[i] = u[i] < r->sparsity ? out[i] : 0;
        nnz += out[i] != 0;
    }
    return nnz;
}

/* Gives the nonzeros. */
static int64_t dense_tile(const DenseJob *job, int64_t tile)
{
    const int64_t at = tile * TILE, n = min64(TILE, job->cells - at);
    const uint64_t group = (uint64_t)tile * TILE_GROUPS;
    double scratch[TILE], *out = job->far ? scratch : matrix_target(job->out, at, scratch);
    int64_t nnz = draw(job->r, STREAM_CELLS, group, out, n);

    if (job->r->sparsity < 1)
        nnz = thin_out(job->r, group, out, n);
    if (!job->far)
        return matrix_store(job->out, at, n, out, nnz);
    stream_cells(job->out->values + at, out, n);
    return nnz;
}

static ml_status dense_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    DenseJob *job = arg;
    int64_t nnz = 0;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++)
        nnz += dense_tile(job, tile);
    if (job->far)
        stream_end();
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status rand_dense(Ctx *ctx, const Rand *r, Matrix **out, int64_t *nnz)
{
    DenseJob job = {.r = r};

    TRY(matrix_new_dense_of(ctx, precision_type(ctx), r->rows, r->cols, out));
    job.out = *out;
    job.cells = matrix_cells(*out);
    job.far = !(*out)->singles && job.cells >= STREAM_LEAST;
    TRY(task_for(ctx, (job.cells + TILE - 1) / TILE, task_grain(TILE), dense_tiles, &job));
    *nnz = atomic_load_explicit(&job.nnz, memory_order_relaxed);
    return ML_OK;
}

/* ---- sparse ---- */

typedef struct SparseJob {
    const Rand *r;
    double log_fail; /* log(1 - sparsity) */
    int64_t tile_rows;
    int64_t *ends;   /* where each row ends, or each tile; one more than these */
    bool hyper;      /* tiles */
    int64_t *row_of; /* hyper: the row of each entry */
    Matrix *out;     /* NULL while counting */
} SparseJob;

/* Where the entries of a tile begin in `ends`; the next tile is where they end. */
static int64_t tile_begin(const SparseJob *job, int64_t tile)
{
    const int64_t row = tile * job->tile_rows;

    if (job->hyper)
        return tile;
    return row < job->r->rows ? row : job->r->rows;
}

static void put_position(const SparseJob *job, int64_t entry, int64_t row, int64_t col)
{
    job->out->col_idx[entry] = (uint32_t)col;
    if (job->hyper)
        job->row_of[entry] = row;
}

/* The entries of one tile: count them a row, or store their columns and values. */
static void sparse_tile(const SparseJob *job, int64_t tile)
{
    const Rand *r = job->r;
    const int64_t first = tile * job->tile_rows, rest = r->rows - first;
    const int64_t rows = rest < job->tile_rows ? rest : job->tile_rows;
    const uint64_t stream = (uint64_t)tile << 8 | STREAM_GAPS;
    const double cells = (double)rows * (double)r->cols;
    uint64_t words[TILE];
    double gaps[TILE], at = -1;
    int64_t row = 0, start = 0, entry = job->out ? job->ends[tile_begin(job, tile)] : 0;

    for (uint64_t group = 0;; group += TILE_GROUPS) {
        r->loops->words(r->seed, stream, group, TILE_GROUPS, words);
        r->loops->gaps(words, job->log_fail, gaps, TILE);
        for (int k = 0; k < TILE; k++) {
            at += gaps[k] + 1;
            if (!(at < cells))
                return;
            if ((int64_t)at >= start + r->cols) {
                row = (int64_t)at / r->cols;
                start = row * r->cols;
            }
            if (job->out)
                put_position(job, entry++, first + row, (int64_t)at - start);
            else
                job->ends[job->hyper ? tile + 1 : first + row + 1]++;
        }
    }
}

/* Values of a tile's entries, by their order in it. */
static void sparse_values(const SparseJob *job, int64_t tile)
{
    const int64_t begin = job->ends[tile_begin(job, tile)];
    const int64_t end = job->ends[tile_begin(job, tile + 1)];
    const uint64_t stream = (uint64_t)tile << 8 | STREAM_VALUES;

    for (int64_t at = begin; at < end; at += TILE) {
        const int64_t n = end - at < TILE ? end - at : TILE;
        double scratch[TILE], *out = matrix_target(job->out, at, scratch);

        draw(job->r, stream, (uint64_t)(at - begin) / RANDOM_GROUP, out, n);
        matrix_store(job->out, at, n, out, 0);
    }
}

static ml_status count_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SparseJob *job = arg;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++)
        sparse_tile(job, tile);
    return ML_OK;
}

static ml_status fill_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const SparseJob *job = arg;

    (void)ctx;
    for (int64_t tile = lo; tile < hi; tile++) {
        sparse_tile(job, tile);
        sparse_values(job, tile);
    }
    return ML_OK;
}

/* Counts become ends: of rows or tiles. */
static void sum_counts(int64_t *ends, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        ends[i + 1] += ends[i];
}

static ml_status sparse_run(Ctx *ctx, SparseJob *job, int64_t tiles)
{
    const Rand *r = job->r;

    memset(job->ends, 0, (size_t)(r->rows + 1) * sizeof *job->ends);
    TRY(task_for(ctx, tiles, 1, count_tiles, job));
    sum_counts(job->ends, r->rows);
    TRY(matrix_new_csr_of(ctx, precision_type(ctx), r->rows, r->cols, job->ends[r->rows],
                          &job->out));
    memcpy(job->out->row_ptr, job->ends, (size_t)(r->rows + 1) * sizeof *job->ends);
    return task_for(ctx, tiles, 1, fill_tiles, job);
}

/* Entries whose value came out as zero leave. */
static ml_status keep_nonzeros(Ctx *ctx, SparseJob *job, int64_t n, Matrix **out)
{
    int64_t kept = 0;

    for (int64_t k = 0; k < n; k++) {
        const double cell = matrix_cell(job->out, k);

        if (cell == 0)
            continue;
        matrix_put(job->out, kept, cell);
        job->out->col_idx[kept] = job->out->col_idx[k];
        job->row_of[kept++] = job->row_of[k];
    }
    return matrix_of_entries(ctx, job->r->rows, kept, job->row_of, job->out, out);
}

/* The same entries, without a word for every row. */
static ml_status hyper_fill(Ctx *ctx, SparseJob *job, int64_t tiles, Matrix **out)
{
    const int64_t nnz = job->ends[tiles];
    const size_t bytes = (size_t)nnz * sizeof *job->row_of;
    ml_status st = matrix_new_csr_of(ctx, precision_type(ctx), nnz, job->r->cols, nnz, &job->out);

    if (st == ML_OK) {
        job->row_of = pool_alloc(ctx, bytes);
        st = job->row_of ? task_for(ctx, tiles, 1, fill_tiles, job) : ML_ENOMEM;
    }
    if (st == ML_OK)
        st = keep_nonzeros(ctx, job, nnz, out);
    pool_release(ctx->pool, job->row_of, bytes);
    matrix_release(job->out);
    return st;
}

static ml_status hyper_run(Ctx *ctx, SparseJob *job, int64_t tiles, Matrix **out)
{
    memset(job->ends, 0, (size_t)(tiles + 1) * sizeof *job->ends);
    TRY(task_for(ctx, tiles, 1, count_tiles, job));
    sum_counts(job->ends, tiles);
    return hyper_fill(ctx, job, tiles, out);
}

/* As many rows as hold SPARSE_TILE expected entries: gaps are drawn TILE at a time, and what a tile
 * leaves over is wasted. Positions in a tile are counted in doubles, which bounds its cells. */
static int64_t sparse_tile_rows(const Rand *r)
{
    const double entries = (double)r->cols * r->sparsity, rows = ceil(SPARSE_TILE / entries);
    const double most = fmin((double)r->rows, 0x1p50 / (double)r->cols);

    return (int64_t)fmax(1, fmin(rows, most));
}

static ml_status rand_sparse(Ctx *ctx, const Rand *r, Matrix **out)
{
    const double entries = (double)r->rows * (double)r->cols * r->sparsity;
    SparseJob job = {.r = r, .log_fail = log1p(-r->sparsity)};
    int64_t tiles;
    size_t bytes;
    ml_status st;

    job.tile_rows = sparse_tile_rows(r);
    job.hyper = matrix_is_hyper(r->rows, (int64_t)entries);
    tiles = (r->rows + job.tile_rows - 1) / job.tile_rows;
    bytes = (size_t)((job.hyper ? tiles : r->rows) + 1) * sizeof(int64_t);
    job.ends = pool_alloc(ctx, bytes);
    if (!job.ends)
        return ML_ENOMEM;
    st = job.hyper ? hyper_run(ctx, &job, tiles, out) : sparse_run(ctx, &job, tiles);
    pool_release(ctx->pool, job.ends, bytes);
    if (!job.hyper)
        *out = job.out;
    return st;
}

/* ---- rand ---- */

static ml_status read_pdf(Ctx *ctx, const OpCall *call, Rand *r)
{
    static const char *const names[] = {"uniform", "normal", "poisson"};
    const char *name = "";

    TRY(call_text(ctx, call, 5, &name));
    for (int k = 0; k < 3; k++)
        if (strcmp(name, names[k]) == 0) {
            r->pdf = (Pdf)k;
            return ML_OK;
        }
    return fail(ctx, ML_EVALUE, "rand: pdf should be uniform, normal or poisson, found '%s'", name);
}

static ml_status read_rand(Ctx *ctx, const OpCall *call, Rand *r)
{
    TRY(call_int(ctx, call, 0, &r->rows));
    TRY(call_int(ctx, call, 1, &r->cols));
    TRY(call_double(ctx, call, 2, &r->min));
    TRY(call_double(ctx, call, 3, &r->max));
    TRY(call_double(ctx, call, 4, &r->sparsity));
    TRY(read_pdf(ctx, call, r));
    TRY(call_double(ctx, call, 6, &r->lambda));
    TRY(random_seed(ctx, call, 7, &r->seed));
    if (r->rows < 0 || r->cols < 0)
        return fail(ctx, ML_EVALUE,
                    "rand: %" PRId64 " rows and %" PRId64 " columns are not possible", r->rows,
                    r->cols);
    if (!(r->sparsity >= 0 && r->sparsity <= 1))
        return fail(ctx, ML_EVALUE, "rand: sparsity should be in [0, 1], found %s",
                    NUM_SHOW(r->sparsity));
    if (r->pdf == PDF_POISSON && !(r->lambda >= 0 && r->lambda <= POISSON_MAX))
        return fail(ctx, ML_EVALUE, "rand: lambda should be in [0, %s], found %s",
                    NUM_SHOW(POISSON_MAX), NUM_SHOW(r->lambda));
    r->loops = random_loops_at(cpu_level(ctx));
    return ML_OK;
}

static bool is_sparse(const Rand *r)
{
    return r->sparsity > 0 && r->sparsity < SPARSE_BELOW && r->cols > 1 && r->cols <= UINT32_MAX;
}

static ml_status rand_matrix(Ctx *ctx, const Rand *r, Matrix **out, int64_t *nnz)
{
    const bool constant = r->pdf == PDF_UNIFORM && r->min == r->max;

    if (r->sparsity == 0 || (constant && r->sparsity == 1))
        return matrix_new_constant(ctx, r->rows, r->cols, r->sparsity > 0 ? r->min : 0, out);
    return is_sparse(r) ? rand_sparse(ctx, r, out) : rand_dense(ctx, r, out, nnz);
}

ml_status ml_k_rand(Ctx *ctx, OpCall *call)
{
    Rand r = {0};
    Matrix *out = NULL;
    int64_t nnz = -1;
    ml_status st;

    TRY(read_rand(ctx, call, &r));
    if (r.pdf == PDF_POISSON)
        TRY(poisson_init(ctx, &r.poisson, r.lambda));
    st = rand_matrix(ctx, &r, &out, &nnz);
    poisson_free(ctx, &r.poisson);
    if (st != ML_OK) {
        matrix_release(out);
        return st;
    }
    return result_matrix(ctx, call, 0, out, nnz);
}
