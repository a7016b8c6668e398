/* rowClassMeet: the meet of two partitions of the columns, row by row.
 *
 * A row of X puts its cells into classes by their whole parts, a row of Y likewise; 0 and NaN are
 * no class.  Cells that both rows put together form a class of the meet.  Result I has the number
 * of each cell's class, N its size, both 0 for a cell without class, as are cells that only one
 * operand has.
 *
 * Numbers count from 1 in each row.  Their order means nothing; it is the one that scripts for the
 * reference may have seen: by bucket of the smallest hash table of 16, 32 ... buckets that the
 * classes fill to at most three quarters, under the hash 961 + 31 x + y in 32 bits, in a bucket by
 * first cell.  Cost: linear, on chained hash tables that each task reuses. */
#include "kernel/kernel.h"

#include <math.h>

typedef struct Class {
    double x, y;
    int64_t size, number, next; /* next in the chain of its bucket, or -1 */
} Class;

typedef struct MeetJob {
    const Matrix *x, *y;
    Matrix *number, *size;
    int64_t cols, buckets;
} MeetJob;

/* One task's scratch, in one piece of memory. */
typedef struct Meet {
    Class *classes;
    int64_t count;
    int64_t *heads;    /* first class of each bucket, or -1 */
    int64_t *class_of; /* of each column, or -1 */
    double *row_x, *row_y;
    void *memory;
    size_t bytes;
} Meet;

/* ---- classes of a row ---- */

static int64_t buckets_for(int64_t classes)
{
    int64_t buckets = 16;

    while (4 * classes > 3 * buckets)
        buckets *= 2;
    return buckets;
}

static void clear_buckets(Meet *t, int64_t buckets)
{
    for (int64_t b = 0; b < buckets; b++)
        t->heads[b] = -1;
}

/* Spreads well, unlike the hash that numbers the classes: that one puts all (x, x) together. */
static int64_t bucket_to_find(double x, double y, int64_t buckets)
{
    const uint64_t h = (uint64_t)double_to_int(x) * 0x9e3779b97f4a7c15u ^
                       (uint64_t)double_to_int(y) * 0xc2b2ae3d27d4eb4fu;

    return (int64_t)((h ^ h >> 32) & (uint64_t)(buckets - 1));
}

static int64_t bucket_to_number(const Class *c, int64_t buckets)
{
    const uint32_t h = 961 + 31 * (uint32_t)double_to_int(c->x) + (uint32_t)double_to_int(c->y);

    return (int64_t)((h ^ h >> 16) & (uint32_t)(buckets - 1));
}

/* Index of the class of whole numbers x, y, which is made where there is none. */
static int64_t class_at(Meet *t, double x, double y, int64_t buckets)
{
    int64_t *head = &t->heads[bucket_to_find(x, y, buckets)];

    for (int64_t c = *head; c >= 0; c = t->classes[c].next)
        if (t->classes[c].x == x && t->classes[c].y == y)
            return c;
    t->classes[t->count] = (Class){.x = x, .y = y, .next = *head};
    *head = t->count;
    return t->count++;
}

static void find_classes(Meet *t, const double *x, const double *y, int64_t cols)
{
    const int64_t buckets = buckets_for(cols);

    t->count = 0;
    clear_buckets(t, buckets);
    for (int64_t j = 0; j < cols; j++) {
        const double a = trunc(x[j]), b = trunc(y[j]);
        const bool classed = fabs(a) > 0 && fabs(b) > 0; /* false for NaN */

        t->class_of[j] = classed ? class_at(t, a, b, buckets) : -1;
        if (classed)
            t->classes[t->class_of[j]].size++;
    }
}

/* From the last class to the first, so that chains are in the order of first cells. */
static void number_classes(Meet *t)
{
    const int64_t buckets = buckets_for(t->count);
    int64_t number = 0;

    clear_buckets(t, buckets);
    for (int64_t c = t->count - 1; c >= 0; c--) {
        int64_t *head = &t->heads[bucket_to_number(&t->classes[c], buckets)];

        t->classes[c].next = *head;
        *head = c;
    }
    for (int64_t b = 0; b < buckets; b++)
        for (int64_t c = t->heads[b]; c >= 0; c = t->classes[c].next)
            t->classes[c].number = ++number;
}

/* ---- rows ---- */

static ml_status meet_new(Ctx *ctx, const MeetJob *job, Meet *t)
{
    const size_t n = (size_t)job->cols, wide_x = (size_t)job->x->cols,
                 wide_y = (size_t)job->y->cols;

    *t = (Meet){0};
    t->bytes = n * (sizeof *t->classes + sizeof *t->class_of) +
               (size_t)job->buckets * sizeof *t->heads + (wide_x + wide_y) * sizeof(double);
    t->memory = pool_alloc(ctx, t->bytes);
    if (!t->memory)
        return ML_ENOMEM;
    t->classes = t->memory;
    t->class_of = (int64_t *)(void *)(t->classes + n);
    t->heads = t->class_of + n;
    t->row_x = (double *)(void *)(t->heads + job->buckets);
    t->row_y = t->row_x + wide_x;
    return ML_OK;
}

static ml_status rows_task(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const MeetJob *job = arg;
    const int64_t width = job->number->cols;
    Meet t;

    TRY(meet_new(ctx, job, &t));
    for (int64_t i = lo; i < hi; i++) {
        find_classes(&t, matrix_row(job->x, i, t.row_x), matrix_row(job->y, i, t.row_y), job->cols);
        number_classes(&t);
        for (int64_t j = 0; j < job->cols; j++)
            if (t.class_of[j] >= 0) {
                job->number->values[i * width + j] = (double)t.classes[t.class_of[j]].number;
                job->size->values[i * width + j] = (double)t.classes[t.class_of[j]].size;
            }
    }
    pool_release(ctx->pool, t.memory, t.bytes);
    return ML_OK;
}

static int64_t greater(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

ml_status ml_k_rowClassMeet(Ctx *ctx, OpCall *call)
{
    Matrix *x, *y, *out[2] = {NULL, NULL};
    MeetJob job;
    ml_status st = ML_OK;

    TRY(call_matrix(ctx, call, 0, &x));
    TRY(call_matrix(ctx, call, 1, &y));
    for (int k = 0; st == ML_OK && k < 2; k++)
        st = matrix_new_zero(ctx, greater(x->rows, y->rows), greater(x->cols, y->cols), &out[k]);
    if (st == ML_OK) {
        job = (MeetJob){x, y, out[0], out[1], min64(x->cols, y->cols), 0};
        job.buckets = buckets_for(job.cols);
        st = task_for(ctx, min64(x->rows, y->rows), task_grain(32 * job.cols), rows_task, &job);
    }
    for (int k = 0; k < 2; k++)
        if (st == ML_OK)
            st = result_matrix(ctx, call, k, out[k], -1);
        else
            matrix_release(out[k]);
    return st;
}
