/* The loops around the steps: saving registers, pointers, rows, vectors of cells, their tail. */
#include "kernel/jit/emitter.h"
#include "kernel/simd/ahead.h"

#include "op/cell.h"

enum { MASKS = 16 }; /* words of the table of masks: 8 of ones, 8 of zeros */

/* ---- pointers ---- */

int32_t target_offset(int k, size_t field)
{
    return (int32_t)(offsetof(CodeRun, out) + (size_t)k * sizeof(CodeTarget) + field);
}

static int32_t source_offset(int k, size_t field)
{
    return (int32_t)(offsetof(CodeRun, in) + (size_t)k * sizeof(CodeSource) + field);
}

Gpr home_register(Emitter *e, Home home)
{
    if (home.in_register)
        return home.reg;
    load(&e->a, RAX, RSP, home.slot);
    return RAX;
}

Operand at_column(Emitter *e, Home pointer, bool single)
{
    const int size = single ? 4 : 8;
    Operand at = in_memory(home_register(e, pointer), e->half * e->lanes * size);

    at.scale = (uint8_t)size;
    return at;
}

/* The next integer register, or a slot. */
static Home next_home(Emitter *e)
{
    static const Gpr order[] = {RBX, R12, R13, R14, R15, RSI, R8, R9, R10, R11};
    const int n = e->s->calls ? 5 : 10; /* those that calls keep */

    if (e->pointers < n)
        return (Home){.in_register = true, .reg = order[e->pointers++]};
    return (Home){.slot = new_slot(e, 8)};
}

static Home slot_home(Emitter *e)
{
    return (Home){.slot = new_slot(e, 8)};
}

static void set_home(Emitter *e, Home home, Gpr value)
{
    if (home.in_register)
        move(&e->a, home.reg, value);
    else
        store(&e->a, RSP, home.slot, value);
}

/* A pointer of the run, and its stride in bytes where rows move it. */
static void start_pointer(Emitter *e, Pointer *p, int32_t cells, int32_t stride, bool moves,
                          int shift)
{
    Assembler *a = &e->a;

    p->used = true;
    p->step_slot = -1;
    load(a, RAX, RDI, cells);
    set_home(e, p->at, RAX);
    if (!moves)
        return;
    p->step_slot = new_slot(e, 8);
    load(a, RAX, RDI, stride);
    shift_left(a, RAX, shift);
    store(a, RSP, p->step_slot, RAX);
}

static void move_pointer(Emitter *e, const Pointer *p)
{
    Assembler *a = &e->a;

    if (!p->used || p->step_slot < 0)
        return;
    if (p->at.in_register) {
        add_loaded(a, p->at.reg, RSP, p->step_slot);
    } else {
        load(a, RAX, RSP, p->step_slot);
        add_stored(a, RSP, p->at.slot, RAX);
    }
}

/* Those that the inner loop reads come first, as registers are few. */
static void start_inputs(Emitter *e, bool inner)
{
    for (int k = 0; k < e->code->ninputs; k++) {
        const CodeInput *in = &e->code->inputs[k];
        Pointer *p = &e->in[k];

        if ((in->kind == CODE_TILE || in->kind == CODE_ROW) != inner)
            continue;
        p->at = inner ? next_home(e) : slot_home(e);
        start_pointer(e, p, source_offset(k, offsetof(CodeSource, cells)),
                      source_offset(k, offsetof(CodeSource, stride)),
                      in->kind == CODE_TILE || in->kind == CODE_COL, in->single ? 2 : 3);
    }
}

static void start_rests(Emitter *e, int k)
{
    Assembler *a = &e->a;

    e->rests[k] = next_home(e);
    load(a, RAX, RDI, target_offset(k, offsetof(CodeTarget, stride)));
    shift_left(a, RAX, 3);
    add_loaded(a, RAX, RDI, target_offset(k, offsetof(CodeTarget, cells)));
    set_home(e, e->rests[k], RAX);
}

static void start_nonzeros(Emitter *e, int k)
{
    e->nonzeros[k] = next_home(e);
    e->nonzeros[k].slot = target_offset(k, offsetof(CodeTarget, nnz));
    if (e->nonzeros[k].in_register)
        clear(&e->a, e->nonzeros[k].reg);
}

static void start_outputs(Emitter *e)
{
    for (int k = 0; k < e->code->noutputs; k++) {
        const CodeOutput *out = &e->code->outputs[k];
        const bool cells = out->kind == CODE_CELLS;
        const bool rows =
            out->kind == CODE_ROW_SUM || out->kind == CODE_ROW_MIN || out->kind == CODE_ROW_MAX;

        if (out->kind == CODE_SUM || out->kind == CODE_MIN || out->kind == CODE_MAX)
            continue;
        e->out[k].at = rows ? slot_home(e) : next_home(e);
        start_pointer(e, &e->out[k], target_offset(k, offsetof(CodeTarget, cells)),
                      target_offset(k, offsetof(CodeTarget, stride)), cells || rows,
                      out->single ? 2 : 3);
        if (out->kind == CODE_COL_SUM)
            start_rests(e, k);
        if (cells)
            start_nonzeros(e, k);
    }
}

static void move_pointers(Emitter *e)
{
    for (int k = 0; k < e->code->ninputs; k++)
        move_pointer(e, &e->in[k]);
    for (int k = 0; k < e->code->noutputs; k++)
        move_pointer(e, &e->out[k]);
}

/* ---- the tail ----
 *
 * AVX-512: the frame has the mask.  AVX2: the frame has how far, in bytes, to go back in a table
 * of ones and zeros from where the zeros begin; for lanes of 8 bytes and, behind, of 4. */

static void start_tail(Emitter *e)
{
    Assembler *a = &e->a;

    e->tail_slot = new_slot(e, 8);
    new_slot(e, 8);
    load(a, RCX, RDI, (int32_t)offsetof(CodeRun, cols));
    and_number(a, RCX, 7);
    clear(a, RAX);
    if (e->s->evex) {
        set_bit(a, RAX, RCX);
        add_number(a, RAX, -1);
    } else {
        sub(a, RAX, RCX);
        shift_left(a, RAX, 2);
        store(a, RSP, e->tail_slot + 8, RAX);
        shift_left(a, RAX, 1);
    }
    store(a, RSP, e->tail_slot, RAX);
}

static void table_masks(Emitter *e, VectorOp op, int reg, int lane)
{
    uint64_t masks[MASKS] = {0};
    const int bytes = e->lanes * lane;
    Assembler *a = &e->a;

    for (int k = 0; k < lane; k++)
        masks[k] = UINT64_MAX;
    load_pool_address(a, RAX, pool_words(a, masks, 2 * lane) + 8 * lane);
    add_loaded(a, RAX, RSP, e->tail_slot + (lane == 8 ? 0 : 8));
    vector(a, op, bytes, reg, NO_REGISTER, in_memory(RAX, e->half * bytes));
}

void tail_masks(Emitter *e)
{
    if (!e->tail)
        return;
    if (e->s->evex)
        mask_load(&e->a, TAIL_MASK, RSP, e->tail_slot);
    else
        table_masks(e, V_vmovupd, HALF_MASK, 8);
}

void float_mask(Emitter *e, int reg)
{
    table_masks(e, V_vmovups, reg, 4);
}

void load_cells(Emitter *e, int reg, Home pointer, bool single)
{
    const Lanes lanes = {e->tail ? TAIL_MASK : 0, e->tail};
    Assembler *a = &e->a;

    if (!e->tail || e->s->evex) {
        vector_lanes(a, single ? V_vcvtps2pd : V_vmovupd, e->bytes, reg, NO_REGISTER,
                     at_column(e, pointer, single), lanes);
    } else if (single) {
        const int mask = take(e);

        float_mask(e, mask);
        vector(a, V_vmaskmovps, e->bytes / 2, reg, mask, at_column(e, pointer, true));
        vector(a, V_vcvtps2pd, e->bytes, reg, NO_REGISTER, in_register(reg));
        release(e, mask);
    } else {
        vector(a, V_vmaskmovpd, e->bytes, reg, HALF_MASK, at_column(e, pointer, false));
    }
}

/* ---- vectors that live in registers ---- */

int home_vector(Emitter *e)
{
    const int enough = e->s->evex ? 14 : 8; /* for the steps */

    if (e->s->calls)
        return -1;
    for (int r = e->registers - 1; r >= enough; r--)
        if (e->owner[r] == OWNER_NONE) {
            e->owner[r] = OWNER_HOME;
            return r;
        }
    return -1;
}

static void plan_values(Emitter *e)
{
    const Step *steps = e->s->list.items;
    const int n = e->s->list.count;

    for (int k = 0; k < n; k++)
        e->places[k] = (Place){.reg = -1, .home = -1, .slot = -1};
    for (int k = 0; k < n; k++)
        for (int i = 0; i < STEP_IN; i++)
            if (steps[k].in[i] >= 0 && steps[steps[k].in[i]].level < steps[k].level)
                e->places[steps[k].in[i]].kept = true;
    for (int k = 0; k < n; k++)
        if (e->places[k].kept)
            e->places[k].home = (int8_t)home_vector(e);
}

/* Constants get what registers are left, those of the inner loop that come first. */
static void start_constants(Emitter *e)
{
    const Steps *s = e->s;

    for (int k = 0; k < s->constants.count; k++)
        e->constant_homes[k] = -1;
    for (int k = 0; k < s->list.count; k++)
        for (int i = 0; i < STEP_IN; i++) {
            const Ref r = s->list.items[k].in[i];

            if (s->list.items[k].level < LEVEL_CELL || r >= 0 || r == NONE ||
                e->constant_homes[-1 - r] >= 0)
                continue;
            e->constant_homes[-1 - r] = (int8_t)home_vector(e);
            if (e->constant_homes[-1 - r] >= 0)
                load_constant(e, e->constant_homes[-1 - r], s->constants.items[-1 - r]);
        }
}

/* ---- all ---- */

static const Gpr saved[] = {RBX, R12, R13, R14, R15};
enum { SAVED = sizeof saved / sizeof *saved };

/* Where the size of the frame is to be filled in. */
static int enter(Emitter *e)
{
    Assembler *a = &e->a;
    int size;

    push(a, RBP);
    move(a, RBP, RSP);
    for (int k = 0; k < SAVED; k++)
        push(a, saved[k]);
    size = sub_later(a, RSP);
    and_number(a, RSP, -64);
    return size;
}

static void leave(Emitter *e)
{
    Assembler *a = &e->a;

    vector_zeroupper(a);
    move(a, RSP, RBP);
    add_number(a, RSP, -8 * SAVED);
    for (int k = SAVED - 1; k >= 0; k--)
        pop(a, saved[k]);
    pop(a, RBP);
    ret(a);
}

static void steps_of(Emitter *e, Level level)
{
    values_begin(e, level);
    for (e->here = 0; e->here < e->s->list.count; e->here++)
        if (e->s->list.items[e->here].level == level)
            emit_step(e);
}

static void eight_cells(Emitter *e, bool tail)
{
    e->tail = tail;
    for (e->half = 0; e->half < e->halves; e->half++) {
        tail_masks(e);
        steps_of(e, LEVEL_CELL);
    }
    e->half = 0;
    e->tail = false;
}

/* ---- reading ahead ----
 *
 * Lines are asked for as simd/ahead.h tells: eight cells of a group of eight pages, the one that
 * begins with the run, ask for a line of the next group's first page, the next eight cells for one
 * of its second page, and so on round the pages.  Rows follow each other without gaps then; those
 * cells of a row that fill no vector ask for nothing. */

enum { GROUP_CELLS = AHEAD_GROUP / sizeof(double), PAGE_CELLS = GROUP_CELLS / 8 };

static int first_ahead(const Emitter *e)
{
    int k = 0;

    while (k < e->code->ninputs && !e->code->inputs[k].ahead)
        k++;
    return k;
}

static void start_ahead(Emitter *e)
{
    if (first_ahead(e) == e->code->ninputs)
        return;
    e->ahead = next_home(e);
    e->asked = next_home(e);
    e->may_ask = e->ahead.in_register && e->asked.in_register;
    if (!e->may_ask)
        return;
    load_number(&e->a, e->ahead.reg, GROUP_CELLS);
    clear(&e->a, e->asked.reg);
}

/* `ahead` is how far on from the cells at hand the line lies, `asked` the cells done. */
static void ask(Emitter *e)
{
    Assembler *a = &e->a;
    const Gpr ahead = e->ahead.reg, asked = e->asked.reg;
    int same_round, same_group;

    for (int k = 0; k < e->code->ninputs; k++)
        if (e->code->inputs[k].ahead && e->in[k].at.in_register)
            prefetch(a, e->in[k].at.reg, ahead, e->code->inputs[k].single ? 4 : 8);
    add_number(a, ahead, PAGE_CELLS);
    add_number(a, asked, 8);
    test_number(a, asked, 8 * 8 - 1);
    same_round = jump(a, JUMP_NOT_EQUAL);
    add_number(a, ahead, 8 - 8 * PAGE_CELLS);
    test_number(a, asked, GROUP_CELLS - 1);
    same_group = jump(a, JUMP_NOT_EQUAL);
    add_number(a, ahead, GROUP_CELLS - PAGE_CELLS);
    land(a, same_group);
    land(a, same_round);
}

/* The pointers have moved on by a row. */
static void move_ahead(Emitter *e)
{
    if (!e->may_ask)
        return;
    load(&e->a, RAX, RDI, source_offset(first_ahead(e), offsetof(CodeSource, stride)));
    sub(&e->a, e->ahead.reg, RAX);
}

/* ---- rows ---- */

/* Whole vectors of a row from column rcx on. */
static void whole_vectors(Emitter *e, bool asking)
{
    Assembler *a = &e->a;
    int none, loop;

    compare(a, RCX, RDX);
    none = jump(a, JUMP_ABOVE_EQUAL);
    align_loop(a);
    loop = a->size;
    eight_cells(e, false);
    if (asking)
        ask(e);
    add_number(a, RCX, 8);
    compare(a, RCX, RDX);
    jump_back(a, JUMP_BELOW, loop);
    land(a, none);
}

/* One row of cells that are stored as doubles? */
static bool can_stream(const Emitter *e)
{
    bool stores = false;

    for (int k = 0; k < e->code->noutputs; k++) {
        const CodeOutput *out = &e->code->outputs[k];

        if (out->kind >= CODE_ROW_SUM)
            return false;
        stores |= out->kind == CODE_CELLS && !out->single;
    }
    return stores;
}

static void streaming_vectors(Emitter *e)
{
    int not_now;

    if (!can_stream(e))
        return;
    test_number(&e->a, RAX, CODE_STREAM);
    not_now = jump(&e->a, JUMP_EQUAL);
    e->streams = true;
    whole_vectors(e, true);
    e->streams = false;
    land(&e->a, not_now);
}

/* Nothing where the run is near; what they leave is empty otherwise. */
static void far_vectors(Emitter *e)
{
    Assembler *a = &e->a;
    int not_now;

    if (!e->may_ask)
        return;
    load(a, RAX, RDI, (int32_t)offsetof(CodeRun, memory));
    test(a, RAX, RAX);
    not_now = jump(a, JUMP_EQUAL);
    streaming_vectors(e);
    whole_vectors(e, true);
    land(a, not_now);
}

static void row(Emitter *e)
{
    Assembler *a = &e->a;
    int no_tail;

    steps_of(e, LEVEL_ROW);
    start_row(e);
    clear(a, RCX);
    far_vectors(e);
    whole_vectors(e, false);
    load(a, RAX, RSP, e->tail_slot);
    test(a, RAX, RAX);
    no_tail = jump(a, JUMP_EQUAL);
    eight_cells(e, true);
    land(a, no_tail);
    end_row(e);
    move_pointers(e);
    move_ahead(e);
}

static void rows(Emitter *e)
{
    Assembler *a = &e->a;
    int loop;

    e->rows_slot = new_slot(e, 8);
    load(a, RAX, RDI, (int32_t)offsetof(CodeRun, rows));
    store(a, RSP, e->rows_slot, RAX);
    load(a, RDX, RDI, (int32_t)offsetof(CodeRun, cols));
    and_number(a, RDX, -8);
    loop = a->size;
    row(e);
    decrement_stored(a, RSP, e->rows_slot);
    jump_back(a, JUMP_NOT_EQUAL, loop);
}

static void whole(Emitter *e)
{
    const int size = enter(e);

    if (e->s->calls) {
        e->buffer_slot = new_slot(e, 3 * 64);
        e->saved_slot = new_slot(e, 32);
    }
    start_inputs(e, true);
    start_outputs(e);
    start_inputs(e, false);
    start_ahead(e);
    start_tail(e);
    plan_outputs(e);
    plan_values(e);
    start_constants(e);
    start_run(e);
    steps_of(e, LEVEL_RUN);
    rows(e);
    end_run(e);
    leave(e);
    patch(&e->a, size, e->frame);
}

ml_status emit_code(Ctx *ctx, Emitter *e, const Steps *s)
{
    const size_t n = (size_t)s->list.count;

    *e = (Emitter){.s = s, .code = s->code};
    e->a.evex = s->evex;
    e->bytes = s->evex ? 64 : 32;
    e->lanes = e->bytes / 8;
    e->halves = 8 / e->lanes;
    e->registers = s->evex ? VECTOR_REGISTERS : HALF_MASK;
    for (int r = 0; r < VECTOR_REGISTERS; r++)
        e->owner[r] = OWNER_NONE;
    e->places = mem_calloc(n, sizeof *e->places);
    e->next = mem_calloc(n, sizeof *e->next);
    e->constant_homes = mem_alloc((size_t)s->constants.count + 1);
    if (!e->places || !e->next || !e->constant_homes)
        return fail_memory(ctx, n * (sizeof *e->places + sizeof *e->next));
    whole(e);
    return e->a.failed ? fail_memory(ctx, (size_t)e->a.size) : ML_OK;
}

void emitter_free(Emitter *e)
{
    assembler_free(&e->a);
    mem_free(e->places);
    mem_free(e->next);
    mem_free(e->constant_homes);
}
