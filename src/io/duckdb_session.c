/* Databases of DuckDB in memory, and queries: see parquet.h. */
#include "io/parquet.h"

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

ml_status duck_fail(Ctx *ctx, const DuckSession *s, const char *message)
{
    return fail(ctx, ML_EFORMAT, "%s: DuckDB says: %.*s", s->path,
                message ? (int)strcspn(message, "\n") : 16, message ? message : "no reason given");
}

ml_status duck_query(Ctx *ctx, const DuckSession *s, const char *sql, DuckResult *out)
{
    if (s->d->query(s->connection, sql, out) == 0)
        return ML_OK;
    duck_fail(ctx, s, s->d->result_error(out));
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
