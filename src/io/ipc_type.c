/* Types of Arrow columns: see ipc.h. Dates and points of time become texts, as ISO 8601 spells them
 * but with a blank between day and time. */
#include "io/ipc.h"

static ml_status number(Ctx *ctx, Flat *f, const char *path, const char *name, size_t type,
                        IpcType *out)
{
    static const uint8_t float_bytes[] = {2, 4, 8};
    const int64_t value = flat_int(f, type, 0, out->kind == TYPE_INT ? 4 : 2, 0);

    if (out->kind == TYPE_INT)
        out->number = (NumberType){.kind = flat_int(f, type, 1, 1, 0) ? 'i' : 'u',
                                   .size = (uint8_t)(value > 0 && value <= 64 ? value / 8 : 0)};
    else
        out->number = (NumberType){
            .kind = 'f', .size = value >= 0 && value < 3 ? float_bytes[value] : (uint8_t)0};
    if (!number_type_known(out->number))
        return fail(ctx, ML_EFORMAT, "%s: column '%s' holds numbers of an unknown width", path,
                    name);
    out->column = number_frame_type(out->number);
    return ML_OK;
}

static void date(Flat *f, size_t type, IpcType *out)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    const int64_t unit = type ? flat_int(f, type, 0, 2, out->kind == TYPE_DATE) : 0;
    const bool days = out->kind == TYPE_DATE && unit == 0;

    out->number = (NumberType){.kind = 'i', .size = days ? 4 : 8};
    out->per_second = out->kind == TYPE_DATE ? (days ? 1 : 86400000) : per_second[unit & 3];
}

static ml_status decimal(Ctx *ctx, Flat *f, const char *path, const char *name, size_t type,
                         IpcType *out)
{
    const int64_t scale = flat_int(f, type, 1, 4, 0), bits = flat_int(f, type, 2, 4, 128);

    if (bits != 128 || scale < -400 || scale > 400)
        return fail(ctx, ML_EFORMAT,
                    "%s: column '%s' holds decimals of %" PRId64
                    " bits, expected such of 128, or numbers",
                    path, name, bits);
    out->number.size = 16;
    out->scale = (int)scale;
    out->column = FT_FP64;
    return ML_OK;
}

/* As Arrow's specification calls it. */
static const char *type_name(int kind)
{
    static const char *const names[] = {"none",
                                        "null",
                                        "int",
                                        "floating-point",
                                        "binary",
                                        "utf8",
                                        "bool",
                                        "decimal",
                                        "date",
                                        "time",
                                        "timestamp",
                                        "interval",
                                        "list",
                                        "struct",
                                        "union",
                                        "fixed-size binary",
                                        "fixed-size list",
                                        "map",
                                        "duration",
                                        "large binary",
                                        "large utf8",
                                        "large list",
                                        "run-end encoded",
                                        "binary view",
                                        "utf8 view",
                                        "list view",
                                        "large list view"};
    const int count = sizeof names / sizeof *names;

    return kind > 0 && kind < count ? names[kind] : "unknown";
}

ml_status ipc_type(Ctx *ctx, Flat *f, const char *path, size_t column, IpcType *out)
{
    const size_t type = flat_table(f, column, COLUMN_TYPE);
    size_t size;
    const char *text = flat_text(f, column, COLUMN_NAME, &size);
    char name[64];

    snprintf(name, sizeof name, "%.*s", (int)(size < 60 ? size : 60), text);
    *out = (IpcType){.kind = (int)flat_int(f, column, COLUMN_TYPE_KIND, 1, 0), .column = FT_STRING};
    switch (out->kind) {
    case TYPE_INT:
    case TYPE_FLOAT:
        return number(ctx, f, path, name, type, out);
    case TYPE_DATE:
    case TYPE_TIMESTAMP:
        date(f, type, out);
        return ML_OK;
    case TYPE_BOOL:
        out->number = (NumberType){'b', 1, false};
        out->column = FT_BOOLEAN;
        return ML_OK;
    case TYPE_UTF8:
    case TYPE_BINARY:
    case TYPE_LARGE_UTF8:
    case TYPE_LARGE_BINARY:
        out->offset_bytes = out->kind >= TYPE_LARGE_BINARY ? 8 : 4;
        return ML_OK;
    case TYPE_UTF8_VIEW:
    case TYPE_BINARY_VIEW:
        out->views = true;
        return ML_OK;
    case TYPE_DECIMAL:
        return decimal(ctx, f, path, name, type, out);
    case TYPE_NULL:
        return ML_OK;
    default:
        return fail(ctx, ML_EFORMAT,
                    "%s: column '%s' has Arrow's type %s (%d), expected numbers, booleans, texts, "
                    "dates or timestamps",
                    path, name, type_name(out->kind), out->kind);
    }
}

/* The day of the Gregorian calendar, from days since 1970-01-01 (Hinnant, chrono-compatible
 * low-level date algorithms). */
static size_t put_day(int64_t days, char *b)
{
    const int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097,
                  day_of_era = z - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t m = (5 * day + 2) / 153, month = m < 10 ? m + 3 : m - 9;

    return (size_t)snprintf(b, 24, "%04" PRId64 "-%02d-%02d",
                            year_of_era + era * 400 + (month <= 2), (int)month,
                            (int)(day - (153 * m + 2) / 5 + 1));
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What floor_divide leaves, from 0 on. */
static int64_t floor_rest(int64_t a, int64_t b)
{
    return a % b + (a % b < 0 ? b : 0);
}

size_t ipc_time_text(const IpcType *t, int64_t v, char b[48])
{
    int64_t seconds, fraction, day;
    size_t n;

    if (t->kind == TYPE_DATE)
        return put_day(floor_divide(v, t->per_second), b);
    seconds = floor_divide(v, t->per_second);
    fraction = floor_rest(v, t->per_second);
    day = floor_divide(seconds, 86400);
    seconds = floor_rest(seconds, 86400);
    n = put_day(day, b);
    n += (size_t)snprintf(b + n, 24, " %02d:%02d:%02d", (int)(seconds / 3600),
                          (int)(seconds / 60 % 60), (int)(seconds % 60));
    if (fraction > 0) {
        int digits = 0;

        for (int64_t p = t->per_second; p > 1; p /= 10)
            digits++;
        n += (size_t)snprintf(b + n, 16, ".%0*" PRId64, digits, fraction);
        while (b[n - 1] == '0')
            n--;
    }
    return n;
}
