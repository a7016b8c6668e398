/* What the operators do to scalars: typing and values by section 4.1 of the language.
 *
 * Integers stay integers under + - * %% %/% min max abs and the bit operators; sums wrap, products
 * and quotients beyond 64 bits are errors.  Two booleans count as doubles, a boolean beside a
 * number as that number's 1 or 0.  A string beside + or a comparison turns the other operand into
 * what print shows for it.  Everything else is done by the cell functions (cell.c), so a scalar and
 * the cell of a matrix give the same digits. */
#include "op/op.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static bool is_string(Value v)
{
    return v.dt == DT_SCALAR && v.vt == VT_STRING;
}

static bool is_int(Value v)
{
    return v.dt == DT_SCALAR && v.vt == VT_INT;
}

static bool is_bool(Value v)
{
    return v.dt == DT_SCALAR && v.vt == VT_BOOL;
}

/* Both are integers once a boolean beside an integer is promoted; two booleans are not. */
static bool both_int(Value a, Value b)
{
    return (is_int(a) && (is_int(b) || is_bool(b))) || (is_int(b) && is_bool(a));
}

/* The usual case of loops over scalars, asked first. */
static inline bool both_vt(const Value *in, ValueType vt)
{
    return in[0].dt == DT_SCALAR && in[0].vt == vt && in[1].dt == DT_SCALAR && in[1].vt == vt;
}

static int64_t int_of(Value v)
{
    return is_bool(v) ? v.b : v.i;
}

/* Numbers or booleans only; `what` names the operator in the message. */
static ml_status need_numbers(Ctx *ctx, const Value *in, int nin, const char *what)
{
    char buf[64];

    for (int k = 0; k < nin; k++) {
        if (is_string(in[k]))
            return fail(ctx, ML_ETYPE, "%s is not defined for strings", what);
        if (!scalar_is_number(in[k]))
            return fail(ctx, ML_ETYPE, "%s expects a number, found %s", what,
                        value_describe(in[k], buf));
    }
    return ML_OK;
}

static ml_status int_overflow(Ctx *ctx, double value)
{
    return fail(ctx, ML_EVALUE, "integer operation created numerical result overflow (%s)",
                NUM_SHOW(value));
}

/* ---- arithmetic ---- */

static ml_status concat(Ctx *ctx, Value a, Value b, Value *out)
{
    Buffer text = {0};
    String *s = NULL;
    ml_status st;

    scalar_print(&text, a);
    scalar_print(&text, b);
    st = text.failed ? fail_memory(ctx, text.size)
                     : string_new(ctx, text.data ? text.data : "", text.size, &s);
    buffer_free(&text);
    if (st == ML_OK)
        *out = value_string(s);
    return st;
}

ml_status s_add(Ctx *ctx, const Value *in, int nin, Value *out)
{
    if (both_vt(in, VT_INT)) {
        *out = value_int((int64_t)((uint64_t)in[0].i + (uint64_t)in[1].i));
        return ML_OK;
    }
    if (is_string(in[0]) || is_string(in[1]) || in[0].textual || in[1].textual)
        return concat(ctx, in[0], in[1], out);
    TRY(need_numbers(ctx, in, nin, "'+'"));
    *out = both_int(in[0], in[1])
               ? value_int((int64_t)((uint64_t)int_of(in[0]) + (uint64_t)int_of(in[1])))
               : value_double(scalar_to_double(in[0]) + scalar_to_double(in[1]));
    return ML_OK;
}

ml_status s_sub(Ctx *ctx, const Value *in, int nin, Value *out)
{
    if (both_vt(in, VT_INT)) {
        *out = value_int((int64_t)((uint64_t)in[0].i - (uint64_t)in[1].i));
        return ML_OK;
    }
    if (both_vt(in, VT_DOUBLE)) {
        *out = value_double(in[0].d - in[1].d);
        return ML_OK;
    }
    TRY(need_numbers(ctx, in, nin, "'-'"));
    *out = both_int(in[0], in[1])
               ? value_int((int64_t)((uint64_t)int_of(in[0]) - (uint64_t)int_of(in[1])))
               : value_double(scalar_to_double(in[0]) - scalar_to_double(in[1]));
    return ML_OK;
}

/* Products of integers go through double, as the language has it: beyond 2^53 they are rounded,
 * beyond 2^63 an error. */
static ml_status mul_int(Ctx *ctx, int64_t a, int64_t b, Value *out)
{
    const double p = (double)a * (double)b;

    if (fabs(p) > 0x1p63)
        return int_overflow(ctx, p);
    *out = value_int(p >= 0x1p63 ? INT64_MAX : (int64_t)p);
    return ML_OK;
}

ml_status s_mul(Ctx *ctx, const Value *in, int nin, Value *out)
{
    if (both_vt(in, VT_INT))
        return mul_int(ctx, in[0].i, in[1].i, out);
    TRY(need_numbers(ctx, in, nin, "'*'"));
    if (both_int(in[0], in[1]))
        return mul_int(ctx, int_of(in[0]), int_of(in[1]), out);
    *out = value_double(scalar_to_double(in[0]) * scalar_to_double(in[1]));
    return ML_OK;
}

/* The result is a double whatever the operands. */
static ml_status by_cell(Ctx *ctx, const Value *in, const char *what, double (*f)(double, double),
                         Value *out)
{
    TRY(need_numbers(ctx, in, 2, what));
    *out = value_double(f(scalar_to_double(in[0]), scalar_to_double(in[1])));
    return ML_OK;
}

ml_status s_div(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    return by_cell(ctx, in, "'/'", c_div, out);
}

ml_status s_pow(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    return by_cell(ctx, in, "'^'", c_pow, out);
}

/* C's quotient and remainder are those of the language: towards zero, the sign of the dividend. */
static ml_status intdiv_int(Ctx *ctx, int64_t a, int64_t b, Value *out)
{
    if (b == 0 && a != 0)
        return int_overflow(ctx, a > 0 ? INFINITY : -INFINITY);
    if (b == -1 && a == INT64_MIN)
        return int_overflow(ctx, 0x1p63);
    *out = value_int(b == 0 ? 0 : a / b);
    return ML_OK;
}

ml_status s_intdiv(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    if (both_int(in[0], in[1]))
        return intdiv_int(ctx, int_of(in[0]), int_of(in[1]), out);
    return by_cell(ctx, in, "'%/%'", c_intdiv, out);
}

ml_status s_mod(Ctx *ctx, const Value *in, int nin, Value *out)
{
    int64_t b;

    (void)nin;
    if (!both_int(in[0], in[1]))
        return by_cell(ctx, in, "'%%'", c_mod, out);
    b = int_of(in[1]);
    *out = value_int(b == 0 || b == -1 ? 0 : int_of(in[0]) % b);
    return ML_OK;
}

ml_status s_neg(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "'-'"));
    *out = in[0].vt == VT_DOUBLE ? value_double(-in[0].d)
                                 : value_int((int64_t)(0 - (uint64_t)int_of(in[0])));
    return ML_OK;
}

ml_status s_plus(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "'+'"));
    *out = in[0].vt == VT_DOUBLE ? in[0] : value_int(int_of(in[0]));
    return ML_OK;
}

/* ---- comparison ---- */

/* By UTF-16 code unit.  Bytes of UTF-8 sort by code point, which differs only where a character
 * beyond the basic plane (lead byte F0 and up; in UTF-16 from D800) meets one from U+E000 (lead
 * bytes EE and EF). */
static int compare_utf16(const char *a, size_t na, const char *b, size_t nb)
{
    const size_t n = na < nb ? na : nb;

    for (size_t i = 0; i < n; i++) {
        const unsigned char x = (unsigned char)a[i], y = (unsigned char)b[i];

        if (x == y)
            continue;
        if ((x >= 0xF0) != (y >= 0xF0) && x >= 0xEE && y >= 0xEE)
            return x > y ? -1 : 1;
        return x < y ? -1 : 1;
    }
    return (na > nb) - (na < nb);
}

static ml_status compare_text(Ctx *ctx, Value a, Value b, int *order)
{
    Buffer x = {0}, y = {0};
    ml_status st = ML_OK;

    scalar_print(&x, a);
    scalar_print(&y, b);
    if (x.failed || y.failed)
        st = fail_memory(ctx, x.size + y.size);
    else
        *order = compare_utf16(x.data ? x.data : "", x.size, y.data ? y.data : "", y.size);
    buffer_free(&x);
    buffer_free(&y);
    return st;
}

enum { LESS = 1, EQUAL = 2, GREATER = 4, UNORDERED = 8 };

static inline int order_doubles(double x, double y)
{
    return x < y ? LESS : x > y ? GREATER : x == y ? EQUAL : UNORDERED;
}

/* TRUE when the outcome is one of `wanted`.  Two doubles, a usual case of loops, are asked first.
 */
static ml_status compare(Ctx *ctx, const Value *in, int wanted, Value *out)
{
    int order = 0;

    if (both_vt(in, VT_DOUBLE) && !in[0].textual && !in[1].textual) {
        *out = value_bool(wanted & order_doubles(in[0].d, in[1].d));
        return ML_OK;
    }
    if (is_string(in[0]) || is_string(in[1])) {
        TRY(compare_text(ctx, in[0], in[1], &order));
    } else if (both_int(in[0], in[1])) {
        order = (int_of(in[0]) > int_of(in[1])) - (int_of(in[0]) < int_of(in[1]));
    } else {
        TRY(need_numbers(ctx, in, 2, "a comparison"));
        *out = value_bool(wanted & order_doubles(scalar_to_double(in[0]), scalar_to_double(in[1])));
        return ML_OK;
    }
    *out = value_bool(wanted & (order < 0 ? LESS : order > 0 ? GREATER : EQUAL));
    return ML_OK;
}

#define COMPARISON(name, wanted)                                                                   \
    ml_status name(Ctx *ctx, const Value *in, int nin, Value *out)                                 \
    {                                                                                              \
        (void)nin;                                                                                 \
        return compare(ctx, in, wanted, out);                                                      \
    }

COMPARISON(s_lt, LESS)
COMPARISON(s_le, LESS | EQUAL)
COMPARISON(s_gt, GREATER)
COMPARISON(s_ge, GREATER | EQUAL)
COMPARISON(s_eq, EQUAL)
COMPARISON(s_ne, LESS | GREATER | UNORDERED)

/* ---- logic: any number but zero is true, NaN too ---- */

static bool truth(Value v)
{
    return scalar_to_double(v) != 0;
}

ml_status s_and(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "'&'"));
    *out = value_bool(truth(in[0]) && truth(in[1]));
    return ML_OK;
}

ml_status s_or(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "'|'"));
    *out = value_bool(truth(in[0]) || truth(in[1]));
    return ML_OK;
}

ml_status s_xor(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "xor"));
    *out = value_bool(truth(in[0]) != truth(in[1]));
    return ML_OK;
}

ml_status s_not(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "'!'"));
    *out = value_bool(!truth(in[0]));
    return ML_OK;
}

/* ---- minimum, maximum ---- */

/* Two integers give an integer, everything else a double; one number is itself. */
static ml_status extreme(Ctx *ctx, const Value *in, int nin, const char *what,
                         double (*f)(double, double), Value *out)
{
    double best;

    TRY(need_numbers(ctx, in, nin, what));
    if (nin == 2 && both_int(in[0], in[1])) {
        const int64_t a = int_of(in[0]), b = int_of(in[1]);

        *out = value_int((a < b) == (f(0, 1) == 0) ? a : b);
        return ML_OK;
    }
    if (nin == 1) {
        *out = in[0];
        return ML_OK;
    }
    best = scalar_to_double(in[0]);
    for (int k = 1; k < nin; k++)
        best = f(best, scalar_to_double(in[k]));
    *out = value_double(best);
    return ML_OK;
}

ml_status s_min(Ctx *ctx, const Value *in, int nin, Value *out)
{
    return extreme(ctx, in, nin, "min", c_min, out);
}

ml_status s_max(Ctx *ctx, const Value *in, int nin, Value *out)
{
    return extreme(ctx, in, nin, "max", c_max, out);
}

/* ---- functions ---- */

ml_status s_abs(Ctx *ctx, const Value *in, int nin, Value *out)
{
    TRY(need_numbers(ctx, in, nin, "abs"));
    if (is_int(in[0]))
        *out = value_int(in[0].i < 0 ? (int64_t)(0 - (uint64_t)in[0].i) : in[0].i);
    else
        *out = value_double(fabs(scalar_to_double(in[0])));
    return ML_OK;
}

/* log(x) and log(x, base).  Of two integers with an integral logarithm the result is an integer:
 * log(8, 2) is 3. */
ml_status s_log(Ctx *ctx, const Value *in, int nin, Value *out)
{
    const bool two = nin > 1 && in[1].dt != DT_NONE;
    double x, r;

    TRY(need_numbers(ctx, in, two ? 2 : 1, "log"));
    x = scalar_to_double(in[0]);
    r = two ? c_log_base(x, scalar_to_double(in[1])) : c_log(x);
    *out = two && both_int(in[0], in[1]) && r == floor(r) && fabs(r) < 64 ? value_int((int64_t)r)
                                                                          : value_double(r);
    return ML_OK;
}

/* The type that both results have in common: string over double over int over bool. */
static ValueType common_type(Value a, Value b)
{
    if (is_string(a) || is_string(b))
        return VT_STRING;
    if (a.vt == VT_DOUBLE || b.vt == VT_DOUBLE)
        return VT_DOUBLE;
    return is_int(a) || is_int(b) ? VT_INT : VT_BOOL;
}

ml_status s_ifelse(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    TRY(need_numbers(ctx, in, 1, "the condition of ifelse"));
    return scalar_cast(ctx, truth(in[0]) ? in[1] : in[2], common_type(in[1], in[2]), out);
}

ml_status s_as_int(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    return scalar_cast(ctx, in[0], VT_INT, out);
}

ml_status s_as_double(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    return scalar_cast(ctx, in[0], VT_DOUBLE, out);
}

ml_status s_as_bool(Ctx *ctx, const Value *in, int nin, Value *out)
{
    (void)nin;
    return scalar_cast(ctx, in[0], VT_BOOL, out);
}

/* ---- bits of 64-bit integers; doubles are truncated first and give doubles ---- */

typedef int64_t (*BitFn)(int64_t, int64_t);

static int64_t bit_and(int64_t a, int64_t b)
{
    return a & b;
}

static int64_t bit_or(int64_t a, int64_t b)
{
    return a | b;
}

static int64_t bit_xor(int64_t a, int64_t b)
{
    return a ^ b;
}

static int64_t shift_l(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a << (b & 63));
}

/* Arithmetic: gcc shifts the sign in. */
static int64_t shift_r(int64_t a, int64_t b)
{
    return a >> (b & 63);
}

static ml_status bits(Ctx *ctx, const Value *in, BitFn f, const char *what, Value *out)
{
    TRY(need_numbers(ctx, in, 2, what));
    if (in[0].vt != VT_DOUBLE && in[1].vt != VT_DOUBLE)
        *out = value_int(f(int_of(in[0]), int_of(in[1])));
    else
        *out = value_double((double)f(double_to_int(scalar_to_double(in[0])),
                                      double_to_int(scalar_to_double(in[1]))));
    return ML_OK;
}

#define BITS(id, f, what)                                                                          \
    ml_status s_##id(Ctx *ctx, const Value *in, int nin, Value *out)                               \
    {                                                                                              \
        (void)nin;                                                                                 \
        return bits(ctx, in, f, what, out);                                                        \
    }                                                                                              \
    double c_##id(double x, double y)                                                              \
    {                                                                                              \
        return (double)f(double_to_int(x), double_to_int(y));                                      \
    }

BITS(bit_and, bit_and, "bitwAnd")
BITS(bit_or, bit_or, "bitwOr")
BITS(bit_xor, bit_xor, "bitwXor")
BITS(shift_l, shift_l, "bitwShiftL")
BITS(shift_r, shift_r, "bitwShiftR")

/* ---- unary cell functions on scalars ---- */

#define UNARY(id)                                                                                  \
    ml_status s_##id(Ctx *ctx, const Value *in, int nin, Value *out)                               \
    {                                                                                              \
        TRY(need_numbers(ctx, in, nin, #id));                                                      \
        *out = value_double(c_##id(scalar_to_double(in[0])));                                      \
        return ML_OK;                                                                              \
    }

CELL1_RULES(UNARY)
