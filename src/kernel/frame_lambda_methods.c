/* frame_lambda_methods: what lambdas can do: operators, methods of texts and arrays, conversions
 * (those with patterns are in frame_lambda_patterns.c). A table row is a name, its parameters, the
 * type of its result and its function. */
#include "kernel/frame_lambda.h"
#include "kernel/transform.h"

#include <math.h>
#include <string.h>

#define METHOD(name)                                                                               \
    static ml_status name(LambdaRun *run, const LambdaNode *node, const LambdaValue *args,         \
                          LambdaValue *out)
#define UNUSED (void)run, (void)node

/* ---- operands ---- */

/* Of a whole number or a character. */
static int64_t whole(const LambdaNode *node, const LambdaValue *args, int k)
{
    const Text t = args[k].text;
    int bytes;

    return node->args[k]->type == L_CHAR ? (int64_t)text_decode(t.s, t.s + t.size, &bytes)
                                         : args[k].i;
}

static double real(const LambdaNode *node, const LambdaValue *args, int k)
{
    return node->args[k]->type == L_DOUBLE ? args[k].d : (double)whole(node, args, k);
}

static ml_status new_text(LambdaRun *run, size_t size, char **out)
{
    *out = arena_alloc(run->arena, size + 1);
    return *out ? ML_OK : fail_memory(run->ctx, size);
}

static bool same(Text a, Text b)
{
    return a.s && b.s ? a.size == b.size && memcmp(a.s, b.s, a.size) == 0 : a.s == b.s;
}

/* ---- arithmetic ---- */

static ml_status overflow(LambdaRun *run, const LambdaNode *node)
{
    return lambda_fail(run->ctx, run->lambda, node->at, "expected a result of 64 bits");
}

METHOD(add_whole)
{
    return __builtin_add_overflow(whole(node, args, 0), whole(node, args, 1), &out->i)
               ? overflow(run, node)
               : ML_OK;
}

METHOD(sub_whole)
{
    return __builtin_sub_overflow(whole(node, args, 0), whole(node, args, 1), &out->i)
               ? overflow(run, node)
               : ML_OK;
}

METHOD(mul_whole)
{
    return __builtin_mul_overflow(whole(node, args, 0), whole(node, args, 1), &out->i)
               ? overflow(run, node)
               : ML_OK;
}

static ml_status check_divisor(LambdaRun *run, const LambdaNode *node, int64_t a, int64_t b)
{
    if (b == 0)
        return lambda_fail(run->ctx, run->lambda, node->at,
                           "expected a divisor other than 0 for whole numbers");
    return a == INT64_MIN && b == -1 ? overflow(run, node) : ML_OK;
}

METHOD(div_whole)
{
    const int64_t a = whole(node, args, 0), b = whole(node, args, 1);

    TRY(check_divisor(run, node, a, b));
    out->i = a / b;
    return ML_OK;
}

METHOD(mod_whole)
{
    const int64_t a = whole(node, args, 0), b = whole(node, args, 1);

    TRY(check_divisor(run, node, a, b));
    out->i = a % b;
    return ML_OK;
}

METHOD(negate_whole)
{
    return __builtin_sub_overflow(0, whole(node, args, 0), &out->i) ? overflow(run, node) : ML_OK;
}

METHOD(abs_whole)
{
    out->i = whole(node, args, 0);
    return out->i < 0 ? negate_whole(run, node, args, out) : ML_OK;
}

#define REAL(name, expression)                                                                     \
    METHOD(name)                                                                                   \
    {                                                                                              \
        const double a = real(node, args, 0), b = node->nargs > 1 ? real(node, args, 1) : 0;       \
        UNUSED;                                                                                    \
        (void)b;                                                                                   \
        out->d = (expression);                                                                     \
        return ML_OK;                                                                              \
    }
REAL(add_real, a + b)
REAL(sub_real, a - b)
REAL(mul_real, a *b)
REAL(div_real, a / b)
REAL(mod_real, fmod(a, b))
REAL(negate_real, -a)
REAL(abs_real, fabs(a))
REAL(max_real, isnan(a) || isnan(b) ? NAN : fmax(a, b))
REAL(min_real, isnan(a) || isnan(b) ? NAN : fmin(a, b))

#define COMPARE(name, operator)                                                                    \
    METHOD(name##_whole)                                                                           \
    {                                                                                              \
        UNUSED;                                                                                    \
        out->b = whole(node, args, 0) operator whole(node, args, 1);                               \
        return ML_OK;                                                                              \
    }                                                                                              \
    METHOD(name##_real)                                                                            \
    {                                                                                              \
        UNUSED;                                                                                    \
        out->b = real(node, args, 0) operator real(node, args, 1);                                 \
        return ML_OK;                                                                              \
    }
COMPARE(eq, ==)
COMPARE(ne, !=)
COMPARE(lt, <)
COMPARE(le, <=)
COMPARE(gt, >)
COMPARE(ge, >=)

METHOD(max_whole)
{
    const int64_t a = whole(node, args, 0), b = whole(node, args, 1);

    UNUSED;
    out->i = a > b ? a : b;
    return ML_OK;
}

METHOD(min_whole)
{
    const int64_t a = whole(node, args, 0), b = whole(node, args, 1);

    UNUSED;
    out->i = a < b ? a : b;
    return ML_OK;
}

/* ---- truth ---- */

METHOD(not_bool)
{
    UNUSED;
    out->b = !args[0].b;
    return ML_OK;
}

METHOD(eq_bool)
{
    UNUSED;
    out->b = args[0].b == args[1].b;
    return ML_OK;
}

METHOD(ne_bool)
{
    UNUSED;
    out->b = args[0].b != args[1].b;
    return ML_OK;
}

METHOD(eq_text)
{
    UNUSED;
    out->b = same(args[0].text, args[1].text);
    return ML_OK;
}

METHOD(ne_text)
{
    UNUSED;
    out->b = !same(args[0].text, args[1].text);
    return ML_OK;
}

METHOD(contains)
{
    UNUSED;
    out->b = text_find(args[0].text, args[1].text, 0) >= 0;
    return ML_OK;
}

METHOD(starts_with)
{
    const Text t = args[0].text, part = args[1].text;

    UNUSED;
    out->b = part.size <= t.size && memcmp(t.s, part.s, part.size) == 0;
    return ML_OK;
}

METHOD(ends_with)
{
    const Text t = args[0].text, part = args[1].text;

    UNUSED;
    out->b = part.size <= t.size && memcmp(t.s + t.size - part.size, part.s, part.size) == 0;
    return ML_OK;
}

METHOD(is_empty)
{
    UNUSED;
    out->b = args[0].text.size == 0;
    return ML_OK;
}

/* ---- numbers of a text ---- */

METHOD(length)
{
    UNUSED;
    out->i = text_length(args[0].text);
    return ML_OK;
}

METHOD(list_length)
{
    UNUSED;
    out->i = args[0].list.count;
    return ML_OK;
}

METHOD(hash_code)
{
    UNUSED;
    out->i = text_hash(args[0].text.s, args[0].text.size);
    return ML_OK;
}

static int64_t index_of_byte(Text t, int64_t byte)
{
    return byte < 0 ? -1 : text_length((Text){t.s, (size_t)byte});
}

METHOD(index_of)
{
    UNUSED;
    out->i = index_of_byte(args[0].text, text_find(args[0].text, args[1].text, 0));
    return ML_OK;
}

METHOD(last_index_of)
{
    UNUSED;
    out->i = index_of_byte(args[0].text, text_find_last(args[0].text, args[1].text));
    return ML_OK;
}

/* The difference of the first characters that differ, else of the lengths. */
METHOD(compare_to)
{
    const char *a = args[0].text.s, *b = args[1].text.s, *a_end = a + args[0].text.size,
               *b_end = b + args[1].text.size;

    UNUSED;
    for (int m, n; a < a_end && b < b_end; a += m, b += n) {
        const uint32_t x = text_decode(a, a_end, &m), y = text_decode(b, b_end, &n);

        out->i = (int64_t)x - (int64_t)y;
        if (x != y)
            return ML_OK;
    }
    out->i =
        text_length((Text){a, (size_t)(a_end - a)}) - text_length((Text){b, (size_t)(b_end - b)});
    return ML_OK;
}

METHOD(parse_whole)
{
    const Text t = args[0].text;

    if (num_parse_int64(t.s, t.s + t.size, &out->i))
        return ML_OK;
    return lambda_fail(run->ctx, run->lambda, node->at, "expected a whole number, found '%.*s'",
                       t.size < 80 ? (int)t.size : 80, t.s);
}

METHOD(parse_real)
{
    const Text t = args[0].text;

    if (text_to_double(t.s, t.size, &out->d))
        return ML_OK;
    return lambda_fail(run->ctx, run->lambda, node->at, "expected a number, found '%.*s'",
                       t.size < 80 ? (int)t.size : 80, t.s);
}

/* ---- texts ---- */

static ml_status outside(LambdaRun *run, const LambdaNode *node, const LambdaValue *args)
{
    const Text t = args[0].text;

    return lambda_fail(run->ctx, run->lambda, node->at,
                       "expected positions within the %" PRId64 " characters of '%.*s'",
                       text_length(t), t.size < 40 ? (int)t.size : 40, t.s);
}

METHOD(substring)
{
    const Text t = args[0].text;
    const int64_t from = text_byte(t, whole(node, args, 1)),
                  to = node->nargs > 2 ? text_byte(t, whole(node, args, 2)) : (int64_t)t.size;

    if (from < 0 || to < from)
        return outside(run, node, args);
    out->text = (Text){t.s + from, (size_t)(to - from)};
    return ML_OK;
}

METHOD(char_at)
{
    const Text t = args[0].text;
    const int64_t from = text_byte(t, whole(node, args, 1));
    int bytes;

    if (from < 0 || from == (int64_t)t.size)
        return outside(run, node, args);
    text_decode(t.s + from, t.s + t.size, &bytes);
    out->text = (Text){t.s + from, (size_t)bytes};
    return ML_OK;
}

METHOD(trim)
{
    Text t = args[0].text;

    UNUSED;
    for (; t.size && (unsigned char)t.s[0] <= ' '; t.s++)
        t.size--;
    while (t.size && (unsigned char)t.s[t.size - 1] <= ' ')
        t.size--;
    out->text = t;
    return ML_OK;
}

/* Letters whose other case has as many bytes; a sharp s becomes SS, two bytes as well. */
static ml_status change_case(LambdaRun *run, Text t, bool upper, LambdaValue *out)
{
    const char *end = t.s + t.size;
    char *text, *to;

    TRY(new_text(run, t.size, &text));
    to = text;
    for (int bytes; t.s < end; t.s += bytes, to += bytes) {
        const uint32_t code = text_decode(t.s, end, &bytes),
                       other = upper ? text_upper(code) : text_lower(code);

        if (upper && code == 0xDF && bytes == 2)
            memcpy(to, "SS", 2);
        else if (other != code && (bytes > 1 || code < 0x80))
            text_encode(other, to);
        else
            memcpy(to, t.s, (size_t)bytes);
    }
    out->text = (Text){text, (size_t)(to - text)};
    return ML_OK;
}

METHOD(upper_case)
{
    (void)node;
    return change_case(run, args[0].text, true, out);
}

METHOD(lower_case)
{
    (void)node;
    return change_case(run, args[0].text, false, out);
}

METHOD(equals_ignore_case)
{
    LambdaValue a, b;

    (void)node;
    TRY(change_case(run, args[0].text, false, &a));
    TRY(change_case(run, args[1].text, false, &b));
    out->b = same(a.text, b.text);
    return ML_OK;
}

/* Any two values, one after the other; null is written as such. */
METHOD(concatenate)
{
    char buf[2][NUM_BUFFER], *text;
    Text parts[2];

    for (int k = 0; k < 2; k++) {
        parts[k] = lambda_text(node->args[k]->type, &args[k], buf[k]);
        if (!parts[k].s)
            parts[k] = (Text){"null", 4};
    }
    TRY(new_text(run, parts[0].size + parts[1].size, &text));
    memcpy(text, parts[0].s, parts[0].size);
    memcpy(text + parts[0].size, parts[1].s, parts[1].size);
    out->text = (Text){text, parts[0].size + parts[1].size};
    return ML_OK;
}

METHOD(value_of)
{
    char buf[NUM_BUFFER], *text;
    const Text t = lambda_text(node->args[0]->type, &args[0], buf);

    TRY(new_text(run, t.size, &text));
    memcpy(text, t.s, t.size);
    out->text = (Text){text, t.size};
    return ML_OK;
}

enum { MAX_REPEATED = 1 << 24 };

METHOD(repeat)
{
    const Text t = args[0].text;
    const int64_t times = whole(node, args, 1);
    size_t size;
    char *text;

    if (times < 0 || !mul_size(t.size, (size_t)times, &size) || size > MAX_REPEATED)
        return lambda_fail(run->ctx, run->lambda, node->at,
                           "expected 0 or more times and at most 16 MiB, found %" PRId64, times);
    TRY(new_text(run, size, &text));
    for (size_t k = 0; k < size; k += t.size)
        memcpy(text + k, t.s, t.size);
    out->text = (Text){text, size};
    return ML_OK;
}

ml_status lambda_keep(LambdaRun *run, Buffer *b, LambdaValue *out)
{
    char *text = b->failed ? NULL : arena_text(run->arena, b->data ? b->data : "", b->size);
    const size_t size = b->size;

    buffer_free(b);
    out->text = (Text){text, size};
    return text ? ML_OK : fail_memory(run->ctx, size);
}

METHOD(replace)
{
    const Text t = args[0].text, part = args[1].text, by = args[2].text;
    Buffer b = {0};
    size_t done = 0;

    if (part.size == 0)
        return lambda_fail(run->ctx, run->lambda, node->at,
                           "expected characters to replace, found none");
    for (int64_t at; (at = text_find(t, part, done)) >= 0; done = (size_t)at + part.size) {
        buffer_put(&b, t.s + done, (size_t)at - done);
        buffer_put(&b, by.s, by.size);
    }
    buffer_put(&b, t.s + done, t.size - done);
    return lambda_keep(run, &b, out);
}

METHOD(join)
{
    Buffer b = {0};

    (void)node;
    for (int64_t k = 0; k < args[1].list.count; k++) {
        const Text t = args[1].list.items[k];

        if (k > 0)
            buffer_put(&b, args[0].text.s, args[0].text.size);
        buffer_put(&b, t.s ? t.s : "null", t.s ? t.size : 4);
    }
    return lambda_keep(run, &b, out);
}

/* ---- the table: of several rows that fit the first is taken ---- */

const LambdaMethod lambda_methods[] = {
    {"+", "ii", L_INT, add_whole, false},
    {"+", "dd", L_DOUBLE, add_real, false},
    {"+", "ta", L_STRING, concatenate, true},
    {"+", "at", L_STRING, concatenate, true},
    {"-", "ii", L_INT, sub_whole, false},
    {"-", "dd", L_DOUBLE, sub_real, false},
    {"-", "i", L_INT, negate_whole, false},
    {"-", "d", L_DOUBLE, negate_real, false},
    {"*", "ii", L_INT, mul_whole, false},
    {"*", "dd", L_DOUBLE, mul_real, false},
    {"/", "ii", L_INT, div_whole, false},
    {"/", "dd", L_DOUBLE, div_real, false},
    {"%", "ii", L_INT, mod_whole, false},
    {"%", "dd", L_DOUBLE, mod_real, false},
    {"!", "b", L_BOOL, not_bool, false},
    {"==", "ii", L_BOOL, eq_whole, false},
    {"==", "dd", L_BOOL, eq_real, false},
    {"==", "ss", L_BOOL, eq_text, true},
    {"==", "bb", L_BOOL, eq_bool, false},
    {"!=", "ii", L_BOOL, ne_whole, false},
    {"!=", "dd", L_BOOL, ne_real, false},
    {"!=", "ss", L_BOOL, ne_text, true},
    {"!=", "bb", L_BOOL, ne_bool, false},
    {"<", "ii", L_BOOL, lt_whole, false},
    {"<", "dd", L_BOOL, lt_real, false},
    {"<=", "ii", L_BOOL, le_whole, false},
    {"<=", "dd", L_BOOL, le_real, false},
    {">", "ii", L_BOOL, gt_whole, false},
    {">", "dd", L_BOOL, gt_real, false},
    {">=", "ii", L_BOOL, ge_whole, false},
    {">=", "dd", L_BOOL, ge_real, false},
    {"length", "s", L_INT, length, false},
    {"length", "l", L_INT, list_length, false},
    {"isEmpty", "s", L_BOOL, is_empty, false},
    {"toUpperCase", "s", L_STRING, upper_case, false},
    {"toLowerCase", "s", L_STRING, lower_case, false},
    {"trim", "s", L_STRING, trim, false},
    {"strip", "s", L_STRING, trim, false},
    {"substring", "si", L_STRING, substring, false},
    {"substring", "sii", L_STRING, substring, false},
    {"charAt", "si", L_CHAR, char_at, false},
    {"indexOf", "ss", L_INT, index_of, false},
    {"lastIndexOf", "ss", L_INT, last_index_of, false},
    {"contains", "ss", L_BOOL, contains, false},
    {"startsWith", "ss", L_BOOL, starts_with, false},
    {"endsWith", "ss", L_BOOL, ends_with, false},
    {"equals", "ss", L_BOOL, eq_text, true},
    {"equalsIgnoreCase", "ss", L_BOOL, equals_ignore_case, false},
    {"compareTo", "ss", L_INT, compare_to, false},
    {"hashCode", "s", L_INT, hash_code, false},
    {"concat", "ss", L_STRING, concatenate, false},
    {"repeat", "si", L_STRING, repeat, false},
    {"replace", "sss", L_STRING, replace, false},
    {"replaceAll", "srs", L_STRING, lambda_replace_all, false},
    {"replaceFirst", "srs", L_STRING, lambda_replace_first, false},
    {"matches", "sr", L_BOOL, lambda_matches, false},
    {"split", "sr", L_LIST, lambda_split, false},
    {"Integer.parseInt", "s", L_INT, parse_whole, false},
    {"Long.parseLong", "s", L_INT, parse_whole, false},
    {"Double.parseDouble", "s", L_DOUBLE, parse_real, false},
    {"String.valueOf", "a", L_STRING, value_of, false},
    {"UtilFunctions.jaccardSim", "tt", L_DOUBLE, lambda_jaccard, false},
    {"String.join", "sl", L_STRING, join, false},
    {"Math.abs", "i", L_INT, abs_whole, false},
    {"Math.abs", "d", L_DOUBLE, abs_real, false},
    {"Math.max", "ii", L_INT, max_whole, false},
    {"Math.max", "dd", L_DOUBLE, max_real, false},
    {"Math.min", "ii", L_INT, min_whole, false},
    {"Math.min", "dd", L_DOUBLE, min_real, false},
};
const int lambda_nmethods = sizeof lambda_methods / sizeof *lambda_methods;
