/* Arena, buffer, vector, map, files and the injected faults. */
#include "ml_test.h"

#include <stdio.h>
#include <string.h>

ML_TEST(arena_returns_zeroed_aligned_memory)
{
    Arena *arena = arena_new();

    for (size_t size = 0; size < 20000; size = size * 2 + 1) {
        char *p = arena_alloc(arena, size);

        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xFF, size);
    }
    arena_free(arena);
}

ML_TEST(arena_formats_and_copies_text)
{
    Arena *arena = arena_new();

    assert_string_equal(arena_format(arena, "%d-%s", 42, "x"), "42-x");
    assert_string_equal(arena_text(arena, "abcdef", 3), "abc");
    assert_string_equal(arena_text(arena, NULL, 0), "");
    assert_null(arena_alloc(arena, SIZE_MAX - 3));
    arena_free(arena);
    arena_free(NULL);
}

ML_TEST(buffer_grows_and_stays_terminated)
{
    Buffer b = {0};

    for (int i = 0; i < 1000; i++)
        buffer_format(&b, "%03d,", i);
    assert_int_equal(b.size, 4000);
    assert_int_equal(strlen(b.data), 4000);
    buffer_put(&b, "a\0b", 3);
    assert_int_equal(b.size, 4003);
    assert_int_equal(b.data[4003], '\0');
    buffer_free(&b);
    assert_null(b.data);
}

ML_TEST(buffer_remembers_that_memory_ran_out)
{
    Buffer b = {0};

    buffer_text(&b, "kept");
    mem_fail_after(0);
    assert_null(buffer_reserve(&b, 1 << 20));
    mem_fail_after(-1);
    buffer_text(&b, " lost");
    assert_true(b.failed);
    assert_string_equal(b.data, "kept");
    buffer_free(&b);
}

ML_TEST(buffer_reserve_refuses_sizes_that_overflow)
{
    Buffer b = {0};

    buffer_text(&b, "x");
    assert_null(buffer_reserve(&b, SIZE_MAX));
    assert_true(b.failed);
    buffer_free(&b);
}

ML_TEST(vector_keeps_what_was_pushed)
{
    VEC(int64_t) v = {0};

    for (int64_t i = 0; i < 1000; i++)
        assert_true(VEC_PUSH(&v, i * i) ? 1U : 0U);
    for (int64_t i = 0; i < 1000; i++)
        assert_int_equal(v.items[i], i * i);
    VEC_FREE(&v);
    mem_fail_after(0);
    assert_false(VEC_PUSH(&v, 1) ? 1U : 0U);
    mem_fail_after(-1);
    assert_int_equal(v.count, 0);
}

ML_TEST(map_finds_every_key_and_no_other)
{
    enum { N = 5000 };
    static char keys[N][12];
    Map *map = map_new();
    int64_t value = -1;

    for (int i = 0; i < N; i++) {
        int size = snprintf(keys[i], sizeof keys[i], "k%d", i * 7919);

        assert_true(map_put(map, keys[i], (size_t)size, i));
    }
    assert_int_equal(map_count(map), N);
    for (int i = 0; i < N; i++) {
        assert_true(map_get(map, keys[i], strlen(keys[i]), &value));
        assert_int_equal(value, i);
        assert_false(map_get(map, keys[i], strlen(keys[i]) - 1, &value) && value == i);
    }
    assert_false(map_get(map, "absent", 6, &value));
    map_free(map);
    map_free(NULL);
}

ML_TEST(map_replaces_and_takes_empty_and_binary_keys)
{
    Map *map = map_new();
    int64_t value = 0;

    assert_true(map_put(map, "", 0, 1));
    assert_true(map_put(map, "a\0b", 3, 2));
    assert_true(map_put(map, "a\0c", 3, 3));
    assert_true(map_put(map, "a\0b", 3, 4));
    assert_int_equal(map_count(map), 3);
    assert_true(map_get(map, "", 0, &value));
    assert_int_equal(value, 1);
    assert_true(map_get(map, "a\0b", 3, &value));
    assert_int_equal(value, 4);
    map_free(map);
}

ML_TEST(hash_bytes_depends_on_every_byte_and_the_size)
{
    char text[64] = {0};
    uint64_t base = hash_bytes(text, 40, 1);

    for (size_t i = 0; i < 40; i++) {
        text[i] = 1;
        assert_true(hash_bytes(text, 40, 1) != base);
        text[i] = 0;
    }
    assert_true(hash_bytes(text, 41, 1) != base);
    assert_true(hash_bytes(text, 40, 2) != base);
}

static void use_everything(void)
{
    Arena *arena = arena_new();
    Map *map = map_new();
    Buffer b = {0};

    if (arena)
        for (int i = 0; i < 100; i++)
            arena_alloc(arena, 1000);
    if (map)
        for (int64_t i = 0; i < 26; i++)
            map_put(map, &"abcdefghijklmnopqrstuvwxyz"[i], 1, i);
    for (int i = 0; i < 100; i++)
        buffer_text(&b, "0123456789");
    arena_free(arena);
    map_free(map);
    buffer_free(&b);
}

ML_TEST(base_survives_every_single_failing_allocation)
{
    for (int64_t n = 0; n < 40; n++) {
        mem_fail_after(n);
        use_everything();
        mem_fail_after(-1);
    }
}

ML_TEST(mem_refuses_products_that_overflow)
{
    void *volatile p = mem_calloc(SIZE_MAX / 2, 4);

    assert_null(p);
    p = mem_map(SIZE_MAX - 100);
    assert_null(p);
}

ML_TEST(mem_map_gives_aligned_zeroed_pages)
{
    const size_t bytes = 5 << 20;
    char *p = mem_map(bytes);

    assert_non_null(p);
    assert_int_equal((uintptr_t)p % (2 << 20), 0);
    assert_int_equal(p[0] | p[bytes / 2] | p[bytes - 1], 0);
    memset(p, 1, bytes);
    mem_unmap(p, bytes);
}

ML_TEST(file_read_returns_the_whole_text)
{
    Ctx *ctx = test_ctx();
    char *text = NULL;
    size_t size = 0;

    assert_ok(file_read(ctx, "LICENSE", &text, &size));
    assert_true(size > 10000);
    assert_int_equal(strlen(text), size);
    mem_free(text);
    assert_ok(file_read(ctx, "/dev/null", &text, &size));
    assert_int_equal(size, 0);
    assert_string_equal(text, "");
    mem_free(text);
}

ML_TEST(file_read_names_the_file_it_cannot_read)
{
    Ctx *ctx = test_ctx();
    char *text = NULL;
    size_t size = 0;

    assert_int_equal(file_read(ctx, "no/such/file", &text, &size), ML_EIO);
    assert_string_equal(test_error(), "cannot open 'no/such/file': No such file or directory");
    assert_int_equal(file_read(ctx, "src", &text, &size), ML_EIO);
    assert_string_equal(test_error(), "cannot read 'src': Is a directory");
    mem_fail_after(1);
    assert_int_equal(file_read(ctx, "LICENSE", &text, &size), ML_OK);
    mem_fail_after(-1);
    mem_free(text);
    mem_fail_after(0);
    assert_int_equal(file_read(ctx, "LICENSE", &text, &size), ML_ENOMEM);
    mem_fail_after(-1);
}

ML_TEST(machine_grants_something)
{
    assert_true(machine_cpus() >= 1);
    assert_true(machine_memory() > 1 << 20);
    assert_true(clock_now() <= clock_now());
}
