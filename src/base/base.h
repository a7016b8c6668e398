/* base: what everything stands on - status and error record, context, arena, strings, hash map,
 * vectors, memory.
 *
 * Ctx is passed to whatever can fail.  It carries the error record (preallocated, so reporting that
 * memory is exhausted cannot fail), the options and pointers to the services of the folders below,
 * which base does not know. A task gets a Ctx of its own (ctx_child), so records never mix; see
 * task.h. */
#ifndef BASE_H
#define BASE_H

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/num.h"
#include "matloom/matloom.h"

/* ---- source text and positions ---- */

typedef struct Source {
    const char *name; /* as shown in messages */
    const char *text;
    size_t size;
    bool library; /* of the script library: not the user's own text */
} Source;

/* Bytes [begin, end) of a source; src is NULL where there is no position. */
typedef struct Span {
    const Source *src;
    uint32_t begin, end;
} Span;

typedef struct Position {
    int line, column; /* from 1; columns count characters (code points) */
} Position;
Position span_begin(Span span);
Position span_end(Span span); /* of the last character; of the first when the span is empty */
Span span_join(
    Span a, Span b); /* the smallest span that holds both; one without source counts for nothing */

/* ---- error record ---- */

enum { ERROR_TEXT = 2048, ERROR_CALLS = 16 };

typedef struct CallSite {
    const char *function;
    Span span;
} CallSite;

typedef struct ErrorRecord {
    ml_status code;
    Span span;
    bool shown; /* went to the diagnostics output already */
    int ncalls, ncalls_dropped;
    CallSite calls[ERROR_CALLS]; /* innermost first */
    char text[ERROR_TEXT];
} ErrorRecord;

/* ---- options ---- */

typedef struct Options {
#define OPTION_FIELD_INT(name) int64_t name;
#define OPTION_FIELD_TEXT(name) char name[256];
#define OPTION_FIELD_WORD(name) char name[256];
#define ML_OPTION(name, type, def, form, words, help) OPTION_FIELD_##type(name)
#include "base/options.def"
#undef ML_OPTION
} Options;

typedef struct OptionInfo {
    const char *name, *type, *def, *form, *words, *help;
} OptionInfo;
extern const OptionInfo option_table[];
extern const int option_count;
void options_default(Options *opt);

/* ---- context ---- */

struct Matrix;
struct TaskEngine;
struct Pool;
struct Run;

typedef struct Ctx {
    ErrorRecord err;
    const Options *opt;
    struct TaskEngine *tasks; /* task/ */
    struct Pool *pool;        /* data/ */
    struct CodeCache *codes;  /* kernel/: pipelines that were read, or NULL */
    struct Run *run;          /* run/: the running program, for eval and exists */
    /* run/: the first result of a function of the program as a matrix, which the caller owns, for
     * operators that are told its name; NULL outside of programs. */
    ml_status (*call_function)(struct Ctx *ctx, const char *name, struct Matrix *in,
                               struct Matrix **out);
    atomic_bool *cancelled;         /* set by ml_context_cancel */
    atomic_uint_fast64_t *unseeded; /* counter behind rand() and sample() without a seed */
    ml_output output, diagnostics;
    void *output_arg;
    int worker; /* which worker of the engine runs this: 0 the caller */
    void *job;  /* task/: the innermost parallel call that this runs in, NULL outside of all */
} Ctx;

/* Record an error and return its code.  The text says what was expected and what was found.  `fail`
 * leaves the span empty: the interpreter fills in that of the instruction. */
ml_status fail(Ctx *ctx, ml_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
ml_status fail_at(Ctx *ctx, Span span, ml_status code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
ml_status fail_memory(Ctx *ctx, size_t bytes); /* ML_ENOMEM with the size that was asked for */
void error_add_call(Ctx *ctx, const char *function, Span span);
ml_status option_set(Ctx *ctx, Options *opt, const char *name, const char *value);

/* ML_ECANCEL when ml_context_cancel was called.  Cheap: long loops call it once a tile or an
 * iteration. */
ml_status check_cancel(Ctx *ctx);

#define TRY(call)                                                                                  \
    do {                                                                                           \
        ml_status try_status_ = (call);                                                            \
        if (try_status_ != ML_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

/* Assignment form for functions that clean up at a label: TRY_TO(done, st = f(...)). */
#define TRY_TO(label, assignment)                                                                  \
    do {                                                                                           \
        if ((assignment) != ML_OK)                                                                 \
            goto label;                                                                            \
    } while (0)

/* ---- memory ----
 * The only doors to malloc.  A test can make the n-th call fail (mem_fail_after).  NULL when there
 * is none left. */
void *mem_alloc(size_t bytes);
void *mem_calloc(size_t count, size_t size); /* checked product, zeroed */
void *mem_realloc(void *old, size_t bytes);
void mem_free(void *p);
void *mem_aligned(size_t alignment,
                  size_t bytes); /* alignment a power of two, bytes a multiple of it; mem_free */
/* Fresh zeroed huge pages, 2 MiB-aligned; mem_unmap.  Processes that are forked have no access. */
void *mem_map(size_t bytes);
void mem_unmap(void *p, size_t bytes);
void mem_fail_after(int64_t calls); /* calls succeed, then one fails; < 0: never */

/* *out = a * b; false on overflow. */
static inline bool mul_size(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static inline bool mul_int64(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* ---- arena: nodes of one compilation, freed together.  Zeroed, 16-byte aligned; NULL when memory
 * is exhausted. ---- */

typedef struct Arena Arena;
Arena *arena_new(void);
void arena_free(Arena *arena);
void *arena_alloc(Arena *arena, size_t bytes);
char *arena_text(Arena *arena, const char *s, size_t size); /* a zero-terminated copy */
char *arena_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ARENA_NEW(arena, Type) ((Type *)arena_alloc((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count)                                                            \
    ((Type *)arena_alloc((arena), sizeof(Type) * (size_t)(count)))

/* ---- growing byte buffer ---- */

typedef struct Buffer {
    char *data; /* zero-terminated once anything was written; NULL before */
    size_t size, capacity;
    bool failed; /* memory ran out: later writes do nothing; check once at the end */
} Buffer;
void buffer_put(Buffer *b, const char *s, size_t size);
void buffer_text(Buffer *b, const char *s);
void buffer_format(Buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *buffer_reserve(
    Buffer *b,
    size_t extra); /* room at the end, add to size yourself; NULL when memory is exhausted */
/* Append lines whose cells are separated by tabs, the cells of a column one below the other. */
void buffer_columns(Buffer *b, const Buffer *lines);
void buffer_free(Buffer *b);

/* ---- growing arrays: VEC_PUSH(status, vector, value) on struct { T *items; int count, capacity; }
 * ---- */

bool vec_grow(void **items, int *capacity, int need, size_t item_size);
#define VEC(T)                                                                                     \
    struct {                                                                                       \
        T *items;                                                                                  \
        int count, capacity;                                                                       \
    }
#define VEC_PUSH(v, value)                                                                         \
    (((v)->count < (v)->capacity ||                                                                \
      vec_grow((void **)&(v)->items, &(v)->capacity, (v)->count + 1, sizeof *(v)->items))          \
         ? ((v)->items[(v)->count++] = (value), true)                                              \
         : false)
#define VEC_FREE(v) (mem_free((v)->items), (v)->items = NULL, (v)->count = (v)->capacity = 0)

/* ---- hash map from byte strings to int64; keys are borrowed, so they must outlive the map ---- */

typedef struct Map Map;
Map *map_new(void);
void map_free(Map *map);
bool map_put(Map *map, const char *key, size_t size,
             int64_t value); /* replaces; false when memory is exhausted */
bool map_get(const Map *map, const char *key, size_t size, int64_t *value);
int64_t map_count(const Map *map);
uint64_t hash_bytes(const void *data, size_t size, uint64_t seed);
static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ (h >> 29);
}

/* ---- files ---- */

/* The whole file, zero-terminated, to be freed with mem_free; ML_EIO when it cannot be read. */
ml_status file_read(Ctx *ctx, const char *path, char **text, size_t *size);
ml_status file_write(Ctx *ctx, const char *path, const char *text, size_t size);

/* ---- libraries loaded at their first use ---- */

typedef struct LibrarySymbol {
    const char *name;
    size_t offset; /* of the pointer among the functions */
} LibrarySymbol;

typedef struct Library {
    const char *purpose;  /* "reading HDF5 files", for messages */
    const char *names;    /* file names, tried in turn, separated by blanks */
    const char *variable; /* environment variable that names the file instead, or NULL */
    const char *advice;   /* how to get it */
    const LibrarySymbol *symbols;
    size_t count;
    void *functions; /* a struct of function pointers, to be filled */
    pthread_mutex_t lock;
    atomic_int state;
} Library;
/* ML_EUNSUPPORTED, with the library's name and the advice, when it is not there. */
ml_status library_load(Ctx *ctx, Library *l);

/* ---- the script library, compiled into the program as data (tools/, CMakeLists.txt) ---- */

typedef struct LibFile {
    const char *path; /* e.g. "builtin/lm.dml" */
    const char *text;
    size_t size;
} LibFile;
extern const LibFile lib_files[];
extern const size_t lib_nfiles;

/* ---- the machine ---- */

/* Nanoseconds of a monotonic clock. */
int64_t clock_now(void);
/* What this process may use: CPUs by affinity and cgroup quota, bytes of memory by cgroup and
 * machine. */
int machine_cpus(void);
size_t machine_memory(void);
/* Vector instructions: those that this machine has, and those that inner loops of a context use,
 * which the option `cpu` caps (cpu.c). */
typedef enum CpuLevel { CPU_PLAIN, CPU_AVX2, CPU_AVX512 } CpuLevel;
CpuLevel cpu_machine(void);
CpuLevel cpu_level(const Ctx *ctx);

/* Where control groups are told: the folder of their trees, the list of this process' groups. */
typedef struct CgroupFiles {
    const char *root, *self;
} CgroupFiles;
/* CPUs (quota over period, rounded up) and bytes that the groups grant; INT64_MAX: no limit. */
int64_t cgroup_cpus(const CgroupFiles *files);
int64_t cgroup_memory(const CgroupFiles *files);

#endif
