/* format: text from a format and values.
 *
 * A conversion is %[position$][flags][width][.precision]letter with the flags - + blank 0 , ( and
 * #, as in Java's Formatter, which differs from C in what it does to doubles: it starts from the
 * shortest digits that identify the value and rounds those half up, so 2.675 to two places is 2.68
 * and 0.1 to twenty places is 1 and nineteen zeros. */
#include "kernel/format.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WIDTH = 1000, DEFAULT_PRECISION = 6 };

typedef struct Conversion {
    const char *start; /* of its text, for messages */
    int position;      /* 1-based, 0: the next value */
    bool left, plus, blank, zero, group, parentheses, alternate, upper;
    int width, precision; /* precision -1: not given */
    char letter;          /* in lower case */
    int size;             /* of its text */
} Conversion;

static bool set_flag(Conversion *c, char flag)
{
    switch (flag) {
    case '-':
        return c->left = true;
    case '+':
        return c->plus = true;
    case ' ':
        return c->blank = true;
    case '0':
        return c->zero = true;
    case ',':
        return c->group = true;
    case '(':
        return c->parentheses = true;
    case '#':
        return c->alternate = true;
    default:
        return false;
    }
}

/* Digits at *s as a number of at most MAX_WIDTH + 1. */
static int parse_count(const char **s)
{
    int n = 0;

    for (; isdigit((unsigned char)**s); (*s)++)
        n = n > MAX_WIDTH ? n : n * 10 + (**s - '0');
    return n;
}

static ml_status parse_conversion(Ctx *ctx, const char *start, Conversion *c)
{
    const char *s = start + 1, *after = s;
    const int position = parse_count(&after);

    *c = (Conversion){.start = start, .precision = -1};
    if (*after == '$') {
        c->position = position;
        s = after + 1;
    }
    while (set_flag(c, *s))
        s++;
    c->width = parse_count(&s);
    if (*s == '.') {
        s++;
        c->precision = parse_count(&s);
    }
    if (!*s)
        return fail(ctx, ML_EVALUE, "print: the format ends in an incomplete conversion: %s",
                    start);
    if (c->width > MAX_WIDTH || c->precision > MAX_WIDTH)
        return fail(ctx, ML_EVALUE, "print: width and precision are at most %d, found %.40s",
                    MAX_WIDTH, start);
    c->upper = strchr("SBXEG", *s) != NULL;
    c->letter = (char)(c->upper ? tolower((unsigned char)*s) : *s);
    c->size = (int)(s + 1 - start);
    return ML_OK;
}

/* ---- the decimal form of a double: 0.DIGITS times 10^exponent ---- */

typedef struct Decimal {
    char digits[NUM_BUFFER];
    int n, exponent; /* n 0: zero, exponent 1 then */
} Decimal;

static Decimal decimal_of(double v)
{
    char text[NUM_BUFFER];
    const char *e;
    Decimal d = {.exponent = 0};
    bool point = false;

    num_print_double(text, fabs(v));
    e = strchr(text, 'E');
    for (const char *s = text; *s && s != e; s++) {
        point |= *s == '.';
        if (*s == '.' || (d.n == 0 && *s == '0' && !point))
            continue;
        if (d.n == 0 && *s == '0')
            d.exponent--;
        else
            d.digits[d.n++] = *s;
        d.exponent += !point;
    }
    d.exponent += e ? (int)strtol(e + 1, NULL, 10) : 0;
    while (d.n > 0 && d.digits[d.n - 1] == '0')
        d.n--;
    if (d.n == 0)
        d.exponent = 1;
    return d;
}

/* Keep the first `keep` digits, rounding half up; fewer than none leave zero. */
static void decimal_round(Decimal *d, int keep)
{
    const bool up = keep >= 0 && keep < d->n && d->digits[keep] >= '5';

    if (keep >= d->n)
        return;
    d->n = keep > 0 ? keep : 0;
    while (up && d->n > 0 && d->digits[d->n - 1] == '9')
        d->n--;
    if (up && d->n > 0) {
        d->digits[d->n - 1]++;
    } else if (up) { /* all nines, or nothing kept */
        d->digits[d->n++] = '1';
        d->exponent++;
    }
    if (d->n == 0)
        d->exponent = 1;
}

static char digit_at(const Decimal *d, int k)
{
    return k >= 0 && k < d->n ? d->digits[k] : '0';
}

static void put_char(Buffer *b, char c)
{
    buffer_put(b, &c, 1);
}

static void put_fraction(Buffer *b, const Decimal *d, int from, int places, bool point)
{
    if (places > 0 || point)
        put_char(b, '.');
    for (int k = from; k < from + places; k++)
        put_char(b, digit_at(d, k));
}

static void put_fixed(Buffer *b, const Conversion *c, Decimal d, int places)
{
    decimal_round(&d, d.exponent + places);
    for (int k = d.exponent > 0 ? 0 : d.exponent - 1; k < d.exponent; k++) {
        put_char(b, digit_at(&d, k));
        if (c->group && k + 1 < d.exponent && (d.exponent - k - 1) % 3 == 0)
            put_char(b, ',');
    }
    put_fraction(b, &d, d.exponent, places, c->alternate);
}

static void put_scientific(Buffer *b, const Conversion *c, Decimal d, int places)
{
    decimal_round(&d, places + 1);
    put_char(b, digit_at(&d, 0));
    put_fraction(b, &d, 1, places, c->alternate);
    buffer_format(b, "e%+03d", d.exponent - 1);
}

/* So many significant digits, scientific below 10^-4 and where they do not reach the point. */
static void put_general(Buffer *b, const Conversion *c, Decimal d, int significant)
{
    significant = significant > 0 ? significant : 1;
    decimal_round(&d, significant);
    if (d.exponent >= -3 && d.exponent <= significant)
        put_fixed(b, c, d, significant - d.exponent);
    else
        put_scientific(b, c, d, significant - 1);
}

static void put_magnitude(Buffer *b, const Conversion *c, double v)
{
    const int precision = c->precision < 0 ? DEFAULT_PRECISION : c->precision;
    const Decimal d = decimal_of(v);

    if (c->letter == 'f')
        put_fixed(b, c, d, precision);
    else if (c->letter == 'e')
        put_scientific(b, c, d, precision);
    else
        put_general(b, c, d, precision);
}

/* ---- signs, widths, letters ---- */

/* Characters, not bytes, of UTF-8 text. */
static int text_width(const char *s, size_t size)
{
    int n = 0;

    for (size_t k = 0; k < size; k++)
        n += ((unsigned char)s[k] & 0xc0) != 0x80;
    return n;
}

static void put_padding(Buffer *b, char c, int n)
{
    for (; n > 0; n--)
        put_char(b, c);
}

/* before, body and after in the conversion's width; zeros go between sign and digits, blanks
 * outside. */
static void put_padded(Buffer *b, const Conversion *c, const char *before, Buffer *body,
                       const char *after, bool zeros)
{
    const int missing = c->width - text_width(body->data ? body->data : "", body->size) -
                        (int)(strlen(before) + strlen(after));

    for (size_t k = 0; c->upper && k < body->size; k++)
        body->data[k] = (char)toupper((unsigned char)body->data[k]);
    if (!c->left && !zeros)
        put_padding(b, ' ', missing);
    buffer_text(b, before);
    if (!c->left && zeros)
        put_padding(b, '0', missing);
    buffer_put(b, body->data ? body->data : "", body->size);
    buffer_text(b, after);
    if (c->left)
        put_padding(b, ' ', missing);
    b->failed |= body->failed;
}

static void put_number(Buffer *b, const Conversion *c, bool negative, Buffer *body, bool zeros)
{
    if (negative)
        put_padded(b, c, c->parentheses ? "(" : "-", body, c->parentheses ? ")" : "", zeros);
    else
        put_padded(b, c, c->plus ? "+" : c->blank ? " " : "", body, "", zeros);
}

static void put_double(Buffer *b, const Conversion *c, double v)
{
    Buffer body = {0};

    if (isfinite(v))
        put_magnitude(&body, c, v);
    else
        buffer_text(&body, isnan(v) ? "NaN" : "Infinity");
    put_number(b, c, signbit(v) && !isnan(v), &body, c->zero && isfinite(v));
    buffer_free(&body);
}

static void put_int(Buffer *b, const Conversion *c, int64_t v)
{
    char digits[NUM_BUFFER];
    Buffer body = {0};

    if (c->letter != 'd') { /* the 64 bits */
        buffer_format(&body, c->letter == 'x' ? "%" PRIx64 : "%" PRIo64, (uint64_t)v);
        put_padded(b, c, !c->alternate ? "" : c->letter == 'x' ? "0x" : "0", &body, "", c->zero);
    } else {
        const int n = (int)num_print_int64(digits, v), first = v < 0;

        for (int k = first; k < n; k++) {
            put_char(&body, digits[k]);
            if (c->group && k + 1 < n && (n - k - 1) % 3 == 0)
                put_char(&body, ',');
        }
        put_number(b, c, v < 0, &body, c->zero);
    }
    buffer_free(&body);
}

/* Bytes of the first `width` characters. */
static size_t text_cut(const char *s, size_t size, int width)
{
    size_t k = 0;

    for (int n = 0; k < size; k++) {
        n += ((unsigned char)s[k] & 0xc0) != 0x80;
        if (n > width)
            break;
    }
    return k;
}

static void put_text(Buffer *b, const Conversion *c, Value v)
{
    Buffer body = {0};

    if (v.vt == VT_BOOL)
        buffer_text(&body, v.b ? "true" : "false");
    else if (c->letter == 'b') /* anything there is true */
        buffer_text(&body, "true");
    else
        scalar_print(&body, v);
    if (c->precision >= 0 && body.data)
        body.size = text_cut(body.data, body.size, c->precision);
    put_padded(b, c, "", &body, "", false);
    buffer_free(&body);
}

static ml_status wrong_value(Ctx *ctx, const Conversion *c, const char *expected, Value v)
{
    char text[64];

    return fail(ctx, ML_ETYPE, "print: the conversion %.*s takes %s, found a %s", c->size, c->start,
                expected, value_describe(v, text));
}

static ml_status put_value(Ctx *ctx, Buffer *b, const Conversion *c, Value v)
{
    if (v.dt != DT_SCALAR)
        return wrong_value(ctx, c, "a scalar", v);
    switch (c->letter) {
    case 'd':
    case 'x':
    case 'o':
        if (v.vt != VT_INT)
            return wrong_value(ctx, c, "an int", v);
        put_int(b, c, v.i);
        return ML_OK;
    case 'f':
    case 'e':
    case 'g':
        if (v.vt != VT_DOUBLE)
            return wrong_value(ctx, c, "a double", v);
        put_double(b, c, v.d);
        return ML_OK;
    case 'b':
    case 's':
        put_text(b, c, v);
        return ML_OK;
    default:
        return fail(
            ctx, ML_EVALUE,
            "print: unknown conversion %.*s; known are %%d %%x %%o %%f %%e %%g %%s %%b %%n %%%%",
            c->size, c->start);
    }
}

ml_status format_values(Ctx *ctx, Buffer *out, const char *format, const Value *values, int n)
{
    const char *s = format, *next;
    int ordinary = 0;

    for (; *(next = strchrnul(s, '%')); s = next) {
        Conversion c;
        int k;

        buffer_put(out, s, (size_t)(next - s));
        TRY(parse_conversion(ctx, next, &c));
        next += c.size;
        if (c.letter == '%' || c.letter == 'n') {
            put_char(out, c.letter == 'n' ? '\n' : '%');
            continue;
        }
        k = c.position > 0 ? c.position - 1 : ordinary++;
        if (k >= n)
            return fail(ctx, ML_EVALUE, "print: the conversion %.*s has no value: %d given", c.size,
                        c.start, n);
        TRY(put_value(ctx, out, &c, values[k]));
    }
    buffer_text(out, s);
    return ML_OK;
}
