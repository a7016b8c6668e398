/* See operands.h.  Cells are functions of seed and position, so a setting always gives the same
 * ones. */
#include "operands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(Ctx *ctx, ml_status st, const char *word)
{
    if (st == ML_OK)
        return;
    printf("operand '%s': %s\n", word, ctx->err.text);
    exit(2);
}

/* ---- cells ---- */

/* Evenly on [0, 1). */
static double draw(uint64_t seed, int64_t cell, int purpose)
{
    uint64_t h = hash_mix(seed, (uint64_t)cell * 8 + (uint64_t)purpose);

    return (double)(hash_mix(h, h >> 7) >> 11) * 0x1p-53;
}

static double special_cell(double u)
{
    return u < 0.5 ? 0.0 / 0.0 : u < 0.75 ? 1.0 / 0.0 : -1.0 / 0.0;
}

static double random_cell(char kind, const Setting *s, uint64_t seed, int64_t cell)
{
    const bool may_be_special = strchr("mids", kind) != NULL;
    int64_t at = s->density == SAME ? 0 : cell;
    double u = draw(seed, at, 1);

    if (kind == 'u')
        return u;
    if (kind == 'g')
        return 1 + (double)(int)(5 * u);
    if (s->density != SAME && draw(seed, cell, 0) >= s->density)
        return 0;
    if (s->special && may_be_special && draw(seed, at, 2) < 0.1)
        return special_cell(draw(seed, at, 3));
    if (kind == 'w')
        return (double)(int)(4 * u);
    if (kind == 'i')
        return (double)(int)(6 * u) - 2;
    return 4 * u - 2;
}

static void make_heavy(Matrix *m)
{
    for (int64_t i = 0; i < m->rows && i < m->cols; i++)
        m->values[i * m->cols + i] += 2 * (double)m->cols;
}

static void make_symmetric(Matrix *m)
{
    for (int64_t i = 0; i < m->rows; i++)
        for (int64_t j = 0; j < i && j < m->cols; j++)
            if (i < m->cols)
                m->values[i * m->cols + j] = m->values[j * m->cols + i];
}

static Matrix *random_matrix(Ctx *ctx, char kind, const Setting *s, int64_t rows, int64_t cols,
                             uint64_t seed)
{
    Matrix *m = NULL;

    need(ctx, matrix_new_dense(ctx, rows, cols, &m), "matrix");
    for (int64_t k = 0; k < rows * cols; k++)
        m->values[k] = random_cell(kind, s, seed, k);
    if (kind == 's')
        make_symmetric(m);
    if (kind == 's' || kind == 'd')
        make_heavy(m);
    m->nnz = matrix_count_nnz(m->values, rows * cols);
    return m;
}

/* ---- frames ---- */

static char letter(uint64_t seed, int64_t cell)
{
    return (char)('a' + (int)(3 * draw(seed, cell, 4)));
}

static Frame *text_frame(Ctx *ctx, bool codes, int64_t rows, int64_t cols, uint64_t seed)
{
    FrameColumn *columns[16] = {0};
    Frame *f = NULL;

    if (cols > 16)
        exit(2);
    for (int64_t j = 0; j < cols; j++) {
        TextColumnBuilder b = {0};

        for (int64_t i = 0; i < rows; i++) {
            char text[32];
            int n = codes ? snprintf(text, sizeof text, "%c\xC2\xB7%d", (char)('a' + i), (int)i + 1)
                          : snprintf(text, sizeof text, "%c", letter(seed, i * cols + j));

            text_builder_add(&b, text, (size_t)n);
        }
        need(ctx, text_builder_finish(ctx, &b, FT_STRING, &columns[j]), "frame");
        text_builder_free(&b);
    }
    need(ctx, frame_new(ctx, rows, cols, columns, NULL, &f), "frame");
    return f;
}

/* ---- words ---- */

static double number(const Setting *s, const char **at)
{
    char *end;
    double d;

    switch (**at) {
    case 'r':
        return ++*at, (double)s->rows;
    case 'c':
        return ++*at, (double)s->cols;
    case 'n':
        return ++*at, (double)(s->rows < 64 ? s->rows : 64);
    case 'k':
        return ++*at, (double)(s->cols < 300 ? s->cols : 300);
    default:
        break;
    }
    d = strtod(*at, &end);
    if (end == *at) {
        printf("no operand: '%s'\n", *at);
        exit(2);
    }
    *at = end;
    return d;
}

static Value number_value(double d)
{
    return d == (double)(int64_t)d ? value_int((int64_t)d) : value_double(d);
}

static Value sizes_list(Ctx *ctx, const Setting *s, const char **at)
{
    double sizes[8];
    int n = 0;
    List *l = NULL;

    do {
        ++*at;
        sizes[n++] = number(s, at);
    } while (**at == ',' && n < 8);
    ++*at;
    need(ctx, list_new(ctx, n, false, &l), "list");
    for (int k = 0; k < n; k++)
        l->items[k] = number_value(sizes[k]);
    return value_list(l);
}

static Value text_value(Ctx *ctx, const char **at)
{
    const char *start = *at + 1, *stop = strchr(start, '\'');
    String *text = NULL;

    if (!stop)
        exit(2);
    need(ctx, string_new(ctx, start, (size_t)(stop - start), &text), "text");
    *at = stop + 1;
    return value_string(text);
}

static Value two_matrices(Ctx *ctx, const Setting *s, int64_t rows, int64_t cols, uint64_t seed)
{
    List *l = NULL;

    need(ctx, list_new(ctx, 2, false, &l), "list");
    for (int k = 0; k < 2; k++)
        l->items[k] =
            value_matrix(random_matrix(ctx, 'm', s, rows, cols, hash_mix(seed, (uint64_t)k)));
    return value_list(l);
}

/* kind(rows,cols) */
static Value sized(Ctx *ctx, const Setting *s, const char **at, uint64_t seed)
{
    const char kind = **at;
    int64_t rows, cols;

    *at += 2;
    rows = (int64_t)number(s, at);
    ++*at;
    cols = (int64_t)number(s, at);
    ++*at;
    if (kind == 'l')
        return two_matrices(ctx, s, rows, cols, seed);
    if (kind == 'f' || kind == 'x')
        return value_frame(text_frame(ctx, kind == 'f', rows, cols, seed));
    return value_matrix(random_matrix(ctx, kind, s, rows, cols, seed));
}

Value operand_read(Ctx *ctx, const Setting *s, const char *word, uint64_t seed, const char **end)
{
    Value v = value_none();

    *end = word;
    if (*word == '\'')
        v = text_value(ctx, end);
    else if (word[0] && word[1] == '(')
        v = sized(ctx, s, end, seed);
    else if (*word == '[')
        v = sizes_list(ctx, s, end);
    else if (strncmp(word, "TRUE", 4) == 0 || strncmp(word, "FALSE", 5) == 0) {
        v = value_bool(*word == 'T');
        *end += *word == 'T' ? 4 : 5;
    } else if (word[0] == '-' && (word[1] == ' ' || word[1] == '\0'))
        *end += 1;
    else
        v = number_value(number(s, end));
    return v;
}
