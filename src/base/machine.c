/* machine: the clock, and what of the machine this process may use.
 *
 * A container sees all CPUs and all memory in /proc; what it was granted stands in the files of its
 * control group: version 2 in one tree, where each ancestor may limit further, version 1 in a tree
 * for each resource.  Unreadable or unlimited files mean no limit. */
#include "base/base.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 1024 };

int64_t clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The start of a small file as text; false when it cannot be read. */
static bool read_small(const char *path, char *text, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (fd >= 0)
        close(fd);
    if (got < 0)
        return false;
    text[got] = '\0';
    return true;
}

/* Up to two numbers that open a file; returns how many there are ("max" is none). */
static int read_numbers(const char *folder, const char *file, int64_t n[2])
{
    char path[PATH_SIZE + 64], text[128];
    const char *s = text;
    int count = 0;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    if (!read_small(path, text, sizeof text))
        return 0;
    while (count < 2) {
        size_t digits = strspn(s, "0123456789");

        if (!num_parse_int64(s, s + digits, &n[count]))
            break;
        count++;
        s += digits + strspn(s + digits, " \n");
    }
    return count;
}

/* The folder of this process' own group in the version 2 tree; the root of the tree when that is
 * hidden. */
static void group_folder(char folder[PATH_SIZE])
{
    char text[PATH_SIZE], *line, *end;

    snprintf(folder, PATH_SIZE, "/sys/fs/cgroup");
    if (!read_small("/proc/self/cgroup", text, sizeof text) || !(line = strstr(text, "0::/")))
        return;
    end = strchr(line, '\n');
    if (end)
        *end = '\0';
    snprintf(folder, PATH_SIZE, "/sys/fs/cgroup%.*s", PATH_SIZE - 32, line + 3);
    if (access(folder, R_OK) != 0)
        snprintf(folder, PATH_SIZE, "/sys/fs/cgroup");
}

typedef void (*GroupVisit)(const char *folder, int64_t *limit);

static void visit_groups(GroupVisit visit, int64_t *limit)
{
    char folder[PATH_SIZE];
    const size_t root = strlen("/sys/fs/cgroup");

    group_folder(folder);
    for (;;) {
        char *slash;

        visit(folder, limit);
        slash = strrchr(folder, '/');
        if (strlen(folder) <= root || !slash)
            return;
        *slash = '\0';
    }
}

static void lower(int64_t *limit, int64_t value)
{
    if (value > 0 && value < *limit)
        *limit = value;
}

static void lower_cpus(int64_t *limit, int64_t quota, int64_t period)
{
    if (quota > 0 && period > 0)
        lower(limit, (quota + period - 1) / period);
}

static void visit_cpu(const char *folder, int64_t *limit)
{
    int64_t n[2];

    if (read_numbers(folder, "cpu.max", n) == 2)
        lower_cpus(limit, n[0], n[1]);
}

static void visit_memory(const char *folder, int64_t *limit)
{
    int64_t n[2];

    if (read_numbers(folder, "memory.max", n) >= 1)
        lower(limit, n[0]);
}

int machine_cpus(void)
{
    int64_t limit = sysconf(_SC_NPROCESSORS_ONLN), quota[2], period[2];
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0)
        limit = CPU_COUNT(&set);
    visit_groups(visit_cpu, &limit);
    if (read_numbers("/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", quota) >= 1 &&
        read_numbers("/sys/fs/cgroup/cpu", "cpu.cfs_period_us", period) >= 1)
        lower_cpus(&limit, quota[0], period[0]);
    return limit < 1 ? 1 : (int)limit;
}

size_t machine_memory(void)
{
    int64_t limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE), n[2];

    visit_groups(visit_memory, &limit);
    if (read_numbers("/sys/fs/cgroup/memory", "memory.limit_in_bytes", n) >= 1)
        lower(&limit, n[0]);
    return limit > 0 ? (size_t)limit : SIZE_MAX;
}
