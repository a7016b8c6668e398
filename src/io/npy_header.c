/* The header of .npy files: a magic number, a length, and a dictionary as Python writes it.
 *
 * Only the three keys that NumPy writes are expected, in any order; the type is a string, or for
 * records a list of names with types. Nothing is evaluated. All sizes are checked before use:
 * products for overflow, the whole against the bytes that are there.
 */
#include "io/npy.h"

enum { MAX_HEADER = 1 << 20, MAX_FIELDS = 1 << 16 };

typedef struct Header {
    Ctx *ctx;
    Arena *arena;
    const char *name, *start, *p, *end; /* start: of the array */
    NpyArray *a;
    int seen;   /* a bit for each key */
    bool latin; /* text is Latin-1, not UTF-8 */
} Header;

static ml_status fail_header(const Header *h, const char *expected)
{
    char shown[48];
    const char *stop = h->end - h->p > 12 ? h->p + 12 : h->end;

    return fail(h->ctx, ML_EFORMAT, "%s: at byte %td of the header expected %s, found %s", h->name,
                h->p - h->start, expected,
                h->p == h->end ? "its end" : input_quote(h->p, stop, shown));
}

static bool take(Header *h, char c)
{
    while (h->p < h->end && (is_blank(*h->p) || *h->p == '\n'))
        h->p++;
    if (h->p == h->end || *h->p != c)
        return false;
    h->p++;
    return true;
}

static bool take_word(Header *h, const char *word)
{
    const size_t n = strlen(word);

    if ((size_t)(h->end - h->p) < n || memcmp(h->p, word, n) != 0)
        return false;
    h->p += n;
    return true;
}

/* A byte of a text as UTF-8; returns its size. */
static size_t put_byte(const Header *h, unsigned char c, char *to)
{
    if (!h->latin || c < 128) {
        *to = (char)c;
        return 1;
    }
    to[0] = (char)(0xc0 | c >> 6);
    to[1] = (char)(0x80 | (c & 0x3f));
    return 2;
}

/* A string in quotes of either kind; a backslash makes the next character plain. */
static ml_status parse_text(Header *h, const char **out)
{
    const char quote = take(h, '\'') ? '\'' : '"';
    const char *begin;
    char *text;
    size_t n = 0;

    if (quote == '"' && !take(h, '"'))
        return fail_header(h, "a string");
    begin = h->p;
    while (h->p < h->end && *h->p != quote)
        h->p += *h->p == '\\' && h->end - h->p > 1 ? 2 : 1;
    if (h->p == h->end)
        return fail_header(h, "a closing quote");
    text = arena_alloc(h->arena, 2 * (size_t)(h->p - begin) + 1);
    if (!text)
        return fail_memory(h->ctx, 2 * (size_t)(h->p - begin) + 1);
    for (; begin < h->p; begin++) {
        begin += *begin == '\\';
        n += put_byte(h, (unsigned char)*begin, text + n);
    }
    h->p++;
    *out = text;
    return ML_OK;
}

static ml_status parse_count(Header *h, int64_t *out)
{
    const char *begin;

    take(h, ' ');
    begin = h->p;
    while (h->p < h->end && (unsigned)(*h->p - '0') < 10)
        h->p++;
    if (begin == h->p || !num_parse_int64(begin, h->p, out)) {
        h->p = begin;
        return fail_header(h, "a size");
    }
    take_word(h, "L"); /* as old versions of Python wrote them */
    return ML_OK;
}

/* '<f8': byte order, kind, size; texts count characters, which take four bytes in U. */
static ml_status parse_type(Header *h, NpyField *f)
{
    const char *t;

    TRY(parse_text(h, &t));
    f->descr = t;
    f->swapped = *t == '>';
    t += *t && strchr("<>|=", *t) != NULL;
    f->kind = *t && strchr("fiubUS", *t) ? *t : '?';
    if (*t == 'O')
        return fail(h->ctx, ML_EFORMAT,
                    "%s: the array holds Python objects (dtype '%s'), expected numbers or texts",
                    h->name, f->descr);
    if (!*t || !num_parse_int64(t + 1, t + strcspn(t, "["), &f->size) || f->size < 0 ||
        !mul_int64(f->size, f->kind == 'U' ? 4 : 1, &f->size))
        return fail(h->ctx, ML_EFORMAT, "%s: dtype '%s' is not supported", h->name, f->descr);
    return ML_OK;
}

/* ('name', '<f8') */
static ml_status parse_field(Header *h, NpyField *f)
{
    if (!take(h, '('))
        return fail_header(h, "'('");
    TRY(parse_text(h, &f->name));
    if (!take(h, ','))
        return fail_header(h, "','");
    if (h->p < h->end && take(h, '['))
        return fail_header(h, "a plain type for each field");
    TRY(parse_type(h, f));
    return take(h, ')') ? ML_OK : fail_header(h, "')'; fields of several cells are not supported");
}

static ml_status parse_fields(Header *h)
{
    VEC(NpyField) fields = {0};
    int64_t size = 0;
    ml_status st = ML_OK;

    while (st == ML_OK && !take(h, ']')) {
        NpyField f = {.offset = size};

        st = parse_field(h, &f);
        if (st == ML_OK &&
            (__builtin_add_overflow(size, f.size, &size) || fields.count > MAX_FIELDS))
            st = fail_header(h, "smaller records");
        if (st == ML_OK && !VEC_PUSH(&fields, f))
            st = fail_memory(h->ctx, sizeof f);
        if (st == ML_OK && !take(h, ',') && (h->p == h->end || *h->p != ']'))
            st = fail_header(h, "',' or ']'");
    }
    if (st == ML_OK && fields.count == 0)
        st = fail_header(h, "a field before");
    if (st == ML_OK) {
        h->a->fields = ARENA_ARRAY(h->arena, NpyField, fields.count);
        st = h->a->fields ? ML_OK : fail_memory(h->ctx, sizeof(NpyField) * (size_t)fields.count);
    }
    if (st == ML_OK)
        memcpy(h->a->fields, fields.items, sizeof(NpyField) * (size_t)fields.count);
    h->a->field_count = fields.count;
    h->a->record_size = size;
    VEC_FREE(&fields);
    return st;
}

static ml_status parse_descr(Header *h)
{
    if (take(h, '['))
        return parse_fields(h);
    h->a->plain = true;
    h->a->field_count = 1;
    h->a->fields = ARENA_ARRAY(h->arena, NpyField, 1);
    if (!h->a->fields)
        return fail_memory(h->ctx, sizeof(NpyField));
    TRY(parse_type(h, h->a->fields));
    h->a->record_size = h->a->fields->size;
    return ML_OK;
}

static ml_status parse_order(Header *h)
{
    take(h, ' ');
    h->a->by_column = take_word(h, "True");
    return h->a->by_column || take_word(h, "False") ? ML_OK : fail_header(h, "True or False");
}

static ml_status parse_shape(Header *h)
{
    if (!take(h, '('))
        return fail_header(h, "'('");
    h->a->dims = 0;
    while (!take(h, ')')) {
        if (h->a->dims == NPY_DIMS)
            return fail_header(h, "fewer dimensions");
        TRY(parse_count(h, &h->a->shape[h->a->dims++]));
        if (!take(h, ',') && (h->p == h->end || *h->p != ')'))
            return fail_header(h, "',' or ')'");
    }
    return ML_OK;
}

static ml_status parse_member(Header *h)
{
    static const struct {
        const char *key;
        ml_status (*parse)(Header *h);
    } keys[] = {{"descr", parse_descr}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    const char *key;

    TRY(parse_text(h, &key));
    if (!take(h, ':'))
        return fail_header(h, "':'");
    for (int i = 0; i < 3; i++)
        if (strcmp(keys[i].key, key) == 0) {
            if (h->seen >> i & 1)
                return fail_header(h, "each key once");
            h->seen |= 1 << i;
            return keys[i].parse(h);
        }
    return fail(h->ctx, ML_EFORMAT,
                "%s: the header has a key '%s', expected descr, fortran_order and shape", h->name,
                key);
}

static ml_status parse_dictionary(Header *h)
{
    if (!take(h, '{'))
        return fail_header(h, "'{'");
    while (!take(h, '}')) {
        TRY(parse_member(h));
        if (!take(h, ',') && (h->p == h->end || *h->p != '}'))
            return fail_header(h, "',' or '}'");
    }
    return h->seen == 7 ? ML_OK : fail_header(h, "descr, fortran_order and shape before");
}

/* Rows and columns, and the bytes that the cells take. */
static ml_status measure(const Header *h, int64_t *bytes)
{
    NpyArray *a = h->a;

    a->rows = a->dims > 0 ? a->shape[0] : 1;
    a->cols = 1;
    for (int i = 1; i < a->dims; i++)
        if (!mul_int64(a->cols, a->shape[i], &a->cols))
            return fail_header(h, "a shape whose product is a size");
    if (a->by_column && a->dims > 2)
        return fail(h->ctx, ML_EFORMAT,
                    "%s: arrays of %d dimensions are read in C order only, found Fortran order",
                    h->name, a->dims);
    if (!mul_int64(a->rows, a->cols, bytes) || !mul_int64(*bytes, a->record_size, bytes))
        return fail_header(h, "a shape whose product is a size");
    return ML_OK;
}

static ml_status check_magic(Ctx *ctx, const char *name, const char *p, size_t size, size_t *head,
                             size_t *length)
{
    const unsigned char *b = (const unsigned char *)p;

    if (size < 10 || memcmp(p, "\x93NUMPY", 6) != 0)
        return fail(ctx, ML_EFORMAT, "%s: not a NumPy array: the magic number is missing", name);
    if (b[6] < 1 || b[6] > 3)
        return fail(ctx, ML_EFORMAT, "%s: version %d of the npy format, expected 1, 2 or 3", name,
                    b[6]);
    *head = b[6] == 1 ? 10 : 12;
    *length = (size_t)b[8] | (size_t)b[9] << 8;
    if (b[6] > 1 && size >= 12)
        *length |= (size_t)b[10] << 16 | (size_t)b[11] << 24;
    if (size < *head || *length > MAX_HEADER || *length > size - *head)
        return fail(ctx, ML_EFORMAT, "%s: the header takes %zu bytes, but the array has only %zu",
                    name, *head + *length, size);
    return ML_OK;
}

ml_status npy_open(Ctx *ctx, Arena *arena, const char *name, const char *p, size_t size,
                   NpyArray *out)
{
    Header h = {.ctx = ctx, .arena = arena, .name = name, .start = p, .a = out};
    size_t head = 0, length = 0;
    int64_t bytes = 0;

    *out = (NpyArray){.name = name};
    TRY(check_magic(ctx, name, p, size, &head, &length));
    h.p = p + head;
    h.latin = p[6] < 3;
    h.end = h.p + length;
    TRY(parse_dictionary(&h));
    TRY(measure(&h, &bytes));
    out->data = p + head + length;
    if ((uint64_t)bytes > size - head - length)
        return fail(ctx, ML_EFORMAT,
                    "%s: the cells take %" PRId64 " bytes, but only %zu follow the header", name,
                    bytes, size - head - length);
    return ML_OK;
}

/* Version 1 has two bytes for the length and Latin-1 for names, version 3 four bytes and UTF-8. */
static bool needs_version_3(const Buffer *text)
{
    if (text->size > UINT16_MAX - 128)
        return true;
    for (size_t i = 0; i < text->size; i++)
        if ((unsigned char)text->data[i] >= 128)
            return true;
    return false;
}

void npy_put_header(Buffer *b, const char *descr, int64_t rows, int64_t cols)
{
    Buffer text = {0};
    char head[12] = "\x93NUMPY\x01";
    size_t length, size;

    buffer_text(&text, "{'descr': ");
    buffer_text(&text, descr);
    buffer_format(&text, ", 'fortran_order': False, 'shape': (%" PRId64 ",", rows);
    if (cols >= 0)
        buffer_format(&text, " %" PRId64, cols);
    buffer_text(&text, "), }");
    head[6] = needs_version_3(&text) ? 3 : 1;
    size = head[6] == 3 ? 12 : 10;
    length = (size + text.size + 64) / 64 * 64 - size;
    while (text.size + 1 < length && !text.failed)
        buffer_put(&text, " ", 1);
    buffer_put(&text, "\n", 1);
    for (size_t i = 8; i < size; i++)
        head[i] = (char)(length >> (8 * (i - 8)) & 255);
    buffer_put(b, head, size);
    if (text.data)
        buffer_put(b, text.data, text.size);
    b->failed |= text.failed;
    buffer_free(&text);
}
