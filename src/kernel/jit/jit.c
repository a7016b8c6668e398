/* Machine code for a cell code: translated into steps, these into bytes, these into memory that can
 * be executed.
 *
 * The memory is written first and executable afterwards, never both.  Where the system does not
 * give such memory, there is no machine code and the interpreter runs instead. */
#include "kernel/jit/jit.h"

#if defined(__x86_64__)
#include <string.h>
#include <sys/mman.h>

#include "kernel/jit/emitter.h"

struct JitCode {
    void *bytes;
    size_t size;
    int code, count;
};

static bool make_executable(const Emitter *e, JitCode *jit)
{
    jit->size = (size_t)e->a.size;
    jit->bytes = mmap(NULL, jit->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (jit->bytes == MAP_FAILED)
        return false;
    memcpy(jit->bytes, e->a.bytes, jit->size);
    if (mprotect(jit->bytes, jit->size, PROT_READ | PROT_EXEC) == 0)
        return true;
    munmap(jit->bytes, jit->size);
    return false;
}

static ml_status place(Ctx *ctx, Emitter *e, JitCode **out)
{
    JitCode *jit = mem_alloc(sizeof *jit);

    if (!jit)
        return fail_memory(ctx, sizeof *jit);
    *jit = (JitCode){.code = assembler_finish(&e->a), .count = e->a.count};
    if (e->a.failed) {
        mem_free(jit);
        return fail_memory(ctx, (size_t)e->a.size);
    }
    if (make_executable(e, jit))
        *out = jit;
    else
        mem_free(jit);
    return ML_OK;
}

static ml_status compile_steps(Ctx *ctx, const Steps *s, JitCode **out)
{
    Emitter e;
    ml_status st = emit_code(ctx, &e, s);

    if (st == ML_OK)
        st = place(ctx, &e, out);
    emitter_free(&e);
    return st;
}

ml_status jit_compile(Ctx *ctx, const CellCode *code, CpuLevel level, JitCode **out)
{
    Steps s;
    ml_status st = ML_OK;

    *out = NULL;
    if (level == CPU_PLAIN)
        return ML_OK;
    steps_make(&s, code, level);
    if (s.failed)
        st = fail_memory(ctx, (size_t)s.list.count * sizeof *s.list.items);
    else if (!s.missing)
        st = compile_steps(ctx, &s, out);
    steps_free(&s);
    return st;
}

CodeFn jit_function(const JitCode *jit)
{
    CodeFn fn;

    memcpy(&fn, &jit->bytes, sizeof fn);
    return fn;
}

void jit_free(JitCode *jit)
{
    if (!jit)
        return;
    munmap(jit->bytes, jit->size);
    mem_free(jit);
}

JitText jit_text(const JitCode *jit)
{
    return (JitText){jit->bytes, jit->code, jit->count};
}

#else

ml_status jit_compile(Ctx *ctx, const CellCode *code, CpuLevel level, JitCode **out)
{
    (void)ctx;
    (void)code;
    (void)level;
    *out = NULL;
    return ML_OK;
}

CodeFn jit_function(const JitCode *jit)
{
    (void)jit;
    return NULL;
}

void jit_free(JitCode *jit)
{
    (void)jit;
}

JitText jit_text(const JitCode *jit)
{
    (void)jit;
    return (JitText){0};
}

#endif
