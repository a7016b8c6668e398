/* The assembler against a disassembler: each vector instruction with registers and addresses of all
 * ranges, and whole codes, which must be made of as many instructions as were emitted.  Where there
 * is no objdump these tests are skipped. */
#include "jit_case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/jit/assembler.h"

enum { LINE = 256, LINES = 6000 };

/* What objdump shows of an instruction: "vaddpd zmm1,zmm2,zmm3". */
typedef struct Listing {
    int n;
    char lines[LINES][LINE];
} Listing;

static bool have_objdump(void)
{
    return system("command -v objdump >/dev/null 2>&1") == 0;
}

/* Blanks and comments go; one blank stays behind the mnemonic.  {evex} only says that VEX would do.
 */
static void clean(const char *from, char *to)
{
    size_t n;

    from += strncmp(from, "{evex} ", 7) == 0 ? 7 : 0;
    n = strcspn(from, " \t\n");
    memcpy(to, from, n);
    from += n + strspn(from + n, " \t\n");
    if (*from && *from != '#')
        to[n++] = ' ';
    for (; *from && *from != '#' && n + 1 < LINE; from++)
        if (!strchr(" \t\n", *from))
            to[n++] = *from;
    to[n] = 0;
}

static void disassemble(const uint8_t *bytes, int size, Listing *out)
{
    char path[] = "/tmp/matloom_jit_XXXXXX", command[256], line[LINE];
    const int fd = mkstemp(path);
    FILE *text;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, (size_t)size), size);
    close(fd);
    snprintf(command, sizeof command,
             "objdump -D -w --no-show-raw-insn -b binary -m i386:x86-64 -M intel %s", path);
    text = popen(command, "r");
    assert_non_null(text);
    out->n = 0;
    while (fgets(line, sizeof line, text)) {
        const char *at = strchr(line, '\t');

        if (at && strchr(line, ':') && out->n < LINES)
            clean(at + 1, out->lines[out->n++]);
    }
    pclose(text);
    unlink(path);
}

/* ---- single instructions ---- */

/* Operands in the order of the assembler's: dst, src, rm. */
static const VectorOp three[] = {
    V_vaddpd,       V_vsubpd,       V_vmulpd,       V_vdivpd,      V_vminpd,      V_vmaxpd,
    V_vandpd,       V_vandnpd,      V_vorpd,        V_vxorpd,      V_vpaddq,      V_vpsubq,
    V_vfmadd132pd,  V_vfmadd213pd,  V_vfmadd231pd,  V_vfmsub132pd, V_vfmsub213pd, V_vfmsub231pd,
    V_vfnmadd132pd, V_vfnmadd213pd, V_vfnmadd231pd, V_vunpckhpd,   V_vscalefpd,   V_vblendmpd};
static const VectorOp two[] = {V_vsqrtpd, V_vmovapd, V_vmovupd, V_vgetexppd};
enum { THREE = sizeof three / sizeof *three, TWO = sizeof two / sizeof *two };

static bool for_evex_only(VectorOp op)
{
    return op == V_vscalefpd || op == V_vblendmpd || op == V_vgetexppd;
}

static const char *const gpr_names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

/* The text that is expected of operand rm. */
static void operand_text(char *out, Operand rm, char kind)
{
    const char *const size = rm.broadcast  ? "QWORD BCST "
                             : kind == 'z' ? "ZMMWORD PTR "
                             : kind == 'y' ? "YMMWORD PTR "
                                           : "XMMWORD PTR ";
    char full[LINE];

    if (rm.at == AT_REGISTER) {
        snprintf(out, LINE, "%cmm%d", kind, rm.reg);
        return;
    }
    snprintf(full, sizeof full, "%s[%s%s%c0x%x]", size, gpr_names[rm.base],
             rm.scale == 8   ? "+rcx*8"
             : rm.scale == 4 ? "+rcx*4"
                             : "",
             rm.disp < 0 ? '-' : '+', (unsigned)abs(rm.disp));
    *out = 0;
    for (const char *p = full; *p; p++)
        if (*p != ' ')
            snprintf(out + strlen(out), 2, "%c", *p);
}

static Operand random_operand(uint64_t *seed, bool evex)
{
    static const int32_t disps[] = {0, 64, -64, 128, 8, 24, 5, 4096, -8192, 127 * 64, 100000};
    const uint64_t r = case_bits(seed);
    Operand rm = in_register((int)((r >> 8) % (evex ? 32 : 16)));

    if (r % 3 == 0)
        return rm;
    rm = in_memory((Gpr)(r >> 16 & 15), disps[(r >> 24) % (sizeof disps / sizeof *disps)]);
    rm.scale = (uint8_t)(r % 3 == 1 ? 8 : 0);
    rm.broadcast = evex && (r >> 40) % 3 == 0;
    return rm;
}

static void expect(char *out, VectorOp op, bool src, int bytes, const int *regs, Operand rm)
{
    const char kind = bytes == 64 ? 'z' : bytes == 32 ? 'y' : 'x';
    char last[LINE];

    operand_text(last, rm, kind);
    if (src)
        snprintf(out, LINE, "%s %cmm%d,%cmm%d,%.80s", vector_names[op], kind, regs[0], kind,
                 regs[1], last);
    else
        snprintf(out, LINE, "%s %cmm%d,%.80s", vector_names[op], kind, regs[0], last);
}

static void check_encodings(bool evex, uint64_t seed)
{
    static Listing found, wanted;
    Assembler a = {.evex = evex};

    wanted.n = 0;
    for (int k = 0; k < 40 * (THREE + TWO); k++) {
        const bool src = k % (THREE + TWO) < THREE;
        const VectorOp op = src ? three[k % (THREE + TWO)] : two[k % (THREE + TWO) - THREE];
        const int bytes = evex && case_bits(&seed) % 2 ? 64 : 32;
        const int regs[2] = {(int)(case_bits(&seed) % (evex ? 32 : 16)),
                             (int)(case_bits(&seed) % (evex ? 32 : 16))};
        Operand rm = random_operand(&seed, evex);

        if (!evex && for_evex_only(op))
            continue;
        rm.broadcast = rm.broadcast && op != V_vmovapd && op != V_vmovupd;
        vector(&a, op, bytes, regs[0], src ? regs[1] : NO_REGISTER, rm);
        expect(wanted.lines[wanted.n++], op, src, bytes, regs, rm);
    }
    assert_false(a.failed);
    disassemble(a.bytes, a.size, &found);
    for (int k = 0; k < wanted.n; k++)
        if (k >= found.n || strncmp(found.lines[k], wanted.lines[k], strlen(wanted.lines[k])) != 0)
            fail_msg("wanted %s, found %s", wanted.lines[k], k < found.n ? found.lines[k] : "");
    assert_int_equal(found.n, wanted.n);
    assembler_free(&a);
}

ML_TEST(vector_instructions_disassemble_as_what_they_are)
{
    if (!have_objdump())
        skip();
    check_encodings(false, 1);
    check_encodings(true, 2);
}

/* ---- whole codes ---- */

ML_TEST(machine_code_disassembles_into_as_many_instructions_as_were_emitted)
{
    static Listing found;

    if (!have_objdump())
        skip();
    for (uint64_t k = 0; k < 30; k++)
        for (CpuLevel level = CPU_AVX2; level <= CPU_AVX512; level++) {
            const CellCode code = jit_random_code(k);
            JitCode *jit = NULL;
            JitText text;

            assert_ok(jit_compile(test_ctx(), &code, level, &jit));
            if (!jit) /* not x86-64 */
                return;
            text = jit_text(jit);
            disassemble(text.bytes, text.size, &found);
            for (int i = 0; i < found.n; i++)
                if (strstr(found.lines[i], "(bad)"))
                    fail_msg("code %d, level %d, line %d: %s", (int)k, (int)level, i,
                             found.lines[i]);
            if (found.n < LINES)
                assert_int_equal(found.n, text.instructions);
            jit_free(jit);
        }
}

/* A loop for cells in the caches, one that reads ahead, one that stores past the caches too. */
ML_TEST(machine_code_of_one_row_has_loops_for_memory)
{
    static Listing found;
    int asks = 0, streams = 0;

    if (!have_objdump())
        skip();
    for (CpuLevel level = CPU_AVX2; level <= CPU_AVX512; level++) {
        CellCode code = {0};
        JitCode *jit = NULL;
        JitText text;

        code_input(&code, CODE_TILE, false);
        code_step(&code, OP_mul, 2, 0, 0, 0);
        code_output(&code, CODE_CELLS, 1, false);
        assert_ok(jit_compile(test_ctx(), &code, level, &jit));
        if (!jit)
            return;
        text = jit_text(jit);
        disassemble(text.bytes, text.size, &found);
        for (int i = 0; i < found.n; i++) {
            asks += strstr(found.lines[i], "prefetcht0") != NULL;
            streams += strstr(found.lines[i], "vmovntpd") != NULL;
        }
        jit_free(jit);
    }
    assert_int_equal(asks, 4);
    assert_int_equal(streams, 3);
}
