/* Reading Parquet through DuckDB.
 *
 * The columns fall into groups, and a task runs a query for each, which selects them, cast to what
 * a frame or a matrix can hold. DuckDB works with one thread, which is that of the task, and hands
 * out 2048 rows after the other, which are copied at once: nothing but the result is held as a
 * whole, and a file of a single row group, as others like to write them, still keeps all cores
 * busy.
 *
 * Numbers of a frame cannot be missing but as NaN, so a column of integers or booleans in which
 * some are missing becomes one of FP64 when the first of these comes.
 */
#include "io/parquet.h"

#include "io/numbers.h"

enum { GROUPS_PER_THREAD = 4 };

/* ---- sessions ---- */

static bool configure(Ctx *ctx, const Duck *d, int threads, void **config)
{
    const PoolStats pool = pool_stats(ctx->pool);
    const size_t machine = machine_memory(), left = pool.limit - pool.used;
    char count[NUM_BUFFER], memory[NUM_BUFFER + 2];

    num_print_int64(count, threads);
    snprintf(memory, sizeof memory, "%zuB", left < machine ? left : machine);
    return d->create_config(config) == 0 && d->set_config(*config, "threads", count) == 0 &&
           d->set_config(*config, "memory_limit", memory) == 0 &&
           d->set_config(*config, "autoinstall_known_extensions", "false") == 0 &&
           d->set_config(*config, "autoload_known_extensions", "false") == 0;
}

ml_status duck_open(Ctx *ctx, const char *path, int threads, DuckSession *out)
{
    const Duck *d = duckdb_get(ctx);
    void *config = NULL;
    char *message = NULL;
    ml_status st = ML_OK;

    *out = (DuckSession){.d = d, .path = path};
    if (!d)
        return ML_EUNSUPPORTED;
    if (!configure(ctx, d, threads, &config) ||
        d->open(NULL, &out->database, config, &message) != 0 ||
        d->connect(out->database, &out->connection) != 0)
        st = fail(ctx, ML_EIO, "%s: DuckDB does not start", path);
    d->destroy_config(&config);
    if (st != ML_OK)
        duck_close(out);
    return st;
}

void duck_close(DuckSession *s)
{
    if (s->connection)
        s->d->disconnect(&s->connection);
    if (s->database)
        s->d->close(&s->database);
}

static ml_status fail_query(Ctx *ctx, const DuckSession *s, const char *message)
{
    return fail(ctx, ML_EFORMAT, "%s: DuckDB says: %.*s", s->path,
                message ? (int)strcspn(message, "\n") : 16, message ? message : "no reason given");
}

ml_status duck_query(Ctx *ctx, const DuckSession *s, const char *sql, DuckResult *out)
{
    if (s->d->query(s->connection, sql, out) == 0)
        return ML_OK;
    fail_query(ctx, s, s->d->result_error(out));
    s->d->destroy_result(out);
    return ML_EFORMAT;
}

void duck_quote(Buffer *b, char quote, const char *text)
{
    buffer_put(b, &quote, 1);
    for (; *text; text++) {
        if (*text == quote)
            buffer_put(b, &quote, 1);
        buffer_put(b, text, 1);
    }
    buffer_put(b, &quote, 1);
}

/* ---- what to select ---- */

typedef struct Column {
    const char *name;  /* in the arena */
    DuckType from, as; /* in the file, and as it is selected */
    FrameType type;
    FrameColumn *c;          /* numbers, or */
    TextColumnBuilder texts; /* texts */
} Column;

typedef struct Reader {
    const Spec *spec;
    DuckSession s;
    Buffer files; /* " FROM read_parquet(...)" */
    Column *columns;
    int64_t count, rows, groups;
    Matrix *m; /* NULL: a frame is read */
} Reader;

/* How a type of DuckDB is selected: by itself, or cast to another. */
static const struct {
    DuckType from;
    FrameType type;
    NumberType number;
    const char *cast;
} type_table[] = {
    {DUCK_BOOLEAN, FT_BOOLEAN, {'b', 1, false}, NULL},
    {DUCK_TINYINT, FT_INT32, {'i', 1, false}, NULL},
    {DUCK_SMALLINT, FT_INT32, {'i', 2, false}, NULL},
    {DUCK_INTEGER, FT_INT32, {'i', 4, false}, NULL},
    {DUCK_BIGINT, FT_INT64, {'i', 8, false}, NULL},
    {DUCK_UTINYINT, FT_UINT8, {'u', 1, false}, NULL},
    {DUCK_USMALLINT, FT_INT32, {'u', 2, false}, NULL},
    {DUCK_UINTEGER, FT_INT64, {'u', 4, false}, NULL},
    {DUCK_FLOAT, FT_FP32, {'f', 4, false}, NULL},
    {DUCK_DOUBLE, FT_FP64, {'f', 8, false}, NULL},
    {DUCK_VARCHAR, FT_STRING, {0}, NULL},
    {DUCK_UBIGINT, FT_INT64, {0}, "BIGINT"},
    {DUCK_HUGEINT, FT_FP64, {0}, "DOUBLE"},
    {DUCK_UHUGEINT, FT_FP64, {0}, "DOUBLE"},
    {DUCK_DECIMAL, FT_FP64, {0}, "DOUBLE"},
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

/* The query of columns [lo, hi). */
static void put_select(const Reader *r, int64_t lo, int64_t hi, Buffer *b)
{
    buffer_text(b, "SELECT ");
    for (int64_t k = lo; k < hi; k++) {
        const char *cast = cast_of(r, &r->columns[k]);

        buffer_text(b, k > lo ? ", " : "");
        buffer_text(b, cast ? "CAST(" : "");
        duck_quote(b, '"', r->columns[k].name);
        if (cast)
            buffer_format(b, " AS %s)", cast);
    }
    buffer_text(b, r->files.data);
}

static ml_status put_files(Ctx *ctx, const Input *in, Buffer *b)
{
    for (int i = 0; i < in->count; i++) {
        if (!in->files[i].mapping || in->files[i].unpacked)
            return fail(ctx, ML_EFORMAT, "%s: Parquet is read from files that are not compressed",
                        in->files[i].name);
        buffer_text(b, i ? ", " : " FROM read_parquet([");
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

    buffer_format(&sql, "SELECT *%s LIMIT 0", r->files.data);
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
        if (!c->name)
            st = fail_memory(ctx, strlen(name));
    }
    d->destroy_result(&result);
    return st;
}

static ml_status count_rows(Ctx *ctx, Reader *r)
{
    const Duck *d = r->s.d;
    Buffer sql = {0};
    DuckResult result;
    void *chunk;
    ml_status st;

    buffer_format(&sql, "SELECT count(*)::BIGINT%s", r->files.data);
    st = sql.failed ? fail_memory(ctx, sql.capacity) : duck_query(ctx, &r->s, sql.data, &result);
    buffer_free(&sql);
    if (st != ML_OK)
        return st;
    chunk = d->fetch_chunk(result);
    if (chunk) {
        memcpy(&r->rows, d->vector_data(d->chunk_vector(chunk, 0)), sizeof r->rows);
        d->destroy_chunk(&chunk);
    }
    d->destroy_result(&result);
    return ML_OK;
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
    TRY(count_rows(ctx, r));
    r->groups = GROUPS_PER_THREAD * task_threads(ctx);
    if (r->groups > r->count)
        r->groups = r->count;
    return input_check_dims(ctx, r->spec, r->rows, r->count);
}

/* ---- frames ---- */

static ml_status fill_numbers(Ctx *ctx, const Reader *r, Column *c, int64_t at, const void *from,
                              const void *validity, int64_t n)
{
    return numbers_fill(ctx, r->spec->path, type_table[find_type(c->as)].number, from, validity, n,
                        &c->c, at);
}

/* NULL: a missing one. */
static bool add_text(TextColumnBuilder *b, const DuckText *t)
{
    char text[DUCK_INLINE + 16] = {0}; /* the builder reads 16 bytes ahead */

    if (!t)
        return text_builder_add(b, NULL, 0);
    if (t->size > DUCK_INLINE)
        return text_builder_add(b, t->pointer, t->size);
    memcpy(text, (const char *)t + offsetof(DuckText, first), DUCK_INLINE);
    return text_builder_add_ahead(b, text, t->size);
}

static ml_status fill_texts(Ctx *ctx, Column *c, const DuckText *from, const void *validity,
                            int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!add_text(&c->texts, bit_is_set(validity, i) ? &from[i] : NULL))
            return fail_memory(ctx, from[i].size);
    return ML_OK;
}

static ml_status start_columns(Ctx *ctx, Reader *r, int64_t lo, int64_t hi)
{
    for (int64_t k = lo; k < hi; k++) {
        Column *c = &r->columns[k];

        c->type = type_table[find_type(c->as)].type;
        if (c->as != DUCK_VARCHAR)
            TRY(frame_column_new(ctx, c->type, r->rows, &c->c));
    }
    return ML_OK;
}

/* A column of a matrix. */
static void fill_cells(const Reader *r, int64_t k, int64_t at, const double *from,
                       const void *validity, int64_t n)
{
    double *to = r->m->values + at * r->count + k;

    for (int64_t i = 0; i < n; i++)
        to[i * r->count] = bit_is_set(validity, i) ? from[i] : (double)__builtin_nan("");
}

/* The columns from lo on of rows `at` and following. */
static ml_status fill_chunk(Ctx *ctx, Reader *r, int64_t lo, int64_t hi, int64_t at, void *chunk)
{
    const Duck *d = r->s.d;
    const int64_t n = (int64_t)d->chunk_size(chunk);

    if (n > r->rows - at)
        return fail(ctx, ML_EFORMAT, "%s: the file holds more rows than it says", r->spec->path);
    for (int64_t k = lo; k < hi; k++) {
        Column *c = &r->columns[k];
        void *vector = d->chunk_vector(chunk, (uint64_t)(k - lo));
        const void *data = d->vector_data(vector);
        const void *validity = d->vector_validity(vector);

        if (r->m)
            fill_cells(r, k, at, data, validity, n);
        else
            TRY(c->as == DUCK_VARCHAR ? fill_texts(ctx, c, data, validity, n)
                                      : fill_numbers(ctx, r, c, at, data, validity, n));
    }
    return ML_OK;
}

static ml_status fill_group(Ctx *ctx, Reader *r, int64_t lo, int64_t hi, DuckResult *result)
{
    const Duck *d = r->s.d;
    const DuckSession *s = &r->s;
    int64_t at = 0;
    void *chunk;

    while ((chunk = d->fetch_chunk(*result)) != NULL) {
        const int64_t n = (int64_t)d->chunk_size(chunk);
        ml_status st = check_cancel(ctx);

        if (st == ML_OK)
            st = fill_chunk(ctx, r, lo, hi, at, chunk);
        d->destroy_chunk(&chunk);
        if (st != ML_OK)
            return st;
        at += n;
    }
    if (d->result_error(result))
        return fail_query(ctx, s, d->result_error(result));
    return at == r->rows
               ? ML_OK
               : fail(ctx, ML_EFORMAT, "%s: the file holds fewer rows than it says", r->spec->path);
}

/* Query columns [lo, hi) over a connection of their own, and start them. */
static ml_status query_group(Ctx *ctx, Reader *r, void *connection, int64_t lo, int64_t hi)
{
    const Duck *d = r->s.d;
    Buffer sql = {0};
    DuckResult result = {0};
    void *statement = NULL;
    ml_status st = ML_OK;

    put_select(r, lo, hi, &sql);
    if (sql.failed)
        st = fail_memory(ctx, sql.capacity);
    else if (d->prepare(connection, sql.data, &statement) != 0)
        st = fail_query(ctx, &r->s, d->prepare_error(statement));
    else if (d->execute_streaming(statement, &result) != 0)
        st = fail_query(ctx, &r->s, d->result_error(&result));
    for (int64_t k = lo; st == ML_OK && k < hi; k++)
        r->columns[k].as = d->column_type(&result, (uint64_t)(k - lo));
    if (st == ML_OK && !r->m)
        st = start_columns(ctx, r, lo, hi);
    if (st == ML_OK)
        st = fill_group(ctx, r, lo, hi, &result);
    d->destroy_result(&result);
    d->destroy_statement(&statement);
    buffer_free(&sql);
    return st;
}

static ml_status read_groups(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Reader *r = arg;

    for (int64_t g = lo; g < hi; g++) {
        void *connection = NULL;
        ml_status st;

        if (r->s.d->connect(r->s.database, &connection) != 0)
            return fail(ctx, ML_EIO, "%s: DuckDB does not start", r->spec->path);
        st = query_group(ctx, r, connection, g * r->count / r->groups,
                         (g + 1) * r->count / r->groups);
        r->s.d->disconnect(&connection);
        if (st != ML_OK)
            return st;
    }
    return ML_OK;
}

static ml_status finish_frame(Ctx *ctx, Reader *r, Frame **out)
{
    FrameParts parts = {0};

    for (int64_t k = 0; k < r->count; k++) {
        Column *c = &r->columns[k];
        FrameColumn *taken = c->c;
        ml_status st = ML_OK;

        if (c->as == DUCK_VARCHAR)
            st = text_builder_finish(ctx, &c->texts, FT_STRING, &taken);
        c->c = NULL;
        if (st == ML_OK)
            st = frame_parts_add(ctx, &parts, r->spec->path, c->name, strlen(c->name), taken);
        if (st != ML_OK) {
            frame_parts_free(&parts);
            return st;
        }
    }
    return frame_parts_finish(ctx, r->spec, &parts, out);
}

static void close_reader(Reader *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        frame_column_release(r->columns[k].c);
        text_builder_free(&r->columns[k].texts);
    }
    duck_close(&r->s);
    buffer_free(&r->files);
}

ml_status parquet_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Reader r = {.spec = spec};
    ml_status st = open_reader(ctx, &r, in, false);

    if (st == ML_OK)
        st = task_for(ctx, r.groups, 1, read_groups, &r);
    if (st == ML_OK)
        st = finish_frame(ctx, &r, out);
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
        st = task_for(ctx, r.groups, 1, read_groups, &r);
    if (st == ML_OK)
        st = matrix_finish(ctx, &r.m, -1);
    close_reader(&r);
    if (st == ML_OK)
        *out = r.m;
    else
        matrix_release(r.m);
    return st;
}
