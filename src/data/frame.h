/* data/frame: tables of typed columns.  Part of data/data.h, which includes it.
 *
 * A column is immutable and counted, so frames share columns.  Numbers lie in an array of their
 * type: 8 bytes a row for FP64 and INT64, 4 for FP32 and INT32, 1 for the others.  Texts lie one
 * after the other in a TextStore, in one of two forms, which readers need not tell apart:
 *   plain       text k is the cell of row k; nulls are a bitmap, absent when there are none;
 *   dictionary  each text stands there once, and a row has a code of 1, 2 or 4 bytes: the number of
 *               its text from 1, or 0 for null.  Stores are counted too: columns share them, so a
 *               store may hold texts that no row has.
 * What builds text columns (TextColumnBuilder) takes dictionaries as long as texts repeat. */
#ifndef DATA_FRAME_H
#define DATA_FRAME_H

#ifndef DATA_H
#error "include data/data.h"
#endif

typedef enum FrameType {
    FT_STRING,
    FT_FP64,
    FT_FP32,
    FT_INT64,
    FT_INT32,
    FT_BOOLEAN,
    FT_UINT8,
    FT_UINT4,
    FT_CHARACTER,
    FT_HASH32,
    FT_HASH64
} FrameType;
const char *frame_type_name(FrameType type); /* "STRING" ... */
bool frame_type_parse(const char *name, size_t size, FrameType *type);
static inline bool frame_type_is_text(FrameType type)
{
    return type == FT_STRING || type >= FT_CHARACTER;
}
static inline bool frame_type_is_float(FrameType type)
{
    return type == FT_FP64 || type == FT_FP32;
}
/* BOOLEAN included */
static inline bool frame_type_is_integer(FrameType type)
{
    return type >= FT_INT64 && type <= FT_UINT4;
}
/* Bytes of a number of the type. */
static inline size_t frame_type_size(FrameType type)
{
    return type == FT_FP64 || type == FT_INT64 ? 8 : type == FT_FP32 || type == FT_INT32 ? 4 : 1;
}

/* ---- texts one after the other ---- */

typedef struct TextStore {
    atomic_int refs;
    int64_t count;
    uint32_t *offsets;       /* count + 1 into bytes, */
    int64_t *offsets_beyond; /* or these instead, where the bytes exceed 4 GiB */
    char *bytes;
    struct Pool *pool;
    void *buffer;
    size_t bytes_held; /* accounted */
} TextStore;

static inline int64_t text_offset(const TextStore *s, int64_t k)
{
    return s->offsets ? (int64_t)s->offsets[k] : s->offsets_beyond[k];
}
static inline const char *text_at(const TextStore *s, int64_t k, size_t *size)
{
    const int64_t from = text_offset(s, k);

    *size = (size_t)(text_offset(s, k + 1) - from);
    return s->bytes + from;
}
/* A store of known sizes: its bytes and offsets are not set but for the first. */
ml_status text_store_new(Ctx *ctx, int64_t count, size_t bytes, TextStore **out);
TextStore *text_store_retain(TextStore *s);
void text_store_release(TextStore *s);

/* ---- columns ---- */

typedef struct FrameColumn {
    atomic_int refs;
    FrameType type;
    uint8_t width; /* bytes of a number or a code; 0: plain texts */
    int64_t rows;
    void *cells;      /* rows numbers or codes */
    uint64_t *nulls;  /* plain texts: bit row % 64 of word row / 64 is 1 for null; or NULL */
    TextStore *texts; /* of text types */
    String *fill;     /* in transform metadata: what missing cells are replaced by; else NULL */
    struct Pool *pool;
    void *buffer;
    size_t bytes_held; /* accounted, without the store */
} FrameColumn;

typedef struct Frame {
    atomic_int refs;
    int64_t rows;
    int64_t cols;
    FrameColumn **columns;
    String **names; /* cols names, or NULL: C1, C2 ... */
} Frame;

/* Of a numeric type; the cells are not set. */
ml_status frame_column_new(Ctx *ctx, FrameType type, int64_t rows, FrameColumn **out);
/* Of a text type over a store, whose reference these take on any outcome: in dictionary form, where
 * the codes are not set, or plain over a store of `rows` texts, with a zeroed bitmap when some are
 * null. */
ml_status frame_column_codes(Ctx *ctx, FrameType type, int64_t rows, TextStore *texts,
                             FrameColumn **out);
ml_status frame_column_plain(Ctx *ctx, FrameType type, int64_t rows, bool nulls, TextStore *texts,
                             FrameColumn **out);
FrameColumn *frame_column_retain(FrameColumn *c);
void frame_column_release(FrameColumn *c);
/* Takes the columns' references; names may be NULL, their references are taken as well. */
ml_status frame_new(Ctx *ctx, int64_t rows, int64_t cols, FrameColumn **columns, String **names,
                    Frame **out);
Frame *frame_retain(Frame *f);
void frame_release(Frame *f);
/* Bytes that the columns and their stores hold. */
size_t frame_bytes(const Frame *f);

/* ---- cells ---- */

static inline bool column_is_dictionary(const FrameColumn *c)
{
    return c->texts && c->width;
}
/* Of a dictionary column: 0 for null, else 1 + the number of the text in the store. */
static inline uint32_t column_code(const FrameColumn *c, int64_t row)
{
    return c->width == 1   ? ((const uint8_t *)c->cells)[row]
           : c->width == 2 ? ((const uint16_t *)c->cells)[row]
                           : ((const uint32_t *)c->cells)[row];
}
static inline void column_set_code(FrameColumn *c, int64_t row, uint32_t code)
{
    if (c->width == 1)
        ((uint8_t *)c->cells)[row] = (uint8_t)code;
    else if (c->width == 2)
        ((uint16_t *)c->cells)[row] = (uint16_t)code;
    else
        ((uint32_t *)c->cells)[row] = code;
}

/* The text of a text column's cell, not zero-terminated; NULL for null. */
static inline const char *column_text(const FrameColumn *c, int64_t row, size_t *size)
{
    if (c->width) {
        const uint32_t code = column_code(c, row);

        return code ? text_at(c->texts, (int64_t)code - 1, size) : NULL;
    }
    if (c->nulls && (c->nulls[row / 64] >> (row % 64) & 1))
        return NULL;
    return text_at(c->texts, row, size);
}
/* Numbers are never null; a missing number is NaN in floating-point columns. */
static inline bool column_is_null(const FrameColumn *c, int64_t row)
{
    size_t size;

    return c->texts && !column_text(c, row, &size);
}

/* A cell of an integer type. */
static inline int64_t column_int(const FrameColumn *c, int64_t row)
{
    return c->type == FT_INT64   ? ((const int64_t *)c->cells)[row]
           : c->type == FT_INT32 ? ((const int32_t *)c->cells)[row]
                                 : ((const uint8_t *)c->cells)[row];
}
/* A cell of any numeric type. */
static inline double column_number(const FrameColumn *c, int64_t row)
{
    return c->type == FT_FP64   ? ((const double *)c->cells)[row]
           : c->type == FT_FP32 ? (double)((const float *)c->cells)[row]
                                : (double)column_int(c, row);
}
/* The value must fit the type; FP32 rounds. */
static inline void column_set_int(FrameColumn *c, int64_t row, int64_t value)
{
    if (c->type == FT_INT64)
        ((int64_t *)c->cells)[row] = value;
    else if (c->type == FT_INT32)
        ((int32_t *)c->cells)[row] = (int32_t)value;
    else
        ((uint8_t *)c->cells)[row] = (uint8_t)value;
}
static inline void column_set_number(FrameColumn *c, int64_t row, double value)
{
    if (c->type == FT_FP64)
        ((double *)c->cells)[row] = value;
    else if (c->type == FT_FP32)
        ((float *)c->cells)[row] = (float)value;
    else
        column_set_int(c, row, (int64_t)value);
}
/* Where the number of a row lies, to fill a column in bulk. */
static inline void *column_cell(const FrameColumn *c, int64_t row)
{
    return (char *)c->cells + (size_t)row * c->width;
}

/* Cell text as printed (FP64 by Double.toString); NULL for null; points into the frame or into buf.
 */
const char *frame_cell_text(const FrameColumn *c, int64_t row, char buf[NUM_BUFFER], size_t *size);

/* ---- building text columns (data/text_build.c) ---- */

/* A text somewhere; s NULL: null. */
typedef struct TextSpan {
    const char *s;
    size_t size;
} TextSpan;

/* Cells in a text that can be read up to `end`: cell i is the sizes[i] characters before text +
 * ends[i]. */
typedef struct TextCells {
    const char *text, *end;
    const uint32_t *ends, *sizes;
    int64_t count;
} TextCells;

/* Texts that differ, numbered from 1 in the order in which they came; at most 4 GiB of them. */
typedef struct TextEntry {
    uint32_t from, size;
} TextEntry;
typedef struct TextSet {
    Buffer bytes;
    VEC(TextEntry) entries;
    VEC(struct TextKey) keys; /* by number; the first is that of no text */
    uint32_t *slots;          /* numbers, 0: free */
    uint32_t mask;            /* slots - 1 */
} TextSet;
/* The number of a text, which is added when it is new; 0 when memory is exhausted. */
uint32_t text_set_put(TextSet *s, const char *text, size_t size);
/* The numbers of n texts, 0 for null, which lie in memory that can be read up to `end`; faster.
 * False when memory is exhausted. */
bool text_set_put_many(TextSet *s, const TextSpan *texts, int64_t n, const char *end,
                       uint32_t *numbers);
/* Room for n texts. */
bool text_set_reserve(TextSet *s, int64_t n);
/* The number of a text, 0 when it is none of the set. */
uint32_t text_set_find(const TextSet *s, const char *text, size_t size);
const char *text_set_at(const TextSet *s, uint32_t number, size_t *size);
void text_set_free(TextSet *s);
/* The texts in the order of their numbers. */
ml_status text_store_of_set(Ctx *ctx, const TextSet *s, TextStore **out);

/* Cells are added row by row, then the whole becomes a FrameColumn. */
typedef struct TextColumnBuilder {
    int64_t rows;
    const TextSet *base; /* numbers begin with those of this set, which is borrowed; or NULL */
    TextSet set;         /* while texts repeat; given up when too many are new */
    bool plain;          /* the set was given up: */
    bool nulls;          /* some plain text is null; */
    Buffer bytes;        /* all texts one after the other, */
    struct Pool *pool;   /* which have been lent by it, or NULL; */
    bool lent;           /* the words are: */
    VEC(uint32_t)
    words; /* a row: the number in the sets, 0 for null; or, plain, the size of the
              text, UINT32_MAX for null */
} TextColumnBuilder;
/* To an empty builder that gets no more than so many rows: room for their words, which must outlive
 * it. False when memory is exhausted. */
bool text_builder_lend(TextColumnBuilder *b, uint32_t *words, int64_t rows);
bool text_builder_add(TextColumnBuilder *b, const char *text, size_t size); /* text NULL: null */
/* The same for n texts that lie in memory which can be read up to `end`; faster. */
bool text_builder_add_many(TextColumnBuilder *b, const TextSpan *texts, int64_t n, const char *end);
/* The same in two steps, for processors that have AVX-512 and columns whose texts have no outer
 * blanks. The first lists the cells it leaves in `left`, which has room for seven more: among them
 * are all that have outer blanks. It returns how many, or -1 when memory is exhausted. The second
 * takes their texts, trimmed; it is to be called if there are any. */
int64_t text_builder_add_cells(TextColumnBuilder *b, const TextCells *c, uint32_t *left);
bool text_builder_add_left(TextColumnBuilder *b, const TextCells *c, const TextSpan *texts,
                           const uint32_t *left, int64_t n);
ml_status text_builder_finish(Ctx *ctx, TextColumnBuilder *b, FrameType type,
                              FrameColumn **out); /* empties b */
/* Of builders for parts of a column in the order of rows, the first `filled` are filled: what they
 * know becomes the base of all, or none of the others tries a set where texts hardly repeat. `base`
 * is empty before; it must outlive the builders and be freed after. */
ml_status text_builders_share(Ctx *ctx, TextColumnBuilder *b, int n, int filled, int64_t stride,
                              TextSet *base);
/* The column of the rows of n builders one after the other, which have the same base; empties each
 * as soon as it is copied, so that the whole is not held twice. */
ml_status text_builders_join(Ctx *ctx, TextColumnBuilder *b, int n, int64_t stride, FrameType type,
                             FrameColumn **out);
void text_builder_free(TextColumnBuilder *b);

#endif
