#include <array>

#include "pipeline/doctor/machine.hpp"
#include "pipeline/doctor/mpi_check.hpp"
#include "pipeline/doctor/rank_facts.hpp"
#include "pipeline/doctor/store_place.hpp"
#include "tests/pipeline/fake_machine.hpp"
#include "tests/support/catch.hpp"

namespace lockstep::pipeline {
namespace {

using storage::LockSupport;
using tests::FakeMachine;

TEST_CASE("Cores, memory and limits are read below a root", "[pipeline]") {
    const FakeMachine machine;
    machine.put_cpus(8, 2);
    machine.put("proc/self/status", "Name:\tlockstep\nCpus_allowed_list:\t0-2,6\n");
    machine.put("proc/meminfo", "MemTotal:        1000 kB\nMemFree: 10 kB\n");
    machine.put("proc/self/limits",
                "Limit                     Soft Limit           Hard Limit           Units\n"
                "Max open files            32                   1048576              files\n"
                "Max address space         unlimited            unlimited            bytes\n");
    const MachineFacts facts = machine_facts(machine.root(), "4");
    CHECK(facts.threads_there == 8);
    CHECK(facts.cores_there == 4);
    CHECK(facts.threads_allowed == 4);
    CHECK(facts.cores_allowed == 3);
    CHECK(facts.memory == 1024000);
    CHECK(facts.descriptors == 32);
    CHECK_FALSE(facts.address_space);
    CHECK_FALSE(facts.shared_memory);
    CHECK(check_threads(facts).health == Health::warning);
    CHECK(check_descriptors(facts, {.ranks = 1}).health == Health::problem);
    CHECK(check_shared_memory(facts, {.ranks = 2}).health == Health::problem);
}

TEST_CASE("As many ranks as cores are well, one more is not", "[pipeline]") {
    MachineFacts facts;
    facts.cores_there = facts.cores_allowed = 4;
    facts.threads_there = facts.threads_allowed = 8;
    CHECK(check_cores(facts, {.ranks = 4}).health == Health::ok);
    CHECK(check_cores(facts, {.ranks = 5}).health == Health::problem);
    facts.cores_allowed = 3;
    CHECK(check_cores(facts, {.ranks = 3}).health == Health::warning);
    CHECK(check_quota(facts, {.ranks = 4}).health == Health::ok);
    facts.cgroup.cpus = 2.5;
    CHECK(check_quota(facts, {.ranks = 2}).health == Health::ok);
    CHECK(check_quota(facts, {.ranks = 3}).health == Health::problem);
}

TEST_CASE("Memory: the least limit, and what the plan wants of it", "[pipeline]") {
    MachineFacts facts;
    facts.memory = 1000;
    const auto health = [&](std::int64_t each) {
        return check_memory(facts, {.ranks = 2, .memory_per_rank = each}).health;
    };
    CHECK(health(0) == Health::ok);
    CHECK(health(400) == Health::ok);
    CHECK(health(401) == Health::warning);
    CHECK(health(501) == Health::problem);
    facts.cgroup.memory = 100;
    CHECK(health(51) == Health::problem);
    facts.cgroup.memory = 5000;  // above the machine's: no limit
    CHECK(health(400) == Health::ok);
    facts.address_space = 300;
    CHECK(health(301) == Health::problem);
}

TEST_CASE("/dev/shm of 64 KB is a problem for two ranks", "[pipeline]") {
    MachineFacts facts;
    facts.shared_memory = 65536;
    CHECK(check_shared_memory(facts, {.ranks = 2}).health == Health::problem);
    CHECK(check_shared_memory(facts, {.ranks = 1}).health == Health::ok);
    facts.shared_memory = 1000000000;
    CHECK(check_shared_memory(facts, {.ranks = 2}).health == Health::ok);
}

TEST_CASE("An mpirun of another MPI is named together with the library", "[pipeline]") {
    const std::string library = "Open MPI v4.1.4";
    CHECK(check_mpi(library, "mpirun (Open MPI) 4.1.4\n\nReport bugs").health == Health::ok);
    CHECK(check_mpi(library, "mpirun (Open MPI) 4.1.6\n").health == Health::warning);
    CHECK(check_mpi(library, "mpirun (Open MPI) 5.0.7\n").health == Health::problem);
    CHECK(check_mpi(library, "").health == Health::warning);
    const Diagnosis other = check_mpi(library, "HYDRA build details:\n    Version:   4.0.2\n");
    CHECK(other.health == Health::problem);
    CHECK(other.found.find("Open MPI v4.1.4") != std::string::npos);
    CHECK(other.found.find("HYDRA") != std::string::npos);
    CHECK(check_mpi(library, "Intel(R) MPI Library for Linux* OS, Version 2021.8").health ==
          Health::problem);
}

TEST_CASE("File systems are told by their number", "[pipeline]") {
    CHECK(check_file_system(0xef53).health == Health::ok);
    for (const std::int64_t type : {0x6969L, 0x0bd00bd0L, 0xff534d42L, 0x47504653L, 0x19830326L}) {
        CHECK(check_file_system(type).health == Health::warning);
    }
    CHECK(check_file_system(0x6969).found == "NFS");
    CHECK(check_file_system(0x01021994).health == Health::warning);  // tmpfs
    CHECK(check_file_system(0x12345).health == Health::ok);
    CHECK(
        file_system_warning(0x6969).starts_with("the store lies on NFS, shared between machines"));
    CHECK(file_system_warning(0x0bd00bd0).find("-o flock") != std::string::npos);  // Lustre
    for (const auto type : {std::optional<std::int64_t>(0xef53), std::optional<std::int64_t>()})
        CHECK(file_system_warning(type).empty());
    CHECK(check_file_system(std::nullopt).health == Health::warning);
}

TEST_CASE("Locks, space and clock", "[pipeline]") {
    CHECK(check_locks(LockSupport::works).health == Health::ok);
    CHECK(check_locks(LockSupport::missing).health == Health::problem);
    CHECK(check_locks(LockSupport::does_not_exclude).health == Health::problem);
    CHECK(check_space(99, std::nullopt, 100).health == Health::problem);
    CHECK(check_space(100, std::nullopt, 100).health == Health::ok);
    CHECK(check_space(1000, 99, 100).health == Health::problem);
    CHECK(check_space(1000, 100, 100).health == Health::ok);
    CHECK(check_space(99, 1000, 100).health == Health::problem);
    constexpr double kNow = 1.8e9;
    CHECK(check_clock(kNow, std::nullopt).health == Health::ok);
    CHECK(check_clock(kNow, kNow + 10).health == Health::ok);
    CHECK(check_clock(kNow, kNow + 3600).health == Health::warning);
    CHECK(check_clock(0.0, std::nullopt).health == Health::problem);
    const tests::TemporaryDirectory folder;
    CHECK(storage::lock_support(folder.path()) == LockSupport::works);
    CHECK(std::filesystem::is_empty(folder.path()));
    CHECK(storage::lock_support(folder / "none") == LockSupport::not_tried);
    CHECK(existing_folder(folder / "a/b/c") == folder.path());
}

RankFacts facts_of(const std::string& host) {
    return {.host = host,
            .lockstep = "0.1.0",
            .program = "abc",
            .isa = "avx512",
            .simd = "AVX3",
            .onednn = "2.6.3",
            .mpi = "Open MPI v4.1.4",
            .data = "",
            .cpus = "0-3",
            .clock = 1.8e9};
}

TEST_CASE("Facts of a rank come back from their text", "[pipeline]") {
    const RankFacts facts = facts_of("node7");
    const RankFacts again = unpacked_facts(packed(facts));
    CHECK(packed(again) == packed(facts));
    CHECK(again.host == "node7");
    CHECK(again.data.empty());
    CHECK(again.cpus == "0-3");
    CHECK(again.clock == 1.8e9);
}

TEST_CASE("The rank and the host that differ are named", "[pipeline]") {
    std::array ranks{facts_of("a"), facts_of("a"), facts_of("b")};
    CHECK_FALSE(has_problem(compare_ranks(ranks)));
    const auto is_named = [&](Health health) {
        for (const Diagnosis& each : compare_ranks(ranks)) {
            if (each.health == health && each.found.find("rank 2 on b") != std::string::npos) {
                return true;
            }
        }
        return false;
    };
    SECTION("program") { ranks[2].program = "def"; }
    SECTION("version") { ranks[2].lockstep = "0.2.0"; }
    SECTION("oneDNN") { ranks[2].onednn = "3.0"; }
    SECTION("data") { ranks[2].data = "123"; }
    const bool is_hard = has_problem(compare_ranks(ranks));
    if (is_hard) CHECK(is_named(Health::problem));
    ranks[2] = facts_of("b");
    ranks[2].isa = "avx2";
    CHECK(is_named(Health::warning));
    CHECK_FALSE(has_problem(compare_ranks(ranks)));
    ranks[2] = facts_of("b");
    ranks[2].clock += 60.0;
    CHECK(is_named(Health::warning));
}

TEST_CASE("Ranks that are bound to one core together are a problem", "[pipeline]") {
    std::array ranks{facts_of("a"), facts_of("a"), facts_of("b")};
    ranks[0].cpus = ranks[1].cpus = "3";
    CHECK(has_problem(compare_ranks(ranks)));
    ranks[1].cpus = "4";
    CHECK_FALSE(has_problem(compare_ranks(ranks)));
}

}  // namespace
}  // namespace lockstep::pipeline
