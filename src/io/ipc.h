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
enum { RECORDS_LENGTH, RECORDS_NODES, RECORDS_BUFFERS, RECORDS_COMPRESSION, RECORDS_FIELDS };
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
    TYPE_DATE = 8,
    TYPE_TIMESTAMP = 10,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8 = 20
};
enum { IPC_VERSION = 4 }; /* V5 */

/* How the cells of a column lie and what they become. */
typedef struct IpcType {
    int kind;           /* TYPE_... */
    NumberType number;  /* of ints, floats, dates (32 or 64 bits), timestamps */
    int64_t per_second; /* of timestamps; of dates per day, 1 or 86,400,000 */
    int offset_bytes;   /* of texts */
    FrameType column;
} IpcType;

/* ML_EFORMAT, with the column's name, for types that are not supported. */
ml_status ipc_type(Ctx *ctx, Flat *f, const char *path, size_t column, IpcType *out);
/* A date or point of time as text in b, size returned: "2020-01-02 03:04:05.5". */
size_t ipc_time_text(const IpcType *t, int64_t v, char b[48]);

/* The buffers of a column in one batch, unpacked. */
typedef struct IpcBytes {
    const char *p;
    size_t size;
    void *owned; /* of the pool, size bytes */
} IpcBytes;

#endif
