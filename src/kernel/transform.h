/* transform: frames to matrices and back, by a specification in JSON.
 *
 * The specification gives each column of a frame a ColumnSpec (transform_spec.c).  A Coder is the
 * column's specification together with what was learned of the column - categories, words, bin
 * edges, the value of missing cells - either from the frame itself (transform_learn.c) or from the
 * metadata frame of an earlier call (transform_meta.c).  Coders then encode rows
 * (transform_source.c, transform_apply.c) or decode them (transform_decode.c); neither changes a
 * coder.  Everything runs in parallel over columns, ranges of rows, or both.
 *
 * Most work is done once a distinct cell and not once a row: CellCodes number the cells of a column
 * (transform_cells.c), for free where the frame has them in a dictionary. */
#ifndef KERNEL_TRANSFORM_H
#define KERNEL_TRANSFORM_H

#include "kernel/frame.h"
#include "kernel/text.h"

typedef enum Coding { CODE_NONE, CODE_RECODE, CODE_BIN, CODE_HASH, CODE_WORDS, CODE_EMBED } Coding;
typedef enum BinMethod { BIN_WIDTH, BIN_HEIGHT } BinMethod;
typedef enum Impute { IMPUTE_NONE, IMPUTE_MEAN, IMPUTE_MODE, IMPUTE_CONSTANT } Impute;

/* ---- the specification (transform_spec.c) ---- */

typedef struct ColumnSpec {
    Coding coding;
    BinMethod method;
    int64_t codes;    /* bins or hash buckets asked for */
    bool dummy;       /* a column of 0 and 1 for each code */
    bool omit;        /* rows with a missing cell here are dropped */
    bool udf;         /* its encoded columns go through the function of the specification */
    Impute impute;    /* what missing cells are replaced by */
    String *constant; /* IMPUTE_CONSTANT: this */
} ColumnSpec;

/* Whether NaN in a column of numbers is a category like any other, as in the reference, and not
 * missing. */
static inline bool spec_keeps_nan(const ColumnSpec *s)
{
    return (s->coding == CODE_RECODE || s->coding == CODE_EMBED) && !s->omit && !s->impute;
}

typedef struct TransformSpec {
    int64_t cols;
    ColumnSpec *columns;
    String *udf; /* a function's name, or NULL */
} TransformSpec;

/* For the columns of f, by its names or their numbers. */
ml_status transform_spec_parse(Ctx *ctx, const char *text, const Frame *f, TransformSpec *out);
void transform_spec_free(TransformSpec *spec);

/* ---- cells by number (transform_cells.c) ---- */

/* Null, empty, or NaN: what `omit` and `impute` look for. */
bool cell_is_missing(const FrameColumn *c, int64_t row);

/* Equal cells of a column have equal numbers, from 1; missing ones 0, but NaN has a number where it
 * counts.  In a dictionary column that is the code, where the empty text is missing as well; others
 * are numbered in the order of their first appearance. */
typedef struct CellCodes {
    const FrameColumn *column;
    uint32_t *rows; /* the numbers; NULL: the column is a dictionary */
    TextSet texts;  /* of the numbers, unless it is */
    int64_t count;  /* the largest number */
} CellCodes;
/* In parallel by ranges of rows; needs nothing where the column is a dictionary. */
ml_status cell_codes(Ctx *ctx, const FrameColumn *c, bool nan_counts, CellCodes *out);
void cell_codes_free(CellCodes *codes);
static inline uint32_t cell_code(const CellCodes *codes, int64_t row)
{
    return codes->rows ? codes->rows[row] : column_code(codes->column, row);
}
Text cell_code_text(const CellCodes *codes, uint32_t code);

/* All cells as numbers; of missing ones, `missing` in text columns and NaN in others. */
ml_status cell_numbers(Ctx *ctx, const FrameColumn *c, double missing, double *out);
/* A text as frame_cell_number reads it, with no error. */
bool text_cell_number(Text t, double *out);

/* ---- coders ---- */

/* Texts and their codes from 1; some codes may have no text. */
typedef struct Categories {
    TextSet names;
    VEC(uint32_t) codes;   /* of each name; none: its number in the set */
    VEC(uint32_t) numbers; /* of each code, 0 without a name; none: the code itself */
} Categories;
/* The largest code. */
int64_t categories_count(const Categories *c);
/* The code of a text, 0 when it is none; the text of a code, s NULL when there is none. */
int64_t categories_code(const Categories *c, Text name);
Text categories_name(const Categories *c, int64_t code);
/* Give a category its code of 1 or more; *again tells that either has been met before. */
ml_status categories_set(Ctx *ctx, Categories *c, Text name, int64_t code, bool *again);
/* The codes in the order of the metadata (transform_meta.c), categories_count of them; for
 * mem_free. */
ml_status categories_order(Ctx *ctx, const Categories *c, int32_t **out);
void categories_free(Categories *c);

typedef struct Coder {
    const ColumnSpec *spec;
    Categories categories; /* CODE_RECODE, CODE_EMBED: of cells; CODE_WORDS: words */
    double *edges;         /* CODE_BIN: codes + 1 of them; bin k is (edges[k-1], edges[k]] */
    int64_t codes;         /* categories, bins, buckets or words; 0 for a plain column */
    const Matrix *vectors; /* CODE_EMBED: a row for each code; borrowed */
    String *fill_text;     /* what missing cells are replaced by, or NULL */
    double fill;           /* this, encoded; NaN when there is none */
    int64_t first;         /* of its columns in the matrix, from 0 */
    int64_t width;         /* how many there are */
} Coder;

typedef struct Transform {
    TransformSpec spec;
    Coder *coders;   /* one a column */
    int64_t cols;    /* of the matrix */
    bool wide;       /* some coder has not just one column */
    CellCodes *seen; /* of the frame that was learned from, where they were needed, else NULL; texts
                        that are categories are the coder's */
} Transform;

/* The specification and coders that know nothing yet. */
ml_status transform_open(Ctx *ctx, const char *json, const Frame *f, Transform *out);
/* From the frame, or from metadata; like the above these leave something to free on any outcome. */
ml_status transform_learn(Ctx *ctx, const char *json, const Frame *f, Transform *out);
ml_status transform_from_meta(Ctx *ctx, const char *json, const Frame *meta, Transform *out);
void transform_free(Transform *t);
/* Give the coders their columns in the matrix, once their codes are known. */
ml_status transform_place(Ctx *ctx, Transform *t);
/* The matrix whose rows are the vectors of embedded cells. */
ml_status transform_embed(Ctx *ctx, Transform *t, const Frame *f, const Matrix *vectors);

/* The number of the bin that holds x. */
int64_t bin_code(const Coder *coder, double x);
/* Bucket 1 ... buckets of a cell that is there and no NaN, of a text, and of an empty text or NaN
 * in a column of this type (transform_hash.c). */
int64_t hash_bucket(const FrameColumn *c, int64_t row, int64_t buckets);
int64_t hash_bucket_of_text(Text t, int64_t buckets);
int64_t hash_bucket_of_blank(FrameType type, int64_t buckets);
/* The hash of a text in Java: of its UTF-16 units, times powers of 31. */
int32_t text_hash(const char *s, size_t size);
/* The encoded replacement of missing cells in columns of this type, for each coder. */
ml_status transform_fill(Ctx *ctx, Transform *t, const Frame *f);

/* ---- words (transform_words.c) ---- */

/* The next word at or after *at, a run of letters, in lower case in `word`; false at the end. */
bool next_word(Text t, size_t *at, Buffer *word);
/* The words of all cells, in the order of rows. */
ml_status learn_words(Ctx *ctx, const CellCodes *cells, int64_t rows, Categories *out);
/* How often each word occurs in the cells of each code: those of code k lie at [starts[k],
 * starts[k + 1]), by ascending column. */
typedef struct WordCounts {
    int64_t *starts;
    VEC(uint32_t) columns; /* from 0 */
    VEC(uint32_t) counts;
} WordCounts;
ml_status count_words(Ctx *ctx, const CellCodes *cells, const Categories *words, WordCounts *out);
void word_counts_free(WordCounts *w);

/* ---- a column about to be encoded (transform_source.c) ---- */

typedef struct CodedColumn {
    const Coder *coder;
    const FrameColumn *column;
    CellCodes cells; /* where the coder works by codes */
    bool borrowed;   /* cells are the transform's */
    bool by_code;
    double blank;  /* what an empty text or NaN becomes */
    double *table; /* by_code: what each code becomes */
    uint8_t *bad;  /* by_code: the text of the code is no number; NULL when none is */
    WordCounts words;
} CodedColumn;
/* `seen` is of the column when it was learned from, or NULL: another one. */
ml_status source_open(Ctx *ctx, const Coder *coder, const FrameColumn *c, const CellCodes *seen,
                      CodedColumn *out);
void source_free(CodedColumn *s);
/* Codes or numbers of n rows, [lo, lo + n) or those that are listed.  Words are given as the code
 * of the cell. */
ml_status source_encode(Ctx *ctx, const CodedColumn *s, const int64_t *rows, int64_t lo, int64_t n,
                        double *out);

/* The metadata frame of what was learned from f (transform_meta.c). */
ml_status transform_meta(Ctx *ctx, const Transform *t, const Frame *f, Frame **out);
/* The encoded frame, without the rows that are to be omitted (transform_apply.c). */
ml_status transform_apply(Ctx *ctx, const Transform *t, const Frame *f, Matrix **out);

#endif
