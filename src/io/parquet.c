/* Reading Parquet through DuckDB.
 *
 * The columns fall into groups, and a task runs a query for each. The query hands the columns, cast
 * to what a frame or a matrix can hold, to a function of ours, 2048 rows at a time, and has no
 * result: so DuckDB copies nothing for us, and nothing but what is read is held as a whole. DuckDB
 * works with one thread, which is that of the task, so rows come in order; and a file of a single
 * row group, as others like to write them, still keeps all cores busy.
 *
 * Texts pass through a second function first, which gives them numbers. Where pages have a
 * dictionary DuckDB calls it once for each entry instead of for each row, since its value depends
 * on one column alone.
 *
 * Numbers of a frame cannot be missing but as NaN, so a column of integers or booleans in which
 * some are missing becomes one of FP64 when the first of these comes.
 */
#include "io/parquet.h"
#include "io/coded_texts.h"
#include "io/numbers.h"

enum { GROUPS_PER_THREAD = 8 };

/* ---- what to select ---- */

struct Group;

typedef struct Column {
    const char *name;  /* in the arena */
    DuckType from, as; /* in the file, and as it is selected */
    struct Group *group;
    FrameColumn *c;   /* numbers, or in the end */
    CodedTexts texts; /* texts */
} Column;

/* Columns that are read by one query. */
typedef struct Group {
    struct Reader *r;
    Ctx *ctx;            /* of the task */
    const int64_t *list; /* the columns, count of them */
    int64_t count, at;   /* at: the rows that were read */
    ml_status st;        /* of the functions; DuckDB gives up when it is bad */
} Group;

typedef struct Reader {
    const Spec *spec;
    DuckSession s;
    Buffer files; /* " FROM read_parquet(...)" */
    Column *columns;
    Group *groups;
    int64_t count, rows, group_count;
    Matrix *m; /* NULL: a frame is read */
} Reader;

/* How a type of DuckDB is selected: by itself, or cast to another. */
static const struct {
    DuckType from, as;
    const char *cast;
    FrameType type;
    NumberType number;
} type_table[] = {
    {DUCK_BOOLEAN, DUCK_BOOLEAN, NULL, FT_BOOLEAN, {'b', 1, false}},
    {DUCK_TINYINT, DUCK_TINYINT, NULL, FT_INT32, {'i', 1, false}},
    {DUCK_SMALLINT, DUCK_SMALLINT, NULL, FT_INT32, {'i', 2, false}},
    {DUCK_INTEGER, DUCK_INTEGER, NULL, FT_INT32, {'i', 4, false}},
    {DUCK_BIGINT, DUCK_BIGINT, NULL, FT_INT64, {'i', 8, false}},
    {DUCK_UTINYINT, DUCK_UTINYINT, NULL, FT_UINT8, {'u', 1, false}},
    {DUCK_USMALLINT, DUCK_USMALLINT, NULL, FT_INT32, {'u', 2, false}},
    {DUCK_UINTEGER, DUCK_UINTEGER, NULL, FT_INT64, {'u', 4, false}},
    {DUCK_FLOAT, DUCK_FLOAT, NULL, FT_FP32, {'f', 4, false}},
    {DUCK_DOUBLE, DUCK_DOUBLE, NULL, FT_FP64, {'f', 8, false}},
    {DUCK_VARCHAR, DUCK_VARCHAR, NULL, FT_STRING, {0}},
    {DUCK_UBIGINT, DUCK_BIGINT, "BIGINT", FT_INT64, {0}},
    {DUCK_HUGEINT, DUCK_DOUBLE, "DOUBLE", FT_FP64, {0}},
    {DUCK_UHUGEINT, DUCK_DOUBLE, "DOUBLE", FT_FP64, {0}},
    {DUCK_DECIMAL, DUCK_DOUBLE, "DOUBLE", FT_FP64, {0}},
};
enum { TYPES = sizeof type_table / sizeof *type_table };

/* TYPES: neither a number nor a text. */
static int find_type(DuckType t)
{
    int i = 0;

    while (i < TYPES && type_table[i].from != t)
        i++;
    return i;
}

static bool is_nested(DuckType t)
{
    return t == DUCK_LIST || t == DUCK_STRUCT || t == DUCK_MAP || t == DUCK_UNION ||
           t == DUCK_ARRAY;
}

static ml_status check_column(Ctx *ctx, const Reader *r, const Column *c, bool as_matrix)
{
    const int type = find_type(c->from);

    if (as_matrix && (type == TYPES || c->from == DUCK_VARCHAR))
        return fail(
            ctx, ML_EFORMAT,
            "%s: column '%s' holds no numbers, expected a matrix; data_type=\"frame\" reads "
            "any columns",
            r->spec->path, c->name);
    if (is_nested(c->from))
        return fail(ctx, ML_EFORMAT,
                    "%s: column '%s' is a list or a struct, expected numbers or texts",
                    r->spec->path, c->name);
    return ML_OK;
}

/* What the column is cast to, NULL for nothing. */
static const char *cast_of(const Reader *r, const Column *c)
{
    const int type = find_type(c->from);

    return r->m ? "DOUBLE" : type < TYPES ? type_table[type].cast : "VARCHAR";
}

static void put_column(const Reader *r, const Column *c, Buffer *b)
{
    const char *cast = cast_of(r, c);

    buffer_text(b, cast ? ", CAST(" : ", ");
    duck_quote(b, '"', c->name);
    if (cast)
        buffer_format(b, " AS %s)", cast);
}

/* The query of a group. */
static void put_select(const Group *g, Buffer *b)
{
    const Reader *r = g->r;

    buffer_format(b, "SELECT count(matloom_take(%td", g - r->groups);
    for (int64_t i = 0; i < g->count; i++) {
        const Column *c = &r->columns[g->list[i]];

        if (c->as == DUCK_VARCHAR)
            buffer_format(b, ", matloom_learn(%" PRId64, g->list[i]);
        put_column(r, c, b);
        buffer_text(b, c->as == DUCK_VARCHAR ? ")" : "");
    }
    buffer_text(b, "))");
    buffer_format(b, " FROM read_parquet%s", r->files.data);
}

static ml_status put_files(Ctx *ctx, const Input *in, Buffer *b)
{
    for (int i = 0; i < in->count; i++) {
        if (in->files[i].size == 0)
            return fail(ctx, ML_EFORMAT, "%s: the file is empty", in->files[i].name);
        if (!in->files[i].mapping || in->files[i].unpacked)
            return fail(ctx, ML_EFORMAT, "%s: Parquet is read from files that are not compressed",
                        in->files[i].name);
        buffer_text(b, i ? ", " : "([");
        duck_quote(b, '\'', in->files[i].name);
    }
    buffer_text(b, "])");
    return b->failed ? fail_memory(ctx, b->capacity) : ML_OK;
}

/* Names and types from an empty result. */
static ml_status describe(Ctx *ctx, Reader *r)
{
    const Duck *d = r->s.d;
    Buffer sql = {0};
    DuckResult result;
    ml_status st;

    buffer_format(&sql, "SELECT * FROM read_parquet%s LIMIT 0", r->files.data);
    st = sql.failed ? fail_memory(ctx, sql.capacity) : duck_query(ctx, &r->s, sql.data, &result);
    buffer_free(&sql);
    if (st != ML_OK)
        return st;
    r->columns = ARENA_ARRAY(r->spec->arena, Column, d->column_count(&result) + 1);
    if (!r->columns)
        st = fail_memory(ctx, sizeof(Column));
    for (uint64_t k = 0; st == ML_OK && k < d->column_count(&result); k++) {
        const char *name = d->column_name(&result, k);
        Column *c = &r->columns[r->count++];

        c->name = arena_text(r->spec->arena, name, strlen(name));
        c->from = d->column_type(&result, k);
        c->as = find_type(c->from) < TYPES ? type_table[find_type(c->from)].as : DUCK_VARCHAR;
        if (!c->name)
            st = fail_memory(ctx, strlen(name));
    }
    d->destroy_result(&result);
    return st;
}

/* The one BIGINT that a query over the files, which follow `head`, answers. */
static ml_status query_number(Ctx *ctx, Reader *r, const char *head, const char *tail, int64_t *out)
{
    const Duck *d = r->s.d;
    Buffer sql = {0};
    DuckResult result;
    void *chunk;
    ml_status st;

    buffer_format(&sql, "%s%s%s", head, r->files.data, tail);
    st = sql.failed ? fail_memory(ctx, sql.capacity) : duck_query(ctx, &r->s, sql.data, &result);
    buffer_free(&sql);
    if (st != ML_OK)
        return st;
    chunk = d->fetch_chunk(result);
    if (chunk) {
        memcpy(out, d->vector_data(d->chunk_vector(chunk, 0)), sizeof *out);
        d->destroy_chunk(&chunk);
    }
    d->destroy_result(&result);
    return ML_OK;
}

/* DuckDB holds decimals of 38 digits and makes wrong doubles of longer ones. Row 1 of its table of
 * columns is the whole. */
static ml_status check_decimals(Ctx *ctx, Reader *r)
{
    int64_t at = 0, doubles = 0;

    for (int64_t k = 0; k < r->count; k++)
        doubles += r->columns[k].from == DUCK_DOUBLE;
    if (doubles == 0)
        return ML_OK;
    TRY(query_number(ctx, r,
                     "SELECT coalesce(min(i), 0)::BIGINT FROM (SELECT row_number() OVER () AS i, "
                     "precision FROM parquet_schema",
                     ") WHERE precision > 38", &at));
    return at == 0
               ? ML_OK
               : fail(ctx, ML_EFORMAT, "%s: column '%s' holds decimals of more than 38 digits",
                      r->spec->path, at >= 2 && at - 2 < r->count ? r->columns[at - 2].name : "");
}

/* Texts take longest, so groups get them first, each as many as the others. */
static ml_status make_groups(Ctx *ctx, Reader *r)
{
    const int64_t most = GROUPS_PER_THREAD * (int64_t)task_threads(ctx);
    int64_t *list = ARENA_ARRAY(r->spec->arena, int64_t, r->count), dealt = 0;

    r->group_count = r->count < most ? r->count : most;
    r->groups = ARENA_ARRAY(r->spec->arena, Group, r->group_count);
    if (!list || !r->groups)
        return fail_memory(ctx, (size_t)r->count * sizeof *list);
    for (int64_t i = 0, at = 0; i < r->group_count; i++) {
        const int64_t n = (r->count - i + r->group_count - 1) / r->group_count;

        r->groups[i] = (Group){.r = r, .list = list + at};
        at += n;
    }
    for (int texts = 1; texts >= 0; texts--)
        for (int64_t k = 0; k < r->count; k++)
            if ((r->columns[k].as == DUCK_VARCHAR) == texts) {
                Group *g = &r->groups[dealt++ % r->group_count];

                list[g->list - list + g->count++] = k;
                r->columns[k].group = g;
            }
    return ML_OK;
}

/* ---- functions that DuckDB calls ---- */

/* Column k of a chunk. */
typedef struct Vector {
    const void *data, *validity;
} Vector;

static Vector vector_of(const Duck *d, void *chunk, uint64_t k)
{
    void *v = d->chunk_vector(chunk, k);

    return (Vector){d->vector_data(v), d->vector_validity(v)};
}

static const char *text_of(const DuckText *t)
{
    return t->size > DUCK_INLINE ? t->pointer : (const char *)t + offsetof(DuckText, first);
}

/* matloom_learn(column, text): the text's number, 0 for null. */
static void learn(void *call, void *chunk, void *result)
{
    const Reader *r = duckdb_used()->call_extra(call);
    const Duck *d = r->s.d;
    const Vector texts = vector_of(d, chunk, 1);
    const uint64_t n = d->chunk_size(chunk);
    uint32_t *numbers = d->vector_data(result);
    Column *c;
    bool good = true;

    if (n == 0)
        return;
    c = &r->columns[*(const int64_t *)vector_of(d, chunk, 0).data];
    for (uint64_t i = 0; i < n && good; i++) {
        const DuckText *t = (const DuckText *)texts.data + i;

        numbers[i] = 0;
        if (bit_is_set(texts.validity, (int64_t)i))
            good = coded_texts_learn(&c->texts, text_of(t), t->size, &numbers[i]);
    }
    if (!good) {
        c->group->st = fail_memory(c->group->ctx, c->texts.set.bytes.size);
        d->call_fail(call, "out of memory");
    }
}

static ml_status take_columns(Group *g, void *chunk, int64_t n)
{
    const Reader *r = g->r;

    for (int64_t i = 0; i < g->count; i++) {
        Column *c = &r->columns[g->list[i]];
        const Vector v = vector_of(r->s.d, chunk, (uint64_t)i + 1);

        if (c->as != DUCK_VARCHAR)
            TRY(numbers_fill(g->ctx, r->spec->path, type_table[find_type(c->as)].number, v.data,
                             v.validity, n, &c->c, g->at));
        else if (!coded_texts_add(&c->texts, v.data, n))
            return fail_memory(g->ctx, (size_t)n * sizeof(uint32_t));
    }
    return ML_OK;
}

/* Columns of a matrix, some rows at a time, which stay in the cache meanwhile. */
static void take_cells(const Group *g, void *chunk, int64_t n)
{
    enum { ROWS = 64 };
    const Reader *r = g->r;

    for (int64_t lo = 0; lo < n; lo += ROWS)
        for (int64_t i = 0; i < g->count; i++) {
            const Vector v = vector_of(r->s.d, chunk, (uint64_t)i + 1);
            const int64_t hi = n - lo < ROWS ? n : lo + ROWS;
            double *to = r->m->values + g->at * r->count + g->list[i];

            for (int64_t row = lo; row < hi; row++)
                to[row * r->count] = bit_is_set(v.validity, row) ? ((const double *)v.data)[row]
                                                                 : (double)__builtin_nan("");
        }
}

static ml_status take_rows(Group *g, void *chunk, int64_t n)
{
    const Reader *r = g->r;

    TRY(check_cancel(g->ctx));
    if (n > r->rows - g->at)
        return fail(g->ctx, ML_EFORMAT, "%s: the file holds more rows than it says", r->spec->path);
    if (r->m)
        take_cells(g, chunk, n);
    else
        TRY(take_columns(g, chunk, n));
    g->at += n;
    return ML_OK;
}

/* matloom_take(group, columns ...): never null. */
static void take(void *call, void *chunk, void *result)
{
    const Reader *r = duckdb_used()->call_extra(call);
    const Duck *d = r->s.d;
    const int64_t n = (int64_t)d->chunk_size(chunk);
    Group *g;

    if (n == 0)
        return;
    memset(d->vector_data(result), 0, (size_t)n);
    g = &r->groups[*(const int64_t *)vector_of(d, chunk, 0).data];
    g->st = take_rows(g, chunk, n);
    if (g->st != ML_OK)
        d->call_fail(call, "stopped");
}

/* A function of a number and whatever follows. */
static ml_status add_function(Ctx *ctx, Reader *r, const char *name, DuckFunction body,
                              DuckType type, bool is_volatile)
{
    const Duck *d = r->s.d;
    void *f = d->function_new(), *number = d->type_new(DUCK_BIGINT), *any = d->type_new(DUCK_ANY),
         *result = d->type_new(type);
    bool good;

    d->function_name(f, name);
    d->function_parameter(f, number);
    d->function_more(f, any);
    d->function_result(f, result);
    d->function_takes_null(f);
    d->function_extra(f, r, NULL);
    d->function_body(f, body);
    if (is_volatile)
        d->function_is_volatile(f);
    good = d->function_register(r->s.connection, f) == 0;
    d->type_free(&number);
    d->type_free(&any);
    d->type_free(&result);
    d->function_free(&f);
    return good ? ML_OK : fail(ctx, ML_EIO, "%s: DuckDB takes no functions", r->spec->path);
}

static ml_status open_reader(Ctx *ctx, Reader *r, const Input *in, bool as_matrix)
{
    TRY(duck_open(ctx, r->spec->path, 1, &r->s));
    TRY(put_files(ctx, in, &r->files));
    TRY(describe(ctx, r));
    if (r->count == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file holds no columns", r->spec->path);
    for (int64_t k = 0; k < r->count; k++)
        TRY(check_column(ctx, r, &r->columns[k], as_matrix));
    TRY(check_decimals(ctx, r));
    TRY(query_number(ctx, r, "SELECT count(*)::BIGINT FROM read_parquet", "", &r->rows));
    TRY(make_groups(ctx, r));
    TRY(add_function(ctx, r, "matloom_learn", learn, DUCK_UINTEGER, false));
    TRY(add_function(ctx, r, "matloom_take", take, DUCK_BOOLEAN, true));
    return input_check_dims(ctx, r->spec, r->rows, r->count);
}

/* ---- reading ---- */

static ml_status start_columns(Group *g)
{
    for (int64_t i = 0; i < g->count; i++) {
        Column *c = &g->r->columns[g->list[i]];

        if (c->as != DUCK_VARCHAR)
            TRY(frame_column_new(g->ctx, type_table[find_type(c->as)].type, g->r->rows, &c->c));
    }
    return ML_OK;
}

static ml_status finish_columns(Group *g)
{
    for (int64_t i = 0; i < g->count; i++) {
        Column *c = &g->r->columns[g->list[i]];

        if (c->as == DUCK_VARCHAR)
            TRY(coded_texts_finish(g->ctx, &c->texts, &c->c));
    }
    return ML_OK;
}

static ml_status query_group(Group *g, const DuckSession *s)
{
    Reader *r = g->r;
    Buffer sql = {0};
    DuckResult result = {0};
    ml_status st = ML_OK;

    put_select(g, &sql);
    if (sql.failed)
        st = fail_memory(g->ctx, sql.capacity);
    else if (s->d->query(s->connection, sql.data, &result) != 0)
        st = g->st != ML_OK ? g->st : duck_fail(g->ctx, s, s->d->result_error(&result));
    s->d->destroy_result(&result);
    buffer_free(&sql);
    if (st == ML_OK && g->at != r->rows)
        st = fail(g->ctx, ML_EFORMAT, "%s: the file holds fewer rows than it says", r->spec->path);
    return st;
}

static ml_status read_group(Ctx *ctx, Group *g)
{
    DuckSession s = g->r->s;
    ml_status st;

    g->ctx = ctx;
    if (s.d->connect(s.database, &s.connection) != 0)
        return fail(ctx, ML_EIO, "%s: DuckDB does not start", s.path);
    st = g->r->m ? ML_OK : start_columns(g);
    if (st == ML_OK)
        st = query_group(g, &s);
    s.d->disconnect(&s.connection);
    return st == ML_OK && !g->r->m ? finish_columns(g) : st;
}

static ml_status read_groups(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Reader *r = arg;

    for (int64_t i = lo; i < hi; i++)
        TRY(read_group(ctx, &r->groups[i]));
    return ML_OK;
}

static ml_status next_column(Ctx *ctx, void *reader, int64_t k, const char **name,
                             FrameColumn **out)
{
    Column *c = &((Reader *)reader)->columns[k];

    (void)ctx;
    *name = c->name;
    *out = c->c;
    c->c = NULL;
    return ML_OK;
}

static void close_reader(Reader *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        frame_column_release(r->columns[k].c);
        coded_texts_free(&r->columns[k].texts);
    }
    duck_close(&r->s);
    buffer_free(&r->files);
}

ml_status parquet_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Reader r = {.spec = spec};
    ml_status st = open_reader(ctx, &r, in, false);

    if (st == ML_OK)
        st = task_for(ctx, r.group_count, 1, read_groups, &r);
    if (st == ML_OK)
        st = frame_parts_all(ctx, spec, r.count, next_column, &r, out);
    close_reader(&r);
    return st;
}

ml_status parquet_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Reader r = {.spec = spec};
    ml_status st = open_reader(ctx, &r, in, true);

    *out = NULL;
    if (st == ML_OK)
        st = matrix_new_dense(ctx, r.rows, r.count, &r.m);
    if (st == ML_OK)
        st = task_for(ctx, r.group_count, 1, read_groups, &r);
    if (st == ML_OK)
        st = matrix_finish(ctx, &r.m, -1);
    close_reader(&r);
    if (st == ML_OK)
        *out = r.m;
    else
        matrix_release(r.m);
    return st;
}
