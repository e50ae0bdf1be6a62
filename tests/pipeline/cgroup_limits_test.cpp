#include "pipeline/ranks/cgroup_limits.hpp"

#include "tests/pipeline/fake_machine.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using tests::FakeMachine;

constexpr const char* kUnified =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* kLegacy =
    "31 30 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "32 30 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "33 30 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n";

TEST_CASE("No control groups, no limits", "[pipeline]") {
    const FakeMachine machine;
    const CgroupLimits limits = cgroup_limits(machine.root());
    CHECK_FALSE(limits.cpus);
    CHECK_FALSE(limits.memory);
}

TEST_CASE("Version 2: the least limit of the own group and of all above counts", "[pipeline]") {
    const FakeMachine machine;
    machine.put("proc/self/mountinfo", kUnified);
    machine.put("proc/self/cgroup", "0::/job/step/task\n");
    machine.put("sys/fs/cgroup/job/cpu.max", "400000 100000\n");
    machine.put("sys/fs/cgroup/job/step/cpu.max", "150000 100000\n");
    machine.put("sys/fs/cgroup/job/step/task/cpu.max", "max 100000\n");
    machine.put("sys/fs/cgroup/job/memory.max", "1000000\n");
    machine.put("sys/fs/cgroup/job/step/memory.max", "max\n");
    machine.put("sys/fs/cgroup/job/step/task/memory.max", "2000000\n");
    const CgroupLimits limits = cgroup_limits(machine.root());
    REQUIRE(limits.cpus);
    CHECK(*limits.cpus == 1.5);
    CHECK(limits.cpus_from.ends_with("sys/fs/cgroup/job/step"));
    REQUIRE(limits.memory);
    CHECK(*limits.memory == 1000000);
    CHECK(limits.memory_from.ends_with("sys/fs/cgroup/job"));
}

TEST_CASE("Version 1: each controller has a hierarchy of its own", "[pipeline]") {
    const FakeMachine machine;
    machine.put("proc/self/mountinfo", kLegacy);
    machine.put("proc/self/cgroup",
                "4:memory:/m\n3:cpuset:/s\n2:cpu,cpuacct:/a/b\n1:name=systemd:/\n");
    machine.put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "50000\n");
    machine.put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    machine.put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
    machine.put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
    machine.put("sys/fs/cgroup/memory/m/memory.limit_in_bytes", "4096000\n");
    machine.put("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");  // none
    const CgroupLimits limits = cgroup_limits(machine.root());
    REQUIRE(limits.cpus);
    CHECK(*limits.cpus == 0.5);
    REQUIRE(limits.memory);
    CHECK(*limits.memory == 4096000);
}

TEST_CASE("A container's own group stands at the mount point", "[pipeline]") {
    const FakeMachine machine;
    machine.put("proc/self/mountinfo",
                "31 30 0:27 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
    machine.put("proc/self/cgroup", "2:cpu:/docker/abc/inner\n");
    machine.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
    machine.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    machine.put("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "200000\n");
    machine.put("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
    CHECK(cgroup_limits(machine.root()).cpus == 2.0);
    // A group that the mount does not show: what stands at the mount point counts.
    machine.put("proc/self/cgroup", "2:cpu:/elsewhere\n");
    CHECK(cgroup_limits(machine.root()).cpus == 3.0);
}

}  // namespace
}  // namespace lockstep::pipeline
