/* transform_decode: the frame that was encoded, column by column as tasks.
 *
 * A category comes back as its text, a bin as its middle, a hash as its bucket, words one after the
 * other as often as they were counted, other cells as numbers.  Codes that the metadata does not
 * know are null, as is a row of zeros in dummy columns; a code with a fraction counts as the whole
 * number below. */
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
    for (int64_t i = 0; i < m->rows; i++)
        column_set_number(*out, i, matrix_get(m, i, c->first));
    return ML_OK;
}

/* Buckets of dummy columns come back as texts, as in the reference. */
static ml_status decode_buckets(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    char buf[NUM_BUFFER];

    if (!c->spec->dummy)
        return decode_numbers(ctx, d, c, out);
    for (int64_t i = 0; i < d->matrix->rows; i++) {
        const int64_t code = code_at(d->matrix, c, i);

        if (!text_builder_add(&b, code ? buf : NULL,
                              code ? num_print_double(buf, (double)code) : 0)) {
            text_builder_free(&b);
            return fail_memory(ctx, NUM_BUFFER);
        }
    }
    return text_builder_finish(ctx, &b, FT_STRING, out);
}

/* A dictionary column of the categories' names. */
static ml_status decode_categories(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    const Categories *names = &c->categories;
    TextStore *texts = NULL;

    TRY(text_store_of_set(ctx, &names->names, &texts));
    TRY(frame_column_codes(ctx, FT_STRING, d->matrix->rows, texts, out));
    for (int64_t i = 0; i < d->matrix->rows; i++) {
        const int64_t code = code_at(d->matrix, c, i);

        column_set_code(*out, i,
                        code && names->numbers.count ? names->numbers.items[code - 1]
                                                     : (uint32_t)code);
    }
    return ML_OK;
}

/* The middle of a bin. */
static size_t bin_text(const Coder *c, int64_t code, char buf[NUM_BUFFER])
{
    double low, high;

    if (code == 0)
        return num_print_double(buf, NAN);
    low = c->edges[code - 1];
    high = c->edges[code];
    return num_print_double(buf, isinf(high - low) ? low / 2 + high / 2 : low + (high - low) / 2);
}

static ml_status decode_bins(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    char buf[NUM_BUFFER];

    for (int64_t i = 0; i < d->matrix->rows; i++)
        if (!text_builder_add(&b, buf, bin_text(c, code_at(d->matrix, c, i), buf))) {
            text_builder_free(&b);
            return fail_memory(ctx, NUM_BUFFER);
        }
    return text_builder_finish(ctx, &b, FT_STRING, out);
}

/* The words of a row, in the order of their codes. */
static void put_row_words(const Matrix *m, const Coder *c, int64_t row, Buffer *out)
{
    out->size = 0;
    for (int64_t k = 0; k < c->width; k++) {
        const Text word = categories_name(&c->categories, k + 1);

        for (double n = matrix_get(m, row, c->first + k); n >= 1 && n < 0x1p31 && word.s; n--) {
            if (out->size)
                buffer_put(out, " ", 1);
            buffer_put(out, word.s, word.size);
        }
    }
}

static ml_status decode_words(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out)
{
    TextColumnBuilder b = {0};
    Buffer text = {0};
    bool good = true;

    for (int64_t i = 0; i < d->matrix->rows && good; i++) {
        put_row_words(d->matrix, c, i, &text);
        good = !text.failed && text_builder_add(&b, text.size ? text.data : NULL, text.size);
    }
    buffer_free(&text);
    if (good)
        return text_builder_finish(ctx, &b, FT_STRING, out);
    text_builder_free(&b);
    return fail_memory(ctx, text.size);
}

typedef ml_status (*DecodeFn)(Ctx *ctx, const Decoding *d, const Coder *c, FrameColumn **out);

static ml_status decode_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    static const DecodeFn by_coding[] = {
        [CODE_NONE] = decode_numbers, [CODE_RECODE] = decode_categories,
        [CODE_BIN] = decode_bins,     [CODE_HASH] = decode_buckets,
        [CODE_WORDS] = decode_words,  [CODE_EMBED] = decode_numbers};
    const Decoding *d = arg;

    for (int64_t j = lo; j < hi; j++) {
        const Coder *c = &d->transform->coders[j];

        if (c->spec->coding == CODE_EMBED)
            return frame_name_column(
                ctx, d->meta, j,
                fail(ctx, ML_EUNSUPPORTED, "transformdecode cannot tell words from their vectors"));
        TRY(by_coding[c->spec->coding](ctx, d, c, &d->columns[j]));
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
