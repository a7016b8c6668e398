/* Completing reads and writes: arguments, then the .mtd beside the data, then defaults.
 *
 * A parameter given in both places must be the same. Formats are told by name; where that is
 * missing the file's extension tells, if it implies its format or the default, text, could not be
 * read for want of sizes.
 */
#include <stdio.h>
#include <strings.h>
#include <unistd.h>

#include "io/keys.h"

#define KEY(key, key_kind, field)                                                                  \
    {                                                                                              \
        key, key_kind, offsetof(IoOptions, field)                                                  \
    }
#define NOTE(key)                                                                                  \
    {                                                                                              \
        key, KEY_NOTE, 0                                                                           \
    }

const Key key_table[] = {
    KEY("data_type", KEY_TEXT, data_type),
    KEY("value_type", KEY_TEXT, value_type),
    KEY("rows", KEY_COUNT, rows),
    KEY("cols", KEY_COUNT, cols),
    KEY("nnz", KEY_COUNT, nnz),
    KEY("format", KEY_TEXT, format),
    KEY("header", KEY_FLAG, header),
    KEY("sep", KEY_TEXT, sep),
    KEY("fill", KEY_FLAG, fill),
    KEY("default", KEY_NUMBER, fill_value),
    KEY("naStrings", KEY_NA, na_strings),
    KEY("schema", KEY_TEXT, schema),
    KEY("indSep", KEY_TEXT, ind_sep),
    KEY("dataset", KEY_TEXT, dataset),
    KEY("sparse", KEY_FLAG, sparse),
    KEY("description", KEY_TEXT, description),
    NOTE("author"),
    NOTE("created"),
    NOTE("rows_in_block"),
    NOTE("cols_in_block"),
    NOTE("privacy"),
    NOTE("fine_grained_privacy"),
};
const int key_count = (int)(sizeof key_table / sizeof *key_table);

void io_options_init(IoOptions *o)
{
    *o = (IoOptions){.rows = -1, .cols = -1, .nnz = -1, .header = -1, .fill = -1, .sparse = -1};
}

/* ---- merging ---- */

static bool is_given(IoOptions *o, const Key *k)
{
    switch (k->kind) {
    case KEY_TEXT:
    case KEY_NA:
        return *key_text(o, k) != NULL;
    case KEY_COUNT:
        return *key_int64(o, k) >= 0;
    case KEY_FLAG:
        return *key_flag(o, k) >= 0;
    case KEY_NUMBER:
        return o->has_fill_value;
    case KEY_NOTE:
        break;
    }
    return false;
}

/* The value of a given key as text. */
static const char *show(IoOptions *o, const Key *k, char buf[NUM_BUFFER])
{
    if (k->kind == KEY_COUNT)
        num_print_int64(buf, *key_int64(o, k));
    else if (k->kind == KEY_NUMBER)
        num_print_double(buf, o->fill_value);
    else if (k->kind == KEY_FLAG)
        return *key_flag(o, k) ? "true" : "false";
    else
        return *key_text(o, k);
    return buf;
}

static void copy_key(IoOptions *to, IoOptions *from, const Key *k)
{
    if (k->kind == KEY_COUNT)
        *key_int64(to, k) = *key_int64(from, k);
    else if (k->kind == KEY_FLAG)
        *key_flag(to, k) = *key_flag(from, k);
    else if (k->kind == KEY_NUMBER)
        to->fill_value = from->fill_value;
    else
        *key_text(to, k) = *key_text(from, k);
    to->has_fill_value |= k->kind == KEY_NUMBER;
}

/* Add to args what only the metadata says. */
static ml_status merge(Ctx *ctx, const char *mtd_name, IoOptions *args, IoOptions *mtd,
                       int mtd_na_count)
{
    for (int i = 0; i < key_count; i++) {
        const Key *k = &key_table[i];
        char ours[NUM_BUFFER], theirs[NUM_BUFFER];
        bool same;

        if (!is_given(mtd, k))
            continue;
        if (!is_given(args, k)) {
            copy_key(args, mtd, k);
            continue;
        }
        same = strcmp(show(args, k, ours), show(mtd, k, theirs)) == 0;
        if (!same || (k->kind == KEY_NA && mtd_na_count > 1))
            return fail(ctx, ML_EVALUE,
                        "parameter '%s' has conflicting values in metadata and read statement: %s "
                        "says '%s', read "
                        "says '%s'",
                        k->name, mtd_name, show(mtd, k, theirs), show(args, k, ours));
    }
    return ML_OK;
}

/* ---- the metadata file ---- */

/* Read PATH.mtd if it is there. */
static ml_status load_mtd(Ctx *ctx, Spec *spec, IoOptions *args)
{
    const char *name = arena_format(spec->arena, "%s.mtd", spec->path);
    char *text = NULL;
    size_t size;
    IoOptions mtd;
    ml_status st;

    if (!name)
        return fail_memory(ctx, strlen(spec->path));
    if (access(name, F_OK) != 0)
        return ML_OK;
    TRY(file_read(ctx, name, &text, &size));
    st = mtd_parse(ctx, spec->arena, name, text, size, &mtd, &spec->na, &spec->na_count);
    mem_free(text);
    return st == ML_OK ? merge(ctx, name, args, &mtd, spec->na_count) : st;
}

/* ---- words to values ---- */

static ml_status choose_data_type(Ctx *ctx, const char *word, DataType *out)
{
    static const DataType types[] = {DT_SCALAR, DT_MATRIX, DT_FRAME, DT_LIST};

    *out = DT_MATRIX;
    if (!word)
        return ML_OK;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(word, data_type_name(types[i])) == 0) {
            *out = types[i];
            return ML_OK;
        }
    return fail(ctx, ML_EVALUE, "data_type is '%s', expected matrix, frame, scalar or list", word);
}

static ml_status choose_value_type(Ctx *ctx, const char *word, ValueType *out)
{
    static const struct {
        const char *word;
        ValueType vt;
    } types[] = {{"double", VT_DOUBLE}, {"fp64", VT_DOUBLE},     {"int", VT_INT},
                 {"integer", VT_INT},   {"int64", VT_INT},       {"boolean", VT_BOOL},
                 {"string", VT_STRING}, {"unknown", VT_UNKNOWN}, {"fp32", VT_DOUBLE},
                 {"int32", VT_INT}};

    *out = VT_DOUBLE;
    if (!word)
        return ML_OK;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcasecmp(word, types[i].word) == 0) {
            *out = types[i].vt;
            return ML_OK;
        }
    return fail(ctx, ML_EVALUE,
                "value_type is '%s', expected double, int, boolean, string or unknown", word);
}

static bool schema_type(const char *word, size_t n, FrameType *type)
{
    static const struct {
        const char *word;
        FrameType type;
    } others[] = {
        {"DOUBLE", FT_FP64}, {"INT", FT_INT64}, {"INTEGER", FT_INT64}, {"UNKNOWN", FT_STRING}};
    char upper[16];

    if (n >= sizeof upper)
        return false;
    for (size_t i = 0; i < n; i++)
        upper[i] = (char)(word[i] >= 'a' && word[i] <= 'z' ? word[i] - 32 : word[i]);
    upper[n] = '\0';
    if (frame_type_parse(upper, n, type))
        return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(others[i].word, upper) == 0) {
            *type = others[i].type;
            return true;
        }
    return false;
}

/* A comma list of types; one comma at the end is tolerated. */
static ml_status parse_schema(Ctx *ctx, Spec *spec, const char *text)
{
    const char *end = text + strlen(text);

    spec->schema = ARENA_ARRAY(spec->arena, FrameType, strlen(text) + 1);
    if (!spec->schema)
        return fail_memory(ctx, strlen(text) * sizeof(FrameType));
    for (const char *p = text; p < end;) {
        const char *comma = strchrnul(p, ','), *a = skip_blanks(p, comma), *b = comma;

        while (b > a && is_blank(b[-1]))
            b--;
        if (!schema_type(a, (size_t)(b - a), &spec->schema[spec->schema_count]))
            return fail(ctx, ML_EVALUE, "schema: '%.*s' is no column type", (int)(b - a), a);
        spec->schema_count++;
        p = comma + (comma < end);
    }
    if (spec->schema_count == 0)
        spec->schema = NULL;
    return ML_OK;
}

/* ---- formats ---- */

#define ML_FORMAT(id, ...) {__VA_ARGS__},
static const Format format_table[] = {
#include "io/formats.def"
};
#undef ML_FORMAT
static const int format_count = (int)(sizeof format_table / sizeof *format_table);

/* NULL if there is none. */
static const Format *format_find(const char *name)
{
    for (int i = 0; i < format_count; i++)
        if (strcmp(format_table[i].name, name) == 0)
            return &format_table[i];
    return NULL;
}

/* Whether a blank-separated list has the word. */
static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);

    for (const char *p = list; (p = strstr(p, word)) != NULL; p++)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return n > 0;
    return false;
}

/* That of a compressed file is before the one of the compression. */
static const Format *format_of_extension(const Spec *spec)
{
    const char *path = arena_text(spec->arena, spec->path, spec->stem);
    const char *slash = path ? strrchr(path, '/') : NULL;
    const char *dot = path ? strrchr(slash ? slash : path, '.') : NULL;

    for (int i = 0; dot && i < format_count; i++)
        if (has_word(format_table[i].extensions, dot + 1))
            return &format_table[i];
    return NULL;
}

static ml_status fail_format(Ctx *ctx, const char *name)
{
    char known[256] = "";

    if (has_word("delta cog federated proto jsonl", name))
        return fail(ctx, ML_EUNSUPPORTED, "format \"%s\" is not supported by this version", name);
    for (int i = 0; i < format_count; i++) {
        const size_t n = strlen(known);

        snprintf(known + n, sizeof known - n, "%s%s", i ? ", " : "", format_table[i].name);
    }
    return fail(ctx, ML_EVALUE, "invalid format %s, expected one of %s", name, known);
}

/* By name; without, by an extension that is no other format's, and when reading text would lack its
 * sizes by any. */
static ml_status choose_format(Ctx *ctx, Spec *spec, const char *name, bool reading)
{
    const bool sized = spec->rows >= 0 && spec->cols >= 0;
    const Format *by_extension = name ? NULL : format_of_extension(spec);

    if (by_extension && (by_extension->implied || (reading && !sized)))
        spec->format = by_extension;
    else
        spec->format = format_find(name ? name : "text");
    return spec->format ? ML_OK : fail_format(ctx, name);
}

/* ---- specs ---- */

static const char *keep(Arena *arena, const char *text)
{
    return text ? arena_text(arena, text, strlen(text)) : NULL;
}

static ml_status set_strings(Ctx *ctx, Spec *spec, const IoOptions *o)
{
    const char *sep = o->sep ? o->sep : spec->format->sep;

    spec->sep = keep(spec->arena, sep ? sep : " ");
    spec->ind_sep = keep(spec->arena, o->ind_sep ? o->ind_sep : ":");
    spec->description = keep(spec->arena, o->description);
    spec->dataset = keep(spec->arena, o->dataset);
    if (spec->na_count == 0 && o->na_strings) {
        spec->na = ARENA_ARRAY(spec->arena, const char *, 1);
        if (!spec->na)
            return fail_memory(ctx, sizeof *spec->na);
        spec->na[0] = keep(spec->arena, o->na_strings);
        spec->na_count = 1;
    }
    if (!spec->sep || !spec->ind_sep || (o->description && !spec->description) ||
        (o->dataset && !spec->dataset) || (spec->na_count && !spec->na[0]))
        return fail_memory(ctx, 1);
    if (!*spec->sep || strchr(spec->sep, '\n') || !*spec->ind_sep)
        return fail(ctx, ML_EVALUE, "separators must not be empty or hold line breaks");
    return ML_OK;
}

static ml_status complete(Ctx *ctx, Spec *spec, const IoOptions *o, bool reading)
{
    spec->rows = o->rows;
    spec->cols = o->cols;
    spec->nnz = o->nnz;
    spec->header = o->header == 1;
    spec->fill = o->fill != 0;
    spec->sparse = o->sparse == 1;
    spec->fill_value = o->has_fill_value ? o->fill_value : 0;
    TRY(choose_format(ctx, spec, o->format, reading));
    if (o->schema)
        TRY(parse_schema(ctx, spec, o->schema));
    return set_strings(ctx, spec, o);
}

static ml_status start(Ctx *ctx, const char *path, Spec *out)
{
    *out = (Spec){.arena = arena_new()};
    if (!out->arena)
        return fail_memory(ctx, sizeof *out);
    out->path = keep(out->arena, path);
    out->codec = codec_of_path(path, &out->stem);
    return out->path ? ML_OK : fail_memory(ctx, strlen(path));
}

ml_status spec_for_read(Ctx *ctx, const char *path, const IoOptions *options, Spec *out)
{
    IoOptions o;

    TRY(start(ctx, path, out));
    io_options_init(&o);
    if (options)
        o = *options;
    TRY(load_mtd(ctx, out, &o));
    TRY(choose_data_type(ctx, o.data_type, &out->dt));
    TRY(choose_value_type(ctx, o.value_type, &out->vt));
    return complete(ctx, out, &o, true);
}

ml_status spec_for_write(Ctx *ctx, Value v, const char *path, const IoOptions *options, Spec *out)
{
    IoOptions o;

    TRY(start(ctx, path, out));
    io_options_init(&o);
    if (options)
        o = *options;
    out->dt = (DataType)v.dt;
    out->vt = (ValueType)v.vt;
    return complete(ctx, out, &o, false);
}

void spec_free(Spec *spec)
{
    if (spec->arena)
        arena_free(spec->arena);
    *spec = (Spec){0};
}
