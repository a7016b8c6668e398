/* Parquet through DuckDB, for parquet.c and parquet_write.c. */
#ifndef PARQUET_H
#define PARQUET_H

#include "io/arrow.h"
#include "io/duckdb_library.h"

typedef struct DuckSession {
    const Duck *d;
    const char *path; /* for messages */
    void *database, *connection;
} DuckSession;

/* An empty database in memory with so many threads, the caller's included. */
ml_status duck_open(Ctx *ctx, const char *path, int threads, DuckSession *out);
void duck_close(DuckSession *s);
/* ML_EFORMAT with the first line of what DuckDB says. */
ml_status duck_fail(Ctx *ctx, const DuckSession *s, const char *message);
/* Run SQL; *out is to be destroyed on success. */
ml_status duck_query(Ctx *ctx, const DuckSession *s, const char *sql, DuckResult *out);
/* Append text between the quotes given, doubling those in it. */
void duck_quote(Buffer *b, char quote, const char *text);

#endif
