/* transform: encoding of frames as operators; transform.h tells how the parts work together. */
#include "kernel/transform.h"

#include <string.h>

/* ---- columns through a function of the script ---- */

/* Columns [first, first + width) of a dense matrix, to it or from it. */
static void move_columns(double *all, int64_t cols, Matrix *part, int64_t first, bool back)
{
    const size_t bytes = (size_t)part->cols * sizeof *all;

    for (int64_t i = 0; i < part->rows; i++) {
        double *a = all + i * cols + first, *b = part->values + i * part->cols;

        memcpy(back ? a : b, back ? b : a, bytes);
    }
}

/* The function's result for columns of m, which have their shape, replaces them. */
static ml_status through_function(Ctx *ctx, const char *name, Matrix *m, const Coder *c)
{
    Matrix *in = NULL, *found = NULL, *out = NULL;
    ml_status st;

    TRY(matrix_new_dense(ctx, m->rows, c->width, &in));
    move_columns(m->values, m->cols, in, c->first, false);
    st = matrix_finish(ctx, &in, -1);
    if (st == ML_OK)
        st = ctx->call_function(ctx, name, in, &found);
    if (st == ML_OK && (found->rows != m->rows || found->cols != c->width))
        st = fail(ctx, ML_ESHAPE,
                  "expected the function '%s' to return %" PRId64 "x%" PRId64
                  ", as it is given, found %" PRId64 "x%" PRId64,
                  name, m->rows, c->width, found->rows, found->cols);
    if (st == ML_OK)
        st = matrix_doubles(ctx, found, &out);
    if (st == ML_OK)
        move_columns(m->values, m->cols, out, c->first, true);
    matrix_release(in);
    matrix_release(found);
    matrix_release(out);
    return st;
}

static ml_status apply_function(Ctx *ctx, const Transform *t, const Frame *f, Matrix **m)
{
    Matrix *dense = NULL;

    if (!t->spec.udf)
        return ML_OK;
    if (!ctx->call_function)
        return fail(ctx, ML_EUNSUPPORTED, "udf: expected a script that has the function '%s'",
                    t->spec.udf->text);
    TRY(matrix_doubles(ctx, *m, &dense));
    matrix_release(*m);
    *m = dense;
    TRY(matrix_writable(ctx, m));
    for (int64_t j = 0; j < t->spec.cols; j++)
        if (t->spec.columns[j].udf)
            TRY(frame_name_column(ctx, f, j,
                                  through_function(ctx, t->spec.udf->text, *m, &t->coders[j])));
    return ML_OK;
}

/* ---- operators ---- */

static ml_status encode(Ctx *ctx, OpCall *call, const Transform *t, const Frame *f)
{
    Matrix *m = NULL;
    ml_status st;

    TRY(transform_apply(ctx, t, f, &m));
    st = apply_function(ctx, t, f, &m);
    if (st == ML_OK)
        return result_matrix(ctx, call, 0, m, -1);
    matrix_release(m);
    return st;
}

ml_status ml_k_transformencode(Ctx *ctx, OpCall *call)
{
    const char *json;
    Transform t = {0};
    Frame *f, *meta = NULL;
    ml_status st;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_text(ctx, call, 1, &json));
    TRY_TO(done, st = transform_learn(ctx, json, f, &t));
    TRY_TO(done, st = transform_meta(ctx, &t, f, &meta));
    call->out[1] = value_frame(meta);
    st = encode(ctx, call, &t, f);
done:
    transform_free(&t);
    return st;
}

/* The embedding as dense doubles, for matrix_release; NULL when there is none. */
static ml_status embedding(Ctx *ctx, OpCall *call, Matrix **out)
{
    Matrix *m;

    if (!call_has(call, 3))
        return ML_OK;
    TRY(call_matrix(ctx, call, 3, &m));
    return matrix_doubles(ctx, m, out);
}

ml_status ml_k_transformapply(Ctx *ctx, OpCall *call)
{
    const char *json;
    Transform t = {0};
    Matrix *vectors = NULL;
    Frame *f, *meta;
    ml_status st;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_text(ctx, call, 1, &json));
    TRY(call_frame(ctx, call, 2, &meta));
    if (meta->cols != f->cols)
        return call_shape_error(ctx, call, 0, 2,
                                "frame and metadata should have the same number of columns");
    TRY_TO(done, st = transform_from_meta(ctx, json, meta, &t));
    TRY_TO(done, st = embedding(ctx, call, &vectors));
    TRY_TO(done, st = transform_embed(ctx, &t, f, vectors));
    TRY_TO(done, st = transform_fill(ctx, &t, f));
    st = encode(ctx, call, &t, f);
done:
    transform_free(&t);
    matrix_release(vectors);
    return st;
}

/* The transform that the first two operands, metadata and specification, describe. */
static ml_status described(Ctx *ctx, OpCall *call, Transform *t)
{
    const char *json;
    Frame *meta;

    TRY(call_frame(ctx, call, 0, &meta));
    TRY(call_text(ctx, call, 1, &json));
    return transform_from_meta(ctx, json, meta, t);
}

ml_status ml_k_transformcolmap(Ctx *ctx, OpCall *call)
{
    Transform t = {0};
    Matrix *m = NULL;
    ml_status st = described(ctx, call, &t);

    if (st == ML_OK)
        st = matrix_new_dense(ctx, t.spec.cols, 3, &m);
    for (int64_t j = 0; j < t.spec.cols && st == ML_OK; j++) {
        m->values[j * 3] = (double)(j + 1);
        m->values[j * 3 + 1] = (double)(t.coders[j].first + 1);
        m->values[j * 3 + 2] = (double)(t.coders[j].first + t.coders[j].width);
    }
    transform_free(&t);
    return st == ML_OK ? result_matrix(ctx, call, 0, m, -1) : st;
}

ml_status ml_k_getCategoricalMask(Ctx *ctx, OpCall *call)
{
    Transform t = {0};
    Matrix *m = NULL;
    ml_status st = described(ctx, call, &t);

    if (st == ML_OK)
        st = matrix_new_zero(ctx, 1, t.cols, &m);
    for (int64_t j = 0; j < t.spec.cols && st == ML_OK; j++)
        for (int64_t k = 0; k < t.coders[j].width; k++)
            m->values[t.coders[j].first + k] = t.spec.columns[j].coding != CODE_NONE;
    transform_free(&t);
    return st == ML_OK ? result_matrix(ctx, call, 0, m, -1) : st;
}
