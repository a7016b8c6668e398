/* What control groups grant, told by made-up files of both versions. */
#include "ml_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64], groups[80];
static CgroupFiles files;

static void write_text(const char *path, const char *text)
{
    assert_ok(file_write(test_ctx(), path, text, strlen(text)));
}

/* A file below the root, with the folders to it. */
static void group_file(const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    write_text(path, text);
}

static void begin(const char *text)
{
    snprintf(root, sizeof root, "/tmp/matloom-cgroup-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(groups, sizeof groups, "%s/self", root);
    write_text(groups, text);
    files = (CgroupFiles){root, groups};
}

static void end(void)
{
    char command[128];

    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

ML_TEST(cgroup_version_2_limits_by_the_group_and_its_ancestors)
{
    begin("0::/job/step\n");
    group_file("job/step/cpu.max", "max 100000\n");
    group_file("job/cpu.max", "350000 100000\n");
    group_file("cpu.max", "800000 100000\n");
    group_file("job/step/memory.max", "4096000\n");
    group_file("job/memory.max", "max\n");
    assert_int_equal(cgroup_cpus(&files), 4);
    assert_int_equal(cgroup_memory(&files), 4096000);
    end();
}

ML_TEST(cgroup_version_2_without_quota_is_no_limit)
{
    begin("0::/\n");
    group_file("cpu.max", "max 100000\n");
    assert_int_equal(cgroup_cpus(&files), INT64_MAX);
    assert_int_equal(cgroup_memory(&files), INT64_MAX);
    end();
}

ML_TEST(cgroup_version_1_reads_the_tree_of_each_controller)
{
    begin("12:pids:/p\n4:cpuacct,cpu:/docker/a\n3:cpuset:/q\n7:memory:/docker/b\n0::/\n");
    group_file("cpu/docker/a/cpu.cfs_quota_us", "150000\n");
    group_file("cpu/docker/a/cpu.cfs_period_us", "100000\n");
    group_file("memory/docker/b/memory.limit_in_bytes", "123456789\n");
    group_file("memory/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(cgroup_cpus(&files), 2);
    assert_int_equal(cgroup_memory(&files), 123456789);
    end();
}

ML_TEST(cgroup_version_1_in_a_container_falls_back_to_the_root)
{
    begin("4:cpu,cpuacct:/docker/hidden\n");
    group_file("cpu/cpu.cfs_quota_us", "50000\n");
    group_file("cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_cpus(&files), 1);
    end();
}

ML_TEST(cgroup_version_1_knows_a_negative_quota_as_none)
{
    begin("4:cpu:/\n");
    group_file("cpu/cpu.cfs_quota_us", "-1\n");
    group_file("cpu/cpu.cfs_period_us", "100000\n");
    assert_int_equal(cgroup_cpus(&files), INT64_MAX);
    end();
}

ML_TEST(cgroup_files_that_make_no_sense_are_no_limit)
{
    begin("nonsense\n:\n\n5:cpu\n");
    group_file("cpu.max", "0 0\n");
    group_file("memory.max", "lots\n");
    assert_int_equal(cgroup_cpus(&files), INT64_MAX);
    assert_int_equal(cgroup_memory(&files), INT64_MAX);
    unlink(groups);
    assert_int_equal(cgroup_cpus(&files), INT64_MAX);
    end();
}
