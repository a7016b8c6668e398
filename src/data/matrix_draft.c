/* matrix_draft: matrices that a loop is building.
 *
 * X = cbind(X, v), again and again: rows lie one behind the other, so a column more would move all
 * cells.  Instead the columns wait beside each other as they are, and are put together once, for
 * the first who reads them otherwise.  Adding costs the growth of a list; a loop that adds n
 * columns, and reads them when it is done, costs the cells it adds and one copy of them.
 *
 * A draft that somebody else has as well is never changed: its pieces are shared, its list is not.
 */
#include "data/matrix_draft.h"

#include "task/task.h"

struct Pieces {
    VEC(Matrix *) parts;
    VEC(int64_t) ends; /* the column after each part */
};

void pieces_free(Pieces *p)
{
    if (!p)
        return;
    for (int k = 0; k < p->parts.count; k++)
        matrix_release(p->parts.items[k]);
    VEC_FREE(&p->parts);
    VEC_FREE(&p->ends);
    mem_free(p);
}

/* ---- adding ---- */

/* m grows by a matrix, or by the pieces of one. */
static ml_status add_piece(Ctx *ctx, Matrix *m, Matrix *part)
{
    Pieces *p = m->pieces;
    const Pieces *more = part->pieces;

    for (int k = 0; more && k < more->parts.count; k++)
        TRY(add_piece(ctx, m, more->parts.items[k]));
    if (more)
        return ML_OK;
    if (!VEC_PUSH(&p->ends, m->cols + part->cols))
        return fail_memory(ctx, (size_t)p->ends.count * sizeof(int64_t));
    if (!VEC_PUSH(&p->parts, part)) {
        p->ends.count--;
        return fail_memory(ctx, (size_t)p->parts.count * sizeof(Matrix *));
    }
    matrix_retain(part);
    m->cols += part->cols;
    m->nnz += part->nnz;
    return ML_OK;
}

static ml_status new_pieces(Ctx *ctx, int64_t rows, Matrix **out)
{
    Matrix *m = NULL;

    TRY(matrix_new_constant(ctx, rows, 0, 0, &m));
    m->pieces = mem_calloc(1, sizeof *m->pieces);
    if (!m->pieces) {
        matrix_release(m);
        return fail_memory(ctx, sizeof *m->pieces);
    }
    m->format = MATRIX_PIECES;
    m->grown = true;
    *out = m;
    return ML_OK;
}

ml_status matrix_pieces(Ctx *ctx, Matrix *const *parts, int n, bool owned, Matrix **out)
{
    const bool add = owned && parts[0]->format == MATRIX_PIECES;
    Matrix *m = NULL;
    ml_status st = ML_OK;

    if (add)
        m = matrix_retain(parts[0]);
    else
        TRY(new_pieces(ctx, parts[0]->rows, &m));
    for (int k = add; k < n && st == ML_OK; k++)
        st = add_piece(ctx, m, parts[k]);
    if (st != ML_OK) {
        matrix_release(m);
        return st;
    }
    *out = m;
    return ML_OK;
}

/* ---- reading ---- */

Matrix *matrix_piece(const Matrix *m, int64_t lo, int64_t hi, int64_t *first)
{
    const Pieces *p = m->pieces;
    int a = 0, b = p->parts.count;

    while (a < b) {
        const int mid = a + (b - a) / 2;

        if (p->ends.items[mid] <= lo)
            a = mid + 1;
        else
            b = mid;
    }
    if (a == p->parts.count || hi > p->ends.items[a])
        return NULL;
    *first = p->ends.items[a] - p->parts.items[a]->cols;
    return p->parts.items[a];
}

/* ---- settling ---- */

static ml_status settled_pieces(Ctx *ctx, const Matrix *m, Matrix **out)
{
    const Pieces *p = m->pieces;

    TRY(matrix_cbind(ctx, precision_type(ctx), p->parts.items, p->parts.count, m->nnz, out));
    (*out)->nnz = m->nnz;
    (*out)->grown = true;
    return ML_OK;
}

/* All but the count of owners. */
static void swap_contents(Matrix *a, Matrix *b)
{
    const Matrix other = *a;
    const int a_refs = atomic_load_explicit(&a->refs, memory_order_relaxed);
    const int b_refs = atomic_load_explicit(&b->refs, memory_order_relaxed);

    *a = *b;
    *b = other;
    atomic_init(&a->refs, a_refs);
    atomic_init(&b->refs, b_refs);
}

ml_status matrix_settled(Ctx *ctx, Matrix *m, Matrix **out)
{
    Matrix *settled = NULL;

    if (matrix_is_draft(m)) {
        TRY(m->format == MATRIX_PIECES ? settled_pieces(ctx, m, &settled)
                                       : edits_settled(ctx, m, &settled));
        /* Acquire: what former owners read comes before what we write; see call_owned. */
        if (atomic_load_explicit(&m->refs, memory_order_acquire) != 1) {
            *out = settled;
            return ML_OK;
        }
        swap_contents(m, settled);
        matrix_release(settled);
    }
    *out = matrix_retain(m);
    return ML_OK;
}
