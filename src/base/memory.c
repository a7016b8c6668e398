/* memory: the only doors to the C allocator and to anonymous mappings, with fault injection.
 *
 * Idea: every path out of memory can be walked on purpose.  A test calls mem_fail_after(n): the
 * next n calls succeed, the one after them fails, later ones succeed again.  The countdown is the
 * one piece of global mutable state of the house: the allocator it belongs to is global as well. It
 * is off (negative) outside of tests and costs one relaxed load. */
#include "base/base.h"

#include <stdlib.h>
#include <sys/mman.h>

static atomic_int_fast64_t fail_countdown = -1;

void mem_fail_after(int64_t calls)
{
    atomic_store(&fail_countdown, calls);
}

/* Relaxed: only the count itself matters, no other memory is published by it. */
static bool injected_fault(void)
{
    if (atomic_load_explicit(&fail_countdown, memory_order_relaxed) < 0)
        return false;
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 0;
}

void *mem_alloc(size_t bytes)
{
    return injected_fault() ? NULL : malloc(bytes ? bytes : 1);
}

void *mem_calloc(size_t count, size_t size)
{
    size_t bytes;

    if (injected_fault() || !mul_size(count, size, &bytes))
        return NULL;
    return bytes ? calloc(1, bytes) : calloc(1, 1);
}

void *mem_realloc(void *old, size_t bytes)
{
    return injected_fault() ? NULL : realloc(old, bytes ? bytes : 1);
}

void *mem_aligned(size_t alignment, size_t bytes)
{
    return injected_fault() ? NULL : aligned_alloc(alignment, bytes);
}

void mem_free(void *p)
{
    free(p);
}

enum { HUGE_PAGE = 2 << 20 };

/* Transparent huge pages need an aligned start: map one page too much and give back both ends.  A
 * child process gets none of it: shared with one, huge pages would be split and copied at the first
 * write of either. */
void *mem_map(size_t bytes)
{
    size_t room, head;
    char *p, *aligned;

    if (injected_fault() || __builtin_add_overflow(bytes, (size_t)HUGE_PAGE, &room))
        return NULL;
    p = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
             0);
    if (p == MAP_FAILED)
        return NULL;
    head = (size_t)(-(uintptr_t)p & (HUGE_PAGE - 1));
    aligned = p + head;
    if (head)
        munmap(p, head);
    munmap(aligned + bytes, HUGE_PAGE - head);
    madvise(aligned, bytes, MADV_HUGEPAGE);
    madvise(aligned, bytes, MADV_DONTFORK);
    return aligned;
}

void mem_unmap(void *p, size_t bytes)
{
    munmap(p, bytes);
}

bool vec_grow(void **items, int *capacity, int need, size_t item_size)
{
    int room = *capacity > INT32_MAX / 2 ? INT32_MAX : *capacity * 2;
    size_t bytes;
    void *grown;

    room = room < need ? need : room;
    room = room < 8 ? 8 : room;
    if (!mul_size((size_t)room, item_size, &bytes) || !(grown = mem_realloc(*items, bytes)))
        return false;
    *items = grown;
    *capacity = room;
    return true;
}
