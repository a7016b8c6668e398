/* FlatBuffers, the encoding of Arrow's metadata (flatbuffers.dev, "internals"): reading with every
 * access checked, and writing.
 *
 * A table is a position; its first four bytes lead to a list of where its fields are. Fields are
 * known by number; those that are left out have defaults. */
#ifndef FLAT_H
#define FLAT_H

#include "io/io_impl.h"

typedef struct Flat {
    const char *p;
    size_t size;
    bool damaged; /* some access lay outside: what was read since is 0 */
} Flat;

size_t flat_root(Flat *f);
/* An integer field of so many bytes. */
int64_t flat_int(Flat *f, size_t table, int field, int bytes, int64_t or_else);
/* Where the table or the text of a field is, 0 when it is left out. */
size_t flat_table(Flat *f, size_t table, int field);
const char *flat_text(Flat *f, size_t table, int field, size_t *size);
/* The elements of a vector, `size` bytes each; NULL when there are none. */
const char *flat_vector(Flat *f, size_t table, int field, size_t size, int64_t *count);
/* Element k of a vector of tables. */
size_t flat_element(Flat *f, const char *vector, int64_t k);
int64_t flat_get(const char *p, int bytes); /* little-endian, signed */

/* ---- writing: parts follow those that lead to them, and positions are filled in later ---- */

typedef struct FlatField {
    int bytes; /* 0: left out */
    int64_t value;
} FlatField;

void flat_align(Buffer *b, size_t alignment);
/* Append a table; where[k] is the position of field k, to be led on by flat_lead. */
size_t flat_put_table(Buffer *b, const FlatField *fields, int count, size_t *where);
/* Let the offset at `where` lead to `target`. */
void flat_lead(Buffer *b, size_t where, size_t target);
size_t flat_put_text(Buffer *b, const char *text, size_t size);
/* Append the count of a vector whose elements, aligned to 8 bytes if `wide`, follow. */
size_t flat_put_vector(Buffer *b, int64_t count, bool wide);
void flat_put_int(Buffer *b, int64_t v, int bytes);

#endif
