/* scalar: conversions between scalar types and their text, by the rules of the language. */
#include "data/data.h"

#include <math.h>
#include <string.h>

const char *data_type_name(DataType dt)
{
    static const char *const names[] = {"none", "scalar", "matrix", "frame", "list"};

    return names[dt];
}

const char *value_type_name(ValueType vt)
{
    static const char *const names[] = {"none", "int", "double", "boolean", "string", "unknown"};

    return names[vt];
}

bool scalar_is_number(Value v)
{
    return v.dt == DT_SCALAR && (v.vt == VT_INT || v.vt == VT_DOUBLE || v.vt == VT_BOOL);
}

double scalar_to_double(Value v)
{
    switch (v.vt) {
    case VT_INT:
        return (double)v.i;
    case VT_DOUBLE:
        return v.d;
    case VT_BOOL:
        return v.b;
    default:
        return NAN;
    }
}

/* The nudge lets 2.9999999999999998, the image of a computed 3, count as 3. */
bool text_to_double(const char *s, size_t size, double *out)
{
    const char *end = s + size;

    while (s < end && (unsigned char)*s <= ' ')
        s++;
    while (end > s && (unsigned char)end[-1] <= ' ')
        end--;
    if (end - s > 1 && strchr("dDfF", end[-1])) /* 1d, 1.5f as Java spells them */
        end--;
    return s < end && num_parse_double(s, end, out) == end;
}

static ml_status string_to_double(Ctx *ctx, const String *s, double *out)
{
    if (text_to_double(s->text, (size_t)s->size, out))
        return ML_OK;
    return fail(ctx, ML_EVALUE, "expected a number, found the string '%s'", s->text);
}

static bool string_is_true(const String *s)
{
    return strcmp(s->text, "true") == 0 || strcmp(s->text, "TRUE") == 0;
}

static ml_status to_string(Ctx *ctx, Value v, Value *out)
{
    Buffer b = {0};
    String *s;
    ml_status st;

    scalar_print(&b, v);
    st = b.failed ? fail_memory(ctx, b.size) : string_new(ctx, b.data, b.size, &s);
    buffer_free(&b);
    if (st == ML_OK)
        *out = value_string(s);
    return st;
}

ml_status scalar_cast(Ctx *ctx, Value v, ValueType to, Value *out)
{
    double d;

    if (v.dt != DT_SCALAR) {
        char buf[64];

        return fail(ctx, ML_ETYPE, "expected a scalar, found a %s", value_describe(v, buf));
    }
    if (v.vt == to) {
        *out = value_retain(v);
        out->textual = false;
        return ML_OK;
    }
    if (to == VT_STRING)
        return to_string(ctx, v, out);
    if (to == VT_BOOL && v.vt == VT_STRING) {
        *out = value_bool(string_is_true(v.s));
        return ML_OK;
    }
    if (to == VT_INT && v.vt == VT_BOOL) {
        *out = value_int(v.b);
        return ML_OK;
    }
    d = scalar_to_double(v);
    if (v.vt == VT_STRING)
        TRY(string_to_double(ctx, v.s, &d));
    *out = to == VT_INT    ? value_int(double_to_int(d))
           : to == VT_BOOL ? value_bool(d != 0)
                           : value_double(d);
    return ML_OK;
}

ml_status scalar_truth(Ctx *ctx, Value v, bool *out)
{
    char buf[64];

    if (v.dt == DT_SCALAR && v.vt == VT_STRING)
        return fail(ctx, ML_ETYPE, "expected a condition, found the string '%s'", v.s->text);
    if (!scalar_is_number(v))
        return fail(ctx, ML_ETYPE, "expected a scalar condition, found a %s",
                    value_describe(v, buf));
    *out = v.vt == VT_BOOL ? v.b : scalar_to_double(v) != 0;
    return ML_OK;
}

void scalar_print(Buffer *b, Value v)
{
    char text[NUM_BUFFER];

    switch (v.vt) {
    case VT_INT:
        buffer_put(b, text, num_print_int64(text, v.i));
        break;
    case VT_DOUBLE:
        buffer_put(b, text, num_print_double(text, v.d));
        break;
    case VT_BOOL:
        buffer_text(b, v.b ? "TRUE" : "FALSE");
        break;
    case VT_STRING:
        buffer_put(b, v.s->text, (size_t)v.s->size);
        break;
    default:
        break;
    }
}
