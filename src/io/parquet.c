/* Reading Parquet through DuckDB.
 *
 * A query selects the columns, cast to what a frame or a matrix can hold; DuckDB decodes them with
 * as many threads as the engine has. Its result comes in chunks of 2048 rows, which are copied some
 * at a time, the columns of a frame in parallel, or the rows of a matrix.
 *
 * Numbers of a frame cannot be missing but as NaN, so a column of integers or booleans in which
 * some are missing becomes one of FP64 when the first of these comes.
 */
#include "io/parquet.h"

#include "io/numbers.h"

enum { CHUNKS = 64, PIECE = 512 };

/* ---- sessions ---- */

static bool configure(Ctx *ctx, const Duck *d, void **config)
{
    const PoolStats pool = pool_stats(ctx->pool);
    const size_t machine = machine_memory(), left = pool.limit - pool.used;
    char threads[NUM_BUFFER], memory[NUM_BUFFER + 2];

    num_print_int64(threads, task_threads(ctx));
    snprintf(memory, sizeof memory, "%zuB", left < machine ? left : machine);
    return d->create_config(config) == 0 && d->set_config(*config, "threads", threads) == 0 &&
           d->set_config(*config, "memory_limit", memory) == 0 &&
           d->set_config(*config, "autoinstall_known_extensions", "false") == 0 &&
           d->set_config(*config, "autoload_known_extensions", "false") == 0;
}

ml_status duck_open(Ctx *ctx, const char *path, DuckSession *out)
{
    const Duck *d = duckdb_get(ctx);
    void *config = NULL;
    char *message = NULL;
    ml_status st = ML_OK;

    *out = (DuckSession){.d = d, .path = path};
    if (!d)
        return ML_EUNSUPPORTED;
    if (!configure(ctx, d, &config) || d->open(NULL, &out->database, config, &message) != 0 ||
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

ml_status duck_query(Ctx *ctx, const DuckSession *s, const char *sql, DuckResult *out)
{
    const char *message;

    if (s->d->query(s->connection, sql, out) == 0)
        return ML_OK;
    message = s->d->result_error(out);
    fail(ctx, ML_EFORMAT, "%s: DuckDB says: %.*s", s->path,
         message ? (int)strcspn(message, "\n") : 16, message ? message : "no reason given");
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
    const char *name; /* in the arena */
    DuckType from;    /* as it is selected */
    FrameType type;
    FrameColumn *c;          /* numbers, or */
    TextColumnBuilder texts; /* texts */
} Column;

typedef struct Reader {
    const Spec *spec;
    DuckSession s;
    Buffer files, sql;
    Column *columns;
    int64_t count, rows;
    DuckResult result;
    bool has_result;
    void *chunks[CHUNKS];
    int64_t starts[CHUNKS + 1]; /* first row of each chunk */
    int chunk_count;
    double *cells; /* of a matrix */
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

static ml_status select_column(Ctx *ctx, Reader *r, Column *c, bool as_matrix)
{
    const int type = find_type(c->from);
    const bool number = type < TYPES && c->from != DUCK_VARCHAR;
    const char *cast = as_matrix ? "DOUBLE" : type < TYPES ? type_table[type].cast : "VARCHAR";

    if (as_matrix && !number)
        return fail(
            ctx, ML_EFORMAT,
            "%s: column '%s' holds no numbers, expected a matrix; data_type=\"frame\" reads "
            "any columns",
            r->spec->path, c->name);
    if (is_nested(c->from))
        return fail(ctx, ML_EFORMAT,
                    "%s: column '%s' is a list or a struct, expected numbers or texts",
                    r->spec->path, c->name);
    buffer_text(&r->sql, r->sql.size > 7 ? ", " : "");
    buffer_text(&r->sql, cast ? "CAST(" : "");
    duck_quote(&r->sql, '"', c->name);
    if (cast)
        buffer_format(&r->sql, " AS %s)", cast);
    return ML_OK;
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

static ml_status run_select(Ctx *ctx, Reader *r, const Input *in, bool as_matrix)
{
    TRY(put_files(ctx, in, &r->files));
    TRY(describe(ctx, r));
    if (r->count == 0)
        return fail(ctx, ML_EFORMAT, "%s: the file holds no columns", r->spec->path);
    buffer_text(&r->sql, "SELECT ");
    for (int64_t k = 0; k < r->count; k++)
        TRY(select_column(ctx, r, &r->columns[k], as_matrix));
    buffer_text(&r->sql, r->files.data);
    if (r->sql.failed)
        return fail_memory(ctx, r->sql.capacity);
    TRY(duck_query(ctx, &r->s, r->sql.data, &r->result));
    r->has_result = true;
    r->rows = (int64_t)r->s.d->row_count(&r->result);
    for (int64_t k = 0; k < r->count; k++)
        r->columns[k].from = r->s.d->column_type(&r->result, (uint64_t)k);
    return input_check_dims(ctx, r->spec, r->rows, r->count);
}

/* Fetch chunks and give them to fill, until there is none. */
static ml_status run_chunks(Ctx *ctx, Reader *r, TaskFn fill, bool by_chunk)
{
    const Duck *d = r->s.d;
    ml_status st = ML_OK;

    while (st == ML_OK && r->starts[0] < r->rows) {
        for (r->chunk_count = 0; r->chunk_count < CHUNKS; r->chunk_count++) {
            void *chunk = d->fetch_chunk(r->result);
            const int64_t *start = &r->starts[r->chunk_count];

            if (!chunk)
                break;
            r->chunks[r->chunk_count] = chunk;
            r->starts[r->chunk_count + 1] = *start + (int64_t)d->chunk_size(chunk);
        }
        if (r->chunk_count == 0 || r->starts[r->chunk_count] > r->rows)
            st = fail(ctx, ML_EIO, "%s: DuckDB gives other rows than it says", r->spec->path);
        else
            st = task_for(ctx, by_chunk ? r->chunk_count : r->count, 1, fill, r);
        r->starts[0] = r->starts[r->chunk_count];
        for (int i = 0; i < r->chunk_count; i++)
            d->destroy_chunk(&r->chunks[i]);
    }
    return st;
}

static bool is_valid(const uint64_t *validity, int64_t i)
{
    return !validity || (validity[i / 64] >> (i % 64) & 1);
}

/* ---- frames ---- */

static bool all_valid(const uint64_t *validity, int64_t n)
{
    for (int64_t i = 0; validity && i < n; i++)
        if (!is_valid(validity, i))
            return false;
    return true;
}

/* Into a column of floating-point numbers. */
static void put_numbers(FrameColumn *c, int64_t at, NumberType t, const char *from,
                        const uint64_t *validity, int64_t n)
{
    double some[PIECE];

    for (int64_t i = 0; i < n; i++) {
        if (i % PIECE == 0)
            numbers_to_doubles(t, from + i * t.size, t.size, n - i < PIECE ? n - i : PIECE, some);
        column_set_number(c, at + i,
                          is_valid(validity, i) ? some[i % PIECE] : (double)__builtin_nan(""));
    }
}

static ml_status fill_numbers(Ctx *ctx, Column *c, int64_t at, const char *from,
                              const uint64_t *validity, int64_t n)
{
    const NumberType t = type_table[find_type(c->from)].number;
    const bool valid = all_valid(validity, n);

    if (!valid)
        TRY(frame_column_widen(ctx, &c->c));
    if (valid && frame_type_size(c->c->type) == t.size && c->c->type == c->type)
        memcpy(column_cell(c->c, at), from, (size_t)n * t.size);
    else if (frame_type_is_float(c->c->type))
        put_numbers(c->c, at, t, from, validity, n);
    else
        numbers_to_ints(t, from, t.size, n, c->c, at);
    return ML_OK;
}

static ml_status fill_texts(Ctx *ctx, Column *c, const DuckText *from, const uint64_t *validity,
                            int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const DuckText *t = &from[i];
        const char *text = t->size <= DUCK_INLINE ? t->first : t->pointer;

        if (!text_builder_add(&c->texts, is_valid(validity, i) ? text : NULL, t->size))
            return fail_memory(ctx, t->size);
    }
    return ML_OK;
}

static ml_status fill_columns(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    Reader *r = arg;
    const Duck *d = r->s.d;

    for (int64_t k = lo; k < hi; k++)
        for (int i = 0; i < r->chunk_count; i++) {
            Column *c = &r->columns[k];
            void *vector = d->chunk_vector(r->chunks[i], (uint64_t)k);
            const void *data = d->vector_data(vector);
            const uint64_t *validity = d->vector_validity(vector);
            const int64_t n = r->starts[i + 1] - r->starts[i];

            TRY(check_cancel(ctx));
            TRY(c->from == DUCK_VARCHAR ? fill_texts(ctx, c, data, validity, n)
                                        : fill_numbers(ctx, c, r->starts[i], data, validity, n));
        }
    return ML_OK;
}

static ml_status start_columns(Ctx *ctx, Reader *r)
{
    for (int64_t k = 0; k < r->count; k++) {
        Column *c = &r->columns[k];

        c->type = type_table[find_type(c->from)].type;
        if (c->from != DUCK_VARCHAR)
            TRY(frame_column_new(ctx, c->type, r->rows, &c->c));
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

        if (c->from == DUCK_VARCHAR)
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
    if (r->has_result)
        r->s.d->destroy_result(&r->result);
    duck_close(&r->s);
    buffer_free(&r->files);
    buffer_free(&r->sql);
}

ml_status parquet_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out)
{
    Reader r = {.spec = spec};
    ml_status st;

    TRY_TO(done, st = duck_open(ctx, spec->path, &r.s));
    TRY_TO(done, st = run_select(ctx, &r, in, false));
    TRY_TO(done, st = start_columns(ctx, &r));
    TRY_TO(done, st = run_chunks(ctx, &r, fill_columns, false));
    st = finish_frame(ctx, &r, out);
done:
    close_reader(&r);
    return st;
}

/* ---- matrices ---- */

static ml_status fill_rows(Ctx *ctx, void *arg, int64_t lo, int64_t hi)
{
    const Reader *r = arg;
    const Duck *d = r->s.d;

    TRY(check_cancel(ctx));
    for (int64_t i = lo; i < hi; i++)
        for (int64_t k = 0; k < r->count; k++) {
            void *vector = d->chunk_vector(r->chunks[i], (uint64_t)k);
            const double *data = d->vector_data(vector);
            const uint64_t *validity = d->vector_validity(vector);
            const int64_t n = r->starts[i + 1] - r->starts[i];
            double *to = r->cells + r->starts[i] * r->count + k;

            for (int64_t row = 0; row < n; row++)
                to[row * r->count] =
                    is_valid(validity, row) ? data[row] : (double)__builtin_nan("");
        }
    return ML_OK;
}

ml_status parquet_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out)
{
    Reader r = {.spec = spec};
    ml_status st;

    *out = NULL;
    TRY_TO(done, st = duck_open(ctx, spec->path, &r.s));
    TRY_TO(done, st = run_select(ctx, &r, in, true));
    TRY_TO(done, st = matrix_new_dense(ctx, r.rows, r.count, out));
    r.cells = (*out)->values;
    TRY_TO(done, st = run_chunks(ctx, &r, fill_rows, true));
    st = matrix_finish(ctx, out, -1);
done:
    close_reader(&r);
    if (st != ML_OK) {
        matrix_release(*out);
        *out = NULL;
    }
    return st;
}
