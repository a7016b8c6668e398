/* program: private to lang.  What a Program is made of, and how findings are reported. */
#ifndef LANG_PROGRAM_H
#define LANG_PROGRAM_H

#include "lang/lang.h"

enum {
    NEST_MAX = 1000, /* levels of statements, and of the tree of an expression */
    ERRORS_MAX = 20  /* findings shown before giving up */
};

/* source("path") as alias */
typedef struct Import {
    const char *alias;
    struct Unit *unit;
    Span span;
} Import;

/* A function under the name it has in its file: m_lm, whose Function is called lm. */
typedef struct Definition {
    const char *name;
    FunctionSet set; /* of this function alone */
} Definition;

/* One file: the script, a sourced file, a file of the library.  Its functions see each other
 * unqualified. */
typedef struct Unit {
    const char *name;     /* as shown, and the prefix of its functions' keys */
    const char *identity; /* equal for equal files */
    const char *library;  /* "builtin/lm.dml" when from the script library */
    Source *source;
    bool is_main;
    VEC(Definition *) functions;
    Map *by_name; /* name of a function -> Definition * */
    VEC(Import) imports;
    StmtList body;
} Unit;

struct Program {
    Arena *arena;
    Map *names;     /* interned names: text -> const char * */
    Map *libraries; /* name of a library function -> FunctionSet * */
    VEC(Unit *) units;
    VEC(Function *) functions; /* of all units, in the order parsed */
    VEC(Function *) queue;     /* to be checked, in this order */
    int checked;               /* of the queue */
    bool unreached;            /* those now checked are not called by what the script reaches */
    VEC(String *) strings;     /* of literals */
    VEC(char *) texts;         /* of files */
    const ScriptArg *args;
    int nargs;
    bool check_only;
    char *lib; /* folder, or "" */
    int errors, warnings;
    bool quiet; /* findings at run time (eval) are only recorded */
    bool shown; /* the last finding was, so notes to it are */
    bool muted; /* no warnings: in the script library they are nobody's business */
};

/* ---- findings (diagnostic.c) ---- */

/* Report an error of the script's; the first also goes into ctx's record.  After ERRORS_MAX the
 * rest is silent. */
void report_error(Ctx *ctx, Program *p, Span span, ml_status code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Shown under --check only. */
void report_warning(Ctx *ctx, Program *p, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Belongs to the error or warning just reported. */
void report_note(Ctx *ctx, Program *p, Span span, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What a later version can do, or what values decide: an error, but a warning under --check. */
void report_unless_check(Ctx *ctx, Program *p, Span span, ml_status code, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static inline bool report_full(const Program *p)
{
    return p->errors > ERRORS_MAX;
}

/* ---- names and literals (program.c); NULL when memory is exhausted, with the error in ctx ---- */

const char *program_intern(Ctx *ctx, Program *p, const char *text, size_t size);
/* A literal string, kept until program_free. */
ml_status program_string(Ctx *ctx, Program *p, const char *text, size_t size, Value *out);
/* The value of $name by the rules of the command line; false when it was not given. */
bool program_argument(const Program *p, const char *name, const char **value);

/* ---- units (unit.c) ---- */

const char *unit_identity(Program *p,
                          const char *path); /* of a file; NULL when memory is exhausted */
/* Register a text; text and identity must live as long as the program.  NULL in *out after a
 * reported error. */
ml_status unit_new(Ctx *ctx, Program *p, const char *name, const char *identity, const char *text,
                   size_t size, Unit **out);
/* Parse a unit; `depth` files and blocks are open around it. */
ml_status unit_parse(Ctx *ctx, Program *p, Unit *unit, int depth);
/* A file of the script library, "builtin/lm.dml", parsed unless it already was.  NULL in *out when
 * there is none. */
ml_status unit_library(Ctx *ctx, Program *p, const char *path, int depth, Unit **out);
/* The file of a source() statement at `span`, parsed unless it already was.  NULL in *out after a
 * reported error. */
ml_status unit_source(Ctx *ctx, Program *p, const char *path, Span span, int depth, Unit **out);
ml_status unit_add_function(Ctx *ctx, Program *p, Unit *unit, Function *fn);
const FunctionSet *unit_find(const Unit *unit, const char *name);

/* ---- the script library (library.c) ---- */

/* The text of "builtin/lm.dml", from the folder or embedded; NULL when there is no such file. Owned
 * by the program. */
ml_status library_text(Ctx *ctx, Program *p, const char *path, const char **text, size_t *size);
/* The variants of library function `name`, parsed on first use; NULL when there is no such file. */
ml_status library_find(Ctx *ctx, Program *p, const char *name, const FunctionSet **out);
extern const char *const library_names[];
extern const int library_nnames;

/* ---- names (resolve.c) ---- */

/* The function written in DML that `name` means in the unit: its own, of a namespace, or of the
 * library. */
ml_status resolve_function(Ctx *ctx, Program *p, const Unit *unit, const char *name,
                           const FunctionSet **out);
/* A function by the name that eval gives: "f", "namespace::f" or "path::f"; NULL when the script
 * has none. */
const FunctionSet *resolve_user(const Program *p, const char *name);
/* Any of a set's variants: their parameters are the same. */
const Function *resolve_variant(const FunctionSet *set);
bool resolve_is_single(const FunctionSet *set); /* one variant only */
/* Put the functions of a set on the queue of those to be checked. */
ml_status resolve_queue(Ctx *ctx, Program *p, const FunctionSet *set);

/* ---- checks (check.c) ---- */

/* Check the main program, what it calls, and then all other functions parsed so far. */
ml_status check_program(Ctx *ctx, Program *p, Function *main_fn);
/* Check the functions on the queue and what they call. */
ml_status check_queued(Ctx *ctx, Program *p);

#endif
