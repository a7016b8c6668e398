/* map: open addressing with linear probing over a power of two of slots, at most 3/4 full.
 *
 * A slot keeps the full hash, so that a probe compares bytes only where they very likely match, and
 * growing never reads a key.  Nothing is ever removed, so there are no tombstones.  Cost: about 30
 * ns a look-up in cache. */
#include "base/base.h"

#include <string.h>

typedef struct Slot {
    const char *key; /* NULL: free */
    size_t size;
    uint64_t hash;
    int64_t value;
} Slot;

struct Map {
    Slot *slots;
    size_t mask; /* slots - 1 */
    size_t count;
};

enum { FIRST_SLOTS = 16 };

/* Eight bytes at a time; the size goes in first, so zero padding of the tail is harmless. */
uint64_t hash_bytes(const void *data, size_t size, uint64_t seed)
{
    const char *s = data;
    uint64_t h = hash_mix(seed, size), word;

    for (; size >= sizeof word; size -= sizeof word, s += sizeof word) {
        memcpy(&word, s, sizeof word);
        h = hash_mix(h, word);
    }
    word = 0;
    if (size)
        memcpy(&word, s, size);
    h = hash_mix(h, word);
    return h ^ (h >> 32);
}

Map *map_new(void)
{
    Map *map = mem_calloc(1, sizeof *map);

    if (!map)
        return NULL;
    map->slots = mem_calloc(FIRST_SLOTS, sizeof *map->slots);
    map->mask = FIRST_SLOTS - 1;
    if (!map->slots) {
        mem_free(map);
        return NULL;
    }
    return map;
}

void map_free(Map *map)
{
    if (map)
        mem_free(map->slots);
    mem_free(map);
}

/* The slot of the key, or the free one where it would go. */
static Slot *probe(const Map *map, const char *key, size_t size, uint64_t hash)
{
    size_t i = hash & map->mask;

    for (;; i = (i + 1) & map->mask) {
        Slot *s = &map->slots[i];

        if (!s->key)
            return s;
        if (s->hash == hash && s->size == size && (size == 0 || memcmp(s->key, key, size) == 0))
            return s;
    }
}

static bool grow(Map *map)
{
    size_t n = (map->mask + 1) * 2;
    Slot *slots = mem_calloc(n, sizeof *slots);

    if (!slots)
        return false;
    for (size_t k = 0; k <= map->mask; k++) {
        size_t i = map->slots[k].hash & (n - 1);

        if (!map->slots[k].key)
            continue;
        while (slots[i].key)
            i = (i + 1) & (n - 1);
        slots[i] = map->slots[k];
    }
    mem_free(map->slots);
    map->slots = slots;
    map->mask = n - 1;
    return true;
}

bool map_put(Map *map, const char *key, size_t size, int64_t value)
{
    uint64_t hash = hash_bytes(key, size, 0);
    Slot *s = probe(map, key, size, hash);

    if (!s->key && (map->count + 1) * 4 > (map->mask + 1) * 3) {
        if (!grow(map))
            return false;
        s = probe(map, key, size, hash);
    }
    if (!s->key)
        map->count++;
    *s = (Slot){key, size, hash, value};
    return true;
}

bool map_get(const Map *map, const char *key, size_t size, int64_t *value)
{
    const Slot *s = probe(map, key, size, hash_bytes(key, size, 0));

    if (s->key)
        *value = s->value;
    return s->key != NULL;
}

int64_t map_count(const Map *map)
{
    return (int64_t)map->count;
}
