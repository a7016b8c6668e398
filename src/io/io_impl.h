/* Shared by the files of this folder: specs, formats, inputs, lines, cells, outputs. */
#ifndef IO_IMPL_H
#define IO_IMPL_H

#include <stdio.h>
#include <string.h>

#include "io/io.h"

struct Codec;
struct Format;

/* A read or write with everything decided: arguments, metadata and defaults merged. Strings live in
 * arena. */
typedef struct Spec {
    const char *path;
    size_t stem;               /* its length without the extension of a compression */
    const struct Codec *codec; /* that this extension names, or NULL */
    const struct Format *format;
    DataType dt;
    ValueType vt;
    int64_t rows, cols, nnz; /* -1: unknown */
    bool header, fill, sparse;
    double fill_value;
    const char *sep, *ind_sep; /* never empty */
    const char **na;
    int na_count;
    FrameType *schema; /* schema_count of them, or NULL; one stands for all columns */
    int64_t schema_count;
    const char *description;
    const char *dataset; /* the part of a file with several, or NULL */
    Arena *arena;
} Spec;

/* ---- input: the bytes of a file or of a directory of part files ---- */

typedef struct InputFile {
    char *name; /* for messages; owned */
    const char *data;
    size_t size;
    void *mapping; /* data is a private mapping of the file or of its unpacked content, */
    bool owned;    /* or memory of mem_alloc, or else borrowed */
    bool unpacked; /* the file is compressed, data is not */
    bool open;     /* fd is the file that data is a mapping of */
    int fd;
    const struct InputFile
        *whole; /* data is a copy of that one's from `origin` on; NULL: it is not */
    const char *origin;
} InputFile;

typedef struct Input {
    InputFile *files; /* in the order of their contents */
    int count;
    size_t chunk; /* bytes a task parses at a time */
} Input;

/* ML_EIO when there is no such file. A directory gives its part files in natural order of their
 * names. */
ml_status input_open(Ctx *ctx, const char *path, Input *in);
/* Borrows data, which must outlive the input. */
ml_status input_memory(Ctx *ctx, const char *name, const char *data, size_t size, Input *in);
void input_close(Input *in);
void input_release(InputFile *f); /* its data, not its name */

/* The names in a folder that are wanted, in natural order. */
typedef VEC(char *) Folder;
ml_status folder_open(Ctx *ctx, const char *path, bool (*wanted)(const char *name), Folder *out);
void folder_close(Folder *f);

/* ---- codecs: compressed bytes, see codec.h ---- */

typedef struct Codec Codec;
const Codec *codec_of_bytes(const char *p, size_t n); /* by their magic number; NULL: none */
/* By the path's extension, *stem is its length without that; NULL: none. */
const Codec *codec_of_path(const char *path, size_t *stem);
/* Replace the content of f by what it unpacks to. */
ml_status codec_unpack(Ctx *ctx, const Codec *codec, InputFile *f);
ml_status codec_pack(Ctx *ctx, const Codec *codec, const char *data, size_t size, Buffer *out);

/* ---- lines: an input cut into chunks of whole lines, which tasks parse independently ---- */

typedef struct Chunk {
    const char *begin, *end; /* whole lines; the last may lack its newline */
    const InputFile *file;
    int64_t line;  /* lines before this chunk in all files, skipped ones not counted */
    int64_t lines; /* in this chunk */
} Chunk;

typedef struct Lines {
    VEC(Chunk) chunks; /* none is empty */
    int64_t count;     /* lines in all */
    bool guessed;      /* numbers of lines are estimates */
} Lines;

/* Room that most chunks fit into. */
enum { CHUNK_ROOM = 512 << 10 };
/* A chunk where its text is, and what may be read around that: of a mapped file it is read into
 * room, for pages cost more to map than to copy, unless it does not fit; other inputs' lies at
 * c->begin. */
typedef struct LoadedChunk {
    Chunk chunk;
    InputFile file; /* of a text that was read apart */
    const char *begin, *end;
} LoadedChunk;
/* `room` has CHUNK_ROOM bytes; *out must stay where it is. */
void chunk_load(const Chunk *c, char *room, LoadedChunk *out);
/* Gives back the whole pages of a mapped file in a chunk; they come again should they be read. */
void chunk_forget(const Chunk *c);
ml_status lines_split(Ctx *ctx, const Input *in, Lines *out);
/* The same, but in long inputs lines are not counted; their numbers are estimated from samples. */
ml_status lines_guess(Ctx *ctx, const Input *in, Lines *out);
/* Counts what was guessed. */
ml_status lines_count(Ctx *ctx, Lines *l);
void lines_free(Lines *l);
/* The first line, without its end; false if there is none. */
bool lines_first(const Lines *l, const char **begin, const char **end);
void lines_skip_first(Lines *l);
void lines_trim_blank_end(Lines *l);

/* The end of the line that starts at p, without \n or \r\n; *next starts the following line. */
static inline const char *line_end(const char *p, const char *end, const char **next)
{
    const char *newline = memchr(p, '\n', (size_t)(end - p));
    const char *stop = newline ? newline : end;

    *next = newline ? newline + 1 : end;
    return stop > p && stop[-1] == '\r' ? stop - 1 : stop;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static inline const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* ML_EFORMAT with file, line and column of the character at `at` inside the file. */
ml_status input_fail(Ctx *ctx, const InputFile *file, const char *at, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* [begin, end) as a short printable text for messages. */
const char *input_quote(const char *begin, const char *end, char buf[48]);
/* ML_EFORMAT when the given sizes contradict those found. */
ml_status input_check_dims(Ctx *ctx, const Spec *spec, int64_t rows, int64_t cols);

/* One number that fills [p, end) but for blanks around it, as Double.parseDouble reads it. */
bool cell_parse(const char *p, const char *end, double *v);

/* ---- cells: what the coordinate formats collect, and how it becomes a matrix ---- */

typedef struct Cell {
    int64_t row, col; /* from 0 */
    double value;
} Cell;

typedef struct CellChunk {
    VEC(Cell) cells;
} CellChunk;

/* Of several cells at one place. */
typedef enum CellRule { CELLS_LAST, CELLS_SUM } CellRule;
ml_status cells_to_matrix(Ctx *ctx, int64_t rows, int64_t cols, const CellChunk *chunks, int count,
                          CellRule rule, Matrix **out);

/* Parses one chunk of lines into cells. */
typedef ml_status (*CellParser)(Ctx *ctx, const void *arg, const Chunk *chunk, CellChunk *out);
/* Parse all chunks in parallel; *out has one entry a chunk, freed by cells_free. */
ml_status cells_parse(Ctx *ctx, const Lines *lines, CellParser parse, const void *arg,
                      CellChunk **out);
void cells_free(CellChunk *chunks, int count);

/* A positive integer at p (after blanks) that is at most max. NULL with the error recorded
 * otherwise. */
const char *cell_parse_index(Ctx *ctx, const InputFile *file, const char *p, const char *end,
                             int64_t max, const char *what, int64_t *out);

/* ---- output: a temporary file that replaces its target only when complete ---- */

typedef struct Output {
    const char *path;
    char *temp; /* NULL once committed */
    int fd;     /* -1: a folder */
    int64_t size;
    const Codec *codec; /* NULL, or what is appended is packed by this */
} Output;

ml_status output_open(Ctx *ctx, const char *path, Output *o);
/* The same with a folder: files are written below o->temp. */
ml_status output_open_folder(Ctx *ctx, const char *path, Output *o);
ml_status output_at(Ctx *ctx, const Output *o, int64_t offset, const void *data, size_t size);
ml_status output_append(Ctx *ctx, Output *o, const void *data, size_t size);
ml_status output_commit(Ctx *ctx, Output *o);
void output_discard(Output *o); /* no effect after commit */

/* Formats rows [lo, hi) at the end of b. */
typedef void (*RowFormatter)(const void *arg, int64_t lo, int64_t hi, Buffer *b);
/* Append all rows, formatted in parallel; cells_per_row sizes the pieces. */
ml_status output_rows(Ctx *ctx, Output *o, int64_t rows, int64_t cells_per_row, RowFormatter format,
                      const void *arg);

static inline void put_double(Buffer *b, double v)
{
    char *p = buffer_reserve(b, NUM_BUFFER);

    if (p)
        b->size += num_print_double(p, v);
}

static inline void put_int64(Buffer *b, int64_t v)
{
    char *p = buffer_reserve(b, NUM_BUFFER);

    if (p)
        b->size += num_print_int64(p, v);
}

/* ---- specs and metadata ---- */

/* Complete the options from the metadata beside path and by defaults. */
ml_status spec_for_read(Ctx *ctx, const char *path, const IoOptions *options, Spec *out);
ml_status spec_for_write(Ctx *ctx, Value v, const char *path, const IoOptions *options, Spec *out);
void spec_free(Spec *spec);

/* Parse the text of a metadata file into options; na gets the NA strings. Unknown keys are errors.
 */
ml_status mtd_parse(Ctx *ctx, Arena *arena, const char *name, const char *text, size_t size,
                    IoOptions *out, const char ***na, int *na_count);
/* The .mtd of a value; `spec` says how it was written. */
void mtd_print(Buffer *b, Value v, const Spec *spec);

/* ---- formats ---- */

typedef struct Format {
    const char *name, *extensions, *doc;
    bool needs_rows, needs_cols, mtd, label, lines, implied, hyper;
    const char *sep;
    ml_status (*read_matrix)(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
    ml_status (*read_frame)(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
    ml_status (*write_matrix)(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
    ml_status (*write_frame)(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
} Format;

ml_status text_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status text_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status text_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status text_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status csv_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status csv_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status csv_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status csv_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status mm_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status mm_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status libsvm_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status libsvm_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status binary_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status binary_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status binary_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status binary_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);

ml_status npy_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status npy_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status npy_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status npy_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status npz_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status npz_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status npz_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status npz_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status hdf5_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status hdf5_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status hdf5_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status hdf5_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status netcdf_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status netcdf_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status netcdf_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status netcdf_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status parquet_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status parquet_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status parquet_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status parquet_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);
ml_status arrow_read_matrix(Ctx *ctx, const Spec *spec, Input *in, Matrix **out);
ml_status arrow_read_frame(Ctx *ctx, const Spec *spec, Input *in, Frame **out);
ml_status arrow_write_matrix(Ctx *ctx, const Spec *spec, Matrix *m, Output *o);
ml_status arrow_write_frame(Ctx *ctx, const Spec *spec, const Frame *f, Output *o);

/* Read one value of the spec's type from an input: what io_read does after opening. Fuzzers start
 * here. */
ml_status io_read_input(Ctx *ctx, const Spec *spec, Input *in, Value *out);
ml_status scalar_read(Ctx *ctx, const Spec *spec, const Input *in, Value *out);
ml_status scalar_write(Ctx *ctx, Value v, Output *o);
/* io_read and io_write, `depth` lists deep. */
ml_status io_read_value(Ctx *ctx, const char *path, const IoOptions *options, Value *out,
                        int depth);
ml_status io_write_value(Ctx *ctx, Value v, const char *path, const IoOptions *options, int depth);
ml_status list_read(Ctx *ctx, const char *path, Value *out, int depth);
ml_status list_write(Ctx *ctx, const List *l, const char *path, const IoOptions *options,
                     int depth);

#endif
