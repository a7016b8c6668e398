/* Binary cell-wise operators on two CSR operands.
 *
 * union: the cells that either one stores; all others are f(0, 0) = 0.  meet: the cells that both
 * store, of operators that leave each other's zeros zero.  Either holds for NaN and infinities too,
 * as these are stored.  Results that turn out zero are dropped by matrix_finish.
 *
 * Two passes over tiles of rows.  The first compares the columns, counts the results and notes: of
 * a union for each result which operand has it, of a meet for each entry whether the other one has
 * it too.  The second follows the notes and computes.  Neither can predict what comes next, so
 * neither branches on it; and as a loop over a short row would mostly mispredict its end, short
 * rows are compared many at a time, by keys of row and column.
 *
 * Memory: a byte an entry of the operands for the notes. */
#include "kernel/cellwise.h"
#include "kernel/csr.h"

#include <string.h>

enum {
    TILE_WORK = 1 << 15, /* entries and rows of a tile, about */
    SHORT_ROW = 48,      /* entries of both operands in a row, on average, that are few */
};

typedef struct MergeJob {
    const BinaryOp *op;
    const Matrix *x, *y;
    bool meet; /* of the two, or union */
    int64_t tile_rows, tiles;
    int64_t *ends;  /* rows + 1: results up to the end of each row, in its tile */
    int64_t *first; /* tiles + 1: results before each tile */
    uint8_t *notes; /* those of a tile begin where the entries of both before it end */
    Matrix *out;
    atomic_int_fast64_t nnz;
} MergeJob;

/* ---- notes ---- */

enum { FROM_X = 1, FROM_Y = 2 };

/* Entries in order, by columns. */
typedef struct Keys {
    const uint32_t *key;
    int64_t n;
} Keys;

/* Note from where each of the results comes; gives their number. */
static int64_t note_union(Keys x, Keys y, uint8_t *note)
{
    int64_t a = 0, b = 0, n = 0;

    for (; a < x.n && b < y.n; n++) {
        const uint32_t p = x.key[a], q = y.key[b];

        note[n] = (uint8_t)((p <= q) + 2 * (q <= p));
        a += p <= q;
        b += q <= p;
    }
    memset(note + n, FROM_X, (size_t)(x.n - a));
    memset(note + n + x.n - a, FROM_Y, (size_t)(y.n - b));
    return n + (x.n - a) + (y.n - b);
}

/* Note for each entry of x, then of y, whether both have it; gives their number. */
static int64_t note_meet(Keys x, Keys y, uint8_t *in_x, uint8_t *in_y)
{
    int64_t a = 0, b = 0, n = 0;

    while (a < x.n && b < y.n) {
        const uint32_t p = x.key[a], q = y.key[b];

        in_x[a] = in_y[b] = p == q;
        n += p == q;
        a += p <= q;
        b += q <= p;
    }
    memset(in_x + a, 0, (size_t)(x.n - a));
    memset(in_y + b, 0, (size_t)(y.n - b));
    return n;
}

/* ---- notes on many short rows ----
 * A step waits for loads that the one before it chose.  So the rows are cut into LANES parts that
 * are walked side by side; each ends with a key that is larger than all, so that the end of one
 * operand alone needs no test. */

enum { LANES = 4, LANE_NOTES = 2 * CSR_WALK, BLOCK_KEYS = CSR_WALK + LANES };
#define LAST_KEY UINT32_MAX

/* Keys of some rows: row in the block and column. */
typedef struct BlockKeys {
    uint32_t key[BLOCK_KEYS];
    int64_t from[LANES], to[LANES]; /* of each lane, without its last key */
    bool met[BLOCK_KEYS];           /* has the other operand this one? */
} BlockKeys;

typedef struct Block {
    BlockKeys x, y;
    uint32_t rank[BLOCK_KEYS]; /* of a key of x: where its lane begins, and keys before that met */
    uint8_t note[LANES][LANE_NOTES];   /* of a union */
    int64_t steps[LANES], both[LANES]; /* that each lane took, keys that met */
} Block;

__attribute__((always_inline)) static inline void lane_step(Block *k, int l, int64_t *a, int64_t *b,
                                                            int64_t t, bool meet)
{
    const uint32_t p = k->x.key[*a], q = k->y.key[*b];
    const bool from_x = p <= q, from_y = q <= p;

    k->rank[*a] = (uint32_t)(*a + *b - t);
    if (meet)
        k->x.met[*a] = k->y.met[*b] = from_x & from_y;
    else
        k->note[l][t] = (uint8_t)(from_x + 2 * from_y);
    *a += from_x;
    *b += from_y;
}

__attribute__((always_inline)) static inline void walk_lanes(Block *k, bool meet)
{
    int64_t a[LANES], b[LANES], begin[LANES], end[LANES], t = 0, rest;
    bool all = true;

    for (int l = 0; l < LANES; l++) {
        a[l] = k->x.from[l];
        b[l] = k->y.from[l];
        begin[l] = a[l] + b[l];
        end[l] = k->x.to[l] + k->y.to[l];
    }
    for (;; t++) {
        for (int l = 0; l < LANES; l++)
            all &= a[l] + b[l] < end[l];
        if (!all)
            break;
        for (int l = 0; l < LANES; l++)
            lane_step(k, l, &a[l], &b[l], t, meet);
    }
    for (int l = 0; l < LANES; l++) {
        for (rest = t; a[l] + b[l] < end[l]; rest++)
            lane_step(k, l, &a[l], &b[l], rest, meet);
        k->steps[l] = rest;
        k->both[l] = end[l] - begin[l] - rest;
        k->rank[k->x.to[l]] = (uint32_t)(end[l] - rest);
    }
}

static void block_union(Block *k)
{
    walk_lanes(k, false);
}

static void block_meet(Block *k)
{
    walk_lanes(k, true);
}

/* ---- which entries meet ---- */

typedef struct Tile {
    int64_t begin, end; /* rows */
    int64_t x0, y0;     /* their first entries */
    uint8_t *notes;     /* of a meet those on x, then those on y */
    int64_t results;    /* so far */
} Tile;

static Tile tile_of(const MergeJob *job, int64_t t)
{
    const int64_t begin = t * job->tile_rows, end = min64(begin + job->tile_rows, job->x->rows);
    const int64_t x0 = job->x->row_ptr[begin], y0 = job->y->row_ptr[begin];

    return (Tile){begin, end, x0, y0, job->notes + x0 + y0, 0};
}

/* The notes on the entries from (a, b) on. */
typedef struct Notes {
    uint8_t *in_x, *in_y; /* of a meet */
    uint8_t *next;        /* of a union */
} Notes;

static Notes notes_at(const MergeJob *job, const Tile *t, int64_t a, int64_t b)
{
    const int64_t nx = job->x->row_ptr[t->end] - t->x0;

    return (Notes){t->notes + (a - t->x0), t->notes + nx + (b - t->y0), t->notes + t->results};
}

static Keys row_columns(const Matrix *m, int64_t i)
{
    return (Keys){m->col_idx + m->row_ptr[i], m->row_ptr[i + 1] - m->row_ptr[i]};
}

static void note_long_row(const MergeJob *job, Tile *t, int64_t i)
{
    const Keys x = row_columns(job->x, i), y = row_columns(job->y, i);
    const Notes notes = notes_at(job, t, job->x->row_ptr[i], job->y->row_ptr[i]);

    t->results +=
        job->meet ? note_meet(x, y, notes.in_x, notes.in_y) : note_union(x, y, notes.next);
    job->ends[i + 1] = t->results;
}

/* Bits of a key for the column; above them is the row in its block. */
static int column_bits(const Matrix *m)
{
    int bits = 0;

    while (m->cols > (int64_t)1 << bits)
        bits++;
    return bits;
}

/* Rows of a block that lane l has, of n: the l-th part of them. */
static int64_t lane_row(int64_t n, int l)
{
    return n * l / LANES;
}

/* Keys of the entries of rows [lo, hi), at most CSR_WALK. */
static void block_keys(const Matrix *m, int64_t lo, int64_t hi, BlockKeys *out)
{
    const int64_t *row_ptr = m->row_ptr;
    const uint32_t *cols = m->col_idx + row_ptr[lo];
    const int bits = column_bits(m);
    CsrWalk w;

    csr_walk(&w, m, lo, hi);
    csr_walk_next(&w);
    for (int l = 0; l < LANES; l++) {
        const int64_t from = row_ptr[lo + lane_row(hi - lo, l)] - row_ptr[lo];
        const int64_t to = row_ptr[lo + lane_row(hi - lo, l + 1)] - row_ptr[lo];

        for (int64_t k = from; k < to; k++)
            out->key[k + l] = w.row[k] << bits | cols[k];
        out->key[to + l] = LAST_KEY;
        out->from[l] = from + l;
        out->to[l] = to + l;
    }
}

/* Row ends and notes of what lane l of rows [lo, hi) has walked. */
static void lane_results(const MergeJob *job, Tile *t, const Block *k, int l, int64_t lo,
                         int64_t hi)
{
    const int64_t *xp = job->x->row_ptr, *yp = job->y->row_ptr, n = hi - lo;
    const int64_t begin = lo + lane_row(n, l), end = lo + lane_row(n, l + 1);
    const int64_t a0 = xp[begin], b0 = yp[begin], before = k->x.from[l] + k->y.from[l];
    const uint32_t *rank = k->rank + k->x.from[l];
    const Notes notes = notes_at(job, t, a0, b0);

    for (int64_t i = begin + 1; i <= end; i++) {
        const int64_t both = rank[xp[i] - a0] - before;

        job->ends[i] = t->results + (job->meet ? both : (xp[i] - a0) + (yp[i] - b0) - both);
    }
    if (job->meet) {
        memcpy(notes.in_x, k->x.met + k->x.from[l], (size_t)(xp[end] - a0));
        memcpy(notes.in_y, k->y.met + k->y.from[l], (size_t)(yp[end] - b0));
    } else {
        memcpy(notes.next, k->note[l], (size_t)k->steps[l]);
    }
    t->results += job->meet ? k->both[l] : k->steps[l];
}

static void note_short_rows(const MergeJob *job, Tile *t, int64_t lo, int64_t hi)
{
    Block k;

    block_keys(job->x, lo, hi, &k.x);
    block_keys(job->y, lo, hi, &k.y);
    (job->meet ? block_meet : block_union)(&k);
    for (int l = 0; l < LANES; l++)
        lane_results(job, t, &k, l, lo, hi);
}

/* The end of a block of rows from lo on that are short; lo when the first is not. */
static int64_t short_rows_end(const MergeJob *job, int64_t lo, int64_t hi, int64_t most)
{
    const int64_t *x = job->x->row_ptr + lo, *y = job->y->row_ptr + lo;
    int64_t n = min64(hi - lo, most);

    while (x[n] - x[0] > CSR_WALK || y[n] - y[0] > CSR_WALK)
        n /= 2;
    return (x[n] - x[0]) + (y[n] - y[0]) < n * SHORT_ROW ? lo + n : lo;
}

static ml_status note_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const MergeJob *job = arg;
    const int64_t most = min64(CSR_WALK, ((int64_t)1 << (32 - column_bits(job->x))) - 1);

    for (int64_t k = lo; k < hi; k++) {
        Tile t = tile_of(job, k);

        for (int64_t i = t.begin, next; i < t.end; i = next) {
            next = short_rows_end(job, i, t.end, most);
            if (next > i)
                note_short_rows(job, &t, i, next);
            else
                note_long_row(job, &t, next++);
        }
        job->first[k + 1] = t.results;
        TRY(check_cancel(ctx));
    }
    return ML_OK;
}

/* ---- the results ---- */

/* Entries that are left. */
typedef struct Rest {
    const uint32_t *idx;
    const double *values;
    const uint8_t *note; /* of a meet */
    int64_t n;
} Rest;

/* *x or 0, without a branch. */
static double value_if(bool stored, const double *x)
{
    uint64_t bits;
    double value;

    memcpy(&bits, x, sizeof bits);
    bits &= -(uint64_t)stored;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The next n results of a union, as the notes say; there are that many. */
static void union_next(Rest *x, Rest *y, const uint8_t *note, int64_t n, double *xs, double *ys,
                       uint32_t *idx)
{
    const uint32_t *p = x->idx, *q = y->idx;
    const double *xv = x->values, *yv = y->values;
    const int64_t na = x->n, nb = y->n;
    int64_t j = 0, a = 0, b = 0;

    for (; j < n && a < na && b < nb; j++) {
        const bool from_x = note[j] & FROM_X, from_y = note[j] & FROM_Y;

        idx[j] = q[b] ^ ((p[a] ^ q[b]) & -(uint32_t)from_x);
        xs[j] = value_if(from_x, &xv[a]);
        ys[j] = value_if(from_y, &yv[b]);
        a += from_x;
        b += from_y;
    }
    for (; j < n && a < na; j++, a++) {
        idx[j] = p[a];
        xs[j] = xv[a];
        ys[j] = 0;
    }
    for (; j < n; j++, b++) {
        idx[j] = q[b];
        xs[j] = 0;
        ys[j] = yv[b];
    }
    *x = (Rest){p + a, xv + a, NULL, na - a};
    *y = (Rest){q + b, yv + b, NULL, nb - b};
}

/* Values, and columns unless NULL, of the next n entries that a meet noted; there are that many. */
static void meet_next(Rest *r, int64_t n, double *values, uint32_t *idx)
{
    enum { GROUP = 8 };
    int64_t k = 0;

    for (int64_t j = 0; j < n;) {
        const int64_t end = min64(k + GROUP, r->n);
        uint64_t group = 1;

        if (end - k == GROUP)
            memcpy(&group, r->note + k, sizeof group);
        for (k = group ? k : end; k < end && j < n; k++) {
            values[j] = r->values[k];
            if (idx)
                idx[j] = r->idx[k];
            j += r->note[k];
        }
    }
    *r = (Rest){r->idx + k, r->values + k, r->note + k, r->n - k};
}

static Rest tile_rest(const Matrix *m, const Tile *t, const uint8_t *note)
{
    const int64_t from = m->row_ptr[t->begin], to = m->row_ptr[t->end];

    return (Rest){m->col_idx + from, m->values + from, note, to - from};
}

/* The results of a tile from `at` on; gives the nonzeros. */
static int64_t compute_tile(const MergeJob *job, const Tile *t, int64_t at, int64_t end)
{
    Rest x = tile_rest(job->x, t, t->notes), y = tile_rest(job->y, t, t->notes + x.n);
    double xs[CELL_CHUNK], ys[CELL_CHUNK];
    const uint8_t *note = t->notes;
    int64_t nnz = 0;

    for (int64_t n; at < end; at += n, note += n) {
        uint32_t *idx = job->out->col_idx + at;

        n = min64(end - at, CELL_CHUNK);
        if (job->meet) {
            meet_next(&x, n, xs, idx);
            meet_next(&y, n, ys, NULL);
        } else {
            union_next(&x, &y, note, n, xs, ys, idx);
        }
        nnz += binary_vv(job->op, xs, ys, job->out->values + at, n);
    }
    return nnz;
}

static ml_status compute_tiles(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    MergeJob *job = arg;
    int64_t nnz = 0;

    for (int64_t k = lo; k < hi; k++) {
        const Tile t = tile_of(job, k);
        const int64_t first = job->first[k];

        nnz += compute_tile(job, &t, first, job->first[k + 1]);
        for (int64_t i = t.begin; i < t.end; i++)
            job->out->row_ptr[i + 1] = first + job->ends[i + 1];
        TRY(check_cancel(ctx));
    }
    /* Relaxed: a sum of integers, read after the tasks have joined. */
    atomic_fetch_add_explicit(&job->nnz, nnz, memory_order_relaxed);
    return ML_OK;
}

static ml_status merge_run(Ctx *ctx, MergeJob *job)
{
    TRY(task_for(ctx, job->tiles, 1, note_tiles, job));
    job->first[0] = 0;
    for (int64_t t = 0; t < job->tiles; t++)
        job->first[t + 1] += job->first[t];
    TRY(matrix_new_csr(ctx, job->x->rows, job->x->cols, job->first[job->tiles], &job->out));
    return task_for(ctx, job->tiles, 1, compute_tiles, job);
}

ml_status binary_sparse_merge(Ctx *ctx, OpCall *call, const BinaryOp *op, const Matrix *x,
                              const Matrix *y, bool meet)
{
    const int64_t entries = csr_nnz(x) + csr_nnz(y);
    MergeJob job = {.op = op, .x = x, .y = y, .meet = meet};
    size_t bytes;
    ml_status st;

    job.tiles = (entries + x->rows + TILE_WORK - 1) / TILE_WORK;
    job.tile_rows = job.tiles > 0 ? (x->rows + job.tiles - 1) / job.tiles : 1;
    job.tiles = (x->rows + job.tile_rows - 1) / job.tile_rows;
    bytes = (size_t)(x->rows + 1 + job.tiles + 1) * sizeof(int64_t) + (size_t)entries;
    job.ends = pool_alloc(ctx, bytes);
    if (!job.ends)
        return ML_ENOMEM;
    job.first = job.ends + x->rows + 1;
    job.notes = (uint8_t *)(job.first + job.tiles + 1);
    st = merge_run(ctx, &job);
    pool_release(ctx->pool, job.ends, bytes);
    if (st != ML_OK) {
        matrix_release(job.out);
        return st;
    }
    return result_matrix(ctx, call, 0, job.out,
                         atomic_load_explicit(&job.nnz, memory_order_relaxed));
}
