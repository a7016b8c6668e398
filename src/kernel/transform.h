/* transform: frames to matrices and back, by a specification in JSON.
 *
 * The specification gives each column of a frame a ColumnSpec (transform_spec.c).  A Coder is the
 * column's specification together with what was learned of the column - categories, bin edges,
 * the value of missing cells - either from the frame itself (transform_learn.c) or from the
 * metadata frame of an earlier call (transform_meta.c).  Coders then encode rows
 * (transform_apply.c) or decode them (transform_decode.c); neither changes a coder, so both run in
 * parallel over rows. */
#ifndef KERNEL_TRANSFORM_H
#define KERNEL_TRANSFORM_H

#include "kernel/frame.h"
#include "kernel/json.h"
#include "kernel/text.h"

typedef enum Coding { CODE_NONE, CODE_RECODE, CODE_BIN, CODE_HASH } Coding;
typedef enum BinMethod { BIN_WIDTH, BIN_HEIGHT } BinMethod;
typedef enum Impute { IMPUTE_NONE, IMPUTE_MEAN, IMPUTE_MODE, IMPUTE_CONSTANT } Impute;

/* ---- the specification (transform_spec.c) ---- */

typedef struct ColumnSpec {
    Coding coding;
    BinMethod method;
    int64_t codes;    /* bins or hash buckets asked for */
    bool dummy;       /* a column of 0 and 1 for each code */
    bool omit;        /* rows with a missing cell here are dropped */
    Impute impute;    /* what missing cells are replaced by */
    String *constant; /* IMPUTE_CONSTANT: this */
} ColumnSpec;

typedef struct TransformSpec {
    int64_t cols;
    ColumnSpec *columns;
} TransformSpec;

/* For the columns of f, by its names or their numbers. */
ml_status transform_spec_parse(Ctx *ctx, const char *text, const Frame *f, TransformSpec *out);
void transform_spec_free(TransformSpec *spec);
/* The name of a column, or its default name; points into f or into buf. */
Text transform_column_name(const Frame *f, int64_t col, char buf[NUM_BUFFER]);

/* st; an error gets the name of the column before its text. */
ml_status transform_name_column(Ctx *ctx, const Frame *f, int64_t col, ml_status st);

/* ---- coders ---- */

/* Texts numbered from 1 in the order of their first appearance. */
typedef struct Category {
    Text name;
    int64_t count; /* cells that have it */
} Category;

typedef struct Categories {
    Map *codes;
    Arena *copies;       /* of names that are printed numbers; made when needed */
    VEC(Category) items; /* by code - 1; a name NULL where metadata leaves a code out */
} Categories;

typedef struct Coder {
    const ColumnSpec *spec;
    Categories categories;
    double *edges;     /* CODE_BIN: codes + 1 of them; bin k is (edges[k-1], edges[k]] */
    int64_t codes;     /* categories, bins or buckets; 0 for a plain column */
    String *fill_text; /* what missing cells are replaced by, or NULL */
    double fill;       /* this, encoded; NaN when there is none */
    int64_t first;     /* of its columns in the matrix, from 0 */
    int64_t width;     /* how many there are */
} Coder;

typedef struct Transform {
    TransformSpec spec;
    Coder *coders; /* one a column */
    int64_t cols;  /* of the matrix */
    bool dummies;  /* some coder has more than its own column */
} Transform;

/* The specification and coders that know nothing yet. */
ml_status transform_open(Ctx *ctx, const char *json, const Frame *f, Transform *out);
/* From the frame, or from metadata; like the above these leave something to free on any outcome. */
ml_status transform_learn(Ctx *ctx, const char *json, const Frame *f, Transform *out);
ml_status transform_from_meta(Ctx *ctx, const char *json, const Frame *meta, Transform *out);
void transform_free(Transform *t);
/* Give the coders their columns in the matrix, once their codes are known. */
ml_status transform_place(Ctx *ctx, Transform *t);

/* Parts of the above (transform_learn.c), for one column. */
ml_status categories_open(Ctx *ctx, Categories *c);
/* The code of a text, 0 when it is none. */
int64_t categories_code(const Categories *c, Text name);

/* Give a category its code of 1 or more (transform_meta.c), which borrows the name; *again tells
 * that the category or the code has been met before. */
ml_status categories_set(Ctx *ctx, Categories *c, Text name, int64_t code, bool *again);
/* The indexes of categories in the order of the metadata (transform_meta.c), for mem_free. */
ml_status categories_order(Ctx *ctx, const Categories *c, int32_t **out);

/* Null, empty, or NaN. */
bool cell_is_missing(const FrameColumn *c, int64_t row);
int64_t bin_code(const Coder *coder, double x);
/* The object that a specification spells, words in any quotes or none; to be freed with
 * json()->free (transform_spec.c). */
ml_status transform_json(Ctx *ctx, const char *text, cJSON **out);
/* Bucket 1 ... buckets of a cell that is not missing (transform_hash.c). */
int64_t hash_bucket(const FrameColumn *c, int64_t row, int64_t buckets);
/* The hash of a text in Java: of its UTF-16 units, times powers of 31. */
int32_t text_hash(const char *s, size_t size);
/* The encoded replacement of missing cells in columns of this type, for each coder. */
ml_status transform_fill(Ctx *ctx, Transform *t, const Frame *f);

/* The metadata frame of what was learned from f (transform_meta.c). */
ml_status transform_meta(Ctx *ctx, const Transform *t, const Frame *f, Frame **out);
/* The encoded frame, without the rows that are to be omitted (transform_apply.c). */
ml_status transform_apply(Ctx *ctx, const Transform *t, const Frame *f, Matrix **out);

#endif
