/* transform_decode: the frame that was encoded, column by column as tasks.
 *
 * A category comes back as its text, a bin as its middle, a hash as its bucket, other cells as
 * numbers.  Codes that the metadata does not know are null, as is a row of zeros in dummy columns;
 * a code with a fraction counts as the whole number below. */
#include "kernel/transform.h"

#include <math.h>

typedef struct Decoding {
    const Transform *transform;
    const Frame *meta;
    const Matrix *matrix; /* dense or constant or CSR */
    FrameColumn **columns;
} Decoding;

/* The code of a row: the cell, or which dummy column is set; 0 when there is none. */
static int64_t code_at(const Matrix *m, const Coder *c, int64_t row)
{
    double x;

    if (c->spec->dummy) {
        for (int64_t k = 0; k < c->width; k++)
            if (matrix_get(m, row, c->first + k) != 0)
                return k + 1;
        return 0;
    }
    x = matrix_get(m, row, c->first);
    return x >= 1 && x < (double)c->codes + 1 ? (int64_t)x : 0;
}

static ml_status decode_numbers(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    const Matrix *m = d->matrix;

    TRY(frame_column_new(ctx, FT_FP64, m->rows, out));
    for (int64_t i = 0; i < m->rows; i++) {
        if (c->spec->dummy) {
            const int64_t code = code_at(m, c, i);

            column_set_number(*out, i, code ? (double)code : NAN);
        } else {
            column_set_number(*out, i, matrix_get(m, i, c->first));
        }
    }
    return ML_OK;
}

/* The text of a code, which points into the coder or into buf. */
static Text text_of_code(const Coder *c, int64_t code, char buf[NUM_BUFFER])
{
    double low, high;

    if (c->spec->coding == CODE_RECODE)
        return code ? c->categories.items.items[code - 1].name : (Text){0};
    if (code == 0)
        return (Text){buf, num_print_double(buf, NAN)};
    low = c->edges[code - 1];
    high = c->edges[code];
    return (Text){buf,
                  num_print_double(buf, isinf(low + high) ? low / 2 + high / 2 : (low + high) / 2)};
}

static ml_status decode_text(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < d->matrix->rows; i++) {
        const Text s = text_of_code(c, code_at(d->matrix, c, i), buf);

        if (!text_builder_add(&b, s.s, s.size)) {
            text_builder_free(&b);
            return fail_memory(ctx, (size_t)b.rows);
        }
    }
    return text_builder_finish(ctx, &b, FT_STRING, out);
}

static ml_status decode_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Decoding *d = arg;

    for (int64_t j = lo; j < hi; j++) {
        const Coder *c = &d->transform->coders[j];
        const bool text = c->spec->coding == CODE_RECODE || c->spec->coding == CODE_BIN;

        TRY(text ? decode_text(ctx, d, c, &d->columns[j])
                 : decode_numbers(ctx, d, c, &d->columns[j]));
    }
    return ML_OK;
}

static ml_status decode(Ctx *ctx, OpCall *call, Decoding *d)
{
    const Frame *meta = d->meta;
    ml_status st;

    if (d->matrix->cols != d->transform->cols)
        return fail(ctx, ML_ESHAPE,
                    "transformdecode: by the specification and the metadata %s should have %" PRId64
                    " columns, found %" PRId64,
                    call_name(call, 0), d->transform->cols, d->matrix->cols);
    TRY(columns_new(ctx, meta->cols, &d->columns));
    st = task_for(ctx, meta->cols, 1, decode_columns, d);
    if (st == ML_OK)
        return result_frame(ctx, call, d->matrix->rows, meta->cols, d->columns, meta->names);
    columns_free(meta->cols, d->columns);
    return st;
}

ml_status ml_k_transformdecode(Ctx *ctx, OpCall *call)
{
    const char *json;
    Transform t = {0};
    Matrix *m;
    Frame *meta;
    ml_status st;

    TRY(call_matrix(ctx, call, 0, &m));
    TRY(call_text(ctx, call, 1, &json));
    TRY(call_frame(ctx, call, 2, &meta));
    st = transform_from_meta(ctx, json, meta, &t);
    if (st == ML_OK)
        st = decode(ctx, call, &(Decoding){.transform = &t, .meta = meta, .matrix = m});
    transform_free(&t);
    return st;
}
