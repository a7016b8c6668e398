/* transform: encoding of frames as operators; transform.h tells how the parts work together. */
#include "kernel/transform.h"

static ml_status encode(Ctx *ctx, OpCall *call, const Transform *t, const Frame *f)
{
    Matrix *m = NULL;

    TRY(transform_apply(ctx, t, f, &m));
    return result_matrix(ctx, call, 0, m, -1);
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

ml_status ml_k_transformapply(Ctx *ctx, OpCall *call)
{
    const char *json;
    Transform t = {0};
    Frame *f, *meta;
    ml_status st;

    TRY(call_frame(ctx, call, 0, &f));
    TRY(call_text(ctx, call, 1, &json));
    TRY(call_frame(ctx, call, 2, &meta));
    if (call_has(call, 3))
        return fail(
            ctx, ML_EUNSUPPORTED,
            "transformapply: expected no embedding; word embeddings are not in this version");
    if (meta->cols != f->cols)
        return call_shape_error(ctx, call, 0, 2,
                                "frame and metadata should have the same number of columns");
    TRY_TO(done, st = transform_from_meta(ctx, json, meta, &t));
    TRY_TO(done, st = transform_fill(ctx, &t, f));
    st = encode(ctx, call, &t, f);
done:
    transform_free(&t);
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
