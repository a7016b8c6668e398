/* Arrow IPC: messages of metadata in FlatBuffers, each followed by a body of buffers; for the files
 * ipc*.c. Numbers name fields and types as Arrow's Schema.fbs, Message.fbs and File.fbs do. */
#ifndef IPC_H
#define IPC_H

#include "io/arrow.h"
#include "io/flat.h"
#include "io/numbers.h"

enum { MESSAGE_VERSION, MESSAGE_KIND, MESSAGE_HEADER, MESSAGE_BODY, MESSAGE_FIELDS };
enum { KIND_SCHEMA = 1, KIND_DICTIONARY, KIND_RECORDS };
enum { SCHEMA_BIG_ENDIAN, SCHEMA_COLUMNS, SCHEMA_FIELDS };
enum {
    COLUMN_NAME,
    COLUMN_NULLABLE,
    COLUMN_TYPE_KIND,
    COLUMN_TYPE,
    COLUMN_DICTIONARY,
    COLUMN_CHILDREN,
    COLUMN_FIELDS
};
enum {
    RECORDS_LENGTH,
    RECORDS_NODES,
    RECORDS_BUFFERS,
    RECORDS_COMPRESSION,
    RECORDS_FIELDS,
    RECORDS_VIEWS = RECORDS_FIELDS
};
enum { DICTIONARY_ID, DICTIONARY_RECORDS, DICTIONARY_IS_DELTA };
enum { ENCODING_ID, ENCODING_INDEX };
enum { FOOTER_VERSION, FOOTER_SCHEMA, FOOTER_DICTIONARIES, FOOTER_RECORDS, FOOTER_FIELDS };
enum {
    TYPE_NULL = 1,
    TYPE_INT,
    TYPE_FLOAT,
    TYPE_BINARY,
    TYPE_UTF8,
    TYPE_BOOL,
    TYPE_DECIMAL,
    TYPE_DATE,
    TYPE_TIMESTAMP = 10,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8,
    TYPE_BINARY_VIEW = 23,
    TYPE_UTF8_VIEW
};
enum { IPC_VERSION = 4 }; /* V5 */

/* How the cells of a column lie and what they become. */
typedef struct IpcType {
    int kind;           /* TYPE_... */
    NumberType number;  /* of ints, floats, dates (32 or 64 bits), timestamps */
    int64_t per_second; /* of timestamps; of dates per day, 1 or 86,400,000 */
    int scale;          /* of decimals: digits behind the point */
    int offset_bytes;   /* of texts */
    bool views;         /* texts are described in 16 bytes each, behind which short ones lie */
    FrameType column;
} IpcType;

/* ML_EFORMAT, with the column's name, for types that are not supported. */
ml_status ipc_type(Ctx *ctx, Flat *f, const char *path, size_t column, IpcType *out);
/* A date or point of time as text in b, size returned: "2020-01-02 03:04:05.5". */
size_t ipc_time_text(const IpcType *t, int64_t v, char b[48]);

/* ML_EFORMAT: a message at byte `at` of the file is not as it should be. */
ml_status ipc_damaged(Ctx *ctx, const char *file, size_t at, const char *what);

/* A batch of records. */
typedef struct Records {
    const char *file; /* its name, */
    size_t at;        /* and where the message begins */
    int64_t rows, node_count, buffer_count, view_count;
    const char *nodes, *buffers, *body;
    const char *views; /* how many more buffers each column of views has */
    size_t body_size;
    bool packed;
    int codec;
} Records;

/* A buffer of a batch, unpacked. */
typedef struct IpcBytes {
    const char *p;
    size_t size;
    void *owned; /* of the pool, size bytes */
} IpcBytes;
/* Buffer k of a batch, at least `least` bytes; freed by ipc_free, also on failure. */
ml_status ipc_buffer(Ctx *ctx, const Records *rec, int64_t k, size_t least, IpcBytes *out);
void ipc_free(Ctx *ctx, IpcBytes *b, int n);

/* The buffers of a column: validity, values or offsets or views, bytes. p of the first is NULL when
 * no cell is missing. Freed by ipc_free, also on failure. */
ml_status ipc_buffers(Ctx *ctx, const Records *rec, const IpcType *t, int64_t node, int64_t first,
                      IpcBytes b[3]);
/* Numbers as they lie in *number: bits become bytes, decimals doubles, in place of b. */
ml_status ipc_numbers(Ctx *ctx, const Records *rec, const IpcType *t, IpcBytes *b,
                      NumberType *number);
/* The cells of one column in a batch, behind those that texts or *c hold: rows from `at` on. Of
 * views, `first` is the first of `count` buffers that they refer to. */
typedef struct IpcColumn {
    const char *name; /* for messages */
    const IpcType *type;
    IpcBytes *b; /* of ipc_buffers */
    int64_t first, count;
} IpcColumn;
ml_status ipc_cells(Ctx *ctx, const Records *rec, const IpcColumn *from, TextColumnBuilder *texts,
                    FrameColumn **c, int64_t at);

#endif
