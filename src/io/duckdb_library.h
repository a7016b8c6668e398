/* DuckDB, as its header declares it; for the files parquet*.c. */
#ifndef DUCKDB_LIBRARY_H
#define DUCKDB_LIBRARY_H

#include "io/io_impl.h"

typedef struct DuckResult { /* duckdb_result */
    uint64_t columns, rows, changed;
    void *column_data;
    char *message;
    void *internal;
} DuckResult;

/* A text of a vector: short ones lie in it, behind the length. */
typedef struct DuckText { /* duckdb_string_t */
    uint32_t size;
    char first[4];
    const char *pointer;
} DuckText;
enum { DUCK_INLINE = 12 };

typedef enum DuckType { /* duckdb_type */
                        DUCK_BOOLEAN = 1,
                        DUCK_TINYINT,
                        DUCK_SMALLINT,
                        DUCK_INTEGER,
                        DUCK_BIGINT,
                        DUCK_UTINYINT,
                        DUCK_USMALLINT,
                        DUCK_UINTEGER,
                        DUCK_UBIGINT,
                        DUCK_FLOAT,
                        DUCK_DOUBLE,
                        DUCK_HUGEINT = 16,
                        DUCK_VARCHAR = 17,
                        DUCK_DECIMAL = 19,
                        DUCK_LIST = 24,
                        DUCK_STRUCT = 25,
                        DUCK_MAP = 26,
                        DUCK_UNION = 28,
                        DUCK_UHUGEINT = 32,
                        DUCK_ARRAY = 33,
                        DUCK_ANY = 34
} DuckType;

/* Arrow's C data interface, which its specification fixes. */
typedef struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, count;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *s);
    void *private;
} ArrowSchema;
enum { ARROW_NULLABLE = 2 };

typedef struct ArrowArray {
    int64_t length, nulls, offset, buffer_count, count;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *a);
    void *private;
} ArrowArray;

typedef struct ArrowStream { /* ArrowArrayStream */
    int (*get_schema)(struct ArrowStream *s, ArrowSchema *out);
    int (*get_next)(struct ArrowStream *s, ArrowArray *out);
    const char *(*get_last_error)(struct ArrowStream *s);
    void (*release)(struct ArrowStream *s);
    void *private;
} ArrowStream;

/* The body of a scalar function: sets the vector `result` from the columns of a chunk. */
typedef void (*DuckFunction)(void *call, void *chunk, void *result);

typedef struct Duck {
    int (*create_config)(void **config);
    int (*set_config)(void *config, const char *name, const char *value);
    void (*destroy_config)(void **config);
    int (*open)(const char *path, void **database, void *config, char **message);
    void (*close)(void **database);
    int (*connect)(void *database, void **connection);
    void (*disconnect)(void **connection);
    int (*query)(void *connection, const char *sql, DuckResult *out);
    void (*destroy_result)(DuckResult *r);
    const char *(*result_error)(DuckResult *r);
    uint64_t (*column_count)(DuckResult *r);
    const char *(*column_name)(DuckResult *r, uint64_t k);
    DuckType (*column_type)(DuckResult *r, uint64_t k);
    void *(*fetch_chunk)(DuckResult r);
    uint64_t (*chunk_size)(void *chunk);
    void *(*chunk_vector)(void *chunk, uint64_t k);
    void (*destroy_chunk)(void **chunk);
    void *(*vector_data)(void *vector);
    void *(*vector_validity)(void *vector);
    void *(*type_new)(DuckType type);
    void (*type_free)(void **type);
    void *(*function_new)(void);
    void (*function_free)(void **f);
    void (*function_name)(void *f, const char *name);
    void (*function_parameter)(void *f, void *type);
    void (*function_more)(void *f, void *type);
    void (*function_result)(void *f, void *type);
    void (*function_takes_null)(void *f);
    void (*function_is_volatile)(void *f);
    void (*function_extra)(void *f, void *extra, void (*release)(void *extra));
    void (*function_body)(void *f, DuckFunction body);
    int (*function_register)(void *connection, void *f);
    void *(*call_extra)(void *call);
    void (*call_fail)(void *call, const char *message);
    int (*arrow_scan)(void *connection, const char *name, ArrowStream *stream);
} Duck;

/* NULL with the error recorded when it is not there. */
const Duck *duckdb_get(Ctx *ctx);
/* The same after it was found, for what DuckDB calls. */
const Duck *duckdb_used(void);

#endif
